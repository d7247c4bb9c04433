//! What the tree says about the tokens: their canonical spellings, and what stands between them
//! when they are on one line.

use super::tokens::{Atom, Comment, Token};
use crate::ast::*;
use crate::span::Span;
use crate::spell;
use crate::walk::{walk, Visitor};
use std::collections::BTreeSet;

/// Literals that are one token, in the spelling that `flowc fmt` gives them.
pub(super) fn atoms(file: &File, source: &str) -> Vec<Atom> {
    struct Atoms<'s> {
        source: &'s str,
        found: Vec<Atom>,
    }
    impl<'a> Visitor<'a> for Atoms<'_> {
        fn expr(&mut self, expr: &'a Expr) {
            let written = expr.span.text(self.source);
            // In brackets, the span is theirs.
            if !written.starts_with(|c: char| c.is_ascii_digit()) {
                return;
            }
            let text = match &expr.kind {
                ExprKind::Duration(length) => spell::duration(*length),
                ExprKind::TimeOfDay(millis) => spell::time(*millis),
                ExprKind::Date(day) => spell::date(*day),
                ExprKind::LocalInstant(day, millis) => format!("{} {}", spell::date(*day), spell::time(*millis)),
                ExprKind::Instant(_) => written.to_uppercase(),
                _ => return,
            };
            let (start, end) = range(expr.span);
            self.found.push(Atom { start, end, text });
        }
    }
    let mut atoms = Atoms { source, found: Vec::new() };
    walk(file, &mut atoms);
    let mut found = atoms.found;
    found.sort_by_key(|atom| atom.start);
    found.dedup_by_key(|atom| atom.start);
    found
}

fn range(span: Span) -> (usize, usize) {
    (span.start as usize, span.end as usize)
}

/// Sets of tokens by number.
#[derive(Default)]
pub(super) struct Marks {
    /// Two blanks before it: the next thing in a row.
    pub wide: BTreeSet<usize>,
    /// Nothing before it.
    pub tight: BTreeSet<usize>,
    /// A comma that is not written.
    pub dropped: BTreeSet<usize>,
    /// A comma behind it.
    pub comma: BTreeSet<usize>,
    /// A `{` behind which the author broke the line: it stays open.
    pub open: BTreeSet<usize>,
}

/// The number of the token at or after a place.
pub(super) fn token_at(tokens: &[Token], at: u32) -> usize {
    tokens.partition_point(|token| token.start < at as usize)
}

pub(super) fn marks(file: &File, tokens: &[Token]) -> Marks {
    let mut marker = Marker { tokens, marks: Marks::default() };
    for (at, pair) in tokens.windows(2).enumerate() {
        if let [brace, next] = pair {
            let comments = !next.above.is_empty() || brace.behind.is_some();
            if brace.text == "{" && (next.text != "}" || comments) && next.begins_line {
                marker.marks.open.insert(at);
            }
        }
    }
    walk(file, &mut marker);
    marker.marks
}

/// Moves the comments at commas that are not written to the tokens beside them.
pub(super) fn move_comments(tokens: &mut [Token], marks: &Marks) {
    for comma in &marks.dropped {
        let Some(token) = tokens.get_mut(*comma) else { continue };
        let mut above = std::mem::take(&mut token.above);
        let mut behind = token.behind.take();
        if let Some(before) = comma.checked_sub(1).and_then(|at| tokens.get_mut(at)) {
            if before.behind.is_none() && above.is_empty() {
                before.behind = behind.take();
            }
        }
        above.extend(behind.map(|text| Comment { text, blank_before: false }));
        if let Some(next) = tokens.get_mut(comma + 1) {
            above.append(&mut next.above);
            next.above = above;
        }
    }
}

struct Marker<'t> {
    tokens: &'t [Token],
    marks: Marks,
}

impl Marker<'_> {
    fn at(&self, place: u32) -> usize {
        token_at(self.tokens, place)
    }

    /// Whether a place is inside of a token: in the hole of a text, which stays as it is.
    fn in_hole(&self, place: u32) -> bool {
        self.tokens.get(self.at(place)).is_none_or(|token| token.start != place as usize)
    }

    fn is(&self, at: usize, text: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.text == text)
    }

    /// Things that stand in a row in braces, two blanks apart, without commas.
    fn row(&mut self, things: impl Iterator<Item = (u32, u32)>) {
        for (number, (start, end)) in things.enumerate() {
            let (first, next) = (self.at(start), self.at(end));
            if number > 0 {
                self.marks.wide.insert(first);
            }
            // Without the comma, what begins so would go on with the thing before.
            let needed = self.tokens.get(next + 1).is_some_and(|t| matches!(t.text.as_str(), "(" | "-" | "[" | "{"));
            if self.is(next, ",") && !needed {
                self.marks.dropped.insert(next);
            }
        }
    }

    /// Things between commas; none behind the last.
    fn list(&mut self, things: impl Iterator<Item = u32>) {
        let mut before: Option<usize> = None;
        for end in things {
            self.marks.comma.extend(before);
            let next = self.at(end);
            if self.is(next, ",") {
                self.marks.dropped.insert(next);
            }
            before = next.checked_sub(1);
        }
    }

    fn steps<'a>(&mut self, steps: impl Iterator<Item = &'a Step>) {
        self.row(steps.map(|step| (step.span.start, step.span.end)));
    }

    /// The bracket behind a name is its own.
    fn call_of(&mut self, name: Span) {
        let at = self.at(name.end);
        if self.is(at, "(") {
            self.marks.tight.insert(at);
        }
    }

    fn fields(&mut self, fields: &[FieldDecl]) {
        self.row(fields.iter().map(|field| (field.span.start, field.span.end)));
    }
}

