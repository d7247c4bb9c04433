//! Puts tokens on lines. Every token is put exactly once and in order, so that no comment is lost.

use super::marks::{token_at, Marks};
use super::tokens::Token;
use crate::span::Span;

/// How wide a line may be.
const WIDTH: usize = 100;
/// How wide a line of a test may be: it is data.
const TEST_WIDTH: usize = 120;

/// A place where a line that is too long may be broken.
#[derive(Clone, Copy)]
pub(super) struct Point {
    /// The token before which the break is.
    pub at: usize,
    /// Lower is broken first.
    pub level: usize,
    pub kind: Break,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Break {
    /// The line goes on, further in.
    Further,
    /// A thing in brackets.
    Inside,
    /// The end of the brackets; the flag: a comma stands behind the last thing.
    Close(bool),
}

pub(super) struct Printer<'t> {
    pub tokens: &'t [Token],
    pub marks: Marks,
    pub out: String,
    /// Columns taken in the line so far.
    column: usize,
    /// Where the line begins.
    pub indent: usize,
    at_start: bool,
    /// A comment ends the line.
    must_break: bool,
    widest: usize,
    /// At the first token of a thing: the author's empty lines between the comments above it stay.
    fresh: bool,
}

impl<'t> Printer<'t> {
    pub fn new(tokens: &'t [Token], marks: Marks) -> Self {
        Self {
            tokens,
            marks,
            out: String::new(),
            column: 0,
            indent: 0,
            at_start: true,
            must_break: false,
            widest: WIDTH,
            fresh: false,
        }
    }

    /// Whether the lines that follow belong to a test.
    pub fn in_test(&mut self, yes: bool) {
        self.widest = if yes { TEST_WIDTH } else { WIDTH };
    }

    pub fn at(&self, place: u32) -> usize {
        token_at(self.tokens, place)
    }

    /// The tokens of a span, from the first to behind the last.
    pub fn range(&self, span: Span) -> (usize, usize) {
        (self.at(span.start), self.at(span.end))
    }

