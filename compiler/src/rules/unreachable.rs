//! Steps that can never be reached: after `end`, after an `if` of which both sides leave, after a
//! `repeat` without a bound.

use super::Project;
use crate::codes::UNREACHABLE_STEP;
use crate::diagnostic::Diagnostic;
use flow_grammar::ast::{Bound, Step, StepKind};

pub(super) fn check(project: Project<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for journey in project.declared() {
        list(&journey.body, &mut found);
    }
    found
}

/// Looks through steps that follow each other. What stands inside a step that is out of reach is not looked at.
fn list(steps: &[Step], found: &mut Vec<Diagnostic>) {
    for (n, step) in steps.iter().enumerate() {
        inside(step, found);
        let rest = steps.get(n + 1..).unwrap_or_default();
        let (true, Some(first), Some(last)) = (leaves(step), rest.first(), rest.last()) else { continue };
        found.push(
            Diagnostic::warning(UNREACHABLE_STEP, first.span.to(last.span), "this can never be reached")
                .label(step.span, why(step))
                .help("remove it, or move it to where people still are in the journey"),
        );
        return;
    }
}

fn inside(step: &Step, found: &mut Vec<Diagnostic>) {
    match &step.kind {
        StepKind::Block(steps) | StepKind::Repeat { body: steps, .. } | StepKind::For { body: steps, .. } => {
            list(steps, found);
        }
        _ => super::children(step).into_iter().for_each(|part| inside(part, found)),
    }
}

/// Whether nobody ever goes on after a step.
fn leaves(step: &Step) -> bool {
    let leave = |step: &Option<Box<Step>>| step.as_deref().is_some_and(leaves);
    match &step.kind {
        StepKind::End => true,
        StepKind::Block(steps) => steps.iter().any(leaves),
        StepKind::If { then, otherwise, .. } => leaves(then) && leave(otherwise),
        StepKind::Match { arms, otherwise, .. } => arms.iter().all(|arm| leaves(&arm.step)) && leave(otherwise),
        StepKind::Split { arms } => !arms.is_empty() && arms.iter().all(|arm| leaves(&arm.step)),
        StepKind::WaitUntil { bound, then, otherwise, .. } | StepKind::WaitFor { bound, then, otherwise, .. } => {
            leave(then) && (bound.is_none() || leave(otherwise))
        }
        StepKind::Repeat { times: None, .. } => true,
        StepKind::Repeat { body, .. } | StepKind::For { body, .. } => body.iter().any(leaves),
        StepKind::Together(branches) => branches.iter().any(leaves),
        _ => false,
    }
}

fn why(step: &Step) -> &'static str {
    match &step.kind {
        StepKind::End => "the journey ends here",
        StepKind::Repeat { times: None, .. } => "this goes on for ever: only `end` or an exit leaves it",
        StepKind::WaitUntil { bound: Some(Bound::UpTo(_) | Bound::Until(_)), .. } => "either way the journey ends here",
        _ => "nobody goes on after this",
    }
}
