//! A part of the people, with their timers: what one thread works on.

use super::lane::{Key, Lane, RowKind};
use super::summary::Counts;
use super::throttle::Ticket;
use super::timers::Timers;
use super::watched::Watched;
use crate::answers::{answer_all, Answers};
use crate::engine::effect::{Cause, Effect, EffectKind, Request};
use crate::engine::input::Input;
use crate::engine::{Engine, Person};
use crate::ingest::identity::{Index, Target};
use crate::ingest::{hash_of, Block, IdRef};
use crate::message::Messages;
use crate::output::names::Names;
use crate::output::tail;
use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;

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
    /// Of whom everything is told.
    pub watch: BTreeSet<String>,
    /// The templates, when messages are rendered.
    pub render: Option<Arc<Messages>>,
    /// Whether the program asks APIs: then what a timer wants to know is answered before the next one.
    pub asks: bool,
}

impl Setting<'_> {
    fn watches(&self, id: &str) -> bool {
        !self.watch.is_empty() && self.watch.contains(id)
    }
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

/// One person. Two lines of a cache, and never a third.
#[derive(Debug)]
#[repr(align(64))]
pub struct Slot {
    /// None: joined into another.
    pub person: Option<Person>,
    /// The number of the first input: people's order.
    pub first: u64,
    /// The earliest time at which the shard's timers will look at this person; `i64::MAX`: never.
    queued: i64,
    /// Whether a `userId` ever named them.
    pub known: bool,
}

/// So many inputs are looked at together: their people fit into the cache of one processor.
const AT_ONCE: usize = 256;

/// A part of the people.
#[derive(Debug)]
pub struct Shard {
    index: Index,
    people: Vec<Slot>,
    /// Timers to come. One that is no longer true is passed over.
    timers: Timers,
    /// Inputs that have not been taken.
    pub work: Vec<Work>,
    /// Lines that came about.
    pub lane: Lane,
    /// What happened.
    pub counts: Counts,
    /// What came about with those who are watched.
    pub watched: Vec<(Key, Watched)>,
    effects: Vec<Effect>,
    order: u64,
    places: Vec<u32>,
}

impl Shard {
    /// Nobody.
    #[must_use]
    pub fn new(counts: Counts) -> Self {
        Self {
            index: Index::default(),
            people: Vec::new(),
            timers: Timers::default(),
            work: Vec::new(),
            lane: Lane::default(),
            counts,
            watched: Vec::new(),
            effects: Vec::new(),
            order: 0,
            places: Vec::new(),
        }
    }

    /// The place of a person who was seen before.
    #[must_use]
    pub fn find(&self, id: &str, hash: u64) -> Option<u32> {
        self.index.find(hash, |place| self.is(place, id))
    }

    fn is(&self, place: u32, id: &str) -> bool {
        let slot = self.people.get(place as usize);
        slot.and_then(|slot| slot.person.as_ref()).is_some_and(|person| person.id() == id)
    }

    /// The place of a person, who is added if need be.
    pub fn person(&mut self, setting: &Setting<'_>, id: &str, hash: u64, seq: u64) -> u32 {
        if let Some(place) = self.find(id, hash) {
            return place;
        }
        let place = u32::try_from(self.people.len()).unwrap_or(u32::MAX);
        let person = Some(setting.engine.person(id));
        self.people.push(Slot { person, first: seq, queued: i64::MAX, known: false });
        let people = &self.people;
        // Who has been joined into another is found no more.
        self.index.add(hash, place, |place| {
            let person = people.get(place as usize).and_then(|slot| slot.person.as_ref());
            person.map(|person| hash_of(person.id()))
        });
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
        let mut places = std::mem::take(&mut self.places);
        let mut left = work.drain(..);
        while !left.as_slice().is_empty() {
            let some = left.as_slice().get(..AT_ONCE).unwrap_or(left.as_slice());
            self.find_all(setting, blocks, some, &mut places);
            let last = some.last().map_or(i64::MIN, |one| one.now);
            self.lane.reserve(self.busy(setting, &places, last));
            for (place, one) in places.iter().zip(left.by_ref()) {
                self.fire_all(setting, one.now);
                self.take(setting, *place, one.now, one.seq, one.late, one.known, one.input);
            }
        }
        drop(left);
        self.work = work;
        self.places = places;
    }

    /// The places of the people of some inputs.
    ///
    /// With many people, nearly every look at one waits for memory. Looked for one after the other, with nothing in
    /// between, the processor waits for several at once; what follows then finds them in its cache.
    fn find_all(&mut self, setting: &Setting<'_>, blocks: &[Block], work: &[Work], places: &mut Vec<u32>) {
        places.clear();
        places.extend(work.iter().map(|one| self.index.likely(one.who.hash())));
        for (one, place) in work.iter().zip(places.iter_mut()) {
            let id = one.who.id(blocks);
            if !self.is(*place, id) {
                *place = self.person(setting, id, one.who.hash(), one.seq);
            }
        }
    }

