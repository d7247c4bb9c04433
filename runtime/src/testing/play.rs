//! One person being led through a test.

use crate::answers::answer_all;
use crate::calendar;
use crate::engine::effect::{Effect, EffectKind, Message, MessageContent, Request, Skipped};
use crate::engine::input::{Fields, Input};
use crate::engine::{Engine, Person};
use crate::ingest::schema::Schema;
use crate::vm::value::Value;
use flow_compiler::bytecode::{AttrId, Const, EventId, JourneyId};
use flow_compiler::testcase::{ExpectedContent, Given, Happening, TestCase, TestTime};

/// The person of every test.
const NAME: &str = "ada";

/// The person, and what has come about so far.
#[derive(Clone)]
pub struct Play<'e> {
    pub engine: &'e Engine,
    schema: &'e Schema,
    case: &'e TestCase,
    person: Person,
    /// The latest instant that was looked at.
    pub clock: Option<i64>,
    seq: u64,
    /// In order of time.
    pub effects: Vec<Effect>,
}

impl<'e> Play<'e> {
    pub fn new(engine: &'e Engine, schema: &'e Schema, case: &'e TestCase) -> Self {
        Self { engine, schema, case, person: engine.person(NAME), clock: None, seq: 0, effects: Vec::new() }
    }

    /// The moment that a test names; a time of day is the first at or after `from`.
    pub fn moment(&self, time: TestTime, from: i64) -> i64 {
        match time {
            TestTime::Instant(instant) => instant,
            TestTime::Local(day, ms) => self.in_zone(|zone| calendar::from_local(zone, day, ms)),
            TestTime::TimeOfDay(ms) => self.in_zone(|zone| calendar::next_time_of_day(zone, from, ms)),
        }
    }

    /// Calls with the person's zone. Before anything has happened, it is the one that the test gives them.
    pub fn in_zone<T>(&self, with: impl FnOnce(&jiff::tz::TimeZone) -> T) -> T {
        if self.clock.is_some() {
            return with(self.engine.zone_of(&self.person));
        }
        let mut likeness = self.person.clone();
        self.engine.input(&mut likeness, 0, 0, attributes(&self.case.user), &mut Vec::new());
        with(self.engine.zone_of(&likeness))
    }

    /// Fires what is due before an instant.
    pub fn fire(&mut self, before: i64) {
        while let Some(due) = self.next_due().filter(|due| *due < before) {
            let from = self.effects.len();
            self.engine.timers(&mut self.person, due.saturating_add(1), &mut self.effects);
            self.answer(from);
            self.clock = self.clock.max(Some(due));
        }
    }

    /// When the next timer is due.
    pub fn next_due(&self) -> Option<i64> {
        self.engine.next_due(&self.person)
    }

    /// Something happens at an instant, which may lie before the latest one: then it is late.
    pub fn happen(&mut self, time: i64, happening: &Happening) {
        let input = match happening {
            Happening::Event(event, fields) => self.event(*event, fields, time),
            Happening::Attributes(values) => attributes(values),
            Happening::List(list) => Input::List(*list),
        };
        self.fire(time);
        if self.clock.is_none() && !self.case.user.is_empty() {
            self.give(time, attributes(&self.case.user));
        }
        self.give(time, input);
    }

    /// Whether a condition about the person holds at an instant, or now if that is later.
    pub fn holds(&self, condition: flow_compiler::bytecode::CodeId, at: i64) -> bool {
        self.engine.holds(&self.person, condition, at.max(self.clock.unwrap_or(at)))
    }

    fn give(&mut self, time: i64, input: Input) {
        let now = self.clock.map_or(time, |clock| clock.max(time));
        self.clock = Some(now);
        self.seq += 1;
        let from = self.effects.len();
        self.engine.input(&mut self.person, now, self.seq, input, &mut self.effects);
        self.answer(from);
    }

    fn answer(&mut self, from: usize) {
        let given = &self.case.given;
        answer_all(self.engine, &mut self.person, self.seq, &mut self.effects, from, |request, _, _| {
            find(given, request)
        });
    }

    fn event(&self, id: EventId, fields: &[Const], time: i64) -> Input {
        let Some(event) = self.engine.program().events.get(id.index()) else { return Input::Several(Vec::new()) };
        let value = |(place, field): (usize, &flow_compiler::bytecode::Field)| match fields.get(place) {
            None | Some(Const::Missing) => field.default.as_ref().map_or(Value::Missing, Value::from_const),
            Some(constant) => Value::from_const(constant),
        };
        let values: Fields = event.fields.iter().enumerate().map(value).collect();
        let mut inputs = self.schema.besides(event, &values, time);
        if event.outcome.is_none() {
            inputs.insert(0, Input::Event { event: id, time, fields: values });
        }
        match inputs.len() {
            1 => inputs.pop().unwrap_or(Input::Several(Vec::new())),
            _ => Input::Several(inputs),
        }
    }
}

fn attributes(values: &[(AttrId, Const)]) -> Input {
    Input::Attributes(values.iter().map(|(attribute, value)| (*attribute, Value::from_const(value))).collect())
}

fn find(given: &[Given], request: &Request) -> Option<Value> {
    let fits = |given: &&Given| {
        given.api == request.api
            && given
                .args
                .as_ref()
                .is_none_or(|args| args.iter().map(Value::from_const).eq(request.args.iter().cloned()))
    };
    given.iter().find(fits)?.answer.as_ref().map(Value::from_const)
}

/// Whether a content is the one that is expected; none expects any.
pub fn says(content: &MessageContent, expected: Option<&ExpectedContent>) -> bool {
    match (expected, content) {
        (None, _) => true,
        (Some(ExpectedContent::Template(wanted)), MessageContent::Template(name, _)) => **name == **wanted,
        (Some(ExpectedContent::Text(wanted)), MessageContent::Text(text)) => **text == **wanted,
        _ => false,
    }
}

/// The message of an effect, if it is one of the journey.
pub fn message(effect: &Effect, journey: Option<JourneyId>) -> Option<&Message> {
    match &effect.kind {
        EffectKind::Message(message) if journey.is_none_or(|journey| journey == message.at.journey) => Some(message),
        _ => None,
    }
}

/// The message that an effect says was not sent, if it is one of the journey.
pub fn skipped(effect: &Effect, journey: Option<JourneyId>) -> Option<&Skipped> {
    match &effect.kind {
        EffectKind::Skipped(skipped) if journey.is_none_or(|journey| journey == skipped.at.journey) => Some(skipped),
        _ => None,
    }
}
