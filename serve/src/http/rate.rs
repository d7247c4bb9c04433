//! How many calls a second each key may send.
//!
//! A token bucket for each key that holds a second's worth, kept in one number: the moment at which it is full again, the "theoretical
//! arrival time" of the generic cell rate algorithm (ITU-T I.371).

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So much may be sent at once after a rest.
const BURST: Duration = Duration::from_secs(1);

/// The buckets of all keys.
pub(super) struct Meter {
    /// The time that a call takes; none: there is no limit.
    each: Option<Duration>,
    full_at: Mutex<BTreeMap<String, Instant>>,
}

impl Meter {
    /// For so many calls a second by each key.
    pub fn new(rate: Option<NonZeroU32>) -> Self {
        Self { each: rate.map(|rate| Duration::from_secs(1) / rate.get()), full_at: Mutex::default() }
    }

    /// Takes calls that somebody with this key, which is a right one, sends; or says how long to wait before they are sent again.
    pub fn take(&self, key: &str, calls: usize, now: Instant) -> Result<(), Duration> {
        let Some(each) = self.each else { return Ok(()) };
        let mut all = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = all.get(key).map_or(now, |at| (*at).max(now));
        let wait = full_at.duration_since(now).saturating_sub(BURST);
        if !wait.is_zero() {
            return Err(wait);
        }
        let more = each.saturating_mul(u32::try_from(calls).unwrap_or(u32::MAX));
        all.insert(key.to_owned(), full_at + more);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_rate() {
        let meter = Meter::new(NonZeroU32::new(100));
        let begin = Instant::now();
        let at = |millis| begin + Duration::from_millis(millis);
        // A second's worth at once, and one batch more; then what comes to a hundred a second.
        assert_eq!(meter.take("a", 100, at(0)), Ok(()));
        assert_eq!(meter.take("a", 100, at(0)), Ok(()));
        assert_eq!(meter.take("a", 1, at(0)), Err(Duration::from_secs(1)));
        assert_eq!(meter.take("b", 1, at(0)), Ok(()));
        assert_eq!(meter.take("a", 50, at(1_000)), Ok(()));
        assert_eq!(meter.take("a", 50, at(1_000)), Err(Duration::from_millis(500)));
        assert_eq!(meter.take("a", 1, at(60_000)), Ok(()));
        assert_eq!(Meter::new(None).take("a", usize::MAX, at(0)), Ok(()));
    }
}
