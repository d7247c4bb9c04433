//! One JSON object a line.

use super::Shown;
use crate::sources::Sources;
use flow_grammar::span::Span;
use serde_json::{json, Map, Value};

pub(super) fn render(shown: &[Shown<'_>]) -> String {
    shown.iter().map(|one| object(one).to_string() + "\n").collect()
}

fn object(one: &Shown<'_>) -> Value {
    let (found, sources) = (one.found, one.sources);
    let mut object = place(sources, found.span);
    object.insert("code".to_owned(), json!(found.code));
    object.insert("severity".to_owned(), json!(found.severity));
    object.insert("message".to_owned(), json!(found.message));
    object.insert("help".to_owned(), json!(found.help));
    let labels = found.labels.iter().map(|label| with(place(sources, label.span), "text", &label.text));
    object.insert("labels".to_owned(), labels.collect());
    let fix = found.fix.as_ref().map(|fix| {
        let edits = fix.edits.iter().map(|(span, text)| with(place(sources, *span), "replacement", text));
        json!({ "title": fix.title, "edits": edits.collect::<Vec<_>>() })
    });
    object.insert("fix".to_owned(), json!(fix));
    Value::Object(object)
}

fn with(mut object: Map<String, Value>, key: &str, text: &str) -> Value {
    object.insert(key.to_owned(), json!(text));
    Value::Object(object)
}

/// Lines and columns from 1, columns in characters; offsets in bytes of UTF-8.
fn place(sources: &Sources<'_>, span: Span) -> Map<String, Value> {
    let (start, end) = (sources.place(span.file, span.start), sources.place(span.file, span.end));
    let pairs = [
        ("path", json!(sources.path(span.file))),
        ("line", json!(start.line)),
        ("column", json!(start.column)),
        ("endLine", json!(end.line)),
        ("endColumn", json!(end.column)),
        ("start", json!(span.start)),
        ("end", json!(span.end)),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
