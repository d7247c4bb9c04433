//! How people come into journeys: triggers, `enter` rules, schedules.

use super::aside::{Aside, Refusal};
use super::chance;
use super::effect::{EffectKind, Why};
use super::history::at_place;
use super::index::TriggerAt;
use super::instance::{Bound, Instance, Thread, Waits};
use super::person::{Clocked, Entered};
use super::run::{Run, Signal};
use super::segments::Flip;
use crate::calendar;
use crate::vm::value::Value;
use flow_compiler::bytecode::{Again, Duration, EnterMode, EventId, Exit, Journey, JourneyId, StepId, Trigger};
use smallvec::SmallVec;
use thin_vec::ThinVec;

/// The event that is a trigger, if one is.
type Source<'s> = Option<(EventId, &'s [Value])>;

impl Run<'_> {
    /// Enters every journey that the input is a trigger of, as declared, each at most once.
    pub fn entries(&mut self, signal: &Signal, flips: &[Flip]) {
        let engine = self.engine;
        let index = &engine.index;
        let happened = signal.event.as_ref();
        let of_event = happened.into_iter().flat_map(|h| index.triggers_of_event(h.event, &h.fields));
        let source = happened.map(|h| (h.event, &*h.fields));
        if signal.attributes.is_empty() && signal.list.is_none() && flips.is_empty() {
            // By far most inputs are events and nothing else, and an event's triggers stand in order.
            self.enter_each(of_event, source);
        } else {
            let mut candidates: Vec<TriggerAt> = of_event.collect();
            self.other_triggers(signal, flips, &mut candidates);
            candidates.sort_unstable();
            self.enter_each(candidates.into_iter(), source);
        }
        if let Some(journey) = signal.start {
            self.try_enter(journey, None, None);
        }
    }

    fn other_triggers(&self, signal: &Signal, flips: &[Flip], candidates: &mut Vec<TriggerAt>) {
        let index = &self.engine.index;
        candidates.extend(signal.attributes.iter().flat_map(|a| index.triggers_of_change(*a)));
        candidates.extend(signal.list.iter().flat_map(|l| index.triggers_of_list(*l)));
        candidates.extend(flips.iter().flat_map(|(segment, inside)| index.triggers_of_segment(*segment, *inside)));
    }

    fn enter_each(&mut self, candidates: impl Iterator<Item = TriggerAt>, source: Source<'_>) {
        let mut done = None;
        for (journey, trigger) in candidates {
            if done == Some(journey) || !self.triggers((journey, trigger), source) {
                continue;
            }
            done = Some(journey);
            self.try_enter(journey, Some(trigger), source);
        }
    }

    /// Enters by a schedule, a date or a segment that time changed; says whether the trigger holds.
    pub fn enter_by_time(&mut self, journey: JourneyId, trigger: usize) -> bool {
        let holds = self.triggers((journey, trigger), None);
        if holds {
            self.try_enter(journey, Some(trigger), None);
        }
        holds
    }

    fn journey(&self, journey: JourneyId) -> Option<&'_ Journey> {
        self.engine.program.journeys.get(journey.index())
    }

    fn triggers(&mut self, (journey, trigger): TriggerAt, source: Source<'_>) -> bool {
        let fields = source.map_or(&[][..], |(_, fields)| fields);
        let (filter, fields) = match self.journey(journey).and_then(|j| j.triggers.get(trigger)) {
            Some(Trigger::Event { filter, .. } | Trigger::Without { filter, .. } | Trigger::Change { filter, .. }) => {
                (*filter, fields)
            }
            Some(Trigger::Every { audience, .. }) => (*audience, &[][..]),
            Some(Trigger::Enter(_) | Trigger::Leave(_) | Trigger::Date { .. } | Trigger::List(_)) => return true,
            None => return false,
        };
        let holds = self.passes(filter, None, fields);
        if let (false, Some(filter)) = (holds, filter) {
            self.aside(|| Aside::NotEntered { journey, why: Refusal::Where(filter) });
        }
        holds
    }

    fn try_enter(&mut self, id: JourneyId, trigger: Option<usize>, source: Source<'_>) {
        let engine = self.engine;
        let Some(journey) = engine.program.journeys.get(id.index()) else { return };
        let values = trigger_values(journey, source);
        let key = key_of(journey, &values);
        if !self.may_enter_again(id, journey, &key) {
            return;
        }
        let in_flight: Vec<u64> = self.same_key(id, journey, &key).map(|i| i.number).collect();
        match journey.enter.mode {
            EnterMode::One if !in_flight.is_empty() => {
                self.aside(|| Aside::NotEntered { journey: id, why: Refusal::InFlight });
                return;
            }
            EnterMode::Restart => {
                for number in in_flight {
                    if let Some(place) = self.place_of(number) {
                        self.leave_at(place, Why::Restarted);
                    }
                }
            }
            EnterMode::One | EnterMode::Always => {}
        }
        let mut instance = self.new_instance(id, journey, values);
        match trigger.and_then(|t| journey.triggers.get(t).map(|declared| (t, declared))) {
            Some((number, Trigger::Without { within, .. })) => {
                let due = calendar::add(self.engine.zone_of(self.person), self.now, *within);
                instance.pending = Some((number, due));
                self.put_back(instance);
            }
            _ => self.begin(instance),
        }
    }

    /// The time of a `without` is over and nothing has ended it: the person enters.
    pub fn enter_pending(&mut self, place: usize) {
        let Some(instance) = self.take_out(place) else { return };
        let engine = self.engine;
        let Some(journey) = engine.program.journeys.get(instance.journey.index()) else { return };
        let key = key_of(journey, &instance.trigger);
        if self.may_enter_again(instance.journey, journey, &key) {
            self.begin(instance);
        }
    }

    fn same_key<'k>(
        &'k self,
        id: JourneyId,
        journey: &'k Journey,
        key: &'k [Value],
    ) -> impl Iterator<Item = &'k Instance> {
        let same = move |i: &&Instance| {
            i.journey == id && journey.enter.key.iter().zip(key).all(|(f, v)| i.trigger.get(*f as usize) == Some(v))
        };
        self.person.instances.iter().filter(same)
    }

    fn may_enter_again(&mut self, id: JourneyId, journey: &Journey, key: &[Value]) -> bool {
        if journey.enter.again == Again::Yes {
            return true;
        }
        let last = self.person.rare().entered.iter().find(|e| e.journey == id && *e.key == *key).map(|e| e.time);
        let Some(last) = last else { return true };
        if let Again::After(length) = journey.enter.again {
            if calendar::add(self.engine.zone_of(self.person), last, length) <= self.now {
                return true;
            }
        }
        self.aside(|| Aside::NotEntered { journey: id, why: Refusal::Entered(last) });
        false
    }

    fn remember_entry(&mut self, id: JourneyId, journey: &Journey, key: Box<[Value]>) {
        if journey.enter.again == Again::Yes {
            return;
        }
        let time = self.now;
        let entered = &mut self.person.rare_mut().entered;
        match entered.iter_mut().find(|e| e.journey == id && e.key == key) {
            Some(entry) => entry.time = time,
            None => entered.push(Entered { journey: id, key, time }),
        }
    }

    fn new_instance(&mut self, id: JourneyId, journey: &Journey, trigger: Box<[Value]>) -> Instance {
        Instance {
            journey: id,
            number: self.person.number(),
            time: self.now,
            order: self.person.order,
            pending: None,
            trigger,
            holdout: self.in_holdout(journey),
            converted: false,
            slots: vec![Value::Missing; journey.slots as usize].into(),
            messages: vec![Bound::default(); journey.messages as usize].into(),
            threads: SmallVec::new(),
            begun: 0,
            sent: 0,
            exit_due: i64::MAX,
            exit_horizon: i64::MAX,
        }
    }

    fn in_holdout(&self, journey: &Journey) -> bool {
        journey.holdout.is_some_and(|share| {
            chance::in_share(self.engine.seed, share, &["holdout", &journey.name, self.person.id()])
        })
    }

    /// The entry itself, and the first steps.
    fn begin(&mut self, mut instance: Instance) {
        let engine = self.engine;
        let id = instance.journey;
        let Some(journey) = engine.program.journeys.get(id.index()) else { return };
        self.remember_entry(id, journey, key_of(journey, &instance.trigger));
        instance.pending = None;
        instance.time = self.now;
        instance.order = self.person.order;
        instance.exit_due = self.exit_after(journey);
        self.tell(EffectKind::Entered { journey: id, holdout: instance.holdout });
        let (exit, horizon) = self.exit_when(&instance);
        if let Some(exit) = exit {
            self.leave(instance, Why::Exit(exit));
            return;
        }
        instance.exit_horizon = horizon;
        let thread = new_thread(&mut instance, None, self.now);
        self.go_on(instance, thread, StepId(0));
    }

    fn exit_after(&self, journey: &Journey) -> i64 {
        let zone = self.engine.zone_of(self.person);
        let after = |d: &Duration| calendar::add(zone, self.now, *d);
        let ends = journey.exits.iter().filter_map(|e| if let Exit::After(d) = e { Some(after(d)) } else { None });
        ends.min().unwrap_or(i64::MAX)
    }

    /// Sets all schedules and dates (anew).
    pub fn set_clocks(&mut self, signal: Option<&Signal>) {
        let engine = self.engine;
        for (place, (journey, trigger)) in engine.index.clocked.iter().enumerate() {
            let Some(trigger) = self.journey(*journey).and_then(|j| j.triggers.get(*trigger)) else { continue };
            if signal.is_some_and(|s| !self.clock_depends(trigger, s)) {
                continue;
            }
            let fired = self.person.rare().clocked.get(place).map_or(i64::MIN, |c| c.fired);
            let due = self.next_clock(trigger, self.now.max(fired.saturating_add(1)));
            *at_clock(&mut self.person.rare_mut().clocked, place) = Clocked { due, fired };
        }
    }

    /// Sets those anew that an input may have moved.
    pub fn reset_clocks(&mut self, signal: &Signal) {
        if !self.engine.index.clocked.is_empty() {
            self.set_clocks(Some(signal));
        }
    }

    fn clock_depends(&self, trigger: &Trigger, signal: &Signal) -> bool {
        let zone = || self.engine.program.timezone_attr.is_some_and(|a| signal.attributes.contains(&a));
        match trigger {
            Trigger::Date { deps, .. } => signal.touches(deps) || zone(),
            _ => signal.everything || zone(),
        }
    }

    /// When a schedule or date is due, not before an instant; `i64::MAX`: never.
    fn next_clock(&self, trigger: &Trigger, from: i64) -> i64 {
        let zone = self.engine.zone_of(self.person);
        match trigger {
            Trigger::Every { days, at, .. } => calendar::next_day_time(zone, from, *days, *at),
            Trigger::Date { date, yearly, at, .. } => {
                let day = match self.value(*date, None) {
                    Value::Date(day) | Value::Local(day, _) => day,
                    Value::Instant(instant) => calendar::to_local(zone, instant).0,
                    _ => return i64::MAX,
                };
                if *yearly {
                    return calendar::next_yearly(zone, from, day, *at);
                }
                let due = calendar::from_local(zone, day, *at);
                if due >= from {
                    due
                } else {
                    i64::MAX
                }
            }
            _ => i64::MAX,
        }
    }

    /// The triggers that time makes happen at this instant, in the order in which they run; one a journey.
    pub fn due_triggers(&mut self) -> Vec<TriggerAt> {
        let mut triggers = self.due_segments();
        let engine = self.engine;
        for (place, at) in engine.index.clocked.iter().enumerate() {
            let due = self.person.rare().clocked.get(place).is_some_and(|c| c.due <= self.now);
            if !due {
                continue;
            }
            triggers.push(*at);
            let Some(trigger) = self.journey(at.0).and_then(|j| j.triggers.get(at.1)) else { continue };
            let due = self.next_clock(trigger, self.now.saturating_add(1));
            *at_clock(&mut self.person.rare_mut().clocked, place) = Clocked { due, fired: self.now };
        }
        triggers.sort_unstable();
        triggers
    }
}

