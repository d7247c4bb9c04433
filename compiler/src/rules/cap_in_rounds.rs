//! A cap that the first rounds of a `repeat` use up: whoever got the messages of those does not get that of the round
//! after them.
//!
//! A round is looked at by itself: what is sent in it on every way, how long ago at its end, and how long it takes at
//! most. Rounds begin `every` so often, or one behind the other when they take longer.

use super::cap_used_up::{at_most, on_both, passed, put_off, Before};
use super::caps::counted;
use super::too_late::{length, longest};
use crate::bytecode::{Cap, ChannelId, Journey, Program, StepId, StepKind, TopicId};
use crate::codes::CAP_USED_UP;
use crate::diagnostic::Diagnostic;
use crate::graph::edges;
use crate::show;
use flow_grammar::span::Span;
use std::ops::Range;

/// The steps of a round, and how the rounds follow each other.
struct Rounds {
    body: Range<usize>,
    /// From the start of one to that of the next at most, in milliseconds; none: one behind the other.
    apart: Option<i64>,
    times: Option<u32>,
}

pub(super) fn check(program: &Program) -> Vec<Diagnostic> {
    program.journeys.iter().flat_map(|journey| of_journey(program, journey)).collect()
}

fn of_journey(program: &Program, journey: &Journey) -> Vec<Diagnostic> {
    let loops = journey.steps.iter().enumerate().filter_map(|(at, step)| match &step.kind {
        StepKind::RepeatNext { every, times, body, .. } => {
            let apart = match every {
                Some(every) => Some(longest(length(program, *every)?)),
                None => None,
            };
            Some(Rounds { body: body.index()..at, apart, times: *times })
        }
        _ => None,
    });
    loops.filter_map(|rounds| of_rounds(program, journey, &rounds)).collect()
}

fn of_rounds(program: &Program, journey: &Journey, rounds: &Rounds) -> Option<Diagnostic> {
    let (sent, takes) = one_round(program, journey, &rounds.body)?;
    let apart = rounds.apart.map_or(takes, |apart| apart.max(takes));
    sent.iter().find_map(|(key, ages)| {
        let span = first_of(program, journey, &rounds.body, *key)?;
        let cap = program.policy.caps.iter().filter(|cap| cap.channel.is_none_or(|capped| capped == key.0));
        let mut held = cap.filter_map(|cap| Some((cap, held_in(cap, ages.len(), rounds.times)?)));
        let late =
            |round: u32| apart.saturating_mul(i64::from(round - 1)).saturating_add(takes + put_off(program, key.0));
        held.find(|(cap, round)| late(*round) < cap.window).map(|(cap, round)| finding(span, cap, round))
    })
}

/// The round in which a cap has been used up by those before it, if there are so many.
fn held_in(cap: &Cap, in_a_round: usize, times: Option<u32>) -> Option<u32> {
    let in_a_round = u32::try_from(in_a_round).ok().filter(|count| *count > 0)?;
    let round = cap.count.div_ceil(in_a_round).saturating_add(1);
    // The first round is none of the later ones.
    (round > 1 && times.is_none_or(|times| times >= round)).then_some(round)
}

/// The first message of that kind in a round.
fn first_of(program: &Program, journey: &Journey, body: &Range<usize>, key: (ChannelId, TopicId)) -> Option<Span> {
    let steps = journey.steps.get(body.clone())?;
    let mut sends = steps.iter().filter_map(|step| match &step.kind {
        StepKind::Send(send) if counted(program, send) == Some(key) => Some(step.span),
        _ => None,
    });
    sends.next()
}

/// What is sent in a round on every way, with the time to its end, and how long it takes at most; none: nobody knows.
fn one_round(program: &Program, journey: &Journey, body: &Range<usize>) -> Option<(Before, i64)> {
    let mut all: Vec<Option<(Before, i64)>> = vec![None; body.len() + 1];
    *all.first_mut()? = Some((Before::new(), 0));
    for at in body.clone() {
        let Some((before, time)) = all.get(at - body.start).cloned().flatten() else { continue };
        let step = journey.steps.get(at)?;
        let id = StepId(u32::try_from(at).ok()?);
        for edge in edges(journey, id) {
            // Whoever leaves the loop has no further round.
            let Some(slot) = edge.to.index().checked_sub(body.start).filter(|_| edge.to.index() > at) else { continue };
            let Some(slot) = all.get_mut(slot) else { continue };
            let time = time.saturating_add(at_most(program, &step.kind, &edge.kind)?);
            let after = passed(program, &step.kind, &edge.kind, &before);
            *slot = Some(match slot.take() {
                Some((other, longest)) => (on_both(&other, &after), longest.max(time)),
                None => (after, time),
            });
        }
    }
    all.pop().flatten()
}

fn finding(span: Span, cap: &Cap, round: u32) -> Diagnostic {
    let message = format!("whoever got this in the rounds before does not get it in round {round}: the cap is used up");
    Diagnostic::warning(CAP_USED_UP, span, message)
        .label(cap.span, format!("lets {} through in {}", cap.count, show::window(cap.window)))
        .help("let the rounds be further apart or fewer, or raise the cap")
}
