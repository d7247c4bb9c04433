//! What is said about text that the grammar could not make sense of.

use crate::codes;
use crate::error::SyntaxError;
use crate::expected::{expected, fits};
use crate::lower::{is_blank, Lower, Node};
use crate::parser::{FlowParser, Rule};
use crate::span::Span;
use pest::Parser;

/// Words with which a step begins.
const STEP_WORDS: &[&str] = &[
    "wait", "if", "match", "split", "together", "repeat", "for", "set", "fetch", "call", "emit", "start", "end",
    "send", "add", "remove",
];
/// Words with which a clause of a journey's header begins.
const CLAUSE_WORDS: &[&str] = &["on", "enter", "exit", "goal", "topic", "holdout", "moved", "ended"];
/// Words with which an item begins.
const ITEM_WORDS: &[&str] =
    &["journey", "event", "user", "type", "channel", "segment", "fence", "api", "policy", "test"];
/// What stands behind a message.
const OPTION_WORDS: &[&str] = &["with", "topic"];
/// What stands in the other bodies.
const LINE_WORDS: &[&str] = &[
    "get", "post", "put", "patch", "delete", "header", "body", "timeout", "quiet", "at", "require", "given", "after",
    "expect", "user", "else",
];

/// The nearest of `known` to a mistyped word, when it is near.
pub(crate) fn did_you_mean<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    // Nobody mistypes a keyword that long.
    if word.len() > 40 {
        return None;
    }
    let lower = word.to_lowercase();
    let allowed = match lower.chars().count() {
        0 | 1 => return None,
        2..=5 => 1,
        6..=8 => 2,
        _ => 3,
    };
    known
        .iter()
        .map(|k| (strsim::osa_distance(&lower, k), *k))
        .filter(|(distance, k)| *distance <= allowed && *distance < k.len() && word != *k)
        .min()
        .map(|(_, k)| k)
}

/// A word that begins an item is hardly meant among steps, unless one letter is wrong.
fn is_slip(word: &str, near: &str) -> bool {
    !ITEM_WORDS.contains(&near) || strsim::osa_distance(&word.to_lowercase(), near) == 1
}

