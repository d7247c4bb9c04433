//! What a run came to, in numbers.

use super::watched::Watched;
use crate::engine::effect::{Effect, EffectKind, Place, SkipReason, Why};
use crate::ingest::NameMap;
use crate::pack::{self, Damaged, Read, Unpack};
use flow_compiler::bytecode::{Journey, Program};
use std::collections::BTreeMap;

/// What happened in one journey.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JourneyCounts {
    /// Entries, those of the holdout included.
    pub entered: u64,
    /// Entries of people who got nothing, for comparison.
    pub holdout: u64,
    /// Conversions, those of the holdout included.
    pub converted: u64,
    /// Conversions of people who got nothing.
    pub converted_holdout: u64,
    /// Came to the end.
    pub finished: u64,
    /// Left by each of the exits.
    pub exits: Vec<u64>,
    /// Were started over.
    pub restarted: u64,
    /// Gave way to an older one of the same person.
    pub merged: u64,
    /// How often each step was reached.
    pub reached: Vec<u64>,
    /// Messages by step.
    pub sent: Vec<u64>,
    /// Messages not sent, by step and reason.
    pub skipped: BTreeMap<(u32, SkipReason), u64>,
    /// Sends that waited for the end of quiet hours.
    pub delayed: u64,
}

impl JourneyCounts {
    /// How many are still on their way.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        let left = self.finished + self.exits.iter().sum::<u64>() + self.restarted + self.merged;
        self.entered.saturating_sub(left)
    }
}

/// What happened in all journeys. Sums do not depend on the order of what is summed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By journey.
    pub journeys: Vec<JourneyCounts>,
    /// Changes of advertising audiences: added, removed.
    pub audiences: Vec<(u64, u64)>,
    /// Chains of causes that did not come to rest.
    pub cut: u64,
    /// Questions to APIs.
    pub asked: u64,
    /// Those without an answer.
    pub unanswered: u64,
    /// Inputs handed to the engine that were older than the clock.
    pub late: u64,
}

impl Counts {
    /// Nothing yet.
    #[must_use]
    pub fn new(program: &Program) -> Self {
        let journey = |journey: &Journey| JourneyCounts {
            exits: vec![0; journey.exits.len()],
            reached: vec![0; journey.steps.len()],
            sent: vec![0; journey.steps.len()],
            ..JourneyCounts::default()
        };
        Self {
            journeys: program.journeys.iter().map(journey).collect(),
            audiences: vec![(0, 0); program.audiences.len()],
            ..Self::default()
        }
    }

    /// Counts one effect.
    pub fn count(&mut self, effect: &Effect) {
        let journeys = &mut self.journeys;
        match &effect.kind {
            EffectKind::Message(message) => {
                let journey = journeys.get_mut(message.at.journey.index());
                bump(journey.and_then(|journey| journey.sent.get_mut(message.at.step.index())));
            }
            EffectKind::Skipped(skipped) => {
                if let Some(journey) = journeys.get_mut(skipped.at.journey.index()) {
                    *journey.skipped.entry((skipped.at.step.0, skipped.reason)).or_default() += 1;
                }
            }
            EffectKind::Delayed { at, .. } => {
                bump(journeys.get_mut(at.journey.index()).map(|journey| &mut journey.delayed))
            }
            EffectKind::Entered { journey, holdout } => {
                if let Some(journey) = journeys.get_mut(journey.index()) {
                    journey.entered += 1;
                    journey.holdout += u64::from(*holdout);
                }
            }
            EffectKind::Reached(at) => {
                let journey = journeys.get_mut(at.journey.index());
                bump(journey.and_then(|journey| journey.reached.get_mut(at.step.index())));
            }
            EffectKind::Left { journey, why } => {
                let journey = journeys.get_mut(journey.index());
                bump(journey.and_then(|journey| match why {
                    Why::Finished => Some(&mut journey.finished),
                    Why::Exit(number) => journey.exits.get_mut(usize::from(*number)),
                    Why::Restarted => Some(&mut journey.restarted),
                    Why::Merged => Some(&mut journey.merged),
                }));
            }
            EffectKind::Converted { journey, holdout } => {
                if let Some(journey) = journeys.get_mut(journey.index()) {
                    journey.converted += 1;
                    journey.converted_holdout += u64::from(*holdout);
                }
            }
            EffectKind::Audience { audience, added, .. } => {
                let audience = self.audiences.get_mut(audience.index());
                bump(audience.map(|(gained, lost)| if *added { gained } else { lost }));
            }
            EffectKind::Request(_) => self.asked += 1,
            EffectKind::Cut => self.cut += 1,
            EffectKind::Aside(_) | EffectKind::Withdrawn(_) => {}
        }
    }

