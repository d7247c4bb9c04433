//! Program and inputs to messages.
pub mod answers;
pub mod calendar;
pub mod engine;
pub mod ingest;
pub mod message;
pub mod output;
pub mod pack;
pub mod render;
pub mod replay;
pub mod testing;
pub mod vm;
pub mod words;
