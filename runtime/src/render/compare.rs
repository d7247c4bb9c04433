//! What comparisons in a template mean. None of them fails: values without an order are not less, not greater,
//! and not equal.

use super::data::Data;
use crate::vm::value;
use flow_grammar::liquid::Operator;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::borrow::Cow;
use std::cmp::Ordering;

/// What `left op right` means.
pub(super) fn holds(operator: Operator, left: &Data<'_>, right: &Data<'_>, zone: &TimeZone) -> bool {
    let order = || ordering(left, right, zone);
    match operator {
        Operator::Equal => equals(left, right, zone),
        Operator::NotEqual => !equals(left, right, zone),
        Operator::Less => order() == Some(Ordering::Less),
        Operator::LessOrEqual => matches!(order(), Some(Ordering::Less | Ordering::Equal)),
        Operator::Greater => order() == Some(Ordering::Greater),
        Operator::GreaterOrEqual => matches!(order(), Some(Ordering::Greater | Ordering::Equal)),
        Operator::Contains => contains(left, right, zone),
    }
}

pub(super) fn equals(left: &Data<'_>, right: &Data<'_>, zone: &TimeZone) -> bool {
    match (left, right) {
        (Data::Nil, Data::Nil) => true,
        (Data::Blank, other) | (other, Data::Blank) => other.is_blank(),
        (Data::Empty, other) | (other, Data::Empty) => other.is_empty(),
        (Data::Bool(left), Data::Bool(right)) => left == right,
        (Data::List(left), Data::List(right)) => {
            left.len() == right.len() && (0..left.len()).all(|at| equals(&left.at(at), &right.at(at), zone))
        }
        (Data::Range(a, b), Data::Range(c, d)) => a == c && b == d,
        (left, right) if left.has_names() && right.has_names() => {
            let (left, right) = (left.pairs(), right.pairs());
            left.len() == right.len() && left.iter().zip(&right).all(|(left, right)| equals(left, right, zone))
        }
        _ => ordering(left, right, zone) == Some(Ordering::Equal),
    }
}

pub(super) fn ordering(left: &Data<'_>, right: &Data<'_>, zone: &TimeZone) -> Option<Ordering> {
    match (left, right) {
        (Data::Int(left), Data::Int(right)) => Some(left.cmp(right)),
        (Data::Text(left), Data::Text(right)) => Some(left.as_str().cmp(right.as_str())),
        (Data::Moment(left), Data::Moment(right)) => value::ordering(left, right, zone),
        _ => Some(decimal(left)?.cmp(&decimal(right)?)),
    }
}

/// An order of all values, for sorting: what is missing comes last, kinds stay together.
pub(super) fn total(left: &Data<'_>, right: &Data<'_>, zone: &TimeZone) -> Ordering {
    rank(left).cmp(&rank(right)).then_with(|| ordering(left, right, zone).unwrap_or(Ordering::Equal))
}

fn rank(data: &Data<'_>) -> u8 {
    use crate::vm::value::Value;
    match data {
        Data::Bool(value) => u8::from(*value),
        Data::Int(_) | Data::Number(_) => 2,
        Data::Text(_) => 3,
        Data::Moment(Value::Date(_) | Value::Instant(_) | Value::Local(..)) => 4,
        Data::Moment(Value::Time(_)) => 5,
        Data::Moment(Value::Duration(_)) => 6,
        Data::Moment(_) => 7,
        Data::Nil => 9,
        _ => 8,
    }
}

fn contains(left: &Data<'_>, right: &Data<'_>, zone: &TimeZone) -> bool {
    if !right.is_truthy() {
        return false;
    }
    match left {
        Data::Text(text) => text.as_str().contains(text_of(right, zone).as_ref()),
        Data::List(list) => (0..list.len()).any(|at| equals(&list.at(at), right, zone)),
        Data::Range(from, to) => matches!(right, Data::Int(value) if (from..=to).contains(&value)),
        Data::Object(object) => matches!(right, Data::Text(name) if object.get(name.as_str()).is_some()),
        Data::Record(record) => {
            matches!(right, Data::Text(name) if record.fields.iter().any(|field| field.name == name.as_str()))
        }
        _ => false,
    }
}

fn decimal(data: &Data<'_>) -> Option<Decimal> {
    match data {
        Data::Int(value) => Some(Decimal::from(*value)),
        Data::Number(value) => Some(*value),
        _ => None,
    }
}

/// A value as a text, as `{{ }}` writes it.
pub(super) fn text_of<'d>(data: &'d Data<'_>, zone: &TimeZone) -> Cow<'d, str> {
    match data {
        Data::Text(text) => Cow::Borrowed(text.as_str()),
        Data::Nil | Data::Blank | Data::Empty => Cow::Borrowed(""),
        Data::Bool(true) => Cow::Borrowed("true"),
        Data::Bool(false) => Cow::Borrowed("false"),
        other => {
            let mut out = String::new();
            push(&mut out, other, zone);
            Cow::Owned(out)
        }
    }
}

/// Appends a value as `{{ }}` writes it.
pub(super) fn push(out: &mut String, data: &Data<'_>, zone: &TimeZone) {
    use crate::vm::text::push_text;
    use crate::vm::value::Value;
    match data {
        Data::Nil | Data::Blank | Data::Empty => {}
        Data::Text(text) => out.push_str(text.as_str()),
        Data::Bool(value) => push_text(out, &Value::Bool(*value), zone),
        Data::Int(value) => push_text(out, &Value::Int(*value), zone),
        Data::Number(value) => push_text(out, &Value::Number(*value), zone),
        Data::Moment(value) => push_text(out, value, zone),
        Data::Range(from, to) => {
            push_text(out, &Value::Int(*from), zone);
            out.push_str("..");
            push_text(out, &Value::Int(*to), zone);
        }
        Data::List(list) => {
            for at in 0..list.len() {
                push(out, &list.at(at), zone);
            }
        }
        Data::Object(object) => push_named(out, object.entries(), zone),
        Data::Record(record) => push_named(out, record.entries(), zone),
    }
}

/// The values of a record, as an interpolation writes them.
fn push_named(out: &mut String, entries: Vec<(&str, Data<'_>)>, zone: &TimeZone) {
    for (at, (_, value)) in entries.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        push(out, value, zone);
    }
}
