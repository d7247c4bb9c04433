//! The most messages that one entry gives in any seven days, over all its ways.
//!
//! A window of seven days begins with some message. From each, all ways are followed as far as the shortest time that
//! they can take stays below seven days; of ways that meet, only those are kept that are sooner or have more
//! messages. Days count as 24 hours and months as 28 days here, so that the number is never too small; what quiet
//! hours push together over a night is not counted.

use super::weight::Weight;
use crate::bytecode::{CodeId, Const, Duration, Journey, Program, Slot, StepId, StepKind, Until};
use crate::graph::{constant, edges, Edge, EdgeKind};
use std::collections::BTreeMap;

const DAY: i64 = 86_400_000;
const WEEK: i64 = 7 * DAY;
/// So many places are looked at for one journey; beyond that, the bound over the whole entry is given.
const MAX_VISITS: usize = 200_000;
/// More than so many in a week count as without a bound.
const MANY: u64 = 10_000;

/// The rounds done of each bounded loop around a step.
type Rounds = Vec<(Slot, u32)>;
/// A place on a way.
type Place = (usize, Rounds);
/// The next step, the shortest time until then, and the rounds done there.
type Way = (usize, i64, Rounds);

pub(super) fn messages(program: &Program, journey: &Journey, whole: &Weight<u64>) -> Weight<u64> {
    let most = match whole {
        Weight::Finite(most) => *most,
        Weight::Endless(..) => MANY,
    };
    let mut walk = Walk { program, journey, most, visits: 0 };
    let found = walk.best(0, journey.steps.len());
    match (whole, found) {
        (Weight::Endless(..), Some(found)) if found < MANY => Weight::Finite(found),
        (Weight::Finite(most), Some(found)) => Weight::Finite(found.min(*most)),
        _ => whole.clone(),
    }
}

struct Walk<'p> {
    program: &'p Program,
    journey: &'p Journey,
    /// As many as there can be in the whole entry.
    most: u64,
    visits: usize,
}

