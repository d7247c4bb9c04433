//! Dropping repeats: a `messageId` that was seen before.

use super::MessageKey;
use crate::pack::{self, Damaged, Read, Unpack};
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// Ids are remembered for at least so many inputs …
pub const INPUTS: usize = 1_000_000;
/// … and for at least so long of the clock, in milliseconds (30 days).
pub const CLOCK: i64 = 30 * 86_400_000;

/// The ids of late. They stand in two generations: an id is forgotten when the generation after its own is full,
/// that is after no fewer than [`INPUTS`] more inputs and no less than [`CLOCK`].
#[derive(Debug, Default)]
pub struct Repeats {
    now: Generation,
    before: Generation,
    /// The clock when the present generation began.
    since: Option<i64>,
}

type Generation = HashSet<MessageKey, BuildHasherDefault<Fingerprint>>;

impl Repeats {
    /// Whether the id was seen before; from now on it was.
    pub fn seen(&mut self, key: MessageKey, clock: i64) -> bool {
        if self.before.contains(&key) || !self.now.insert(key) {
            return true;
        }
        let since = *self.since.get_or_insert(clock);
        if self.now.len() >= INPUTS && clock.saturating_sub(since) >= CLOCK {
            self.before = std::mem::take(&mut self.now);
            self.since = Some(clock);
        }
        false
    }

    /// Appends the ids, for a snapshot.
    pub fn save(&self, out: &mut Vec<u8>) {
        for generation in [&self.now, &self.before] {
            let mut keys: Vec<[u8; 16]> = generation.iter().map(|key| key.bytes()).collect();
            keys.sort_unstable();
            pack::bytes(out, keys.as_flattened());
        }
        pack::instant(out, self.since.unwrap_or(i64::MIN));
    }

    /// Reads what [`Self::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub fn restore(read: &mut Unpack<'_>) -> Read<Self> {
        let mut generation = || -> Read<Generation> {
            let (keys, rest) = read.bytes()?.as_chunks::<16>();
            if !rest.is_empty() {
                return Err(Damaged("set of ids"));
            }
            keys.iter().map(|key| MessageKey::from_bytes(*key).ok_or(Damaged("id"))).collect()
        };
        let (now, before) = (generation()?, generation()?);
        let since = Some(read.instant()?).filter(|since| *since != i64::MIN);
        Ok(Self { now, before, since })
    }
}

/// A key is a hash already.
#[derive(Debug, Default)]
struct Fingerprint(u64);

impl Hasher for Fingerprint {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxhash_rust::xxh3::xxh3_64_with_seed(bytes, self.0);
    }
    fn write_u64(&mut self, part: u64) {
        self.0 = part;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_only_what_is_old_in_both_ways() {
        let mut repeats = Repeats::default();
        let key = |n: usize| MessageKey::of(&format!("m{n}"));
        assert!(!repeats.seen(key(0), 0));
        assert!(repeats.seen(key(0), 0));
        for n in 1..=INPUTS {
            assert!(!repeats.seen(key(n), 5));
        }
        // Many inputs, but little time.
        assert!(repeats.seen(key(0), 6));
        assert!(!repeats.seen(key(INPUTS + 1), CLOCK));
        // The generation is closed, and remembered.
        assert!(repeats.seen(key(0), CLOCK));
        for n in 0..INPUTS {
            assert!(!repeats.seen(key(2 * INPUTS + n), 2 * CLOCK));
        }
        assert!(!repeats.seen(key(0), 2 * CLOCK));
        assert!(repeats.seen(key(INPUTS * 2), 2 * CLOCK));
        // What was remembered before a stop is remembered after it.
        let mut bytes = Vec::new();
        repeats.save(&mut bytes);
        let mut again = Repeats::restore(&mut Unpack::new(&bytes)).unwrap();
        assert_eq!(
            (again.now.len(), again.before.len(), again.since),
            (repeats.now.len(), repeats.before.len(), repeats.since)
        );
        assert!(again.seen(key(INPUTS * 2), 2 * CLOCK));
    }
}
