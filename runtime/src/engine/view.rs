//! What code can read of a person, of an entry and of the event under test.

use super::history::{self, At, Occurrence};
use super::instance::Instance;
use super::person::Person;
use super::reach;
use super::Engine;
use crate::vm::value::Value;
use crate::vm::{Facts, Lists, Moment, Read};
use flow_compiler::bytecode::{
    AttrId, ChannelId, EventId, MessageSlot, Outcome, Query, QueryAnswer, QueryId, QueryWindow, Slot, Strategy, TopicId,
};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::collections::VecDeque;

/// The fields of an event under test.
#[derive(Clone, Copy)]
enum Fields<'a> {
    None,
    /// All, in the event's order.
    All(&'a [Value]),
    /// Those that the event's log keeps.
    Kept(EventId, &'a [Value]),
}

/// A view of a person; see the module.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    engine: &'a Engine,
    person: &'a Person,
    trigger: &'a [Value],
    entry: Option<At>,
    instance: Option<&'a Instance>,
    fields: Fields<'a>,
}

impl<'a> View<'a> {
    /// The person alone.
    pub fn of(engine: &'a Engine, person: &'a Person) -> Self {
        Self { engine, person, trigger: &[], entry: None, instance: None, fields: Fields::None }
    }

    /// As seen from one entry.
    pub fn within(self, instance: &'a Instance) -> Self {
        Self {
            trigger: &instance.trigger,
            entry: Some((instance.time, instance.order)),
            instance: Some(instance),
            ..self
        }
    }

    /// As seen from an entry that is over.
    pub fn after(self, trigger: &'a [Value], entry: At) -> Self {
        Self { trigger, entry: Some(entry), ..self }
    }

    /// With an event's fields.
    pub fn testing(self, fields: &'a [Value]) -> Self {
        Self { fields: Fields::All(fields), ..self }
    }

    /// With the fields that were kept of an event.
    pub fn remembering(self, event: EventId, kept: &'a [Value]) -> Self {
        Self { fields: Fields::Kept(event, kept), ..self }
    }

    fn answer(&self, query: &Query, since: Option<i64>, moment: &mut Moment) -> Value {
        match query.strategy {
            Strategy::Running(cell) => history::total_of(query.answer, self.person.running.get(cell as usize)),
            Strategy::Last => self.answer_from_last(query, since, moment),
            Strategy::Log => self.answer_from_log(query, since, moment),
        }
    }

    /// Whether a place in time lies in the query's window.
    fn in_window(&self, query: &Query, since: Option<i64>, now: i64, at: At) -> bool {
        match query.window {
            QueryWindow::Ever => true,
            QueryWindow::Entry => self.entry.is_some_and(|entry| at > entry),
            QueryWindow::Last(window) => at.0 > now.saturating_sub(window),
            QueryWindow::Since => since.is_some_and(|since| at.0 >= since),
        }
    }

    fn answer_from_last(&self, query: &Query, since: Option<i64>, moment: &mut Moment) -> Value {
        let last = self.history(query.event).and_then(|h| h.last());
        let last = last.filter(|at| self.in_window(query, since, moment.now, *at));
        if let (Some(at), QueryWindow::Last(window)) = (last, query.window) {
            moment.until(at.0.saturating_add(window));
        }
        match query.answer {
            QueryAnswer::LastTime => last.map_or(Value::Missing, |at| Value::Instant(at.0)),
            _ => Value::Bool(last.is_some()),
        }
    }

    fn answer_from_log(&self, query: &Query, since: Option<i64>, moment: &mut Moment) -> Value {
        static EMPTY: VecDeque<Occurrence> = VecDeque::new();
        let log = self.history(query.event).map_or(&EMPTY, |h| h.log());
        let start = log.partition_point(|o| !self.in_window(query, since, moment.now, o.at));
        let window = log.range(start.min(log.len())..);
        let now = moment.now;
        let mut inside = window.clone().filter(|o| {
            query.filter.is_none_or(|filter| {
                let view = self.remembering(query.event, &o.fields);
                self.engine.truth(filter, &view, moment)
            })
        });
        let (value, leaves) = match query.answer {
            QueryAnswer::Exists => {
                let newest = inside.next_back();
                (Value::Bool(newest.is_some()), newest)
            }
            QueryAnswer::LastField(_) | QueryAnswer::LastTime => {
                let newest = inside.next_back();
                (self.picked(query, newest), newest)
            }
            QueryAnswer::FirstField(_) | QueryAnswer::FirstTime => {
                let oldest = inside.next();
                (self.picked(query, oldest), oldest)
            }
            QueryAnswer::Count if query.filter.is_none() => {
                (Value::Int(i64::try_from(window.len()).unwrap_or(i64::MAX)), log.get(start))
            }
            _ => self.folded(query, inside),
        };
        if let (Some(occurrence), QueryWindow::Last(window)) = (leaves, query.window) {
            debug_assert!(occurrence.at.0.saturating_add(window) > now);
            moment.until(occurrence.at.0.saturating_add(window));
        }
        value
    }

