//! Dropping repeats: a `messageId` that was seen before.

use super::identity::Index;
use super::MessageKey;
use crate::pack::{self, Damaged, Read, Unpack};

/// Ids are remembered for at least so many inputs …
pub const INPUTS: usize = 1_000_000;
/// … and for at least so long of the clock, in milliseconds (30 days).
pub const CLOCK: i64 = 30 * 86_400_000;

/// The ids of late. They stand in two generations: an id is forgotten when the generation after its own is full,
/// that is after no fewer than [`INPUTS`] more inputs and no less than [`CLOCK`].
///
/// Each id has a number, in the order in which they came: so those before a moment can be written down while more come.
#[derive(Debug, Default)]
pub struct Repeats {
    now: Generation,
    before: Generation,
    /// The clock when the present generation began.
    since: Option<i64>,
    /// How many ids were forgotten: the number of the first that is kept.
    gone: u64,
}

/// Ids in the order in which they came.
#[derive(Debug, Default)]
struct Generation {
    index: Index,
    keys: Vec<MessageKey>,
}

impl Generation {
    fn has(&self, key: MessageKey) -> bool {
        self.index.find(key.hash(), |place| self.keys.get(place as usize) == Some(&key)).is_some()
    }

    fn add(&mut self, key: MessageKey) {
        let place = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.keys.push(key);
        let keys = &self.keys;
        self.index.add(key.hash(), place, |place| keys.get(place as usize).map(|key| key.hash()));
    }
}

impl Repeats {
    /// Whether the id was seen before; from now on it was.
    pub fn seen(&mut self, key: MessageKey, clock: i64) -> bool {
        if self.before.has(key) || self.now.has(key) {
            return true;
        }
        self.now.add(key);
        let since = *self.since.get_or_insert(clock);
        if self.now.keys.len() >= INPUTS && clock.saturating_sub(since) >= CLOCK {
            self.gone += self.before.keys.len() as u64;
            self.before = std::mem::take(&mut self.now);
            self.since = Some(clock);
        }
        false
    }

    /// Looks where ids would stand, and does nothing with it: asked for one after the other, the processor waits for several at once.
    #[must_use]
    pub fn warm(&self, keys: impl Iterator<Item = MessageKey>) -> u32 {
        let look = |key: MessageKey| self.now.index.likely(key.hash()) ^ self.before.index.likely(key.hash());
        keys.fold(0, |all, key| all ^ look(key))
    }

    /// The numbers of the ids that are kept.
    #[must_use]
    pub fn numbers(&self) -> std::ops::Range<u64> {
        let kept = self.before.keys.len() + self.now.keys.len();
        self.gone..self.gone + kept as u64
    }

    /// Appends everything but the ids, for a snapshot.
    pub fn save(&self, out: &mut Vec<u8>) {
        pack::size(out, self.before.keys.len());
        pack::instant(out, self.since.unwrap_or(i64::MIN));
    }

    /// Appends at most so many ids, from a number on, and gives the number behind them. None: those were forgotten meanwhile.
    pub fn save_ids(&self, from: u64, most: usize, out: &mut Vec<u8>) -> Option<u64> {
        let place = usize::try_from(from.checked_sub(self.gone)?).ok()?;
        let both = self.before.keys.iter().chain(&self.now.keys);
        let ids = both.skip(place).take(most);
        let mut count = 0;
        for id in ids {
            out.extend_from_slice(&id.bytes());
            count += 1;
        }
        Some(from + count)
    }

    /// Reads what [`Self::save`] wrote. `ids` are all that [`Self::save_ids`] wrote, in order.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub fn restore(read: &mut Unpack<'_>, ids: &[u8]) -> Read<Self> {
        let before = usize::try_from(read.uint()?).map_err(|_| Damaged("count of ids"))?;
        let since = Some(read.instant()?).filter(|since| *since != i64::MIN);
        let (ids, rest) = ids.as_chunks::<16>();
        let mut repeats = Self { since, ..Self::default() };
        for (place, id) in ids.iter().enumerate() {
            let key = MessageKey::from_bytes(*id).ok_or(Damaged("id"))?;
            if place < before { &mut repeats.before } else { &mut repeats.now }.add(key);
        }
        match rest.is_empty() && before <= ids.len() {
            true => Ok(repeats),
            false => Err(Damaged("set of ids")),
        }
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
        let (mut bytes, mut ids) = (Vec::new(), Vec::new());
        repeats.save(&mut bytes);
        let numbers = repeats.numbers();
        let mut next = numbers.start;
        while next < numbers.end {
            next = repeats.save_ids(next, 300_000, &mut ids).unwrap();
        }
        let mut again = Repeats::restore(&mut Unpack::new(&bytes), &ids).unwrap();
        assert_eq!((again.now.keys == repeats.now.keys, again.since), (true, repeats.since));
        assert_eq!(again.before.keys, repeats.before.keys);
        assert!(again.seen(key(INPUTS * 2), 2 * CLOCK));
        // What was forgotten cannot be written any more.
        assert_eq!(repeats.save_ids(numbers.start - 1, 1, &mut ids), None);
    }
}
