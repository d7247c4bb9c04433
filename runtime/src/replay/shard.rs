//! A part of the people, with their timers: what one thread works on.

use super::lane::{Lane, RowKind};
use super::summary::Counts;
use crate::answers::{answer_all, Answers};
use crate::engine::effect::{Cause, Effect, EffectKind, Request};
use crate::engine::input::Input;
use crate::engine::{Engine, Person};
use crate::ingest::identity::{Index, Target};
use crate::ingest::{Block, IdRef};
use crate::output::names::Names;
use crate::output::tail;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What all shards share.
#[derive(Debug)]
pub struct Setting<'e> {
    /// The engine.
    pub engine: &'e Engine,
    /// The program's names.
    pub names: Names,
    /// Recorded answers.
    pub answers: Answers,
    /// Whether a record is wanted, and not the messages alone.
    pub record: bool,
    /// Whether the program asks APIs: then what a timer wants to know is answered before the next one.
    pub asks: bool,
}

/// An input on its way to a person.
#[derive(Debug)]
pub struct Work {
    /// The clock.
    pub now: i64,
    /// Its number in the order of arrival.
    pub seq: u64,
    /// Its own time, when that is earlier.
    pub late: Option<i64>,
    /// Whose it is.
    pub who: Who,
    /// Whether the person is named by a `userId`.
    pub known: bool,
    /// What it is.
    pub input: Input,
}

/// A person's id on its way.
#[derive(Clone, Debug)]
pub enum Who {
    /// It stands in the block with this number.
    Block(u32, IdRef),
    /// Another than the call named.
    Other(Target),
}

impl Who {
    /// The id.
    #[must_use]
    pub fn id<'a>(&'a self, blocks: &'a [Block]) -> &'a str {
        match self {
            Self::Block(number, id) => blocks.get(*number as usize).map(|block| block.id(*id)).unwrap_or_default(),
            Self::Other(target) => &target.id,
        }
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> u64 {
        match self {
            Self::Block(_, id) => id.hash,
            Self::Other(target) => target.hash,
        }
    }
}

/// One person.
#[derive(Debug)]
pub struct Slot {
    /// None: joined into another.
    pub person: Option<Person>,
    hash: u64,
    /// The number of the first input: people's order.
    pub first: u64,
    /// When the next timer is due; `i64::MAX`: never.
    due: i64,
    /// The earliest entry of this person in the heap.
    queued: i64,
    /// Whether a `userId` ever named them.
    pub known: bool,
}

/// A part of the people.
#[derive(Debug)]
pub struct Shard {
    index: Index,
    people: Vec<Slot>,
    /// Timers to come, by time. An entry that is no longer true is passed over.
    timers: BinaryHeap<Reverse<(i64, u32)>>,
    /// Inputs that have not been taken.
    pub work: Vec<Work>,
    /// Lines that came about.
    pub lane: Lane,
    /// What happened.
    pub counts: Counts,
    effects: Vec<Effect>,
    order: u64,
}

impl Shard {
    /// Nobody.
    #[must_use]
    pub fn new(counts: Counts) -> Self {
        Self {
            index: Index::default(),
            people: Vec::new(),
            timers: BinaryHeap::new(),
            work: Vec::new(),
            lane: Lane::default(),
            counts,
            effects: Vec::new(),
            order: 0,
        }
    }

    /// The place of a person who was seen before.
    #[must_use]
    pub fn find(&self, id: &str, hash: u64) -> Option<u32> {
        let same = |place: u32| {
            let slot = self.people.get(place as usize);
            slot.and_then(|slot| slot.person.as_ref()).is_some_and(|person| person.id() == id)
        };
        self.index.find(hash, same)
    }

    /// The place of a person, who is added if need be.
    pub fn person(&mut self, setting: &Setting<'_>, id: &str, hash: u64, seq: u64) -> u32 {
        if let Some(place) = self.find(id, hash) {
            return place;
        }
        let place = u32::try_from(self.people.len()).unwrap_or(u32::MAX);
        let person = Some(setting.engine.person(id));
        self.people.push(Slot { person, hash, first: seq, due: i64::MAX, queued: i64::MAX, known: false });
        let people = &self.people;
        self.index.add(hash, place, |place| people.get(place as usize).map_or(0, |slot| slot.hash));
        place
    }

    /// A person.
    pub fn slot(&mut self, place: u32) -> Option<&mut Slot> {
        self.people.get_mut(place as usize)
    }

    /// How many people there are.
    #[must_use]
    pub fn people(&self) -> u64 {
        self.people.iter().filter(|slot| slot.person.is_some()).count() as u64
    }

