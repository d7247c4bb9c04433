//! A project as the compiler sees it, with the texts that the editor has open.

use crate::index::Index;
use crate::place::Text;
use flow_compiler::compile::{compile_file, compile_trees, with_room, Compiled};
use flow_compiler::diagnostic::{Diagnostic, Severity};
use flow_compiler::project::{assemble, Listing, Project};
use flow_compiler::report::{report, Report};
use flow_compiler::symbols::Symbol;
use flow_grammar::ast;
use flow_grammar::span::{FileId, Span};
use flow_grammar::SyntaxError;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A project at one moment.
pub struct World {
    /// The project's folder.
    pub root: PathBuf,
    /// Its files and settings.
    pub project: Project,
    /// What the compiler made of it.
    pub compiled: Compiled,
    /// What is declared, and where.
    pub index: Index,
    /// The texts, those of the project first, then those that settings stand in.
    texts: Vec<Text>,
    errors: Vec<Vec<SyntaxError>>,
    report: OnceCell<Option<Report>>,
}

impl World {
    /// Puts a project together. What `before` has parsed and is as it was is not parsed again.
    #[must_use]
    pub fn new(root: &Path, listing: Listing, before: Option<World>) -> Self {
        let project = assemble(listing);
        let mut known: BTreeMap<(u32, String), (String, ast::File, Vec<SyntaxError>)> = BTreeMap::new();
        if let Some(before) = before {
            let files = before.project.input.files.into_iter().zip(before.compiled.files).zip(before.errors);
            for (id, ((source, tree), errors)) in (0..).zip(files) {
                known.insert((id, source.path), (source.text, tree, errors));
            }
        }
        let (mut trees, mut errors) = (Vec::new(), Vec::new());
        for (id, source) in (0..).zip(&project.input.files) {
            match known.remove(&(id, source.path.clone())).filter(|(text, ..)| *text == source.text) {
                Some((_, tree, found)) => {
                    trees.push(tree);
                    errors.push(found);
                }
                None => {
                    let parsed = with_room(|| flow_grammar::parse(FileId(id), &source.text));
                    trees.push(parsed.file);
                    errors.push(parsed.errors);
                }
            }
        }
        let compiled = compile_trees(&project.input, trees, errors.iter().flatten().cloned().collect());
        let texts =
            project.input.files.iter().chain(&project.others).map(|file| Text::new(file.text.clone())).collect();
        let index = Index::new(&project.input, &compiled);
        Self { root: root.to_owned(), project, compiled, index, texts, errors, report: OnceCell::new() }
    }

    /// The project after a change in one of its `.flow` files. Only that file is looked at: what is known of the others
    /// stays as it was. Quick enough for every keystroke; [`World::new`] follows when the keys rest.
    #[must_use]
    pub fn with_text(self, file: FileId, text: &str) -> Self {
        let Self { root, mut project, compiled, mut texts, mut errors, report, .. } = self;
        let at = file.0 as usize;
        if let Some(source) = project.input.files.get_mut(at) {
            text.clone_into(&mut source.text);
        }
        if let Some(old) = texts.get_mut(at) {
            *old = Text::new(text.to_owned());
        }
        let parsed = with_room(|| flow_grammar::parse(file, text));
        let mut trees = compiled.files;
        if let (Some(tree), Some(found)) = (trees.get_mut(at), errors.get_mut(at)) {
            *tree = parsed.file;
            *found = parsed.errors;
        }
        let elsewhere: Vec<Diagnostic> =
            compiled.diagnostics.into_iter().filter(|found| found.span.file != file).collect();
        let sound = elsewhere.iter().chain(&project.diagnostics).all(|found| found.severity != Severity::Error);
        let syntax = errors.iter().flatten().cloned().collect();
        let mut now = compile_file(&project.input, trees, syntax, file, sound);
        now.diagnostics.extend(elsewhere);
        now.diagnostics.sort_by_key(|found| found.span);
        now.info.references.extend(compiled.info.references.into_iter().filter(|(span, _)| span.file != file));
        now.info.references.sort_unstable();
        now.info.types.retain(|(span, _)| span.file == file);
        now.info.types.extend(compiled.info.types.into_iter().filter(|(span, _)| span.file != file));
        let index = Index::new(&project.input, &now);
        Self { root, project, compiled: now, index, texts, errors, report }
    }

    /// A project out of texts, for tests.
    #[must_use]
    pub fn of(files: &[(&str, &str)], templates: &[&str]) -> Self {
        let source = |(path, text): &(&str, &str)| flow_compiler::compile::SourceFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        let listing = Listing {
            name: "test".to_owned(),
            files: files.iter().map(source).collect(),
            templates: (!templates.is_empty()).then(|| templates.iter().map(|path| (*path).to_owned()).collect()),
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
        let references = &self.compiled.info.references;
        let from = references.partition_point(|(span, _)| span.file < file);
        for (span, symbol) in references.iter().skip(from).take_while(|(span, _)| span.file == file && span.start <= at)
        {
            if touches(*span) {
                found.push((*span, symbol.clone()));
            }
        }
        found.extend(self.index.locals().filter(|span| touches(**span)).map(|span| (*span, Symbol::Local(*span))));
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
        self.compiled.info.references.iter().filter(move |(_, other)| other == symbol).map(|(span, _)| *span)
    }
}
