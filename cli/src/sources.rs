//! The texts of a project and how its places are written: `path:line:col`.

use flow_compiler::project::Project;
use flow_grammar::span::{FileId, Span};
use flow_grammar::{LineColumn, LineIndex};
use std::path::Path;

/// A file that can be shown.
pub struct Source<'p> {
    /// Its path as the user would write it.
    pub path: String,
    /// What stands in it.
    pub text: &'p str,
    lines: LineIndex,
}

impl Source<'_> {
    /// Line and column of an offset in bytes.
    pub fn place(&self, offset: usize) -> LineColumn {
        self.lines.line_column(self.text, u32::try_from(offset).unwrap_or(u32::MAX))
    }

    /// The bytes of a line (from 1), its line end included.
    pub fn line(&self, line: u32) -> std::ops::Range<usize> {
        let range = self.lines.line_range(line);
        range.start as usize..range.end as usize
    }
}

/// All files of a project.
pub struct Sources<'p> {
    files: Vec<Source<'p>>,
}

impl<'p> Sources<'p> {
    /// The files of `project`, which was read from `root`.
    pub fn new(root: &Path, project: &'p Project) -> Self {
        let files = project.input.files.iter().chain(&project.others);
        let source = |path: &str, text: &'p str| Source { path: shown(root, path), text, lines: LineIndex::new(text) };
        Self { files: files.map(|file| source(&file.path, &file.text)).collect() }
    }

    /// The file with this id.
    pub fn get(&self, file: FileId) -> Option<&Source<'p>> {
        self.files.get(file.0 as usize)
    }

    /// The path of a file.
    pub fn path(&self, file: FileId) -> &str {
        self.get(file).map_or("?", |source| source.path.as_str())
    }

    /// Line and column of an offset.
    pub fn place(&self, file: FileId, offset: u32) -> LineColumn {
        self.get(file).map_or(LineColumn { line: 1, column: 1 }, |source| source.lines.line_column(source.text, offset))
    }

    /// What stands at a span.
    pub fn text(&self, span: Span) -> &'p str {
        self.get(span.file).map_or("", |source| span.text(source.text))
    }

    /// `path:line:col` of where a span begins.
    pub fn at(&self, span: Span) -> String {
        let place = self.place(span.file, span.start);
        format!("{}:{}:{}", self.path(span.file), place.line, place.column)
    }
}

/// `cart.flow` of the present folder, `shop/cart.flow` of another.
pub fn shown(root: &Path, path: &str) -> String {
    let whole = root.join(path);
    let whole = whole.strip_prefix("./").unwrap_or(&whole);
    whole.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}
