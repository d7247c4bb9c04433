//! Items: each begins a line.

use super::printer::Printer;
use super::tokens::Token;
use crate::ast::*;

impl Printer<'_> {
    pub fn file(&mut self, file: &File) {
        let mut before: Option<(&Item, bool)> = None;
        for item in &file.items {
            let (from, to) = self.range(item.span());
            self.in_test(matches!(item, Item::Test(_)));
            self.line_for(from, 0, before.is_none());
            let one_line = self.fits_at(0, from, to);
            if let Some((other, short)) = before {
                let apart = |item| matches!(item, &Item::Journey(_) | &Item::Test(_));
                if (apart(item) || apart(other)) && !(one_line && short) {
                    self.force_blank();
                }
            }
            self.item(item, from, to);
            before = Some((item, one_line));
        }
        let end = self.tokens.len().saturating_sub(1);
        self.line_for(end, 0, before.is_none());
        self.put(end, 0);
        let length = self.out.trim_end().len();
        self.out.truncate(length);
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn item(&mut self, item: &Item, from: usize, to: usize) {
        if let Item::Journey(decl) = item {
            if decl.name.is_none() {
                return self.bare_flow(decl, from, to);
            }
        }
        if self.fits(from, to) {
            return self.put_all(from, to, 2);
        }
        match item {
            Item::Event(EventDecl { fields, .. })
            | Item::User(UserDecl { fields, .. })
            | Item::Type(TypeDecl { fields, .. }) => {
                let starts: Vec<usize> = fields.iter().map(|field| self.at(field.span.start)).collect();
                self.braces(from, to, &starts, |out, number, range| match fields.get(number) {
                    Some(field) => {
                        let mut points = Vec::new();
                        if let Some(default) = &field.default {
                            out.expr_points(default, 0, &mut points);
                        }
                        out.layout(range, 2, 4, &points);
                    }
                    None => out.put_all(range.0, range.1, 4),
                });
            }
            Item::Segment(decl) => {
                let mut points = Vec::new();
                self.expr_points(&decl.condition, 0, &mut points);
                self.layout((from, to), 0, 2, &points);
            }
            Item::Api(decl) => self.api(decl, from, to),
            Item::Policy(decl) => {
                let starts: Vec<usize> = decl.rules.iter().map(|rule| self.at(rule.span.start)).collect();
                self.braces(from, to, &starts, |out, _, range| out.put_all(range.0, range.1, 4));
            }
            Item::Journey(decl) => self.journey(decl, from, to),
            Item::Test(decl) => {
                let starts: Vec<usize> = decl.lines.iter().map(|line| self.at(line.span.start)).collect();
                self.braces(from, to, &starts, |out, number, range| {
                    let mut points = Vec::new();
                    if let Some(line) = decl.lines.get(number) {
                        out.test_points(&line.kind, &mut points);
                    }
                    out.layout(range, 2, 4, &points);
                });
            }
            Item::Channel(_) | Item::Fence(_) | Item::Broken(_) => self.put_all(from, to, 2),
        }
    }

    /// A head, then things in braces, each on a line of its own.
    fn braces(&mut self, from: usize, to: usize, starts: &[usize], each: impl FnMut(&mut Self, usize, (usize, usize))) {
        let limit = starts.first().copied().unwrap_or(to);
        match self.brace(from, limit) {
            Some(open) => {
                self.put_all(from, open, 4);
                self.open_braces(open, to, starts, 0, each);
            }
            None => self.put_all(from, to, 4),
        }
    }

    /// `{`, things on lines of their own, and the `}` right before `to`.
    pub fn open_braces(
        &mut self,
        open: usize,
        to: usize,
        starts: &[usize],
        indent: usize,
        mut each: impl FnMut(&mut Self, usize, (usize, usize)),
    ) {
        self.put(open, indent + 2);
        let close = to.saturating_sub(1);
        for (number, start) in starts.iter().enumerate() {
            let end = starts.get(number + 1).copied().unwrap_or(close);
            self.line_for(*start, indent + 2, number == 0);
            each(self, number, (*start, end));
        }
        self.put_close(close, indent, starts.is_empty());
    }

    fn api(&mut self, decl: &ApiDecl, from: usize, to: usize) {
        let starts = api_lines(self.tokens, decl);
        let open = starts.first().map_or(to.saturating_sub(2), |first| first.saturating_sub(1));
        let mut points = Vec::new();
        self.param_points(&decl.params, 0, &mut points);
        self.layout((from, open), 0, 4, &points);
        let mut points = Vec::new();
        self.record_points(&decl.body, 0, &mut points);
        self.open_braces(open, to, &starts, 0, |out, _, range| out.layout(range, 2, 4, &points));
    }

    fn journey(&mut self, decl: &JourneyDecl, from: usize, to: usize) {
        let statements = statements(decl);
        let starts: Vec<usize> = statements.iter().map(|statement| self.at(statement.start())).collect();
        self.braces(from, to, &starts, |out, number, range| {
            if let Some(statement) = statements.get(number) {
                out.statement(*statement, range, 2);
            }
        });
    }

    /// A flow without braces: on one line if it was, else each statement on its own.
    fn bare_flow(&mut self, decl: &JourneyDecl, from: usize, to: usize) {
        let broken = (from + 1..to).any(|at| self.tokens.get(at).is_some_and(|token| token.begins_line));
        if !broken && self.fits(from, to) {
            return self.put_all(from, to, 2);
        }
        let statements = statements(decl);
        for (number, statement) in statements.iter().enumerate() {
            let start = self.at(statement.start());
            let end = statements.get(number + 1).map_or(to, |next| self.at(next.start()));
            if number > 0 {
                self.line_for(start, 0, false);
            }
            self.statement(*statement, (start, end), 0);
        }
    }

    fn statement(&mut self, statement: Statement<'_>, range: (usize, usize), indent: usize) {
        match statement {
            Statement::Clause(clause) => {
                let mut points = Vec::new();
                self.clause_points(&clause.kind, &mut points);
                self.layout(range, indent, indent + 2, &points);
            }
            Statement::Step(step) => self.step(step, range, indent),
        }
    }
}

#[derive(Clone, Copy)]
enum Statement<'a> {
    Clause(&'a Clause),
    Step(&'a Step),
}

impl Statement<'_> {
    fn start(self) -> u32 {
        match self {
            Statement::Clause(clause) => clause.span.start,
            Statement::Step(step) => step.span.start,
        }
    }
}

fn statements(decl: &JourneyDecl) -> Vec<Statement<'_>> {
    decl.header.iter().map(Statement::Clause).chain(decl.body.iter().map(Statement::Step)).collect()
}

/// The tokens with which the lines of an api's braces begin.
pub(super) fn api_lines(tokens: &[Token], decl: &ApiDecl) -> Vec<usize> {
    const WORDS: [&str; 8] = ["get", "post", "put", "patch", "delete", "header", "body", "timeout"];
    let at = |place: u32| super::marks::token_at(tokens, place);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let head = decl.answer.as_ref().map_or_else(
        || decl.params.last().map_or(decl.name.span.end, |param| param.span.end),
        |answer| answer.span.end,
    );
    let mut lines = Vec::new();
    let mut depth = 0;
    for number in at(head)..at(decl.span.end) {
        match text(number) {
            "{" => depth += 1,
            "}" => depth -= 1,
            word if depth == 1 && WORDS.contains(&word) && text(number.saturating_sub(1)) != "env" => {
                lines.push(number);
            }
            _ => {}
        }
    }
    lines
}
