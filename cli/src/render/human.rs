//! The source with the place marked, by miette.

use super::excerpt::{Excerpt, LONGEST_MARK};
use super::{short, Shown};
use crate::sources::Sources;
use flow_compiler::diagnostic::{Diagnostic, Label, Severity};
use flow_grammar::span::Span;
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use std::fmt;

/// Messages are wrapped at this width.
const WIDTH: usize = 100;
/// Labels within so many lines of the finding stand in its picture; others get pictures of their own.
const NEAR_LINES: u32 = 2;
/// Of a finding over more lines than this, only the first line is shown.
const MAX_LINES: usize = 12;

pub(super) fn render(shown: &[Shown<'_>], colour: bool) -> String {
    let heading = |one: &Shown<'_>| format!("{}[{}]", super::word(one.found.severity), one.found.code);
    shown.iter().map(|one| report(&heading(one), one, colour) + "\n").collect()
}

/// One finding under a heading.
pub(super) fn report(heading: &str, one: &Shown<'_>, colour: bool) -> String {
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_links(false);
    let source = placed(one.sources, one.found.span);
    let view = View {
        heading,
        found: one.found,
        near: one.found.labels.iter().filter(|label| is_near(one, label)).collect(),
        // What stands in no text is named in front of the message.
        path: source.is_none().then(|| one.sources.path(one.found.span.file)),
        source,
        help: one.found.advice(),
    };
    let mut text = String::new();
    match handler.render_report(&mut text, &view) {
        Ok(()) => text.trim_start_matches('\n').to_owned() + &elsewhere(&handler, one),
        Err(_) => short::line(one) + "\n",
    }
}

/// The places that matter and stand further off, each with the source around it.
fn elsewhere(handler: &GraphicalReportHandler, one: &Shown<'_>) -> String {
    let mut out = String::new();
    for label in one.found.labels.iter().filter(|label| !is_near(one, label)) {
        let note = Diagnostic::note("", label.span, label.text.clone());
        let view = View {
            heading: "",
            found: &note,
            near: Vec::new(),
            path: None,
            source: placed(one.sources, label.span),
            help: None,
        };
        let mut text = String::new();
        if view.source.is_some() && handler.render_report(&mut text, &view).is_ok() {
            out += "\n";
            out += text.trim_start_matches('\n');
        }
    }
    out
}

/// Whether a label stands so near that one picture shows both.
fn is_near(one: &Shown<'_>, label: &Label) -> bool {
    let line = |at| one.sources.place(one.found.span.file, at).line;
    let (from, to) = (line(one.found.span.start), line(one.found.span.end));
    let (first, last) = (line(label.span.start), line(label.span.end));
    label.span.file == one.found.span.file && from <= last + NEAR_LINES && first <= to + NEAR_LINES
}

/// The text that a span stands in.
fn placed<'c>(sources: &'c Sources<'_>, span: Span) -> Option<Excerpt<'c>> {
    sources.get(span.file).filter(|source| !source.text.is_empty()).map(Excerpt)
}

/// A finding as miette wants it.
struct View<'c> {
    heading: &'c str,
    near: Vec<&'c Label>,
    path: Option<&'c str>,
    found: &'c Diagnostic,
    source: Option<Excerpt<'c>>,
    help: Option<&'c str>,
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.found.fmt(f)
    }
}

impl fmt::Display for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path {
            Some(path) => write!(f, "{path}: {}", self.found.message),
            None => f.write_str(&self.found.message),
        }
    }
}

impl std::error::Error for View<'_> {}

impl miette::Diagnostic for View<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.heading.is_empty()).then(|| Box::new(self.heading) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.found.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let source = self.source.as_ref()?;
        let range = |span: Span| (span.start as usize, shown_length(source.0.text, span));
        let main = LabeledSpan::new_primary_with_span(None, range(self.found.span));
        let others =
            self.near.iter().map(move |label| LabeledSpan::new_with_span(Some(label.text.clone()), range(label.span)));
        Some(Box::new(std::iter::once(main).chain(others)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }
}

/// How much of a span is marked: all of it, unless that would fill the screen.
fn shown_length(text: &str, span: Span) -> usize {
    let inside = span.text(text);
    if inside.lines().count() <= MAX_LINES {
        return span.len().min(LONGEST_MARK);
    }
    inside.lines().next().map_or(0, str::len).min(LONGEST_MARK)
}
