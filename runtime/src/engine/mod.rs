//! The engine: `(program, one person's state, one input or timer) → (new state, effects)`.
//!
//! It reads no clock, no file, no network and no random source, and knows no other person. Whoever
//! drives it says what time it is, fires timers that are due before an input, and carries out the effects.
//!
//! - [`run`]: one input, or the timers of one instant, and what follows from them
//! - [`update`]: attributes, history, consent, outcomes
//! - [`leave`]: exits and goals
//! - [`waits`]: what an input or a timer does to a wait
//! - [`segments`]: who starts and stops satisfying what
//! - [`entry`]: triggers, `enter` rules, schedules
//! - [`steps`], [`send`]: the body of a journey
//! - [`merge`], [`news`]: two people who turn out to be one
//! - [`snapshot`]: a person as bytes and back
//! - [`succession`]: a person under a new version of the program

pub mod aside;
mod chance;
pub mod effect;
mod entry;
mod history;
mod index;
pub mod input;
mod instance;
mod keyed;
mod leave;
mod merge;
mod news;
mod person;
mod reach;
mod run;
mod segments;
mod send;
pub mod snapshot;
mod steps;
pub mod succession;
mod update;
mod view;
mod waits;

use crate::calendar::Zones;
use crate::vm::interpret::{Machine, Prepared};
use crate::vm::value::Value;
use crate::vm::{Evaluation, Moment};
use aside::Explained;
use effect::{Cause, Effect};
use flow_compiler::bytecode::{AttrId, ChannelId, CodeId, Program};
use index::Index;
use input::Input;
use jiff::tz::TimeZone;
pub use person::Person;
pub use reach::Leave;
use std::sync::Arc;
use view::View;

/// How many inputs may follow from one another at one instant before the chain is cut (contract, section 8.3).
pub const CHAIN_LIMIT: usize = 1_000;

/// How many steps one thread may take without waiting. The checker excludes loops without a wait; this bounds
/// what `repeat 1000000 times` can do at one instant.
pub const STEP_LIMIT: usize = 100_000;

/// A program made ready to run. Immutable; shared by all threads.
#[derive(Debug)]
pub struct Engine {
    program: Arc<Program>,
    prepared: Prepared,
    index: Index,
    zones: Arc<Zones>,
    default_zone: TimeZone,
    /// By attribute.
    defaults: Vec<Value>,
    seed: u64,
    /// Whether messages carry what was known when they were handed over.
    keeps_seen: bool,
    /// Of whom it tells more.
    explained: Explained,
}

impl Engine {
    /// Makes a verified program ready. The seed decides splits and holdouts, nothing else.
    #[must_use]
    pub fn new(program: Arc<Program>, zones: Arc<Zones>, seed: u64) -> Self {
        let default_zone = zones.get(&program.timezone).unwrap_or(TimeZone::UTC);
        let defaults = program
            .attributes
            .iter()
            .map(|a| a.field.default.as_ref().map_or(Value::Missing, Value::from_const))
            .collect();
        let prepared = Prepared::new(&program);
        Self {
            index: Index::new(&program, &prepared),
            prepared,
            zones,
            default_zone,
            defaults,
            seed,
            keeps_seen: false,
            explained: Explained::Nobody,
            program,
        }
    }

    /// The same, with all that templates can name in each message ([`effect::Message::seen`]).
    #[must_use]
    pub fn for_rendering(mut self) -> Self {
        self.keeps_seen = true;
        self
    }

    /// The same, with conditions evaluated in a certain way. What comes out is the same.
    ///
    /// # Errors
    /// When native code is asked for and there is none on this machine: why.
    pub fn evaluated(mut self, how: Evaluation) -> Result<Self, String> {
        self.prepared = self.prepared.evaluated(&self.program, how)?;
        Ok(self)
    }

