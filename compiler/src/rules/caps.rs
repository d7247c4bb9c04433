//! A cap that lets a message never through: earlier messages of the same instant, on the same
//! channel and about the same topic, have always used it up.

use super::Project;
use crate::bytecode::{Cap, ChannelId, Journey, Program, Send, StepId, StepKind, TopicId};
use crate::codes::CAP_BLOCKS_STEP;
use crate::diagnostic::Diagnostic;
use crate::graph::edges;
use crate::show;
use flow_grammar::span::Span;
use std::collections::BTreeMap;

/// How many messages have at least been tried since time last passed.
type Tried = BTreeMap<(ChannelId, TopicId), u32>;

pub(super) fn check(project: Project<'_>) -> Vec<Diagnostic> {
    let held = held_back(project.program, tried, blocking);
    held.into_iter().map(|(span, cap)| finding(span, cap)).collect()
}

/// The places of messages that a cap always holds back, each with the first such cap. `before` says of each step of a
/// journey that can be reached what came before it, `by` which cap holds a message back after that. A place in a `for`
/// is met several times; it counts only when it is held back each time.
pub(super) fn held_back<'p, B>(
    program: &'p Program,
    before: impl Fn(&Program, &Journey) -> Vec<Option<B>>,
    by: impl Fn(&'p Program, &Send, &B) -> Option<&'p Cap>,
) -> Vec<(Span, &'p Cap)> {
    let mut places: BTreeMap<Span, (usize, Vec<&Cap>)> = BTreeMap::new();
    for journey in &program.journeys {
        for (step, before) in journey.steps.iter().zip(before(program, journey)) {
            let (StepKind::Send(send), Some(before)) = (&step.kind, before) else { continue };
            let place = places.entry(step.span).or_default();
            place.0 += 1;
            place.1.extend(by(program, send, &before));
        }
    }
    let always = places.into_iter().filter(|(_, (times, caps))| caps.len() == *times);
    always.filter_map(|(span, (_, caps))| Some((span, *caps.first()?))).collect()
}

fn finding(span: Span, cap: &Cap) -> Diagnostic {
    let message = "this message is never sent: those just before it have used up the cap";
    Diagnostic::warning(CAP_BLOCKS_STEP, span, message)
        .label(cap.span, format!("lets {} through in {}", cap.count, show::window(cap.window)))
        .help("wait before this message, raise the cap, or remove the message")
}

fn blocking<'p>(program: &'p Program, send: &Send, tried: &Tried) -> Option<&'p Cap> {
    let key = counted(program, send)?;
    let before = tried.get(&key).copied().unwrap_or(0);
    program.policy.caps.iter().find(|cap| cap.channel.is_none_or(|channel| channel == key.0) && before >= cap.count)
}

/// What a message counts as: only plain ones, so that what stops one stops the other.
pub(super) fn counted(program: &Program, send: &Send) -> Option<(ChannelId, TopicId)> {
    let transactional = program.is_transactional(send.topic);
    match (send.channels.as_slice(), &send.to) {
        ([channel], None) if !transactional => Some((*channel, send.topic)),
        _ => None,
    }
}

/// For each step that can be reached, what has been tried at least before it.
fn tried(program: &Program, journey: &Journey) -> Vec<Option<Tried>> {
    let mut before: Vec<Option<Tried>> = vec![None; journey.steps.len()];
    if let Some(first) = before.first_mut() {
        *first = Some(Tried::new());
    }
    for (at, step) in journey.steps.iter().enumerate() {
        let Some(mut after) = before.get(at).cloned().flatten() else { continue };
        match &step.kind {
            StepKind::Send(send) => {
                if let Some(key) = counted(program, send) {
                    *after.entry(key).or_default() += 1;
                }
            }
            StepKind::Branch { .. } | StepKind::Jump(_) | StepKind::Split { .. } | StepKind::Set { .. } => {}
            StepKind::Audience { .. } | StepKind::Emit { .. } | StepKind::Start(_) | StepKind::RepeatBegin { .. } => {}
            StepKind::RepeatNext { every: None, .. } => {}
            // Time may pass.
            _ => after.clear(),
        }
        let id = StepId(u32::try_from(at).unwrap_or(u32::MAX));
        for edge in edges(journey, id).into_iter().filter(|edge| edge.to.index() > at) {
            let Some(slot) = before.get_mut(edge.to.index()) else { continue };
            *slot = Some(match slot.take() {
                Some(other) => fewest(&other, &after),
                None => after.clone(),
            });
        }
    }
    before
}

fn fewest(a: &Tried, b: &Tried) -> Tried {
    a.iter().filter_map(|(key, n)| Some((*key, *n.min(b.get(key)?)))).collect()
}
