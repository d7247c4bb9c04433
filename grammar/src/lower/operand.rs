//! What operators stand between: a value with the fields and the window behind it.

use super::expression::{occurred, query_of};
use super::{broken, has_rule, Lower, Node};
use crate::ast::{Expr, ExprKind, Window};
use crate::codes;
use crate::error::SyntaxError;
use crate::parser::Rule;
use crate::scan::MAX_NESTING;

impl Lower<'_> {
    /// A primary, its fields and its window; the flag is set by `not in last`.
    pub(super) fn operand(&mut self, pair: Node<'_>) -> (Expr, bool) {
        let mut kids = self.kids(pair);
        let mut expr = match kids.take(Rule::primary) {
            Some(primary) => self.primary(primary),
            None => broken(self.nowhere()),
        };
        let mut fields = 0;
        while let Some(access) = kids.take(Rule::field_access) {
            fields += 1;
            if fields > MAX_NESTING {
                self.report(SyntaxError::new(codes::CHAIN_TOO_LONG, expr.span, "these are too many fields of fields"));
                expr = broken(expr.span);
                break;
            }
            expr = self.field(expr, access);
        }
        let Some(window) = kids.take(Rule::window) else { return (expr, false) };
        let place = self.span(&window);
        let negated = window.clone().into_inner().any(|w| w.into_inner().any(|p| p.as_rule() == Rule::kw_not));
        let window = self.window(window);
        match query_of(&expr) {
            Some(mut query) => {
                query.window = Some(window);
                query.span = query.span.to(place);
                (occurred(query), negated)
            }
            None => {
                if !matches!(expr.kind, ExprKind::Broken) {
                    self.not_an_event(expr.span, place);
                }
                (broken(expr.span.to(place)), negated)
            }
        }
    }

    /// `.field`
    fn field(&mut self, of: Expr, access: Node<'_>) -> Expr {
        let whole = of.span.to(self.span(&access));
        let mut kids = self.kids(access);
        match self.name(&mut kids) {
            Some(name) => Expr { span: whole, kind: ExprKind::Field(Box::new(of), name) },
            None => broken(whole),
        }
    }

    fn window(&mut self, pair: Node<'_>) -> Window {
        let span = self.span(&pair);
        let mut kids = self.kids(pair);
        if let Some(habit) = kids.find(|r| matches!(r, Rule::habit_window | Rule::habit_last_unit)) {
            return Window::Last(Box::new(self.habit_window(habit)));
        }
        let Some(last) = kids.take(Rule::window_last) else { return Window::Ever(span) };
        let mut kids = self.kids(last);
        let length = match kids.take(Rule::window_length) {
            Some(length) => {
                let mut kids = self.kids(length);
                let mut value = match kids.next() {
                    Some(pair) => self.primary_kind(pair),
                    None => broken(span),
                };
                while let Some(access) = kids.take(Rule::field_access) {
                    value = self.field(value, access);
                }
                self.unquoted(value)
            }
            None => broken(span),
        };
        Window::Last(Box::new(length))
    }

    fn primary(&mut self, pair: Node<'_>) -> Expr {
        let span = self.span(&pair);
        let mut kids = self.kids(pair);
        match kids.next() {
            Some(pair) => self.primary_kind(pair),
            None => broken(span),
        }
    }

    fn primary_kind(&mut self, pair: Node<'_>) -> Expr {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::paren => {
                let whole = !has_rule(&pair, Rule::skipped_in_paren);
                let mut kids = self.kids(pair);
                let value = self.windowed_value(&mut kids);
                if let Some(more) = kids.take(Rule::habit_tuple) {
                    return self.list_in_round_brackets(span, value, more);
                }
                // The brackets are part of the place, so that a fix can replace the whole.
                return if whole { Expr { span, ..value } } else { broken(span) };
            }
            Rule::list => {
                let mut kids = self.kids(pair);
                let mut values = Vec::new();
                while let Some(value) = kids.take(Rule::expr) {
                    values.push(self.expr(value));
                }
                ExprKind::List(values)
            }
            Rule::record_value => {
                let mut kids = self.kids(pair);
                let record = kids.take(Rule::record);
                ExprKind::Record(self.record(record))
            }
            Rule::string => return self.text(pair),
            Rule::habit_clock => return self.clock(&pair),
            Rule::moment => return self.moment(pair),
            Rule::time => self.time_of_day(&pair).map_or(ExprKind::Broken, ExprKind::TimeOfDay),
            Rule::percent => self.percent(&pair).map_or(ExprKind::Broken, ExprKind::Percent),
            Rule::compound_duration => return self.compound_duration(&pair),
            Rule::duration => return self.duration_lit(&pair),
            Rule::number => return self.number(&pair),
            Rule::bad_number => return self.bad_number(&pair),
            Rule::habit_point_number => return self.point_number(&pair),
            Rule::kw_true => ExprKind::Bool(true),
            Rule::kw_false => ExprKind::Bool(false),
            Rule::kw_now => ExprKind::Now,
            Rule::kw_today => ExprKind::Today,
            Rule::kw_missing => ExprKind::Missing,
            Rule::weekday => weekday_of(pair.as_str()).map_or(ExprKind::Broken, ExprKind::Weekday),
            Rule::can => {
                let mut kids = self.kids(pair);
                self.name(&mut kids).map_or(ExprKind::Broken, ExprKind::Can)
            }
            Rule::call => return self.call(pair),
            Rule::habit_bool => {
                let right = pair.as_str().to_lowercase();
                self.capitals(span, &right);
                ExprKind::Bool(right == "true")
            }
            Rule::habit_null => {
                self.report(
                    SyntaxError::new(codes::NULL, span, format!("there is no `{}`", pair.as_str()))
                        .help("ask with `is missing` or `is known`; `A ?? B` is B where A is missing"),
                );
                ExprKind::Broken
            }
            Rule::habit_never => {
                self.never(span);
                ExprKind::Broken
            }
            Rule::habit_asked => {
                self.asked(span);
                ExprKind::Broken
            }
            Rule::habit_how_often => {
                self.how_often(span);
                ExprKind::Broken
            }
            Rule::habit_member => self.member(span),
            Rule::name => ExprKind::Name(self.name_of(&pair)),
            _ => ExprKind::Broken,
        };
        Expr { kind, span }
    }
}

/// 0 for Monday.
pub(super) fn weekday_of(word: &str) -> Option<u8> {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    DAYS.iter().position(|day| *day == word).and_then(|i| u8::try_from(i).ok())
}
