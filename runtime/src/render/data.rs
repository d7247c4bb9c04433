//! The values of a template.

use crate::vm::value::Value;
use flow_compiler::bytecode::{Field, RecordType, Type};
use rust_decimal::Decimal;
use std::fmt::Debug;
use std::rc::Rc;

/// A value while a message is made. Cloning one is cheap: texts and lists are shared.
#[derive(Clone, Debug, Default)]
pub enum Data<'a> {
    /// Not known.
    #[default]
    Nil,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// An exact decimal.
    Number(Decimal),
    /// A text.
    Text(Text<'a>),
    /// A date, time, instant, local date and time, duration or weekday.
    Moment(Value),
    /// The word `blank`.
    Blank,
    /// The word `empty`.
    Empty,
    /// `(1..5)`, both ends included.
    Range(i64, i64),
    /// Several values.
    List(List<'a>),
    /// Values with names.
    Object(&'a dyn Object),
    /// A record of the program.
    Record(Record<'a>),
}

/// A text, and whether it is markup: what `capture` made is, and is not escaped once more.
#[derive(Clone, Debug)]
pub struct Text<'a> {
    text: Shared<'a>,
    /// Written as it is, also where values are escaped.
    pub markup: bool,
}

#[derive(Clone, Debug)]
enum Shared<'a> {
    Borrowed(&'a str),
    Owned(Rc<str>),
}

impl Text<'_> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.text {
            Shared::Borrowed(text) => text,
            Shared::Owned(text) => text,
        }
    }
}

