//! One change of a text, and where things stand after it.

use flow_compiler::diagnostic::Diagnostic;
use flow_grammar::span::{FileId, Span};

/// A part of a file that was replaced.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    file: FileId,
    /// Where the texts begin to differ.
    start: u32,
    /// Where the old text goes on as before.
    old_end: u32,
    /// Where the new text does.
    new_end: u32,
}

impl Change {
    /// What lies between the beginning and the end that two texts have in common.
    #[must_use]
    pub fn between(file: FileId, old: &str, new: &str) -> Self {
        let offset = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (start, end) = flow_grammar::in_common(old, new);
        Self { file, start: offset(start), old_end: offset(old.len() - end), new_end: offset(new.len() - end) }
    }

    /// Where a place is now; none: the change was in it.
    #[must_use]
    pub fn span(&self, span: Span) -> Option<Span> {
        if span.file != self.file || span.end <= self.start {
            return Some(span);
        }
        let later = |at: u32| at - self.old_end + self.new_end;
        (span.start >= self.old_end).then(|| Span { start: later(span.start), end: later(span.end), ..span })
    }

    /// A finding where it stands now, if the change was not in it. Mends that the change was in are left out.
    #[must_use]
    pub fn moved(&self, found: Diagnostic) -> Option<Diagnostic> {
        let span = self.span(found.span)?;
        let labels = found.labels.into_iter().filter_map(|label| {
            let span = self.span(label.span)?;
            Some(flow_compiler::diagnostic::Label { span, ..label })
        });
        let fix = found.fix.and_then(|mut fix| {
            for (span, _) in &mut fix.edits {
                *span = self.span(*span)?;
            }
            Some(fix)
        });
        Some(Diagnostic { span, labels: labels.collect(), fix, ..found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_move_with_the_text_around_them() {
        let (old, new) = ("wait 2h email \"hi\"", "wait 12h email \"hi\"");
        let change = Change::between(FileId(0), old, new);
        let of = |text: &str, word: &str| {
            let start = u32::try_from(text.find(word).unwrap()).unwrap();
            Span::new(FileId(0), start, start + u32::try_from(word.len()).unwrap())
        };
        assert_eq!(change.span(of(old, "wait")), Some(of(new, "wait")));
        assert_eq!(change.span(of(old, "email")), Some(of(new, "email")));
        assert_eq!(
            change.span(Span { file: FileId(1), ..of(old, "email") }),
            Some(Span { file: FileId(1), ..of(old, "email") })
        );
        let inside = Change::between(FileId(0), "emil", "email");
        assert_eq!(inside.span(of("emil", "emil")), None);
        // Nothing that stays is counted twice.
        let doubled = Change::between(FileId(0), "aa", "aaa");
        assert_eq!((doubled.start, doubled.old_end, doubled.new_end), (2, 2, 3));
        let halved = Change::between(FileId(0), "aaa", "aa");
        assert_eq!((halved.start, halved.old_end, halved.new_end), (2, 3, 2));
    }
}