    /// A count, sum, least, greatest or average, and the occurrence that leaves the window first.
    fn folded<'o>(
        &self,
        query: &Query,
        inside: impl Iterator<Item = &'o Occurrence>,
    ) -> (Value, Option<&'o Occurrence>) {
        let field = match query.answer {
            QueryAnswer::Sum(f) | QueryAnswer::Avg(f) | QueryAnswer::Min(f) | QueryAnswer::Max(f) => Some(f),
            _ => None,
        };
        let mut total = history::Running::default();
        let mut first = None;
        for occurrence in inside {
            first = first.or(Some(occurrence));
            let Some(field) = field else {
                total.count += 1;
                continue;
            };
            let value = self.kept(query.event, &occurrence.fields, field);
            if value != Value::Missing {
                total.count += 1;
                total.value = history::fold(query.answer, std::mem::take(&mut total.value), value);
            }
        }
        (history::total_of(query.answer, Some(&total)), first)
    }

    fn picked(&self, query: &Query, occurrence: Option<&Occurrence>) -> Value {
        let Some(occurrence) = occurrence else { return Value::Missing };
        match query.answer {
            QueryAnswer::FirstField(f) | QueryAnswer::LastField(f) => self.kept(query.event, &occurrence.fields, f),
            _ => Value::Instant(occurrence.at.0),
        }
    }

    fn kept(&self, event: EventId, fields: &[Value], field: u16) -> Value {
        let place = history::kept_field(&self.engine.index, event, field);
        place.and_then(|p| fields.get(p)).cloned().unwrap_or_default()
    }

    fn history(&self, event: EventId) -> Option<&'a history::EventHistory> {
        self.person.history.get(self.engine.index.history_of(event)?)
    }
}

impl Facts for View<'_> {
    fn attribute(&self, attribute: AttrId) -> Value {
        self.engine.attribute(self.person, attribute)
    }

    fn trigger(&self, field: u16) -> Value {
        self.trigger.get(field as usize).cloned().unwrap_or_default()
    }

    fn field(&self, field: u16) -> Value {
        match self.fields {
            Fields::None => Value::Missing,
            Fields::All(fields) => fields.get(field as usize).cloned().unwrap_or_default(),
            Fields::Kept(event, fields) => self.kept(event, fields, field),
        }
    }

    fn peek(&self, read: Read) -> Option<&Value> {
        static MISSING: Value = Value::Missing;
        match read {
            Read::Attribute(attribute) => self.engine.attribute_at(self.person, attribute),
            Read::Trigger(field) => Some(self.trigger.get(field as usize).unwrap_or(&MISSING)),
            Read::Field(field) => Some(match self.fields {
                Fields::None => &MISSING,
                Fields::All(fields) => fields.get(field as usize).unwrap_or(&MISSING),
                Fields::Kept(event, fields) => {
                    let place = history::kept_field(&self.engine.index, event, field);
                    place.and_then(|place| fields.get(place)).unwrap_or(&MISSING)
                }
            }),
        }
    }

    fn lists(&self) -> Option<Lists<'_>> {
        let fields = match self.fields {
            Fields::None => &[],
            Fields::All(fields) => fields,
            // They stand in another order.
            Fields::Kept(..) => return None,
        };
        let (attributes, defaults) = (&self.person.attributes, &self.engine.defaults);
        Some(Lists { fields, trigger: self.trigger, attributes, defaults })
    }

    fn entry_time(&self) -> Value {
        self.entry.map_or(Value::Missing, |(time, _)| Value::Instant(time))
    }

    fn slot(&self, slot: Slot) -> Value {
        self.instance.and_then(|i| i.slots.get(slot as usize)).cloned().unwrap_or_default()
    }

    fn query(&self, query: QueryId, since: Option<i64>, moment: &mut Moment) -> Value {
        match self.engine.program.queries.get(query.index()) {
            Some(query) => self.answer(query, since, moment),
            None => Value::Missing,
        }
    }

    fn can(&self, channel: ChannelId, topic: TopicId) -> bool {
        reach::obstacle(self.engine, self.person, channel, topic).is_none()
    }

    fn outcome(&self, message: MessageSlot, outcome: Outcome) -> bool {
        self.instance.and_then(|i| i.messages.get(message as usize)).is_some_and(|m| m.has(outcome))
    }

    fn location(&self) -> Option<(Decimal, Decimal)> {
        self.person.rare().location.map(|(_, latitude, longitude)| (latitude, longitude))
    }

    fn zone(&self) -> &TimeZone {
        self.engine.zone_of(self.person)
    }
}
