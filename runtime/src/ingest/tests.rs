//! What calls become, one by one.

use super::schema::Schema;
use super::{segment, Block, Original, Record, What};
use crate::calendar::{parse_instant, Zones};
use flow_compiler::compile::{compile, ProjectInput, SourceFile};
use std::sync::Arc;

const PROGRAM: &str = r#"
event bought = "Order Completed" { order_id: text  value: number  count: int = 1  at: datetime?  gift: bool?  lines: list of line? }
event page { name: text  url: url? }
event answered = "Email Replied" { words: text? }
event seen { x: text }
type line { sku: text  price: number }
user {
  email: email?
  country: one of "IT", "FR"?
  birthday: date?
  timezone: timezone?
  score: int = 0
}
channel email to user.email
channel web_push
policy { require consent for offers }
journey a { on bought  topic news  email "hi" as hi  wait for hi.clicked up to 1d }
journey b { on page, answered  topic offers  web_push "hi" }
"#;

fn block(lines: &str) -> Block {
    let file = SourceFile { path: "a.flow".into(), text: PROGRAM.into() };
    let input = ProjectInput { name: "a".into(), timezone: "UTC".into(), files: vec![file], ..ProjectInput::default() };
    let compiled = compile(&input);
    let program = compiled.program.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    segment::read(&Schema::new(&program, Arc::new(Zones::bundled())), lines.as_bytes())
}

