//! SARIF 2.1.0 (OASIS Standard, 27 March 2020), as code scanning reads it.

use super::{word, Shown};
use crate::sources::Sources;
use flow_compiler::{codes, explain};
use flow_grammar::span::{FileId, Span};
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What is found, and what the source allows with a reason, which is marked as suppressed.
pub(super) fn render(shown: &[Shown<'_>], allowed: &[(Shown<'_>, &str)]) -> String {
    let found: BTreeSet<&str> =
        shown.iter().chain(allowed.iter().map(|(one, _)| one)).map(|one| one.found.code).collect();
    let rules: Vec<&str> = found.into_iter().collect();
    let results = shown.iter().map(|one| result(one, &rules, None));
    let suppressed = allowed.iter().map(|(one, reason)| result(one, &rules, Some(reason)));
    let document = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "flowc",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            } },
            // As in every other view, a column is a character.
            "columnKind": "unicodeCodePoints",
            "results": results.chain(suppressed).collect::<Vec<_>>(),
        }],
    });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn rule(code: &str) -> Value {
    let title = codes::all().into_iter().find(|(known, _)| *known == code).map_or("", |(_, title)| title);
    let page = explain::page(code).unwrap_or_default();
    json!({
        "id": code,
        "shortDescription": { "text": title },
        "help": { "text": explain::plain(page), "markdown": page },
        "defaultConfiguration": { "level": word(codes::severity(code)) },
    })
}

fn result(one: &Shown<'_>, rules: &[&str], reason: Option<&str>) -> Value {
    let (found, sources) = (one.found, one.sources);
    let text = match found.advice() {
        Some(help) => format!("{}\n{help}", found.message),
        None => found.message.clone(),
    };
    let mut result = json!({
        "ruleId": found.code,
        "ruleIndex": rules.iter().position(|code| *code == found.code),
        "level": word(found.severity),
        "message": { "text": text },
        "locations": [{ "physicalLocation": location(sources, found.span) }],
    });
    let Some(object) = result.as_object_mut() else { return result };
    if !found.labels.is_empty() {
        let related = found.labels.iter().map(
            |label| json!({ "physicalLocation": location(sources, label.span), "message": { "text": label.text } }),
        );
        object.insert("relatedLocations".to_owned(), related.collect());
    }
    if let Some(fix) = &found.fix {
        let mut files: BTreeMap<FileId, Vec<Value>> = BTreeMap::new();
        for (span, text) in &fix.edits {
            let change = json!({ "deletedRegion": region(sources, *span), "insertedContent": { "text": text } });
            files.entry(span.file).or_default().push(change);
        }
        let changes: Vec<Value> = files
            .into_iter()
            .map(|(file, replacements)| json!({ "artifactLocation": artifact(sources, file), "replacements": replacements }))
            .collect();
        object
            .insert("fixes".to_owned(), json!([{ "description": { "text": fix.title }, "artifactChanges": changes }]));
    }
    if let Some(reason) = reason {
        object.insert("suppressions".to_owned(), json!([{ "kind": "inSource", "justification": reason }]));
    }
    result
}

fn location(sources: &Sources<'_>, span: Span) -> Value {
    json!({ "artifactLocation": artifact(sources, span.file), "region": region(sources, span) })
}

fn artifact(sources: &Sources<'_>, file: FileId) -> Value {
    json!({ "uri": uri(sources.path(file)) })
}

/// Lines and columns from 1; the end is the first column behind the region.
fn region(sources: &Sources<'_>, span: Span) -> Value {
    let (start, end) = (sources.place(span.file, span.start), sources.place(span.file, span.end));
    json!({ "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column })
}

/// A path as a reference relative to where flowc ran (RFC 3986: what is not unreserved is escaped).
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}
