//! What the names in the source turned out to stand for, for editors: collected while compiling.

use crate::bytecode::{EventId, TypeId};
use crate::context::Cx;
use flow_grammar::ast::{Expr, Name};
use flow_grammar::span::Span;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symbol {
    /// An event.
    Event(String),
    /// A field of an event: the event's name, the field's.
    EventField(String, String),
    /// An attribute of a person.
    Attribute(String),
    /// A record type.
    Type(String),
    /// A field of a record type.
    TypeField(String, String),
    /// A channel.
    Channel(String),
    /// A segment or fence.
    Segment(String),
    /// An api.
    Api(String),
    /// A parameter of an api.
    Parameter(String, String),
    /// A journey.
    Journey(String),
    /// A template, whatever its channel.
    Template(String),
    /// A topic of consent.
    Topic(String),
    /// An advertising audience.
    Audience(String),
    /// A name bound in a journey, at this place.
    Local(Span),
}

impl Cx<'_> {
    /// Remembers what a name stands for.
    pub fn refer(&mut self, span: Span, symbol: Symbol) {
        self.references.push((span, symbol));
    }

    pub fn refer_field(&mut self, span: Span, event: EventId, field: &str) {
        let symbol = Symbol::EventField(self.event_name(event).to_owned(), field.to_owned());
        self.refer(span, symbol);
    }

    pub fn refer_member(&mut self, span: Span, of: TypeId, field: &str) {
        if let Some(record) = self.program.types.get(of.index()) {
            let symbol = Symbol::TypeField(record.name.clone(), field.to_owned());
            self.refer(span, symbol);
        }
    }

    /// A field of the events that begin the journey at hand.
    pub fn refer_trigger_field(&mut self, name: &Name) {
        let events = self.journey.as_ref().map(|journey| journey.events.clone()).unwrap_or_default();
        for event in events {
            if self.event_field(event, &name.text).is_some() {
                self.refer_field(name.span, event, &name.text);
            }
        }
    }

    /// A name bound in the journey at hand.
    pub fn refer_local(&mut self, name: &Name) {
        if let Some(place) = self.bound(&name.text).map(|bound| bound.span) {
            self.refer(name.span, Symbol::Local(place));
        }
    }

    /// The keys of a record that gives the fields of an event.
    pub fn refer_keys(&mut self, event: EventId, given: &[(Name, Expr)]) {
        for (name, _) in given {
            if self.event_field(event, &name.text).is_some() {
                self.refer_field(name.span, event, &name.text);
            }
        }
    }
}
