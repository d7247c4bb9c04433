//! Calendar time in real zones. Nothing else in Flow knows what a zone is.
//!
//! Instants are milliseconds since 1970-01-01T00:00Z. A local moment is a day since 1970-01-01 and a
//! millisecond of that day's clock face. Two rules settle every clock change: a local time that is
//! skipped means the first instant after the gap, one that occurs twice means the first.
//!
//! Everything here is total: what lies outside of the years that `chrono` knows is moved to their edge.

mod span;
mod text;
mod zones;

pub use text::{
    instant_text, parse_date, parse_instant, parse_time, push_date, push_instant, push_time, write_instant,
};
pub use zones::Zones;

use chrono::{Datelike, NaiveDate};
use flow_compiler::bytecode::{Duration, Unit};
use jiff::tz::TimeZone;
use span::span;

/// Milliseconds of a day on an undisturbed clock.
pub const DAY: i64 = 86_400_000;
/// Milliseconds of an hour.
pub const HOUR: i64 = 3_600_000;
/// 1970-01-01, counted from the first day of the year 1.
const EPOCH_DAY: i32 = 719_163;
/// How many clock changes in a row a search follows before it takes what it has. In the zone data
/// two changes are never less than hours apart.
const CHANGES: usize = 16;

/// The first and the last day there are.
const FIRST_DAY: i32 = -96_465_292;
const LAST_DAY: i32 = 95_026_236;
/// The instants whose local day is surely within those.
const FIRST_INSTANT: i64 = (FIRST_DAY as i64 + 2) * DAY;
const LAST_INSTANT: i64 = (LAST_DAY as i64 - 1) * DAY;

/// The local day and millisecond of the day.
#[must_use]
pub fn to_local(zone: &TimeZone, instant: i64) -> (i32, u32) {
    let instant = instant.clamp(FIRST_INSTANT, LAST_INSTANT);
    split(instant + span(zone, instant).offset)
}

/// The instant of a local moment: the first of two, or the end of the gap that swallowed it.
#[must_use]
pub fn from_local(zone: &TimeZone, day: i32, ms: u32) -> i64 {
    // No change of a clock reaches further than this, also where a zone moved across the date line.
    const REACH: i64 = 3 * DAY;
    let local = i64::from(day.clamp(FIRST_DAY + 8, LAST_DAY - 8)) * DAY + i64::from(ms);
    let near = span(zone, local);
    let instant = local - near.offset;
    if instant < near.end && (near.start == i64::MIN || instant >= near.start + REACH) {
        return instant;
    }
    let mut current = span(zone, local - REACH);
    for _ in 0..CHANGES {
        let instant = local - current.offset;
        if instant < current.end {
            return instant.max(current.start);
        }
        current = span(zone, current.end);
    }
    local - current.offset
}

/// The first instant after `instant` at which the zone's clock changes; `i64::MAX`: never.
#[must_use]
pub fn next_change(zone: &TimeZone, instant: i64) -> i64 {
    span(zone, instant.clamp(FIRST_INSTANT, LAST_INSTANT)).end
}

/// A later (or earlier) instant: calendar months, then days, in local time, then the exact part.
#[must_use]
pub fn add(zone: &TimeZone, instant: i64, duration: Duration) -> i64 {
    if duration.months == 0 && duration.days == 0 {
        return instant.saturating_add(duration.millis);
    }
    let (day, ms) = to_local(zone, instant);
    from_local(zone, add_to_date(day, duration.months, duration.days), ms).saturating_add(duration.millis)
}

/// A later (or earlier) day: months, clamped to the last day of the month, then days.
#[must_use]
pub fn add_to_date(day: i32, months: i32, days: i32) -> i32 {
    let start = if months == 0 {
        day
    } else {
        let (year, month, dom) = civil(day);
        let count = i64::from(year) * 12 + i64::from(month) - 1 + i64::from(months);
        let (year, month) = (count.div_euclid(12), count.rem_euclid(12) + 1);
        clamped_day(year, u32::try_from(month).unwrap_or(1), dom)
    };
    start.saturating_add(days).clamp(FIRST_DAY, LAST_DAY)
}

