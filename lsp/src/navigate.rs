//! From a name to where it is declared and used, and to another name.

use crate::index::name_of;
use crate::keywords::RESERVED;
use crate::lex::is_word;
use crate::world::World;
use flow_compiler::symbols::Symbol;
use flow_grammar::ast::{Item, Step, StepKind};
use flow_grammar::span::{FileId, Span};
use flow_grammar::walk::{walk_item, Visitor};
use std::path::PathBuf;

/// Where something is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// In the source: the name, and the whole declaration.
    Source(Span, Span),
    /// A file that is no source: a template.
    File(PathBuf),
}

/// Where the name at a place is declared.
#[must_use]
pub fn definition(world: &World, file: FileId, at: u32) -> Vec<Target> {
    let (_, symbols) = world.symbols_at(file, at);
    let mut targets = Vec::new();
    for symbol in symbols {
        match &symbol {
            Symbol::Local(place) => targets.push(Target::Source(*place, *place)),
            Symbol::Template(name) => targets.extend(template_files(world, name).map(Target::File)),
            _ => {
                let found = world.index.definitions().filter(|definition| definition.symbol == symbol);
                targets.extend(found.map(|definition| Target::Source(definition.name, definition.span)));
            }
        }
    }
    targets
}

fn template_files<'w>(world: &'w World, name: &'w str) -> impl Iterator<Item = PathBuf> + 'w {
    let templates = world.project.input.templates.iter().filter(move |template| template.name == name);
    templates.map(|template| world.root.join(&template.path))
}

/// All places where the name at a place is used; with its declaration, if wanted.
#[must_use]
pub fn references(world: &World, file: FileId, at: u32, declaration: bool) -> Vec<Span> {
    let (_, symbols) = world.symbols_at(file, at);
    let mut spans: Vec<Span> = symbols.iter().flat_map(|symbol| world.references(symbol)).collect();
    for symbol in &symbols {
        let declared = world.index.definitions().filter(|d| d.symbol == *symbol && d.written).map(|d| d.name);
        let bound = if let Symbol::Local(place) = symbol { Some(*place) } else { None };
        let names: Vec<Span> = declared.chain(bound).collect();
        if declaration {
            spans.extend(names);
        } else {
            spans.retain(|span| !names.contains(span));
        }
    }
    spans.sort_unstable();
    spans.dedup();
    spans
}

/// What a new name changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renaming {
    /// Changes in the source.
    pub edits: Vec<(Span, String)>,
    /// Files that get another name.
    pub files: Vec<(PathBuf, PathBuf)>,
}

/// The span of the name at a place, if it can be given another one.
///
/// # Errors
/// With the reason why not.
pub fn can_rename(world: &World, file: FileId, at: u32) -> Result<Span, String> {
    let (span, symbols) = world.symbols_at(file, at);
    let (Some(span), Some(symbol)) = (span, symbols.first()) else {
        return Err("there is no name here that could be changed".to_owned());
    };
    let declared = world.index.definition(symbol);
    match symbol {
        Symbol::Journey(_) if declared.is_some_and(|d| !d.written) => {
            Err("this journey is named after its file: give the file another name".to_owned())
        }
        Symbol::Attribute(name) if name == "id" && declared.is_none() => Err("`user.id` cannot be renamed".to_owned()),
        Symbol::Topic(name) if name == "transactional" => Err("`transactional` has a meaning of its own".to_owned()),
        Symbol::Event(name) if name.contains('.') => Err("what becomes of messages has fixed names".to_owned()),
        Symbol::Channel(_) if declared.is_none() => Err("this channel is Flow's own".to_owned()),
        Symbol::Channel(name) if world.project.channels.contains_key(name) => {
            Err(format!("flow.toml has a table `channels.{name}`, which would have to change with it"))
        }
        Symbol::Event(_) | Symbol::EventField(..) | Symbol::Attribute(_) if declared.is_none() => {
            Err("this name is what inputs call it: declare it first, then rename it".to_owned())
        }
        _ => Ok(span),
    }
}

