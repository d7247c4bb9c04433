//! What ends a wait: its time, an event, a condition, a moment, an answer.

use super::index::step_at;
use super::instance::{Instance, Thread, Waits};
use super::run::{Run, Signal};
use crate::calendar;
use crate::vm::value::Value;
use flow_compiler::bytecode::{CodeId, StepId, StepKind, Until, WaitedEvent};
use smallvec::SmallVec;

/// What a wait is looked at for. At one instant inputs come before timers, so that an input never ends a wait by
/// its bound alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// It has just been reached, or its timer is due.
    Time,
    /// An input may have changed what it depends on.
    Input,
}

/// What becomes of a thread that waits.
pub(super) enum Next {
    /// It goes on at a step.
    Go(StepId),
    /// It waits, at most until these: when its own time is due, and its bound.
    Wait { due: i64, bound: i64 },
}

impl Run<'_> {
    /// Shows an input to every thread that waits; those that it ends run on.
    pub fn waits(&mut self, signal: &Signal) {
        // Noted beforehand: a wait that is only reached by this input needs a new event.
        let mut waiting = SmallVec::<[(u64, u16); 4]>::new();
        for instance in &self.person.instances {
            if self.may_care(instance, signal) {
                waiting.push((instance.number, 0));
                waiting.extend(instance.threads.iter().map(|t| (instance.number, t.id)));
            }
        }
        for (number, thread) in waiting {
            let Some(place) = self.place_of(number) else { continue };
            if thread == 0 {
                self.end_pending(place, signal);
            } else {
                self.react(place, thread, signal);
            }
        }
    }

    fn may_care(&self, instance: &Instance, signal: &Signal) -> bool {
        let index = self.engine.index.journey(instance.journey);
        index.follows || signal.event.as_ref().is_some_and(|e| index.listens.binary_search(&e.event).is_ok())
    }

    /// What must not follow has followed: a `without` ends, silently.
    fn end_pending(&mut self, place: usize, signal: &Signal) {
        use flow_compiler::bytecode::Trigger;
        let (Some(instance), Some(happened)) = (self.person.instances.get(place), &signal.event) else { return };
        let Some((trigger, _)) = instance.pending else { return };
        let journey = self.engine.program.journeys.get(instance.journey.index());
        let Some(Trigger::Without { without, without_filter, .. }) = journey.and_then(|j| j.triggers.get(trigger))
        else {
            return;
        };
        if *without == happened.event && self.passes(*without_filter, Some(instance), &happened.fields) {
            self.take_out(place);
        }
    }

    fn react(&mut self, place: usize, thread: u16, signal: &Signal) {
        let Some(instance) = self.person.instances.get(place) else { return };
        let Some(waiting) = instance.threads.iter().find(|t| t.id == thread) else { return };
        let next = match waiting.waits {
            Waits::AsStepSays => self.reaction(instance, waiting, signal),
            Waits::Answer(request) => match &signal.answer {
                Some((answered, answer)) if *answered == request => {
                    let answer = answer.clone();
                    self.answered(place, thread, answer);
                    return;
                }
                _ => None,
            },
            Waits::Quiet(_) | Waits::Branches(_) => None,
        };
        self.wait_on(place, thread, next);
    }

    /// What an input does to a wait; none: nothing.
    fn reaction(&self, instance: &Instance, thread: &Thread, signal: &Signal) -> Option<Next> {
        match step_at(&self.engine.program, instance.journey, thread.step)? {
            StepKind::WaitEvent { events, bound, then, .. } => {
                if events.iter().any(|waited| self.is_awaited(waited, instance, signal)) {
                    return Some(Next::Go(*then));
                }
                let bound = self.moved_bound(bound.as_ref(), instance, thread, signal)?;
                Some(Next::Wait { due: bound.max(self.now), bound })
            }
            StepKind::WaitCondition { condition, bound, .. } => {
                let moved = self.moved_bound(bound.as_ref(), instance, thread, signal);
                if moved.is_none() && !signal.touches(&condition.deps) {
                    return None;
                }
                Some(self.condition_wait(instance, thread.step, moved.unwrap_or(thread.bound), By::Input))
            }
            StepKind::WaitMoment { deps, bound, .. } => {
                let moved = self.moved_bound(bound.as_ref(), instance, thread, signal);
                if moved.is_none() && !signal.touches(deps) {
                    return None;
                }
                let bound = moved.unwrap_or(thread.bound);
                // A moment that is now, and was before this input, is a timer's: it comes after the other inputs.
                if thread.due == self.now && bound == thread.bound && self.moment_is_now(instance, thread) {
                    return None;
                }
                Some(self.moment_wait(instance, thread.step, thread.since, bound, By::Input))
            }
            StepKind::WaitDays { days, at } if self.zone_changed(signal) => {
                let zone = self.engine.zone_of(self.person);
                let due = calendar::next_day_time(zone, thread.since, *days, *at).max(self.now);
                Some(Next::Wait { due, bound: due })
            }
            _ => None,
        }
    }

    fn zone_changed(&self, signal: &Signal) -> bool {
        let zone = self.engine.program.timezone_attr;
        signal.everything || zone.is_some_and(|zone| signal.attributes.contains(&zone))
    }

    fn is_awaited(&self, waited: &WaitedEvent, instance: &Instance, signal: &Signal) -> bool {
        match waited {
            WaitedEvent::Event { event, filter } => signal
                .event
                .as_ref()
                .is_some_and(|h| h.event == *event && self.passes(*filter, Some(instance), &h.fields)),
            WaitedEvent::Outcome(slot, outcome) => {
                let bound = instance.messages.get(*slot as usize);
                let came = signal.outcome.filter(|(_, came)| came == outcome);
                came.is_some_and(|(id, _)| bound.is_some_and(|bound| bound.ids.contains(&id)))
            }
        }
    }

    /// The new bound of a wait whose `until` an input may have moved.
    fn moved_bound(&self, bound: Option<&Until>, instance: &Instance, thread: &Thread, signal: &Signal) -> Option<i64> {
        match bound? {
            Until::Moment(_, deps) if signal.touches(deps) => Some(self.bound(bound, instance, thread.since)),
            _ => None,
        }
    }

    /// Until when a wait that began at `since` may last.
    pub fn bound(&self, bound: Option<&Until>, instance: &Instance, since: i64) -> i64 {
        match bound {
            None => i64::MAX,
            Some(Until::For(code)) => self.after(*code, instance, since),
            Some(Until::Moment(code, _)) => self.moment(*code, instance, since).unwrap_or(i64::MAX),
        }
    }

    /// An instant so long after another as the code says; a missing duration is none.
    pub fn after(&self, duration: CodeId, instance: &Instance, since: i64) -> i64 {
        match self.value(duration, Some(instance)) {
            Value::Duration(duration) => calendar::add(self.engine.zone_of(self.person), since, duration),
            _ => since,
        }
    }

    /// The moment that the code gives, seen from `since`; none: it is missing.
    fn moment(&self, code: CodeId, instance: &Instance, since: i64) -> Option<i64> {
        let zone = self.engine.zone_of(self.person);
        match self.value(code, Some(instance)) {
            Value::Instant(instant) => Some(instant),
            Value::Date(day) => Some(calendar::from_local(zone, day, 0)),
            Value::Local(day, millis) => Some(calendar::from_local(zone, day, millis)),
            Value::Time(millis) => Some(calendar::next_time_of_day(zone, since, millis)),
            _ => None,
        }
    }

    fn moment_is_now(&self, instance: &Instance, thread: &Thread) -> bool {
        let step = step_at(&self.engine.program, instance.journey, thread.step);
        matches!(step, Some(StepKind::WaitMoment { at, .. }) if self.moment(*at, instance, thread.since) == Some(self.now))
    }

    /// A wait for a moment, as it stands now.
    pub fn moment_wait(&self, instance: &Instance, step: StepId, since: i64, bound: i64, by: By) -> Next {
        let Some(StepKind::WaitMoment { at, then, otherwise, .. }) =
            step_at(&self.engine.program, instance.journey, step)
        else {
            return Next::Wait { due: i64::MAX, bound };
        };
        let moment = self.moment(*at, instance, since).unwrap_or(i64::MAX);
        if moment <= self.now {
            Next::Go(*then)
        } else if bound <= self.now && by == By::Time {
            Next::Go(*otherwise)
        } else {
            Next::Wait { due: moment.min(bound).max(self.now), bound }
        }
    }

    /// A wait for a condition, as it stands now. At the very end of the wait the condition comes first.
    pub fn condition_wait(&self, instance: &Instance, step: StepId, bound: i64, by: By) -> Next {
        let Some(StepKind::WaitCondition { condition, then, otherwise, .. }) =
            step_at(&self.engine.program, instance.journey, step)
        else {
            return Next::Wait { due: i64::MAX, bound };
        };
        let (holds, sure) = self.condition(condition.code, instance);
        if holds {
            Next::Go(*then)
        } else if bound <= self.now && by == By::Time {
            Next::Go(*otherwise)
        } else {
            Next::Wait { due: sure.min(bound).max(self.now), bound }
        }
    }

    /// A timer of a thread is due.
    pub fn fire_thread(&mut self, place: usize, thread: u16) {
        let Some(instance) = self.person.instances.get(place) else { return };
        let Some(waiting) = instance.threads.iter().find(|t| t.id == thread) else { return };
        if waiting.due > self.now {
            return;
        }
        let step = waiting.step;
        let next = match step_at(&self.engine.program, instance.journey, step) {
            _ if matches!(waiting.waits, Waits::Quiet(_)) => Next::Go(step),
            Some(StepKind::WaitEvent { otherwise, .. }) => Next::Go(*otherwise),
            Some(StepKind::WaitCondition { .. }) => self.condition_wait(instance, step, waiting.bound, By::Time),
            Some(StepKind::WaitMoment { .. }) => {
                self.moment_wait(instance, step, waiting.since, waiting.bound, By::Time)
            }
            Some(StepKind::RepeatNext { body, .. }) => Next::Go(*body),
            _ => Next::Go(StepId(step.0 + 1)),
        };
        self.wait_on(place, thread, Some(next));
    }

    /// Lets a thread wait or go on.
    pub fn wait_on(&mut self, place: usize, thread: u16, next: Option<Next>) {
        match next {
            None => {}
            Some(Next::Wait { due, bound }) => {
                let waiting = self.person.instances.get_mut(place).and_then(|i| i.thread_mut(thread));
                if let Some(waiting) = waiting {
                    (waiting.due, waiting.bound) = (due, bound);
                }
            }
            Some(Next::Go(step)) => {
                if let Some(instance) = self.take_out(place) {
                    self.go_on(instance, thread, step);
                }
            }
        }
    }

    fn answered(&mut self, place: usize, thread: u16, answer: Option<Value>) {
        let Some(mut instance) = self.take_out(place) else { return };
        let step = instance.thread_mut(thread).map_or(StepId(0), |t| t.step);
        let Some(StepKind::Fetch { slot, otherwise, .. }) = step_at(&self.engine.program, instance.journey, step)
        else {
            self.put_back(instance);
            return;
        };
        let next = if answer.is_some() { StepId(step.0 + 1) } else { *otherwise };
        if let Some(place) = slot.and_then(|s| instance.slots.get_mut(s as usize)) {
            *place = answer.unwrap_or_default();
        }
        self.go_on(instance, thread, next);
    }
}
