//! The short way and the long way give the same, or the short way gives nothing.

use super::super::schema::Schema;
use super::super::segment::Reader;
use super::super::{IdRef, What};
use crate::calendar::Zones;
use flow_compiler::compile::{compile, ProjectInput, SourceFile};
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};

const PROGRAM: &str = r#"
event bought = "Order Completed" { order_id: text  value: number  count: int = 1  at: datetime?  gift: bool?  of: one of "a", "b"?  lines: list of line? }
event viewed { name: text?  url: url?  day: date? }
event purchased
event idle { x: number }
event answered = "Email Replied" { words: text? }
type line { sku: text  price: number }
user { email: email? }
channel email to user.email
journey a { on bought, viewed, purchased, answered  email "hi" }
"#;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let file = SourceFile { path: "a.flow".into(), text: PROGRAM.into() };
    let input = ProjectInput { name: "a".into(), timezone: "UTC".into(), files: vec![file], ..ProjectInput::default() };
    let compiled = compile(&input);
    let program = compiled.program.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    Schema::new(&program, Arc::new(Zones::bundled()))
});

/// Lines as SDKs write them, and some that hold what is rare.
const LINES: [&str; 14] = [
    r#"{"type":"track","userId":"u1","event":"Order Completed","timestamp":"2026-01-01T00:00:00.000Z","properties":{"order_id":"o1","value":59.90,"count":3,"gift":false,"of":"a"}}"#,
    r#"{"type":"track","userId":"u1","event":"Order Completed","timestamp":"2026-02-28T23:59:60.999Z","properties":{"value":-0.50e1,"order_id":"é","at":"2026-03-02T10:00:00+01:00","lines":[{"sku":"s","price":0.1}],"more":{"x":[1,{}]}}}"#,
    r#"{"timestamp":"2026-01-01T00:00:00Z", "properties": {"order_id": "a\"b", "value": 0.0, "extra": "c\\d\n"}, "event": "Order Completed", "anonymousId": "x", "userId": null, "type": "track"}"#,
    r#"{"type":"track","userId":42,"anonymousId":"x","messageId":"m1","event":"purchased","timestamp":"2026-01-01 00:00Z","properties":{"total":12,"items":[1,2,3]}}"#,
    r#"{"type":"track","userId":"u1","event":"something else","timestamp":"2026-01-01T00:00:00.000Z","originalTimestamp":7,"properties":{"name":"n"},"context":{"library":{"name":"js","version":"1.2"},"page":{"url":"https:\/\/a\/b?c=\u00e9"}}}"#,
    r#"{"type":"track","userId":"u1","event":"purchased","timestamp":"2026-01-01T00:00:00.000Z","context":{"consent":{"categoryPreferences":{"news":true}}}}"#,
    r#"{"type":"track","userId":"u1","event":"Unsubscribed","timestamp":"2026-01-01T00:00:00.000Z","properties":{"topic":"news"}}"#,
    r#"{"type":"track","userId":"u1","event":"email_opened","timestamp":"2026-01-01T00:00:00.000Z","properties":{"message_id":"00000000000000ff"}}"#,
    r#"{"type":"track","userId":"u1","event":"Email Opened","timestamp":"2026-01-01T00:00:00.000Z","properties":{"subject":"s","messages":[{"type":"x"}]}}"#,
    r#"{"type":"track","userId":"u1","event":"viewed","name":"home","timestamp":"2026-01-01T00:00:00.000Z","properties":{"url":"/","day":"2026-01-01"}}"#,
    r#"{"type":"track","userId":"u1","event":"idle","timestamp":"2026-01-01T00:00:00.000Z","properties":{"x":123456789012345678901234567890,"y":1E5}}"#,
    r#"{"type":"identify","userId":"u1","anonymousId":"x","traits":{"email":"a@b.example"},"timestamp":"2026-01-01T00:00:00.000Z"}"#,
    r#"{"batch":[{"type":"track","userId":"u1","event":"purchased","timestamp":"2026-01-01T00:00:00.000Z"}]}"#,
    r#"{"type":"track","userId":"u1","event":"purchased","timestamp":"9999-12-31T23:59:59.000Z"}"#,
];

