//! Declarations in the words of other languages, answered with Flow's own.

use super::{broken, Lower, Node};
use crate::ast::*;
use crate::codes;
use crate::error::SyntaxError;
use crate::parser::Rule;
use crate::span::Span;
use unicode_normalization::UnicodeNormalization;

impl Lower<'_> {
    fn retyped(&mut self, span: Span, message: &str, right: String) {
        let error = SyntaxError::new(codes::TYPE_SPELLING, span, message).help(format!("write `{right}`"));
        self.report(error.fix(span, right));
    }

    /// `enum("a", "b")`, `one of a, b`, `"a" | "b"`
    pub(super) fn choice_spelled(&mut self, pair: Node<'_>) -> TypeKind {
        let span = self.span(&pair);
        let mut values = Vec::new();
        for inner in pair.into_inner().flatten() {
            let place = self.span(&inner);
            match inner.as_rule() {
                Rule::string => values.push(self.string_lit(inner)),
                Rule::name => values.push(StringLit { value: place.text(self.text).to_owned(), span: place }),
                _ => {}
            }
        }
        let shown: Vec<String> = values.iter().map(|value| format!("{:?}", value.value)).collect();
        let right = format!("one of {}", shown.join(", "));
        self.retyped(span, "the values of `one of` are texts in quotes, divided by commas", right);
        TypeKind::OneOf(values)
    }

    /// `list<text>`, `text[]`
    pub(super) fn list_spelled(&mut self, pair: Node<'_>) -> TypeKind {
        let span = self.span(&pair);
        let Some(name) = pair.into_inner().find(|pair| pair.as_rule() == Rule::name) else { return TypeKind::Broken };
        let place = self.span(&name);
        let before = self.errors.len();
        let kind = self.named_type(&name);
        // The whole is written anew, the type's name with it.
        let right = match self.errors.get(before).and_then(|error| error.fix.as_ref()) {
            Some(fix) => fix.replacement.clone(),
            None => place.text(self.text).to_owned(),
        };
        self.errors.truncate(before);
        self.retyped(
            span,
            "the type of a list is `list of` and the type of what stands in it",
            format!("list of {right}"),
        );
        TypeKind::List(Box::new(TypeExpr { kind, optional: false, span: place }))
    }

    /// `optional text`
    pub(super) fn optional_spelled(&mut self, pair: Node<'_>) -> TypeKind {
        let span = self.span(&pair);
        let Some(name) = pair.into_inner().find(|pair| pair.as_rule() == Rule::name) else { return TypeKind::Broken };
        let right = format!("{}?", name.as_str());
        self.retyped(span, "what may be missing has a `?` behind its type", right);
        match self.named_type(&name) {
            TypeKind::Named(name) => TypeKind::Named(name),
            kind => kind,
        }
    }

    /// `a?: text`
    pub(super) fn optional_behind_name(&mut self, question: Span, ty: TypeExpr) -> TypeExpr {
        let whole = question.to(ty.span);
        let shown = ty.span.text(self.text).trim_end_matches('?').to_owned();
        self.retyped(whole, "what may be missing has a `?` behind its type", format!(": {shown}?"));
        TypeExpr { optional: true, ..ty }
    }

    /// `"a": text`
    pub(super) fn key_in_quotes(&mut self, pair: &Node<'_>) -> Name {
        let span = self.span(pair);
        let written = span.text(self.text).trim_matches('"').to_owned();
        let text = in_small_letters(&written);
        let error = SyntaxError::new(codes::KEY_SPELLING, span, "the name of a field has no quotes");
        let right = if text == written { text.clone() } else { format!("{text} = \"{written}\"") };
        self.report(error.fix(span, right));
        Name { text, span }
    }

    /// `event "Product Added" { … }`
    pub(super) fn wire_without_name(&mut self, pair: &Node<'_>) -> (Name, StringLit) {
        let span = self.span(pair);
        let value = span.text(self.text).trim_matches('"').trim().to_owned();
        let text = in_small_letters(&value);
        let right = format!("{text} = \"{value}\"");
        self.report(
            SyntaxError::new(codes::EVENT_WIRE_NAME, span, "an event is called by a name in small letters")
                .help(format!("write `event {right}`"))
                .fix(span, right),
        );
        (Name { text, span }, StringLit { value, span })
    }

    /// `event a as "A"`, `event a = Order Completed`
    pub(super) fn wire_spelled(&mut self, pair: Node<'_>) -> Option<StringLit> {
        let span = self.span(&pair);
        let value = pair.into_inner().find(|pair| matches!(pair.as_rule(), Rule::string | Rule::habit_title_event))?;
        let place = self.span(&value);
        let value = place.text(self.text).trim_matches('"').to_owned();
        let right = format!("= \"{value}\"");
        self.report(
            SyntaxError::new(codes::KEY_SPELLING, span, "an event's name on the wire stands behind `=`, in quotes")
                .help(format!("write `{right}`"))
                .fix(span, right),
        );
        Some(StringLit { value, span: place })
    }

    /// `segment big = if … then true else false`
    pub(super) fn if_as_value(&mut self, pair: Node<'_>) -> Expr {
        let span = self.span(&pair);
        let mut kids = self.kids(pair);
        let value = self.value(&mut kids);
        let right = value.span.text(self.text).to_owned();
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, span, "a segment is a condition, without `if`").fix(span, right),
        );
        if matches!(value.kind, ExprKind::Broken) {
            return broken(span);
        }
        value
    }
}

/// `Product Added` as a name.
pub(super) fn in_small_letters(wire: &str) -> String {
    let mut text = String::new();
    for c in wire.chars() {
        if unicode_ident::is_xid_continue(c) {
            text.extend(c.to_lowercase());
        } else if !text.ends_with('_') && !text.is_empty() {
            text.push('_');
        }
    }
    let mut text: String = text.trim_end_matches('_').nfc().collect();
    if !text.starts_with(|c| c == '_' || unicode_ident::is_xid_start(c)) {
        text.insert_str(0, "event_");
    }
    text
}
