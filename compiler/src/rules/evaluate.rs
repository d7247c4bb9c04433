//! Evaluates code over sets of values: can it be true, can it be false, and what is known then?

use super::facts::{Facts, Var};
use super::values::{Test, Values};
use crate::bytecode::{
    CodeId, Compare, Const, EventId, Field, Function, Journey, Op, Program, QueryAnswer, QueryWindow, Reg,
};
use flow_grammar::span::Span;

/// More ways through one code are not followed: it is then taken as able to be both.
const MAX_WAYS: usize = 256;

/// What a code can see.
#[derive(Clone, Copy)]
pub(super) struct Scope<'p> {
    pub program: &'p Program,
    pub journey: Option<&'p Journey>,
    /// The fields of the event under test.
    pub fields: &'p [Field],
    /// Events that have not happened since the entry, because they would have ended the journey.
    pub absent: &'p [EventId],
}

/// The facts when a code is true, and when it is not; none: that cannot be.
pub(super) struct Outcome {
    pub yes: Option<Facts>,
    pub no: Option<Facts>,
    /// The tests, made earlier, that it rests on.
    pub because: Vec<Span>,
    /// A function that it rests on: what that can give decides a test.
    pub function: Option<Function>,
}

/// What a register holds.
#[derive(Clone)]
enum Value {
    Unknown,
    Const(Const),
    /// A variable, and where it was read.
    Var(Var, Span),
    /// Whether a test of a variable gives this.
    Test(Var, Test, bool, Span),
}

struct Way {
    at: usize,
    registers: Vec<Value>,
    facts: Facts,
}

/// Evaluates a code of type bool.
pub(super) fn evaluate(scope: Scope<'_>, code: CodeId, facts: &Facts) -> Outcome {
    let both = || Some(facts.clone());
    let unknown = || Outcome { yes: both(), no: both(), because: Vec::new(), function: None };
    let Some(code) = scope.program.codes.get(code.index()) else { return unknown() };
    let mut outcome = Outcome { yes: None, no: None, because: Vec::new(), function: None };
    let mut ways =
        vec![Way { at: 0, registers: vec![Value::Unknown; usize::from(code.registers)], facts: facts.clone() }];
    let mut steps = 0;
    while let Some(mut way) = ways.pop() {
        steps += 1;
        if steps > MAX_WAYS {
            return unknown();
        }
        while let (Some(op), Some(span)) = (code.ops.get(way.at), code.spans.get(way.at)) {
            way.at += 1;
            match op {
                Op::Return(r) => {
                    let (yes, no) = split(scope, &way, *r, facts, &mut outcome);
                    outcome.yes = either(outcome.yes.take(), yes);
                    outcome.no = either(outcome.no.take(), no);
                    break;
                }
                Op::Jump(to) => way.at = *to as usize,
                Op::JumpIf(r, to) | Op::JumpIfNot(r, to) => {
                    let (yes, no) = split(scope, &way, *r, facts, &mut outcome);
                    let (jump, go_on) = if matches!(op, Op::JumpIf(..)) { (yes, no) } else { (no, yes) };
                    if !fork(&mut ways, &mut way, *to, jump, go_on) {
                        break;
                    }
                }
                Op::JumpIfKnown(r, to) => {
                    let (known, missing) = split_known(scope, &way, *r, *span);
                    if !fork(&mut ways, &mut way, *to, known, missing) {
                        break;
                    }
                }
                other => assign(scope, &mut way, other, *span),
            }
        }
    }
    outcome.because.sort_unstable();
    outcome.because.dedup();
    for known in [&mut outcome.yes, &mut outcome.no].into_iter().flatten() {
        // The same place may be met again with another value, in the next round of a `for`.
        known.retain(|var| !matches!(var, Var::Call(..)));
    }
    outcome
}

/// Follows a jump and what comes after it; false when nothing comes after it.
fn fork(ways: &mut Vec<Way>, way: &mut Way, to: u32, jump: Option<Facts>, go_on: Option<Facts>) -> bool {
    if let Some(facts) = jump {
        ways.push(Way { at: to as usize, registers: way.registers.clone(), facts });
    }
    match go_on {
        Some(facts) => {
            way.facts = facts;
            true
        }
        None => false,
    }
}

fn either(a: Option<Facts>, b: Option<Facts>) -> Option<Facts> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.join(&b)),
        (one, None) | (None, one) => one,
    }
}

fn read(way: &Way, r: Reg) -> Value {
    way.registers.get(usize::from(r)).cloned().unwrap_or(Value::Unknown)
}

