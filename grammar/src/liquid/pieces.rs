//! A text cut into pieces, with the blanks that `{%-` and `-%}` take away already gone.

use super::parser::{LiquidParser, Rule};
use super::{Source, MARKUP, UNCLOSED_TAG};
use crate::error::SyntaxError;
use crate::span::Span;
use pest::iterators::Pair;
use pest::Parser;

/// A piece of a template.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece {
    /// Text.
    Text(Span),
    /// `{{ … }}`: what stands inside, and all of it.
    Output { inside: Span, whole: Span },
    /// `{% name … %}`
    Tag(Tag),
    /// `{{` or `{%` that nothing closes. Inside a comment it means nothing.
    Lone(Span),
    /// The end of a `{% liquid %}`, whose blocks end with it.
    LiquidEnd,
}

/// A tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag {
    /// Its name; empty: none.
    pub name: Span,
    /// What follows the name.
    pub inside: Span,
    /// All of it.
    pub whole: Span,
}

/// The pieces of `start..end`.
pub(super) fn read(source: &mut Source<'_>, start: u32, end: u32) -> Vec<Piece> {
    let text = source.text(source.span(start, end));
    let mut cut = Cut { base: start, trim_next: false, pieces: Vec::new() };
    match LiquidParser::parse(Rule::document, text) {
        Ok(document) => {
            for pair in document.flat_map(Pair::into_inner) {
                cut.piece(source, &pair);
            }
        }
        // The grammar takes every text; should it not, the whole is one mistake.
        Err(_) => {
            let span = source.span(start, end);
            source.errors.push(SyntaxError::new(MARKUP, span, "the template cannot be read"));
        }
    }
    cut.pieces
}

struct Cut {
    base: u32,
    trim_next: bool,
    pieces: Vec<Piece>,
}

impl Cut {
    fn span(&self, source: &Source<'_>, pair: &Pair<'_, Rule>) -> Span {
        let place = pair.as_span();
        let offset = |at: usize| self.base.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
        source.span(offset(place.start()), offset(place.end()))
    }

    fn piece(&mut self, source: &mut Source<'_>, pair: &Pair<'_, Rule>) {
        let whole = self.span(source, pair);
        match pair.as_rule() {
            Rule::text => self.text(source, whole),
            Rule::lone_opener => {
                self.trim_next = false;
                self.pieces.push(Piece::Lone(whole));
            }
            Rule::output | Rule::tag => {
                let (mut name, mut inside) = (source.span(whole.start, whole.start), whole);
                let mut trim_end = false;
                for part in pair.clone().into_inner() {
                    let span = self.span(source, &part);
                    match part.as_rule() {
                        Rule::trim => self.trim_before(source),
                        Rule::tag_name => name = span,
                        Rule::output_inside | Rule::tag_inside => inside = span,
                        Rule::output_end | Rule::tag_end => trim_end = part.into_inner().next().is_some(),
                        _ => {}
                    }
                }
                self.trim_next = trim_end;
                if pair.as_rule() == Rule::output {
                    self.pieces.push(Piece::Output { inside, whole });
                    return;
                }
                let tag = Tag { name, inside, whole };
                match source.text(name) {
                    "liquid" => self.liquid(source, tag),
                    "#" => {}
                    _ => self.pieces.push(Piece::Tag(tag)),
                }
            }
            Rule::raw_block => {
                for part in pair.clone().into_inner() {
                    let span = self.span(source, &part);
                    match part.as_rule() {
                        Rule::trim => self.trim_before(source),
                        Rule::tag_end => self.trim_next = part.into_inner().next().is_some(),
                        Rule::raw_text => {
                            self.text(source, span);
                            self.trim_next = false;
                        }
                        Rule::raw_end => {
                            for end in part.into_inner() {
                                match end.as_rule() {
                                    Rule::trim => self.trim_before(source),
                                    Rule::tag_end => self.trim_next = end.into_inner().next().is_some(),
                                    _ => {}
                                }
                            }
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, source: &Source<'_>, mut span: Span) {
        if self.trim_next {
            let text = source.text(span);
            span.start = span.end - length(text.trim_start());
            self.trim_next = span.is_empty();
        }
        if !span.is_empty() {
            self.pieces.push(Piece::Text(span));
        }
    }

    fn trim_before(&mut self, source: &Source<'_>) {
        if let Some(Piece::Text(span)) = self.pieces.last_mut() {
            span.end = span.start + length(source.text(*span).trim_end());
            if span.is_empty() {
                self.pieces.pop();
            }
        }
    }

    /// Each line of a `{% liquid %}` is a tag.
    fn liquid(&mut self, source: &Source<'_>, tag: Tag) {
        let mut at = tag.inside.start;
        for line in source.text(tag.inside).split('\n') {
            let trimmed = line.trim();
            let start = at + length(line) - length(line.trim_start());
            at += length(line) + 1;
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let whole = source.span(start, start + length(trimmed));
            let name = trimmed.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            let middle = start + length(name);
            self.pieces.push(Piece::Tag(Tag {
                name: source.span(start, middle),
                inside: source.span(middle, whole.end),
                whole,
            }));
        }
        self.pieces.push(Piece::LiquidEnd);
    }
}

/// The error of an opener that nothing closes.
pub(super) fn unclosed(source: &Source<'_>, span: Span) -> SyntaxError {
    let (open, close) = if source.text(span) == "{{" { ("{{", "}}") } else { ("{%", "%}") };
    SyntaxError::new(UNCLOSED_TAG, span, format!("`{open}` is not closed")).help(format!(
        "close it with `{close}`; to show the two characters themselves, put them between `{{% raw %}}` and `{{% endraw %}}`"
    ))
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}
