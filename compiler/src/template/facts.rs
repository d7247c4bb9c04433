//! What a condition shows about values: that one is there, that a list has elements.

use flow_grammar::liquid::{Comparison, Condition, Expr, ExprKind, Joiner, Operator, Path, Step};
use std::collections::BTreeSet;

/// What is known on the way to a place, as texts of paths: `user.first_name`; `products[]` for a list with elements.
pub(super) type Facts = BTreeSet<String>;

/// What is known when a condition holds, and when it does not.
pub(super) fn of_condition(condition: &Condition) -> (Facts, Facts) {
    // From the right: `a and REST`, `a or REST`.
    let mut parts = condition.parts.iter().rev();
    let Some((last, _)) = parts.next() else { return Default::default() };
    let (mut held, mut failed) = of_comparison(last);
    for (part, joiner) in parts {
        let (here, not_here) = of_comparison(part);
        match joiner {
            Some(Joiner::And) => {
                held.extend(here);
                failed = failed.intersection(&not_here).cloned().collect();
            }
            _ => {
                held = held.intersection(&here).cloned().collect();
                failed.extend(not_here);
            }
        }
    }
    (held, failed)
}

fn of_comparison(part: &Comparison) -> (Facts, Facts) {
    let there = |expr: &Expr| path_of(expr).into_iter().collect::<Facts>();
    let Some((operator, right)) = &part.right else { return (there(&part.left), Facts::new()) };
    let (left, right) = match (&part.left.kind, &right.kind) {
        (ExprKind::Nil | ExprKind::Blank | ExprKind::Empty, _) => (right, &part.left),
        _ => (&part.left, right),
    };
    let filled = || {
        let mut facts = there(left);
        facts.extend(path_of(left).map(|path| format!("{path}[]")));
        facts
    };
    match (operator, &right.kind) {
        (Operator::NotEqual, ExprKind::Nil) => (there(left), Facts::new()),
        (Operator::Equal, ExprKind::Nil) => (Facts::new(), there(left)),
        (Operator::NotEqual, ExprKind::Blank) => (filled(), Facts::new()),
        (Operator::Equal, ExprKind::Blank) => (Facts::new(), filled()),
        // What is missing is not empty either.
        (Operator::NotEqual | Operator::Equal, ExprKind::Empty) => Default::default(),
        (Operator::NotEqual, ExprKind::Int(0)) => (sized(left), Facts::new()),
        (Operator::Equal, ExprKind::Int(0)) => (Facts::new(), sized(left)),
        (Operator::Greater | Operator::GreaterOrEqual | Operator::Equal, ExprKind::Int(1..)) => {
            let mut facts = there(left);
            facts.extend(sized(left));
            (facts, Facts::new())
        }
        (Operator::Greater, ExprKind::Int(0)) => {
            let mut facts = there(left);
            facts.extend(sized(left));
            (facts, Facts::new())
        }
        // Every other comparison that holds is one with a value.
        (Operator::NotEqual, _) => (Facts::new(), both(left, right)),
        _ => (both(left, right), Facts::new()),
    }
}

fn both(left: &Expr, right: &Expr) -> Facts {
    match &right.kind {
        // Two missing values are equal.
        ExprKind::Path(_) => Facts::new(),
        _ => path_of(left).into_iter().collect(),
    }
}

/// `list.size` is something: the list has elements.
fn sized(expr: &Expr) -> Facts {
    path_of(expr)
        .and_then(|path| path.strip_suffix(".size").map(|list| Facts::from([list.to_owned(), format!("{list}[]")])))
        .unwrap_or_default()
}

/// The text of a path whose steps are all fixed.
pub(super) fn path_of(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Path(path) => text_of(path, path.steps.len()),
        _ => None,
    }
}

/// The text of a path up to so many steps.
pub(super) fn text_of(path: &Path, steps: usize) -> Option<String> {
    let mut text = path.root.as_ref()?.text.clone();
    for step in path.steps.iter().take(steps) {
        match step {
            Step::Field(name) => {
                text.push('.');
                text.push_str(&name.text);
            }
            Step::Index(Expr { kind: ExprKind::Text(name), .. }) => {
                text.push('.');
                text.push_str(name);
            }
            Step::Index(Expr { kind: ExprKind::Int(at), .. }) => text.push_str(&format!("[{at}]")),
            Step::Index(_) => return None,
        }
    }
    Some(text)
}

/// Forgets what was known about a variable: it has another value now.
pub(super) fn forget(facts: &mut Facts, name: &str) {
    facts.retain(|fact| {
        let rest = fact.strip_prefix(name);
        !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    });
}
