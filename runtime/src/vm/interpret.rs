//! The interpreter of expression code.
//!
//! Its registers live on the stack for all codes but the very long ones. Whatever an operation names
//! that is not there (a register, a constant, a code) counts as missing; `verify` has proved that
//! there is no such operation.

use super::functions;
use super::fused::{self, Fused};
use super::horizon::{self, Shape};
use super::native::{Evaluation, Natives};
use super::text::push_text;
use super::value::{arithmetic, compare, negate, Value};
use super::{Facts, Moment};
use crate::calendar;
use flow_compiler::bytecode::{Code, CodeId, Duration, Fence, Op, Program, QueryAnswer, QueryId, Reg, SegmentId};
use geographiclib_rs::{Geodesic, InverseGeodesic};
use rust_decimal::Decimal;
use std::borrow::Cow;
use std::cell::Cell;
use std::sync::{Arc, LazyLock};

/// How deep codes may evaluate codes. `verify` excludes cycles; beyond this depth a value is missing.
pub const DEPTH_LIMIT: u32 = 64;
/// Codes with more registers than this take them from the heap.
const STACK_REGISTERS: usize = 16;
/// Codes with no more than this get along with these.
const FEW_REGISTERS: usize = 4;

/// What evaluation derives from a program once.
#[derive(Clone, Debug)]
pub struct Prepared {
    constants: Vec<Value>,
    shapes: Vec<Shape>,
    /// By code; none: it is interpreted.
    fused: Vec<Option<Fused>>,
    natives: Arc<Natives>,
}

impl Prepared {
    /// Makes a program ready: its texts are shared from here on.
    #[must_use]
    pub fn new(program: &Program) -> Self {
        let constants: Vec<Value> = program.constants.iter().map(Value::from_const).collect();
        let shapes = program.codes.iter().map(|code| Shape::of(code, &constants)).collect();
        let fused: Vec<_> = program.codes.iter().map(|code| Fused::of(code, &constants)).collect();
        let natives = Arc::new(Natives::later(&fused, program.id_attr));
        Self { constants, shapes, fused, natives }
    }

    /// The same, evaluated in a certain way.
    ///
    /// # Errors
    /// When native code is asked for and there is none on this machine: why.
    pub fn evaluated(mut self, program: &Program, how: Evaluation) -> Result<Self, String> {
        self.natives = Arc::new(match how {
            Evaluation::Interpret => Natives::default(),
            Evaluation::Jit => Natives::now(&self.fused, program.id_attr)?,
            Evaluation::Auto => Natives::later(&self.fused, program.id_attr),
        });
        Ok(self)
    }

    /// A field of the event under test, and the texts without one of which the condition cannot hold.
    #[must_use]
    pub fn keys(&self, code: CodeId) -> Option<(u16, Vec<Arc<str>>)> {
        self.fused.get(code.index())?.as_ref()?.keys()
    }

    /// The same, with everything left to the interpreter: the second opinion of tests and benchmarks.
    #[must_use]
    pub fn interpreted(program: &Program) -> Self {
        Self { fused: Vec::new(), ..Self::new(program) }
    }
}

/// A program made ready for evaluation.
#[derive(Clone, Debug)]
pub struct Machine<'p> {
    program: &'p Program,
    prepared: Cow<'p, Prepared>,
}

/// One evaluation and what it has found out so far.
pub(super) struct Run<'m, 'p, F: Facts + ?Sized> {
    pub machine: &'m Machine<'p>,
    pub facts: &'m F,
    /// For how long the calendar steps that were taken keep the order of moments, as [`horizon::piece`] says;
    /// `i64::MAX` when none was taken.
    pub piece: Cell<i64>,
    /// The instants between which units were counted last.
    pub counted: Cell<Option<(i64, i64)>>,
}

impl<'p> Machine<'p> {
    /// A machine that makes the program ready itself.
    #[must_use]
    pub fn new(program: &'p Program) -> Self {
        Self { program, prepared: Cow::Owned(Prepared::new(program)) }
    }

    /// A machine over what was made ready before, from the same program.
    #[must_use]
    pub fn over(program: &'p Program, prepared: &'p Prepared) -> Self {
        Self { program, prepared: Cow::Borrowed(prepared) }
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &'p Program {
        self.program
    }

    /// The value of a code. Lowers the moment's horizon to the earliest later instant at which it could be
    /// another one, nothing else happening.
    pub fn evaluate<F: Facts + ?Sized>(&self, code: CodeId, facts: &F, moment: &mut Moment) -> Value {
        Run { machine: self, facts, piece: Cell::new(i64::MAX), counted: Cell::new(None) }.code(code, moment, 0)
    }

    /// Whether a code holds. A missing value does not.
    pub fn truth<F: Facts + ?Sized>(&self, code: CodeId, facts: &F, moment: &mut Moment) -> bool {
        match self.prepared.natives.get(code).and_then(|native| native.holds(facts)) {
            Some(holds) => holds,
            None => self.evaluate(code, facts, moment).is_true(),
        }
    }

