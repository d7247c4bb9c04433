//! Types while expressions are checked: what a value is and whether it may be missing.

use crate::bytecode::{RecordType, Type, TypeId};

/// A type with whether the value may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ty {
    pub kind: Kind,
    pub optional: bool,
}

/// What a value is. `Local` (a date and time without a zone) and `Poison` (already reported) exist
/// in expressions only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Int,
    Number,
    Bool,
    Date,
    Time,
    DateTime,
    Local,
    Duration,
    Email,
    Phone,
    Url,
    Timezone,
    Weekday,
    OneOf(Vec<String>),
    List(Box<Self>),
    Record(TypeId),
    Poison,
}

/// Kinds that can be compared with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Number,
    Text,
    Moment,
    Time,
    Duration,
    Weekday,
    Bool,
    List,
    Record,
    Poison,
}

impl Ty {
    pub fn known(kind: Kind) -> Self {
        Self { kind, optional: false }
    }
    pub fn maybe(kind: Kind, optional: bool) -> Self {
        Self { kind, optional }
    }
    pub fn show(&self, types: &[RecordType]) -> String {
        let mark = if self.optional { "?" } else { "" };
        format!("{}{mark}", self.kind.show(types))
    }
}

impl Kind {
    pub fn of(ty: &Type) -> Self {
        match ty {
            Type::Text => Self::Text,
            Type::Int => Self::Int,
            Type::Number => Self::Number,
            Type::Bool => Self::Bool,
            Type::Date => Self::Date,
            Type::Time => Self::Time,
            Type::DateTime => Self::DateTime,
            Type::Duration => Self::Duration,
            Type::Email => Self::Email,
            Type::Phone => Self::Phone,
            Type::Url => Self::Url,
            Type::Timezone => Self::Timezone,
            Type::Weekday => Self::Weekday,
            Type::OneOf(values) => Self::OneOf(values.clone()),
            Type::List(item) => Self::List(Box::new(Self::of(item))),
            Type::Record(id) => Self::Record(*id),
        }
    }

    /// The type that the program stores; what has none becomes text (only after an error).
    pub fn stored(&self) -> Type {
        match self {
            Self::Int => Type::Int,
            Self::Number => Type::Number,
            Self::Bool => Type::Bool,
            Self::Date => Type::Date,
            Self::Time => Type::Time,
            Self::DateTime | Self::Local => Type::DateTime,
            Self::Duration => Type::Duration,
            Self::Email => Type::Email,
            Self::Phone => Type::Phone,
            Self::Url => Type::Url,
            Self::Timezone => Type::Timezone,
            Self::Weekday => Type::Weekday,
            Self::OneOf(values) => Type::OneOf(values.clone()),
            Self::List(item) => Type::List(Box::new(item.stored())),
            Self::Record(id) => Type::Record(*id),
            Self::Text | Self::Poison => Type::Text,
        }
    }

    pub fn class(&self) -> Class {
        match self {
            Self::Int | Self::Number => Class::Number,
            Self::Text | Self::Email | Self::Phone | Self::Url | Self::Timezone | Self::OneOf(_) => Class::Text,
            Self::Date | Self::DateTime | Self::Local => Class::Moment,
            Self::Time => Class::Time,
            Self::Duration => Class::Duration,
            Self::Weekday => Class::Weekday,
            Self::Bool => Class::Bool,
            Self::List(_) => Class::List,
            Self::Record(_) => Class::Record,
            Self::Poison => Class::Poison,
        }
    }

    pub fn is_poison(&self) -> bool {
        *self == Self::Poison
    }

    /// Whether `<` and `>` make sense.
    pub fn ordered(&self) -> bool {
        matches!(
            self.class(),
            Class::Number | Class::Text | Class::Moment | Class::Time | Class::Duration | Class::Poison
        )
    }

    /// Whether an interpolation can write it.
    pub fn printable(&self) -> bool {
        !matches!(self.class(), Class::List | Class::Record)
    }

    /// The type of a value that is one or the other; none when they do not go together.
    pub fn join(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Poison, x) | (x, Self::Poison) => Some(x.clone()),
            (a, b) if a == b => Some(a.clone()),
            (Self::OneOf(a), Self::OneOf(b)) => {
                let mut all = a.clone();
                all.extend(b.iter().filter(|v| !a.contains(v)).cloned());
                Some(Self::OneOf(all))
            }
            (Self::List(a), Self::List(b)) => Some(Self::List(Box::new(a.join(b)?))),
            (a, b) if a.class() == b.class() => match a.class() {
                Class::Number => Some(Self::Number),
                Class::Text => Some(Self::Text),
                Class::Moment => Some(Self::DateTime),
                _ => None,
            },
            _ => None,
        }
    }

    pub fn show(&self, types: &[RecordType]) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Int => "int".into(),
            Self::Number => "number".into(),
            Self::Bool => "bool".into(),
            Self::Date => "date".into(),
            Self::Time => "time".into(),
            Self::DateTime | Self::Local => "datetime".into(),
            Self::Duration => "duration".into(),
            Self::Email => "email".into(),
            Self::Phone => "phone".into(),
            Self::Url => "url".into(),
            Self::Timezone => "timezone".into(),
            Self::Weekday => "weekday".into(),
            Self::OneOf(values) => {
                let quoted: Vec<String> = values.iter().map(|v| format!("{v:?}")).collect();
                format!("one of {}", quoted.join(", "))
            }
            Self::List(item) => format!("list of {}", item.show(types)),
            Self::Record(id) => types.get(id.index()).map_or_else(|| "record".into(), |t| t.name.clone()),
            Self::Poison => "unknown".into(),
        }
    }

    /// A value that an author could give in place of a missing one.
    pub fn example(&self) -> &'static str {
        match self.class() {
            Class::Number => "0",
            Class::Bool => "false",
            Class::Moment => "today",
            Class::Time => "09:00",
            Class::Duration => "1d",
            Class::Weekday => "monday",
            Class::List => "[]",
            Class::Text | Class::Record | Class::Poison => "\"…\"",
        }
    }
}
