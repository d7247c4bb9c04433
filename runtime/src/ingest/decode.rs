//! Values from their text, by the type that the program declares. What does not fit says why.

use super::number::{decimal, whole, NotNumber};
use super::schema::{default_of, Fields, Schema};
use crate::calendar::{parse_date, parse_instant, parse_time};
use crate::vm::text::push_json_text;
use crate::vm::value::Value;
use flow_compiler::bytecode::{AttrId, Duration, Field, Type};
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A value that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Where: `properties.products[2].price`.
    pub path: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub found: String,
}

impl Misfit {
    pub(super) fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { path: String::new(), expected: expected.into(), found: found.into() }
    }

    /// The same, one level further out: in the member (or `[2]`) of this name.
    #[must_use]
    pub fn below(mut self, part: &str) -> Self {
        if !self.path.is_empty() && !self.path.starts_with('[') {
            self.path.insert(0, '.');
        }
        self.path.insert_str(0, part);
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

/// Whether JSON holds nothing.
pub(super) fn is_null(raw: &RawValue) -> bool {
    raw.get() == "null"
}

/// The text of a JSON string; none for any other JSON.
pub(super) fn text(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str::<String>(json).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// What some JSON is, in words.
pub(super) fn found(json: &str) -> String {
    match json.as_bytes().first() {
        Some(b'"') => match text(json) {
            Some(text) => format!("the text \"{}\"", short(&text)),
            None => "a text that is not Unicode".to_owned(),
        },
        Some(b'[') => "a list".to_owned(),
        Some(b'{') => "an object".to_owned(),
        Some(b't' | b'f') => json.to_owned(),
        Some(b'n') | None => "nothing".to_owned(),
        Some(_) => format!("the number {}", short(json)),
    }
}

/// At most so many characters of what was found are shown.
const SHOWN: usize = 60;

fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

/// What a type takes, in words.
pub(super) fn expected(ty: &Type) -> String {
    match ty {
        Type::Text | Type::Email | Type::Phone | Type::Url => "a text".to_owned(),
        Type::Int => "a whole number".to_owned(),
        Type::Number => "a number".to_owned(),
        Type::Bool => "true or false".to_owned(),
        Type::Date => "a date (YYYY-MM-DD)".to_owned(),
        Type::Time => "a time of day (HH:MM)".to_owned(),
        Type::DateTime => "a date and time (RFC 3339, as 2026-03-02T09:00:00Z)".to_owned(),
        Type::Duration => "a duration (as 2h or 3d)".to_owned(),
        Type::Timezone => "the name of a time zone".to_owned(),
        Type::Weekday => "a day of the week".to_owned(),
        Type::OneOf(options) => {
            format!("one of {}", options.iter().map(|option| format!("\"{option}\"")).collect::<Vec<_>>().join(", "))
        }
        Type::List(_) => "a list".to_owned(),
        Type::Record(_) => "an object".to_owned(),
    }
}

impl Schema {
    /// The value of a type that `json` (well-formed) holds; `null` is missing.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn value(&self, ty: &Type, json: &str) -> Result<Value, Misfit> {
        if json == "null" {
            return Ok(Value::Missing);
        }
        let misfit = || Misfit::new(expected(ty), found(json));
        match ty {
            Type::Int | Type::Number => {
                if !matches!(json.as_bytes().first(), Some(b'-' | b'0'..=b'9')) {
                    return Err(misfit());
                }
                number(ty, json)
            }
            Type::Bool => match json {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                _ => Err(misfit()),
            },
            Type::List(element) => self.elements(element, json).ok_or_else(misfit)?,
            Type::Record(id) => {
                let empty = Fields::default();
                let fields = self.types.get(id.index()).unwrap_or(&empty);
                if !json.starts_with('{') {
                    return Err(misfit());
                }
                Ok(Value::Record(self.fields(fields, json, |_| None)?.into()))
            }
            _ => {
                let text = text(json).ok_or_else(misfit)?;
                self.plain(ty, &text)
            }
        }
    }

    /// The value of a type that JSON writes as a text.
    fn plain(&self, ty: &Type, text: &str) -> Result<Value, Misfit> {
        let value = match ty {
            Type::Text | Type::Email | Type::Phone | Type::Url => Some(Value::Text(text.into())),
            Type::OneOf(options) => options.iter().any(|option| option == text).then(|| Value::Text(text.into())),
            Type::Timezone => self.zones.get(text).is_some().then(|| Value::Text(text.into())),
            Type::Date => date(text).map(Value::Date),
            Type::Time => parse_time(text).map(Value::Time),
            Type::DateTime => parse_instant(text).map(Value::Instant),
            Type::Duration => duration(text).map(Value::Duration),
            Type::Weekday => weekday(text).map(Value::Weekday),
            Type::Int | Type::Number | Type::Bool | Type::List(_) | Type::Record(_) => None,
        };
        value.ok_or_else(|| Misfit::new(expected(ty), format!("the text \"{}\"", short(text))))
    }

    fn elements(&self, element: &Type, json: &str) -> Option<Result<Value, Misfit>> {
        struct Elements<'s>(&'s Schema, &'s Type);
        impl<'de> Visitor<'de> for Elements<'_> {
            type Value = Result<Vec<Value>, Misfit>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                let mut wrong = None;
                while let Some(raw) = seq.next_element::<&RawValue>()? {
                    let place = list.len();
                    match self.0.value(self.1, raw.get()) {
                        Ok(Value::Missing) => {
                            let misfit = Misfit::new(expected(self.1), "nothing").below(&format!("[{place}]"));
                            wrong = wrong.or(Some(misfit));
                        }
                        Ok(value) => list.push(value),
                        Err(misfit) => wrong = wrong.or_else(|| Some(misfit.below(&format!("[{place}]")))),
                    }
                }
                Ok(wrong.map_or(Ok(list), Err))
            }
        }
        if !json.starts_with('[') {
            return None;
        }
        let list = serde_json::Deserializer::from_str(json).deserialize_seq(Elements(self, element)).ok()?;
        Some(list.map(|values| Value::List(values.into())))
    }

    /// The values of `fields` in their order, from a JSON object; `other` gives what stands outside of it.
    ///
    /// # Errors
    /// When one does not fit, or is missing and may not be.
    pub fn fields<'f>(
        &self,
        fields: &'f Fields,
        json: &str,
        other: impl Fn(&'f Field) -> Option<&'f str>,
    ) -> Result<Vec<Value>, Misfit> {
        let mut values = vec![Value::Missing; fields.len()];
        if !fields.is_empty() {
            self.each(fields, json, |place, value| {
                if let Some(slot) = values.get_mut(place) {
                    *slot = value;
                }
            })?;
        }
        for (slot, field) in values.iter_mut().zip(&fields.list) {
            if *slot == Value::Missing {
                *slot = match other(field) {
                    Some(json) => self.value(&field.ty, json).map_err(|m| m.below(&field.wire))?,
                    None => default_of(field),
                };
                if *slot == Value::Missing && !field.optional {
                    return Err(Misfit::new(expected(&field.ty), "nothing").below(&field.wire));
                }
            }
        }
        Ok(values)
    }

    /// Goes through the declared fields that a JSON object (or nothing) holds.
    fn each(&self, fields: &Fields, json: &str, mut take: impl FnMut(usize, Value)) -> Result<(), Misfit> {
        object(
            json,
            |key, raw| {
                let Some(place) = fields.place(key) else { return Ok(()) };
                let Some(field) = fields.list.get(place) else { return Ok(()) };
                let value = self.value(&field.ty, raw).map_err(|misfit| misfit.below(key))?;
                take(place, value);
                Ok(())
            },
            |key| fields.place(key).is_some(),
        )
    }

    /// The attributes that traits hold; `null` takes a value away.
    ///
    /// # Errors
    /// When one does not fit.
    pub(super) fn traits(&self, json: &str) -> Result<Vec<(AttrId, Value)>, Misfit> {
        let mut values = Vec::new();
        self.each(&self.attributes, json, |place, value| {
            if let Ok(number) = u32::try_from(place) {
                values.push((AttrId(number), value));
            }
        })?;
        Ok(values)
    }
}

