//! A first look at the text, before the grammar sees it.
//!
//! It does three things that a grammar does badly. It counts nesting, so that no input can make the
//! parser's stack overflow. It closes what a line left open (a text, a hole in a text), so that the
//! mistake stays on its line. And it answers signs from other languages (`;`, `'…'`, curly quotes,
//! `//`). The text that it hands on has the same length, so every offset stays true.

use crate::codes;
use crate::error::SyntaxError;
use crate::lower::is_blank;
use crate::span::{FileId, Span};

/// How deep brackets, blocks, holes in texts and chains of `then if` may nest.
pub const MAX_NESTING: usize = 64;
/// How long a file may be, in bytes.
pub const MAX_SOURCE_BYTES: usize = 4 * 1024 * 1024;

/// How many holes of a line are looked at again because they are not closed. Each costs a walk to
/// the end of the line, so a long line of them must not go on for ever.
const MAX_OPEN_HOLES: usize = 16;

/// Stands in a text for what is left of a curly quote, and for no character.
pub(crate) const FILLER: u8 = 0x7F;

/// What the first look found.
pub(crate) struct Scan {
    /// The text for the grammar, as long as the source.
    pub text: String,
    /// What was reported, and repaired in `text`.
    pub errors: Vec<SyntaxError>,
    /// Where comments stand, in order.
    pub comments: Vec<(u32, u32)>,
    /// What was taken out because it was nested too deeply, in order.
    pub blanked: Vec<(u32, u32)>,
}

/// Looks through a file.
pub(crate) fn scan(file: FileId, source: &str) -> Scan {
    let mut scanner = Scanner {
        file,
        source,
        text: Vec::new(),
        errors: Vec::new(),
        comments: Vec::new(),
        blanked: Vec::new(),
        open: Vec::new(),
        chain: 0,
        depth: 0,
        blank: None,
        before: Before::Other,
        tries: MAX_OPEN_HOLES,
    };
    if source.len() > MAX_SOURCE_BYTES {
        let error = SyntaxError::new(codes::TOO_LONG, Span::new(file, 0, 0), "this file is too long").help(format!(
            "a file has at most {} MiB; divide it: all files of a project are one",
            MAX_SOURCE_BYTES >> 20
        ));
        scanner.errors.push(error);
    } else {
        scanner.text = source.as_bytes().to_vec();
        scanner.run();
    }
    let text = String::from_utf8(scanner.text).unwrap_or_default();
    Scan { text, errors: scanner.errors, comments: scanner.comments, blanked: scanner.blanked }
}

/// The token before, as far as it matters for chains.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Then,
    Else,
    Other,
}

/// A bracket that is open.
struct Open {
    bracket: char,
    /// Chains of `then if` around it, to go on with when it closes.
    chain: usize,
}

/// A part that is taken out: from where on, and until how many brackets are open.
struct Blank {
    from: usize,
    open: usize,
}

struct Scanner<'s> {
    file: FileId,
    source: &'s str,
    text: Vec<u8>,
    errors: Vec<SyntaxError>,
    comments: Vec<(u32, u32)>,
    blanked: Vec<(u32, u32)>,
    open: Vec<Open>,
    chain: usize,
    depth: usize,
    blank: Option<Blank>,
    before: Before,
    /// How many more holes on this line may turn out not to be closed.
    tries: usize,
}

impl<'s> Scanner<'s> {
    fn run(&mut self) {
        let mut at = 0;
        let mut line_start = true;
        while let Some(c) = self.char_at(at) {
            let begins_line = line_start;
            if c == '\n' {
                self.tries = MAX_OPEN_HOLES;
            }
            line_start = c == '\n' || (line_start && is_blank(c));
            at = match c {
                _ if is_blank(c) => at + c.len_utf8(),
                '#' => self.comment(at),
                '/' if self.rest(at).starts_with("//") => {
                    let span = self.span(at, at + 2);
                    let error = SyntaxError::new(codes::COMMENT_SPELLING, span, "a comment begins with `#`");
                    self.report(error.fix(span, "#"));
                    self.comment(at)
                }
                '/' if begins_line && self.rest(at).starts_with("/*") => self.foreign_comment(at, "/*", "*/"),
                '<' if begins_line && self.rest(at).starts_with("<!--") => self.foreign_comment(at, "<!--", "-->"),
                '-' if begins_line && self.rest(at).starts_with("-- ") => self.line_comment(at),
                '"' => self.text_from(at, at + 1),
                '\'' | '‘' | '’' | '“' | '”' | '„' | '«' => self.other_quotes(at, c),
                ';' => {
                    let span = self.span(at, at + 1);
                    let error = SyntaxError::new(codes::SEMICOLON, span, "nothing ends with a semicolon");
                    self.report(error.fix(span, ""));
                    self.put(at, b' ');
                    at + 1
                }
                '{' | '(' | '[' => {
                    self.opens(at, c);
                    at + 1
                }
                '}' | ')' | ']' => {
                    self.closes(at, c);
                    at + 1
                }
                _ if c == '_' || unicode_ident::is_xid_start(c) => self.word(at, begins_line),
                '-' | '=' if self.rest(at + 1).starts_with('>') => {
                    self.before = Before::Then;
                    at + 2
                }
                ':' => {
                    self.before = Before::Then;
                    at + 1
                }
                _ => {
                    self.before = Before::Other;
                    at + c.len_utf8()
                }
            };
        }
        let end = self.source.len();
        self.end_blank(end);
    }

