//! A naive evaluator of the syntax tree, and the engine compared with it.
//!
//! The oracle is slow and obvious: it keeps lists of everything that happened, evaluates conditions by recursion
//! over the tree, and finds what time alone changes by looking at everything again and again. It shares nothing with the
//! engine but the calendar and the arithmetic of values.
//!
//! `FLOW_ORACLE_CASES=100000` runs more generated cases than usual, `FLOW_ORACLE_SEED=17` one of them again.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod case;
mod conformance;
mod evaluate;
mod ingest;
mod oracle;
mod person;
mod project;
mod steps;
mod time;
