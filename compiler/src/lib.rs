//! Syntax tree to checked, verified program.
pub mod bytecode;
pub mod compile;
pub mod compile_codes;
pub mod diagnostic;
pub mod testcase;