    /// How many of these people, and of those with a timer before an instant, are on their way through a journey: each
    /// will hardly cause more than one line. Asking brings what is known of them into the cache, as above.
    fn busy(&self, setting: &Setting<'_>, places: &[u32], before: i64) -> usize {
        let timers = self.timers.upcoming(before).map(|(_, place)| place).take(AT_ONCE);
        let slots = places.iter().copied().chain(timers).filter_map(|place| self.people.get(place as usize));
        let busy = |person: &Person| {
            black_box(person.remembers());
            setting.engine.next_due(person).is_some() && person.in_flight().next().is_some()
        };
        slots.filter(|slot| slot.person.as_ref().is_some_and(busy)).count()
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
        if setting.watches(person.id()) || setting.watches(gone.id()) {
            self.order += 1;
            let key = (now, Cause::Input(seq), slot.first, self.order);
            self.watched
                .push((key, Watched::Joined { time: now, ids: [person.id().to_owned(), gone.id().to_owned()] }));
        }
        setting.engine.merge(person, gone, now, seq, &mut self.effects);
        self.settle(setting, place, seq);
    }

    /// Takes a person out, with all timers before `now` fired.
    pub fn leave(&mut self, setting: &Setting<'_>, place: u32, now: i64) -> Option<Slot> {
        self.fire(setting, place, now);
        let slot = self.people.get_mut(place as usize)?;
        let gone = Slot { person: slot.person.take(), ..*slot };
        slot.queued = i64::MAX;
        Some(gone)
    }

    /// Fires all timers of everybody that are due before an instant.
    pub fn fire_all(&mut self, setting: &Setting<'_>, before: i64) {
        while let Some((due, place)) = self.timers.pop(before) {
            let Some(slot) = self.people.get_mut(place as usize) else { continue };
            if slot.queued != due {
                continue;
            }
            slot.queued = i64::MAX;
            // One instant at a time: so the lines come about in order, and sorting them costs little.
            self.fire(setting, place, due.saturating_add(1));
            self.queue(setting, place);
        }
    }

    /// The same where many are due.
    pub fn drain(&mut self, setting: &Setting<'_>, before: i64) {
        while let Some(next) = self.timers.next().filter(|next| *next < before) {
            self.lane.reserve(self.busy(setting, &[], before));
            // As far as the timers that were looked at reach.
            let last = self.timers.upcoming(before).map(|(due, _)| due).take(AT_ONCE).last().unwrap_or(next);
            self.fire_all(setting, last.max(next).saturating_add(1).min(before));
        }
    }

    /// When the next timer is due, or a moment before that.
    #[must_use]
    pub fn next_due(&self) -> Option<i64> {
        self.timers.next()
    }

    /// Fires a person's timers that are due before an instant.
    fn fire(&mut self, setting: &Setting<'_>, place: u32, before: i64) {
        while let Some(slot) = self.people.get_mut(place as usize) {
            let Some(person) = &mut slot.person else { return };
            let Some(due) = setting.engine.next_due(person).filter(|due| *due < before) else { return };
            // What an API is asked at one instant is answered before the next.
            let until = if setting.asks { due.saturating_add(1) } else { before };
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
            let content = match (&effect.kind, &setting.render) {
                (EffectKind::Message(message), Some(messages)) => {
                    Some(messages.content(setting.engine, person.id(), effect.time, message))
                }
                _ => None,
            };
            if let (EffectKind::Message(message), Some(Err(failure))) = (&effect.kind, &content) {
                self.counts.fail(message.at);
                if setting.record {
                    self.order += 1;
                    let key = (effect.time, effect.cause, slot.first, self.order);
                    let write = |text: &mut Vec<u8>| tail::failed(text, &setting.names, person.id(), message, failure);
                    self.lane.push(key, RowKind::Note, write);
                }
                continue;
            }
            let content = content.and_then(Result::ok);
            self.counts.count(&effect);
            if setting.watches(person.id()) {
                self.order += 1;
                let key = (effect.time, effect.cause, slot.first, self.order);
                self.watched.push((key, Watched::Effect(effect.clone())));
            }
            if matches!(effect.kind, EffectKind::Aside(_)) {
                continue;
            }
            let message = matches!(effect.kind, EffectKind::Message(_));
            if let EffectKind::Withdrawn(what) = effect.kind {
                self.order += 1;
                self.lane.push_withdrawn((effect.time, effect.cause, slot.first, self.order), what);
                continue;
            }
            if !message && !setting.record {
                continue;
            }
            self.order += 1;
            let key = (effect.time, effect.cause, slot.first, self.order);
            let (names, user) = (&setting.names, person.id());
            match &effect.kind {
                EffectKind::Message(message) => {
                    let write = |text: &mut Vec<u8>| tail::message(text, names, user, message, content.as_ref());
                    match Ticket::of(setting.engine, person, message) {
                        Some(ticket) => self.lane.push_throttled(key, ticket, write),
                        None => self.lane.push(key, RowKind::Message, write),
                    }
                }
                EffectKind::Request(request) => {
                    let answer = answers.next().flatten();
                    self.lane.push(key, RowKind::Note, |text| tail::asked(text, names, user, request, answer.as_ref()));
                }
                kind => self.lane.push(key, RowKind::Note, |text| tail::note(text, names, user, kind)),
            }
        }
        self.queue(setting, place);
    }

    /// Makes sure that the person's next timer will be looked at.
    fn queue(&mut self, setting: &Setting<'_>, place: u32) {
        let Some(slot) = self.people.get_mut(place as usize) else { return };
        let due = slot.person.as_ref().and_then(|person| setting.engine.next_due(person)).unwrap_or(i64::MAX);
        if due < slot.queued {
            slot.queued = due;
            self.timers.push((due, place));
        }
    }
}
