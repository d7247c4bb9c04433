//! When to try again. Pure: the same message is tried at the same distances on every machine.

use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The longest wait that a provider may ask for.
pub const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);

/// The waits between attempts that the Standard Webhooks specification recommends ("Deliverability and
/// reliability"): 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
pub const STANDARD_WEBHOOKS: [Duration; 9] = {
    const fn minutes(n: u64) -> Duration {
        Duration::from_secs(n * 60)
    }
    [
        Duration::from_secs(5),
        minutes(5),
        minutes(30),
        minutes(2 * 60),
        minutes(5 * 60),
        minutes(10 * 60),
        minutes(14 * 60),
        minutes(20 * 60),
        minutes(24 * 60),
    ]
};

/// A retry schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// Twice as long each time.
    Exponential {
        /// The wait after the first attempt.
        first: Duration,
        /// No wait is longer.
        longest: Duration,
        /// How many attempts there are in all.
        attempts: u32,
    },
    /// These waits, and one attempt more than there are waits.
    Fixed(Vec<Duration>),
}

impl Schedule {
    /// The schedule of Standard Webhooks.
    #[must_use]
    pub fn standard_webhooks() -> Self {
        Self::Fixed(STANDARD_WEBHOOKS.to_vec())
    }

    /// How many attempts there are in all.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        match self {
            Self::Exponential { attempts, .. } => *attempts,
            Self::Fixed(waits) => u32::try_from(waits.len()).unwrap_or(u32::MAX - 1) + 1,
        }
    }

    /// How long to wait after attempt number `attempt` (from 1) of the message `key` came to nothing. `asked` is what
    /// the provider asked for (`Retry-After`): the wait is never shorter, though never beyond [`LONGEST_ASKED`] for
    /// its sake. `None`: that was the last attempt, the message is a dead letter.
    #[must_use]
    pub fn wait(&self, key: &str, attempt: u32, asked: Option<Duration>) -> Option<Duration> {
        if attempt >= self.attempts() {
            return None;
        }
        let wait = match self {
            Self::Exponential { first, longest, .. } => {
                let doublings = attempt.saturating_sub(1).min(31);
                first.saturating_mul(1 << doublings).min(*longest)
            }
            Self::Fixed(waits) => *waits.get(attempt.saturating_sub(1) as usize)?,
        };
        let asked = asked.unwrap_or_default().min(LONGEST_ASKED);
        Some(jitter(wait, key, attempt).max(jitter_up(asked, key, attempt)))
    }
}

/// Four fifths to six fifths of a wait: many messages that failed together are not tried together.
fn jitter(wait: Duration, key: &str, attempt: u32) -> Duration {
    wait.mul_f64(0.8 + 0.4 * share(key, attempt))
}

/// What a provider asked for is never cut short.
fn jitter_up(wait: Duration, key: &str, attempt: u32) -> Duration {
    wait.mul_f64(1.0 + 0.1 * share(key, attempt))
}

/// A number from 0 to 1 (exclusive), spread evenly over keys and attempts.
fn share(key: &str, attempt: u32) -> f64 {
    let hash = xxh3_64_with_seed(key.as_bytes(), u64::from(attempt));
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

/// The wait that a `Retry-After` header asks for: whole seconds, or an HTTP date (RFC 9110, section 10.2.3), which
/// is compared with `now` (milliseconds since 1970). `None`: it says nothing that can be read.
#[must_use]
pub fn retry_after(value: &str, now: i64) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(value.parse().map_or(LONGEST_ASKED, Duration::from_secs).min(LONGEST_ASKED));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let at = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(u64::try_from(now).ok()?);
    Some(at.saturating_sub(now).min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exponential() -> Schedule {
        Schedule::Exponential { first: Duration::from_secs(5), longest: Duration::from_secs(3600), attempts: 12 }
    }

    proptest! {
        #[test]
        fn waits_keep_near_the_schedule_and_end(key in ".{0,40}", asked in proptest::option::of(0_u64..1_000_000)) {
            for schedule in [exponential(), Schedule::standard_webhooks()] {
                let plain = |n: u32| match &schedule {
                    Schedule::Exponential { first, longest, .. } => (*first * 2_u32.pow(n - 1)).min(*longest),
                    Schedule::Fixed(waits) => waits[n as usize - 1],
                };
                for attempt in 1..schedule.attempts() {
                    let wait = schedule.wait(&key, attempt, None).expect("not the last");
                    prop_assert!(wait >= plain(attempt).mul_f64(0.799) && wait <= plain(attempt).mul_f64(1.201));
                    prop_assert_eq!(schedule.wait(&key, attempt, None), Some(wait));
                    let asked = asked.map(Duration::from_secs);
                    let later = schedule.wait(&key, attempt, asked).expect("not the last");
                    prop_assert!(later >= wait && later >= asked.unwrap_or_default().min(LONGEST_ASKED));
                }
                for attempt in schedule.attempts()..schedule.attempts() + 3 {
                    prop_assert_eq!(schedule.wait(&key, attempt, None), None);
                }
            }
        }
    }

    #[test]
    fn keys_spread_the_waits() {
        let waits: std::collections::BTreeSet<_> =
            (0..100).map(|n| exponential().wait(&format!("key-{n}"), 3, None)).collect();
        assert_eq!(waits.len(), 100);
    }

    #[test]
    fn webhooks_are_tried_ten_times_over_three_days() {
        let schedule = Schedule::standard_webhooks();
        assert_eq!(schedule.attempts(), 10);
        let whole: Duration = (1..10).filter_map(|n| schedule.wait("k", n, None)).sum();
        assert!(whole > Duration::from_secs(60 * 3600) && whole < Duration::from_secs(92 * 3600), "{whole:?}");
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = 1_445_412_475_000; // Wed, 21 Oct 2015 07:27:55 GMT
        let read = |text| retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(read("120"), Some(120));
        assert_eq!(read(" 0 "), Some(0));
        assert_eq!(read("Wed, 21 Oct 2015 07:28:00 GMT"), Some(5));
        assert_eq!(read("Wed, 21 Oct 2015 07:20:00 GMT"), Some(0));
        assert_eq!(read("99999999999999999999999"), Some(24 * 3600));
        assert_eq!(read("soon"), None);
        assert_eq!(read(""), None);
        assert_eq!(read("-5"), None);
    }
}
