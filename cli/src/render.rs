//! Views of diagnostics: for people, for editors, for machines.

mod excerpt;
mod github;
mod human;
mod json;
mod sarif;
mod short;

use crate::load::Checked;
use crate::sources::Sources;
use flow_compiler::diagnostic::{Diagnostic, Severity};
use std::collections::BTreeSet;

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// The source, with the place marked
    #[default]
    Human,
    /// One line each: path:line:col: error[F0201]: message
    Short,
    /// One JSON object a line
    Json,
    /// One SARIF 2.1.0 document, for code scanning
    Sarif,
    /// Annotations for a GitHub workflow
    Github,
}

/// A finding with what is needed to show it.
struct Shown<'c> {
    found: &'c Diagnostic,
    sources: &'c Sources<'c>,
}

/// Renders the findings of all projects, with a closing count where people read it.
#[must_use]
pub fn all(checked: &[Checked], format: Format, colour: bool) -> String {
    let sources: Vec<Sources<'_>> = checked.iter().map(Checked::sources).collect();
    let shown: Vec<Shown<'_>> = checked
        .iter()
        .zip(&sources)
        .flat_map(|(project, sources)| project.diagnostics.iter().map(move |found| Shown { found, sources }))
        .collect();
    let allowed: Vec<(Shown<'_>, &str)> = checked
        .iter()
        .zip(&sources)
        .flat_map(|(project, sources)| project.compiled.allowed.iter().map(move |one| (one, sources)))
        .map(|(one, sources)| (Shown { found: &one.found, sources }, one.reason.as_str()))
        .collect();
    match format {
        Format::Human => human::render(&shown, colour) + &closing_line(&shown),
        Format::Short => short::render(&shown) + &closing_line(&shown),
        Format::Json => json::render(&shown),
        Format::Sarif => sarif::render(&shown, &allowed),
        Format::Github => github::render(&shown),
    }
}

/// Renders one finding for people, under a heading of its own.
#[must_use]
pub fn one(heading: &str, found: &Diagnostic, sources: &Sources<'_>, colour: bool) -> String {
    human::report(heading, &Shown { found, sources }, colour)
}

/// `3 errors, 1 warning in 2 files`
fn closing_line(shown: &[Shown<'_>]) -> String {
    let count = |severity| shown.iter().filter(|one| one.found.severity == severity).count();
    let kinds = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
    let counts: Vec<String> = kinds
        .iter()
        .map(|(severity, word)| (count(*severity), word))
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| counted(n, word))
        .collect();
    if counts.is_empty() {
        return String::new();
    }
    let files: BTreeSet<&str> = shown.iter().map(|one| one.sources.path(one.found.span.file)).collect();
    format!("{} in {}\n", counts.join(", "), counted(files.len(), "file"))
}

/// `1 file`, `2 files`
#[must_use]
pub fn counted(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}
