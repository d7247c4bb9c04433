//! Numbers from their text, exactly: no step through binary fractions.

use rust_decimal::Decimal;

/// The largest whole number that a [`Decimal`] holds.
const LARGEST: u128 = (1 << 96) - 1;
/// The most places behind the point that a [`Decimal`] holds.
const PLACES: i64 = 28;
/// No number that fits has an exponent beyond this; a longer one is only read for its sign.
const EXPONENT: i64 = 100_000;

/// Why a text is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotNumber {
    /// It is none at all.
    Malformed,
    /// It has more digits than an exact decimal holds (28).
    TooLong,
}

/// The decimal that `text` writes: an optional sign, digits, a fraction, an exponent.
///
/// # Errors
/// When it is no number, or one that cannot be held exactly.
pub fn decimal(text: &str) -> Result<Decimal, NotNumber> {
    let bytes = text.as_bytes();
    let (negative, mut rest) = match bytes.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, bytes),
    };
    let (mut mantissa, mut places, mut digits) = (0u128, 0i64, 0usize);
    let mut fraction = false;
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b'0'..=b'9' => {
                let next = mantissa.checked_mul(10).and_then(|m| m.checked_add(u128::from(byte - b'0')));
                mantissa = next.ok_or(NotNumber::TooLong)?;
                digits += 1;
                places += i64::from(fraction);
            }
            b'.' if !fraction && digits > 0 => {
                fraction = true;
                digits = 0;
            }
            _ => break,
        }
        rest = after;
    }
    if digits == 0 {
        return Err(NotNumber::Malformed);
    }
    if let Some((b'e' | b'E', after)) = rest.split_first() {
        places = places.saturating_sub(exponent(after)?);
    } else if !rest.is_empty() {
        return Err(NotNumber::Malformed);
    }
    exact(negative, mantissa, places).ok_or(NotNumber::TooLong)
}

/// The digits of a JSON number without an exponent, and how many of them stand behind the point; none when there are
/// more than 18, which always fit into 64 bits. Nearly all numbers are of this kind, and cost little so.
#[must_use]
pub fn few_digits(text: &str) -> Option<(i64, u32)> {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    if digits.len() > 18 {
        return None;
    }
    let (mut value, mut point) = (0i64, None);
    for (place, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => value = value * 10 + i64::from(byte - b'0'),
            b'.' => point = Some(place),
            _ => return None,
        }
    }
    let places = point.map_or(0, |point| digits.len() - point - 1);
    let value = if digits.len() < text.len() { -value } else { value };
    Some((value, u32::try_from(places).ok()?))
}

fn exponent(bytes: &[u8]) -> Result<i64, NotNumber> {
    let (sign, digits) = match bytes.split_first() {
        Some((b'-', rest)) => (-1, rest),
        Some((b'+', rest)) => (1, rest),
        _ => (1, bytes),
    };
    if digits.is_empty() {
        return Err(NotNumber::Malformed);
    }
    let mut value = 0i64;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return Err(NotNumber::Malformed);
        }
        value = (value * 10 + i64::from(byte - b'0')).min(EXPONENT);
    }
    Ok(sign * value)
}

/// `mantissa × 10^-places`, if it can be held.
fn exact(negative: bool, mut mantissa: u128, mut places: i64) -> Option<Decimal> {
    if mantissa == 0 {
        return Some(Decimal::ZERO);
    }
    while places > 0 && (places > PLACES || mantissa > LARGEST) && mantissa.is_multiple_of(10) {
        mantissa /= 10;
        places -= 1;
    }
    while places < 0 {
        mantissa = mantissa.checked_mul(10).filter(|m| *m <= LARGEST)?;
        places += 1;
    }
    if mantissa > LARGEST || places > PLACES {
        return None;
    }
    let value = i128::try_from(mantissa).ok()?;
    Decimal::try_from_i128_with_scale(if negative { -value } else { value }, u32::try_from(places).ok()?).ok()
}

/// The whole number that `text` writes; `12.0` and `1.2e1` are whole too.
///
/// # Errors
/// When it is no number; `Ok(None)` when it is one, but not whole or too large.
pub fn whole(text: &str) -> Result<Option<i64>, NotNumber> {
    if let Ok(value) = text.parse::<i64>() {
        if !text.starts_with('+') {
            return Ok(Some(value));
        }
    }
    match decimal(text) {
        Ok(value) if value.is_integer() => Ok(i64::try_from(value.trunc()).ok()),
        Ok(_) | Err(NotNumber::TooLong) => Ok(None),
        Err(NotNumber::Malformed) => Err(NotNumber::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        decimal(text).map_or_else(|e| format!("{e:?}"), |d| d.to_string())
    }

    #[test]
    fn reads_exactly() {
        for (text, value) in [
            ("0.1", "0.1"),
            ("-0", "0"),
            ("59.90", "59.90"),
            ("1e3", "1000"),
            ("1.5E-3", "0.0015"),
            ("12.50e1", "125.0"),
            ("79228162514264337593543950335", "79228162514264337593543950335"),
            ("79228162514264337593543950336", "TooLong"),
            ("0.1234567890123456789012345678", "0.1234567890123456789012345678"),
            ("0.12345678901234567890123456789", "TooLong"),
            ("0.10000000000000000000000000000000000", "0.1000000000000000000000000000"),
            ("1e400", "TooLong"),
            ("0e999999999999", "0"),
            ("1e-999999999999", "TooLong"),
            ("", "Malformed"),
            ("-", "Malformed"),
            ("1.", "Malformed"),
            (".5", "Malformed"),
            ("1e", "Malformed"),
            ("12a", "Malformed"),
            ("1.2.3", "Malformed"),
            ("0x10", "Malformed"),
            ("+1", "Malformed"),
        ] {
            assert_eq!(of(text), value, "{text}");
        }
    }

    #[test]
    fn whole_numbers_may_be_written_with_a_point() {
        assert_eq!(whole("12"), Ok(Some(12)));
        assert_eq!(whole("12.0"), Ok(Some(12)));
        assert_eq!(whole("1.2e1"), Ok(Some(12)));
        assert_eq!(whole("12.5"), Ok(None));
        assert_eq!(whole("9223372036854775807"), Ok(Some(i64::MAX)));
        assert_eq!(whole("9223372036854775808"), Ok(None));
        assert_eq!(whole("+5"), Err(NotNumber::Malformed));
        assert_eq!(whole("x"), Err(NotNumber::Malformed));
    }
}
