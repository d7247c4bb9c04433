//! One input, or the timers of one instant, and everything that follows from them.

use super::effect::{Cause, Effect, EffectKind, Withdrawal};
use super::input::{Fields, Input};
use super::instance::Instance;
use super::person::Person;
use super::view::View;
use super::{Engine, CHAIN_LIMIT};
use crate::vm::value::Value;
use crate::vm::Moment;
use flow_compiler::bytecode::{AttrId, CodeId, Deps, EventId, JourneyId, ListId, Outcome};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// What is under way.
pub(super) struct Run<'a> {
    pub engine: &'a Engine,
    pub person: &'a mut Person,
    pub now: i64,
    pub cause: Cause,
    /// What steps have caused, to be taken when the present input has run to rest.
    pub queue: VecDeque<Caused>,
    pub out: &'a mut Vec<Effect>,
    /// Whether somebody asks why.
    pub explained: bool,
}

/// What a step causes: an input of its own at the same instant.
pub(super) enum Caused {
    Event(EventId, Fields),
    Changed(AttrId),
    Start(JourneyId),
}

/// What an input changed: whom to ask whether they care.
#[derive(Default)]
pub(super) struct Signal {
    pub event: Option<Happened>,
    pub attributes: Vec<AttrId>,
    pub reach: bool,
    /// The message and what became of it.
    pub outcome: Option<(u64, Outcome)>,
    pub list: Option<ListId>,
    pub start: Option<JourneyId>,
    pub answer: Option<(u64, Option<Value>)>,
    /// Two people became one: anything may have changed.
    pub everything: bool,
}

/// An event as it is taken.
pub(super) struct Happened {
    pub event: EventId,
    pub fields: Fields,
}

impl Signal {
    /// Whether what a value depends on may have changed.
    pub fn touches(&self, deps: &Deps) -> bool {
        self.everything
            || self.event.as_ref().is_some_and(|e| deps.events.contains(&e.event))
            || self.attributes.iter().any(|a| deps.attributes.contains(a))
            || deps.reach && self.reach
            || deps.outcomes && self.outcome.is_some()
    }
}

/// A timer that is due, in the order in which timers of one instant run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// An exit, a thread or a pending entry of an instance, by (journey, time of entry, number); the thread's id,
    /// or 0 for what concerns the instance as a whole.
    Instance(JourneyId, i64, u64, u16),
}

impl<'a> Run<'a> {
    pub fn new(engine: &'a Engine, person: &'a mut Person, now: i64, cause: Cause, out: &'a mut Vec<Effect>) -> Self {
        let explained = engine.explained.includes(person.id());
        Self { engine, person, now, cause, queue: VecDeque::new(), out, explained }
    }

    /// Takes an input and all that it causes.
    pub fn input(mut self, input: Input) {
        let first = self.person.order == 0;
        let mut signal = self.update(input);
        if first {
            signal.everything = true;
            self.set_clocks(None);
        }
        self.take(&signal);
        self.settle();
        self.person.next_due = self.earliest();
    }

    /// Fires the timers of this instant.
    pub fn timers(mut self) {
        // Set before anything runs: what is still due at this instant afterwards fires in the next round.
        let triggers = self.due_triggers();
        let mut instances = self.due_instances();
        instances.sort_unstable();
        let mut triggers = triggers.into_iter().peekable();
        // As by one input, a person enters a journey at most once by one instant.
        let mut entered = None;
        for due in instances {
            let Due::Instance(journey, ..) = due;
            while let Some(trigger) = triggers.next_if(|t| t.0 < journey) {
                self.fire_trigger(trigger, &mut entered);
            }
            self.fire_instance(due);
        }
        for trigger in triggers {
            self.fire_trigger(trigger, &mut entered);
        }
        self.person.next_due = self.earliest();
    }

    fn fire_trigger(&mut self, (journey, trigger): (JourneyId, usize), entered: &mut Option<JourneyId>) {
        if *entered == Some(journey) {
            return;
        }
        self.cause = Cause::Timer(journey, i64::MAX);
        if self.enter_by_time(journey, trigger) {
            *entered = Some(journey);
        }
        self.settle();
    }

    fn fire_instance(&mut self, due: Due) {
        let Due::Instance(journey, time, number, thread) = due;
        self.cause = Cause::Timer(journey, time);
        let Some(place) = self.person.instances.iter().position(|i| i.number == number) else { return };
        if thread == 0 {
            self.fire_whole(place);
        } else {
            self.fire_thread(place, thread);
        }
        self.settle();
    }

