//! The forms of the filter `date`, as Ruby's `strftime` has them.

use super::locale::{names, Names};
use super::moment::Moment;
use crate::calendar;

/// How wide a field may be padded; nobody means more.
const MAX_WIDTH: usize = 100;
/// How deep `%c` and its like stand in each other.
const MAX_COMPOSITES: usize = 3;

/// A moment in a form. None: the form asks for something absurdly wide.
pub(super) fn format(moment: &Moment, format: &str, locale: &str) -> Option<String> {
    let mut out = String::with_capacity(format.len() + 16);
    push(&mut out, moment, format, &names(locale), 0)?;
    Some(out)
}

/// The flags and the width of a field.
#[derive(Clone, Copy, Default)]
struct Flags {
    pad: Option<char>,
    none: bool,
    upper: bool,
    swap: bool,
    colons: usize,
    width: usize,
}

fn push(out: &mut String, moment: &Moment, format: &str, names: &Names, depth: usize) -> Option<()> {
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let mut flags = Flags::default();
        let mut letters = after.char_indices();
        let mut end = None;
        for (at, letter) in letters.by_ref() {
            match letter {
                '-' => flags.none = true,
                '0' if flags.width == 0 => flags.pad = Some('0'),
                '_' => flags.pad = Some(' '),
                '^' => flags.upper = true,
                '#' => flags.swap = true,
                ':' => flags.colons += 1,
                '0'..='9' => {
                    let digit = usize::try_from(letter.to_digit(10)?).ok()?;
                    flags.width = flags.width.saturating_mul(10).saturating_add(digit);
                }
                // Alternative forms that no language here has.
                'E' | 'O' => {}
                _ => {
                    end = Some((at, letter));
                    break;
                }
            }
        }
        if flags.width > MAX_WIDTH {
            return None;
        }
        let Some((at, letter)) = end else {
            out.push('%');
            out.push_str(after);
            return Some(());
        };
        let from = out.len();
        if !field(out, moment, letter, flags, names, depth)? {
            out.truncate(from);
            out.push('%');
            out.push_str(after.get(..at + letter.len_utf8())?);
        }
        rest = after.get(at + letter.len_utf8()..)?;
    }
    out.push_str(rest);
    Some(())
}

