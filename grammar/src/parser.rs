//! The parser that pest makes of `flow.pest`.

#![allow(missing_docs, clippy::all, clippy::indexing_slicing)]

#[derive(pest_derive::Parser)]
#[grammar = "flow.pest"]
pub(crate) struct FlowParser;