/// Appends the cell of a table as JSON, as the type would have it: what JSON writes without quotes stays bare, all
/// else is a text, and whether it fits is judged as for any other JSON.
pub(super) fn push_cell(out: &mut Vec<u8>, ty: Option<&Type>, cell: &str) {
    let trimmed = cell.trim();
    let lower = trimmed.to_ascii_lowercase();
    let bare = match ty {
        Some(Type::Bool) => matches!(lower.as_str(), "true" | "false").then_some(lower.as_str()),
        Some(Type::Int | Type::Number) => {
            Some(trimmed).filter(|cell| cell.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']))
        }
        Some(Type::List(_) | Type::Record(_)) => Some(trimmed).filter(|cell| cell.starts_with(['[', '{'])),
        _ => None,
    };
    match bare.filter(|cell| serde_json::from_str::<&RawValue>(cell).is_ok()) {
        Some(bare) => out.extend_from_slice(bare.as_bytes()),
        None => push_json_text(out, cell),
    }
}

/// Goes through the members of a JSON object whose key is `wanted`; a `null` has none, anything else is a misfit.
pub(super) fn object(
    json: &str,
    take: impl FnMut(&str, &str) -> Result<(), Misfit>,
    wanted: impl Fn(&str) -> bool,
) -> Result<(), Misfit> {
    struct Members<T, W>(T, W);
    impl<'de, T: FnMut(&str, &str) -> Result<(), Misfit>, W: Fn(&str) -> bool> Visitor<'de> for Members<T, W> {
        type Value = Result<(), Misfit>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut result = Ok(());
            while let Some(Key(key)) = map.next_key()? {
                if result.is_ok() && (self.1)(&key) {
                    let raw: &RawValue = map.next_value()?;
                    result = (self.0)(&key, raw.get());
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(result)
        }
    }
    match json.as_bytes().first() {
        Some(b'n') | None => Ok(()),
        Some(b'{') => serde_json::Deserializer::from_str(json)
            .deserialize_map(Members(take, wanted))
            .unwrap_or_else(|_| Err(Misfit::new("an object", "broken JSON"))),
        _ => Err(Misfit::new("an object", found(json))),
    }
}

/// A key of an object, borrowed where it stands without escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

fn number(ty: &Type, text: &str) -> Result<Value, Misfit> {
    let shown = || format!("the number {}", short(text));
    let wrong = |error| match error {
        NotNumber::Malformed => Misfit::new(expected(ty), format!("the text \"{}\"", short(text))),
        NotNumber::TooLong => Misfit::new("a number of at most 28 digits", shown()),
    };
    if *ty == Type::Int {
        let value = whole(text).map_err(wrong)?;
        return value.map(Value::Int).ok_or_else(|| Misfit::new(expected(ty), shown()));
    }
    decimal(text).map(Value::Number).map_err(wrong)
}

/// `2026-03-02`, or the date that a full timestamp names, as it is written.
fn date(text: &str) -> Option<i32> {
    if text.len() > DATE {
        parse_instant(text)?;
    }
    parse_date(text.get(..DATE)?)
}

/// The length of a date.
const DATE: usize = 10;

/// As the program writes it: `2h`, `1d 12h`, `6mo`.
fn duration(text: &str) -> Option<Duration> {
    let mut total = Duration::default();
    for part in text.split_ascii_whitespace() {
        let unit = part.find(|c: char| !c.is_ascii_digit() && c != '-')?;
        let count: i32 = part.get(..unit)?.parse().ok()?;
        let millis = |each: i64| i64::from(count).checked_mul(each);
        match part.get(unit..)? {
            "ms" => total.millis += i64::from(count),
            "s" => total.millis += millis(1_000)?,
            "m" => total.millis += millis(60_000)?,
            "h" => total.millis += millis(3_600_000)?,
            "d" => total.days = total.days.checked_add(count)?,
            "w" => total.days = total.days.checked_add(count.checked_mul(7)?)?,
            "mo" => total.months = total.months.checked_add(count)?,
            "y" => total.months = total.months.checked_add(count.checked_mul(12)?)?,
            _ => return None,
        }
    }
    (!text.trim().is_empty()).then_some(total)
}

fn weekday(text: &str) -> Option<u8> {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let place = DAYS.iter().position(|day| day.eq_ignore_ascii_case(text))?;
    u8::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_may_be_the_first_part_of_a_timestamp() {
        assert_eq!(date("1970-01-02"), Some(1));
        assert_eq!(date("2026-03-02T23:30:00+01:00"), Some(20_514));
        assert_eq!(date("2026-03-02"), Some(20_514));
        assert_eq!(date("2026-02-30"), None);
        assert_eq!(date("2026-03-02 or so"), None);
        assert_eq!(date("2026-03"), None);
        assert_eq!(date("02/03/2026"), None);
    }

    #[test]
    fn durations_and_weekdays() {
        assert_eq!(duration("1d 12h"), Some(Duration { months: 0, days: 1, millis: 43_200_000 }));
        assert_eq!(duration("6mo"), Some(Duration { months: 6, days: 0, millis: 0 }));
        assert_eq!(duration("soon"), None);
        assert_eq!(duration("5"), None);
        assert_eq!(weekday("Monday"), Some(0));
    }

    #[test]
    fn says_what_came() {
        assert_eq!(found("\"12\""), "the text \"12\"");
        assert_eq!(found("7"), "the number 7");
        assert_eq!(found("[1]"), "a list");
        assert_eq!(found("true"), "true");
        let misfit = Misfit::new("a number", found("\"12\"")).below("value").below("properties");
        assert_eq!(misfit.to_string(), "properties.value: expected a number, found the text \"12\"");
    }
}