    fn rest(&self, at: usize) -> &'s str {
        self.source.get(at..).unwrap_or("")
    }

    fn char_at(&self, at: usize) -> Option<char> {
        self.rest(at).chars().next()
    }

    /// The text from `at` to the end of its line.
    fn line(&self, at: usize) -> &'s str {
        let rest = self.rest(at);
        rest.split(['\n', '\r']).next().unwrap_or(rest)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, offset(start), offset(end))
    }

    /// Reports, unless the place is being taken out.
    fn report(&mut self, error: SyntaxError) {
        if self.blank.is_none() {
            self.errors.push(error);
        }
    }

    /// Replaces one byte of the text; the callers replace whole characters.
    fn put(&mut self, at: usize, byte: u8) {
        if let Some(place) = self.text.get_mut(at) {
            *place = byte;
        }
    }

    /// Replaces a part of the text by blanks; line ends stay.
    fn wipe(&mut self, from: usize, to: usize) {
        for byte in self.text.get_mut(from..to).unwrap_or_default() {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }

    fn comment(&mut self, at: usize) -> usize {
        let end = at + self.rest(at).find('\n').unwrap_or(self.rest(at).len());
        self.comments.push((offset(at), offset(end)));
        end
    }

    /// `-- why`
    fn line_comment(&mut self, at: usize) -> usize {
        let end = at + self.line(at).len();
        let span = self.span(at, at + 2);
        self.report(SyntaxError::new(codes::COMMENT_SPELLING, span, "a comment begins with `#`").fix(span, "#"));
        self.wipe(at, end);
        end
    }

    /// `/* why */`, also over several lines.
    fn foreign_comment(&mut self, at: usize, open: &str, close: &str) -> usize {
        let rest = self.rest(at);
        let Some(length) = rest.find(close).map(|end| end + close.len()) else { return at + 1 };
        let end = at + length;
        let span = self.span(at, end);
        let error = SyntaxError::new(codes::COMMENT_SPELLING, span, "a comment begins with `#`, on each of its lines");
        let inner = rest.get(open.len()..length - close.len()).unwrap_or("");
        let lines: Vec<&str> = inner.lines().map(|line| line.trim().trim_matches('*').trim()).collect();
        let lines = lines.into_iter().filter(|line| !line.is_empty()).map(|line| format!("# {line}"));
        let indent = self.source.get(..at).and_then(|t| t.rsplit('\n').next()).unwrap_or("");
        let right = lines.collect::<Vec<_>>().join(&format!("\n{indent}"));
        // What stands behind it on its last line would become part of it.
        let alone = self.line(end).trim().is_empty() && !right.is_empty();
        self.report(if alone { error.fix(span, right) } else { error });
        self.wipe(at, end);
        end
    }

    // ── Nesting ───────────────────────────────────────────────────────────────────────────────

    fn opens(&mut self, at: usize, bracket: char) {
        self.open.push(Open { bracket, chain: self.chain });
        self.chain = 0;
        self.depth += 1;
        self.before = Before::Other;
        if self.depth > MAX_NESTING && self.blank.is_none() {
            self.too_deep(at, at + 1, self.open.len());
        }
    }

    fn too_deep(&mut self, at: usize, from: usize, open: usize) {
        let span = self.span(at, at + self.char_at(at).map_or(0, char::len_utf8));
        self.report(
            SyntaxError::new(codes::TOO_DEEP, span, "this is nested too deeply").help(format!(
                "blocks, brackets and `then if` may nest {MAX_NESTING} levels deep; use a journey of its own and `start`, or a `segment`"
            )),
        );
        self.blank = Some(Blank { from, open });
    }

    fn closes(&mut self, at: usize, bracket: char) {
        let opening = match bracket {
            '}' => '{',
            ')' => '(',
            _ => '[',
        };
        self.before = Before::Other;
        // A `}` also ends the brackets inside; a `)` or `]` never ends a block.
        let found = self
            .open
            .iter()
            .rev()
            .take_while(|open| opening == '{' || open.bracket != '{')
            .position(|open| open.bracket == opening);
        let Some(inner) = found else { return };
        for _ in 0..=inner {
            if self.blank.as_ref().is_some_and(|blank| self.open.len() <= blank.open) {
                self.end_blank(at);
            }
            if let Some(open) = self.open.pop() {
                self.depth = self.depth.saturating_sub(1 + self.chain);
                self.chain = open.chain;
            }
        }
    }

    fn end_blank(&mut self, at: usize) {
        if let Some(blank) = self.blank.take() {
            self.wipe(blank.from, at);
            self.blanked.push((offset(blank.from), offset(at)));
        }
    }

    fn word(&mut self, at: usize, begins_line: bool) -> usize {
        let rest = self.rest(at);
        let len = rest.find(|c| !unicode_ident::is_xid_continue(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(len);
        if begins_line && is_item_head(word, after) && !self.open.is_empty() {
            // An item where a body is open: the body was not closed, and ends here.
            self.end_blank(at);
            self.open.clear();
            self.chain = 0;
            self.depth = 0;
        }
        match word {
            "if" | "wait" | "fetch" => self.link(at, word),
            _ => {}
        }
        self.before = match word {
            "then" => Before::Then,
            "else" => Before::Else,
            _ => Before::Other,
        };
        at + len
    }

    /// A step that may hold another one without a bracket: `then if`, `else wait`. An `else if`
    /// does not nest for the grammar.
    fn link(&mut self, at: usize, word: &str) {
        match self.before {
            Before::Other => {
                self.depth = self.depth.saturating_sub(self.chain);
                self.chain = 0;
            }
            Before::Else if word == "if" => {}
            _ => {
                self.chain += 1;
                self.depth += 1;
                if self.depth > MAX_NESTING && self.blank.is_none() {
                    self.too_deep(at, at, self.open.len());
                }
            }
        }
    }

    // ── Texts ─────────────────────────────────────────────────────────────────────────────────

    /// A text whose opening quote stands at `at`; its characters begin at `inner`.
    fn text_from(&mut self, at: usize, inner: usize) -> usize {
        self.before = Before::Other;
        let literal = if self.tries > 0 { usize::MAX } else { 0 };
        let error = match self.text_end(inner, literal) {
            Ok(end) if literal > 0 || !self.source.get(inner..end).is_some_and(|t| t.contains('{')) => {
                self.quotes_in_holes(inner, end);
                return end;
            }
            // This line has had its share of holes that are not closed.
            Ok(_) => TextError::Open,
            Err(error) => error,
        };
        let line_end = at + self.line(at).len();
        match error {
            TextError::TooDeep(hole) => {
                let span = self.span(hole, hole + 1);
                self.report(
                    SyntaxError::new(codes::TOO_DEEP, span, "the holes of this text are nested too deeply")
                        .help(format!("at most {MAX_NESTING} levels, counting the blocks around it")),
                );
                self.close_text(at, line_end);
                line_end
            }
            TextError::Hole(hole) => self.open_hole(at, inner, hole, line_end),
            TextError::Open => self.unterminated(at, inner, line_end),
        }
    }

    /// Where the text that begins at `at` ends, its quote included. From `literal` on, braces are
    /// characters.
    fn text_end(&self, at: usize, literal: usize) -> Result<usize, TextError> {
        let line = self.rest(at);
        // The holes and the texts in them that are open, with their places.
        let mut inside: Vec<(bool, usize)> = Vec::new();
        let mut chars = line.char_indices();
        while let Some((i, c)) = chars.next() {
            let place = at + i;
            let in_hole = inside.last().is_some_and(|(hole, _)| *hole);
            match c {
                '\n' | '\r' => break,
                '\\' if !in_hole => {
                    let after = line.get(i + 1..).unwrap_or("");
                    // `\u{…}` has braces of its own.
                    let skip = after.strip_prefix("u{").map_or(0, |t| {
                        let digits = t.len() - t.trim_start_matches(|c: char| c.is_ascii_hexdigit()).len();
                        if t.get(digits..).is_some_and(|t| t.starts_with('}')) {
                            digits + 3
                        } else {
                            0
                        }
                    });
                    let skip = if skip == 0 && !after.starts_with(['\n', '\r']) { 1 } else { skip };
                    for _ in 0..skip {
                        chars.next();
                    }
                }
                '"' if in_hole => inside.push((false, place)),
                '"' if inside.is_empty() => return Ok(place + 1),
                '"' => drop(inside.pop()),
                '{' if place < literal => {
                    inside.push((true, place));
                    if self.depth + inside.len() > MAX_NESTING {
                        return Err(TextError::TooDeep(place));
                    }
                }
                '}' if in_hole => {
                    inside.pop();
                }
                _ => {}
            }
        }
        Err(inside.first().map_or(TextError::Open, |(_, hole)| TextError::Hole(*hole)))
    }

    /// A hole that is not closed on its line: is it a `}` that is missing, or a brace that was
    /// meant as a character?
    fn open_hole(&mut self, at: usize, inner: usize, hole: usize, line_end: usize) -> usize {
        let end = match self.text_end(inner, hole) {
            Ok(end) if self.quotes_pair_up(end, line_end) => end,
            // The quotes behind it belong to texts inside the hole.
            Ok(_) => line_end,
            Err(_) => return self.unterminated(at, inner, line_end),
        };
        self.tries = self.tries.saturating_sub(1);
        let span = self.span(hole, hole + 1);
        self.report(
            SyntaxError::new(codes::UNCLOSED_HOLE, span, "this `{` is not closed in its text")
                .help("close it with `}` before the quote, or write `\\{` for a brace"),
        );
        if end == line_end && !self.source.get(..end).is_some_and(|t| t.ends_with('"')) {
            self.close_text(at, end);
        } else {
            self.wipe_special(hole, end.saturating_sub(1));
        }
        end
    }

    /// `"Hi {name ?? 'you'}"`: a text in a hole with other quotes.
    fn quotes_in_holes(&mut self, from: usize, to: usize) {
        let mut depth = 0_usize;
        let mut at = from;
        while at < to {
            let Some(c) = self.char_at(at) else { return };
            let next = at + c.len_utf8();
            at = match c {
                '{' => {
                    depth += 1;
                    next
                }
                '}' => {
                    depth = depth.saturating_sub(1);
                    next
                }
                '\\' if depth == 0 => next + self.char_at(next).map_or(0, char::len_utf8),
                '\'' | '‘' | '’' | '“' | '”' if depth > 0 => self.text_in_hole(at, next, to),
                _ => next,
            };
        }
    }

    fn text_in_hole(&mut self, at: usize, inner: usize, to: usize) -> usize {
        let rest = self.source.get(inner..to).unwrap_or("");
        let Some(stop) = rest.find(['\'', '‘', '’', '“', '”', '"', '{', '}', '\\']) else { return inner };
        let close = inner + stop;
        let Some(quote) = self.char_at(close).filter(|c| !matches!(c, '"' | '{' | '}' | '\\')) else { return inner };
        let end = close + quote.len_utf8();
        let span = self.span(at, end);
        let fixed = format!("\"{}\"", rest.get(..stop).unwrap_or(""));
        self.report(SyntaxError::new(codes::QUOTES, span, "texts stand between `\"` and `\"`").fix(span, fixed));
        // Both straight quotes take the last byte: whoever stops behind one stops between characters of the source.
        self.wipe(at, inner);
        self.put(inner - 1, b'"');
        self.quote(close, end, false);
        end
    }

    /// Whether the quotes in a part of a line come in pairs.
    fn quotes_pair_up(&self, from: usize, to: usize) -> bool {
        self.source.get(from..to).unwrap_or("").matches('"').count() % 2 == 0
    }

    /// A text that its line does not end.
    fn unterminated(&mut self, at: usize, inner: usize, line_end: usize) -> usize {
        // Perhaps it is closed by a curly quote.
        if let Some(close) = self.source.get(inner..line_end).and_then(|t| t.find(['”', '“'])) {
            let close = inner + close;
            let end = close + self.char_at(close).map_or(0, char::len_utf8);
            let span = self.span(close, end);
            self.report(SyntaxError::new(codes::QUOTES, span, "texts end with `\"`").fix(span, "\""));
            self.wipe_special(inner, close);
            self.quote(close, end, false);
            return end;
        }
        let mut end = at + self.line(at).trim_end().len();
        // `{ email "hello }`: the braces that this line opened are its own.
        let line_start = self.source.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1);
        let before = self.source.get(line_start..at).unwrap_or("");
        let mut own = before.matches('{').count().saturating_sub(before.matches('}').count());
        while own > 0 && self.source.get(inner..end).is_some_and(|t| t.ends_with('}')) {
            own -= 1;
            end -= 1;
            end = inner + self.source.get(inner..end).unwrap_or("").trim_end().len();
        }
        let span = self.span(at, end.min(line_end));
        self.report(
            SyntaxError::new(codes::UNCLOSED_TEXT, span, "this text does not end on its line")
                .help("close it with `\"`; a line end in a text is written `\\n`")
                .fix(self.span(end, end), "\""),
        );
        self.close_text(at, end);
        end
    }

    /// Makes an empty text of a part that was none.
    fn close_text(&mut self, at: usize, end: usize) {
        self.wipe(at, end);
        if end > at + 1 {
            self.put(at, b'"');
            self.put(end - 1, b'"');
        } else {
            // No room for two quotes: a name stands in.
            self.put(at, b'_');
        }
    }

    /// Puts a straight quote in place of a longer one, with [`FILLER`] on the side of the text.
    fn quote(&mut self, from: usize, to: usize, opening: bool) {
        for at in from..to {
            let outer = if opening { from } else { to - 1 };
            self.put(at, if at == outer { b'"' } else { FILLER });
        }
    }

    /// Takes out what has a meaning in texts.
    fn wipe_special(&mut self, from: usize, to: usize) {
        for byte in self.text.get_mut(from..to).unwrap_or_default() {
            if matches!(*byte, b'{' | b'}' | b'"' | b'\\') {
                *byte = b' ';
            }
        }
    }

    /// `'text'`, `“text”`
    fn other_quotes(&mut self, at: usize, quote: char) -> usize {
        self.before = Before::Other;
        let inner = at + quote.len_utf8();
        let closing: &[char] = match quote {
            '\'' | '‘' | '’' => &['\'', '’', '‘'],
            '«' => &['»'],
            _ => &['”', '“', '"'],
        };
        let rest = self.rest(inner);
        let stop = rest.find(|c| c == '\n' || closing.contains(&c)).unwrap_or(rest.len());
        let close = inner + stop;
        if !self.char_at(close).is_some_and(|c| closing.contains(&c)) {
            if matches!(quote, '“' | '”' | '„' | '«') {
                self.wipe(at, inner);
                self.put(at, b'"');
                return self.unterminated(at, inner, close);
            }
            return inner;
        }
        let end = close + self.char_at(close).map_or(0, char::len_utf8);
        let content = self.source.get(inner..close).unwrap_or("");
        let span = self.span(at, end);
        let fixed = format!("\"{}\"", content.replace('"', "\\\""));
        self.report(SyntaxError::new(codes::QUOTES, span, "texts stand between `\"` and `\"`").fix(span, fixed));
        self.quote(at, inner, true);
        self.quote(close, end, false);
        // Only holes that are whole may stay in it.
        let depth = content.chars().try_fold(0_i32, |depth, c| match c {
            '{' => Some(depth + 1),
            '}' => (depth > 0).then_some(depth - 1),
            '"' | '\\' => None,
            _ => Some(depth),
        });
        if depth != Some(0) || content.matches('{').count() + self.depth > MAX_NESTING {
            self.wipe_special(inner, close);
        }
        end
    }
}

/// Why a text has no end.
enum TextError {
    /// No quote.
    Open,
    /// A hole is not closed.
    Hole(usize),
    /// Too many holes in holes.
    TooDeep(usize),
}

/// Whether a word at the start of a line can only begin an item.
fn is_item_head(word: &str, after: &str) -> bool {
    let after = after.trim_start_matches([' ', '\t']);
    match word {
        "journey" | "event" | "segment" | "fence" | "api" | "type" => {
            after.starts_with(|c| c == '_' || unicode_ident::is_xid_start(c))
        }
        "test" => after.starts_with('"'),
        "policy" => after.starts_with('{'),
        _ => false,
    }
}

/// Sources are capped far below 4 GiB.
fn offset(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
