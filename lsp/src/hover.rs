//! What is known about the thing under the pointer.

use crate::functions::function;
use crate::index::{name_of, Definition};
use crate::world::World;
use flow_compiler::report::Bound;
use flow_compiler::symbols::Symbol;
use flow_grammar::ast::{DurationLit, Expr, ExprKind, Unit, Window};
use flow_grammar::span::{FileId, Span};
use flow_grammar::walk::{walk, Visitor};

/// The text in Markdown, and the place that it is about.
#[must_use]
pub fn hover(world: &World, file: FileId, at: u32) -> Option<(Span, String)> {
    let (span, symbols) = world.symbols_at(file, at);
    if let (Some(span), false) = (span, symbols.is_empty()) {
        let parts: Vec<String> = symbols.iter().map(|symbol| about(world, symbol)).collect();
        return Some((span, parts.join("\n\n---\n\n")));
    }
    if let Some((span, text)) = duration_at(world, file, at) {
        return Some((span, text));
    }
    expression_at(world, file, at)
}

/// A declaration's text on few lines, without the indentation of its body.
fn declared(world: &World, definition: &Definition) -> String {
    let text = world.slice(definition.span);
    let shown: Vec<&str> = match definition.symbol {
        Symbol::Journey(_) => text.lines().take_while(|line| !line.trim().is_empty()).take(12).collect(),
        _ => text.lines().take(30).collect(),
    };
    format!("```flow\n{}\n```", shown.join("\n").trim_end())
}

/// What is known about a symbol.
#[must_use]
pub fn about(world: &World, symbol: &Symbol) -> String {
    let mut parts = Vec::new();
    match world.index.definition(symbol) {
        Some(definition) => {
            if let Some(owner) = owner(symbol) {
                parts.push(owner);
            }
            parts.push(declared(world, definition));
            parts.extend(definition.doc.clone());
            if let (true, Some(wire)) = (definition.on_wire, &definition.wire) {
                parts.push(format!("On the wire: `{wire}`"));
            }
        }
        None => parts.push(undeclared(world, symbol)),
    }
    parts.extend(kept(world, symbol));
    parts.join("\n\n")
}

fn owner(symbol: &Symbol) -> Option<String> {
    match symbol {
        Symbol::EventField(event, _) => Some(format!("Field of the event `{event}`")),
        Symbol::TypeField(ty, _) => Some(format!("Field of `{ty}`")),
        Symbol::Parameter(api, _) => Some(format!("Parameter of `{api}`")),
        Symbol::Attribute(_) => Some("Attribute of the person".to_owned()),
        _ => None,
    }
}

fn undeclared(world: &World, symbol: &Symbol) -> String {
    let name = name_of(symbol);
    match symbol {
        Symbol::Event(_) => format!("Event `{name}`, inferred from use"),
        Symbol::EventField(event, _) => format!("Field `{name}` of the event `{event}`, inferred from use"),
        Symbol::Attribute(_) if name == "id" => "`user.id`: the person's id".to_owned(),
        Symbol::Attribute(_) => format!("Attribute `{name}`, inferred from use"),
        Symbol::Channel(_) => format!("Channel `{name}`"),
        Symbol::Topic(_) if name == "transactional" => {
            "Topic `transactional`: needs no consent, and ignores caps and quiet hours".to_owned()
        }
        Symbol::Topic(_) => format!("Topic of consent `{name}`"),
        Symbol::Audience(_) => format!("Advertising audience `{name}`"),
        Symbol::Template(_) => {
            let files = world.project.input.templates.iter().filter(|file| file.name == name);
            let list: Vec<String> = files.map(|file| format!("- `{}`", file.path)).collect();
            format!("Template `{name}`\n\n{}", list.join("\n"))
        }
        Symbol::Local(place) => {
            let ty = world.references_in(place.file).iter().filter(|(_, other)| other == symbol);
            let ty = ty.filter_map(|(span, _)| type_of(world, *span)).next().unwrap_or_default();
            let line = world.source(place.file).get(..place.start as usize).unwrap_or("").lines().count().max(1);
            let name = world.slice(*place);
            let shown = if ty.is_empty() { name.to_owned() } else { format!("{name}: {ty}") };
            format!("```flow\n{shown}\n```\n\nBound in line {line}")
        }
        _ => format!("`{name}`"),
    }
}

