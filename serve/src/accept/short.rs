//! The short way through a batch: one pass over its bytes, in which each call is found, judged, and kept as it stands but for its
//! times.
//!
//! There is one meaning of a batch, and it is not here: [`super::read_any`] has it. Whatever this file is not certain of it leaves
//! alone: one call, or by giving none all of them. What it does take, it takes as the long way would; a property test holds the
//! two together.

use super::{flat, one, put_right, Accepted, Clock, LONGEST_CALL, MOST_CALLS};
use flow_runtime::calendar::{parse_instant, write_instant};
use flow_runtime::ingest::json::Rest;
use std::ops::Range;

/// A batch of the usual form.
pub(super) fn batch(body: &[u8], received: i64) -> Option<Accepted> {
    let text = std::str::from_utf8(body).ok()?;
    let mut rest = Rest { text, at: 0 };
    let (mut calls, mut sent) = (None, None);
    rest.byte(b'{')?;
    loop {
        let key = rest.string()?;
        rest.byte(b':')?;
        match key {
            "batch" => once(&mut calls, list(&mut rest)?)?,
            "sentAt" => once(&mut sent, instant(rest.skip(0)?))?,
            _ => drop(rest.skip(0)?),
        }
        match rest.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    rest.space();
    let calls = calls.filter(|_| rest.at == text.len())?;
    Some(written(text, &calls, sent.flatten(), received))
}

/// Fills a place; none when it is full.
fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

/// Of a JSON text without escapes; what is none has no time.
fn instant(json: &str) -> Option<i64> {
    parse_instant(json.strip_prefix('"')?.strip_suffix('"')?)
}

/// One call, and where it stands.
#[derive(Default)]
struct Call {
    whole: Range<usize>,
    /// Its members without those that are written anew or left out: up to three runs, mostly one.
    kept: [Range<usize>; RUNS],
    runs: usize,
    sent: Option<i64>,
    original: Option<i64>,
    stamp: Option<i64>,
    /// Something about it is left to the long way.
    long: bool,
}

/// Calls whose members lie in more pieces than this take the long way.
const RUNS: usize = 4;

impl Call {
    /// Keeps a member, with the one before if nothing lies between.
    fn keep(&mut self, member: Range<usize>, joins: bool) {
        if joins {
            if let Some(run) = self.runs.checked_sub(1).and_then(|last| self.kept.get_mut(last)) {
                run.end = member.end;
                return;
            }
        }
        match self.kept.get_mut(self.runs) {
            Some(run) => {
                *run = member;
                self.runs += 1;
            }
            None => self.long = true,
        }
    }

    /// Takes a time; one that cannot be read, or is said twice, is left to the long way.
    fn time(place: &mut Option<i64>, long: &mut bool, json: &str) {
        let time = instant(json);
        *long |= json != "null" && (time.is_none() || place.is_some());
        *place = time.or(*place);
    }
}

fn list(rest: &mut Rest<'_>) -> Option<Vec<Call>> {
    rest.byte(b'[')?;
    rest.space();
    let mut calls = Vec::with_capacity(128);
    if rest.peek()? == b']' {
        rest.at += 1;
        return Some(calls);
    }
    loop {
        rest.space();
        let call = call(rest)?;
        if calls.len() >= MOST_CALLS || call.whole.len() > LONGEST_CALL {
            return None;
        }
        calls.push(call);
        match rest.next()? {
            b',' => {}
            b']' => return Some(calls),
            _ => return None,
        }
    }
}

fn call(rest: &mut Rest<'_>) -> Option<Call> {
    let mut call = Call { whole: rest.at..rest.at, ..Call::default() };
    let (mut identify, mut kinds, mut traits, mut context) = (false, 0, false, false);
    let mut joins = false;
    rest.byte(b'{')?;
    rest.space();
    if rest.peek()? == b'}' {
        rest.at += 1;
        call.whole.end = rest.at;
        return Some(call);
    }
    loop {
        rest.space();
        let start = rest.at;
        let key = rest.string()?;
        rest.byte(b':')?;
        // Depth 2: it stands in a list in an object.
        let json = rest.skip(2)?;
        let kept = match key {
            "receivedAt" | "writeKey" | "batch" => false,
            "sentAt" => {
                Call::time(&mut call.sent, &mut call.long, json);
                false
            }
            "timestamp" => {
                Call::time(&mut call.stamp, &mut call.long, json);
                false
            }
            "originalTimestamp" => {
                Call::time(&mut call.original, &mut call.long, json);
                false
            }
            "type" => {
                kinds += 1;
                identify = json == "\"identify\"" || json.contains('\\');
                true
            }
            "traits" => {
                traits |= json != "null";
                true
            }
            "context" => {
                context = true;
                true
            }
            _ => true,
        };
        if kept {
            call.keep(start..rest.at, joins);
        }
        joins = kept;
        match rest.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    call.whole.end = rest.at;
    // What is known of a person may stand in the context alone.
    call.long |= kinds > 1 || identify && context && !traits;
    Some(call)
}

/// The lines of the calls.
fn written(text: &str, calls: &[Call], sent: Option<i64>, received: i64) -> Accepted {
    let mut head = b"{\"receivedAt\":\"".to_vec();
    write_instant(&mut head, received);
    head.extend_from_slice(b"\",\"timestamp\":\"");
    let mut accepted = Accepted { lines: Vec::with_capacity(text.len() + calls.len() * head.len() * 2), calls: 0 };
    let some = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
    for call in calls {
        if call.long {
            one(&mut accepted, some(&call.whole), Clock::Sender(sent), received);
            continue;
        }
        let time = put_right(call.sent.or(sent), call.original, call.stamp, received);
        let line = &mut accepted.lines;
        line.extend_from_slice(&head);
        write_instant(line, time.unwrap_or(received).min(received));
        line.push(b'"');
        for run in call.kept.iter().take(call.runs) {
            line.push(b',');
            flat(line, some(run).as_bytes());
        }
        line.extend_from_slice(b"}\n");
        accepted.calls += 1;
    }
    accepted
}

#[cfg(test)]
mod tests {
    use super::super::{read_any, Kind};
    use super::*;
    use proptest::prelude::*;

    /// 2026-03-02T10:00:00Z
    const NOW: i64 = 1_772_445_600_000;

    /// Without spaces outside of texts: the short way keeps those of the sender.
    fn squeezed(lines: &[u8]) -> String {
        let (mut out, mut within, mut escaped) = (String::new(), false, false);
        for char in String::from_utf8(lines.to_vec()).unwrap().chars() {
            if within || !matches!(char, ' ' | '\t' | '\r') {
                out.push(char);
            }
            within ^= char == '"' && !escaped;
            escaped = within && char == '\\' && !escaped;
        }
        out
    }

    fn same(body: &str) -> bool {
        let Some(short) = batch(body.as_bytes(), NOW) else { return false };
        let long = read_any(Kind::Batch, body.as_bytes(), NOW).expect(body);
        assert_eq!((squeezed(&short.lines), short.calls), (squeezed(&long.lines), long.calls), "{body}");
        true
    }

    const MEMBERS: [&str; 30] = [
        r#""type":"track""#,
        r#""type": "identify""#,
        r#""type":"tr\u0061ck""#,
        r#""event":"Product Added""#,
        r#""userId":"u1""#,
        r#""anonymousId":null"#,
        r#""messageId":"m1""#,
        r#""properties":{"a":[1,{"b":"\u00e9\n"}],"c":-0.5e1}"#,
        r#""properties" : { "sku" : "x y" }"#,
        r#""traits":{"email":"a@b.example"}"#,
        r#""traits":null"#,
        r#""context":{"traits":{"a":1},"library":{"name":"x"}}"#,
        r#""context":7"#,
        r#""timestamp":"2026-03-02T09:50:00.123Z""#,
        r#""timestamp":"2999-01-01T00:00:00Z""#,
        r#""timestamp":"yesterday""#,
        r#""timestamp":null"#,
        r#""timestamp":"2026-03-02T09:50:00\u002e5Z""#,
        r#""originalTimestamp":"2026-03-02T09:40:00+01:00""#,
        r#""originalTimestamp":3"#,
        r#""sentAt":"2026-03-02T11:00:00.123Z""#,
        r#""sentAt":"soon""#,
        r#""receivedAt":"2020-01-01T00:00:00Z""#,
        r#""writeKey":"k""#,
        r#""batch":[{"type":"track"}]"#,
        r#""b\u0061tch":[{"type":"track"}]"#,
        "\"note\":\n\"two\\tlines\"",
        r#""deep":[[[[[[[[1]]]]]]]]"#,
        r#""version":2"#,
        r#""n":01"#,
    ];

    #[test]
    fn what_sdks_send_takes_the_short_way() {
        assert!(same(
            r#"{"batch":[{"type":"track","event":"A","userId":"u","properties":{"v":1}}],"sentAt":"2026-03-02T10:00:00.000Z"}"#
        ));
        assert!(same(
            r#"{"batch": [{"type": "identify", "userId": "u", "traits": {"a": "\u00e9"}, "context": {}, "timestamp": "2026-03-02T09:59:59+00:00", "integrations": {}}], "writeKey": "k"}"#
        ));
        assert!(same(r#"{"sentAt":null,"batch":[]}"#));
        assert!(same(r#"{"batch":[{}]}"#));
        let long = "x".repeat(LONGEST_CALL);
        assert!(!same(&format!("{{\"batch\":[{{\"a\":\"{long}\"}}]}}")));
        assert!(!same(&format!("{{\"batch\":[{}{{}}]}}", "{},".repeat(MOST_CALLS))));
        assert!(!same(r#"{"batch":[7]}"#));
        assert!(!same(r#"{"batch":[{}]} x"#));
        assert!(!same(r#"{"batch":[],"batch":[{}]}"#));
    }

    proptest! {
        #[test]
        fn the_short_way_is_the_long_way(
            calls in prop::collection::vec(prop::collection::vec(0..MEMBERS.len(), 0..9), 0..5),
            around in prop::sample::select(vec!["", r#","sentAt":"2026-03-02T10:30:00Z""#, r#","sentAt":"x","context":{"a":1}"#, ","]),
            cut in prop::option::weighted(0.1, 0usize..400),
        ) {
            let call = |members: &Vec<usize>| {
                let members: Vec<&str> = members.iter().map(|member| MEMBERS[*member]).collect();
                format!("{{{}}}", members.join(","))
            };
            let calls: Vec<String> = calls.iter().map(call).collect();
            let mut body = format!("{{\"batch\":[{}]{around}}}", calls.join(", "));
            if let Some(cut) = cut.filter(|cut| *cut < body.len() && body.is_char_boundary(*cut)) {
                body.remove(cut);
            }
            same(&body);
        }
    }
}
