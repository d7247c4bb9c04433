//! A first look at the text. (Filled in below.)

use crate::error::SyntaxError;
use crate::span::FileId;

/// How deep brackets, blocks and holes in texts may nest.
pub const MAX_NESTING: usize = 64;
/// How long a file may be.
pub const MAX_SOURCE_BYTES: usize = 4 * 1024 * 1024;

pub(crate) struct Scan {
    pub text: String,
    pub errors: Vec<SyntaxError>,
    pub comments: Vec<(u32, u32)>,
    pub blanked: Vec<(u32, u32)>,
}

pub(crate) fn scan(_file: FileId, source: &str) -> Scan {
    Scan { text: source.to_owned(), errors: vec![], comments: vec![], blanked: vec![] }
}
