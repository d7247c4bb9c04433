//! The program as it runs: tables, queries, code op by op, steps.

use super::{graph, Names};
use crate::bytecode::{Code, CodeId, Event, Log, Op, Query, QueryAnswer, QueryWindow, Reg, StepId, Strategy};
use crate::graph::{codes, constant, edges};
use crate::show;
use std::fmt::Write;

pub(super) fn list(names: &Names<'_>) -> String {
    let program = names.program;
    let mut out = format!("program {}, time zone {}\n", program.name, program.timezone);
    section(&mut out, "events", program.events.iter().filter(|event| event.used).map(|event| event_line(names, event)));
    section(&mut out, "attributes", program.attributes.iter().map(|one| show::field(program, &one.field)));
    section(
        &mut out,
        "segments",
        program.segments.iter().map(|segment| {
            let followed = if segment.followed { ", followed" } else { "" };
            format!("{}: code {}{followed}", segment.name, segment.condition.code.0)
        }),
    );
    section(
        &mut out,
        "constants",
        program.constants.iter().enumerate().map(|(n, c)| format!("c{n} = {}", show::constant(c))),
    );
    section(
        &mut out,
        "queries",
        program.queries.iter().enumerate().map(|(n, q)| format!("q{n} = {}", query(names, q))),
    );
    out += "codes\n";
    for (n, one) in program.codes.iter().enumerate() {
        let id = CodeId(u32::try_from(n).unwrap_or(u32::MAX));
        code(&mut out, names, id, one);
    }
    for journey in &program.journeys {
        let _ = writeln!(out, "journey {}: {} slots, {} messages", journey.name, journey.slots, journey.messages);
        for line in graph::header(names, journey) {
            let _ = writeln!(out, "  {line}");
        }
        for (at, step) in journey.steps.iter().enumerate() {
            let used: Vec<String> = codes(&step.kind).iter().map(|code| format!(" code {}", code.0)).collect();
            let to = edges(journey, StepId(u32::try_from(at).unwrap_or(u32::MAX)));
            let to: Vec<String> = to.iter().map(|edge| edge.to.0.to_string()).collect();
            let (what, used, to) = (names.step(journey, step), used.join(""), to.join(" "));
            let _ = writeln!(out, "  {at:>3}  {what:<44}{used} → {to}  [{}]", step.identity);
        }
    }
    out
}

fn section(out: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.map(|line| format!("  {line}\n")).collect();
    if !lines.is_empty() {
        let _ = write!(out, "{title}\n{}", lines.concat());
    }
}

fn event_line(names: &Names<'_>, event: &Event) -> String {
    let fields: Vec<String> = event.fields.iter().map(|field| show::field(names.program, field)).collect();
    let wire = if event.wire == event.name { String::new() } else { format!(" = {:?}", event.wire) };
    let last = if event.history.last { ", the last one kept" } else { "" };
    let log = event.history.log.as_ref().map(|log| log_words(names, event, log)).unwrap_or_default();
    format!("{}{wire} {{ {} }}{last}{log}", event.name, fields.join(", "))
}

fn log_words(names: &Names<'_>, event: &Event, log: &Log) -> String {
    let fields = log.fields.iter().filter_map(|n| event.fields.get(usize::from(*n)));
    let fields: Vec<&str> = fields.map(|field| field.name.as_str()).collect();
    let mut how_long = Vec::new();
    if log.forever {
        how_long.push("for ever".to_owned());
    }
    how_long.extend(log.window.map(|window| format!("for {}", show::window(window))));
    how_long.extend(log.in_flight.iter().map(|id| format!("while in {}", names.journey(*id))));
    how_long.extend(log.joined.map(|joined| format!("for {} for joins", show::window(joined))));
    format!(", log [{}] kept {}", fields.join(", "), how_long.join(", "))
}

fn query(names: &Names<'_>, query: &Query) -> String {
    let event = names.program.events.get(query.event.index());
    let field = |n: u16| event.and_then(|event| event.fields.get(usize::from(n))).map_or("?", |field| &field.name);
    let of = names.event(query.event);
    let what = match query.answer {
        QueryAnswer::Exists => format!("exists({of}"),
        QueryAnswer::Count => format!("count({of}"),
        QueryAnswer::Sum(n) => format!("sum({} of {of}", field(n)),
        QueryAnswer::Min(n) => format!("min({} of {of}", field(n)),
        QueryAnswer::Max(n) => format!("max({} of {of}", field(n)),
        QueryAnswer::Avg(n) => format!("avg({} of {of}", field(n)),
        QueryAnswer::FirstField(n) => format!("first {}({of}", field(n)),
        QueryAnswer::LastField(n) => format!("last {}({of}", field(n)),
        QueryAnswer::FirstTime => format!("first time({of}"),
        QueryAnswer::LastTime => format!("last time({of}"),
    };
    let window = match query.window {
        QueryWindow::Entry => "since this entry".to_owned(),
        QueryWindow::Last(millis) => format!("in last {}", show::window(millis)),
        QueryWindow::Ever => "ever".to_owned(),
        QueryWindow::Since => "since".to_owned(),
    };
    let filter = query.filter.map(|code| format!(" where code {}", code.0)).unwrap_or_default();
    let free = if query.free { ", free" } else { "" };
    let strategy = match query.strategy {
        Strategy::Last => "the last one".to_owned(),
        Strategy::Running(cell) => format!("running total {cell}"),
        Strategy::Log => "the log".to_owned(),
    };
    format!("{what} {window}{filter}) from {strategy}{free}")
}

