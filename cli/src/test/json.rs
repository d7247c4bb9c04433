//! The result as JSON.

use super::Ran;
use crate::sources::Sources;
use flow_grammar::span::Span;
use flow_runtime::calendar::instant_text;
use flow_runtime::testing::Entry;
use serde::Serialize;

#[derive(Serialize)]
struct Result<'t> {
    tests: usize,
    failed: usize,
    cases: Vec<Case<'t>>,
}

#[derive(Serialize)]
struct Case<'t> {
    project: &'t str,
    name: &'t str,
    at: Place<'t>,
    passed: bool,
    failures: Vec<Failure<'t>>,
    expected: Vec<Line<'t>>,
    actual: Vec<Line<'t>>,
}

#[derive(Serialize)]
struct Failure<'t> {
    message: &'t str,
    at: Place<'t>,
    steps: Vec<Step<'t>>,
}

#[derive(Serialize)]
struct Step<'t> {
    text: &'t str,
    at: Place<'t>,
}

#[derive(Serialize)]
struct Line<'t> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    local: &'t str,
    text: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<Place<'t>>,
    wrong: bool,
}

#[derive(Serialize)]
struct Place<'t> {
    file: &'t str,
    line: u32,
    column: u32,
}

/// One object, with what was expected and what came for each test.
pub fn text(ran: &[Ran<'_>]) -> String {
    let cases = ran.iter().map(|test| Case {
        project: test.project,
        name: &test.case.name,
        at: place(test.sources, test.case.span),
        passed: test.passed(),
        failures: test
            .verdict
            .failures
            .iter()
            .map(|failure| Failure {
                message: &failure.message,
                at: place(test.sources, failure.span),
                steps: failure.steps.iter().map(|(span, text)| Step { text, at: place(test.sources, *span) }).collect(),
            })
            .collect(),
        expected: lines(test.sources, &test.verdict.expected),
        actual: lines(test.sources, &test.verdict.actual),
    });
    let result =
        Result { tests: ran.len(), failed: ran.iter().filter(|test| !test.passed()).count(), cases: cases.collect() };
    serde_json::to_string_pretty(&result).unwrap_or_default() + "\n"
}

fn lines<'t>(sources: &'t Sources<'_>, entries: &'t [Entry]) -> Vec<Line<'t>> {
    let line = |entry: &'t Entry| Line {
        time: (entry.time < i64::MAX).then(|| instant_text(entry.time)),
        local: &entry.local,
        text: &entry.text,
        step: entry.step.map(|span| place(sources, span)),
        wrong: entry.wrong,
    };
    entries.iter().map(line).collect()
}

fn place<'t>(sources: &'t Sources<'_>, span: Span) -> Place<'t> {
    let place = sources.place(span.file, span.start);
    Place { file: sources.path(span.file), line: place.line, column: place.column }
}
