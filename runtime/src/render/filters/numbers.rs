//! Filters over numbers. Arithmetic is the program's: exact decimals, whole numbers that stay at their edge, and
//! nothing where it divides by zero.

use super::super::compare;
use super::super::data::Data;
use super::super::run::Run;
use super::Call;
use crate::vm::number;
use crate::vm::value::{arithmetic, Value};
use flow_compiler::bytecode::Arith;
use flow_grammar::liquid::filters::FilterKind;
use jiff::tz::TimeZone;
use rust_decimal::{Decimal, RoundingStrategy};
use std::fmt::Write;

/// How many digits after the point `fixed` writes when it is not told.
const FIXED_PLACES: i64 = 2;
/// How many digits after the point a number can have.
const MAX_PLACES: i64 = 28;

pub(super) fn apply<'a>(run: &Run<'a>, kind: FilterKind, input: &Data<'a>, call: &Call<'a>) -> Data<'a> {
    let number = numeric(input);
    let other = call.first.as_ref().map(numeric);
    let operand = other.clone().unwrap_or(Value::Int(0));
    let result = match kind {
        FilterKind::Plus => arithmetic(Arith::Add, &number, &operand, &TimeZone::UTC),
        FilterKind::Minus => arithmetic(Arith::Subtract, &number, &operand, &TimeZone::UTC),
        FilterKind::Times => arithmetic(Arith::Multiply, &number, &operand, &TimeZone::UTC),
        FilterKind::DividedBy => divided(&number, &operand),
        FilterKind::Modulo => modulo(&number, &operand),
        FilterKind::Abs => match number {
            Value::Int(value) => Value::Int(value.saturating_abs()),
            other => Value::Number(decimal(&other).abs()),
        },
        FilterKind::AtLeast if decimal(&number) < decimal(&operand) => operand,
        FilterKind::AtMost if decimal(&number) > decimal(&operand) => operand,
        FilterKind::Ceil => Value::Int(number::to_int(decimal(&number).ceil())),
        FilterKind::Floor => Value::Int(number::to_int(decimal(&number).floor())),
        FilterKind::Round => round(number, other.as_ref().map(whole_of)),
        FilterKind::Fixed => {
            let mut out = String::new();
            push_fixed(&mut out, input, call, run.context.locale);
            return Data::made(&out, false);
        }
        _ => number,
    };
    match result {
        Value::Int(value) => Data::Int(value),
        Value::Number(value) => Data::Number(value),
        _ => Data::Nil,
    }
}

/// A value as a number: a text by its digits, everything else as 0.
pub(super) fn numeric(data: &Data<'_>) -> Value {
    match data {
        Data::Int(value) => Value::Int(*value),
        Data::Number(value) => Value::Number(*value),
        Data::Text(text) => numeric_text(text.as_str().trim()),
        _ => Value::Int(0),
    }
}

