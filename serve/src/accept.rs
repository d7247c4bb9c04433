//! From the body of a request to lines for the journal: Segment's tracking API, as its SDKs really send it.
//!
//! A line is a call as `flowc run` reads it, with one time: when it happened, by the server's clock. A sender's clock may
//! be wrong; where it says when it sent the call, that tells by how much
//! (`timestamp = receivedAt − (sentAt − originalTimestamp)`). Nothing happens after its receipt.

use flow_runtime::calendar::{parse_instant, write_instant};
use flow_runtime::vm::text::push_json_text;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The longest body, unpacked.
pub const LONGEST_BODY: usize = 500 << 10;
/// The longest call.
pub const LONGEST_CALL: usize = 32 << 10;
/// The most calls in a batch.
pub const MOST_CALLS: usize = 2_500;

/// What a request holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One call, of the type that the address names.
    One(&'static str),
    /// Several calls, each with its type.
    Batch,
}

impl Kind {
    /// Of the last part of the address, `/v1/<name>`.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "batch" | "import" => Some(Self::Batch),
            "t" => Some(Self::One("track")),
            "p" => Some(Self::One("page")),
            "i" => Some(Self::One("identify")),
            _ => ["track", "identify", "alias", "group", "page", "screen"]
                .into_iter()
                .find(|kind| *kind == name)
                .map(Self::One),
        }
    }
}

/// Calls that can be taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// One call a line.
    pub lines: Vec<u8>,
    /// How many.
    pub calls: usize,
}

/// Why a body cannot be taken: the sender is at fault, and sending it again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

type Member<'a> = (Cow<'a, str>, &'a RawValue);

/// The members of an object, in their order.
struct Object<'a>(Vec<Member<'a>>);

impl<'de> serde::Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(12);
                while let Some(Key(key)) = map.next_key()? {
                    members.push((key, map.next_value()?));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Object<'a> {
    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(key, value)| key == name && value.get() != "null").map(|(_, value)| *value)
    }

    fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    fn instant(&self, name: &str) -> Option<i64> {
        parse_instant(&self.text(name)?)
    }
}

/// The key that stands in a body, of which nothing else is read.
#[must_use]
pub fn write_key(body: &[u8]) -> Option<String> {
    let whole: Object<'_> = serde_json::from_slice(body).ok()?;
    whole.text("writeKey")
}

/// Reads a body that was received at an instant (milliseconds since 1970).
///
/// # Errors
/// When it is too long or no JSON. What is wrong with a single call is found out when it is taken, and told there.
pub fn read(kind: Kind, body: &[u8], received: i64) -> Result<Accepted, Refused> {
    if body.len() > LONGEST_BODY {
        return Err(Refused(format!("the body is longer than {} KB", LONGEST_BODY >> 10)));
    }
    let whole: Object<'_> =
        serde_json::from_slice(body).map_err(|error| Refused(format!("the body is no JSON object: {error}")))?;
    let mut accepted = Accepted::default();
    match kind {
        Kind::One(kind) => {
            if body.len() > LONGEST_CALL {
                return Err(too_long(0));
            }
            push(&mut accepted, &whole, Some(kind), None, received);
        }
        Kind::Batch => {
            let list = whole.get("batch").map_or("null", RawValue::get);
            let calls: Vec<&RawValue> =
                serde_json::from_str(list).map_err(|_| Refused("`batch` is no list".to_owned()))?;
            if calls.len() > MOST_CALLS {
                return Err(Refused(format!("the batch has more than {MOST_CALLS} calls")));
            }
            let sent = whole.instant("sentAt");
            for (place, call) in calls.into_iter().enumerate() {
                if call.get().len() > LONGEST_CALL {
                    return Err(too_long(place));
                }
                match serde_json::from_str::<Object<'_>>(call.get()) {
                    Ok(call) => push(&mut accepted, &call, None, sent, received),
                    // It is set aside, and told, where it is taken.
                    Err(_) => push_line(&mut accepted, |line| flat(line, call.get())),
                }
            }
        }
    }
    Ok(accepted)
}

