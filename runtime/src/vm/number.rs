//! Exact decimals: what their arithmetic does at the edges.
//!
//! A number has up to 28 digits, 28 of them after the point. Sums and products that leave the range
//! stay at its edge; what no longer fits after the point is rounded half to even.

use rust_decimal::{Decimal, RoundingStrategy};
use std::str::FromStr;

/// Digits of a quotient.
const QUOTIENT_DIGITS: u32 = 28;
/// Digits after the point that a number can have.
const MAX_SCALE: i64 = 28;

/// The sum.
#[must_use]
pub fn add(a: Decimal, b: Decimal) -> Decimal {
    a.checked_add(b).unwrap_or(if a.is_sign_negative() { Decimal::MIN } else { Decimal::MAX })
}

/// The product.
#[must_use]
pub fn multiply(a: Decimal, b: Decimal) -> Decimal {
    a.checked_mul(b).unwrap_or_else(|| edge(a.is_sign_negative() != b.is_sign_negative()))
}

/// The quotient, rounded half to even to 28 significant digits (or 28 digits after the point, where
/// that is less). None: by zero.
#[must_use]
pub fn divide(a: Decimal, b: Decimal) -> Option<Decimal> {
    let divisor = b.mantissa().unsigned_abs();
    if divisor == 0 {
        return None;
    }
    let negative = a.is_sign_negative() != b.is_sign_negative();
    let dividend = a.mantissa().unsigned_abs();
    let (mut quotient, mut rest) = (dividend / divisor, dividend % divisor);
    let mut scale = i64::from(a.scale()) - i64::from(b.scale());
    let mut digits = digit_count(quotient);
    // Long division, as many digits at a time as fit: a rest is below 2^96, a billion below 2^30.
    while rest != 0 && digits < QUOTIENT_DIGITS && scale < MAX_SCALE {
        let wanted = i64::from(QUOTIENT_DIGITS - digits).min(MAX_SCALE - scale).clamp(1, 9);
        let (step, wanted) = if digits == 0 { (10, 1) } else { (10_u128.pow(u32::try_from(wanted).ok()?), wanted) };
        quotient = quotient * step + rest * step / divisor;
        rest = rest * step % divisor;
        scale += wanted;
        digits = digit_count(quotient);
    }
    let up = if digits > QUOTIENT_DIGITS {
        // Only a whole quotient can be that long, by one digit.
        let last = quotient % 10;
        quotient /= 10;
        scale -= 1;
        last > 5 || (last == 5 && (rest != 0 || quotient % 2 == 1))
    } else {
        let twice = rest * 2;
        twice > divisor || (twice == divisor && quotient % 2 == 1)
    };
    quotient += u128::from(up);
    if scale < 0 {
        let Some(whole) = 10_u128.checked_pow(u32::try_from(-scale).ok()?).and_then(|unit| quotient.checked_mul(unit))
        else {
            return Some(edge(negative));
        };
        quotient = whole;
        scale = 0;
    }
    let Some(number) = i128::try_from(quotient).ok().and_then(|quotient| {
        Decimal::try_from_i128_with_scale(if negative { -quotient } else { quotient }, u32::try_from(scale).ok()?).ok()
    }) else {
        return Some(edge(negative));
    };
    Some(number.normalize())
}

/// Rounded half away from zero, to places after the point (before it, when negative).
#[must_use]
pub fn round(number: Decimal, places: i64) -> Decimal {
    if let Ok(places) = u32::try_from(places.min(MAX_SCALE)) {
        return number.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero).normalize();
    }
    let whole = number.trunc().mantissa() / 10_i128.pow(number.trunc().scale());
    let Some(unit) = u32::try_from(places.unsigned_abs()).ok().and_then(|places| 10_i128.checked_pow(places)) else {
        return Decimal::ZERO;
    };
    // The digits after the point cannot matter: half a unit is a whole number.
    let rest = whole % unit;
    let away = if rest.abs() >= unit / 2 { whole.signum() * unit } else { 0 };
    let rounded = (whole - rest).checked_add(away);
    rounded
        .and_then(|rounded| Decimal::try_from_i128_with_scale(rounded, 0).ok())
        .unwrap_or_else(|| edge(number.is_sign_negative()))
}

/// A whole number as an int, at the edge when it is beyond.
#[must_use]
pub fn to_int(number: Decimal) -> i64 {
    let whole = number.trunc();
    let value = whole.mantissa() / 10_i128.pow(whole.scale());
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

/// Reads `12`, `-3`, `59.90`; spaces around are ignored. What is too large stays at the edge.
#[must_use]
pub fn parse(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    Some(Decimal::from_str(text).unwrap_or(edge(unsigned.len() != text.len())))
}

/// Appends a number without needless zeros.
pub fn push(out: &mut String, number: Decimal) {
    use std::fmt::Write;
    // A String takes whatever is written to it.
    let _ = write!(out, "{}", number.normalize());
}

fn edge(negative: bool) -> Decimal {
    if negative {
        Decimal::MIN
    } else {
        Decimal::MAX
    }
}

/// How many digits; none for zero.
fn digit_count(value: u128) -> u32 {
    value.checked_ilog10().map_or(0, |log| log + 1)
}
