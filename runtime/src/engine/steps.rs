//! The body of a journey: a thread runs from step to step until it waits or the journey is over.

use super::aside::Aside;
use super::chance;
use super::effect::{EffectKind, Place, Request, SkipReason, Skipped, Why};
use super::entry::new_thread;
use super::index::step_at;
use super::instance::{Instance, Waits};
use super::run::{Caused, Run};
use super::waits::{By, Next};
use super::STEP_LIMIT;
use crate::calendar;
use crate::vm::value::Value;
use flow_compiler::bytecode::{
    ApiId, AttrId, ChannelId, CodeId, Duration, EventId, Slot, StepId, StepKind, WaitedEvent,
};

/// What a step leads to.
pub(super) enum Then {
    /// Another step of the same thread.
    Go(StepId),
    /// The thread waits.
    Wait { due: i64, bound: i64, waits: Waits },
    /// This branch is done: its thread is gone. The other one goes on there, if all are done.
    Joined(Option<(u16, StepId)>),
    /// The thread has been dealt with.
    Rest,
    /// The person leaves.
    Leave(Why),
}

impl Run<'_> {
    /// Runs an instance that has been taken out of the list, and puts it back unless it is over.
    pub fn go_on(&mut self, mut instance: Instance, thread: u16, step: StepId) {
        match self.advance(&mut instance, thread, step) {
            Some(why) => self.leave(instance, why),
            None => self.put_back(instance),
        }
    }

    /// Runs a thread until it waits; gives why the person left, if they did.
    fn advance(&mut self, instance: &mut Instance, thread: u16, step: StepId) -> Option<Why> {
        let (mut thread, mut step) = (thread, step);
        for _ in 0..STEP_LIMIT {
            let engine = self.engine;
            let Some(kind) = step_at(&engine.program, instance.journey, step) else { return Some(Why::Finished) };
            match self.step(instance, thread, step, kind) {
                Then::Go(next) => step = next,
                Then::Wait { due, bound, waits } => {
                    self.rest_at(instance, thread, step, (due, bound, waits));
                    return None;
                }
                Then::Joined(Some((parent, next))) => (thread, step) = (parent, next),
                Then::Joined(None) | Then::Rest => return None,
                Then::Leave(why) => return Some(why),
            }
        }
        self.tell(EffectKind::Cut);
        Some(Why::Finished)
    }

    fn rest_at(&mut self, instance: &mut Instance, thread: u16, step: StepId, (due, bound, waits): (i64, i64, Waits)) {
        let now = self.now;
        self.tell(EffectKind::Reached(Place { journey: instance.journey, step }));
        if let Some(thread) = instance.thread_mut(thread) {
            // A send that waits again for quiet hours has been at its step since it first came there.
            (thread.step, thread.since, thread.due, thread.bound, thread.waits) = (step, now, due, bound, waits);
        }
    }

    fn step(&mut self, instance: &mut Instance, thread: u16, step: StepId, kind: &StepKind) -> Then {
        let next = StepId(step.0 + 1);
        match kind {
            StepKind::Wait(duration) => {
                let due = self.after(*duration, instance, self.now);
                self.until(due, next)
            }
            StepKind::WaitDays { days, at } => {
                let due = calendar::next_day_time(self.engine.zone_of(self.person), self.now, *days, *at);
                self.until(due, next)
            }
            StepKind::WaitWithin { from, to, days } => {
                let open = calendar::slot_open(self.engine.zone_of(self.person), self.now, *from, *to, *days);
                self.until(open.unwrap_or(self.now), next)
            }
            StepKind::WaitBestHour { channel, within } => {
                let due = self.best_hour(*channel, *within);
                self.until(due, next)
            }
            StepKind::WaitMoment { bound, .. } => {
                let bound = self.bound(bound.as_ref(), instance, self.now);
                waiting(self.moment_wait(instance, step, self.now, bound, By::Time))
            }
            StepKind::WaitCondition { bound, .. } => {
                let bound = self.bound(bound.as_ref(), instance, self.now);
                waiting(self.condition_wait(instance, step, bound, By::Time))
            }
            StepKind::WaitEvent { events, bound, then, otherwise } => {
                if events.iter().any(|e| became_already(e, instance)) {
                    return Then::Go(*then);
                }
                let bound = self.bound(bound.as_ref(), instance, self.now);
                self.until_bound(bound, *otherwise)
            }
            StepKind::Branch { condition, otherwise } => {
                let holds = self.value(*condition, Some(instance)) == Value::Bool(true);
                let at = Place { journey: instance.journey, step };
                self.aside(|| Aside::Decided { at, condition: *condition, holds });
                Then::Go(if holds { next } else { *otherwise })
            }
            StepKind::Jump(target) => Then::Go(*target),
            StepKind::Split { identity, arms } => {
                let name = self.engine.program.journeys.get(instance.journey.index()).map_or("", |j| &j.name);
                let who = ["split", name, identity, self.person.id()];
                let arms = arms.iter().map(|(name, share, target)| (name.as_str(), *share, *target));
                Then::Go(chance::arm(self.engine.seed, &who, arms).unwrap_or(next))
            }
            StepKind::Send(send) => self.send(instance, thread, step, send),
            StepKind::Set { attribute, value } => {
                self.set(instance, *attribute, *value);
                Then::Go(next)
            }
            StepKind::Fetch { api, args, .. } => self.fetch(instance, step, *api, args),
            StepKind::Audience { audience, add } => {
                let at = Place { journey: instance.journey, step };
                if !instance.holdout {
                    self.tell(EffectKind::Audience { audience: *audience, added: *add, at });
                }
                Then::Go(next)
            }
            StepKind::Emit { event, fields } => {
                self.emit(instance, *event, fields);
                Then::Go(next)
            }
            StepKind::Start(journey) => {
                self.queue.push_back(Caused::Start(*journey));
                Then::Go(next)
            }
            StepKind::RepeatBegin { slot, anchor } => {
                set_slot(instance, *slot, Value::Int(0));
                set_slot(instance, *anchor, Value::Instant(self.now));
                Then::Go(next)
            }
            StepKind::RepeatNext { slot, anchor, every, times, body } => {
                let rounds = count_round(instance, *slot);
                if times.is_some_and(|times| rounds >= i64::from(times)) {
                    return Then::Go(next);
                }
                match every {
                    Some(every) => self.until(self.round_begins(instance, *anchor, *every, rounds), *body),
                    None => Then::Go(*body),
                }
            }
            StepKind::Together { branches, join } => self.together(instance, thread, (step, *join), branches),
            StepKind::Join => self.join(instance, thread),
            StepKind::End => Then::Leave(Why::Finished),
        }
    }

    /// Waits until an instant; goes on at once when it is not ahead.
    fn until(&self, due: i64, next: StepId) -> Then {
        self.until_bound(due, next)
    }

    fn until_bound(&self, bound: i64, otherwise: StepId) -> Then {
        if bound <= self.now {
            return Then::Go(otherwise);
        }
        Then::Wait { due: bound, bound, waits: Waits::AsStepSays }
    }

    /// Of the local hours that begin within a duration from now, and the present one, that in which the
    /// person opened most; the soonest among equals; now, when they never opened any.
    fn best_hour(&self, channel: ChannelId, within: Duration) -> i64 {
        let opens = self.person.rare().opens.iter().find(|(c, _)| *c == channel);
        let Some((_, opens)) = opens else { return self.now };
        let zone = self.engine.zone_of(self.person);
        let last = calendar::add(zone, self.now, within);
        let count =
            |at: i64| opens.get(usize::try_from(calendar::hour_of_day(zone, at)).unwrap_or(0)).copied().unwrap_or(0);
        let mut best = (count(self.now), self.now);
        let mut hour = calendar::next_hour(zone, self.now);
        // A day and an hour covers every hour of the day, also on a day of 25.
        for _ in 0..25 {
            if hour > last {
                break;
            }
            if count(hour) > best.0 {
                best = (count(hour), hour);
            }
            hour = calendar::next_hour(zone, hour);
        }
        best.1
    }

    fn set(&mut self, instance: &Instance, attribute: AttrId, value: CodeId) {
        let value = self.value(value, Some(instance));
        if self.set_attribute(attribute, value) {
            self.queue.push_back(Caused::Changed(attribute));
        }
    }

    fn fetch(&mut self, instance: &Instance, step: StepId, api: ApiId, args: &[CodeId]) -> Then {
        let args = args.iter().map(|a| self.value(*a, Some(instance))).collect();
        let id = self.person.number();
        let at = Place { journey: instance.journey, step };
        self.tell(EffectKind::Request(Box::new(Request { id, api, args, at })));
        Then::Wait { due: i64::MAX, bound: i64::MAX, waits: Waits::Answer(id) }
    }

    fn emit(&mut self, instance: &Instance, event: EventId, fields: &[Option<CodeId>]) {
        let Some(declared) = self.engine.program.events.get(event.index()) else { return };
        let values = declared.fields.iter().enumerate().map(|(number, field)| {
            let given = fields.get(number).copied().flatten().map(|code| self.value(code, Some(instance)));
            match given {
                None | Some(Value::Missing) => field.default.as_ref().map_or(Value::Missing, Value::from_const),
                Some(value) => value,
            }
        });
        let values = values.collect();
        self.queue.push_back(Caused::Event(event, values));
    }

    /// When a round of a `repeat` begins, after so many.
    pub fn round_begins(&self, instance: &Instance, anchor: Slot, every: CodeId, rounds: i64) -> i64 {
        let Some(Value::Instant(anchor)) = instance.slots.get(anchor as usize) else { return self.now };
        let Value::Duration(every) = self.value(every, Some(instance)) else { return self.now };
        calendar::add(self.engine.zone_of(self.person), *anchor, times(every, rounds))
    }

    fn together(&mut self, instance: &mut Instance, thread: u16, at: (StepId, StepId), branches: &[StepId]) -> Then {
        let count = u16::try_from(branches.len()).unwrap_or(u16::MAX);
        let waits = Waits::Branches(count);
        self.rest_at(instance, thread, at.0, (i64::MAX, i64::MAX, waits));
        for branch in branches {
            let child = new_thread(instance, Some(thread), self.now);
            if let Some(why) = self.advance(instance, child, *branch) {
                return Then::Leave(why);
            }
        }
        if count == 0 {
            Then::Go(at.1)
        } else {
            Then::Rest
        }
    }

    fn join(&mut self, instance: &mut Instance, thread: u16) -> Then {
        let Some(place) = instance.threads.iter().position(|t| t.id == thread) else { return Then::Joined(None) };
        let Some(parent) = instance.threads.remove(place).parent else { return Then::Joined(None) };
        let journey = instance.journey;
        let Some(waiting) = instance.thread_mut(parent) else { return Then::Joined(None) };
        let Waits::Branches(left) = &mut waiting.waits else { return Then::Joined(None) };
        *left = left.saturating_sub(1);
        if *left > 0 {
            return Then::Joined(None);
        }
        let step = waiting.step;
        match step_at(&self.engine.program, journey, step) {
            Some(StepKind::Together { join, .. }) => Then::Joined(Some((parent, *join))),
            _ => Then::Joined(None),
        }
    }

    /// Puts down that a message is not sent.
    pub fn skip(
        &mut self,
        at: Place,
        channel: Option<ChannelId>,
        content: super::effect::MessageContent,
        reason: SkipReason,
    ) {
        self.tell(EffectKind::Skipped(Box::new(Skipped { at, channel, content, reason })));
    }
}

