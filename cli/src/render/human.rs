//! The source with the place marked, by miette.

use super::excerpt::{Excerpt, LONGEST_MARK};
use super::{short, Shown};
use flow_compiler::diagnostic::{Diagnostic, Severity};
use flow_grammar::span::Span;
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use std::fmt;

/// Messages are wrapped at this width.
const WIDTH: usize = 100;

pub(super) fn render(shown: &[Shown<'_>], colour: bool) -> String {
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_links(false);
    let mut out = String::new();
    for one in shown {
        out += &report(&handler, one);
        out.push('\n');
    }
    out
}

fn report(handler: &GraphicalReportHandler, one: &Shown<'_>) -> String {
    let source = one.sources.get(one.found.span.file).filter(|source| !source.text.is_empty());
    let view = View { found: one.found, source: source.map(Excerpt), help: help(one) };
    let mut text = String::new();
    match handler.render_report(&mut text, &view) {
        Ok(()) if view.source.is_some() => text.trim_start_matches('\n').to_owned(),
        _ => short::line(one) + "\n",
    }
}

/// The help line, and the labels that stand in other files.
fn help(one: &Shown<'_>) -> Option<String> {
    let elsewhere = one.found.labels.iter().filter(|label| label.span.file != one.found.span.file);
    let lines: Vec<String> = one
        .found
        .help
        .iter()
        .cloned()
        .chain(elsewhere.map(|label| format!("{}: {}", one.sources.at(label.span), label.text)))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// A finding as miette wants it.
struct View<'c> {
    found: &'c Diagnostic,
    source: Option<Excerpt<'c>>,
    help: Option<String>,
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.found.fmt(f)
    }
}

impl fmt::Display for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.found.message)
    }
}

impl std::error::Error for View<'_> {}

impl miette::Diagnostic for View<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("{}[{}]", super::word(self.found.severity), self.found.code)))
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
        let range = |span: Span| (span.start as usize, span.len().min(LONGEST_MARK));
        let main = LabeledSpan::new_primary_with_span(None, range(self.found.span));
        let same_file = self.found.labels.iter().filter(|label| label.span.file == self.found.span.file);
        let others =
            same_file.map(move |label| LabeledSpan::new_with_span(Some(label.text.clone()), range(label.span)));
        Some(Box::new(std::iter::once(main).chain(others)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }
}
