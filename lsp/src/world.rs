//! A project as the compiler sees it, with the texts that the editor has open.

use crate::apart::{declares, in_error, Apart, Before, Looked};
use crate::change::Change;
use crate::index::{FileIndex, Index};
use crate::place::Text;
use flow_compiler::compile::{compile_trees, with_room, Compiled};
use flow_compiler::diagnostic::Diagnostic;
use flow_compiler::others::{Effects, Templates};
use flow_compiler::project::{assemble, Listing, Project};
use flow_compiler::report::{report, Report};
use flow_compiler::symbols::Symbol;
use flow_grammar::ast;
use flow_grammar::span::{FileId, Span};
use flow_grammar::{Memo, SyntaxError};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A project at one moment.
pub struct World {
    /// The project's folder.
    pub root: PathBuf,
    /// Its files and settings.
    pub project: Project,
    /// What the compiler made of it; what it learned of names and types is kept file by file.
    pub compiled: Compiled,
    /// What is declared, and where.
    pub index: Index,
    /// The texts, those of the project first, then those that settings stand in.
    texts: Vec<Text>,
    /// What is known of each `.flow` file.
    known: Vec<Known>,
    /// The templates, parsed.
    templates: Templates,
    report: OnceCell<Option<Report>>,
}

/// What is known of a file beside its tree.
#[derive(Default)]
pub(crate) struct Known {
    pub errors: Vec<SyntaxError>,
    /// What makes parsing it again shorter, once it has been edited.
    memo: Option<Memo>,
    /// What its steps do to others.
    pub effects: Effects,
    /// What names in it stand for, in the order of the source.
    pub references: Vec<(Span, Symbol)>,
    /// The types of expressions, in the order of the source.
    pub types: Vec<(Span, String)>,
    /// While the item of that number has errors: what the rules found in the others before, and would find again.
    pub aside: Option<(usize, Vec<Diagnostic>)>,
}

impl World {
    /// Puts a project together. What `before` has parsed and is as it was is not parsed again.
    #[must_use]
    pub fn new(root: &Path, listing: Listing, before: Option<World>) -> Self {
        let project = assemble(listing);
        let mut parsed: BTreeMap<(u32, String), (String, ast::File, Known)> = BTreeMap::new();
        if let Some(before) = before {
            let files = before.project.input.files.into_iter().zip(before.compiled.files).zip(before.known);
            for (id, ((source, tree), known)) in (0..).zip(files) {
                parsed.insert((id, source.path), (source.text, tree, known));
            }
        }
        let (mut trees, mut known) = (Vec::new(), Vec::new());
        for (id, source) in (0..).zip(&project.input.files) {
            let before = parsed.remove(&(id, source.path.clone())).filter(|(text, ..)| *text == source.text);
            let (tree, of_file) = match before {
                Some((_, tree, known)) => {
                    (tree, Known { references: Vec::new(), types: Vec::new(), aside: None, ..known })
                }
                None => {
                    let parsed = with_room(|| flow_grammar::parse(FileId(id), &source.text));
                    let effects = Effects::of(&parsed.file);
                    (parsed.file, Known { errors: parsed.errors, effects, ..Known::default() })
                }
            };
            trees.push(tree);
            known.push(of_file);
        }
        let errors = known.iter().flat_map(|known| &known.errors).cloned().collect();
        let mut compiled = compile_trees(&project.input, trees, errors);
        for (span, symbol) in std::mem::take(&mut compiled.info.references) {
            if let Some(known) = known.get_mut(span.file.0 as usize) {
                known.references.push((span, symbol));
            }
        }
        for (span, ty) in std::mem::take(&mut compiled.info.types) {
            if let Some(known) = known.get_mut(span.file.0 as usize) {
                known.types.push((span, ty));
            }
        }
        let texts =
            project.input.files.iter().chain(&project.others).map(|file| Text::new(file.text.clone())).collect();
        let files = project.input.files.iter().zip(&compiled.files).zip(&known);
        let files = files.map(|((source, tree), known)| FileIndex::new(&source.path, tree, &known.references));
        let index = Index::new(files.collect());
        let templates = Templates::of(&project.input);
        Self { root: root.to_owned(), project, compiled, index, texts, known, templates, report: OnceCell::new() }
    }

    /// The project after a change in one of its `.flow` files. Only that file is looked at: what is known of the others
    /// stays as it was, and so does what was found in this file by looking at all. Quick enough for every keystroke;
    /// [`World::new`] follows when the keys rest.
    #[must_use]
    pub fn with_text(self, file: FileId, text: &str) -> Self {
        let Self { root, mut project, compiled, mut index, mut texts, mut known, templates, report } = self;
        let at = file.0 as usize;
        let Some(source) = project.input.files.get_mut(at) else {
            return Self { root, project, compiled, index, texts, known, templates, report };
        };
        let change = Change::between(file, &source.text, text);
        text.clone_into(&mut source.text);
        if let Some(old) = texts.get_mut(at) {
            *old = Text::new(text.to_owned());
        }
        let mut trees = compiled.files;
        let mut alone = None;
        if let (Some(tree), Some(known)) = (trees.get_mut(at), known.get_mut(at)) {
            let before = std::mem::replace(tree, ast::File { id: file, items: Vec::new() });
            let (parsed, memo) = with_room(|| match known.memo.take() {
                Some(memo) => flow_grammar::parse_again(before, memo, text),
                None => flow_grammar::parse_first(file, text),
            });
            let effects = Effects::of(&parsed.file);
            // What one journey does to the others of its file is as it was.
            alone = memo.alone().filter(|_| effects == known.effects);
            known.memo = Some(memo);
            known.effects = effects;
            known.errors = parsed.errors;
            *tree = parsed.file;
        }
        let apart = alone.filter(|_| declares(&trees)).and_then(|number| Apart::of(trees.get(at)?, number));
        let was_sound = !in_error(compiled.diagnostics.iter(), None);
        let before = Before { found: compiled.diagnostics, sent: compiled.sent, was_sound, change };
        let looked = Looked { input: &project.input, templates: &templates, known: &mut known, file };
        let mut now = looked.at(trees, before, apart.as_ref());
        if let Some(known) = known.get_mut(at) {
            known.learn(&mut now, &change, apart.as_ref());
        }
        if let (Some(known), Some(tree)) = (known.get(at), now.files.get(at)) {
            let path = project.input.files.get(at).map_or("", |source| source.path.as_str());
            index.replace(file, FileIndex::new(path, tree, &known.references));
        }
        Self { root, project, compiled: now, index, texts, known, templates, report }
    }

