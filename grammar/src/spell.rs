//! How literals are written: their one spelling.

use crate::ast::{CivilDate, DurationLit, Unit};
use std::fmt::Write as _;

/// `2h`
pub(crate) fn duration(length: DurationLit) -> String {
    let unit = match length.unit {
        Unit::Seconds => "s",
        Unit::Minutes => "m",
        Unit::Hours => "h",
        Unit::Days => "d",
        Unit::Weeks => "w",
        Unit::Months => "mo",
        Unit::Years => "y",
    };
    format!("{}{unit}", length.count)
}

/// `2026-11-27`
pub(crate) fn date(day: CivilDate) -> String {
    format!("{:04}-{:02}-{:02}", day.year, day.month, day.day)
}

/// `09:00`, and what of `09:00:30.250` it has besides; given in milliseconds.
pub(crate) fn time(millis: u32) -> String {
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    let mut text = format!("{:02}:{:02}", seconds / 3_600, seconds / 60 % 60);
    if seconds % 60 != 0 || millis != 0 {
        let _ = write!(text, ":{:02}", seconds % 60);
    }
    if millis != 0 {
        let _ = write!(text, ".{millis:03}");
    }
    text
}
