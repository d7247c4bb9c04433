//! The last stretch: throttles, then the files.

use super::lane::{merge, Lane, Row, RowKind};
use super::throttle::Throttles;
use super::{Failure, Sinks};
use crate::engine::effect::Withdrawal;
use crate::engine::Engine;
use crate::ingest::{Dead, Original};
use crate::output::{message_line, record_line, tail};
use crate::vm::text::push_json_text;
use std::io::Write;

/// Writes lines in order.
pub struct Writer<'w> {
    engine: &'w Engine,
    sinks: Sinks<'w>,
    throttles: Throttles,
    out: Lines,
    dead: Vec<u8>,
    /// Messages handed over.
    pub messages: u64,
    /// Messages that a throttle put off.
    pub put_off: u64,
    /// Those of them that were withdrawn before they could leave.
    pub withdrawn: u64,
}

/// What waits to be written.
#[derive(Default)]
struct Lines {
    messages: Vec<u8>,
    record: Vec<u8>,
    recording: bool,
}

impl Lines {
    fn message(&mut self, time: i64, tail: &[u8]) {
        message_line(&mut self.messages, time, tail);
        if self.recording {
            record_line(&mut self.record, time, true, tail);
        }
    }
}

/// More than this is written before more comes.
const FULL: usize = 1 << 18;

impl<'w> Writer<'w> {
    /// Into these files, through these throttles.
    pub fn new(sinks: Sinks<'w>, engine: &'w Engine) -> Self {
        let throttles = Throttles::new(&engine.program().policy.throttles);
        let out = Lines { recording: sinks.record.is_some(), ..Lines::default() };
        Self { engine, sinks, throttles, out, dead: Vec::new(), messages: 0, put_off: 0, withdrawn: 0 }
    }

    /// Writes all lines before an instant. Nothing that is before it may come later.
    ///
    /// # Errors
    /// When writing fails.
    pub fn lines(&mut self, lanes: &[&Lane], before: i64) -> Result<(), Failure> {
        merge(lanes, before, |lane, row| {
            self.release(row.time)?;
            let text = lane.text(row);
            match row.kind {
                RowKind::Note => record_line(&mut self.out.record, row.time, false, text),
                RowKind::Message => self.message(row.time, text),
                RowKind::Throttled(place) => {
                    let waits = lane.ticket(place).is_some_and(|t| !self.throttles.pass(row.key(), t, text));
                    if waits {
                        self.put_off += 1;
                        self.note(row.time, |note| tail::put_off(note, text));
                    } else {
                        self.message(row.time, text);
                    }
                }
                RowKind::Withdrawn(place) => {
                    if let Some(what) = lane.withdrawn(place) {
                        self.withdraw(row, what);
                    }
                }
            }
            self.write(FULL)
        })?;
        self.write(1)
    }

    /// Writes what throttles have put off up to an instant.
    ///
    /// # Errors
    /// When writing fails.
    pub fn drain(&mut self, until: i64) -> Result<(), Failure> {
        self.release(until)?;
        self.write(1)
    }

    fn release(&mut self, until: i64) -> Result<(), Failure> {
        let engine = self.engine;
        while let Some((time, text)) = self.throttles.release(until, i64::MIN, |t, at| t.quiet_until(engine, at)) {
            self.message(time, &text);
            self.write(FULL)?;
        }
        Ok(())
    }

    fn message(&mut self, time: i64, text: &[u8]) {
        self.messages += 1;
        self.out.message(time, text);
    }

    fn withdraw(&mut self, row: &Row, what: Withdrawal) {
        for text in self.throttles.withdraw(row.person, what) {
            self.withdrawn += 1;
            self.note(row.time, |note| tail::withdrawn(note, what, &text));
        }
    }

    fn note(&mut self, time: i64, write: impl FnOnce(&mut Vec<u8>)) {
        if self.out.recording {
            let mut note = Vec::new();
            write(&mut note);
            record_line(&mut self.out.record, time, false, &note);
        }
    }

    /// How many messages throttles still hold.
    pub fn waiting(&self) -> u64 {
        self.throttles.waiting() as u64
    }

    /// Sets an input aside. `file` is named unless it is the events themselves.
    ///
    /// # Errors
    /// When writing fails.
    pub fn dead(&mut self, file: Option<&str>, line: u64, dead: &Dead) -> Result<(), Failure> {
        let Some(sink) = &mut self.sinks.dead else { return Ok(()) };
        let text = &mut self.dead;
        text.extend_from_slice(b"{\"reason\":");
        push_json_text(text, &dead.reason);
        if let Some(file) = file {
            text.extend_from_slice(b",\"file\":");
            push_json_text(text, file);
        }
        text.extend_from_slice(format!(",\"line\":{line},\"input\":").as_bytes());
        match &dead.input {
            Original::Json(json) => text.extend_from_slice(json.as_bytes()),
            Original::Text(words) => push_json_text(text, words),
        }
        text.extend_from_slice(b"}\n");
        if text.len() >= FULL {
            sink.write_all(text).map_err(Failure::Write)?;
            text.clear();
        }
        Ok(())
    }

    fn write(&mut self, least: usize) -> Result<(), Failure> {
        if self.out.messages.len() >= least {
            self.sinks.messages.write_all(&self.out.messages).map_err(Failure::Write)?;
            self.out.messages.clear();
        }
        if let Some(record) = self.sinks.record.as_mut().filter(|_| self.out.record.len() >= least) {
            record.write_all(&self.out.record).map_err(Failure::Write)?;
            self.out.record.clear();
        }
        Ok(())
    }

    /// Writes everything.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(&mut self) -> Result<(), Failure> {
        self.write(1)?;
        if let Some(dead) = &mut self.sinks.dead {
            dead.write_all(&self.dead).map_err(Failure::Write)?;
            self.dead.clear();
        }
        let sinks = [Some(&mut self.sinks.messages), self.sinks.record.as_mut(), self.sinks.dead.as_mut()];
        for sink in sinks.into_iter().flatten() {
            sink.flush().map_err(Failure::Write)?;
        }
        Ok(())
    }
}
