//! From the pairs of the grammar to the syntax tree.
//!
//! Nothing here trusts a pair to be present: whatever is missing has been reported by its
//! `missing_…` rule, and a `Broken` node takes its place.

mod again;
mod calls;
mod clauses;
mod expression;
mod habit_clauses;
mod habit_items;
mod habit_steps;
mod habits;
mod items;
mod literal;
mod operand;
mod phrases;
mod sends;
mod steps;
mod tests;
mod text;
mod waits;

pub use again::{in_common, parse_again, parse_first, Memo};

use crate::ast::{Clause, Expr, ExprKind, File, Item, Name, StringLit};
use crate::codes;
use crate::error::SyntaxError;
use crate::expected::expected;
use crate::parser::{FlowParser, Rule};
use crate::scan::{scan, Scan};
use crate::span::{FileId, Span};
use pest::iterators::Pair;
use pest::Parser;
use std::collections::{HashSet, VecDeque};
use unicode_normalization::UnicodeNormalization;

/// How deep the tree may be where nesting and chains of `else if` add up.
pub(crate) const MAX_TREE_DEPTH: usize = 640;

/// What the deepest input needs, in a build without optimisation, with room to spare.
const STACK_BYTES: usize = 32 << 20;

/// A tree and what is wrong with the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Parse {
    /// The tree; what could not be understood is `Broken` in it.
    pub file: File,
    /// The errors, in the order of their places.
    pub errors: Vec<SyntaxError>,
}

/// Parses a file, whatever is in it.
#[must_use]
pub fn parse(file: FileId, source: &str) -> Parse {
    with_stack(|| parse_here(file, source))
}

/// Nesting is bounded, but what it needs does not fit every thread's stack.
fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK_BYTES, STACK_BYTES, work)
}

fn parse_here(file: FileId, source: &str) -> Parse {
    let scan = scan(file, source);
    let mut lower = Lower::new(file, &scan);
    let items = lower.whole();
    let errors = lower.finish();
    Parse { file: File { id: file, items }, errors: sorted(scan.errors, errors) }
}

/// Parses one expression, of a file in which it begins at `offset`.
#[must_use]
pub fn parse_expression(file: FileId, source: &str, offset: u32) -> (Expr, Vec<SyntaxError>) {
    let mut scan = scan(file, source);
    let text = std::mem::take(&mut scan.text);
    let padded = format!("{}{text}", " ".repeat(offset as usize));
    let moved = |span: Span| Span::new(file, span.start + offset, span.end + offset);
    for error in &mut scan.errors {
        error.span = moved(error.span);
        if let Some(fix) = &mut error.fix {
            fix.span = moved(fix.span);
        }
        for label in &mut error.labels {
            label.0 = moved(label.0);
        }
    }
    let early = std::mem::take(&mut scan.errors);
    let scan = Scan { text: padded, errors: Vec::new(), comments: Vec::new(), blanked: Vec::new() };
    let mut lower = Lower::new(file, &scan);
    let end = lower.offset(scan.text.len());
    let expr = with_stack(|| lower.expression_at(Span::new(file, offset.min(end), end)));
    let errors = lower.finish();
    (expr, sorted(early, errors))
}

fn sorted(mut first: Vec<SyntaxError>, second: Vec<SyntaxError>) -> Vec<SyntaxError> {
    first.extend(second);
    first.sort_by_key(|e| (e.span.start, e.span.end));
    first
}

/// The state of a walk over the pairs.
pub(crate) struct Lower<'s> {
    pub file: FileId,
    /// The repaired text; offsets in it are offsets in the file.
    pub text: &'s str,
    scan: &'s Scan,
    pub errors: Vec<SyntaxError>,
    /// For each item of the file, how many errors there were before it.
    pub reported_before: Vec<usize>,
    /// What is added to the offsets of pairs: the place of the hole that is being parsed.
    base: usize,
    /// How deep the walk is in steps.
    depth: usize,
    /// Whether the statement at hand was reported as too deep.
    too_long: bool,
    /// Whether what looked like the condition of the last event was a step.
    pub met_step: bool,
    /// Whether the expression at hand stands in a text.
    pub in_hole: bool,
    /// How many operators may be around the expression at hand.
    pub operators: usize,
    /// Whether the statement at hand stands behind a step or in a block.
    pub among_steps: bool,
    /// Clauses that were reported as what cannot stand among steps, by their place.
    pub reported_clauses: HashSet<u32>,
    /// Clauses that stood among steps.
    pub late_clauses: Vec<Clause>,
    /// Where something was in the way of what was missing: it is not reported again.
    pub reported: HashSet<usize>,
    /// Where something was missing.
    pub missing_at: HashSet<usize>,
    /// Where statements end in which something was missing.
    pub broken_ends: HashSet<usize>,
    /// Where a `}` was missing.
    pub unclosed_at: HashSet<usize>,
    /// How many bodies turned out not to be closed; each may explain one stray `}`.
    pub unclosed: usize,
}

