//! The last stretch: throttles, then the files.

use super::lane::{merge, Lane, RowKind};
use super::throttle::Throttles;
use super::{Failure, Sinks};
use crate::ingest::{Dead, Original};
use crate::output::{message_line, record_line, tail};
use crate::vm::text::push_json_text;
use flow_compiler::bytecode::Cap;
use std::io::Write;

/// Writes lines in order.
pub struct Writer<'w> {
    sinks: Sinks<'w>,
    throttles: Throttles,
    out: Lines,
    dead: Vec<u8>,
    /// Messages handed over.
    pub messages: u64,
    /// Messages that a throttle put off.
    pub put_off: u64,
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
    pub fn new(sinks: Sinks<'w>, throttles: &[Cap]) -> Self {
        let out = Lines { recording: sinks.record.is_some(), ..Lines::default() };
        Self { sinks, throttles: Throttles::new(throttles), out, dead: Vec::new(), messages: 0, put_off: 0 }
    }

    /// Writes all lines before an instant. Nothing that is before it may come later.
    ///
    /// # Errors
    /// When writing fails.
    pub fn lines(&mut self, lanes: &[&Lane], before: i64) -> Result<(), Failure> {
        merge(lanes, before, |row, text| {
            self.release(row.time)?;
            match row.kind {
                RowKind::Note => record_line(&mut self.out.record, row.time, false, text),
                RowKind::Message { channel, transactional } => {
                    if transactional
                        || !self.throttles.concern(channel)
                        || self.throttles.pass(channel, row.key(), text)
                    {
                        self.messages += 1;
                        self.out.message(row.time, text);
                    } else {
                        self.put_off += 1;
                        if self.out.recording {
                            let mut note = Vec::new();
                            tail::put_off(&mut note, text);
                            record_line(&mut self.out.record, row.time, false, &note);
                        }
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
        while let Some((time, text)) = self.throttles.release(until, i64::MIN) {
            self.messages += 1;
            self.out.message(time, &text);
            self.write(FULL)?;
        }
        Ok(())
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
