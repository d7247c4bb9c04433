//! Generated programs: text in a tree of parts, so that parts can be left out again.

use std::fmt::Write;

/// A clause, a step, an item …
pub type Node = Vec<Part>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Condition(Condition),
    /// Nodes one after the other.
    List(Vec<Node>),
    /// The same in braces.
    Block(Vec<Node>),
    /// What may as well be missing.
    Maybe(Vec<Part>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    Leaf(String),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

pub fn text(text: impl Into<String>) -> Part {
    Part::Text(text.into())
}

/// The source text.
pub fn print(nodes: &[Node]) -> String {
    let mut out = String::new();
    print_nodes(&mut out, nodes, 0);
    out
}

fn print_nodes(out: &mut String, nodes: &[Node], depth: usize) {
    for node in nodes {
        let _ = write!(out, "{:1$}", "", depth * 2);
        print_parts(out, node, depth);
        out.push('\n');
    }
}

fn print_parts(out: &mut String, parts: &[Part], depth: usize) {
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Condition(condition) => print_condition(out, condition),
            Part::Maybe(parts) => print_parts(out, parts, depth),
            Part::List(nodes) => {
                print_nodes(out, nodes, depth + 1);
            }
            Part::Block(nodes) => {
                out.push_str("{\n");
                print_nodes(out, nodes, depth + 1);
                let _ = write!(out, "{:1$}}}", "", depth * 2);
            }
        }
    }
}

fn print_condition(out: &mut String, condition: &Condition) {
    let pair = |out: &mut String, a: &Condition, word: &str, b: &Condition| {
        out.push('(');
        print_condition(out, a);
        let _ = write!(out, ") {word} (");
        print_condition(out, b);
        out.push(')');
    };
    match condition {
        Condition::Leaf(text) => out.push_str(text),
        Condition::Not(inner) => {
            out.push_str("not (");
            print_condition(out, inner);
            out.push(')');
        }
        Condition::And(a, b) => pair(out, a, "and", b),
        Condition::Or(a, b) => pair(out, a, "or", b),
    }
}

/// All programs that are smaller by one part.
pub fn smaller(nodes: &[Node]) -> Vec<Vec<Node>> {
    let mut out = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let with = |replacement: Vec<Node>| {
            let mut all = nodes.to_vec();
            all.splice(index..=index, replacement);
            all
        };
        out.push(with(Vec::new()));
        out.extend(inner_blocks(node).into_iter().map(&with));
        out.extend(smaller_parts(node).into_iter().map(|node| with(vec![node])));
    }
    out
}

/// The blocks of a node, to stand in its place.
fn inner_blocks(parts: &[Part]) -> Vec<Vec<Node>> {
    parts
        .iter()
        .flat_map(|part| match part {
            Part::Block(nodes) => vec![nodes.clone()],
            Part::Maybe(parts) => inner_blocks(parts),
            _ => Vec::new(),
        })
        .collect()
}

fn smaller_parts(parts: &[Part]) -> Vec<Vec<Part>> {
    let mut out = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let with = |replacement: Vec<Part>| {
            let mut all = parts.to_vec();
            all.splice(index..=index, replacement);
            all
        };
        match part {
            Part::Text(_) => {}
            Part::Condition(condition) => {
                out.extend(smaller_conditions(condition).into_iter().map(|c| with(vec![Part::Condition(c)])));
            }
            Part::List(nodes) => out.extend(smaller(nodes).into_iter().map(|n| with(vec![Part::List(n)]))),
            Part::Block(nodes) => out.extend(smaller(nodes).into_iter().map(|n| with(vec![Part::Block(n)]))),
            Part::Maybe(inner) => {
                out.push(with(Vec::new()));
                out.extend(smaller_parts(inner).into_iter().map(|p| with(vec![Part::Maybe(p)])));
            }
        }
    }
    out
}

fn smaller_conditions(condition: &Condition) -> Vec<Condition> {
    match condition {
        Condition::Leaf(_) => Vec::new(),
        Condition::Not(inner) => {
            let mut out = vec![(**inner).clone()];
            out.extend(smaller_conditions(inner).into_iter().map(|c| Condition::Not(Box::new(c))));
            out
        }
        Condition::And(a, b) => smaller_pair(a, b, Condition::And),
        Condition::Or(a, b) => smaller_pair(a, b, Condition::Or),
    }
}

fn smaller_pair(a: &Condition, b: &Condition, make: fn(Box<Condition>, Box<Condition>) -> Condition) -> Vec<Condition> {
    let mut out = vec![a.clone(), b.clone()];
    out.extend(smaller_conditions(a).into_iter().map(|a| make(Box::new(a), Box::new(b.clone()))));
    out.extend(smaller_conditions(b).into_iter().map(|b| make(Box::new(a.clone()), Box::new(b))));
    out
}
