//! What stands inside of tags: the pairs of the grammar become the tree.

use super::parser::{LiquidParser, Rule};
use super::{
    Comparison, Condition, Expr, ExprKind, Filter, Filtered, Joiner, Name, Operator, Path, Source, Step, MARKUP,
    MAX_NESTING, NUMBER_RANGE, TOO_DEEP,
};
use crate::error::SyntaxError;
use crate::span::Span;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::Pair;
use pest::Parser;
use rust_decimal::Decimal;

/// The parts of one tag's inside, with their places in the file.
pub(super) struct Markup<'s> {
    /// The pairs below the rule.
    pub pairs: Vec<Pair<'s, Rule>>,
    base: u32,
}

/// Reads the inside of a tag. None: it has an error, which is reported.
pub(super) fn read<'s>(source: &mut Source<'s>, rule: Rule, inside: Span, tag: &str) -> Option<Markup<'s>> {
    let text = source.text(inside);
    if depth(text) > MAX_NESTING {
        source.errors.push(SyntaxError::new(
            TOO_DEEP,
            inside,
            format!("the brackets nest more than {MAX_NESTING} deep"),
        ));
        return None;
    }
    match LiquidParser::parse(rule, text) {
        Ok(pairs) => {
            let pairs = pairs.flat_map(inner).filter(|pair| pair.as_rule() != Rule::EOI).collect();
            Some(Markup { pairs, base: inside.start })
        }
        Err(error) => {
            let error = complain(source, &error, inside, tag);
            source.errors.push(error);
            None
        }
    }
}

/// The parts of a pair, without the marks between them.
pub(super) fn inner(pair: Pair<'_, Rule>) -> impl Iterator<Item = Pair<'_, Rule>> {
    pair.into_inner().filter(|pair| {
        !matches!(
            pair.as_rule(),
            Rule::bar | Rule::colon | Rule::comma | Rule::dots | Rule::equals | Rule::close_bracket | Rule::close_paren
        )
    })
}

impl Markup<'_> {
    pub(super) fn span(&self, source: &Source<'_>, pair: &Pair<'_, Rule>) -> Span {
        let place = pair.as_span();
        let offset = |at: usize| self.base.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
        let text = place.as_str();
        let length = u32::try_from(text.trim_end().len()).unwrap_or(0);
        source.span(offset(place.start()), offset(place.start()).saturating_add(length))
    }

    pub(super) fn name(&self, source: &Source<'_>, pair: &Pair<'_, Rule>) -> Name {
        source.name(self.span(source, pair))
    }

    /// The text in quotes, and where it stands without them.
    pub(super) fn quoted(&self, source: &Source<'_>, pair: &Pair<'_, Rule>) -> Name {
        let span = self.span(source, pair);
        source.name(source.span(span.start + 1, span.end.saturating_sub(1)))
    }

    pub(super) fn filtered(&self, source: &mut Source<'_>, pair: &Pair<'_, Rule>) -> Filtered {
        let span = self.span(source, pair);
        let mut value = Expr { kind: ExprKind::Broken, span };
        let mut filters = Vec::new();
        for part in inner(pair.clone()) {
            if part.as_rule() == Rule::filter {
                filters.push(self.filter(source, &part));
            } else {
                value = self.value(source, &part);
            }
        }
        Filtered { value, filters, span }
    }

    fn filter(&self, source: &mut Source<'_>, pair: &Pair<'_, Rule>) -> Filter {
        let span = self.span(source, pair);
        let mut filter = Filter { name: source.name(span), args: Vec::new(), named: Vec::new(), span };
        for part in inner(pair.clone()) {
            match part.as_rule() {
                Rule::name => filter.name = self.name(source, &part),
                Rule::named => filter.named.extend(self.named(source, &part)),
                _ => filter.args.push(self.value(source, &part)),
            }
        }
        filter
    }

    pub(super) fn named(&self, source: &mut Source<'_>, pair: &Pair<'_, Rule>) -> Option<(Name, Expr)> {
        let mut parts = inner(pair.clone());
        let name = self.name(source, &parts.next()?);
        let value = self.value(source, &parts.next()?);
        Some((name, value))
    }

    pub(super) fn condition(&self, source: &mut Source<'_>, span: Span) -> Condition {
        let mut parts: Vec<(Comparison, Option<Joiner>)> = Vec::new();
        for pair in &self.pairs {
            match pair.as_rule() {
                Rule::joiner => {
                    if let Some((_, joiner)) = parts.last_mut() {
                        *joiner = Some(if pair.as_str() == "and" { Joiner::And } else { Joiner::Or });
                    }
                }
                _ => parts.push((self.comparison(source, pair), None)),
            }
        }
        Condition { parts, span }
    }

    fn comparison(&self, source: &mut Source<'_>, pair: &Pair<'_, Rule>) -> Comparison {
        let span = self.span(source, pair);
        let mut left = Expr { kind: ExprKind::Broken, span };
        let mut operator = None;
        let mut right = None;
        for part in inner(pair.clone()) {
            if part.as_rule() == Rule::operator {
                operator = Some(operator_of(part.as_str()));
            } else if let Some(operator) = operator {
                right = Some((operator, self.value(source, &part)));
            } else {
                left = self.value(source, &part);
            }
        }
        Comparison { left, right, span }
    }

    pub(super) fn value(&self, source: &mut Source<'_>, pair: &Pair<'_, Rule>) -> Expr {
        let span = self.span(source, pair);
        let kind = match pair.as_rule() {
            Rule::text_literal => ExprKind::Text(self.quoted(source, pair).text),
            Rule::number => number(source, pair.as_str(), span),
            Rule::keyword => match pair.as_str() {
                "true" => ExprKind::Bool(true),
                "false" => ExprKind::Bool(false),
                "blank" => ExprKind::Blank,
                "empty" => ExprKind::Empty,
                _ => ExprKind::Nil,
            },
            Rule::range => {
                let mut ends = inner(pair.clone());
                match (ends.next(), ends.next()) {
                    (Some(from), Some(to)) => {
                        ExprKind::Range(Box::new(self.value(source, &from)), Box::new(self.value(source, &to)))
                    }
                    _ => ExprKind::Broken,
                }
            }
            Rule::path => ExprKind::Path(self.path(source, pair)),
            _ => ExprKind::Broken,
        };
        Expr { kind, span }
    }

    fn path(&self, source: &mut Source<'_>, pair: &Pair<'_, Rule>) -> Path {
        let mut path = Path { root: None, steps: Vec::new() };
        for part in inner(pair.clone()) {
            match part.as_rule() {
                Rule::name => path.root = Some(self.name(source, &part)),
                Rule::field => {
                    path.steps.extend(inner(part).next().map(|name| Step::Field(self.name(source, &name))));
                }
                Rule::index => {
                    path.steps.extend(inner(part).next().map(|value| Step::Index(self.value(source, &value))));
                }
                _ => {}
            }
        }
        path
    }
}

