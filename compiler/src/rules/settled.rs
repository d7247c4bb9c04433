//! What surely is not so wherever a step of a journey is done, because an exit would have come first.
//!
//! An event of `exit on` has not happened since the entry. A condition of `exit when` does not hold: it is asked at
//! the entry and again with every input that it depends on, before anything else that the input does. That is sure
//! where nothing but inputs can change it: not the passing of time, and no `set` of any journey, which changes an
//! attribute at once, while other steps of the same instant are still done.

use super::evaluate::{evaluate, Scope};
use super::facts::Facts;
use super::Project;
use crate::bytecode::{CodeId, Condition, EventId, Exit, Journey};
use flow_grammar::span::Span;

pub(super) struct Settled {
    /// Events that have not happened.
    events: Vec<EventId>,
    /// Conditions that do not hold.
    conditions: Vec<CodeId>,
}

impl Settled {
    pub fn new(project: Project<'_>, journey: &Journey) -> Self {
        let conditions = journey.exits.iter().filter_map(|exit| match exit {
            Exit::When(condition) if only_inputs_change(project, condition) => Some(condition.code),
            _ => None,
        });
        Self { events: super::after_exit::ending_events(journey), conditions: conditions.collect() }
    }

    /// Whether a code cannot be true because of what is settled; the places of the conditions that say so.
    pub fn excludes(&self, scope: Scope<'_>, code: CodeId, facts: &Facts) -> Option<Vec<Span>> {
        if self.events.is_empty() && self.conditions.is_empty() {
            return None;
        }
        let scope = Scope { absent: &self.events, ..scope };
        if evaluate(scope, code, facts).yes.is_none() {
            return Some(Vec::new());
        }
        let place = |exit: &CodeId| scope.program.codes.get(exit.index()).and_then(|code| code.spans.last().copied());
        let alone = self.conditions.iter().find(|exit| {
            let without = evaluate(scope, **exit, facts).no;
            without.is_some_and(|facts| evaluate(scope, code, &facts).yes.is_none())
        });
        alone.map(|exit| place(exit).into_iter().collect())
    }
}

fn only_inputs_change(project: Project<'_>, condition: &Condition) -> bool {
    !condition.deps.moves && !condition.deps.attributes.iter().any(|attribute| project.set.contains(attribute))
}
