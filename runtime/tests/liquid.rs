//! Liquid by its documented meaning: the table `liquid/cases.jsonl`, line by line.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use flow_runtime::calendar::{parse_instant, Zones};
use flow_runtime::render::{render, Context, Template, Templates};
use serde_json::{Map, Value};

fn text<'c>(case: &'c Value, key: &str, or: &'c str) -> &'c str {
    case.get(key).and_then(Value::as_str).unwrap_or(or)
}

fn run(case: &Value) -> Result<String, String> {
    let mut templates = Templates::new();
    for (name, source) in case.get("files").and_then(Value::as_object).into_iter().flatten() {
        let part = Template::compile(name, source.as_str().unwrap()).map_err(|problems| format!("{problems:?}"))?;
        templates.add_part(name, part);
    }
    let template = Template::compile("case", text(case, "template", "")).map_err(|problems| format!("{problems:?}"))?;
    let zone = Zones::bundled().get(text(case, "zone", "UTC")).unwrap();
    let context = Context {
        now: parse_instant(text(case, "now", "2026-11-27T12:00:00Z")).unwrap(),
        zone: &zone,
        locale: text(case, "locale", ""),
        escape: case.get("escape").is_some(),
    };
    let data: &Map<String, Value> = case["data"].as_object().unwrap();
    Ok(render(&template, &templates, data, &context).map_err(|error| error.to_string())?.body)
}

#[test]
fn every_case_gives_what_is_documented() {
    let table = include_str!("liquid/cases.jsonl");
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in table.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        count += 1;
        let found = run(&case);
        let wanted = text(&case, "expected", "");
        if found.as_deref() != Ok(wanted) {
            wrong.push(format!("{}\n  wanted {wanted:?}\n  found  {found:?}", text(&case, "template", "")));
        }
    }
    assert!(count >= 300, "only {count} cases");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
