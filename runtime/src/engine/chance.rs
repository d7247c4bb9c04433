//! Stable chance: the same person, journey and seed always draw the same lot.

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A number that depends on the seed and the parts alone, and differs wherever any of them does.
pub(super) fn hash(seed: u64, parts: &[&str]) -> u64 {
    hash_of(seed, parts.iter().map(std::slice::from_ref))
}

/// The same of parts that stand in pieces.
pub(super) fn hash_of<'a>(seed: u64, parts: impl Iterator<Item = &'a [&'a str]> + Clone) -> u64 {
    let size = |pieces: &[&str]| pieces.iter().map(|piece| piece.len()).sum::<usize>();
    let length: usize = parts.clone().map(|pieces| size(pieces) + 8).sum();
    let (mut near, mut far) = ([0; 256], Vec::new());
    let bytes = match near.get_mut(..length) {
        Some(near) => near,
        None => {
            far.resize(length, 0);
            &mut far[..]
        }
    };
    let mut rest = &mut *bytes;
    let mut put = |piece: &[u8]| {
        if let Some((to, after)) = std::mem::take(&mut rest).split_at_mut_checked(piece.len()) {
            to.copy_from_slice(piece);
            rest = after;
        }
    };
    for pieces in parts {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        put(&(size(pieces) as u64).to_le_bytes());
        pieces.iter().for_each(|piece| put(piece.as_bytes()));
    }
    xxh3_64_with_seed(bytes, seed)
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
