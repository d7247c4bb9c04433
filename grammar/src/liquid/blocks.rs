//! Pieces nested into blocks.

use super::markup::{self, Markup};
use super::parser::Rule;
use super::pieces::{self, Piece, Tag};
use super::{
    Branch, Case, Condition, Expr, ExprKind, For, If, Name, Node, Offset, Render, Source, Subject, MARKUP, MAX_NESTING,
    STRAY_TAG, TOO_DEEP, UNCLOSED_BLOCK, UNKNOWN_TAG,
};
use crate::error::SyntaxError;
use crate::span::Span;
use pest::iterators::Pair;

/// Every tag there is.
pub const TAGS: [&str; 20] = [
    "if",
    "unless",
    "case",
    "for",
    "tablerow",
    "assign",
    "capture",
    "increment",
    "decrement",
    "cycle",
    "raw",
    "comment",
    "echo",
    "liquid",
    "render",
    "break",
    "continue",
    "elsif",
    "else",
    "when",
];

/// Those that have an end.
pub const BLOCKS: [&str; 6] = ["if", "unless", "case", "for", "tablerow", "capture"];

/// The nodes of `start..end`.
pub(super) fn read(source: &mut Source<'_>, start: u32, end: u32) -> Vec<Node> {
    let pieces = pieces::read(source, start, end);
    let mut build = Build { source, frames: Vec::new(), root: Vec::new(), forgiven: Vec::new(), deep: false };
    let mut comment: Option<(Tag, usize)> = None;
    for piece in pieces {
        if let Some((_, depth)) = &mut comment {
            if let Piece::Tag(tag) = piece {
                match build.source.text(tag.name) {
                    "comment" => *depth += 1,
                    "endcomment" => *depth -= 1,
                    _ => {}
                }
            }
            if *depth == 0 {
                comment = None;
            }
            continue;
        }
        match piece {
            Piece::Text(span) => build.push(Node::Text(span)),
            Piece::Lone(span) => {
                let error = pieces::unclosed(build.source, span);
                build.source.errors.push(error);
                build.push(Node::Broken(span));
            }
            Piece::Output { inside, whole } => {
                let node = build.output(inside, whole, "{{ }}");
                build.push(node);
            }
            Piece::Tag(tag) if build.source.text(tag.name) == "comment" => comment = Some((tag, 1)),
            Piece::Tag(tag) => build.tag(tag),
            Piece::LiquidEnd => build.close_all(0, true),
        }
        if build.deep {
            break;
        }
    }
    if let Some((tag, _)) = comment {
        build.unclosed(tag.whole, "comment");
    }
    build.close_all(0, false);
    build.root
}

/// An open block.
struct Frame {
    /// Its opening tag.
    tag: Span,
    /// What it is.
    kind: Kind,
    /// What stands in its present part.
    nodes: Vec<Node>,
}

enum Kind {
    If {
        word: &'static str,
        node: If,
        next: Option<(Condition, bool)>,
        seen_else: bool,
    },
    Case {
        node: Case,
        next: Vec<Expr>,
        started: bool,
        seen_else: bool,
    },
    For {
        node: Box<For>,
        seen_else: bool,
    },
    Capture {
        name: Name,
    },
    /// A block whose opening tag is broken; its content is kept.
    Broken {
        word: &'static str,
        silent: bool,
    },
}

impl Kind {
    fn word(&self) -> &'static str {
        match self {
            Self::If { word, .. } | Self::Broken { word, .. } => word,
            Self::Case { .. } => "case",
            Self::For { node, .. } => {
                if node.table.is_some() {
                    "tablerow"
                } else {
                    "for"
                }
            }
            Self::Capture { .. } => "capture",
        }
    }
}

struct Build<'a, 's> {
    source: &'a mut Source<'s>,
    frames: Vec<Frame>,
    root: Vec<Node>,
    /// Ends that belong to a mistake that is already reported.
    forgiven: Vec<String>,
    deep: bool,
}