    /// Counts a message that could not be rendered.
    pub fn fail(&mut self, at: Place) {
        if let Some(journey) = self.journeys.get_mut(at.journey.index()) {
            *journey.skipped.entry((at.step.0, SkipReason::Rendering)).or_default() += 1;
        }
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        for (journey, more) in self.journeys.iter_mut().zip(&other.journeys) {
            journey.entered += more.entered;
            journey.holdout += more.holdout;
            journey.converted += more.converted;
            journey.converted_holdout += more.converted_holdout;
            journey.finished += more.finished;
            journey.restarted += more.restarted;
            journey.merged += more.merged;
            journey.delayed += more.delayed;
            add_each(&mut journey.exits, &more.exits);
            add_each(&mut journey.reached, &more.reached);
            add_each(&mut journey.sent, &more.sent);
            for (key, count) in &more.skipped {
                *journey.skipped.entry(*key).or_default() += count;
            }
        }
        for ((gained, lost), (more, less)) in self.audiences.iter_mut().zip(&other.audiences) {
            *gained += more;
            *lost += less;
        }
        self.cut += other.cut;
        self.asked += other.asked;
        self.unanswered += other.unanswered;
        self.late += other.late;
    }
}

impl Counts {
    /// Appends the counts, for a snapshot.
    pub fn save(&self, out: &mut Vec<u8>) {
        for journey in &self.journeys {
            let JourneyCounts { entered, holdout, converted, converted_holdout, finished, restarted, .. } = journey;
            for count in [entered, holdout, converted, converted_holdout, finished, restarted] {
                pack::uint(out, *count);
            }
            pack::uint(out, journey.merged);
            pack::uint(out, journey.delayed);
            for counts in [&journey.exits, &journey.reached, &journey.sent] {
                pack::size(out, counts.len());
                counts.iter().for_each(|count| pack::uint(out, *count));
            }
            pack::size(out, journey.skipped.len());
            for ((step, reason), count) in &journey.skipped {
                pack::uint(out, u64::from(*step));
                pack_reason(out, *reason);
                pack::uint(out, *count);
            }
        }
        for (gained, lost) in &self.audiences {
            pack::uint(out, *gained);
            pack::uint(out, *lost);
        }
        for count in [self.cut, self.asked, self.unanswered, self.late] {
            pack::uint(out, count);
        }
    }

    /// Reads what [`Self::save`] wrote of the same program's counts.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub fn restore(&mut self, read: &mut Unpack<'_>) -> Read<()> {
        for journey in &mut self.journeys {
            let JourneyCounts { entered, holdout, converted, converted_holdout, finished, restarted, .. } = journey;
            for count in [entered, holdout, converted, converted_holdout, finished, restarted] {
                *count = read.uint()?;
            }
            (journey.merged, journey.delayed) = (read.uint()?, read.uint()?);
            for counts in [&mut journey.exits, &mut journey.reached, &mut journey.sent] {
                let restored = read.list(Unpack::uint)?;
                if restored.len() != counts.len() {
                    return Err(Damaged("counts of this program"));
                }
                *counts = restored;
            }
            let skipped = read.list(|read| Ok(((read.small()?, read_reason(read)?), read.uint()?)))?;
            journey.skipped = skipped.into_iter().collect();
        }
        for (gained, lost) in &mut self.audiences {
            (*gained, *lost) = (read.uint()?, read.uint()?);
        }
        for count in [&mut self.cut, &mut self.asked, &mut self.unanswered, &mut self.late] {
            *count = read.uint()?;
        }
        Ok(())
    }
}

