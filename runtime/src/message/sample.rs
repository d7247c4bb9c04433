//! Messages to look at before anything is sent: values made up from their types and names.

use crate::engine::effect::{Message, MessageContent, Place, Seen};
use crate::engine::Engine;
use crate::vm::value::Value;
use flow_compiler::bytecode::{
    BoundValue, ChannelId, Content, Field, JourneyId, Program, Send, StepId, StepKind, TopicId, Type,
};
use rust_decimal::Decimal;
use std::sync::Arc;

/// The moment of every sample: 2026-03-02, 09:00 UTC, a Monday.
pub const MOMENT: i64 = 1_772_442_000_000;
/// How many elements a made-up list has.
const ELEMENTS: usize = 3;
/// A grey picture, since no network is asked.
const PICTURE: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='600' height='300'%3E%3Crect width='100%25' height='100%25' fill='%23bbb'/%3E%3C/svg%3E";

/// What is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// Everything is known.
    Full,
    /// What may be missing is missing, and lists are empty.
    Scarce,
}

/// The places that send a template on a channel.
pub fn senders<'p>(program: &'p Program, name: &'p str, channel: ChannelId) -> impl Iterator<Item = Place> + 'p {
    program.journeys.iter().enumerate().flat_map(move |(journey, body)| {
        body.steps.iter().enumerate().filter_map(move |(step, found)| {
            let StepKind::Send(send) = &found.kind else { return None };
            let Content::Template(template) = &send.content else { return None };
            (template == name && send.channels.contains(&channel)).then(|| Place {
                journey: JourneyId(u32::try_from(journey).unwrap_or(u32::MAX)),
                step: StepId(u32::try_from(step).unwrap_or(u32::MAX)),
            })
        })
    })
}

/// A message as the engine would hand it over there. `attributes` are a real person's; without them they are made up.
#[must_use]
pub fn message(
    engine: &Engine,
    (name, channel, locale): (&str, ChannelId, &str),
    at: Option<Place>,
    attributes: Option<Box<[Value]>>,
    sample: Sample,
) -> Message {
    let program = engine.program();
    let place = at.unwrap_or(Place { journey: JourneyId(u32::MAX), step: StepId(u32::MAX) });
    let journey = program.journeys.get(place.journey.index());
    let send: Option<&Send> = journey.and_then(|journey| match &journey.steps.get(place.step.index())?.kind {
        StepKind::Send(send) => Some(send.as_ref()),
        _ => None,
    });
    let maker = Maker { program, sample };
    let contact = program.channels.get(channel.index()).and_then(|channel| channel.contact);
    let attributes = attributes.unwrap_or_else(|| {
        let made = program.attributes.iter().enumerate().map(|(at, attribute)| {
            let needed = contact.is_some_and(|contact| contact.index() == at);
            maker.field(&attribute.field, needed)
        });
        made.collect()
    });
    let trigger = journey.map(|journey| journey.trigger_fields.as_slice()).unwrap_or_default();
    let trigger = trigger.iter().map(|field| maker.optional(&field.name, &field.ty, field.optional, 0)).collect();
    let bound = send.map(|send| send.bound.as_slice()).unwrap_or_default();
    let bound = bound.iter().map(|bound| match &bound.value {
        BoundValue::Const(value) => Value::from_const(value),
        BoundValue::Slot(_) => maker.value(&bound.name, &bound.ty, 0),
    });
    let seen = Seen { attributes, trigger, bound: bound.collect(), zone: engine.default_zone().clone() };
    let with = send.map(|send| send.with.as_slice()).unwrap_or_default();
    Message {
        id: 0x5a_3b1e,
        at: place,
        channel,
        to: None,
        content: MessageContent::Template(Arc::from(name), Arc::from(locale)),
        with: with.iter().map(|given| maker.value(&given.name, &given.ty, 0)).collect(),
        seen: Some(Box::new(seen)),
        topic: send.map_or(TopicId(u32::MAX), |send| send.topic),
        entry: MOMENT,
    }
}

struct Maker<'p> {
    program: &'p Program,
    sample: Sample,
}

impl Maker<'_> {
    fn field(&self, field: &Field, needed: bool) -> Value {
        match &field.default {
            Some(value) if self.sample == Sample::Scarce => Value::from_const(value),
            _ => self.optional(&field.name, &field.ty, field.optional && !needed, 0),
        }
    }

    fn optional(&self, name: &str, ty: &Type, optional: bool, number: usize) -> Value {
        if optional && self.sample == Sample::Scarce {
            Value::Missing
        } else {
            self.value(name, ty, number)
        }
    }

    /// `number` tells the elements of a list apart.
    fn value(&self, name: &str, ty: &Type, number: usize) -> Value {
        let text = |text: &str| Value::Text(text.into());
        let count = i64::try_from(number).unwrap_or(0);
        match ty {
            Type::Text => text(&words(name, number)),
            Type::Int => Value::Int(3 + count),
            Type::Number => Value::Number(Decimal::new(4990 + 1000 * count, 2)),
            Type::Bool => Value::Bool(true),
            Type::Date => Value::Date(20_514 + i32::try_from(number).unwrap_or(0)),
            Type::Time => Value::Time(9 * 3_600_000),
            Type::DateTime => Value::Instant(MOMENT + count * 86_400_000),
            Type::Duration => Value::Duration(flow_compiler::bytecode::Duration {
                days: 3,
                ..flow_compiler::bytecode::Duration::default()
            }),
            Type::Email => text("ada@example.com"),
            Type::Phone => text("+39 320 1234567"),
            Type::Url if ["image", "picture", "photo", "img"].iter().any(|word| name.contains(word)) => text(PICTURE),
            Type::Url => text(&format!("https://example.com/{}{}", name.trim_end_matches("_url"), suffix(number))),
            Type::Timezone => text("Europe/Rome"),
            Type::Weekday => Value::Weekday(0),
            Type::OneOf(values) => text(values.first().map_or("", String::as_str)),
            Type::List(item) => {
                let count = if self.sample == Sample::Scarce { 0 } else { ELEMENTS };
                let name = name.strip_suffix('s').unwrap_or(name);
                Value::List((0..count).map(|number| self.value(name, item, number + 1)).collect())
            }
            Type::Record(id) => {
                let fields = self.program.types.get(id.index()).map(|ty| ty.fields.as_slice()).unwrap_or_default();
                let made = fields.iter().map(|field| self.optional(&field.name, &field.ty, field.optional, number));
                Value::Record(made.collect())
            }
        }
    }
}

/// A text that its name suggests.
fn words(name: &str, number: usize) -> String {
    let known = match name {
        "first_name" => "Ada",
        "last_name" | "surname" => "Lovelace",
        "full_name" => "Ada Lovelace",
        "city" => "Rome",
        "currency" => "EUR",
        "locale" | "language" => "en",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    if name.ends_with("_url") || name == "url" || name.ends_with("link") {
        return format!("https://example.com/{name}{}", suffix(number));
    }
    if name == "code" || name.ends_with("_code") || name.ends_with("_id") || name == "id" {
        return format!("{}-{}", name.to_uppercase().replace('_', "-"), 1000 + number);
    }
    let mut words = name.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if number > 0 {
        words.push_str(&format!(" {number}"));
    }
    words
}

fn suffix(number: usize) -> String {
    if number > 0 {
        format!("/{number}")
    } else {
        String::new()
    }
}
