//! Values as JSON.

use super::super::compare;
use super::super::data::Data;
use jiff::tz::TimeZone;

/// Appends a value as JSON. `<`, `>` and `&` in texts are written so that a script in a page can hold it.
pub(super) fn push(out: &mut String, data: &Data<'_>, zone: &TimeZone) {
    match data {
        Data::Nil | Data::Blank | Data::Empty => out.push_str("null"),
        Data::Bool(_) | Data::Int(_) | Data::Number(_) => compare::push(out, data, zone),
        Data::List(list) => push_all(out, (0..list.len()).map(|at| list.at(at)), zone),
        Data::Range(from, to) => push_text(out, &format!("{from}..{to}")),
        Data::Object(object) => push_named(out, object.entries(), zone),
        Data::Record(record) => push_named(out, record.entries(), zone),
        Data::Text(_) | Data::Moment(_) => push_text(out, &compare::text_of(data, zone)),
    }
}

fn push_all<'a>(out: &mut String, values: impl Iterator<Item = Data<'a>>, zone: &TimeZone) {
    out.push('[');
    for (at, value) in values.enumerate() {
        if at > 0 {
            out.push(',');
        }
        push(out, &value, zone);
    }
    out.push(']');
}

fn push_named(out: &mut String, entries: Vec<(&str, Data<'_>)>, zone: &TimeZone) {
    out.push('{');
    for (at, (name, value)) in entries.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_text(out, name);
        out.push(':');
        push(out, value, zone);
    }
    out.push('}');
}

fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{0}'..='\u{1f}' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
