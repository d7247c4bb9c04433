//! Values, and the only definition of what arithmetic and comparison mean.
//!
//! The rules stand in [`number`](super::number) for decimals, here for everything else.

use super::number;
use crate::calendar;
use flow_compiler::bytecode::{Arith, Compare, Const, Duration};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::cmp::Ordering;
use std::sync::Arc;

/// What a register, an attribute or a field holds.
///
/// `==` between two `Value`s is about representation (state that did not change, values to store), with
/// two missing values equal. What `==` in a program means is [`equals`].
///
/// Its parts have fixed places in memory, so that native code can look at them.
#[derive(Clone, Debug, Default, PartialEq)]
#[repr(C, u8)]
pub enum Value {
    /// Not known.
    #[default]
    Missing,
    /// True or false.
    Bool(bool),
    /// A whole number; arithmetic saturates.
    Int(i64),
    /// An exact decimal.
    Number(Decimal),
    /// A text.
    Text(Arc<str>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Milliseconds since midnight.
    Time(u32),
    /// Milliseconds since 1970-01-01T00:00Z.
    Instant(i64),
    /// A local date and time: days since 1970-01-01 and milliseconds since midnight.
    Local(i32, u32),
    /// A length of time.
    Duration(Duration),
    /// 0 is Monday.
    Weekday(u8),
    /// Several values.
    List(Arc<[Value]>),
    /// The fields of a record, in the order of its type.
    Record(Arc<[Value]>),
}

impl Value {
    /// The value that a constant stands for.
    #[must_use]
    pub fn from_const(constant: &Const) -> Self {
        match constant {
            Const::Missing => Self::Missing,
            Const::Bool(value) => Self::Bool(*value),
            Const::Int(value) => Self::Int(*value),
            Const::Number(value) => Self::Number(*value),
            Const::Text(value) => Self::Text(value.as_str().into()),
            Const::Date(value) => Self::Date(*value),
            Const::Time(value) => Self::Time(*value),
            Const::Instant(value) => Self::Instant(*value),
            Const::Local(day, ms) => Self::Local(*day, *ms),
            Const::Duration(value) => Self::Duration(*value),
            Const::Weekday(value) => Self::Weekday(*value),
            Const::List(values) => Self::List(values.iter().map(Self::from_const).collect()),
            Const::Record(values) => Self::Record(values.iter().map(Self::from_const).collect()),
        }
    }

    /// A text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// Whether it is the bool true; a missing value is not.
    #[must_use]
    pub fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// Whether it is missing.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// An int or number as a decimal.
    #[must_use]
    pub fn as_number(&self) -> Option<Decimal> {
        match self {
            Self::Int(value) => Some(Decimal::from(*value)),
            Self::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// The instant that a moment means: a date its local midnight, a local date and time its instant.
    #[must_use]
    pub fn as_instant(&self, zone: &TimeZone) -> Option<i64> {
        match self {
            Self::Instant(value) => Some(*value),
            Self::Date(day) => Some(calendar::from_local(zone, *day, 0)),
            Self::Local(day, ms) => Some(calendar::from_local(zone, *day, *ms)),
            _ => None,
        }
    }

    /// The local day and time of day of a moment; of a date, its midnight.
    #[must_use]
    pub fn as_local(&self, zone: &TimeZone) -> Option<(i32, u32)> {
        match self {
            Self::Instant(value) => Some(calendar::to_local(zone, *value)),
            Self::Date(day) => Some((*day, 0)),
            Self::Local(day, ms) => Some((*day, *ms)),
            _ => None,
        }
    }
}

/// Which of two values comes first. None: one is missing, or they have no order.
#[must_use]
pub fn ordering(a: &Value, b: &Value, zone: &TimeZone) -> Option<Ordering> {
    Some(match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Int(_) | Value::Number(_), Value::Int(_) | Value::Number(_)) => a.as_number()?.cmp(&b.as_number()?),
        // Bytes of UTF-8 have the order of the code points.
        (Value::Text(a), Value::Text(b)) => a.as_ref().cmp(b.as_ref()),
        (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Date(_) | Value::Local(..), Value::Date(_) | Value::Local(..)) => {
            a.as_local(zone)?.cmp(&b.as_local(zone)?)
        }
        (Value::Date(_) | Value::Local(..), Value::Instant(_))
        | (Value::Instant(_), Value::Date(_) | Value::Local(..)) => a.as_instant(zone)?.cmp(&b.as_instant(zone)?),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Duration(a), Value::Duration(b)) => a.window_millis().cmp(&b.window_millis()),
        (Value::Weekday(a), Value::Weekday(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => return None,
    })
}

/// What `a == b` means: a missing value equals nothing, lists and records are equal element by element.
#[must_use]
pub fn equals(a: &Value, b: &Value, zone: &TimeZone) -> bool {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::List(a), Value::List(b)) | (Value::Record(a), Value::Record(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equals(a, b, zone))
        }
        _ => ordering(a, b, zone) == Some(Ordering::Equal),
    }
}

