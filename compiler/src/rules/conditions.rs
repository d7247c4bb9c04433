//! Conditions that are always true or never: by themselves, or because of what is known on every
//! way that leads to them (`if x > 100 … else if x > 150`).

use super::evaluate::{evaluate, Outcome, Scope};
use super::facts::{Facts, Var};
use super::settled::Settled;
use super::values::Values;
use super::Project;
use crate::bytecode::{
    CodeId, Event, EventId, Exit, Field, Function, Journey, JourneyId, Program, Send, Step, StepId, StepKind, Trigger,
    WaitedEvent,
};
use crate::codes::{AFTER_EXIT, ALWAYS_FALSE, ALWAYS_TRUE, REACHES_NOBODY};
use crate::diagnostic::Diagnostic;
use crate::graph::{edges, EdgeKind};
use flow_grammar::ast;
use flow_grammar::span::Span;
use std::collections::{BTreeMap, BTreeSet};

/// What was found at one place of the source; a place in a `for` is met several times.
#[derive(Default)]
struct Seen {
    times: usize,
    always: usize,
    never: usize,
    /// Never, because an exit would have come first.
    ended: usize,
    /// Those exits, where they are conditions.
    exits: BTreeSet<Span>,
    /// The function whose values decide it.
    function: Option<Function>,
    because: BTreeSet<Span>,
    /// A message that reaches nobody.
    unreached: usize,
}

type Places = BTreeMap<Span, Seen>;

/// Whether each step can be reached, by its place: a place in a `for` stands for several steps.
type Reached = BTreeMap<Span, bool>;

pub(super) fn check(project: Project<'_>) -> Vec<Diagnostic> {
    let mut places = Places::new();
    let program = project.program;
    for segment in &program.segments {
        look(&mut places, scope(program, None, &[]), segment.condition.code, &Facts::default());
    }
    for query in &program.queries {
        if let Some(filter) = query.filter.filter(|_| !query.free) {
            look(&mut places, scope(program, None, fields(program, query.event)), filter, &Facts::default());
        }
    }
    let mut reached = Reached::new();
    for (id, journey) in (0..).map(JourneyId).zip(&program.journeys) {
        header(&mut places, program, journey);
        let settled = Settled::new(project, journey);
        body(&mut places, &mut reached, program, journey, project.started.contains(&id), &settled);
    }
    let ifs = spans_of_ifs(project);
    let mut found: Vec<Diagnostic> = places.into_iter().filter_map(|(span, seen)| finding(span, &seen, &ifs)).collect();
    found.extend(super::nothing_left::check(project, &reached));
    found
}

/// One finding a place, when it is the same however often the place is met.
fn finding(span: Span, seen: &Seen, ifs: &Ifs) -> Option<Diagnostic> {
    let found = if seen.unreached == seen.times {
        Diagnostic::warning(REACHES_NOBODY, span, "this message reaches nobody who comes here")
            .help("use another channel on this way, or remove the message")
    } else if seen.unreached > 0 {
        return None;
    } else if seen.never == seen.times {
        let found = Diagnostic::warning(ALWAYS_FALSE, span, "this condition is never true");
        match seen.function.filter(|_| seen.because.is_empty()).and_then(gives) {
            Some(gives) => found.help(format!("{gives}: change what it is compared with")),
            None if ifs.conditions.contains(&span) => {
                found.help("what follows `then` is never done: change the condition or remove the step")
            }
            None => found.help("change the condition or remove what depends on it"),
        }
    } else if seen.always == seen.times && !ifs.arms.contains(&span) {
        let found = Diagnostic::warning(ALWAYS_TRUE, span, "this condition is always true");
        match seen.function.filter(|_| seen.because.is_empty()).and_then(gives) {
            Some(gives) => found.help(format!("{gives}: change what it is compared with, or leave it out")),
            None => found.help("change the condition, or leave it out: it decides nothing"),
        }
    } else if seen.ended + seen.never == seen.times {
        let found =
            Diagnostic::warning(AFTER_EXIT, span, "this is never true: what it asks for would have ended the journey");
        if seen.exits.is_empty() {
            found.help("remove the step, or leave this event out of `exit on`")
        } else {
            let exits = seen.exits.iter();
            exits
                .fold(found, |found, exit| found.label(*exit, "the journey ends by this"))
                .help("remove the step, or let the journey go on: leave this out of `exit when`")
        }
    } else {
        return None;
    };
    let because = seen.because.iter().filter(|because| because.file == span.file && **because != span);
    Some(because.fold(found, |found, because| found.label(*because, "this was decided before")))
}