/// The only record of a call with these members besides person and time.
fn record(members: &str) -> Record {
    let mut block = block(&format!(r#"{{"userId":"ada","timestamp":"2026-03-02T10:00:00Z",{members}}}"#));
    assert_eq!(block.records.len(), 1);
    block.records.remove(0)
}

fn input(members: &str) -> String {
    match record(members).what {
        What::Input(input) => format!("{input:?}"),
        other => panic!("{other:?}"),
    }
}

fn reason(members: &str) -> String {
    match record(members).what {
        What::Dead(dead) => dead.reason,
        other => panic!("{other:?}"),
    }
}

fn bought(properties: &str) -> String {
    format!(r#""type":"track","event":"Order Completed","properties":{properties}"#)
}

#[test]
fn fields_have_the_types_that_are_declared() {
    let values = input(&bought(
        r#"{"value":5.990e1,"order_id":"\u0061","at":"2026-03-02T11:00:00.1239+01:00","gift":null,"lines":[{"sku":"s","price":0.1}],"more":{"x":1}}"#,
    ));
    let at = parse_instant("2026-03-02T10:00:00.123Z").unwrap();
    assert!(values.contains(&format!(
        "fields: [Text(\"a\"), Number(59.90), Int(1), Instant({at}), Missing, List([Record([Text(\"s\"), Number(0.1)])])]"
    )), "{values}");
    assert!(input(&bought(r#"{"order_id":"o","value":1,"count":2.0}"#)).contains("Number(1), Int(2)"));
}

#[test]
fn what_does_not_fit_says_where() {
    for (properties, why) in [
        (r#"{"order_id":7,"value":1}"#, "properties.order_id: expected a text, found the number 7"),
        (r#"{"order_id":"o"}"#, "properties.value: expected a number, found nothing"),
        (r#"{"order_id":"o","value":null}"#, "properties.value: expected a number, found nothing"),
        (r#"{"order_id":"o","value":1,"count":1.5}"#, "properties.count: expected a whole number, found the number 1.5"),
        (r#"{"order_id":"o","value":1,"gift":"yes"}"#, "properties.gift: expected true or false, found the text \"yes\""),
        (
            r#"{"order_id":"o","value":1,"at":1770000000}"#,
            "properties.at: expected a date and time (RFC 3339, as 2026-03-02T09:00:00Z), found the number 1770000000",
        ),
        (
            r#"{"order_id":"o","value":0.12345678901234567890123456789}"#,
            "properties.value: expected a number of at most 28 digits, found the number 0.12345678901234567890123456789",
        ),
        (
            r#"{"order_id":"o","value":1,"lines":[{"sku":"a","price":1},{"sku":"b"}]}"#,
            "properties.lines[1].price: expected a number, found nothing",
        ),
        (r#"[1]"#, "properties: expected an object, found a list"),
    ] {
        assert_eq!(reason(&bought(properties)), why);
    }
    // Declared, though nobody looks at it.
    assert_eq!(reason(r#""type":"track","event":"seen""#), "properties.x: expected a text, found nothing");
    let traits = |traits: &str| format!(r#""type":"identify","traits":{traits}"#);
    assert_eq!(
        reason(&traits(r#"{"country":"XX"}"#)),
        "traits.country: expected one of \"IT\", \"FR\", found the text \"XX\""
    );
    assert_eq!(
        reason(&traits(r#"{"timezone":"Mars/Base"}"#)),
        "traits.timezone: expected the name of a time zone, found the text \"Mars/Base\""
    );
    assert_eq!(
        reason(&traits(r#"{"consent":{"news":"no"}}"#)),
        "traits.consent.news: expected true or false, found the text \"no\""
    );
    assert_eq!(
        reason(r#""type":"tack""#),
        "type: expected track, identify, alias, page, screen or group, found the text \"tack\""
    );
    assert_eq!(reason(r#""type":"alias""#), "previousId: expected a text or a number, found nothing");
    assert_eq!(reason(r#""type":"track","userId":true"#), "userId: expected a text or a number, found true");
}

#[test]
fn traits_are_attributes_and_consent() {
    let said = input(
        r#""type":"identify","traits":{"email":"not an address","birthday":"1990-06-15T00:00:00Z","country":null,"consent":{"news":false,"others":true},"x":[1]}"#,
    );
    assert!(said.starts_with("Several([Attributes([("), "{said}");
    for part in ["Text(\"not an address\")", "Date(7470)", "Missing", "given: false"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("given: true"), "{said}");
    assert!(input(r#""type":"group","traits":{"country":"IT"}"#).starts_with("Attributes(["));
    assert!(matches!(record(r#""type":"group","traits":{"plan":"x"}"#).what, What::Clock));
    let context = r#""context":{"consent":{"categoryPreferences":{"offers":true}}}"#;
    assert!(input(&format!(r#""type":"track","event":"unknown",{context}"#)).starts_with("Consent {"));
}

#[test]
fn consent_and_channels_can_be_asked_for_by_events() {
    let event = |event: &str, properties: &str| {
        input(&format!(r#""type":"track","event":"{event}","properties":{properties}"#))
    };
    assert_eq!(event("Unsubscribed", "{}"), "Consent { topic: None, given: false }");
    assert!(event("subscribed", r#"{"topic":"news"}"#).contains("topic: Some(TopicId("));
    assert_eq!(event("unsubscribed", r#"{"channel":"email"}"#), "Suppress { channel: ChannelId(0), suppressed: true }");
    assert_eq!(
        event("Subscribed", r#"{"channel":"web_push"}"#),
        "Suppress { channel: ChannelId(1), suppressed: false }"
    );
}

#[test]
fn outcomes_are_known_by_many_names() {
    for (name, channel, outcome) in [
        ("Email Opened", 0, "Opened"),
        ("email.clicked", 0, "Clicked"),
        ("email_link_clicked", 0, "Clicked"),
        ("Email Marked as Spam", 0, "Complained"),
        ("WEB PUSH DELIVERED", 1, "Delivered"),
        ("web_push.bounced", 1, "Bounced"),
    ] {
        let said = input(&format!(r#""type":"track","event":"{name}""#));
        assert!(said.starts_with("Outcome {"), "{name}: {said}");
        assert!(
            said.contains(&format!("channel: ChannelId({channel}), outcome: {outcome}, message: None")),
            "{name}: {said}"
        );
    }
    let said = input(
        r#""type":"track","event":"Email Bounced","properties":{"message_id":"00000000000000ff","type":"Soft","template":"t"}"#,
    );
    assert!(said.contains("message: Some(255), template: Some(\"t\"), soft: true"), "{said}");
    // Declared and an outcome: both.
    let said = input(r#""type":"track","event":"Email Replied","properties":{"words":"no, thanks"}"#);
    assert!(said.starts_with("Several([Event {") && said.contains("Outcome {"), "{said}");
    assert!(matches!(record(r#""type":"track","event":"Carrier Pigeon Opened""#).what, What::Unknown(0)));
}

#[test]
fn pages_are_events_where_the_program_names_them() {
    assert!(input(r#""type":"page","name":"home","properties":{"url":"/"}"#).contains("[Text(\"home\"), Text(\"/\")]"));
    assert!(input(r#""type":"page","name":"x","properties":{"name":"home"}"#).contains("[Text(\"home\"), Missing]"));
    let block = block(r#"{"type":"screen","userId":"a","timestamp":"2026-03-02T10:00:00Z"}"#);
    assert_eq!((&*block.names[0], block.records.len()), ("screen", 1));
}

#[test]
fn ids_and_times_have_several_places() {
    let time = |members: &str| record(members).time;
    let ten = parse_instant("2026-03-02T10:00:00Z").unwrap();
    assert_eq!(time(r#""type":"track","event":"x","receivedAt":"2027-01-01T00:00:00Z""#), ten);
    assert_eq!(
        time(r#""type":"track","event":"x","timestamp":null,"originalTimestamp":"2026-03-02T10:00:00.0009Z""#),
        ten
    );
    let block = block(concat!(
        r#"{"type":"identify","userId":42,"anonymousId":null,"timestamp":"2026-03-02T10:00:00Z"}"#,
        "\n\n",
        r#"{"type":"identify","userId":"","anonymousId":"x","receivedAt":"2026-03-02T10:00:00Z"}"#,
        "\r\n",
        r#"{"type":"alias","userId":"k","previousId":"p","timestamp":"2026-03-02T10:00:00Z"}"#,
        "\n",
        r#"{"type":"track","event":"Order Completed","userId":"k","anonymousId":"x","properties":{"order_id":"1","value":1},"timestamp":"2026-03-02T10:00:00Z"}"#,
    ));
    let ids: Vec<_> = block.records.iter().map(|record| (block.id(record.who), record.known, record.line)).collect();
    assert_eq!(ids, [("42", true, 0), ("x", false, 2), ("k", true, 3), ("k", true, 4)]);
    let joins: Vec<_> = block
        .records
        .iter()
        .map(|record| match &record.what {
            What::Join(join) => Some((block.id(join.from), join.alias)),
            _ => None,
        })
        .collect();
    assert_eq!(joins, [None, None, Some(("p", true)), None]);
    assert_eq!(block.lines, 5);
}

#[test]
fn batches_are_several_calls() {
    let call = r#"{"type":"track","userId":"a","event":"x","messageId":"m","timestamp":"2026-03-02T10:00:00Z"}"#;
    let block = block(&format!(
        "{{\"batch\":[{call},{call}],\"sentAt\":\"x\",\"writeKey\":\"k\"}}\n[{call}, {{}}, []]\n{{\"batch\":7}}\n"
    ));
    let kinds: Vec<_> =
        block.records.iter().map(|record| (record.line, matches!(record.what, What::Dead(_)))).collect();
    assert_eq!(kinds, [(0, false), (0, false), (1, false), (1, true), (1, true), (2, true)]);
    assert_eq!(block.records[0].message, block.records[2].message);
    assert!(block.records[0].message.is_some());
}

#[test]
fn broken_lines_are_kept_as_they_came() {
    let mut bytes = b"{\"type\":\n\"text\"\n{\"a\":\"\xff\"}\n".to_vec();
    bytes.extend(std::iter::repeat_n(b'x', segment::LONGEST_LINE + 1));
    bytes.extend_from_slice(b"\n{\"type\":\"track\"} {}\n");
    let file = SourceFile { path: "a.flow".into(), text: PROGRAM.into() };
    let input = ProjectInput { name: "a".into(), timezone: "UTC".into(), files: vec![file], ..ProjectInput::default() };
    let program = compile(&input).program.unwrap();
    let block = segment::read(&Schema::new(&program, Arc::new(Zones::bundled())), &bytes);
    let dead: Vec<_> = block
        .records
        .iter()
        .map(|record| match &record.what {
            What::Dead(dead) => (record.line, dead.reason.as_str(), &dead.input),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(dead[0].0, 0);
    assert!(dead[0].1.starts_with("the line is not JSON: EOF while parsing"), "{}", dead[0].1);
    assert_eq!(dead[1], (1, "the line is not a JSON object", &Original::Json("\"text\"".into())));
    assert_eq!(dead[2], (2, "the line is not UTF-8", &Original::Text("{\"a\":\"\u{fffd}\"}".into())));
    assert!(matches!(dead[3], (3, _, Original::Text(start)) if start.len() == 1_000));
    assert_eq!((dead[4].0, dead.len()), (4, 5));
}
