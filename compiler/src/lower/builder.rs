//! Builds one code. Registers are used like a stack: a value is computed into the register it is
//! wanted in, and what it needs on the way lies above.

use super::{moving, CodeFacts};
use crate::bytecode::{Arith, Code, Compare, Const, Function, Op, Reg, StepGrain, Unit};
use crate::context::Cx;
use crate::node::{Node, NodeKind};
use crate::types::{Class, Kind};
use flow_grammar::span::Span;

/// More registers than any sensible expression needs.
const MAX_REGISTERS: u16 = 4_096;

pub(crate) struct Builder<'c, 'a> {
    cx: &'c mut Cx<'a>,
    ops: Vec<Op>,
    spans: Vec<Span>,
    registers: u16,
    facts: CodeFacts,
    /// `now` stands for itself: inside a step function, or a side of a moving comparison.
    raw: bool,
    fits: bool,
}

impl<'c, 'a> Builder<'c, 'a> {
    pub fn new(cx: &'c mut Cx<'a>, raw: bool) -> Self {
        Self { cx, ops: Vec::new(), spans: Vec::new(), registers: 1, facts: CodeFacts::default(), raw, fits: true }
    }

    pub fn finish(mut self, span: Span) -> (Code, CodeFacts, bool) {
        self.emit(Op::Return(0), span);
        let code = Code { ops: self.ops, spans: self.spans, registers: self.registers };
        (code, self.facts, self.fits)
    }

    fn emit(&mut self, op: Op, span: Span) -> usize {
        self.ops.push(op);
        self.spans.push(span);
        self.ops.len() - 1
    }

    /// The register above; also makes sure that there is one.
    fn above(&mut self, register: Reg, by: u16) -> Reg {
        let next = register.saturating_add(by);
        if next >= MAX_REGISTERS {
            self.fits = false;
            return register;
        }
        self.registers = self.registers.max(next + 1);
        next
    }

    /// Lets a jump lead to the next operation.
    fn land(&mut self, jump: usize) {
        let here = crate::context::index(self.ops.len());
        if let Some(Op::Jump(to) | Op::JumpIf(_, to) | Op::JumpIfNot(_, to) | Op::JumpIfKnown(_, to)) =
            self.ops.get_mut(jump)
        {
            *to = here;
        }
    }

    /// Computes a value into a register.
    pub fn value(&mut self, node: &Node, to: Reg) {
        let span = node.span;
        if !self.fits {
            return;
        }
        match &node.kind {
            NodeKind::Poison => self.constant(&Const::Missing, to, span),
            NodeKind::Const(value) => self.constant(value, to, span),
            NodeKind::Attr(id) => self.one(Op::Attr(to, *id), span),
            NodeKind::Trigger(at) => self.one(Op::Trigger(to, *at), span),
            NodeKind::Field(at) => self.one(Op::Field(to, *at), span),
            NodeKind::Slot(slot) => self.one(Op::Slot(to, *slot), span),
            NodeKind::EntryTime => self.one(Op::EntryTime(to), span),
            NodeKind::Now => self.one(Op::Now(to), span),
            NodeKind::Today => {
                self.facts.zone = true;
                self.one(Op::Today(to), span);
            }
            NodeKind::Member(base, at) => {
                self.value(base, to);
                self.one(Op::Member(to, to, *at), span);
            }
            NodeKind::Not(inner) => {
                self.value(inner, to);
                self.one(Op::Not(to, to), span);
            }
            NodeKind::Negate(inner) => {
                self.value(inner, to);
                self.one(Op::Negate(to, to), span);
            }
            NodeKind::IsKnown(inner) => {
                self.value(inner, to);
                self.one(Op::IsKnown(to, to), span);
            }
            NodeKind::Arith(op, a, b) => {
                self.facts.zone |= uses_calendar(*op, a, b);
                let b = self.pair(a, b, to);
                self.one(Op::Arith(*op, to, to, b), span);
            }
            NodeKind::Compare(op, a, b) => self.compare(*op, a, b, to, span),
            NodeKind::Between(value, low, high) => self.between(value, low, high, to, span),
            NodeKind::And(a, b) => self.short(a, b, to, span, |r| Op::JumpIfNot(r, 0)),
            NodeKind::Or(a, b) => self.short(a, b, to, span, |r| Op::JumpIf(r, 0)),
            NodeKind::Coalesce(a, b) => self.short(a, b, to, span, |r| Op::JumpIfKnown(r, 0)),
            NodeKind::In(a, b) => {
                let b = self.pair(a, b, to);
                self.one(Op::In(to, to, b), span);
            }
            NodeKind::Contains(a, b) => {
                let b = self.pair(a, b, to);
                self.one(Op::Contains(to, to, b), span);
            }
            NodeKind::StartsWith(a, b) => {
                let b = self.pair(a, b, to);
                self.one(Op::StartsWith(to, to, b), span);
            }
            NodeKind::EndsWith(a, b) => {
                let b = self.pair(a, b, to);
                self.one(Op::EndsWith(to, to, b), span);
            }
            NodeKind::List(items) => {
                let (first, count) = self.row(items, to);
                self.one(Op::List(to, first, count), span);
            }
            NodeKind::Concat(parts) => {
                self.facts.zone |= parts.iter().any(|p| p.ty.kind == Kind::DateTime);
                let (first, count) = self.row(parts, to);
                self.one(Op::Concat(to, first, count), span);
            }
            NodeKind::Call(function, args) => self.call(*function, args, node, to),
            NodeKind::Query(id, since) => {
                if let Some(since) = since {
                    self.value(since, to);
                }
                self.one(Op::Query(to, *id, since.as_ref().map(|_| to)), span);
            }
            NodeKind::InSegment(id) => self.one(Op::InSegment(to, *id), span),
            NodeKind::Can(channel, topic) => self.one(Op::Can(to, *channel, *topic), span),
            NodeKind::Outcome(slot, outcome) => self.one(Op::Outcome(to, *slot, *outcome), span),
            NodeKind::Units(unit, a, b) => self.units(*unit, a, b, node, to),
        }
    }