impl<'s> Build<'_, 's> {
    fn push(&mut self, node: Node) {
        match self.frames.last_mut() {
            Some(frame) => frame.nodes.push(node),
            None => self.root.push(node),
        }
    }

    fn error(&mut self, error: SyntaxError) {
        self.source.errors.push(error);
    }

    fn unclosed(&mut self, span: Span, word: &str) {
        self.error(
            SyntaxError::new(UNCLOSED_BLOCK, span, format!("this `{word}` is not closed"))
                .help(format!("close it with `{{% end{word} %}}`")),
        );
    }

    fn open(&mut self, tag: Tag, kind: Kind) {
        if self.frames.len() >= MAX_NESTING {
            self.deep = true;
            self.error(
                SyntaxError::new(TOO_DEEP, tag.whole, format!("blocks nest more than {MAX_NESTING} deep"))
                    .help("put the inner part into a file and `render` it"),
            );
            return;
        }
        self.frames.push(Frame { tag: tag.whole, kind, nodes: Vec::new() });
    }

    /// Closes the frames above `keep`, or only those of a `{% liquid %}` that ends; they are not closed by their
    /// own tags.
    fn close_all(&mut self, keep: usize, liquid: bool) {
        while self.frames.len() > keep {
            let Some(frame) = self.frames.last().filter(|frame| !liquid || self.inside_liquid(frame)) else { return };
            let (tag, word) = (frame.tag, frame.kind.word());
            if !self.deep && !matches!(frame.kind, Kind::Broken { silent: true, .. }) {
                self.unclosed(tag, word);
            }
            self.forgiven.push(word.to_owned());
            self.pop();
        }
    }

    /// Whether the tag stands in a `{% liquid %}`: then it has no braces of its own.
    fn inside_liquid(&self, frame: &Frame) -> bool {
        !self.source.text(frame.tag).starts_with("{%")
    }

    fn pop(&mut self) {
        if let Some(frame) = self.frames.pop() {
            for node in finish(frame) {
                self.push(node);
            }
        }
    }

    fn output(&mut self, inside: Span, whole: Span, tag: &str) -> Node {
        let Some(markup) = markup::read(self.source, Rule::output_markup, inside, tag) else {
            return Node::Broken(whole);
        };
        match markup.pairs.first() {
            Some(pair) => Node::Output(markup.filtered(self.source, pair)),
            None => Node::Broken(whole),
        }
    }

    fn tag(&mut self, tag: Tag) {
        let word = self.source.text(tag.name);
        match word {
            "if" | "unless" => {
                let word = if word == "if" { "if" } else { "unless" };
                let condition = self.condition(tag, word);
                let node = If { branches: Vec::new(), otherwise: None, span: tag.whole };
                self.open(
                    tag,
                    match condition {
                        Some(condition) => {
                            Kind::If { word, node, next: Some((condition, word == "unless")), seen_else: false }
                        }
                        None => Kind::Broken { word, silent: false },
                    },
                );
            }
            "elsif" => {
                let condition = self.condition(tag, "elsif");
                self.elsif(tag, condition);
            }
            "else" => self.otherwise(tag),
            "case" => {
                let kind = match self.values(tag, Rule::case_markup, "case").and_then(|mut values| values.pop()) {
                    Some(subject) => Kind::Case {
                        node: Case { subject, arms: Vec::new(), otherwise: None, span: tag.whole },
                        next: Vec::new(),
                        started: false,
                        seen_else: false,
                    },
                    None => Kind::Broken { word: "case", silent: false },
                };
                self.open(tag, kind);
            }
            "when" => {
                let values = self.values(tag, Rule::when_markup, "when");
                self.when(tag, values);
            }
            "for" | "tablerow" => {
                let word = if word == "for" { "for" } else { "tablerow" };
                let kind = match self.loop_head(tag, word) {
                    Some(node) => Kind::For { node: Box::new(node), seen_else: false },
                    None => Kind::Broken { word, silent: false },
                };
                self.open(tag, kind);
            }
            "capture" => {
                let kind = match self.capture_name(tag) {
                    Some(name) => Kind::Capture { name },
                    None => Kind::Broken { word: "capture", silent: false },
                };
                self.open(tag, kind);
            }
            "raw" => self.unclosed(tag.whole, "raw"),
            _ => match word.strip_prefix("end") {
                Some(word) => self.end(tag, word),
                None => {
                    let node = self.single(tag, word).unwrap_or(Node::Broken(tag.whole));
                    self.push(node);
                }
            },
        }
    }

    /// A tag without an end.
    fn single(&mut self, tag: Tag, word: &str) -> Option<Node> {
        match word {
            "echo" => Some(self.output(tag.inside, tag.whole, "echo")),
            "assign" => {
                let markup = markup::read(self.source, Rule::assign_markup, tag.inside, "assign")?;
                let (name, value) = (markup.pairs.first()?, markup.pairs.get(1)?);
                let name = markup.name(self.source, name);
                Some(Node::Assign { name, value: markup.filtered(self.source, value) })
            }
            "increment" | "decrement" => {
                let markup = markup::read(self.source, Rule::counter_markup, tag.inside, "increment")?;
                Some(Node::Count { name: markup.name(self.source, markup.pairs.first()?), up: word == "increment" })
            }
            "cycle" => self.cycle(tag),
            "render" => self.render(tag),
            "break" | "continue" => {
                let tag_name = if word == "break" { "break" } else { "continue" };
                markup::read(self.source, Rule::empty_markup, tag.inside, tag_name)?;
                Some(if word == "break" { Node::Break(tag.whole) } else { Node::Continue(tag.whole) })
            }
            _ => {
                self.unknown(tag, word);
                None
            }
        }
    }

    fn unknown(&mut self, tag: Tag, word: &str) {
        let span = if tag.name.is_empty() { tag.whole } else { tag.name };
        let help = match word {
            "" => "a tag begins with its name, such as `{% if user.first_name %}`; to show a value, write `{{ … }}`"
                .to_owned(),
            "include" => {
                "write `render`: what a file needs is handed to it, as in `{% render \"footer\", year: 2026 %}`"
                    .to_owned()
            }
            "elif" | "elseif" => "write `elsif`".to_owned(),
            "set" | "let" => "write `assign`".to_owned(),
            "layout" | "extends" | "block" => "name the layout in the front matter: `layout: NAME`".to_owned(),
            _ => match nearest(word) {
                Some(near) => {
                    if let Some(word) = BLOCKS.into_iter().find(|block| *block == near) {
                        self.open(tag, Kind::Broken { word, silent: true });
                    }
                    format!("did you mean `{near}`?")
                }
                None => format!("the tags are {}", TAGS.map(|tag| format!("`{tag}`")).join(", ")),
            },
        };
        let message =
            if word.is_empty() { "the tag has no name".to_owned() } else { format!("no tag is called `{word}`") };
        self.forgiven.push(word.to_owned());
        self.error(SyntaxError::new(UNKNOWN_TAG, span, message).help(help));
    }

    fn condition(&mut self, tag: Tag, word: &str) -> Option<Condition> {
        let markup = markup::read(self.source, Rule::if_markup, tag.inside, word)?;
        let span = trimmed(self.source, tag.inside);
        Some(markup.condition(self.source, span))
    }

    fn values(&mut self, tag: Tag, rule: Rule, word: &str) -> Option<Vec<Expr>> {
        let markup = markup::read(self.source, rule, tag.inside, word)?;
        Some(
            markup
                .pairs
                .iter()
                .filter(|pair| pair.as_rule() != Rule::kw_or)
                .map(|pair| markup.value(self.source, pair))
                .collect(),
        )
    }

    fn elsif(&mut self, tag: Tag, condition: Option<Condition>) {
        match self.frames.last_mut() {
            Some(Frame { kind: Kind::If { node, next, seen_else, .. }, nodes, .. }) if !*seen_else => {
                let body = std::mem::take(nodes);
                if let Some((condition, negated)) = next.take() {
                    node.branches.push(Branch { condition, negated, body });
                }
                // A broken condition has its error; what it guards is dropped with it.
                *next = condition.map(|condition| (condition, false));
            }
            Some(Frame { kind: Kind::Broken { word: "if" | "unless", .. }, .. }) => {}
            _ => self.stray(tag, "elsif", "an `if`"),
        }
    }

    fn otherwise(&mut self, tag: Tag) {
        let words = self.source.text(tag.inside).trim();
        if !words.is_empty() {
            let help = if words.starts_with("if") { "write `elsif`" } else { "nothing follows `else`" };
            let span = trimmed(self.source, tag.inside);
            self.error(SyntaxError::new(MARKUP, span, "expected the end of `else`").help(help));
        }
        match self.frames.last_mut() {
            Some(Frame { kind: Kind::If { node, next, seen_else, .. }, nodes, .. }) if !*seen_else => {
                *seen_else = true;
                let body = std::mem::take(nodes);
                if let Some((condition, negated)) = next.take() {
                    node.branches.push(Branch { condition, negated, body });
                }
            }
            Some(Frame { kind: Kind::Case { node, next, started, seen_else }, nodes, .. }) if !*seen_else => {
                *seen_else = true;
                let body = std::mem::take(nodes);
                if *started {
                    node.arms.push((std::mem::take(next), body));
                }
            }
            Some(Frame { kind: Kind::For { node, seen_else }, nodes, .. }) if !*seen_else && node.table.is_none() => {
                *seen_else = true;
                node.body = std::mem::take(nodes);
            }
            Some(Frame { kind: Kind::Broken { .. }, .. }) => {}
            _ => self.stray(tag, "else", "an `if`, `unless`, `case` or `for`"),
        }
    }

    fn when(&mut self, tag: Tag, values: Option<Vec<Expr>>) {
        match self.frames.last_mut() {
            Some(Frame { kind: Kind::Case { node, next, started, seen_else: false }, nodes, .. }) => {
                // What stands before the first `when` is never shown.
                let body = std::mem::take(nodes);
                if *started {
                    node.arms.push((std::mem::take(next), body));
                }
                *started = true;
                *next = values.unwrap_or_default();
            }
            Some(Frame { kind: Kind::Broken { word: "case", .. }, .. }) => {}
            _ => self.stray(tag, "when", "a `case`, before its `else`"),
        }
    }

    fn stray(&mut self, tag: Tag, word: &str, wanted: &str) {
        self.error(
            SyntaxError::new(STRAY_TAG, tag.whole, format!("`{word}` belongs into {wanted}"))
                .help("move it there, or remove it"),
        );
    }

    fn end(&mut self, tag: Tag, word: &str) {
        if let Some(at) = self.frames.iter().rposition(|frame| frame.kind.word() == word) {
            self.close_all(at + 1, false);
            self.pop();
            return;
        }
        if let Some(at) = self.forgiven.iter().position(|forgiven| forgiven == word) {
            self.forgiven.swap_remove(at);
            return;
        }
        // `end` alone, or the end of another kind of block, closes the innermost one.
        match self.frames.last().map(|frame| frame.kind.word()) {
            Some(open) if !TAGS.contains(&word) => {
                self.error(
                    SyntaxError::new(UNKNOWN_TAG, tag.name, format!("no tag is called `end{word}`"))
                        .help(format!("the open block is closed with `{{% end{open} %}}`"))
                        .fix(tag.name, format!("end{open}")),
                );
                self.pop();
            }
            _ => {
                let message = format!("`end{word}` closes nothing");
                let help = format!("remove it, or open its block before: `{{% {word} … %}}`");
                self.error(SyntaxError::new(STRAY_TAG, tag.whole, message).help(help));
            }
        }
    }

    fn capture_name(&mut self, tag: Tag) -> Option<Name> {
        let markup = markup::read(self.source, Rule::capture_markup, tag.inside, "capture")?;
        let pair = markup.pairs.first()?;
        Some(match pair.as_rule() {
            Rule::text_literal => markup.quoted(self.source, pair),
            _ => markup.name(self.source, pair),
        })
    }

    fn loop_head(&mut self, tag: Tag, word: &str) -> Option<For> {
        let markup = markup::read(self.source, Rule::for_markup, tag.inside, word)?;
        let mut node = For {
            name: markup.name(self.source, markup.pairs.first()?),
            over: Expr { kind: ExprKind::Broken, span: tag.inside },
            reversed: false,
            limit: None,
            offset: None,
            table: (word == "tablerow").then_some(None),
            body: Vec::new(),
            otherwise: None,
            span: tag.whole,
        };
        for pair in markup.pairs.iter().skip(1) {
            match pair.as_rule() {
                Rule::kw_in => {}
                Rule::loop_option => self.loop_option(&markup, pair, &mut node),
                _ => node.over = markup.value(self.source, pair),
            }
        }
        Some(node)
    }

    fn loop_option(&mut self, markup: &Markup<'s>, pair: &Pair<'s, Rule>, node: &mut For) {
        let mut parts = markup::inner(pair.clone());
        let Some(first) = parts.next() else { return };
        let Some(value) = parts.next() else {
            node.reversed = true;
            return;
        };
        let going_on = value.as_rule() == Rule::kw_continue;
        let span = markup.span(self.source, pair);
        match first.as_str() {
            "offset" if going_on => node.offset = Some(Offset::Continue),
            "offset" => node.offset = Some(Offset::At(markup.value(self.source, &value))),
            _ if going_on => self.error(SyntaxError::new(MARKUP, span, "only `offset:` can be `continue`")),
            "limit" => node.limit = Some(markup.value(self.source, &value)),
            _ => match &mut node.table {
                Some(cols) => *cols = Some(markup.value(self.source, &value)),
                None => self.error(SyntaxError::new(MARKUP, span, "only `tablerow` has `cols:`")),
            },
        }
    }

    fn cycle(&mut self, tag: Tag) -> Option<Node> {
        let markup = markup::read(self.source, Rule::cycle_markup, tag.inside, "cycle")?;
        let mut group = None;
        let mut values = Vec::new();
        for pair in &markup.pairs {
            if pair.as_rule() == Rule::cycle_group {
                group = markup::inner(pair.clone()).next().map(|value| markup.value(self.source, &value));
            } else {
                values.push(markup.value(self.source, pair));
            }
        }
        Some(Node::Cycle { group, values, span: tag.whole })
    }

    fn render(&mut self, tag: Tag) -> Option<Node> {
        let markup = markup::read(self.source, Rule::render_markup, tag.inside, "render")?;
        let file = markup.quoted(self.source, markup.pairs.first()?);
        let mut render = Render { file, subject: None, named: Vec::new(), span: tag.whole };
        for pair in markup.pairs.iter().skip(1) {
            match pair.as_rule() {
                Rule::named => render.named.extend(markup.named(self.source, pair)),
                _ => render.subject = self.subject(&markup, pair),
            }
        }
        Some(Node::Render(Box::new(render)))
    }

    fn subject(&mut self, markup: &Markup<'s>, pair: &Pair<'s, Rule>) -> Option<Subject> {
        let mut parts = markup::inner(pair.clone());
        let each = parts.next()?.as_rule() == Rule::kw_for;
        let value = markup.value(self.source, &parts.next()?);
        let name = parts.find(|part| part.as_rule() == Rule::name).map(|part| markup.name(self.source, &part));
        Some(Subject { each, value, name })
    }
}

