//! A minimal reader of Segment-spec lines: what the oracle needs, and nothing besides.

use crate::person::{Fields, Input};
use crate::project::Project;
use flow_grammar::ast::{FieldDecl, TypeExpr, TypeKind};
use flow_runtime::calendar;
use flow_runtime::vm::value::Value;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::str::FromStr;

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// Something about a person.
    Input { id: String, time: i64, input: Input },
    /// The first is known as the second from now on; and perhaps something more.
    Join { anonymous: String, known: String, time: i64, input: Option<Input> },
    /// Nothing but that time passed.
    Clock(i64),
    /// Nothing.
    Nothing,
}

/// Reads lines in order of arrival.
#[derive(Default)]
pub struct Reader {
    seen: BTreeSet<String>,
}

impl Reader {
    pub fn read(&mut self, project: &Project, line: &str) -> Line {
        let json: Json = serde_json::from_str(line).expect("a line is JSON");
        let text = |name: &str| json.get(name).and_then(Json::as_str).map(str::to_owned);
        if text("messageId").is_some_and(|id| !self.seen.insert(id)) {
            return Line::Nothing;
        }
        let Some(time) = text("timestamp").and_then(|t| calendar::parse_instant(&t)) else { return Line::Nothing };
        let (user, anonymous) = (text("userId"), text("anonymousId"));
        let Some(id) = user.clone().or(anonymous.clone()) else { return Line::Nothing };
        let kind = text("type").expect("a type");
        let mut inputs = Vec::new();
        let preferences = json.pointer("/context/consent/categoryPreferences");
        let nothing = Json::Null;
        let traits = json.get("traits").unwrap_or(&nothing);
        consents(preferences, &mut inputs);
        consents(traits.get("consent"), &mut inputs);
        match kind.as_str() {
            "identify" | "group" => match attributes(project, traits) {
                None => return Line::Clock(time),
                Some(values) if values.is_empty() => {}
                Some(values) => inputs.push(Input::Attributes(values)),
            },
            "track" => match track(project, &text("event").unwrap_or_default(), time, json.get("properties")) {
                None => return Line::Clock(time),
                Some(input) => inputs.push(input),
            },
            "list" => inputs.push(Input::List(text("name").expect("a list has a name"))),
            "alias" => {
                let anonymous = text("previousId").expect("an alias has a previous id");
                return Line::Join { anonymous, known: id, time, input: None };
            }
            other => panic!("the oracle does not read `{other}`"),
        }
        let input = if inputs.len() == 1 { inputs.remove(0) } else { Input::Several(inputs) };
        match (kind.as_str(), user, anonymous) {
            ("identify", Some(known), Some(anonymous)) => Line::Join { anonymous, known, time, input: Some(input) },
            _ => Line::Input { id, time, input },
        }
    }
}

fn consents(preferences: Option<&Json>, inputs: &mut Vec<Input>) {
    for (topic, given) in preferences.and_then(Json::as_object).into_iter().flatten() {
        if let Some(given) = given.as_bool() {
            inputs.push(Input::Consent { topic: Some(topic.clone()), given });
        }
    }
}

fn attributes(project: &Project, traits: &Json) -> Option<Vec<(String, Value)>> {
    let mut values = Vec::new();
    for (name, field) in &project.attributes {
        if let Some(json) = traits.get(wire(field)) {
            let value = if json.is_null() { Value::Missing } else { convert(project, json, &field.ty)? };
            values.push((name.clone(), value));
        }
    }
    Some(values)
}

fn wire(field: &FieldDecl) -> &str {
    field.wire.as_ref().map_or(&field.name.text, |w| &w.value)
}

