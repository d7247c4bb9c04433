//! Calls, also those that look at events, and records.

use super::expression::query_of;
use super::{broken, has_rule, Lower, Node};
use crate::ast::{Aggregate, Expr, ExprKind, Name};
use crate::codes;
use crate::error::SyntaxError;
use crate::parser::Rule;
use crate::span::Span;

impl Lower<'_> {
    /// `lower(x)`, `count(E …)`, `sum(field of E …)`, `last(E …)`
    pub fn call(&mut self, pair: Node<'_>) -> Expr {
        let span = self.span(&pair);
        let whole = !has_rule(&pair, Rule::skipped_in_paren);
        let mut kids = self.kids(pair);
        let Some(name) = self.name(&mut kids) else { return broken(span) };
        let mut args = Vec::new();
        let mut fields = Vec::new();
        while let Some(arg) = kids.take(Rule::call_argument) {
            let mut kids = self.kids(arg);
            if let Some(word) = kids.take(Rule::word) {
                fields.push(self.name_of(&word));
            }
            args.push(self.windowed_value(&mut kids));
        }
        if !whole {
            return broken(span);
        }
        let function = match name.text.as_str() {
            "count" => Some(Aggregate::Count),
            "sum" => Some(Aggregate::Sum),
            // `min(a, b)` may be the function of two numbers.
            "min" if args.len() < 2 => Some(Aggregate::Min),
            "max" if args.len() < 2 => Some(Aggregate::Max),
            "avg" => Some(Aggregate::Avg),
            _ => None,
        };
        let pick = match name.text.as_str() {
            "last" => Some(false),
            "first" => Some(true),
            _ => None,
        };
        if function.is_none() && pick.is_none() {
            if let Some(field) = fields.first() {
                let known = "`sum`, `min`, `max` and `avg`";
                self.report(
                    SyntaxError::new(
                        codes::AGGREGATE,
                        field.span,
                        format!("`{}` takes no field of an event", name.text),
                    )
                    .help(format!("{known} are computed over the field of an event")),
                );
                return broken(span);
            }
            return Expr { kind: ExprKind::Call(name, args), span };
        }
        self.over_events(&name, function, pick, (fields, args), span)
    }

    fn over_events(
        &mut self,
        name: &Name,
        function: Option<Aggregate>,
        pick: Option<bool>,
        (mut fields, mut args): (Vec<Name>, Vec<Expr>),
        span: Span,
    ) -> Expr {
        if args.iter().any(|a| matches!(a.kind, ExprKind::Broken)) {
            return broken(span);
        }
        let wants_field = function.is_some_and(|f| f != Aggregate::Count);
        let example = match (wants_field, pick) {
            (true, _) => format!("{}(order_value of purchased in last 30d)", name.text),
            (false, Some(_)) => format!("{}(purchased).order_value", name.text),
            (false, None) => format!("{}(purchased in last 30d)", name.text),
        };
        let query = match (args.pop(), args.is_empty()) {
            (Some(arg), true) => query_of(&arg),
            _ => None,
        };
        let field = fields.pop();
        let (Some(query), true) = (query, field.is_some() == wants_field) else {
            let wants = if wants_field { "the field of an event" } else { "one event" };
            self.report(
                SyntaxError::new(codes::AGGREGATE, span, format!("`{}` is computed over {wants}", name.text))
                    .help(format!("write it like `{example}`")),
            );
            return broken(span);
        };
        let kind = match (function, pick) {
            (Some(function), _) => ExprKind::Aggregate { function, field, query },
            (None, Some(first)) => ExprKind::Pick { first, query },
            (None, None) => ExprKind::Broken,
        };
        Expr { kind, span }
    }

    /// `{ k: v }`
    pub fn record(&mut self, pair: Option<Node<'_>>) -> Vec<(Name, Expr)> {
        let Some(pair) = pair else { return Vec::new() };
        let mut kids = self.kids(pair);
        let mut entries = Vec::new();
        while let Some(kid) = kids.next() {
            match kid.as_rule() {
                Rule::record_entry => entries.extend(self.record_entry(kid)),
                Rule::stray_line => self.stray_line(&kid, "`key: value`", &[]),
                _ => {}
            }
        }
        entries
    }

    fn record_entry(&mut self, pair: Node<'_>) -> Option<(Name, Expr)> {
        let mut kids = self.kids(pair);
        let key = match kids.take(Rule::habit_quoted_key) {
            Some(quoted) => {
                let span = self.span(&quoted);
                let text = span.text(self.text).trim_matches('"').to_owned();
                self.report(SyntaxError::new(codes::KEY_SPELLING, span, "a key has no quotes").fix(span, text.clone()));
                Name { text, span }
            }
            None => self.name(&mut kids)?,
        };
        if let Some(equals) = kids.take(Rule::habit_equals_for_colon) {
            let span = self.span(&equals);
            self.report(SyntaxError::new(codes::KEY_SPELLING, span, "a key is followed by `:`").fix(span, ":"));
        }
        Some((key, self.value(&mut kids)))
    }
}