    /// What the names of a file stand for, in the order of the source.
    #[must_use]
    pub fn references_in(&self, file: FileId) -> &[(Span, Symbol)] {
        self.known.get(file.0 as usize).map_or(&[], |known| &known.references)
    }

    /// The types of the expressions of a file, in the order of the source.
    #[must_use]
    pub fn types_in(&self, file: FileId) -> &[(Span, String)] {
        self.known.get(file.0 as usize).map_or(&[], |known| &known.types)
    }

    /// A project out of texts, for tests.
    #[must_use]
    pub fn of(files: &[(&str, &str)], templates: &[(&str, &str)]) -> Self {
        let source = |(path, text): &(&str, &str)| flow_compiler::compile::SourceFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        let listing = Listing {
            name: "test".to_owned(),
            files: files.iter().map(source).collect(),
            templates: (!templates.is_empty()).then(|| templates.iter().map(|(path, _)| (*path).to_owned()).collect()),
            // One without a text was not read.
            texts: templates
                .iter()
                .filter(|(_, text)| !text.is_empty())
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect(),
            ..Listing::default()
        };
        Self::new(Path::new("/project"), listing, None)
    }

    /// The number of the file at a path relative to the root.
    #[must_use]
    pub fn file_at(&self, path: &str) -> Option<FileId> {
        let files = self.project.input.files.iter().chain(&self.project.others);
        (0..).zip(files).find(|(_, file)| file.path == path).map(|(id, _)| FileId(id))
    }

    /// Whether a file is a template, or a part of templates.
    #[must_use]
    pub fn is_template(&self, file: FileId) -> bool {
        let input = &self.project.input;
        input.templates.iter().chain(&input.parts).any(|one| one.text.is_some() && one.file == file)
    }

    /// The path of a file on disk.
    #[must_use]
    pub fn path(&self, id: FileId) -> Option<PathBuf> {
        self.project.file(id).map(|file| self.root.join(&file.path))
    }

    /// A file's text with its lines.
    #[must_use]
    pub fn text(&self, id: FileId) -> Option<&Text> {
        self.texts.get(id.0 as usize)
    }

    /// A file's text.
    #[must_use]
    pub fn source(&self, id: FileId) -> &str {
        self.text(id).map_or("", |text| &text.text)
    }

    /// The characters of a span.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        span.text(self.source(span.file))
    }

    /// A file's tree.
    #[must_use]
    pub fn tree(&self, id: FileId) -> Option<&ast::File> {
        self.compiled.files.get(id.0 as usize)
    }

    /// Everything that is wrong, with the folder or the program.
    pub fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        self.project.diagnostics.iter().chain(&self.compiled.diagnostics)
    }

    /// What journeys can do at most and what history is kept; none while there are errors.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.report
            .get_or_init(|| {
                let program = self.compiled.program.as_ref()?;
                Some(report(program, &self.project.input.files, &|_| String::new()))
            })
            .as_ref()
    }

    /// What the name at a place stands for, and the name's span; a field of several triggers stands
    /// for several things.
    #[must_use]
    pub fn symbols_at(&self, file: FileId, at: u32) -> (Option<Span>, Vec<Symbol>) {
        let touches = |span: Span| span.file == file && span.start <= at && at <= span.end;
        let mut found: Vec<(Span, Symbol)> =
            self.index.definitions_in(file).filter(|d| touches(d.name)).map(|d| (d.name, d.symbol.clone())).collect();
        for (span, symbol) in self.references_in(file).iter().take_while(|(span, _)| span.start <= at) {
            if touches(*span) {
                found.push((*span, symbol.clone()));
            }
        }
        found.extend(
            self.index.locals_in(file).filter(|span| touches(**span)).map(|span| (*span, Symbol::Local(*span))),
        );
        // Between two names that touch, the one that begins here.
        let Some(name) = found.iter().map(|(span, _)| *span).max_by_key(|span| (span.start, u32::MAX - span.end))
        else {
            return (None, Vec::new());
        };
        let mut symbols: Vec<Symbol> = found.into_iter().filter(|(span, _)| *span == name).map(|(_, s)| s).collect();
        symbols.sort_unstable();
        symbols.dedup();
        (Some(name), symbols)
    }

    /// The places where a name is used, without its declaration.
    pub fn references<'w>(&'w self, symbol: &'w Symbol) -> impl Iterator<Item = Span> + 'w {
        let all = self.known.iter().flat_map(|known| &known.references);
        all.filter(move |(_, other)| other == symbol).map(|(span, _)| *span)
    }
}
