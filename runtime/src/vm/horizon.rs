//! Until when a value holds: the conditions that change when only time passes.
//!
//! A comparison with a moving side changes when the two sides pass each other. Where one side is `now`
//! and an exact length of time, and the other stands still, that instant is a subtraction. In general it is
//! searched, by ever longer strides and then by bisection.
//!
//! Calendar steps make that more difficult. `now + 1mo` does not always grow with `now`: from
//! 28 January 23:59 to 29 January 00:00 it falls from 28 February 23:59 to 28 February 00:00. But between
//! two local midnights without a clock change it does grow, and it never falls by more than what a
//! month's end swallows. So where the sides are close, every such piece is looked at on its own.

use super::interpret::Run;
use super::value::{compare, equals, negated, ordering, Value};
use super::{Facts, Moment};
use crate::calendar;
use flow_compiler::bytecode::{Arith, Code, CodeId, Compare, Duration, Function, Op, StepGrain, Unit};
use jiff::tz::TimeZone;
use std::cmp::Ordering;

/// How far ahead a change is searched: 400 years, after which the calendar repeats.
const FAR: i64 = 146_097 * calendar::DAY;
/// Within this stretch one calendar step may break the order of moments: the three days that February can swallow,
/// a day that a zone skipped, and the edges.
const SWALLOWED: i64 = 6 * calendar::DAY;
/// The same for several steps in a row.
const SWALLOWED_BY_MANY: i64 = 16 * calendar::DAY;
/// How often the order of two sides may change before a comparison of them does. For sides that
/// only grow: less, equal, greater.
const CROSSINGS: usize = 8;

/// What can be said of a code in advance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// It does not read `now`: a value within the horizon that it names.
    Still,
    /// It is `now` and so many milliseconds.
    Linear(i64),
    /// It is `now` and one calendar step.
    Step(Duration),
    /// It counts the units between `now` and so many milliseconds, and a moment that stands still. The flag
    /// says whether `now` comes first.
    Units(Unit, i64, bool),
    /// It takes parts of the local time, or counts units, on its way to something else: not even between two
    /// full hours is it known to grow.
    Rough,
    /// Anything else.
    Moving,
}

impl Shape {
    /// The shape of a code. Exact for code without jumps; anything else that reads `now` is moving.
    pub fn of(code: &Code, constants: &[Value]) -> Self {
        let moves = |op: &Op| {
            matches!(op, Op::Now(_) | Op::Today(_) | Op::CompareMoving(..) | Op::StepMoving(..) | Op::InSegment(..))
        };
        if !code.ops.iter().any(moves) {
            return Self::Still;
        }
        let parts = |op: &Op| match op {
            Op::Between(..) => true,
            Op::Call(function, ..) => !matches!(function, Function::Min | Function::Max | Function::ToInstant),
            _ => false,
        };
        let otherwise = if code.ops.iter().any(parts) { Self::Rough } else { Self::Moving };
        straight(code, constants).unwrap_or(otherwise)
    }
}

#[derive(Clone, Copy)]
enum Known {
    /// `now`, and a length of time that was added to it.
    Moment(Duration),
    Length(Duration),
    /// Something that does not depend on `now`.
    Still,
    Units(Unit, i64, bool),
}

