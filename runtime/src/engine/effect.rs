//! What the engine wants to have done, and what it wants to have known.

use super::aside::Aside;
use crate::vm::value::Value;
use flow_compiler::bytecode::{ApiId, AudienceId, ChannelId, JourneyId, StepId, TopicId};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// One effect of a step of the engine, in the order in which they came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// When, milliseconds since 1970 (the engine's clock).
    pub time: i64,
    /// What caused it: the part of the order of messages that the engine knows.
    pub cause: Cause,
    /// What it is.
    pub kind: EffectKind,
}

/// What an effect goes back to. Effects of one instant are ordered by this, then by the person's place
/// in the order of first appearance, then by the order in which the engine gave them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The input with this number.
    Input(u64),
    /// A timer of a journey; the time of the entry, or `i64::MAX` for an entry that time caused.
    Timer(JourneyId, i64),
}

/// The kinds of effect.
#[derive(Clone, Debug, PartialEq)]
pub enum EffectKind {
    /// A message is handed over.
    Message(Box<Message>),
    /// A message was not sent.
    Skipped(Box<Skipped>),
    /// A message has to wait for the end of the quiet hours.
    Delayed {
        /// Which.
        at: Place,
        /// Until when.
        until: i64,
    },
    /// The person entered.
    Entered {
        /// Which journey.
        journey: JourneyId,
        /// Gets nothing, for comparison.
        holdout: bool,
    },
    /// The person came to a step (sends, waits, branches taken are all told).
    Reached(Place),
    /// The person left.
    Left {
        /// Which journey.
        journey: JourneyId,
        /// Why.
        why: Why,
    },
    /// The goal was met.
    Converted {
        /// Which journey.
        journey: JourneyId,
        /// By one who got nothing.
        holdout: bool,
    },
    /// Something outside is asked; its answer comes back as an input.
    Request(Box<Request>),
    /// An advertising audience changes.
    Audience {
        /// Which.
        audience: AudienceId,
        /// Added rather than removed.
        added: bool,
        /// Where.
        at: Place,
    },
    /// A chain of causes was cut: more than [`super::CHAIN_LIMIT`] inputs at one instant.
    Cut,
    /// What a throttle still holds of the person must not leave any more. Told only where the policy has throttles.
    Withdrawn(Withdrawal),
    /// Nothing to carry out: it is for those who ask why ([`super::Engine::explaining`]).
    Aside(Box<Aside>),
}

/// A step of a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Which journey.
    pub journey: JourneyId,
    /// Which step.
    pub step: StepId,
}

/// What a person no longer gets, of messages that were handed over and wait for a throttle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// Those of an entry that an exit, a new start or another entry has ended.
    Entry {
        /// The journey.
        journey: JourneyId,
        /// When the entry began.
        entry: i64,
    },
    /// Those of a topic: its consent was withdrawn.
    Topic(TopicId),
    /// Those on a channel: it is suppressed.
    Channel(ChannelId),
}

impl Withdrawal {
    /// The word for it in records.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Entry { .. } => "left",
            Self::Topic(_) => SkipReason::NoConsent.word(),
            Self::Channel(_) => SkipReason::Suppressed.word(),
        }
    }
}

/// Why a person left a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// The steps were at their end, or `end`.
    Finished,
    /// `exit on`, `exit when` or `exit after`: the number of the exit.
    Exit(u16),
    /// A trigger started it over.
    Restarted,
    /// Another instance of the same journey took its place when two people turned out to be one.
    Merged,
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The idempotency key: a hash of journey, person, entry and step.
    pub id: u64,
    /// The step.
    pub at: Place,
    /// By which channel.
    pub channel: ChannelId,
    /// The contact, if the channel has one.
    pub to: Option<Arc<str>>,
    /// What.
    pub content: MessageContent,
    /// The values of `with`; names and types stand in the step.
    pub with: Vec<Value>,
    /// What was known at that moment, where somebody will render it ([`super::Engine::for_rendering`]).
    pub seen: Option<Box<Seen>>,
    /// Whose consent it needed.
    pub topic: TopicId,
    /// The time of the entry.
    pub entry: i64,
}

/// What was known when a message was handed over, as far as its template can name it. Values are shared, not copied.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The person's attributes or their defaults, as in the program.
    pub attributes: Box<[Value]>,
    /// The trigger's fields, as the journey keeps them.
    pub trigger: Box<[Value]>,
    /// What the journey had bound, as in the step.
    pub bound: Box<[Value]>,
    /// The person's zone.
    pub zone: TimeZone,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum MessageContent {
    /// A template's name and the locale of the file that fits the person (`""`: without one).
    Template(Arc<str>, Arc<str>),
    /// The finished text.
    Text(Arc<str>),
}

/// A message that was not sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Skipped {
    /// The step.
    pub at: Place,
    /// By which channel it would have gone; none: by none of several.
    pub channel: Option<ChannelId>,
    /// What.
    pub content: MessageContent,
    /// Why not.
    pub reason: SkipReason,
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SkipReason {
    /// The person is in the holdout.
    Holdout,
    /// The contact is not known.
    NoContact,
    /// The contact is none (an address without `@`).
    InvalidContact,
    /// The channel is suppressed, by a bounce, a complaint or an unsubscribe.
    Suppressed,
    /// The topic's consent is not there.
    NoConsent,
    /// The cap with this number in the program's policy is reached.
    Cap(u16),
    /// None of several channels can reach the person.
    Unreachable,
    /// The text needs a value that was known when the journey asked and is missing now: the send had to wait for
    /// the end of quiet hours meanwhile.
    MissingValue,
    /// The finished text would exceed a bound, or its markup is none. Said where messages are rendered, not by the
    /// engine: for it the message was handed over.
    Rendering,
}

impl SkipReason {
    /// The word for it in records, summaries and tests.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Holdout => "holdout",
            Self::NoContact => "no_contact",
            Self::InvalidContact => "invalid_contact",
            Self::Suppressed => "suppressed",
            Self::NoConsent => "no_consent",
            Self::Cap(_) => "cap",
            Self::Unreachable => "unreachable",
            Self::MissingValue => "missing_value",
            Self::Rendering => "rendering",
        }
    }
}

/// A question to the outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Unique for this person; the answer names it.
    pub id: u64,
    /// Which API.
    pub api: ApiId,
    /// Its arguments, in the order of its parameters.
    pub args: Vec<Value>,
    /// Where.
    pub at: Place,
}
