//! A program with its inputs, and what the oracle makes of it.

use crate::ingest::{Line, Reader};
use crate::oracle::{Effect, Kind, Oracle};
use crate::project::Project;
use flow_grammar::ast::{ExprKind, PolicyKind};
use flow_runtime::calendar;

/// A program and its inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// Path and text, in order.
    pub sources: Vec<(String, String)>,
    pub timezone: String,
    /// JSON lines in order of arrival.
    pub inputs: Vec<String>,
    /// When to stop; none: a year after the last input.
    pub until: Option<i64>,
}

/// Reads a case's inputs.
pub fn lines(project: &Project, case: &Case) -> Vec<Line> {
    let mut reader = Reader::default();
    case.inputs.iter().map(|line| reader.read(project, line)).collect()
}

/// When a run ends.
pub fn end(case: &Case, lines: &[Line]) -> i64 {
    let last = last(lines);
    case.until.unwrap_or_else(|| {
        let (day, ms) = (last.div_euclid(calendar::DAY) as i32, last.rem_euclid(calendar::DAY));
        i64::from(calendar::add_to_date(day, 12, 0)) * calendar::DAY + ms
    })
}

/// The time of the last input.
pub fn last(lines: &[Line]) -> i64 {
    lines.iter().filter_map(time).max().unwrap_or(0)
}

fn time(line: &Line) -> Option<i64> {
    match line {
        Line::Input { time, .. } | Line::Join { time, .. } | Line::Clock(time) => Some(*time),
        Line::Nothing => None,
    }
}

/// What the oracle says. None: a chain of causes is too long to be told.
pub fn foretell(project: &Project, case: &Case, grain: Option<i64>) -> Option<Vec<Effect>> {
    let lines = lines(project, case);
    let end = end(case, &lines);
    let first = lines.iter().filter_map(time).min().unwrap_or(end);
    let grain = grain.unwrap_or_else(|| {
        // Where no clock on the wall is looked at, ends of waits and windows are all there is to see.
        let clock = |text: &str| ["on every", "on date", "now", "today"].iter().any(|word| text.contains(word));
        if !case.sources.iter().any(|(_, text)| text.lines().any(|l| !l.starts_with('#') && clock(l))) {
            return calendar::DAY;
        }
        let fits = [60_000, 300_000, 900_000, 1_800_000].into_iter().find(|g| (end - first) / g < 10_000);
        fits.unwrap_or(1_800_000)
    });
    let mut oracle = Oracle::new(project, grain);
    for line in lines {
        match line {
            Line::Input { id, time, input } => oracle.input(&id, time, input),
            Line::Clock(time) => oracle.advance(time),
            Line::Nothing => {}
            Line::Join { anonymous, known, time, input } => {
                oracle.advance(time);
                let (a, k) = (oracle.person(&anonymous), oracle.person(&known));
                if a != k {
                    oracle.merge(k, a);
                    oracle.aliases.insert(anonymous, known.clone());
                }
                if let Some(input) = input {
                    oracle.input(&known, time, input);
                }
            }
        }
    }
    oracle.finish(end);
    (!oracle.cut).then_some(oracle.effects)
}

/// `at most N for everyone` puts messages off, where they leave.
pub fn throttled(project: &Project, mut effects: Vec<Effect>) -> Vec<Effect> {
    for rule in &project.rules {
        let PolicyKind::Cap { count, channel, window, everyone: true } = rule else { continue };
        let ExprKind::Duration(window) = window.kind else { panic!("a length of time") };
        let window = crate::project::length(window).window_millis();
        let mut handed: Vec<i64> = Vec::new();
        effects.sort_by_key(|e| e.time);
        for effect in &mut effects {
            match &effect.kind {
                Kind::Message { channel: c, transactional: false, .. }
                    if channel.as_ref().is_none_or(|n| n.text == *c) =>
                {
                    while handed.iter().filter(|t| **t > effect.time - window).count() as i64 >= *count {
                        effect.time += 1000;
                    }
                    handed.push(effect.time);
                }
                _ => {}
            }
        }
    }
    effects
}

/// The `timezone` of a `flow.toml`.
pub fn timezone_of(toml: &str) -> Option<&str> {
    toml.lines().find_map(|line| line.trim().strip_prefix("timezone")?.split('"').nth(1))
}
