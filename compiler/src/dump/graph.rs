//! Journeys as lists of steps.

use super::Names;
use crate::bytecode::{Again, Enter, EnterMode, Exit, Goal, Journey, StepId, StepKind};
use crate::graph::{edges, Edge, EdgeKind};
use crate::show;

pub(super) fn list(names: &Names<'_>) -> String {
    let journeys: Vec<String> = names.program.journeys.iter().map(|one| journey(names, one)).collect();
    journeys.join("\n")
}

fn journey(names: &Names<'_>, journey: &Journey) -> String {
    let mut out = format!("journey {}", journey.name);
    if !journey.title.is_empty() {
        out += &format!(" {:?}", journey.title);
    }
    out.push('\n');
    for line in header(names, journey) {
        out += &format!("  {line}\n");
    }
    for (at, step) in journey.steps.iter().enumerate() {
        let id = StepId(u32::try_from(at).unwrap_or(u32::MAX));
        let targets = targets(journey, id, &edges(journey, id));
        out += &format!("  {at:>3}  {}{targets}\n", names.step(journey, step));
    }
    out
}

/// The clauses of the header, one a line.
pub(super) fn header(names: &Names<'_>, journey: &Journey) -> Vec<String> {
    let mut lines: Vec<String> = journey.triggers.iter().map(|on| format!("on {}", names.trigger(on))).collect();
    lines.extend(enter(journey, &journey.enter));
    lines.extend(journey.exits.iter().map(|one| exit(names, one)));
    lines.extend(journey.goals.iter().map(|one| goal(names, one)));
    let topic = names.topic(journey.topic);
    lines.extend((!topic.is_empty()).then(|| format!("topic {topic}")));
    lines.extend(journey.holdout.map(|share| format!("holdout {share}%")));
    lines
}

fn enter(journey: &Journey, enter: &Enter) -> Option<String> {
    let mut words = Vec::new();
    if !enter.key.is_empty() {
        let names = enter.key.iter().filter_map(|n| journey.trigger_fields.get(usize::from(*n)));
        words.push(format!("per {}", names.map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ")));
    }
    match enter.again {
        Again::Yes => {}
        Again::Never => words.push("once".to_owned()),
        Again::After(length) => words.push(format!("once per {}", show::duration(length))),
    }
    match enter.mode {
        EnterMode::One => {}
        EnterMode::Restart => words.push("restart".to_owned()),
        EnterMode::Always => words.push("always".to_owned()),
    }
    (!words.is_empty()).then(|| format!("enter {}", words.join(" ")))
}

fn exit(names: &Names<'_>, exit: &Exit) -> String {
    match exit {
        Exit::On { event, filter: None } => format!("exit on {}", names.event(*event)),
        Exit::On { event, filter: Some(code) } => {
            format!("exit on {} where {}", names.event(*event), names.code(*code))
        }
        Exit::When(condition) => format!("exit when {}", names.code(condition.code)),
        Exit::After(duration) => format!("exit after {}", show::duration(*duration)),
    }
}

fn goal(names: &Names<'_>, goal: &Goal) -> String {
    let filter = goal.filter.map(|code| format!(" where {}", names.code(code))).unwrap_or_default();
    let within = goal.within.map(|within| format!(" within {}", show::duration(within))).unwrap_or_default();
    format!("goal {}{filter}{within}", names.event(goal.event))
}

/// Where it goes on, unless simply to the next step.
fn targets(journey: &Journey, at: StepId, edges: &[Edge]) -> String {
    let place = |to: StepId| if to.index() >= journey.steps.len() { "the end".to_owned() } else { to.0.to_string() };
    let is_join = matches!(journey.steps.get(at.index()).map(|step| &step.kind), Some(StepKind::Together { .. }));
    let mut words: Vec<String> = edges
        .iter()
        .filter(|edge| is_join || edge.to.0 != at.0 + 1 || edge.kind != EdgeKind::Next)
        .map(|edge| match &edge.kind {
            EdgeKind::Next => place(edge.to),
            EdgeKind::Then => format!("then {}", place(edge.to)),
            EdgeKind::Otherwise => format!("else {}", place(edge.to)),
            EdgeKind::Arm(name) => format!("{name} {}", place(edge.to)),
            EdgeKind::Branch(_) => place(edge.to),
            EdgeKind::Join => place(edge.to),
            EdgeKind::Again => format!("again {}", place(edge.to)),
        })
        .collect();
    if let Some(StepKind::Together { join, .. }) = journey.steps.get(at.index()).map(|step| &step.kind) {
        words.push(format!("joined at {}", place(*join)));
    }
    if words.is_empty() {
        return String::new();
    }
    format!("  → {}", words.join(", "))
}