fn code(out: &mut String, names: &Names<'_>, id: CodeId, code: &Code) {
    let text = if constant(names.program, id).is_some() { String::new() } else { format!("  {}", names.code(id)) };
    let _ = writeln!(out, "  code {}: {} registers{text}", id.0, code.registers);
    for (at, (op, span)) in code.ops.iter().zip(&code.spans).enumerate() {
        let (op, text) = (operation(names, op), names.text(*span));
        let _ = writeln!(out, "    {at:>3}  {op:<40}  {text}");
    }
}

fn range(first: Reg, count: u16) -> String {
    (u32::from(first)..u32::from(first) + u32::from(count)).map(|r| format!("r{r}")).collect::<Vec<_>>().join(", ")
}

fn operation(names: &Names<'_>, op: &Op) -> String {
    match op {
        Op::Const(a, id) => {
            let value = names.program.constants.get(id.index()).map(show::constant).unwrap_or_default();
            format!("r{a} = {value}")
        }
        Op::Copy(a, b) => format!("r{a} = r{b}"),
        Op::Attr(a, id) => format!("r{a} = user.{}", names.attribute(*id)),
        Op::Trigger(a, n) => format!("r{a} = trigger field {n}"),
        Op::Field(a, n) => format!("r{a} = field {n}"),
        Op::EntryTime(a) => format!("r{a} = time of entry"),
        Op::Slot(a, n) => format!("r{a} = slot {n}"),
        Op::Member(a, b, n) => format!("r{a} = r{b}.{n}"),
        Op::Now(a) => format!("r{a} = now"),
        Op::Today(a) => format!("r{a} = today"),
        Op::Not(a, b) => format!("r{a} = not r{b}"),
        Op::Negate(a, b) => format!("r{a} = -r{b}"),
        Op::Arith(sign, a, b, c) => format!("r{a} = r{b} {} r{c}", show::arith(*sign)),
        Op::Compare(sign, a, b, c) => format!("r{a} = r{b} {} r{c}", show::compare(*sign)),
        Op::CompareMoving(sign, a, b, c) => {
            format!("r{a} = code {} {} code {}, moving", b.0, show::compare(*sign), c.0)
        }
        Op::StepMoving(a, b, grain) => format!("r{a} = code {}, moving by {grain:?}", b.0),
        Op::In(a, b, c) => format!("r{a} = r{b} in r{c}"),
        Op::Contains(a, b, c) => format!("r{a} = r{b} contains r{c}"),
        Op::StartsWith(a, b, c) => format!("r{a} = r{b} starts with r{c}"),
        Op::EndsWith(a, b, c) => format!("r{a} = r{b} ends with r{c}"),
        Op::IsKnown(a, b) => format!("r{a} = r{b} is known"),
        Op::List(a, first, n) => format!("r{a} = [{}]", range(*first, *n)),
        Op::Concat(a, first, n) => format!("r{a} = concat({})", range(*first, *n)),
        Op::Call(function, a, first, n) => format!("r{a} = {function:?}({})", range(*first, *n)),
        Op::Query(a, id, None) => format!("r{a} = q{}", id.0),
        Op::Query(a, id, Some(b)) => format!("r{a} = q{} since r{b}", id.0),
        Op::InSegment(a, id) => format!("r{a} = in segment {}", names.segment(*id)),
        Op::InFence(a, fence) => {
            format!("r{a} = in circle {}, {} radius {}m", fence.latitude, fence.longitude, fence.radius)
        }
        Op::Can(a, channel, topic) => format!("r{a} = can {} about {}", names.channel(*channel), names.topic(*topic)),
        Op::Outcome(a, n, outcome) => format!("r{a} = message {n} {}", outcome.word()),
        Op::Between(unit, a, b, c) => format!("r{a} = {} between r{b} and r{c}", show::unit(*unit)),
        Op::Jump(to) => format!("go to {to}"),
        Op::JumpIf(a, to) => format!("if r{a} go to {to}"),
        Op::JumpIfNot(a, to) => format!("if not r{a} go to {to}"),
        Op::JumpIfKnown(a, to) => format!("if r{a} is known go to {to}"),
        Op::Return(a) => format!("return r{a}"),
    }
}