/// The shape of code that does nothing but add constants to `now`, and perhaps counts units.
fn straight(code: &Code, constants: &[Value]) -> Option<Shape> {
    let mut registers: Vec<Option<Known>> = vec![None; usize::from(code.registers)];
    for op in &code.ops {
        let read = |register: &u16| registers.get(usize::from(*register)).copied().flatten();
        let (to, value) = match op {
            Op::Now(to) => (to, Some(Known::Moment(Duration::default()))),
            Op::Const(to, id) => match constants.get(id.index()) {
                Some(Value::Duration(length)) => (to, Some(Known::Length(*length))),
                _ => (to, Some(Known::Still)),
            },
            Op::Attr(to, _)
            | Op::Trigger(to, _)
            | Op::Field(to, _)
            | Op::EntryTime(to)
            | Op::Slot(to, _)
            | Op::Query(to, _, None) => (to, Some(Known::Still)),
            Op::Call(Function::ToInstant, to, from, 1) => {
                (to, Some(read(from)?).filter(|known| matches!(known, Known::Still)))
            }
            Op::Between(unit, to, a, b) => {
                let exact = |length: Duration| (length.months == 0 && length.days == 0).then_some(length.millis);
                let units = match (read(a)?, read(b)?) {
                    (Known::Moment(length), Known::Still) => Known::Units(*unit, exact(length)?, true),
                    (Known::Still, Known::Moment(length)) => Known::Units(*unit, exact(length)?, false),
                    _ => return None,
                };
                (to, Some(units))
            }
            Op::Copy(to, from) => (to, read(from)),
            Op::Arith(op, to, a, b) => {
                let sum = match (op, read(a)?, read(b)?) {
                    (Arith::Add, Known::Moment(a), Known::Length(b))
                    | (Arith::Add, Known::Length(b), Known::Moment(a)) => together(a, b)?,
                    (Arith::Subtract, Known::Moment(a), Known::Length(b)) => together(a, negated(b))?,
                    _ => return None,
                };
                (to, Some(Known::Moment(sum)))
            }
            Op::Return(from) => match read(from)? {
                Known::Moment(length) if length.months == 0 && length.days == 0 => {
                    return Some(Shape::Linear(length.millis))
                }
                Known::Moment(length) => return Some(Shape::Step(length)),
                Known::Units(unit, plus, first) => return Some(Shape::Units(unit, plus, first)),
                Known::Length(_) | Known::Still => return None,
            },
            _ => return None,
        };
        *registers.get_mut(usize::from(*to))? = value;
    }
    None
}

/// One length of time for two in a row, where that comes to the same: a calendar step is taken before
/// the exact part, and only once.
fn together(first: Duration, then: Duration) -> Option<Duration> {
    if first != Duration::default() && (then.months != 0 || then.days != 0) {
        return None;
    }
    let millis = first.millis.checked_add(then.millis)?;
    Some(Duration { months: first.months.checked_add(then.months)?, days: first.days.checked_add(then.days)?, millis })
}

/// `a cmp b`, where both are codes and `now` moves at least one.
pub(super) fn compare_moving<F: Facts + ?Sized>(
    run: &Run<'_, '_, F>,
    cmp: Compare,
    a: CodeId,
    b: CodeId,
    moment: &mut Moment,
    depth: u32,
) -> Value {
    let zone = run.facts.zone();
    let outside = run.piece.replace(i64::MAX);
    let mut inner = Moment::at(moment.now);
    let (left, right) = (run.code(a, &mut inner, depth), run.code(b, &mut inner, depth));
    let truth = compare(cmp, &left, &right, zone);
    moment.until(inner.horizon);
    let stepped = run.piece.get() != i64::MAX;
    let (shape_a, shape_b) = (run.machine.shape(a), run.machine.shape(b));
    if [shape_a, shape_b].iter().any(|shape| matches!(shape, Shape::Rough | Shape::Units(..))) {
        inner.until(calendar::next_hour(zone, moment.now));
        moment.until(inner.horizon);
    }
    let change = match (shape_a, shape_b) {
        (Shape::Still, Shape::Still) | (Shape::Linear(_), Shape::Linear(_)) => Some(i64::MAX),
        (moving, Shape::Still) => passing(zone, cmp, moment.now, moving, &right),
        (Shape::Still, moving) => passing(zone, cmp.mirrored(), moment.now, moving, &left),
        _ => None,
    };
    let change = change.unwrap_or_else(|| {
        // A still side keeps its value as long as nothing else moves.
        let side = |shape, code, still: &Value, then: &mut Moment| match shape {
            Shape::Still => still.clone(),
            _ => run.code(code, then, depth),
        };
        let sides = |now: i64| {
            let mut then = Moment::at(now);
            let (left, right) = (side(shape_a, a, &left, &mut then), side(shape_b, b, &right, &mut then));
            Sides { order: ordering(&left, &right, zone), equal: equals(&left, &right, zone) }
        };
        let both_move = shape_a != Shape::Still && shape_b != Shape::Still;
        // Beyond the horizon of the sides everything may be different.
        let end = inner.horizon.min(moment.now.saturating_add(FAR));
        flip(
            moment.now,
            |from| sides(from).holds(cmp),
            |from| {
                let before = sides(from);
                let same = |now: i64| sides(now) == before;
                if !stepped {
                    return first_change(from, end, same);
                }
                let piece = |now: i64| {
                    run.piece.set(i64::MAX);
                    sides(now);
                    now.saturating_add(run.piece.get())
                };
                if both_move {
                    // Two calendars against each other: look again before they can have parted unseen.
                    let near = from.saturating_add(SWALLOWED_BY_MANY).min(end);
                    change_by_pieces(from, near, None, same, piece).or(Some(near))
                } else {
                    stepping_change(from, end, same, piece)
                }
            },
        )
    });
    moment.until(change);
    run.piece.set(outside);
    Value::Bool(truth)
}

