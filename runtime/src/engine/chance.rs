//! Stable chance: the same person, journey and seed always draw the same lot.

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;
use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A number that depends on the seed and the parts alone, and differs wherever any of them does.
pub(super) fn hash(seed: u64, parts: &[&str]) -> u64 {
    let mut all = Parts::default();
    for part in parts {
        all.add(&[part]);
    }
    all.hash(seed)
}

/// The same, part by part.
#[derive(Default)]
pub(super) struct Parts(SmallVec<[u8; 256]>);

impl Parts {
    /// Adds a part, which stands in pieces. Its length keeps ("ab", "c") and ("a", "bc") apart.
    pub fn add(&mut self, pieces: &[&str]) -> &mut Self {
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        self.0.extend_from_slice(&(length as u64).to_le_bytes());
        for piece in pieces {
            self.0.extend_from_slice(piece.as_bytes());
        }
        self
    }

    /// See [`hash`].
    pub fn hash(&self, seed: u64) -> u64 {
        xxh3_64_with_seed(&self.0, seed)
    }
}

/// A lot in `(0, 1]`, from the upper 53 bits of the hash.
#[allow(clippy::cast_precision_loss)] // 53 bits fit exactly
fn lot(hash: u64) -> f64 {
    ((hash >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

/// Whether the person belongs to a share of all people, in percent.
pub(super) fn in_share(seed: u64, percent: Decimal, parts: &[&str]) -> bool {
    lot(hash(seed, parts)) <= percent.to_f64().unwrap_or(0.0) / 100.0
}

/// The arm that a person gets: weighted rendezvous hashing (Schindelhauer and Schomaker, 2005). Each arm draws
/// `-ln(lot) / share` and the least wins, so that a changed share moves only people of the arms whose share changed.
pub(super) fn arm<'a, T>(seed: u64, who: &[&str], arms: impl Iterator<Item = (&'a str, Decimal, T)>) -> Option<T> {
    let mut best: Option<(f64, T)> = None;
    for (name, share, target) in arms {
        let share = share.to_f64().unwrap_or(0.0);
        if share <= 0.0 {
            continue;
        }
        let parts: Vec<&str> = who.iter().copied().chain([name]).collect();
        let score = -libm::log(lot(hash(seed, &parts))) / share;
        if best.as_ref().is_none_or(|(least, _)| score < *least) {
            best = Some((score, target));
        }
    }
    best.map(|(_, target)| target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use xxhash_rust::xxh3::Xxh3;

    #[test]
    fn long_and_short_parts_are_hashed_alike() {
        for length in [0, 1, 50, 230, 231, 232, 233, 500] {
            let text = "x".repeat(length);
            let mut state = Xxh3::with_seed(7);
            for part in ["ab", &text] {
                state.update(&(part.len() as u64).to_le_bytes());
                state.update(part.as_bytes());
            }
            assert_eq!(hash(7, &["ab", &text]), state.digest(), "{length}");
        }
    }
}
