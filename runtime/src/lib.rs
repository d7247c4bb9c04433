//! Program and inputs to messages.
pub mod engine;
pub mod vm;
