//! From byte offsets to lines and columns, built once for each file.

/// A place as people and editors count: line and column from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineColumn {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// The beginnings of a file's lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineIndex {
    /// Offset of the first byte of each line; never empty.
    starts: Vec<u32>,
    /// Length of the text in bytes.
    len: u32,
}

impl LineIndex {
    /// Looks through `source` once.
    #[must_use]
    pub fn new(source: &str) -> Self {
        let mut starts = vec![0];
        for (i, byte) in source.bytes().enumerate() {
            if byte == b'\n' {
                starts.push(offset(i + 1));
            }
        }
        Self { starts, len: offset(source.len()) }
    }

    /// How many lines there are; a text that ends with a line end has an empty last line.
    #[must_use]
    pub fn line_count(&self) -> u32 {
        offset(self.starts.len())
    }

    /// The bytes of a line (from 1), its line end included.
    #[must_use]
    pub fn line_range(&self, line: u32) -> std::ops::Range<u32> {
        let index = line.saturating_sub(1) as usize;
        let start = self.starts.get(index).copied().unwrap_or(self.len);
        let end = self.starts.get(index + 1).copied().unwrap_or(self.len);
        start..end
    }

    /// Line and column, the column counted in characters.
    #[must_use]
    pub fn line_column(&self, source: &str, at: u32) -> LineColumn {
        self.count(source, at, |_| 1)
    }

    /// Line and column, the column counted in UTF-16 code units, as editors do.
    #[must_use]
    pub fn line_column_utf16(&self, source: &str, at: u32) -> LineColumn {
        self.count(source, at, |c| if c > '\u{FFFF}' { 2 } else { 1 })
    }

    /// The byte offset of a line and a UTF-16 column (both from 1), at most the end of that line.
    #[must_use]
    pub fn offset_utf16(&self, source: &str, place: LineColumn) -> u32 {
        let range = self.line_range(place.line);
        let text = source.get(range.start as usize..range.end as usize).unwrap_or("");
        let mut left = place.column.saturating_sub(1);
        for (i, c) in text.char_indices() {
            let width = if c > '\u{FFFF}' { 2 } else { 1 };
            if left < width || c == '\n' || c == '\r' {
                return range.start + offset(i);
            }
            left -= width;
        }
        range.end
    }

    fn count(&self, source: &str, at: u32, width: impl Fn(char) -> u32) -> LineColumn {
        let at = at.min(self.len);
        let line = self.starts.partition_point(|&start| start <= at).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let column = source
            .get(start as usize..)
            .unwrap_or("")
            .char_indices()
            .take_while(|(i, _)| offset(*i) < at - start)
            .map(|(_, c)| width(c))
            .sum::<u32>();
        LineColumn { line: offset(line), column: column + 1 }
    }
}

/// Sources are capped far below 4 GiB, so this never saturates.
fn offset(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_utf16_units() {
        let text = "a\nä𝄞b\r\n";
        let index = LineIndex::new(text);
        let b = u32::try_from(text.find('b').unwrap()).unwrap();
        assert_eq!(index.line_column(text, b), LineColumn { line: 2, column: 3 });
        assert_eq!(index.line_column_utf16(text, b), LineColumn { line: 2, column: 4 });
        assert_eq!(index.offset_utf16(text, LineColumn { line: 2, column: 4 }), b);
        assert_eq!(index.line_column(text, 999), LineColumn { line: 3, column: 1 });
        assert_eq!(index.line_count(), 3);
    }
}
