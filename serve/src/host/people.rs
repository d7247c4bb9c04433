//! The people, by id, and their timers, in one order of time over everybody.

use flow_runtime::engine::{Engine, Person};
use flow_runtime::ingest::identity::Index;
use flow_runtime::replay::timers::Timers;

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
}

/// All people.
#[derive(Debug, Default)]
pub struct People {
    index: Index,
    slots: Vec<Slot>,
    /// Timers to come. An entry that is no longer true is passed over.
    timers: Timers,
    count: usize,
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
        self.slots.push(Slot { person: Some(person), hash, first, known, due: i64::MAX, queued: i64::MAX });
        let slots = &self.slots;
        self.index.add(hash, place, |place| {
            slots.get(place as usize).filter(|slot| slot.person.is_some()).map(|slot| slot.hash)
        });
        self.count += 1;
        place
    }

    /// A person's place.
    pub fn slot(&mut self, place: u32) -> Option<&mut Slot> {
        self.slots.get_mut(place as usize)
    }

    /// A person.
    #[must_use]
    pub fn get(&self, place: u32) -> Option<&Person> {
        self.slots.get(place as usize)?.person.as_ref()
    }

    /// Takes a person out.
    pub fn remove(&mut self, place: u32) -> Option<Slot> {
        let slot = self.slots.get_mut(place as usize)?;
        let person = Some(slot.person.take()?);
        (slot.due, slot.queued) = (i64::MAX, i64::MAX);
        self.count -= 1;
        Some(Slot { person, ..*slot })
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
