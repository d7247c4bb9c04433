//! A person's way through one journey.

use crate::vm::value::Value;
use flow_compiler::bytecode::{JourneyId, Outcome, StepId};
use smallvec::SmallVec;

/// One entry into a journey.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub journey: JourneyId,
    /// Unique for the person, ascending.
    pub number: u64,
    /// When it began (for a `without`, until it enters: when the first event happened).
    pub time: i64,
    /// The person's order at the entry; see [`super::person::Person::order`].
    pub order: u64,
    /// For a `without`: the trigger's number, and when the entry is due. The person has not entered yet.
    pub pending: Option<(usize, i64)>,
    /// What the journey reads of its trigger.
    pub trigger: Box<[Value]>,
    pub holdout: bool,
    pub converted: bool,
    pub slots: Box<[Value]>,
    pub messages: Box<[Bound]>,
    /// Nearly always one.
    pub threads: SmallVec<[Thread; 1]>,
    /// How many threads have been begun.
    pub begun: u16,
    /// How many messages have been handed over: part of their ids.
    pub sent: u32,
    /// When an `exit after` is due.
    pub exit_due: i64,
    /// Until when it is sure that no `exit when` holds.
    pub exit_horizon: i64,
}

/// What is bound with `as`: a message, or those of `via a and b`.
#[derive(Clone, Debug, Default)]
pub(super) struct Bound {
    /// The ids of what was sent.
    pub ids: SmallVec<[u64; 1]>,
    /// One bit for each outcome of any of them.
    pub outcomes: u8,
}

impl Bound {
    pub(super) fn has(&self, outcome: Outcome) -> bool {
        self.outcomes & bit(outcome) != 0
    }

    pub(super) fn add(&mut self, outcome: Outcome) {
        self.outcomes |= bit(outcome);
    }
}

fn bit(outcome: Outcome) -> u8 {
    1 << Outcome::ALL.iter().position(|o| *o == outcome).unwrap_or(7)
}

/// A place in a journey's steps; more than one while branches of a `together` run.
#[derive(Clone, Debug)]
pub(super) struct Thread {
    pub id: u16,
    /// The thread that waits for this one at a `together`.
    pub parent: Option<u16>,
    /// The step at which it waits.
    pub step: StepId,
    /// When it came there.
    pub since: i64,
    /// When it goes on if nothing else happens; `i64::MAX`: never.
    pub due: i64,
    /// The end of a wait that has one besides its condition or moment.
    pub bound: i64,
    pub waits: Waits,
}

/// What a thread waits for, besides its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// Only for its time, an event, a condition or a moment, as its step says.
    AsStepSays,
    /// For the end of quiet hours; then the send is judged again, from this channel of several.
    Quiet(u8),
    /// For the answer to this request.
    Answer(u64),
    /// For so many branches.
    Branches(u16),
}

impl Instance {
    /// The order in which timers of one instant run, after the journey.
    pub(super) fn rank(&self) -> (JourneyId, i64, u64) {
        (self.journey, self.time, self.number)
    }

    /// When anything of it is due next.
    pub(super) fn due(&self) -> i64 {
        if let Some((_, due)) = self.pending {
            return due;
        }
        let exits = self.exit_due.min(self.exit_horizon);
        self.threads.iter().map(|t| t.due).min().unwrap_or(i64::MAX).min(exits)
    }

    pub(super) fn thread_mut(&mut self, id: u16) -> Option<&mut Thread> {
        self.threads.iter_mut().find(|t| t.id == id)
    }
}
