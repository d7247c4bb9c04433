//! Conditions: what can be compared with what.

use super::check::Check;
use super::facts;
use super::offers::MARK;
use super::shape::{Class, Shape, Variable};
use crate::codes as code;
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;
use flow_grammar::liquid::{Condition, Expr, ExprKind, Joiner, Operator};
use flow_grammar::span::Span;

impl Check<'_> {
    /// Checks a condition; what its first parts show, the later ones may use.
    pub(super) fn condition(&mut self, condition: &Condition) {
        let before = self.facts.clone();
        for (at, (part, joiner)) in condition.parts.iter().enumerate() {
            let left = self.value(&part.left);
            if let Some((operator, right_expr)) = &part.right {
                let right = self.value(right_expr);
                self.comparable(&left, &part.left, *operator, &right, right_expr, part.span);
            }
            let alone = Condition { parts: condition.parts.get(at..=at).unwrap_or_default().to_vec(), span: part.span };
            let alone = Condition { parts: alone.parts.into_iter().map(|(part, _)| (part, None)).collect(), ..alone };
            let (held, failed) = facts::of_condition(&alone);
            match joiner {
                Some(Joiner::And) => self.facts.extend(held),
                Some(Joiner::Or) => self.facts.extend(failed),
                None => {}
            }
        }
        self.facts = before;
    }

    /// Reports a comparison that can never hold.
    pub(super) fn comparable(
        &mut self,
        left: &Variable,
        left_expr: &Expr,
        operator: Operator,
        right: &Variable,
        right_expr: &Expr,
        span: Span,
    ) {
        let nothing =
            |expr: &Expr| matches!(expr.kind, ExprKind::Nil | ExprKind::Blank | ExprKind::Empty | ExprKind::Broken);
        if nothing(left_expr) || nothing(right_expr) {
            return;
        }
        if operator == Operator::Contains {
            self.containing(left, right, span);
            return;
        }
        self.one_of(left, right_expr);
        self.one_of(right, left_expr);
        let (a, b) = (left.shape.class(), right.shape.class());
        if a == Class::Any || b == Class::Any {
            return;
        }
        let ordered =
            matches!(operator, Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual);
        if a == b && !(ordered && matches!(a, Class::Bool | Class::List | Class::Record)) {
            return;
        }
        let (left, right) = (left.shape.words(), right.shape.words());
        let message = if a == b {
            format!("`{}` has no order to go by: both sides are {left}", operator.symbol())
        } else {
            format!("{left} is compared with {right}, which never agree")
        };
        let found = Diagnostic::error(code::TEMPLATE_COMPARE, span, message);
        self.found.push(match (a, b) {
            (Class::Text, Class::Number) | (Class::Number, Class::Text) => {
                let quoted = [left_expr, right_expr].into_iter().find_map(|expr| match &expr.kind {
                    ExprKind::Text(text) if text.parse::<f64>().is_ok() => Some(text.clone()),
                    _ => None,
                });
                match quoted {
                    Some(text) => found.help(format!("write the number without quotes: `{text}`")),
                    None => found.help("declare the text as a number where it comes from, or compare it with a text"),
                }
            }
            (Class::Moment, Class::Text) | (Class::Text, Class::Moment) => {
                found.help("make a text of the date first, with `assign day = … | date: \"%Y-%m-%d\"`")
            }
            _ => found,
        });
    }

    /// A text that is none of the values there are.
    fn one_of(&mut self, variable: &Variable, expr: &Expr) {
        let (Shape::OneOf(values), ExprKind::Text(text)) = (&variable.shape, &expr.kind) else { return };
        if text == MARK {
            return self.tell_values(values);
        }
        if values.iter().any(|value| value == text) {
            return;
        }
        let message = format!("`{text}` is none of the values that there are");
        let found = Diagnostic::error(code::TEMPLATE_COMPARE, expr.span, message);
        self.found.push(match nearest(text, values.iter().map(String::as_str)) {
            Some(near) => found.help(format!("did you mean `{near}`?")),
            None => {
                let all: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
                found.help(format!("they are {}", all.join(", ")))
            }
        });
    }

    fn containing(&mut self, left: &Variable, right: &Variable, span: Span) {
        let wrong = match &left.shape {
            Shape::Any | Shape::Text | Shape::OneOf(_) | Shape::Record(_) => return,
            Shape::List(element) => {
                let (a, b) = (element.shape.class(), right.shape.class());
                if a == b || a == Class::Any || b == Class::Any {
                    return;
                }
                format!("{} is looked for in a list that holds {}", right.shape.words(), element.shape.words())
            }
            other => format!("`contains` looks into a text or a list, and this is {}", other.words()),
        };
        self.found.push(Diagnostic::error(code::TEMPLATE_COMPARE, span, wrong));
    }
}
