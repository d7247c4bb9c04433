//! Values, durations and types as an author would write them; for listings and reports.

use crate::bytecode::{Arith, Compare, Const, Duration, Field, Program, Type, Unit};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// The days of the week, Monday first.
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// `2h`, `1y 2mo`, `3d 4h`, `0s`
#[must_use]
pub fn duration(d: Duration) -> String {
    let mut parts = Vec::new();
    let mut part = |n: i64, unit: &str| {
        if n != 0 {
            parts.push(format!("{n}{unit}"));
        }
    };
    part(i64::from(d.months / 12), "y");
    part(i64::from(d.months % 12), "mo");
    part(i64::from(d.days), "d");
    part(d.millis / HOUR, "h");
    part(d.millis % HOUR / MINUTE, "m");
    part(d.millis % MINUTE / SECOND, "s");
    part(d.millis % SECOND, "ms");
    if parts.is_empty() {
        return "0s".to_owned();
    }
    parts.join(" ")
}

/// A window, in whole days where it is: `30d`, `36h`
#[must_use]
pub fn window(millis: i64) -> String {
    if millis % DAY == 0 {
        return format!("{}d", millis / DAY);
    }
    duration(Duration { millis, ..Duration::default() })
}

/// `09:00`, `09:00:30`
#[must_use]
pub fn time(millis: u32) -> String {
    let (h, m, s) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1_000 % 60);
    if s == 0 {
        format!("{h:02}:{m:02}")
    } else {
        format!("{h:02}:{m:02}:{s:02}")
    }
}

/// `monday, friday`, `weekdays`, `weekends`, `day`
#[must_use]
pub fn days(set: [bool; 7]) -> String {
    let [.., saturday, sunday] = set;
    let workdays = set.iter().take(5).filter(|on| **on).count();
    match (workdays, saturday, sunday) {
        (5, true, true) => "day".to_owned(),
        (5, false, false) => "weekdays".to_owned(),
        (0, true, true) => "weekends".to_owned(),
        _ => {
            let names = WEEKDAYS.iter().zip(set).filter(|(_, on)| *on).map(|(name, _)| *name);
            names.collect::<Vec<_>>().join(", ")
        }
    }
}

/// `2026-11-27` of days since 1970-01-01.
#[must_use]
pub fn date(days: i32) -> String {
    let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days));
    date.map_or_else(|_| format!("day {days}"), |date| date.to_string())
}

/// `2026-11-27T09:00:00Z` of milliseconds since 1970-01-01T00:00Z.
#[must_use]
pub fn instant(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| format!("{millis} ms"), |time| time.to_string())
}

/// A value as it is written in a program.
#[must_use]
pub fn constant(value: &Const) -> String {
    let list = |items: &[Const]| items.iter().map(constant).collect::<Vec<_>>().join(", ");
    match value {
        Const::Missing => "missing".to_owned(),
        Const::Bool(yes) => yes.to_string(),
        Const::Int(n) => n.to_string(),
        Const::Number(n) => n.to_string(),
        Const::Text(text) => format!("{text:?}"),
        Const::Date(day) => date(*day),
        Const::Time(millis) => time(*millis),
        Const::Instant(millis) => instant(*millis),
        Const::Local(day, millis) => format!("{} {}", date(*day), time(*millis)),
        Const::Duration(d) => duration(*d),
        Const::Weekday(n) => WEEKDAYS.get(usize::from(*n)).map_or("?", |name| name).to_owned(),
        Const::List(items) => format!("[{}]", list(items)),
        Const::Record(items) => format!("{{ {} }}", list(items)),
    }
}

/// A type as it is declared.
#[must_use]
pub fn type_name(program: &Program, ty: &Type) -> String {
    match ty {
        Type::Text => "text".to_owned(),
        Type::Int => "int".to_owned(),
        Type::Number => "number".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Date => "date".to_owned(),
        Type::Time => "time".to_owned(),
        Type::DateTime => "datetime".to_owned(),
        Type::Duration => "duration".to_owned(),
        Type::Email => "email".to_owned(),
        Type::Phone => "phone".to_owned(),
        Type::Url => "url".to_owned(),
        Type::Timezone => "timezone".to_owned(),
        Type::Weekday => "weekday".to_owned(),
        Type::OneOf(values) => {
            let values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
            format!("one of {}", values.join(", "))
        }
        Type::List(of) => format!("list of {}", type_name(program, of)),
        Type::Record(id) => program.types.get(id.index()).map_or_else(|| "?".to_owned(), |ty| ty.name.clone()),
    }
}

/// `cart_id: text`, `score = "leadScore": int = 0`, `category: text?`
#[must_use]
pub fn field(program: &Program, field: &Field) -> String {
    let wire = if field.wire == field.name { String::new() } else { format!(" = {:?}", field.wire) };
    let optional = if field.optional { "?" } else { "" };
    let default = field.default.as_ref().map(|value| format!(" = {}", constant(value))).unwrap_or_default();
    format!("{}{wire}: {}{optional}{default}", field.name, type_name(program, &field.ty))
}

/// The sign of a comparison.
#[must_use]
pub fn compare(op: Compare) -> &'static str {
    match op {
        Compare::Equal => "==",
        Compare::NotEqual => "!=",
        Compare::Less => "<",
        Compare::LessOrEqual => "<=",
        Compare::Greater => ">",
        Compare::GreaterOrEqual => ">=",
    }
}

/// The sign of an arithmetic operation.
#[must_use]
pub fn arith(op: Arith) -> &'static str {
    match op {
        Arith::Add => "+",
        Arith::Subtract => "-",
        Arith::Multiply => "*",
        Arith::Divide => "/",
    }
}

/// The word for a unit, as in `days between`.
#[must_use]
pub fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "seconds",
        Unit::Minutes => "minutes",
        Unit::Hours => "hours",
        Unit::Days => "days",
        Unit::Weeks => "weeks",
        Unit::Months => "months",
        Unit::Years => "years",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_as_they_are_written() {
        let d = |months, days, millis| duration(Duration { months, days, millis });
        assert_eq!(d(0, 0, 0), "0s");
        assert_eq!(d(14, 3, 2 * HOUR + 5), "1y 2mo 3d 2h 5ms");
        assert_eq!(window(30 * DAY), "30d");
        assert_eq!(window(90 * MINUTE), "1h 30m");
        assert_eq!(time(9 * 3_600_000), "09:00");
        assert_eq!(date(20_784), "2026-11-27");
        assert_eq!(days([true, true, true, true, true, false, false]), "weekdays");
        assert_eq!(days([true, false, false, false, true, false, false]), "monday, friday");
    }
}
