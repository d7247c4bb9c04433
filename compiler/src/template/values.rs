//! Values: names, fields, elements.

use super::check::Check;
use super::facts;
use super::offers::MARK;
use super::shape::{Record, Shape, Variable};
use crate::codes as code;
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;
use flow_grammar::liquid::{Expr, ExprKind, Filtered, Name, Path, Step};
use flow_grammar::span::Span;
use std::rc::Rc;

/// What the record of the trigger is called.
const TRIGGER: &str = "trigger";
/// What a loop knows of itself.
pub(super) const LOOP_FIELDS: [&str; 15] = [
    "index",
    "index0",
    "rindex",
    "rindex0",
    "first",
    "last",
    "length",
    "parentloop",
    "col",
    "col0",
    "col_first",
    "col_last",
    "row",
    "name",
    "size",
];

impl Check<'_> {
    pub(super) fn filtered(&mut self, node: &Filtered) -> Variable {
        let mut variable = self.value(&node.value);
        for filter in &node.filters {
            variable = self.filter(variable, filter, node);
        }
        variable
    }

    pub(super) fn value(&mut self, expr: &Expr) -> Variable {
        match &expr.kind {
            ExprKind::Nil => Variable { shape: Shape::Any, optional: true },
            ExprKind::Blank | ExprKind::Empty | ExprKind::Broken => Variable::any(),
            ExprKind::Bool(_) => Variable::known(Shape::Bool),
            ExprKind::Int(_) => Variable::known(Shape::Int),
            ExprKind::Number(_) => Variable::known(Shape::Number),
            ExprKind::Text(_) => Variable::known(Shape::Text),
            ExprKind::Range(from, to) => {
                for end in [from, to] {
                    let variable = self.value(end);
                    self.number(&variable, end);
                }
                Variable::known(Shape::list(Shape::Int))
            }
            ExprKind::Path(path) => self.path(path, expr.span),
        }
    }

    fn path(&mut self, path: &Path, span: Span) -> Variable {
        let mut steps = path.steps.iter().enumerate();
        let mut variable = match &path.root {
            Some(name) if self.is_loop(name) => return self.loop_field(path, span),
            Some(name) => self.root(name),
            None => match steps.next() {
                Some((_, Step::Index(Expr { kind: ExprKind::Text(text), span }))) => {
                    self.root(&Name { text: text.clone(), span: *span })
                }
                _ => return Variable::any(),
            },
        };
        for (at, step) in steps {
            let whole = facts::text_of(path, at + 1);
            let before = facts::text_of(path, at);
            // What a missing value has is missing.
            let missing = variable.optional && !before.is_some_and(|text| self.facts.contains(&text));
            let found = match step {
                Step::Field(name) => self.field(&variable, &name.text, name.span, path, at),
                Step::Index(Expr { kind: ExprKind::Text(text), span }) => self.field(&variable, text, *span, path, at),
                Step::Index(index) => self.index(&variable, index, path, at),
            };
            // Reported: nothing more is said about it.
            let Some(found) = found else { return Variable::any() };
            variable = found;
            variable.optional |= missing;
            if whole.is_some_and(|text| self.facts.contains(&text)) {
                variable.optional = false;
            }
        }
        if let (Shape::Record(record), true) = (&variable.shape, path.steps.is_empty()) {
            let record = Rc::clone(record);
            self.all_of(&record);
        }
        if path.steps.is_empty() && path.root.as_ref().is_some_and(|name| self.facts.contains(&name.text)) {
            variable.optional = false;
        }
        variable
    }

    fn is_loop(&self, name: &Name) -> bool {
        matches!(name.text.as_str(), "forloop" | "tablerowloop") && !self.assigned.contains_key(&name.text)
    }

    fn loop_field(&mut self, path: &Path, span: Span) -> Variable {
        if !self.looped {
            let found = Diagnostic::error(code::TEMPLATE_NAME, span, "there is no loop here");
            self.found.push(found.help("`forloop` is known inside of `for`"));
            return Variable::any();
        }
        for step in &path.steps {
            let Step::Field(name) = step else { continue };
            if name.text == MARK {
                self.tell_loop();
                return Variable::any();
            }
            if !LOOP_FIELDS.contains(&name.text.as_str()) {
                let message = format!("a loop has no `{}`", name.text);
                let found = Diagnostic::error(code::TEMPLATE_FIELD, name.span, message);
                self.found.push(suggest(found, nearest(&name.text, LOOP_FIELDS.into_iter()), name.span));
                return Variable::any();
            }
        }
        match path.steps.last() {
            Some(Step::Field(name)) => match name.text.as_str() {
                "first" | "last" | "col_first" | "col_last" => Variable::known(Shape::Bool),
                "parentloop" | "name" => Variable::any(),
                _ => Variable::known(Shape::Int),
            },
            _ => Variable::any(),
        }
    }

    fn root(&mut self, name: &Name) -> Variable {
        let text = name.text.as_str();
        if text == MARK {
            self.tell_names();
            return Variable::any();
        }
        if let Some((_, variable)) = self.scope.iter().rev().find(|(known, _)| known == text) {
            return variable.clone();
        }
        let known =
            self.assigned.get(text).or_else(|| self.handed.get(text)).or_else(|| self.provided.everywhere.get(text));
        if let Some(variable) = known {
            return variable.clone();
        }
        if self.counters.contains(text) {
            return Variable::known(Shape::Int);
        }
        self.unknown(name);
        Variable::any()
    }

    fn unknown(&mut self, name: &Name) {
        let message = format!("nothing here is called `{}`", name.text);
        let found = Diagnostic::error(code::TEMPLATE_NAME, name.span, message);
        if let Some(spelled) = self.provided.spelled.get(&name.text) {
            let found = found.help(format!("write `{spelled}`"));
            self.found.push(found.fix(format!("write `{spelled}`"), name.span, spelled.clone()));
            return;
        }
        let scope = self.scope.iter().map(|(name, _)| name);
        let names = self.handed.keys().chain(self.assigned.keys()).chain(self.provided.everywhere.keys()).chain(scope);
        let near = nearest(&name.text, names.map(String::as_str)).map(str::to_owned);
        self.found.push(match near {
            Some(_) => suggest(found, near.as_deref(), name.span),
            None => match self.files.last() {
                Some(file) => found.help(format!("hand it to the file: `{{% render \"{file}\", {}: … %}}`", name.text)),
                None => found.help(format!("hand it over where the template is sent: `with {{ {}: … }}`", name.text)),
            },
        });
    }

    fn field(&mut self, variable: &Variable, name: &str, span: Span, path: &Path, at: usize) -> Option<Variable> {
        if name == MARK {
            self.tell_fields(variable);
            return Some(Variable::any());
        }
        Some(match &variable.shape {
            Shape::Any => Variable::any(),
            Shape::Record(record) => match record.fields.get(name) {
                Some(field) => {
                    if record.name == TRIGGER {
                        self.trigger.insert(name.to_owned());
                    }
                    field.clone()
                }
                None if name == "size" => Variable::known(Shape::Int),
                None => {
                    self.no_field(record, name, span);
                    return None;
                }
            },
            Shape::List(element) => match name {
                "size" => Variable::known(Shape::Int),
                "first" | "last" => {
                    Variable { optional: element.optional || !self.filled(path, at), ..element.as_ref().clone() }
                }
                _ => {
                    let help = format!("go through its elements with `for`, or take one: `.first.{name}`");
                    self.not_there("a list", name, span, &help);
                    return None;
                }
            },
            Shape::Text | Shape::OneOf(_) if name == "size" => Variable::known(Shape::Int),
            other => {
                self.not_there(other.words(), name, span, "");
                return None;
            }
        })
    }

    /// Whether the list that a path is at, after so many steps, is known to have elements.
    fn filled(&self, path: &Path, at: usize) -> bool {
        facts::text_of(path, at).is_some_and(|text| self.facts.contains(&format!("{text}[]")))
    }

    fn no_field(&mut self, record: &Record, name: &str, span: Span) {
        let message = format!("`{}` has no `{name}`", record.name);
        let found = Diagnostic::error(code::TEMPLATE_FIELD, span, message);
        let near = nearest(name, record.fields.keys().map(String::as_str));
        self.found.push(match near {
            Some(_) => suggest(found, near, span),
            None if record.fields.is_empty() => found,
            None => {
                let all: Vec<String> = record.fields.keys().take(12).map(|name| format!("`{name}`")).collect();
                found.help(format!("it has {}", all.join(", ")))
            }
        });
    }

    fn not_there(&mut self, what: &str, name: &str, span: Span, help: &str) {
        let message = format!("{what} has no `{name}`");
        let found = Diagnostic::error(code::TEMPLATE_FIELD, span, message);
        self.found.push(if help.is_empty() { found } else { found.help(help) });
    }

    fn index(&mut self, variable: &Variable, index: &Expr, path: &Path, at: usize) -> Option<Variable> {
        let position = self.value(index);
        Some(match &variable.shape {
            Shape::List(element) => {
                if !matches!(position.shape, Shape::Int | Shape::Number | Shape::Any) {
                    self.number(&position, index);
                }
                let ends = matches!(index.kind, ExprKind::Int(0 | -1));
                Variable { optional: element.optional || !(ends && self.filled(path, at)), ..element.as_ref().clone() }
            }
            // Which field it is, is known only when the message is made.
            Shape::Record(record) => {
                self.all_of(record);
                Variable::any()
            }
            Shape::Any => Variable::any(),
            other => {
                let message = format!("only a list has elements, and this is {}", other.words());
                self.found.push(Diagnostic::error(code::TEMPLATE_FIELD, index.span, message));
                return None;
            }
        })
    }

    /// The whole trigger is looked at.
    fn all_of(&mut self, record: &Record) {
        if record.name == TRIGGER {
            self.trigger.extend(record.fields.keys().cloned());
        }
    }
}

pub(super) fn suggest(found: Diagnostic, near: Option<&str>, span: Span) -> Diagnostic {
    match near {
        Some(near) => found.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), span, near),
        None => found,
    }
}
