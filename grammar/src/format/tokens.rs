//! The text as tokens, with the comments that the tree does not have.
//!
//! Only for texts without syntax errors: whatever the grammar took, in its order.

use crate::pieces::{text_length, PAIRS};
use unicode_ident::{is_xid_continue, is_xid_start};

/// A comment on a line of its own.
pub(super) struct Comment {
    pub text: String,
    /// Whether an empty line stands above it.
    pub blank_before: bool,
}

/// A word, a literal or a sign.
pub(super) struct Token {
    pub start: usize,
    pub text: String,
    /// Comments on lines of their own above it.
    pub above: Vec<Comment>,
    /// The comment behind it, to the end of its line.
    pub behind: Option<String>,
    /// Whether an empty line stands right above it (below the comments).
    pub blank_before: bool,
    /// Whether it, or the comments above it, begins a line.
    pub begins_line: bool,
}

/// A stretch of the text that is one token, in its canonical spelling.
pub(super) struct Atom {
    pub start: usize,
    pub end: usize,
    pub text: String,
}

/// All tokens; the last is empty and stands for the end of the text. `atoms` are in order.
pub(super) fn tokens(source: &str, atoms: &[Atom]) -> Vec<Token> {
    let mut lexer = Lexer { source, at: 0, atoms, tokens: Vec::new(), above: Vec::new(), lines: 0, begins_line: false };
    while lexer.step() {}
    lexer.push(source.len(), String::new());
    lexer.tokens
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    atoms: &'s [Atom],
    tokens: Vec<Token>,
    above: Vec<Comment>,
    /// Line ends since the last token or comment.
    lines: usize,
    begins_line: bool,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn push(&mut self, start: usize, text: String) {
        self.tokens.push(Token {
            start,
            text,
            above: std::mem::take(&mut self.above),
            behind: None,
            blank_before: self.lines > 1,
            begins_line: self.begins_line || self.lines > 0,
        });
        self.lines = 0;
        self.begins_line = false;
    }

    /// Takes one token, comment or blank; false at the end.
    fn step(&mut self) -> bool {
        let Some(c) = self.rest().chars().next() else { return false };
        if c == '\n' {
            self.lines += 1;
        }
        if crate::lower::is_blank(c) {
            self.at += c.len_utf8();
            return true;
        }
        if c == '#' {
            self.comment();
            return true;
        }
        let start = self.at;
        // Those in the holes of texts are parts of other tokens.
        while let Some((_, others)) = self.atoms.split_first().filter(|(atom, _)| atom.start < start) {
            self.atoms = others;
        }
        if let Some((atom, others)) = self.atoms.split_first() {
            if atom.start == start {
                self.atoms = others;
                self.at = atom.end.max(start + 1);
                self.push(start, atom.text.clone());
                return true;
            }
        }
        let length = token_length(self.rest(), c);
        let text = self.rest().get(..length).unwrap_or("").to_owned();
        self.at += length;
        self.push(start, text);
        true
    }

    fn comment(&mut self) {
        let text = self.rest().lines().next().unwrap_or("");
        let length = text.len();
        let text = text.trim_end().to_owned();
        self.at += length;
        let behind = self.lines == 0 && self.above.is_empty();
        match self.tokens.last_mut() {
            Some(before) if behind => before.behind = Some(text),
            _ => {
                self.begins_line |= self.lines > 0;
                self.above.push(Comment { text, blank_before: self.lines > 1 });
            }
        }
        self.lines = 0;
    }
}

fn token_length(rest: &str, first: char) -> usize {
    if first == '"' {
        return text_length(rest).0;
    }
    if is_xid_start(first) || first == '_' {
        return word_length(rest);
    }
    if first.is_ascii_digit() {
        return number_length(rest);
    }
    if PAIRS.iter().any(|pair| rest.starts_with(pair)) {
        return 2;
    }
    first.len_utf8()
}

fn word_length(rest: &str) -> usize {
    rest.find(|c| !is_xid_continue(c)).unwrap_or(rest.len())
}

fn digits(rest: &str) -> usize {
    rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())
}

/// `12`, `59.90`, `50%`, `500m`
fn number_length(rest: &str) -> usize {
    let mut length = digits(rest);
    let fraction = rest.get(length..).and_then(|tail| tail.strip_prefix('.')).map_or(0, digits);
    if fraction > 0 {
        length += 1 + fraction;
    }
    let tail = rest.get(length..).unwrap_or("");
    if tail.starts_with('%') {
        return length + 1;
    }
    length + word_length(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        tokens(source, &[]).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn texts_with_texts_in_their_holes_are_one_token() {
        assert_eq!(texts(r#"sms "a {b ?? "c {d}"} \" \{" x"#), ["sms", r#""a {b ?? "c {d}"} \" \{""#, "x", ""]);
    }

    #[test]
    fn comments_stand_above_or_behind() {
        let found = tokens("a # one\n\n# two\n\n## three\nb\n# end", &[]);
        assert_eq!(found[0].behind.as_deref(), Some("# one"));
        assert_eq!(
            found[1].above.iter().map(|c| (c.text.as_str(), c.blank_before)).collect::<Vec<_>>(),
            [("# two", true), ("## three", true)]
        );
        assert!(found[1].begins_line && !found[1].blank_before);
        assert_eq!(found[2].above[0].text, "# end");
    }

    #[test]
    fn numbers_keep_their_units() {
        assert_eq!(texts("12 59.90 50% 500m a.b -3"), ["12", "59.90", "50%", "500m", "a", ".", "b", "-", "3", ""]);
    }
}
