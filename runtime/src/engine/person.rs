//! One person's state: all that the engine knows of them, and nothing of anybody else.

use super::effect::Place;
use super::history::{EventHistory, Running};
use super::instance::Instance;
use crate::vm::value::Value;
use compact_str::CompactString;
use flow_compiler::bytecode::{ChannelId, JourneyId, TopicId};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::sync::{Arc, LazyLock};
use thin_vec::ThinVec;

/// The state of one person. There are very many of them, so that its lists are one word each. Made by [`super::Engine::person`], changed by the engine alone.
#[derive(Clone, Debug)]
pub struct Person {
    /// Most ids are short enough to stand here and nowhere else.
    pub(super) id: CompactString,
    /// Counts the inputs taken: tells before from after at one instant. 0: the person is new.
    pub(super) order: u64,
    /// The earliest instant at which a timer is due; `i64::MAX`: none.
    pub(super) next_due: i64,
    /// By attribute; missing means the default. Shorter than the program's list where the rest is not set.
    pub(super) attributes: ThinVec<Value>,
    /// The person's own time zone.
    pub(super) zone: Option<TimeZone>,
    /// By place in [`super::index::Index::histories`]; as long as needed.
    pub(super) history: ThinVec<EventHistory>,
    /// Running totals, by cell; as long as needed.
    pub(super) running: ThinVec<Running>,
    /// In flight, in the order of (journey, entry).
    pub(super) instances: ThinVec<Instance>,
    /// Numbers of entries and requests given so far.
    pub(super) numbers: u64,
    rare: Option<Box<Rare>>,
}

/// What most people do not have.
#[derive(Clone, Debug, Default)]
pub(super) struct Rare {
    /// Entries that `once` and `once per` must remember.
    pub entered: Vec<Entered>,
    /// Conversions that may still come from entries that are over.
    pub goals: Vec<OpenGoal>,
    /// By followed segment.
    pub segments: Vec<Membership>,
    /// When schedules and dates put the person into a journey, by trigger of [`super::index::Index::clocked`].
    pub clocked: ThinVec<Clocked>,
    /// Channels that may not be used.
    pub suppressed: Vec<Suppressed>,
    /// Channels whose contact is another than before, and to which nothing was sent since: what bounces is older.
    pub unused: Vec<ChannelId>,
    /// Consent that was given or withdrawn.
    pub consent: Vec<(TopicId, bool)>,
    /// Messages that caps count, in order of time.
    pub sends: Vec<(i64, ChannelId)>,
    /// The latest messages, oldest first, to which outcomes can belong.
    pub messages: Vec<Recent>,
    /// How often messages of a channel were opened at each local hour.
    pub opens: Vec<(ChannelId, [u32; 24])>,
    /// The latest location and its time.
    pub location: Option<(i64, Decimal, Decimal)>,
}

/// The last entry of a person, with one key, into a journey.
#[derive(Clone, Debug)]
pub(super) struct Entered {
    pub journey: JourneyId,
    pub key: Box<[Value]>,
    pub time: i64,
}

/// A conversion that may still come after the person has left.
#[derive(Clone, Debug)]
pub(super) struct OpenGoal {
    pub journey: JourneyId,
    pub goal: usize,
    pub entry: (i64, u64),
    pub deadline: i64,
    pub trigger: Box<[Value]>,
    pub holdout: bool,
}

impl OpenGoal {
    /// Of which entry.
    pub fn of(&self) -> (JourneyId, (i64, u64), bool) {
        (self.journey, self.entry, self.holdout)
    }
}

/// Whether the person is in a segment, and until when that is sure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Membership {
    pub inside: bool,
    pub horizon: i64,
}

/// When a schedule or date is next due; `fired` is when it last was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocked {
    pub due: i64,
    pub fired: i64,
}

/// A channel that may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suppressed {
    pub channel: ChannelId,
    /// A bounce: over when the contact changes.
    pub bounced: bool,
}

/// A message that outcomes can belong to.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    pub id: u64,
    pub channel: ChannelId,
    pub template: Option<Arc<str>>,
    /// The contact that it went to.
    pub to: Option<Arc<str>>,
    /// When it was handed over.
    pub time: i64,
}

/// How many messages of a person can still be told apart when an outcome names only a channel.
pub(super) const RECENT_LIMIT: usize = 16;

static NOTHING_RARE: LazyLock<Rare> = LazyLock::new(Rare::default);

impl Person {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.into(),
            order: 0,
            next_due: i64::MAX,
            attributes: ThinVec::new(),
            zone: None,
            history: ThinVec::new(),
            running: ThinVec::new(),
            instances: ThinVec::new(),
            numbers: 0,
            rare: None,
        }
    }

    /// The id by which the outside knows the person.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Of how many events anything is remembered.
    #[must_use]
    pub fn remembers(&self) -> usize {
        self.history.len()
    }

    /// How many instances of a journey the person is in, not counting those that wait for an
    /// absence (`without`) and have not entered yet.
    pub fn in_flight(&self) -> impl Iterator<Item = JourneyId> + '_ {
        self.instances.iter().filter(|i| i.pending.is_none()).map(|i| i.journey)
    }

    /// The steps at which the person waits, one for each way that is under way.
    pub fn waits_at(&self) -> impl Iterator<Item = Place> + '_ {
        self.instances.iter().filter(|i| i.pending.is_none()).flat_map(|instance| {
            instance.threads.iter().map(|thread| Place { journey: instance.journey, step: thread.step })
        })
    }

    pub(super) fn rare(&self) -> &Rare {
        self.rare.as_deref().unwrap_or(&NOTHING_RARE)
    }

    pub(super) fn has_rare(&self) -> bool {
        self.rare.is_some()
    }

    pub(super) fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_with(Box::default)
    }

    /// A number not given to this person before.
    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}
