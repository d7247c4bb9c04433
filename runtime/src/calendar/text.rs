//! Dates and instants as text, and back.

use super::{civil, day_of, split, DAY, FIRST_INSTANT, LAST_INSTANT};

/// Appends an instant as `2026-03-02T12:00:00.000Z`.
pub fn write_instant(out: &mut Vec<u8>, instant: i64) {
    let (day, ms) = split(instant.clamp(FIRST_INSTANT, LAST_INSTANT));
    let (year, month, dom) = civil(day);
    let Ok(year @ 0..=9999) = u32::try_from(year) else {
        out.extend_from_slice(instant_text(instant).as_bytes());
        return;
    };
    let digit = |value: u32| b'0' + u8::try_from(value % 10).unwrap_or(0);
    let (hour, minute, second, milli) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
    out.extend_from_slice(&[
        digit(year / 1000),
        digit(year / 100),
        digit(year / 10),
        digit(year),
        b'-',
        digit(month / 10),
        digit(month),
        b'-',
        digit(dom / 10),
        digit(dom),
        b'T',
        digit(hour / 10),
        digit(hour),
        b':',
        digit(minute / 10),
        digit(minute),
        b':',
        digit(second / 10),
        digit(second),
        b'.',
        digit(milli / 100),
        digit(milli / 10),
        digit(milli),
        b'Z',
    ]);
}

/// Appends an instant as [`write_instant`] does.
pub fn push_instant(out: &mut String, instant: i64) {
    let (day, ms) = split(instant.clamp(FIRST_INSTANT, LAST_INSTANT));
    push_date(out, day);
    out.push('T');
    push_padded(out, ms / 3_600_000, 2);
    out.push(':');
    push_padded(out, ms / 60_000 % 60, 2);
    out.push(':');
    push_padded(out, ms / 1000 % 60, 2);
    out.push('.');
    push_padded(out, ms % 1000, 3);
    out.push('Z');
}

/// An instant as text.
#[must_use]
pub fn instant_text(instant: i64) -> String {
    let mut out = String::with_capacity(24);
    push_instant(&mut out, instant);
    out
}

/// Appends a day as `2026-03-02`. Years that do not have four digits get a sign and six.
pub fn push_date(out: &mut String, day: i32) {
    let (year, month, dom) = civil(day);
    if (0..=9999).contains(&year) {
        push_padded(out, year.unsigned_abs(), 4);
    } else {
        out.push(if year < 0 { '-' } else { '+' });
        push_padded(out, year.unsigned_abs(), 6);
    }
    out.push('-');
    push_padded(out, month, 2);
    out.push('-');
    push_padded(out, dom, 2);
}

/// Appends a time of day as `09:00`, with seconds and milliseconds only where there are any.
pub fn push_time(out: &mut String, ms: u32) {
    push_padded(out, ms / 3_600_000, 2);
    out.push(':');
    push_padded(out, ms / 60_000 % 60, 2);
    if !ms.is_multiple_of(60_000) {
        out.push(':');
        push_padded(out, ms / 1000 % 60, 2);
    }
    if !ms.is_multiple_of(1000) {
        out.push('.');
        push_padded(out, ms % 1000, 3);
    }
}

fn push_padded(out: &mut String, value: u32, width: u32) {
    let mut unit = 10_u32.pow(width - 1);
    while unit > 0 {
        out.push(char::from(b'0' + u8::try_from(value / unit % 10).unwrap_or(0)));
        unit /= 10;
    }
}

/// Reads an instant: RFC 3339 with `Z` or an offset, also with a space for the `T` or without seconds;
/// a date alone is its midnight in UTC. Fractions below a millisecond are cut off.
#[must_use]
pub fn parse_instant(text: &str) -> Option<i64> {
    let mut rest = Reader(text.as_bytes());
    let day = i64::from(rest.date()?);
    if rest.0.is_empty() {
        return Some(day * DAY);
    }
    rest.any(b"Tt ")?;
    let ms = i64::from(rest.time()?);
    let offset = match rest.next()? {
        b'Z' | b'z' => 0,
        sign @ (b'+' | b'-') => {
            let hours = rest.number(2)?;
            // The colon may be missing, and so may the minutes.
            let minutes = if rest.any(b":").is_some() || !rest.0.is_empty() { rest.number(2)? } else { 0 };
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = i64::from(hours * 60 + minutes) * 60_000;
            if sign == b'-' {
                -offset
            } else {
                offset
            }
        }
        _ => return None,
    };
    rest.0.is_empty().then_some(day * DAY + ms - offset)
}

/// Reads a day, `2026-03-02`.
#[must_use]
pub fn parse_date(text: &str) -> Option<i32> {
    let mut rest = Reader(text.as_bytes());
    let day = rest.date()?;
    rest.0.is_empty().then_some(day)
}

/// Reads a time of day, `09:00`, `09:00:30` or `09:00:30.250`.
#[must_use]
pub fn parse_time(text: &str) -> Option<u32> {
    let mut rest = Reader(text.as_bytes());
    let ms = rest.time()?;
    (rest.0.is_empty() && i64::from(ms) < DAY).then_some(ms)
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn any(&mut self, of: &[u8]) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        if !of.contains(first) {
            return None;
        }
        self.0 = rest;
        Some(())
    }

    fn number(&mut self, digits: usize) -> Option<u32> {
        let (head, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        head.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
    }

    fn date(&mut self) -> Option<i32> {
        let year = self.number(4)?;
        self.any(b"-")?;
        let month = self.number(2)?;
        self.any(b"-")?;
        let day = self.number(2)?;
        day_of(i32::try_from(year).ok()?, month, day)
    }

    /// A time of day; a leap second is the first one of the next minute.
    fn time(&mut self) -> Option<u32> {
        let hour = self.number(2)?;
        self.any(b":")?;
        let minute = self.number(2)?;
        let mut second = 0;
        let mut milli = 0;
        if self.any(b":").is_some() {
            second = self.number(2)?;
            if self.any(b".,").is_some() {
                let mut unit = 100;
                let mut any = false;
                while let Some(digit) = self.0.first().filter(|byte| byte.is_ascii_digit()) {
                    milli += u32::from(digit - b'0') * unit;
                    unit /= 10;
                    any = true;
                    self.next();
                }
                any.then_some(())?;
            }
        }
        (hour < 24 && minute < 60 && second <= 60).then(|| (hour * 60 + minute) * 60_000 + second * 1000 + milli)
    }
}
