//! What is remembered of a person's events: exactly what the program can ask for.

use super::index::Index;
use super::person::Person;
use super::view::View;
use super::Engine;
use crate::vm::value::{self, Value};
use crate::vm::Moment;
use flow_compiler::bytecode::{Arith, EventId, Log, QueryAnswer, Strategy};
use jiff::tz::TimeZone;
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::num::NonZeroU64;
use thin_vec::ThinVec;

/// A place in time: milliseconds, then the person's order.
pub(super) type At = (i64, u64);

/// What is remembered of one event. There are very many of these, most without a log.
#[derive(Clone, Debug, Default)]
pub(super) struct EventHistory {
    /// The latest. Numbers of inputs begin with 1.
    last: Option<(i64, NonZeroU64)>,
    /// In order of time; none when nothing is kept. The oldest are forgotten all the time, which must not cost what is kept.
    #[allow(clippy::box_collection, reason = "one word where there is none, as mostly")]
    log: Option<Box<VecDeque<Occurrence>>>,
}

impl EventHistory {
    /// Of these.
    pub fn new(last: Option<At>, log: VecDeque<Occurrence>) -> Self {
        let mut history = Self { last: None, log: (!log.is_empty()).then(|| Box::new(log)) };
        history.happened(last);
        history
    }

    /// The latest.
    pub fn last(&self) -> Option<At> {
        self.last.map(|(time, order)| (time, order.get()))
    }

    /// One more time at which it happened.
    fn happened(&mut self, at: Option<At>) {
        self.last = self.last.max(at.and_then(|(time, order)| Some((time, NonZeroU64::new(order)?))));
    }

    /// What is kept of it, in order of time.
    pub fn log(&self) -> &VecDeque<Occurrence> {
        static EMPTY: VecDeque<Occurrence> = VecDeque::new();
        self.log.as_deref().unwrap_or(&EMPTY)
    }
}

/// One occurrence of an event.
#[derive(Clone, Debug)]
pub(super) struct Occurrence {
    pub at: At,
    /// The kept fields, in the order of [`Log::fields`].
    pub fields: Box<[Value]>,
}

/// A running total over all occurrences that a query counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Running {
    /// How many count (for `sum min max avg`: whose field is known).
    pub count: u64,
    /// Their sum, least, greatest, or the first or last one's field.
    pub value: Value,
    /// The first or last one's place.
    pub at: Option<At>,
}

/// Remembers an occurrence as far as the program needs it.
pub(super) fn record(engine: &Engine, person: &mut Person, event: EventId, at: At, now: i64, fields: &[Value]) {
    add_to_totals(engine, person, event, at, fields);
    let Some(place) = engine.index.history_of(event) else { return };
    let Some(declared) = engine.program.events.get(event.index()) else { return };
    let keep = declared.history.log.as_ref().map(|log| (log, oldest_kept(person, log, now)));
    let history = at_place(&mut person.history, place);
    if declared.history.last {
        history.happened(Some(at));
    }
    if let Some((log, oldest)) = keep {
        if oldest.is_some_and(|oldest| at.0 >= oldest) {
            let kept = log.fields.iter().map(|f| fields.get(*f as usize).cloned().unwrap_or_default()).collect();
            let log = history.log.get_or_insert_default();
            let place = log.partition_point(|o| o.at <= at);
            log.insert(place, Occurrence { at, fields: kept });
        }
        forget(history, oldest);
    }
}

