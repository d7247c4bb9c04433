//! What the engine tells besides, of people whom somebody asks about: what was taken, and what did not happen and why not.

use super::effect::{EffectKind, Place};
use super::input::Fields;
use super::run::Run;
use crate::vm::value::Value;
use flow_compiler::bytecode::{AttrId, CodeId, EventId, JourneyId};
use std::collections::BTreeSet;

/// Of whom more is told than what came about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Explained {
    /// Of nobody: it costs time.
    #[default]
    Nobody,
    /// Of everybody.
    Everybody,
    /// Of those with these ids.
    These(BTreeSet<String>),
}

/// Something that has no effect outside but helps to understand what has.
#[derive(Clone, Debug, PartialEq)]
pub enum Aside {
    /// An event was taken, from outside or from a step, with those of its fields that the program reads.
    Happened {
        /// Which.
        event: EventId,
        /// Its own time, which is earlier than now when it came late.
        time: i64,
        /// By field.
        fields: Fields,
    },
    /// An attribute has another value now.
    Changed {
        /// Which.
        attribute: AttrId,
        /// What it is now.
        value: Value,
    },
    /// What brings people into a journey happened, but not this person.
    NotEntered {
        /// Which.
        journey: JourneyId,
        /// Why not.
        why: Refusal,
    },
    /// A condition on the way was judged.
    Decided {
        /// By which step.
        at: Place,
        /// The condition.
        condition: CodeId,
        /// What it came to.
        holds: bool,
    },
}

/// Why a person did not enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The trigger's condition does not hold.
    Where(CodeId),
    /// The person is in the journey already.
    InFlight,
    /// `enter once`, or `once per`: they entered at this instant.
    Entered(i64),
}

impl Explained {
    /// Whether more is told of this person.
    #[must_use]
    pub fn includes(&self, id: &str) -> bool {
        match self {
            Self::Nobody => false,
            Self::Everybody => true,
            Self::These(ids) => ids.contains(id),
        }
    }
}

impl Run<'_> {
    /// Tells something that only those want to know who ask.
    pub fn aside(&mut self, what: impl FnOnce() -> Aside) {
        if self.explained {
            self.tell(EffectKind::Aside(Box::new(what())));
        }
    }
}
