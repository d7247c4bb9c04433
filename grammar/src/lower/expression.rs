//! Expressions: the grammar's flat list of operands and operators, grouped by precedence.
//!
//! Loosest first: `or`, `and`, `not`, comparisons, `??`, `+ -`, `* /`, unary `-`, `.field`. A
//! window and a `where` bind to the event's name before them; `where` then reaches as far right as
//! it can.

use super::literal::unit_of;
use super::phrases::{in_words, operator_meant};
use super::{broken, Kids, Lower, Node};
use crate::ast::{BinaryOp, EventQuery, EventRef, Expr, ExprKind, Window};
use crate::codes;
use crate::error::SyntaxError;
use crate::parser::Rule;
use crate::span::Span;
use std::collections::VecDeque;

/// How many operands and operators an expression may have, those around its brackets included: no
/// path down its tree is longer.
pub(crate) const MAX_OPERATORS: usize = 1_000;

const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARISON: u8 = 4;
pub(super) const COALESCE: u8 = 5;
const SUM: u8 = 6;
pub(super) const PRODUCT: u8 = 7;
const UNARY: u8 = 8;

/// One element of the flat list.
enum Element<'i> {
    Not(Span),
    Minus(Span),
    Operand(Node<'i>),
    Missing(Span),
    Infix(Rule, Span),
    Is(Node<'i>),
}

/// The list, and whether a `where` belongs to somebody further left.
pub(super) struct Climb<'i> {
    list: VecDeque<Element<'i>>,
    where_is_taken: bool,
}

impl Climb<'_> {
    fn next_infix(&self) -> Option<(Rule, Span)> {
        match self.list.front() {
            Some(Element::Infix(rule, span)) => Some((*rule, *span)),
            _ => None,
        }
    }
}

impl<'s> Lower<'s> {
    /// An `expr` pair.
    pub fn expr(&mut self, pair: Node<'_>) -> Expr {
        let span = self.span(&pair);
        let list = self.flatten(pair);
        let around = self.operators;
        self.operators += list.len();
        if self.operators > MAX_OPERATORS {
            self.operators = around;
            self.report(SyntaxError::new(codes::CHAIN_TOO_LONG, span, "this expression is too long").help(format!(
                "an expression has at most {MAX_OPERATORS} parts; use `in [..]`, or name a part of it with `segment`"
            )));
            return broken(span);
        }
        let mut climb = Climb { list, where_is_taken: false };
        let expr = self.climb(&mut climb, OR);
        self.operators = around;
        expr
    }

