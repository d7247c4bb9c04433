//! Code: registers, constants, jumps, and the codes and queries that it leads to.

use super::{below, segment_is_known};
use crate::bytecode::{Code, CodeId, Journey, Op, Program, QueryId, QueryWindow, Reg};
use std::collections::BTreeSet;

/// What a code can see besides the person.
#[derive(Clone, Copy, Default)]
pub(super) struct Context<'p> {
    /// The journey that it stands in, and its index.
    pub journey: Option<(usize, &'p Journey)>,
    /// How many fields the event under test, or the arguments, have.
    pub fields: Option<usize>,
}

/// Checks codes, each once a context.
pub(super) struct Codes<'p> {
    program: &'p Program,
    done: BTreeSet<(CodeId, Option<usize>, Option<usize>)>,
    /// The codes being checked; meeting one of them again would be a circle.
    open: Vec<CodeId>,
}

impl<'p> Codes<'p> {
    pub fn new(program: &'p Program) -> Self {
        Self { program, done: BTreeSet::new(), open: Vec::new() }
    }

    /// Checks a code and all that it leads to.
    pub fn check(&mut self, id: CodeId, context: Context<'p>) -> Result<(), String> {
        let key = (id, context.journey.map(|(n, _)| n), context.fields);
        if self.open.contains(&id) {
            return Err(format!("code {} leads to itself", id.0));
        }
        if !self.done.insert(key) {
            return Ok(());
        }
        let Some(code) = self.program.codes.get(id.index()) else {
            return Err(format!("code {} of {}", id.0, self.program.codes.len()));
        };
        self.open.push(id);
        let checked = self.ops(code, context).map_err(|e| format!("code {}, {e}", id.0));
        self.open.pop();
        checked
    }

    fn ops(&mut self, code: &'p Code, context: Context<'p>) -> Result<(), String> {
        if code.spans.len() != code.ops.len() {
            return Err(format!("{} spans for {} operations", code.spans.len(), code.ops.len()));
        }
        if !matches!(code.ops.last(), Some(Op::Return(_))) {
            return Err("the last operation is no return".to_owned());
        }
        for (at, op) in code.ops.iter().enumerate() {
            let place = |e: String| format!("operation {at} ({op:?}): {e}");
            registers(op, code.registers).map_err(place)?;
            jump(op, at, code.ops.len()).map_err(place)?;
            self.operands(op, context).map_err(place)?;
        }
        Ok(())
    }

    fn operands(&mut self, op: &Op, context: Context<'p>) -> Result<(), String> {
        let program = self.program;
        let journey = || context.journey.map(|(_, journey)| journey).ok_or_else(|| "outside a journey".to_owned());
        match op {
            Op::Const(_, id) => below("constant", id.index(), program.constants.len()),
            Op::Attr(_, id) => below("attribute", id.index(), program.attributes.len()),
            Op::Trigger(_, n) => below("trigger field", usize::from(*n), journey()?.trigger_fields.len()),
            Op::Field(_, n) => below("field", usize::from(*n), context.fields.ok_or("outside an event")?),
            Op::EntryTime(_) => journey().map(|_| ()),
            Op::Slot(_, n) => below("slot", usize::from(*n), usize::from(journey()?.slots)),
            Op::Outcome(_, n, _) => below("message", usize::from(*n), usize::from(journey()?.messages)),
            Op::CompareMoving(_, _, a, b) => {
                self.check(*a, context)?;
                self.check(*b, context)
            }
            Op::StepMoving(_, code, _) => self.check(*code, context),
            Op::Query(_, id, since) => self.query(*id, since.is_some(), context),
            Op::InSegment(_, id) => {
                segment_is_known(program, *id)?;
                let segment = program.segments.get(id.index()).ok_or("no segment")?;
                self.check(segment.condition.code, Context::default())
            }
            Op::Can(_, channel, topic) => {
                below("channel", channel.index(), program.channels.len())?;
                below("topic", topic.index(), program.topics.len())
            }
            _ => Ok(()),
        }
    }

    fn query(&mut self, id: QueryId, has_start: bool, context: Context<'p>) -> Result<(), String> {
        below("query", id.index(), self.program.queries.len())?;
        let Some(query) = self.program.queries.get(id.index()) else { return Ok(()) };
        if (query.window == QueryWindow::Since) != has_start {
            return Err(format!("query {} and its start do not fit", id.0));
        }
        if query.window == QueryWindow::Entry && context.journey.is_none() {
            return Err(format!("query {} asks about an entry outside a journey", id.0));
        }
        let Some(filter) = query.filter else { return Ok(()) };
        let fields = self.program.events.get(query.event.index()).map(|event| event.fields.len());
        self.check(filter, Context { fields, ..context }).map_err(|e| format!("filter of query {}: {e}", id.0))
    }
}

/// Jumps go forward and stay inside.
fn jump(op: &Op, at: usize, len: usize) -> Result<(), String> {
    match op {
        Op::Jump(to) | Op::JumpIf(_, to) | Op::JumpIfNot(_, to) | Op::JumpIfKnown(_, to) => {
            if *to as usize <= at {
                return Err("jumps back".to_owned());
            }
            below("operation", *to as usize, len)
        }
        _ => Ok(()),
    }
}

/// Every register that an operation names is one of `count`.
fn registers(op: &Op, count: u16) -> Result<(), String> {
    let all =
        |registers: &[Reg]| registers.iter().try_for_each(|r| below("register", usize::from(*r), usize::from(count)));
    match op {
        Op::Const(a, _)
        | Op::Attr(a, _)
        | Op::Trigger(a, _)
        | Op::Field(a, _)
        | Op::EntryTime(a)
        | Op::Slot(a, _)
        | Op::Now(a)
        | Op::Today(a)
        | Op::CompareMoving(_, a, _, _)
        | Op::StepMoving(a, _, _)
        | Op::InSegment(a, _)
        | Op::InFence(a, _)
        | Op::Can(a, _, _)
        | Op::Outcome(a, _, _)
        | Op::JumpIf(a, _)
        | Op::JumpIfNot(a, _)
        | Op::JumpIfKnown(a, _)
        | Op::Return(a) => all(&[*a]),
        Op::Copy(a, b) | Op::Member(a, b, _) | Op::Not(a, b) | Op::Negate(a, b) | Op::IsKnown(a, b) => all(&[*a, *b]),
        Op::Arith(_, a, b, c)
        | Op::Compare(_, a, b, c)
        | Op::In(a, b, c)
        | Op::Contains(a, b, c)
        | Op::StartsWith(a, b, c)
        | Op::EndsWith(a, b, c)
        | Op::Between(_, a, b, c) => all(&[*a, *b, *c]),
        Op::List(a, first, n) | Op::Concat(a, first, n) | Op::Call(_, a, first, n) => {
            all(&[*a])?;
            if u32::from(*first) + u32::from(*n) > u32::from(count) {
                return Err(format!("registers {first} to {} of {count}", u32::from(*first) + u32::from(*n)));
            }
            Ok(())
        }
        Op::Query(a, _, since) => {
            all(&[*a])?;
            since.map_or(Ok(()), |b| all(&[b]))
        }
        Op::Jump(_) => Ok(()),
    }
}
