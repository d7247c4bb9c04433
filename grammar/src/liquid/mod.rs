//! Liquid, the language of message templates: text to spanned tree.
//!
//! [`parse_template`] never fails: it returns a tree and a list of errors, and what could not be understood
//! stays in the tree as a `Broken` node that has exactly one error.
//!
//! The way of the text: `front` reads the lines between `---`; `liquid.pest` cuts the rest into `pieces`;
//! `blocks` nests them; `markup` reads what stands inside each tag.

mod blocks;
mod codes;
pub mod filters;
mod front;
mod markup;
mod pieces;
mod tree;

#[cfg(test)]
mod tests;

pub use blocks::{BLOCKS, TAGS};
pub use codes::*;
pub use tree::*;

use crate::error::SyntaxError;
use crate::span::{FileId, Span};

/// How deep blocks, and brackets inside a tag, may nest.
pub const MAX_NESTING: usize = 64;
/// How long a template may be.
pub const MAX_TEMPLATE_BYTES: usize = 1024 * 1024;

/// A tree and what is wrong with the text.
#[derive(Clone, Debug, PartialEq)]
pub struct LiquidParse {
    /// The tree; what could not be understood is `Broken` in it.
    pub template: Template,
    /// The errors, in the order of their places.
    pub errors: Vec<SyntaxError>,
}

/// Parses a template, whatever is in it.
#[must_use]
pub fn parse_template(file: FileId, source: &str) -> LiquidParse {
    let end = u32::try_from(source.len()).unwrap_or(u32::MAX);
    if source.len() > MAX_TEMPLATE_BYTES {
        let span = Span::new(file, 0, 0);
        let message = format!("the template has {end} bytes, and {MAX_TEMPLATE_BYTES} are the most");
        let errors = vec![SyntaxError::new(TOO_LONG, span, message).help("put parts into files and `render` them")];
        return LiquidParse { template: Template { span, ..Template::default() }, errors };
    }
    let mut source = Source { file, text: source, errors: Vec::new() };
    let (front, start) = front::read(&mut source);
    let body = blocks::read(&mut source, start, end);
    let mut errors = source.errors;
    errors.sort_by_key(|error| error.span);
    LiquidParse { template: Template { front, body, span: Span::new(file, start, end) }, errors }
}

/// A template while it is read.
struct Source<'s> {
    file: FileId,
    text: &'s str,
    errors: Vec<SyntaxError>,
}

impl<'s> Source<'s> {
    fn span(&self, start: u32, end: u32) -> Span {
        Span::new(self.file, start, end)
    }

    fn text(&self, span: Span) -> &'s str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn name(&self, span: Span) -> Name {
        Name { text: self.text(span).to_owned(), span }
    }
}

/// The parser that pest makes of `liquid.pest`.
mod parser {
    #![allow(missing_docs, clippy::all, clippy::indexing_slicing)]

    #[derive(pest_derive::Parser)]
    #[grammar = "liquid/liquid.pest"]
    pub(super) struct LiquidParser;
}
