//! The walk over a template.

use super::facts::{self, Facts};
use super::offers::Probe;
use super::shape::{Class, Shape, Variable};
use super::{Parts, Provided, FRONT_KEYS};
use crate::codes as code;
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;
use flow_grammar::liquid::{self, Expr, ExprKind, Filtered, For, Name, Node, Offset, Render, Template};
use flow_grammar::span::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How deep files that render files are followed; deeper ones are checked where they are rendered first.
const MAX_FILES: usize = 16;

/// What a walk found.
pub(crate) struct Report {
    pub found: Vec<Diagnostic>,
    /// The fields of the trigger that are named.
    pub trigger: BTreeSet<String>,
}

/// `layout` is the file that the template says it stands in.
pub(super) fn run(template: &Template, layout: Option<&str>, parts: &Parts<'_>, provided: &Provided) -> Report {
    run_with(template, layout, parts, provided, None)
}

/// As [`run`], telling what there is where the probe's mark stands.
pub(super) fn run_with(
    template: &Template,
    layout: Option<&str>,
    parts: &Parts<'_>,
    provided: &Provided,
    probe: Option<&Probe>,
) -> Report {
    let mut check = Check::new(parts, provided, provided.variables.clone(), probe);
    for line in &template.front {
        if !FRONT_KEYS.contains(&line.key.text.as_str()) {
            let near = nearest(&line.key.text, FRONT_KEYS.into_iter());
            let message = format!("the front matter has no key `{}`", line.key.text);
            let found = Diagnostic::error(code::TEMPLATE_FRONT_KEY, line.key.span, message);
            check.found.push(match near {
                Some(near) => {
                    found.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), line.key.span, near)
                }
                None => found.help(format!("its keys are {}", FRONT_KEYS.map(|key| format!("`{key}`")).join(", "))),
            });
        }
        check.apart(&line.value);
    }
    check.apart(&template.body);
    if let (Some(name), Some(line)) = (layout, template.front("layout")) {
        check.layout(&Name { text: name.to_owned(), span: line.span });
    }
    Report { found: check.found, trigger: check.trigger }
}

/// One template, or one file that it renders.
pub(super) struct Check<'a> {
    parts: &'a Parts<'a>,
    pub(super) provided: &'a Provided,
    /// What is handed to this file.
    pub(super) handed: BTreeMap<String, Variable>,
    /// What `assign` and `capture` made so far.
    pub(super) assigned: BTreeMap<String, Variable>,
    pub(super) counters: BTreeSet<String>,
    /// The variables of the loops around.
    pub(super) scope: Vec<(String, Variable)>,
    /// What is known to be there.
    pub(super) facts: Facts,
    pub(super) found: Vec<Diagnostic>,
    pub(super) trigger: BTreeSet<String>,
    /// The files on the way here.
    pub(super) files: Vec<String>,
    /// Whether a loop, or a rendering for each element, is around.
    pub(super) looped: bool,
    /// Who asks what there is at a place.
    pub(super) probe: Option<&'a Probe>,
}

impl<'a> Check<'a> {
    fn new(
        parts: &'a Parts<'a>,
        provided: &'a Provided,
        handed: BTreeMap<String, Variable>,
        probe: Option<&'a Probe>,
    ) -> Self {
        Self {
            parts,
            provided,
            handed,
            assigned: BTreeMap::new(),
            counters: BTreeSet::new(),
            scope: Vec::new(),
            facts: Facts::new(),
            found: Vec::new(),
            trigger: BTreeSet::new(),
            files: Vec::new(),
            looped: false,
            probe,
        }
    }

    /// Front matter and text do not share variables.
    fn apart(&mut self, nodes: &[Node]) {
        self.assigned.clear();
        self.counters.clear();
        self.facts.clear();
        self.nodes(nodes);
    }

