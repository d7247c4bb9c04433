//! What is called the same in both versions, and whether its values can be carried over.

use crate::vm::value::Value;
use flow_compiler::bytecode::{Event, Field, Program, Type};
use rust_decimal::Decimal;

/// By old id: the new one.
#[derive(Debug)]
pub(super) struct Names {
    pub attributes: Vec<Option<u32>>,
    pub events: Vec<Option<u32>>,
    pub channels: Vec<Option<u32>>,
    pub topics: Vec<Option<u32>>,
    pub apis: Vec<Option<u32>>,
}

impl Names {
    pub fn new(old: &Program, new: &Program) -> Self {
        let attribute = |program: &Program| {
            let both = |field: &Field| (field.name.clone(), field.wire.clone());
            program.attributes.iter().map(|attribute| both(&attribute.field)).collect::<Vec<_>>()
        };
        let event = |program: &Program| {
            program.events.iter().map(|event| (event.name.clone(), event.wire.clone())).collect::<Vec<_>>()
        };
        Self {
            attributes: found(&attribute(old), &attribute(new)),
            events: found(&event(old), &event(new)),
            channels: same(old.channels.iter().map(|c| &c.name), new.channels.iter().map(|c| &c.name)),
            topics: same(old.topics.iter().map(|t| &t.name), new.topics.iter().map(|t| &t.name)),
            apis: same(old.apis.iter().map(|a| &a.name), new.apis.iter().map(|a| &a.name)),
        }
    }
}

/// By name; what was renamed, by its name on the wire.
fn found(old: &[(String, String)], new: &[(String, String)]) -> Vec<Option<u32>> {
    let place = |is: &dyn Fn(&(String, String)) -> bool| u32::try_from(new.iter().position(is)?).ok();
    let one = |(name, wire): &(String, String)| {
        let renamed = |other: &(String, String)| other.1 == *wire && !old.iter().any(|(name, _)| *name == other.0);
        place(&|other| other.0 == *name).or_else(|| place(&renamed))
    };
    old.iter().map(one).collect()
}

fn same<'n>(old: impl Iterator<Item = &'n String>, new: impl Iterator<Item = &'n String>) -> Vec<Option<u32>> {
    let new: Vec<&String> = new.collect();
    old.map(|name| u32::try_from(new.iter().position(|other| *other == name)?).ok()).collect()
}

/// A value of an old type as one of a new type; missing when it is none.
pub(super) fn carried(value: &Value, (old, from): (&Program, &Type), (new, to): (&Program, &Type)) -> Value {
    let is_text = |ty: &Type| matches!(ty, Type::Text | Type::Email | Type::Phone | Type::Url | Type::OneOf(_));
    match (value, to) {
        _ if same_type((old, from), (new, to)) => value.clone(),
        (Value::Int(int), Type::Number) => Value::Number(Decimal::from(*int)),
        (Value::Text(text), Type::OneOf(names)) if is_text(from) => {
            if names.iter().any(|name| **name == **text) {
                value.clone()
            } else {
                Value::Missing
            }
        }
        // Whether a contact is a valid one is judged at the send.
        (Value::Text(_), to) if is_text(from) && is_text(to) => value.clone(),
        _ => Value::Missing,
    }
}

/// Whether values of one type are values of the other.
pub(super) fn same_type((old, a): (&Program, &Type), (new, b): (&Program, &Type)) -> bool {
    match (a, b) {
        (Type::List(a), Type::List(b)) => same_type((old, a), (new, b)),
        (Type::Record(a), Type::Record(b)) => {
            let (Some(a), Some(b)) = (old.types.get(a.index()), new.types.get(b.index())) else { return false };
            let same = |(a, b): (&Field, &Field)| a.name == b.name && same_type((old, &a.ty), (new, &b.ty));
            a.fields.len() == b.fields.len() && a.fields.iter().zip(&b.fields).all(same)
        }
        (a, b) => a == b,
    }
}

/// The place of a field of one event among those of another.
pub(super) fn field(old: &Event, field: u16, new: &Event) -> Option<u16> {
    let old = &old.fields.get(field as usize)?.name;
    u16::try_from(new.fields.iter().position(|field| field.name == *old)?).ok()
}
