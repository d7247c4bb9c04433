//! What comes out: messages, and the record of everything else, as JSON lines written without a tree.
//!
//! A line is written in two parts. The *tail* is everything behind the time, and is written where the effect came
//! about; the time is put before it where the line leaves, since a throttle may put a message off.

pub mod names;
pub mod tail;

use crate::calendar::write_instant;

/// Appends a line of the messages.
pub fn message_line(out: &mut Vec<u8>, time: i64, tail: &[u8]) {
    head(out, time);
    out.extend_from_slice(tail);
}

/// Appends a line of the record. The tail of a message does not say that it is one.
pub fn record_line(out: &mut Vec<u8>, time: i64, message: bool, tail: &[u8]) {
    head(out, time);
    if message {
        out.extend_from_slice(b",\"what\":\"message\"");
    }
    out.extend_from_slice(tail);
}

fn head(out: &mut Vec<u8>, time: i64) {
    out.extend_from_slice(b"{\"time\":\"");
    write_instant(out, time);
    out.push(b'"');
}
