//! Byte offsets to lines and columns, by one index a text.

/// Where each line of a text begins.
#[derive(Clone, Debug)]
pub struct Lines {
    starts: Vec<usize>,
}

/// A line and a column, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl Lines {
    /// The index of `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(after).collect() }
    }

    /// The place of a byte offset of the same text.
    #[must_use]
    pub fn place(&self, text: &str, offset: u32) -> Place {
        let offset = (offset as usize).min(text.len());
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = text.as_bytes().get(start..offset).unwrap_or_default();
        // Bytes that begin a character.
        let column = 1 + before.iter().filter(|b| (**b & 0xC0) != 0x80).count();
        Place { line, column }
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, Place};

    #[test]
    fn columns_count_characters() {
        let text = "one\nè due\n";
        let lines = Lines::new(text);
        let place = |offset| lines.place(text, offset);
        assert_eq!(place(0), Place { line: 1, column: 1 });
        assert_eq!(place(4), Place { line: 2, column: 1 });
        assert_eq!(place(7), Place { line: 2, column: 3 });
        assert_eq!(place(11), Place { line: 3, column: 1 });
        assert_eq!(place(99), Place { line: 3, column: 1 });
    }
}