    /// A value, and the condition of a `where` that stands behind it and is none of its own.
    pub fn value_then_where(&mut self, kids: &mut Kids<'_>) -> (Expr, Option<Expr>) {
        let is_where = |pair: &Node<'_>| {
            pair.as_rule() == Rule::infix && pair.clone().into_inner().any(|p| p.as_rule() == Rule::op_where)
        };
        let Some(pair) = kids.find(|r| matches!(r, Rule::expr | Rule::missing_duration)) else {
            return (broken(self.nowhere()), None);
        };
        if pair.as_rule() != Rule::expr || !pair.clone().into_inner().any(|p| is_where(&p)) {
            let value = if pair.as_rule() == Rule::expr { self.expr(pair) } else { broken(self.span(&pair)) };
            return (value, None);
        }
        let mut list = self.flatten(pair);
        let at = list.iter().position(|e| matches!(e, Element::Infix(Rule::op_where, _))).unwrap_or(list.len());
        let mut rest = list.split_off(at);
        rest.pop_front();
        let value = self.climb(&mut Climb { list, where_is_taken: false }, OR);
        let condition = self.climb(&mut Climb { list: rest, where_is_taken: false }, OR);
        (value, Some(condition))
    }

    fn flatten<'i>(&mut self, pair: Node<'i>) -> VecDeque<Element<'i>> {
        let mut list = VecDeque::new();
        let mut kids = self.kids(pair);
        while let Some(kid) = kids.next() {
            let span = self.span(&kid);
            match kid.as_rule() {
                Rule::operand => {
                    for prefix in kid.clone().into_inner().filter(|p| p.as_rule() == Rule::prefix) {
                        list.push_back(self.prefix(&prefix));
                    }
                    list.push_back(Element::Operand(kid));
                }
                Rule::infix => {
                    if let Some(operator) = kid.into_inner().next() {
                        let (rule, span) = self.operator(&operator);
                        list.push_back(Element::Infix(rule, span));
                    }
                }
                Rule::is_check => list.push_back(Element::Is(kid)),
                _ => list.push_back(Element::Missing(span)),
            }
        }
        list
    }

    fn prefix<'i>(&mut self, pair: &Node<'i>) -> Element<'i> {
        let span = self.span(pair);
        match pair.clone().into_inner().next().map(|p| p.as_rule()) {
            Some(Rule::habit_bang) => {
                let bang = Span::new(self.file, span.start, span.start + 1);
                self.report(SyntaxError::new(codes::OPERATOR_SPELLING, bang, "`!` is written `not`").fix(bang, "not "));
                Element::Not(span)
            }
            Some(_) => {
                self.capitals(span, "not");
                Element::Not(span)
            }
            None => Element::Minus(span),
        }
    }

    /// The operator that is meant; another spelling is answered with the right one.
    fn operator(&mut self, pair: &Node<'_>) -> (Rule, Span) {
        let span = self.span(pair);
        let written = in_words(span.text(self.text));
        let (rule, right) = match operator_meant(pair.as_rule(), &written) {
            // In a text, what stands behind `||` is said where the value is missing.
            Some((Rule::op_or, _)) if self.in_hole => (Rule::op_coalesce, "??"),
            Some(meant) => meant,
            None => return (pair.as_rule(), span),
        };
        let code = match written.as_str() {
            "=" => codes::SINGLE_EQUALS,
            w if w.eq_ignore_ascii_case(right) => codes::CAPITALS,
            _ => codes::OPERATOR_SPELLING,
        };
        let message = if code == codes::SINGLE_EQUALS {
            "`=` gives a value; `==` compares".to_owned()
        } else {
            format!("`{written}` is written `{right}`")
        };
        self.report(SyntaxError::new(code, span, message).fix(span, right));
        (rule, span)
    }

    /// Reports a keyword in capitals.
    pub(super) fn capitals(&mut self, span: Span, right: &str) {
        let written = span.text(self.text);
        if written != right && written.eq_ignore_ascii_case(right) {
            let message = format!("`{written}` is written `{right}`");
            self.report(SyntaxError::new(codes::CAPITALS, span, message).fix(span, right));
        }
    }

    /// Reads an expression whose operators bind at least as tightly as `least`.
    pub(super) fn climb(&mut self, climb: &mut Climb<'_>, least: u8) -> Expr {
        let mut left = self.climb_operand(climb);
        // The comparison that has just been read, for `a < b < c`.
        let mut compared: Option<Expr> = None;
        loop {
            match climb.list.front() {
                Some(Element::Is(_)) if least <= COMPARISON => {
                    let Some(Element::Is(check)) = climb.list.pop_front() else { return left };
                    if compared.is_some() {
                        self.chained(self.span(&check));
                    }
                    left = self.is_check(left, check);
                    compared = Some(broken(left.span));
                }
                Some(Element::Infix(rule, span)) => {
                    let (rule, span) = (*rule, *span);
                    if matches!(rule, Rule::op_where | Rule::op_since) {
                        if climb.where_is_taken {
                            return left;
                        }
                        climb.list.pop_front();
                        left = self.misplaced_window(climb, left, span);
                        continue;
                    }
                    let power = power_of(rule);
                    if power < least {
                        return left;
                    }
                    climb.list.pop_front();
                    if matches!(rule, Rule::habit_like | Rule::habit_remainder) {
                        left = self.foreign_operator(climb, left, rule, span);
                        compared = None;
                    } else if power == COMPARISON {
                        if let Some(middle) = compared.take() {
                            self.chained(span);
                            let (right, last) = self.comparison(climb, middle, rule);
                            compared = Some(last);
                            left = binary(BinaryOp::And, left, right);
                        } else {
                            let (whole, last) = self.comparison(climb, left, rule);
                            compared = Some(last);
                            left = whole;
                        }
                    } else {
                        let right = self.climb(climb, power + 1);
                        left = match binary_op(rule) {
                            Some(op) => binary(op, left, right),
                            None => broken(left.span.to(right.span)),
                        };
                        compared = None;
                    }
                }
                // The grammar puts an operator between two operands.
                _ => return left,
            }
        }
    }

    fn chained(&mut self, operator: Span) {
        self.report(
            SyntaxError::new(codes::CHAINED_COMPARISON, operator, "comparisons do not stand in a row")
                .help("write `a < b and b < c`, or `b between a and c`"),
        );
    }

    /// The rest of a comparison; also its right side alone.
    fn comparison(&mut self, climb: &mut Climb<'_>, left: Expr, rule: Rule) -> (Expr, Expr) {
        if matches!(rule, Rule::op_equal | Rule::op_not_equal) {
            if let Some(null) = null_operand(climb) {
                let span = self.span(&null);
                climb.list.pop_front();
                return (self.compared_with_null(left, rule == Rule::op_equal, span), broken(span));
            }
        }
        let right = self.climb(climb, COALESCE);
        let last = right.clone();
        let span = left.span.to(right.span);
        let whole = match rule {
            Rule::op_in => Expr { kind: ExprKind::In(Box::new(left), Box::new(right)), span },
            Rule::op_not_in => {
                let inner = Expr { kind: ExprKind::In(Box::new(left), Box::new(right)), span };
                Expr { kind: ExprKind::Not(Box::new(inner)), span }
            }
            Rule::op_between => {
                let high = self.after_and(climb, COALESCE, right.span);
                let span = span.to(high.span);
                Expr { kind: ExprKind::Between(Box::new(left), Box::new(right), Box::new(high)), span }
            }
            _ => match binary_op(rule) {
                Some(op) => binary(op, left, right),
                None => broken(span),
            },
        };
        (whole, last)
    }

    /// The upper end of a `between`.
    fn after_and(&mut self, climb: &mut Climb<'_>, least: u8, low: Span) -> Expr {
        if climb.next_infix().is_some_and(|(rule, _)| rule == Rule::op_and) {
            climb.list.pop_front();
            return self.climb(climb, least);
        }
        let end = Span::new(self.file, low.end, low.end);
        let next = self.start_after(low.end as usize);
        let error = SyntaxError::new(codes::EXPECTED, end, "expected `and` and the upper end of `between`")
            .help("write `x between 10 and 20`");
        let to = self.token_span(next);
        self.report(if self.token_at(next) == "to" { error.fix(to, "and") } else { error });
        self.reported.insert(next);
        broken(end)
    }

    /// `x == null`
    fn compared_with_null(&mut self, left: Expr, equal: bool, null: Span) -> Expr {
        let from = Span::new(self.file, left.span.end, null.end);
        let right = if equal { " is missing" } else { " is known" };
        let span = left.span.to(null);
        let written = from.text(self.text).split_whitespace().collect::<Vec<_>>().join(" ");
        let message = format!("`{written}` is written `{}`", right.trim());
        self.report(SyntaxError::new(codes::NULL, null, message).fix(from, right));
        let kind = if equal { ExprKind::IsMissing(Box::new(left)) } else { ExprKind::IsKnown(Box::new(left)) };
        Expr { kind, span }
    }

    /// `x is missing`, `x is known`, and what people write instead.
    fn is_check(&mut self, left: Expr, pair: Node<'_>) -> Expr {
        let whole = self.span(&pair);
        let span = left.span.to(whole);
        let mut kids = self.kids(pair);
        let habit = kids.find(|r| matches!(r, Rule::habit_is_not | Rule::habit_is_null | Rule::habit_exists));
        let missing = match habit {
            Some(habit) => self.null_check(&habit, whole),
            None if kids.has(Rule::is_missing) => true,
            None if kids.has(Rule::is_known) => false,
            None => return broken(span),
        };
        let left = Box::new(left);
        Expr { kind: if missing { ExprKind::IsMissing(left) } else { ExprKind::IsKnown(left) }, span }
    }

    /// A prefix operator, or an operand with the window and `where` that belong to it.
    fn climb_operand(&mut self, climb: &mut Climb<'_>) -> Expr {
        match climb.list.pop_front() {
            Some(Element::Not(span)) => {
                let inner = self.climb(climb, NOT);
                Expr { span: span.to(inner.span), kind: ExprKind::Not(Box::new(inner)) }
            }
            Some(Element::Minus(span)) => {
                let inner = self.climb(climb, UNARY);
                Expr { span: span.to(inner.span), kind: ExprKind::Negate(Box::new(inner)) }
            }
            Some(Element::Operand(pair)) => {
                let (expr, negated) = self.operand(pair);
                if let Some(between) = self.units_between(climb, &expr) {
                    return between;
                }
                let expr = self.event_parts(climb, expr);
                if negated {
                    return Expr { span: expr.span, kind: ExprKind::Not(Box::new(expr)) };
                }
                expr
            }
            Some(Element::Missing(span)) => broken(span),
            Some(other) => {
                // Not possible by the grammar: an operator where an operand must be.
                climb.list.push_front(other);
                broken(self.nowhere())
            }
            None => broken(self.nowhere()),
        }
    }

    /// `days between a and b`: tighter than a comparison and `??`.
    fn units_between(&mut self, climb: &mut Climb<'_>, word: &Expr) -> Option<Expr> {
        let ExprKind::Name(name) = &word.kind else { return None };
        let unit = unit_of(&name.text).filter(|_| name.text.len() > 3)?;
        if climb.next_infix()?.0 != Rule::op_between {
            return None;
        }
        climb.list.pop_front();
        let from = self.climb(climb, SUM);
        let to = self.after_and(climb, SUM, from.span);
        let span = word.span.to(to.span);
        Some(Expr { kind: ExprKind::UnitsBetween(unit, Box::new(from), Box::new(to)), span })
    }

    /// `since EXPR` and `where COND` behind an event's name.
    fn event_parts(&mut self, climb: &mut Climb<'_>, mut expr: Expr) -> Expr {
        if climb.where_is_taken {
            return expr;
        }
        if climb.next_infix().is_some_and(|(rule, _)| rule == Rule::op_since) {
            let Some(mut query) = query_of(&expr).filter(|q| q.window.is_none()) else { return expr };
            climb.list.pop_front();
            climb.where_is_taken = true;
            let since = self.climb(climb, COALESCE);
            climb.where_is_taken = false;
            query.span = query.span.to(since.span);
            query.window = Some(Window::Since(Box::new(since)));
            expr = occurred(query);
        }
        if climb.next_infix().is_some_and(|(rule, _)| rule == Rule::op_where) {
            let Some(mut query) = query_of(&expr) else { return expr };
            climb.list.pop_front();
            let filter = self.climb(climb, OR);
            query.span = query.span.to(filter.span);
            query.filter = Some(Box::new(filter));
            expr = occurred(query);
        }
        expr
    }

    /// A `where` or `since` behind something that cannot be an event.
    fn misplaced_window(&mut self, climb: &mut Climb<'_>, left: Expr, operator: Span) -> Expr {
        let right = self.climb(climb, OR);
        if !matches!(left.kind, ExprKind::Broken) {
            self.not_an_event(left.span, operator);
        }
        broken(left.span.to(right.span))
    }

    pub(super) fn not_an_event(&mut self, what: Span, operator: Span) {
        self.report(
            SyntaxError::new(codes::NOT_AN_EVENT, what, "this is not the name of an event")
                .help("`where`, `in last`, `ever` and `since` stand right behind an event's name: `purchased in last 30d`")
                .label(operator, "asked of it here"),
        );
    }
}