/// The first instant at or after `from` that a daily local time means.
#[must_use]
pub fn next_time_of_day(zone: &TimeZone, from: i64, ms: u32) -> i64 {
    next_day_time(zone, from, [true; 7], ms)
}

/// The first instant at or after `from` that a local time on certain days (Monday first) means;
/// `i64::MAX` when there are no such days.
#[must_use]
pub fn next_day_time(zone: &TimeZone, from: i64, days: [bool; 7], at: u32) -> i64 {
    let (today, _) = to_local(zone, from);
    (-1..=9)
        .map(|ahead| today.saturating_add(ahead))
        .filter(|day| falls_on(days, *day))
        .map(|day| from_local(zone, day, at))
        .find(|instant| *instant >= from)
        .unwrap_or(i64::MAX)
}

/// When a slot opens next; none: `now` lies in one. A slot belongs to the day on which it opens; with
/// `to` at or before `from` it ends on the next day. `i64::MAX` when it never opens.
#[must_use]
pub fn slot_open(zone: &TimeZone, now: i64, from: u32, to: u32, days: [bool; 7]) -> Option<i64> {
    let (today, _) = to_local(zone, now);
    for ahead in -2..=9 {
        let day = today.saturating_add(ahead);
        if !falls_on(days, day) {
            continue;
        }
        let (open, close) = stretch(zone, day, from, to);
        if now < close && open < close {
            return if now < open { Some(open) } else { None };
        }
    }
    Some(i64::MAX)
}

/// The end of the quiet hours that `now` lies in; with `to` before `from` they go over midnight, and
/// hours without length are none.
#[must_use]
pub fn quiet_until(zone: &TimeZone, now: i64, from: u32, to: u32) -> Option<i64> {
    if from == to {
        return None;
    }
    let (today, _) = to_local(zone, now);
    (-2..=1).find_map(|ahead| {
        let (open, close) = stretch(zone, today.saturating_add(ahead), from, to);
        (open <= now && now < close).then_some(close)
    })
}

/// The first instant after `now` at which the local date is another one.
#[must_use]
pub fn next_midnight(zone: &TimeZone, now: i64) -> i64 {
    next_boundary(zone, now, DAY)
}

/// The first instant after `now` at which a local hour begins.
#[must_use]
pub fn next_hour(zone: &TimeZone, now: i64) -> i64 {
    next_boundary(zone, now, HOUR)
}

/// The local hour, 0 to 23.
#[must_use]
pub fn hour_of_day(zone: &TimeZone, instant: i64) -> u32 {
    to_local(zone, instant).1 / 3_600_000
}

/// The day of the week, 0 is Monday.
#[must_use]
pub fn weekday(day: i32) -> u8 {
    u8::try_from((i64::from(day) + 3).rem_euclid(7)).unwrap_or(0)
}

/// The first instant at or after `from` at which the yearly return of `date` (the date itself is the
/// first) reaches the local time `at`. 29 February is 28 February in other years. `i64::MAX`: never.
#[must_use]
pub fn next_yearly(zone: &TimeZone, from: i64, date: i32, at: u32) -> i64 {
    let (first, month, dom) = civil(date);
    let (this, _, _) = civil(to_local(zone, from).0);
    (-1..=2)
        .map(|ahead| i64::from(this.saturating_add(ahead)))
        .chain(std::iter::once(i64::from(first)))
        .filter(|year| *year >= i64::from(first))
        .map(|year| from_local(zone, clamped_day(year, month, dom), at))
        .find(|instant| *instant >= from)
        .unwrap_or(i64::MAX)
}

/// The instant of a local time on a day.
#[must_use]
pub fn at_date(zone: &TimeZone, day: i32, at: u32) -> i64 {
    from_local(zone, day, at)
}

