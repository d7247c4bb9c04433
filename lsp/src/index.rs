//! What a project declares, and where.

use flow_compiler::compile::{Compiled, ProjectInput};
use flow_compiler::symbols::Symbol;
use flow_grammar::ast::{FieldDecl, Item, Step, StepKind, StringLit, TypeExpr, TypeKind};
use flow_grammar::span::{FileId, Span};
use flow_grammar::walk::{walk, Visitor};
use std::collections::{BTreeMap, BTreeSet};

/// A declaration.
#[derive(Clone, Debug)]
pub struct Definition {
    /// What is declared.
    pub symbol: Symbol,
    /// The name's place.
    pub name: Span,
    /// The whole declaration.
    pub span: Span,
    /// The text of the `##` lines above.
    pub doc: Option<String>,
    /// The name on the wire: none where there is none, or it is the name itself.
    pub wire: Option<String>,
    /// Whether the name is also the name on the wire.
    pub on_wire: bool,
    /// Whether the name is written (a bare flow is named after its file).
    pub written: bool,
    /// The type as written, of fields, attributes and parameters.
    pub ty: Option<TypeExpr>,
}

/// All declarations of a project.
#[derive(Debug, Default)]
pub struct Index {
    definitions: Vec<Definition>,
    by_symbol: BTreeMap<Symbol, usize>,
    locals: BTreeSet<Span>,
    /// Names that are used without a declaration: inferred events and attributes, topics, audiences.
    pub used: BTreeSet<Symbol>,
}

impl Index {
    /// Looks through all trees.
    #[must_use]
    pub fn new(input: &ProjectInput, compiled: &Compiled) -> Self {
        let mut index = Self::default();
        for file in &compiled.files {
            let path = input.files.get(file.id.0 as usize).map_or("", |f| f.path.as_str());
            for item in &file.items {
                index.item(item, path);
            }
            walk(file, &mut Locals(&mut index.locals));
        }
        for (place, definition) in index.definitions.iter().enumerate() {
            index.by_symbol.entry(definition.symbol.clone()).or_insert(place);
        }
        for (_, symbol) in &compiled.info.references {
            if !index.by_symbol.contains_key(symbol) {
                index.used.insert(symbol.clone());
            }
        }
        index
    }

    fn add(&mut self, symbol: Symbol, name: Span, span: Span, doc: Option<&String>) -> &mut Definition {
        self.definitions.push(Definition {
            symbol,
            name,
            span,
            doc: doc.cloned(),
            wire: None,
            on_wire: false,
            written: true,
            ty: None,
        });
        let last = self.definitions.len() - 1;
        // Just pushed.
        #[allow(clippy::indexing_slicing)]
        &mut self.definitions[last]
    }

    fn field(&mut self, symbol: Symbol, field: &FieldDecl, on_wire: bool) {
        let definition = self.add(symbol, field.name.span, field.span, field.doc.as_ref());
        definition.wire = wire(field.wire.as_ref());
        definition.on_wire = on_wire;
        definition.ty = Some(field.ty.clone());
    }

