//! When timers are due, and whose.
//!
//! Journeys wait mostly for constant lengths of time, and the clock only goes forward: what waits for one length comes
//! due in the order in which it began to wait. A time that is not before the last one of a lane goes to the lane's end,
//! which costs nothing, and only what fits into no lane goes into a heap. A program with a handful of constant waits
//! needs no heap at all, and nobody had to say which waits are constant.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// So many lengths of time can be in use before the heap is.
const LANES: usize = 8;

/// A timer: when, and whose.
pub type Timer = (i64, u32);

/// Times to come. Of those at one instant, any may come first.
#[derive(Debug)]
pub struct Timers {
    lanes: [VecDeque<Timer>; LANES],
    heap: BinaryHeap<Reverse<Timer>>,
    /// The earliest of all, `i64::MAX` for none, and where it stands: a lane, or [`LANES`] for the heap.
    next: (i64, usize),
}

impl Default for Timers {
    fn default() -> Self {
        Self { lanes: Default::default(), heap: BinaryHeap::new(), next: (i64::MAX, LANES) }
    }
}

impl Timers {
    /// Adds one.
    pub fn push(&mut self, timer: Timer) {
        // The lane whose end is the least before it; an empty one, when all others end later.
        let mut best = None;
        for (number, lane) in self.lanes.iter().enumerate() {
            let end = lane.back().map_or(i64::MIN, |last| last.0);
            if end <= timer.0 && best.is_none_or(|(least, _)| end > least) {
                best = Some((end, number));
            }
        }
        let place = match best.and_then(|(_, number)| Some((number, self.lanes.get_mut(number)?))) {
            Some((number, lane)) => {
                lane.push_back(timer);
                number
            }
            None => {
                self.heap.push(Reverse(timer));
                LANES
            }
        };
        if timer.0 < self.next.0 {
            self.next = (timer.0, place);
        }
    }

    /// When the earliest is due.
    #[must_use]
    pub fn next(&self) -> Option<i64> {
        (self.next.0 < i64::MAX).then_some(self.next.0)
    }

    /// Those in lanes that are due before an instant.
    pub fn upcoming(&self, before: i64) -> impl Iterator<Item = Timer> + '_ {
        self.lanes.iter().flat_map(move |lane| lane.iter().copied().take_while(move |timer| timer.0 < before))
    }

    /// Takes the earliest, if it is due before an instant.
    #[inline]
    pub fn pop(&mut self, before: i64) -> Option<Timer> {
        if self.next.0 < before {
            self.pop_next()
        } else {
            None
        }
    }

    fn pop_next(&mut self) -> Option<Timer> {
        let timer = match self.lanes.get_mut(self.next.1) {
            Some(lane) => lane.pop_front(),
            None => self.heap.pop().map(|Reverse(timer)| timer),
        };
        let mut next = (self.heap.peek().map_or(i64::MAX, |Reverse(first)| first.0), LANES);
        for (number, lane) in self.lanes.iter().enumerate() {
            if let Some(first) = lane.front().filter(|first| first.0 < next.0) {
                next = (first.0, number);
            }
        }
        self.next = next;
        timer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_come_in_order_and_none_is_lost(
            // A time ahead of the clock: one of several lengths, or any.
            steps in prop::collection::vec((prop_oneof![Just(5), Just(2), 0..100i64], 0..4i64, any::<bool>()), 0..400),
        ) {
            let (mut timers, mut plain, mut clock) = (Timers::default(), Vec::new(), 0);
            for (number, (ahead, passes, any)) in (0..).zip(steps) {
                let due = if any { ahead * 7 % 31 } else { clock + ahead };
                timers.push((due, number));
                plain.push(due);
                clock += passes;
                while let Some((due, _)) = timers.pop(clock) {
                    let least = plain.iter().copied().min();
                    prop_assert_eq!(Some(due), least);
                    plain.swap_remove(plain.iter().position(|one| *one == due).unwrap());
                }
                prop_assert_eq!(timers.next(), plain.iter().copied().min());
                prop_assert!(timers.next().is_none_or(|next| next >= clock));
            }
        }
    }
}