impl<'a> Visitor<'a> for Marker<'_> {
    fn item(&mut self, item: &'a Item) {
        match item {
            Item::Event(decl) => self.fields(&decl.fields),
            Item::User(decl) => self.fields(&decl.fields),
            Item::Type(decl) => self.fields(&decl.fields),
            Item::Api(decl) => {
                self.call_of(decl.name.span);
                self.list(decl.params.iter().map(|param| param.span.end));
                for line in super::items::api_lines(self.tokens, decl).into_iter().skip(1) {
                    self.marks.wide.insert(line);
                }
            }
            Item::Policy(decl) => self.row(decl.rules.iter().map(|rule| (rule.span.start, rule.span.end))),
            Item::Fence(decl) => {
                let (from, to) = (self.at(decl.shape_span.start), self.at(decl.shape_span.end));
                for at in from..to {
                    let unit = self.is(at + 1, "m") || self.is(at + 1, "km");
                    if self.is(at, "-") || unit {
                        self.marks.tight.insert(at + 1);
                    }
                }
            }
            Item::Journey(decl) if decl.name.is_some() => {
                let clauses = decl.header.iter().map(|clause| (clause.span.start, clause.span.end));
                self.row(clauses.chain(decl.body.iter().map(|step| (step.span.start, step.span.end))));
            }
            Item::Test(decl) => self.row(decl.lines.iter().map(|line| (line.span.start, line.span.end))),
            Item::Journey(_) | Item::Channel(_) | Item::Segment(_) | Item::Broken(_) => {}
        }
    }

    fn step(&mut self, step: &'a Step) {
        match &step.kind {
            StepKind::Block(steps) => self.steps(steps.iter()),
            StepKind::Repeat { body, .. } | StepKind::For { body, .. } => self.steps(body.iter()),
            StepKind::Match { arms, otherwise, .. } => {
                let mut row: Vec<(u32, u32)> = arms.iter().filter_map(arm_place).collect();
                row.extend(otherwise.as_ref().map(|step| {
                    let word = self.at(step.span.start).saturating_sub(2);
                    let start = self.tokens.get(word).map_or(step.span.start, |token| offset(token.start));
                    (start, step.span.end)
                }));
                row.sort_unstable();
                self.row(row.into_iter());
            }
            StepKind::Split { arms } => self.row(arms.iter().map(|arm| (arm.share_span.start, arm.step.span.end))),
            _ => {}
        }
    }

    fn line(&mut self, line: &'a TestLine) {
        if let TestLineKind::Given { api, args: Some(args), .. } = &line.kind {
            self.call_of(api.span);
            self.list(args.iter().map(|(_, value)| value.span.end));
        }
    }

    fn record(&mut self, entries: &'a [(Name, Expr)]) {
        if entries.first().is_some_and(|(key, _)| self.in_hole(key.span.start)) {
            return;
        }
        self.list(entries.iter().map(|(_, value)| value.span.end));
    }

    fn call(&mut self, call: &'a ApiCall) {
        self.call_of(call.api.span);
        self.list(call.args.iter().map(|(_, value)| value.span.end));
    }

    fn expr(&mut self, expr: &'a Expr) {
        if self.in_hole(expr.span.start) {
            return;
        }
        let first = self.at(expr.span.start);
        match &expr.kind {
            ExprKind::Call(name, args) => {
                self.call_of(name.span);
                self.list(args.iter().map(|arg| arg.span.end));
            }
            ExprKind::Aggregate { .. } | ExprKind::Pick { .. } => {
                // In brackets of its own, the word stands behind them.
                let word = (first..).find(|at| !self.is(*at, "(")).unwrap_or(first);
                if self.is(word + 1, "(") {
                    self.marks.tight.insert(word + 1);
                }
            }
            ExprKind::List(values) => self.list(values.iter().map(|value| value.span.end)),
            ExprKind::Int(_) | ExprKind::Number(_) | ExprKind::Negate(_) | ExprKind::Percent(_) => {
                let sign = (first..).find(|at| !self.is(*at, "(")).unwrap_or(first);
                if self.is(sign, "-") {
                    self.marks.tight.insert(sign + 1);
                }
            }
            _ => {}
        }
    }
}

/// From the first pattern of an arm to the end of its step.
pub(super) fn arm_place(arm: &MatchArm) -> Option<(u32, u32)> {
    Some((arm.patterns.first()?.span.start, arm.step.span.end))
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
