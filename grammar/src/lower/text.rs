//! Texts: escapes, and the expressions in their holes.

use super::{broken, has_rule, Lower, Node};
use crate::ast::{BinaryOp, Expr, ExprKind, StringLit, TextPart};
use crate::codes;
use crate::error::SyntaxError;
use crate::parser::{FlowParser, Rule};
use crate::scan::FILLER;
use crate::span::Span;
use pest::Parser;

impl Lower<'_> {
    /// A text that may have holes.
    pub fn text(&mut self, pair: Node<'_>) -> Expr {
        let span = self.span(&pair);
        let mut parts = Vec::new();
        let mut literal = String::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::hole => {
                    if !literal.is_empty() {
                        parts.push(TextPart::Literal(std::mem::take(&mut literal)));
                    }
                    let expr = self.hole(&part);
                    parts.push(TextPart::Expr(Box::new(expr)));
                }
                _ => self.characters(&part, &mut literal),
            }
        }
        if !literal.is_empty() || parts.is_empty() {
            parts.push(TextPart::Literal(literal));
        }
        Expr { kind: ExprKind::Text(parts), span }
    }

    /// A text that is taken as it stands: names on the wire, titles. A hole is an error.
    pub fn string_lit(&mut self, pair: Node<'_>) -> StringLit {
        let span = self.span(&pair);
        let mut value = String::new();
        for part in pair.into_inner() {
            if part.as_rule() == Rule::hole {
                let hole = self.span(&part);
                self.report(
                    SyntaxError::new(codes::UNEXPECTED, hole, "this text cannot have a hole")
                        .help("write `\\{` for a brace"),
                );
                value.push_str(part.as_str());
            } else {
                self.characters(&part, &mut value);
            }
        }
        StringLit { value, span }
    }

    /// Whatever is in a text besides holes.
    fn characters(&mut self, part: &Node<'_>, into: &mut String) {
        match part.as_rule() {
            Rule::escape => match unescape(part.as_str()) {
                Some(c) => into.push(c),
                None => {
                    let span = self.span(part);
                    self.report(
                        SyntaxError::new(codes::BAD_ESCAPE, span, format!("there is no escape `{}`", part.as_str()))
                            .help("the escapes are `\\\"` `\\\\` `\\n` `\\t` `\\u{2764}` `\\{` `\\}`"),
                    );
                }
            },
            Rule::lone_brace => {
                let span = self.span(part);
                self.report(
                    SyntaxError::new(codes::LONE_BRACE, span, "this `}` has no `{`")
                        .help("write `\\}` for a brace")
                        .fix(span, "\\}"),
                );
                into.push('}');
            }
            _ => into.extend(part.as_str().chars().filter(|c| *c != char::from(FILLER))),
        }
    }

    /// `{expr}` in a text.
    fn hole(&mut self, pair: &Node<'_>) -> Expr {
        let span = self.span(pair);
        let inner = Span::new(self.file, span.start + 1, span.end.saturating_sub(1));
        let text = inner.text(self.text);
        let (start, end) = (text.starts_with('{'), text.ends_with('}'));
        if start && end && text.len() > 1 {
            let bare = text.trim_start_matches('{').trim_end_matches('}').trim().to_owned();
            self.report(
                SyntaxError::new(codes::DOUBLE_BRACES, span, "a hole has single braces")
                    .fix(span, format!("{{{bare}}}")),
            );
            let skip = self.offset(text.len() - text.trim_start_matches('{').len());
            let drop = self.offset(text.len() - text.trim_end_matches('}').len());
            return self.expression_at(Span::new(self.file, inner.start + skip, inner.end - drop));
        }
        if text.trim().is_empty() {
            self.report(
                SyntaxError::new(codes::EXPECTED, span, "this hole is empty")
                    .help("write a value like `{user.first_name}`, or `\\{` for a brace"),
            );
            return broken(span);
        }
        self.expression_at(inner)
    }

    /// Parses the expression that a part of the text holds.
    pub fn expression_at(&mut self, place: Span) -> Expr {
        let source: String = place.text(self.text).to_owned();
        let Some(()) = self.down(1, place) else { return broken(place) };
        let base = std::mem::replace(&mut self.base, place.start as usize);
        let around = std::mem::replace(&mut self.in_hole, true);
        let expr = match FlowParser::parse(Rule::hole_expr, &source) {
            Ok(mut pairs) => match pairs.next() {
                Some(pair) => {
                    let whole = !has_rule(&pair, Rule::skipped_rest);
                    let mut kids = self.kids(pair);
                    let value = self.value(&mut kids);
                    if whole {
                        self.or_in_hole(value)
                    } else {
                        broken(place)
                    }
                }
                None => broken(place),
            },
            Err(error) => broken(self.gave_up(&error)),
        };
        self.base = base;
        self.in_hole = around;
        self.up(1);
        expr
    }

    /// `{user.first_name or "you"}`: what stands for a missing value is said with `??`.
    fn or_in_hole(&mut self, value: Expr) -> Expr {
        match value.kind {
            ExprKind::Binary(BinaryOp::Or, left, right) if matches!(right.kind, ExprKind::Text(_)) => {
                let between = Span::new(self.file, left.span.end, right.span.start);
                self.report(
                    SyntaxError::new(
                        codes::OPERATOR_SPELLING,
                        between,
                        "what is said where a value is missing stands behind `??`",
                    )
                    .fix(between, " ?? "),
                );
                Expr { kind: ExprKind::Binary(BinaryOp::Coalesce, left, right), span: value.span }
            }
            kind => Expr { kind, span: value.span },
        }
    }
}

/// The character that an escape stands for.
fn unescape(escape: &str) -> Option<char> {
    match escape.strip_prefix('\\')? {
        "n" => Some('\n'),
        "t" => Some('\t'),
        c @ ("\"" | "\\" | "{" | "}") => c.chars().next(),
        unicode => {
            let digits = unicode.strip_prefix("u{")?.strip_suffix('}')?;
            if digits.len() > 6 {
                return None;
            }
            char::from_u32(u32::from_str_radix(digits, 16).ok()?)
        }
    }
}
