//! Conditions in the words of other languages, answered with Flow's own.

use super::expression::{binary, Climb, COALESCE, PRODUCT};
use super::{broken, Lower, Node};
use crate::ast::{BinaryOp, Expr, ExprKind, Name, TextPart};
use crate::codes;
use crate::error::SyntaxError;
use crate::parser::Rule;
use crate::span::Span;

/// The operator that another spelling stands for, and how it is written.
pub(super) fn operator_meant(rule: Rule, written: &str) -> Option<(Rule, &'static str)> {
    let negated = written.to_lowercase().split_whitespace().any(|word| word == "not");
    Some(match rule {
        Rule::habit_and => (Rule::op_and, "and"),
        Rule::habit_or => (Rule::op_or, "or"),
        Rule::habit_not_equal => (Rule::op_not_equal, "!="),
        Rule::habit_is if negated => (Rule::op_not_equal, "!="),
        Rule::habit_equal | Rule::habit_is => (Rule::op_equal, "=="),
        Rule::habit_greater_equal => (Rule::op_greater_equal, ">="),
        Rule::habit_less_equal => (Rule::op_less_equal, "<="),
        Rule::habit_greater => (Rule::op_greater, ">"),
        Rule::habit_less => (Rule::op_less, "<"),
        Rule::habit_in if negated => (Rule::op_not_in, "not in"),
        Rule::habit_in => (Rule::op_in, "in"),
        Rule::habit_starts => (Rule::op_starts, "starts with"),
        Rule::habit_ends => (Rule::op_ends, "ends with"),
        Rule::habit_contains => (Rule::op_contains, "contains"),
        _ => return None,
    })
}

