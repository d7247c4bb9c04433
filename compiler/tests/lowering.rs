//! What questions become: windows, strategies, what is remembered, what is followed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use flow_compiler::bytecode::{Deps, Log, Op, Program, QueryWindow, StepGrain, StepKind, Strategy, Type};
use flow_compiler::compile::{compile, ProjectInput, SourceFile};

const DAY: i64 = 86_400_000;

const SCHEMA: &str = "
event booked { starts: datetime  seats: int  room: text? }
event login
user { email: email?  due: date?  timezone: timezone?  vip: bool = false }
channel email to user.email
";

fn program(text: &str) -> Program {
    let files = vec![SourceFile { path: "test.flow".into(), text: format!("{SCHEMA}{text}") }];
    let input = ProjectInput { name: "test".into(), timezone: "UTC".into(), files, ..ProjectInput::default() };
    let compiled = compile(&input);
    let found = compiled.diagnostics;
    compiled.program.unwrap_or_else(|| panic!("{found:?}"))
}

/// The segment `a` of a program with one segment.
fn segment(condition: &str) -> (Program, Vec<Op>, Deps) {
    let program = program(&format!("segment a = {condition}\njourney j {{ on enter a  email hi }}"));
    let condition = program.segments[0].condition.clone();
    let ops = program.codes[condition.code.index()].ops.clone();
    (program, ops, condition.deps)
}

#[test]
fn the_last_occurrence_answers_whether_there_was_one() {
    let (program, _, deps) = segment("login ever and not login in last 30d and last(login).time > 2026-01-01 00:00");
    assert!(program.queries.iter().all(|q| q.strategy == Strategy::Last));
    assert_eq!(program.queries[1].window, QueryWindow::Last(30 * DAY));
    assert!(program.events[1].history.last && program.events[1].history.log.is_none());
    assert!(deps.moves);
    assert_eq!(deps.attributes, [program.timezone_attr.unwrap()]);
}

#[test]
fn totals_of_all_time_run_along() {
    let (program, _, deps) = segment("sum(seats of booked ever where room == \"x\") > 3 and count(booked ever) > 2");
    assert_eq!(program.running, 2);
    assert!(program.queries.iter().all(|q| matches!(q.strategy, Strategy::Running(_))));
    assert_eq!(program.events[0].history.log, None);
    assert!(!deps.moves);
}

#[test]
fn windows_keep_a_log_of_what_they_read() {
    let (program, _, _) =
        segment("sum(seats of booked in last 1mo) > 3 or count(booked in last 2d where room == \"x\") > 2");
    let log = Log { fields: vec![1, 2], window: Some(30 * DAY), forever: false, in_flight: vec![], joined: None };
    assert_eq!(program.events[0].history.log, Some(log));
}

#[test]
fn a_filter_that_reads_the_person_is_free() {
    let (program, _, deps) = segment("count(booked ever where seats > 2 and vip) > 0");
    assert!(program.queries[0].free);
    assert_eq!(program.queries[0].strategy, Strategy::Log);
    assert!(program.events[0].history.log.as_ref().unwrap().forever);
    assert_eq!(deps.attributes.len(), 1);
}

#[test]
fn questions_since_the_entry_keep_the_journeys_history() {
    let program = program("journey j { on login  if count(booked where room == \"x\") > 1 then end  email hi }");
    let log = program.events[0].history.log.as_ref().unwrap();
    assert_eq!((log.in_flight.len(), log.window, log.forever), (1, None, false));
}

#[test]
fn equal_questions_are_one() {
    let program = program(
        "segment a = count(booked in last 2d where seats > 1) > 3
        segment b = count(booked in last 48h where seats > 1) > 5
        journey j { on enter a  if b then end  email hi }",
    );
    assert_eq!(program.queries.len(), 1);
}

#[test]
fn comparisons_with_now_are_followed_to_the_instant() {
    let (_, ops, deps) = segment("now > user.due + 2h and hour(now) >= 9 and weekday(today) in weekdays");
    assert!(matches!(ops[0], Op::CompareMoving(..)));
    assert!(ops.iter().any(|op| matches!(op, Op::StepMoving(_, _, StepGrain::Hour))));
    assert!(ops.iter().any(|op| matches!(op, Op::Today(_))));
    assert!(deps.moves);
    assert_eq!(deps.attributes.len(), 2);
}

#[test]
fn segments_and_contacts_are_depended_on() {
    let program = program(
        "segment a = login ever
        segment b = a and can email
        journey j { on enter b  email hi }",
    );
    let deps = &program.segments[1].condition.deps;
    assert!(deps.reach);
    assert_eq!((deps.events.len(), deps.attributes.len()), (1, 1));
    assert!(program.segments[1].followed && !program.segments[0].followed);
}

#[test]
fn only_fields_that_are_read_are_kept() {
    let program = program("journey j { on booked  enter per room  if seats > 3 then end  email hi }");
    let fields = &program.journeys[0].trigger_fields;
    let found: Vec<(&str, &Type, bool)> = fields.iter().map(|f| (f.name.as_str(), &f.ty, f.optional)).collect();
    assert_eq!(found, [("room", &Type::Text, true), ("seats", &Type::Int, false)]);
}

#[test]
fn a_loop_over_values_is_unrolled() {
    let program = program("journey j { on login  for x in 1d, 2h { wait x  email hi as m } if m.opened then end }");
    let waits = program.journeys[0].steps.iter().filter(|s| matches!(s.kind, StepKind::Wait(_))).count();
    assert_eq!(waits, 2);
    let mut identities: Vec<&str> = program.journeys[0].steps.iter().map(|s| s.identity.as_str()).collect();
    identities.sort_unstable();
    identities.dedup();
    assert_eq!(identities.len(), program.journeys[0].steps.len());
    assert!(identities.contains(&"m") && identities.contains(&"m.1"));
}

#[test]
fn a_split_is_the_same_when_its_shares_change() {
    let split = |shares: &str| {
        let program = program(&format!("journey j {{ on login  split {{ {shares} }} }}"));
        program.journeys[0].steps.iter().find_map(|s| match &s.kind {
            StepKind::Split { identity, .. } => Some(identity.clone()),
            _ => None,
        })
    };
    assert_eq!(split("50% a: email x  50% b: email y"), split("10% a: email x  90% b: email y"));
}

#[test]
fn a_bare_flow_is_named_after_its_file() {
    let files = vec![SourceFile { path: "flows/win-back.flow".into(), text: "on login email hi".into() }];
    let compiled = compile(&ProjectInput { timezone: "UTC".into(), files, ..ProjectInput::default() });
    assert_eq!(compiled.program.unwrap().journeys[0].name, "win_back");
}