    /// Takes all inputs that lie ready.
    pub fn take_work(&mut self, setting: &Setting<'_>, blocks: &[Block]) {
        let mut work = std::mem::take(&mut self.work);
        for one in work.drain(..) {
            let place = self.person(setting, one.who.id(blocks), one.who.hash(), one.seq);
            self.take(setting, place, one.now, one.seq, one.late, one.known, one.input);
        }
        self.work = work;
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one input")]
    fn take(
        &mut self,
        setting: &Setting<'_>,
        place: u32,
        now: i64,
        seq: u64,
        late: Option<i64>,
        known: bool,
        input: Input,
    ) {
        self.fire(setting, place, now);
        let Some(slot) = self.people.get_mut(place as usize) else { return };
        slot.known |= known;
        let Some(person) = &mut slot.person else { return };
        if let Some(time) = late {
            self.counts.late += 1;
            if setting.record {
                self.order += 1;
                let key = (now, Cause::Input(seq), slot.first, self.order);
                self.lane.push(key, RowKind::Note, |text| tail::late(text, person.id(), time));
            }
        }
        setting.engine.input(person, now, seq, input, &mut self.effects);
        self.settle(setting, place, seq);
    }

    /// Joins `other` into the person at `place`.
    pub fn join(&mut self, setting: &Setting<'_>, place: u32, other: Slot, now: i64, seq: u64) {
        self.fire(setting, place, now);
        let Some(slot) = self.people.get_mut(place as usize) else { return };
        let (Some(person), Some(gone)) = (&mut slot.person, other.person) else { return };
        slot.first = slot.first.min(other.first);
        if setting.record {
            self.order += 1;
            let key = (now, Cause::Input(seq), slot.first, self.order);
            self.lane.push(key, RowKind::Note, |text| tail::joined(text, person.id(), gone.id()));
        }
        setting.engine.merge(person, gone, now, seq, &mut self.effects);
        self.settle(setting, place, seq);
    }

    /// Takes a person out, with all timers before `now` fired.
    pub fn leave(&mut self, setting: &Setting<'_>, place: u32, now: i64) -> Option<Slot> {
        self.fire(setting, place, now);
        let slot = self.people.get_mut(place as usize)?;
        let gone = Slot { person: slot.person.take(), ..*slot };
        (slot.due, slot.queued) = (i64::MAX, i64::MAX);
        Some(gone)
    }

    /// Fires all timers of everybody that are due before an instant.
    pub fn fire_all(&mut self, setting: &Setting<'_>, before: i64) {
        while let Some(Reverse((due, place))) = self.timers.peek().copied() {
            if due >= before {
                return;
            }
            self.timers.pop();
            let Some(slot) = self.people.get_mut(place as usize) else { continue };
            if slot.queued != due {
                continue;
            }
            slot.queued = i64::MAX;
            self.fire(setting, place, before);
            self.queue(place);
        }
    }

    /// When the next timer is due, or a moment before that.
    #[must_use]
    pub fn next_due(&self) -> Option<i64> {
        self.timers.peek().map(|Reverse((due, _))| *due)
    }

    /// Fires a person's timers that are due before an instant.
    fn fire(&mut self, setting: &Setting<'_>, place: u32, before: i64) {
        while let Some(slot) = self.people.get_mut(place as usize).filter(|slot| slot.due < before) {
            let Some(person) = &mut slot.person else { return };
            // What an API is asked at one instant is answered before the next.
            let until = if setting.asks { slot.due.saturating_add(1) } else { before };
            setting.engine.timers(person, until, &mut self.effects);
            self.settle(setting, place, 0);
        }
    }

    /// Answers what the engine asks, writes down what came about, and looks when the person's next timer is due.
    fn settle(&mut self, setting: &Setting<'_>, place: u32, seq: u64) {
        let Some(slot) = self.people.get_mut(place as usize) else { return };
        let Some(person) = &mut slot.person else { return };
        let answers = if setting.asks {
            let find =
                |request: &Request, user: &str, time| setting.answers.find(request.api, &request.args, user, time);
            answer_all(setting.engine, person, seq, &mut self.effects, 0, find)
        } else {
            Vec::new()
        };
        self.counts.unanswered += answers.iter().filter(|answer| answer.is_none()).count() as u64;
        let mut answers = answers.into_iter();
        for effect in self.effects.drain(..) {
            self.counts.count(&effect);
            let message = matches!(effect.kind, EffectKind::Message(_));
            if !message && !setting.record {
                continue;
            }
            self.order += 1;
            let key = (effect.time, effect.cause, slot.first, self.order);
            let (names, user) = (&setting.names, person.id());
            match &effect.kind {
                EffectKind::Message(message) => {
                    let topic = setting.engine.program().topics.get(message.topic.index());
                    let transactional = topic.is_some_and(|topic| topic.transactional);
                    let kind = RowKind::Message { channel: message.channel, transactional };
                    self.lane.push(key, kind, |text| tail::message(text, names, user, message));
                }
                EffectKind::Request(request) => {
                    let answer = answers.next().flatten();
                    self.lane.push(key, RowKind::Note, |text| tail::asked(text, names, user, request, answer.as_ref()));
                }
                kind => self.lane.push(key, RowKind::Note, |text| tail::note(text, names, user, kind)),
            }
        }
        slot.due = setting.engine.next_due(person).unwrap_or(i64::MAX);
        self.queue(place);
    }

    /// Makes sure that the heap knows of the person's next timer.
    fn queue(&mut self, place: u32) {
        let Some(slot) = self.people.get_mut(place as usize) else { return };
        if slot.due < slot.queued {
            slot.queued = slot.due;
            self.timers.push(Reverse((slot.due, place)));
        }
    }
}
