//! Templates to text: what a message finally says.
//!
//! A template is read by `flow_grammar::liquid`, made ready once by [`Template::compile`], and rendered any number of
//! times by [`render`]. Rendering is a function: the same template, values and moment give the same text. It cannot
//! fail but by exceeding one of the bounds below, and then says where.

mod code;
mod compare;
mod compile;
mod data;
mod filters;
mod locale;
mod markup;
mod moment;
mod run;
mod set;
mod strftime;

#[cfg(test)]
mod tests;

pub use code::Template;
pub use compile::Problem;
pub use data::{Data, List, Object, Record, Sequence, Source, Text};
use markup::escape_from;
pub use markup::{push_escaped, strip_html};
pub use run::{render, Rendered};
pub use set::Templates;

use flow_grammar::span::Span;
use jiff::tz::TimeZone;

/// How many rounds all loops of one message may take together.
pub const MAX_ROUNDS: usize = 10_000;
/// How deep blocks and rendered files may nest while a message is made.
pub const MAX_DEPTH: usize = 100;
/// How long a text may become, in bytes.
pub const MAX_TEXT_BYTES: usize = 2 * 1024 * 1024;
/// How long a list may become.
pub const MAX_LIST: usize = 50_000;
/// How much filters may read and write for one message, in bytes.
pub const MAX_WORK: usize = 64 * 1024 * 1024;

/// What holds while a message is made.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The present instant, in milliseconds since 1970.
    pub now: i64,
    /// The person's zone.
    pub zone: &'a TimeZone,
    /// The language of the text (`it`, `pt_BR`): that of month names. Empty: English.
    pub locale: &'a str,
    /// `{{ … }}` is written as HTML that shows it, unless `| raw`.
    pub escape: bool,
}

/// Why a message could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderError {
    /// What was exceeded.
    pub kind: Limit,
    /// Where in the template.
    pub span: Span,
    /// The template's path.
    pub path: String,
}

/// What rendering can exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`MAX_ROUNDS`]
    Rounds,
    /// [`MAX_DEPTH`]
    Depth,
    /// [`MAX_TEXT_BYTES`]
    Text,
    /// [`MAX_LIST`]
    List,
    /// [`MAX_WORK`]
    Work,
    /// A file to `render` that there is not.
    File,
}

impl Limit {
    /// One sentence.
    #[must_use]
    pub fn message(self) -> String {
        match self {
            Self::Rounds => format!("the loops of the message take more than {MAX_ROUNDS} rounds"),
            Self::Depth => format!("blocks and rendered files nest more than {MAX_DEPTH} deep"),
            Self::Text => format!("a text of the message has more than {MAX_TEXT_BYTES} bytes"),
            Self::List => format!("a list has more than {MAX_LIST} elements"),
            Self::Work => "the filters of the message have too much to do".to_owned(),
            Self::File => "the file to render is not there".to_owned(),
        }
    }
}

impl std::fmt::Display for RenderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.kind.message())
    }
}

impl std::error::Error for RenderError {}
