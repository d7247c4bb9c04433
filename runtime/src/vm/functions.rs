//! The functions that expressions can call.

use super::value::{equals, ordering, Value};
use super::{number, text};
use crate::calendar;
use flow_compiler::bytecode::{Duration, Function, Unit};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// `function(arguments)`. Missing when an argument that it needs is, or is of no type that it knows.
#[must_use]
pub fn call(function: Function, args: &[Value], zone: &TimeZone) -> Value {
    let Some((first, rest)) = args.split_first() else { return Value::Missing };
    if first.is_missing() {
        return Value::Missing;
    }
    let result = match function {
        Function::Lower => first.as_text().map(|value| Value::text(&value.to_lowercase())),
        Function::Upper => first.as_text().map(|value| Value::text(&value.to_uppercase())),
        Function::Trim => first.as_text().map(|value| Value::text(value.trim())),
        Function::Length => match first {
            Value::Text(value) => Some(count(value.chars().count())),
            Value::List(values) => Some(count(values.len())),
            _ => None,
        },
        Function::Round => round(first, rest.first()),
        Function::Floor => whole(first, |value| value.floor()),
        Function::Ceil => whole(first, |value| value.ceil()),
        Function::Abs => match first {
            Value::Int(value) => Some(Value::Int(value.saturating_abs())),
            Value::Number(value) => Some(Value::Number(value.abs())),
            Value::Duration(value) if value.window_millis() < 0 => Some(super::value::negate(first)),
            Value::Duration(value) => Some(Value::Duration(*value)),
            _ => None,
        },
        Function::Min => rest.first().and_then(|second| choose(first, second, Ordering::Greater, zone)),
        Function::Max => rest.first().and_then(|second| choose(first, second, Ordering::Less, zone)),
        Function::Text => Some(match first {
            Value::Text(_) => first.clone(),
            _ => Value::text(&text::text_of(first, zone)),
        }),
        Function::Int => to_int(first),
        Function::Number => match first {
            Value::Text(value) => number::parse(value).map(Value::Number),
            _ => first.as_number().map(Value::Number),
        },
        Function::Date => first.as_local(zone).map(|(day, _)| Value::Date(day)),
        Function::Time => match first {
            Value::Time(_) => Some(first.clone()),
            _ => first.as_local(zone).map(|(_, ms)| Value::Time(ms)),
        },
        Function::Year => first.as_local(zone).map(|(day, _)| Value::Int(calendar::civil(day).0.into())),
        Function::Month => first.as_local(zone).map(|(day, _)| Value::Int(calendar::civil(day).1.into())),
        Function::Day => first.as_local(zone).map(|(day, _)| Value::Int(calendar::civil(day).2.into())),
        Function::Hour => clock(first, zone).map(|ms| Value::Int((ms / 3_600_000).into())),
        Function::Minute => clock(first, zone).map(|ms| Value::Int((ms / 60_000 % 60).into())),
        Function::Weekday => first.as_local(zone).map(|(day, _)| Value::Weekday(calendar::weekday(day))),
        Function::ToInstant => first.as_instant(zone).map(Value::Instant),
        Function::First => match first {
            Value::List(values) => values.first().cloned(),
            _ => None,
        },
    };
    result.unwrap_or_default()
}

/// Whole units from one moment to another. Of two dates it is simply their distance, whatever the zone.
#[must_use]
pub fn between(unit: Unit, a: &Value, b: &Value, zone: &TimeZone) -> Value {
    let zone = if matches!((a, b), (Value::Date(_), Value::Date(_))) { &TimeZone::UTC } else { zone };
    match (a.as_instant(zone), b.as_instant(zone)) {
        (Some(a), Some(b)) => Value::Int(calendar::between(unit, zone, a, b)),
        _ => Value::Missing,
    }
}

/// Whether a text contains a text, or a list an element.
#[must_use]
pub fn contains(whole: &Value, part: &Value, zone: &TimeZone) -> bool {
    match (whole, part) {
        (Value::Text(whole), Value::Text(part)) => whole.contains(part.as_ref()),
        (Value::List(values), part) => values.iter().any(|value| equals(value, part, zone)),
        _ => false,
    }
}

/// A duration between two instants.
#[must_use]
pub fn millis(length: i64) -> Duration {
    Duration { millis: length, ..Duration::default() }
}

fn count(value: usize) -> Value {
    Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

fn round(value: &Value, places: Option<&Value>) -> Option<Value> {
    let exact = value.as_number()?;
    match places {
        None => Some(Value::Int(number::to_int(number::round(exact, 0)))),
        Some(Value::Int(places)) => Some(Value::Number(number::round(exact, *places))),
        Some(_) => None,
    }
}

fn whole(value: &Value, rounded: impl Fn(&Decimal) -> Decimal) -> Option<Value> {
    match value {
        Value::Int(value) => Some(Value::Int(*value)),
        Value::Number(value) => Some(Value::Int(number::to_int(rounded(value)))),
        _ => None,
    }
}

/// The first value unless the two stand in the order `unless`. Of an int and a number, a number.
fn choose(first: &Value, second: &Value, unless: Ordering, zone: &TimeZone) -> Option<Value> {
    let chosen = if ordering(first, second, zone)? == unless { second } else { first };
    Some(match (first, second) {
        (Value::Number(_), Value::Int(_)) | (Value::Int(_), Value::Number(_)) => Value::Number(chosen.as_number()?),
        _ => chosen.clone(),
    })
}

fn to_int(value: &Value) -> Option<Value> {
    match value {
        Value::Int(value) => Some(Value::Int(*value)),
        Value::Number(value) => Some(Value::Int(number::to_int(*value))),
        Value::Text(text) if !text.contains('.') => number::parse(text).map(|value| Value::Int(number::to_int(value))),
        _ => None,
    }
}

/// The time of day of a moment.
fn clock(value: &Value, zone: &TimeZone) -> Option<u32> {
    match value {
        Value::Time(ms) => Some(*ms),
        _ => value.as_local(zone).map(|(_, ms)| ms),
    }
}