    /// Another over the same program, which tells of some people what it took and what did not happen and why.
    #[must_use]
    pub fn explaining(&self, whom: Explained) -> Self {
        let engine = Self::new(Arc::clone(&self.program), Arc::clone(&self.zones), self.seed);
        Self { keeps_seen: self.keeps_seen, explained: whom, prepared: self.prepared.clone(), ..engine }
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// A person not seen before.
    #[must_use]
    pub fn person(&self, id: &str) -> Person {
        Person::new(id)
    }

    /// Takes one input at the instant `now`, which must not lie before any instant this person has seen. All
    /// timers due before `now` must have been fired. `seq` is the input's number in the order of arrival.
    pub fn input(&self, person: &mut Person, now: i64, seq: u64, input: Input, out: &mut Vec<Effect>) {
        run::Run::new(self, person, now, Cause::Input(seq), out).input(input);
    }

    /// Fires, in order, all timers due before an instant.
    pub fn timers(&self, person: &mut Person, before: i64, out: &mut Vec<Effect>) {
        while person.next_due < before {
            let now = person.next_due;
            run::Run::new(self, person, now, Cause::Input(0), out).timers();
        }
    }

    /// When the person's next timer is due, in milliseconds since 1970.
    #[must_use]
    pub fn next_due(&self, person: &Person) -> Option<i64> {
        (person.next_due < i64::MAX).then_some(person.next_due)
    }

    /// Joins an anonymous person into the known one whom they turned out to be.
    pub fn merge(&self, known: &mut Person, anonymous: Person, now: i64, seq: u64, out: &mut Vec<Effect>) {
        run::Run::new(self, known, now, Cause::Input(seq), out).merge(anonymous);
    }

    /// Whether a condition without an entry (of a test's `expect`) holds for the person.
    #[must_use]
    pub fn holds(&self, person: &Person, condition: CodeId, now: i64) -> bool {
        self.truth(condition, &View::of(self, person), &mut Moment::at(now))
    }

    /// The person's time zone.
    #[must_use]
    pub fn zone_of<'a>(&'a self, person: &'a Person) -> &'a TimeZone {
        person.zone.as_ref().unwrap_or(&self.default_zone)
    }

    /// The zone of that name, else that of people whose zone is not known.
    #[must_use]
    pub fn zone_named(&self, name: Option<&str>) -> TimeZone {
        name.and_then(|name| self.zones.get(name)).unwrap_or_else(|| self.default_zone.clone())
    }

    /// The zone of people whose zone is not known.
    #[must_use]
    pub fn default_zone(&self) -> &TimeZone {
        &self.default_zone
    }

    /// All attributes of a person, as in the program.
    #[must_use]
    pub fn attributes(&self, person: &Person) -> Box<[Value]> {
        (0..).take(self.program.attributes.len()).map(|at| self.attribute(person, AttrId(at))).collect()
    }

    /// The locale of the template's file that fits the person: theirs, its language, none, the first there is.
    #[must_use]
    pub fn locale(&self, person: &Person, template: &str, channel: ChannelId) -> Arc<str> {
        send::locale(self, person, template, channel)
    }

    /// The value of an attribute, or its default.
    #[must_use]
    pub fn attribute(&self, person: &Person, attribute: AttrId) -> Value {
        match self.attribute_at(person, attribute) {
            Some(value) => value.clone(),
            None => Value::text(&person.id),
        }
    }

    /// The same where it stands; none: it is the person's id.
    fn attribute_at<'a>(&'a self, person: &'a Person, attribute: AttrId) -> Option<&'a Value> {
        static MISSING: Value = Value::Missing;
        if self.program.id_attr == Some(attribute) {
            return None;
        }
        Some(match person.attributes.get(attribute.index()) {
            None | Some(Value::Missing) => self.defaults.get(attribute.index()).unwrap_or(&MISSING),
            Some(value) => value,
        })
    }

    fn evaluate(&self, code: CodeId, view: &View<'_>, moment: &mut Moment) -> Value {
        Machine::over(&self.program, &self.prepared).evaluate(code, view, moment)
    }

    fn truth(&self, code: CodeId, view: &View<'_>, moment: &mut Moment) -> bool {
        Machine::over(&self.program, &self.prepared).truth(code, view, moment)
    }
}
