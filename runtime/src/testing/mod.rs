//! Runs `test` items: one person, the same engine as everywhere, simulated time.

mod judge;
mod play;
mod timeline;

use crate::engine::aside::Explained;
use crate::engine::Engine;
use crate::ingest::schema::Schema;
use flow_compiler::testcase::TestCase;
use flow_grammar::span::Span;
use rayon::prelude::*;
use std::sync::OnceLock;

/// How a test went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What did not hold, in the order of the lines; empty: the test passed.
    pub failures: Vec<Failure>,
    /// What the test says happens and is expected, in order of time.
    pub expected: Vec<Entry>,
    /// What came about, in order of time.
    pub actual: Vec<Entry>,
}

/// An expectation that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The line of the test.
    pub span: Span,
    /// What was expected, and what came: one sentence, lower case, without a full stop.
    pub message: String,
    /// Steps that decided, with a few words each.
    pub steps: Vec<(Span, String)>,
}

/// A line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, milliseconds since 1970.
    pub time: i64,
    /// When, on the person's clock.
    pub local: String,
    /// What, as in `email cart_reminder`.
    pub text: String,
    /// A condition in the source, and the place in the text where it belongs.
    pub quoted: Option<(usize, Span)>,
    /// The step behind it.
    pub step: Option<Span>,
    /// Whether it is what is wrong.
    pub wrong: bool,
}

/// Runs tests, several at a time; the verdicts stand in the order of the tests.
#[must_use]
pub fn run(engine: &Engine, schema: &Schema, tests: &[&TestCase]) -> Vec<Verdict> {
    let explaining = OnceLock::new();
    let judge = |test: &&TestCase| {
        let verdict = judge::judge(engine, schema, test);
        if verdict.failures.is_empty() {
            return verdict;
        }
        // Whoever looks at a failure wants to know what decided; telling it costs time, so only then.
        judge::judge(explaining.get_or_init(|| engine.explaining(Explained::Everybody)), schema, test)
    };
    tests.par_iter().map(judge).collect()
}