/// What `a cmp b` means. `!=` is exactly `not ==`; every other comparison with a missing value is false.
#[must_use]
pub fn compare(cmp: Compare, a: &Value, b: &Value, zone: &TimeZone) -> bool {
    match cmp {
        Compare::Equal => equals(a, b, zone),
        Compare::NotEqual => !equals(a, b, zone),
        Compare::Less => ordering(a, b, zone) == Some(Ordering::Less),
        Compare::LessOrEqual => matches!(ordering(a, b, zone), Some(Ordering::Less | Ordering::Equal)),
        Compare::Greater => ordering(a, b, zone) == Some(Ordering::Greater),
        Compare::GreaterOrEqual => matches!(ordering(a, b, zone), Some(Ordering::Greater | Ordering::Equal)),
    }
}

/// What `a op b` means. Missing when either is, when the types have no such operation, and for a
/// division by zero.
#[must_use]
pub fn arithmetic(op: Arith, a: &Value, b: &Value, zone: &TimeZone) -> Value {
    match (op, a, b) {
        (Arith::Divide, _, _) => match (a.as_number(), b.as_number()) {
            (Some(a), Some(b)) => number::divide(a, b).map_or(Value::Missing, Value::Number),
            _ => Value::Missing,
        },
        (_, Value::Int(a), Value::Int(b)) => Value::Int(match op {
            Arith::Add => a.saturating_add(*b),
            Arith::Subtract => a.saturating_sub(*b),
            Arith::Multiply | Arith::Divide => a.saturating_mul(*b),
        }),
        (_, Value::Int(_) | Value::Number(_), Value::Int(_) | Value::Number(_)) => {
            let (Some(a), Some(b)) = (a.as_number(), b.as_number()) else { return Value::Missing };
            Value::Number(match op {
                Arith::Add => number::add(a, b),
                Arith::Subtract => number::add(a, -b),
                Arith::Multiply | Arith::Divide => number::multiply(a, b),
            })
        }
        (Arith::Add, Value::Duration(a), Value::Duration(b)) => Value::Duration(sum(*a, *b)),
        (Arith::Subtract, Value::Duration(a), Value::Duration(b)) => Value::Duration(sum(*a, negated(*b))),
        (Arith::Multiply, Value::Duration(length), Value::Int(by))
        | (Arith::Multiply, Value::Int(by), Value::Duration(length)) => Value::Duration(times(*length, *by)),
        (Arith::Add, moment, Value::Duration(length)) | (Arith::Add, Value::Duration(length), moment) => {
            moved(moment, *length, zone)
        }
        (Arith::Subtract, moment, Value::Duration(length)) => moved(moment, negated(*length), zone),
        (Arith::Subtract, Value::Date(a), Value::Date(b)) => {
            Value::Duration(Duration { days: a.saturating_sub(*b), ..Duration::default() })
        }
        (Arith::Subtract, _, _) => match (a.as_instant(zone), b.as_instant(zone)) {
            (Some(a), Some(b)) => Value::Duration(Duration { millis: a.saturating_sub(b), ..Duration::default() }),
            _ => Value::Missing,
        },
        _ => Value::Missing,
    }
}

/// What `-value` means.
#[must_use]
pub fn negate(value: &Value) -> Value {
    match value {
        Value::Int(value) => Value::Int(value.saturating_neg()),
        Value::Number(value) => Value::Number(-*value),
        Value::Duration(value) => Value::Duration(negated(*value)),
        _ => Value::Missing,
    }
}

/// A moment and a length of time. A date stays one as long as only whole days are added to it.
fn moved(moment: &Value, length: Duration, zone: &TimeZone) -> Value {
    match moment {
        Value::Date(day) if length.millis == 0 => Value::Date(calendar::add_to_date(*day, length.months, length.days)),
        _ => moment.as_instant(zone).map_or(Value::Missing, |start| Value::Instant(calendar::add(zone, start, length))),
    }
}

fn sum(a: Duration, b: Duration) -> Duration {
    Duration {
        months: a.months.saturating_add(b.months),
        days: a.days.saturating_add(b.days),
        millis: a.millis.saturating_add(b.millis),
    }
}

/// The same length of time backwards.
#[must_use]
pub fn negated(length: Duration) -> Duration {
    Duration {
        months: length.months.saturating_neg(),
        days: length.days.saturating_neg(),
        millis: length.millis.saturating_neg(),
    }
}

fn times(length: Duration, by: i64) -> Duration {
    let short = |value: i32| {
        let product = i64::from(value).saturating_mul(by);
        i32::try_from(product).unwrap_or(if product < 0 { i32::MIN } else { i32::MAX })
    };
    Duration { months: short(length.months), days: short(length.days), millis: length.millis.saturating_mul(by) }
}

#[cfg(test)]
mod tests;
