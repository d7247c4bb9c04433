//! Text to spanned syntax tree.
//!
//! [`parse`] never fails: it returns a tree and a list of errors. What could not be understood
//! stays in the tree as a `Broken` node and has exactly one error, so whoever works on the tree
//! reports nothing about such a node.
//!
//! The way of the text: `scan` looks at brackets, quotes and comments, and repairs what would
//! confuse a grammar; `flow.pest` is the grammar; `lower` turns its pairs into the tree of [`ast`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

// Trees are built once and matched on everywhere; boxing the large variants would only get in the way.
#[allow(clippy::large_enum_variant)]
pub mod ast;
mod codes;
mod dump;
mod error;
mod expected;
mod format;
mod line_index;
pub mod liquid;
mod lower;
mod moved;
mod parser;
pub mod pieces;
mod recover;
mod scan;
pub mod span;
mod spell;
pub mod walk;

pub use codes::CODES;
pub use dump::dump;
pub use error::{Fix, SyntaxError};
pub use format::{format, Unformatted};
pub use line_index::{LineColumn, LineIndex};
pub use lower::{in_common, parse, parse_again, parse_expression, parse_first, Memo, Parse};
pub use recover::step_meant;
pub use scan::{MAX_NESTING, MAX_SOURCE_BYTES};
pub use span::{FileId, Span};