fn track(project: &Project, name: &str, time: i64, properties: Option<&Json>) -> Option<Input> {
    let nothing = Json::Null;
    let properties = properties.unwrap_or(&nothing);
    let text = |name: &str| properties.get(name).and_then(Json::as_str).map(str::to_owned);
    if let Some(declared) = project.events.values().find(|e| e.wire.as_ref().map_or(&e.name.text, |w| &w.value) == name)
    {
        let mut fields = Fields::new();
        for field in &declared.fields {
            let value = match properties.get(wire(field)) {
                None | Some(Json::Null) if field.ty.optional => Value::Missing,
                None | Some(Json::Null) => return None,
                Some(json) => convert(project, json, &field.ty)?,
            };
            fields.insert(field.name.text.clone(), value);
        }
        return Some(Input::Event { event: declared.name.text.clone(), time, fields });
    }
    if name == "location" && !project.fences.is_empty() {
        let degrees = |name: &str| properties.get(name).and_then(number).map(Value::Number);
        let fields = [("lat".to_owned(), degrees("lat")?), ("lon".to_owned(), degrees("lon")?)];
        return Some(Input::Event { event: name.to_owned(), time, fields: fields.into() });
    }
    let words = name.to_lowercase().replace(['.', '_'], " ");
    if words == "unsubscribed" || words == "subscribed" {
        let given = words == "subscribed";
        return Some(match (text("topic"), text("channel")) {
            (None, Some(channel)) => Input::Suppress { channel, suppressed: !given },
            (topic, _) => Input::Consent { topic, given },
        });
    }
    for channel in project.channels.keys() {
        let Some(outcome) = words.strip_prefix(&channel.replace('_', " ")).and_then(|w| w.strip_prefix(' ')) else {
            continue;
        };
        let outcome = match outcome {
            "link clicked" => "clicked",
            "marked as spam" => "complained",
            "delivered" | "opened" | "clicked" | "bounced" | "replied" | "complained" | "unsubscribed" => outcome,
            _ => continue,
        };
        return Some(Input::Outcome {
            channel: channel.clone(),
            outcome: outcome.to_owned(),
            template: text("template"),
            soft: text("type").as_deref() == Some("soft"),
            time,
        });
    }
    if project.declared {
        return None;
    }
    let fields = properties.as_object().into_iter().flatten().map(|(n, v)| (n.clone(), guess(v))).collect();
    Some(Input::Event { event: name.to_owned(), time, fields })
}

fn number(json: &Json) -> Option<rust_decimal::Decimal> {
    json.as_number().and_then(|n| rust_decimal::Decimal::from_str(&n.to_string()).ok())
}

fn guess(json: &Json) -> Value {
    match json {
        Json::Bool(value) => Value::Bool(*value),
        Json::String(value) => Value::text(value),
        Json::Number(n) => n.as_i64().map_or_else(|| number(json).map_or(Value::Missing, Value::Number), Value::Int),
        _ => Value::Missing,
    }
}

fn convert(project: &Project, json: &Json, ty: &TypeExpr) -> Option<Value> {
    let text = json.as_str();
    match &ty.kind {
        TypeKind::Text | TypeKind::Email | TypeKind::Phone | TypeKind::Url => text.map(Value::text),
        TypeKind::Int => json.as_i64().map(Value::Int),
        TypeKind::Number => number(json).map(Value::Number),
        TypeKind::Bool => json.as_bool().map(Value::Bool),
        TypeKind::Date => calendar::parse_date(text?).map(Value::Date),
        TypeKind::Time => calendar::parse_time(text?).map(Value::Time),
        TypeKind::DateTime => calendar::parse_instant(text?).map(Value::Instant),
        TypeKind::Timezone => project.zones.get(text?).map(|_| Value::text(text.unwrap_or_default())),
        TypeKind::OneOf(options) => {
            options.iter().any(|o| Some(o.value.as_str()) == text).then(|| Value::text(text.unwrap_or_default()))
        }
        TypeKind::List(item) => json
            .as_array()?
            .iter()
            .map(|j| convert(project, j, item))
            .collect::<Option<Vec<_>>>()
            .map(|v| Value::List(v.into())),
        other => panic!("the oracle does not read {other:?}"),
    }
}
