//! What can stand at a place, by the words before it.

mod position;
mod template;

use crate::context::Cursor;
use crate::hover::about;
use crate::index::name_of;
use crate::world::World;
use flow_compiler::symbols::Symbol;
use flow_grammar::span::{FileId, Span};
use std::collections::BTreeSet;

/// What a suggestion is, for its picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum What {
    Field,
    Attribute,
    Local,
    Event,
    Segment,
    Value,
    Channel,
    Template,
    Function,
    Type,
    Journey,
    Api,
    Topic,
    Keyword,
    Snippet,
}

/// A suggestion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What is shown, and written unless there is `insert`.
    pub label: String,
    /// What it is.
    pub what: What,
    /// A few words beside it.
    pub detail: String,
    /// What it stands for, for the documentation.
    pub symbol: Option<Symbol>,
    /// A snippet with places to fill in.
    pub insert: Option<String>,
}

/// The suggestions at a place, and the part of the text that they replace.
#[must_use]
pub fn complete(world: &World, file: FileId, at: u32) -> (Span, Vec<Suggestion>) {
    let source = world.source(file);
    if world.is_template(file) {
        let (place, start) = template::Place::at(source, at as usize);
        let cursor = Cursor::new("", 0);
        let mut list = List { world, cursor, found: Vec::new(), seen: BTreeSet::new() };
        list.template(&place, file, start, at as usize);
        return (Span::new(file, u32::try_from(start).unwrap_or(at), at), list.found);
    }
    let cursor = Cursor::new(source, at as usize);
    let start = u32::try_from(cursor.start).unwrap_or(at);
    let mut list = List { world, cursor, found: Vec::new(), seen: BTreeSet::new() };
    if !list.cursor.in_comment {
        list.fill();
    }
    (Span::new(file, start, at), list.found)
}

/// The documentation of a suggestion.
#[must_use]
pub fn documentation(world: &World, suggestion: &Suggestion) -> Option<String> {
    suggestion.symbol.as_ref().map(|symbol| about(world, symbol))
}

struct List<'w> {
    world: &'w World,
    cursor: Cursor<'w>,
    found: Vec<Suggestion>,
    seen: BTreeSet<(String, What)>,
}

impl List<'_> {
    fn push(&mut self, label: &str, what: What, detail: &str) {
        if self.seen.insert((label.to_owned(), what)) {
            let (label, detail) = (label.to_owned(), detail.to_owned());
            self.found.push(Suggestion { label, what, detail, symbol: None, insert: None });
        }
    }

    fn symbol(&mut self, symbol: &Symbol, what: What, detail: &str) {
        let before = self.found.len();
        self.push(name_of(symbol), what, detail);
        if self.found.len() > before {
            if let Some(last) = self.found.last_mut() {
                last.symbol = Some(symbol.clone());
            }
        }
    }

    fn keywords(&mut self, words: &[&str]) {
        for word in words {
            self.push(word, What::Keyword, "");
        }
    }

    fn snippet(&mut self, label: &str, insert: &str, detail: &str) {
        self.push(label, What::Snippet, detail);
        if let Some(last) = self.found.last_mut().filter(|last| last.label == label) {
            last.insert = Some(insert.to_owned());
        }
    }

    // What there is.

    fn all(&mut self, what: What, wanted: impl Fn(&Symbol) -> bool) {
        let world = self.world;
        for definition in world.index.definitions().filter(|definition| wanted(&definition.symbol)) {
            let ty = definition.ty.as_ref().map_or("", |ty| world.slice(ty.span));
            let detail = if ty.is_empty() { definition.wire.clone().unwrap_or_default() } else { ty.to_owned() };
            self.symbol(&definition.symbol, what, &detail);
        }
        for symbol in world.index.used().filter(|symbol| wanted(symbol)) {
            self.symbol(symbol, what, "");
        }
    }

    fn events(&mut self) {
        self.all(What::Event, |symbol| matches!(symbol, Symbol::Event(name) if !name.contains('.')));
    }

    fn attributes(&mut self) {
        self.all(What::Attribute, |symbol| matches!(symbol, Symbol::Attribute(_)));
    }

    fn channels(&mut self) {
        self.all(What::Channel, |symbol| matches!(symbol, Symbol::Channel(_)));
    }

    fn segments(&mut self) {
        self.all(What::Segment, |symbol| matches!(symbol, Symbol::Segment(_)));
    }

    fn journeys(&mut self) {
        self.all(What::Journey, |symbol| matches!(symbol, Symbol::Journey(_)));
    }

    fn apis(&mut self) {
        self.all(What::Api, |symbol| matches!(symbol, Symbol::Api(_)));
    }

    fn fields(&mut self, owner: &str, event: bool) {
        let world = self.world;
        for definition in world.index.fields(owner, event) {
            let ty = definition.ty.as_ref().map_or("", |ty| world.slice(ty.span));
            self.symbol(&definition.symbol, What::Field, ty);
        }
        let inferred = world.index.used().filter(|s| matches!(s, Symbol::EventField(of, _) if event && of == owner));
        for symbol in inferred {
            self.symbol(symbol, What::Field, "");
        }
    }

    fn templates(&mut self, channel: Option<&str>) {
        let world = self.world;
        for template in &world.project.input.templates {
            if channel.is_none_or(|channel| channel == template.channel) {
                self.symbol(&Symbol::Template(template.name.clone()), What::Template, &template.path);
            }
        }
    }

    fn is_event(&self, word: &str) -> bool {
        let symbol = Symbol::Event(word.to_owned());
        self.world.index.knows(&symbol)
    }

    fn is_channel(&self, word: &str) -> bool {
        let symbol = Symbol::Channel(word.to_owned());
        self.world.index.knows(&symbol)
    }

    /// The events that begin the journey at the cursor: those named behind `on` in its text so far.
    fn trigger_events(&self) -> Vec<String> {
        let words = self.cursor.words();
        let head = words.iter().rposition(|word| *word == "journey").unwrap_or(0);
        let mut events = Vec::new();
        let mut after_on = false;
        for (number, word) in words.iter().enumerate().skip(head) {
            let before = number.checked_sub(1).and_then(|at| words.get(at)).copied().unwrap_or("");
            match *word {
                "on" => after_on = before != "exit",
                "enter" | "exit" | "goal" | "topic" | "holdout" | "wait" | "if" | "{" => after_on = false,
                word if after_on && matches!(before, "on" | ",") && self.is_event(word) => events.push(word.to_owned()),
                _ => {}
            }
        }
        events
    }

    /// The event whose `where` the cursor is in.
    fn where_event(&self) -> Option<String> {
        const ENDS: [&str; 12] =
            ["where", "then", "else", "wait", "if", "on", "goal", "up", "within", "until", "set", "->"];
        let mut rest = self.cursor.words();
        while let Some(word) = rest.pop() {
            if word == "where" {
                let event = rest.iter().rev().take(8).find(|word| self.is_event(word));
                return event.map(|word| (*word).to_owned());
            }
            if ENDS.contains(&word) || word == "{" || word == "}" {
                return None;
            }
        }
        None
    }
}
