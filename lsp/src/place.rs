//! Places as editors count them: lines from 0, columns in UTF-16 or UTF-8 units.

use flow_grammar::{LineColumn, LineIndex, Span};
use ls_types::{Position, Range};

/// How columns are counted; UTF-16 unless UTF-8 was agreed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// In UTF-16 code units.
    #[default]
    Utf16,
    /// In bytes.
    Utf8,
}

/// A text and where its lines begin.
#[derive(Clone, Debug)]
pub struct Text {
    /// The text.
    pub text: String,
    lines: LineIndex,
}

impl Text {
    /// Looks through the text once.
    #[must_use]
    pub fn new(text: String) -> Self {
        let lines = LineIndex::new(&text);
        Self { text, lines }
    }

    /// The position of a byte.
    #[must_use]
    pub fn position(&self, at: u32, encoding: Encoding) -> Position {
        let place = self.lines.line_column_utf16(&self.text, at);
        let character = match encoding {
            Encoding::Utf16 => place.column.saturating_sub(1),
            Encoding::Utf8 => at.saturating_sub(self.lines.line_range(place.line).start),
        };
        Position { line: place.line.saturating_sub(1), character }
    }

    /// The byte of a position; past the end of a line it is the line's end.
    #[must_use]
    pub fn offset(&self, position: Position, encoding: Encoding) -> u32 {
        let line = position.line.saturating_add(1);
        match encoding {
            Encoding::Utf16 => {
                let column = position.character.saturating_add(1);
                self.lines.offset_utf16(&self.text, LineColumn { line, column })
            }
            Encoding::Utf8 => {
                let range = self.lines.line_range(line);
                let text = self.text.get(range.start as usize..range.end as usize).unwrap_or("");
                let length = u32::try_from(text.trim_end_matches(['\n', '\r']).len()).unwrap_or(u32::MAX);
                let mut at = range.start + position.character.min(length);
                while at > 0 && !self.text.is_char_boundary(at as usize) {
                    at -= 1;
                }
                at
            }
        }
    }

    /// The range of a span.
    #[must_use]
    pub fn range(&self, span: Span, encoding: Encoding) -> Range {
        Range { start: self.position(span.start, encoding), end: self.position(span.end, encoding) }
    }

    /// The whole text.
    #[must_use]
    pub fn whole(&self, encoding: Encoding) -> Range {
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        Range { start: Position::default(), end: self.position(end, encoding) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_in_both_units_lead_back() {
        let text = Text::new("a\nä𝄞b\r\nc".to_owned());
        for encoding in [Encoding::Utf16, Encoding::Utf8] {
            for (at, c) in text.text.char_indices().filter(|(_, c)| *c != '\n') {
                let at = u32::try_from(at).unwrap();
                let position = text.position(at, encoding);
                assert_eq!(text.offset(position, encoding), at, "{c:?} {encoding:?}");
            }
        }
        let b = u32::try_from(text.text.find('b').unwrap()).unwrap();
        assert_eq!(text.position(b, Encoding::Utf16), Position { line: 1, character: 3 });
        assert_eq!(text.position(b, Encoding::Utf8), Position { line: 1, character: 6 });
        assert_eq!(text.offset(Position { line: 1, character: 99 }, Encoding::Utf8), b + 1);
        assert_eq!(text.offset(Position { line: 9, character: 0 }, Encoding::Utf16), 12);
    }
}
