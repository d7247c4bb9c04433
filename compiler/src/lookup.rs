//! From a written name to what it stands for, or to an error with the nearest name there is.

use crate::bytecode::{ApiId, AttrId, ChannelId, EventId, Field, JourneyId, Origin, Outcome, Type};
use crate::compile_codes as code;
use crate::context::{Binding, Cx};
use crate::diagnostic::{Diagnostic, Fix};
use crate::names::{fold_wire, nearest};
use crate::schema::offer;
use crate::symbols::Symbol;
use flow_grammar::ast::{EventRef, Name};
use flow_grammar::span::Span;

/// Channels that need no declaration in a project that declares nothing.
pub(crate) const WELL_KNOWN_CHANNELS: [&str; 8] =
    ["email", "sms", "push", "web_push", "whatsapp", "in_app", "on_site", "slack"];

/// One more, which reads like the others.
pub(crate) const WEBHOOK: &str = "webhook";

impl Cx<'_> {
    pub fn event(&mut self, name: &Name) -> Option<EventId> {
        if let Some(id) = self.schema.events.get(&name.text).copied() {
            self.use_event(id);
            self.refer(name.span, Symbol::Event(name.text.clone()));
            return Some(id);
        }
        if self.schema.segments.contains_key(&name.text) {
            let message = format!("`{}` is a segment, and an event is needed here", name.text);
            let help = "an event happens, a segment holds: name an event, or use the segment in a condition";
            self.report(Diagnostic::error(code::WRONG_KIND, name.span, message).help(help));
            return None;
        }
        if self.schema.broken.contains(&name.text) {
            return None;
        }
        let near = self.event_like(&name.text);
        if self.is_broken(name.span) {
            // It was written in a way that was answered already (`Product Added`): the schema knows what is meant.
            return near.and_then(|near| self.meant(name.span, &near));
        }
        let message = format!("there is no event `{}`", name.text);
        let help = format!("declare it with `event {}`", name.text);
        self.report(offer(Diagnostic::error(code::UNKNOWN_EVENT, name.span, message), near, name.span, &help));
        None
    }

    /// Takes an event for what was written at a place, and says so in the finding that stands there.
    fn meant(&mut self, place: Span, event: &str) -> Option<EventId> {
        let found = self.diagnostics.iter_mut().find(|found| found.span == place)?;
        found.help = Some(format!("it is declared as `{event}`"));
        found.fix = Some(Fix { title: format!("write `{event}`"), edits: vec![(place, event.to_owned())] });
        let id = self.schema.events.get(event).copied()?;
        self.use_event(id);
        Some(id)
    }

    /// The event whose name on the wire was typed, else the nearest by spelling.
    pub fn event_like(&self, word: &str) -> Option<String> {
        let folded = fold_wire(word);
        let plain = || self.program.events.iter().filter(|e| e.outcome.is_none());
        if let Some(event) = plain().find(|e| fold_wire(&e.wire) == folded) {
            return Some(event.name.clone());
        }
        nearest(word, plain().map(|e| e.name.as_str())).map(str::to_owned)
    }

    pub fn attribute(&mut self, name: &Name) -> Option<AttrId> {
        let known = self.schema.attributes.get(&name.text).copied();
        if let Some(id) = known.or_else(|| (name.text == "id").then(|| self.id_attribute())) {
            self.refer(name.span, Symbol::Attribute(name.text.clone()));
            return Some(id);
        }
        if self.schema.broken.contains(&name.text) {
            return None;
        }
        let near = nearest(&name.text, self.schema.attributes.keys().map(String::as_str)).map(str::to_owned);
        let message = format!("there is no user attribute `{}`", name.text);
        let help = if self.schema.events.contains_key(&name.text) {
            format!("`{}` is an event: without `user.` it asks whether it happened", name.text)
        } else {
            format!("declare it: `user {{ {}: text? }}`", name.text)
        };
        self.report(offer(Diagnostic::error(code::UNKNOWN_ATTRIBUTE, name.span, message), near, name.span, &help));
        None
    }

    /// `user.id`, which everybody has.
    fn id_attribute(&mut self) -> AttrId {
        let id = self.add_attribute(Field {
            name: "id".into(),
            wire: "id".into(),
            ty: Type::Text,
            optional: false,
            default: None,
        });
        self.program.id_attr = Some(id);
        id
    }

    pub fn channel(&mut self, name: &Name) -> Option<ChannelId> {
        if let Some(id) = self.schema.channels.get(&name.text).copied() {
            self.refer(name.span, Symbol::Channel(name.text.clone()));
            return Some(id);
        }
        let well_known = WELL_KNOWN_CHANNELS.contains(&name.text.as_str()) || name.text == WEBHOOK;
        if self.schema.undeclared && well_known {
            self.refer(name.span, Symbol::Channel(name.text.clone()));
            return Some(self.add_channel(&name.text));
        }
        let declared = self.schema.channels.keys().map(String::as_str);
        if self.schema.broken.contains(&name.text) {
            return None;
        }
        let near = if self.schema.undeclared {
            nearest(&name.text, declared.chain(WELL_KNOWN_CHANNELS).chain([WEBHOOK])).map(str::to_owned)
        } else {
            nearest(&name.text, declared).map(str::to_owned)
        };
        let message = format!("there is no channel `{}`", name.text);
        let help = match flow_grammar::step_meant(&name.text) {
            Some(meant) => meant.to_owned(),
            None => format!("declare it: `channel {} to user.…`", name.text),
        };
        self.report(offer(Diagnostic::error(code::UNKNOWN_CHANNEL, name.span, message), near, name.span, &help));
        None
    }

    pub fn journey_named(&mut self, name: &Name) -> Option<JourneyId> {
        if let Some(id) = self.schema.journeys.get(&name.text).copied() {
            self.refer(name.span, Symbol::Journey(name.text.clone()));
            return Some(id);
        }
        if self.schema.broken.contains(&name.text) {
            return None;
        }
        let near = nearest(&name.text, self.schema.journeys.keys().map(String::as_str)).map(str::to_owned);
        let message = format!("there is no journey `{}`", name.text);
        let problem = Diagnostic::error(code::UNKNOWN_JOURNEY, name.span, message);
        self.report(offer(problem, near, name.span, "name a journey of this project"));
        None
    }

    pub fn api_named(&mut self, name: &Name) -> Option<ApiId> {
        if let Some(id) = self.schema.apis.get(&name.text).copied() {
            self.refer(name.span, Symbol::Api(name.text.clone()));
            return Some(id);
        }
        if self.schema.broken.contains(&name.text) {
            return None;
        }
        let near = nearest(&name.text, self.schema.apis.keys().map(String::as_str)).map(str::to_owned);
        let message = format!("there is no api `{}`", name.text);
        let problem = Diagnostic::error(code::UNKNOWN_API, name.span, message);
        self.report(offer(problem, near, name.span, "declare it with `api`"));
        None
    }

    /// The word of an outcome.
    pub fn outcome(&mut self, word: &Name) -> Option<Outcome> {
        if let Some(found) = Outcome::ALL.into_iter().find(|o| o.word() == word.text) {
            return Some(found);
        }
        // `open` is `opened`.
        let longer = Outcome::ALL.iter().map(|o| o.word()).find(|known| known.starts_with(&word.text));
        let near = longer.or_else(|| nearest(&word.text, Outcome::ALL.iter().map(|o| o.word()))).map(str::to_owned);
        let message = format!("a message has no outcome `{}`", word.text);
        let help = "there are delivered, opened, clicked, bounced, replied, complained and unsubscribed";
        self.report(offer(Diagnostic::error(code::UNKNOWN_OUTCOME, word.span, message), near, word.span, help));
        None
    }

    /// An event, or what became of any message of a channel.
    pub fn event_ref(&mut self, reference: &EventRef) -> Option<EventId> {
        let Some(word) = &reference.outcome else { return self.event(&reference.name) };
        if self.schema.events.contains_key(&reference.name.text) && !self.is_channel(&reference.name.text) {
            let message = format!("`{}` is an event, and only a message has outcomes", reference.name.text);
            let help = format!("write `{}` alone", reference.name.text);
            self.report(Diagnostic::error(code::WRONG_KIND, reference.span(), message).help(help));
            return None;
        }
        if let Some(Binding::Message(_)) = self.binding(&reference.name.text) {
            let message = format!("`{}` is one message, and a channel is needed here", reference.name.text);
            let help = "in a condition and after `wait for` it can be asked; here name the channel";
            self.report(Diagnostic::error(code::WRONG_KIND, reference.name.span, message).help(help));
            return None;
        }
        let channel = self.channel(&reference.name);
        let outcome = self.outcome(word);
        Some(self.outcome_event(channel?, outcome?))
    }

    pub fn is_channel(&self, word: &str) -> bool {
        self.schema.channels.contains_key(word)
            || (self.schema.undeclared && (WELL_KNOWN_CHANNELS.contains(&word) || word == WEBHOOK))
    }

    /// A field of an event by name: its place, and the field.
    pub fn event_field(&self, event: EventId, name: &str) -> Option<(u16, &Field)> {
        let fields = &self.program.events.get(event.index())?.fields;
        let at = fields.iter().position(|f| f.name == name)?;
        Some((u16::try_from(at).ok()?, fields.get(at)?))
    }

    pub fn event_name(&self, event: EventId) -> &str {
        self.program.events.get(event.index()).map_or("", |e| &e.name)
    }

    /// Says that an event has no such field.
    pub fn unknown_field(&mut self, event: EventId, name: &Name) {
        let Some(found) = self.program.events.get(event.index()) else { return };
        let near = nearest(&name.text, found.fields.iter().map(|f| f.name.as_str())).map(str::to_owned);
        let message = format!("`{}` has no field `{}`", found.name, name.text);
        let help = if found.origin == Origin::Declared {
            format!("add `{}` to `event {}`", name.text, found.name)
        } else {
            "name one of its fields".into()
        };
        self.report(offer(Diagnostic::error(code::UNKNOWN_FIELD, name.span, message), near, name.span, &help));
    }
}
