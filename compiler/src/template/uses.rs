//! Which names a template uses, without asking what they are.

use flow_grammar::liquid::{Condition, Expr, ExprKind, Filtered, Node, Offset, Step, Template};
use flow_grammar::span::Span;

/// Whether a template names a variable. The files that it renders are added to `files`.
pub(super) fn names(template: &Template, name: &str, files: &mut Vec<String>) -> bool {
    let mut found = false;
    visit(template, &mut |used| match used {
        Used::Variable(variable, _) => found |= variable == name,
        Used::File(file) => files.push(file.to_owned()),
    });
    found
}

/// Every place at which a template names a variable (`user.first_name`), in the order of the text.
#[must_use]
pub fn variables(template: &Template) -> Vec<Span> {
    let mut found = Vec::new();
    visit(template, &mut |used| {
        if let Used::Variable(_, span) = used {
            found.push(span);
        }
    });
    found.sort_unstable();
    found
}

enum Used<'t> {
    /// Its name, and the place of the whole path.
    Variable(&'t str, Span),
    File(&'t str),
}

fn visit(template: &Template, seen: &mut dyn FnMut(Used<'_>)) {
    for line in &template.front {
        nodes(&line.value, seen);
    }
    nodes(&template.body, seen);
}

fn nodes(all: &[Node], seen: &mut dyn FnMut(Used<'_>)) {
    for node in all {
        match node {
            Node::Text(_) | Node::Count { .. } | Node::Break(_) | Node::Continue(_) | Node::Broken(_) => {}
            Node::Output(value) | Node::Assign { value, .. } => filtered(value, seen),
            Node::Capture { body, .. } => nodes(body, seen),
            Node::If(node) => {
                for branch in &node.branches {
                    condition(&branch.condition, seen);
                    nodes(&branch.body, seen);
                }
                nodes(node.otherwise.as_deref().unwrap_or_default(), seen);
            }
            Node::Case(node) => {
                expr(&node.subject, seen);
                for (values, body) in &node.arms {
                    values.iter().for_each(|value| expr(value, seen));
                    nodes(body, seen);
                }
                nodes(node.otherwise.as_deref().unwrap_or_default(), seen);
            }
            Node::For(node) => {
                expr(&node.over, seen);
                node.limit.iter().chain(node.table.iter().flatten()).for_each(|value| expr(value, seen));
                if let Some(Offset::At(offset)) = &node.offset {
                    expr(offset, seen);
                }
                nodes(&node.body, seen);
                nodes(node.otherwise.as_deref().unwrap_or_default(), seen);
            }
            Node::Cycle { group, values, .. } => group.iter().chain(values).for_each(|value| expr(value, seen)),
            Node::Render(node) => {
                seen(Used::File(&node.file.text));
                let subject = node.subject.iter().map(|subject| &subject.value);
                subject.chain(node.named.iter().map(|(_, value)| value)).for_each(|value| expr(value, seen));
            }
        }
    }
}

fn filtered(value: &Filtered, seen: &mut dyn FnMut(Used<'_>)) {
    expr(&value.value, seen);
    for filter in &value.filters {
        filter.args.iter().chain(filter.named.iter().map(|(_, value)| value)).for_each(|arg| expr(arg, seen));
    }
}

fn condition(condition: &Condition, seen: &mut dyn FnMut(Used<'_>)) {
    for (part, _) in &condition.parts {
        expr(&part.left, seen);
        if let Some((_, right)) = &part.right {
            expr(right, seen);
        }
    }
}

fn expr(value: &Expr, seen: &mut dyn FnMut(Used<'_>)) {
    match &value.kind {
        ExprKind::Range(from, to) => [from, to].into_iter().for_each(|end| expr(end, seen)),
        ExprKind::Path(path) => {
            if let Some(root) = &path.root {
                seen(Used::Variable(&root.text, value.span));
            }
            for step in &path.steps {
                if let Step::Index(index) = step {
                    expr(index, seen);
                }
            }
        }
        _ => {}
    }
}
