//! Names that steps bind: answers, messages, values of a loop.

use crate::bytecode::{MessageSlot, Slot};
use crate::compile_codes as code;
use crate::context::{Binding, Bound, Cx};
use crate::diagnostic::Diagnostic;
use crate::types::Ty;
use flow_grammar::ast::Name;
use flow_grammar::span::Span;

/// Slots of one journey; far more than anybody names.
const MAX_SLOTS: u16 = u16::MAX - 1;

impl Cx<'_> {
    /// Binds a name from here on.
    pub fn bind(&mut self, name: &Name, binding: Binding) {
        let taken = self.bound(&name.text).filter(|bound| !bound.sibling).map(|bound| bound.span);
        if let Some(place) = taken.filter(|place| *place != name.span) {
            let message = format!("`{}` is already bound", name.text);
            let problem = Diagnostic::error(code::BOUND_TWICE, name.span, message);
            self.report(problem.label(place, "bound here first").help("give one of the two another name"));
        }
        if let Some(journey) = &mut self.journey {
            journey.bound.push(Bound { name: name.text.clone(), binding, span: name.span, sibling: false });
        }
    }

    pub fn bound(&self, name: &str) -> Option<&Bound> {
        self.journey.as_ref()?.bound.iter().rev().find(|bound| bound.name == name)
    }

    /// What a name is bound to in the journey at hand.
    pub fn binding(&self, name: &str) -> Option<Binding> {
        self.bound(name).map(|bound| bound.binding.clone())
    }

    /// The place of a message bound with `as`. The same name in the other branch means the same place.
    pub fn bind_message(&mut self, name: &Name) -> MessageSlot {
        let slot = match self.bound(&name.text) {
            Some(Bound { binding: Binding::Message(slot), sibling: true, .. }) => *slot,
            _ => self.new_message(name.span),
        };
        self.bind(name, Binding::Message(slot));
        slot
    }

    /// The place of an answer.
    pub fn bind_answer(&mut self, name: &Name, ty: Ty) -> Slot {
        let slot = match self.bound(&name.text) {
            Some(Bound { binding: Binding::Slot(slot, before), sibling: true, .. }) if *before == ty => *slot,
            _ => self.new_slot(name.span),
        };
        self.bind(name, Binding::Slot(slot, ty));
        slot
    }

    pub fn new_slot(&mut self, span: Span) -> Slot {
        let Some(journey) = &mut self.journey else { return 0 };
        let slot = journey.slots;
        journey.slots = slot.saturating_add(1).min(MAX_SLOTS);
        self.check_slots(slot, span);
        slot
    }

    fn new_message(&mut self, span: Span) -> MessageSlot {
        let Some(journey) = &mut self.journey else { return 0 };
        let slot = journey.messages;
        journey.messages = slot.saturating_add(1).min(MAX_SLOTS);
        self.check_slots(slot, span);
        slot
    }

    fn check_slots(&mut self, slot: u16, span: Span) {
        if slot == MAX_SLOTS {
            let problem = Diagnostic::error(code::TOO_LARGE, span, "the journey binds more names than Flow allows");
            self.report(problem.help("make two journeys"));
        }
    }
}
