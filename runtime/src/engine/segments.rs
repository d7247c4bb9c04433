//! Who satisfies which segment, followed to the millisecond.
//!
//! A segment is evaluated when something that it reads changes, and at the instant that its last evaluation
//! named as the first at which it could differ. Nothing is ever polled.

use super::index::TriggerAt;
use super::person::Membership;
use super::run::{Run, Signal};
use super::view::View;
use crate::vm::Moment;
use flow_compiler::bytecode::SegmentId;

/// A segment that the person now is in (or no longer).
pub(super) type Flip = (SegmentId, bool);

impl Run<'_> {
    /// Evaluates the followed segments that an input may have changed; gives those that flipped.
    pub fn follow_segments(&mut self, signal: &Signal) -> Vec<Flip> {
        self.flips(|run, segment, _| {
            let declared = run.engine.program.segments.get(segment.index());
            declared.is_some_and(|s| signal.touches(&s.condition.deps))
        })
    }

    /// Evaluates those whose time has come; gives the triggers of those that flipped.
    pub fn due_segments(&mut self) -> Vec<TriggerAt> {
        if self.person.rare().segments.iter().all(|s| s.horizon > self.now) {
            return Vec::new();
        }
        let flips = self.flips(|run, _, membership| membership.horizon <= run.now);
        flips
            .iter()
            .flat_map(|(segment, inside)| self.engine.index.triggers_of_segment(*segment, *inside))
            .copied()
            .collect()
    }

    fn flips(&mut self, stale: impl Fn(&Self, SegmentId, Membership) -> bool) -> Vec<Flip> {
        let engine = self.engine;
        if engine.index.segments.is_empty() {
            return Vec::new();
        }
        // A person not seen before is in no segment.
        let outside = Membership { inside: false, horizon: i64::MAX };
        self.person.rare_mut().segments.resize(engine.index.segments.len(), outside);
        let mut flips = Vec::new();
        for (place, segment) in engine.index.segments.iter().enumerate() {
            let Some(before) = self.person.rare().segments.get(place).copied() else { continue };
            if !stale(self, *segment, before) {
                continue;
            }
            let after = self.membership(*segment);
            if let Some(membership) = self.person.rare_mut().segments.get_mut(place) {
                *membership = after;
            }
            if before.inside != after.inside {
                flips.push((*segment, after.inside));
            }
        }
        flips
    }

    /// Looks who is in which segment, and says so to nobody.
    pub fn know_segments(&mut self) {
        let engine = self.engine;
        if engine.index.segments.is_empty() {
            return;
        }
        let known = engine.index.segments.iter().map(|segment| self.membership(*segment)).collect();
        self.person.rare_mut().segments = known;
    }

    fn membership(&self, segment: SegmentId) -> Membership {
        let Some(declared) = self.engine.program.segments.get(segment.index()) else {
            return Membership { inside: false, horizon: i64::MAX };
        };
        let mut moment = Moment::at(self.now);
        let view = View::of(self.engine, self.person);
        let inside = self.engine.truth(declared.condition.code, &view, &mut moment);
        Membership { inside, horizon: moment.horizon }
    }
}
