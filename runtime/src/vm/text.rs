//! Values as text and as JSON.

use super::number;
use super::value::Value;
use crate::calendar;
use flow_compiler::bytecode::Duration;
use jiff::tz::TimeZone;
use serde::ser::{Error, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// The names of the days, Monday first.
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// A value as an interpolation writes it. A missing value is the empty text.
#[must_use]
pub fn text_of(value: &Value, zone: &TimeZone) -> String {
    let mut out = String::new();
    push_text(&mut out, value, zone);
    out
}

/// Appends a value as an interpolation writes it.
pub fn push_text(out: &mut String, value: &Value, zone: &TimeZone) {
    match value {
        Value::Missing => {}
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => push_int(out, *value),
        Value::Number(value) => number::push(out, *value),
        Value::Text(value) => out.push_str(value),
        Value::Date(day) => calendar::push_date(out, *day),
        Value::Time(ms) => calendar::push_time(out, *ms),
        Value::Instant(instant) => {
            let (day, ms) = calendar::to_local(zone, *instant);
            push_minute(out, day, ms);
        }
        Value::Local(day, ms) => push_minute(out, *day, *ms),
        Value::Duration(length) => push_duration(out, *length),
        Value::Weekday(day) => out.push_str(weekday_name(*day)),
        Value::List(values) | Value::Record(values) => {
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                push_text(out, value, zone);
            }
        }
    }
}

/// `monday` for 0.
#[must_use]
pub fn weekday_name(day: u8) -> &'static str {
    WEEKDAYS.get(usize::from(day % 7)).copied().unwrap_or_default()
}

/// Appends a length of time as the language spells it: `2h`, `3d`, `1y 2mo`, `1h 30m`. Each part has its own sign.
pub fn push_duration(out: &mut String, length: Duration) {
    let millis = length.millis;
    let parts = [
        (i64::from(length.months / 12), "y"),
        (i64::from(length.months % 12), "mo"),
        (i64::from(length.days), "d"),
        (millis / 3_600_000, "h"),
        (millis / 60_000 % 60, "m"),
    ];
    let start = out.len();
    for (count, unit) in parts {
        if count != 0 {
            separate(out, start);
            push_int(out, count);
            out.push_str(unit);
        }
    }
    let rest = millis % 60_000;
    if rest != 0 || out.len() == start {
        separate(out, start);
        number::push(out, rust_decimal::Decimal::new(rest, 3));
        out.push('s');
    }
}

fn separate(out: &mut String, start: usize) {
    if out.len() > start {
        out.push(' ');
    }
}

fn push_minute(out: &mut String, day: i32, ms: u32) {
    calendar::push_date(out, day);
    out.push(' ');
    calendar::push_time(out, ms - ms % 60_000);
}

fn push_int(out: &mut String, value: i64) {
    use std::fmt::Write;
    // A String takes whatever is written to it.
    let _ = write!(out, "{value}");
}

/// Appends a value as JSON: numbers exact, moments as ISO 8601 text (instants in UTC), lengths of time as the
/// language spells them, records as lists of their fields.
pub fn push_json(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Missing => out.extend_from_slice(b"null"),
        Value::Text(text) => push_json_text(out, text),
        Value::Instant(instant) => {
            out.push(b'"');
            calendar::write_instant(out, *instant);
            out.push(b'"');
        }
        Value::List(values) | Value::Record(values) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                push_json(out, value);
            }
            out.push(b']');
        }
        Value::Bool(_) | Value::Int(_) | Value::Number(_) => {
            out.extend_from_slice(text_of(value, &TimeZone::UTC).as_bytes());
        }
        Value::Date(_) | Value::Time(_) | Value::Local(..) | Value::Duration(_) | Value::Weekday(_) => {
            // None of these holds a character that JSON escapes.
            out.push(b'"');
            out.extend_from_slice(iso_text(value).as_bytes());
            out.push(b'"');
        }
    }
}

/// Appends a text as a JSON string.
pub fn push_json_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some((plain, special)) = rest.split_at_checked(unescaped(rest)) {
        out.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else { break };
        push_escape(out, *byte);
        rest = after;
    }
    out.push(b'"');
}

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => return out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
    };
    out.extend_from_slice(&[b'\\', letter]);
}

/// How many bytes stand before the first quote, backslash or control character, which JSON escapes; eight at a time.
///
/// A byte is found by what subtracting borrows from its highest bit; only bytes above the first one found can be
/// found wrongly (Mycroft's test, as in "Bit Twiddling Hacks", S. E. Anderson).
#[must_use]
#[inline]
pub fn unescaped(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
    const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);
    const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    let mut at = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let (quote, backslash) = (word ^ QUOTES, word ^ BACKSLASHES);
        let found = (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash)
            | (word.wrapping_sub(SPACES) & !word);
        let found = found & HIGH;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len())
}

fn iso_text(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Instant(instant) => calendar::push_instant(&mut out, *instant),
        Value::Local(day, ms) => {
            calendar::push_date(&mut out, *day);
            out.push('T');
            calendar::push_time(&mut out, *ms);
        }
        other => push_text(&mut out, other, &TimeZone::UTC),
    }
    out
}

impl Value {
    /// The value as a JSON tree. A number with more digits than JSON trees here can hold (about 15) becomes the
    /// nearest one; where every digit counts, serialize the value itself or use [`push_json`].
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Missing => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Number(value) => {
                let text = text_of(self, &TimeZone::UTC);
                if value.is_integer() {
                    if let Ok(whole) = text.parse::<i64>() {
                        return whole.into();
                    }
                }
                text.parse::<f64>().map_or(serde_json::Value::Null, Into::into)
            }
            Self::Text(text) => text.as_ref().into(),
            Self::List(values) | Self::Record(values) => values.iter().map(Self::to_json).collect(),
            _ => iso_text(self).into(),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Missing => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Number(_) => RawValue::from_string(text_of(self, &TimeZone::UTC))
                .map_err(|_| S::Error::custom("not a number"))?
                .serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(values) | Self::Record(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values.iter() {
                    list.serialize_element(value)?;
                }
                list.end()
            }
            _ => serializer.serialize_str(&iso_text(self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_end_where_they_end(bytes in prop::collection::vec(prop::sample::select(&b"a \"\\\x00\x1f\x20\x80\xff~!#["[..]), 0..40)) {
            let first = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(bytes.len());
            prop_assert_eq!(unescaped(&bytes), first);
        }

        #[test]
        fn a_text_as_json_is_read_as_the_same_text(text in "[a-zé\"\\\\/\u{0}-\u{20}\u{7f}\u{2028}]{0,40}") {
            let mut json = Vec::new();
            push_json_text(&mut json, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&json).ok(), Some(text));
        }
    }
}
