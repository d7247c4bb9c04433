//! Checks of a program that has no errors: what runs, but can hardly be meant.
//!
//! The table of contents of the rules. A rule never cries wolf: where it cannot be sure, it is silent.

mod after_exit;
mod always_quiet;
mod at_once;
mod cap_in_rounds;
mod cap_used_up;
mod caps;
mod conditions;
mod evaluate;
mod facts;
mod goals;
mod journey_loop;
mod names;
mod nothing_left;
mod reach;
mod settled;
mod too_late;
mod two_messages;
mod unreachable;
mod values;

use crate::bytecode::{AttrId, Duration, Journey, JourneyId, Program, StepKind};
use crate::diagnostic::Diagnostic;
use crate::graph::constant;
use crate::others::Elsewhere;
use flow_grammar::ast;
use flow_grammar::span::{FileId, Span};
use std::collections::{BTreeMap, BTreeSet};

/// What the rules look at.
#[derive(Clone, Copy)]
struct Project<'p> {
    program: &'p Program,
    files: &'p [ast::File],
    /// The file whose journeys are looked at; none: all.
    only: Option<FileId>,
    /// Journeys as they were written, by their places.
    places: &'p BTreeMap<Span, &'p ast::JourneyDecl>,
    /// The journeys that steps start.
    started: &'p BTreeSet<JourneyId>,
    /// The attributes that steps set.
    set: &'p BTreeSet<AttrId>,
}

/// Applies every rule, to the journeys of one file or of all; findings come in the order of the source.
#[must_use]
pub(crate) fn check(
    program: &Program,
    files: &[ast::File],
    only: Option<FileId>,
    elsewhere: &Elsewhere,
) -> Vec<Diagnostic> {
    let Elsewhere { mut started, mut set } = elsewhere.clone();
    for step in program.journeys.iter().flat_map(|journey| &journey.steps) {
        match &step.kind {
            StepKind::Start(id) => {
                started.insert(*id);
            }
            StepKind::Set { attribute, .. } => {
                set.insert(*attribute);
            }
            _ => {}
        }
    }
    let looked_at = files.iter().filter(|file| only.is_none_or(|only| only == file.id));
    let places = looked_at.flat_map(journeys).map(|journey| (journey.span, journey)).collect();
    let project = Project { program, files, only, places: &places, started: &started, set: &set };
    let rules: [fn(Project<'_>) -> Vec<Diagnostic>; 10] = [
        unreachable::check,
        conditions::check,
        after_exit::check,
        always_quiet::check,
        journey_loop::check,
        two_messages::check,
        goals::check,
        too_late::check,
        names::check,
        at_once::check,
    ];
    let mut found: Vec<Diagnostic> = rules.iter().flat_map(|rule| rule(project)).collect();
    let capped = caps::check(project);
    found.extend(cap_used_up::check(project, &capped));
    found.extend(capped);
    found.sort_by_key(|one| (one.span, one.code));
    found
}

impl<'p> Project<'p> {
    /// The files that are looked at.
    fn files(self) -> impl Iterator<Item = &'p ast::File> {
        self.files.iter().filter(move |file| self.only.is_none_or(|only| only == file.id))
    }

    /// All journeys as they were written.
    fn declared(self) -> impl Iterator<Item = &'p ast::JourneyDecl> {
        self.files().flat_map(journeys)
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

fn journeys(file: &ast::File) -> impl Iterator<Item = &ast::JourneyDecl> {
    file.items.iter().filter_map(|item| match item {
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
