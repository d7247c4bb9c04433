//! Where long expressions, clauses and lines may be broken.

use super::printer::{Break, Point, Printer};
use crate::ast::*;
use crate::span::Span;

pub(super) type Points = Vec<Point>;

impl Printer<'_> {
    fn further(&self, at: usize, level: usize, points: &mut Points) {
        points.push(Point { at, level, kind: Break::Further });
    }

    /// Breaks before the word right before a place: `where` before its condition.
    pub fn word_before(&self, place: Span, level: usize, points: &mut Points) {
        self.further(self.at(place.start).saturating_sub(1), level, points);
    }

    /// Breaks inside of brackets that end before the token `end`, around the things in them.
    fn brackets(&self, starts: &[u32], end: usize, comma: bool, level: usize, points: &mut Points) {
        for start in starts {
            points.push(Point { at: self.at(*start), level, kind: Break::Inside });
        }
        if !starts.is_empty() {
            points.push(Point { at: end, level, kind: Break::Close(comma) });
        }
    }

    /// The bracket that closes behind the last thing of a list.
    fn closer(&self, last_end: u32) -> usize {
        let at = self.at(last_end);
        if self.is(at, ",") {
            at + 1
        } else {
            at
        }
    }

    pub fn record_points(&self, entries: &[(Name, Expr)], level: usize, points: &mut Points) {
        let Some((_, last)) = entries.last() else { return };
        let starts: Vec<u32> = entries.iter().map(|(key, _)| key.span.start).collect();
        self.brackets(&starts, self.closer(last.span.end), true, level, points);
        for (_, value) in entries {
            self.expr_points(value, level + 1, points);
        }
    }

    pub fn argument_points(&self, args: &[(Option<Name>, Expr)], level: usize, points: &mut Points) {
        let Some((_, last)) = args.last() else { return };
        let start = |(name, value): &(Option<Name>, Expr)| name.as_ref().map_or(value.span.start, |n| n.span.start);
        let starts: Vec<u32> = args.iter().map(start).collect();
        self.brackets(&starts, self.closer(last.span.end), false, level, points);
        for (_, value) in args {
            self.expr_points(value, level + 1, points);
        }
    }

    pub fn param_points(&self, params: &[FieldDecl], level: usize, points: &mut Points) {
        let Some(last) = params.last() else { return };
        let starts: Vec<u32> = params.iter().map(|param| param.span.start).collect();
        self.brackets(&starts, self.closer(last.span.end), false, level, points);
    }

    fn list_points(&self, values: &[Expr], comma: bool, level: usize, points: &mut Points) {
        let Some(last) = values.last() else { return };
        let starts: Vec<u32> = values.iter().map(|value| value.span.start).collect();
        self.brackets(&starts, self.closer(last.span.end), comma, level, points);
        for value in values {
            self.expr_points(value, level + 1, points);
        }
    }

    fn query_points(&self, query: &EventQuery, level: usize, points: &mut Points) {
        if let Some(filter) = &query.filter {
            self.word_before(filter.span, level, points);
            self.expr_points(filter, level + 1, points);
        }
    }

    pub fn expr_points(&self, expr: &Expr, level: usize, points: &mut Points) {
        match &expr.kind {
            ExprKind::Binary(op, left, right) => {
                let operator = (self.at(left.span.end)..).find(|at| !self.is(*at, ")")).unwrap_or(0);
                self.further(operator, level, points);
                let chain = matches!(op, BinaryOp::And | BinaryOp::Or);
                let same = chain && matches!(&left.kind, ExprKind::Binary(inner, ..) if inner == op);
                let in_brackets = self.is(self.at(left.span.start), "(") && self.is(operator.saturating_sub(1), ")");
                self.expr_points(left, if same && !in_brackets { level } else { level + 1 }, points);
                self.expr_points(right, level + 1, points);
            }
            ExprKind::Not(inner)
            | ExprKind::Negate(inner)
            | ExprKind::IsMissing(inner)
            | ExprKind::IsKnown(inner)
            | ExprKind::Field(inner, _) => self.expr_points(inner, level, points),
            ExprKind::In(value, list) => {
                self.expr_points(value, level + 1, points);
                self.expr_points(list, level, points);
            }
            ExprKind::Between(a, b, c) => [a, b, c].iter().for_each(|e| self.expr_points(e, level + 1, points)),
            ExprKind::UnitsBetween(_, a, b) => [a, b].iter().for_each(|e| self.expr_points(e, level + 1, points)),
            ExprKind::List(values) => self.list_points(values, true, level, points),
            ExprKind::Call(_, args) => self.list_points(args, false, level, points),
            ExprKind::Record(entries) => self.record_points(entries, level, points),
            ExprKind::Occurred(query) | ExprKind::Aggregate { query, .. } | ExprKind::Pick { query, .. } => {
                self.query_points(query, level, points);
            }
            _ => {}
        }
    }

    fn match_points(&self, event: &EventMatch, level: usize, points: &mut Points) {
        if let Some(filter) = &event.filter {
            self.word_before(filter.span, level, points);
            self.expr_points(filter, level + 1, points);
        }
    }

    pub fn clause_points(&self, kind: &ClauseKind, points: &mut Points) {
        match kind {
            ClauseKind::On(triggers) => {
                for (number, trigger) in triggers.iter().enumerate() {
                    if number > 0 {
                        self.further(self.at(trigger.span.start), 0, points);
                    }
                    self.trigger_points(&trigger.kind, points);
                }
            }
            ClauseKind::ExitOn(events) => {
                for (number, event) in events.iter().enumerate() {
                    if number > 0 {
                        self.further(self.at(event.event.span().start), 0, points);
                    }
                    self.match_points(event, 1, points);
                }
            }
            ClauseKind::ExitWhen(condition) => self.expr_points(condition, 0, points),
            ClauseKind::Goal { event, within } => {
                self.match_points(event, 0, points);
                if let Some(within) = within {
                    self.word_before(within.span, 0, points);
                }
            }
            _ => {}
        }
    }

    fn trigger_points(&self, kind: &TriggerKind, points: &mut Points) {
        match kind {
            TriggerKind::Event(event) => self.match_points(event, 1, points),
            TriggerKind::Without { event, without, within } => {
                self.match_points(event, 1, points);
                self.word_before(without.event.span(), 1, points);
                self.match_points(without, 1, points);
                self.word_before(within.span, 1, points);
            }
            TriggerKind::Enter(expr) | TriggerKind::Leave(expr) => self.expr_points(expr, 2, points),
            TriggerKind::Change { filter: Some(filter), .. } => {
                self.word_before(filter.span, 1, points);
                self.expr_points(filter, 2, points);
            }
            TriggerKind::Every { audience: Some(audience), .. } => {
                self.word_before(audience.span, 1, points);
                self.expr_points(audience, 2, points);
            }
            _ => {}
        }
    }

    pub fn bound_points(&self, bound: Option<&Bound>, points: &mut Points) {
        match bound {
            Some(Bound::UpTo(length)) => {
                self.further(self.at(length.span.start).saturating_sub(2), 0, points);
            }
            Some(Bound::Until(expr)) => self.word_before(expr.span, 0, points),
            None => {}
        }
    }

    pub fn test_points(&self, kind: &TestLineKind, points: &mut Points) {
        match kind {
            TestLineKind::User(entries) => self.record_points(entries, 0, points),
            TestLineKind::Given { args, answer, .. } => {
                if let Some(answer) = answer {
                    self.expr_points(answer, 0, points);
                }
                self.argument_points(args.as_deref().unwrap_or(&[]), 1, points);
            }
            TestLineKind::At(_, happening) | TestLineKind::After(_, happening) => match happening {
                Happening::Event(_, entries) | Happening::User(entries) => self.record_points(entries, 0, points),
                Happening::List(_) => {}
            },
            TestLineKind::Expect(Expectation::Condition(expr)) => self.expr_points(expr, 0, points),
            TestLineKind::Expect(_) | TestLineKind::Broken => {}
        }
    }
}
