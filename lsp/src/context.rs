//! Where in a half-typed text somebody stands: the open brackets, and the words of the statement so far.

use crate::lex::{is_word, lex, Kind, Lexeme};

/// The place of a cursor.
#[derive(Debug)]
pub struct Cursor<'s> {
    source: &'s str,
    /// All pieces before the word at the cursor.
    before: Vec<Lexeme>,
    /// For each open bracket, from the outside in: the number of its piece.
    open: Vec<usize>,
    /// Where the word at the cursor begins.
    pub start: usize,
    /// In a text: the characters between its quote and the cursor.
    pub in_text: Option<&'s str>,
    /// In a comment there is nothing to say.
    pub in_comment: bool,
}

impl<'s> Cursor<'s> {
    /// Looks at everything before a place.
    #[must_use]
    pub fn new(source: &'s str, at: usize) -> Self {
        let head = source.get(..at).unwrap_or(source);
        let mut start = head.len() - head.chars().rev().take_while(|c| is_word(*c)).map(char::len_utf8).sum::<usize>();
        let mut before = lex(head);
        let mut in_text = None;
        let mut in_comment = false;
        match before.last() {
            Some(last) if last.kind == Kind::Text(false) && last.range.end == at => {
                let quote = last.range.start;
                // In a hole of the text, it goes on as anywhere else.
                match open_hole(head.get(quote..).unwrap_or("")) {
                    Some(hole) => {
                        before.pop();
                        let inner = quote + hole + 1;
                        let shift = |l: Lexeme| Lexeme { range: l.range.start + inner..l.range.end + inner, ..l };
                        before.extend(lex(head.get(inner..).unwrap_or("")).into_iter().map(shift));
                    }
                    None => {
                        in_text = head.get(quote + 1..);
                        start = quote + 1;
                        before.pop();
                    }
                }
            }
            Some(last) if last.kind == Kind::Comment && !head.get(last.range.start..).unwrap_or("").contains('\n') => {
                in_comment = true;
            }
            _ => {}
        }
        before.retain(|piece| piece.range.start < start && piece.kind != Kind::Comment);
        let mut open = Vec::new();
        for (number, piece) in before.iter().enumerate() {
            match piece.text(source) {
                "{" | "(" | "[" => open.push(number),
                "}" | ")" | "]" => {
                    open.pop();
                }
                _ => {}
            }
        }
        Self { source, before, open, start, in_text, in_comment }
    }

    /// The piece so many places before the cursor; 0 is the last.
    #[must_use]
    pub fn back(&self, places: usize) -> &'s str {
        let at = self.before.len().checked_sub(places + 1);
        at.and_then(|at| self.before.get(at)).map_or("", |piece| piece.text(self.source))
    }

    /// The kind of the last piece.
    #[must_use]
    pub fn last_kind(&self) -> Option<Kind> {
        self.before.last().map(|piece| piece.kind)
    }

    /// The texts of all pieces before the cursor.
    #[must_use]
    pub fn words(&self) -> Vec<&'s str> {
        self.before.iter().map(|piece| piece.text(self.source)).collect()
    }

    /// The innermost open bracket: its sign, and the words before it, the nearest first.
    #[must_use]
    pub fn bracket(&self) -> Option<(&'s str, Vec<&'s str>)> {
        self.open.last().map(|at| self.bracket_at(*at))
    }

    fn bracket_at(&self, at: usize) -> (&'s str, Vec<&'s str>) {
        let sign = self.before.get(at).map_or("", |piece| piece.text(self.source));
        let before = self.before.get(..at).unwrap_or(&[]).iter().rev().take(12);
        (sign, before.map(|piece| piece.text(self.source)).collect())
    }

    /// The words with which the item at the cursor begins; empty at the top of the file.
    #[must_use]
    pub fn item(&self) -> Vec<&'s str> {
        let brace =
            self.open.iter().find(|at| self.before.get(**at).is_some_and(|piece| piece.text(self.source) == "{"));
        let Some(brace) = brace.copied() else { return Vec::new() };
        // Back to where the item before ended.
        let mut words: Vec<&str> = Vec::new();
        for piece in self.before.get(..brace).unwrap_or(&[]).iter().rev() {
            let text = piece.text(self.source);
            words.push(text);
            if matches!(text, "journey" | "event" | "user" | "type" | "api" | "policy" | "test") || text == "}" {
                break;
            }
        }
        words.reverse();
        words
    }

    /// How many braces are open.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.open.iter().filter(|at| self.before.get(**at).is_some_and(|piece| piece.text(self.source) == "{")).count()
    }

    /// Whether the word at the cursor is the first of its line.
    #[must_use]
    pub fn first_in_line(&self) -> bool {
        let line = self.source.get(..self.start).and_then(|head| head.rsplit('\n').next());
        line.is_none_or(|line| line.trim().is_empty())
    }

    /// The words back to the one that satisfies a condition, the nearest first; none if a brace comes before.
    #[must_use]
    pub fn back_to(&self, wanted: impl Fn(&str) -> bool) -> Option<Vec<&'s str>> {
        let mut words = Vec::new();
        let mut depth = 0;
        for piece in self.before.iter().rev() {
            let text = piece.text(self.source);
            match text {
                ")" | "]" => depth += 1,
                "(" | "[" if depth > 0 => depth -= 1,
                "{" | "}" => return None,
                _ if depth == 0 && wanted(text) => return Some(words),
                _ => {}
            }
            words.push(text);
        }
        None
    }
}

/// The place of the innermost `{` that is open in a text, if one is.
fn open_hole(text: &str) -> Option<usize> {
    let mut open: Vec<usize> = Vec::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '{' => open.push(at),
            '}' => {
                open.pop();
            }
            _ => {}
        }
    }
    open.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(marked: &str) -> (String, usize) {
        let at = marked.find("$0").unwrap();
        (marked.replace("$0", ""), at)
    }

    #[test]
    fn brackets_words_and_texts() {
        let (source, place) = at("journey a { on x wait 2h if user.co$0 }");
        let cursor = Cursor::new(&source, place);
        assert_eq!((cursor.back(0), cursor.back(1), cursor.start), (".", "user", place - 2));
        assert_eq!(cursor.item(), ["journey", "a"]);
        let (source, place) = at("emit x { a: \"I$0T\" }");
        let cursor = Cursor::new(&source, place);
        assert_eq!((cursor.in_text, cursor.back(0)), (Some("I"), ":"));
        let (source, place) = at("sms \"a {user.$0");
        let cursor = Cursor::new(&source, place);
        assert_eq!((cursor.in_text, cursor.back(0), cursor.back(1)), (None, ".", "user"));
        let (source, place) = at("a # b$0");
        assert!(Cursor::new(&source, place).in_comment);
    }
}
