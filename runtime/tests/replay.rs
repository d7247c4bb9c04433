//! The replay as a whole: the same bytes for any number of threads and any size of chunks, and what happens to inputs
//! that are late, repeated, broken, somebody else's.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

use flow_compiler::bytecode::*;
use flow_grammar::span::{FileId, Span};
use flow_runtime::answers::Answers;
use flow_runtime::calendar::Zones;
use flow_runtime::engine::Engine;
use flow_runtime::ingest::csv::{Mapping, Rows};
use flow_runtime::ingest::schema::Schema;
use flow_runtime::ingest::source::{Lines, Sorted, Source};
use flow_runtime::ingest::table;
use flow_runtime::replay::summary::Summary;
use flow_runtime::replay::{self, Before, Options, Sinks};
use std::io::Cursor;
use std::sync::Arc;

fn span() -> Span {
    Span::new(FileId(0), 0, 0)
}

fn field(name: &str, ty: Type) -> Field {
    Field { name: name.into(), wire: name.into(), ty, optional: true, default: None }
}

fn event(name: &str, fields: Vec<Field>) -> Event {
    let history = History::default();
    Event { name: name.into(), wire: name.into(), fields, origin: Origin::Declared, outcome: None, history, used: true }
}

fn code(ops: Vec<Op>) -> Code {
    let spans = vec![span(); ops.len()];
    Code { ops, spans, registers: 4 }
}

fn step(kind: StepKind, identity: &str) -> Step {
    Step { kind, identity: identity.into(), span: span() }
}

fn send(channel: u32, text: u32, to: Option<u32>) -> StepKind {
    StepKind::Send(Box::new(Send {
        channels: vec![ChannelId(channel)],
        all: false,
        content: Content::Text(CodeId(text)),
        to: to.map(CodeId),
        with: Vec::new(),
        bound: Vec::new(),
        topic: TopicId(0),
        message: None,
    }))
}

/// `on cart_added where cart_value > 50  exit on purchased  wait 2h  email "email"  wait 22h  sms "sms"`
fn cart() -> Program {
    let hours = |hours: i64| Const::Duration(Duration { months: 0, days: 0, millis: hours * 3_600_000 });
    let constant = |id: u32| code(vec![Op::Const(0, ConstId(id)), Op::Return(0)]);
    Program {
        name: "shop".into(),
        timezone: "UTC".into(),
        events: vec![event("cart_added", vec![field("cart_value", Type::Number)]), event("purchased", Vec::new())],
        attributes: vec![Attribute { field: field("email", Type::Email), watched: false }],
        channels: vec![Channel { name: "email".into(), contact: None }, Channel { name: "sms".into(), contact: None }],
        topics: vec![Topic { name: "general".into(), transactional: false, required: false }],
        lists: vec!["vip".into()],
        constants: vec![Const::Int(50), hours(2), hours(22), Const::Text("email".into()), Const::Text("sms".into())],
        codes: vec![
            code(vec![
                Op::Field(0, 0),
                Op::Const(1, ConstId(0)),
                Op::Compare(Compare::Greater, 2, 0, 1),
                Op::Return(2),
            ]),
            constant(1),
            constant(2),
            constant(3),
            constant(4),
        ],
        journeys: vec![
            Journey {
                name: "cart".into(),
                title: String::new(),
                triggers: vec![Trigger::Event { event: EventId(0), filter: Some(CodeId(0)) }],
                trigger_fields: Vec::new(),
                enter: Enter::default(),
                exits: vec![Exit::On { event: EventId(1), filter: None }],
                goals: Vec::new(),
                topic: TopicId(0),
                holdout: None,
                steps: vec![
                    step(StepKind::Wait(CodeId(1)), "w1"),
                    step(send(0, 3, None), "s1"),
                    step(StepKind::Wait(CodeId(2)), "w2"),
                    step(send(1, 4, None), "s2"),
                ],
                slots: 0,
                messages: 0,
                moved: Vec::new(),
                ended: Vec::new(),
                span: span(),
            },
            Journey {
                name: "guests".into(),
                title: String::new(),
                triggers: vec![Trigger::List(ListId(0))],
                trigger_fields: Vec::new(),
                enter: Enter::default(),
                exits: Vec::new(),
                goals: Vec::new(),
                topic: TopicId(0),
                holdout: None,
                steps: vec![step(send(0, 3, None), "s1")],
                slots: 0,
                messages: 0,
                moved: Vec::new(),
                ended: Vec::new(),
                span: span(),
            },
        ],
        ..Program::default()
    }
}

#[derive(Default, PartialEq, Eq, Debug)]
struct Ran {
    messages: String,
    record: String,
    dead: String,
}

enum From<'a> {
    Lines(usize),
    Csv(&'a str),
    Sorted,
}

