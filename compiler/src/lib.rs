//! Syntax tree to checked, verified program.
pub mod bytecode;
pub mod codes;
pub mod compile;
pub mod compile_codes;
pub mod diagnostic;
pub mod dump;
pub mod graph;
pub mod lines;
pub mod nearest;
pub mod project;
pub mod report;
pub mod show;
pub mod testcase;
pub mod verify;
