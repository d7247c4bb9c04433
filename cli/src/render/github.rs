//! Annotations for a GitHub workflow: `::error file=…,line=…::message`.

use super::{counted, word, Shown};
use flow_compiler::diagnostic::Severity;

/// GitHub shows so many errors, and so many warnings, of one step.
const LIMIT: usize = 10;

/// The most severe first; what GitHub would drop is counted instead.
pub(super) fn render(shown: &[Shown<'_>]) -> String {
    let mut out = String::new();
    let mut left = 0;
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let of_kind: Vec<_> = shown.iter().filter(|one| one.found.severity == severity).collect();
        left += of_kind.len().saturating_sub(LIMIT);
        out.extend(of_kind.into_iter().take(LIMIT).map(annotation));
    }
    if left > 0 {
        out += &format!("{} more; run flowc check to see all\n", counted(left, "finding"));
    }
    out
}

fn annotation(one: &Shown<'_>) -> String {
    let (found, sources) = (one.found, one.sources);
    let (start, end) =
        (sources.place(found.span.file, found.span.start), sources.place(found.span.file, found.span.end));
    let command = if found.severity == Severity::Note { "notice" } else { word(found.severity) };
    let message = match found.advice() {
        Some(help) => format!("{}\n{help}", found.message),
        None => found.message.clone(),
    };
    format!(
        "::{command} file={},line={},col={},endLine={},endColumn={},title={}::{}\n",
        property(sources.path(found.span.file)),
        start.line,
        start.column,
        end.line,
        end.column,
        property(found.code),
        data(&message),
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
