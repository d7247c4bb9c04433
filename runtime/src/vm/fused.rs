//! Conditions as they mostly are: comparisons of one thing that is read with one that is written, joined by `and`,
//! `or` and `not`.
//!
//! The interpreter copies each operand into a register, and each result too. Code of this kind needs no registers:
//! it is turned once into tests that look at values where they stand and say which test comes next. What a test means
//! is what the operations mean from which it was made ([`value::compare`]); a property test holds the two together. All
//! other code is left to the interpreter.

#[cfg_attr(
    not(all(feature = "jit", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))),
    allow(dead_code, reason = "limits by scale are for native code")
)]
pub(super) mod limits;

use super::value::{self, Value};
use super::{functions, Facts, Read};
use flow_compiler::bytecode::{Code, Compare, Op, Reg};
use limits::Written;
use std::sync::Arc;

/// Longer conditions are left to the interpreter.
const MOST_TESTS: usize = 48;
/// Where a test leads when the condition is settled.
pub(super) const HOLDS: u16 = u16::MAX;
pub(super) const FAILS: u16 = u16::MAX - 1;

/// Code in a form of its own.
#[derive(Clone, Debug)]
pub(super) enum Fused {
    /// It gives this, whatever happens.
    Constant(Value),
    /// It gives whether these tests end well, beginning with the first.
    Tests(Arc<[Test]>),
}

/// One question, and where its answers lead.
#[derive(Clone, Debug)]
pub(super) struct Test {
    pub read: Read,
    pub ask: Ask,
    pub yes: u16,
    pub no: u16,
}

/// What a test asks of a value.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// How it compares with a number.
    Number(Written),
    /// Whether it is this text.
    Text(Arc<str>),
    /// Whether it is this truth value.
    Bool(bool),
    /// How it compares with another value.
    Constant(Compare, Box<Value>),
    /// How it compares with what is read elsewhere.
    Other(Compare, Read),
    /// Whether a list holds it.
    In(Box<Value>),
    Known,
}

impl Fused {
    /// The form of a code, if it is of this kind.
    pub fn of(code: &Code, constants: &[Value]) -> Option<Self> {
        if let [Op::Const(to, id), Op::Return(from)] = code.ops.as_slice() {
            return constants.get(id.index()).filter(|_| to == from).cloned().map(Self::Constant);
        }
        let registers = vec![Known::Missing; usize::from(code.registers)];
        let live = live(code)?;
        let mut maker = Maker { code, constants, live, tests: Vec::new(), seen: Vec::new() };
        let first = maker.follow(State { at: 0, registers })?;
        // A condition without a test would not be one.
        (first == 0).then(|| Self::Tests(maker.tests.into()))
    }

    /// A field of the event under test, and the texts without one of which the condition cannot hold.
    pub fn keys(&self) -> Option<(u16, Vec<Arc<str>>)> {
        let Self::Tests(tests) = self else { return None };
        let first = tests.first().filter(|first| first.no == FAILS)?;
        let Read::Field(field) = first.read else { return None };
        match &first.ask {
            Ask::Text(text) => Some((field, vec![Arc::clone(text)])),
            Ask::In(list) => {
                let Value::List(list) = &**list else { return None };
                let text = |value: &Value| if let Value::Text(text) = value { Some(Arc::clone(text)) } else { None };
                Some((field, list.iter().map(text).collect::<Option<_>>()?))
            }
            _ => None,
        }
    }
}

/// What tests come to.
pub(super) fn holds<F: Facts + ?Sized>(tests: &[Test], facts: &F) -> bool {
    let mut at = 0;
    // Every test leads to one that was made from later operations, so that this ends.
    while let Some(test) = tests.get(usize::from(at)) {
        let answer = match facts.peek(test.read) {
            Some(value) => test.ask.of(value, facts),
            None => test.ask.of(&facts.read(test.read), facts),
        };
        at = if answer { test.yes } else { test.no };
    }
    at == HOLDS
}

impl Ask {
    #[inline]
    pub fn of<F: Facts + ?Sized>(&self, value: &Value, facts: &F) -> bool {
        match self {
            Self::Number(written) => written.answer(value),
            Self::Text(text) => matches!(value, Value::Text(other) if other == text),
            Self::Bool(truth) => matches!(value, Value::Bool(other) if other == truth),
            Self::Constant(cmp, constant) => value::compare(*cmp, value, constant, facts.zone()),
            Self::Other(cmp, read) => value::compare(*cmp, value, &facts.read(*read), facts.zone()),
            Self::In(list) => functions::contains(list, value, facts.zone()),
            Self::Known => !value.is_missing(),
        }
    }

