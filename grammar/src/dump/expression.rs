//! Expressions and types as text.

use crate::ast::*;
use crate::spell;
use std::fmt::Write;

/// A text with its quotes and escapes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '{' => out.push_str("\\{"),
            '}' => out.push_str("\\}"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

pub(super) fn type_expr(ty: &TypeExpr) -> String {
    let kind = match &ty.kind {
        TypeKind::Text => "text".to_owned(),
        TypeKind::Int => "int".to_owned(),
        TypeKind::Number => "number".to_owned(),
        TypeKind::Bool => "bool".to_owned(),
        TypeKind::Date => "date".to_owned(),
        TypeKind::Time => "time".to_owned(),
        TypeKind::DateTime => "datetime".to_owned(),
        TypeKind::Duration => "duration".to_owned(),
        TypeKind::Email => "email".to_owned(),
        TypeKind::Phone => "phone".to_owned(),
        TypeKind::Url => "url".to_owned(),
        TypeKind::Timezone => "timezone".to_owned(),
        TypeKind::OneOf(values) => {
            let values: Vec<_> = values.iter().map(|value| quoted(&value.value)).collect();
            format!("one of {}", values.join(", "))
        }
        TypeKind::List(of) => format!("list of {}", type_expr(of)),
        TypeKind::Named(name) => format!("type {}", name.text),
        TypeKind::Broken => "broken".to_owned(),
    };
    format!("{kind}{}", if ty.optional { "?" } else { "" })
}

fn units(unit: Unit) -> &'static str {
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

pub(super) fn weekday(day: usize) -> &'static str {
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"].get(day).copied().unwrap_or("?")
}

pub(super) fn days(days: &Days) -> String {
    let all: Vec<_> = days.set.iter().enumerate().filter(|(_, on)| **on).map(|(i, _)| weekday(i)).collect();
    all.join(", ")
}

pub(super) fn entries(entries: &[(Name, Expr)]) -> String {
    if entries.is_empty() {
        return "{}".to_owned();
    }
    let all: Vec<_> = entries.iter().map(|(key, value)| format!("{}: {}", key.text, expr(value))).collect();
    format!("{{ {} }}", all.join(", "))
}

pub(super) fn event_ref(event: &EventRef) -> String {
    match &event.outcome {
        Some(outcome) => format!("{}.{}", event.name.text, outcome.text),
        None => event.name.text.clone(),
    }
}

fn query(query: &EventQuery) -> String {
    let mut out = event_ref(&query.event);
    match &query.window {
        Some(Window::Last(length)) => {
            let _ = write!(out, " in last {}", expr(length));
        }
        Some(Window::Ever(_)) => out.push_str(" ever"),
        Some(Window::Since(moment)) => {
            let _ = write!(out, " since {}", expr(moment));
        }
        None => {}
    }
    if let Some(filter) = &query.filter {
        let _ = write!(out, " where {}", expr(filter));
    }
    out
}

fn list(values: &[Expr]) -> String {
    values.iter().map(expr).collect::<Vec<_>>().join(", ")
}

fn text(parts: &[TextPart]) -> String {
    let mut out = String::from("\"");
    for part in parts {
        match part {
            TextPart::Literal(literal) => out.push_str(&escaped(literal)),
            TextPart::Expr(hole) => {
                let _ = write!(out, "{{{}}}", expr(hole));
            }
        }
    }
    out.push('"');
    out
}

fn binary(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::And => "and",
        BinaryOp::Or => "or",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Coalesce => "??",
        BinaryOp::Contains => "contains",
        BinaryOp::StartsWith => "starts with",
        BinaryOp::EndsWith => "ends with",
    }
}

fn aggregate(function: Aggregate) -> &'static str {
    match function {
        Aggregate::Count => "count",
        Aggregate::Sum => "sum",
        Aggregate::Min => "min",
        Aggregate::Max => "max",
        Aggregate::Avg => "avg",
    }
}

/// An expression with all its brackets.
pub(super) fn expr(value: &Expr) -> String {
    match &value.kind {
        ExprKind::Text(parts) => text(parts),
        ExprKind::Int(number) => number.to_string(),
        ExprKind::Number(number) => number.to_string(),
        ExprKind::Percent(number) => format!("{number}%"),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Duration(duration) => spell::duration(*duration),
        ExprKind::TimeOfDay(ms) => spell::time(*ms),
        ExprKind::Date(day) => spell::date(*day),
        ExprKind::LocalInstant(day, ms) => format!("{} {}", spell::date(*day), spell::time(*ms)),
        ExprKind::Instant(ms) => format!("instant({ms})"),
        ExprKind::Weekday(day) => weekday(usize::from(*day)).to_owned(),
        ExprKind::List(values) => format!("[{}]", list(values)),
        ExprKind::Record(record) => entries(record),
        ExprKind::Missing => "missing".to_owned(),
        ExprKind::Name(name) => name.text.clone(),
        ExprKind::Field(of, name) => format!("{}.{}", expr(of), name.text),
        ExprKind::Call(name, args) => format!("{}({})", name.text, list(args)),
        ExprKind::Not(inner) => format!("(not {})", expr(inner)),
        ExprKind::Negate(inner) => format!("(-{})", expr(inner)),
        ExprKind::Binary(op, left, right) => format!("({} {} {})", expr(left), binary(*op), expr(right)),
        ExprKind::In(left, right) => format!("({} in {})", expr(left), expr(right)),
        ExprKind::Between(value, low, high) => {
            format!("({} between {} and {})", expr(value), expr(low), expr(high))
        }
        ExprKind::IsMissing(inner) => format!("({} is missing)", expr(inner)),
        ExprKind::IsKnown(inner) => format!("({} is known)", expr(inner)),
        ExprKind::Occurred(asked) => format!("<{}>", query(asked)),
        ExprKind::Aggregate { function, field, query: over } => {
            let field = field.as_ref().map_or(String::new(), |field| format!("{} of ", field.text));
            format!("{}({field}{})", aggregate(*function), query(over))
        }
        ExprKind::Pick { first, query: among } => {
            format!("{}({})", if *first { "first" } else { "last" }, query(among))
        }
        ExprKind::Can(channel) => format!("(can {})", channel.text),
        ExprKind::UnitsBetween(unit, from, to) => {
            format!("({} between {} and {})", units(*unit), expr(from), expr(to))
        }
        ExprKind::Now => "now".to_owned(),
        ExprKind::Today => "today".to_owned(),
        ExprKind::Broken => "<broken>".to_owned(),
    }
}
