//! What is shown beside the source: when waits end, what a journey can send at most, what can be
//! run, where links lead, what a call takes.

use crate::context::Cursor;
use crate::functions::function;
use crate::hover::messages;
use crate::world::World;
use flow_compiler::report::{Bound, JourneyReport};
use flow_compiler::symbols::Symbol;
use flow_grammar::ast::{ExprKind, Item, Step, StepKind, TextPart, Unit};
use flow_grammar::span::{FileId, Span};
use std::path::PathBuf;

/// Texts behind places: when the waits of a straight journey end, and its most messages.
#[must_use]
pub fn inlay(world: &World, file: FileId, from: u32, to: u32) -> Vec<(u32, String)> {
    let mut hints = Vec::new();
    for item in world.tree(file).map_or(&[][..], |tree| &tree.items) {
        let Item::Journey(decl) = item else { continue };
        if decl.span.end < from || to < decl.span.start {
            continue;
        }
        let name = decl.name.as_ref();
        let report = world.report().zip(name);
        if let Some((report, name)) = report {
            let journey = report.journeys.iter().find(|journey| journey.name == name.text);
            hints.extend(journey.map(|journey| (name.span.end, most(journey))));
        }
        ends(&decl.body, &mut hints);
    }
    hints.retain(|(at, _)| from <= *at && *at <= to);
    hints
}

/// `at most 12 messages, 3 in any 7d`
fn most(journey: &JourneyReport) -> String {
    let all = format!("at most {}", messages(&journey.messages));
    match (&journey.week, &journey.messages) {
        (Bound::AtMost(week), Bound::AtMost(whole)) if week == whole => all,
        (Bound::AtMost(week), _) => format!("{all}, {week} in any 7d"),
        (Bound::NoBound { .. }, _) => all,
    }
}

/// As long as only lengths of time are waited for, what they add up to.
fn ends(body: &[Step], hints: &mut Vec<(u32, String)>) {
    let (mut months, mut days, mut seconds) = (0_i64, 0_i64, 0_i64);
    for step in body {
        match &step.kind {
            StepKind::Wait(length) => {
                let ExprKind::Duration(length_is) = &length.kind else { return };
                // The first says it itself.
                let first = (months, days, seconds) == (0, 0, 0);
                let (into, factor): (&mut i64, i64) = match length_is.unit {
                    Unit::Seconds => (&mut seconds, 1),
                    Unit::Minutes => (&mut seconds, 60),
                    Unit::Hours => (&mut seconds, 3_600),
                    Unit::Days => (&mut days, 1),
                    Unit::Weeks => (&mut days, 7),
                    Unit::Months => (&mut months, 1),
                    Unit::Years => (&mut months, 12),
                };
                *into = into.saturating_add(length_is.count.saturating_mul(factor));
                if !first {
                    hints.push((step.span.end, format!("{} after entry", total(months, days, seconds))));
                }
            }
            StepKind::Send(_)
            | StepKind::Set { .. }
            | StepKind::AddTo(_)
            | StepKind::RemoveFrom(_)
            | StepKind::Emit { .. }
            | StepKind::Start(_)
            | StepKind::Call(_) => {}
            StepKind::If { then, otherwise, .. } if is_end(then) && otherwise.is_none() => {}
            _ => return,
        }
    }
}

fn is_end(step: &Step) -> bool {
    matches!(step.kind, StepKind::End)
}

