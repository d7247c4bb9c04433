//! Lines on their way out, and the order in which they leave.

use super::throttle::Ticket;
use crate::engine::effect::{Cause, Withdrawal};

/// A line to be written: its place in the order of everything, and where its text stands.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// When.
    pub time: i64,
    /// What it goes back to.
    pub cause: Cause,
    /// The person's place in the order of first appearance.
    pub person: u64,
    /// The order in which the person's effects came about.
    pub order: u64,
    /// What it is.
    pub kind: RowKind,
    start: usize,
    len: usize,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// A message that no throttle concerns.
    Message,
    /// A message that has to pass throttles, with the place of its ticket.
    Throttled(u32),
    /// No line: what a throttle must let go of. The place of what is withdrawn.
    Withdrawn(u32),
    /// Something else, for the record alone.
    Note,
}

/// What decides which of two lines leaves first.
pub type Key = (i64, Cause, u64, u64);

impl Row {
    /// Its place in the order.
    #[must_use]
    pub fn key(&self) -> Key {
        (self.time, self.cause, self.person, self.order)
    }
}

/// Lines from one place.
#[derive(Debug, Default)]
pub struct Lane {
    rows: Vec<Row>,
    text: Vec<u8>,
    tickets: Vec<Ticket>,
    withdrawn: Vec<Withdrawal>,
}

impl Lane {
    /// Adds a line, whose text `write` gives.
    pub fn push(&mut self, (time, cause, person, order): Key, kind: RowKind, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.text.len();
        write(&mut self.text);
        let len = self.text.len() - start;
        self.rows.push(Row { time, cause, person, order, kind, start, len });
    }

    /// Adds a message that has to pass throttles.
    pub fn push_throttled(&mut self, key: Key, ticket: Ticket, write: impl FnOnce(&mut Vec<u8>)) {
        let place = u32::try_from(self.tickets.len()).unwrap_or(u32::MAX);
        self.tickets.push(ticket);
        self.push(key, RowKind::Throttled(place), write);
    }

    /// Adds what throttles must let go of.
    pub fn push_withdrawn(&mut self, key: Key, what: Withdrawal) {
        let place = u32::try_from(self.withdrawn.len()).unwrap_or(u32::MAX);
        self.withdrawn.push(what);
        self.push(key, RowKind::Withdrawn(place), |_| {});
    }

    /// The ticket at a place.
    #[must_use]
    pub fn ticket(&self, place: u32) -> Option<&Ticket> {
        self.tickets.get(place as usize)
    }

    /// What is withdrawn, at a place.
    #[must_use]
    pub fn withdrawn(&self, place: u32) -> Option<Withdrawal> {
        self.withdrawn.get(place as usize).copied()
    }

    /// Makes room for so many more.
    pub fn reserve(&mut self, more: usize) {
        self.rows.reserve(more);
    }

    /// Puts the lines in order.
    pub fn sort(&mut self) {
        // They have come about nearly in order, which this sort makes use of.
        self.rows.sort_by_key(Row::key);
    }

    /// The text of a line.
    #[must_use]
    pub fn text(&self, row: &Row) -> &[u8] {
        self.text.get(row.start..row.start.saturating_add(row.len)).unwrap_or_default()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Takes over the lines of another that are not before `from`, and leaves it empty.
    pub fn keep_rest(&mut self, other: &mut Self, from: i64) {
        for row in other.rows.iter().filter(|row| row.time >= from) {
            let write = |text: &mut Vec<u8>| text.extend_from_slice(other.text(row));
            match row.kind {
                RowKind::Throttled(place) => {
                    if let Some(ticket) = other.ticket(place) {
                        self.push_throttled(row.key(), ticket.clone(), write);
                    }
                }
                RowKind::Withdrawn(place) => {
                    if let Some(what) = other.withdrawn(place) {
                        self.push_withdrawn(row.key(), what);
                    }
                }
                kind @ (RowKind::Message | RowKind::Note) => self.push(row.key(), kind, write),
            }
        }
        other.clear();
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.text.clear();
        self.tickets.clear();
        self.withdrawn.clear();
    }
}

/// Goes through the lines of several sorted lanes in order, as far as they lie before an instant.
///
/// # Errors
/// What `take` gives.
pub fn merge<'l, E>(
    lanes: &[&'l Lane],
    before: i64,
    mut take: impl FnMut(&'l Lane, &'l Row) -> Result<(), E>,
) -> Result<(), E> {
    let mut rests: Vec<(&'l Lane, &'l [Row])> = lanes
        .iter()
        .map(|lane| (*lane, lane.rows.get(..lane.rows.partition_point(|row| row.time < before)).unwrap_or_default()))
        .filter(|(_, rows)| !rows.is_empty())
        .collect();
    while !rests.is_empty() {
        // There are few lanes: looking at each of their heads costs less than a heap.
        let mut first = 0;
        let mut least: Option<Key> = None;
        for (place, (_, rows)) in rests.iter().enumerate() {
            let Some(row) = rows.first() else { continue };
            if least.is_none_or(|least| row.time < least.0 || (row.time == least.0 && row.key() < least)) {
                least = Some(row.key());
                first = place;
            }
        }
        let Some((lane, rows)) = rests.get_mut(first) else { return Ok(()) };
        if let Some((row, rest)) = rows.split_first() {
            take(lane, row)?;
            *rows = rest;
            if rest.is_empty() {
                rests.swap_remove(first);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_compiler::bytecode::JourneyId;

    #[test]
    fn lines_leave_in_order_of_time_cause_and_person() {
        let keys = [
            (2, Cause::Timer(JourneyId(0), 1), 0, 4),
            (1, Cause::Timer(JourneyId(1), 0), 0, 1),
            (1, Cause::Timer(JourneyId(0), 9), 7, 2),
            (1, Cause::Input(8), 3, 3),
            (1, Cause::Timer(JourneyId(0), 9), 2, 5),
            (3, Cause::Input(9), 0, 6),
        ];
        let mut lanes = [Lane::default(), Lane::default()];
        for (place, key) in keys.into_iter().enumerate() {
            lanes[place % 2].push(key, RowKind::Note, |text| text.extend_from_slice(format!("{}", key.3).as_bytes()));
        }
        lanes.iter_mut().for_each(Lane::sort);
        let mut out = Vec::new();
        merge(&[&lanes[0], &lanes[1]], 3, |lane, row| {
            out.extend_from_slice(lane.text(row));
            Ok::<_, ()>(())
        })
        .unwrap();
        assert_eq!(out, b"35214");
        let [_, mut two] = lanes;
        let mut held = Lane::default();
        held.keep_rest(&mut two, 2);
        assert_eq!((held.len(), two.len()), (1, 0));
    }
}