fn numeric_text(text: &str) -> Value {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Some((whole, fraction)) = digits.split_once('.') {
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if all_digits(whole) && all_digits(fraction) {
            let number = number::parse(digits).unwrap_or_default();
            return Value::Number(if sign < 0 { -number } else { number });
        }
    }
    // As far as there are digits.
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let value = digits
        .bytes()
        .take(length)
        .fold(0_i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Value::Int(value.saturating_mul(sign))
}

/// A value as a whole number.
pub(in super::super) fn whole(data: &Data<'_>) -> i64 {
    whole_of(&numeric(data))
}

fn whole_of(value: &Value) -> i64 {
    match value {
        Value::Int(value) => *value,
        other => number::to_int(decimal(other)),
    }
}

fn decimal(value: &Value) -> Decimal {
    value.as_number().unwrap_or_default()
}

/// Of two whole numbers the quotient rounded down.
fn divided(a: &Value, b: &Value) -> Value {
    match (a, b) {
        (_, Value::Int(0)) => Value::Missing,
        (Value::Int(a), Value::Int(b)) => {
            let quotient = a.saturating_div(*b);
            let inexact = a.checked_rem(*b).is_some_and(|rest| rest != 0 && (rest < 0) != (*b < 0));
            Value::Int(if inexact { quotient.saturating_sub(1) } else { quotient })
        }
        _ => arithmetic(Arith::Divide, a, b, &TimeZone::UTC),
    }
}

/// The rest of a division that rounds down: it has the sign of the divisor.
fn modulo(a: &Value, b: &Value) -> Value {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        return match a.checked_rem(*b) {
            Some(rest) if rest != 0 && (rest < 0) != (*b < 0) => Value::Int(rest.saturating_add(*b)),
            Some(rest) => Value::Int(rest),
            // By zero; the least whole number by -1 leaves nothing.
            None if *b == 0 => Value::Missing,
            None => Value::Int(0),
        };
    }
    let (a, b) = (decimal(a), decimal(b));
    match a.checked_rem(b) {
        Some(rest) if !rest.is_zero() && rest.is_sign_negative() != b.is_sign_negative() => {
            Value::Number(number::add(rest, b))
        }
        Some(rest) => Value::Number(rest),
        None => Value::Missing,
    }
}

fn round(value: Value, places: Option<i64>) -> Value {
    match (value, places.unwrap_or(0)) {
        (value, 0) => Value::Int(number::to_int(number::round(decimal(&value), 0))),
        (Value::Int(value), 1..) => Value::Int(value),
        (Value::Int(value), places) => Value::Int(number::to_int(number::round(Decimal::from(value), places))),
        (value, places) => Value::Number(number::round(decimal(&value), places)),
    }
}

/// With just so many digits after the point, as the text's language writes numbers.
pub(super) fn push_fixed(out: &mut String, input: &Data<'_>, call: &Call<'_>, locale: &str) {
    let places = call.first.as_ref().map_or(FIXED_PLACES, whole);
    let places = u32::try_from(places.clamp(0, MAX_PLACES)).unwrap_or(0);
    let number = decimal(&numeric(input));
    let mut number = number.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    number.rescale(places);
    if number.is_zero() {
        number.set_sign_positive(true);
    }
    // A decimal has at most 29 digits, a sign and a point.
    let mut digits = ArrayText::default();
    let _ = write!(digits, "{number}");
    let text = digits.as_str();
    let marks = super::super::locale::number_marks(locale);
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.len() < text.len() {
        out.push('-');
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    for (at, digit) in whole.chars().enumerate() {
        let left = whole.len() - at;
        if at > 0 && left.is_multiple_of(3) && whole.len() >= marks.from {
            out.push_str(marks.group);
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push_str(marks.point);
        out.push_str(fraction);
    }
}

/// A short text that needs no memory of its own.
#[derive(Default)]
struct ArrayText {
    bytes: [u8; 32],
    len: usize,
}

impl ArrayText {
    fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl Write for ArrayText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// The sum of the elements, each as a number.
pub(super) fn sum<'a>(values: impl Iterator<Item = Data<'a>>) -> Data<'a> {
    let total =
        values.fold(Value::Int(0), |total, value| arithmetic(Arith::Add, &total, &numeric(&value), &TimeZone::UTC));
    match total {
        Value::Number(value) => Data::Number(value),
        Value::Int(value) => Data::Int(value),
        _ => Data::Int(0),
    }
}

/// A text for a value, for looking equal ones up.
pub(super) fn key(data: &Data<'_>, zone: &TimeZone) -> String {
    let kind = match data {
        Data::Int(_) | Data::Number(_) => 'n',
        Data::Text(_) => 't',
        Data::Bool(_) => 'b',
        Data::Nil => '-',
        Data::Moment(_) => 'm',
        _ => 'l',
    };
    let mut key = String::from(kind);
    match data {
        Data::List(_) | Data::Object(_) | Data::Record(_) => super::json::push(&mut key, data, zone),
        _ => compare::push(&mut key, data, zone),
    }
    key
}