fn total(months: i64, days: i64, seconds: i64) -> String {
    let parts = [
        (months / 12, "y"),
        (months % 12, "mo"),
        (days, "d"),
        (seconds / 3_600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let shown: Vec<String> =
        parts.iter().filter(|(count, _)| *count != 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    shown.join(" ")
}

/// Something that can be done with an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lens {
    /// Run the test of this name.
    Test(Span, String),
    /// Show the graph of the journey of this name.
    Graph(Span, String),
}

/// What can be done with the items of a file.
#[must_use]
pub fn lenses(world: &World, file: FileId) -> Vec<Lens> {
    let journey = |span: Span| {
        let found = world.index.definitions_in(file).find(|d| d.span == span && matches!(d.symbol, Symbol::Journey(_)));
        found.map(|definition| crate::index::name_of(&definition.symbol).to_owned())
    };
    let lens = |item: &Item| match item {
        Item::Test(decl) => Some(Lens::Test(decl.name.span, decl.name.value.clone())),
        Item::Journey(decl) => {
            let head = Span::new(file, decl.span.start, decl.span.start + 1);
            journey(decl.span).map(|name| Lens::Graph(head, name))
        }
        _ => None,
    };
    world.tree(file).map_or_else(Vec::new, |tree| tree.items.iter().filter_map(lens).collect())
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// To a file.
    File(PathBuf),
    /// To an address.
    Address(String),
}

/// Templates and the addresses of apis.
#[must_use]
pub fn links(world: &World, file: FileId) -> Vec<(Span, Link)> {
    let mut links = Vec::new();
    for (span, symbol) in world.references_in(file) {
        let Symbol::Template(name) = symbol else { continue };
        let template = world.project.input.templates.iter().find(|template| template.name == *name);
        if let Some(template) = template {
            links.push((*span, Link::File(world.root.join(&template.path))));
        }
    }
    for item in world.tree(file).map_or(&[][..], |tree| &tree.items) {
        let Item::Api(decl) = item else { continue };
        let Some((_, address)) = &decl.request else { continue };
        if let ExprKind::Text(parts) = &address.kind {
            // Up to the first hole: the service itself.
            if let Some(TextPart::Literal(text)) = parts.first() {
                let text =
                    if parts.len() == 1 { text.as_str() } else { text.rsplit_once('/').map_or("", |(head, _)| head) };
                if text.starts_with("https://") || text.starts_with("http://") {
                    let inside = Span::new(file, address.span.start + 1, address.span.end.saturating_sub(1));
                    links.push((inside, Link::Address(text.to_owned())));
                }
            }
        }
    }
    links
}

/// What a call takes: the whole, its parameters as parts of it, which one is at hand, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// `round(x: number, places: int) -> number`
    pub label: String,
    /// The parameters.
    pub params: Vec<String>,
    /// The number of the parameter at hand.
    pub active: usize,
    /// A sentence about it.
    pub about: String,
}

/// The signature of the call around a place.
#[must_use]
pub fn signature(world: &World, file: FileId, at: u32) -> Option<Signature> {
    let source = world.source(file);
    let cursor = Cursor::new(source, at as usize);
    let (sign, head) = cursor.bracket()?;
    let name = head.first().copied().filter(|_| sign == "(")?;
    let words = cursor.words();
    let mut depth = 0;
    let mut active = 0;
    for word in words.iter().rev() {
        match *word {
            ")" | "]" | "}" => depth += 1,
            "(" | "[" | "{" if depth == 0 => break,
            "(" | "[" | "{" => depth -= 1,
            "," if depth == 0 => active += 1,
            _ => {}
        }
    }
    if let Some(function) = function(name) {
        let params: Vec<String> = function.params.iter().map(|param| (*param).to_owned()).collect();
        return Some(Signature { label: function.signature(), params, active, about: function.about.to_owned() });
    }
    let api = world.compiled.files.iter().flat_map(|file| &file.items).find_map(|item| match item {
        Item::Api(decl) if decl.name.text == name => Some(decl),
        _ => None,
    })?;
    let params: Vec<String> = api.params.iter().map(|param| world.slice(param.span).to_owned()).collect();
    let answer = api.answer.as_ref().map_or(String::new(), |ty| format!(" -> {}", world.slice(ty.span)));
    // An argument by name is that parameter, wherever it stands.
    let named = (cursor.back(0) == ":").then(|| cursor.back(1));
    let active = named.and_then(|name| api.params.iter().position(|p| p.name.text == name)).unwrap_or(active);
    Some(Signature {
        label: format!("{name}({}){answer}", params.join(", ")),
        params,
        active,
        about: api.doc.clone().unwrap_or_default(),
    })
}
