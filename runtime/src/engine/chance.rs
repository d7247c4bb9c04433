//! Stable chance: the same person, journey and seed always draw the same lot.

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;
use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A number that depends on the seed and the parts alone, and differs wherever any of them does.
pub(super) fn hash(seed: u64, parts: &[&str]) -> u64 {
    let mut bytes = SmallVec::<[u8; 256]>::new();
    for part in parts {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    xxh3_64_with_seed(&bytes, seed)
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
