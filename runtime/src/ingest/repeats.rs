//! Dropping repeats: a `messageId` that was seen before.

use super::MessageKey;
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
    }
}
