//! Loops that send the same message several times at one instant, because nothing in them waits.

use super::{children, Project};
use crate::codes::SENT_AT_ONCE;
use crate::diagnostic::Diagnostic;
use flow_grammar::ast::{Step, StepKind};

pub(super) fn check(project: Project<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for journey in project.declared() {
        journey.body.iter().for_each(|step| look(step, &mut found));
    }
    found
}

fn look(step: &Step, found: &mut Vec<Diagnostic>) {
    if let StepKind::Repeat { every: None, times: Some((times, _)), body } = &step.kind {
        if *times > 1 && !body.iter().any(ends_or_waits) {
            if let Some(send) = body.iter().find_map(surely_sends) {
                let message = format!("this message is sent {times} times at one instant");
                found.push(
                    Diagnostic::warning(SENT_AT_ONCE, send.span, message)
                        .label(step.span, "nothing in this loop waits")
                        .help(format!("put a `wait` into it, or write `repeat every 1d up to {times} times`")),
                );
                return;
            }
        }
    }
    children(step).into_iter().for_each(|inner| look(inner, found));
}

/// A message that every round sends: not one in a branch.
fn surely_sends(step: &Step) -> Option<&Step> {
    match &step.kind {
        StepKind::Send(_) => Some(step),
        StepKind::Block(steps) => steps.iter().find_map(surely_sends),
        _ => None,
    }
}

fn ends_or_waits(step: &Step) -> bool {
    let itself = matches!(
        step.kind,
        StepKind::Wait(_)
            | StepKind::WaitUntil { .. }
            | StepKind::WaitFor { .. }
            | StepKind::WaitWithin { .. }
            | StepKind::WaitBestHour { .. }
            | StepKind::Repeat { every: Some(_), .. }
            | StepKind::End
    );
    itself || children(step).into_iter().any(ends_or_waits)
}