impl Lower<'_> {
    /// The word, number, text or sign at a place, for messages.
    pub fn token_at(&self, at: usize) -> &str {
        let rest = self.text.get(at..).unwrap_or("");
        let Some(first) = rest.chars().next() else { return "" };
        let end = if first == '"' {
            rest.char_indices()
                .skip(1)
                .find(|(_, c)| matches!(c, '"' | '\n'))
                .map_or(rest.len(), |(i, c)| i + c.len_utf8())
        } else if unicode_ident::is_xid_continue(first) {
            rest.find(|c| !unicode_ident::is_xid_continue(c)).unwrap_or(rest.len())
        } else {
            ["->", "=>", "==", "!=", "<=", ">=", "??", "&&", "||", "+=", "-=", "<>"]
                .iter()
                .find(|sign| rest.starts_with(**sign))
                .map_or(first.len_utf8(), |sign| sign.len())
        };
        rest.get(..end).unwrap_or("").trim_end_matches(is_blank)
    }

    /// [`Self::token_at`], short enough for a message.
    pub fn shown_at(&self, at: usize) -> String {
        let token = self.token_at(at);
        match token.char_indices().nth(40) {
            Some((cut, _)) => format!("{}…", token.get(..cut).unwrap_or("")),
            None => token.to_owned(),
        }
    }

    /// The span of [`Self::token_at`].
    pub fn token_span(&self, at: usize) -> Span {
        Span::new(self.file, self.offset(at), self.offset(at + self.token_at(at).len()))
    }

    /// Reports a `missing_…` pair, once for each place.
    pub fn missing(&mut self, pair: &Node<'_>, opening: usize) {
        let Some(what) = expected(pair.as_rule()) else { return };
        let at = self.start_of(pair);
        let before = self.end_before(0, at);
        let next = self.start_after(at);
        if self.missing_at.contains(&before) {
            return;
        }
        self.missing_at.insert(before);
        let same_line = !self.text.get(before..next).unwrap_or("").contains('\n');
        if same_line {
            self.reported.insert(next);
        }
        if self.in_blanked(self.offset(before), self.offset(next)) {
            return;
        }
        let token = self.shown_at(next);
        let here = Span::new(self.file, self.offset(before), self.offset(before));
        let found = if same_line && !token.is_empty() { format!(", found `{token}`") } else { String::new() };
        let span = if found.is_empty() { here } else { self.token_span(next) };
        let mut error = SyntaxError::new(codes::EXPECTED, span, format!("expected {}{found}", what.words));
        let rest = if same_line { self.text.get(next..).and_then(|t| t.lines().next()).unwrap_or("") } else { "" };
        let inside = matches!(pair.as_rule(), Rule::missing_then) && !same_line && self.is_further_right(before, next);
        if let Some(insert) = what.insert.filter(|_| inside || fits(pair.as_rule(), rest)) {
            error = error.fix(here, insert);
        } else if !found.is_empty() && is_reserved(&token) && what.words.starts_with("a name") {
            error = error.help(format!("`{token}` is a word of the language, and nothing can be called so"));
        }
        match pair.as_rule() {
            Rule::missing_event if token == "not" => {
                error = error.help(
                    "what happens when it does not come stands behind `else`: `wait for purchased up to 2d else …`",
                );
            }
            Rule::missing_set_op if token == "+" || token == "*" => {
                error = error.help("write `+= 1`, or the whole value: `set user.score = user.score * 2`");
            }
            Rule::missing_days => {
                error = error.help("for a day of the month: `on every day at 09:00`, and `if day(today) == 1 then …`");
            }
            _ => {}
        }
        if matches!(pair.as_rule(), Rule::missing_paren | Rule::missing_bracket) {
            if let Some(open) = self.opening_bracket(opening, before) {
                error = error.label(open, "opened here");
            }
        }
        self.errors.push(error);
    }

    /// Whether the line of a place is indented further than that of a place before it.
    fn is_further_right(&self, before: usize, after: usize) -> bool {
        let indent = |at: usize| {
            let start = self.text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1);
            let line = self.text.get(start..).unwrap_or("");
            line.len() - line.trim_start_matches([' ', '\t']).len()
        };
        !self.token_at(after).is_empty() && self.token_at(after) != "}" && indent(after) > indent(before)
    }

    /// The first bracket of a pair's text.
    fn opening_bracket(&self, start: usize, end: usize) -> Option<Span> {
        let at = start + self.text.get(start..end)?.find(['(', '['])?;
        Some(Span::new(self.file, self.offset(at), self.offset(at + 1)))
    }

    /// Reports text that stands in the way.
    pub fn unexpected(&mut self, pair: &Node<'_>) {
        let span = self.span(pair);
        if self.is_reported(span) {
            return;
        }
        let token = self.shown_at(span.start as usize);
        let span = self.token_span(span.start as usize);
        let error = SyntaxError::new(codes::UNEXPECTED, span, format!("unexpected `{token}`"));
        self.report(match help_for(&token) {
            Some(help) => error.help(help),
            None => error,
        });
    }

    /// Whether an error explains already that nobody understands this place: one at the very
    /// place, or something missing in the statement before it on the line.
    pub fn is_reported(&self, span: Span) -> bool {
        let start = span.start as usize;
        let before = self.end_before(0, start);
        let same_line = !self.text.get(before..start).unwrap_or("").contains('\n');
        self.reported.contains(&start)
            || (same_line && self.broken_ends.contains(&before))
            || self.in_blanked(span.start, span.end)
    }

    /// Reports a `{` that is not closed; of several that end at one place, the outermost. `at` is
    /// where the `}` was missed.
    pub fn unclosed_brace(&mut self, opening: usize, pair: &Node<'_>) {
        let at = self.start_of(pair);
        self.unclosed += 1;
        if self.unclosed_at.contains(&at) {
            return;
        }
        self.unclosed_at.insert(at);
        let before = self.end_before(0, at);
        let guess = self.misaligned(opening, before).unwrap_or(opening);
        let open = Span::new(self.file, self.offset(guess), self.offset(guess + 1));
        let end = self.offset(before);
        if self.in_blanked(end, self.offset(at)) {
            return;
        }
        self.report(
            SyntaxError::new(codes::UNCLOSED_BRACE, open, "this `{` is not closed")
                .help("write the `}` that belongs to it")
                .label(Span::new(self.file, end, end), "a `}` is missing by here"),
        );
    }

    /// Among braces that a `}` too few has shifted, the one whose `}` stands further left than the
    /// line on which it was opened: that `}` was meant for an outer brace.
    fn misaligned(&self, opening: usize, end: usize) -> Option<usize> {
        let line_start = self.text.get(..opening).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1);
        let bytes = self.text.as_bytes();
        // Open braces with the indent of their lines.
        let mut open: Vec<(usize, usize)> = Vec::new();
        let (mut indent, mut leading, mut quoted) = (0, true, false);
        let mut at = line_start;
        while at < end {
            let byte = bytes.get(at).copied().unwrap_or(b'\n');
            if leading && matches!(byte, b' ' | b'\t') {
                indent += 1;
                at += 1;
                continue;
            }
            match byte {
                b'"' => quoted = !quoted,
                b'#' if !quoted => {
                    at = self.text.get(at..).and_then(|t| t.find('\n')).map_or(end, |i| at + i);
                    continue;
                }
                b'\\' if quoted => at += 1,
                b'{' if !quoted && at >= opening => open.push((at, indent)),
                b'}' if !quoted && at >= opening => match open.pop() {
                    Some((brace, opened)) if leading && indent < opened => return Some(brace),
                    _ => {}
                },
                _ => {}
            }
            leading = byte == b'\n';
            if leading {
                (indent, quoted) = (0, false);
            }
            at += 1;
        }
        None
    }

    /// Text between steps that is no step. True: nothing more needs to be said.
    pub fn stray_step(&mut self, pair: &Node<'_>) {
        let span = self.span(pair);
        if self.is_reported(span) {
            return;
        }
        let start = span.start as usize;
        let token = self.shown_at(start);
        let here = self.token_span(start);
        let error = match token.as_str() {
            "else" => SyntaxError::new(codes::STRAY_ELSE, here, "this `else` belongs to no `if` or `wait`")
                .help("`else` stands right behind the one step of its `then`; use `{ }` for more steps"),
            "then" => SyntaxError::new(codes::STRAY_ELSE, here, "this `then` belongs to no `if` or `wait`")
                .help("steps stand one after the other without it"),
            "at" | "after" => SyntaxError::new(codes::UNEXPECTED, here, format!("unexpected `{token}`"))
                .help("when something is sent is said before it: `wait until 09:00`, `wait 2h`"),
            _ if is_reserved(&token) => SyntaxError::new(codes::UNEXPECTED, here, format!("unexpected `{token}`")),
            _ if is_word(&token) => {
                let known: Vec<&str> = STEP_WORDS.iter().chain(CLAUSE_WORDS).chain(ITEM_WORDS).copied().collect();
                let near = did_you_mean(&token, &known).filter(|near| is_slip(&token, near));
                // Behind a message on its line, what can stand behind a message is meant.
                let near = self.behind_something(start).then(|| did_you_mean(&token, OPTION_WORDS)).flatten().or(near);
                if let Some(near) = near.filter(|_| step_meant(&token).is_none()) {
                    SyntaxError::new(codes::UNKNOWN_STEP, here, format!("unknown step `{token}`"))
                        .help(format!("did you mean `{near}`?"))
                        .fix(here, near)
                } else if known.contains(&token.as_str()) || LINE_WORDS.contains(&token.as_str()) {
                    SyntaxError::new(codes::UNEXPECTED, here, format!("unexpected `{token}`"))
                } else if let Some(api) = self.called(start, &token) {
                    SyntaxError::new(codes::UNKNOWN_STEP, here, format!("`{token}(…)` is not a step")).help(format!(
                        "a message reads `{api} welcome`; an api is asked with `call {api}(…)` or `fetch answer = {api}(…)`"
                    ))
                } else if let Some(found) = self.sign_behind(start, &token) {
                    let message =
                        format!("expected the name of a template or a text behind `{token}`, found `{found}`");
                    SyntaxError::new(codes::EXPECTED, here, message)
                        .help(format!("a message reads `{token} welcome` or `{token} \"Hello\"`"))
                } else if let Some(meant) = step_meant(&token) {
                    SyntaxError::new(codes::UNKNOWN_STEP, here, format!("no step begins with `{token}`")).help(meant)
                } else if let Some(third) = self.third_word(start) {
                    let behind = Span::new(self.file, here.start, self.offset(third)).text(self.text);
                    let behind = behind.split_whitespace().collect::<Vec<_>>().join(" ");
                    let third = self.token_span(third);
                    let word = third.text(self.text).to_owned();
                    SyntaxError::new(codes::UNEXPECTED, third, format!("unexpected `{word}` behind `{behind}`")).help(
                        "a message is a channel and a template or a text; then come `to`, `with`, `topic` and `as`",
                    )
                } else if span.len() == token.len() {
                    SyntaxError::new(codes::UNKNOWN_STEP, here, format!("`{token}` alone is not a step"))
                        .help(format!("a message needs a template or a text: `{token} welcome`, `{token} \"Hello\"`"))
                } else {
                    SyntaxError::new(codes::UNKNOWN_STEP, here, format!("unknown step `{token}`")).help(
                        "a step is a message like `email welcome`, or begins with a word like `wait`, `if` or `set`",
                    )
                }
            }
            _ => {
                let error = SyntaxError::new(codes::UNEXPECTED, here, format!("unexpected `{token}`"));
                match self.help_behind(start, &token) {
                    Some(help) => error.help(help),
                    None => error,
                }
            }
        };
        self.report(error);
    }

    /// Whether something stands before a place on its line.
    fn behind_something(&self, start: usize) -> bool {
        let before = self.text.get(..start).and_then(|t| t.rsplit('\n').next()).unwrap_or("");
        !before.trim().is_empty()
    }

    /// What helps with a sign behind a statement.
    fn help_behind(&self, start: usize, token: &str) -> Option<&'static str> {
        let adjacent = self.text.get(..start).is_some_and(|t| t.ends_with(unicode_ident::is_xid_continue));
        match token {
            "+" => Some("a value stands in a text in braces: `\"Hello {user.first_name ?? \"you\"}\"`"),
            "." if adjacent => Some("a template is called by its name alone, without the ending of its file"),
            "-" if adjacent => Some("names have `_` and no `-`"),
            "(" if adjacent => {
                Some("only functions and apis take values in round brackets; elsewhere they stand in `{ key: value }`")
            }
            "|" => Some("several events are divided by commas; conditions are joined by `or`"),
            "(" => Some("values of a message stand in `with { key: value }`"),
            "," => Some("a comma stands between events and between values; steps stand one behind the other"),
            _ => help_for(token),
        }
    }

    /// Where the third of three words that stand in a row on one line begins.
    fn third_word(&self, start: usize) -> Option<usize> {
        let mut at = start;
        for _ in 0..2 {
            let end = at + self.token_at(at).len();
            at = self.start_after(end);
            let blanks = self.text.get(end..at)?;
            if blanks.contains('\n') || !is_word(self.token_at(at)) {
                return None;
            }
        }
        Some(at)
    }

    /// The word, when a `(` stands right behind it.
    fn called<'t>(&self, start: usize, token: &'t str) -> Option<&'t str> {
        self.text.get(start + token.len()..)?.starts_with('(').then_some(token)
    }

    /// A sign behind a word on its line that begins neither a name nor a text.
    fn sign_behind(&self, start: usize, token: &str) -> Option<String> {
        let end = start + token.len();
        let next = self.start_after(end);
        let found = self.shown_at(next);
        let same_line = !self.text.get(end..next)?.contains('\n');
        let sign = found.chars().next().is_some_and(|c| !matches!(c, '}' | '{' | '.' | '"') && !is_word(&found));
        (same_line && sign).then_some(found)
    }

    /// A word that reads as a channel, but is a mistyped keyword, as what follows shows.
    pub fn mistyped_send(&mut self, channel: Span) -> bool {
        let word = channel.text(self.text).to_owned();
        let known: Vec<&str> = STEP_WORDS.iter().chain(CLAUSE_WORDS).chain(ITEM_WORDS).copied().collect();
        let Some(near) = did_you_mean(&word, &known) else { return false };
        self.report(
            SyntaxError::new(codes::UNKNOWN_STEP, channel, format!("unknown step `{word}`"))
                .help(format!("did you mean `{near}`?"))
                .fix(channel, near),
        );
        true
    }

    /// Text between the lines of a declaration, a match, a test … that is no such line.
    pub fn stray_line(&mut self, pair: &Node<'_>, what: &str, known: &[&str]) {
        let span = self.span(pair);
        if self.is_reported(span) {
            return;
        }
        let start = span.start as usize;
        let token = self.shown_at(start);
        let here = self.token_span(start);
        let mut error = SyntaxError::new(codes::UNEXPECTED, here, format!("expected {what}, found `{token}`"));
        if let Some(near) = did_you_mean(&token, known).filter(|_| is_word(&token)) {
            error = error.help(format!("did you mean `{near}`?")).fix(here, near);
        }
        self.report(error);
    }

    /// Text between items that is no item.
    pub fn stray_item(&mut self, pair: &Node<'_>) {
        let span = self.span(pair);
        if self.is_reported(span) {
            return;
        }
        let start = span.start as usize;
        let token = self.shown_at(start);
        let here = self.token_span(start);
        if token == "}" {
            // One `}` for each body that was cut off by an item that stood in it.
            if self.unclosed > 0 {
                self.unclosed -= 1;
            } else {
                self.report(
                    SyntaxError::new(codes::STRAY_BRACE, here, "this `}` closes nothing")
                        .help("remove it, or look for a `}` above that came too early"),
                );
            }
            return;
        }
        let error = if is_word(&token) {
            let error = SyntaxError::new(codes::UNKNOWN_ITEM, here, format!("unknown item `{token}`"));
            match did_you_mean(&token, ITEM_WORDS) {
                Some(near) => error.help(format!("did you mean `{near}`?")).fix(here, near),
                None if item_meant(&token).is_some() => {
                    let (word, help) = item_meant(&token).unwrap_or_default();
                    let error = error.help(help);
                    if word.is_empty() {
                        error
                    } else {
                        error.fix(here, word)
                    }
                }
                None => error.help(
                    "a file holds `event`, `user`, `type`, `channel`, `segment`, `fence`, `api`, `policy`, `journey` and `test`, or one flow that begins with `on`",
                ),
            }
        } else {
            SyntaxError::new(codes::UNEXPECTED, here, format!("unexpected `{token}`"))
        };
        self.report(error);
    }
}

