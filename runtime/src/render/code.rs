//! A template, ready to be rendered: names of variables are places, filters are known.

use flow_grammar::liquid::filters::FilterKind;
use flow_grammar::liquid::{Joiner, Operator};
use flow_grammar::span::Span;
use rust_decimal::Decimal;
use std::sync::Arc;

/// A template, ready to be rendered.
#[derive(Clone, Debug)]
pub struct Template {
    /// Its path, for messages.
    pub(super) path: Arc<str>,
    /// Its source; texts are parts of it.
    pub(super) source: Arc<str>,
    /// The front matter: keys with what makes their values.
    pub(super) front: Vec<(Box<str>, Vec<Node>)>,
    pub(super) body: Vec<Node>,
    pub(super) sizes: Sizes,
}

/// How many places of each kind a template needs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sizes {
    pub slots: usize,
    pub counters: usize,
    pub cycles: usize,
    pub resumes: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(Span),
    Output(Filtered),
    If { branches: Vec<(Condition, bool, Vec<Node>)>, otherwise: Vec<Node> },
    Case { subject: Expr, arms: Vec<(Vec<Expr>, Vec<Node>)>, otherwise: Vec<Node> },
    For(Box<For>),
    Assign { slot: usize, value: Filtered },
    Capture { slot: usize, body: Vec<Node>, span: Span },
    Count { counter: usize, up: bool },
    Cycle(Cycle),
    Render(Box<Render>),
    Break,
    Continue,
}

#[derive(Clone, Debug)]
pub(super) struct For {
    pub slot: usize,
    pub over: Expr,
    pub reversed: bool,
    pub limit: Option<Expr>,
    pub offset: Option<Expr>,
    /// Begins where the last loop with this number ended.
    pub resumed: bool,
    pub resume: usize,
    /// A `tablerow`, and its columns.
    pub table: Option<Option<Expr>>,
    pub body: Vec<Node>,
    pub otherwise: Vec<Node>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(super) struct Cycle {
    pub group: Option<Expr>,
    pub place: usize,
    pub values: Vec<Expr>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(super) struct Render {
    pub file: Box<str>,
    /// The value, its name in the file, and whether the file is rendered for each element.
    pub subject: Option<(Expr, Box<str>, bool)>,
    pub named: Vec<(Box<str>, Expr)>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(super) struct Filtered {
    pub value: Expr,
    pub filters: Vec<Filter>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub kind: FilterKind,
    pub args: Vec<Expr>,
    pub allow_false: Option<Expr>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub parts: Vec<(Comparison, Option<Joiner>)>,
}

#[derive(Clone, Debug)]
pub(super) struct Comparison {
    pub left: Expr,
    pub right: Option<(Operator, Expr)>,
}

#[derive(Clone, Debug)]
pub(super) enum Expr {
    Nil,
    Blank,
    Empty,
    Bool(bool),
    Int(i64),
    Number(Decimal),
    Text(Box<str>),
    Range(Box<(Expr, Expr)>),
    Path(Path),
}

#[derive(Clone, Debug)]
pub(super) struct Path {
    pub root: Root,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(super) enum Root {
    /// The variable of a loop around.
    Slot(usize),
    /// A variable that `assign` or a counter may have set; else one that is provided.
    Maybe { slot: Option<usize>, counter: Option<usize>, name: Box<str> },
    /// One that is provided.
    Provided(Box<str>),
    /// `["name"]`
    Computed,
    /// `forloop`, `tablerowloop`
    Loop,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Field(Box<str>),
    Index(Expr),
}
