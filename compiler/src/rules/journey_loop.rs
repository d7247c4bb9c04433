//! Journeys that start each other for ever at one instant, through `emit`, `start`, and `set` of what another begins
//! with (`on change`).
//!
//! Only what is certain is reported: the steps on the way wait for nothing and ask nothing, and
//! every journey of the circle takes people in again.

use super::Project;
use crate::bytecode::{
    Again, Arith, AttrId, CodeId, Const, EnterMode, Exit, Journey, JourneyId, Op, Program, StepKind, Trigger, Type,
};
use crate::codes::JOURNEY_LOOP;
use crate::diagnostic::Diagnostic;
use crate::graph::constant;
use flow_grammar::span::Span;
use std::collections::{BTreeMap, BTreeSet};

/// A step that makes another journey begin, at once and always.
struct Link {
    to: JourneyId,
    span: Span,
}

pub(super) fn check(project: Project<'_>) -> Vec<Diagnostic> {
    let count = u32::try_from(project.program.journeys.len()).unwrap_or(u32::MAX);
    let links: Vec<Vec<Link>> = project.program.journeys.iter().map(|journey| links(project, journey)).collect();
    let mut found = Vec::new();
    let mut reported = BTreeSet::new();
    for start in (0..count).map(JourneyId) {
        let Some(circle) = circle(&links, start) else { continue };
        if circle.iter().any(|(id, _)| reported.contains(id)) {
            continue;
        }
        reported.extend(circle.iter().map(|(id, _)| *id));
        found.extend(finding(project, &circle));
    }
    found
}

fn finding(project: Project<'_>, circle: &[(JourneyId, Span)]) -> Option<Diagnostic> {
    let ((_, first), rest) = circle.split_first()?;
    let name = |id: &JourneyId| project.program.journeys.get(id.index()).map_or("?", |journey| &journey.name);
    let names: Vec<String> = circle.iter().map(|(id, _)| format!("`{}`", name(id))).collect();
    let message = match names.as_slice() {
        [one] => format!("{one} starts itself again for ever, at one instant"),
        many => format!("{} start each other for ever, at one instant", many.join(" and ")),
    };
    let found = Diagnostic::error(JOURNEY_LOOP, *first, message)
        .help("put a `wait` in the circle, or `enter once per` a time in one of the journeys");
    Some(rest.iter().fold(found, |found, (_, span)| found.label(*span, "and this leads back")))
}

/// A circle of links from `start` back to it: each journey with the step that leads on.
fn circle(links: &[Vec<Link>], start: JourneyId) -> Option<Vec<(JourneyId, Span)>> {
    let mut seen = BTreeSet::new();
    let mut way: Vec<(JourneyId, usize)> = vec![(start, 0)];
    let mut spans: Vec<Span> = Vec::new();
    while let Some((at, next)) = way.last_mut() {
        let Some(link) = links.get(at.index()).and_then(|links| links.get(*next)) else {
            way.pop();
            spans.pop();
            continue;
        };
        *next += 1;
        if link.to == start {
            spans.push(link.span);
            return Some(way.iter().map(|(id, _)| *id).zip(spans).collect());
        }
        if seen.insert(link.to) {
            spans.push(link.span);
            way.push((link.to, 0));
        }
    }
    None
}

/// The journeys that this one makes begin, always and at the instant of its entry.
fn links(project: Project<'_>, journey: &Journey) -> Vec<Link> {
    if journey.exits.iter().any(|exit| matches!(exit, Exit::When(_))) {
        return Vec::new();
    }
    let mut links = Vec::new();
    let mut sets: BTreeMap<AttrId, u32> = BTreeMap::new();
    walk(project, journey, |kind, _| {
        if let StepKind::Set { attribute, .. } = kind {
            *sets.entry(*attribute).or_default() += 1;
        }
    });
    let begun_by = |by: &dyn Fn(&Trigger) -> bool| -> Vec<JourneyId> {
        let journeys = (0..).map(JourneyId).zip(&project.program.journeys);
        let begun = journeys.filter(|(id, other)| other.triggers.iter().any(by) && accepts(project, *id));
        begun.map(|(id, _)| id).collect()
    };
    walk(project, journey, |kind, span| match kind {
        StepKind::Start(to) => links.extend(accepts(project, *to).then_some(Link { to: *to, span })),
        StepKind::Emit { event, .. } => {
            let begun = begun_by(
                &|trigger| matches!(trigger, Trigger::Event { event: begins, filter: None } if begins == event),
            );
            links.extend(begun.into_iter().map(|to| Link { to, span }));
        }
        // One that is set twice may be as it was in the end.
        StepKind::Set { attribute, value } if sets.get(attribute) == Some(&1) => {
            let always = changes(project.program, *attribute, *value);
            if !always && !is_undone(project, journey, *attribute, *value) {
                return;
            }
            let begun = begun_by(
                &|trigger| matches!(trigger, Trigger::Change { attribute: begins, filter: None } if begins == attribute),
            );
            // What another undoes comes back by way of that other.
            let itself =
                |to: &JourneyId| project.program.journeys.get(to.index()).is_some_and(|to| std::ptr::eq(to, journey));
            let begun = begun.into_iter().filter(|to| always || !itself(to));
            links.extend(begun.map(|to| Link { to, span }));
        }
        _ => {}
    });
    links
}