/// The facts when a register holds true, and when not.
fn split(scope: Scope<'_>, way: &Way, r: Reg, before: &Facts, outcome: &mut Outcome) -> (Option<Facts>, Option<Facts>) {
    let (var, test, holds, at) = match read(way, r) {
        Value::Unknown => return (Some(way.facts.clone()), Some(way.facts.clone())),
        Value::Const(Const::Bool(true)) => return (Some(way.facts.clone()), None),
        Value::Const(_) => return (None, Some(way.facts.clone())),
        Value::Var(var, at) => (var, Test::IsTrue, true, at),
        Value::Test(var, test, holds, at) => (var, test, holds, at),
    };
    outcome.because.extend(before.get(var).and_then(|fact| fact.because));
    let narrowed = |holds| way.facts.narrow(var, || all(scope, var), &test, holds, at);
    let (yes, no) = (narrowed(holds), narrowed(!holds));
    if let (Var::OfNow(function) | Var::Call(function, _), true) = (var, yes.is_none() || no.is_none()) {
        outcome.function = Some(function);
    }
    (yes, no)
}

/// The facts when a register holds a value, and when that is missing.
fn split_known(scope: Scope<'_>, way: &Way, r: Reg, at: Span) -> (Option<Facts>, Option<Facts>) {
    match read(way, r) {
        Value::Unknown => (Some(way.facts.clone()), Some(way.facts.clone())),
        Value::Const(Const::Missing) => (None, Some(way.facts.clone())),
        Value::Const(_) | Value::Test(..) => (Some(way.facts.clone()), None),
        Value::Var(var, _) => {
            let narrowed = |holds| way.facts.narrow(var, || all(scope, var), &Test::IsKnown, holds, at);
            (narrowed(true), narrowed(false))
        }
    }
}

/// What an operation writes.
fn assign(scope: Scope<'_>, way: &mut Way, op: &Op, at: Span) {
    let (to, value) = match op {
        Op::Const(a, id) => (*a, scope.program.constants.get(id.index()).cloned().map_or(Value::Unknown, Value::Const)),
        Op::Copy(a, b) => (*a, read(way, *b)),
        Op::Attr(a, id) => (*a, Value::Var(Var::Attr(*id), at)),
        Op::Trigger(a, n) => (*a, Value::Var(Var::Trigger(*n), at)),
        Op::Field(a, n) => (*a, Value::Var(Var::Field(*n), at)),
        Op::Query(a, id, None) => (*a, Value::Var(Var::Query(*id), at)),
        Op::InSegment(a, id) => (*a, Value::Var(Var::Segment(*id), at)),
        Op::Can(a, channel, topic) => (*a, Value::Var(Var::Can(*channel, *topic), at)),
        Op::Not(a, b) => (*a, not(read(way, *b), at)),
        Op::IsKnown(a, b) => (*a, is_known(read(way, *b), at)),
        Op::Compare(op, a, b, c) => (*a, compare(*op, read(way, *b), read(way, *c), at)),
        Op::In(a, b, c) => (*a, is_in(read(way, *b), read(way, *c), at)),
        Op::Call(function, a, _, _) => (*a, given_by(*function, at)),
        Op::StepMoving(a, code, _) => (*a, moving(scope.program, *code, at)),
        Op::Member(a, ..)
        | Op::EntryTime(a)
        | Op::Slot(a, _)
        | Op::Now(a)
        | Op::Today(a)
        | Op::Negate(a, _)
        | Op::Arith(_, a, _, _)
        | Op::CompareMoving(_, a, _, _)
        | Op::Contains(a, _, _)
        | Op::StartsWith(a, _, _)
        | Op::EndsWith(a, _, _)
        | Op::List(a, _, _)
        | Op::Concat(a, _, _)
        | Op::Query(a, _, Some(_))
        | Op::InFence(a, _)
        | Op::Outcome(a, _, _)
        | Op::Between(_, a, _, _) => (*a, Value::Unknown),
        Op::Jump(_) | Op::JumpIf(..) | Op::JumpIfNot(..) | Op::JumpIfKnown(..) | Op::Return(_) => return,
    };
    if let Some(register) = way.registers.get_mut(usize::from(to)) {
        *register = value;
    }
}

/// What a function gives, when anything is known of that.
fn given_by(function: Function, at: Span) -> Value {
    match Values::range_of(function) {
        Some(_) => Value::Var(Var::Call(function, at.start), at),
        None => Value::Unknown,
    }
}

