//! What a template can name, out of what the engine saw when it handed the message over.

use crate::engine::effect::{Message, Seen};
use crate::render::{Data, Object, Source};
use crate::vm::value::Value;
use flow_compiler::bytecode::{Journey, Program, Send, StepKind, Type};
use std::collections::BTreeMap;

/// The places of the person's attributes by name.
#[derive(Debug, Default)]
pub(super) struct Names {
    attributes: BTreeMap<String, usize>,
}

impl Names {
    pub fn new(program: &Program) -> Self {
        let names = program.attributes.iter().enumerate();
        Self { attributes: names.map(|(at, attribute)| (attribute.field.name.clone(), at)).collect() }
    }
}

/// The values of one message.
#[derive(Debug)]
pub(super) struct Values<'a> {
    program: &'a Program,
    message: &'a Message,
    seen: &'a Seen,
    send: Option<&'a Send>,
    user: User<'a>,
    trigger: Trigger<'a>,
    project: Project<'a>,
    unsubscribe: &'a str,
    time: i64,
}

impl<'a> Values<'a> {
    /// Those of a message that the engine handed over at `time` for the person called `user`.
    pub fn of_message(
        program: &'a Program,
        names: &'a Names,
        seen: &'a Seen,
        message: &'a Message,
        user: &'a str,
        time: i64,
        unsubscribe: &'a str,
    ) -> Self {
        let journey = program.journeys.get(message.at.journey.index());
        let send = journey.and_then(|journey| match &journey.steps.get(message.at.step.index())?.kind {
            StepKind::Send(send) => Some(send.as_ref()),
            _ => None,
        });
        Self {
            program,
            message,
            seen,
            send,
            user: User { program, names, seen, id: user },
            trigger: Trigger { program, journey, seen },
            project: Project { program },
            unsubscribe,
            time,
        }
    }

    fn data(&self, value: &'a Value, ty: &'a Type) -> Data<'_> {
        Data::of(value, Some(ty), &self.program.types)
    }
}

impl Source for Values<'_> {
    fn get(&self, name: &str) -> Option<Data<'_>> {
        let Some(send) = self.send else { return self.everywhere(name) };
        let given = send.with.iter().zip(&self.message.with).find(|(given, _)| given.name == name);
        if let Some((given, value)) = given {
            return Some(self.data(value, &given.ty));
        }
        // The latest of a name counts.
        let bound = send.bound.iter().zip(&self.seen.bound).rev().find(|(bound, _)| bound.name == name);
        if let Some((bound, value)) = bound {
            return Some(self.data(value, &bound.ty));
        }
        if name == "trigger" {
            return Some(Data::Object(&self.trigger));
        }
        self.everywhere(name)
    }

    fn everywhere(&self, name: &str) -> Option<Data<'_>> {
        match name {
            "user" => Some(Data::Object(&self.user)),
            "project" => Some(Data::Object(&self.project)),
            "now" => Some(Data::Moment(Value::Instant(self.time))),
            "unsubscribe_url" if !self.unsubscribe.is_empty() => Some(Data::text(self.unsubscribe)),
            _ => None,
        }
    }
}

/// What a layout can name: what everything can, the text that it stands around, and that text's front matter.
pub(super) struct Layout<'a> {
    /// The values of the message.
    pub inner: &'a dyn Source,
    /// The text, markup already.
    pub content: &'a str,
    /// The front matter.
    pub front: &'a [(String, String)],
    /// The language of the text.
    pub locale: &'a str,
}

impl Source for Layout<'_> {
    fn get(&self, name: &str) -> Option<Data<'_>> {
        if name == "content" {
            return Some(Data::markup(self.content));
        }
        let front = self.front.iter().find(|(key, _)| key == name).map(|(_, value)| Data::text(value));
        let locale = || (name == "locale" && !self.locale.is_empty()).then(|| Data::text(self.locale));
        front.or_else(locale).or_else(|| self.inner.everywhere(name))
    }

    fn everywhere(&self, name: &str) -> Option<Data<'_>> {
        self.inner.everywhere(name)
    }
}

/// The person.
#[derive(Debug)]
struct User<'a> {
    program: &'a Program,
    names: &'a Names,
    seen: &'a Seen,
    id: &'a str,
}

impl User<'_> {
    fn at(&self, place: usize) -> Option<Data<'_>> {
        let ty = self.program.attributes.get(place).map(|attribute| &attribute.field.ty);
        Some(Data::of(self.seen.attributes.get(place)?, ty, &self.program.types))
    }
}

impl Object for User<'_> {
    fn get(&self, name: &str) -> Option<Data<'_>> {
        match self.names.attributes.get(name) {
            Some(place) => self.at(*place),
            None if name == "id" => Some(Data::text(self.id)),
            None => None,
        }
    }

    fn entries(&self) -> Vec<(&str, Data<'_>)> {
        let names = self.program.attributes.iter().map(|attribute| attribute.field.name.as_str());
        names.enumerate().filter_map(|(place, name)| Some((name, self.at(place)?))).collect()
    }
}

/// The event that began the journey.
#[derive(Debug)]
struct Trigger<'a> {
    program: &'a Program,
    journey: Option<&'a Journey>,
    seen: &'a Seen,
}

impl Object for Trigger<'_> {
    fn get(&self, name: &str) -> Option<Data<'_>> {
        let fields = &self.journey?.trigger_fields;
        let (field, value) = fields.iter().zip(&self.seen.trigger).find(|(field, _)| field.name == name)?;
        Some(Data::of(value, Some(&field.ty), &self.program.types))
    }

    fn entries(&self) -> Vec<(&str, Data<'_>)> {
        let fields = self.journey.map(|journey| journey.trigger_fields.as_slice()).unwrap_or_default();
        let pair = |(field, value)| {
            let field: &flow_compiler::bytecode::TriggerField = field;
            (field.name.as_str(), Data::of(value, Some(&field.ty), &self.program.types))
        };
        fields.iter().zip(&self.seen.trigger).map(pair).collect()
    }
}

/// The project.
#[derive(Debug)]
struct Project<'a> {
    program: &'a Program,
}

impl Object for Project<'_> {
    fn get(&self, name: &str) -> Option<Data<'_>> {
        (name == "name").then(|| Data::text(&self.program.name))
    }

    fn entries(&self) -> Vec<(&str, Data<'_>)> {
        vec![("name", Data::text(&self.program.name))]
    }
}
