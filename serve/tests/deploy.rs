//! What a new version means for people under way: each rule of the contract's section 8.8.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use flow_compiler::compile::{compile, ProjectInput, SourceFile};
use flow_compiler::diagnostic::Severity;
use flow_runtime::calendar::{instant_text, Zones};
use flow_runtime::engine::succession::Answers;
use flow_runtime::message::Content;
use flow_serve::host::Host;
use flow_serve::plan::Plan;
use flow_serve::record::{Deployment, Record};
use flow_serve::setup::Setup;
use std::sync::Arc;

const SCHEMA: &str = "
event login { n: int? }
event bought { value: number }
user { email: email?  score: int = 0 }
channel email to user.email
";
/// 2026-03-02T10:00:00Z
const BEGIN: i64 = 1_772_445_600_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn setup(body: &str) -> Arc<Setup> {
    let file = SourceFile { path: "a.flow".into(), text: format!("{SCHEMA}{body}") };
    let input =
        ProjectInput { name: "shop".into(), timezone: "UTC".into(), files: vec![file], ..ProjectInput::default() };
    let compiled = compile(&input);
    let errors: Vec<_> = compiled.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    Arc::new(Setup::new(compiled.program.unwrap(), &input, Zones::bundled(), 1, None))
}

/// A host under a version, in which `u` has an address and did these things (minutes after the beginning).
fn lived(body: &str, events: &[(i64, &str)]) -> Host {
    let mut host = Host::new(setup(body));
    send(&mut host, BEGIN, r#""type":"identify","traits":{"email":"u@x.example"}"#);
    for (minutes, event) in events {
        let what = format!("\"type\":\"track\",\"event\":\"{event}\",\"properties\":{{\"n\":1,\"value\":2.5}}");
        send(&mut host, BEGIN + minutes * MINUTE, &what);
    }
    host
}

fn send(host: &mut Host, time: i64, call: &str) {
    let line = format!("{{\"userId\":\"u\",\"timestamp\":\"{}\",{call}}}\n", instant_text(time));
    host.apply(&Record::Inputs { received: time, lines: line.into_bytes() }, &mut Vec::new());
}

fn deploy(host: &mut Host, time: i64, body: &str, answers: Answers) {
    let new = setup(body);
    let deployment = Deployment { identity: new.identity, source: new.source.clone(), answers };
    host.apply(&Record::Deploy { now: time, deployment }, &mut Vec::new());
    assert_eq!(host.failed(), None);
    assert_eq!(host.setup().identity, new.identity);
}

/// What was handed over up to a time: minutes after the beginning, and the text.
fn messages(host: &mut Host, until: i64) -> Vec<(i64, String)> {
    host.apply(&Record::Tick { now: until }, &mut Vec::new());
    let text = |content: &Result<Content, String>| match content {
        Ok(Content::Email { text, .. }) => text.clone(),
        other => panic!("{other:?}"),
    };
    let letters = host.letters().waiting.values();
    let mut all: Vec<_> = letters.map(|letter| ((letter.time - BEGIN) / MINUTE, text(&letter.content))).collect();
    all.sort();
    all
}

fn one(minutes: i64, text: &str) -> Vec<(i64, String)> {
    vec![(minutes, text.to_owned())]
}

const TWO_HOURS: &str = "journey a { on login  topic transactional  wait 2h  email \"hi\" }";

#[test]
fn a_wait_keeps_its_end_unless_its_length_changed() {
    let three = TWO_HOURS.replace("2h", "3h");
    let answers = Answers::default;
    // Something else changed: nothing changes for who waits.
    let mut host = lived(TWO_HOURS, &[(0, "login")]);
    deploy(&mut host, BEGIN + HOUR, &format!("journey b {{ on bought  email \"b\" }}\n{TWO_HOURS}"), answers());
    assert_eq!(messages(&mut host, BEGIN + DAY), one(120, "hi"));
    // Longer: so long after the entry.
    let mut host = lived(TWO_HOURS, &[(0, "login")]);
    deploy(&mut host, BEGIN + HOUR, &three, answers());
    assert_eq!(messages(&mut host, BEGIN + DAY), one(180, "hi"));
    // Shorter, and past: at once.
    let mut host = lived(TWO_HOURS, &[(0, "login")]);
    deploy(&mut host, BEGIN + 90 * MINUTE, &TWO_HOURS.replace("2h", "1h"), answers());
    assert_eq!(messages(&mut host, BEGIN + DAY), one(90, "hi"));
    // Told to keep it.
    let mut host = lived(TWO_HOURS, &[(0, "login")]);
    deploy(&mut host, BEGIN + HOUR, &three, Answers { keep_deadlines: true, ..answers() });
    assert_eq!(messages(&mut host, BEGIN + DAY), one(120, "hi"));
}

#[test]
fn a_wait_for_an_event_keeps_waiting_and_its_bound_follows() {
    let body = "journey a { on login  topic transactional
        wait for bought up to 5h then email \"bought\" else email \"not\" }";
    let longer = body.replace("5h", "9h").replace("\"not\"", "\"still not\"");
    let mut host = lived(body, &[(0, "login")]);
    deploy(&mut host, BEGIN + HOUR, &longer, Answers::default());
    assert_eq!(messages(&mut host, BEGIN + DAY), one(9 * 60, "still not"));
    let mut host = lived(body, &[(0, "login")]);
    deploy(&mut host, BEGIN + HOUR, &longer, Answers::default());
    send(&mut host, BEGIN + 2 * HOUR, r#""type":"track","event":"bought","properties":{"value":1}"#);
    assert_eq!(messages(&mut host, BEGIN + DAY), one(120, "bought"));
}

const REMINDER: &str = "journey a { on login  topic transactional  wait 2h  email \"remember\" as reminder }";

#[test]
fn a_step_that_is_gone_needs_an_answer() {
    let plan = |new: &str, answers: &Answers| {
        let host = lived(REMINDER, &[(0, "login")]);
        Plan::new(&host, &setup(new), answers).unwrap()
    };
    let gone = "journey a { on login  topic transactional  wait until 18:00  email \"evening\" as evening }";
    let without = plan(gone, &Answers::default());
    assert_eq!(without.stranded(), 1);
    let shown = without.to_string();
    assert!(shown.contains("a: 1 person waits") && shown.contains("wait 2h") && shown.contains("GONE"), "{shown}");
    // An answer in the journey, for the message that they wait to get to.
    let moved = gone.replace("on login", "on login  moved reminder to evening");
    let with = plan(&moved, &Answers::default());
    assert_eq!(with.stranded(), 0);
    assert!(with.to_string().contains("moved to  wait until 18:00"), "{with}");
    let ended = gone.replace("on login", "on login  ended reminder");
    assert!(plan(&ended, &Answers::default()).to_string().contains("leaves"));
    // Or beside it, for the step itself, as the plan calls it.
    let identity = without.journeys[0].steps[0].identity.clone();
    let answers = Answers { ended: vec![("a".into(), identity.clone())], ..Answers::default() };
    assert_eq!(plan(gone, &answers).stranded(), 0);
    let host = lived(REMINDER, &[(0, "login")]);
    let wrong = Answers { moved: vec![("a".into(), identity, "evning".into())], ..Answers::default() };
    let error = Plan::new(&host, &setup(gone), &wrong).unwrap_err();
    assert_eq!(error, "the new version has no step `evning` in `a`");
}

#[test]
fn who_is_moved_goes_on_there_and_who_is_ended_leaves() {
    let moved = "journey a { on login  moved reminder to evening  topic transactional
        email \"first\"  wait until 18:00  email \"evening\" as evening }";
    let mut host = lived(REMINDER, &[(0, "login")]);
    deploy(&mut host, BEGIN + HOUR, moved, Answers::default());
    assert_eq!(messages(&mut host, BEGIN + DAY), one(8 * 60, "evening"));
    let ended = "journey a { on login  ended reminder  topic transactional  wait until 18:00  email \"evening\" }";
    let mut host = lived(REMINDER, &[(0, "login")]);
    deploy(&mut host, BEGIN + HOUR, ended, Answers::default());
    assert_eq!(messages(&mut host, BEGIN + DAY), []);
    assert_eq!((host.counts().journeys[0].entered, host.counts().journeys[0].in_flight()), (1, 0));
    // They may come again.
    send(&mut host, BEGIN + DAY, r#""type":"track","event":"login""#);
    assert_eq!(messages(&mut host, BEGIN + 2 * DAY), one(32 * 60, "evening"));
}

#[test]
fn a_journey_that_is_gone_needs_an_answer_too() {
    let other = "journey b { on bought  email \"b\" }";
    let host = lived(TWO_HOURS, &[(0, "login")]);
    let plan = Plan::new(&host, &setup(other), &Answers::default()).unwrap();
    assert_eq!(plan.stranded(), 1);
    assert!(plan.to_string().contains("a, which is gone: 1 person waits"), "{plan}");
    assert!(plan.to_string().contains("--ended-journey a"), "{plan}");
    let answers = Answers { ended_journeys: vec!["a".into()], ..Answers::default() };
    assert_eq!(Plan::new(&host, &setup(other), &answers).unwrap().stranded(), 0);
    let mut host = host;
    deploy(&mut host, BEGIN + HOUR, other, answers);
    assert_eq!(messages(&mut host, BEGIN + DAY), []);
}

#[test]
fn nobody_enters_because_the_definition_of_a_segment_changed() {
    let body = "segment keen = count(login in last 7d) >= 3
        journey a { on enter keen  enter always  topic transactional  email \"keen\" }";
    let mut host = lived(body, &[(0, "login"), (1, "login")]);
    deploy(&mut host, BEGIN + HOUR, &body.replace(">= 3", ">= 2"), Answers::default());
    assert_eq!(messages(&mut host, BEGIN + 2 * HOUR), []);
    // One more changes nothing: they are in it. When they have left it, they can enter.
    send(&mut host, BEGIN + 3 * HOUR, r#""type":"track","event":"login""#);
    assert_eq!(messages(&mut host, BEGIN + 10 * DAY), []);
    send(&mut host, BEGIN + 20 * DAY, r#""type":"track","event":"login""#);
    send(&mut host, BEGIN + 20 * DAY + MINUTE, r#""type":"track","event":"login""#);
    assert_eq!(messages(&mut host, BEGIN + 21 * DAY), one(20 * 24 * 60 + 1, "keen"));
}

#[test]
fn what_is_known_stays_known_by_its_name() {
    let body = "journey a { on login  enter once  topic transactional
        if count(bought ever where value > 1) == 2 then set user.score += 5 }";
    let mut host = lived(body, &[(0, "bought"), (1, "bought"), (2, "login")]);
    // Everything has another place now.
    let new = "event first { x: text }
        journey z { on first  email \"z\" }
        journey a { on login  enter once  topic transactional  email \"again\" }
        journey count { on bought  enter always  topic transactional
          email \"{count(bought ever where value > 1)} {sum(value of bought in last 30d) ?? 0} {user.score}\" }";
    deploy(&mut host, BEGIN + HOUR, new, Answers::default());
    // `once` remembers who was there.
    send(&mut host, BEGIN + 2 * HOUR, r#""type":"track","event":"login""#);
    send(&mut host, BEGIN + 3 * HOUR, r#""type":"track","event":"bought","properties":{"value":2}"#);
    assert_eq!(messages(&mut host, BEGIN + DAY), one(180, "3 2 5"));
}

#[test]
fn what_the_new_version_cannot_know_is_told() {
    let host = lived("journey a { on login  email \"hi {user.score}\" }", &[]);
    let new = setup("journey a { on login  if bought in last 90d then email \"hi\" }");
    let plan = Plan::new(&host, &new, &Answers::default()).unwrap();
    assert_eq!(plan.losses, ["more of the past of bought is asked for than was kept: it is known from now on"]);
    let file = SourceFile { path: "a.flow".into(), text: "event login {} user {} journey a { on login end }".into() };
    let input = ProjectInput { timezone: "UTC".into(), files: vec![file], ..ProjectInput::default() };
    let new = Setup::new(compile(&input).program.unwrap(), &input, Zones::bundled(), 1, None);
    let plan = Plan::new(&host, &new, &Answers::default()).unwrap();
    assert!(plan.losses.iter().any(|loss| loss.starts_with("what is known as user.email is forgotten")), "{plan}");
}

#[test]
fn branches_of_a_together_go_on_side_by_side() {
    let body = "journey a { on login  topic transactional
        together { wait 1h email \"one\" } { wait 3h email \"three\" }
        email \"both\" }";
    let mut host = lived(body, &[(0, "login")]);
    let new = body.replace("email \"three\"", "wait 1h  email \"three\"").replace("on login", "on bought, login");
    deploy(&mut host, BEGIN + 2 * HOUR, &new, Answers::default());
    let wanted = [(60, "one"), (240, "both"), (240, "three")].map(|(at, text)| (at, text.to_owned()));
    assert_eq!(messages(&mut host, BEGIN + DAY), wanted);
}
