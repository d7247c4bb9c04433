//! Program and inputs to messages.
pub mod calendar;
pub mod engine;
pub mod vm;