/// A pair of the grammar.
pub(crate) type Node<'i> = Pair<'i, Rule>;

/// The children of a pair; each is taken once.
pub(crate) struct Kids<'i> {
    pairs: VecDeque<Node<'i>>,
}

impl<'i> Kids<'i> {
    /// The next child that satisfies `wanted`.
    pub fn find(&mut self, wanted: impl Fn(Rule) -> bool) -> Option<Node<'i>> {
        let index = self.pairs.iter().position(|pair| wanted(pair.as_rule()))?;
        self.pairs.remove(index)
    }

    /// The next child of that rule.
    pub fn take(&mut self, rule: Rule) -> Option<Node<'i>> {
        self.find(|r| r == rule)
    }

    /// Whether there is a child of that rule; it is taken.
    pub fn has(&mut self, rule: Rule) -> bool {
        self.take(rule).is_some()
    }

    /// The children that nobody has taken yet.
    pub fn pairs(&self) -> impl Iterator<Item = &Node<'i>> {
        self.pairs.iter()
    }

    /// The next child, whatever it is.
    pub fn next(&mut self) -> Option<Node<'i>> {
        self.pairs.pop_front()
    }
}

impl<'s> Lower<'s> {
    fn new(file: FileId, scan: &'s Scan) -> Self {
        Self {
            file,
            text: &scan.text,
            scan,
            errors: Vec::new(),
            reported_before: Vec::new(),
            base: 0,
            depth: 0,
            too_long: false,
            met_step: false,
            in_hole: false,
            operators: 0,
            among_steps: false,
            reported_clauses: HashSet::new(),
            late_clauses: Vec::new(),
            reported: HashSet::new(),
            missing_at: HashSet::new(),
            broken_ends: HashSet::new(),
            unclosed_at: HashSet::new(),
            unclosed: 0,
        }
    }

    /// The items of the whole text.
    fn whole(&mut self) -> Vec<Item> {
        match FlowParser::parse(Rule::file, self.text) {
            Ok(pairs) => pairs.flat_map(|pair| self.file(pair)).collect(),
            Err(error) => {
                let whole = self.gave_up(&error);
                vec![Item::Broken(whole)]
            }
        }
    }

    fn finish(self) -> Vec<SyntaxError> {
        self.errors
    }

