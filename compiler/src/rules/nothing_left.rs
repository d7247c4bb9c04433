//! The `else` of a `match` whose arms have every value that there can be.

use super::{children, Project};
use crate::codes::NOTHING_LEFT;
use crate::diagnostic::Diagnostic;
use flow_grammar::ast::{Step, StepKind};
use flow_grammar::span::Span;
use std::collections::BTreeMap;

/// `reached` says of every place whether people come there.
pub(super) fn check(project: Project<'_>, reached: &BTreeMap<Span, bool>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut todo: Vec<&Step> = project.declared().flat_map(|journey| &journey.body).collect();
    while let Some(step) = todo.pop() {
        todo.extend(children(step));
        let StepKind::Match { subject, otherwise: Some(otherwise), .. } = &step.kind else { continue };
        let comes_in = inside(reached, step.span).any(|reached| reached);
        let mut of_else = inside(reached, otherwise.span).peekable();
        if comes_in && of_else.peek().is_some() && !of_else.any(|reached| reached) {
            found.push(
                Diagnostic::warning(NOTHING_LEFT, otherwise.span, "nothing is left for this `else`")
                    .label(subject.span, "every value that this can have here has an arm")
                    .help("remove the `else`, or an arm that should be treated like all the others"),
            );
        }
    }
    found
}

/// Of each step that stands in a place, whether people come there.
fn inside(reached: &BTreeMap<Span, bool>, place: Span) -> impl Iterator<Item = bool> + '_ {
    let from = Span { end: 0, ..place };
    let starting = reached.range(from..).take_while(move |(span, _)| span.file == place.file && span.start < place.end);
    starting.filter(move |(span, _)| span.end <= place.end).map(|(_, reached)| *reached)
}