fn pack_reason(out: &mut Vec<u8>, reason: SkipReason) {
    let (kind, cap) = match reason {
        SkipReason::Holdout => (0, 0),
        SkipReason::NoContact => (1, 0),
        SkipReason::InvalidContact => (2, 0),
        SkipReason::Suppressed => (3, 0),
        SkipReason::NoConsent => (4, 0),
        SkipReason::Cap(cap) => (5, cap),
        SkipReason::Unreachable => (6, 0),
        SkipReason::MissingValue => (7, 0),
        SkipReason::Rendering => (8, 0),
    };
    out.push(kind);
    pack::uint(out, u64::from(cap));
}

fn read_reason(read: &mut Unpack<'_>) -> Read<SkipReason> {
    let (kind, cap) = (read.byte()?, read.small()?);
    Ok(match kind {
        0 => SkipReason::Holdout,
        1 => SkipReason::NoContact,
        2 => SkipReason::InvalidContact,
        3 => SkipReason::Suppressed,
        4 => SkipReason::NoConsent,
        5 => SkipReason::Cap(cap),
        6 => SkipReason::Unreachable,
        7 => SkipReason::MissingValue,
        8 => SkipReason::Rendering,
        _ => return Err(Damaged("reason")),
    })
}

fn bump(count: Option<&mut u64>) {
    if let Some(count) = count {
        *count += 1;
    }
}

fn add_each(sums: &mut [u64], more: &[u64]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// In the journeys.
    pub counts: Counts,
    /// Inputs that were taken.
    pub accepted: u64,
    /// Inputs whose `messageId` was seen before.
    pub repeated: u64,
    /// Events that the program does not know, by name.
    pub unknown: Unknown,
    /// Inputs that could not be taken.
    pub dead: u64,
    /// The reasons of the first of them.
    pub dead_reasons: Vec<String>,
    /// Inputs later than `--until`.
    pub beyond: u64,
    /// Rows of users and lists without a time that could not be taken, since nothing had a time.
    pub timeless: u64,
    /// Messages handed over.
    pub messages: u64,
    /// Messages that a throttle put off.
    pub put_off: u64,
    /// Those of them that were withdrawn before they could leave.
    pub withdrawn: u64,
    /// Those of them that still waited at the end.
    pub held_back: u64,
    /// People.
    pub people: u64,
    /// Ids that turned out to be somebody's.
    pub joined: u64,
    /// The time of the latest input.
    pub clock: Option<i64>,
    /// What came about with those who were watched, in order.
    pub watched: Vec<Watched>,
}

/// How many reasons of dead letters a summary holds.
pub const REASONS: usize = 5;

/// Counts of names that the program does not know.
#[derive(Clone, Debug, Default)]
pub struct Unknown {
    names: Vec<(Box<str>, u64)>,
    places: NameMap<usize>,
    /// Events of further names.
    pub others: u64,
    /// All of them.
    pub total: u64,
}

/// So many names are counted one by one.
const NAMES: usize = 10_000;

impl Unknown {
    /// The place of a name; none when there are too many names.
    pub fn place(&mut self, name: &str) -> Option<usize> {
        if let Some(place) = self.places.get(name) {
            return Some(*place);
        }
        if self.names.len() >= NAMES {
            return None;
        }
        self.places.insert(name.into(), self.names.len());
        self.names.push((name.into(), 0));
        Some(self.names.len() - 1)
    }

    /// Counts one event.
    pub fn count(&mut self, place: Option<usize>) {
        self.total += 1;
        match place.and_then(|place| self.names.get_mut(place)) {
            Some((_, count)) => *count += 1,
            None => self.others += 1,
        }
    }

    /// The most frequent names; those of one count by the alphabet.
    #[must_use]
    pub fn most(&self, count: usize) -> Vec<(&str, u64)> {
        let mut names: Vec<_> =
            self.names.iter().filter(|(_, count)| *count > 0).map(|(name, count)| (&**name, *count)).collect();
        names.sort_by(|(a, more), (b, less)| less.cmp(more).then(a.cmp(b)));
        names.truncate(count);
        names
    }
}