impl Walk<'_> {
    /// The most in a week that begins in these steps and does not leave them; none: there were too many ways.
    fn best(&mut self, from: usize, to: usize) -> Option<u64> {
        let mut counts = BTreeMap::new();
        let mut at = from;
        while at < to {
            let kind = self.journey.steps.get(at).map(|step| step.kind.clone());
            match kind {
                Some(StepKind::Send(send)) => {
                    counts.insert(at, if send.all { send.channels.len() as u64 } else { 1 });
                }
                Some(StepKind::Together { branches, join }) => {
                    // Side by side: the worst weeks of all of them may be one week.
                    let ends = branches.iter().skip(1).chain([&join]).map(|end| end.index());
                    let mut sum = 0;
                    for (branch, end) in branches.iter().zip(ends) {
                        sum += self.best(branch.index(), end.max(1) - 1)?;
                    }
                    counts.insert(at, sum);
                    at = join.index().max(at + 1);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        let mut best = 0;
        for start in counts.keys() {
            best = best.max(self.from(*start, from..to, &counts)?);
        }
        Some(best)
    }

    /// The most messages in seven days that begin with the step at `start`.
    fn from(&mut self, start: usize, range: std::ops::Range<usize>, counts: &BTreeMap<usize, u64>) -> Option<u64> {
        let mut fronts: BTreeMap<Place, Vec<(i64, u64)>> = BTreeMap::new();
        let mut todo = vec![((start, Vec::new()), 0_i64, counts.get(&start).copied().unwrap_or(0))];
        let mut best = 0;
        while let Some(((at, rounds), time, count)) = todo.pop() {
            best = best.max(count);
            self.visits += 1;
            if best >= self.most {
                return Some(self.most);
            }
            if self.visits > MAX_VISITS {
                return None;
            }
            for (to, cost, rounds) in self.next(at, &rounds) {
                let later = time.saturating_add(cost);
                if later >= WEEK || !range.contains(&to) {
                    continue;
                }
                let more = count + counts.get(&to).copied().unwrap_or(0);
                let front = fronts.entry((to, rounds.clone())).or_default();
                if front.iter().any(|(time, count)| *time <= later && *count >= more) {
                    continue;
                }
                front.retain(|(time, count)| !(later <= *time && more >= *count));
                front.push((later, more));
                todo.push(((to, rounds), later, more));
            }
        }
        Some(best)
    }

    /// Where a step leads, how long that takes at least, and the rounds that are done then.
    fn next(&self, at: usize, rounds: &[(Slot, u32)]) -> Vec<Way> {
        let Some(step) = self.journey.steps.get(at) else { return Vec::new() };
        if let StepKind::Together { join, .. } = &step.kind {
            return vec![(join.index(), 0, rounds.to_vec())];
        }
        let id = StepId(u32::try_from(at).unwrap_or(u32::MAX));
        let way = |edge: Edge| {
            let mut rounds = rounds.to_vec();
            if let StepKind::RepeatNext { slot, times: Some(times), .. } = &step.kind {
                // A way that begins inside of a loop may have all its rounds ahead.
                let done = rounds.iter().find(|(one, _)| one == slot).map_or(1, |(_, done)| done + 1);
                rounds.retain(|(one, _)| one != slot);
                if edge.kind == EdgeKind::Again {
                    if done >= *times {
                        return None;
                    }
                    rounds.push((*slot, done));
                    rounds.sort_unstable();
                }
            }
            Some((edge.to.index(), self.cost(at, &edge), rounds))
        };
        edges(self.journey, id).into_iter().filter_map(way).collect()
    }

    /// The shortest time from a step to the next on this way.
    fn cost(&self, at: usize, edge: &Edge) -> i64 {
        let Some(step) = self.journey.steps.get(at) else { return 0 };
        match (&step.kind, &edge.kind) {
            (StepKind::Wait(code), _) => self.length(*code).map_or(0, shortest),
            (
                StepKind::WaitEvent { bound: Some(Until::For(code)), .. }
                | StepKind::WaitCondition { bound: Some(Until::For(code)), .. }
                | StepKind::WaitMoment { bound: Some(Until::For(code)), .. },
                EdgeKind::Otherwise,
            ) => self.length(*code).map_or(0, shortest),
            (StepKind::RepeatNext { every: Some(every), body, .. }, EdgeKind::Again) => {
                let Some(every) = self.length(*every) else { return 0 };
                // Rounds begin so far apart, unless one takes longer.
                let body = self.longest(body.index(), at);
                body.map_or(0, |body| (shortest(every) - body).max(0))
            }
            _ => 0,
        }
    }

    /// The longest time that steps can take; none: nobody knows.
    fn longest(&self, from: usize, to: usize) -> Option<i64> {
        let steps = self.journey.steps.get(from..to)?;
        steps.iter().try_fold(0_i64, |sum, step| {
            let time = match &step.kind {
                StepKind::Wait(code) => self.length(*code)?.window_millis(),
                StepKind::WaitEvent { bound, .. }
                | StepKind::WaitCondition { bound, .. }
                | StepKind::WaitMoment { bound, .. } => match bound {
                    Some(Until::For(code)) => self.length(*code)?.window_millis(),
                    Some(Until::Moment(..)) | None => return None,
                },
                StepKind::WaitDays { .. } | StepKind::WaitWithin { .. } => 7 * DAY,
                StepKind::WaitBestHour { within, .. } => within.window_millis(),
                StepKind::RepeatNext { .. } => return None,
                _ => 0,
            };
            Some(sum.saturating_add(time))
        })
    }

    fn length(&self, code: CodeId) -> Option<Duration> {
        match constant(self.program, code)? {
            Const::Duration(length) => Some(*length),
            _ => None,
        }
    }
}

/// The shortest that a length of time can be.
fn shortest(length: Duration) -> i64 {
    (i64::from(length.months) * 28 + i64::from(length.days)).saturating_mul(DAY).saturating_add(length.millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{compile, ProjectInput, SourceFile};

    fn week(body: &str) -> Weight<u64> {
        let text = format!(
            "event started\nevent login\nuser {{ points: int = 0 }}\nchannel inbox\njourney hello {{\n  on started\n{body}\n}}\n"
        );
        let files = vec![SourceFile { path: "a.flow".into(), text }];
        let input = ProjectInput { timezone: "UTC".into(), files, ..ProjectInput::default() };
        let compiled = compile(&input);
        let program = compiled.program.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
        let journey = &program.journeys[0];
        let files = input.files.clone();
        let names = crate::dump::Names::new(&program, &files);
        messages(&program, journey, &super::super::weight::messages(&names, journey, None))
    }

    fn at_most(body: &str) -> u64 {
        match week(body) {
            Weight::Finite(n) => n,
            Weight::Endless(why, _) => panic!("{why}"),
        }
    }

    #[test]
    fn the_worst_week_of_all_ways() {
        assert_eq!(at_most("inbox \"a\" wait 6d inbox \"b\" wait 1d inbox \"c\""), 2);
        assert_eq!(at_most("inbox \"a\" wait 6d inbox \"b\" wait 23h inbox \"c\""), 3);
        assert_eq!(
            at_most("if user.points > 3 then { inbox \"a\" inbox \"b\" } else inbox \"c\" wait 8d inbox \"d\""),
            2
        );
        assert_eq!(at_most("inbox \"a\" wait for login up to 30d inbox \"b\""), 2);
        assert_eq!(at_most("inbox \"a\" wait for login up to 30d then end inbox \"b\""), 1);
    }

    #[test]
    fn rounds_of_loops_are_counted_as_far_as_they_go() {
        assert_eq!(at_most("repeat every 1d up to 30 times { inbox \"a\" }"), 7);
        assert_eq!(at_most("repeat every 1d up to 3 times { inbox \"a\" } wait 30d repeat 2 times { inbox \"b\" }"), 3);
        assert_eq!(at_most("repeat every 7d { inbox \"a\" wait 3d inbox \"b\" }"), 2);
        assert_eq!(at_most("repeat every 1d { inbox \"a\" }"), 7);
        assert_eq!(at_most("for d in 1d, 2d, 9d { wait d inbox \"a\" }"), 2);
    }

    #[test]
    fn branches_side_by_side_add_up() {
        assert_eq!(
            at_most(
                "together { inbox \"a\" wait 8d inbox \"b\" } { inbox \"c\" wait 1d inbox \"d\" } wait 1d inbox \"e\""
            ),
            4
        );
    }

    #[test]
    fn what_an_event_repeats_has_no_bound() {
        assert!(matches!(week("repeat every 1h { wait for login up to 7d inbox \"a\" }"), Weight::Endless(..)));
    }
}