fn too_long(place: usize) -> Refused {
    Refused(format!("call {place} is longer than {} KB", LONGEST_CALL >> 10))
}

fn push_line(accepted: &mut Accepted, write: impl FnOnce(&mut Vec<u8>)) {
    write(&mut accepted.lines);
    accepted.lines.push(b'\n');
    accepted.calls += 1;
}

/// Appends a call with its type and one time.
fn push(accepted: &mut Accepted, call: &Object<'_>, kind: Option<&str>, sent: Option<i64>, received: i64) {
    let unreadable = ["timestamp", "originalTimestamp"]
        .into_iter()
        .any(|name| call.get(name).is_some() && call.instant(name).is_none());
    let time = happened(call, sent, received);
    push_line(accepted, |line| {
        line.extend_from_slice(b"{\"receivedAt\":\"");
        write_instant(line, received);
        line.push(b'"');
        if let Some(kind) = kind {
            line.extend_from_slice(b",\"type\":");
            push_json_text(line, kind);
        }
        // A time that cannot be read is left as it is: it is the reason why the call is set aside.
        if !unreadable {
            line.extend_from_slice(b",\"timestamp\":\"");
            write_instant(line, time);
            line.push(b'"');
        }
        for (key, value) in &call.0 {
            let skip = match &**key {
                "receivedAt" | "sentAt" | "writeKey" => true,
                "type" => kind.is_some(),
                "timestamp" | "originalTimestamp" => !unreadable,
                _ => false,
            };
            if !skip {
                line.push(b',');
                push_json_text(line, key);
                line.push(b':');
                flat(line, value.get());
            }
        }
        // RudderStack's SDKs put what they know of a person into the context alone.
        let context = call.get("context").filter(|_| call.get("traits").is_none() && is_identify(call, kind));
        let context = context.and_then(|context| serde_json::from_str::<Object<'_>>(context.get()).ok());
        if let Some(traits) = context.and_then(|context| context.get("traits")) {
            line.extend_from_slice(b",\"traits\":");
            flat(line, traits.get());
        }
        line.push(b'}');
    });
}

fn is_identify(call: &Object<'_>, kind: Option<&str>) -> bool {
    kind.map_or_else(|| call.text("type").as_deref() == Some("identify"), |kind| kind == "identify")
}

/// When it happened, by the server's clock.
fn happened(call: &Object<'_>, sent: Option<i64>, received: i64) -> i64 {
    let original = call.instant("originalTimestamp").or_else(|| call.instant("timestamp"));
    let time = match (original, call.instant("sentAt").or(sent)) {
        (Some(original), Some(sent)) => received.saturating_sub(sent.saturating_sub(original)),
        (Some(_), None) => call.instant("timestamp").or(original).unwrap_or(received),
        (None, _) => received,
    };
    time.min(received)
}

/// JSON on one line: a line break outside of texts is but a blank, and inside of them there is none.
fn flat(line: &mut Vec<u8>, json: &str) {
    line.extend(json.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2026-03-02T10:00:00Z
    const NOW: i64 = 1_772_445_600_000;

    fn lines(kind: &str, body: &str) -> String {
        let accepted = read(Kind::of(kind).unwrap(), body.as_bytes(), NOW).unwrap();
        String::from_utf8(accepted.lines).unwrap()
    }

    #[test]
    fn the_address_says_the_type_and_the_receipt_the_time() {
        assert_eq!(
            lines("track", r#"{"event":"A","userId":"u","anonymousId":null,"writeKey":"k","type":"page"}"#),
            "{\"receivedAt\":\"2026-03-02T10:00:00.000Z\",\"type\":\"track\",\"timestamp\":\"2026-03-02T10:00:00.000Z\",\
             \"event\":\"A\",\"userId\":\"u\",\"anonymousId\":null}\n"
        );
    }

    #[test]
    fn a_wrong_clock_is_put_right() {
        let time = |body: &str| {
            let line = lines("batch", body);
            let at = line.find("\"timestamp\":\"").map(|at| at + 13).unwrap();
            line[at..at + 24].to_owned()
        };
        // An hour fast, and sent ten minutes after it happened: on the batch (Python), on the call (RudderStack), nowhere.
        let call = r#""type":"track","timestamp":"2026-03-02T10:50:00.123456+00:00""#;
        let sent = r#""sentAt":"2026-03-02T11:00:00.123Z""#;
        assert_eq!(time(&format!("{{\"batch\":[{{{call}}}],{sent}}}")), "2026-03-02T09:50:00.000Z");
        let original = r#""type":"track","originalTimestamp":"2026-03-02T10:50:00.123Z""#;
        assert_eq!(time(&format!("{{\"batch\":[{{{original},{sent}}}]}}")), "2026-03-02T09:50:00.000Z");
        assert_eq!(time(r#"{"batch":[{"timestamp":"2026-03-02T09:00:00Z"}]}"#), "2026-03-02T09:00:00.000Z");
        // Nothing happens after its receipt.
        assert_eq!(time(&format!("{{\"batch\":[{{{call}}}]}}")), "2026-03-02T10:00:00.000Z");
    }

    #[test]
    fn what_cannot_be_read_is_left_for_the_reason() {
        let line = lines("track", r#"{"event":"A","timestamp":"yesterday"}"#);
        assert!(line.contains(r#","timestamp":"yesterday"}"#), "{line}");
        assert_eq!(lines("batch", "{\"batch\":[7,{\"event\":\n\"A\"}]}").lines().count(), 2);
    }

    #[test]
    fn what_is_known_of_a_person_may_stand_in_the_context() {
        let line = lines("batch", r#"{"batch":[{"type":"identify","traits":null,"context":{"traits":{"a":1}}}]}"#);
        assert!(line.ends_with(",\"context\":{\"traits\":{\"a\":1}},\"traits\":{\"a\":1}}\n"), "{line}");
        let line = lines("track", r#"{"event":"A","context":{"traits":{"a":1}}}"#);
        assert!(line.ends_with(",\"context\":{\"traits\":{\"a\":1}}}\n"), "{line}");
    }

    #[test]
    fn too_much_is_refused() {
        let refused = |kind: &str, body: String| read(Kind::of(kind).unwrap(), body.as_bytes(), NOW).unwrap_err().0;
        let long = "x".repeat(LONGEST_CALL);
        assert_eq!(refused("track", format!("{{\"a\":\"{long}\"}}")), "call 0 is longer than 32 KB");
        assert_eq!(
            refused("batch", format!("{{\"batch\":[{{}},{{\"a\":\"{long}\"}}]}}")),
            "call 1 is longer than 32 KB"
        );
        assert_eq!(refused("batch", "x".repeat(LONGEST_BODY + 1)), "the body is longer than 500 KB");
        assert_eq!(
            refused("batch", format!("{{\"batch\":[{}0]}}", "0,".repeat(2_500))),
            "the batch has more than 2500 calls"
        );
        assert_eq!(refused("batch", "{}".into()), "`batch` is no list");
        assert!(refused("track", "[1]".into()).starts_with("the body is no JSON object"));
        assert!(
            refused("track", format!("{}{}", "[".repeat(9_000), "]".repeat(9_000))).starts_with("the body is no JSON")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_lines_or_refused(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(Kind::Batch, &body, NOW);
        }

        #[test]
        fn a_line_stays_a_line(text in any::<String>(), key in any::<String>()) {
            let call = serde_json::json!({ "event": text, key: [text, { "x": text }] });
            let body = serde_json::to_string_pretty(&serde_json::json!({ "batch": [call] })).unwrap();
            if body.len() < LONGEST_CALL {
                let lines = lines("batch", &body);
                prop_assert_eq!(lines.matches('\n').count(), 1);
                let back: serde_json::Value = serde_json::from_str(&lines).unwrap();
                prop_assert_eq!(&back["event"], &call["event"]);
            }
        }
    }
}
