//! The tree of a template made ready: each variable that the template sets gets a place of its own.

use super::code::{
    Comparison, Condition, Cycle, Expr, Filter, Filtered, For, Node, Path, Render, Root, Sizes, Step, Template,
};
use flow_grammar::liquid::{self, filters::FilterKind, ExprKind, Offset};
use flow_grammar::span::{FileId, Span};
use std::collections::BTreeMap;

/// Why a template cannot be rendered. The checker says it first, and better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub span: Span,
    /// What.
    pub message: String,
}

impl Template {
    /// Makes a template ready.
    ///
    /// # Errors
    ///
    /// What is wrong with its text.
    pub fn compile(path: &str, source: &str) -> Result<Self, Vec<Problem>> {
        let parse = liquid::parse_template(FileId(0), source);
        let mut problems: Vec<Problem> =
            parse.errors.into_iter().map(|error| Problem { span: error.span, message: error.message }).collect();
        let tree = parse.template;
        let mut compile = Compile { source, ..Compile::default() };
        for line in &tree.front {
            compile.declare(&line.value);
        }
        compile.declare(&tree.body);
        let front = tree.front.iter().map(|line| (line.key.text.as_str().into(), compile.nodes(&line.value))).collect();
        let body = compile.nodes(&tree.body);
        problems.append(&mut compile.problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let sizes = Sizes {
            slots: compile.slots,
            counters: compile.counters.len(),
            cycles: compile.cycles.len(),
            resumes: compile.resumes.len(),
        };
        Ok(Self { path: path.into(), source: source.into(), front, body, sizes })
    }

    /// The path that it was compiled with.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value of a key of the front matter that is nothing but text.
    #[must_use]
    pub fn front_text(&self, key: &str) -> Option<String> {
        let (_, nodes) = self.front.iter().find(|(known, _)| &**known == key)?;
        nodes
            .iter()
            .map(|node| if let Node::Text(span) = node { Some(span.text(&self.source)) } else { None })
            .collect()
    }

    /// Its text.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The keys of the front matter, in order.
    pub fn front_keys(&self) -> impl Iterator<Item = &str> {
        self.front.iter().map(|(key, _)| key.as_ref())
    }
}

#[derive(Default)]
struct Compile<'s> {
    source: &'s str,
    slots: usize,
    assigned: BTreeMap<String, usize>,
    counters: BTreeMap<String, usize>,
    cycles: BTreeMap<String, usize>,
    resumes: BTreeMap<String, usize>,
    /// The variables of the loops around, innermost last.
    scope: Vec<(String, usize)>,
    problems: Vec<Problem>,
}

