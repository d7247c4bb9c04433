//! From the body of a request to lines for the journal: Segment's tracking API, as its SDKs really send it.
//!
//! A line is a call as `flowc run` reads it, with one time: when it happened, by the server's clock. A sender's clock may
//! be wrong; where it says when it sent the call, that tells by how much
//! (`timestamp = receivedAt − (sentAt − originalTimestamp)`). Nothing happens after its receipt.
//!
//! What all this means is here, with `serde_json`; batches of the usual form take a way that is shorter, and gives the same ([`short`]).

mod short;

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

/// So much of a call that is too long is kept, to find it by.
const SHOWN: usize = 1_000;
/// Some editors begin a file with it.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Whose times these are.
#[derive(Clone, Copy, Debug)]
enum Clock {
    /// A sender's, which may say when it sent the whole: then it can be put right.
    Sender(Option<i64>),
    /// A file's: for how long a line has lain there nobody knows.
    Log,
}

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
    if kind == Kind::Batch {
        if let Some(accepted) = short::batch(body, received) {
            return Ok(accepted);
        }
    }
    read_any(kind, body, received)
}

/// The long way, which takes whatever JSON can say.
fn read_any(kind: Kind, body: &[u8], received: i64) -> Result<Accepted, Refused> {
    let whole: Object<'_> =
        serde_json::from_slice(body).map_err(|error| Refused(format!("the body is no JSON object: {error}")))?;
    let mut accepted = Accepted::default();
    match kind {
        Kind::One(kind) => {
            if body.len() > LONGEST_CALL {
                return Err(too_long(0));
            }
            push(&mut accepted, &whole, Some(kind), Clock::Sender(None), received);
        }
        Kind::Batch => {
            let sender = Clock::Sender(whole.instant("sentAt"));
            let list = whole.get("batch").map_or("null", RawValue::get);
            let calls: Vec<&RawValue> =
                serde_json::from_str(list).map_err(|_| Refused("`batch` is no list".to_owned()))?;
            if calls.len() > MOST_CALLS {
                return Err(Refused(format!("the batch has more than {MOST_CALLS} calls")));
            }
            for (place, call) in calls.into_iter().enumerate() {
                if call.get().len() > LONGEST_CALL {
                    return Err(too_long(place));
                }
                one(&mut accepted, call.get(), sender, received);
            }
        }
    }
    Ok(accepted)
}

/// Reads whole lines of a file that is followed, or of standard input, at an instant. Each is a call, a list of calls, or a batch.
/// Nothing is refused: what is no call is set aside, and told, where it is taken.
#[must_use]
pub fn lines(bytes: &[u8], received: i64) -> Accepted {
    let mut accepted = Accepted::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        let line = line.strip_prefix(MARK).unwrap_or(line);
        match std::str::from_utf8(line) {
            Ok("") => {}
            Ok(text) => match several(text) {
                Some(calls) => {
                    calls.into_iter().for_each(|call| one(&mut accepted, call.get(), Clock::Log, received));
                }
                None => one(&mut accepted, text, Clock::Log, received),
            },
            Err(_) => push_line(&mut accepted, |out| flat(out, line.get(..LONGEST_CALL).unwrap_or(line))),
        }
    }
    accepted
}

/// The calls of a line that holds several.
fn several(text: &str) -> Option<Vec<&RawValue>> {
    if text.starts_with('[') {
        return serde_json::from_str(text).ok();
    }
    // Looked for before it is parsed: nearly all lines are one call.
    memchr::memmem::find(text.as_bytes(), b"\"batch\"")?;
    let whole: Object<'_> = serde_json::from_str(text).ok()?;
    serde_json::from_str(whole.get("batch")?.get()).ok()
}

/// Appends one call, or what stands in its place.
fn one(accepted: &mut Accepted, json: &str, clock: Clock, received: i64) {
    if json.len() > LONGEST_CALL {
        let mut end = SHOWN;
        while !json.is_char_boundary(end) {
            end -= 1;
        }
        let shown = json.get(..end).unwrap_or_default();
        let text = format!("a call that is longer than {} KB: {shown}…", LONGEST_CALL >> 10);
        return push_line(accepted, |line| push_json_text(line, &text));
    }
    match serde_json::from_str::<Object<'_>>(json) {
        Ok(call) => push(accepted, &call, None, clock, received),
        // A list would be taken apart where it is taken, and nobody would have looked at the times in it.
        Err(_) if json.starts_with('[') => push_line(accepted, |line| push_json_text(line, json)),
        // It is set aside, and told, where it is taken.
        Err(_) => push_line(accepted, |line| flat(line, json.as_bytes())),
    }
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
fn push(accepted: &mut Accepted, call: &Object<'_>, kind: Option<&str>, clock: Clock, received: i64) {
    let unreadable = ["timestamp", "originalTimestamp"]
        .into_iter()
        .any(|name| call.get(name).is_some() && call.instant(name).is_none());
    let time = happened(call, clock, received);
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
                // A batch in a call would be taken apart where it is taken, and nobody would have looked at its times.
                "receivedAt" | "sentAt" | "writeKey" | "batch" => true,
                "type" => kind.is_some(),
                "timestamp" | "originalTimestamp" => !unreadable,
                _ => false,
            };
            if !skip {
                line.push(b',');
                push_json_text(line, key);
                line.push(b':');
                flat(line, value.get().as_bytes());
            }
        }
        // RudderStack's SDKs put what they know of a person into the context alone.
        let context = call.get("context").filter(|_| call.get("traits").is_none() && is_identify(call, kind));
        let context = context.and_then(|context| serde_json::from_str::<Object<'_>>(context.get()).ok());
        if let Some(traits) = context.and_then(|context| context.get("traits")) {
            line.extend_from_slice(b",\"traits\":");
            flat(line, traits.get().as_bytes());
        }
        line.push(b'}');
    });
}