/// What people who write such a sign or word in a condition mostly mean.
fn help_for(token: &str) -> Option<&'static str> {
    Some(match token {
        "|" => "filters are for templates; in a text, `{user.first_name ?? \"you\"}` says what stands for a missing value",
        "%" => "tags like `{% if %}` are for templates; here a branch reads `if x then … else …`",
        "?" => "whether a value is there is asked with `is known` and `is missing`",
        "(" => "values have no methods: write `length(x)`, `lower(x)`, `x contains \"a\"`, `x in [\"a\", \"b\"]`",
        "," => "the digits of a number stand together: `1000`; several conditions are joined by `and` or `or`",
        "$" | "€" | "£" | "EUR" | "USD" | "GBP" => "an amount is a number alone: `cart_value > 50`",
        "ago" | "before" | "after" | "yesterday" | "today" => {
            "when an event happened is asked with `purchased in last 7d` or `purchased since 2026-11-01`; dates are compared with `<` and `>`"
        }
        "count" | "more" | "times" | "once" | "twice" | "least" | "exactly" => {
            "how often is asked with `count(purchased in last 30d) > 3`"
        }
        "to" => "both ends of a range: `between 1 and 5`",
        _ => return None,
    })
}

/// The item that a word of another language stands for, if it is put in its place as it is, and what helps.
fn item_meant(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word.to_lowercase().as_str() {
        "flow" | "campaign" | "workflow" | "automation" | "canvas" => {
            ("journey", "it is called a journey: `journey welcome { on signed_up … }`")
        }
        "cohort" | "audience" | "list" => {
            ("segment", "people are named by a condition: `segment regulars = count(purchased ever) > 3`")
        }
        "let" | "const" | "var" => {
            ("", "a condition gets a name with `segment regulars = …`; a value stands in an attribute of the person")
        }
        "attribute" | "attributes" | "profile" | "customer" | "person" | "contact" => {
            ("", "attributes stand in `user { first_name: text? }`")
        }
        "track" | "message" => {
            ("", "an event is declared with `event purchased = \"Order Completed\" { order_id: text }`")
        }
        "import" | "include" | "use" | "require" => {
            ("", "all files of the folder are one program: nothing is imported")
        }
        "function" | "def" | "fn" => {
            ("", "name a condition with `segment`; steps stand in a journey of their own, for `start`")
        }
        "enum" => ("", "values are listed where they are needed: `country: one of \"IT\", \"ES\"`"),
        "struct" | "class" | "record" | "interface" => ("", "a record is declared with `type product { name: text }`"),
        _ => return None,
    })
}