impl<'s> Compile<'s> {
    fn text(&self, span: Span) -> &'s str {
        span.text(self.source)
    }

    fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    /// Gives each variable that is set somewhere its place.
    fn declare(&mut self, nodes: &[liquid::Node]) {
        for node in nodes {
            match node {
                liquid::Node::Assign { name, .. } => self.assign(&name.text),
                liquid::Node::Capture { name, body } => {
                    self.assign(&name.text);
                    self.declare(body);
                }
                liquid::Node::Count { name, .. } => {
                    let next = self.counters.len();
                    self.counters.entry(name.text.clone()).or_insert(next);
                }
                liquid::Node::If(node) => {
                    node.branches.iter().for_each(|branch| self.declare(&branch.body));
                    self.declare(node.otherwise.as_deref().unwrap_or_default());
                }
                liquid::Node::Case(node) => {
                    node.arms.iter().for_each(|(_, body)| self.declare(body));
                    self.declare(node.otherwise.as_deref().unwrap_or_default());
                }
                liquid::Node::For(node) => {
                    self.declare(&node.body);
                    self.declare(node.otherwise.as_deref().unwrap_or_default());
                }
                _ => {}
            }
        }
    }

    fn assign(&mut self, name: &str) {
        if !self.assigned.contains_key(name) {
            let slot = self.slot();
            self.assigned.insert(name.to_owned(), slot);
        }
    }

    fn nodes(&mut self, nodes: &[liquid::Node]) -> Vec<Node> {
        nodes.iter().filter_map(|node| self.node(node)).collect()
    }

    fn node(&mut self, node: &liquid::Node) -> Option<Node> {
        Some(match node {
            liquid::Node::Text(span) => Node::Text(*span),
            liquid::Node::Output(value) => Node::Output(self.filtered(value)),
            liquid::Node::If(node) => Node::If {
                branches: node
                    .branches
                    .iter()
                    .map(|branch| (self.condition(&branch.condition), branch.negated, self.nodes(&branch.body)))
                    .collect(),
                otherwise: self.nodes(node.otherwise.as_deref().unwrap_or_default()),
            },
            liquid::Node::Case(node) => Node::Case {
                subject: self.expr(&node.subject),
                arms: node.arms.iter().map(|(values, body)| (self.exprs(values), self.nodes(body))).collect(),
                otherwise: self.nodes(node.otherwise.as_deref().unwrap_or_default()),
            },
            liquid::Node::For(node) => Node::For(Box::new(self.each(node))),
            liquid::Node::Assign { name, value } => {
                let value = self.filtered(value);
                Node::Assign { slot: self.assigned.get(&name.text).copied()?, value }
            }
            liquid::Node::Capture { name, body } => {
                let body = self.nodes(body);
                Node::Capture { slot: self.assigned.get(&name.text).copied()?, body, span: name.span }
            }
            liquid::Node::Count { name, up } => {
                Node::Count { counter: self.counters.get(&name.text).copied()?, up: *up }
            }
            liquid::Node::Cycle { group, values, span } => {
                // Without a group, cycles over the same values are one.
                let words: Vec<&str> = values.iter().map(|value| self.text(value.span)).collect();
                let next = self.cycles.len();
                let place = *self.cycles.entry(words.join(",")).or_insert(next);
                let group = group.as_ref().map(|group| self.expr(group));
                Node::Cycle(Cycle { group, place, values: self.exprs(values), span: *span })
            }
            liquid::Node::Render(node) => Node::Render(Box::new(self.render(node))),
            liquid::Node::Break(_) => Node::Break,
            liquid::Node::Continue(_) => Node::Continue,
            liquid::Node::Broken(_) => return None,
        })
    }

    fn each(&mut self, node: &liquid::For) -> For {
        let over = self.expr(&node.over);
        let limit = node.limit.as_ref().map(|limit| self.expr(limit));
        let (offset, resumed) = match &node.offset {
            Some(Offset::At(offset)) => (Some(self.expr(offset)), false),
            Some(Offset::Continue) => (None, true),
            None => (None, false),
        };
        let key = format!("{} {}", node.name.text, self.text(node.over.span));
        let next = self.resumes.len();
        let resume = *self.resumes.entry(key).or_insert(next);
        let table = node.table.as_ref().map(|cols| cols.as_ref().map(|cols| self.expr(cols)));
        let slot = self.slot();
        self.scope.push((node.name.text.clone(), slot));
        let body = self.nodes(&node.body);
        self.scope.pop();
        let otherwise = self.nodes(node.otherwise.as_deref().unwrap_or_default());
        let (reversed, span) = (node.reversed, node.span);
        For { slot, over, reversed, limit, offset, resumed, resume, table, body, otherwise, span }
    }

    fn render(&mut self, node: &liquid::Render) -> Render {
        let subject = node.subject.as_ref().map(|subject| {
            let value = self.expr(&subject.value);
            let file = node.file.text.rsplit('/').next().unwrap_or_default();
            let name = subject.name.as_ref().map_or(file.trim_start_matches('_'), |name| &name.text);
            (value, name.into(), subject.each)
        });
        let named = node.named.iter().map(|(name, value)| (name.text.as_str().into(), self.expr(value))).collect();
        Render { file: node.file.text.as_str().into(), subject, named, span: node.span }
    }

    fn filtered(&mut self, node: &liquid::Filtered) -> Filtered {
        let value = self.expr(&node.value);
        let filters = node.filters.iter().filter_map(|filter| self.filter(filter)).collect();
        Filtered { value, filters, span: node.span }
    }

    fn filter(&mut self, node: &liquid::Filter) -> Option<Filter> {
        let Some(kind) = FilterKind::from_name(&node.name.text) else {
            let message = format!("no filter is called `{}`", node.name.text);
            self.problems.push(Problem { span: node.name.span, message });
            return None;
        };
        let (least, most) = kind.arity();
        if node.args.len() < least || node.args.len() > most {
            let message = format!("`{}` does not take {} arguments", node.name.text, node.args.len());
            self.problems.push(Problem { span: node.span, message });
        }
        for (name, _) in &node.named {
            if !kind.named().contains(&name.text.as_str()) {
                let message = format!("`{}` has no argument `{}`", node.name.text, name.text);
                self.problems.push(Problem { span: name.span, message });
            }
        }
        let allow_false = node.named.first().map(|(_, value)| self.expr(value));
        Some(Filter { kind, args: self.exprs(&node.args), allow_false, span: node.span })
    }

    fn condition(&mut self, node: &liquid::Condition) -> Condition {
        let parts = node
            .parts
            .iter()
            .map(|(part, joiner)| {
                let right = part.right.as_ref().map(|(operator, right)| (*operator, self.expr(right)));
                (Comparison { left: self.expr(&part.left), right }, *joiner)
            })
            .collect();
        Condition { parts }
    }

    fn exprs(&mut self, nodes: &[liquid::Expr]) -> Vec<Expr> {
        nodes.iter().map(|node| self.expr(node)).collect()
    }

    fn expr(&mut self, node: &liquid::Expr) -> Expr {
        match &node.kind {
            ExprKind::Nil | ExprKind::Broken => Expr::Nil,
            ExprKind::Blank => Expr::Blank,
            ExprKind::Empty => Expr::Empty,
            ExprKind::Bool(value) => Expr::Bool(*value),
            ExprKind::Int(value) => Expr::Int(*value),
            ExprKind::Number(value) => Expr::Number(*value),
            ExprKind::Text(text) => Expr::Text(text.as_str().into()),
            ExprKind::Range(from, to) => Expr::Range(Box::new((self.expr(from), self.expr(to)))),
            ExprKind::Path(path) => Expr::Path(self.path(path)),
        }
    }

    fn path(&mut self, node: &liquid::Path) -> Path {
        let root = match &node.root {
            Some(name) => self.root(&name.text),
            None => Root::Computed,
        };
        let steps = node
            .steps
            .iter()
            .map(|step| match step {
                liquid::Step::Field(name) => Step::Field(name.text.as_str().into()),
                liquid::Step::Index(value) => match self.expr(value) {
                    Expr::Text(text) => Step::Field(text),
                    other => Step::Index(other),
                },
            })
            .collect();
        Path { root, steps }
    }

    fn root(&mut self, name: &str) -> Root {
        if let Some((_, slot)) = self.scope.iter().rev().find(|(known, _)| known == name) {
            return Root::Slot(*slot);
        }
        let (slot, counter) = (self.assigned.get(name).copied(), self.counters.get(name).copied());
        match name {
            _ if slot.is_some() || counter.is_some() => Root::Maybe { slot, counter, name: name.into() },
            "forloop" | "tablerowloop" => Root::Loop,
            _ => Root::Provided(name.into()),
        }
    }
}
