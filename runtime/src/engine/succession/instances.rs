//! The journeys that a person is in.

use super::state::trigger;
use super::{Fate, Succession};
use crate::calendar;
use crate::engine::effect::{Cause, Effect, Why};
use crate::engine::index::step_at;
use crate::engine::instance::{Bound, Instance, Thread, Waits};
use crate::engine::run::Run;
use crate::engine::waits::{By, Next};
use crate::engine::{Engine, Person};
use crate::vm::value::Value;
use flow_compiler::bytecode::{Duration, Exit, Journey, StepId, StepKind, Trigger};
use std::collections::BTreeMap;

/// By number of the instance and of the thread: when its wait ends at the latest, as its step says.
pub(super) type Ends = BTreeMap<(u64, u16), i64>;

/// What a thread does next.
#[derive(Clone, Copy)]
enum Act {
    /// It rests where it is.
    Rest,
    /// It waits; the old version said that it ends then.
    Wait { end: Option<i64> },
    /// It goes on at its step.
    Go,
    /// Its journey ends.
    Leave,
}

/// What is to be done, by number of the instance.
pub(super) struct Moved(Vec<(u64, Vec<(u16, Act)>)>);

/// When the waits of a person end, as the steps of the old version say now.
pub(super) fn ends(engine: &Engine, person: &mut Person, now: i64) -> Ends {
    let mut out = Vec::new();
    let run = Run::new(engine, person, now, Cause::Input(0), &mut out);
    let mut ends = Ends::new();
    for instance in &run.person.instances {
        for thread in &instance.threads {
            if let Some(end) = run.end_of(instance, thread) {
                ends.insert((instance.number, thread.id), end);
            }
        }
    }
    ends
}

/// Puts the instances into the person of the new version, at their new steps.
pub(super) fn carry(succession: &Succession<'_>, old: &Person, ends: &Ends, next: &mut Person, now: i64) -> Moved {
    let mut moved = Vec::new();
    for instance in &old.instances {
        let Some((carried, threads)) = one(succession, next, instance, ends, now) else { continue };
        moved.push((carried.number, threads));
        let place = next.instances.partition_point(|other| other.rank() < carried.rank());
        next.instances.insert(place, carried);
    }
    Moved(moved)
}

type Carried = (Instance, Vec<(u16, Act)>);

fn one(succession: &Succession<'_>, person: &Person, old: &Instance, ends: &Ends, now: i64) -> Option<Carried> {
    let moves = succession.journeys.get(old.journey.index())?;
    let id = moves.to?;
    let declared = succession.new.program.journeys.get(id.index())?;
    let was = succession.old.program.journeys.get(old.journey.index())?;
    let mut instance = Instance {
        journey: id,
        trigger: trigger(succession, old.journey, &old.trigger)?,
        slots: vec![Value::Missing; declared.slots as usize].into(),
        messages: vec![Bound::default(); declared.messages as usize].into(),
        ..old.clone()
    };
    for (from, to) in &moves.slots {
        let value = old.slots.get(*from as usize).cloned();
        if let (Some(slot), Some(value)) = (instance.slots.get_mut(*to as usize), value) {
            *slot = value;
        }
    }
    for (from, to) in &moves.messages {
        if let (Some(slot), Some(bound)) = (instance.messages.get_mut(*to as usize), old.messages.get(*from as usize)) {
            slot.clone_from(bound);
        }
    }
    if let Some((number, due)) = old.pending {
        instance.pending = Some(pending(succession, person, old, (number, due), now)?);
    } else if !succession.keep_deadlines && afters(was) != afters(declared) {
        let zone = succession.new.zone_of(person);
        let ends = afters(declared).into_iter().map(|after| calendar::add(zone, old.time, after));
        instance.exit_due = ends.min().map_or(i64::MAX, |end| end.max(now));
    }
    let mut threads = Vec::new();
    for thread in &mut instance.threads {
        let fate = moves.fates.get(thread.step.index()).copied().unwrap_or(Fate::Gone);
        let end = ends.get(&(old.number, thread.id)).copied().filter(|_| !succession.keep_deadlines);
        threads.push((thread.id, step(was, declared, thread, fate, end)));
    }
    Some((instance, threads))
}

/// Puts a thread at its new step, and says what it does there.
fn step(was: &Journey, is: &Journey, thread: &mut Thread, fate: Fate, end: Option<i64>) -> Act {
    let kind = |journey: &Journey, step: StepId| journey.steps.get(step.index()).map(|step| step.kind.clone());
    let old = kind(was, thread.step);
    let Some(to) = fate.step() else { return Act::Leave };
    thread.step = to;
    match (thread.waits, kind(is, to)) {
        (Waits::Quiet(channel), Some(StepKind::Send(send))) => {
            let last = u8::try_from(send.channels.len().saturating_sub(1)).unwrap_or(u8::MAX);
            thread.waits = Waits::Quiet(channel.min(last));
            Act::Rest
        }
        // Another question has another answer.
        (Waits::Answer(_), Some(StepKind::Fetch { .. })) if matches!(fate, Fate::Stays(_)) => Act::Rest,
        (Waits::Branches(_), Some(StepKind::Together { .. })) => Act::Rest,
        (Waits::AsStepSays, Some(_)) if old.is_some() => Act::Wait { end },
        _ => {
            thread.waits = Waits::AsStepSays;
            Act::Go
        }
    }
}

