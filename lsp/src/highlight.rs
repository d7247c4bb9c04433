//! What each word is, for colours.

use crate::keywords::{DAYS, KEYWORDS, TYPES};
use crate::lex::{lex, Kind};
use crate::world::World;
use flow_compiler::symbols::Symbol;
use flow_grammar::span::{FileId, Span};
use std::collections::BTreeMap;

/// The kinds of colour, in the order of the protocol's legend.
pub const LEGEND: [&str; 11] = [
    "keyword",
    "comment",
    "string",
    "number",
    "type",
    "event",
    "property",
    "variable",
    "function",
    "class",
    "namespace",
];

/// Words and literals with their kinds (places in [`LEGEND`]); the flag: it is declared here.
#[must_use]
pub fn highlight(world: &World, file: FileId) -> Vec<(Span, u32, bool)> {
    let source = world.source(file);
    let mut named: BTreeMap<u32, (Span, u32, bool)> = BTreeMap::new();
    for (span, symbol) in world.references_in(file) {
        named.insert(span.start, (*span, kind(symbol), false));
    }
    for definition in world.index.definitions_in(file).filter(|definition| definition.written) {
        named.insert(definition.name.start, (definition.name, kind(&definition.symbol), true));
    }
    for place in world.index.locals_in(file) {
        named.insert(place.start, (*place, 7, true));
    }
    let mut found = Vec::new();
    for piece in lex(source) {
        let offset = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let span = Span::new(file, offset(piece.range.start), offset(piece.range.end));
        let text = piece.text(source);
        let plain = match piece.kind {
            Kind::Comment => Some(1),
            Kind::Number => Some(3),
            Kind::Text(_) => {
                // The names in its holes keep their own colours.
                in_pieces(span, &named, &mut found);
                continue;
            }
            Kind::Sign => None,
            Kind::Word => {
                if let Some(known) = named.get(&span.start).filter(|(name, ..)| *name == span) {
                    found.push(*known);
                    continue;
                }
                let rest = source.get(piece.range.end..).unwrap_or("");
                let after = rest.starts_with('(');
                let is_key = rest.trim_start_matches([' ', '\t']).starts_with(':');
                let is_member = source.get(..piece.range.start).unwrap_or("").ends_with('.');
                if is_key || is_member {
                    // `body { user: … }`: any word can be a key.
                    Some(6)
                } else if after && crate::functions::function(text).is_some() {
                    Some(8)
                } else if KEYWORDS.contains(&text) || DAYS.contains(&text) || text == "trigger" {
                    Some(0)
                } else if TYPES.contains(&text) {
                    Some(4)
                } else {
                    None
                }
            }
        };
        found.extend(plain.map(|kind| (span, kind, false)));
    }
    found
}

fn in_pieces(text: Span, named: &BTreeMap<u32, (Span, u32, bool)>, found: &mut Vec<(Span, u32, bool)>) {
    let mut at = text.start;
    for (_, (name, kind, declared)) in named.range(text.start..text.end) {
        if at < name.start {
            found.push((Span::new(text.file, at, name.start), 2, false));
        }
        found.push((*name, *kind, *declared));
        at = name.end;
    }
    if at < text.end {
        found.push((Span::new(text.file, at, text.end), 2, false));
    }
}

fn kind(symbol: &Symbol) -> u32 {
    match symbol {
        Symbol::Event(_) => 5,
        Symbol::EventField(..) | Symbol::Attribute(_) | Symbol::TypeField(..) => 6,
        Symbol::Parameter(..) | Symbol::Local(_) => 7,
        Symbol::Type(_) => 4,
        Symbol::Api(_) => 8,
        Symbol::Journey(_) | Symbol::Segment(_) => 9,
        Symbol::Channel(_) | Symbol::Template(_) | Symbol::Topic(_) | Symbol::Audience(_) => 10,
    }
}