/// What a step function of the present instant gives: `hour(now)`, `hour(now + 2h)`.
fn moving(program: &Program, code: CodeId, at: Span) -> Value {
    match program.codes.get(code.index()).map(|code| code.ops.as_slice()) {
        Some([Op::Now(_), Op::Call(function, ..), Op::Return(_)]) if Values::range_of(*function).is_some() => {
            Value::Var(Var::OfNow(*function), at)
        }
        Some([.., Op::Call(function, ..), Op::Return(_)]) => given_by(*function, at),
        _ => Value::Unknown,
    }
}

fn not(value: Value, at: Span) -> Value {
    match value {
        Value::Const(Const::Bool(yes)) => Value::Const(Const::Bool(!yes)),
        Value::Var(var, _) => Value::Test(var, Test::IsTrue, false, at),
        Value::Test(var, test, holds, _) => Value::Test(var, test, !holds, at),
        Value::Unknown | Value::Const(_) => Value::Unknown,
    }
}

fn is_known(value: Value, at: Span) -> Value {
    match value {
        Value::Const(value) => Value::Const(Const::Bool(value != Const::Missing)),
        Value::Var(var, _) => Value::Test(var, Test::IsKnown, true, at),
        Value::Test(..) => Value::Const(Const::Bool(true)),
        Value::Unknown => Value::Unknown,
    }
}

fn compare(op: Compare, a: Value, b: Value, at: Span) -> Value {
    match (a, b) {
        // With a constant that is missing the result is known at once, and the compiler says so elsewhere.
        (Value::Const(Const::Missing), _) | (_, Value::Const(Const::Missing)) => Value::Unknown,
        (Value::Var(var, _), Value::Const(with)) => Value::Test(var, Test::Compare(op, with), true, at),
        (Value::Const(with), Value::Var(var, _)) => Value::Test(var, Test::Compare(op.mirrored(), with), true, at),
        (Value::Const(a), Value::Const(b)) => constants(op, &a, &b),
        _ => Value::Unknown,
    }
}

fn constants(op: Compare, a: &Const, b: &Const) -> Value {
    let order = match (a, b) {
        (Const::Int(a), Const::Int(b)) => a.cmp(b),
        (Const::Number(a), Const::Number(b)) => a.cmp(b),
        (Const::Text(a), Const::Text(b)) => a.cmp(b),
        (Const::Bool(a), Const::Bool(b)) => a.cmp(b),
        _ => return Value::Unknown,
    };
    Value::Const(Const::Bool(match op {
        Compare::Equal => order.is_eq(),
        Compare::NotEqual => order.is_ne(),
        Compare::Less => order.is_lt(),
        Compare::LessOrEqual => order.is_le(),
        Compare::Greater => order.is_gt(),
        Compare::GreaterOrEqual => order.is_ge(),
    }))
}

fn is_in(a: Value, list: Value, at: Span) -> Value {
    match (a, list) {
        (Value::Var(var, _), Value::Const(Const::List(items))) => Value::Test(var, Test::In(items), true, at),
        _ => Value::Unknown,
    }
}

/// All values that a variable can have.
fn all(scope: Scope<'_>, var: Var) -> Values {
    let anything = Values { missing: true, known: super::values::Known::Any };
    let either = Values { missing: false, known: super::values::Known::Bools { yes: true, no: true } };
    let of = |field: &Field| Values::of(&field.ty, field.default.is_none());
    match var {
        // Nobody needs to have said an attribute yet, whatever its type says.
        Var::Attr(id) => scope.program.attributes.get(id.index()).map_or(anything, |one| of(&one.field)),
        Var::Trigger(n) => {
            let field = scope.journey.and_then(|journey| journey.trigger_fields.get(usize::from(n)));
            field.map_or(anything, |field| Values::of(&field.ty, field.optional))
        }
        Var::Field(n) => scope
            .fields
            .get(usize::from(n))
            .map_or(anything, |field| Values::of(&field.ty, field.optional && field.default.is_none())),
        Var::Query(id) => match scope.program.queries.get(id.index()) {
            Some(query) => {
                let absent = query.window == QueryWindow::Entry && scope.absent.contains(&query.event);
                match query.answer {
                    QueryAnswer::Exists if absent => Values::truth(false),
                    QueryAnswer::Count if absent => Values::zero(),
                    QueryAnswer::Exists => either,
                    QueryAnswer::Count => Values::count(),
                    _ => anything,
                }
            }
            None => anything,
        },
        Var::Segment(_) | Var::Can(..) => either,
        Var::OfNow(function) => Values::given_by(function, false),
        Var::Call(function, _) => Values::given_by(function, true),
    }
}