fn afters(journey: &Journey) -> Vec<Duration> {
    let after = |exit: &Exit| if let Exit::After(after) = exit { Some(*after) } else { None };
    journey.exits.iter().filter_map(after).collect()
}

/// A `without` that has not entered yet.
fn pending(
    succession: &Succession<'_>,
    person: &Person,
    old: &Instance,
    (number, due): (usize, i64),
    now: i64,
) -> Option<(usize, i64)> {
    let moves = succession.journeys.get(old.journey.index())?;
    let to = moves.triggers.get(number).copied().flatten()?;
    let declared = succession.new.program.journeys.get(moves.to?.index())?.triggers.get(to)?;
    let was = succession.old.program.journeys.get(old.journey.index())?.triggers.get(number)?;
    match (was, declared) {
        (Trigger::Without { within: before, .. }, Trigger::Without { within, .. })
            if before != within && !succession.keep_deadlines =>
        {
            Some((to, calendar::add(succession.new.zone_of(person), old.time, *within).max(now)))
        }
        _ => Some((to, due)),
    }
}

/// Lets the new version look at everything anew.
pub(super) fn go_on(engine: &Engine, person: &mut Person, moved: Moved, now: i64, seq: u64, out: &mut Vec<Effect>) {
    let mut run = Run::new(engine, person, now, Cause::Input(seq), out);
    run.know_segments();
    run.set_clocks(None);
    for (number, threads) in moved.0 {
        if threads.iter().any(|(_, next)| matches!(next, Act::Leave)) {
            if let Some(place) = run.place_of(number) {
                run.leave_at(place, Why::Finished);
            }
            continue;
        }
        if !run.still_in(number) {
            continue;
        }
        for (thread, next) in threads {
            run.go_on_from(number, thread, next);
        }
    }
    run.settle();
    run.person.next_due = run.earliest();
}

impl Run<'_> {
    /// Leaves by an `exit when` that holds now; says whether the person stays.
    fn still_in(&mut self, number: u64) -> bool {
        let Some(place) = self.place_of(number) else { return false };
        let Some(instance) = self.person.instances.get(place).filter(|instance| instance.pending.is_none()) else {
            return true;
        };
        let (exit, horizon) = self.exit_when(instance);
        if let Some(exit) = exit {
            self.leave_at(place, Why::Exit(exit));
            return false;
        }
        if let Some(instance) = self.person.instances.get_mut(place) {
            instance.exit_horizon = horizon;
        }
        true
    }

    fn go_on_from(&mut self, number: u64, thread: u16, next: Act) {
        let Some(place) = self.place_of(number) else { return };
        let Some(instance) = self.person.instances.get(place) else { return };
        let Some(waiting) = instance.threads.iter().find(|waiting| waiting.id == thread) else { return };
        let next = match next {
            Act::Rest | Act::Leave => return,
            Act::Go => Next::Go(waiting.step),
            Act::Wait { end } => self.wait_again(instance, waiting, end),
        };
        self.wait_on(place, thread, Some(next));
    }

    /// A wait under the new version: it keeps its end unless the step gives another one than the old version's did.
    fn wait_again(&self, instance: &Instance, thread: &Thread, end: Option<i64>) -> Next {
        let step = thread.step;
        let declared = step_at(&self.engine.program, instance.journey, step);
        let new = self.end_of(instance, thread);
        let changed = end.is_some() && new.is_some() && end != new;
        let bound = if changed { new.unwrap_or(thread.bound).max(self.now) } else { thread.bound };
        match declared {
            Some(StepKind::WaitCondition { .. }) => self.condition_wait(instance, step, bound, By::Input),
            Some(StepKind::WaitMoment { .. }) => self.moment_wait(instance, step, thread.since, bound, By::Input),
            Some(StepKind::WaitBestHour { .. }) => Next::Wait { due: thread.due, bound: thread.bound },
            Some(_) if new.is_some() && changed => Next::Wait { due: bound, bound },
            Some(_) if new.is_some() => Next::Wait { due: thread.due, bound },
            // It is no wait: the person goes on here.
            _ => Next::Go(step),
        }
    }

    /// When a wait ends at the latest, as its step says; none: it is no wait that ends by itself.
    fn end_of(&self, instance: &Instance, thread: &Thread) -> Option<i64> {
        let zone = self.engine.zone_of(self.person);
        let since = thread.since;
        match step_at(&self.engine.program, instance.journey, thread.step)? {
            StepKind::Wait(duration) => Some(self.after(*duration, instance, since)),
            StepKind::WaitDays { days, at } => Some(calendar::next_day_time(zone, since, *days, *at)),
            StepKind::WaitWithin { from, to, days } => {
                Some(calendar::slot_open(zone, since, *from, *to, *days).unwrap_or(since))
            }
            StepKind::WaitMoment { bound, .. }
            | StepKind::WaitCondition { bound, .. }
            | StepKind::WaitEvent { bound, .. } => Some(self.bound(bound.as_ref(), instance, since)),
            StepKind::RepeatNext { slot, anchor, every: Some(every), .. } => {
                let Some(Value::Int(rounds)) = instance.slots.get(*slot as usize) else { return None };
                Some(self.round_begins(instance, *anchor, *every, *rounds))
            }
            _ => None,
        }
    }
}