/// What changes a line into one that is nearly right.
const PARTS: [&str; 40] = [
    "null",
    "true",
    "\"\"",
    "0",
    "-0",
    "01",
    "1.",
    ".5",
    "-1.50",
    "1e2",
    "1E+400",
    "12.0",
    "123456789012345678",
    "1234567890123456789",
    "{}",
    "[]",
    "[1,]",
    "{\"a\":1,}",
    "\"\\u0061\"",
    "\"\\ud800\"",
    "\"\\x\"",
    "\u{1}",
    "\u{7f}",
    " ",
    "\t",
    "\r",
    ",",
    ":",
    "\"",
    "\\",
    "{",
    "}",
    "\"event\":\"viewed\",",
    "\"userId\":\"v\",",
    "\"type\":\"page\",",
    "\"type\":\"track\",",
    "\"count\":null,",
    "\"value\":1,",
    "\"batch\":null,",
    "é",
];

/// Everything that a reader made of a line, without the places of texts.
fn made(reader: &Reader<'_>) -> Vec<String> {
    let block = &reader.block;
    let texts = block.records.iter().map(|record| {
        let what = match &record.what {
            What::Unknown(name) => format!("unknown {}", block.names[*name as usize]),
            What::Join(join) => format!("{} {} {:?}", block.id(join.from), join.alias, join.input),
            other => format!("{other:?}"),
        };
        let time = if matches!(record.what, What::Dead(_)) { 0 } else { record.time };
        let who = if record.who == IdRef::default() { "" } else { block.id(record.who) };
        format!("{time} {:?} {} {} {who:?} {what}", record.message, record.line, record.known)
    });
    texts.collect()
}

/// Whether the short way took it.
fn same(text: &str) -> bool {
    let (mut short, mut long) = (Reader::new(&SCHEMA), Reader::new(&SCHEMA));
    // What the line before has taught must not matter.
    for line in [LINES[0], text, text] {
        short.line(line.as_bytes());
        let line = line.trim_ascii();
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        if !line.is_empty() {
            long.json(line);
        }
    }
    assert_eq!(made(&short), made(&long), "{text}");
    let (mut block, mut taken) = (super::Block::default(), false);
    if let Some(line) = Some(text.trim_ascii()).filter(|line| !line.is_empty()) {
        taken = super::Scanner::new(&SCHEMA).line(line, 0, &mut block, |_, _| 0).is_some();
    }
    taken
}

#[test]
fn usual_lines_go_the_short_way() {
    let taken = LINES.map(same);
    assert_eq!(taken, [true, true, true, true, true, false, false, false, true, false, false, false, false, false]);
    // Escapes in what is not wanted must be right all the same.
    assert!(same(&LINES[4].replace(r"\u00e9", r"\n")));
    assert!(!same(&LINES[4].replace(r"\u00e9", r"\u00g9")));
}

/// Replaces, doubles, moves or takes away parts of a line.
fn changed(line: &str, changes: &[(u8, u16, u16, u8)]) -> String {
    let mut text: Vec<char> = line.chars().collect();
    for (kind, at, length, part) in changes {
        let at = usize::from(*at) % (text.len() + 1);
        let end = (at + usize::from(*length) % 12).min(text.len());
        let part = PARTS[usize::from(*part) % PARTS.len()].chars();
        match kind % 5 {
            0 => drop(text.splice(at..end, part)),
            1 => drop(text.splice(at..at, part)),
            2 => drop(text.drain(at..end)),
            3 => {
                let doubled: Vec<char> = text[at..end].to_vec();
                drop(text.splice(end..end, doubled));
            }
            // A whole value becomes another.
            _ => {
                let colon = text.iter().skip(at).position(|c| *c == ':').map(|place| at + place + 1);
                if let Some(start) = colon {
                    let end = text.iter().skip(start).position(|c| matches!(c, ',' | '}')).map_or(start, |n| start + n);
                    drop(text.splice(start..end, part));
                }
            }
        }
    }
    text.into_iter().filter(|c| *c != '\n').collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 3_000 } else { 300_000 }))]

    #[test]
    fn whatever_the_short_way_takes_is_what_the_long_way_gives(
        line in 0..LINES.len(),
        changes in prop::collection::vec(any::<(u8, u16, u16, u8)>(), 0..4),
    ) {
        same(&changed(LINES[line], &changes));
    }

    #[test]
    fn few_digits_are_what_all_digits_are(negative: bool, digits in "(0|[1-9][0-9]{0,20})", fraction in prop::option::of("[0-9]{1,20}")) {
        use super::super::number::{decimal, few_digits};
        use rust_decimal::Decimal;
        let sign = if negative { "-" } else { "" };
        let text = format!("{sign}{digits}{}", fraction.map(|fraction| format!(".{fraction}")).unwrap_or_default());
        if let Some((digits, places)) = few_digits(&text) {
            prop_assert_eq!(Ok(Decimal::new(digits, places)), decimal(&text));
        } else {
            prop_assert!(text.len() > 18);
        }
    }
}