/// Several values.
#[derive(Clone, Debug)]
pub enum List<'a> {
    /// Made by a filter.
    Made(Rc<[Data<'a>]>),
    /// A list of the program, with the type of its elements and the program's record types.
    Values(&'a [Value], Option<&'a Type>, &'a [RecordType]),
    /// Any other.
    Sequence(&'a dyn Sequence),
}

/// A record of the program.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its values.
    pub values: &'a [Value],
    /// Its fields, in the same order.
    pub fields: &'a [Field],
    /// The program's record types.
    pub types: &'a [RecordType],
}

/// Values with names.
pub trait Object: Debug {
    /// The value with this name; none: there is no such name.
    fn get(&self, name: &str) -> Option<Data<'_>>;
    /// All of them, in their order.
    fn entries(&self) -> Vec<(&str, Data<'_>)>;
}

/// Values in order.
pub trait Sequence: Debug {
    /// How many.
    fn size(&self) -> usize;
    /// The one at this place.
    fn at(&self, index: usize) -> Data<'_>;
}

/// What a template can name.
pub trait Source {
    /// A variable of the template that is sent.
    fn get(&self, name: &str) -> Option<Data<'_>>;
    /// A variable that rendered files see too, besides what is handed to them.
    fn everywhere(&self, name: &str) -> Option<Data<'_>>;
}

impl<'a> Data<'a> {
    /// A text that is not markup.
    #[must_use]
    pub fn text(text: &'a str) -> Self {
        Self::Text(Text { text: Shared::Borrowed(text), markup: false })
    }

    /// A text that is markup.
    #[must_use]
    pub fn markup(text: &'a str) -> Self {
        Self::Text(Text { text: Shared::Borrowed(text), markup: true })
    }

    /// A text made here.
    #[must_use]
    pub fn made(text: &str, markup: bool) -> Self {
        Self::Text(Text { text: Shared::Owned(text.into()), markup })
    }

    /// A list made here.
    #[must_use]
    pub fn list(values: Vec<Self>) -> Self {
        Self::List(List::Made(values.into()))
    }

    /// A value of the program, with its type where that is known: fields of records have names only there.
    #[must_use]
    pub fn of(value: &'a Value, ty: Option<&'a Type>, types: &'a [RecordType]) -> Self {
        match value {
            Value::Missing => Self::Nil,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Number(value) => Self::Number(*value),
            Value::Text(text) => Self::text(text),
            Value::List(values) => {
                let element = if let Some(Type::List(element)) = ty { Some(element.as_ref()) } else { None };
                Self::List(List::Values(values, element, types))
            }
            Value::Record(values) => match ty {
                Some(Type::Record(id)) => {
                    let fields = types.get(id.index()).map_or(&[][..], |ty| &ty.fields);
                    Self::Record(Record { values, fields, types })
                }
                _ => Self::List(List::Values(values, None, types)),
            },
            moment => Self::Moment(moment.clone()),
        }
    }

    /// Whether a condition takes it for true: everything but nil and false.
    #[must_use]
    pub fn is_truthy(&self) -> bool {
        !matches!(self, Self::Nil | Self::Bool(false))
    }

    /// Whether it is an empty text or list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.as_str().is_empty(),
            Self::Empty | Self::Blank => true,
            Self::Range(from, to) => from > to,
            _ => self.size() == Some(0),
        }
    }

    /// Whether it says nothing: nil, false, empty, or a text of blanks.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Nil | Self::Bool(false) => true,
            Self::Text(text) => text.as_str().trim().is_empty(),
            _ => self.is_empty(),
        }
    }

    /// How many elements or names.
    #[must_use]
    pub fn size(&self) -> Option<usize> {
        match self {
            Self::List(list) => Some(list.len()),
            Self::Range(from, to) => {
                let count = to.saturating_sub(*from).saturating_add(1).max(0);
                Some(usize::try_from(count).unwrap_or(usize::MAX))
            }
            Self::Object(object) => Some(object.entries().len()),
            Self::Record(record) => Some(record.fields.len()),
            _ => None,
        }
    }

    /// The element at a place, from the end where it is negative.
    #[must_use]
    pub fn at(&self, index: i64) -> Self {
        let Some(size) = self.size().and_then(|size| i64::try_from(size).ok()) else { return Self::Nil };
        let place = if index < 0 { index.saturating_add(size) } else { index };
        if place < 0 || place >= size {
            return Self::Nil;
        }
        match self {
            Self::List(list) => list.at(usize::try_from(place).unwrap_or(usize::MAX)),
            Self::Range(from, _) => Self::Int(from.saturating_add(place)),
            _ => Self::Nil,
        }
    }

    /// The value with this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        let own = match self {
            Self::Object(object) => object.get(name),
            Self::Record(record) => record.get(name),
            _ => None,
        };
        match (own, name) {
            (Some(value), _) => value,
            (None, "size") => match self {
                Self::Text(text) => int(text.as_str().chars().count()),
                _ => self.size().map_or(Self::Nil, int),
            },
            (None, "first") => match self {
                Self::Object(_) | Self::Record(_) => self.pairs().into_iter().next().unwrap_or_default(),
                _ => self.at(0),
            },
            (None, "last") => self.at(-1),
            _ => Self::Nil,
        }
    }

    /// The names and values, each a list of two.
    pub(super) fn pairs(&self) -> Vec<Self> {
        let pair = |(name, value): (&'a str, Self)| Self::list(vec![Self::text(name), value]);
        match self {
            Self::Object(object) => object.entries().into_iter().map(pair).collect(),
            Self::Record(record) => record.entries().into_iter().map(pair).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it has names.
    pub(super) fn has_names(&self) -> bool {
        matches!(self, Self::Object(_) | Self::Record(_))
    }
}

pub(super) fn int<'a>(count: usize) -> Data<'a> {
    Data::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

impl<'a> List<'a> {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Made(values) => values.len(),
            Self::Values(values, ..) => values.len(),
            Self::Sequence(values) => values.size(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one at this place.
    #[must_use]
    pub fn at(&self, index: usize) -> Data<'a> {
        match self {
            Self::Made(values) => values.get(index).cloned().unwrap_or_default(),
            Self::Values(values, ty, types) => values.get(index).map_or(Data::Nil, |value| Data::of(value, *ty, types)),
            Self::Sequence(values) => values.at(index),
        }
    }
}

impl<'a> Record<'a> {
    fn value(&self, index: usize) -> Data<'a> {
        let ty = self.fields.get(index).map(|field| &field.ty);
        self.values.get(index).map_or(Data::Nil, |value| Data::of(value, ty, self.types))
    }

    fn get(&self, name: &str) -> Option<Data<'a>> {
        Some(self.value(self.fields.iter().position(|field| field.name == name)?))
    }

    pub(super) fn entries(&self) -> Vec<(&'a str, Data<'a>)> {
        self.fields.iter().enumerate().map(|(index, field)| (field.name.as_str(), self.value(index))).collect()
    }
}

/// JSON, as samples and previews have it. A number without a point is a whole one.
impl<'a> From<&'a serde_json::Value> for Data<'a> {
    fn from(value: &'a serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Self::Int(whole),
                None => {
                    let text = number.to_string();
                    let number = Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text));
                    number.map_or(Self::Nil, Self::Number)
                }
            },
            serde_json::Value::String(text) => Self::text(text),
            serde_json::Value::Array(values) => Self::List(List::Sequence(values)),
            serde_json::Value::Object(values) => Self::Object(values),
        }
    }
}

impl Object for serde_json::Map<String, serde_json::Value> {
    fn get(&self, name: &str) -> Option<Data<'_>> {
        self.get(name).map(Data::from)
    }

    fn entries(&self) -> Vec<(&str, Data<'_>)> {
        self.iter().map(|(name, value)| (name.as_str(), Data::from(value))).collect()
    }
}

impl Sequence for Vec<serde_json::Value> {
    fn size(&self) -> usize {
        self.len()
    }

    fn at(&self, index: usize) -> Data<'_> {
        self.get(index).map_or(Data::Nil, Data::from)
    }
}

impl Source for serde_json::Map<String, serde_json::Value> {
    fn get(&self, name: &str) -> Option<Data<'_>> {
        self.get(name).map(Data::from)
    }

    fn everywhere(&self, name: &str) -> Option<Data<'_>> {
        matches!(name, "user" | "project" | "now").then(|| self.get(name).map(Data::from)).flatten()
    }
}