/// How long an event's history is kept, and what a journey can do at most.
fn kept(world: &World, symbol: &Symbol) -> Option<String> {
    let report = world.report()?;
    match symbol {
        Symbol::Event(name) => {
            let found = report.history.iter().find(|kept| kept.event == *name);
            let kept = found.filter(|kept| kept.last || !kept.how_long.is_empty());
            Some(match kept {
                None => "No history is kept".to_owned(),
                Some(kept) if kept.how_long.is_empty() => "History kept: the time of the last one".to_owned(),
                Some(kept) => {
                    let why: Vec<String> = kept.because.iter().map(|b| format!("- `{}`", b.question)).collect();
                    format!("History kept: {}, because of\n\n{}", kept.how_long.join(", "), why.join("\n"))
                }
            })
        }
        Symbol::Journey(name) => {
            let journey = report.journeys.iter().find(|journey| journey.name == *name)?;
            Some(format!("At most {}, over {}", messages(&journey.messages), bound(&journey.longest)))
        }
        _ => None,
    }
}

/// `3 messages`, `1 message`, `any number of messages`
#[must_use]
pub fn messages(count: &Bound<u64>) -> String {
    match count {
        Bound::AtMost(1) => "1 message".to_owned(),
        Bound::AtMost(count) => format!("{count} messages"),
        Bound::NoBound { .. } => "any number of messages".to_owned(),
    }
}

fn bound(length: &Bound<String>) -> String {
    match length {
        Bound::AtMost(length) => length.clone(),
        Bound::NoBound { because, .. } => format!("any time ({because})"),
    }
}

fn type_of(world: &World, span: Span) -> Option<String> {
    let types = world.types_in(span.file);
    let at = types.binary_search_by(|(other, _)| other.cmp(&span)).ok()?;
    types.get(at).map(|(_, ty)| ty.clone())
}

/// The innermost expression at a place that has a type.
fn expression_at(world: &World, file: FileId, at: u32) -> Option<(Span, String)> {
    let inside = |span: &Span| span.file == file && span.start <= at && at <= span.end;
    let types = world.types_in(file).iter().filter(|(span, _)| inside(span));
    let (span, ty) = types.min_by_key(|(span, _)| span.len())?;
    let word = world.slice(*span).split('(').next().unwrap_or("");
    // On the name of a function, what the function is.
    if let Some(known) = function(word).filter(|_| at <= span.start + u32::try_from(word.len()).unwrap_or(0)) {
        return Some((*span, format!("```flow\n{}\n```\n\n{}", known.signature(), known.about)));
    }
    Some((*span, format!("```flow\n{ty}\n```")))
}

fn duration_at(world: &World, file: FileId, at: u32) -> Option<(Span, String)> {
    struct Find {
        at: u32,
        windows: Vec<Span>,
        found: Option<(Span, DurationLit)>,
    }
    impl<'a> Visitor<'a> for Find {
        fn expr(&mut self, expr: &'a Expr) {
            match &expr.kind {
                ExprKind::Occurred(query) | ExprKind::Aggregate { query, .. } | ExprKind::Pick { query, .. } => {
                    if let Some(Window::Last(length)) = &query.window {
                        self.windows.push(length.span);
                    }
                }
                ExprKind::Duration(length) if expr.span.start <= self.at && self.at <= expr.span.end => {
                    self.found = Some((expr.span, *length));
                }
                _ => {}
            }
        }
    }
    let mut find = Find { at, windows: Vec::new(), found: None };
    walk(world.tree(file)?, &mut find);
    let (span, length) = find.found?;
    Some((span, meaning(length, find.windows.contains(&span))))
}

/// What a length of time means where it stands.
fn meaning(length: DurationLit, window: bool) -> String {
    let (word, exact) = match length.unit {
        Unit::Seconds => ("second", true),
        Unit::Minutes => ("minute", true),
        Unit::Hours => ("hour", true),
        Unit::Days => ("day", false),
        Unit::Weeks => ("week", false),
        Unit::Months => ("month", false),
        Unit::Years => ("year", false),
    };
    let count = length.count;
    let plural = if count == 1 { "" } else { "s" };
    let how = match (length.unit, window) {
        _ if exact => "exactly, whatever clocks do".to_owned(),
        (Unit::Days, true) => format!("exactly {count} × 24 h, open at the old end"),
        (Unit::Weeks, true) => format!("exactly {count} × 7 × 24 h, open at the old end"),
        (Unit::Months, true) => format!("exactly {count} × 30 × 24 h, open at the old end"),
        (_, true) => format!("exactly {count} × 365 × 24 h, open at the old end"),
        (Unit::Months | Unit::Years, false) => {
            "in the person's calendar and time zone: the same day and time of day, at most the last day of the month"
                .to_owned()
        }
        _ => "in the person's calendar and time zone: to the same time of day, also across a clock change".to_owned(),
    };
    format!("**{count} {word}{plural}**, {how}")
}