/// The `null` that comes next in the list, if that is what comes next.
fn null_operand<'i>(climb: &Climb<'i>) -> Option<Node<'i>> {
    let Some(Element::Operand(pair)) = climb.list.front() else { return None };
    let mut inner = pair.clone().into_inner();
    let primary = inner.next().filter(|p| p.as_rule() == Rule::primary)?;
    if inner.next().is_some() {
        return None;
    }
    primary.into_inner().next().filter(|p| p.as_rule() == Rule::habit_null)
}

/// The event that an expression names.
pub(super) fn query_of(expr: &Expr) -> Option<EventQuery> {
    let event = match &expr.kind {
        ExprKind::Occurred(query) => return Some(query.clone()),
        ExprKind::Name(name) => EventRef { name: name.clone(), outcome: None },
        ExprKind::Field(of, outcome) => match &of.kind {
            ExprKind::Name(name) => EventRef { name: name.clone(), outcome: Some(outcome.clone()) },
            _ => return None,
        },
        _ => return None,
    };
    Some(EventQuery { event, window: None, filter: None, span: expr.span })
}

pub(super) fn occurred(query: EventQuery) -> Expr {
    Expr { span: query.span, kind: ExprKind::Occurred(query) }
}

pub(super) fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    Expr { span: left.span.to(right.span), kind: ExprKind::Binary(op, Box::new(left), Box::new(right)) }
}