/// Appends one field; false: there is no such field.
fn field(out: &mut String, moment: &Moment, letter: char, flags: Flags, names: &Names, depth: usize) -> Option<bool> {
    let (year, month, day) = calendar::civil(moment.day);
    let (hour, minute, second) = (moment.ms / 3_600_000, moment.ms / 60_000 % 60, moment.ms / 1000 % 60);
    let milli = moment.ms % 1000;
    let hour12 = if hour % 12 == 0 { 12 } else { hour % 12 };
    let weekday = usize::from((calendar::weekday(moment.day) + 1) % 7);
    let first = calendar::day_of(year, 1, 1)?;
    let yearday = i64::from(moment.day - first);
    let month0 = usize::try_from(month).ok()?.saturating_sub(1);
    let (year, wide) = (i64::from(year), |value: u32| i64::from(value));
    let number = |out: &mut String, value: i64, width: usize, pad: char| push_number(out, value, width, pad, flags);
    let name = |table: &[&'static str], at: usize| table.get(at).copied().unwrap_or_default();
    match letter {
        'Y' => number(out, year, if year < 0 { 5 } else { 4 }, '0'),
        'C' => number(out, year.div_euclid(100), 2, '0'),
        'y' => number(out, year.rem_euclid(100), 2, '0'),
        'm' => number(out, wide(month), 2, '0'),
        'd' => number(out, wide(day), 2, '0'),
        'e' => number(out, wide(day), 2, ' '),
        'j' => number(out, yearday + 1, 3, '0'),
        'H' => number(out, wide(hour), 2, '0'),
        'k' => number(out, wide(hour), 2, ' '),
        'I' => number(out, wide(hour12), 2, '0'),
        'l' => number(out, wide(hour12), 2, ' '),
        'M' => number(out, wide(minute), 2, '0'),
        'S' => number(out, wide(second), 2, '0'),
        'u' => number(out, if weekday == 0 { 7 } else { i64::try_from(weekday).ok()? }, 1, '0'),
        'w' => number(out, i64::try_from(weekday).ok()?, 1, '0'),
        'U' => number(out, (yearday + 7 - i64::try_from(weekday).ok()?).div_euclid(7), 2, '0'),
        'W' => number(out, (yearday + 7 - i64::try_from((weekday + 6) % 7).ok()?).div_euclid(7), 2, '0'),
        'V' | 'G' | 'g' => {
            let (iso_year, week) = iso_week(moment.day)?;
            match letter {
                'V' => number(out, week, 2, '0'),
                'G' => number(out, iso_year, 4, '0'),
                _ => number(out, iso_year.rem_euclid(100), 2, '0'),
            }
        }
        's' => number(out, moment.instant.div_euclid(1000), 1, '0'),
        'Q' => number(out, moment.instant, 1, '0'),
        'L' | 'N' => fraction(
            out,
            milli,
            if flags.width > 0 {
                flags.width
            } else if letter == 'L' {
                3
            } else {
                9
            },
        ),
        'z' => offset(out, moment.offset, flags),
        'Z' => text(out, &moment.zone, flags, true),
        'B' => text(out, name(names.months, month0), flags, false),
        'b' | 'h' => text(out, name(names.short_months, month0), flags, false),
        'A' => text(out, name(names.days, weekday), flags, false),
        'a' => text(out, name(names.short_days, weekday), flags, false),
        'p' | 'P' => {
            let half = usize::from(hour >= 12);
            let own = name(names.halves, half);
            let word = if own.is_empty() { ["AM", "PM"].get(half).copied()? } else { own };
            if letter == 'P' {
                text(out, &word.to_lowercase(), flags, false)
            } else {
                text(out, word, flags, true)
            }
        }
        '%' => out.push('%'),
        'n' => out.push('\n'),
        't' => out.push('\t'),
        _ => {
            let form = match letter {
                'D' => "%m/%d/%y",
                'F' => "%Y-%m-%d",
                'T' => "%H:%M:%S",
                'R' => "%H:%M",
                'r' => "%I:%M:%S %p",
                'v' => "%e-%^b-%Y",
                '+' => "%a %b %e %H:%M:%S %Z %Y",
                'c' => names.both,
                'x' => names.date,
                'X' => names.time,
                _ => return Some(false),
            };
            if depth >= MAX_COMPOSITES {
                return Some(false);
            }
            let mut inner = String::new();
            push(&mut inner, moment, form, names, depth + 1)?;
            text(out, &inner, flags, false);
        }
    }
    Some(true)
}

fn push_number(out: &mut String, value: i64, width: usize, pad: char, flags: Flags) {
    let digits = value.unsigned_abs().to_string();
    let width = if flags.none {
        0
    } else if flags.width > 0 {
        flags.width
    } else {
        width
    };
    let pad = flags.pad.unwrap_or(pad);
    let missing = width.saturating_sub(digits.len() + usize::from(value < 0));
    let padding = std::iter::repeat_n(pad, missing);
    if pad == ' ' {
        out.extend(padding);
        out.push_str(if value < 0 { "-" } else { "" });
    } else {
        out.push_str(if value < 0 { "-" } else { "" });
        out.extend(padding);
    }
    out.push_str(&digits);
}

fn text(out: &mut String, word: &str, flags: Flags, swap_to_lower: bool) {
    let word = match (flags.upper, flags.swap) {
        (_, true) if swap_to_lower => word.to_lowercase(),
        (true, _) | (_, true) => word.to_uppercase(),
        _ => word.to_owned(),
    };
    let pad = flags.pad.unwrap_or(' ');
    out.extend(std::iter::repeat_n(pad, flags.width.saturating_sub(word.chars().count())));
    out.push_str(&word);
}

fn fraction(out: &mut String, milli: u32, width: usize) {
    let digits = format!("{milli:03}");
    out.extend(digits.chars().chain(std::iter::repeat('0')).take(width));
}

/// `+0100`, `+01:00`, `+01:00:00`
fn offset(out: &mut String, seconds: i32, flags: Flags) {
    let east = seconds.unsigned_abs();
    out.push(if seconds < 0 { '-' } else { '+' });
    let (hours, minutes, rest) = (east / 3600, east / 60 % 60, east % 60);
    let text = match flags.colons {
        0 => format!("{hours:02}{minutes:02}"),
        1 => format!("{hours:02}:{minutes:02}"),
        _ => format!("{hours:02}:{minutes:02}:{rest:02}"),
    };
    out.push_str(&text);
}

/// The year and the week that the day belongs to: weeks begin on Monday, the first has the year's first Thursday.
fn iso_week(day: i32) -> Option<(i64, i64)> {
    let thursday = day.checked_add(3 - i32::from(calendar::weekday(day)))?;
    let (year, _, _) = calendar::civil(thursday);
    let first = calendar::day_of(year, 1, 1)?;
    Some((i64::from(year), i64::from((thursday - first) / 7 + 1)))
}
