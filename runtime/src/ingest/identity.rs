//! Who is who: people by their ids, and ids that turned out to be the same person's.

use super::hash_of;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Finds the place of a person by the hash of their id. The ids themselves stand with the people.
///
/// An open table of one word an entry (half of the hash, and the place), so that finding a person
/// costs one look into it and one at the person.
#[derive(Debug, Default)]
pub struct Index {
    /// `hash << 32 | place + 1`; 0 is empty. A power of two long.
    slots: Vec<u64>,
    count: usize,
}

impl Index {
    /// The place of the person with this hash for whom `same` holds.
    pub fn find(&self, hash: u64, same: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let mark = hash << 32;
        let mut at = (hash >> 7) as usize & mask;
        loop {
            let slot = *self.slots.get(at)?;
            if slot == 0 {
                return None;
            }
            if slot & !u64::from(u32::MAX) == mark {
                let place = (slot as u32).wrapping_sub(1);
                if same(place) {
                    return Some(place);
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// The place at which the person with this hash is very likely found, if there is such a person.
    #[must_use]
    pub fn likely(&self, hash: u64) -> u32 {
        let mask = self.slots.len().wrapping_sub(1);
        let mark = hash << 32;
        let mut at = (hash >> 7) as usize & mask;
        loop {
            match self.slots.get(at) {
                None | Some(0) => return u32::MAX,
                Some(slot) if slot & !u64::from(u32::MAX) == mark => return (*slot as u32).wrapping_sub(1),
                Some(_) => at = (at + 1) & mask,
            }
        }
    }

    /// Adds a person who was not found. `hash_of` gives the hash of one added before, unless they are there no more.
    pub fn add(&mut self, hash: u64, place: u32, hash_of: impl Fn(u32) -> Option<u64>) {
        if self.count * 2 >= self.slots.len() {
            let larger = vec![0; (self.slots.len() * 2).max(64)];
            let old = std::mem::replace(&mut self.slots, larger);
            self.count = 0;
            for slot in old.into_iter().filter(|slot| *slot != 0) {
                if let Some(hash) = hash_of((slot as u32).wrapping_sub(1)) {
                    self.put(hash, slot);
                    self.count += 1;
                }
            }
        }
        self.count += 1;
        self.put(hash, (hash << 32) | u64::from(place.wrapping_add(1)));
    }

    fn put(&mut self, hash: u64, entry: u64) {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = (hash >> 7) as usize & mask;
        // The table is at most half full.
        while let Some(slot) = self.slots.get_mut(at) {
            if *slot == 0 {
                *slot = entry;
                return;
            }
            at = (at + 1) & mask;
        }
    }
}

/// Ids that mean another person than a new one of their own.
///
/// What an id means is written behind all that was written before, and never over it: so what was so at a moment can be written
/// down while more comes.
#[derive(Debug, Default)]
pub struct Joined {
    index: Index,
    links: Vec<Link>,
}

#[derive(Debug)]
struct Link {
    id: Box<str>,
    target: Target,
    /// A later one has taken its place.
    over: bool,
}

/// Whom an id means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The person's id.
    pub id: Arc<str>,
    /// Its hash.
    pub hash: u64,
}

impl Joined {
    /// Whom `id` means, when it means another.
    #[must_use]
    pub fn target(&self, id: &str) -> Option<&Target> {
        if self.links.is_empty() {
            return None;
        }
        self.target_of(id, hash_of(id))
    }

    /// The same for whom the hash of the id is known already.
    #[must_use]
    pub fn target_of(&self, id: &str, hash: u64) -> Option<&Target> {
        let mut found = self.get(id, hash)?;
        // Only ids that mean themselves are pointed at, so that the way always ends.
        while let Some(next) = self.get(&found.id, found.hash) {
            found = next;
        }
        Some(found)
    }

    fn get(&self, id: &str, hash: u64) -> Option<&Target> {
        self.links.get(self.place(id, hash)?).map(|link| &link.target)
    }

    fn place(&self, id: &str, hash: u64) -> Option<usize> {
        let same = |place: u32| self.links.get(place as usize).is_some_and(|link| !link.over && *link.id == *id);
        self.index.find(hash, same).map(|place| place as usize)
    }

    /// Whether that `id` is the person `known` is news, by which two people may become one. An id that was somebody's
    /// already means `known` from now on, and nothing more: the history of whoever had it stays theirs, since it is a device
    /// that others used before.
    pub fn is_new(&mut self, id: &str, known: &Target) -> bool {
        if id == &*known.id {
            return false;
        }
        let Some(before) = self.target(id) else { return true };
        if before.id != known.id {
            self.point(id, known.clone());
        }
        false
    }

    /// From now on `id` means `target`, which must mean itself.
    pub fn point(&mut self, id: &str, target: Target) {
        let hash = hash_of(id);
        if let Some(link) = self.place(id, hash).and_then(|place| self.links.get_mut(place)) {
            link.over = true;
        }
        let place = u32::try_from(self.links.len()).unwrap_or(u32::MAX);
        self.links.push(Link { id: id.into(), target, over: false });
        let links = &self.links;
        self.index.add(hash, place, |place| {
            links.get(place as usize).filter(|link| !link.over).map(|link| hash_of(&link.id))
        });
    }

    /// Whoever meant this person means nobody any more, and no trace of it stays.
    pub fn forget(&mut self, person: &str) {
        let theirs = |link: &&Link| !link.over && self.target(&link.id).is_some_and(|target| *target.id == *person);
        let mut ids: BTreeSet<Box<str>> = self.links.iter().filter(theirs).map(|link| link.id.clone()).collect();
        ids.insert(person.into());
        for link in self.links.iter_mut().filter(|link| ids.contains(&link.id) || ids.contains(&*link.target.id)) {
            *link = Link { id: "".into(), target: Target { id: "".into(), hash: 0 }, over: true };
        }
    }

    /// Who points at whom, in the order in which they were told so.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Target)> {
        self.links.iter().filter(|link| !link.over).map(|link| (&*link.id, &link.target))
    }

    /// How many there are and were: their numbers go up to here.
    #[must_use]
    pub fn end(&self) -> usize {
        self.links.len()
    }

    /// Those with some numbers, as they were told at first: what a later one says of the same id counts instead.
    pub fn told(&self, numbers: std::ops::Range<usize>) -> impl Iterator<Item = (&str, &Target)> {
        let some = self.links.get(numbers).unwrap_or_default();
        some.iter().filter(|link| !link.id.is_empty()).map(|link| (&*link.id, &link.target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_whom_it_was_given() {
        let names: Vec<String> = (0..5_000).map(|n| format!("u{n}")).collect();
        let mut index = Index::default();
        for (place, name) in names.iter().enumerate() {
            let found = index.find(hash_of(name), |place| names[place as usize] == *name);
            assert_eq!(found, None);
            index.add(hash_of(name), place as u32, |place| Some(hash_of(&names[place as usize])));
            assert_eq!(index.likely(hash_of(name)), place as u32);
        }
        for (place, name) in names.iter().enumerate() {
            let found = index.find(hash_of(name), |place| names[place as usize] == *name);
            assert_eq!(found, Some(place as u32));
        }
        // The same hash is not the same person.
        assert_eq!(index.find(hash_of("u1"), |_| false), None);
    }

    #[test]
    fn follows_joined_ids_to_the_end() {
        let target = |id: &str| Target { id: id.into(), hash: hash_of(id) };
        let mut joined = Joined::default();
        assert_eq!(joined.target("a"), None);
        joined.point("a", target("b"));
        joined.point("b", target("c"));
        assert_eq!(joined.target("a"), Some(&target("c")));
        joined.point("a", target("d"));
        assert_eq!(joined.target("a"), Some(&target("d")));
        assert_eq!(joined.target("c"), None);
        // What was said up to a moment can be told later, whatever was said since.
        let told: Vec<_> = joined.told(0..2).map(|(id, target)| format!("{id} {}", target.id)).collect();
        assert_eq!(told, ["a b", "b c"]);
        assert_eq!(joined.all().map(|(id, _)| id).collect::<Vec<_>>(), ["b", "a"]);
        joined.forget("d");
        assert_eq!((joined.target("a"), joined.target("b")), (None, Some(&target("c"))));
        assert!(!format!("{:?}", joined.links).contains("\"d\""));
    }
}
