//! How fast a channel may go: concurrency and rate, as data and as decisions over data. Whoever drives the channel
//! has the clock.

use std::num::NonZeroU32;
use std::time::Duration;

const NANOS_A_MILLI: i64 = 1_000_000;

/// So many in so long; at rest, `burst` may go at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long.
    pub per: Duration,
    /// How many at once after a rest.
    pub burst: NonZeroU32,
}

/// What a backend can bear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many attempts may be under way at one time.
    pub concurrency: NonZeroU32,
    /// How many may begin in a time.
    pub rate: Option<Rate>,
}

/// How far a channel has gone. Begins empty at rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Attempts under way.
    under_way: u32,
    /// The moment at which the rate's bucket is full again, in nanoseconds since 1970: the "theoretical arrival
    /// time" of the generic cell rate algorithm (ITU-T I.371), which is a token bucket kept in one number.
    full_at: i64,
    /// Before this moment (milliseconds since 1970) nothing begins: the provider asked for a pause.
    held_until: i64,
}

/// Whether one more attempt may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may, and is counted as begun.
    Go,
    /// Ask again after this time at the soonest.
    Wait(Duration),
    /// Ask again when an attempt has ended.
    Full,
}

impl Pace {
    /// Whether one more attempt may begin at `now` (milliseconds since 1970).
    pub fn begin(&mut self, limits: &Limits, now: i64) -> Decision {
        if self.under_way >= limits.concurrency.get() {
            return Decision::Full;
        }
        if now < self.held_until {
            return Decision::Wait(millis(self.held_until.saturating_sub(now)));
        }
        if let Some(rate) = &limits.rate {
            if let Err(wait) = self.take(rate, now) {
                return Decision::Wait(wait);
            }
        }
        self.under_way += 1;
        Decision::Go
    }

    /// An attempt has ended.
    pub fn end(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// The provider asked the whole channel to pause.
    pub fn hold(&mut self, now: i64, pause: Duration) {
        let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        self.held_until = self.held_until.max(now.saturating_add(pause));
    }

    /// Attempts under way.
    #[must_use]
    pub fn under_way(&self) -> u32 {
        self.under_way
    }

    fn take(&mut self, rate: &Rate, now: i64) -> Result<(), Duration> {
        let now = now.saturating_mul(NANOS_A_MILLI);
        let per = i64::try_from(rate.per.as_nanos()).unwrap_or(i64::MAX);
        let interval = per / i64::from(rate.count.get());
        let slack = interval.saturating_mul(i64::from(rate.burst.get()) - 1);
        // A clock that jumped back must not stop the channel for as long as it jumped.
        let full_at = self.full_at.min(now.saturating_add(slack).saturating_add(interval)).max(now);
        let wait = full_at - now - slack;
        if wait > 0 {
            return Err(Duration::from_nanos(wait.unsigned_abs()));
        }
        self.full_at = full_at.saturating_add(interval);
        Ok(())
    }
}

fn millis(n: i64) -> Duration {
    Duration::from_millis(n.max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn count(n: u32) -> NonZeroU32 {
        NonZeroU32::new(n).expect("not zero")
    }

    fn limits(concurrency: u32, number: u32, seconds: u64, burst: u32) -> Limits {
        let rate = Rate { count: count(number), per: Duration::from_secs(seconds), burst: count(burst) };
        Limits { concurrency: count(concurrency), rate: Some(rate) }
    }

    #[test]
    fn concurrency_is_kept() {
        let limits = Limits { concurrency: count(2), rate: None };
        let mut pace = Pace::default();
        assert_eq!([0, 0, 0].map(|now| pace.begin(&limits, now)), [Decision::Go, Decision::Go, Decision::Full]);
        pace.end();
        assert_eq!(pace.begin(&limits, 0), Decision::Go);
        assert_eq!(pace.under_way(), 2);
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let (limits, mut pace) = (limits(100, 10, 1, 3), Pace::default());
        let now = 1_700_000_000_000;
        let decisions = [now, now, now, now, now + 99, now + 100].map(|now| pace.begin(&limits, now));
        let wait = |millis| Decision::Wait(Duration::from_millis(millis));
        assert_eq!(decisions, [Decision::Go, Decision::Go, Decision::Go, wait(100), wait(1), Decision::Go]);
    }

    #[test]
    fn a_pause_holds_the_whole_channel() {
        let (limits, mut pace) = (limits(100, 10, 1, 3), Pace::default());
        pace.hold(1_000, Duration::from_secs(30));
        pace.hold(2_000, Duration::from_secs(1));
        assert_eq!(pace.begin(&limits, 11_000), Decision::Wait(Duration::from_secs(20)));
        assert_eq!(pace.begin(&limits, 31_000), Decision::Go);
    }

    #[test]
    fn a_clock_that_jumped_back_does_not_stop_the_channel() {
        let (limits, mut pace) = (limits(100, 1, 60, 1), Pace::default());
        assert_eq!(pace.begin(&limits, 1_700_000_000_000), Decision::Go);
        let Decision::Wait(wait) = pace.begin(&limits, 1_600_000_000_000) else { panic!("the rate holds") };
        assert!(wait <= Duration::from_secs(60), "{wait:?}");
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_rate_and_the_burst(
            number in 1_u32..50, seconds in 1_u64..20, burst in 1_u32..20,
            steps in proptest::collection::vec(0_i64..2_000, 1..200),
        ) {
            let (limits, mut pace) = (limits(u32::MAX, number, seconds, burst), Pace::default());
            let mut now = 1_700_000_000_000;
            let mut begun = Vec::new();
            for step in steps {
                now += step;
                match pace.begin(&limits, now) {
                    Decision::Go => begun.push(now),
                    Decision::Wait(wait) => prop_assert!(wait <= Duration::from_secs(seconds)),
                    Decision::Full => prop_assert!(false),
                }
            }
            for (n, from) in begun.iter().enumerate() {
                let window = begun[n..].iter().take_while(|at| **at < from + seconds as i64 * 1000).count();
                prop_assert!(window <= (number + burst) as usize);
            }
        }
    }
}