    /// A comparison with a constant, and the answer that means that it holds.
    fn constant(cmp: Compare, constant: &Value) -> (Self, bool) {
        let same = match cmp {
            Compare::Equal => Some(true),
            Compare::NotEqual => Some(false),
            _ => None,
        };
        match (constant, same) {
            (Value::Text(text), Some(same)) => (Self::Text(Arc::clone(text)), same),
            (Value::Bool(truth), Some(same)) => (Self::Bool(*truth), same),
            _ => match Written::of(cmp, constant) {
                Some((written, yes)) => (Self::Number(written), yes),
                None => (Self::Constant(cmp, Box::new(constant.clone())), true),
            },
        }
    }
}

/// What is known of a register at some place.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    Missing,
    Read(Read),
    Const(usize),
    Bool(bool),
}

/// A place in the code, and what is known there.
#[derive(Clone, Debug, PartialEq)]
struct State {
    at: usize,
    registers: Vec<Known>,
}

/// Follows every way through a code.
struct Maker<'c> {
    code: &'c Code,
    constants: &'c [Value],
    /// By place in the code: the registers that are still looked at, a bit for each.
    live: Vec<u64>,
    tests: Vec<Test>,
    /// States from which the next test has been made.
    seen: Vec<(State, u16)>,
}

/// What an operation comes to.
enum Then {
    /// The register holds this.
    Set(Reg, Known),
    /// The register holds whether the answer to a question is this.
    Ask(Reg, Read, Ask, bool),
    /// Goes there when the answer is this.
    Go(Read, Ask, usize, bool),
    Jump(usize),
    End(bool),
}

