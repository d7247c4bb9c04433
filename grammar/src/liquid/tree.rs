//! The tree of a template.

use crate::span::Span;
use rust_decimal::Decimal;

/// A template file: what stands between the lines `---`, and what comes after.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Template {
    /// The lines of the front matter, in order.
    pub front: Vec<FrontLine>,
    /// What the template says.
    pub body: Vec<Node>,
    /// The text after the front matter.
    pub span: Span,
}

impl Template {
    /// The first line of the front matter with this key.
    #[must_use]
    pub fn front(&self, key: &str) -> Option<&FrontLine> {
        self.front.iter().find(|line| line.key.text == key)
    }
}

/// `subject: Hi {{ user.first_name | default: "there" }}`
#[derive(Clone, Debug, PartialEq)]
pub struct FrontLine {
    /// What stands before the colon.
    pub key: Name,
    /// What stands after it, without the quotes around it.
    pub value: Vec<Node>,
    /// Where the value stands.
    pub span: Span,
}

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The word.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Text as it stands in the source, after `{%-` and `-%}` took their blanks.
    Text(Span),
    /// `{{ … }}`, `echo`
    Output(Filtered),
    /// `if`, `unless`
    If(If),
    /// `case`
    Case(Case),
    /// `for`, `tablerow`
    For(Box<For>),
    /// `assign`
    Assign {
        /// The variable.
        name: Name,
        /// Its value.
        value: Filtered,
    },
    /// `capture`
    Capture {
        /// The variable.
        name: Name,
        /// What makes its text.
        body: Vec<Node>,
    },
    /// `increment`, `decrement`
    Count {
        /// The counter.
        name: Name,
        /// `increment`: up, and the old value is shown; otherwise down, and the new one.
        up: bool,
    },
    /// `cycle`
    Cycle {
        /// The group, where one is named.
        group: Option<Expr>,
        /// The values, in turn.
        values: Vec<Expr>,
        /// The tag.
        span: Span,
    },
    /// `render`
    Render(Box<Render>),
    /// `break`
    Break(Span),
    /// `continue`
    Continue(Span),
    /// What could not be understood; it has an error.
    Broken(Span),
}

/// `if … elsif … else`; an `unless` has its first condition negated.
#[derive(Clone, Debug, PartialEq)]
pub struct If {
    /// The branches, in order.
    pub branches: Vec<Branch>,
    /// `else`
    pub otherwise: Option<Vec<Node>>,
    /// The opening tag.
    pub span: Span,
}

/// A condition and what it guards.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The condition.
    pub condition: Condition,
    /// Taken when the condition does not hold (`unless`).
    pub negated: bool,
    /// What it guards.
    pub body: Vec<Node>,
}

/// `case … when … else`
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What is compared.
    pub subject: Expr,
    /// `when` with its values. Every one that fits is taken.
    pub arms: Vec<(Vec<Expr>, Vec<Node>)>,
    /// `else`
    pub otherwise: Option<Vec<Node>>,
    /// The opening tag.
    pub span: Span,
}

/// `for x in list limit: 3 offset: 1 reversed`
#[derive(Clone, Debug, PartialEq)]
pub struct For {
    /// The variable.
    pub name: Name,
    /// What is gone through.
    pub over: Expr,
    /// `reversed`
    pub reversed: bool,
    /// `limit:`
    pub limit: Option<Expr>,
    /// `offset:`
    pub offset: Option<Offset>,
    /// A `tablerow`, and its `cols:`.
    pub table: Option<Option<Expr>>,
    /// What is repeated.
    pub body: Vec<Node>,
    /// `else`: there is nothing to go through.
    pub otherwise: Option<Vec<Node>>,
    /// The opening tag.
    pub span: Span,
}

/// Where a loop begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Offset {
    /// After so many.
    At(Expr),
    /// `continue`: where the last loop with the same variable and list ended.
    Continue,
}

/// `render "footer", year: 2026`
#[derive(Clone, Debug, PartialEq)]
pub struct Render {
    /// The file.
    pub file: Name,
    /// `with x as y`, `for xs as y`
    pub subject: Option<Subject>,
    /// Its other variables.
    pub named: Vec<(Name, Expr)>,
    /// The tag.
    pub span: Span,
}

/// What a rendered file is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// Once for each element.
    pub each: bool,
    /// What it is given.
    pub value: Expr,
    /// Under which name; none: the file's.
    pub name: Option<Name>,
}

/// A value and what is done to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Filtered {
    /// The value.
    pub value: Expr,
    /// The filters, in order.
    pub filters: Vec<Filter>,
    /// All of it.
    pub span: Span,
}

/// `| truncate: 20, "…"`
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Its name.
    pub name: Name,
    /// Its arguments.
    pub args: Vec<Expr>,
    /// Its named arguments.
    pub named: Vec<(Name, Expr)>,
    /// All of it.
    pub span: Span,
}

/// Comparisons joined by `and` and `or`, which group from the right: `a and b or c` is `a and (b or c)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Each comparison, with what joins it to the rest; the last has nothing.
    pub parts: Vec<(Comparison, Option<Joiner>)>,
    /// All of it.
    pub span: Span,
}

/// What joins two comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Joiner {
    And,
    Or,
}

/// `a == b`, or a value alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The left side.
    pub left: Expr,
    /// The operator and the right side.
    pub right: Option<(Operator, Expr)>,
    /// All of it.
    pub span: Span,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
}

impl Operator {
    /// As it is written.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Contains => "contains",
        }
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// Which.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// The kinds of value.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `nil`
    Nil,
    /// `blank`: fits what is missing, false, empty, or a text of blanks.
    Blank,
    /// `empty`: fits an empty text or list.
    Empty,
    /// `true`, `false`
    Bool(bool),
    /// `12`
    Int(i64),
    /// `59.90`
    Number(Decimal),
    /// A text in quotes; there are no escapes in it.
    Text(String),
    /// `(1..5)`
    Range(Box<Expr>, Box<Expr>),
    /// `user.first_name`, `list[0].name`
    Path(Path),
    /// What could not be understood; it has an error.
    Broken,
}

/// A name and the way from there.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The variable; none: `["name"]`, whose name is the first step.
    pub root: Option<Name>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// `.name`
    Field(Name),
    /// `[value]`
    Index(Expr),
}
