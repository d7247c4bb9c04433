//! The part of a source that a finding is shown with: some lines round the place, found by the index of lines, and of a
//! line as long as a file no more than a screen holds.

use crate::sources::Source;
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// How many bytes of a line are shown before and after the marked place.
const MARGIN: usize = 120;
/// A marked place is underlined for at most so many bytes.
pub(super) const LONGEST_MARK: usize = 240;

/// A source as miette reads it.
#[derive(Clone, Copy)]
pub(super) struct Excerpt<'c>(pub(super) &'c Source<'c>);

impl SourceCode for Excerpt<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let text = self.0.text;
        let end = span.offset().saturating_add(span.len()).min(text.len());
        let range = if before == 0 && after == 0 {
            span.offset()..end
        } else {
            self.start(span.offset(), before)..self.end(end, after)
        };
        let data = text.get(range.clone()).ok_or(MietteError::OutOfBounds)?;
        let place = self.0.place(range.start);
        Ok(Box::new(MietteSpanContents::new_named(
            self.0.path.clone(),
            data.as_bytes(),
            (range.start, range.len()).into(),
            place.line.saturating_sub(1) as usize,
            place.column.saturating_sub(1) as usize,
            data.bytes().filter(|byte| *byte == b'\n').count(),
        )))
    }
}

impl Excerpt<'_> {
    /// Where the excerpt of a place that begins at `at` begins: so many whole lines before, unless lines are too long.
    fn start(&self, at: usize, lines: usize) -> usize {
        let line = self.0.place(at).line;
        let first = self.0.line(line.saturating_sub(u32::try_from(lines).unwrap_or(u32::MAX)).max(1)).start;
        let own = self.0.line(line).start;
        [first, own].into_iter().find(|&start| at - start <= MARGIN * 2).unwrap_or_else(|| self.boundary(at - MARGIN))
    }

    /// Where the excerpt of a place that ends at `at` ends, its last line end left out.
    fn end(&self, at: usize, lines: usize) -> usize {
        let line = self.0.place(at).line;
        let last = self.0.line(line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX))).end;
        let own = self.0.line(line).end;
        [last, own]
            .into_iter()
            .find(|&end| end.saturating_sub(at) <= MARGIN * 2)
            .unwrap_or_else(|| self.boundary(at.saturating_add(MARGIN)))
    }

    /// The nearest character boundary at or before.
    fn boundary(&self, at: usize) -> usize {
        (0..=at.min(self.0.text.len())).rev().find(|&at| self.0.text.is_char_boundary(at)).unwrap_or(0)
    }
}