    pub(super) fn shape(&self, code: CodeId) -> Shape {
        self.prepared.shapes.get(code.index()).copied().unwrap_or(Shape::Moving)
    }
}

impl<F: Facts + ?Sized> Run<'_, '_, F> {
    /// The value of a code at a moment.
    pub fn code(&self, id: CodeId, moment: &mut Moment, depth: u32) -> Value {
        let Some(code) = self.machine.program.codes.get(id.index()) else { return Value::Missing };
        if depth > DEPTH_LIMIT {
            return Value::Missing;
        }
        if let Some(Some(fused)) = self.machine.prepared.fused.get(id.index()) {
            return match fused {
                Fused::Constant(value) => value.clone(),
                Fused::Tests(tests) => Value::Bool(match self.machine.prepared.natives.holds(id, tests, self.facts) {
                    Some(holds) => holds,
                    None => fused::holds(tests, self.facts),
                }),
            };
        }
        let count = usize::from(code.registers);
        // Most conditions need very few, and every one more costs.
        if count <= FEW_REGISTERS {
            return self.ops(code, &mut [const { Value::Missing }; FEW_REGISTERS], moment, depth);
        }
        let mut many = [const { Value::Missing }; STACK_REGISTERS];
        if let Some(registers) = many.get_mut(..count) {
            self.ops(code, registers, moment, depth)
        } else {
            self.ops(code, &mut vec![Value::Missing; count], moment, depth)
        }
    }

    fn ops(&self, code: &Code, registers: &mut [Value], moment: &mut Moment, depth: u32) -> Value {
        let facts = self.facts;
        let mut at = 0;
        while let Some(op) = code.ops.get(at) {
            at += 1;
            let (to, value) = match op {
                Op::Const(to, id) => {
                    (*to, self.machine.prepared.constants.get(id.index()).cloned().unwrap_or_default())
                }
                Op::Copy(to, from) => (*to, get(registers, *from).clone()),
                Op::Attr(to, id) => (*to, facts.attribute(*id)),
                Op::Trigger(to, field) => (*to, facts.trigger(*field)),
                Op::Field(to, field) => (*to, facts.field(*field)),
                Op::EntryTime(to) => (*to, facts.entry_time()),
                Op::Slot(to, slot) => (*to, facts.slot(*slot)),
                Op::Member(to, from, field) => (*to, member(get(registers, *from), *field)),
                Op::Now(to) => (*to, Value::Instant(moment.now)),
                Op::Today(to) => {
                    moment.until(calendar::next_midnight(facts.zone(), moment.now));
                    (*to, Value::Date(calendar::to_local(facts.zone(), moment.now).0))
                }
                Op::Not(to, from) => (*to, Value::Bool(!get(registers, *from).is_true())),
                Op::Negate(to, from) => (*to, negate(get(registers, *from))),
                Op::Arith(op, to, a, b) => {
                    let (a, b) = (get(registers, *a), get(registers, *b));
                    if let (moment, Value::Duration(length)) | (Value::Duration(length), moment) = (a, b) {
                        self.note_step(moment, *length);
                    }
                    (*to, arithmetic(*op, a, b, facts.zone()))
                }
                Op::Compare(cmp, to, a, b) => {
                    (*to, Value::Bool(compare(*cmp, get(registers, *a), get(registers, *b), facts.zone())))
                }
                Op::CompareMoving(cmp, to, a, b) => {
                    (*to, horizon::compare_moving(self, *cmp, *a, *b, moment, depth + 1))
                }
                Op::StepMoving(to, code, grain) => (*to, horizon::step_moving(self, *code, *grain, moment, depth + 1)),
                Op::In(to, value, list) => {
                    let found = match get(registers, *list) {
                        list @ Value::List(_) => functions::contains(list, get(registers, *value), facts.zone()),
                        _ => false,
                    };
                    (*to, Value::Bool(found))
                }
                Op::Contains(to, whole, part) => {
                    (*to, Value::Bool(functions::contains(get(registers, *whole), get(registers, *part), facts.zone())))
                }
                Op::StartsWith(to, whole, part) => {
                    (*to, texts(get(registers, *whole), get(registers, *part), |whole, part| whole.starts_with(part)))
                }
                Op::EndsWith(to, whole, part) => {
                    (*to, texts(get(registers, *whole), get(registers, *part), |whole, part| whole.ends_with(part)))
                }
                Op::IsKnown(to, from) => (*to, Value::Bool(!get(registers, *from).is_missing())),
                Op::List(to, first, count) => (*to, Value::List(Arc::from(several(registers, *first, *count)))),
                Op::Concat(to, first, count) => {
                    let parts = several(registers, *first, *count);
                    let value = if parts.iter().any(Value::is_missing) {
                        Value::Missing
                    } else {
                        let mut text = String::new();
                        parts.iter().for_each(|part| push_text(&mut text, part, facts.zone()));
                        Value::Text(text.into())
                    };
                    (*to, value)
                }
                Op::Call(function, to, first, count) => {
                    (*to, functions::call(*function, several(registers, *first, *count), facts.zone()))
                }
                Op::Query(to, query, since) => {
                    let since = since.map(|register| get(registers, register));
                    (*to, self.query(*query, since, moment))
                }
                Op::InSegment(to, segment) => (*to, Value::Bool(self.segment(*segment, moment, depth))),
                Op::InFence(to, fence) => {
                    (*to, Value::Bool(facts.location().is_some_and(|place| inside(fence, place))))
                }
                Op::Can(to, channel, topic) => (*to, Value::Bool(facts.can(*channel, *topic))),
                Op::Outcome(to, message, outcome) => (*to, Value::Bool(facts.outcome(*message, *outcome))),
                Op::Between(unit, to, a, b) => {
                    let (a, b) = (get(registers, *a), get(registers, *b));
                    self.counted.set(a.as_instant(facts.zone()).zip(b.as_instant(facts.zone())));
                    (*to, functions::between(*unit, a, b, facts.zone()))
                }
                Op::Jump(target) => {
                    at = forward(at, *target);
                    continue;
                }
                Op::JumpIf(from, target) => {
                    if get(registers, *from).is_true() {
                        at = forward(at, *target);
                    }
                    continue;
                }
                Op::JumpIfNot(from, target) => {
                    if !get(registers, *from).is_true() {
                        at = forward(at, *target);
                    }
                    continue;
                }
                Op::JumpIfKnown(from, target) => {
                    if !get(registers, *from).is_missing() {
                        at = forward(at, *target);
                    }
                    continue;
                }
                Op::Return(from) => {
                    return registers.get_mut(usize::from(*from)).map(std::mem::take).unwrap_or_default();
                }
            };
            if let Some(register) = registers.get_mut(usize::from(to)) {
                *register = value;
            }
        }
        Value::Missing
    }

