//! The templates of a project, parsed, each with the files that it can render.

use super::check::{self, Report};
use super::parts::{choose, ending_of};
use super::{front, limits, markup, Parts, Provided};
use crate::channel::ChannelKind;
use crate::compile::{syntax_error, TemplateFile};
use crate::diagnostic::Diagnostic;
use flow_grammar::liquid::{parse_template, Template};
use std::collections::BTreeMap;

/// The templates of a project whose text is at hand.
#[derive(Default)]
pub(crate) struct Trees {
    files: Vec<Sent>,
    /// By name and channel: places in `files`.
    sent: BTreeMap<(String, String), Vec<usize>>,
    /// The files that `render` and `layout` name.
    parts: Vec<TemplateFile>,
    part_trees: Vec<Template>,
}

/// A template that journeys send.
pub(crate) struct Sent {
    pub file: TemplateFile,
    pub tree: Template,
    /// Something in it could not be understood, and what seems to be missing may stand there.
    pub broken: bool,
    /// The file around it.
    pub layout: Option<String>,
    /// What `render` and `layout` mean: places among the parts.
    parts: BTreeMap<String, usize>,
}

impl Sent {
    /// Its text.
    pub fn text(&self) -> &str {
        self.file.text.as_deref().unwrap_or_default()
    }
}

impl Trees {
    /// Parses the templates, and gives what is wrong with their writing.
    pub fn parse(templates: &[TemplateFile], parts: &[TemplateFile]) -> (Self, Vec<Diagnostic>) {
        let mut trees = Self::default();
        let mut found = Vec::new();
        let mut read = |template: &TemplateFile| {
            let parse = parse_template(template.file, template.text.as_deref()?);
            let broken = !parse.errors.is_empty();
            found.extend(parse.errors.into_iter().map(syntax_error));
            Some((parse.template, broken))
        };
        for part in parts {
            if let Some((tree, _)) = read(part) {
                trees.parts.push(part.clone());
                trees.part_trees.push(tree);
            }
        }
        for file in templates {
            let Some((tree, broken)) = read(file) else { continue };
            let key = (file.name.clone(), file.channel.clone());
            trees.sent.entry(key).or_default().push(trees.files.len());
            let layout = front::literal(&tree, "layout", file.text.as_deref().unwrap_or_default());
            let parts = choose(&trees.parts, &file.locale, ending_of(&file.path));
            trees.files.push(Sent { file: file.clone(), tree, broken, layout, parts });
        }
        (trees, found)
    }

    /// What can be said of each template by itself.
    pub fn alone(&self, kind: impl Fn(&str) -> ChannelKind) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for sent in &self.files {
            let kind = kind(&sent.file.channel);
            front::check(sent, kind, &mut found);
            limits::template(sent, kind, &mut found);
            if kind == ChannelKind::Email && ending_of(&sent.file.path) == "mjml" && !sent.broken {
                found.extend(markup::check(sent, &self.parts_of(sent), |file| self.text_of(file)));
            }
        }
        found
    }

    /// The files of a template on a channel: one for each language, and plain parts.
    pub fn of(&self, name: &str, channel: &str) -> impl Iterator<Item = &Sent> {
        let places = self.sent.get(&(name.to_owned(), channel.to_owned())).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|at| self.files.get(*at))
    }

    /// Checks a template against what a place that sends it provides.
    pub fn check(&self, sent: &Sent, provided: &Provided) -> Report {
        check::run(&sent.tree, sent.layout.as_deref(), &self.parts_of(sent), provided)
    }

    /// Shows every template with its layout and the files that it can render.
    pub fn each(&self, mut show: impl FnMut(&Sent, Option<&str>, &Parts<'_>)) {
        for sent in &self.files {
            show(sent, sent.layout.as_deref(), &self.parts_of(sent));
        }
    }

    /// Whether a name is used in a template, its layout, or a file that one of them renders.
    pub fn names(&self, sent: &Sent, name: &str) -> bool {
        let mut todo = vec![&sent.tree];
        let mut seen = Vec::new();
        let layout = sent.layout.as_deref().and_then(|name| sent.parts.get(&super::part_name(name)));
        todo.extend(layout.and_then(|at| self.part_trees.get(*at)));
        while let Some(tree) = todo.pop() {
            let mut files = Vec::new();
            if super::uses::names(tree, name, &mut files) {
                return true;
            }
            for file in files {
                let Some(at) = sent.parts.get(&super::part_name(&file)) else { continue };
                if !seen.contains(at) {
                    seen.push(*at);
                    todo.extend(self.part_trees.get(*at));
                }
            }
        }
        false
    }

    fn parts_of(&self, sent: &Sent) -> Parts<'_> {
        let parts = sent.parts.iter();
        parts.filter_map(|(name, at)| Some((name.clone(), self.part_trees.get(*at)?))).collect()
    }

    /// The text of the file with this number.
    fn text_of(&self, file: flow_grammar::span::FileId) -> &str {
        let own = self.files.iter().map(|sent| &sent.file).chain(&self.parts).find(|known| known.file == file);
        own.and_then(|file| file.text.as_deref()).unwrap_or_default()
    }
}