/// What stands for a step of another language, when that is known.
#[must_use]
pub fn step_meant(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "random" | "experiment" | "ab_test" | "abtest" | "variant" | "variants" => {
            "people are divided with `split { 50% a: email one  50% b: email two }`"
        }
        "parallel" | "concurrently" | "simultaneously" | "both" => "side by side is `together { … } { … }`",
        "continue" | "pass" | "skip" | "noop" => "a block that does nothing is `{ }`; `end` leaves the journey",
        "goto" | "jump" | "run" | "trigger" | "launch" | "enroll" => "another journey is begun with `start welcome`",
        "track" | "fire" | "raise" | "publish" | "dispatch" => {
            "an event is made with `emit purchased { order_id: \"1\" }`"
        }
        "print" | "log" | "echo" | "console" | "debug" => {
            "`flowc run` and `flowc test` tell what happened: nothing is printed"
        }
        "case" | "select" => "cases read `match user.country { \"IT\" -> …  else -> … }`",
        "update" | "assign" => "an attribute gets a value with `set user.score = 1`",
        "cancel" | "stop" | "leave" | "abort" | "quit" => {
            "what makes people leave stands in the header: `exit on purchased`; the step `end` leaves"
        }
        "name" | "title" | "description" => "a title stands behind the name: `journey welcome \"Welcome\" { … }`",
        "audience" | "segment" => "who comes in stands behind `on`: `on enter SEGMENT`, `on purchased where …`",
        "trigger_on" | "from" => "what begins a journey stands behind `on`: `on purchased`",
        "limit" | "cap" => "caps stand in `policy { at most 3 messages per 7d }`",
        "notify" | "message" => "a message begins with its channel: `email welcome`, `push \"Hello\"`",
        _ => return None,
    })
}

/// Whether a token is a word that nothing can be called.
fn is_reserved(token: &str) -> bool {
    FlowParser::parse(Rule::reserved_word, token).is_ok_and(|pairs| pairs.as_str() == token)
}

/// Whether a token is a word.
fn is_word(token: &str) -> bool {
    token.chars().next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
}