/// The node that a closed block is.
fn finish(frame: Frame) -> Vec<Node> {
    let Frame { kind, nodes, .. } = frame;
    match kind {
        Kind::If { mut node, next, seen_else, .. } => {
            match next {
                Some((condition, negated)) => node.branches.push(Branch { condition, negated, body: nodes }),
                None if seen_else => node.otherwise = Some(nodes),
                None => {}
            }
            vec![Node::If(node)]
        }
        Kind::Case { mut node, next, started, seen_else } => {
            if seen_else {
                node.otherwise = Some(nodes);
            } else if started {
                node.arms.push((next, nodes));
            }
            vec![Node::Case(node)]
        }
        Kind::For { mut node, seen_else } => {
            if seen_else {
                node.otherwise = Some(nodes);
            } else {
                node.body = nodes;
            }
            vec![Node::For(node)]
        }
        Kind::Capture { name } => vec![Node::Capture { name, body: nodes }],
        Kind::Broken { .. } => nodes,
    }
}

fn trimmed(source: &Source<'_>, span: Span) -> Span {
    let text = source.text(span);
    let length = |text: &str| u32::try_from(text.len()).unwrap_or(0);
    let start = span.start + length(text) - length(text.trim_start());
    source.span(start, start + length(text.trim()))
}

fn nearest(word: &str) -> Option<&'static str> {
    TAGS.into_iter()
        .map(|tag| (strsim::damerau_levenshtein(tag, word), tag))
        .filter(|(distance, tag)| *distance <= 2 && *distance < tag.len())
        .min()
        .map(|(_, tag)| tag)
}
