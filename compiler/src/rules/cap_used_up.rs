//! A cap that keeps a message from everybody who got the messages before it: on every way to it so many are sent on that
//! channel about that topic, so shortly before, that the cap lets no other through.
//!
//! What is at one instant is in `caps`, and is said of all people. Here time passes, and somebody who could not be
//! reached before may be reached now: only of those who got what came before is anything sure. Messages on other channels
//! are not counted: a mail after a text message may be meant for those whom the text message did not reach.

use super::caps::{counted, held_back};
use super::too_late::{length, longest};
use super::Project;
use crate::bytecode::{Cap, ChannelId, Const, Duration, Journey, Program, Send, StepId, StepKind, TopicId, Until};
use crate::codes::CAP_USED_UP;
use crate::diagnostic::Diagnostic;
use crate::graph::{constant, edges, EdgeKind};
use crate::show;
use flow_grammar::span::Span;
use std::collections::BTreeMap;

/// A local day and an hour more, for a clock that goes back.
const DAY: i64 = 25 * 3_600_000;

/// For each channel and topic, how long ago each message was sent at most in milliseconds; the last one first.
pub(super) type Before = BTreeMap<(ChannelId, TopicId), Vec<i64>>;

/// `known`: places of which `caps` says more.
pub(super) fn check(project: Project<'_>, known: &[Diagnostic]) -> Vec<Diagnostic> {
    let program = project.program;
    if program.policy.caps.is_empty() {
        return Vec::new();
    }
    let held = held_back(program, sent_before, used_up);
    let unknown = held.into_iter().filter(|(span, _)| !known.iter().any(|one| one.span == *span));
    let mut found: Vec<Diagnostic> = unknown.map(|(span, cap)| finding(span, cap)).collect();
    let told: Vec<Span> = found.iter().chain(known).map(|one| one.span).collect();
    found.extend(super::cap_in_rounds::check(program).into_iter().filter(|one| !told.contains(&one.span)));
    found
}

fn finding(span: Span, cap: &Cap) -> Diagnostic {
    let message = "whoever got the messages before this one never gets it: they have used up the cap";
    Diagnostic::warning(CAP_USED_UP, span, message)
        .label(cap.span, format!("lets {} through in {}", cap.count, show::window(cap.window)))
        .help("wait longer before this message, raise the cap, or remove a message")
}

fn used_up<'p>(program: &'p Program, send: &Send, before: &Before) -> Option<&'p Cap> {
    let key = counted(program, send)?;
    let put_off = put_off(program, key.0);
    let ages = before.get(&key)?;
    program.policy.caps.iter().find(|cap| {
        let recent = ages.iter().filter(|age| age.saturating_add(put_off) < cap.window).count();
        cap.channel.is_none_or(|capped| capped == key.0) && recent >= cap.count as usize
    })
}

/// How long quiet hours put off a message at most.
pub(super) fn put_off(program: &Program, channel: ChannelId) -> i64 {
    let mut quiet = program.policy.quiet.iter();
    let is_quiet = quiet.any(|hours| hours.channels.is_empty() || hours.channels.contains(&channel));
    if is_quiet {
        DAY
    } else {
        0
    }
}

/// For each step that can be reached, the messages that were sent before it on every way, if they were not held back.
fn sent_before(program: &Program, journey: &Journey) -> Vec<Option<Before>> {
    let mut all: Vec<Option<Before>> = vec![None; journey.steps.len()];
    if let Some(first) = all.first_mut() {
        *first = Some(Before::new());
    }
    for (at, step) in journey.steps.iter().enumerate() {
        let Some(before) = all.get(at).cloned().flatten() else { continue };
        let id = StepId(u32::try_from(at).unwrap_or(u32::MAX));
        for edge in edges(journey, id).into_iter().filter(|edge| edge.to.index() > at) {
            let after = passed(program, &step.kind, &edge.kind, &before);
            let Some(slot) = all.get_mut(edge.to.index()) else { continue };
            *slot = Some(match slot.take() {
                Some(other) => on_both(&other, &after),
                None => after,
            });
        }
    }
    all
}

/// What was sent before, after one step more.
pub(super) fn passed(program: &Program, step: &StepKind, edge: &EdgeKind, before: &Before) -> Before {
    let Some(time) = at_most(program, step, edge) else { return Before::new() };
    let mut after = before.clone();
    for age in after.values_mut().flatten() {
        *age = age.saturating_add(time);
    }
    if let StepKind::Send(send) = step {
        if let Some(key) = counted(program, send) {
            after.entry(key).or_default().insert(0, 0);
        }
    }
    after
}

/// How long a step takes at most; none: nobody knows, or (in a loop) what came before the first round is another
/// thing in the second.
pub(super) fn at_most(program: &Program, step: &StepKind, edge: &EdgeKind) -> Option<i64> {
    let bound = |bound: &Option<Until>| match bound {
        Some(Until::For(code)) => length(program, *code).map(longest),
        _ => None,
    };
    match step {
        StepKind::Wait(code) => length(program, *code).map(longest),
        StepKind::WaitDays { .. } => Some(8 * DAY),
        StepKind::WaitWithin { days, .. } => Some(if days.contains(&false) { 8 * DAY } else { 2 * DAY }),
        StepKind::WaitBestHour { within, .. } => Some(longest(Duration { days: within.days + 1, ..*within })),
        StepKind::WaitMoment { at, bound: None, .. } => match constant(program, *at)? {
            Const::Time(_) => Some(2 * DAY),
            _ => None,
        },
        StepKind::WaitMoment { bound: end, .. }
        | StepKind::WaitCondition { bound: end, .. }
        | StepKind::WaitEvent { bound: end, .. } => bound(end),
        StepKind::Send(send) => Some(send.channels.iter().map(|channel| put_off(program, *channel)).max().unwrap_or(0)),
        StepKind::RepeatNext { .. } if *edge == EdgeKind::Next => Some(0),
        StepKind::Branch { .. }
        | StepKind::Jump(_)
        | StepKind::Split { .. }
        | StepKind::Set { .. }
        | StepKind::Audience { .. }
        | StepKind::Emit { .. }
        | StepKind::Start(_) => Some(0),
        _ => None,
    }
}

/// Of two ways, what is sure on both.
pub(super) fn on_both(a: &Before, b: &Before) -> Before {
    let both = a.iter().filter_map(|(key, ages)| {
        let other = b.get(key)?;
        Some((*key, ages.iter().zip(other).map(|(a, b)| *a.max(b)).collect()))
    });
    both.collect()
}