/// Words with one blank between them.
pub(super) fn in_words(written: &str) -> String {
    written.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Lower<'_> {
    /// `x LIKE "A%"`, `x % 2`: operators that Flow has not.
    pub(super) fn foreign_operator(&mut self, climb: &mut Climb<'_>, left: Expr, rule: Rule, span: Span) -> Expr {
        if rule == Rule::habit_like {
            let right = self.climb(climb, COALESCE);
            return self.like(left, right, span);
        }
        let right = self.climb(climb, PRODUCT + 1);
        let whole = left.span.to(right.span);
        let (what, help) = if span.text(self.text) == "^" {
            ("powers", "multiply: `x * x`".to_owned())
        } else {
            let (a, b) = (left.span.text(self.text), right.span.text(self.text));
            ("remainder", format!("write `{a} - floor({a} / {b}) * {b}`"))
        };
        let written = span.text(self.text).to_owned();
        let message = format!("there is no {what}: `{written}` is no operator");
        self.report(SyntaxError::new(codes::OPERATOR_SPELLING, span, message).help(help));
        broken(whole)
    }

    /// `x LIKE "A%"`
    fn like(&mut self, left: Expr, right: Expr, span: Span) -> Expr {
        let written = in_words(span.text(self.text));
        let whole = left.span.to(right.span);
        let error = SyntaxError::new(codes::OPERATOR_SPELLING, span, format!("`{written}` is no operator")).help(
            "texts are compared with `contains`, `starts with`, `ends with` and `==`; `lower(x)` makes letters small",
        );
        let plain = match &right.kind {
            ExprKind::Text(parts) => match parts.as_slice() {
                [TextPart::Literal(text)] => Some(text.clone()),
                _ => None,
            },
            _ => None,
        };
        let pattern = plain.filter(|_| written.eq_ignore_ascii_case("like"));
        let word = pattern.as_deref().and_then(|pattern| {
            let inner = pattern.trim_matches('%');
            let simple = !inner.is_empty() && !inner.contains(['%', '_']);
            let ends = (pattern.starts_with('%'), pattern.ends_with('%'));
            let word = match ends {
                (true, true) => ("contains", BinaryOp::Contains),
                (false, true) => ("starts with", BinaryOp::StartsWith),
                (true, false) => ("ends with", BinaryOp::EndsWith),
                (false, false) => ("==", BinaryOp::Equal),
            };
            simple.then(|| (word, inner.to_owned()))
        });
        let Some(((word, operator), inner)) = word else {
            self.report(error);
            return broken(whole);
        };
        let quoted = right.span.text(self.text).replacen('%', "", 2);
        self.report(error.fix(span.to(right.span), format!("{word} {quoted}")));
        let right = Expr { kind: ExprKind::Text(vec![TextPart::Literal(inner)]), span: right.span };
        binary(operator, left, right)
    }

    /// `never purchased`, `user has never purchased`
    pub(super) fn never(&mut self, span: Span) {
        let written = in_words(span.text(self.text));
        let name = last_word(&written);
        let right = if self.has_window(span) { format!("not {name}") } else { format!("not {name} ever") };
        let message = format!("`{written}` is written `{right}` here");
        self.report(SyntaxError::new(codes::WORD_SPELLING, span, message).fix(span, right));
    }

    /// `user has purchased`, `did not purchase`: an event's name alone asks that.
    pub(super) fn asked(&mut self, span: Span) {
        let written = in_words(span.text(self.text));
        let name = last_word(&written);
        let right = if written.contains(" not ") { format!("not {name}") } else { name.to_owned() };
        let error = SyntaxError::new(codes::WORD_SPELLING, span, "the name of an event alone asks whether it happened");
        self.report(if self.has_window(span) {
            error.help(format!("write `{right}`")).fix(span, right)
        } else {
            error.help(format!("`{right}` asks since this entry, `{right} ever` at any time"))
        });
    }

    /// `purchased more than 3 times`
    pub(super) fn how_often(&mut self, span: Span) {
        let written = in_words(span.text(self.text));
        let words: Vec<&str> = written.split(' ').collect();
        let name = words.first().copied().unwrap_or("");
        let count = words.iter().find(|word| word.starts_with(|c: char| c.is_ascii_digit())).copied().unwrap_or("1");
        let sign = match words.get(1).copied().unwrap_or("") {
            "more" => ">",
            "less" | "fewer" => "<",
            "at" if words.get(2) == Some(&"least") => ">=",
            "at" => "<=",
            _ => "==",
        };
        let error =
            SyntaxError::new(codes::WORD_SPELLING, span, "how often an event happened is counted with `count(…)`");
        self.report(if self.has_window(span) {
            error.help(format!("write `count({name} in last 30d) {sign} {count}`"))
        } else {
            let right = format!("count({name}) {sign} {count}");
            error.help(format!("write `{right}`")).fix(span, right)
        });
    }

    /// Whether a window stands behind a place.
    fn has_window(&self, span: Span) -> bool {
        let next = self.token_at(self.start_after(span.end as usize));
        matches!(next, "in" | "since" | "ever" | "." | "within" | "last" | "during" | "over")
    }

    /// `user in dormant`, `is in segment dormant`: a segment's name alone asks that.
    pub(super) fn member(&mut self, span: Span) -> ExprKind {
        let written = in_words(span.text(self.text));
        let name = last_word(&written).to_owned();
        let negated = written.split(' ').any(|word| word == "not");
        let right = if negated { format!("not {name}") } else { name.clone() };
        let message = "the name of a segment alone asks whether the person is in it";
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, span, message).help(format!("write `{right}`")).fix(span, right),
        );
        let place = Span::new(self.file, span.end.saturating_sub(self.offset(name.len())), span.end);
        let asked = ExprKind::Name(Name { text: name, span: place });
        if negated {
            ExprKind::Not(Box::new(Expr { kind: asked, span: place }))
        } else {
            asked
        }
    }

    /// `is not null`, `is set`, `exists`: whether that asks for what is missing. Reported with the right spelling.
    pub(super) fn null_check(&mut self, habit: &Node<'_>, whole: Span) -> bool {
        let written = in_words(whole.text(self.text));
        let words = written.to_lowercase();
        let last = last_word(&words);
        let negated = words.split(' ').any(|word| word == "not");
        let known = matches!(last, "known" | "exists" | "exist" | "set" | "defined" | "present" | "given");
        let missing = negated == known;
        let right = if missing { "is missing" } else { "is known" };
        let message = format!("`{written}` is written `{right}`");
        let code =
            if habit.as_str().to_lowercase().contains('n') && matches!(last, "null" | "nil" | "none" | "undefined") {
                codes::NULL
            } else {
                codes::WORD_SPELLING
            };
        let error = SyntaxError::new(code, whole, message);
        self.report(match last {
            "empty" | "blank" => error.help("a text that is known and has no letter is `== \"\"`"),
            _ => error.fix(whole, right),
        });
        missing
    }
}

fn last_word(written: &str) -> &str {
    written.rsplit(' ').next().unwrap_or(written)
}