fn operator_of(text: &str) -> Operator {
    match text {
        "==" => Operator::Equal,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterOrEqual,
        "contains" => Operator::Contains,
        _ => Operator::NotEqual,
    }
}

fn number(source: &mut Source<'_>, text: &str, span: Span) -> ExprKind {
    if let Ok(whole) = text.parse::<i64>() {
        return ExprKind::Int(whole);
    }
    if let Ok(number) = Decimal::from_str_exact(text) {
        return ExprKind::Number(number);
    }
    let message = format!("`{text}` has more digits than the 28 that a number can have");
    source.errors.push(SyntaxError::new(NUMBER_RANGE, span, message).help("round it"));
    ExprKind::Broken
}

/// How deep brackets nest, texts in quotes left out.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut quote) = (0_usize, 0, None);
    for byte in text.bytes() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'[' | b'(') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (None, b']' | b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// What is wrong with the inside of a tag.
fn complain(source: &Source<'_>, error: &pest::error::Error<Rule>, inside: Span, tag: &str) -> SyntaxError {
    let text = source.text(inside);
    let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
    let rest = text.get(at..).unwrap_or_default();
    let blanks = rest.len() - rest.trim_start().len();
    let rest = rest.trim_start();
    let found = first_token(rest);
    let start = inside
        .start
        .saturating_add(u32::try_from(if rest.is_empty() { text.trim_end().len() } else { at + blanks }).unwrap_or(0));
    let span = source.span(start, start.saturating_add(u32::try_from(found.len()).unwrap_or(0)));
    if let Some((help, replacement)) = habit(found, tag) {
        let error = SyntaxError::new(MARKUP, span, format!("`{found}` means nothing here")).help(help);
        return if replacement.is_empty() { error } else { error.fix(span, replacement) };
    }
    let mut words: Vec<&str> = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives.iter().filter_map(|rule| human(*rule)).collect(),
        ErrorVariant::CustomError { .. } => Vec::new(),
    };
    words.sort_unstable();
    words.dedup();
    if words.contains(&END) {
        // A path could always go on; that is seldom what is missing.
        words.retain(|word| !word.starts_with("`.`") && !word.starts_with("`[`"));
    }
    let wanted = match words.split_last() {
        None => format!("the end of `{tag}`"),
        Some((only, [])) => (*only).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    };
    let shown = if found.is_empty() { "the tag ends".to_owned() } else { format!("there is `{found}`") };
    let error = SyntaxError::new(MARKUP, span, format!("expected {wanted}, but {shown}"));
    match example(tag) {
        Some(example) => error.help(format!("such as `{example}`")),
        None => error,
    }
}

