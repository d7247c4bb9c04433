//! Text to spanned syntax tree.
pub mod ast;
pub mod span;
