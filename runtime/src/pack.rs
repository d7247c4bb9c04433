//! Values as bytes and back, exactly: what snapshots and journals are written in.
//!
//! Whole numbers are LEB128, signed ones zigzag before that; texts and lists begin with their length. Nothing here
//! says which version it is: whoever keeps such bytes puts that in front of them, and a checksum behind.

use crate::vm::value::Value;
use flow_compiler::bytecode::Duration;
use rust_decimal::Decimal;
use std::fmt;
use std::sync::Arc;

/// Lists in lists deeper than this are no value of any program.
const DEEPEST: usize = 64;

/// Bytes that are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged(pub &'static str);

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the bytes are no {}", self.0)
    }
}

impl std::error::Error for Damaged {}

/// Appends a whole number.
pub fn uint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a length or a place.
pub fn size(out: &mut Vec<u8>, value: usize) {
    uint(out, value as u64);
}

/// Appends a signed number.
pub fn int(out: &mut Vec<u8>, value: i64) {
    uint(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Appends a number near another, of which only the distance is kept.
pub fn instant(out: &mut Vec<u8>, value: i64) {
    match value {
        i64::MAX => out.push(0),
        i64::MIN => out.push(1),
        _ => {
            out.push(2);
            int(out, value);
        }
    }
}

/// Appends a truth value.
pub fn bool(out: &mut Vec<u8>, value: bool) {
    out.push(u8::from(value));
}

/// Appends bytes with their length.
pub fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    size(out, value.len());
    out.extend_from_slice(value);
}

/// Appends a text.
pub fn text(out: &mut Vec<u8>, value: &str) {
    bytes(out, value.as_bytes());
}

/// Appends a text that may be missing.
pub fn text_or_none(out: &mut Vec<u8>, value: Option<&str>) {
    bool(out, value.is_some());
    if let Some(value) = value {
        text(out, value);
    }
}

/// Appends a value.
pub fn value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Missing => out.push(0),
        Value::Bool(truth) => out.push(1 + u8::from(*truth)),
        Value::Int(number) => {
            out.push(3);
            int(out, *number);
        }
        Value::Number(number) => {
            out.push(4);
            decimal(out, *number);
        }
        Value::Text(words) => {
            out.push(5);
            text(out, words);
        }
        Value::Date(day) => {
            out.push(6);
            int(out, i64::from(*day));
        }
        Value::Time(millis) => {
            out.push(7);
            uint(out, u64::from(*millis));
        }
        Value::Instant(time) => {
            out.push(8);
            int(out, *time);
        }
        Value::Local(day, millis) => {
            out.push(9);
            int(out, i64::from(*day));
            uint(out, u64::from(*millis));
        }
        Value::Duration(length) => {
            out.push(10);
            int(out, i64::from(length.months));
            int(out, i64::from(length.days));
            int(out, length.millis);
        }
        Value::Weekday(day) => out.extend([11, *day]),
        Value::List(values_) => {
            out.push(12);
            values(out, values_);
        }
        Value::Record(values_) => {
            out.push(13);
            values(out, values_);
        }
    }
}

/// Appends several values.
pub fn values(out: &mut Vec<u8>, list: &[Value]) {
    size(out, list.len());
    for one in list {
        value(out, one);
    }
}

/// Appends an exact decimal: sign and scale, then the digits.
pub fn decimal(out: &mut Vec<u8>, value: Decimal) {
    let parts = value.unpack();
    uint(out, u64::from(parts.scale) << 1 | u64::from(parts.negative));
    uint(out, u64::from(parts.mid) << 32 | u64::from(parts.lo));
    uint(out, u64::from(parts.hi));
}

/// Bytes that are read from their beginning.
#[derive(Clone, Copy, Debug)]
pub struct Unpack<'a> {
    rest: &'a [u8],
}

/// What reading gives.
pub type Read<T> = Result<T, Damaged>;

impl<'a> Unpack<'a> {
    /// Reads these.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether all was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What was not read.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next byte.
    ///
    /// # Errors
    /// When there is none; all the readers here fail when the bytes are not what they read.
    pub fn byte(&mut self) -> Read<u8> {
        let (first, rest) = self.rest.split_first().ok_or(Damaged("byte"))?;
        self.rest = rest;
        Ok(*first)
    }

