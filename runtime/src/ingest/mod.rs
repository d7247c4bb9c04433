//! From what SDKs, exports and lists hold to what the engine takes.
//!
//! Reading has two halves. The first, here, looks at each call on its own: it is pure, runs on many threads
//! at once, and gives [`Block`]s of [`Record`]s, in which values already have the types that the program
//! declares. The second, in [`crate::replay`], takes the records one after the other: clock, repeats, people.

pub mod csv;
pub mod decode;
pub mod identity;
pub mod json;
pub mod lines;
pub mod number;
pub mod open;
pub mod repeats;
mod scan;
pub mod schema;
pub mod segment;
pub mod source;
pub mod table;
mod time;

#[cfg(test)]
mod tests;

use crate::engine::input::Input;
use std::num::NonZeroU64;
use xxhash_rust::xxh3::{xxh3_128, xxh3_64};

/// An id of a person as a call named it: a place in its block's text, and its hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdRef {
    start: u32,
    len: u32,
    /// `xxh3` of the id.
    pub hash: u64,
}

/// The fingerprint of a `messageId`: 127 bits of its `xxh3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageKey(NonZeroU64, u64);

impl MessageKey {
    /// Of this id.
    #[must_use]
    pub fn of(id: &str) -> Self {
        let hash = xxh3_128(id.as_bytes());
        let (high, low) = ((hash >> 64) as u64, hash as u64);
        Self(NonZeroU64::new(high).unwrap_or(NonZeroU64::MIN), low)
    }

    /// A part of it, to find it by.
    #[must_use]
    pub fn hash(self) -> u64 {
        self.0.get()
    }

    /// As bytes.
    #[must_use]
    pub fn bytes(self) -> [u8; 16] {
        ((u128::from(self.0.get()) << 64) | u128::from(self.1)).to_be_bytes()
    }

    /// From [`Self::bytes`].
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        let both = u128::from_be_bytes(bytes);
        Some(Self(NonZeroU64::new((both >> 64) as u64)?, both as u64))
    }
}

/// One call, on its own: nothing about it depends on the calls before.
#[derive(Debug)]
pub struct Record {
    /// When it happened. Without meaning for [`What::Dead`].
    pub time: i64,
    /// For dropping repeats.
    pub message: Option<MessageKey>,
    /// The line it stands in, counted from 0 in its block.
    pub line: u32,
    /// Whether the person is named by `userId`.
    pub known: bool,
    /// Whose it is.
    pub who: IdRef,
    /// What it says.
    pub what: What,
}

/// What a call says.
#[derive(Debug)]
pub enum What {
    /// Something that nobody looks at: it moves the clock.
    Clock,
    /// An event that the program does not know: the index of its name in the block. It moves the clock.
    Unknown(u32),
    /// Something for the engine.
    Input(Input),
    /// Two ids are one person.
    Join(Box<Join>),
    /// It cannot be taken.
    Dead(Box<Dead>),
}

/// Two ids are one person: the record's `who`, and this one.
#[derive(Debug)]
pub struct Join {
    /// The id that joins.
    pub from: IdRef,
    /// By an `alias`, which may also join two known people, rather than by an `identify`.
    pub alias: bool,
    /// What else the call says.
    pub input: Option<Input>,
}

impl Join {
    /// Whether the call makes two people one, of whom the one that joins may be `known` by a `userId`: only an alias says
    /// so of two people with accounts.
    #[must_use]
    pub fn unites(&self, known: bool) -> bool {
        self.alias || !known
    }
}

/// A call that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    /// One sentence: where, what was expected, what came.
    pub reason: String,
    /// The call as it came.
    pub input: Original,
}

/// What a dead letter held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Original {
    /// Well-formed JSON.
    Json(Box<str>),
    /// Any other text.
    Text(Box<str>),
}

/// Records in the order in which they came, with the text that they point to.
#[derive(Debug, Default)]
pub struct Block {
    text: String,
    /// The records.
    pub records: Vec<Record>,
    /// Names of events that the program does not know.
    pub names: Vec<Box<str>>,
    /// How many lines of the file it covers.
    pub lines: u64,
    /// The line of the file that is its line 0; the source sets it.
    pub first_line: u64,
}

impl Block {
    /// Forgets everything, and keeps the room that it took.
    fn clear(&mut self) {
        self.text.clear();
        self.records.clear();
        self.names.clear();
        (self.lines, self.first_line) = (0, 0);
    }

    /// Keeps an id.
    pub fn keep(&mut self, id: &str) -> IdRef {
        let start = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        self.text.push_str(id);
        IdRef { start, len: u32::try_from(id.len()).unwrap_or(u32::MAX), hash: hash_of(id) }
    }

    /// Moves a record of another block to the end of this one; its lines count from 0 then.
    fn adopt(&mut self, from: &Self, mut record: Record) {
        record.line = u32::try_from(from.first_line + u64::from(record.line)).unwrap_or(u32::MAX);
        record.who = self.keep(from.id(record.who));
        match &mut record.what {
            What::Join(join) => join.from = self.keep(from.id(join.from)),
            What::Unknown(name) => {
                let text = from.names.get(*name as usize).cloned().unwrap_or_default();
                *name = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
                self.names.push(text);
            }
            What::Clock | What::Input(_) | What::Dead(_) => {}
        }
        self.records.push(record);
    }

    /// The id that was kept.
    #[must_use]
    pub fn id(&self, id: IdRef) -> &str {
        let start = id.start as usize;
        self.text.get(start..start.saturating_add(id.len as usize)).unwrap_or_default()
    }
}

/// The hash by which people are found.
#[must_use]
pub fn hash_of(id: &str) -> u64 {
    xxh3_64(id.as_bytes())
}

/// Hashes names of events and fields; the tables are small and their keys short.
#[derive(Clone, Copy, Debug, Default)]
pub struct NameHasher(u64);

impl std::hash::Hasher for NameHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        // The byte that closes a text adds nothing here: a key is one text.
        if bytes.len() > 1 || self.0 == 0 {
            self.0 = xxhash_rust::xxh3::xxh3_64_with_seed(bytes, self.0);
        }
    }
    fn write_u8(&mut self, _: u8) {}
}

/// A table by name.
pub type NameMap<T> = std::collections::HashMap<Box<str>, T, std::hash::BuildHasherDefault<NameHasher>>;
