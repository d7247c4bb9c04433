//! Syntax tree to checked, verified program.
pub mod bytecode;
pub mod diagnostic;
pub mod testcase;
