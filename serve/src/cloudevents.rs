//! CloudEvents 1.0 as calls: the event's `type` is the name of a `track`, its `subject` the person, its `data` the properties.
//! The person may also stand in the extension `userid` or in the data as `userId` or `user_id`.

use crate::accept::{self, Accepted, Kind, Refused};
use axum::http::{header, HeaderMap};
use serde_json::{json, Map, Value};

/// Reads one event or a batch, structured or binary.
///
/// # Errors
/// When it is none, or too long.
pub fn read(headers: &HeaderMap, body: &[u8], received: i64) -> Result<Accepted, Refused> {
    let kind = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase();
    let no_json = |error: serde_json::Error| Refused(format!("the body is no JSON: {error}"));
    let events = if kind.starts_with("application/cloudevents-batch+json") {
        serde_json::from_slice::<Vec<Map<String, Value>>>(body).map_err(no_json)?
    } else if kind.starts_with("application/cloudevents") {
        vec![serde_json::from_slice(body).map_err(no_json)?]
    } else if headers.contains_key("ce-type") {
        vec![binary(headers, body).map_err(no_json)?]
    } else {
        return Err(Refused(
            "this is no CloudEvent: neither its content type nor a `ce-type` header says so".to_owned(),
        ));
    };
    let calls: Vec<Value> = events.into_iter().map(call).collect::<Result<_, _>>()?;
    let batch = json!({ "batch": calls }).to_string();
    accept::read(Kind::Batch, batch.as_bytes(), received)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn binary(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    let mut event = Map::new();
    for name in headers.keys().filter_map(|name| name.as_str().strip_prefix("ce-")) {
        if let Some(value) = text(headers, &format!("ce-{name}")) {
            event.insert(name.to_owned(), value.into());
        }
    }
    if !body.is_empty() {
        event.insert("data".to_owned(), serde_json::from_slice(body)?);
    }
    Ok(event)
}

fn call(mut event: Map<String, Value>) -> Result<Value, Refused> {
    let mut take = |name: &str| event.remove(name).filter(|value| !value.is_null());
    let needs = |name: &str| Refused(format!("a CloudEvent needs `{name}`"));
    if take("specversion").as_ref().and_then(Value::as_str) != Some("1.0") {
        return Err(Refused("a CloudEvent of another version than 1.0".to_owned()));
    }
    let (id, source) = (take("id").ok_or_else(|| needs("id"))?, take("source").ok_or_else(|| needs("source"))?);
    let name = take("type").ok_or_else(|| needs("type"))?;
    let data = take("data").unwrap_or_else(|| json!({}));
    let user = take("userid").or_else(|| take("subject"));
    let user = user.or_else(|| data.get("userId").or_else(|| data.get("user_id")).cloned());
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut call = json!({
        "type": "track",
        "event": name,
        // The pair of source and id is what makes an event unique.
        "messageId": format!("{} {}", word(&source), word(&id)),
        "properties": data,
    });
    if let Some(call) = call.as_object_mut() {
        call.extend(user.map(|user| ("userId".to_owned(), user)));
        call.extend(take("time").map(|time| ("timestamp".to_owned(), time)));
    }
    Ok(call)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_772_445_600_000;
    const WANTED: &str = r#"{"receivedAt":"2026-03-02T10:00:00.000Z","timestamp":"2026-03-02T09:00:00.000Z","event":"order.completed","messageId":"/shop 7","properties":{"value":3},"type":"track","userId":"u1"}"#;

    fn lines(headers: &[(&'static str, &'static str)], body: &str) -> Result<String, String> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let accepted = read(&headers, body.as_bytes(), NOW).map_err(|refused| refused.0)?;
        Ok(String::from_utf8(accepted.lines).unwrap())
    }

    #[test]
    fn structured_and_binary_are_the_same_call() {
        let event = r#"{"specversion":"1.0","id":"7","source":"/shop","type":"order.completed","subject":"u1","time":"2026-03-02T09:00:00Z","data":{"value":3}}"#;
        let structured = lines(&[("content-type", "application/cloudevents+json; charset=utf-8")], event).unwrap();
        assert_eq!(structured, format!("{WANTED}\n"));
        let batch = lines(&[("content-type", "application/cloudevents-batch+json")], &format!("[{event},{event}]"));
        assert_eq!(batch.unwrap(), format!("{WANTED}\n{WANTED}\n"));
        let heads = [
            ("content-type", "application/json"),
            ("ce-specversion", "1.0"),
            ("ce-id", "7"),
            ("ce-source", "/shop"),
            ("ce-type", "order.completed"),
            ("ce-subject", "u1"),
            ("ce-time", "2026-03-02T09:00:00Z"),
        ];
        assert_eq!(lines(&heads, r#"{"value":3}"#).unwrap(), format!("{WANTED}\n"));
    }

    #[test]
    fn what_is_none_is_refused() {
        let structured = [("content-type", "application/cloudevents+json")];
        assert!(lines(&[], "{}").unwrap_err().starts_with("this is no CloudEvent"));
        assert!(lines(&structured, "{}").unwrap_err().contains("another version"));
        assert_eq!(lines(&structured, r#"{"specversion":"1.0"}"#).unwrap_err(), "a CloudEvent needs `id`");
        assert!(lines(&structured, "nothing").unwrap_err().starts_with("the body is no JSON"));
    }
}