/// What people type out of habit from other languages, with the right way.
fn habit(found: &str, tag: &str) -> Option<(&'static str, &'static str)> {
    let condition = matches!(tag, "if" | "elsif" | "unless");
    Some(match found {
        "=" if condition => ("write `==` to compare", "=="),
        "===" if condition => ("write `==` to compare", "=="),
        "!==" if condition => ("write `!=` to compare", "!="),
        "&&" => ("write `and`", "and"),
        "||" => ("write `or`", "or"),
        "not" | "!" if condition => ("use `unless`, or compare with `!=`", ""),
        "|" if condition => ("filters do not stand in conditions: `assign` the value to a name first", ""),
        "(" if condition => ("conditions have no brackets: they group from the right; nest two `if` instead", ""),
        "+" => ("write `| plus: 1`", ""),
        "*" => ("write `| times: 2`", ""),
        "/" => ("write `| divided_by: 2`", ""),
        "??" => ("write `| default: \"…\"`", ""),
        "?" => ("use `if … else`", ""),
        "“" | "”" | "‘" | "’" => ("write straight quotes: `\"`", ""),
        _ => return None,
    })
}

fn first_token(text: &str) -> &str {
    let Some(first) = text.chars().next() else { return "" };
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let symbol = |c: char| matches!(c, '=' | '!' | '&' | '|' | '?' | '<' | '>');
    let end = if word(first) {
        text.find(|c| !word(c))
    } else if symbol(first) {
        text.find(|c| !symbol(c))
    } else {
        Some(first.len_utf8())
    };
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

/// A tag as it is meant.
fn example(tag: &str) -> Option<&'static str> {
    Some(match tag {
        "if" => "{% if user.country == \"IT\" %}",
        "elsif" => "{% elsif user.country == \"IT\" %}",
        "unless" => "{% unless user.first_name == blank %}",
        "case" => "{% case user.country %}",
        "when" => "{% when \"IT\", \"ES\" %}",
        "for" => "{% for product in products limit: 3 %}",
        "tablerow" => "{% tablerow product in products cols: 2 %}",
        "assign" => "{% assign name = user.first_name | default: \"there\" %}",
        "capture" => "{% capture greeting %}",
        "increment" | "decrement" => "{% increment count %}",
        "cycle" => "{% cycle \"odd\", \"even\" %}",
        "render" => "{% render \"footer\", year: 2026 %}",
        "echo" => "{% echo user.first_name %}",
        "{{ }}" => "{{ user.first_name | default: \"there\" }}",
        _ => return None,
    })
}

const END: &str = "the end of the tag";

/// A rule in human words; none: it is part of something that has its own.
fn human(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::text_literal | Rule::range | Rule::number | Rule::keyword | Rule::path | Rule::value => "a value",
        Rule::name => "a name",
        Rule::filter => "a filter",
        Rule::field => "`.` and a name",
        Rule::index => "`[`",
        Rule::operator => "a comparison",
        Rule::joiner => "`and`, `or`",
        Rule::comparison => "a condition",
        Rule::loop_option => "`limit:`, `offset:` or `reversed`",
        Rule::render_subject => "`with`, `for`",
        Rule::named => "`name: value`",
        Rule::kw_in => "`in`",
        Rule::kw_or => "`or`",
        Rule::kw_as => "`as`",
        Rule::EOI => END,
        Rule::bar => "`|` and a filter",
        Rule::colon => "`:`",
        Rule::comma => "`,`",
        Rule::dots => "`..`",
        Rule::equals => "`=`",
        Rule::close_bracket => "`]`",
        Rule::close_paren => "`)`",
        Rule::filtered => "a value",
        _ => return None,
    })
}