/// How two sides stand to each other. Lists may be equal without having an order.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sides {
    order: Option<Ordering>,
    equal: bool,
}

impl Sides {
    fn holds(self, cmp: Compare) -> bool {
        match cmp {
            Compare::Equal => self.equal,
            Compare::NotEqual => !self.equal,
            Compare::Less => self.order == Some(Ordering::Less),
            Compare::LessOrEqual => matches!(self.order, Some(Ordering::Less | Ordering::Equal)),
            Compare::Greater => self.order == Some(Ordering::Greater),
            Compare::GreaterOrEqual => matches!(self.order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

/// The first instant after `now` at which the truth is another one, going from one change of the sides to
/// the next. `i64::MAX`: never. When they change too often, an instant before that.
fn flip(now: i64, holds: impl Fn(i64) -> bool, next: impl Fn(i64) -> Option<i64>) -> i64 {
    let truth = holds(now);
    let mut from = now;
    for _ in 0..CROSSINGS {
        match next(from) {
            None => return i64::MAX,
            Some(change) if holds(change) != truth => return change,
            Some(change) => from = change,
        }
    }
    from
}

/// When `moving cmp still` changes, where that can be told without running code. None: it cannot.
fn passing(zone: &TimeZone, cmp: Compare, now: i64, moving: Shape, still: &Value) -> Option<i64> {
    let shape = match moving {
        Shape::Linear(_) | Shape::Step(_) if still.is_missing() => return Some(i64::MAX),
        Shape::Linear(_) | Shape::Step(_) => moving,
        Shape::Still | Shape::Moving | Shape::Rough | Shape::Units(..) => return None,
    };
    let still = still.as_instant(zone)?;
    let Shape::Step(length) = shape else {
        let Shape::Linear(plus) = shape else { return None };
        return Some(crossing(cmp, now, plus, still));
    };
    // All the passing happens close to where the step backwards from `still` leads.
    let back = negated(Duration { millis: 0, ..length });
    let about = calendar::add(zone, still.saturating_sub(length.millis), back);
    let from = now.max(about.saturating_sub(SWALLOWED));
    let end = about.saturating_add(SWALLOWED);
    let order = |now: i64| calendar::add(zone, now, length).cmp(&still);
    let holds = |now: i64| {
        let order = order(now);
        Sides { order: Some(order), equal: order == Ordering::Equal }.holds(cmp)
    };
    let change = flip(from, holds, |from| {
        let before = order(from);
        change_by_pieces(from, end, Some(about), |now| order(now) == before, |now| now.saturating_add(piece(zone, now)))
    });
    Some(change)
}

/// When `now + plus cmp still` changes.
fn crossing(cmp: Compare, now: i64, plus: i64, still: i64) -> i64 {
    let meeting = still.saturating_sub(plus);
    let after = meeting.saturating_add(1);
    let (first, second) = match cmp {
        Compare::Equal | Compare::NotEqual => (meeting, after),
        Compare::Less | Compare::GreaterOrEqual => (meeting, i64::MAX),
        Compare::LessOrEqual | Compare::Greater => (after, i64::MAX),
    };
    if now < first {
        first
    } else if now < second {
        second
    } else {
        i64::MAX
    }
}

/// A step function of `now`.
pub(super) fn step_moving<F: Facts + ?Sized>(
    run: &Run<'_, '_, F>,
    code: CodeId,
    grain: StepGrain,
    moment: &mut Moment,
    depth: u32,
) -> Value {
    let zone = run.facts.zone();
    let outside = run.piece.replace(i64::MAX);
    run.counted.set(None);
    let mut inner = Moment::at(moment.now);
    let value = run.code(code, &mut inner, depth);
    moment.until(inner.horizon);
    match grain {
        StepGrain::Day => {
            moment.until(calendar::next_midnight(zone, moment.now));
            moment.until(calendar::next_change(zone, moment.now));
        }
        StepGrain::Hour => moment.until(calendar::next_hour(zone, moment.now)),
        StepGrain::Millisecond => {
            let change = match (run.machine.shape(code), run.counted.get()) {
                _ if value.is_missing() => i64::MAX,
                (Shape::Units(unit, plus, true), Some((_, still))) => {
                    count_change(zone, unit, still, moment.now.saturating_add(plus)).saturating_sub(plus)
                }
                (Shape::Units(unit, plus, false), Some((still, _))) => {
                    count_change(zone, unit, still, moment.now.saturating_add(plus)).saturating_sub(plus)
                }
                (shape, _) => {
                    if shape == Shape::Rough && run.counted.get().is_some() {
                        moment.until(calendar::next_hour(zone, moment.now));
                    }
                    step_change(run, code, &value, moment.now, inner.horizon, depth)
                }
            };
            moment.until(change);
        }
    }
    run.piece.set(outside);
    value
}

/// When a step function changes that nothing more is known of than that it does not change back soon.
fn step_change<F: Facts + ?Sized>(
    run: &Run<'_, '_, F>,
    code: CodeId,
    value: &Value,
    now: i64,
    end: i64,
    depth: u32,
) -> i64 {
    let end = end.min(now.saturating_add(FAR));
    let same = |now: i64| run.code(code, &mut Moment::at(now), depth) == *value;
    if run.piece.get() == i64::MAX {
        return first_change(now, end, same).unwrap_or(i64::MAX);
    }
    // Calendar steps may bring a value back: look again before that can go unseen.
    let piece = |now: i64| {
        run.piece.set(i64::MAX);
        run.code(code, &mut Moment::at(now), depth);
        now.saturating_add(run.piece.get())
    };
    let near = now.saturating_add(SWALLOWED_BY_MANY).min(end);
    change_by_pieces(now, near, None, same, piece).unwrap_or(near)
}

/// The first instant after `moment` at which the whole units between it and a moment that stands still are
/// other ones in number.
fn count_change(zone: &TimeZone, unit: Unit, still: i64, moment: i64) -> i64 {
    let count = calendar::between(unit, zone, still, moment);
    let (months, days, millis) = match unit {
        Unit::Seconds => (0, 0, 1000),
        Unit::Minutes => (0, 0, 60_000),
        Unit::Hours => (0, 0, calendar::HOUR),
        Unit::Days => (0, 1, 0),
        Unit::Weeks => (0, 7, 0),
        Unit::Months => (1, 0, 0),
        Unit::Years => (12, 0, 0),
    };
    let after = |count: i64| {
        let short = |part: i32| i32::try_from(i64::from(part).saturating_mul(count)).unwrap_or(i32::MAX);
        let length = Duration { months: short(months), days: short(days), millis: i64::saturating_mul(millis, count) };
        calendar::add(zone, still, length)
    };
    if moment >= still {
        // Counted from the moment that stands still: the next full unit.
        return after(count.saturating_add(1));
    }
    if millis != 0 {
        // The count falls as soon as the distance does, by a millisecond.
        return if count == 0 { after(1) } else { after(count).saturating_add(1) };
    }
    // Counted from the moving one: by calendar steps that do not all keep the order of moments.
    let from = if moment <= after(count.saturating_sub(1)).saturating_add(SWALLOWED) {
        moment
    } else {
        moment.max(after(count).saturating_sub(SWALLOWED))
    };
    let end = after(count).saturating_add(SWALLOWED);
    let same = |moment: i64| calendar::between(unit, zone, still, moment) == count;
    let change =
        change_by_pieces(from, end, Some(after(count)), same, |moment| moment.saturating_add(piece(zone, moment)));
    change.unwrap_or(if count == 0 { after(1) } else { end })
}

/// The first instant in `(from, end)` at which something is no longer the same, if it stays so from then on to
/// twice that distance.
fn first_change(from: i64, end: i64, same: impl Fn(i64) -> bool) -> Option<i64> {
    let last = end.saturating_sub(1);
    let (mut low, mut stride) = (from, 1_i64);
    loop {
        if low >= last {
            return None;
        }
        let high = from.saturating_add(stride).min(last);
        if !same(high) {
            return Some(bisect(low, high, same));
        }
        low = high;
        stride = stride.saturating_mul(2);
    }
}

/// The first instant in `(low, high]` that is not the same, when `low` is and `high` is not.
fn bisect(mut low: i64, mut high: i64, same: impl Fn(i64) -> bool) -> i64 {
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if same(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// As [`first_change`], for a side that takes calendar steps. `piece` gives the end of the piece around an
/// instant in which all steps keep the order of moments.
fn stepping_change(from: i64, end: i64, same: impl Fn(i64) -> bool, piece: impl Fn(i64) -> i64) -> Option<i64> {
    let near = from.saturating_add(SWALLOWED_BY_MANY).min(end);
    if let Some(change) = change_by_pieces(from, near, None, &same, &piece) {
        return Some(change);
    }
    let far = first_change(near.saturating_sub(1).max(from), end, &same);
    let until = far.map_or(end, |change| change.saturating_add(1));
    let start = until.saturating_sub(SWALLOWED_BY_MANY).max(near.saturating_sub(1));
    change_by_pieces(start, until, None, &same, &piece).or(far)
}

/// The first change in `(from, end)`, looking at each piece on its own; probably `hint` or the instant after.
fn change_by_pieces(
    from: i64,
    end: i64,
    hint: Option<i64>,
    same: impl Fn(i64) -> bool,
    piece: impl Fn(i64) -> i64,
) -> Option<i64> {
    let mut start = from;
    while start < end {
        if start > from && !same(start) {
            return Some(start);
        }
        let next = piece(start).min(end);
        if next <= start {
            return None;
        }
        if !same(next - 1) {
            let hinted = hint.filter(|hint| start < *hint && *hint < next - 1);
            let right = |change: &i64| same(*change - 1) && !same(*change);
            let found = hinted.and_then(|hint| [hint, hint + 1].into_iter().find(right));
            return Some(found.unwrap_or_else(|| bisect(start, next - 1, same)));
        }
        start = next;
    }
    None
}

/// For how long after `moment` a calendar step from it keeps the order of moments: to the end of the local
/// day, or to the next change of the clock.
pub(super) fn piece(zone: &TimeZone, moment: i64) -> i64 {
    calendar::next_midnight(zone, moment).min(calendar::next_change(zone, moment)).saturating_sub(moment)
}
