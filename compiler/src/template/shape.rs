//! What a value of a template is, as far as it is known before anything is sent.

use crate::bytecode::{RecordType, Type};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A value: what it is, and whether it may be missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// What it is.
    pub shape: Shape,
    /// Whether it may be missing.
    pub optional: bool,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Shape {
    /// Anything: nothing is reported about it.
    Any,
    Text,
    OneOf(Rc<[String]>),
    Int,
    Number,
    Bool,
    /// A date, or a date and time.
    Moment,
    Time,
    Duration,
    Weekday,
    List(Rc<Variable>),
    Record(Rc<Record>),
}

/// Values with names.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What it is called in messages: `user`, `product`.
    pub name: String,
    /// Its fields.
    pub fields: BTreeMap<String, Variable>,
}

/// Kinds of value that can be compared with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Any,
    Text,
    Number,
    Bool,
    Moment,
    Time,
    Duration,
    Weekday,
    List,
    Record,
}

impl Variable {
    /// One that is always there.
    #[must_use]
    pub fn known(shape: Shape) -> Self {
        Self { shape, optional: false }
    }

    /// One that may be missing.
    #[must_use]
    pub fn maybe(shape: Shape, optional: bool) -> Self {
        Self { shape, optional }
    }

    pub(super) fn any() -> Self {
        Self::known(Shape::Any)
    }
}

impl Shape {
    /// The shape of a type of the program.
    #[must_use]
    pub fn of(ty: &Type, types: &[RecordType]) -> Self {
        match ty {
            Type::Text | Type::Email | Type::Phone | Type::Url | Type::Timezone => Self::Text,
            Type::Int => Self::Int,
            Type::Number => Self::Number,
            Type::Bool => Self::Bool,
            Type::Date | Type::DateTime => Self::Moment,
            Type::Time => Self::Time,
            Type::Duration => Self::Duration,
            Type::Weekday => Self::Weekday,
            Type::OneOf(values) => Self::OneOf(values.clone().into()),
            Type::List(item) => Self::List(Rc::new(Variable::known(Self::of(item, types)))),
            Type::Record(id) => match types.get(id.index()) {
                // A type cannot contain itself, so this ends.
                Some(record) => Self::record(
                    &record.name,
                    record.fields.iter().map(|field| {
                        let optional = field.optional && field.default.is_none();
                        (field.name.clone(), Variable::maybe(Self::of(&field.ty, types), optional))
                    }),
                ),
                None => Self::Any,
            },
        }
    }

    /// A record.
    pub fn record(name: &str, fields: impl Iterator<Item = (String, Variable)>) -> Self {
        Self::Record(Rc::new(Record { name: name.to_owned(), fields: fields.collect() }))
    }

    pub(super) fn list(element: Self) -> Self {
        Self::List(Rc::new(Variable::known(element)))
    }

    pub(super) fn class(&self) -> Class {
        match self {
            Self::Any => Class::Any,
            Self::Text | Self::OneOf(_) => Class::Text,
            Self::Int | Self::Number => Class::Number,
            Self::Bool => Class::Bool,
            Self::Moment => Class::Moment,
            Self::Time => Class::Time,
            Self::Duration => Class::Duration,
            Self::Weekday => Class::Weekday,
            Self::List(_) => Class::List,
            Self::Record(_) => Class::Record,
        }
    }

    /// In words: `a text`.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Text | Self::OneOf(_) => "a text",
            Self::Int => "a whole number",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::Moment => "a date",
            Self::Time => "a time of day",
            Self::Duration => "a duration",
            Self::Weekday => "a day of the week",
            Self::List(_) => "a list",
            Self::Record(_) => "a record",
        }
    }

    /// What both are.
    pub(super) fn joined(&self, other: &Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a.clone(),
            (Self::Int | Self::Number, Self::Int | Self::Number) => Self::Number,
            (Self::Text | Self::OneOf(_), Self::Text | Self::OneOf(_)) => Self::Text,
            (Self::List(a), Self::List(b)) => {
                Self::List(Rc::new(Variable { shape: a.shape.joined(&b.shape), optional: a.optional || b.optional }))
            }
            _ => Self::Any,
        }
    }
}
