//! Numbers compared with a number that is written.
//!
//! Decimals of one scale compare as their digits do. So what is written is brought to the scale of the value, or the value to
//! that of what is written, and 64 bits are compared wherever they are enough. Native code looks the limit up: `x > 20.5`
//! is `digits > 20` for whole numbers, `digits > 205` for one place and `digits > 2050` for two.

use super::super::value::{self, Value};
use flow_compiler::bytecode::Compare;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// Limits by scale, for digits below 2^62 with either sign; decimals with more places are rare.
pub(in super::super) type Limits = [i64; 8];
/// What no digits are, or are below.
const NEVER: i64 = i64::MIN;
/// What all digits are below.
const ALWAYS: i64 = i64::MAX;

/// The question whether a number is the same as what is written, lies below it, or lies at most there.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Written {
    digits: i64,
    places: u32,
    /// One of `Equal`, `Less` and `LessOrEqual`.
    cmp: Compare,
    /// The answer for what is no number.
    pub other: bool,
}

impl Written {
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
        Some((Self { digits, places, cmp, other: holds_for_other == yes }, yes))
    }

    /// The answer.
    #[inline]
    pub fn answer(&self, value: &Value) -> bool {
        match value {
            Value::Int(value) if self.places == 0 => self.judge(value.cmp(&self.digits)),
            Value::Number(value) => match self.near(*value) {
                Some(ordering) => self.judge(ordering),
                None => self.far(Value::Number(*value)),
            },
            Value::Int(value) => self.far(Value::Int(*value)),
            _ => self.other,
        }
    }

    /// How a decimal compares; none: 64 bits are not enough to say.
    #[inline]
    fn near(&self, value: Decimal) -> Option<Ordering> {
        let digits = i64::try_from(value.mantissa()).ok()?;
        Some(match value.scale().checked_sub(self.places) {
            Some(more) => digits.cmp(&self.digits.checked_mul(unit(more)?)?),
            None => digits.checked_mul(unit(self.places - value.scale())?)?.cmp(&self.digits),
        })
    }

    fn judge(&self, ordering: Ordering) -> bool {
        match self.cmp {
            Compare::Less => ordering == Ordering::Less,
            Compare::LessOrEqual => ordering != Ordering::Greater,
            _ => ordering == Ordering::Equal,
        }
    }

    #[cold]
    fn far(&self, value: Value) -> bool {
        value::compare(self.cmp, &value, &Value::Number(Decimal::new(self.digits, self.places)), &TimeZone::UTC)
    }

    /// Whether digits must be the same as their limit, rather than lie below it.
    pub fn same(&self) -> bool {
        self.cmp == Compare::Equal
    }

    /// The limit for whole numbers; `Err`: the answer is the same for all of them.
    pub fn whole(&self) -> Result<i64, bool> {
        self.limit(0)
    }

    /// The limits by scale.
    pub fn limits(&self) -> Limits {
        std::array::from_fn(|scale| match self.limit(u32::try_from(scale).unwrap_or(0)) {
            Ok(limit) => limit,
            Err(true) => ALWAYS,
            Err(false) => NEVER,
        })
    }

    /// What digits of a scale must lie below (or be), rounded to the side on which no decimal of that scale is judged
    /// otherwise; `Err`: the answer is the same for all of them.
    fn limit(&self, scale: u32) -> Result<i64, bool> {
        let ten = |power: u32| 10_i128.checked_pow(power);
        let (same, digits) = (self.same(), i128::from(self.digits));
        let (floor, rest) = match scale.checked_sub(self.places) {
            // 2^63 × 10^7 fits.
            Some(more) => (digits * i128::from(unit(more).ok_or(false)?), false),
            None => {
                // A decimal has no more than 28 places.
                let unit = ten(self.places - scale).unwrap_or(i128::MAX);
                (digits.div_euclid(unit), digits.rem_euclid(unit) != 0)
            }
        };
        let limit = match self.cmp {
            Compare::Equal if rest => return Err(false),
            Compare::Equal => floor,
            Compare::Less => floor + i128::from(rest),
            _ => floor + 1,
        };
        i64::try_from(limit).map_err(|_| !same && limit > 0)
    }
}

/// Ten to the power, where it fits.
#[inline]
fn unit(power: u32) -> Option<i64> {
    const UNITS: [i64; 19] = [
        1,
        10,
        100,
        1_000,
        10_000,
        100_000,
        1_000_000,
        10_000_000,
        100_000_000,
        1_000_000_000,
        10_000_000_000,
        100_000_000_000,
        1_000_000_000_000,
        10_000_000_000_000,
        100_000_000_000_000,
        1_000_000_000_000_000,
        10_000_000_000_000_000,
        100_000_000_000_000_000,
        1_000_000_000_000_000_000,
    ];
    UNITS.get(power as usize).copied()
}
