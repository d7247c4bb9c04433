//! Numbers, durations, dates and times of day.

use super::{broken, Lower, Node};
use crate::ast::{CivilDate, DurationLit, Expr, ExprKind, TextPart, Unit};
use crate::codes;
use crate::error::SyntaxError;
use crate::parser::Rule;
use crate::span::Span;
use crate::spell;
use rust_decimal::Decimal;

/// The largest count of a duration: `1000000d` is more than two thousand years.
const MAX_DURATION_COUNT: i64 = 1_000_000;

const MS_PER_MINUTE: i64 = 60_000;
const MS_PER_DAY: i64 = 86_400_000;

impl Lower<'_> {
    /// A whole number (`integer`); reported when it does not fit.
    pub fn integer(&mut self, pair: &Node<'_>) -> i64 {
        let span = self.span(pair);
        pair.as_str().parse().unwrap_or_else(|_| {
            self.report(
                SyntaxError::new(codes::INTEGER_RANGE, span, "this whole number is too large")
                    .help(format!("the largest is {}", i64::MAX)),
            );
            i64::MAX
        })
    }

    /// An exact decimal.
    pub fn decimal(&mut self, text: &str, span: Span) -> Option<Decimal> {
        let found = Decimal::from_str_exact(text).ok();
        if found.is_none() {
            self.report(
                SyntaxError::new(codes::NUMBER_DIGITS, span, "this number has too many digits")
                    .help("a number has at most 28 digits, so that arithmetic with it is exact"),
            );
        }
        found
    }

    /// `50%`: the percentage, between 0 and 100.
    pub fn percent(&mut self, pair: &Node<'_>) -> Option<Decimal> {
        let span = self.span(pair);
        let value = self.decimal(pair.as_str().trim_end_matches('%'), span)?;
        Some(value)
    }

    /// `12` or `59.90`
    pub fn number(&mut self, pair: &Node<'_>) -> Expr {
        let span = self.span(pair);
        let kind = if pair.as_str().contains('.') {
            self.decimal(pair.as_str(), span).map_or(ExprKind::Broken, ExprKind::Number)
        } else {
            match pair.as_str().parse() {
                Ok(value) => ExprKind::Int(value),
                Err(_) => {
                    self.integer(pair);
                    ExprKind::Broken
                }
            }
        };
        Expr { kind, span }
    }

    /// `12abc`, `1.2.3`
    pub fn bad_number(&mut self, pair: &Node<'_>) -> Expr {
        let span = self.span(pair);
        let text = pair.as_str();
        let mut error = SyntaxError::new(codes::BAD_NUMBER, span, format!("`{text}` is not a number"));
        let plain = text.replace('_', "");
        if plain != text && plain.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            self.report(error.help("digits stand together").fix(span, plain.clone()));
            let kind = match plain.parse() {
                Ok(value) => ExprKind::Int(value),
                Err(_) => Decimal::from_str_exact(&plain).map_or(ExprKind::Broken, ExprKind::Number),
            };
            return Expr { kind, span };
        } else {
            error = error.help("a name cannot begin with a digit; units of time are `s m h d w mo y`");
        }
        self.report(error);
        broken(span)
    }

    /// `.5`
    pub fn point_number(&mut self, pair: &Node<'_>) -> Expr {
        let span = self.span(pair);
        let right = format!("0{}", pair.as_str());
        self.report(SyntaxError::new(codes::BAD_NUMBER, span, format!("write `{right}`")).fix(span, right.clone()));
        let kind = self.decimal(&right, span).map_or(ExprKind::Broken, ExprKind::Number);
        Expr { kind, span }
    }

    /// `2h`, `2 hours`, and what people write instead.
    pub fn duration_lit(&mut self, pair: &Node<'_>) -> Expr {
        let span = self.span(pair);
        match self.read_duration(pair.as_str(), span) {
            Some(duration) => Expr { kind: ExprKind::Duration(duration), span },
            None => broken(span),
        }
    }

    fn read_duration(&mut self, text: &str, span: Span) -> Option<DurationLit> {
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (amount, rest) = text.split_at(digits);
        let word = rest.trim_start();
        let lower = word.to_lowercase();
        let short = is_short_unit(&lower);
        let Some(unit) = unit_of(&lower) else {
            self.report(
                SyntaxError::new(codes::DURATION_SPELLING, span, "durations are not that fine")
                    .help("the units of time are `s m h d w mo y`"),
            );
            return None;
        };
        if amount.contains('.') {
            let right = whole(amount, unit);
            let mut error = SyntaxError::new(codes::DURATION_FRACTION, span, "a duration is a whole number of a unit");
            if let Some(right) = right {
                let spelled = spell::duration(right);
                error = error.help(format!("write `{spelled}`")).fix(span, spelled);
            }
            self.report(error);
            return right;
        }
        let Some(count) = amount.parse().ok().filter(|n: &i64| *n <= MAX_DURATION_COUNT) else {
            self.report(
                SyntaxError::new(codes::DURATION_RANGE, span, "this duration is too long")
                    .help(format!("the largest count is {MAX_DURATION_COUNT}")),
            );
            return None;
        };
        let duration = DurationLit { count, unit };
        if word == "M" {
            self.report(
                SyntaxError::new(codes::DURATION_SPELLING, span, format!("`{text}` could be minutes or months"))
                    .help(format!("write `{count}m` for minutes, `{count}mo` for months")),
            );
            return Some(duration);
        }
        let spaced = word.len() != rest.len();
        let regular = if short { !spaced } else { spaced && is_long_unit(&lower) };
        if !regular || word != lower {
            let right = spell::duration(duration);
            self.report(
                SyntaxError::new(codes::DURATION_SPELLING, span, format!("`{text}` is written `{right}`"))
                    .fix(span, right),
            );
        }
        Some(duration)
    }

    /// `1h30m`
    pub fn compound_duration(&mut self, pair: &Node<'_>) -> Expr {
        let span = self.span(pair);
        let mut pieces = Vec::new();
        let mut rest = pair.as_str();
        while let Some(at) = rest.find(|c: char| !c.is_ascii_digit()) {
            let (count, tail) = rest.split_at(at);
            let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(end);
            if let (Ok(count), Some(unit)) = (count.parse::<i64>(), unit_of(unit)) {
                pieces.push(DurationLit { count: count.min(MAX_DURATION_COUNT), unit });
            }
            rest = tail;
        }
        let sum = sum_of(&pieces);
        let mut error = SyntaxError::new(codes::DURATION_SPELLING, span, "a duration has one unit");
        if let Some(sum) = sum {
            let right = spell::duration(sum);
            error = error.help(format!("write `{right}`")).fix(span, right);
        } else {
            error = error.help("wait twice, or add: `wait 1d  wait 2h`");
        }
        self.report(error);
        sum.map_or(broken(span), |sum| Expr { kind: ExprKind::Duration(sum), span })
    }

    /// A text that spells a duration, where a duration is meant, is answered with the duration.
    pub fn unquoted(&mut self, value: Expr) -> Expr {
        let ExprKind::Text(parts) = &value.kind else { return value };
        let [TextPart::Literal(text)] = parts.as_slice() else { return value };
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (amount, unit) = text.split_at(digits);
        let unit = unit_of(&unit.trim_start().to_lowercase());
        let (Ok(count), Some(unit)) = (amount.parse::<i64>(), unit) else { return value };
        let duration = DurationLit { count: count.min(MAX_DURATION_COUNT), unit };
        let right = spell::duration(duration);
        self.report(
            SyntaxError::new(codes::DURATION_QUOTED, value.span, "a duration has no quotes").fix(value.span, right),
        );
        Expr { kind: ExprKind::Duration(duration), span: value.span }
    }

    /// `9pm`, `9:30 am`
    pub fn clock(&mut self, pair: &Node<'_>) -> Expr {
        let span = self.span(pair);
        let text = pair.as_str().to_lowercase();
        let digits = |part: &str| part.parse::<u32>().ok();
        let clock = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let (hour, minute) = clock.split_once([':', '.']).unwrap_or((clock, "00"));
        let afternoon = text.contains('p');
        let (hour, minute) = (digits(hour).unwrap_or(99), digits(minute).unwrap_or(99));
        if !(1..=12).contains(&hour) || minute > 59 {
            let written = pair.as_str();
            self.report(
                SyntaxError::new(codes::BAD_TIME, span, format!("there is no time `{written}`"))
                    .help("times of day go from `00:00` to `23:59`"),
            );
            return broken(span);
        }
        let hour = hour % 12 + if afternoon { 12 } else { 0 };
        let right = format!("{hour:02}:{minute:02}");
        let message = format!("`{}` is written `{right}`", pair.as_str());
        self.report(SyntaxError::new(codes::DATE_SPELLING, span, message).fix(span, right));
        Expr { kind: ExprKind::TimeOfDay((hour * 60 + minute) * 60_000), span }
    }

    /// `09:00`, in milliseconds since midnight.
    pub fn time_of_day(&mut self, pair: &Node<'_>) -> Option<u32> {
        let span = self.span(pair);
        let text = pair.as_str();
        let mut parts = text.split(':');
        let hour = parts.next().and_then(|p| p.parse::<u32>().ok()).unwrap_or(99);
        let minute = parts.next().and_then(|p| p.parse::<u32>().ok()).unwrap_or(99);
        let (second, fraction) = parts.next().map_or(("0", "0"), |p| p.split_once('.').unwrap_or((p, "0")));
        let second = second.parse::<u32>().unwrap_or(99);
        let millis = format!("{fraction:0<3}").parse::<u32>().unwrap_or(0);
        if hour > 23 || minute > 59 || second > 59 {
            self.report(
                SyntaxError::new(codes::BAD_TIME, span, format!("there is no time `{text}`"))
                    .help("times of day go from `00:00` to `23:59`"),
            );
            return None;
        }
        if text.find(':') == Some(1) {
            self.report(
                SyntaxError::new(codes::DATE_SPELLING, span, format!("`{text}` is written `0{text}`"))
                    .fix(span, format!("0{text}")),
            );
        }
        Some(((hour * 60 + minute) * 60 + second) * 1000 + millis)
    }

    /// `2026-11-27`, perhaps with a time and a zone.
    pub fn moment(&mut self, pair: Node<'_>) -> Expr {
        let span = self.span(&pair);
        let mut kids = self.kids(pair);
        let date = kids.take(Rule::date).and_then(|date| self.date(&date));
        let marked = kids.has(Rule::time_mark);
        let has_time = kids.take(Rule::time);
        let timed = has_time.is_some();
        let time = has_time.and_then(|time| self.time_of_day(&time));
        let zone = kids.take(Rule::zone);
        let kind = match (date, timed, time) {
            (Some(date), false, _) => ExprKind::Date(date),
            (Some(date), true, Some(time)) => match zone {
                Some(zone) => self.zone(&zone).map_or(ExprKind::Broken, |offset| {
                    ExprKind::Instant(days_since_1970(date) * MS_PER_DAY + i64::from(time) - offset)
                }),
                None => {
                    if marked {
                        let right = span.text(self.text).replacen(['T', 't'], " ", 1);
                        self.report(
                            SyntaxError::new(codes::DATE_SPELLING, span, format!("a local time is written `{right}`"))
                                .help("or say which zone is meant: `2026-11-27T09:00Z`")
                                .fix(span, right),
                        );
                    }
                    ExprKind::LocalInstant(date, time)
                }
            },
            _ => ExprKind::Broken,
        };
        Expr { kind, span }
    }

    /// `Z`, `+02:00`, in milliseconds.
    fn zone(&mut self, pair: &Node<'_>) -> Option<i64> {
        let text = pair.as_str();
        if matches!(text, "Z" | "z") {
            return Some(0);
        }
        let sign = if text.starts_with('-') { -1 } else { 1 };
        let (hours, minutes) = text.get(1..)?.split_once(':')?;
        let (hours, minutes) = (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?);
        if hours > 18 || minutes > 59 {
            let span = self.span(pair);
            self.report(SyntaxError::new(codes::BAD_TIME, span, format!("there is no zone `{text}`")));
            return None;
        }
        Some(sign * (hours * 60 + minutes) * MS_PER_MINUTE)
    }

    fn date(&mut self, pair: &Node<'_>) -> Option<CivilDate> {
        let span = self.span(pair);
        let text = pair.as_str();
        let mut parts = text.split('-').map(|p| p.parse::<u16>().unwrap_or(0));
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if year == 0 || !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
            self.report(SyntaxError::new(codes::BAD_DATE, span, format!("there is no date `{text}`")).help(
                if (1..=12).contains(&month) && year > 0 {
                    format!("that month has {} days", days_in_month(year, month))
                } else {
                    "dates are written year-month-day, like `2026-11-27`".to_owned()
                },
            ));
            return None;
        }
        let right = format!("{year:04}-{month:02}-{day:02}");
        if right != text {
            self.report(
                SyntaxError::new(codes::DATE_SPELLING, span, format!("`{text}` is written `{right}`")).fix(span, right),
            );
        }
        Some(CivilDate { year, month: u8::try_from(month).ok()?, day: u8::try_from(day).ok()? })
    }
}

