//! A naive evaluator of the syntax tree, and the engine compared with it.
//!
//! The oracle is slow and obvious: it keeps lists of everything that happened, evaluates conditions by recursion
//! over the tree, and finds what time alone changes by looking at everything again and again. It shares nothing with the
//! engine but the calendar and the arithmetic of values.
//!
//! `FLOW_ORACLE_CASES=100000` runs more generated cases than usual, `FLOW_ORACLE_SEED=17` one of them again.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod case;
mod compare;
mod conditions;
mod conformance;
mod engine;
mod evaluate;
mod ingest;
mod inputs;
mod oracle;
mod person;
mod programs;
mod project;
mod random;
mod steps;
mod time;
mod tree;