    fn one(&mut self, op: Op, span: Span) {
        self.emit(op, span);
    }

    fn constant(&mut self, value: &Const, to: Reg, span: Span) {
        let id = self.cx.const_id(value);
        self.one(Op::Const(to, id), span);
    }

    /// `a` into the register, `b` into the one above, whose number it gives.
    fn pair(&mut self, a: &Node, b: &Node, to: Reg) -> Reg {
        self.value(a, to);
        let above = self.above(to, 1);
        self.value(b, above);
        above
    }

    /// Values into registers side by side: the first of them, and how many.
    fn row(&mut self, items: &[Node], to: Reg) -> (Reg, u16) {
        let count = u16::try_from(items.len()).unwrap_or(u16::MAX);
        if count > 0 {
            self.above(to, count - 1);
        }
        for (at, item) in (0..count).zip(items) {
            self.value(item, to.saturating_add(at));
        }
        (to, count)
    }

    /// `a`, and `b` only where the jump is not taken.
    fn short(&mut self, a: &Node, b: &Node, to: Reg, span: Span, jump: fn(Reg) -> Op) {
        self.value(a, to);
        let jump = self.emit(jump(to), span);
        self.value(b, to);
        self.land(jump);
    }

    fn compare(&mut self, op: Compare, a: &Node, b: &Node, to: Reg, span: Span) {
        let moves = moving::reads_now(a) || moving::reads_now(b);
        if moves && !self.raw && moving::monotone(a) && moving::monotone(b) {
            let (a, b) = (self.cx.lower_raw(a), self.cx.lower_raw(b));
            self.one(Op::CompareMoving(op, to, a, b), span);
            return;
        }
        let b = self.pair(a, b, to);
        self.one(Op::Compare(op, to, to, b), span);
    }

    fn between(&mut self, value: &Node, low: &Node, high: &Node, to: Reg, span: Span) {
        if [value, low, high].into_iter().any(moving::reads_now) {
            self.compare(Compare::LessOrEqual, low, value, to, span);
            let jump = self.emit(Op::JumpIfNot(to, 0), span);
            self.compare(Compare::LessOrEqual, value, high, to, span);
            self.land(jump);
            return;
        }
        let kept = self.above(to, 1);
        let bound = self.above(to, 2);
        self.value(value, kept);
        self.value(low, bound);
        self.one(Op::Compare(Compare::LessOrEqual, to, bound, kept), span);
        let jump = self.emit(Op::JumpIfNot(to, 0), span);
        self.value(high, bound);
        self.one(Op::Compare(Compare::LessOrEqual, to, kept, bound), span);
        self.land(jump);
    }

    fn call(&mut self, function: Function, args: &[Node], node: &Node, to: Reg) {
        self.facts.zone |= function_uses_zone(function, args);
        if let (Some(grain), false) = (moving::step_of_call(function, args), self.raw) {
            self.step(node, to, grain);
            return;
        }
        let (first, count) = self.row(args, to);
        self.one(Op::Call(function, to, first, count), node.span);
    }

    fn units(&mut self, unit: Unit, a: &Node, b: &Node, node: &Node, to: Reg) {
        let exact = matches!(unit, Unit::Seconds | Unit::Minutes | Unit::Hours);
        let dates = a.ty.kind == Kind::Date && b.ty.kind == Kind::Date;
        self.facts.zone |= !(exact || dates);
        if let (Some(grain), false) = (moving::step_of_units(unit, a, b), self.raw) {
            self.step(node, to, grain);
            return;
        }
        let b = self.pair(a, b, to);
        self.one(Op::Between(unit, to, to, b), node.span);
    }

    fn step(&mut self, node: &Node, to: Reg, grain: StepGrain) {
        self.facts.zone = true;
        let code = self.cx.lower_raw(node);
        self.one(Op::StepMoving(to, code, grain), node.span);
    }
}

fn uses_calendar(op: Arith, a: &Node, b: &Node) -> bool {
    let steps =
        |duration: &Node| !matches!(duration.as_const(), Some(Const::Duration(d)) if d.months == 0 && d.days == 0);
    matches!(op, Arith::Add | Arith::Subtract)
        && a.ty.kind == Kind::DateTime
        && b.ty.kind.class() == Class::Duration
        && steps(b)
}

fn function_uses_zone(function: Function, args: &[Node]) -> bool {
    let instant = args.first().is_some_and(|a| a.ty.kind == Kind::DateTime);
    match function {
        Function::ToInstant => true,
        Function::Date | Function::Time | Function::Year | Function::Month | Function::Day | Function::Hour => instant,
        Function::Minute | Function::Weekday | Function::Text => instant,
        _ => false,
    }
}
