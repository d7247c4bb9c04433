//! Steps that come after `exit after`: the shortest way to them takes longer than the journey can.

use super::Project;
use crate::bytecode::{CodeId, Const, Duration, Exit, Journey, Program, StepId, StepKind, Until};
use crate::codes::TOO_LATE;
use crate::diagnostic::Diagnostic;
use crate::graph::{constant, edges, Edge, EdgeKind};
use crate::show;
use flow_grammar::ast::ClauseKind;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

pub(super) fn check(project: Project<'_>) -> Vec<Diagnostic> {
    project.program.journeys.iter().filter_map(|journey| of_journey(project, journey)).collect()
}

fn of_journey(project: Project<'_>, journey: &Journey) -> Option<Diagnostic> {
    let limits = journey.exits.iter().filter_map(|exit| match exit {
        Exit::After(length) => Some(*length),
        _ => None,
    });
    let limit = limits.min_by_key(|length| longest(*length))?;
    let times = soonest(project.program, journey);
    let steps = journey.steps.iter().zip(times);
    let mut late = steps.filter(|(step, time)| {
        // What only waits or ends does no harm.
        let acts = matches!(
            step.kind,
            StepKind::Send(_)
                | StepKind::Set { .. }
                | StepKind::Audience { .. }
                | StepKind::Emit { .. }
                | StepKind::Start(_)
                | StepKind::Fetch { .. }
        );
        // An exit comes before what else is due at one instant.
        acts && time.is_some_and(|time| time >= longest(limit))
    });
    let (first, _) = late.next()?;
    let message = format!("nobody comes here: the journey ends {} after the entry", show::duration(limit));
    let found = Diagnostic::warning(TOO_LATE, first.span, message)
        .help("let `exit after` be longer, wait less, or remove what comes too late");
    let declared = project.declaration(journey)?;
    let exit = declared.header.iter().find(|clause| matches!(clause.kind, ClauseKind::ExitAfter(_)));
    Some(exit.into_iter().fold(found, |found, exit| found.label(exit.span, "the journey ends by then")))
}

/// The shortest time in which each step can be reached; none: it cannot.
fn soonest(program: &Program, journey: &Journey) -> Vec<Option<i64>> {
    let mut times: Vec<Option<i64>> = vec![None; journey.steps.len()];
    if let Some(first) = times.first_mut() {
        *first = Some(0);
    }
    for at in 0..journey.steps.len() {
        let Some(time) = times.get(at).copied().flatten() else { continue };
        let id = StepId(u32::try_from(at).unwrap_or(u32::MAX));
        for edge in edges(journey, id).into_iter().filter(|edge| edge.to.index() > at) {
            let later = time.saturating_add(cost(program, journey, at, &edge));
            if let Some(slot) = times.get_mut(edge.to.index()) {
                *slot = Some(slot.map_or(later, |known| known.min(later)));
            }
        }
    }
    times
}

/// The shortest time from a step to the next.
fn cost(program: &Program, journey: &Journey, at: usize, edge: &Edge) -> i64 {
    let Some(step) = journey.steps.get(at) else { return 0 };
    match (&step.kind, &edge.kind) {
        (StepKind::Wait(code), _) => length(program, *code).map_or(0, shortest),
        (
            StepKind::WaitEvent { bound: Some(Until::For(code)), .. }
            | StepKind::WaitCondition { bound: Some(Until::For(code)), .. }
            | StepKind::WaitMoment { bound: Some(Until::For(code)), .. },
            EdgeKind::Otherwise,
        ) => length(program, *code).map_or(0, shortest),
        // After the last round, all rounds before have begun so far apart.
        (StepKind::RepeatNext { every: Some(every), times: Some(times), .. }, EdgeKind::Next) => {
            let every = length(program, *every).map_or(0, shortest);
            every.saturating_mul(i64::from(times.saturating_sub(1)))
        }
        _ => 0,
    }
}

pub(super) fn length(program: &Program, code: CodeId) -> Option<Duration> {
    match constant(program, code)? {
        Const::Duration(length) => Some(*length),
        _ => None,
    }
}

/// The shortest that a length can be: months of 28 days, and a clock that goes forward on the way.
fn shortest(length: Duration) -> i64 {
    let days = i64::from(length.months) * 28 + i64::from(length.days);
    days.saturating_mul(DAY).saturating_add(length.millis) - if days > 0 { HOUR } else { 0 }
}

/// The longest that a length can be: months of 31 days, and a clock that goes back on the way.
pub(super) fn longest(length: Duration) -> i64 {
    let days = i64::from(length.months) * 31 + i64::from(length.days);
    days.saturating_mul(DAY).saturating_add(length.millis) + if days > 0 { HOUR } else { 0 }
}
