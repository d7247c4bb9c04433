//! The shape of a file: its symbols, what can be folded, and what a selection grows to.

use crate::lex::{lex, Kind};
use crate::world::World;
use flow_grammar::ast::{Clause, Expr, FieldDecl, Item, Step, TestLine};
use flow_grammar::span::{FileId, Span};
use flow_grammar::walk::{walk, Visitor};

/// What an entry of an outline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Shape {
    Event,
    User,
    Type,
    Channel,
    Segment,
    Api,
    Policy,
    Journey,
    Test,
    Field,
}

/// An entry of an outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What is shown.
    pub name: String,
    /// A few words beside it.
    pub detail: String,
    /// What it is.
    pub shape: Shape,
    /// The whole.
    pub span: Span,
    /// The name.
    pub name_span: Span,
    /// What is in it.
    pub children: Vec<Entry>,
}

/// The outline of a file.
#[must_use]
pub fn symbols(world: &World, file: FileId) -> Vec<Entry> {
    let items = world.tree(file).map_or(&[][..], |tree| &tree.items);
    items.iter().filter_map(|item| entry(world, item)).collect()
}

/// What any file declares whose name contains a word.
#[must_use]
pub fn workspace_symbols(world: &World, query: &str) -> Vec<Entry> {
    let query = query.to_lowercase();
    let mut found = Vec::new();
    for file in &world.compiled.files {
        for entry in symbols(world, file.id) {
            if entry.name.to_lowercase().contains(&query) {
                found.push(Entry { children: Vec::new(), ..entry });
            }
        }
    }
    found
}

fn entry(world: &World, item: &Item) -> Option<Entry> {
    let leaf = |name: &str, shape, span: Span, name_span| Entry {
        name: name.to_owned(),
        detail: String::new(),
        shape,
        span,
        name_span,
        children: Vec::new(),
    };
    let fields = |fields: &[FieldDecl]| -> Vec<Entry> {
        let field = |field: &FieldDecl| Entry {
            detail: world.slice(field.ty.span).to_owned(),
            ..leaf(&field.name.text, Shape::Field, field.span, field.name.span)
        };
        fields.iter().map(field).collect()
    };
    let head = |span: Span, length: u32| Span::new(span.file, span.start, (span.start + length).min(span.end));
    Some(match item {
        Item::Event(decl) => Entry {
            detail: decl.wire.as_ref().map(|wire| wire.value.clone()).unwrap_or_default(),
            children: fields(&decl.fields),
            ..leaf(&decl.name.text, Shape::Event, decl.span, decl.name.span)
        },
        Item::User(decl) => {
            Entry { children: fields(&decl.fields), ..leaf("user", Shape::User, decl.span, head(decl.span, 4)) }
        }
        Item::Type(decl) => {
            Entry { children: fields(&decl.fields), ..leaf(&decl.name.text, Shape::Type, decl.span, decl.name.span) }
        }
        Item::Channel(decl) => leaf(&decl.name.text, Shape::Channel, decl.span, decl.name.span),
        Item::Segment(decl) => leaf(&decl.name.text, Shape::Segment, decl.span, decl.name.span),
        Item::Fence(decl) => leaf(&decl.name.text, Shape::Segment, decl.span, decl.name.span),
        Item::Api(decl) => leaf(&decl.name.text, Shape::Api, decl.span, decl.name.span),
        Item::Policy(decl) => leaf("policy", Shape::Policy, decl.span, head(decl.span, 6)),
        Item::Journey(decl) => {
            let detail = decl.title.as_ref().map(|title| title.value.clone()).unwrap_or_default();
            let name = decl.name.as_ref().map_or("flow", |name| name.text.as_str());
            let name_span = decl.name.as_ref().map_or(head(decl.span, 2), |name| name.span);
            Entry { detail, ..leaf(name, Shape::Journey, decl.span, name_span) }
        }
        Item::Test(decl) => leaf(&decl.name.value, Shape::Test, decl.span, decl.name.span),
        Item::Broken(_) => return None,
    })
}