/// Gives the thing at a place another name, everywhere. What inputs call it stays as it was.
///
/// # Errors
/// With the reason why the name cannot be given.
pub fn rename(world: &World, file: FileId, at: u32, new: &str) -> Result<Renaming, String> {
    let span = can_rename(world, file, at)?;
    check_name(new)?;
    let (_, mut symbols) = world.symbols_at(file, at);
    let old = world.slice(span).to_owned();
    if old == new {
        return Ok(Renaming::default());
    }
    // A field of several triggers is one name in the source: all of them change, or none.
    symbols = with_companions(world, symbols);
    let mut renaming = Renaming::default();
    for symbol in &symbols {
        taken(world, symbol, new)?;
        let definitions: Vec<_> = world.index.definitions().filter(|definition| definition.symbol == *symbol).collect();
        for definition in &definitions {
            let keeps_wire = definition.on_wire && definition.wire.is_none();
            let text = if keeps_wire { format!("{new} = \"{}\"", name_of(symbol)) } else { new.to_owned() };
            renaming.edits.push((definition.name, text));
        }
        let names: Vec<Span> = definitions.iter().map(|definition| definition.name).collect();
        let uses = world.references(symbol).filter(|span| !names.contains(span));
        renaming.edits.extend(uses.map(|span| (span, new.to_owned())));
        match symbol {
            Symbol::Local(place) => renaming.edits.push((*place, new.to_owned())),
            Symbol::Template(name) => {
                for path in template_files(world, name) {
                    let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                    let rest = file.strip_prefix(name.as_str()).unwrap_or("");
                    renaming.files.push((path.clone(), path.with_file_name(format!("{new}{rest}"))));
                }
            }
            Symbol::Channel(name) => {
                for template in world.project.input.templates.iter().filter(|template| template.channel == *name) {
                    let locale =
                        if template.locale.is_empty() { String::new() } else { format!(".{}", template.locale) };
                    let extension = template.path.rsplit('.').next().unwrap_or("liquid");
                    let path = world.root.join(&template.path);
                    let file = format!("{}.{new}{locale}.{extension}", template.name);
                    renaming.files.push((path.clone(), path.with_file_name(file)));
                }
            }
            _ => {}
        }
    }
    renaming.edits.sort_unstable();
    renaming.edits.dedup();
    Ok(renaming)
}

/// The symbols, and all that share a use with one of them.
fn with_companions(world: &World, mut symbols: Vec<Symbol>) -> Vec<Symbol> {
    if let Some(Symbol::Local(place)) = symbols.first().cloned() {
        return same_name_in_journey(world, place).into_iter().map(Symbol::Local).collect();
    }
    loop {
        let shared: Vec<Symbol> = symbols
            .iter()
            .flat_map(|symbol| world.references(symbol))
            .flat_map(|span| world.symbols_at(span.file, span.start).1)
            .filter(|symbol| !symbols.contains(symbol))
            .collect();
        if shared.is_empty() {
            return symbols;
        }
        symbols.extend(shared);
        symbols.sort_unstable();
        symbols.dedup();
    }
}

/// A name that is bound in both branches of a choice is one name for its author.
fn same_name_in_journey(world: &World, place: Span) -> Vec<Span> {
    struct Bound<'w>(&'w World, &'w str, Vec<Span>);
    impl<'a> Visitor<'a> for Bound<'_> {
        fn step(&mut self, step: &'a Step) {
            let name = match &step.kind {
                StepKind::Send(send) => send.alias.as_ref(),
                StepKind::Fetch { name, .. } | StepKind::For { name, .. } => Some(name),
                _ => None,
            };
            self.2.extend(name.filter(|name| self.0.slice(name.span) == self.1).map(|name| name.span));
        }
    }
    let mut bound = Bound(world, world.slice(place), Vec::new());
    let items = world.tree(place.file).map_or(&[][..], |file| &file.items);
    for item in items {
        if let Item::Journey(decl) = item {
            if decl.span.start <= place.start && place.end <= decl.span.end {
                walk_item(item, &mut bound);
            }
        }
    }
    bound.2
}

fn check_name(new: &str) -> Result<(), String> {
    let first = new.chars().next();
    if !first.is_some_and(|c| c.is_alphabetic() || c == '_') || !new.chars().all(is_word) {
        return Err(format!("`{new}` is not a name: names are words like `cart_added`"));
    }
    if RESERVED.contains(&new) {
        return Err(format!("`{new}` is a word of the language"));
    }
    Ok(())
}

/// Whether something of that kind is called so already.
fn taken(world: &World, symbol: &Symbol, new: &str) -> Result<(), String> {
    let name = new.to_owned();
    let rivals = match symbol {
        Symbol::Event(_) | Symbol::Segment(_) => vec![Symbol::Event(name.clone()), Symbol::Segment(name)],
        Symbol::EventField(owner, _) => vec![Symbol::EventField(owner.clone(), name)],
        Symbol::TypeField(owner, _) => vec![Symbol::TypeField(owner.clone(), name)],
        Symbol::Parameter(owner, _) => vec![Symbol::Parameter(owner.clone(), name)],
        Symbol::Attribute(_) => vec![Symbol::Attribute(name)],
        Symbol::Type(_) => vec![Symbol::Type(name)],
        Symbol::Channel(_) => vec![Symbol::Channel(name)],
        Symbol::Api(_) => vec![Symbol::Api(name)],
        Symbol::Journey(_) => vec![Symbol::Journey(name)],
        Symbol::Template(_) => {
            if world.project.input.templates.iter().any(|template| template.name == new) {
                return Err(format!("there is already a template `{new}`"));
            }
            Vec::new()
        }
        Symbol::Topic(_) | Symbol::Audience(_) | Symbol::Local(_) => Vec::new(),
    };
    match rivals.iter().find(|rival| world.index.knows(rival)) {
        Some(_) => Err(format!("`{new}` is taken")),
        None => Ok(()),
    }
}