/// Whether a value that an attribute is set to is another one every time: `+= 1`, `not user.flag`. The same value again
/// is no change.
fn changes(program: &Program, attribute: AttrId, value: CodeId) -> bool {
    let Some(field) = program.attributes.get(attribute.index()).map(|attribute| &attribute.field) else { return false };
    // What is missing stays missing.
    if field.default.is_none() {
        return false;
    }
    match (program.codes.get(value.index()).map(|code| code.ops.as_slice()), &field.ty) {
        (Some([Op::Attr(_, read), Op::Not(..), Op::Return(_)]), Type::Bool) => *read == attribute,
        (
            Some([Op::Attr(_, read), Op::Const(_, by), Op::Arith(Arith::Add | Arith::Subtract, ..), Op::Return(_)]),
            Type::Int | Type::Number,
        ) => {
            *read == attribute
                && match program.constants.get(by.index()) {
                    Some(Const::Int(by)) => *by != 0,
                    Some(Const::Number(by)) => !by.is_zero(),
                    _ => false,
                }
        }
        _ => false,
    }
}

/// Whether an attribute is set to one text here, and at once to another by a journey that begins with the change: each
/// undoes what the other did.
fn is_undone(project: Project<'_>, journey: &Journey, attribute: AttrId, value: CodeId) -> bool {
    let here = constant(project.program, value);
    let begins = |journey: &Journey| {
        let by = |trigger: &Trigger| matches!(trigger, Trigger::Change { attribute: begins, filter: None } if *begins == attribute);
        journey.triggers.iter().any(by)
    };
    let sets_another = |other: &Journey| {
        let mut set = Vec::new();
        walk(project, other, |kind, _| match kind {
            StepKind::Set { attribute: there, value } if *there == attribute => {
                set.push(constant(project.program, *value));
            }
            _ => {}
        });
        matches!(set.as_slice(), [Some(there)] if here.is_some_and(|here| here != *there))
    };
    let never_left = |other: &Journey| !other.exits.iter().any(|exit| matches!(exit, Exit::When(_)));
    let others = (0..).map(JourneyId).zip(&project.program.journeys);
    let mut undone = others.filter(|(id, other)| begins(other) && never_left(other) && accepts(project, *id));
    begins(journey) && undone.any(|(_, other)| sets_another(other))
}

/// Whether a journey takes a person in again at the same instant.
fn accepts(project: Project<'_>, id: JourneyId) -> bool {
    let Some(journey) = project.program.journeys.get(id.index()) else { return false };
    let ends_at_once = walk(project, journey, |_, _| ());
    journey.enter.again == Again::Yes && (journey.enter.mode != EnterMode::One || ends_at_once)
}

/// Visits the steps that are done for certain at the instant of the entry; true when these are all.
fn walk(project: Project<'_>, journey: &Journey, mut visit: impl FnMut(&StepKind, Span)) -> bool {
    let mut at = 0;
    while let Some(step) = journey.steps.get(at) {
        let at_once = project.fixed_wait(&step.kind).is_some_and(|length| length.window_millis() == 0);
        if !at_once {
            return false;
        }
        visit(&step.kind, step.span);
        at = match &step.kind {
            StepKind::Jump(to) => to.index(),
            StepKind::End => return true,
            _ => at + 1,
        };
    }
    true
}