    pub fn is(&self, at: usize, text: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.text == text)
    }

    /// The first `{` from a token on.
    pub fn brace(&self, from: usize, to: usize) -> Option<usize> {
        (from..to).find(|at| self.is(*at, "{"))
    }

    fn raw(&mut self, text: &str) {
        if self.at_start {
            self.out.extend(std::iter::repeat_n(' ', self.indent));
            self.column = self.indent;
            self.at_start = false;
        }
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    pub fn newline(&mut self, indent: usize) {
        if !self.at_start {
            self.out.push('\n');
        }
        self.at_start = true;
        self.must_break = false;
        self.indent = indent;
        self.column = indent;
    }

    fn blank_line(&mut self) {
        if self.at_start && !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A new line for the thing that begins with a token, below an empty one if the author left one.
    pub fn line_for(&mut self, at: usize, indent: usize, first: bool) {
        self.newline(indent);
        self.fresh = true;
        let Some(token) = self.tokens.get(at) else { return };
        let blank = token.above.first().map_or(token.blank_before, |comment| comment.blank_before);
        if blank && !first {
            self.blank_line();
        }
    }

    /// An empty line, unless the output ends with one.
    pub fn force_blank(&mut self) {
        self.blank_line();
    }

    fn gap(&self, at: usize) -> &'static str {
        let text = |at: usize| self.tokens.get(at).map_or("", |token| token.text.as_str());
        // The comma that is not written leaves no gap either.
        let before = (0..at).rev().find(|at| !self.marks.dropped.contains(at)).map_or("", text);
        if self.marks.wide.contains(&at) {
            return "  ";
        }
        if self.marks.tight.contains(&at) {
            return "";
        }
        match (before, text(at)) {
            (_, ")" | "]" | "," | "." | ":" | "?") | ("(" | "[" | ".", _) | ("{", "}") => "",
            _ => " ",
        }
    }

    /// Puts one token. A line that a comment ends goes on at `further`.
    pub fn put(&mut self, at: usize, further: usize) {
        let tokens = self.tokens;
        let Some(token) = tokens.get(at) else { return };
        // A comma that is not written has no comments: they have moved to its neighbours.
        if self.marks.dropped.contains(&at) {
            return;
        }
        if self.must_break {
            self.newline(further);
        }
        self.comments_above(token, further);
        if !self.at_start {
            self.raw(self.gap(at));
        }
        self.word(token, at);
    }

    /// The token itself, its comma and the comment behind it.
    fn word(&mut self, token: &Token, at: usize) {
        self.raw(&token.text);
        if self.marks.comma.contains(&at) {
            self.raw(",");
        }
        if let Some(comment) = &token.behind {
            self.raw("  ");
            self.raw(comment);
            self.must_break = true;
        }
    }

    fn comments_above(&mut self, token: &Token, further: usize) {
        let fresh = std::mem::take(&mut self.fresh);
        if token.above.is_empty() {
            return;
        }
        let indent = if self.at_start { self.indent } else { further };
        for (number, comment) in token.above.iter().enumerate() {
            self.newline(indent);
            if fresh && number > 0 && comment.blank_before {
                self.blank_line();
            }
            self.raw(&comment.text);
        }
        self.newline(indent);
        if fresh && token.blank_before {
            self.blank_line();
        }
    }

    pub fn put_all(&mut self, from: usize, to: usize, further: usize) {
        for at in from..to {
            self.put(at, further);
        }
    }

    /// The closing brace, with the comments above it further in.
    pub fn put_close(&mut self, at: usize, indent: usize, empty: bool) {
        let tokens = self.tokens;
        if let Some(token) = tokens.get(at).filter(|token| !token.above.is_empty()) {
            self.line_for(at, indent + 2, empty);
            for (number, comment) in token.above.iter().enumerate() {
                self.newline(indent + 2);
                if number > 0 && comment.blank_before {
                    self.blank_line();
                }
                self.raw(&comment.text);
            }
        }
        self.newline(indent);
        self.fresh = false;
        let Some(token) = tokens.get(at) else { return };
        self.word(token, at);
    }

    /// How wide some tokens are on one line; none when they cannot stand on one.
    pub fn width(&self, from: usize, to: usize) -> Option<usize> {
        let mut width = 0;
        let to = (from..to).rev().find(|at| !self.marks.dropped.contains(at)).map_or(to, |last| last + 1);
        for at in from..to {
            let token = self.tokens.get(at)?;
            let last = at + 1 == to;
            if (at > from && !token.above.is_empty()) || (!last && token.behind.is_some()) {
                return None;
            }
            // Behind the last token, the line may be broken anyway.
            if !last && self.marks.open.contains(&at) {
                return None;
            }
            if self.marks.dropped.contains(&at) {
                continue;
            }
            if at > from {
                width += self.gap(at).len();
            }
            width += token.text.chars().count() + usize::from(self.marks.comma.contains(&at));
        }
        Some(width)
    }

    /// Whether some tokens fit behind what stands in the line.
    pub fn fits(&self, from: usize, to: usize) -> bool {
        if self.must_break {
            return false;
        }
        // Comments above begin lines of their own anyway, unless something stands in this line.
        if !self.at_start && self.tokens.get(from).is_some_and(|token| !token.above.is_empty()) {
            return false;
        }
        let used = if self.at_start { self.indent } else { self.column + self.gap(from).len() };
        self.width(from, to).is_some_and(|width| used + width <= self.widest)
    }

    /// Whether some tokens fit on a line of their own.
    pub fn fits_at(&self, indent: usize, from: usize, to: usize) -> bool {
        let comments = self.tokens.get(from).is_some_and(|token| !token.above.is_empty());
        !comments && self.width(from, to).is_some_and(|width| indent + width <= self.widest)
    }

    /// Puts some tokens on one line or, if they do not fit, breaks them at the outermost points.
    pub fn layout(&mut self, (from, to): (usize, usize), indent: usize, further: usize, points: &[Point]) {
        if self.fits(from, to) {
            return self.put_all(from, to, further);
        }
        let inside = |point: &&Point| from < point.at && point.at < to;
        let Some(level) = points.iter().filter(inside).map(|point| point.level).min() else {
            return self.put_all(from, to, further);
        };
        let mut cuts: Vec<Point> = points.iter().filter(inside).filter(|point| point.level == level).copied().collect();
        cuts.sort_by_key(|point| point.at);
        for cut in &cuts {
            if cut.kind == Break::Close(true) {
                let last = (from..cut.at).rev().find(|at| !self.marks.dropped.contains(at));
                self.marks.comma.extend(last);
            }
        }
        let first_end = cuts.first().map_or(to, |cut| cut.at);
        self.layout((from, first_end), indent, further + 2, points);
        for (number, cut) in cuts.iter().enumerate() {
            let end = cuts.get(number + 1).map_or(to, |next| next.at);
            match cut.kind {
                Break::Further => {
                    self.newline(further);
                    self.layout((cut.at, end), further, further + 2, points);
                }
                Break::Inside => {
                    self.newline(indent + 2);
                    self.layout((cut.at, end), indent + 2, indent + 4, points);
                }
                Break::Close(_) => {
                    self.put_close(cut.at, indent, true);
                    self.layout((cut.at + 1, end), indent, further, points);
                }
            }
        }
    }
}
