//! The people, by id, and their timers, in one order of time over everybody.
//!
//! They can be written down as they are at one moment while things go on: some at a time, and whoever is about to change
//! before that ([`Pass`]).

use super::state::{PEOPLE, PIECE};
use crate::setup::Setup;
use flow_runtime::engine::{Engine, Person};
use flow_runtime::ingest::identity::Index;
use flow_runtime::pack;
use flow_runtime::replay::timers::Timers;
use std::sync::Arc;

/// One person.
#[derive(Debug)]
pub struct Slot {
    /// None: joined into another, or forgotten.
    pub person: Option<Person>,
    /// The hash of the id.
    pub hash: u64,
    /// The number of the first input: people's order.
    pub first: u64,
    /// Whether a `userId` ever named them.
    pub known: bool,
    /// When the next timer is due; `i64::MAX`: never.
    due: i64,
    /// The earliest entry of this person in the heap.
    queued: i64,
    /// The number of the last pass that has written them down.
    written: u32,
}

/// Everybody as they were when it began, while things go on.
#[derive(Debug)]
struct Pass {
    setup: Arc<Setup>,
    number: u32,
    /// Places before it are written.
    next: usize,
    /// Whoever stands here or later came afterwards.
    end: usize,
    piece: Vec<u8>,
    full: Vec<Vec<u8>>,
}

impl Pass {
    fn write(&mut self, place: usize, slot: &mut Slot) {
        if slot.written == self.number || place >= self.end {
            return;
        }
        slot.written = self.number;
        slot.save(&self.setup.engine, place as u64, &mut self.piece);
        if self.piece.len() > PIECE {
            self.full.push(std::mem::take(&mut self.piece));
        }
    }
}

impl Slot {
    /// Appends the person, if there is one. People who were written in another order are put back into that of `place`.
    pub fn save(&self, engine: &Engine, place: u64, out: &mut Vec<u8>) {
        let Some(person) = &self.person else { return };
        if out.is_empty() {
            out.push(PEOPLE);
        }
        pack::uint(out, place);
        pack::uint(out, self.first);
        pack::bool(out, self.known);
        engine.save(person, out);
    }
}

/// All people.
#[derive(Debug, Default)]
pub struct People {
    index: Index,
    slots: Vec<Slot>,
    /// Timers to come. An entry that is no longer true is passed over.
    timers: Timers,
    count: usize,
    pass: Option<Pass>,
    passes: u32,
}

impl People {
    /// The place of a person who was seen before.
    #[must_use]
    pub fn find(&self, id: &str, hash: u64) -> Option<u32> {
        let same = |place: u32| {
            let slot = self.slots.get(place as usize);
            slot.and_then(|slot| slot.person.as_ref()).is_some_and(|person| person.id() == id)
        };
        self.index.find(hash, same)
    }

    /// Adds somebody who was not found.
    pub fn add(&mut self, person: Person, hash: u64, first: u64, known: bool) -> u32 {
        let place = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        let (due, queued) = (i64::MAX, i64::MAX);
        self.slots.push(Slot { person: Some(person), hash, first, known, due, queued, written: 0 });
        let slots = &self.slots;
        self.index.add(hash, place, |place| {
            slots.get(place as usize).filter(|slot| slot.person.is_some()).map(|slot| slot.hash)
        });
        self.count += 1;
        place
    }