/// What can be said of a function's values.
fn gives(function: Function) -> Option<String> {
    let name = crate::functions::name_of(function);
    Some(match Values::range_of(function)? {
        (low, Some(high)) => format!("`{name}` gives {low} to {high}"),
        (low, None) => format!("`{name}` gives {low} or more"),
    })
}

fn scope<'p>(program: &'p Program, journey: Option<&'p Journey>, fields: &'p [Field]) -> Scope<'p> {
    Scope { program, journey, fields, absent: &[] }
}

fn fields(program: &Program, event: EventId) -> &[Field] {
    program.events.get(event.index()).map_or(&[], |event: &Event| &event.fields)
}

/// Evaluates a condition and notes what it can be.
fn look(places: &mut Places, scope: Scope<'_>, code: CodeId, facts: &Facts) -> Outcome {
    let outcome = evaluate(scope, code, facts);
    let span = scope.program.codes.get(code.index()).and_then(|code| code.spans.last().copied());
    let Some(span) = span.filter(|span| !span.is_empty()) else { return outcome };
    let seen = places.entry(span).or_default();
    seen.times += 1;
    match (&outcome.yes, &outcome.no) {
        (Some(_), None) => seen.always += 1,
        (None, _) => seen.never += 1,
        _ => {}
    }
    if outcome.yes.is_none() || outcome.no.is_none() {
        seen.because.extend(&outcome.because);
        seen.function = outcome.function;
    }
    outcome
}

fn header(places: &mut Places, program: &Program, journey: &Journey) {
    let all = Facts::default();
    for exit in &journey.exits {
        match exit {
            Exit::On { event, filter: Some(code) } => {
                look(places, scope(program, Some(journey), fields(program, *event)), *code, &all);
            }
            Exit::When(condition) => {
                look(places, scope(program, Some(journey), &[]), condition.code, &all);
            }
            Exit::On { .. } | Exit::After(_) => {}
        }
    }
    for goal in &journey.goals {
        if let Some(code) = goal.filter {
            look(places, scope(program, Some(journey), fields(program, goal.event)), code, &all);
        }
    }
}

/// What is known when the first step is reached: what every trigger's `where` says.
fn at_entry(places: &mut Places, program: &Program, journey: &Journey, is_started: bool) -> Facts {
    let all = Facts::default();
    let of_trigger = |places: &mut Places, trigger: &Trigger| match trigger {
        Trigger::Event { event, filter: Some(code) } => {
            let outcome = look(places, scope(program, Some(journey), fields(program, *event)), *code, &all);
            outcome.yes.map(|facts| facts.rename(|var| as_trigger(journey, *event, var)))
        }
        Trigger::Without { event, filter, without, without_filter, .. } => {
            if let Some(code) = without_filter {
                look(places, scope(program, Some(journey), fields(program, *without)), *code, &all);
            }
            let code = (*filter)?;
            let outcome = look(places, scope(program, Some(journey), fields(program, *event)), code, &all);
            // Time has passed since: only what the event said still holds.
            let said = |var| as_trigger(journey, *event, var).filter(|var| matches!(var, Var::Trigger(_)));
            outcome.yes.map(|facts| facts.rename(said))
        }
        Trigger::Change { filter: Some(code), .. } => look(places, scope(program, Some(journey), &[]), *code, &all).yes,
        Trigger::Every { audience: Some(code), .. } => {
            look(places, scope(program, None, &[]), *code, &all);
            None
        }
        _ => None,
    };
    let facts: Vec<Facts> =
        journey.triggers.iter().map(|trigger| of_trigger(places, trigger).unwrap_or_default()).collect();
    // `start` enters without any trigger.
    if is_started {
        return Facts::default();
    }
    facts.into_iter().reduce(|a, b| a.join(&b)).unwrap_or_default()
}

/// A field of the triggering event is a field of the trigger.
fn as_trigger(journey: &Journey, event: EventId, var: Var) -> Option<Var> {
    let Var::Field(field) = var else { return Some(var) };
    let at = journey.trigger_fields.iter().position(|one| one.sources.contains(&(event, field)))?;
    u16::try_from(at).ok().map(Var::Trigger)
}

fn body(
    places: &mut Places,
    reached: &mut Reached,
    program: &Program,
    journey: &Journey,
    is_started: bool,
    settled: &Settled,
) {
    let mut facts: Vec<Option<Facts>> = vec![None; journey.steps.len()];
    let entry = at_entry(places, program, journey, is_started);
    if let Some(first) = facts.first_mut() {
        *first = Some(entry);
    }
    for (at, step) in journey.steps.iter().enumerate() {
        let known = facts.get(at).cloned().flatten();
        *reached.entry(step.span).or_default() |= known.is_some();
        let Some(known) = known else { continue };
        if let StepKind::Send(send) = &step.kind {
            message(places, program, step, send, &known);
        }
        let (yes, no) = pass(places, program, journey, step, &known, settled);
        let id = StepId(u32::try_from(at).unwrap_or(u32::MAX));
        for edge in edges(journey, id).into_iter().filter(|edge| edge.to.index() > at) {
            let new = if edge.kind == EdgeKind::Otherwise { &no } else { &yes };
            let (Some(new), Some(slot)) = (new, facts.get_mut(edge.to.index())) else { continue };
            *slot = Some(slot.as_ref().map_or_else(|| new.clone(), |old| old.join(new)));
        }
    }
}