    fn item(&mut self, item: &Item, path: &str) {
        match item {
            Item::Event(decl) => {
                let name = &decl.name.text;
                let definition = self.add(Symbol::Event(name.clone()), decl.name.span, decl.span, decl.doc.as_ref());
                definition.wire = wire(decl.wire.as_ref());
                definition.on_wire = true;
                for field in &decl.fields {
                    self.field(Symbol::EventField(name.clone(), field.name.text.clone()), field, true);
                }
            }
            Item::User(decl) => {
                for field in &decl.fields {
                    self.field(Symbol::Attribute(field.name.text.clone()), field, true);
                }
            }
            Item::Type(decl) => {
                let name = &decl.name.text;
                self.add(Symbol::Type(name.clone()), decl.name.span, decl.span, decl.doc.as_ref());
                for field in &decl.fields {
                    self.field(Symbol::TypeField(name.clone(), field.name.text.clone()), field, true);
                }
            }
            Item::Channel(decl) => {
                self.add(Symbol::Channel(decl.name.text.clone()), decl.name.span, decl.span, decl.doc.as_ref());
            }
            Item::Segment(decl) => {
                self.add(Symbol::Segment(decl.name.text.clone()), decl.name.span, decl.span, decl.doc.as_ref());
            }
            Item::Fence(decl) => {
                self.add(Symbol::Segment(decl.name.text.clone()), decl.name.span, decl.span, decl.doc.as_ref());
            }
            Item::Api(decl) => {
                let name = &decl.name.text;
                self.add(Symbol::Api(name.clone()), decl.name.span, decl.span, decl.doc.as_ref());
                for field in &decl.params {
                    self.field(Symbol::Parameter(name.clone(), field.name.text.clone()), field, false);
                }
            }
            Item::Journey(decl) => {
                let name = decl.name.as_ref().map_or_else(|| stem(path), |name| name.text.clone());
                let here = Span::new(decl.span.file, decl.span.start, decl.span.start);
                let place = decl.name.as_ref().map_or(here, |name| name.span);
                let definition = self.add(Symbol::Journey(name), place, decl.span, decl.doc.as_ref());
                definition.written = decl.name.is_some();
            }
            Item::Policy(_) | Item::Test(_) | Item::Broken(_) => {}
        }
    }

    /// The declaration of a symbol.
    #[must_use]
    pub fn definition(&self, symbol: &Symbol) -> Option<&Definition> {
        self.by_symbol.get(symbol).and_then(|at| self.definitions.get(*at))
    }

    /// All declarations, in the order of the source.
    pub fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.definitions.iter()
    }

    /// The declarations of one file.
    pub fn definitions_in(&self, file: FileId) -> impl Iterator<Item = &Definition> {
        self.definitions.iter().filter(move |definition| definition.span.file == file)
    }

    /// Where names are bound in journeys.
    pub fn locals(&self) -> impl Iterator<Item = &Span> {
        self.locals.iter()
    }

    /// The fields of an event, or of a record type.
    pub fn fields<'i>(&'i self, of: &'i str, event: bool) -> impl Iterator<Item = &'i Definition> {
        self.definitions.iter().filter(move |definition| match &definition.symbol {
            Symbol::EventField(owner, _) => event && owner == of,
            Symbol::TypeField(owner, _) => !event && owner == of,
            _ => false,
        })
    }
}

/// Names bound by steps.
struct Locals<'l>(&'l mut BTreeSet<Span>);

impl<'a> Visitor<'a> for Locals<'_> {
    fn step(&mut self, step: &'a Step) {
        match &step.kind {
            StepKind::Send(send) => self.0.extend(send.alias.as_ref().map(|name| name.span)),
            StepKind::Fetch { name, .. } | StepKind::For { name, .. } => {
                self.0.insert(name.span);
            }
            _ => {}
        }
    }
}

fn wire(wire: Option<&StringLit>) -> Option<String> {
    wire.map(|wire| wire.value.clone())
}

/// What a file's bare flow is called.
fn stem(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_suffix(".flow").unwrap_or(file).replace(|c: char| !(c.is_alphanumeric() || c == '_'), "_")
}

/// The last part of a symbol's name, as it is written.
#[must_use]
pub fn name_of(symbol: &Symbol) -> &str {
    match symbol {
        Symbol::Event(name)
        | Symbol::EventField(_, name)
        | Symbol::Attribute(name)
        | Symbol::Type(name)
        | Symbol::TypeField(_, name)
        | Symbol::Channel(name)
        | Symbol::Segment(name)
        | Symbol::Api(name)
        | Symbol::Parameter(_, name)
        | Symbol::Journey(name)
        | Symbol::Template(name)
        | Symbol::Topic(name)
        | Symbol::Audience(name) => name,
        Symbol::Local(_) => "",
    }
}

/// The values of a `one of`, below lists.
#[must_use]
pub fn values(ty: &TypeExpr) -> Vec<String> {
    match &ty.kind {
        TypeKind::OneOf(texts) => texts.iter().map(|value| value.value.clone()).collect(),
        TypeKind::List(of) => values(of),
        _ => Vec::new(),
    }
}
