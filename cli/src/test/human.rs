//! The result for people.

use super::Ran;
use crate::render::{self, counted};
use flow_compiler::diagnostic::{Diagnostic, Label};
use flow_runtime::testing::{Entry, Failure};

/// Failures one after the other, then a count.
pub fn text(ran: &[Ran<'_>], colour: bool) -> String {
    let mut out = String::new();
    for test in ran.iter().filter(|test| !test.passed()) {
        let heading = format!("failed: test {:?}", test.case.name);
        for failure in &test.verdict.failures {
            out += render::one(&heading, &diagnostic(failure), test.sources, colour).trim_end();
            out += "\n\n";
        }
        out += &timelines(test);
        out.push('\n');
    }
    let failed = ran.iter().filter(|test| !test.passed()).count();
    match (ran.len(), failed) {
        (0, _) => {}
        (all, 0) => out += &format!("{} passed\n", counted(all, "test")),
        (all, failed) => out += &format!("{failed} of {} failed\n", counted(all, "test")),
    }
    out
}

/// A failure as a finding, so that it is shown as all findings are.
fn diagnostic(failure: &Failure) -> Diagnostic {
    let mut found = Diagnostic::error("test", failure.span, failure.message.clone());
    found.labels = failure.steps.iter().map(|(span, text)| Label { span: *span, text: text.clone() }).collect();
    found
}

/// Expected and actual, side by side; a `!` marks what is wrong.
fn timelines(test: &Ran<'_>) -> String {
    let mut rows = vec![[String::new(), "time".into(), "expected".into(), "came".into(), "by".into()]];
    let (mut left, mut right) = (test.verdict.expected.iter().peekable(), test.verdict.actual.iter().peekable());
    loop {
        let time = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(one), None) | (None, Some(one)) => one.time,
            (Some(one), Some(other)) => one.time.min(other.time),
        };
        let at = |entries: &mut std::iter::Peekable<std::slice::Iter<'_, Entry>>| {
            entries.next_if(|entry| entry.time == time).cloned()
        };
        let mut first = true;
        loop {
            let (expected, came) = (at(&mut left), at(&mut right));
            let Some(any) = expected.as_ref().or(came.as_ref()) else { break };
            let wrong = [&expected, &came].into_iter().flatten().any(|entry| entry.wrong);
            let by = came.as_ref().and_then(|entry| entry.step).map(|span| test.sources.at(span)).unwrap_or_default();
            rows.push([
                if wrong { "!".to_owned() } else { String::new() },
                if std::mem::take(&mut first) { any.local.clone() } else { String::new() },
                expected.map(|entry| entry.text).unwrap_or_default(),
                came.map(|entry| entry.text).unwrap_or_default(),
                by,
            ]);
        }
    }
    table(&rows)
}

/// Columns as wide as they need to be.
fn table(rows: &[[String; 5]]) -> String {
    let mut widths = [0; 5];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line += &format!("  {cell:<width$}");
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}
