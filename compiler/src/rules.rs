//! Checks of a program that has no errors: what runs, but can hardly be meant.
//!
//! The table of contents of the rules. A rule never cries wolf: where it cannot be sure, it is silent.

mod after_exit;
mod at_once;
mod caps;
mod conditions;
mod evaluate;
mod facts;
mod goals;
mod journey_loop;
mod names;
mod reach;
mod too_late;
mod two_messages;
mod unreachable;
mod values;

use crate::bytecode::{Duration, Journey, JourneyId, Program, StepKind};
use crate::diagnostic::Diagnostic;
use crate::graph::constant;
use flow_grammar::ast;
use flow_grammar::span::Span;
use std::collections::{BTreeMap, BTreeSet};

/// What the rules look at.
#[derive(Clone, Copy)]
struct Project<'p> {
    program: &'p Program,
    files: &'p [ast::File],
    /// Journeys as they were written, by their places.
    places: &'p BTreeMap<Span, &'p ast::JourneyDecl>,
    /// The journeys that steps start.
    started: &'p BTreeSet<JourneyId>,
}

/// Applies every rule; findings come in the order of the source.
#[must_use]
pub fn check(program: &Program, files: &[ast::File]) -> Vec<Diagnostic> {
    let places = journeys(files).map(|journey| (journey.span, journey)).collect();
    let steps = program.journeys.iter().flat_map(|journey| &journey.steps);
    let started = steps.filter_map(|step| match &step.kind {
        StepKind::Start(id) => Some(*id),
        _ => None,
    });
    let project = Project { program, files, places: &places, started: &started.collect() };
    let rules: [fn(Project<'_>) -> Vec<Diagnostic>; 10] = [
        unreachable::check,
        conditions::check,
        after_exit::check,
        caps::check,
        journey_loop::check,
        two_messages::check,
        goals::check,
        too_late::check,
        names::check,
        at_once::check,
    ];
    let mut found: Vec<Diagnostic> = rules.iter().flat_map(|rule| rule(project)).collect();
    found.sort_by_key(|one| (one.span, one.code));
    found
}

impl<'p> Project<'p> {
    /// All journeys as they were written.
    fn declared(self) -> impl Iterator<Item = &'p ast::JourneyDecl> {
        journeys(self.files)
    }

    /// A journey as it was written.
    fn declaration(self, journey: &Journey) -> Option<&'p ast::JourneyDecl> {
        self.places.get(&journey.span).copied()
    }

    /// Whether any message can be put off by quiet hours.
    fn has_quiet_hours(self) -> bool {
        !self.program.policy.quiet.is_empty()
    }

    /// The length of a step that always waits equally long, nothing for one that never waits; none: it depends.
    fn fixed_wait(self, kind: &StepKind) -> Option<Duration> {
        match kind {
            StepKind::Wait(code) => match constant(self.program, *code)? {
                crate::bytecode::Const::Duration(length) => Some(*length),
                _ => None,
            },
            StepKind::Send(_) if self.has_quiet_hours() => None,
            StepKind::Send(_)
            | StepKind::Set { .. }
            | StepKind::Audience { .. }
            | StepKind::Emit { .. }
            | StepKind::Start(_)
            | StepKind::RepeatBegin { .. }
            | StepKind::Jump(_)
            | StepKind::End => Some(Duration::default()),
            _ => None,
        }
    }
}

fn journeys(files: &[ast::File]) -> impl Iterator<Item = &ast::JourneyDecl> {
    files.iter().flat_map(|file| &file.items).filter_map(|item| match item {
        ast::Item::Journey(journey) => Some(journey),
        _ => None,
    })
}

/// The steps directly inside a step.
fn children(step: &ast::Step) -> Vec<&ast::Step> {
    use ast::StepKind as K;
    match &step.kind {
        K::Block(steps) | K::Together(steps) | K::Repeat { body: steps, .. } | K::For { body: steps, .. } => {
            steps.iter().collect()
        }
        K::If { then, otherwise, .. } => [then].into_iter().chain(otherwise).map(AsRef::as_ref).collect(),
        K::WaitUntil { then, otherwise, .. } | K::WaitFor { then, otherwise, .. } => {
            then.iter().chain(otherwise).map(AsRef::as_ref).collect()
        }
        K::Match { arms, otherwise, .. } => {
            arms.iter().map(|arm| &arm.step).chain(otherwise.iter().map(AsRef::as_ref)).collect()
        }
        K::Split { arms } => arms.iter().map(|arm| &arm.step).collect(),
        K::Fetch { otherwise, .. } => otherwise.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    }
}