    /// The grammar is total, so the only way here is that the stack guard of the parser stopped it.
    fn gave_up(&mut self, error: &pest::error::Error<Rule>) -> Span {
        let at = match error.location {
            pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _)) => at,
        };
        let at = self.offset(at);
        self.errors.push(
            SyntaxError::new(codes::TOO_DEEP, Span::new(self.file, at, at), "this is nested too deeply")
                .help("divide the file, or the journey, into smaller ones"),
        );
        Span::new(self.file, 0, self.offset(self.text.len()))
    }

    /// An offset as spans have it. Files are capped far below 4 GiB.
    pub fn offset(&self, n: usize) -> u32 {
        u32::try_from(n).unwrap_or(u32::MAX)
    }

    /// Where a pair begins in the file.
    pub fn start_of(&self, pair: &Node<'_>) -> usize {
        self.base + pair.as_span().start()
    }

    /// Whether something was blanked out because it was nested too deeply right here.
    pub fn in_blanked(&self, start: u32, end: u32) -> bool {
        let index = self.scan.blanked.partition_point(|&(_, to)| to < start);
        self.scan.blanked.get(index).is_some_and(|&(from, _)| from <= end)
    }

    /// Reports, unless the place was taken out of the text for a reason that stands already.
    pub fn report(&mut self, error: SyntaxError) {
        if !self.in_blanked(error.span.start, error.span.end) {
            self.errors.push(error);
        }
    }

    /// Goes one level down; `None` (and one error) when the tree is deep enough.
    pub fn down(&mut self, levels: usize, span: Span) -> Option<()> {
        if self.depth + levels > MAX_TREE_DEPTH {
            // Whatever else is too deep in the same statement is so for the same reason.
            if std::mem::replace(&mut self.too_long, true) {
                return None;
            }
            self.report(
                SyntaxError::new(codes::CHAIN_TOO_LONG, span, "this chain is too long").help(format!(
                    "a tree may be {MAX_TREE_DEPTH} levels deep; divide it, or use `match` or `in [..]`"
                )),
            );
            return None;
        }
        self.depth += levels;
        Some(())
    }

    /// Comes back up.
    pub fn up(&mut self, levels: usize) {
        self.depth = self.depth.saturating_sub(levels);
        if self.depth == 0 {
            self.too_long = false;
        }
    }

    /// Where a pair stands, without blanks and comments at its end.
    pub fn span(&self, pair: &Node<'_>) -> Span {
        let span = pair.as_span();
        let start = self.base + span.start();
        let end = self.end_before(start, self.base + span.end());
        Span::new(self.file, self.offset(start), self.offset(end))
    }

    /// The end of the last thing before `end` that is neither blank nor comment, at least `start`.
    pub fn end_before(&self, start: usize, mut end: usize) -> usize {
        loop {
            let text = self.text.get(start..end).unwrap_or("");
            end = start + text.trim_end_matches(is_blank).len();
            let index = self.scan.comments.partition_point(|&(from, _)| (from as usize) < end);
            match index.checked_sub(1).and_then(|i| self.scan.comments.get(i)) {
                Some(&(from, to)) if end <= to as usize && from as usize >= start => {
                    end = from as usize;
                }
                _ => return end,
            }
        }
    }

    /// The beginning of the next thing from `at` on that is neither blank nor comment.
    pub fn start_after(&self, mut at: usize) -> usize {
        loop {
            let text = self.text.get(at..).unwrap_or("");
            at += text.len() - text.trim_start_matches(is_blank).len();
            let index = self.scan.comments.partition_point(|&(from, _)| (from as usize) < at);
            match self.scan.comments.get(index) {
                Some(&(from, to)) if from as usize == at => at = to as usize,
                _ => return at,
            }
        }
    }

    /// The children of a pair. What is missing among them is reported here.
    pub fn kids<'i>(&mut self, pair: Node<'i>) -> Kids<'i> {
        let opening = self.start_of(&pair);
        let end = self.base + pair.as_span().end();
        // The first thing that is missing explains the others of the same statement.
        let mut complete = true;
        let mut pairs = VecDeque::new();
        for pair in pair.into_inner() {
            match pair.as_rule() {
                Rule::habit_or_event => self.or_for_comma(&pair),
                Rule::habit_and_event => self.and_between_events(&pair),
                Rule::habit_sign => self.sign_behind_word(&pair),
                Rule::habit_from_word => self.needless(&pair, "two times of day stand on both sides of `to`"),
                Rule::habit_trigger_dot => self.needless(&pair, "the field of the trigger is called by its name alone"),
                Rule::habit_on_what => self.spelled(&pair, "on"),
                Rule::habit_change_of => self.spelled(&pair, "change"),
                Rule::habit_yearly => {
                    self.spelled(&pair, "yearly");
                    pairs.push_back(pair);
                }
                Rule::habit_without => self.spelled(&pair, "without"),
                Rule::habit_exit_on => self.spelled(&pair, "exit on"),
                Rule::habit_exit_if => self.spelled(&pair, "when"),
                Rule::habit_exit_in => self.spelled(&pair, "after"),
                Rule::habit_quiet_hours => self.spelled(&pair, "quiet hours"),
                Rule::habit_for_on => self.spelled(&pair, "on"),
                // Reported where it stands, and nothing more is known of it.
                Rule::enter_broken | Rule::exit_broken | Rule::every_broken => {
                    self.kids(pair);
                }
                Rule::missing_close => self.unclosed_brace(opening, &pair),
                Rule::skipped_to_then
                | Rule::skipped_in_paren
                | Rule::skipped_arm
                | Rule::skipped_line
                | Rule::skipped_rest => {
                    if !self.is_missed_inside(&pairs, &pair) {
                        self.unexpected(&pair);
                    }
                }
                rule => {
                    if expected(rule).is_some() && complete {
                        if !self.is_missed_inside(&pairs, &pair) {
                            self.missing(&pair, opening);
                        }
                        complete = false;
                    }
                    pairs.push_back(pair);
                }
            }
        }
        if !complete {
            let end = self.end_before(0, end);
            self.broken_ends.insert(end);
        }
        Kids { pairs }
    }

    /// Whether something is missing at the same place already at the end of what stands before: that says more.
    fn is_missed_inside(&self, before: &VecDeque<Node<'_>>, missing: &Node<'_>) -> bool {
        let place = |pair: &Node<'_>| self.end_before(0, self.start_of(pair));
        let at = place(missing);
        let inner = before.iter().flat_map(|pair| pair.clone().into_inner().flatten());
        inner.filter(|pair| expected(pair.as_rule()).is_some()).any(|pair| place(&pair) == at)
    }

    /// The next name, or nothing when it is missing.
    pub fn name(&mut self, kids: &mut Kids<'_>) -> Option<Name> {
        let wanted = [Rule::name, Rule::word, Rule::habit_name_in_quotes, Rule::missing_name];
        let pair = kids.find(|r| wanted.contains(&r))?;
        match pair.as_rule() {
            Rule::missing_name => None,
            Rule::habit_name_in_quotes => Some(self.quoted_name(&pair)),
            _ => Some(self.name_of(&pair)),
        }
    }

    /// A pair that is a name.
    pub fn name_of(&self, pair: &Node<'_>) -> Name {
        let written = pair.as_str();
        // What is ASCII is in normal form already.
        let text = if written.is_ascii() { written.to_owned() } else { written.nfc().collect() };
        Name { text, span: self.span(pair) }
    }

    /// All names among the children (of a `names` pair, as a rule).
    pub fn names(&mut self, pair: Option<Node<'_>>) -> Vec<Name> {
        let Some(pair) = pair else { return Vec::new() };
        let mut kids = self.kids(pair);
        let mut names = Vec::new();
        while let Some(pair) = kids.take(Rule::name) {
            names.push(self.name_of(&pair));
        }
        names
    }

    /// The next value: an expression, or `Broken` when it is missing.
    pub fn value(&mut self, kids: &mut Kids<'_>) -> Expr {
        let no_value = |r| matches!(r, Rule::missing_value | Rule::missing_duration | Rule::missing_length);
        match kids.find(|r| r == Rule::expr || no_value(r)) {
            Some(pair) if pair.as_rule() == Rule::expr => self.expr(pair),
            Some(pair) => broken(self.span(&pair)),
            None => broken(self.nowhere()),
        }
    }

    /// A value that must be a duration: one in quotes is answered with one without.
    pub fn duration(&mut self, kids: &mut Kids<'_>) -> Expr {
        let value = self.value(kids);
        self.unquoted(value)
    }

    /// The next text without holes.
    pub fn string(&mut self, kids: &mut Kids<'_>) -> Option<StringLit> {
        let pair = kids.find(|r| matches!(r, Rule::string | Rule::missing_string))?;
        (pair.as_rule() == Rule::string).then(|| self.string_lit(pair))
    }

    /// A span for what has no place, which the grammar rules out.
    pub fn nowhere(&self) -> Span {
        Span::new(self.file, 0, 0)
    }

    /// The text of the `##` lines right above a place that is the first of its line; a comma that divides it from what is
    /// before may stand there, or on lines of its own.
    pub fn doc_above(&self, at: u32) -> Option<String> {
        let before = self.text.get(..at as usize)?;
        let above = before.trim_end_matches(|c| c == ',' || (c != '\n' && is_blank(c))).strip_suffix('\n')?;
        let mut lines: Vec<&str> = above
            .rsplit('\n')
            .map(|line| line.trim_matches(is_blank))
            .filter(|line| line.is_empty() || line.contains(|c| c != ','))
            .map_while(|line| line.strip_prefix("##"))
            .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
            .collect();
        lines.reverse();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

/// What counts as blank, as the grammar has it.
pub(crate) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{A0}' | '\u{FEFF}')
}

/// Whether a pair has one of that rule right inside.
pub(crate) fn has_rule(pair: &Node<'_>, rule: Rule) -> bool {
    pair.clone().into_inner().any(|inner| inner.as_rule() == rule)
}

/// An expression that was not understood, and has been reported.
pub(crate) fn broken(span: Span) -> Expr {
    Expr { kind: ExprKind::Broken, span }
}
