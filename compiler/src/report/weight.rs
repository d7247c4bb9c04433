//! The heaviest way through a journey: by messages, or by time.
//!
//! Steps go forward only, but for loops, which have one entry and one end. So a stretch of steps is
//! weighed from its last step to its first, and a loop is weighed as one step of it.

use super::Bound;
use crate::bytecode::{Const, Duration, Journey, Slot, Step, StepId, StepKind, Until};
use crate::dump::Names;
use crate::graph::{bound_code, constant, edges};
use flow_grammar::span::Span;

/// A quantity that adds up along a way.
pub(super) trait Quantity: Copy + Default {
    fn plus(self, other: Self) -> Self;
    fn times(self, n: u32) -> Self;
    /// What quantities are compared by.
    fn size(self) -> i64;
}

impl Quantity for u64 {
    fn plus(self, other: Self) -> Self {
        self.saturating_add(other)
    }
    fn times(self, n: u32) -> Self {
        self.saturating_mul(Self::from(n))
    }
    fn size(self) -> i64 {
        i64::try_from(self).unwrap_or(i64::MAX)
    }
}

impl Quantity for Duration {
    fn plus(self, other: Self) -> Self {
        Self {
            months: self.months.saturating_add(other.months),
            days: self.days.saturating_add(other.days),
            millis: self.millis.saturating_add(other.millis),
        }
    }
    fn times(self, n: u32) -> Self {
        let small = i32::try_from(n).unwrap_or(i32::MAX);
        Self {
            months: self.months.saturating_mul(small),
            days: self.days.saturating_mul(small),
            millis: self.millis.saturating_mul(i64::from(n)),
        }
    }
    fn size(self) -> i64 {
        self.window_millis()
    }
}

/// A weight: so much at most, or without a bound, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Weight<T> {
    Finite(T),
    Endless(String, Span),
}

impl<T: Quantity> Weight<T> {
    fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Finite(a), Self::Finite(b)) => Self::Finite(a.plus(b)),
            (endless @ Self::Endless(..), _) | (_, endless) => endless,
        }
    }

    fn max(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Endless(..), _) => self,
            (_, Self::Endless(..)) => other,
            (Self::Finite(a), Self::Finite(b)) => {
                if b.size() > a.size() {
                    other
                } else {
                    self
                }
            }
        }
    }

    fn times(self, n: u32) -> Self {
        match self {
            Self::Finite(one) => Self::Finite(one.times(n)),
            endless @ Self::Endless(..) => endless,
        }
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::Finite(one) if one.size() == 0)
    }
}

impl<T> Weight<T> {
    pub(super) fn map<U>(self, f: impl FnOnce(T) -> U) -> Weight<U> {
        match self {
            Self::Finite(one) => Weight::Finite(f(one)),
            Self::Endless(because, span) => Weight::Endless(because, span),
        }
    }

    pub(super) fn bound(self, place: &dyn Fn(Span) -> String) -> Bound<T> {
        match self {
            Self::Finite(one) => Bound::AtMost(one),
            Self::Endless(because, span) => Bound::NoBound { because, place: place(span) },
        }
    }
}

/// The heaviest ways through a stretch of steps: to its end, and out of the journey.
#[derive(Clone)]
struct Ways<T> {
    through: Option<Weight<T>>,
    leaving: Option<Weight<T>>,
}

impl<T: Quantity> Ways<T> {
    const NONE: Self = Self { through: None, leaving: None };

    fn heaviest(self) -> Option<Weight<T>> {
        heavier(self.through, self.leaving)
    }

    fn or(self, other: Self) -> Self {
        Self { through: heavier(self.through, other.through), leaving: heavier(self.leaving, other.leaving) }
    }

    /// This stretch, then another.
    fn then(self, next: Self) -> Self {
        let both = |a: Option<Weight<T>>, b: Option<Weight<T>>| Some(a?.plus(b?));
        Self {
            leaving: heavier(self.leaving, both(self.through.clone(), next.leaving)),
            through: both(self.through, next.through),
        }
    }
}

fn heavier<T: Quantity>(a: Option<Weight<T>>, b: Option<Weight<T>>) -> Option<Weight<T>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (one, None) | (None, one) => one,
    }
}

/// The most messages of one entry.
pub(super) fn messages(names: &Names<'_>, journey: &Journey, limit: Option<Duration>) -> Weight<u64> {
    let step = |step: &Step| match &step.kind {
        StepKind::Send(send) if send.all => Weight::Finite(send.channels.len() as u64),
        StepKind::Send(_) => Weight::Finite(1),
        _ => Weight::Finite(0),
    };
    let walk =
        Walk { names, journey, limit, step: &step, round: &|_, body: Weight<u64>, _| body, beside: Weight::plus };
    walk.whole()
}

