//! When which message is handed to its channel: due times, pace, pauses. Pure: whoever drives it has the clock and
//! the channels, and the journal has what must not be lost. What is kept here can be made again from the letters.

use crate::host::letter::Letter;
use crate::host::{Host, LATE};
use crate::record::{Delivered, Record};
use flow_channels::pace::{Decision, Limits, Pace, Rate};
use flow_channels::{Outcome, Policy};
use flow_compiler::bytecode::ChannelId;
use flow_runtime::engine::Leave;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

/// Messages that leave more than a minute after their time go no faster than this by each channel: so many a second.
/// After a day asleep, or a day of a provider's failure, they come in a stream and not in a flood.
pub const LATE_RATE: NonZeroU32 = match NonZeroU32::new(20) {
    Some(rate) => rate,
    None => NonZeroU32::MIN,
};

/// While both wait, one late message begins after so many fresh ones.
const TURNS: u32 = 4;
/// A provider that asks to be left alone is left alone for so long at most; then one message asks again.
const LONGEST_HOLD: Duration = Duration::from_secs(3_600);

/// An attempt that is to begin now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Which message.
    pub key: u64,
    /// Which attempt it is, from 1.
    pub attempt: u32,
}

/// The outbox.
#[derive(Debug)]
pub struct Outbox {
    /// By channel.
    lanes: Vec<Lane>,
    /// The due time of what waits in a lane, and of what is held.
    due: BTreeMap<u64, i64>,
    /// What something that was paused holds.
    held: BTreeSet<u64>,
    under_way: BTreeMap<u64, (ChannelId, Which)>,
}

/// What leaves by one channel. What is late has a queue of its own, so that nothing fresh ever waits behind a flood of it.
#[derive(Debug)]
struct Lane {
    policy: Policy,
    pace: Pace,
    fresh: Queue,
    late: Queue,
    /// So many fresh ones have begun since a late one did.
    turns: u32,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: BTreeSet<(i64, u64)>,
    /// The pace of what is late; what is fresh has that of the channel alone.
    pace: Pace,
    /// Nothing begins before.
    not_before: i64,
    /// All attempts that it may have are under way.
    full: bool,
}

/// Which queue of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Fresh,
    Late,
}

/// How the key of a message is written everywhere outside.
#[must_use]
pub fn key_text(key: u64) -> String {
    format!("{key:016x}")
}

impl Outbox {
    /// For channels of these policies, in the order of the program.
    #[must_use]
    pub fn new(policies: impl IntoIterator<Item = Policy>) -> Self {
        let lane =
            |policy| Lane { policy, pace: Pace::default(), fresh: Queue::default(), late: Queue::default(), turns: 0 };
        Self {
            lanes: policies.into_iter().map(lane).collect(),
            due: BTreeMap::new(),
            held: BTreeSet::new(),
            under_way: BTreeMap::new(),
        }
    }

    /// Takes a message that has no outcome yet. One that has failed before waits as long as it would have.
    pub fn add(&mut self, letter: &Letter, now: i64) {
        if self.under_way.contains_key(&letter.key) || self.due.contains_key(&letter.key) {
            return;
        }
        let Some(lane) = self.lanes.get_mut(letter.channel.index()) else { return };
        let wait = match letter.failed {
            0 => None,
            failed => lane.policy.retry.wait(&key_text(letter.key), failed, None),
        };
        let due = now.saturating_add(millis(wait.unwrap_or_default()));
        lane.fresh.waiting.insert((due, letter.key));
        self.due.insert(letter.key, due);
    }

    /// Forgets a message.
    pub fn stop(&mut self, key: u64) {
        if let Some(due) = self.due.remove(&key) {
            for lane in &mut self.lanes {
                lane.fresh.waiting.remove(&(due, key));
                lane.late.waiting.remove(&(due, key));
            }
        }
        self.held.remove(&key);
    }