    /// A person's place, to change them.
    pub fn slot(&mut self, place: u32) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(place as usize)?;
        if let Some(pass) = &mut self.pass {
            pass.write(place as usize, slot);
        }
        Some(slot)
    }

    /// A person's place, to look at.
    #[must_use]
    pub fn look_at(&self, place: u32) -> Option<&Slot> {
        self.slots.get(place as usize)
    }

    /// Begins to write down everybody as they are now; what was begun before is dropped.
    pub fn begin_pass(&mut self, setup: &Arc<Setup>) {
        self.passes = self.passes.wrapping_add(1);
        let (number, end) = (self.passes, self.slots.len());
        self.pass = Some(Pass { setup: Arc::clone(setup), number, next: 0, end, piece: Vec::new(), full: Vec::new() });
    }

    /// Writes down some more; says whether that was everybody.
    pub fn pass_on(&mut self, some: usize) -> bool {
        let Some(pass) = &mut self.pass else { return true };
        let end = pass.next.saturating_add(some).min(pass.end);
        let places = pass.next..end;
        for (place, slot) in places.clone().zip(self.slots.get_mut(places).unwrap_or_default()) {
            pass.write(place, slot);
        }
        pass.next = end;
        end == pass.end
    }

    /// What was written down and is full; at the end of a pass also what is not.
    pub fn pieces(&mut self) -> Vec<Vec<u8>> {
        let Some(pass) = &mut self.pass else { return Vec::new() };
        let mut pieces = std::mem::take(&mut pass.full);
        if pass.next == pass.end {
            pieces.extend(Some(std::mem::take(&mut pass.piece)).filter(|piece| !piece.is_empty()));
        }
        pieces
    }

    /// Ends the pass, or drops it.
    pub fn end_pass(&mut self) {
        self.pass = None;
    }

    /// Adds people who were written down, with their places then, as [`Slot::save`] did.
    pub fn restore(&mut self, engine: &Engine, mut people: Vec<(u64, Person, u64, bool)>) {
        people.sort_unstable_by_key(|(place, ..)| *place);
        self.slots.reserve_exact(people.len());
        for (_, person, first, known) in people {
            let hash = flow_runtime::ingest::hash_of(person.id());
            let place = self.add(person, hash, first, known);
            if let Some(slot) = self.slots.get_mut(place as usize) {
                slot.due = slot.person.as_ref().and_then(|person| engine.next_due(person)).unwrap_or(i64::MAX);
            }
        }
        // In the order of time they need no heap.
        let mut due: Vec<(i64, u32)> = (0..).zip(&self.slots).map(|(place, slot)| (slot.due, place)).collect();
        due.retain(|(due, _)| *due < i64::MAX);
        due.sort_unstable();
        due.into_iter().for_each(|(_, place)| self.queue(place));
    }

    /// Looks at whoever probably has these hashes, and does nothing with them: asked for one after the other, the processor waits
    /// for several at once; what follows then finds them in its cache.
    #[must_use]
    pub fn warm(&self, hashes: &[u64]) -> usize {
        let places: Vec<u32> = hashes.iter().map(|hash| self.index.likely(*hash)).collect();
        let people = places.iter().filter_map(|place| self.slots.get(*place as usize)?.person.as_ref());
        people.filter(|person| person.in_flight().next().is_some()).count()
    }

    /// A person.
    #[must_use]
    pub fn get(&self, place: u32) -> Option<&Person> {
        self.look_at(place)?.person.as_ref()
    }

    /// Takes a person out.
    pub fn remove(&mut self, place: u32) -> Option<Slot> {
        let slot = self.slot(place)?;
        let person = Some(slot.person.take()?);
        (slot.due, slot.queued) = (i64::MAX, i64::MAX);
        let gone = Slot { person, ..*slot };
        self.count -= 1;
        Some(gone)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All places, also of those who are gone.
    pub fn places(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// All people, in the order of first appearance.
    pub fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| slot.person.is_some())
    }

    /// When the next timer is due, or a moment before that.
    #[must_use]
    pub fn next_due(&self) -> Option<i64> {
        self.timers.next()
    }

    /// The next person with a timer that is due before an instant, and when it is.
    pub fn pop_due(&mut self, before: i64) -> Option<(i64, u32)> {
        while let Some((due, place)) = self.timers.pop(before) {
            let Some(slot) = self.slots.get_mut(place as usize).filter(|slot| slot.queued == due) else { continue };
            slot.queued = i64::MAX;
            if slot.due == due {
                return Some((due, place));
            }
            self.queue(place);
        }
        None
    }

    /// Looks when a person's next timer is due, after something happened to them.
    pub fn look(&mut self, engine: &Engine, place: u32) {
        let Some(slot) = self.slots.get_mut(place as usize) else { return };
        let Some(person) = &slot.person else { return };
        slot.due = engine.next_due(person).unwrap_or(i64::MAX);
        self.queue(place);
    }

    /// Makes sure that the heap knows of the person's next timer.
    fn queue(&mut self, place: u32) {
        let Some(slot) = self.slots.get_mut(place as usize) else { return };
        if slot.due < slot.queued {
            slot.queued = slot.due;
            self.timers.push((slot.due, place));
        }
    }
}