/// The longest time of one entry.
pub(super) fn time(names: &Names<'_>, journey: &Journey, limit: Option<Duration>) -> Weight<Duration> {
    let step = |step: &Step| waits(names, step);
    // All rounds but the last take at least `every`.
    let round = |names: &Names<'_>, body: Weight<Duration>, every| match every_length(names, every) {
        Some(every) => body.max(Weight::Finite(every)),
        None => body,
    };
    let walk = Walk { names, journey, limit, step: &step, round: &round, beside: Weight::max };
    let found = walk.whole();
    match (limit, found) {
        (Some(limit), Weight::Finite(found)) if found.size() <= limit.size() => Weight::Finite(found),
        (Some(limit), _) => Weight::Finite(limit),
        (None, found) => found,
    }
}

fn every_length(names: &Names<'_>, every: Option<crate::bytecode::CodeId>) -> Option<Duration> {
    match constant(names.program, every?)? {
        Const::Duration(length) => Some(*length),
        _ => None,
    }
}

type Round<'w, T> = &'w dyn Fn(&Names<'_>, Weight<T>, Option<crate::bytecode::CodeId>) -> Weight<T>;

struct Walk<'w, 'p, T> {
    names: &'w Names<'p>,
    journey: &'w Journey,
    /// `exit after`
    limit: Option<Duration>,
    step: &'w dyn Fn(&Step) -> Weight<T>,
    /// What a round that is not the last weighs.
    round: Round<'w, T>,
    /// How branches side by side are put together.
    beside: fn(Weight<T>, Weight<T>) -> Weight<T>,
}

impl<T: Quantity> Walk<'_, '_, T> {
    fn whole(&self) -> Weight<T> {
        let all = self.stretch(0, self.journey.steps.len());
        all.heaviest().unwrap_or(Weight::Finite(T::default()))
    }

    /// The steps `from..to`, weighed from the last to the first.
    fn stretch(&self, from: usize, to: usize) -> Ways<T> {
        let mut ways: Vec<Ways<T>> = vec![Ways::NONE; to.saturating_sub(from)];
        for at in self.outline(from, to).into_iter().rev() {
            let here = self.at(at, |target| self.target(&ways, from, to, target));
            if let Some(slot) = ways.get_mut(at - from) {
                *slot = here;
            }
        }
        self.target(&ways, from, to, from)
    }

    /// The steps of a stretch but those inside its loops and branches, which are weighed with these.
    fn outline(&self, from: usize, to: usize) -> Vec<usize> {
        let mut outline = Vec::new();
        let mut at = from;
        while at < to {
            outline.push(at);
            at = match self.journey.steps.get(at).map(|step| &step.kind) {
                Some(StepKind::RepeatBegin { slot, .. }) => self.end_of_loop(at, *slot).unwrap_or(at) + 1,
                Some(StepKind::Together { join, .. }) => join.index().max(at + 1),
                _ => at + 1,
            };
        }
        outline
    }

    /// What is known of a target of a step of `from..to`.
    fn target(&self, ways: &[Ways<T>], from: usize, to: usize, target: usize) -> Ways<T> {
        let nothing = Some(Weight::Finite(T::default()));
        if target == to {
            return Ways { through: nothing, leaving: None };
        }
        let inside = target.checked_sub(from).and_then(|n| ways.get(n));
        inside.cloned().unwrap_or(Ways { through: None, leaving: nothing })
    }

    /// The ways from the step at `at` on.
    fn at(&self, at: usize, target: impl Fn(usize) -> Ways<T>) -> Ways<T> {
        let Some(step) = self.journey.steps.get(at) else { return Ways::NONE };
        let nothing = Some(Weight::Finite(T::default()));
        match &step.kind {
            StepKind::End => Ways { through: None, leaving: nothing },
            StepKind::RepeatBegin { slot, .. } => match self.end_of_loop(at, *slot) {
                Some(end) => self.repeat(at, end).then(target(end + 1)),
                None => target(at + 1),
            },
            StepKind::Together { branches, join } => self.together(branches, *join).then(target(join.index())),
            _ => {
                let id = StepId(u32::try_from(at).unwrap_or(u32::MAX));
                let ahead = edges(self.journey, id).into_iter().filter(|edge| edge.to.index() > at);
                let next = ahead.map(|edge| target(edge.to.index())).fold(Ways::NONE, Ways::or);
                Ways { through: Some((self.step)(step)), leaving: None }.then(next)
            }
        }
    }

    fn end_of_loop(&self, begin: usize, slot: Slot) -> Option<usize> {
        let steps = self.journey.steps.iter().enumerate().skip(begin);
        steps.into_iter().find_map(|(n, step)| match step.kind {
            StepKind::RepeatNext { slot: s, .. } if s == slot => Some(n),
            _ => None,
        })
    }

    fn repeat(&self, begin: usize, end: usize) -> Ways<T> {
        let Some(Step { kind: StepKind::RepeatNext { every, times, .. }, span, .. }) = self.journey.steps.get(end)
        else {
            return Ways::NONE;
        };
        let body = self.stretch(begin + 1, end);
        let Some(through) = body.through.clone() else {
            return body;
        };
        let round = (self.round)(self.names, through.clone(), *every);
        let Some(rounds) = times.or_else(|| self.rounds_until_exit(*every)) else {
            let forever = (!round.is_nothing()).then(|| {
                Weight::Endless(
                    "a `repeat` has no bound".to_owned(),
                    self.journey.steps.get(begin).map_or(*span, |s| s.span),
                )
            });
            return Ways { through: None, leaving: heavier(body.leaving, forever) };
        };
        let before = round.times(rounds.saturating_sub(1));
        let last = Ways { through: times.map(|_| through.clone()), leaving: heavier(body.leaving, Some(through)) };
        Ways { through: Some(before), leaving: None }.then(last)
    }

    /// How many rounds begin before `exit after` ends them.
    fn rounds_until_exit(&self, every: Option<crate::bytecode::CodeId>) -> Option<u32> {
        let (limit, every) = (self.limit?.size(), every_length(self.names, every)?.size());
        (every > 0).then(|| u32::try_from((limit + every - 1) / every).unwrap_or(u32::MAX))
    }

    fn together(&self, branches: &[StepId], join: StepId) -> Ways<T> {
        let ends = branches.iter().skip(1).chain([&join]);
        let ways: Vec<Ways<T>> =
            branches.iter().zip(ends).map(|(from, end)| self.stretch(from.index(), end.index() - 1)).collect();
        let zero = || Weight::Finite(T::default());
        let through =
            ways.iter().map(|way| way.through.clone()).try_fold(zero(), |sum, way| Some((self.beside)(sum, way?)));
        let leaving = ways.iter().any(|way| way.leaving.is_some()).then(|| {
            let heaviest = ways.iter().filter_map(|way| way.clone().heaviest());
            heaviest.fold(zero(), self.beside)
        });
        Ways { through, leaving }
    }
}

/// How long a step can take.
fn waits(names: &Names<'_>, step: &Step) -> Weight<Duration> {
    let program = names.program;
    let days = |days| Weight::Finite(Duration { days, ..Duration::default() });
    let endless = |why: String| Weight::Endless(why, step.span);
    match &step.kind {
        StepKind::Wait(code) => match constant(program, *code) {
            Some(Const::Duration(length)) => Weight::Finite(*length),
            _ => endless(format!("the length of a wait is computed: `{}`", names.code(*code))),
        },
        StepKind::WaitMoment { at, bound, .. } => match (constant(program, *at), bounded(names, bound.as_ref())) {
            (_, Some(bound)) => Weight::Finite(bound),
            (Some(Const::Time(_)), None) => days(1),
            (_, None) => endless(format!("a wait follows `{}`", names.code(*at))),
        },
        StepKind::WaitCondition { bound, .. } | StepKind::WaitEvent { bound, .. } => {
            match (bounded(names, bound.as_ref()), bound_code(bound.as_ref())) {
                (Some(bound), _) => Weight::Finite(bound),
                (None, Some(code)) => endless(format!("a wait ends at `{}`", names.code(code))),
                (None, None) => endless("a wait has no bound".to_owned()),
            }
        }
        StepKind::WaitDays { days: set, .. } | StepKind::WaitWithin { days: set, .. } => days(longest_gap(*set)),
        StepKind::WaitBestHour { within, .. } => Weight::Finite(*within),
        _ => Weight::Finite(Duration::default()),
    }
}

/// The length of `up to DUR`.
fn bounded(names: &Names<'_>, bound: Option<&Until>) -> Option<Duration> {
    match bound? {
        Until::For(code) => match constant(names.program, *code)? {
            Const::Duration(length) => Some(*length),
            _ => None,
        },
        Until::Moment(..) => None,
    }
}

/// The most days from one of these weekdays to the next of them.
fn longest_gap(set: [bool; 7]) -> i32 {
    let on: Vec<i32> = (0..).zip(set).filter(|(_, on)| *on).map(|(n, _)| n).collect();
    let (Some(first), Some(last)) = (on.first(), on.last()) else { return 7 };
    let around = first + 7 - last;
    let inner = on.windows(2).filter_map(|pair| Some(pair.get(1)? - pair.first()?)).max().unwrap_or(0);
    around.max(inner)
}

#[cfg(test)]
mod tests {
    use super::longest_gap;

    #[test]
    fn gaps_go_round_the_week() {
        assert_eq!(longest_gap([true; 7]), 1);
        assert_eq!(longest_gap([true, false, false, false, false, false, false]), 7);
        assert_eq!(longest_gap([true, true, true, true, true, false, false]), 3);
    }
}