/// The earliest time that any question can still reach; `None`: no question can reach anything.
fn oldest_kept(person: &Person, log: &Log, now: i64) -> Option<i64> {
    if log.forever {
        return Some(i64::MIN);
    }
    // A window is open at its old end, so `now - window` itself is outside already.
    let window = log.window.max(log.joined).map(|w| now.saturating_sub(w).saturating_add(1));
    let entry = person
        .instances
        .iter()
        .filter(|i| i.pending.is_none() && log.in_flight.contains(&i.journey))
        .map(|i| i.time)
        .min();
    match (window, entry) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn forget(history: &mut EventHistory, oldest: Option<i64>) {
    if let (Some(oldest), Some(log)) = (oldest, &mut history.log) {
        let gone = log.partition_point(|o| o.at.0 < oldest);
        log.drain(..gone);
    }
    if oldest.is_none() || history.log().is_empty() {
        history.log = None;
    }
}

/// Forgets what only an entry that is over could have asked for.
pub(super) fn forget_after(engine: &Engine, person: &mut Person, events: &[EventId], now: i64) {
    for event in events {
        let Some(place) = engine.index.history_of(*event) else { continue };
        let Some(log) = engine.program.events.get(event.index()).and_then(|e| e.history.log.as_ref()) else { continue };
        let oldest = oldest_kept(person, log, now);
        if let Some(history) = person.history.get_mut(place) {
            forget(history, oldest);
        }
    }
}

fn add_to_totals(engine: &Engine, person: &mut Person, event: EventId, at: At, fields: &[Value]) {
    for query in engine.index.running_of(event) {
        let Some(query) = engine.program.queries.get(query.index()) else { continue };
        let Strategy::Running(cell) = query.strategy else { continue };
        let counts = query.filter.is_none_or(|filter| {
            let view = View::of(engine, person).testing(fields);
            engine.truth(filter, &view, &mut Moment::at(at.0))
        });
        if counts {
            let total = at_place(&mut person.running, cell as usize);
            add(total, query.answer, at, fields);
        }
    }
}

/// Takes one more occurrence into a total.
pub(super) fn add(total: &mut Running, answer: QueryAnswer, at: At, fields: &[Value]) {
    let field = |f: u16| fields.get(f as usize).cloned().unwrap_or_default();
    match answer {
        QueryAnswer::Exists | QueryAnswer::Count => total.count += 1,
        QueryAnswer::Sum(f) | QueryAnswer::Avg(f) | QueryAnswer::Min(f) | QueryAnswer::Max(f) => {
            let value = field(f);
            if value != Value::Missing {
                total.count += 1;
                total.value = fold(answer, std::mem::take(&mut total.value), value);
            }
        }
        QueryAnswer::FirstField(_) | QueryAnswer::FirstTime => {
            if total.at.is_none_or(|first| at < first) {
                total.at = Some(at);
                if let QueryAnswer::FirstField(f) = answer {
                    total.value = field(f);
                }
            }
        }
        QueryAnswer::LastField(_) | QueryAnswer::LastTime => {
            if total.at.is_none_or(|last| at >= last) {
                total.at = Some(at);
                if let QueryAnswer::LastField(f) = answer {
                    total.value = field(f);
                }
            }
        }
    }
}

/// Values of one field are of one type, and no zone is needed to add or order such.
const ANY_ZONE: TimeZone = TimeZone::UTC;

/// Takes one more known value into a sum, least or greatest; `so_far` is missing before the first.
pub(super) fn fold(answer: QueryAnswer, so_far: Value, value: Value) -> Value {
    if so_far == Value::Missing {
        return value;
    }
    match answer {
        QueryAnswer::Sum(_) | QueryAnswer::Avg(_) => value::arithmetic(Arith::Add, &so_far, &value, &ANY_ZONE),
        QueryAnswer::Min(_) if value::ordering(&value, &so_far, &ANY_ZONE) == Some(Ordering::Less) => value,
        QueryAnswer::Max(_) if value::ordering(&value, &so_far, &ANY_ZONE) == Some(Ordering::Greater) => value,
        _ => so_far,
    }
}

/// What a total answers.
pub(super) fn total_of(answer: QueryAnswer, total: Option<&Running>) -> Value {
    let nothing = Running::default();
    let total = total.unwrap_or(&nothing);
    match answer {
        QueryAnswer::Exists => Value::Bool(total.count > 0),
        QueryAnswer::Count => Value::Int(i64::try_from(total.count).unwrap_or(i64::MAX)),
        QueryAnswer::Sum(_) if total.count == 0 => Value::Int(0),
        QueryAnswer::Avg(_) => average(total.value.clone(), total.count),
        QueryAnswer::FirstTime | QueryAnswer::LastTime => {
            total.at.map_or(Value::Missing, |(time, _)| Value::Instant(time))
        }
        QueryAnswer::Sum(_)
        | QueryAnswer::Min(_)
        | QueryAnswer::Max(_)
        | QueryAnswer::FirstField(_)
        | QueryAnswer::LastField(_) => total.value.clone(),
    }
}

/// Sum by count; missing for none.
pub(super) fn average(sum: Value, count: u64) -> Value {
    let count = Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    value::arithmetic(Arith::Divide, &sum, &count, &ANY_ZONE)
}

/// Unites what two people did, who turned out to be one.
pub(super) fn unite(engine: &Engine, known: &mut Person, other: &mut Person) {
    for (place, theirs) in std::mem::take(&mut other.history).into_iter().enumerate() {
        let ours = at_place(&mut known.history, place);
        ours.happened(theirs.last());
        if let Some(theirs) = theirs.log {
            let log = ours.log.get_or_insert_default();
            log.extend(*theirs);
            log.make_contiguous().sort_by_key(|o| o.at);
        }
    }
    for query in &engine.program.queries {
        let Strategy::Running(cell) = query.strategy else { continue };
        let Some(theirs) = other.running.get(cell as usize).cloned() else { continue };
        unite_totals(at_place(&mut known.running, cell as usize), theirs, query.answer);
    }
}

fn unite_totals(ours: &mut Running, theirs: Running, answer: QueryAnswer) {
    ours.count += theirs.count;
    match answer {
        QueryAnswer::Exists | QueryAnswer::Count => {}
        QueryAnswer::Sum(_) | QueryAnswer::Avg(_) | QueryAnswer::Min(_) | QueryAnswer::Max(_) => {
            if theirs.value != Value::Missing {
                ours.value = fold(answer, std::mem::take(&mut ours.value), theirs.value);
            }
        }
        QueryAnswer::FirstField(_) | QueryAnswer::FirstTime => {
            if theirs.at.is_some() && (ours.at.is_none() || theirs.at < ours.at) {
                (ours.at, ours.value) = (theirs.at, theirs.value);
            }
        }
        QueryAnswer::LastField(_) | QueryAnswer::LastTime => {
            if theirs.at > ours.at {
                (ours.at, ours.value) = (theirs.at, theirs.value);
            }
        }
    }
}

/// The element at `place`, made (with all before it) if it is not there yet.
pub(super) fn at_place<T: Default>(list: &mut ThinVec<T>, place: usize) -> &mut T {
    if list.len() <= place {
        list.reserve_exact(place + 1 - list.len());
    }
    while list.len() <= place {
        list.push(T::default());
    }
    // The list is longer than `place` now.
    #[allow(clippy::indexing_slicing)]
    &mut list[place]
}

/// Where the kept fields of an event stand: from the event's field to its place among the kept.
pub(super) fn kept_field(index: &Index, event: EventId, field: u16) -> Option<usize> {
    index.kept_fields(event)?.binary_search(&field).ok()
}
