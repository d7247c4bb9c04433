//! A wait for what ends the journey: its `then` is never done, because the exit comes first.

use super::Project;
use crate::bytecode::{EventId, Exit, Journey, StepKind, WaitedEvent};
use crate::codes::AFTER_EXIT;
use crate::diagnostic::Diagnostic;
use flow_grammar::ast;
use flow_grammar::span::Span;
use std::collections::BTreeMap;

/// The events that end a journey whatever they carry.
pub(super) fn ending_events(journey: &Journey) -> Vec<EventId> {
    let events = journey.exits.iter().filter_map(|exit| match exit {
        Exit::On { event, filter: None } => Some(*event),
        _ => None,
    });
    events.collect()
}

pub(super) fn check(project: Project<'_>) -> Vec<Diagnostic> {
    project.program.journeys.iter().flat_map(|journey| of_journey(project, journey)).collect()
}

fn of_journey(project: Project<'_>, journey: &Journey) -> Vec<Diagnostic> {
    let ending = ending_events(journey);
    let Some(declared) = project.declaration(journey).filter(|_| !ending.is_empty()) else { return Vec::new() };
    let mut waits = BTreeMap::new();
    thens(&declared.body, &mut waits);
    let mut found = BTreeMap::new();
    for step in &journey.steps {
        let StepKind::WaitEvent { events, .. } = &step.kind else { continue };
        let ended = events.iter().all(|waited| match waited {
            WaitedEvent::Event { event, .. } => ending.contains(event),
            WaitedEvent::Outcome(..) => false,
        });
        let Some(then) = waits.get(&step.span).filter(|_| ended) else { continue };
        let one = Diagnostic::warning(AFTER_EXIT, *then, "this is never done: the event has ended the journey before");
        let exit = declared.header.iter().find(|clause| matches!(clause.kind, ast::ClauseKind::ExitOn(_)));
        let one = exit.into_iter().fold(one, |one, exit| one.label(exit.span, "the exit comes first"));
        found.insert(*then, one.help("leave the event out of `exit on`, or remove this `then`"));
    }
    found.into_values().collect()
}

/// The `then` of each `wait for`, by the place of the wait.
fn thens(steps: &[ast::Step], waits: &mut BTreeMap<Span, Span>) {
    for step in steps {
        if let ast::StepKind::WaitFor { then: Some(then), .. } = &step.kind {
            waits.insert(step.span, then.span);
        }
        for child in super::children(step) {
            thens(std::slice::from_ref(child), waits);
        }
    }
}
