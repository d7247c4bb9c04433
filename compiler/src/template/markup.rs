//! MJML in a template, before anything is sent.
//!
//! The template is written out with its layout and the files that it renders, and nothing in the place of values; each
//! piece remembers where it stands. Of an `if` all branches are taken, and where that is no whole, one after the other:
//! a finding is one only when no way through is free of it.

use super::trees::Sent;
use super::{mjml, part_name, Parts};
use crate::codes as code;
use crate::diagnostic::{Diagnostic, Severity};
use flow_grammar::liquid::{ExprKind, Node};
use flow_grammar::span::{FileId, Span};
use mrml::prelude::parser::Error;

/// Where to look.
const ALLOWED: &str = "https://documentation.mjml.io tells what may stand where";
/// How deep files that render files are followed.
const MAX_DEPTH: usize = 16;

/// Which branches are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ways {
    All,
    First,
    Last,
}

/// What MJML does not allow, or ignores.
pub(super) fn check<'s>(sent: &Sent, parts: &Parts<'_>, text_of: impl Fn(FileId) -> &'s str) -> Vec<Diagnostic> {
    let written = |ways| {
        let mut out = Written { ways, parts, text_of: &text_of, text: String::new(), pieces: Vec::new() };
        match sent.layout.as_deref().and_then(|name| parts.get(&part_name(name))) {
            Some(layout) => out.nodes(&layout.body, Some(&sent.tree.body), 0),
            None => out.nodes(&sent.tree.body, None, 0),
        }
        out
    };
    let start = Span::new(sent.file.file, sent.tree.span.start, sent.tree.span.start);
    let all = findings(&written(Ways::All), start);
    if all.iter().all(|found| found.severity == Severity::Warning) {
        return all;
    }
    let failed = |found: &Vec<Diagnostic>| found.iter().any(|found| found.severity == Severity::Error);
    let (first, last) = (findings(&written(Ways::First), start), findings(&written(Ways::Last), start));
    match (failed(&first), failed(&last)) {
        // What comes only of both branches standing together is none.
        (true, true) => all.into_iter().filter(|found| first.contains(found) || last.contains(found)).collect(),
        (true, false) => first,
        // Each way by itself is whole, or the last is not.
        (false, _) => last,
    }
}

/// What is wrong with a document, at the places that its parts come from.
fn findings(written: &Written<'_, '_>, start: Span) -> Vec<Diagnostic> {
    let problems = mjml::problems(&written.text);
    if !problems.iter().any(|problem| !problem.ignored) {
        if let Err(error) = mrml::parse(&written.text) {
            return vec![refused(written, &error, start)];
        }
    }
    let finding = |problem: mjml::Problem| {
        let span = written.place(problem.at.start, problem.at.end).unwrap_or(start);
        let found = if problem.ignored {
            Diagnostic::warning(code::TEMPLATE_MARKUP_IGNORED, span, problem.message)
        } else {
            Diagnostic::error(code::TEMPLATE_MARKUP, span, problem.message)
        };
        match problem.near {
            Some(near) => found.help(format!("did you mean `{near}`?")),
            None if problem.ignored => found.help("it changes nothing: remove it, or put the style into `mj-style`"),
            None => found.help(ALLOWED),
        }
    };
    problems.into_iter().map(finding).collect()
}

/// The text, and where each part of it comes from.
struct Written<'a, 's> {
    ways: Ways,
    parts: &'a Parts<'a>,
    text_of: &'a dyn Fn(FileId) -> &'s str,
    text: String,
    pieces: Vec<(usize, Span)>,
}

impl Written<'_, '_> {
    /// `inner` stands where a layout says `{{ content }}`.
    fn nodes(&mut self, nodes: &[Node], inner: Option<&[Node]>, depth: usize) {
        for node in nodes {
            self.node(node, inner, depth);
        }
    }