fn waiting(next: Next) -> Then {
    match next {
        Next::Go(step) => Then::Go(step),
        Next::Wait { due, bound } => Then::Wait { due, bound, waits: Waits::AsStepSays },
    }
}

/// Whether a message already has the outcome that is waited for.
fn became_already(waited: &WaitedEvent, instance: &Instance) -> bool {
    match waited {
        WaitedEvent::Outcome(slot, outcome) => instance.messages.get(*slot as usize).is_some_and(|m| m.has(*outcome)),
        WaitedEvent::Event { .. } => false,
    }
}

fn set_slot(instance: &mut Instance, slot: Slot, value: Value) {
    if let Some(place) = instance.slots.get_mut(slot as usize) {
        *place = value;
    }
}

fn count_round(instance: &mut Instance, slot: Slot) -> i64 {
    let rounds = match instance.slots.get(slot as usize) {
        Some(Value::Int(rounds)) => rounds.saturating_add(1),
        _ => 1,
    };
    set_slot(instance, slot, Value::Int(rounds));
    rounds
}

fn times(duration: Duration, count: i64) -> Duration {
    let small = i32::try_from(count).unwrap_or(i32::MAX);
    Duration {
        months: duration.months.saturating_mul(small),
        days: duration.days.saturating_mul(small),
        millis: duration.millis.saturating_mul(count),
    }
}
