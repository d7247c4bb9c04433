//! Two journeys that send to one person, on one channel, about one topic, for one event, at one
//! instant, and no cap holds either back.

use super::Project;
use crate::bytecode::{ChannelId, CodeId, Duration, EventId, Journey, StepKind, TopicId, Trigger};
use crate::codes::TWO_MESSAGES;
use crate::diagnostic::Diagnostic;
use flow_grammar::span::Span;
use std::collections::BTreeMap;

/// A message that is certainly tried so long after the entry.
struct Message {
    after: Duration,
    channel: ChannelId,
    topic: TopicId,
    span: Span,
}

pub(super) fn check(project: Project<'_>) -> Vec<Diagnostic> {
    // The first journey that sends on this event, so long after it, on this channel, about this topic.
    let mut first: BTreeMap<Key, (&Journey, Span)> = BTreeMap::new();
    let mut found = Vec::new();
    for journey in project.program.journeys.iter().filter(|journey| may_send_all(journey)) {
        let messages = certain(project, journey);
        let mut told = false;
        for trigger in &journey.triggers {
            let Trigger::Event { event, filter } = trigger else { continue };
            for message in &messages {
                let after = (message.after.months, message.after.days, message.after.millis);
                let key = (*event, *filter, after, message.channel, message.topic);
                match first.get(&key) {
                    Some((other, _)) if told || std::ptr::eq(*other, journey) => {}
                    Some((other, span)) => {
                        told = true;
                        found.push(pair(other, *span, message));
                    }
                    None => {
                        first.insert(key, (journey, message.span));
                    }
                }
            }
        }
    }
    found
}

/// The event and what is asked of it, how long after it, channel and topic.
type Key = (EventId, Option<CodeId>, (i32, i32, i64), ChannelId, TopicId);

/// Whether a person that enters for the first time is sent everything: an exit or a holdout could keep it back.
fn may_send_all(journey: &Journey) -> bool {
    journey.exits.is_empty() && journey.holdout.is_none()
}

fn pair(one: &Journey, first: Span, second: &Message) -> Diagnostic {
    let message = format!("`{}` sends to the same people at the same moment on the same channel", one.name);
    let found = Diagnostic::warning(TWO_MESSAGES, second.span, message)
        .help("let one of the two wait, give them different triggers, or declare a cap (`at most 1 message per 1d`)");
    found.label(first, "the other message")
}

/// The messages before which a journey asks nothing.
fn certain(project: Project<'_>, journey: &Journey) -> Vec<Message> {
    let capped = |channel: ChannelId| {
        project.program.policy.caps.iter().any(|cap| cap.channel.is_none_or(|capped| capped == channel))
    };
    let mut messages = Vec::new();
    let mut after = Duration::default();
    let mut at = 0;
    while let Some(step) = journey.steps.get(at) {
        let Some(wait) = project.fixed_wait(&step.kind) else { break };
        after.months = after.months.saturating_add(wait.months);
        after.days = after.days.saturating_add(wait.days);
        after.millis = after.millis.saturating_add(wait.millis);
        at = match &step.kind {
            StepKind::Jump(to) => to.index(),
            StepKind::End => break,
            _ => at + 1,
        };
        if let StepKind::Send(send) = &step.kind {
            let transactional = project.program.is_transactional(send.topic);
            if let ([channel], None, false) = (send.channels.as_slice(), &send.to, transactional) {
                if !capped(*channel) {
                    messages.push(Message { after, channel: *channel, topic: send.topic, span: step.span });
                }
            }
        }
    }
    messages
}