    /// Remembers how far the order of moments can be trusted around a calendar step.
    fn note_step(&self, moment: &Value, length: Duration) {
        if length.months == 0 && length.days == 0 {
            return;
        }
        if let Some(moment) = moment.as_instant(self.facts.zone()) {
            self.piece.set(self.piece.get().min(horizon::piece(self.facts.zone(), moment)));
        }
    }

    fn query(&self, id: QueryId, since: Option<&Value>, moment: &mut Moment) -> Value {
        let Some(since) = since else { return self.facts.query(id, None, moment) };
        if let Some(since) = since.as_instant(self.facts.zone()) {
            return self.facts.query(id, Some(since), moment);
        }
        // Since a moment that is not known: nothing happened since then.
        match self.machine.program.queries.get(id.index()).map(|query| query.answer) {
            Some(QueryAnswer::Exists) => Value::Bool(false),
            Some(QueryAnswer::Count) => Value::Int(0),
            Some(QueryAnswer::Sum(_)) => Value::Number(Decimal::ZERO),
            _ => Value::Missing,
        }
    }

    fn segment(&self, id: SegmentId, moment: &mut Moment, depth: u32) -> bool {
        let Some(segment) = self.machine.program.segments.get(id.index()) else { return false };
        self.code(segment.condition.code, moment, depth + 1).is_true()
    }
}

/// Whether a place lies in a fence, its edge included.
#[must_use]
pub fn inside(fence: &Fence, (latitude, longitude): (Decimal, Decimal)) -> bool {
    static EARTH: LazyLock<Geodesic> = LazyLock::new(Geodesic::wgs84);
    // Through text, since that conversion is exact to the last bit.
    let float = |number: Decimal| number.to_string().parse().unwrap_or(f64::NAN);
    let (from, to) = ((float(fence.latitude), float(fence.longitude)), (float(latitude), float(longitude)));
    let distance: f64 = EARTH.inverse(from.0, from.1, to.0, to.1);
    distance <= float(fence.radius)
}

fn get(registers: &[Value], register: Reg) -> &Value {
    static MISSING: Value = Value::Missing;
    registers.get(usize::from(register)).unwrap_or(&MISSING)
}

fn several(registers: &[Value], first: Reg, count: u16) -> &[Value] {
    let first = usize::from(first);
    registers.get(first..first + usize::from(count)).unwrap_or_default()
}

fn member(record: &Value, field: u16) -> Value {
    match record {
        Value::Record(fields) => fields.get(usize::from(field)).cloned().unwrap_or_default(),
        _ => Value::Missing,
    }
}

fn texts(whole: &Value, part: &Value, test: impl Fn(&str, &str) -> bool) -> Value {
    Value::Bool(matches!((whole, part), (Value::Text(whole), Value::Text(part)) if test(whole, part)))
}

/// The target of a jump. Code always ends because jumps go forward only.
fn forward(at: usize, target: u32) -> usize {
    at.max(target as usize)
}

#[cfg(test)]
mod tests;
