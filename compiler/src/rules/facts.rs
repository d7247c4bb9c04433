//! What is known on the way to a step.

use super::values::{Test, Values};
use crate::bytecode::{AttrId, ChannelId, Function, QueryId, SegmentId, TopicId};
use flow_grammar::span::Span;
use std::collections::BTreeMap;

/// Something that a condition reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Var {
    Attr(AttrId),
    /// A field of the trigger; it never changes.
    Trigger(u16),
    /// A field of the event under test.
    Field(u16),
    Query(QueryId),
    Segment(SegmentId),
    Can(ChannelId, TopicId),
    /// What a function of the present instant gives.
    OfNow(Function),
    /// What a function gives at a place of the source. It means nothing outside of the code that the place is in.
    Call(Function, u32),
}

/// A narrowed variable, and the test that narrowed it last.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fact {
    pub values: Values,
    pub because: Option<Span>,
}

/// What is known; a variable that is not in it can have any value of its type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Facts(BTreeMap<Var, Fact>);

impl Facts {
    pub fn get(&self, var: Var) -> Option<&Fact> {
        self.0.get(&var)
    }

    /// Narrows a variable; none when no value is left. `all` gives the values that it can have at all.
    pub fn narrow(&self, var: Var, all: impl Fn() -> Values, test: &Test, holds: bool, at: Span) -> Option<Self> {
        let before = self.0.get(&var).map_or_else(all, |fact| fact.values.clone());
        let values = before.restrict(test, holds);
        if values.is_empty() {
            return None;
        }
        let mut new = self.clone();
        if values != before {
            new.0.insert(var, Fact { values, because: Some(at) });
        }
        Some(new)
    }

    /// What is known on both of two ways.
    pub fn join(&self, other: &Self) -> Self {
        let both = self.0.iter().filter_map(|(var, a)| {
            let b = other.0.get(var)?;
            let because = a.because.filter(|because| b.because == Some(*because));
            Some((*var, Fact { values: a.values.join(&b.values), because }))
        });
        Self(both.collect())
    }

    /// Keeps what still holds.
    pub fn retain(&mut self, keep: impl Fn(Var) -> bool) {
        self.0.retain(|var, _| keep(*var));
    }

    /// Gives variables other names, leaving out those without.
    pub fn rename(&self, name: impl Fn(Var) -> Option<Var>) -> Self {
        Self(self.0.iter().filter_map(|(var, fact)| Some((name(*var)?, fact.clone()))).collect())
    }
}
