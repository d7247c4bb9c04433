//! Two journeys that send to one person, on one channel, about one topic, for one event, at one
//! instant, and no cap holds either back.

use super::Project;
use crate::bytecode::{ChannelId, Duration, EventId, Journey, StepKind, TopicId, Trigger};
use crate::codes::TWO_MESSAGES;
use crate::diagnostic::Diagnostic;
use flow_grammar::span::Span;

/// A message that is certainly tried so long after the entry.
struct Message {
    after: Duration,
    channel: ChannelId,
    topic: TopicId,
    span: Span,
}

pub(super) fn check(project: Project<'_>) -> Vec<Diagnostic> {
    let journeys = &project.program.journeys;
    let messages: Vec<Vec<Message>> = journeys.iter().map(|journey| certain(project, journey)).collect();
    let mut found = Vec::new();
    for (n, (one, of_one)) in journeys.iter().zip(&messages).enumerate() {
        for (other, of_other) in journeys.iter().zip(&messages).skip(n + 1) {
            if begin_together(one, other) {
                found.extend(pair(one, of_one, of_other));
            }
        }
    }
    found
}

fn pair(one: &Journey, of_one: &[Message], of_other: &[Message]) -> Option<Diagnostic> {
    let same = |a: &Message, b: &Message| (a.after, a.channel, a.topic) == (b.after, b.channel, b.topic);
    let (first, second) = of_other.iter().find_map(|b| Some((of_one.iter().find(|a| same(a, b))?, b)))?;
    let message = format!("`{}` sends to the same people at the same moment on the same channel", one.name);
    let found = Diagnostic::warning(TWO_MESSAGES, second.span, message)
        .help("let one of the two wait, give them different triggers, or declare a cap (`at most 1 message per 1d`)");
    Some(if first.span.file == second.span.file { found.label(first.span, "the other message") } else { found })
}

/// Whether one event lets people into both, whatever it carries.
fn begin_together(one: &Journey, other: &Journey) -> bool {
    let events = |journey: &Journey| -> Vec<EventId> {
        let plain = journey.triggers.iter().filter_map(|trigger| match trigger {
            Trigger::Event { event, filter: None } => Some(*event),
            _ => None,
        });
        plain.collect()
    };
    let of_other = events(other);
    // An exit or a holdout could keep a person out of one of them.
    let plain = |journey: &Journey| journey.exits.is_empty() && journey.holdout.is_none();
    plain(one) && plain(other) && one.enter == other.enter && events(one).iter().any(|event| of_other.contains(event))
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
            let transactional = project.program.topics.get(send.topic.index()).is_some_and(|topic| topic.transactional);
            if let ([channel], None, false) = (send.channels.as_slice(), &send.to, transactional) {
                if !capped(*channel) {
                    messages.push(Message { after, channel: *channel, topic: send.topic, span: step.span });
                }
            }
        }
    }
    messages
}
