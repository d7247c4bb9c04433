//! The words and signs of a text, also of one that is only half typed.

use flow_grammar::pieces::{text_length, PAIRS};
use std::ops::Range;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name or keyword.
    Word,
    /// A number, with what follows it directly: `2h`, `50%`, `09:00`.
    Number,
    /// A text, quotes included; the flag: it is closed.
    Text(bool),
    /// A sign.
    Sign,
    /// A comment.
    Comment,
}

/// A piece of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lexeme {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub range: Range<usize>,
}

impl Lexeme {
    /// Its characters.
    #[must_use]
    pub fn text<'s>(&self, source: &'s str) -> &'s str {
        source.get(self.range.clone()).unwrap_or("")
    }
}

/// All pieces but blanks, in order.
#[must_use]
pub fn lex(source: &str) -> Vec<Lexeme> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = source.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = source.get(at..).unwrap_or("");
        let (kind, length) = if c.is_whitespace() || c == '\u{FEFF}' {
            at += c.len_utf8();
            continue;
        } else if c == '#' {
            (Kind::Comment, rest.find('\n').unwrap_or(rest.len()))
        } else if c == '"' {
            let (length, closed) = text_length(rest);
            (Kind::Text(closed), length)
        } else if is_word(c) && !c.is_ascii_digit() {
            (Kind::Word, rest.find(|c| !is_word(c)).unwrap_or(rest.len()))
        } else if c.is_ascii_digit() {
            (Kind::Number, number_length(rest))
        } else {
            let pair = PAIRS.iter().any(|pair| rest.starts_with(pair));
            (Kind::Sign, if pair { 2 } else { c.len_utf8() })
        };
        found.push(Lexeme { kind, range: at..at + length });
        at += length.max(1);
    }
    found
}

/// Whether a character can stand in a name.
#[must_use]
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn number_length(rest: &str) -> usize {
    let mut end = 0;
    for (at, c) in rest.char_indices() {
        let follows = rest.get(at + c.len_utf8()..).and_then(|tail| tail.chars().next());
        let joins = matches!(c, '.' | ':' | '-') && follows.is_some_and(|c| c.is_ascii_digit());
        // `2026-11-27` is one number, `3-1` are two and a sign.
        let joins = joins && (c != '-' || matches!(at, 4 | 7));
        if !(is_word(c) || joins || c == '%') {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_half_typed_text() {
        let source = "wait 2h sms \"a {b ?? \"c\"} d\" # e\nx == \"IT";
        let found: Vec<_> = lex(source).iter().map(|l| (l.kind, l.text(source))).collect();
        assert_eq!(
            found,
            [
                (Kind::Word, "wait"),
                (Kind::Number, "2h"),
                (Kind::Word, "sms"),
                (Kind::Text(true), "\"a {b ?? \"c\"} d\""),
                (Kind::Comment, "# e"),
                (Kind::Word, "x"),
                (Kind::Sign, "=="),
                (Kind::Text(false), "\"IT"),
            ]
        );
        let source = "2026-11-27 09:00 3-1 50% 1.5";
        let found: Vec<_> = lex(source).iter().map(|l| l.text(source)).collect();
        assert_eq!(found, ["2026-11-27", "09:00", "3", "-", "1", "50%", "1.5"]);
    }
}