/// Notes a message that reaches nobody. Contact and consent are judged before quiet hours, so nothing puts it off.
fn message(places: &mut Places, program: &Program, step: &Step, send: &Send, known: &Facts) {
    let blocked = super::reach::blocked(program, send, known);
    let seen = places.entry(step.span).or_default();
    seen.times += 1;
    if let Some(because) = blocked {
        seen.unreached += 1;
        seen.because.extend(because);
    }
}

/// What is known after a step: where its condition held (or simply after it), and where it did not.
fn pass(
    places: &mut Places,
    program: &Program,
    journey: &Journey,
    step: &Step,
    known: &Facts,
    settled: &Settled,
) -> (Option<Facts>, Option<Facts>) {
    let mut later = known.clone();
    later.retain(|var| matches!(var, Var::Trigger(_)));
    match &step.kind {
        StepKind::Branch { condition, .. } => {
            let outcome = look_with_exits(places, scope(program, Some(journey), &[]), *condition, known, settled);
            return (outcome.yes, outcome.no);
        }
        StepKind::Set { attribute, .. } => {
            let mut left = known.clone();
            left.retain(|var| match var {
                Var::Trigger(_) => true,
                Var::Attr(id) => id != *attribute,
                _ => false,
            });
            return (Some(left.clone()), Some(left));
        }
        StepKind::Jump(_) | StepKind::Split { .. } | StepKind::Audience { .. } => {
            return (Some(known.clone()), Some(known.clone()));
        }
        StepKind::WaitCondition { condition, .. } => {
            // It may hold when it is reached, and later too: nothing but the trigger is sure.
            look_with_exits(places, scope(program, Some(journey), &[]), condition.code, &later, settled);
        }
        StepKind::WaitEvent { events, .. } => {
            for waited in events {
                if let WaitedEvent::Event { event, filter: Some(code) } = waited {
                    look(places, scope(program, Some(journey), fields(program, *event)), *code, &later);
                }
            }
        }
        _ => {}
    }
    (Some(later.clone()), Some(later))
}

/// As [`look`], and once more knowing that what ends the journey has not happened and does not hold.
fn look_with_exits(places: &mut Places, scope: Scope<'_>, code: CodeId, facts: &Facts, settled: &Settled) -> Outcome {
    let outcome = look(places, scope, code, facts);
    if outcome.yes.is_some() && outcome.no.is_some() {
        let span = scope.program.codes.get(code.index()).and_then(|code| code.spans.last());
        if let (Some(exits), Some(seen)) =
            (settled.excludes(scope, code, facts), span.and_then(|span| places.get_mut(span)))
        {
            seen.ended += 1;
            seen.exits.extend(exits);
        }
    }
    outcome
}

/// Where conditions stand that may be found always true, and where not.
struct Ifs {
    /// Conditions of `if`.
    conditions: BTreeSet<Span>,
    /// What stands in `match`: the last arm of a full one is always taken, and rightly so.
    arms: BTreeSet<Span>,
}

fn spans_of_ifs(project: Project<'_>) -> Ifs {
    let mut ifs = Ifs { conditions: BTreeSet::new(), arms: BTreeSet::new() };
    let mut todo: Vec<&ast::Step> = project.declared().flat_map(|journey| &journey.body).collect();
    while let Some(step) = todo.pop() {
        match &step.kind {
            ast::StepKind::If { condition, .. } => {
                ifs.conditions.insert(condition.span);
            }
            ast::StepKind::Match { subject, arms, .. } => {
                ifs.arms.extend([step.span, subject.span]);
                let patterns = arms.iter().flat_map(|arm| &arm.patterns).map(|pattern| pattern.span);
                ifs.arms.extend(patterns);
                for arm in arms {
                    ifs.arms.insert(arm.step.span);
                    ifs.arms.extend(arm.patterns.iter().map(|pattern| pattern.span.to(arm.step.span)));
                    let ends = (arm.patterns.first(), arm.patterns.last());
                    ifs.arms.extend(ends.0.zip(ends.1).map(|(first, last)| first.span.to(last.span)));
                }
            }
            _ => {}
        }
        todo.extend(super::children(step));
    }
    ifs
}
