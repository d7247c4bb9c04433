//! Moments: what the filter `date` can write.

use super::data::Data;
use super::Context;
use crate::calendar;
use crate::vm::number;
use crate::vm::value::Value;
use jiff::tz::TimeZone;
use jiff::Timestamp;

/// A moment on a person's clock.
pub(super) struct Moment {
    /// The local day since 1970-01-01.
    pub day: i32,
    /// The local millisecond of the day.
    pub ms: u32,
    /// The instant.
    pub instant: i64,
    /// Seconds east of UTC.
    pub offset: i32,
    /// What the zone is called then: `CET`.
    pub zone: String,
}

/// The moment that a value means; none: it means none.
pub(super) fn of(data: &Data<'_>, context: &Context<'_>) -> Option<Moment> {
    let zone = context.zone;
    match data {
        Data::Moment(value @ (Value::Date(_) | Value::Instant(_) | Value::Local(..))) => {
            let (day, ms) = value.as_local(zone)?;
            let instant = value.as_instant(zone)?;
            Some(at(day, ms, instant, zone))
        }
        Data::Moment(Value::Time(ms)) => {
            let (day, _) = calendar::to_local(zone, context.now);
            Some(at(day, *ms, calendar::from_local(zone, day, *ms), zone))
        }
        // Seconds since 1970.
        Data::Int(seconds) => Some(at_instant(seconds.saturating_mul(1000), zone)),
        Data::Number(seconds) => {
            Some(at_instant(number::to_int(number::multiply(*seconds, rust_decimal::Decimal::ONE_THOUSAND)), zone))
        }
        Data::Text(text) => parse(text.as_str().trim(), context),
        _ => None,
    }
}

fn at_instant(instant: i64, zone: &TimeZone) -> Moment {
    let (day, ms) = calendar::to_local(zone, instant);
    at(day, ms, instant, zone)
}

fn at(day: i32, ms: u32, instant: i64, zone: &TimeZone) -> Moment {
    let timestamp = Timestamp::from_millisecond(instant).unwrap_or(Timestamp::UNIX_EPOCH);
    let info = zone.to_offset_info(timestamp);
    Moment { day, ms, instant, offset: info.offset().seconds(), zone: info.abbreviation().to_owned() }
}

fn parse(text: &str, context: &Context<'_>) -> Option<Moment> {
    let zone = context.zone;
    match text.to_ascii_lowercase().as_str() {
        "now" | "today" => return Some(at_instant(context.now, zone)),
        "" => return None,
        _ => {}
    }
    if text.len() >= 4 && text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() >= 9 {
        return Some(at_instant(text.parse::<i64>().ok()?.saturating_mul(1000), zone));
    }
    // With an offset of its own it is an instant; a date, also with a time, is one on the person's clock.
    if let Some(instant) = calendar::parse_instant(text).filter(|_| text.len() > 10) {
        return Some(at_instant(instant, zone));
    }
    let (day, ms, offset) = words(text)?;
    Some(match offset {
        Some(offset) => at_instant(i64::from(day) * calendar::DAY + i64::from(ms) - offset, zone),
        None => {
            let instant = calendar::from_local(zone, day, ms);
            at(day, ms, instant, zone)
        }
    })
}

/// `2016-03-14 09:00`, `March 14, 2016 9:00 PM`, `14 Mar 2016`, `Mon, 14 Mar 2016 09:00:00 +0100`: a day, a time of
/// day, and milliseconds east of UTC.
fn words(text: &str) -> Option<(i32, u32, Option<i64>)> {
    let (mut year, mut month, mut day, mut ms, mut offset) = (None, None, None, None, None);
    let words = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    for word in words.flat_map(split_iso) {
        let lower = word.to_ascii_lowercase();
        if let Some((y, m, d)) = iso_date(word) {
            (year, month, day) = (Some(y), Some(m), Some(d));
        } else if let Some(time) = time_of_day(word) {
            ms = Some(time);
        } else if let Some(east) = offset_of(&lower) {
            offset = Some(east);
        } else if let Some(found) = month_of(&lower) {
            month = Some(found);
        } else if matches!(lower.as_str(), "am" | "pm") {
            let time = ms?;
            let hour = time / 3_600_000 % 12 + if lower == "pm" { 12 } else { 0 };
            ms = Some(time % 3_600_000 + hour * 3_600_000);
        } else if let Ok(number) = lower.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h']).parse::<u32>() {
            match number {
                1..=31 if day.is_none() => day = Some(number),
                1000..=9999 if year.is_none() => year = i32::try_from(number).ok(),
                _ => return None,
            }
        } else if !is_weekday(&lower) {
            return None;
        }
    }
    let day = calendar::day_of(year?, month?, day.unwrap_or(1))?;
    Some((day, ms.unwrap_or(0), offset))
}

/// `2016-03-14T09:00` in two.
fn split_iso(word: &str) -> Vec<&str> {
    match word.split_once('T') {
        Some((date, time)) if iso_date(date).is_some() => vec![date, time],
        _ => vec![word],
    }
}

/// `2016-03-14`, `2016/3/14`
fn iso_date(word: &str) -> Option<(i32, u32, u32)> {
    let mut parts = word.split(['-', '/']);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    Some((year.parse().ok()?, month.parse().ok()?, day.parse().ok()?))
}

/// `9:00`, `09:00:30.5`, `9:00pm`
fn time_of_day(word: &str) -> Option<u32> {
    let lower = word.to_ascii_lowercase();
    let (digits, half) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(digits), _) => (digits, Some(0)),
        (_, Some(digits)) => (digits, Some(12)),
        _ => (lower.as_str(), None),
    };
    let mut parts = digits.split(':');
    let hour: u32 = parts.next()?.parse().ok()?;
    let minute: u32 = match parts.next() {
        Some(minute) => minute.parse().ok()?,
        None if half.is_some() => 0,
        None => return None,
    };
    let second = parts.next().unwrap_or("0");
    let (whole, fraction) = second.split_once('.').unwrap_or((second, "0"));
    let whole: u32 = whole.parse().ok()?;
    let milli: u32 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let hour = match half {
        Some(half) => hour % 12 + half,
        None => hour,
    };
    (hour < 24 && minute < 60 && whole < 60 && parts.next().is_none())
        .then_some(hour * 3_600_000 + minute * 60_000 + whole * 1000 + milli)
}

/// `+0100`, `-05:00`, `z`, `utc`, in milliseconds east.
fn offset_of(word: &str) -> Option<i64> {
    if matches!(word, "z" | "utc" | "gmt") {
        return Some(0);
    }
    let sign = match word.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String = word.chars().skip(1).filter(|c| *c != ':').collect();
    if digits.len() != 4 {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    Some(sign * (number / 100 * 60 + number % 100) * 60_000)
}

fn month_of(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.trim_end_matches('.');
    let at = MONTHS.iter().position(|month| word.len() >= 3 && month.starts_with(word))?;
    u32::try_from(at + 1).ok()
}

fn is_weekday(word: &str) -> bool {
    let word = word.trim_end_matches('.');
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    word.len() >= 3 && DAYS.iter().any(|day| day.starts_with(word))
}