fn run(
    program: Program,
    events: &str,
    from: From<'_>,
    threads: usize,
    lists: &str,
    until: Option<i64>,
) -> (Ran, Summary) {
    let program = Arc::new(program);
    let zones = Arc::new(Zones::bundled());
    let engine = Engine::new(Arc::clone(&program), Arc::clone(&zones), 0);
    let schema = Schema::new(&program, zones);
    let read = Box::new(Cursor::new(events.as_bytes().to_vec()));
    let mut source: Box<dyn Source> = match from {
        From::Lines(size) => Box::new(Lines::new(read, size)),
        From::Csv(map) => Box::new(Rows::new(read, &Mapping::parse(map).unwrap()).unwrap()),
        From::Sorted => Box::new(Sorted::new(Lines::new(read, 100))),
    };
    let mut before = Before { answers: Answers::default(), tables: Vec::new() };
    if !lists.is_empty() {
        before.tables.push(("vip.csv".into(), table::read(&schema, lists.as_bytes(), schema.list("vip")).unwrap()));
    }
    let (mut messages, mut record, mut dead) = (Vec::new(), Vec::new(), Vec::new());
    let sinks = Sinks {
        messages: Box::new(&mut messages),
        record: Some(Box::new(&mut record)),
        dead: Some(Box::new(&mut dead)),
    };
    let options = Options { until, threads: Some(threads), ..Options::default() };
    let summary = replay::run(&engine, &schema, source.as_mut(), before, sinks, &options, || {}).unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (Ran { messages: text(messages), record: text(record), dead: text(dead) }, summary)
}

fn lines(events: &str) -> (Ran, Summary) {
    run(cart(), events, From::Lines(1 << 20), 1, "", None)
}

/// `time user channel` of each message.
fn short(messages: &str) -> Vec<String> {
    let of = |line: &str| {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| json[name].as_str().unwrap().to_owned();
        format!("{} {} {}", &text("time")[5..16], text("user"), text("channel"))
    };
    messages.lines().map(of).collect()
}

const ADDED: &str = r#""type":"track","event":"cart_added","properties":{"cart_value":80}"#;

fn added(user: &str, time: &str) -> String {
    format!("{{\"userId\":\"{user}\",\"timestamp\":\"2026-03-02T{time}Z\",{ADDED}}}\n")
}

/// A log with everything in it: ties, late and repeated inputs, anonymous people, broken lines.
fn log(count: u64) -> String {
    let mut state = 1u64;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut out = String::new();
    let mut time = 1_767_225_600_000i64;
    for number in 0..count {
        time += next(400_000) as i64 * (next(3) as i64);
        let own = if next(20) == 0 { time - next(7_200_000) as i64 } else { time };
        let at = flow_runtime::calendar::instant_text(own);
        let who = match next(10) {
            0..=6 => format!("\"userId\":\"u{}\"", next(60)),
            7 => format!("\"anonymousId\":\"a{}\"", next(60)),
            _ => format!("\"userId\":\"u{}\",\"anonymousId\":\"a{}\"", next(60), next(60)),
        };
        let id = if next(30) == 0 { next(count) } else { number };
        let what = match next(12) {
            0..=4 => {
                format!("\"type\":\"track\",\"event\":\"cart_added\",\"properties\":{{\"cart_value\":{}.5}}", next(120))
            }
            5..=6 => "\"type\":\"track\",\"event\":\"purchased\"".to_owned(),
            7 => "\"type\":\"identify\",\"traits\":{\"email\":\"x@example.com\"}".to_owned(),
            8 => format!("\"type\":\"alias\",\"previousId\":\"a{}\"", next(60)),
            9 => "\"type\":\"track\",\"event\":\"cart_added\",\"properties\":{\"cart_value\":\"much\"}".to_owned(),
            _ => format!("\"type\":\"track\",\"event\":\"other{}\"", next(4)),
        };
        if next(50) == 0 {
            out.push_str("{broken\n\n");
        }
        out.push_str(&format!("{{{who},\"timestamp\":\"{at}\",\"messageId\":\"m{id}\",{what}}}\n"));
    }
    out
}

#[test]
fn threads_and_chunks_cannot_be_seen() {
    let events = log(3_000);
    let (first, summary) = run(cart(), &events, From::Lines(1 << 20), 1, "", None);
    assert!(
        summary.messages > 200 && summary.repeated > 20 && summary.dead > 200 && summary.joined > 20,
        "{summary:?}"
    );
    assert!(summary.counts.late > 20, "{}", summary.counts.late);
    let lines = first.messages.lines().collect::<Vec<_>>();
    assert!(lines.windows(2).all(|pair| pair[0][..33] <= pair[1][..33]));
    for (threads, size) in [(1, 1), (2, 1 << 16), (2, 300), (4, 5_000)] {
        let (again, other) = run(cart(), &events, From::Lines(size), threads, "", None);
        assert_eq!(first, again, "{threads} threads, chunks of {size}");
        assert_eq!(summary.counts, other.counts);
        assert_eq!((summary.accepted, summary.people, summary.joined), (other.accepted, other.people, other.joined));
    }
}

