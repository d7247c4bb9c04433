//! Numbers compared with a number that is written.
//!
//! Decimals of one scale compare as their digits do. So the number that is written is brought to every scale once, and rounded
//! to the side on which no decimal of that scale is judged otherwise: `x > 20.5` is `digits > 20` for whole numbers,
//! `digits > 205` for one place and `digits > 2050` for two. What is left to do for a value is one look into a table.

use super::super::value::{self, Value};
use flow_compiler::bytecode::Compare;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

/// By scale. A decimal has at most 28 places; what lies beyond is there so that five bits are always a place.
pub(in super::super) type Table = [i64; 32];

/// Digits at or beyond this, with either sign, are compared as decimals.
const FAR: u64 = 1 << 62;
/// What no digits are, or are below.
const NEVER: i64 = i64::MIN;
/// What all digits are below.
const ALWAYS: i64 = i64::MAX;

/// The question whether a number lies below, or is the same as, what is written.
#[derive(Clone, Debug)]
pub(in super::super) struct Limits {
    /// Whether it asks for the same, rather than for what lies below.
    pub same: bool,
    /// By scale, for digits that are not [`FAR`].
    pub digits: Table,
    /// For whole numbers; `Err`: the same for all of them.
    pub whole: Result<i64, bool>,
    /// The answer for what is no number.
    pub other: bool,
    /// What is asked, for all else.
    cmp: Compare,
    constant: Value,
}

impl Limits {
    /// `value cmp constant` as such a question, and the answer to it that means yes; none: the constant is no number, or has too
    /// many digits.
    pub fn of(cmp: Compare, constant: &Value) -> Option<(Self, bool)> {
        let (digits, places) = match constant {
            Value::Int(value) => (*value, 0),
            Value::Number(value) => (i64::try_from(value.mantissa()).ok()?, value.scale()),
            _ => return None,
        };
        let holds_for_other = cmp == Compare::NotEqual;
        let (cmp, yes) = match cmp {
            Compare::GreaterOrEqual => (Compare::Less, false),
            Compare::Greater => (Compare::LessOrEqual, false),
            Compare::NotEqual => (Compare::Equal, false),
            _ => (cmp, true),
        };
        let at = |scale: u32| limit(cmp, digits, places, scale);
        let table = std::array::from_fn(|scale| match at(u32::try_from(scale).unwrap_or(0)) {
            Ok(limit) => limit,
            Err(true) => ALWAYS,
            Err(false) => NEVER,
        });
        let (same, other) = (cmp == Compare::Equal, holds_for_other == yes);
        Some((Self { same, digits: table, whole: at(0), other, cmp, constant: constant.clone() }, yes))
    }

    /// The answer.
    #[inline]
    pub fn answer(&self, value: &Value) -> bool {
        match value {
            Value::Int(value) => match self.whole {
                Ok(limit) => self.judge(*value, limit),
                Err(always) => always,
            },
            Value::Number(value) => match i64::try_from(value.mantissa()) {
                Ok(digits) if digits.unsigned_abs() < FAR => {
                    let limit = self.digits.get(value.scale() as usize).copied().unwrap_or(NEVER);
                    self.judge(digits, limit)
                }
                _ => self.far(*value),
            },
            _ => self.other,
        }
    }

    fn judge(&self, digits: i64, limit: i64) -> bool {
        if self.same {
            digits == limit
        } else {
            digits < limit
        }
    }

    #[cold]
    fn far(&self, value: Decimal) -> bool {
        value::compare(self.cmp, &Value::Number(value), &self.constant, &TimeZone::UTC)
    }
}

/// What digits of a scale must lie below (or be) for the comparison to hold; `Err`: what it gives for all of them.
fn limit(cmp: Compare, digits: i64, places: u32, scale: u32) -> Result<i64, bool> {
    let ten = |power: u32| 10_i128.checked_pow(power);
    let digits = i128::from(digits);
    // What is left of digits that are cut off.
    let (floor, rest) = match scale.checked_sub(places) {
        Some(more) => match ten(more).and_then(|unit| digits.checked_mul(unit)) {
            Some(digits) => (digits, false),
            None if digits == 0 => (0, false),
            None => return Err(cmp != Compare::Equal && digits > 0),
        },
        None => {
            // A decimal has no more than 28 places.
            let unit = ten(places - scale).unwrap_or(i128::MAX);
            (digits.div_euclid(unit), digits.rem_euclid(unit) != 0)
        }
    };
    let limit = match cmp {
        Compare::Equal if rest => return Err(false),
        Compare::Equal => floor,
        Compare::Less => floor + i128::from(rest),
        _ => floor + 1,
    };
    i64::try_from(limit).map_err(|_| cmp != Compare::Equal && limit > 0)
}