    /// The file around the text: it sees that, and the front matter.
    fn layout(&mut self, name: &Name) {
        let parts = self.parts;
        let known = parts.get_key_value(&name.text).or_else(|| parts.get_key_value(&super::part_name(&name.text)));
        let Some((known, template)) = known else {
            self.no_file(name);
            return;
        };
        let text = |name: &str| (name.to_owned(), Variable::maybe(Shape::Text, name != "content"));
        let handed = FRONT_KEYS.into_iter().chain(["content"]).map(text).collect();
        let mut inner = Check::new(parts, self.provided, handed, self.probe);
        inner.files.push(known.clone());
        inner.nodes(&template.body);
        self.trigger.append(&mut inner.trigger);
        self.found.append(&mut inner.found);
    }

    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            self.node(node);
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Text(_) | Node::Break(_) | Node::Continue(_) | Node::Broken(_) => {}
            Node::Output(value) => self.output(value),
            Node::Assign { name, value } => {
                let variable = self.filtered(value);
                // What was known about the source is known about the copy.
                let element = value.filters.is_empty().then(|| facts::path_of(&value.value)).flatten();
                let filled = element.is_some_and(|path| self.facts.contains(&format!("{path}[]")));
                self.set(&name.text, variable);
                if filled {
                    self.facts.insert(format!("{}[]", name.text));
                }
            }
            Node::Capture { name, body } => {
                self.nodes(body);
                self.set(&name.text, Variable::known(Shape::Text));
            }
            Node::Count { name, .. } => {
                self.counters.insert(name.text.clone());
            }
            Node::If(node) => self.choice(node),
            Node::Case(node) => self.case(node),
            Node::For(node) => self.each(node),
            Node::Cycle { group, values, .. } => {
                for value in group.iter().chain(values) {
                    let variable = self.value(value);
                    self.needed(&variable, value.span);
                }
            }
            Node::Render(node) => self.render(node),
        }
    }

    fn set(&mut self, name: &str, variable: Variable) {
        facts::forget(&mut self.facts, name);
        self.assigned.insert(name.to_owned(), variable);
    }

    fn output(&mut self, value: &Filtered) {
        let variable = self.filtered(value);
        if let Shape::Record(record) = &variable.shape {
            let first = record.fields.keys().next().map_or("name", String::as_str);
            let shown = facts::path_of(&value.value).unwrap_or_else(|| record.name.clone());
            self.found.push(
                Diagnostic::error(code::TEMPLATE_FILTER_TYPE, value.span, "a record has no text of its own")
                    .help(format!("show one of its fields, such as `{{{{ {shown}.{first} }}}}`")),
            );
            return;
        }
        match facts::path_of(&value.value).filter(|_| value.filters.is_empty()) {
            Some(path) => self.needed_as(&variable, value.span, &format!("`{path}`")),
            None => self.needed(&variable, value.span),
        }
    }

    /// Reports a value that may be missing where it is shown.
    pub(super) fn needed(&mut self, variable: &Variable, span: Span) {
        self.needed_as(variable, span, "this");
    }

    fn needed_as(&mut self, variable: &Variable, span: Span, what: &str) {
        if variable.optional {
            self.found.push(
                Diagnostic::error(
                    code::TEMPLATE_MISSING,
                    span,
                    format!("{what} may be missing, and then the message has a hole"),
                )
                .help("say what to show then, with `| default: \"…\"`, or ask for it with `if`"),
            );
        }
    }

    fn choice(&mut self, node: &liquid::If) {
        let before = self.facts.clone();
        let mut ends = Vec::new();
        let mut so_far = before.clone();
        for branch in &node.branches {
            self.facts = so_far.clone();
            self.condition(&branch.condition);
            let (mut held, mut failed) = facts::of_condition(&branch.condition);
            if branch.negated {
                std::mem::swap(&mut held, &mut failed);
            }
            self.facts.extend(held);
            let assigned = self.assigned.clone();
            self.nodes(&branch.body);
            ends.push((self.facts.clone(), std::mem::replace(&mut self.assigned, assigned)));
            so_far.extend(failed);
        }
        self.facts = so_far;
        let assigned = self.assigned.clone();
        self.nodes(node.otherwise.as_deref().unwrap_or_default());
        ends.push((self.facts.clone(), std::mem::replace(&mut self.assigned, assigned)));
        self.join(ends);
    }

    /// After a choice: what all its ways agree on.
    fn join(&mut self, ends: Vec<(Facts, BTreeMap<String, Variable>)>) {
        let mut ends = ends.into_iter();
        let Some((mut facts, mut assigned)) = ends.next() else { return };
        for (other_facts, other) in ends {
            facts = facts.intersection(&other_facts).cloned().collect();
            for (name, variable) in &other {
                if !assigned.contains_key(name) {
                    let before = self.before(name);
                    assigned.insert(name.clone(), joined(variable, &before));
                }
            }
            for (name, variable) in &mut assigned {
                let there = match other.get(name) {
                    Some(there) => there.clone(),
                    None => self.before(name),
                };
                *variable = joined(variable, &there);
            }
        }
        self.facts = facts;
        self.assigned = assigned;
    }

    /// What a name was before it was assigned: provided, or missing.
    fn before(&self, name: &str) -> Variable {
        self.handed
            .get(name)
            .or_else(|| self.provided.everywhere.get(name))
            .cloned()
            .unwrap_or(Variable { shape: Shape::Any, optional: true })
    }

    fn case(&mut self, node: &liquid::Case) {
        let subject = self.value(&node.subject);
        let path = facts::path_of(&node.subject);
        let before = self.facts.clone();
        let mut ends = Vec::new();
        for (values, body) in &node.arms {
            self.facts = before.clone();
            let mut there = true;
            for value in values {
                let variable = self.value(value);
                self.comparable(&subject, &node.subject, liquid::Operator::Equal, &variable, value, value.span);
                there &= !matches!(
                    value.kind,
                    ExprKind::Nil | ExprKind::Blank | ExprKind::Empty | ExprKind::Path(_) | ExprKind::Broken
                );
            }
            self.facts.extend(path.clone().filter(|_| there && !values.is_empty()));
            let assigned = self.assigned.clone();
            self.nodes(body);
            ends.push((self.facts.clone(), std::mem::replace(&mut self.assigned, assigned)));
        }
        self.facts = before;
        let assigned = self.assigned.clone();
        self.nodes(node.otherwise.as_deref().unwrap_or_default());
        ends.push((self.facts.clone(), std::mem::replace(&mut self.assigned, assigned)));
        self.join(ends);
    }

    fn each(&mut self, node: &For) {
        let over = self.value(&node.over);
        let element = self.element(&over, &node.over);
        let counts = [node.limit.as_ref(), node.table.as_ref().and_then(Option::as_ref)];
        let offset = match &node.offset {
            Some(Offset::At(offset)) => Some(offset),
            _ => None,
        };
        for count in counts.into_iter().flatten().chain(offset) {
            let variable = self.value(count);
            self.number(&variable, count);
        }
        let before = (self.facts.clone(), self.assigned.clone());
        self.facts.extend(facts::path_of(&node.over).into_iter().flat_map(|path| [format!("{path}[]"), path]));
        facts::forget(&mut self.facts, &node.name.text);
        self.scope.push((node.name.text.clone(), element));
        let looped = std::mem::replace(&mut self.looped, true);
        // What a round assigns, the next one sees: what is found in the second is what holds for all.
        let found = self.found.len();
        self.nodes(&node.body);
        let after = self.assigned.clone();
        if after != before.1 {
            self.assigned = before.1.clone();
            self.join_into(after);
            self.found.truncate(found);
            self.nodes(&node.body);
        }
        self.looped = looped;
        self.scope.pop();
        let end = (before.0.clone(), self.assigned.clone());
        self.facts = before.0;
        self.assigned = before.1;
        self.nodes(node.otherwise.as_deref().unwrap_or_default());
        let otherwise = (self.facts.clone(), self.assigned.clone());
        self.join(vec![end, otherwise]);
    }

    fn join_into(&mut self, after: BTreeMap<String, Variable>) {
        let here = (self.facts.clone(), self.assigned.clone());
        let there = (self.facts.clone(), after);
        self.join(vec![here, there]);
    }

    /// What a loop over this goes through.
    fn element(&mut self, over: &Variable, expr: &Expr) -> Variable {
        match &over.shape {
            Shape::List(element) => element.as_ref().clone(),
            Shape::Record(_) => Variable::known(Shape::List(Rc::new(Variable::any()))),
            Shape::Any => Variable::any(),
            other => {
                let message = format!("`for` goes through a list, and this is {}", other.words());
                let found = Diagnostic::error(code::TEMPLATE_FILTER_TYPE, expr.span, message);
                self.found.push(match other.class() {
                    Class::Text => found.help("make a list of it first, with `| split: \",\"`"),
                    Class::Number => found.help("write a range, such as `(1..5)`"),
                    _ => found,
                });
                Variable::any()
            }
        }
    }

    /// Reports what is no number where a number is wanted.
    pub(super) fn number(&mut self, variable: &Variable, expr: &Expr) {
        if !matches!(variable.shape.class(), Class::Number | Class::Any) {
            let message = format!("a number is needed here, and this is {}", variable.shape.words());
            self.found.push(Diagnostic::error(code::TEMPLATE_FILTER_TYPE, expr.span, message));
            return;
        }
        self.needed(variable, expr.span);
    }

    fn render(&mut self, node: &Render) {
        let mut handed = BTreeMap::new();
        let mut looped = false;
        if let Some(subject) = &node.subject {
            let mut variable = self.value(&subject.value);
            if subject.each {
                looped = true;
                variable = match &variable.shape {
                    Shape::List(element) => element.as_ref().clone(),
                    _ => variable,
                };
            }
            let file = node.file.text.rsplit('/').next().unwrap_or_default().trim_start_matches('_');
            let name = subject.name.as_ref().map_or(file, |name| &name.text);
            handed.insert(name.to_owned(), variable);
        }
        for (name, value) in &node.named {
            let variable = self.value(value);
            handed.insert(name.text.clone(), variable);
        }
        let parts = self.parts;
        let known =
            parts.get_key_value(&node.file.text).or_else(|| parts.get_key_value(&super::part_name(&node.file.text)));
        let Some((name, template)) = known else {
            self.no_file(&node.file);
            return;
        };
        if self.files.contains(name) || self.files.len() >= MAX_FILES {
            return;
        }
        let mut inner = Check::new(parts, self.provided, handed, self.probe);
        inner.files = self.files.clone();
        inner.files.push(name.clone());
        inner.looped = looped;
        inner.nodes(&template.body);
        self.trigger.append(&mut inner.trigger);
        self.found.extend(inner.found.into_iter().map(|found| {
            let already = found.labels.iter().any(|label| label.text == "rendered here");
            if already {
                found
            } else {
                found.label(node.span, "rendered here")
            }
        }));
    }

    fn no_file(&mut self, file: &Name) {
        let near = nearest(&file.text, self.parts.keys().map(String::as_str));
        let message = format!("there is no file `{}` to render", file.text);
        let found = Diagnostic::error(code::TEMPLATE_NO_FILE, file.span, message);
        self.found.push(match near {
            Some(near) => found.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), file.span, near),
            None => found.help(format!("add `templates/_{}.liquid`", file.text)),
        });
    }
}

fn joined(a: &Variable, b: &Variable) -> Variable {
    Variable { shape: a.shape.joined(&b.shape), optional: a.optional || b.optional }
}
