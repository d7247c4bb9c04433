//! A goal that can never be reached: it counts while the journey lasts, and the journey ends at once.

use super::Project;
use crate::bytecode::{Journey, StepKind};
use crate::codes::GOAL_NEVER;
use crate::diagnostic::Diagnostic;
use flow_grammar::ast::ClauseKind;

pub(super) fn check(project: Project<'_>) -> Vec<Diagnostic> {
    let at_once = project.program.journeys.iter().filter(|journey| ends_at_once(project, journey));
    let clauses = at_once.filter_map(|journey| project.declaration(journey)).flat_map(|journey| &journey.header);
    let goals = clauses.filter(|clause| matches!(clause.kind, ClauseKind::Goal { within: None, .. }));
    let finding = |span| {
        Diagnostic::warning(GOAL_NEVER, span, "this goal is never reached: the journey ends as soon as it begins")
            .help("say how long it counts after the entry, such as `goal … within 3d`")
    };
    goals.map(|clause| finding(clause.span)).collect()
}

/// Whether no step lets time pass.
fn ends_at_once(project: Project<'_>, journey: &Journey) -> bool {
    journey.steps.iter().all(|step| match &step.kind {
        StepKind::Branch { .. } | StepKind::Split { .. } | StepKind::Together { .. } | StepKind::Join => true,
        StepKind::RepeatNext { every, .. } => every.is_none(),
        kind => project.fixed_wait(kind).is_some_and(|length| length.window_millis() == 0),
    })
}
