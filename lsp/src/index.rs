//! What a project declares, and where.

use flow_compiler::symbols::Symbol;
use flow_grammar::ast::{FieldDecl, File, Item, Step, StepKind, StringLit, TypeExpr, TypeKind};
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

/// What one file declares and uses.
#[derive(Clone, Debug, Default)]
pub struct FileIndex {
    definitions: Vec<Definition>,
    /// Where names are bound in journeys.
    locals: BTreeSet<Span>,
    /// The names that stand there, but for those bound in journeys.
    used: BTreeSet<Symbol>,
}

impl FileIndex {
    /// Looks through the tree of a file; `references` are the names in it and what they stand for.
    #[must_use]
    pub fn new(path: &str, tree: &File, references: &[(Span, Symbol)]) -> Self {
        let mut index = Self::default();
        for item in &tree.items {
            index.item(item, path);
        }
        walk(tree, &mut Locals(&mut index.locals));
        let named = references.iter().map(|(_, symbol)| symbol);
        for symbol in named.filter(|symbol| !matches!(symbol, Symbol::Local(_))) {
            if !index.used.contains(symbol) {
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
}

/// All declarations of a project, file by file: when one file changes, the others stay.
#[derive(Debug, Default)]
pub struct Index {
    files: Vec<FileIndex>,
    /// The first declaration of each name: its file, and its number there.
    by_symbol: BTreeMap<Symbol, (usize, usize)>,
    /// In how many files each name is used.
    uses: BTreeMap<Symbol, u32>,
}

impl Index {
    /// The files of a project together.
    #[must_use]
    pub fn new(files: Vec<FileIndex>) -> Self {
        let mut index = Self { files, ..Self::default() };
        index.name_all();
        for symbol in index.files.iter().flat_map(|file| &file.used) {
            *index.uses.entry(symbol.clone()).or_default() += 1;
        }
        index
    }

    fn name_all(&mut self) {
        self.by_symbol.clear();
        for (file, declared) in self.files.iter().enumerate() {
            for (number, definition) in declared.definitions.iter().enumerate() {
                self.by_symbol.entry(definition.symbol.clone()).or_insert((file, number));
            }
        }
    }

    /// Puts one file in the place of what it was before.
    pub fn replace(&mut self, file: FileId, new: FileIndex) {
        let Some(slot) = self.files.get_mut(file.0 as usize) else { return };
        let old = std::mem::replace(slot, new);
        let names = |of: &FileIndex| of.definitions.iter().map(|one| one.symbol.clone()).collect::<Vec<_>>();
        let (gone, come): (Vec<Symbol>, Vec<Symbol>) =
            (old.used.difference(&slot.used).cloned().collect(), slot.used.difference(&old.used).cloned().collect());
        let renamed = names(&old) != names(slot);
        for symbol in come {
            *self.uses.entry(symbol).or_default() += 1;
        }
        for symbol in gone {
            if let Some(count) = self.uses.get_mut(&symbol) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.uses.remove(&symbol);
                }
            }
        }
        if renamed {
            self.name_all();
        }
    }

    /// The declaration of a symbol.
    #[must_use]
    pub fn definition(&self, symbol: &Symbol) -> Option<&Definition> {
        let (file, number) = self.by_symbol.get(symbol)?;
        self.files.get(*file)?.definitions.get(*number)
    }

    /// All declarations, in the order of the source.
    pub fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.files.iter().flat_map(|file| &file.definitions)
    }

    /// The declarations of one file.
    pub fn definitions_in(&self, file: FileId) -> impl Iterator<Item = &Definition> {
        self.files.get(file.0 as usize).into_iter().flat_map(|file| &file.definitions)
    }

    /// Where names are bound in journeys.
    pub fn locals(&self) -> impl Iterator<Item = &Span> {
        self.files.iter().flat_map(|file| &file.locals)
    }

    /// Where names are bound in the journeys of one file.
    pub fn locals_in(&self, file: FileId) -> impl Iterator<Item = &Span> {
        self.files.get(file.0 as usize).into_iter().flat_map(|file| &file.locals)
    }

    /// Names that are used without a declaration: inferred events and attributes, topics, audiences.
    pub fn used(&self) -> impl Iterator<Item = &Symbol> {
        self.uses.keys().filter(|symbol| !self.by_symbol.contains_key(symbol))
    }

    /// Whether a name is declared, or used without a declaration.
    #[must_use]
    pub fn knows(&self, symbol: &Symbol) -> bool {
        self.by_symbol.contains_key(symbol) || self.uses.contains_key(symbol)
    }

    /// The fields of an event, or of a record type.
    pub fn fields<'i>(&'i self, of: &'i str, event: bool) -> impl Iterator<Item = &'i Definition> {
        self.definitions().filter(move |definition| match &definition.symbol {
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