fn is_identify(call: &Object<'_>, kind: Option<&str>) -> bool {
    kind.map_or_else(|| call.text("type").as_deref() == Some("identify"), |kind| kind == "identify")
}

/// When it happened, by the server's clock.
fn happened(call: &Object<'_>, clock: Clock, received: i64) -> i64 {
    let said = || call.instant("timestamp").or_else(|| call.instant("originalTimestamp"));
    let time = match clock {
        Clock::Log => said().or_else(|| call.instant("receivedAt")),
        Clock::Sender(sent) => {
            let sent = call.instant("sentAt").or(sent);
            put_right(sent, call.instant("originalTimestamp"), call.instant("timestamp"), received)
        }
    };
    time.unwrap_or(received).min(received)
}

/// The time of a call by the server's clock, of what its sender's said.
fn put_right(sent: Option<i64>, original: Option<i64>, stamp: Option<i64>, received: i64) -> Option<i64> {
    match sent {
        Some(sent) => original.or(stamp).map(|original| received.saturating_sub(sent.saturating_sub(original))),
        None => stamp.or(original),
    }
}

/// JSON on one line: a line break outside of texts is but a blank, and inside of them there is none.
fn flat(line: &mut Vec<u8>, json: &[u8]) {
    if memchr::memchr2(b'\n', b'\r', json).is_none() {
        line.extend_from_slice(json);
        return;
    }
    line.extend(json.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
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
    fn nothing_is_later_than_its_receipt_however_it_is_wrapped() {
        let call = r#"{"type":"track","event":"A","userId":"u","timestamp":"2999-01-01T00:00:00Z"}"#;
        let bodies = [
            format!("{{\"batch\":[{call}]}}"),
            format!("{{\"batch\":[[{call}]]}}"),
            format!("{{\"batch\":[{{\"batch\":[{call}]}}]}}"),
            format!("{{\"batch\":[{{\"b\\u0061tch\":[{call}]}}]}}"),
        ];
        let program = flow_compiler::compile::compile(&flow_compiler::compile::ProjectInput {
            files: vec![flow_compiler::compile::SourceFile { path: "a.flow".into(), text: "event A\n".into() }],
            ..Default::default()
        });
        let zones = std::sync::Arc::new(flow_runtime::calendar::Zones::bundled());
        let schema = flow_runtime::ingest::schema::Schema::new(&program.program.unwrap(), zones);
        for body in bodies {
            let one = read(Kind::Batch, body.as_bytes(), NOW).unwrap().lines;
            for lines in [one, super::lines(body.as_bytes(), NOW).lines] {
                let block = flow_runtime::ingest::segment::read(&schema, &lines);
                let times: Vec<i64> = block.records.iter().map(|record| record.time).collect();
                assert!(times.iter().all(|time| *time <= NOW), "{body}: {times:?}");
            }
        }
    }

    #[test]
    fn a_line_of_a_file_has_the_time_that_it_says() {
        let line = |text: &str| String::from_utf8(super::lines(text.as_bytes(), NOW).lines).unwrap();
        let sent = r#""sentAt":"2026-03-02T09:30:00Z","receivedAt":"2026-03-02T09:31:00Z""#;
        let said = line(&format!("{{\"type\":\"track\",\"timestamp\":\"2026-03-02T09:00:00Z\",{sent}}}\r\n"));
        assert!(said.contains(r#""timestamp":"2026-03-02T09:00:00.000Z""#), "{said}");
        assert!(line(&format!("{{{sent}}}")).contains(r#""timestamp":"2026-03-02T09:31:00.000Z""#));
        assert!(line("\u{feff}{}").contains(r#""timestamp":"2026-03-02T10:00:00.000Z""#));
        assert_eq!(line("[{},{}]\n\n{\"batch\":[{},{},7]}\n").lines().count(), 5);
        assert_eq!(
            line(&"x".repeat(LONGEST_CALL + 1)).len(),
            SHOWN + "\"a call that is longer than 32 KB: …\"\n".len()
        );
        assert_eq!(super::lines(b"{\"a\":\n\xff\xfe\n", NOW).lines, b"{\"a\":\n\xff\xfe\n");
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
            let accepted = super::lines(&body, NOW);
            prop_assert_eq!(accepted.lines.iter().filter(|byte| **byte == b'\n').count(), accepted.calls);
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