impl Maker<'_> {
    /// The first test on the way from a state; none: the code is of another kind.
    fn follow(&mut self, mut state: State) -> Option<u16> {
        loop {
            // Ways that differ in nothing that matters any more are one way from here on.
            let live = self.live.get(state.at).copied()?;
            for (number, register) in state.registers.iter_mut().enumerate() {
                if live >> number & 1 == 0 {
                    *register = Known::Missing;
                }
            }
            if let Some((_, test)) = self.seen.iter().find(|(seen, _)| *seen == state) {
                return Some(*test);
            }
            let op = self.code.ops.get(state.at)?;
            let then = self.then(op, &state)?;
            let before = state.clone();
            state.at += 1;
            match then {
                Then::Set(register, known) => *state.registers.get_mut(usize::from(register))? = known,
                Then::Jump(target) => state.at = state.at.max(target),
                Then::End(holds) => return Some(if holds { HOLDS } else { FAILS }),
                Then::Ask(register, read, ask, answer) => {
                    let mut other = state.clone();
                    *state.registers.get_mut(usize::from(register))? = Known::Bool(answer);
                    *other.registers.get_mut(usize::from(register))? = Known::Bool(!answer);
                    return self.test(before, read, ask, state, other);
                }
                Then::Go(read, ask, target, when) => {
                    let jumped = State { at: state.at.max(target), ..state.clone() };
                    let (yes, no) = if when { (jumped, state) } else { (state, jumped) };
                    return self.test(before, read, ask, yes, no);
                }
            }
        }
    }

    fn test(&mut self, state: State, read: Read, ask: Ask, yes: State, no: State) -> Option<u16> {
        let place = u16::try_from(self.tests.len()).ok().filter(|place| usize::from(*place) < MOST_TESTS)?;
        self.tests.push(Test { read, ask, yes: FAILS, no: FAILS });
        self.seen.push((state, place));
        let (yes, no) = (self.follow(yes)?, self.follow(no)?);
        let test = self.tests.get_mut(usize::from(place))?;
        (test.yes, test.no) = (yes, no);
        Some(place)
    }

    fn constant(&self, to: Reg, read: Read, cmp: Compare, constant: &Value) -> Then {
        let (ask, answer) = Ask::constant(cmp, constant);
        Then::Ask(to, read, ask, answer)
    }

    fn then(&self, op: &Op, state: &State) -> Option<Then> {
        let known = |register: Reg| state.registers.get(usize::from(register)).copied();
        Some(match op {
            Op::Const(to, id) => match self.constants.get(id.index())? {
                Value::Bool(value) => Then::Set(*to, Known::Bool(*value)),
                _ => Then::Set(*to, Known::Const(id.index())),
            },
            Op::Copy(to, from) => Then::Set(*to, known(*from)?),
            Op::Attr(to, id) => Then::Set(*to, Known::Read(Read::Attribute(*id))),
            Op::Trigger(to, field) => Then::Set(*to, Known::Read(Read::Trigger(*field))),
            Op::Field(to, field) => Then::Set(*to, Known::Read(Read::Field(*field))),
            Op::Not(to, from) => match known(*from)? {
                Known::Bool(value) => Then::Set(*to, Known::Bool(!value)),
                Known::Read(read) => Then::Ask(*to, read, Ask::Bool(true), false),
                Known::Const(_) | Known::Missing => return None,
            },
            Op::IsKnown(to, from) => match known(*from)? {
                Known::Read(read) => Then::Ask(*to, read, Ask::Known, true),
                _ => return None,
            },
            Op::Compare(cmp, to, a, b) => match (known(*a)?, known(*b)?) {
                (Known::Read(read), Known::Const(id)) => self.constant(*to, read, *cmp, self.constants.get(id)?),
                (Known::Const(id), Known::Read(read)) => {
                    self.constant(*to, read, cmp.mirrored(), self.constants.get(id)?)
                }
                (Known::Read(a), Known::Read(b)) => Then::Ask(*to, a, Ask::Other(*cmp, b), true),
                (Known::Read(read), Known::Bool(value)) => self.constant(*to, read, *cmp, &Value::Bool(value)),
                _ => return None,
            },
            Op::In(to, value, list) => match (known(*value)?, known(*list)?) {
                (Known::Read(read), Known::Const(id)) => match self.constants.get(id)? {
                    list @ Value::List(_) => Then::Ask(*to, read, Ask::In(Box::new(list.clone())), true),
                    _ => return None,
                },
                _ => return None,
            },
            Op::Jump(target) => Then::Jump(*target as usize),
            Op::JumpIf(from, target) => go(known(*from)?, *target as usize, true, state.at)?,
            Op::JumpIfNot(from, target) => go(known(*from)?, *target as usize, false, state.at)?,
            Op::JumpIfKnown(from, target) => match known(*from)? {
                Known::Read(read) => Then::Go(read, Ask::Known, *target as usize, true),
                _ => return None,
            },
            Op::Return(from) => match known(*from)? {
                Known::Bool(value) => Then::End(value),
                _ => return None,
            },
            _ => return None,
        })
    }
}

/// The registers that are looked at from each place on; none: there is an operation that is left to the interpreter.
fn live(code: &Code) -> Option<Vec<u64>> {
    if code.registers > 64 {
        return None;
    }
    let bit = |register: &Reg| 1_u64.checked_shl(u32::from(*register)).unwrap_or(0);
    let mut live = vec![0; code.ops.len() + 1];
    for (at, op) in code.ops.iter().enumerate().rev() {
        let after = |place: usize| live.get(place.max(at + 1)).copied().unwrap_or(0);
        let next = after(at + 1);
        let now = match op {
            Op::Const(to, _) | Op::Attr(to, _) | Op::Trigger(to, _) | Op::Field(to, _) => next & !bit(to),
            Op::Copy(to, from) | Op::Not(to, from) | Op::IsKnown(to, from) => next & !bit(to) | bit(from),
            Op::Compare(_, to, a, b) | Op::In(to, a, b) => next & !bit(to) | bit(a) | bit(b),
            Op::Jump(target) => after(*target as usize),
            Op::JumpIf(from, target) | Op::JumpIfNot(from, target) | Op::JumpIfKnown(from, target) => {
                next | after(*target as usize) | bit(from)
            }
            Op::Return(from) => bit(from),
            _ => return None,
        };
        if let Some(place) = live.get_mut(at) {
            *place = now;
        }
    }
    Some(live)
}

/// A jump that is taken when the register holds true (or does not).
fn go(known: Known, target: usize, when: bool, at: usize) -> Option<Then> {
    match known {
        Known::Bool(value) => Some(Then::Jump(if value == when { target } else { at + 1 })),
        Known::Read(read) => Some(Then::Go(read, Ask::Bool(true), target, when)),
        Known::Missing | Known::Const(_) => None,
    }
}

#[cfg(test)]
mod tests;
