//! What is known of one person: nothing but lists of what happened, in order.

use crate::project::{coerced, literal, Project};
use flow_grammar::ast::{Expr, Step};
use flow_runtime::vm::value::Value;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, VecDeque};

/// The fields of an event, by name; those that are not known are there as missing.
pub type Fields = BTreeMap<String, Value>;

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Occurrence {
    pub event: String,
    pub time: i64,
    /// Its place in the order of inputs.
    pub seq: u64,
    /// The hour of the person's day, in the zone of that time.
    pub hour: u32,
    pub fields: Fields,
}

/// What can be told about a person.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    Event {
        event: String,
        time: i64,
        fields: Fields,
    },
    /// What became of the latest message of a channel (and template).
    Outcome {
        channel: String,
        outcome: String,
        template: Option<String>,
        soft: bool,
        time: i64,
    },
    Attributes(Vec<(String, Value)>),
    Consent {
        topic: Option<String>,
        given: bool,
    },
    Suppress {
        channel: String,
        suppressed: bool,
    },
    List(String),
    Several(Vec<Input>),
}

/// What a step caused; taken after the present input has run to rest.
#[derive(Clone, Debug)]
pub enum Caused {
    /// An attribute has another value already.
    Changed(String),
    Emitted {
        event: String,
        fields: Fields,
    },
    Started(String),
}

/// A message that was handed over.
#[derive(Clone, Debug)]
pub struct Sent {
    pub time: i64,
    pub channel: String,
    pub template: Option<String>,
    pub to: Value,
    pub transactional: bool,
    pub outcomes: Vec<String>,
}

/// The moment of an entry, and what caused it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub time: i64,
    /// The last input that had been taken.
    pub seq: u64,
    pub trigger: Option<Fields>,
}

/// `A without B within DUR`, from A on.
#[derive(Clone, Debug)]
pub struct Pending {
    pub journey: usize,
    pub trigger: usize,
    pub key: Vec<Value>,
    pub fields: Fields,
    /// When A came.
    pub since: i64,
    pub due: i64,
}

/// A person on the way through a journey.
#[derive(Clone, Debug)]
pub struct Instance<'p> {
    pub journey: usize,
    pub alive: bool,
    pub entry: Entry,
    pub key: Vec<Value>,
    /// Whether the goal was met.
    pub converted: bool,
    pub threads: Vec<Thread<'p>>,
    /// Messages bound with `as`, by place in [`Person::sent`].
    pub messages: BTreeMap<String, Vec<usize>>,
}

/// One of several ways through a body at once (`together`).
#[derive(Clone, Debug, Default)]
pub struct Thread<'p> {
    pub parent: Option<usize>,
    pub frames: Vec<Frame<'p>>,
    pub wait: Option<Wait<'p>>,
    /// Values of `for`.
    pub bound: Vec<(String, Value)>,
}

/// What is still to be done, innermost last.
#[derive(Clone, Debug)]
pub enum Frame<'p> {
    Steps(&'p [Step]),
    Repeat { body: &'p [Step], every: Option<&'p Expr>, times: Option<i64>, round: i64, start: i64 },
    For { name: &'p str, values: &'p [Expr], body: &'p [Step], bound: bool },
}

/// What a thread waits for.
#[derive(Clone, Debug)]
pub enum Wait<'p> {
    /// An instant that was fixed when the step was reached.
    Till(i64),
    /// A condition, or a moment that follows what it reads.
    Until { until: &'p Expr, bound: Limit<'p>, then: Option<&'p Step>, otherwise: Option<&'p Step> },
    /// A time of day, on certain days, since the step was reached.
    Clock { from: i64, days: [bool; 7], ms: u32, bound: Limit<'p>, then: Option<&'p Step>, otherwise: Option<&'p Step> },
    /// An event after that instant; the step is a `WaitFor`.
    For { since: i64, step: &'p Step, bound: Limit<'p> },
    /// The end of the quiet hours; then the step goes on with this of its channels.
    Quiet { until: i64, step: &'p Step, channel: usize },
    /// Branches of a `together`, how many are still on their way.
    Branches(usize),
}

/// The end of a wait.
#[derive(Clone, Copy, Debug)]
pub enum Limit<'p> {
    None,
    At(i64),
    /// Follows what it reads.
    Follows(&'p Expr),
}

/// A person.
#[derive(Clone, Debug, Default)]
pub struct Person<'p> {
    pub id: String,
    pub log: Vec<Occurrence>,
    pub changes: Vec<(String, Value)>,
    /// Topic (or all) and whether it was given, in order.
    pub consent: Vec<(Option<String>, bool)>,
    /// Channels that were closed: by a bounce, or on demand.
    pub bounced: Vec<String>,
    pub closed: Vec<String>,
    pub sent: Vec<Sent>,
    pub instances: Vec<Instance<'p>>,
    /// Every entry there was: journey, key, time.
    pub entries: Vec<(usize, Vec<Value>, i64)>,
    pub pending: Vec<Pending>,
    /// Whether the condition of a trigger (journey, trigger) held when it was last looked at.
    pub satisfied: BTreeMap<(usize, usize), bool>,
    pub queue: VecDeque<Caused>,
}

impl<'p> Person<'p> {
    /// The latest value of an attribute, or its default.
    pub fn attribute(&self, project: &Project, name: &str) -> Value {
        let said = self.said(name);
        if said.is_missing() {
            let field = project.attributes.get(name);
            return field.and_then(|f| f.default.as_ref().map(|d| coerced(literal(d), &f.ty))).unwrap_or_default();
        }
        said
    }

    /// What was said of an attribute last.
    pub fn said(&self, name: &str) -> Value {
        self.changes.iter().rev().find(|(n, _)| n == name).map_or(Value::Missing, |(_, v)| v.clone())
    }

    /// The person's time zone.
    pub fn zone(&self, project: &Project) -> TimeZone {
        let name = if project.attributes.contains_key("timezone") {
            self.attribute(project, "timezone")
        } else {
            Value::Missing
        };
        name.as_text().and_then(|name| project.zones.get(name)).unwrap_or_else(|| project.zone.clone())
    }

    /// Whether messages of a topic may be sent.
    pub fn consents(&self, project: &Project, topic: &str) -> bool {
        if topic == "transactional" {
            return true;
        }
        let said = self
            .consent
            .iter()
            .rev()
            .find(|(t, _)| t.is_none() || t.as_deref() == Some(topic))
            .map(|(_, given)| *given);
        if project.needs_consent(topic) {
            said == Some(true)
        } else {
            said != Some(false)
        }
    }

    /// Why nothing can go out on a channel, if so.
    pub fn obstacle(&self, project: &Project, channel: &str, topic: &str) -> Option<&'static str> {
        if let Some(contact) = project.contact(channel) {
            let value = self.attribute(project, contact);
            let Some(text) = value.as_text() else { return Some("no_contact") };
            let address =
                project.attributes.get(contact).is_some_and(|f| f.ty.kind == flow_grammar::ast::TypeKind::Email);
            if address && !text.contains('@') {
                return Some("invalid_contact");
            }
        }
        if self.bounced.iter().chain(&self.closed).any(|c| c == channel) {
            return Some("suppressed");
        }
        (!self.consents(project, topic)).then_some("no_consent")
    }
}
