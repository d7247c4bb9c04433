//! Rows of users and lists, waiting for their time.

use crate::engine::input::Input;
use crate::ingest::identity::Target;
use crate::ingest::table::UNTIMED;
use crate::ingest::{Block, Dead, What};
use std::collections::VecDeque;

/// Rows that have not been taken.
#[derive(Debug, Default)]
pub struct Rows {
    /// Those that come just before the first input.
    untimed: Vec<Row>,
    /// Those with a time, in its order.
    timed: VecDeque<Row>,
}

/// A row.
#[derive(Debug)]
pub struct Row {
    /// When it is taken.
    pub time: i64,
    /// Whose it is.
    pub who: Target,
    /// What it says.
    pub input: Input,
}

impl Rows {
    /// Adds the rows of a table, and gives back those that are none, with their lines.
    pub fn add(&mut self, mut block: Block) -> Vec<(u64, Dead)> {
        let mut dead = Vec::new();
        for record in std::mem::take(&mut block.records) {
            match record.what {
                What::Input(input) => {
                    let who = Target { id: block.id(record.who).into(), hash: record.who.hash };
                    let row = Row { time: record.time, who, input };
                    if record.time == UNTIMED {
                        self.untimed.push(row);
                    } else {
                        self.timed.push_back(row);
                    }
                }
                What::Dead(one) => dead.push((u64::from(record.line) + 1, *one)),
                What::Clock | What::Unknown(_) | What::Join(_) => {}
            }
        }
        dead
    }

    /// Puts those with a time in order.
    pub fn sort(&mut self) {
        self.timed.make_contiguous().sort_by_key(|row| row.time);
    }

    /// Whether all were taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.untimed.is_empty() && self.timed.is_empty()
    }

    /// How many were not.
    #[must_use]
    pub fn len(&self) -> u64 {
        (self.untimed.len() + self.timed.len()) as u64
    }

    /// The time of the last one.
    #[must_use]
    pub fn last_time(&self) -> Option<i64> {
        self.timed.back().map(|row| row.time)
    }

    /// Those that come before an input of this time, and not after `until`.
    pub fn due(&mut self, time: i64, until: i64) -> Vec<Row> {
        let first = self.timed.front().map_or(time, |row| row.time.min(time));
        let mut due = std::mem::take(&mut self.untimed);
        for row in &mut due {
            row.time = first;
        }
        let count = self.timed.partition_point(|row| row.time <= time && row.time <= until);
        due.extend(self.timed.drain(..count));
        due
    }
}