/// Whole units from `a` to `b`, calendar steps from the earlier to the later from days on; negative
/// when `b` is before `a`.
#[must_use]
pub fn between(unit: Unit, zone: &TimeZone, a: i64, b: i64) -> i64 {
    if b < a {
        return -between(unit, zone, b, a);
    }
    let step = |months: i32, days: i32| {
        let (from, to) = (to_local(zone, a).0, to_local(zone, b).0);
        let estimate = if months == 0 {
            (i64::from(to) - i64::from(from)) / i64::from(days)
        } else {
            (month_count(to) - month_count(from)) / i64::from(months)
        };
        // The estimate by dates alone is at most a step off (two where a day was skipped).
        let reached = |n: i64| {
            let n = i32::try_from(n).unwrap_or(i32::MAX);
            let duration = Duration { months: months.saturating_mul(n), days: days.saturating_mul(n), millis: 0 };
            add(zone, a, duration) <= b
        };
        (0..=3).map(|back| estimate + 1 - back).find(|n| *n > 0 && reached(*n)).unwrap_or(0)
    };
    match unit {
        Unit::Seconds => b.saturating_sub(a) / 1000,
        Unit::Minutes => b.saturating_sub(a) / 60_000,
        Unit::Hours => b.saturating_sub(a) / HOUR,
        Unit::Days => step(0, 1),
        Unit::Weeks => step(0, 7),
        Unit::Months => step(1, 0),
        Unit::Years => step(12, 0),
    }
}

/// Year, month and day of the month.
#[must_use]
pub fn civil(day: i32) -> (i32, u32, u32) {
    let date = day.clamp(FIRST_DAY, LAST_DAY).checked_add(EPOCH_DAY).and_then(NaiveDate::from_num_days_from_ce_opt);
    date.map_or((1970, 1, 1), |date| (date.year(), date.month(), date.day()))
}

/// The day of a year, month and day of the month, if there is one.
#[must_use]
pub fn day_of(year: i32, month: u32, day: u32) -> Option<i32> {
    Some(NaiveDate::from_ymd_opt(year, month, day)?.num_days_from_ce() - EPOCH_DAY)
}

/// The day of a month, or its last one, or the edge of the years.
fn clamped_day(year: i64, month: u32, dom: u32) -> i32 {
    let edge = if year < 0 { FIRST_DAY } else { LAST_DAY };
    let Ok(year) = i32::try_from(year) else { return edge };
    (0..4).find_map(|less| day_of(year, month, dom.checked_sub(less)?)).unwrap_or(edge)
}

fn month_count(day: i32) -> i64 {
    let (year, month, _) = civil(day);
    i64::from(year) * 12 + i64::from(month)
}

fn falls_on(days: [bool; 7], day: i32) -> bool {
    days.get(usize::from(weekday(day))).copied().unwrap_or(false)
}

/// From the opening on a day to the close.
fn stretch(zone: &TimeZone, day: i32, from: u32, to: u32) -> (i64, i64) {
    let closing = if to <= from { day.saturating_add(1) } else { day };
    (from_local(zone, day, from), from_local(zone, closing, to))
}

/// The first instant after `now` at which the local clock enters another stretch of `period`, or
/// stands at the beginning of one.
fn next_boundary(zone: &TimeZone, now: i64, period: i64) -> i64 {
    let mut now = now.clamp(FIRST_INSTANT, LAST_INSTANT);
    for _ in 0..CHANGES {
        let here = span(zone, now);
        let local = now + here.offset;
        let next = now + (period - local.rem_euclid(period));
        if next < here.end {
            return next;
        }
        let (before, after) = (here.end - 1 + here.offset, here.end + span(zone, here.end).offset);
        if before.div_euclid(period) != after.div_euclid(period) || after.rem_euclid(period) == 0 {
            return here.end;
        }
        now = here.end;
    }
    now.saturating_add(1)
}

fn split(local: i64) -> (i32, u32) {
    (i32::try_from(local.div_euclid(DAY)).unwrap_or(0), u32::try_from(local.rem_euclid(DAY)).unwrap_or(0))
}

#[cfg(test)]
mod tests;
