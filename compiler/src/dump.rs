//! Listings of what the compiler made of a project: the journeys as graphs, the program as code.

mod bytecode;
mod dot;
mod graph;
mod names;

use crate::bytecode::Program;
use crate::compile::{Info, SourceFile};
use flow_grammar::span::Span;
use flow_grammar::LineIndex;

pub use names::Names;

/// Each journey as a list of its steps with their targets.
#[must_use]
pub fn graph(program: &Program, files: &[SourceFile]) -> String {
    graph::list(&Names::new(program, files))
}

/// Each journey as a graph for Graphviz.
#[must_use]
pub fn dot(program: &Program, files: &[SourceFile]) -> String {
    dot::draw(&Names::new(program, files))
}

/// The program: tables, queries, code and steps.
#[must_use]
pub fn bytecode(program: &Program, files: &[SourceFile]) -> String {
    bytecode::list(&Names::new(program, files))
}

/// The type of every expression, in the order of the source: `cart.flow:3:5  number  cart_value`.
#[must_use]
pub fn types(info: &Info, files: &[SourceFile]) -> String {
    let lines: Vec<LineIndex> = files.iter().map(|file| LineIndex::new(&file.text)).collect();
    let row = |(span, ty): &(Span, String)| {
        let index = span.file.0 as usize;
        let (file, lines) = (files.get(index)?, lines.get(index)?);
        let place = lines.line_column(&file.text, span.start);
        Some((format!("{}:{}:{}", file.path, place.line, place.column), ty.clone(), one_line(span.text(&file.text))))
    };
    let rows: Vec<(String, String, String)> = info.types.iter().filter_map(row).collect();
    let width =
        |of: fn(&(String, String, String)) -> &str| rows.iter().map(|r| of(r).chars().count()).max().unwrap_or(0);
    let (first, second) = (width(|r| &r.0), width(|r| &r.1).min(40));
    rows.iter().map(|(at, ty, text)| format!("{at:first$}  {ty:second$}  {text}\n")).collect()
}

/// Source text without its line breaks and indentation.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
