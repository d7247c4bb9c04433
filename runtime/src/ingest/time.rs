//! When an input happened.

use super::decode::{found, text, Misfit};
use crate::calendar::parse_instant;

/// 1900-01-01 and 2200-01-01. A time outside is no time of an event but what a program writes that has none (the year 1, the
/// year 9999), and one such input would take the clock, and with it every schedule, thousands of years on.
const YEARS: std::ops::Range<i64> = -2_208_988_800_000..7_258_118_400_000;

/// Whether an input can have happened then, in milliseconds since 1970.
pub(super) fn is_possible(time: i64) -> bool {
    YEARS.contains(&time)
}

/// The time of an input from its JSON.
///
/// # Errors
/// When it is no date and time, or not of these centuries.
pub(super) fn input_time(json: &str) -> Result<i64, Misfit> {
    let expected = match text(json).and_then(|text| parse_instant(&text)) {
        Some(time) if is_possible(time) => return Ok(time),
        Some(_) => "a time of the years 1900 to 2199",
        None => "a date and time (RFC 3339)",
    };
    Err(Misfit::new(expected, found(json)))
}