/// Lines that can be folded, from 0: braces over several lines, and comments that follow each other.
#[must_use]
pub fn folds(world: &World, file: FileId) -> Vec<(u32, u32, bool)> {
    let source = world.source(file);
    let starts: Vec<usize> = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let line = |at: usize| u32::try_from(starts.partition_point(|start| *start <= at).saturating_sub(1)).unwrap_or(0);
    let (mut folds, mut open) = (Vec::new(), Vec::new());
    let mut comments: Option<(u32, u32)> = None;
    for piece in lex(source) {
        let here = line(piece.range.start);
        if piece.kind == Kind::Comment {
            comments = match comments {
                Some((first, last)) if here == last + 1 => Some((first, here)),
                _ => {
                    folds.extend(comments.filter(|(a, b)| a < b).map(|(a, b)| (a, b, true)));
                    Some((here, here))
                }
            };
            continue;
        }
        folds.extend(comments.take().filter(|(a, b)| a < b).map(|(a, b)| (a, b, true)));
        match piece.text(source) {
            "{" => open.push(here),
            "}" => {
                // The line of the brace stays in view.
                folds.extend(open.pop().filter(|first| first + 1 < here).map(|first| (first, here - 1, false)));
            }
            _ => {}
        }
    }
    folds.extend(comments.filter(|(a, b)| a < b).map(|(a, b)| (a, b, true)));
    folds.sort_unstable();
    folds
}

/// What a selection at a place grows to, from the word to the file.
#[must_use]
pub fn selection(world: &World, file: FileId, at: u32) -> Vec<Span> {
    struct Around(u32, Vec<Span>);
    impl Around {
        fn add(&mut self, span: Span) {
            if span.start <= self.0 && self.0 <= span.end && !span.is_empty() {
                self.1.push(span);
            }
        }
    }
    impl<'a> Visitor<'a> for Around {
        fn item(&mut self, item: &'a Item) {
            match item {
                Item::Event(decl) => self.add(decl.span),
                Item::User(decl) => self.add(decl.span),
                Item::Type(decl) => self.add(decl.span),
                Item::Channel(decl) => self.add(decl.span),
                Item::Segment(decl) => self.add(decl.span),
                Item::Fence(decl) => self.add(decl.span),
                Item::Api(decl) => self.add(decl.span),
                Item::Policy(decl) => self.add(decl.span),
                Item::Journey(decl) => self.add(decl.span),
                Item::Test(decl) => self.add(decl.span),
                Item::Broken(span) => self.add(*span),
            }
        }
        fn clause(&mut self, clause: &'a Clause) {
            self.add(clause.span);
        }
        fn step(&mut self, step: &'a Step) {
            self.add(step.span);
        }
        fn line(&mut self, line: &'a TestLine) {
            self.add(line.span);
        }
        fn expr(&mut self, expr: &'a Expr) {
            self.add(expr.span);
        }
        fn field(&mut self, field: &'a FieldDecl) {
            self.add(field.span);
        }
    }
    let source = world.source(file);
    let offset = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut around = Around(at, vec![Span::new(file, 0, offset(source.len()))]);
    if let Some(tree) = world.tree(file) {
        walk(tree, &mut around);
    }
    for piece in lex(source) {
        if piece.kind != Kind::Sign {
            around.add(Span::new(file, offset(piece.range.start), offset(piece.range.end)));
        }
    }
    let mut spans = around.1;
    spans.sort_by_key(|span| span.len());
    spans.dedup();
    // Each must lie around the one before.
    let mut chain: Vec<Span> = Vec::new();
    for span in spans {
        if chain.last().is_none_or(|inner| span.start <= inner.start && inner.end <= span.end && span != *inner) {
            chain.push(span);
        }
    }
    chain
}