    /// Goes on with other channels, in the order `is` of their names; `was` is that of those so far. One that stays keeps its
    /// pace, and attempts under way end as they would have.
    pub fn succeed(&mut self, host: &Host, was: &[String], is: &[String], policies: Vec<Policy>) {
        let mut old: BTreeMap<&String, Lane> = was.iter().zip(std::mem::take(&mut self.lanes)).collect();
        for (name, policy) in is.iter().zip(policies) {
            let (fresh, late) = (Queue::default(), Queue::default());
            let new = Lane { policy, pace: Pace::default(), fresh, late, turns: 0 };
            self.lanes.push(match old.remove(name) {
                Some(lane) => Lane {
                    pace: lane.pace,
                    late: Queue { pace: lane.late.pace, ..Queue::default() },
                    turns: lane.turns,
                    ..new
                },
                None => new,
            });
        }
        let place = |channel: ChannelId| {
            let name = was.get(channel.index())?;
            u32::try_from(is.iter().position(|other| other == name)?).ok().map(ChannelId)
        };
        let under_way = std::mem::take(&mut self.under_way).into_iter();
        self.under_way =
            under_way.filter_map(|(key, (channel, which))| Some((key, (place(channel)?, which)))).collect();
        let waiting = &host.letters().waiting;
        self.due.retain(|key, _| waiting.contains_key(key));
        self.held.retain(|key| waiting.contains_key(key));
        for (key, due) in self.due.iter().filter(|(key, _)| !self.held.contains(key)) {
            let channel = waiting.get(key).map(|letter| letter.channel.index());
            if let Some(lane) = channel.and_then(|channel| self.lanes.get_mut(channel)) {
                lane.fresh.waiting.insert((*due, *key));
            }
        }
    }

    /// Something was paused or resumed: what was held is looked at again.
    pub fn look(&mut self, host: &Host) {
        for key in std::mem::take(&mut self.held) {
            let (Some(letter), Some(due)) = (host.letters().waiting.get(&key), self.due.get(&key)) else { continue };
            if let Some(lane) = self.lanes.get_mut(letter.channel.index()) {
                lane.fresh.waiting.insert((*due, key));
            }
        }
    }

    /// The attempts that begin now, once the records are certain: what may not leave any more comes back as a record of its
    /// end, and what must not be handed over twice as one of its beginning.
    pub fn start(&mut self, host: &Host, now: i64, records: &mut Vec<Record>) -> Vec<Start> {
        let (mut starts, mut only_once) = (Vec::new(), Vec::new());
        for lane in &mut self.lanes {
            (lane.fresh.full, lane.late.full) = (false, false);
            while let Some((which, due, key)) = lane.next(now) {
                let Some(letter) = host.letters().waiting.get(&key) else {
                    lane.take(which, due, key);
                    self.due.remove(&key);
                    continue;
                };
                if host.is_paused(letter) {
                    lane.take(which, due, key);
                    self.held.insert(key);
                    continue;
                }
                // Whatever is in its queue for the first time, or has waited there for too long, shows here that it is late.
                if which == Which::Fresh && now.saturating_sub(letter.time) >= LATE {
                    lane.take(which, due, key);
                    lane.late.waiting.insert((due, key));
                    continue;
                }
                match host.may_leave(letter, now) {
                    Leave::Now => {}
                    Leave::At(until) => {
                        lane.take(which, due, key);
                        lane.late.waiting.insert((until, key));
                        self.due.insert(key, until);
                        continue;
                    }
                    Leave::Never(reason) => {
                        lane.take(which, due, key);
                        self.due.remove(&key);
                        let reason = format!("not sent: {}", reason.word());
                        let result = Delivered::Dead { reason, suppress: false };
                        records.push(Record::Outcome { now, key, result });
                        continue;
                    }
                }
                if lane.begin(which, now) {
                    lane.take(which, due, key);
                    self.due.remove(&key);
                    self.under_way.insert(key, (letter.channel, which));
                    if !lane.policy.again {
                        only_once.push(key);
                    }
                    starts.push(Start { key, attempt: letter.failed.saturating_add(1) });
                }
            }
        }
        if !only_once.is_empty() {
            records.push(Record::Begun { now, keys: only_once });
        }
        starts
    }

    /// Whether a message may have been taken when the server stopped, and is not to be handed over again then.
    #[must_use]
    pub fn gives_up(&self, host: &Host, letter: &Letter) -> bool {
        let again = self.lanes.get(letter.channel.index()).is_none_or(|lane| lane.policy.again);
        !again && host.letters().is_uncertain(letter.key)
    }

