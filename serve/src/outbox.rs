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
    under_way: BTreeMap<u64, ChannelId>,
}

#[derive(Debug)]
struct Lane {
    policy: Policy,
    pace: Pace,
    /// The pace of what is late.
    late: Pace,
    queue: BTreeSet<(i64, u64)>,
    /// Nothing begins before.
    not_before: i64,
    /// All attempts that it may have are under way.
    full: bool,
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
        let lane = |policy| Lane {
            policy,
            pace: Pace::default(),
            late: Pace::default(),
            queue: BTreeSet::new(),
            not_before: i64::MIN,
            full: false,
        };
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
        lane.queue.insert((due, letter.key));
        self.due.insert(letter.key, due);
    }

    /// Forgets a message.
    pub fn stop(&mut self, key: u64) {
        if let Some(due) = self.due.remove(&key) {
            for lane in &mut self.lanes {
                lane.queue.remove(&(due, key));
            }
        }
        self.held.remove(&key);
    }

    /// Something was paused or resumed: what was held is looked at again.
    pub fn look(&mut self, host: &Host) {
        for key in std::mem::take(&mut self.held) {
            let (Some(letter), Some(due)) = (host.letters().waiting.get(&key), self.due.get(&key)) else { continue };
            if let Some(lane) = self.lanes.get_mut(letter.channel.index()) {
                lane.queue.insert((*due, key));
            }
        }
    }

    /// The attempts that begin now. What may not leave any more comes back as a record of its end.
    pub fn start(&mut self, host: &Host, now: i64, records: &mut Vec<Record>) -> Vec<Start> {
        let mut starts = Vec::new();
        for lane in &mut self.lanes {
            lane.full = false;
            while lane.not_before <= now {
                let Some((due, key)) = lane.queue.first().copied().filter(|(due, _)| *due <= now) else { break };
                let Some(letter) = host.letters().waiting.get(&key) else {
                    lane.queue.remove(&(due, key));
                    self.due.remove(&key);
                    continue;
                };
                if host.is_paused(letter) {
                    lane.queue.remove(&(due, key));
                    self.held.insert(key);
                    continue;
                }
                match host.may_leave(letter, now) {
                    Leave::Now => {}
                    Leave::At(until) => {
                        lane.queue.remove(&(due, key));
                        lane.queue.insert((until, key));
                        self.due.insert(key, until);
                        continue;
                    }
                    Leave::Never(reason) => {
                        lane.queue.remove(&(due, key));
                        self.due.remove(&key);
                        let reason = format!("not sent: {}", reason.word());
                        let result = Delivered::Dead { reason, suppress: false };
                        records.push(Record::Outcome { now, key, result });
                        continue;
                    }
                }
                if !lane.begin(letter, now) {
                    break;
                }
                lane.queue.remove(&(due, key));
                self.due.remove(&key);
                self.under_way.insert(key, letter.channel);
                starts.push(Start { key, attempt: letter.failed.saturating_add(1) });
            }
        }
        starts
    }

    /// Takes what came of an attempt, and gives what the journal is to hold of it; nothing when there was no such
    /// attempt, or no such message any more.
    pub fn finished(&mut self, host: &Host, key: u64, outcome: Outcome, now: i64) -> Option<Record> {
        let channel = self.under_way.remove(&key)?;
        let lane = self.lanes.get_mut(channel.index())?;
        lane.pace.end();
        let letter = host.letters().waiting.get(&key)?;
        let result = match outcome {
            Outcome::Accepted { provider_id } => Delivered::Accepted(provider_id),
            Outcome::Rejected { reason, suppress } => Delivered::Dead { reason, suppress },
            Outcome::Retry { reason, after } => {
                let attempt = letter.failed.saturating_add(1);
                match lane.policy.retry.wait(&key_text(key), attempt, after) {
                    Some(wait) => {
                        let due = now.saturating_add(millis(wait));
                        lane.queue.insert((due, key));
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
        let open = self.lanes.iter().filter(|lane| !lane.full);
        open.filter_map(|lane| Some(lane.queue.first()?.0.max(lane.not_before))).min()
    }

    /// How many attempts are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }
}

impl Lane {
    /// Whether one more attempt may begin.
    fn begin(&mut self, letter: &Letter, now: i64) -> bool {
        if now.saturating_sub(letter.time) >= LATE {
            let rate = Rate { count: LATE_RATE, per: Duration::from_secs(1), burst: LATE_RATE };
            let limits = Limits { concurrency: NonZeroU32::MAX, rate: Some(rate) };
            match self.late.begin(&limits, now) {
                Decision::Go => self.late.end(),
                Decision::Wait(wait) => {
                    self.not_before = now.saturating_add(millis(wait).max(1));
                    return false;
                }
                Decision::Full => {}
            }
        }
        match self.pace.begin(&self.policy.limits, now) {
            Decision::Go => true,
            Decision::Wait(wait) => {
                self.not_before = now.saturating_add(millis(wait).max(1));
                false
            }
            Decision::Full => {
                self.full = true;
                false
            }
        }
    }
}

fn millis(wait: Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}
