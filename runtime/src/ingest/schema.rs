//! What the program wants to know of a call, by the names on the wire.

use super::NameMap;
use crate::calendar::Zones;
use crate::engine::input::Input;
use crate::vm::value::Value;
use flow_compiler::bytecode::{
    AttrId, ChannelId, Event, EventId, Field, ListId, Origin, Outcome, Program, RecordType, TopicId,
};
use std::sync::Arc;

/// The program's names, ready for looking up.
#[derive(Debug)]
pub struct Schema {
    pub(super) events: NameMap<EventPlan>,
    pub(super) outcomes: NameMap<(ChannelId, Outcome, Option<EventId>)>,
    pub(super) attributes: Fields,
    pub(super) topics: NameMap<TopicId>,
    pub(super) channels: NameMap<ChannelId>,
    pub(super) lists: NameMap<ListId>,
    pub(super) types: Vec<Fields>,
    pub(super) zones: Arc<Zones>,
}

/// What to do with an event of some name.
#[derive(Clone, Debug, Default)]
pub(super) struct EventPlan {
    /// Which event of the program it is.
    pub event: Option<EventId>,
    /// Its fields.
    pub fields: Fields,
    /// Whether anything looks at it.
    pub used: bool,
    /// It tells what became of a message.
    pub outcome: Option<(ChannelId, Outcome, Option<EventId>)>,
    /// It gives (or withdraws) consent.
    pub consent: Option<bool>,
}

/// Fields by their names on the wire.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// In declared order.
    pub list: Vec<Field>,
    places: NameMap<usize>,
}

/// Up to so many names are found faster one by one than by a hash.
const FEW: usize = 6;

impl Fields {
    /// Of these, on the wire.
    #[must_use]
    pub fn new(list: Vec<Field>) -> Self {
        let places = if list.len() > FEW {
            list.iter().enumerate().map(|(place, field)| (field.wire.as_str().into(), place)).collect()
        } else {
            NameMap::default()
        };
        Self { list, places }
    }