    /// Takes what came of an attempt, and gives what the journal is to hold of it; nothing when there was no such
    /// attempt, or no such message any more.
    pub fn finished(&mut self, host: &Host, key: u64, outcome: Outcome, now: i64) -> Option<Record> {
        let (channel, which) = self.under_way.remove(&key)?;
        let lane = self.lanes.get_mut(channel.index())?;
        lane.pace.end();
        if which == Which::Late {
            lane.late.pace.end();
        }
        if let (Outcome::Retry { after: Some(after), .. }, true) = (&outcome, lane.policy.one_provider) {
            lane.pace.hold(now, (*after).min(LONGEST_HOLD));
        }
        let letter = host.letters().waiting.get(&key)?;
        let result = match outcome {
            Outcome::Accepted { provider_id } => match lane.policy.kept {
                Some(kept) => Delivered::Kept(kept),
                None => Delivered::Accepted(provider_id),
            },
            Outcome::Rejected { reason, suppress } => Delivered::Dead { reason, suppress },
            Outcome::Retry { reason, after } => {
                let attempt = letter.failed.saturating_add(1);
                match lane.policy.retry.wait(&key_text(key), attempt, after) {
                    Some(wait) => {
                        let due = now.saturating_add(millis(wait));
                        lane.fresh.waiting.insert((due, key));
                        self.due.insert(key, due);
                        Delivered::Failed(reason)
                    }
                    None => Delivered::Dead {
                        reason: format!("given up after {attempt} attempts: {reason}"),
                        suppress: false,
                    },
                }
            }
        };
        Some(Record::Outcome { now, key, result })
    }

    /// When the next attempt can begin, as far as the clock decides that.
    #[must_use]
    pub fn next_wake(&self) -> Option<i64> {
        let queues = self.lanes.iter().flat_map(|lane| [&lane.fresh, &lane.late]).filter(|queue| !queue.full);
        queues.filter_map(|queue| Some(queue.waiting.first()?.0.max(queue.not_before))).min()
    }

    /// How many attempts are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }
}

impl Queue {
    /// The first that is due, unless nothing may begin.
    fn first(&self, now: i64) -> Option<(i64, u64)> {
        let open = !self.full && self.not_before <= now;
        self.waiting.first().copied().filter(|(due, _)| open && *due <= now)
    }

    /// Nothing begins before some time has passed.
    fn wait(&mut self, now: i64, wait: Duration) {
        self.not_before = now.saturating_add(millis(wait).max(1));
    }
}

impl Lane {
    fn queue(&mut self, which: Which) -> &mut Queue {
        match which {
            Which::Fresh => &mut self.fresh,
            Which::Late => &mut self.late,
        }
    }

    /// Which message may be next: a fresh one, but now and then a late one.
    fn next(&self, now: i64) -> Option<(Which, i64, u64)> {
        let fresh = self.fresh.first(now).map(|(due, key)| (Which::Fresh, due, key));
        let late = self.late.first(now).map(|(due, key)| (Which::Late, due, key));
        if self.turns >= TURNS {
            late.or(fresh)
        } else {
            fresh.or(late)
        }
    }

    fn take(&mut self, which: Which, due: i64, key: u64) {
        self.queue(which).waiting.remove(&(due, key));
    }

    /// Whether one more attempt may begin; if not, its queue rests.
    fn begin(&mut self, which: Which, now: i64) -> bool {
        if which == Which::Late && !self.begin_late(now) {
            return false;
        }
        let begun = self.pace.begin(&self.policy.limits, now);
        match begun {
            Decision::Go => {
                self.turns = if which == Which::Late { 0 } else { self.turns.saturating_add(1) };
                return true;
            }
            // What stops one stops both.
            Decision::Wait(wait) => {
                self.fresh.wait(now, wait);
                self.late.wait(now, wait);
            }
            Decision::Full => (self.fresh.full, self.late.full) = (true, true),
        }
        if which == Which::Late {
            self.late.pace.end();
        }
        false
    }

    /// The pace of what is late, which has half of the attempts at most: a provider that hangs leaves room for what is fresh.
    fn begin_late(&mut self, now: i64) -> bool {
        let rate = Rate { count: LATE_RATE, per: Duration::from_secs(1), burst: LATE_RATE };
        let half = NonZeroU32::new(self.policy.limits.concurrency.get() / 2).unwrap_or(NonZeroU32::MIN);
        match self.late.pace.begin(&Limits { concurrency: half, rate: Some(rate) }, now) {
            Decision::Go => true,
            Decision::Wait(wait) => {
                self.late.wait(now, wait);
                false
            }
            Decision::Full => {
                self.late.full = true;
                false
            }
        }
    }
}

fn millis(wait: Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}