/// The element at `place`; the list is filled in order, so that it is there or next.
fn at_clock(list: &mut ThinVec<Clocked>, place: usize) -> &mut Clocked {
    at_place(list, place)
}

impl Default for Clocked {
    fn default() -> Self {
        Self { due: i64::MAX, fired: i64::MIN }
    }
}

/// A new thread of an instance, with a number from 1.
pub(super) fn new_thread(instance: &mut Instance, parent: Option<u16>, now: i64) -> u16 {
    instance.begun = instance.begun.wrapping_add(1).max(1);
    let id = instance.begun;
    instance.threads.push(Thread {
        id,
        parent,
        step: StepId(0),
        since: now,
        due: i64::MAX,
        bound: i64::MAX,
        waits: Waits::AsStepSays,
    });
    id
}

fn trigger_values(journey: &Journey, source: Source<'_>) -> Box<[Value]> {
    let value = |sources: &[(EventId, u16)]| {
        let (event, fields) = source?;
        let (_, field) = sources.iter().find(|(e, _)| *e == event)?;
        fields.get(*field as usize).cloned()
    };
    journey.trigger_fields.iter().map(|f| value(&f.sources).unwrap_or_default()).collect()
}

fn key_of(journey: &Journey, trigger: &[Value]) -> Box<[Value]> {
    journey.enter.key.iter().map(|f| trigger.get(*f as usize).cloned().unwrap_or_default()).collect()
}