    fn node(&mut self, node: &Node, inner: Option<&[Node]>, depth: usize) {
        match node {
            Node::Text(span) => {
                self.pieces.push((self.text.len(), *span));
                self.text.push_str(span.text((self.text_of)(span.file)));
            }
            Node::Output(value) => {
                let content = matches!(&value.value.kind, ExprKind::Path(path)
                    if path.steps.is_empty() && path.root.as_ref().is_some_and(|root| root.text == "content"));
                if let Some(nodes) = inner.filter(|_| content) {
                    self.nodes(nodes, None, depth);
                }
            }
            Node::If(node) => {
                let branches = node.branches.iter().map(|branch| branch.body.as_slice());
                self.choose(branches.chain(node.otherwise.as_deref()).collect(), inner, depth);
            }
            Node::Case(node) => {
                let arms = node.arms.iter().map(|(_, body)| body.as_slice());
                self.choose(arms.chain(node.otherwise.as_deref()).collect(), inner, depth);
            }
            Node::For(node) => self.nodes(&node.body, inner, depth),
            Node::Render(render) if depth < MAX_DEPTH => {
                if let Some(part) = self.parts.get(&part_name(&render.file.text)) {
                    self.nodes(&part.body, None, depth + 1);
                }
            }
            _ => {}
        }
    }

    fn choose(&mut self, ways: Vec<&[Node]>, inner: Option<&[Node]>, depth: usize) {
        let taken = match self.ways {
            Ways::All => ways,
            Ways::First => ways.into_iter().take(1).collect(),
            Ways::Last => ways.into_iter().next_back().into_iter().collect(),
        };
        for nodes in taken {
            self.nodes(nodes, inner, depth);
        }
    }

    /// Where a part of the text stands.
    fn place(&self, start: usize, end: usize) -> Option<Span> {
        let at = self.pieces.partition_point(|(from, _)| *from <= start).checked_sub(1)?;
        let (from, span) = self.pieces.get(at)?;
        let offset = |at: usize| span.start.saturating_add(u32::try_from(at.saturating_sub(*from)).unwrap_or(u32::MAX));
        let (start, end) = (offset(start).min(span.end), offset(end.max(start)).min(span.end));
        Some(Span { start, end, ..*span })
    }
}

fn refused(written: &Written<'_, '_>, error: &Error, start: Span) -> Diagnostic {
    let text = |from: usize, to: usize| written.text.get(from..to).unwrap_or_default();
    let (place, message) = match error {
        Error::UnexpectedElement { position, .. } => {
            (Some(*position), format!("MJML has no `{}` here", text(position.start, position.end)))
        }
        Error::UnexpectedToken { position, .. } => {
            let shown = text(position.start, position.end).trim();
            let shown = shown.split_whitespace().next().unwrap_or("this");
            (Some(*position), format!("MJML does not expect `{shown}` here: is a tag not closed?"))
        }
        Error::MissingAttribute { name, position, .. } => {
            (Some(*position), format!("this element needs the attribute `{name}`"))
        }
        Error::InvalidAttribute { position, .. } => (Some(*position), "MJML does not know this attribute".to_owned()),
        Error::InvalidFormat { position, .. } => (Some(*position), "MJML cannot read this".to_owned()),
        Error::EndOfStream { .. } => (None, "the MJML ends before its elements are closed".to_owned()),
        Error::NoRootNode => (None, "the MJML has no `<mjml>` around it".to_owned()),
        Error::ParserError { source, .. } => {
            let place = source.pos();
            let line: usize =
                written.text.split_inclusive('\n').take(place.row.saturating_sub(1) as usize).map(str::len).sum();
            let at = line + place.col.saturating_sub(1) as usize;
            let span = mrml::prelude::parser::Span { start: at, end: at + 1 };
            (Some(span), "this is no markup".to_owned())
        }
        other => (None, other.to_string()),
    };
    let span = place.and_then(|place| written.place(place.start, place.end)).unwrap_or(start);
    Diagnostic::error(code::TEMPLATE_MARKUP, span, message).help(ALLOWED)
}