    /// The place of the field of this name.
    #[must_use]
    pub fn place(&self, wire: &str) -> Option<usize> {
        if self.list.len() > FEW {
            self.places.get(wire).copied()
        } else {
            self.list.iter().position(|field| field.wire == wire)
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl Schema {
    /// The names of `program`.
    #[must_use]
    pub fn new(program: &Program, zones: Arc<Zones>) -> Self {
        let mut outcomes = NameMap::default();
        for (number, channel) in program.channels.iter().enumerate() {
            let channel_id = ChannelId(u32::try_from(number).unwrap_or(u32::MAX));
            for outcome in Outcome::ALL {
                let event = program.events.iter().position(|event| event.outcome == Some((channel_id, outcome)));
                let event = event.and_then(|place| u32::try_from(place).ok()).map(EventId);
                for word in words(outcome) {
                    let name = format!("{}_{word}", channel.name.to_lowercase());
                    outcomes.entry(name.into()).or_insert((channel_id, outcome, event));
                }
            }
        }
        let mut schema = Self {
            events: NameMap::default(),
            outcomes,
            attributes: Fields::new(program.attributes.iter().map(|attribute| attribute.field.clone()).collect()),
            topics: ids(program.topics.iter().map(|topic| topic.name.as_str()), TopicId),
            channels: ids(program.channels.iter().map(|channel| channel.name.as_str()), ChannelId),
            lists: ids(program.lists.iter().map(String::as_str), ListId),
            types: program.types.iter().map(|RecordType { fields, .. }| Fields::new(fields.clone())).collect(),
            zones,
        };
        for (place, event) in program.events.iter().enumerate() {
            if event.outcome.is_some() && event.origin == Origin::BuiltIn {
                continue;
            }
            let id = EventId(u32::try_from(place).unwrap_or(u32::MAX));
            let outcome = schema.outcome(&event.wire);
            schema.events.entry(event.wire.as_str().into()).or_insert_with(|| EventPlan {
                event: Some(id),
                fields: Fields::new(event.fields.clone()),
                used: event.used,
                outcome,
                consent: None,
            });
        }
        for (name, given) in
            [("Unsubscribed", false), ("unsubscribed", false), ("Subscribed", true), ("subscribed", true)]
        {
            schema.events.entry(name.into()).or_default().consent = Some(given);
        }
        schema
    }

    /// What an event of this name tells about a message: `Email Opened`, `email.opened`, `email_link_clicked`.
    pub(super) fn outcome(&self, name: &str) -> Option<(ChannelId, Outcome, Option<EventId>)> {
        // All the words end so; nearly all other names are told apart by it.
        if !matches!(name.as_bytes().last(), Some(b'd' | b'D' | b'm' | b'M')) {
            return None;
        }
        let plain: String = name
            .chars()
            .map(|c| if matches!(c, ' ' | '.' | '-') { '_' } else { c })
            .flat_map(char::to_lowercase)
            .collect();
        self.outcomes.get(plain.as_str()).copied()
    }

    /// What an event says besides happening: what became of a message, consent.
    #[must_use]
    pub fn besides(&self, event: &Event, fields: &[Value], time: i64) -> Vec<Input> {
        let plan = self.events.get(event.wire.as_str());
        let mut inputs = Vec::new();
        if let Some((channel, outcome)) = event.outcome {
            let (message, template, soft) = (None, None, false);
            let own = self.outcome(&event.name).and_then(|(_, _, event)| event);
            inputs.push(Input::Outcome { event: own, channel, outcome, message, template, soft, time });
        }
        if let Some(given) = plan.and_then(|plan| plan.consent) {
            let text = |name: &str| {
                let place = event.fields.iter().position(|field| field.wire == name)?;
                fields.get(place)?.as_text()
            };
            inputs.extend(self.consent(given, text("topic"), text("channel")));
        }
        inputs
    }

    /// What `Subscribed` (or `Unsubscribed`) of a topic, of a channel or of everything means. Names that the
    /// program does not know concern nobody.
    #[must_use]
    pub fn consent(&self, given: bool, topic: Option<&str>, channel: Option<&str>) -> Option<Input> {
        match (topic, channel) {
            (Some(topic), _) => self.topics.get(topic).map(|topic| Input::Consent { topic: Some(*topic), given }),
            (None, Some(channel)) => {
                self.channels.get(channel).map(|channel| Input::Suppress { channel: *channel, suppressed: !given })
            }
            (None, None) => Some(Input::Consent { topic: None, given }),
        }
    }

    /// The list of this name, if any journey listens to it.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<ListId> {
        self.lists.get(name).copied()
    }

    /// The attribute of this name on the wire.
    #[must_use]
    pub fn attribute(&self, wire: &str) -> Option<AttrId> {
        self.attributes.place(wire).and_then(|place| u32::try_from(place).ok()).map(AttrId)
    }
}

fn words(outcome: Outcome) -> &'static [&'static str] {
    match outcome {
        Outcome::Delivered => &["delivered"],
        Outcome::Opened => &["opened"],
        Outcome::Clicked => &["clicked", "link_clicked"],
        Outcome::Bounced => &["bounced"],
        Outcome::Replied => &["replied"],
        Outcome::Complained => &["complained", "marked_as_spam"],
        Outcome::Unsubscribed => &["unsubscribed"],
    }
}

fn ids<'a, T>(names: impl Iterator<Item = &'a str>, id: impl Fn(u32) -> T) -> NameMap<T> {
    (0..).zip(names).map(|(number, name)| (name.into(), id(number))).collect()
}

/// The default of a field, as a value; missing without one.
pub(super) fn default_of(field: &Field) -> Value {
    field.default.as_ref().map_or(Value::Missing, Value::from_const)
}
