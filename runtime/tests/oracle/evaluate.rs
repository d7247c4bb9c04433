//! Expressions, straight from the tree. Everything is recomputed from the lists in [`Person`].

use crate::person::{Entry, Fields, Occurrence, Person};
use crate::project::{length, Project};
use flow_compiler::bytecode::{Arith, Compare, Unit};
use flow_grammar::ast::{self, Aggregate, BinaryOp, EventQuery, EventRef, Expr, ExprKind, TextPart, Window};
use flow_runtime::calendar;
use flow_runtime::vm::text::text_of;
use flow_runtime::vm::value::{arithmetic, compare, equals, negate, ordering, Value};
use jiff::tz::TimeZone;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What an expression can see.
pub struct Scope<'a> {
    pub project: &'a Project,
    pub person: &'a Person<'a>,
    pub zone: &'a TimeZone,
    pub now: i64,
    pub topic: &'a str,
    /// Inside of a journey.
    pub entry: Option<&'a Entry>,
    pub bound: &'a [(String, Value)],
    pub messages: Option<&'a BTreeMap<String, Vec<usize>>>,
    /// Inside of a `where`.
    pub event: Option<&'a Fields>,
}

impl Scope<'_> {
    pub fn holds(&self, expr: &Expr) -> bool {
        self.value(expr).is_true()
    }

    pub fn value(&self, expr: &Expr) -> Value {
        match &expr.kind {
            ExprKind::Text(parts) => Value::text(&self.text(parts)),
            ExprKind::Int(value) => Value::Int(*value),
            ExprKind::Number(value) | ExprKind::Percent(value) => Value::Number(*value),
            ExprKind::Bool(value) => Value::Bool(*value),
            ExprKind::Duration(literal) => Value::Duration(length(*literal)),
            ExprKind::TimeOfDay(ms) => Value::Time(*ms),
            ExprKind::Date(date) => Value::Date(day(*date)),
            ExprKind::LocalInstant(date, ms) => Value::Local(day(*date), *ms),
            ExprKind::Instant(instant) => Value::Instant(*instant),
            ExprKind::Weekday(weekday) => Value::Weekday(*weekday),
            ExprKind::List(items) => Value::List(items.iter().map(|e| self.value(e)).collect()),
            ExprKind::Name(name) => self.name(&name.text),
            ExprKind::Field(base, name) => self.field(base, &name.text),
            ExprKind::Call(name, args) => {
                self.call(&name.text, &args.iter().map(|e| self.value(e)).collect::<Vec<_>>())
            }
            ExprKind::Not(inner) => Value::Bool(!self.holds(inner)),
            ExprKind::Negate(inner) => negate(&self.value(inner)),
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b),
            ExprKind::In(item, list) => {
                let item = self.value(item);
                let Value::List(items) = self.value(list) else { return Value::Bool(false) };
                Value::Bool(items.iter().any(|other| equals(&item, other, self.zone)))
            }
            ExprKind::Between(x, low, high) => {
                let x = self.value(x);
                let above = compare(Compare::GreaterOrEqual, &x, &self.value(low), self.zone);
                Value::Bool(above && compare(Compare::LessOrEqual, &x, &self.value(high), self.zone))
            }
            ExprKind::IsMissing(inner) => Value::Bool(self.value(inner).is_missing()),
            ExprKind::IsKnown(inner) => Value::Bool(!self.value(inner).is_missing()),
            ExprKind::Occurred(query) => Value::Bool(!self.occurrences(query).is_empty()),
            ExprKind::Aggregate { function, field, query } => self.aggregate(*function, field.as_ref(), query),
            ExprKind::Can(channel) => {
                Value::Bool(self.person.obstacle(self.project, &channel.text, self.topic).is_none())
            }
            ExprKind::UnitsBetween(unit, a, b) => self.between(*unit, &self.value(a), &self.value(b)),
            ExprKind::Now => Value::Instant(self.now),
            ExprKind::Today => Value::Date(calendar::to_local(self.zone, self.now).0),
            ExprKind::Missing => Value::Missing,
            ExprKind::Record(_) | ExprKind::Pick { .. } | ExprKind::Broken => panic!("no value: {expr:?}"),
        }
    }

    /// A text with its holes filled.
    pub fn text(&self, parts: &[TextPart]) -> String {
        let mut out = String::new();
        for part in parts {
            match part {
                TextPart::Literal(text) => out.push_str(text),
                TextPart::Expr(expr) => out.push_str(&text_of(&self.value(expr), self.zone)),
            }
        }
        out
    }

    fn name(&self, name: &str) -> Value {
        if let Some(value) = self.event.and_then(|fields| fields.get(name)) {
            return value.clone();
        }
        if let Some((_, value)) = self.bound.iter().rev().find(|(n, _)| n == name) {
            return value.clone();
        }
        if let Some(value) = self.entry.and_then(|e| e.trigger.as_ref()).and_then(|fields| fields.get(name)) {
            return value.clone();
        }
        if self.project.attributes.contains_key(name) {
            return self.person.attribute(self.project, name);
        }
        if let Some(condition) = self.project.segments.get(name) {
            return Value::Bool(self.outside().holds(condition));
        }
        if let Some(fence) = self.project.fences.get(name) {
            return Value::Bool(self.inside(fence));
        }
        Value::Bool(!self.since_entry(name).is_empty())
    }

    /// The same without the journey: a segment knows no entry.
    pub fn outside(&self) -> Scope<'_> {
        Scope {
            project: self.project,
            person: self.person,
            zone: self.zone,
            now: self.now,
            topic: "",
            entry: None,
            bound: &[],
            messages: None,
            event: None,
        }
    }

    fn field(&self, base: &Expr, field: &str) -> Value {
        match &base.kind {
            ExprKind::Name(name) if name.text == "user" => self.person.attribute(self.project, field),
            ExprKind::Name(name) if name.text == "trigger" => {
                let fields = self.entry.and_then(|e| e.trigger.as_ref());
                fields.and_then(|f| f.get(field)).cloned().unwrap_or_default()
            }
            ExprKind::Name(name) if self.is_channel(&name.text) => {
                Value::Bool(!self.since_entry(&format!("{}.{field}", name.text)).is_empty())
            }
            ExprKind::Name(name) => {
                let mut messages = self.messages.and_then(|m| m.get(&name.text)).into_iter().flatten();
                Value::Bool(messages.any(|m| self.person.sent[*m].outcomes.iter().any(|o| o == field)))
            }
            ExprKind::Pick { first, query } => {
                let mut query = query.clone();
                // Without a window, the last one is the last there ever was: missing only "when it never happened".
                query.window.get_or_insert(Window::Ever(query.span));
                let mut found = self.occurrences(&query);
                found.sort_by_key(|o| (o.time, o.seq));
                let one = if *first { found.first() } else { found.last() };
                match (one, field) {
                    (None, _) => Value::Missing,
                    (Some(one), "time") => Value::Instant(one.time),
                    (Some(one), _) => one.fields.get(field).cloned().unwrap_or_default(),
                }
            }
            _ => panic!("no field: {base:?}.{field}"),
        }
    }

    fn is_channel(&self, name: &str) -> bool {
        self.project.channels.contains_key(name) || !self.project.declared && matches!(name, "email" | "sms" | "push")
    }

    /// Whether the latest known place lies in a circle; by the sphere, which is near enough for tests.
    fn inside(&self, fence: &ast::FenceDecl) -> bool {
        let known = self.person.log.iter().filter(|o| o.event == "location");
        let Some(place) = known.max_by_key(|o| (o.time, o.seq)) else { return false };
        let degrees = |name: &str| place.fields.get(name).and_then(Value::as_number).and_then(|d| d.to_f64());
        let (Some(lat), Some(lon)) = (degrees("lat"), degrees("lon")) else { return false };
        let (lat, lon) = (lat.to_radians(), lon.to_radians());
        let there = fence.latitude.to_f64().unwrap().to_radians();
        let (dlat, dlon) = (lat - there, lon - fence.longitude.to_f64().unwrap().to_radians());
        let a = (dlat / 2.0).sin().powi(2) + lat.cos() * there.cos() * (dlon / 2.0).sin().powi(2);
        2.0 * 6_371_000.0 * a.sqrt().asin() <= fence.radius_metres.to_f64().unwrap()
    }

    fn binary(&self, op: BinaryOp, a: &Expr, b: &Expr) -> Value {
        let cmp = |cmp| Value::Bool(compare(cmp, &self.value(a), &self.value(b), self.zone));
        let math = |op| arithmetic(op, &self.value(a), &self.value(b), self.zone);
        let texts = |test: fn(&str, &str) -> bool| {
            let (a, b) = (self.value(a), self.value(b));
            Value::Bool(matches!((a.as_text(), b.as_text()), (Some(a), Some(b)) if test(a, b)))
        };
        match op {
            BinaryOp::And => Value::Bool(self.holds(a) && self.holds(b)),
            BinaryOp::Or => Value::Bool(self.holds(a) || self.holds(b)),
            BinaryOp::Equal => cmp(Compare::Equal),
            BinaryOp::NotEqual => cmp(Compare::NotEqual),
            BinaryOp::Less => cmp(Compare::Less),
            BinaryOp::LessOrEqual => cmp(Compare::LessOrEqual),
            BinaryOp::Greater => cmp(Compare::Greater),
            BinaryOp::GreaterOrEqual => cmp(Compare::GreaterOrEqual),
            BinaryOp::Add => math(Arith::Add),
            BinaryOp::Subtract => math(Arith::Subtract),
            BinaryOp::Multiply => math(Arith::Multiply),
            BinaryOp::Divide => math(Arith::Divide),
            BinaryOp::Coalesce => match self.value(a) {
                Value::Missing => self.value(b),
                value => value,
            },
            BinaryOp::Contains => match self.value(a) {
                Value::List(items) => {
                    let b = self.value(b);
                    Value::Bool(items.iter().any(|item| equals(item, &b, self.zone)))
                }
                _ => texts(|a, b| a.contains(b)),
            },
            BinaryOp::StartsWith => texts(|a, b| a.starts_with(b)),
            BinaryOp::EndsWith => texts(|a, b| a.ends_with(b)),
        }
    }

    fn since_entry(&self, event: &str) -> Vec<&Occurrence> {
        self.person.log.iter().filter(|o| o.event == event && self.after_entry(o)).collect()
    }

    fn after_entry(&self, o: &Occurrence) -> bool {
        let entry = self.entry.expect("an event without a window stands in a journey");
        o.time <= self.now && (o.time, o.seq) > (entry.time, entry.seq)
    }

    /// The occurrences that a query is about.
    fn occurrences(&self, query: &EventQuery) -> Vec<&Occurrence> {
        let event = event_name(&query.event);
        let since = match &query.window {
            Some(Window::Since(expr)) => self.value(expr).as_instant(self.zone),
            _ => None,
        };
        let in_window = |o: &Occurrence| match &query.window {
            None => self.after_entry(o),
            Some(Window::Ever(_)) => o.time <= self.now,
            Some(Window::Last(length)) => {
                let Value::Duration(length) = self.value(length) else { return false };
                o.time <= self.now && o.time > self.now - length.window_millis()
            }
            Some(Window::Since(_)) => since.is_some_and(|since| o.time >= since) && o.time <= self.now,
        };
        let fits = |o: &Occurrence| match &query.filter {
            None => true,
            Some(filter) => Scope { event: Some(&o.fields), ..*self }.holds(filter),
        };
        self.person.log.iter().filter(|o| o.event == event && in_window(o) && fits(o)).collect()
    }

    fn aggregate(&self, function: Aggregate, field: Option<&ast::Name>, query: &EventQuery) -> Value {
        let found = self.occurrences(query);
        if function == Aggregate::Count {
            return Value::Int(found.len() as i64);
        }
        let field = field.expect("sum, min, max and avg name a field");
        let values: Vec<&Value> =
            found.iter().filter_map(|o| o.fields.get(&field.text)).filter(|v| !v.is_missing()).collect();
        let sum = || values.iter().fold(Value::Int(0), |sum, v| arithmetic(Arith::Add, &sum, v, self.zone));
        match function {
            Aggregate::Count | Aggregate::Sum => sum(),
            Aggregate::Avg if values.is_empty() => Value::Missing,
            Aggregate::Avg => arithmetic(Arith::Divide, &sum(), &Value::Int(values.len() as i64), self.zone),
            Aggregate::Min | Aggregate::Max => {
                let better = if function == Aggregate::Min { Ordering::Less } else { Ordering::Greater };
                values.iter().fold(Value::Missing, |best, v| {
                    if best.is_missing() || ordering(v, &best, self.zone) == Some(better) {
                        (*v).clone()
                    } else {
                        best
                    }
                })
            }
        }
    }

    fn between(&self, unit: ast::Unit, a: &Value, b: &Value) -> Value {
        let unit = match unit {
            ast::Unit::Seconds => Unit::Seconds,
            ast::Unit::Minutes => Unit::Minutes,
            ast::Unit::Hours => Unit::Hours,
            ast::Unit::Days => Unit::Days,
            ast::Unit::Weeks => Unit::Weeks,
            ast::Unit::Months => Unit::Months,
            ast::Unit::Years => Unit::Years,
        };
        if let (Unit::Days, Value::Date(a), Value::Date(b)) = (unit, a, b) {
            return Value::Int(i64::from(*b) - i64::from(*a));
        }
        match (a.as_instant(self.zone), b.as_instant(self.zone)) {
            (Some(a), Some(b)) => Value::Int(calendar::between(unit, self.zone, a, b)),
            _ => Value::Missing,
        }
    }

    fn call(&self, function: &str, args: &[Value]) -> Value {
        if args.iter().any(Value::is_missing) {
            return Value::Missing;
        }
        let text = || args[0].as_text().expect("a text");
        let number = || args[0].as_number().expect("a number");
        let local = || args[0].as_local(self.zone).expect("a moment");
        let clock = || match &args[0] {
            Value::Time(ms) => *ms,
            _ => local().1,
        };
        let int = |d: Decimal| Value::Int(d.to_i64().expect("small numbers"));
        match function {
            "lower" => Value::text(&text().to_lowercase()),
            "upper" => Value::text(&text().to_uppercase()),
            "trim" => Value::text(text().trim()),
            "length" => Value::Int(match &args[0] {
                Value::List(items) => items.len(),
                _ => text().chars().count(),
            } as i64),
            "round" if args.len() == 1 => {
                int(number().round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero))
            }
            "floor" => int(number().floor()),
            "ceil" => int(number().ceil()),
            "abs" => match &args[0] {
                Value::Int(value) => Value::Int(value.saturating_abs()),
                _ => Value::Number(number().abs()),
            },
            "min" | "max" => {
                let keep = if function == "min" { Ordering::Less } else { Ordering::Greater };
                let first = ordering(&args[0], &args[1], self.zone) == Some(keep);
                if first {
                    args[0].clone()
                } else {
                    args[1].clone()
                }
            }
            "hour" => Value::Int((clock() / 3_600_000).into()),
            "minute" => Value::Int((clock() / 60_000 % 60).into()),
            "weekday" => Value::Weekday(((i64::from(local().0) + 3).rem_euclid(7)) as u8),
            "date" => Value::Date(local().0),
            "time" => Value::Time(clock()),
            "day" => Value::Int(calendar::civil(local().0).2.into()),
            "month" => Value::Int(calendar::civil(local().0).1.into()),
            "year" => Value::Int(calendar::civil(local().0).0.into()),
            other => panic!("the oracle does not know `{other}`"),
        }
    }
}

/// `purchased`, `email.opened`.
pub fn event_name(event: &EventRef) -> String {
    match &event.outcome {
        None => event.name.text.clone(),
        Some(outcome) => format!("{}.{}", event.name.text, outcome.text),
    }
}

fn day(date: ast::CivilDate) -> i32 {
    calendar::day_of(date.year.into(), date.month.into(), date.day.into()).expect("dates of the tree are valid")
}
