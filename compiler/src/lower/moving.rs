//! Values that change because time passes: where they stand, and whether that can be followed.

use crate::bytecode::{Arith, Const, Function, StepGrain, Unit};
use crate::node::{Node, NodeKind};
use crate::types::Kind;
use flow_grammar::span::Span;

/// Whether a value runs with `now`. Conditions and step functions around it do not: they change at
/// single instants, which the engine can know.
pub(crate) fn reads_now(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Now => true,
        NodeKind::Compare(..) | NodeKind::Between(..) | NodeKind::Units(..) => false,
        NodeKind::Call(function, args) if is_step(*function) && !args.is_empty() => false,
        _ => node.children().into_iter().any(reads_now),
    }
}

/// Whether a value reads the present time in any way.
pub(crate) fn moves(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Now | NodeKind::Today) || node.children().into_iter().any(moves)
}

/// Functions of an instant that change at local hours or midnights only.
fn is_step(function: Function) -> bool {
    matches!(
        function,
        Function::Date | Function::Year | Function::Month | Function::Day | Function::Hour | Function::Weekday
    )
}

/// Whether a value never falls, or never rises, as `now` grows.
pub(crate) fn monotone(node: &Node) -> bool {
    if !reads_now(node) {
        return true;
    }
    match &node.kind {
        NodeKind::Now => true,
        NodeKind::Negate(a) => monotone(a),
        NodeKind::Arith(Arith::Add | Arith::Subtract, a, b) => one_moves(a, b) && monotone(a) && monotone(b),
        NodeKind::Arith(_, a, b) => one_moves(a, b) && monotone(a) && monotone(b),
        NodeKind::Coalesce(a, b) => !reads_now(a) && monotone(b),
        NodeKind::Call(Function::Min | Function::Max, args) => {
            args.iter().filter(|a| reads_now(a)).count() == 1 && args.iter().all(monotone)
        }
        _ => false,
    }
}

fn one_moves(a: &Node, b: &Node) -> bool {
    !(reads_now(a) && reads_now(b))
}

/// The first part whose changes nobody could foresee; none: the condition can be followed.
pub(crate) fn residue(node: &Node) -> Option<Span> {
    match &node.kind {
        NodeKind::Now => Some(node.span),
        NodeKind::Compare(..) | NodeKind::Between(..) => {
            node.children().into_iter().find_map(|side| if reads_now(side) { unforeseen(side) } else { residue(side) })
        }
        NodeKind::Units(..) => None,
        NodeKind::Call(function, _) if is_step(*function) => None,
        _ => node.children().into_iter().find_map(residue),
    }
}

fn unforeseen(side: &Node) -> Option<Span> {
    (!monotone(side)).then_some(side.span)
}

/// How often a call of a step function can change; none: its argument stands still.
pub(crate) fn step_of_call(function: Function, args: &[Node]) -> Option<StepGrain> {
    let arg = args.first()?;
    if !is_step(function) || !reads_now(arg) {
        return None;
    }
    let whole_days = match &arg.kind {
        NodeKind::Now => true,
        NodeKind::Arith(Arith::Add | Arith::Subtract, a, b) => matches!(a.kind, NodeKind::Now) && is_whole_days(b),
        _ => false,
    };
    Some(match (whole_days, function) {
        (false, _) => StepGrain::Millisecond,
        (true, Function::Hour) => StepGrain::Hour,
        (true, _) => StepGrain::Day,
    })
}

fn is_whole_days(by: &Node) -> bool {
    matches!(by.as_const(), Some(Const::Duration(d)) if d.millis == 0)
}

/// How often `… between a and b` can change; none: both stand still.
pub(crate) fn step_of_units(unit: Unit, a: &Node, b: &Node) -> Option<StepGrain> {
    if !reads_now(a) && !reads_now(b) {
        return None;
    }
    let calendar = !matches!(unit, Unit::Seconds | Unit::Minutes | Unit::Hours);
    let midnight = |n: &Node| match &n.kind {
        NodeKind::Call(Function::ToInstant, args) => args.iter().all(|arg| arg.ty.kind == Kind::Date),
        _ => false,
    };
    let other_is_midnight =
        (matches!(a.kind, NodeKind::Now) && midnight(b)) || (matches!(b.kind, NodeKind::Now) && midnight(a));
    Some(if calendar && other_is_midnight { StepGrain::Day } else { StepGrain::Millisecond })
}