fn is_leap(year: u16) -> bool {
    (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
}

fn days_in_month(year: u16, month: u16) -> u16 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01, by counting years from March on, so that leap days come last.
fn days_since_1970(date: CivilDate) -> i64 {
    let month = i64::from(date.month);
    let year = i64::from(date.year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(date.day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The unit that a word of the grammar's `unit_word` names, in small letters.
pub(super) fn unit_of(word: &str) -> Option<Unit> {
    Some(match word {
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Seconds,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minutes,
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hours,
        "d" | "day" | "days" => Unit::Days,
        "w" | "wk" | "wks" | "week" | "weeks" => Unit::Weeks,
        "mo" | "mos" | "month" | "months" => Unit::Months,
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Years,
        _ => return None,
    })
}

fn is_short_unit(word: &str) -> bool {
    matches!(word, "s" | "m" | "h" | "d" | "w" | "mo" | "y")
}

fn is_long_unit(word: &str) -> bool {
    let one = word.strip_suffix('s').unwrap_or(word);
    matches!(one, "second" | "minute" | "hour" | "day" | "week" | "month" | "year")
}

/// The next finer unit, and how many of it make one.
fn finer(unit: Unit) -> Option<(Unit, i64)> {
    Some(match unit {
        Unit::Minutes => (Unit::Seconds, 60),
        Unit::Hours => (Unit::Minutes, 60),
        Unit::Days => (Unit::Hours, 24),
        Unit::Weeks => (Unit::Days, 7),
        Unit::Years => (Unit::Months, 12),
        Unit::Seconds | Unit::Months => return None,
    })
}

/// `1.5h` as `90m`: in the coarsest unit in which it is whole.
fn whole(amount: &str, unit: Unit) -> Option<DurationLit> {
    let mut amount = Decimal::from_str_exact(amount).ok()?;
    let mut unit = unit;
    while !amount.fract().is_zero() {
        let (next, factor) = finer(unit)?;
        amount = amount.checked_mul(Decimal::from(factor))?;
        unit = next;
    }
    let count = i64::try_from(amount).ok().filter(|n| *n <= MAX_DURATION_COUNT)?;
    Some(DurationLit { count, unit })
}

/// `1h 30m` as `90m`: in the finest unit, when the units differ by fixed factors.
fn sum_of(pieces: &[DurationLit]) -> Option<DurationLit> {
    let target = pieces.last()?.unit;
    let mut sum = 0_i64;
    for piece in pieces {
        let (mut count, mut unit) = (piece.count, piece.unit);
        while unit != target {
            let (next, factor) = finer(unit)?;
            count = count.checked_mul(factor)?;
            unit = next;
        }
        sum = sum.checked_add(count)?;
    }
    (sum <= MAX_DURATION_COUNT).then_some(DurationLit { count: sum, unit: target })
}