    /// A whole number.
    ///
    /// # Errors
    /// See [`Self::byte`].
    pub fn uint(&mut self) -> Read<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Damaged("number"))
    }

    /// A whole number of a narrower type.
    ///
    /// # Errors
    /// See [`Self::byte`].
    pub fn small<T: TryFrom<u64>>(&mut self) -> Read<T> {
        T::try_from(self.uint()?).map_err(|_| Damaged("small number"))
    }

    /// How many things follow. Each is at least a byte long, so that damage cannot ask for all of memory.
    ///
    /// # Errors
    /// See [`Self::byte`].
    pub fn count(&mut self) -> Read<usize> {
        let count: usize = self.small()?;
        if count > self.rest.len() {
            return Err(Damaged("length"));
        }
        Ok(count)
    }

    /// A signed number.
    ///
    /// # Errors
    /// See [`Self::byte`].
    pub fn int(&mut self) -> Read<i64> {
        let value = self.uint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A signed number of a narrower type.
    ///
    /// # Errors
    /// See [`Self::byte`].
    pub fn small_int<T: TryFrom<i64>>(&mut self) -> Read<T> {
        T::try_from(self.int()?).map_err(|_| Damaged("small number"))
    }

    /// An instant.
    ///
    /// # Errors
    /// See [`Self::byte`].
    pub fn instant(&mut self) -> Read<i64> {
        match self.byte()? {
            0 => Ok(i64::MAX),
            1 => Ok(i64::MIN),
            2 => self.int(),
            _ => Err(Damaged("instant")),
        }
    }

    /// A truth value.
    ///
    /// # Errors
    /// See [`Self::byte`].
    pub fn bool(&mut self) -> Read<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Damaged("truth value")),
        }
    }

    /// Bytes with their length.
    ///
    /// # Errors
    /// See [`Self::byte`].
    pub fn bytes(&mut self) -> Read<&'a [u8]> {
        let length = self.count()?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Damaged("length"))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A text.
    ///
    /// # Errors
    /// See [`Self::byte`].
    pub fn text(&mut self) -> Read<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Damaged("text"))
    }

    /// A text that may be missing.
    ///
    /// # Errors
    /// See [`Self::byte`].
    pub fn text_or_none(&mut self) -> Read<Option<&'a str>> {
        Ok(if self.bool()? { Some(self.text()?) } else { None })
    }

    /// A list, each element by `one`.
    ///
    /// # Errors
    /// See [`Self::byte`].
    pub fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let count = self.count()?;
        let mut list = Vec::with_capacity(count.min(1 << 16));
        for _ in 0..count {
            list.push(one(self)?);
        }
        Ok(list)
    }

    /// A value.
    ///
    /// # Errors
    /// See [`Self::byte`].
    pub fn value(&mut self) -> Read<Value> {
        self.nested(0)
    }

    /// Several values.
    ///
    /// # Errors
    /// See [`Self::byte`].
    pub fn values(&mut self) -> Read<Vec<Value>> {
        self.list(Self::value)
    }

    fn nested(&mut self, depth: usize) -> Read<Value> {
        if depth > DEEPEST {
            return Err(Damaged("value"));
        }
        Ok(match self.byte()? {
            0 => Value::Missing,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Int(self.int()?),
            4 => Value::Number(self.decimal()?),
            5 => Value::Text(Arc::from(self.text()?)),
            6 => Value::Date(self.small_int()?),
            7 => Value::Time(self.small()?),
            8 => Value::Instant(self.int()?),
            9 => Value::Local(self.small_int()?, self.small()?),
            10 => {
                let (months, days) = (self.small_int()?, self.small_int()?);
                Value::Duration(Duration { months, days, millis: self.int()? })
            }
            11 => Value::Weekday(self.byte()?),
            12 => Value::List(self.list(|all| all.nested(depth + 1))?.into()),
            13 => Value::Record(self.list(|all| all.nested(depth + 1))?.into()),
            _ => return Err(Damaged("value")),
        })
    }

    /// An exact decimal.
    ///
    /// # Errors
    /// See [`Self::byte`].
    pub fn decimal(&mut self) -> Read<Decimal> {
        let head: u32 = self.small()?;
        let low = self.uint()?;
        let high: u32 = self.small()?;
        if head >> 1 > Decimal::MAX_SCALE {
            return Err(Damaged("decimal"));
        }
        Ok(Decimal::from_parts(low as u32, (low >> 32) as u32, high, head & 1 == 1, head >> 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let decimal = any::<(u32, u32, u32, bool, u32)>()
            .prop_map(|(lo, mid, hi, negative, scale)| Decimal::from_parts(lo, mid, hi, negative, scale % 29));
        let leaf = prop_oneof![
            Just(Value::Missing),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            decimal.prop_map(Value::Number),
            any::<String>().prop_map(|text| Value::text(&text)),
            any::<i32>().prop_map(Value::Date),
            any::<u32>().prop_map(Value::Time),
            any::<i64>().prop_map(Value::Instant),
            any::<(i32, u32)>().prop_map(|(day, ms)| Value::Local(day, ms)),
            any::<(i32, i32, i64)>().prop_map(|(months, days, millis)| Value::Duration(Duration {
                months,
                days,
                millis
            })),
            (0_u8..7).prop_map(Value::Weekday),
        ];
        leaf.prop_recursive(3, 20, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(|list| Value::List(list.into())),
                prop::collection::vec(inner, 0..5).prop_map(|list| Value::Record(list.into())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_comes_back_as_it_was(one in any_value(), at in prop_oneof![any::<i64>(), Just(i64::MAX), Just(i64::MIN)]) {
            let mut out = Vec::new();
            value(&mut out, &one);
            instant(&mut out, at);
            let mut read = Unpack::new(&out);
            let back = read.value().unwrap();
            // The digits behind the point are part of it: 1.0 is not 1.00.
            prop_assert_eq!(format!("{back:?}"), format!("{one:?}"));
            prop_assert_eq!(read.instant().unwrap(), at);
            prop_assert!(read.is_empty());
        }

        #[test]
        fn any_bytes_are_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut read = Unpack::new(&bytes);
            while !read.is_empty() && read.value().is_ok() {}
        }
    }
}
