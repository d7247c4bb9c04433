//! Quiet hours that are never over: together they cover the whole day, so that a message is put off for ever.

use super::Project;
use crate::bytecode::{ChannelId, Program, QuietHours, StepKind};
use crate::codes::ALWAYS_QUIET;
use crate::diagnostic::Diagnostic;
use flow_grammar::ast::{Item, PolicyKind};
use flow_grammar::span::Span;
use std::collections::BTreeMap;

const DAY: u32 = 86_400_000;

pub(super) fn check(project: Project<'_>) -> Vec<Diagnostic> {
    let program = project.program;
    // The program has the rules in the order of the source.
    let rules: Vec<(Span, &QuietHours)> = places(project).into_iter().zip(&program.policy.quiet).collect();
    // Channels with the same rules are one finding.
    let mut closed: BTreeMap<Vec<Span>, Vec<ChannelId>> = BTreeMap::new();
    for channel in (0..).map(ChannelId).take(program.channels.len()) {
        let concern = |hours: &QuietHours| hours.channels.is_empty() || hours.channels.contains(&channel);
        let here: Vec<(Span, &QuietHours)> = rules.iter().filter(|(_, hours)| concern(hours)).copied().collect();
        if covers_the_day(here.iter().map(|(_, hours)| *hours)) {
            closed.entry(here.into_iter().map(|(span, _)| span).collect()).or_default().push(channel);
        }
    }
    closed.iter().filter_map(|(rules, channels)| finding(program, rules, channels)).collect()
}

/// Where quiet hours are declared.
fn places(project: Project<'_>) -> Vec<Span> {
    let items = project.files.iter().flat_map(|file| &file.items);
    let rules = items.filter_map(|item| match item {
        Item::Policy(policy) => Some(&policy.rules),
        _ => None,
    });
    let quiet = rules.flatten().filter(|rule| matches!(rule.kind, PolicyKind::QuietHours { .. }));
    quiet.map(|rule| rule.span).collect()
}

fn covers_the_day<'p>(rules: impl Iterator<Item = &'p QuietHours>) -> bool {
    let mut stretches: Vec<(u32, u32)> = Vec::new();
    for hours in rules {
        if hours.from < hours.to {
            stretches.push((hours.from, hours.to));
        } else {
            stretches.extend([(hours.from, DAY), (0, hours.to)]);
        }
    }
    stretches.sort_unstable();
    let quiet_until =
        stretches.into_iter().fold(0, |until, (from, to)| if from <= until { until.max(to) } else { until });
    quiet_until >= DAY
}

fn finding(program: &Program, rules: &[Span], channels: &[ChannelId]) -> Option<Diagnostic> {
    let (last, others) = rules.split_last()?;
    let message = first_message(program, channels)?;
    let names = channels.iter().filter_map(|id| program.channels.get(id.index()));
    let names: Vec<String> = names.map(|channel| format!("`{}`", channel.name)).collect();
    let text = format!("no message on {} ever leaves: quiet hours cover the whole day", names.join(", "));
    let found = Diagnostic::warning(ALWAYS_QUIET, *last, text)
        .help("leave some hours of the day free, or give messages that must go at any time the topic `transactional`");
    let found = others.iter().fold(found, |found, rule| found.label(*rule, "quiet together with this"));
    Some(found.label(message, "this message is put off for ever"))
}

/// A message that can go nowhere else, and that quiet hours hold back.
fn first_message(program: &Program, closed: &[ChannelId]) -> Option<Span> {
    let steps = program.journeys.iter().flat_map(|journey| &journey.steps);
    let mut held = steps.filter(|step| match &step.kind {
        StepKind::Send(send) => {
            let nowhere = !send.channels.is_empty() && send.channels.iter().all(|channel| closed.contains(channel));
            nowhere && !program.is_transactional(send.topic)
        }
        _ => false,
    });
    held.next().map(|step| step.span)
}
