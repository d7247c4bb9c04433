use super::*;
use crate::calendar::{instant_text, parse_date, parse_instant, Zones, DAY};
use flow_compiler::bytecode::{
    Arith, AttrId, ChannelId, Compare, Condition, Const, ConstId, Deps, Duration, EventId, Function, MessageSlot,
    Outcome, Query, QueryWindow, Segment, Slot, StepGrain, Strategy as Finding, TopicId, Unit,
};
use flow_grammar::span::Span;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use std::str::FromStr;

/// A person with attributes; the only query is "in the last day of the clock since `event`".
struct Person {
    attributes: Vec<Value>,
    event: i64,
    zone: TimeZone,
}

impl Facts for Person {
    fn attribute(&self, attribute: AttrId) -> Value {
        self.attributes.get(attribute.index()).cloned().unwrap_or_default()
    }
    fn trigger(&self, field: u16) -> Value {
        Value::Int(100 + i64::from(field))
    }
    fn field(&self, field: u16) -> Value {
        Value::Int(i64::from(field))
    }
    fn entry_time(&self) -> Value {
        Value::Instant(7)
    }
    fn slot(&self, slot: Slot) -> Value {
        Value::Int(200 + i64::from(slot))
    }
    fn query(&self, _: QueryId, since: Option<i64>, moment: &mut Moment) -> Value {
        let until = self.event.saturating_add(DAY);
        moment.until(until);
        Value::Bool(since.is_none_or(|since| self.event >= since) && self.event <= moment.now && moment.now < until)
    }
    fn can(&self, channel: ChannelId, _: TopicId) -> bool {
        channel.0 == 0
    }
    fn outcome(&self, _: MessageSlot, outcome: Outcome) -> bool {
        outcome == Outcome::Clicked
    }
    fn location(&self) -> Option<(Decimal, Decimal)> {
        Some((Decimal::from_str("45.4685").unwrap(), Decimal::from_str("9.1824").unwrap()))
    }
    fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

fn person(attributes: &[Value]) -> Person {
    Person { attributes: attributes.to_vec(), event: 0, zone: Zones::bundled().get("Europe/Rome").unwrap() }
}

fn code(ops: Vec<Op>) -> Code {
    Code { spans: vec![Span::default(); ops.len()], ops, registers: 8 }
}

fn program(constants: Vec<Const>, codes: Vec<Vec<Op>>) -> Program {
    Program { constants, codes: codes.into_iter().map(code).collect(), ..Program::default() }
}

/// The value of the first code, and its horizon.
fn run(program: &Program, facts: &Person, now: i64) -> (Value, i64) {
    let mut moment = Moment::at(now);
    let value = Machine::new(program).evaluate(CodeId(0), facts, &mut moment);
    (value, moment.horizon)
}

fn at(text: &str) -> i64 {
    parse_instant(text).unwrap()
}

fn show(instant: i64) -> String {
    if instant == i64::MAX {
        "never".to_owned()
    } else {
        instant_text(instant)
    }
}

const C: fn(u32) -> ConstId = ConstId;

fn step(months: i32, days: i32, millis: i64) -> Const {
    Const::Duration(Duration { months, days, millis })
}

/// `now op length cmp attribute`, as the compiler writes it.
fn moving(op: Arith, length: Const, cmp: Compare) -> Program {
    program(
        vec![length],
        vec![
            vec![Op::CompareMoving(cmp, 0, CodeId(1), CodeId(2)), Op::Return(0)],
            vec![Op::Now(0), Op::Const(1, C(0)), Op::Arith(op, 0, 0, 1), Op::Return(0)],
            vec![Op::Attr(0, AttrId(0)), Op::Return(0)],
        ],
    )
}

#[test]
fn plain_operations() {
    let text = |text: &str| Const::Text(text.to_owned());
    let one = |ops: Vec<Op>| {
        let constants = vec![
            Const::Int(2),
            Const::Int(3),
            text("basket"),
            text("bas"),
            Const::List(vec![Const::Int(1), Const::Int(2)]),
            Const::Missing,
            Const::Record(vec![Const::Int(5), text("x")]),
            Const::Bool(true),
        ];
        let mut all = vec![
            Op::Const(0, C(0)),
            Op::Const(1, C(1)),
            Op::Const(2, C(2)),
            Op::Const(3, C(3)),
            Op::Const(4, C(4)),
            Op::Const(5, C(5)),
        ];
        all.extend(ops);
        all.push(Op::Return(7));
        run(&program(constants, vec![all]), &person(&[Value::text("it")]), 42).0
    };
    for (ops, expected) in [
        (vec![], Value::Missing),
        (vec![Op::Copy(7, 0)], Value::Int(2)),
        (vec![Op::Attr(7, AttrId(0))], Value::text("it")),
        (vec![Op::Attr(7, AttrId(9))], Value::Missing),
        (vec![Op::Trigger(7, 1)], Value::Int(101)),
        (vec![Op::Field(7, 1)], Value::Int(1)),
        (vec![Op::EntryTime(7)], Value::Instant(7)),
        (vec![Op::Slot(7, 1)], Value::Int(201)),
        (vec![Op::Const(6, C(6)), Op::Member(7, 6, 1)], Value::text("x")),
        (vec![Op::Const(6, C(6)), Op::Member(7, 6, 2)], Value::Missing),
        (vec![Op::Member(7, 5, 0)], Value::Missing),
        (vec![Op::Now(7)], Value::Instant(42)),
        (vec![Op::Today(7)], Value::Date(0)),
        (vec![Op::Not(7, 5)], Value::Bool(true)),
        (vec![Op::Const(6, C(7)), Op::Not(7, 6)], Value::Bool(false)),
        (vec![Op::Negate(7, 0)], Value::Int(-2)),
        (vec![Op::Arith(Arith::Add, 7, 0, 1)], Value::Int(5)),
        (vec![Op::Compare(Compare::Less, 7, 0, 1)], Value::Bool(true)),
        (vec![Op::Compare(Compare::NotEqual, 7, 0, 5)], Value::Bool(true)),
        (vec![Op::In(7, 0, 4)], Value::Bool(true)),
        (vec![Op::In(7, 1, 4)], Value::Bool(false)),
        (vec![Op::In(7, 5, 5)], Value::Bool(false)),
        (vec![Op::Contains(7, 2, 3)], Value::Bool(true)),
        (vec![Op::StartsWith(7, 2, 3)], Value::Bool(true)),
        (vec![Op::EndsWith(7, 2, 3)], Value::Bool(false)),
        (vec![Op::StartsWith(7, 2, 5)], Value::Bool(false)),
        (vec![Op::IsKnown(7, 5)], Value::Bool(false)),
        (vec![Op::IsKnown(7, 0)], Value::Bool(true)),
        (vec![Op::List(7, 0, 2)], Value::List([Value::Int(2), Value::Int(3)].as_slice().into())),
        (vec![Op::Concat(7, 0, 4)], Value::text("23basketbas")),
        (vec![Op::Concat(7, 4, 2)], Value::Missing),
        (vec![Op::Call(Function::Max, 7, 0, 2)], Value::Int(3)),
        (vec![Op::Can(7, ChannelId(0), TopicId(0))], Value::Bool(true)),
        (vec![Op::Can(7, ChannelId(1), TopicId(0))], Value::Bool(false)),
        (vec![Op::Outcome(7, 0, Outcome::Clicked)], Value::Bool(true)),
        (vec![Op::Between(Unit::Days, 7, 0, 1)], Value::Missing),
        // Jumps.
        (vec![Op::Copy(7, 0), Op::Jump(9), Op::Copy(7, 1)], Value::Int(2)),
        (vec![Op::Copy(7, 0), Op::JumpIf(0, 9), Op::Copy(7, 1)], Value::Int(3)),
        (vec![Op::Const(7, C(7)), Op::JumpIf(7, 9), Op::Copy(7, 1)], Value::Bool(true)),
        (vec![Op::Copy(7, 0), Op::JumpIfNot(5, 9), Op::Copy(7, 1)], Value::Int(2)),
        (vec![Op::Copy(7, 0), Op::JumpIfKnown(7, 9), Op::Copy(7, 1)], Value::Int(2)),
        (vec![Op::JumpIfKnown(7, 8), Op::Copy(7, 1)], Value::Int(3)),
        // What verify excludes counts as missing.
        (vec![Op::Copy(7, 0), Op::Copy(7, 99)], Value::Missing),
        (vec![Op::Copy(99, 0)], Value::Missing),
        (vec![Op::Const(7, C(99))], Value::Missing),
        (vec![Op::List(7, 7, 9)], Value::List([].as_slice().into())),
        (vec![Op::InSegment(7, SegmentId(9))], Value::Bool(false)),
        (vec![Op::CompareMoving(Compare::Equal, 7, CodeId(9), CodeId(9))], Value::Bool(false)),
        (vec![Op::StepMoving(7, CodeId(9), StepGrain::Day)], Value::Missing),
    ] {
        let shown = format!("{ops:?}");
        assert_eq!(one(ops), expected, "{shown}");
    }
}

#[test]
fn codes_that_are_not_there_or_never_end() {
    let empty = Program::default();
    assert_eq!(run(&empty, &person(&[]), 0), (Value::Missing, i64::MAX));
    let endless = program(vec![], vec![vec![Op::StepMoving(0, CodeId(0), StepGrain::Day), Op::Return(0)]]);
    assert_eq!(run(&endless, &person(&[]), 0).0, Value::Missing);
    let backwards = program(vec![], vec![vec![Op::Now(0), Op::Jump(0), Op::Return(0)]]);
    assert_eq!(run(&backwards, &person(&[]), 0).0, Value::Instant(0));
    let mut large = program(vec![], vec![vec![Op::Now(900), Op::Copy(3, 900), Op::Return(3)]]);
    large.codes.iter_mut().for_each(|code| code.registers = 1000);
    assert_eq!(run(&large, &person(&[]), 5).0, Value::Instant(5));
}

#[test]
fn fences() {
    let fence = |radius: &str| Fence {
        latitude: Decimal::from_str("45.4642").unwrap(),
        longitude: Decimal::from_str("9.1900").unwrap(),
        radius: Decimal::from_str(radius).unwrap(),
    };
    // 762.661 m on WGS84, by Vincenty's formula.
    let place = person(&[]).location().unwrap();
    assert!(inside(&fence("762.662"), place));
    assert!(!inside(&fence("762.660"), place));
    assert!(inside(&fence("0"), (fence("0").latitude, fence("0").longitude)));
    assert!(!inside(&fence("40000000"), (Decimal::from(123), Decimal::from(9))));
    let program = program(vec![], vec![vec![Op::InFence(0, Box::new(fence("1000"))), Op::Return(0)]]);
    assert_eq!(run(&program, &person(&[]), 0), (Value::Bool(true), i64::MAX));
}

#[test]
fn segments_and_queries_name_their_horizon() {
    let mut program = program(
        vec![Const::Missing, Const::Date(0)],
        vec![
            vec![Op::InSegment(0, SegmentId(0)), Op::Return(0)],
            vec![Op::Query(0, QueryId(0), None), Op::Return(0)],
            vec![Op::Const(1, C(0)), Op::Query(0, QueryId(0), Some(1)), Op::Return(0)],
            vec![Op::Const(1, C(1)), Op::Query(0, QueryId(0), Some(1)), Op::Return(0)],
        ],
    );
    program.segments.push(Segment {
        name: "s".to_owned(),
        condition: Condition { code: CodeId(1), deps: Deps::default() },
        followed: true,
        span: Span::default(),
    });
    program.queries.push(Query {
        event: EventId(0),
        window: QueryWindow::Since,
        filter: None,
        free: false,
        answer: QueryAnswer::Exists,
        strategy: Finding::Log,
        span: Span::default(),
    });
    let person = person(&[]);
    assert_eq!(run(&program, &person, 1), (Value::Bool(true), DAY));
    assert_eq!(run(&program, &person, DAY), (Value::Bool(false), i64::MAX));
    let machine = Machine::new(&program);
    assert_eq!(machine.evaluate(CodeId(2), &person, &mut Moment::at(1)), Value::Bool(false));
    // The date's local midnight was an hour before the epoch.
    assert!(machine.truth(CodeId(3), &person, &mut Moment::at(1)));
}

/// When moving comparisons change, to the millisecond.
#[test]
fn horizons_of_comparisons() {
    use Arith::{Add, Subtract};
    use Compare::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let hours = |count: i64| step(0, 0, count * 3_600_000);
    let x = "2026-03-10T12:00:00Z";
    for (op, length, cmp, side, now, truth, horizon) in [
        (Add, hours(0), Greater, x, "2026-03-01T00:00:00Z", false, "2026-03-10T12:00:00.001Z"),
        (Add, hours(0), Greater, x, "2026-03-10T12:00:00Z", false, "2026-03-10T12:00:00.001Z"),
        (Add, hours(0), Greater, x, "2026-03-10T12:00:00.001Z", true, "never"),
        (Add, hours(0), GreaterOrEqual, x, "2026-03-01T00:00:00Z", false, "2026-03-10T12:00:00.000Z"),
        (Add, hours(0), Less, x, "2026-03-01T00:00:00Z", true, "2026-03-10T12:00:00.000Z"),
        (Add, hours(0), LessOrEqual, x, "2026-03-01T00:00:00Z", true, "2026-03-10T12:00:00.001Z"),
        (Add, hours(0), Equal, x, "2026-03-01T00:00:00Z", false, "2026-03-10T12:00:00.000Z"),
        (Add, hours(0), Equal, x, x, true, "2026-03-10T12:00:00.001Z"),
        (Add, hours(0), NotEqual, x, "2026-03-10T12:00:00.001Z", true, "never"),
        (Subtract, hours(2), Greater, x, "2026-03-01T00:00:00Z", false, "2026-03-10T14:00:00.001Z"),
        // Three local days, across the change of 29 March.
        (
            Subtract,
            step(0, 3, 0),
            Greater,
            "2026-03-28T11:00:00Z",
            "2026-03-28T11:00:00Z",
            false,
            "2026-03-31T10:00:00.001Z",
        ),
        (
            Subtract,
            step(0, 3, 0),
            GreaterOrEqual,
            "2026-03-28T11:00:00Z",
            "2026-03-01T11:00:00Z",
            false,
            "2026-03-31T10:00:00.000Z",
        ),
        (Subtract, step(0, 3, 0), Greater, "2026-03-28T11:00:00Z", "2026-04-28T11:00:00Z", true, "never"),
        // One calendar month on.
        (
            Add,
            step(1, 0, 0),
            GreaterOrEqual,
            "2026-05-15T10:00:00Z",
            "2026-01-01T00:00:00Z",
            false,
            "2026-04-15T10:00:00.000Z",
        ),
        (
            Add,
            step(1, 0, 0),
            GreaterOrEqual,
            "2026-03-01T10:00:00Z",
            "2026-01-01T00:00:00Z",
            false,
            "2026-02-01T10:00:00.000Z",
        ),
        // Before February's end the days repeat: 28 January 10:00 reaches the renewal,
        (
            Add,
            step(1, 0, 0),
            GreaterOrEqual,
            "2026-02-28T10:00:00Z",
            "2026-01-01T00:00:00Z",
            false,
            "2026-01-28T10:00:00.000Z",
        ),
        // midnight falls back behind it,
        (
            Add,
            step(1, 0, 0),
            GreaterOrEqual,
            "2026-02-28T10:00:00Z",
            "2026-01-28T10:00:00Z",
            true,
            "2026-01-28T23:00:00.000Z",
        ),
        // and the last such day reaches it for good.
        (
            Add,
            step(1, 0, 0),
            GreaterOrEqual,
            "2026-02-28T10:00:00Z",
            "2026-01-30T23:00:00Z",
            false,
            "2026-01-31T10:00:00.000Z",
        ),
        (Add, step(1, 0, 0), GreaterOrEqual, "2026-02-28T10:00:00Z", "2026-01-31T10:00:00Z", true, "never"),
        // A local time that the change skips.
        (
            Add,
            step(0, 1, 0),
            GreaterOrEqual,
            "2026-03-29T01:00:00Z",
            "2026-03-28T00:00:00Z",
            false,
            "2026-03-28T01:00:00.000Z",
        ),
    ] {
        let program = moving(op, length.clone(), cmp);
        let person = person(&[Value::Instant(at(side))]);
        let (value, until) = run(&program, &person, at(now));
        assert_eq!(
            (value, show(until).as_str()),
            (Value::Bool(truth), horizon),
            "{op:?} {length:?} {cmp:?} {side} at {now}"
        );
        // The other way round it is the same.
        let mut program = program;
        program.codes.swap(1, 2);
        let cmp = match cmp {
            Less => Greater,
            LessOrEqual => GreaterOrEqual,
            Greater => Less,
            GreaterOrEqual => LessOrEqual,
            same => same,
        };
        program.codes[0].ops[0] = Op::CompareMoving(cmp, 0, CodeId(1), CodeId(2));
        let (value, until) = run(&program, &person, at(now));
        assert_eq!((value, show(until).as_str()), (Value::Bool(truth), horizon), "mirrored {cmp:?} {side} at {now}");
    }
    let missing = run(&moving(Add, hours(0), Greater), &person(&[]), 0);
    assert_eq!(missing, (Value::Bool(false), i64::MAX));
    let date = Value::Date(parse_date("2026-03-10").unwrap());
    let (value, until) = run(&moving(Add, hours(0), GreaterOrEqual), &person(&[date]), 0);
    assert_eq!((value, show(until).as_str()), (Value::Bool(false), "2026-03-09T23:00:00.000Z"));
}

/// Only what was evaluated counts.
#[test]
fn what_is_skipped_has_no_horizon() {
    let skipping = |skip: bool| {
        let mut program = moving(Arith::Add, step(0, 0, 0), Compare::Greater);
        program.constants.push(Const::Bool(!skip));
        program.codes[0] = code(vec![
            Op::Const(0, C(1)),
            Op::JumpIfNot(0, 3),
            Op::CompareMoving(Compare::Greater, 0, CodeId(1), CodeId(2)),
            Op::Return(0),
        ]);
        run(&program, &person(&[Value::Instant(1000)]), 0).1
    };
    assert_eq!((skipping(true), skipping(false)), (i64::MAX, 1001));
}

#[test]
fn horizons_of_steps() {
    let of = |ops: Vec<Op>, grain, now: &str| {
        let program = program(
            vec![Const::Instant(at("2026-03-01T10:00Z"))],
            vec![vec![Op::StepMoving(0, CodeId(1), grain), Op::Return(0)], ops],
        );
        let (value, until) = run(&program, &person(&[]), at(now));
        (value, show(until))
    };
    let hour = || vec![Op::Now(0), Op::Call(Function::Hour, 0, 0, 1), Op::Return(0)];
    let days = || vec![Op::Const(0, C(0)), Op::Now(1), Op::Between(Unit::Days, 0, 0, 1), Op::Return(0)];
    let minute = || vec![Op::Now(0), Op::Call(Function::Minute, 0, 0, 1), Op::Return(0)];
    let weekday = || vec![Op::Now(0), Op::Call(Function::Weekday, 0, 0, 1), Op::Return(0)];
    let fixed = || vec![Op::Const(0, C(0)), Op::Return(0)];
    for (ops, grain, now, value, horizon) in [
        (hour(), StepGrain::Hour, "2026-03-02T12:34:56Z", Value::Int(13), "2026-03-02T13:00:00.000Z"),
        (hour(), StepGrain::Millisecond, "2026-03-02T12:34:56Z", Value::Int(13), "2026-03-02T13:00:00.000Z"),
        (weekday(), StepGrain::Day, "2026-03-02T12:00:00Z", Value::Weekday(0), "2026-03-02T23:00:00.000Z"),
        (weekday(), StepGrain::Day, "2026-03-29T00:00:00Z", Value::Weekday(6), "2026-03-29T01:00:00.000Z"),
        (days(), StepGrain::Millisecond, "2026-03-02T09:00:00Z", Value::Int(0), "2026-03-02T10:00:00.000Z"),
        (days(), StepGrain::Millisecond, "2026-03-28T10:00:00Z", Value::Int(27), "2026-03-29T09:00:00.000Z"),
        (minute(), StepGrain::Millisecond, "2026-03-28T10:00:01Z", Value::Int(0), "2026-03-28T10:01:00.000Z"),
        (fixed(), StepGrain::Millisecond, "2026-03-02T09:00:00Z", Value::Instant(at("2026-03-01T10:00Z")), "never"),
    ] {
        assert_eq!(of(ops, grain, now), (value, horizon.to_owned()), "{grain:?} {now}");
    }
    let today = program(vec![], vec![vec![Op::Today(0), Op::Return(0)]]);
    let (value, until) = run(&today, &person(&[]), at("2026-03-28T23:30Z"));
    assert_eq!(
        (value, show(until).as_str()),
        (Value::Date(parse_date("2026-03-29").unwrap()), "2026-03-29T22:00:00.000Z")
    );
}

fn any_length() -> impl Strategy<Value = Const> {
    prop_oneof![
        (-50..50_i64).prop_map(|hours| step(0, 0, hours * 3_600_000)),
        (-40..40_i32).prop_map(|days| step(0, days, 0)),
        (-14..14_i32).prop_map(|months| step(months, 0, 0)),
        (-3..3_i32, -5..5_i32, -1_000..1_000_i64).prop_map(|(months, days, millis)| step(months, days, millis)),
    ]
}

const COMPARES: [Compare; 6] =
    [Compare::Equal, Compare::NotEqual, Compare::Less, Compare::LessOrEqual, Compare::Greater, Compare::GreaterOrEqual];
const ZONES: [&str; 6] =
    ["UTC", "Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca"];

/// Instants near ends of months and changes of clocks more often than not.
fn any_near() -> impl Strategy<Value = i64> {
    let special = proptest::sample::select(
        &[
            "2026-01-31T12:00Z",
            "2026-02-28T12:00Z",
            "2028-02-29T00:00Z",
            "2026-03-29T01:00Z",
            "2026-10-25T01:00Z",
            "2011-12-30T10:00Z",
            "2026-04-04T15:00Z",
            "2026-11-01T06:00Z",
        ][..],
    );
    (special, -4 * DAY..4 * DAY, prop_oneof![Just(1_i64), Just(3_600_000)]).prop_map(|(text, off, grain)| {
        let instant = at(text) + off;
        instant - instant.rem_euclid(grain)
    })
}

const UNITS: [Unit; 7] =
    [Unit::Seconds, Unit::Minutes, Unit::Hours, Unit::Days, Unit::Weeks, Unit::Months, Unit::Years];

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]

    /// One moving comparison: constant up to its horizon, another value there. `twice` takes the length in
    /// two steps, so that the general search is used.
    #[test]
    fn a_comparison_changes_at_its_horizon_and_not_before(
        length in any_length(), more in any_length(), twice in any::<bool>(), zone in proptest::sample::select(&ZONES[..]),
        cmp in proptest::sample::select(&COMPARES[..]), side in any_near(), off in -10 * DAY..3 * DAY,
        probes in proptest::collection::vec(0.0..1.0_f64, 25),
    ) {
        let mut program = moving(Arith::Add, length.clone(), cmp);
        if twice {
            program.constants.push(more.clone());
            program.codes[1].ops.splice(3..3, [Op::Const(1, C(1)), Op::Arith(Arith::Subtract, 0, 0, 1)]);
        }
        let mut person = person(&[Value::Instant(side)]);
        person.zone = Zones::bundled().get(zone).unwrap();
        let back = |length: &Const| if let Const::Duration(length) = length { *length } else { Duration::default() };
        let mut start = calendar::add(&person.zone, side, crate::vm::value::negated(back(&length)));
        if twice {
            start = calendar::add(&person.zone, start, back(&more));
        }
        let now = start + off;
        let machine = Machine::new(&program);
        let run = |_: &Program, person: &Person, now: i64| {
            let mut moment = Moment::at(now);
            (machine.evaluate(CodeId(0), person, &mut moment), moment.horizon)
        };
        let (value, until) = run(&program, &person, now);
        prop_assert!(until > now);
        let end = until.min(now + 30 * DAY);
        for probe in probes {
            let then = now + ((end - 1 - now) as f64 * probe * probe) as i64;
            prop_assert_eq!(&run(&program, &person, then).0, &value, "at {} of {}", show(then), show(until));
        }
        prop_assert_eq!(&run(&program, &person, end - 1).0, &value);
        if until != i64::MAX {
            prop_assert_ne!(&run(&program, &person, until).0, &value, "at the horizon {}", show(until));
        }
    }

    /// Conditions put together from moving parts: constant up to their horizon.
    #[test]
    fn conditions_hold_until_their_horizon(
        length in any_length(), zone in proptest::sample::select(&ZONES[..]), cmp in proptest::sample::select(&COMPARES[..]),
        side in any_near(), off in -3 * DAY..3 * DAY, which in 0..5_usize, hour in 0..24_i64, or in any::<bool>(),
        probes in proptest::collection::vec(0.0..1.0_f64, 12),
    ) {
        let part = [
            vec![Op::Today(1), Op::Attr(2, AttrId(0)), Op::Compare(Compare::Less, 1, 1, 2)],
            vec![Op::StepMoving(1, CodeId(3), StepGrain::Hour), Op::Const(2, C(1)), Op::Compare(Compare::Greater, 1, 1, 2)],
            vec![Op::StepMoving(1, CodeId(4), StepGrain::Millisecond), Op::Const(2, C(1)), Op::Compare(Compare::Greater, 1, 1, 2)],
            vec![Op::Query(1, QueryId(0), None)],
            vec![Op::StepMoving(1, CodeId(5), StepGrain::Day), Op::Const(2, C(2)), Op::Compare(Compare::Equal, 1, 1, 2)],
        ][which].clone();
        let mut program = moving(Arith::Add, length, cmp);
        program.constants.extend([Const::Int(hour), Const::Weekday(3)]);
        let mut ops = part;
        let target = ops.len() as u32 + 3;
        ops.push(Op::Copy(0, 1));
        ops.push(if or { Op::JumpIf(0, target) } else { Op::JumpIfNot(0, target) });
        ops.extend([Op::CompareMoving(cmp, 0, CodeId(1), CodeId(2)), Op::Return(0)]);
        program.codes[0] = code(ops);
        program.codes.push(code(vec![Op::Now(0), Op::Call(Function::Hour, 0, 0, 1), Op::Return(0)]));
        program.codes.push(code(vec![Op::Now(0), Op::Attr(1, AttrId(0)), Op::Between(Unit::Hours, 0, 1, 0), Op::Return(0)]));
        program.codes.push(code(vec![Op::Now(0), Op::Call(Function::Weekday, 0, 0, 1), Op::Return(0)]));
        let mut person = person(&[Value::Instant(side)]);
        person.zone = Zones::bundled().get(zone).unwrap();
        let now = side + off;
        person.event = now - off.rem_euclid(2 * DAY);
        let (value, until) = run(&program, &person, now);
        prop_assert!(until > now);
        let end = until.min(now + 30 * DAY);
        for probe in probes {
            let then = now + ((end - 1 - now) as f64 * probe * probe) as i64;
            prop_assert_eq!(&run(&program, &person, then).0, &value, "at {} of {}", show(then), show(until));
        }
        prop_assert_eq!(&run(&program, &person, end - 1).0, &value);
    }

    /// Counted units: constant up to their horizon, another number there.
    #[test]
    fn a_count_changes_at_its_horizon_and_not_before(
        zone in proptest::sample::select(&ZONES[..]), unit in proptest::sample::select(&UNITS[..]), side in any_near(),
        off in prop_oneof![-5 * DAY..5 * DAY, -800 * DAY..800 * DAY], hours in prop_oneof![Just(0_i64), -30..30_i64], first in any::<bool>(),
        probes in proptest::collection::vec(0.0..1.0_f64, 25),
    ) {
        let mut ops = vec![Op::Attr(0, AttrId(0)), Op::Now(1), Op::Const(2, C(0)), Op::Arith(Arith::Add, 1, 1, 2)];
        ops.push(if first { Op::Between(unit, 0, 1, 0) } else { Op::Between(unit, 0, 0, 1) });
        ops.push(Op::Return(0));
        let program = program(vec![step(0, 0, hours * 3_600_000)], vec![
            vec![Op::StepMoving(0, CodeId(1), StepGrain::Millisecond), Op::Return(0)],
            ops,
        ]);
        let mut person = person(&[Value::Instant(side)]);
        person.zone = Zones::bundled().get(zone).unwrap();
        let now = side + off;
        let (value, until) = run(&program, &person, now);
        prop_assert!(until > now && until != i64::MAX);
        for probe in probes {
            let then = now + ((until - 1 - now) as f64 * probe * probe) as i64;
            prop_assert_eq!(&run(&program, &person, then).0, &value, "at {} of {}", show(then), show(until));
        }
        prop_assert_eq!(&run(&program, &person, until - 1).0, &value);
        prop_assert_ne!(&run(&program, &person, until).0, &value, "at the horizon {}", show(until));
    }
}
