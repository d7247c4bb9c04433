//! What operators read: one JSON object a line on standard error, without anything about a person.

use flow_runtime::calendar::write_instant;
use std::io::Write;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Info,
    /// Something to look at.
    Warning,
    /// Something does not work.
    Error,
}

/// Writes a line: what happened, and some numbers or names that belong to it.
pub fn say(level: Level, what: &str, details: &[(&str, &dyn ToString)]) {
    let mut line = br#"{"time":""#.to_vec();
    write_instant(&mut line, crate::clock::now());
    let word = match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    line.extend_from_slice(b"\",\"level\":");
    push(&mut line, word);
    line.extend_from_slice(b",\"what\":");
    push(&mut line, what);
    for (name, value) in details {
        line.push(b',');
        push(&mut line, name);
        line.push(b':');
        push(&mut line, &value.to_string());
    }
    line.extend_from_slice(b"}\n");
    // Nobody reads: then nobody is told.
    let _ = std::io::stderr().lock().write_all(&line);
}

fn push(line: &mut Vec<u8>, text: &str) {
    flow_runtime::vm::text::push_json_text(line, text);
}
