//! The server's clock: the machine's, but it never goes back.
//!
//! Timers, waits, pace and retries are lengths of time; a machine's clock that is set back must not make them longer by
//! as much as it was set back. While the machine's clock is behind, the server's goes on at half the pace of a clock that
//! cannot be set: so everything goes on, and the two meet after twice the time of the jump.

use crate::log::{say, Level};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What the clock remembers. Pure: whoever reads it says what the machine's clocks show.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    last: i64,
    /// Since the machine's clock fell behind: where this one stood, and what the steady one showed.
    behind: Option<(i64, Duration)>,
}

impl Clock {
    /// A clock that shows nothing before `least` (milliseconds since 1970).
    #[must_use]
    pub fn new(least: i64) -> Self {
        Self { last: least, behind: None }
    }

    /// What it shows, in milliseconds since 1970, when the machine's clock shows `machine` and one that cannot be set
    /// `steady` (since any moment). Never less than before.
    pub fn read(&mut self, machine: i64, steady: Duration) -> i64 {
        let least = match self.behind {
            None => self.last,
            Some((from, since)) => {
                let gone = i64::try_from(steady.saturating_sub(since).as_millis() / 2).unwrap_or(i64::MAX);
                self.last.max(from.saturating_add(gone))
            }
        };
        self.last = least.max(machine);
        if machine >= least {
            self.behind = None;
        } else if self.behind.is_none() {
            self.behind = Some((least, steady));
        }
        self.last
    }

    /// Whether the machine's clock is behind.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.behind.is_some()
    }
}

static CLOCK: LazyLock<(Instant, Mutex<Clock>)> = LazyLock::new(|| (Instant::now(), Mutex::new(Clock::new(i64::MIN))));

/// Milliseconds since 1970, by the server's clock.
#[must_use]
pub fn now() -> i64 {
    let (begin, clock) = &*CLOCK;
    let (now, fell) = {
        let mut clock = clock.lock().unwrap_or_else(PoisonError::into_inner);
        let was = clock.is_behind();
        // The steady clock is read with the lock held, so that it too never goes back here.
        (clock.read(machine(), begin.elapsed()), clock.is_behind() && !was)
    };
    // A step of some milliseconds is nothing to tell: the machine's clock is corrected like that all the time.
    if fell && now.saturating_sub(machine()) > 1_000 {
        say(Level::Warning, "the machine's clock is behind; the server's goes on slowly until they meet", &[]);
    }
    now
}

/// Nothing is before this: what is written in the store has happened.
pub fn not_before(least: i64) {
    let mut clock = CLOCK.1.lock().unwrap_or_else(PoisonError::into_inner);
    clock.last = clock.last.max(least);
}

/// The machine's clock.
fn machine() -> i64 {
    let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()),
        Err(before) => i64::try_from(before.duration().as_millis()).map(|millis| -millis),
    };
    millis.unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_clock_that_was_set_back_is_met_again() {
        let mut clock = Clock::new(0);
        let mut read = |machine, seconds| clock.read(machine, Duration::from_secs(seconds));
        assert_eq!(read(100_000, 0), 100_000);
        // A minute back; then the machine's clock goes on.
        assert_eq!(read(40_000, 0), 100_000);
        assert_eq!(read(50_000, 10), 105_000);
        assert_eq!(read(100_000, 60), 130_000);
        assert_eq!(read(159_000, 119), 159_500);
        assert_eq!(read(170_000, 130), 170_000);
        assert_eq!(read(171_000, 131), 171_000);
    }

    proptest! {
        #[test]
        fn it_never_goes_back_and_never_stands(
            jumps in prop::collection::vec((-10_000_000_i64..1_000_000, 1_u64..100_000), 1..50)
        ) {
            let (mut clock, mut machine, mut steady) = (Clock::new(0), 0_i64, 0_u64);
            let mut last = clock.read(machine, Duration::ZERO);
            for (jump, passed) in jumps {
                machine += jump;
                prop_assert!(clock.read(machine, Duration::from_millis(steady)) >= last);
                let before = clock.read(machine, Duration::from_millis(steady));
                (machine, steady) = (machine + passed as i64, steady + passed);
                last = clock.read(machine, Duration::from_millis(steady));
                prop_assert!(last - before >= passed as i64 / 2 - 1, "{} in {}", last - before, passed);
            }
        }
    }
}
