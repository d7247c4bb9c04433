//! Where there is no room for another connection, the one that has said nothing for longest makes room.

use super::CONNECTIONS;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::Notify;

/// The connections there are.
#[derive(Default)]
pub(super) struct Crowd(Mutex<VecDeque<Weak<Seat>>>);

/// One connection.
#[derive(Default)]
pub(super) struct Seat {
    /// A request is being answered.
    busy: AtomicBool,
    leave: Notify,
}

impl Crowd {
    /// Another one.
    pub fn join(&self) -> Arc<Seat> {
        let seat = Arc::new(Seat::default());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that are over are forgotten now and then.
        if all.len() > 2 * CONNECTIONS {
            all.retain(|seat| seat.strong_count() > 0);
        }
        all.push_back(Arc::downgrade(&seat));
        seat
    }

    /// Asks the first that says nothing to leave.
    pub fn make_room(&self) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..all.len() {
            let Some(seat) = all.pop_front() else { return };
            match seat.upgrade() {
                None => {}
                Some(one) if one.busy.load(Ordering::Relaxed) => all.push_back(seat),
                Some(one) => return one.leave.notify_one(),
            }
        }
    }
}

impl Seat {
    /// Whether it is answered just now.
    pub fn busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::Relaxed);
    }

    /// Ready when it is to leave.
    pub async fn left(&self) {
        self.leave.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_answered_stays_and_the_oldest_of_the_others_goes() {
        let crowd = Crowd::default();
        let [first, second, third] = [(); 3].map(|()| crowd.join());
        first.busy(true);
        drop(third);
        crowd.make_room();
        second.left().await;
        drop(second);
        first.busy(false);
        crowd.make_room();
        first.left().await;
        crowd.make_room();
    }
}