#[test]
fn an_event_at_the_deadline_comes_before_the_timer() {
    let bought = |time: &str| {
        format!(
            "{{\"userId\":\"a\",\"timestamp\":\"2026-03-02T{time}Z\",\"type\":\"track\",\"event\":\"purchased\"}}\n"
        )
    };
    let (ran, _) = lines(&(added("a", "10:00:00") + &bought("12:00:00")));
    assert_eq!(short(&ran.messages), [""; 0]);
    let (ran, summary) = lines(&(added("a", "10:00:00") + &bought("12:00:00.001")));
    assert_eq!(short(&ran.messages), ["03-02T12:00 a email"]);
    assert_eq!((summary.counts.journeys[0].exits[0], summary.counts.journeys[0].in_flight()), (1, 0));
}

#[test]
fn messages_say_what_they_must_in_this_order() {
    let (ran, _) = lines(&added("a\\\"b", "10:00:00"));
    let line = ran.messages.lines().next().unwrap();
    let rest = line
        .strip_prefix(r#"{"time":"2026-03-02T12:00:00.000Z","user":"a\"b","journey":"cart","channel":"email","text":"email","topic":"general","entry":"2026-03-02T10:00:00.000Z","step":"s1","id":""#)
        .unwrap_or_else(|| panic!("{line}"));
    assert_eq!(rest.len(), 16 + 2);
}

#[test]
fn an_anonymous_person_becomes_the_known_one() {
    let anonymous = added("x", "10:00:00").replace("userId", "anonymousId");
    let identify = r#"{"type":"identify","userId":"ada","anonymousId":"x","timestamp":"2026-03-02T11:00:00Z"}"#;
    let (ran, summary) = lines(&format!("{anonymous}{identify}\n"));
    assert_eq!(short(&ran.messages), ["03-02T12:00 ada email", "03-03T10:00 ada sms"]);
    assert_eq!((summary.people, summary.joined), (1, 1));
    // Later the same device is somebody else's: their histories stay apart.
    let other = identify.replace("ada", "bob").replace("11:00", "11:30");
    let again = added("x", "11:40:00").replace("userId", "anonymousId");
    let (ran, summary) = lines(&format!("{anonymous}{identify}\n{other}\n{again}"));
    assert_eq!(
        short(&ran.messages),
        ["03-02T12:00 ada email", "03-02T13:40 bob email", "03-03T10:00 ada sms", "03-03T11:40 bob sms"]
    );
    assert_eq!(summary.people, 2);
    // An alias may join two people with accounts, an identify not.
    let both = added("ada", "10:00:00") + &added("bob", "10:00:00");
    let alias = r#"{"type":"alias","previousId":"bob","userId":"ada","timestamp":"2026-03-02T11:00:00Z"}"#;
    let (_, summary) = lines(&format!("{both}{alias}\n"));
    assert_eq!((summary.people, summary.joined), (1, 1));
    let (_, summary) = lines(&format!("{both}{}\n", identify.replace('x', "bob")));
    assert_eq!((summary.people, summary.joined), (2, 0));
}

#[test]
fn what_cannot_be_taken_is_set_aside_with_its_reason() {
    let events = format!(
        "{}{}\n\u{7f}oops\n[{{\"type\":\"track\"}}, 7]\n{}{}{}",
        added("a", "10:00:00").replace("80", "\"80\""),
        r#"{"type":"track","event":"cart_added","timestamp":"2026-03-02T10:00:00Z"}"#,
        added("a", "10:00:00").replace("2026-03-02T10:00:00Z", "yesterday"),
        added("a", "10:00:00").replace("2026-", "9999-"),
        added("a", "10:00:00").replace("2026-", "0001-"),
    );
    let (ran, summary) = lines(&events);
    let reasons: Vec<String> = ran
        .dead
        .lines()
        .map(|line| {
            let json: serde_json::Value = serde_json::from_str(line).unwrap();
            format!("{} {}", json["line"], json["reason"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        reasons,
        [
            "1 properties.cart_value: expected a number, found the text \"80\"",
            "2 expected `userId` or `anonymousId`, found neither",
            "3 the line is not a JSON object",
            "4 batch[0].timestamp: expected a date and time (RFC 3339), found nothing",
            "4 batch[1]: expected an object, found the number 7",
            "5 timestamp: expected a date and time (RFC 3339), found the text \"yesterday\"",
            "6 timestamp: expected a time of the years 1900 to 2199, found the text \"9999-03-02T10:00:00Z\"",
            "7 timestamp: expected a time of the years 1900 to 2199, found the text \"0001-03-02T10:00:00Z\"",
        ]
    );
    assert_eq!((summary.dead, summary.accepted), (8, 0));
}

#[test]
fn repeats_are_dropped_and_unknown_events_counted() {
    let with = |id: &str, time: &str| added("a", time).replacen('{', &format!("{{\"messageId\":\"{id}\","), 1);
    let other = added("a", "10:30:00").replace("cart_added", "scrolled");
    let (ran, summary) = lines(&format!("{}{}{other}{other}", with("m1", "10:00:00"), with("m1", "23:00:00")));
    assert_eq!(short(&ran.messages), ["03-02T12:00 a email", "03-03T10:00 a sms"]);
    assert_eq!((summary.accepted, summary.repeated), (1, 1));
    assert_eq!(summary.unknown.most(3), [("scrolled", 2)]);
}

#[test]
fn late_inputs_are_taken_now() {
    let (ran, summary) = lines(&(added("a", "10:00:00") + &added("b", "09:00:00")));
    assert_eq!(summary.counts.late, 1);
    assert!(ran.record.contains(r#""what":"late","user":"b","happened":"2026-03-02T09:00:00.000Z""#), "{}", ran.record);
    let (ran, summary) = run(cart(), &(added("a", "10:00:00") + &added("b", "09:00:00")), From::Sorted, 2, "", None);
    assert_eq!(summary.counts.late, 0);
    assert_eq!(short(&ran.messages)[0], "03-02T11:00 b email");
}

#[test]
fn until_stops_inputs_and_timers() {
    let events = added("a", "10:00:00") + &added("b", "12:30:00");
    let until = flow_runtime::calendar::parse_instant("2026-03-02T12:00:00Z");
    let (ran, summary) = run(cart(), &events, From::Lines(50), 1, "", until);
    assert_eq!(short(&ran.messages), ["03-02T12:00 a email"]);
    assert_eq!((summary.beyond, summary.counts.journeys[0].in_flight()), (1, 1));
}

#[test]
fn csv_rows_are_calls_too() {
    let csv = "when,customer,name,cart_value,note\n2026-03-02 10:00:00,a,cart_added,80,\"two\nlines\"\n2026-03-02T10:00:00Z,b,cart_added,lots,\n2026-03-02T10:00:00Z,c,cart_added,50,\n";
    let (ran, summary) = run(cart(), csv, From::Csv("timestamp=when,userId=customer,event=name"), 1, "", None);
    assert_eq!(short(&ran.messages), ["03-02T12:00 a email", "03-03T10:00 a sms"]);
    assert_eq!((summary.accepted, summary.dead), (2, 1));
    assert!(
        ran.dead.starts_with(
            "{\"reason\":\"properties.cart_value: expected a number, found the text \\\"lots\\\"\",\"line\":4,"
        ),
        "{}",
        ran.dead
    );
}

#[test]
fn lists_put_people_on_them() {
    let csv = "user_id,timestamp,email\nz,,z@example.com\ny,2026-03-02T10:30:00Z,\n,,\n";
    let (ran, summary) =
        run(cart(), &(added("a", "10:00:00") + &added("b", "11:00:00")), From::Lines(10), 2, csv, None);
    assert_eq!(short(&ran.messages)[..3], ["03-02T10:00 z email", "03-02T10:30 y email", "03-02T12:00 a email"]);
    assert_eq!((summary.accepted, summary.dead), (4, 1));
    assert!(ran.dead.contains("\"file\":\"vip.csv\",\"line\":4"), "{}", ran.dead);
    let (_, summary) = run(cart(), "", From::Lines(10), 1, csv, None);
    assert_eq!((summary.accepted, summary.messages), (2, 2));
}

#[test]
fn throttles_put_messages_off() {
    let mut program = cart();
    program.policy.throttles = vec![Cap { count: 1, channel: Some(ChannelId(0)), window: 60_000, span: span() }];
    let events = added("a", "10:00:00") + &added("b", "10:00:00") + &added("c", "10:00:00");
    let (ran, summary) = run(program, &events, From::Lines(10), 2, "", None);
    assert_eq!(short(&ran.messages)[..3], ["03-02T12:00 a email", "03-02T12:01 b email", "03-02T12:02 c email"]);
    assert_eq!((summary.messages, summary.put_off, summary.held_back), (6, 2, 0));
    assert!(ran.record.contains("\"what\":\"delayed\",\"reason\":\"throttle\""));
}