fn power_of(rule: Rule) -> u8 {
    match rule {
        Rule::op_or => OR,
        Rule::op_and => AND,
        Rule::op_coalesce => COALESCE,
        Rule::op_add | Rule::op_subtract => SUM,
        Rule::op_multiply | Rule::op_divide | Rule::habit_remainder => PRODUCT,
        _ => COMPARISON,
    }
}

fn binary_op(rule: Rule) -> Option<BinaryOp> {
    Some(match rule {
        Rule::op_or => BinaryOp::Or,
        Rule::op_and => BinaryOp::And,
        Rule::op_equal => BinaryOp::Equal,
        Rule::op_not_equal => BinaryOp::NotEqual,
        Rule::op_less => BinaryOp::Less,
        Rule::op_less_equal => BinaryOp::LessOrEqual,
        Rule::op_greater => BinaryOp::Greater,
        Rule::op_greater_equal => BinaryOp::GreaterOrEqual,
        Rule::op_contains => BinaryOp::Contains,
        Rule::op_starts => BinaryOp::StartsWith,
        Rule::op_ends => BinaryOp::EndsWith,
        Rule::op_coalesce => BinaryOp::Coalesce,
        Rule::op_add => BinaryOp::Add,
        Rule::op_subtract => BinaryOp::Subtract,
        Rule::op_multiply => BinaryOp::Multiply,
        Rule::op_divide => BinaryOp::Divide,
        _ => return None,
    })
}
