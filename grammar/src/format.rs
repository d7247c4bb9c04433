//! `flowc fmt`: one layout for every program.
//!
//! The tokens are put on lines again, each exactly once and in their order; the tree says where lines
//! may begin. So comments stay where they stand, and nothing can get lost. A thing stays on one line
//! if it fits there, unless its author broke the line behind its `{`.

mod items;
mod marks;
mod points;
mod printer;
mod steps;
#[cfg(test)]
mod tests;
mod tokens;

use crate::dump::dump;
use crate::error::SyntaxError;
use crate::lower::parse;
use crate::span::FileId;

/// Why a text was not formatted.
#[derive(Clone, Debug)]
pub enum Unformatted {
    /// It has syntax errors; their places are those of the file 0.
    Errors(Vec<SyntaxError>),
    /// Its layout would have changed what it means. This is a mistake of the formatter.
    Changed(String),
}

/// The text in its one layout.
///
/// # Errors
/// When the text has syntax errors, or when the result would not have the same tree.
pub fn format(source: &str) -> Result<String, Unformatted> {
    let parsed = parse(FileId(0), source);
    if !parsed.errors.is_empty() {
        return Err(Unformatted::Errors(parsed.errors));
    }
    let atoms = marks::atoms(&parsed.file, source);
    let mut tokens = tokens::tokens(source, &atoms);
    let marks = marks::marks(&parsed.file, &tokens);
    marks::move_comments(&mut tokens, &marks);
    let mut printer = printer::Printer::new(&tokens, marks);
    printer.file(&parsed.file);
    let out = printer.out;
    let again = parse(FileId(0), &out);
    if !again.errors.is_empty() || dump(&again.file) != dump(&parsed.file) {
        return Err(Unformatted::Changed(out));
    }
    Ok(out)
}