    fn due_instances(&self) -> SmallVec<[Due; 2]> {
        let mut due = SmallVec::new();
        for instance in &self.person.instances {
            let (journey, time, number) = instance.rank();
            if let Some((_, at)) = instance.pending {
                if at <= self.now {
                    due.push(Due::Instance(journey, time, number, 0));
                }
                continue;
            }
            if instance.exit_due.min(instance.exit_horizon) <= self.now {
                due.push(Due::Instance(journey, time, number, 0));
            }
            let threads = instance.threads.iter().filter(|t| t.due <= self.now);
            due.extend(threads.map(|t| Due::Instance(journey, time, number, t.id)));
        }
        due
    }

    /// Takes what steps have caused, one after the other, until nothing is left.
    pub fn settle(&mut self) {
        let mut taken = 0;
        while let Some(caused) = self.queue.pop_front() {
            taken += 1;
            if taken > CHAIN_LIMIT {
                self.queue.clear();
                self.tell(EffectKind::Cut);
                return;
            }
            let signal = self.update_caused(caused);
            self.take(&signal);
        }
    }

    /// The order of the contract, section 8.3: exits and goals, then waits, then segments, then entries.
    /// Attributes and history are up to date already.
    pub fn take(&mut self, signal: &Signal) {
        self.goals(signal);
        self.exits(signal);
        self.waits(signal);
        self.reset_clocks(signal);
        let flips = self.follow_segments(signal);
        self.entries(signal, &flips);
    }

    pub fn tell(&mut self, kind: EffectKind) {
        self.out.push(Effect { time: self.now, cause: self.cause, kind });
    }

    /// Tells what must not leave any more, where throttles hold messages back.
    pub fn withdraw(&mut self, what: Withdrawal) {
        if !self.engine.program.policy.throttles.is_empty() {
            self.tell(EffectKind::Withdrawn(what));
        }
    }

    pub fn earliest(&self) -> i64 {
        let instances = self.person.instances.iter().map(Instance::due).min().unwrap_or(i64::MAX);
        let rare = self.person.rare();
        let segments = rare.segments.iter().map(|s| s.horizon).min().unwrap_or(i64::MAX);
        let clocked = rare.clocked.iter().map(|c| c.due).min().unwrap_or(i64::MAX);
        instances.min(segments).min(clocked)
    }

    /// Evaluates code for an instance (which is out of the person's list while it runs) or without one.
    pub fn value(&self, code: CodeId, instance: Option<&Instance>) -> Value {
        let view = View::of(self.engine, self.person);
        let view = instance.map_or(view, |i| view.within(i));
        self.engine.evaluate(code, &view, &mut Moment::at(self.now))
    }

    /// Whether a filter lets an event through; no filter does.
    pub fn passes(&self, filter: Option<CodeId>, instance: Option<&Instance>, fields: &[Value]) -> bool {
        filter.is_none_or(|filter| {
            let view = View::of(self.engine, self.person).testing(fields);
            let view = instance.map_or(view, |i| view.within(i));
            self.engine.truth(filter, &view, &mut Moment::at(self.now))
        })
    }

    /// Whether a condition holds, and until when that is sure.
    pub fn condition(&self, code: CodeId, instance: &Instance) -> (bool, i64) {
        let mut moment = Moment::at(self.now);
        let view = View::of(self.engine, self.person).within(instance);
        let holds = self.engine.truth(code, &view, &mut moment);
        (holds, moment.horizon)
    }

    /// Takes an instance out of the list, to be run.
    pub fn take_out(&mut self, place: usize) -> Option<Instance> {
        (place < self.person.instances.len()).then(|| self.person.instances.remove(place))
    }

    /// Puts an instance (back) into the list, at the place that timers' order gives it.
    pub fn put_back(&mut self, instance: Instance) {
        let place = self.person.instances.partition_point(|i| i.rank() < instance.rank());
        // Most people are in one journey at a time, and there are many people: no room is kept for more.
        self.person.instances.reserve_exact(1);
        self.person.instances.insert(place, instance);
    }

    /// The place of an instance by its number.
    pub fn place_of(&self, number: u64) -> Option<usize> {
        self.person.instances.iter().position(|i| i.number == number)
    }
}
