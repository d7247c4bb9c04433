//! The tests that a condition became say what the interpreter says.

use super::super::interpret::{Machine, Prepared};
use super::super::value::Value;
use super::super::{Evaluation, Facts, Lists, Moment, Read};
use super::{Fused, Test};
use crate::calendar::Zones;
use crate::vm::native::Natives;
use flow_compiler::bytecode::*;
use flow_grammar::span::Span;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::strategy::Strategy;
use rust_decimal::Decimal;
use std::sync::{Arc, LazyLock};

/// Three of each, so that values meet often. Those in `by_copy` do not stand anywhere.
struct Given {
    values: Vec<Value>,
    /// What attributes are that are missing, or beyond those that the person has.
    defaults: Vec<Value>,
    has: usize,
    by_copy: bool,
}

impl Given {
    fn value(&self, place: usize) -> Value {
        self.values.get(place).cloned().unwrap_or_default()
    }

    fn attribute_at(&self, attribute: AttrId) -> Option<&Value> {
        let own = self.values[..self.has].get(attribute.index()).filter(|value| !value.is_missing());
        own.or_else(|| self.defaults.get(attribute.index()))
    }
}

impl Facts for Given {
    fn attribute(&self, attribute: AttrId) -> Value {
        self.attribute_at(attribute).cloned().unwrap_or_default()
    }
    fn trigger(&self, field: u16) -> Value {
        self.value(3 + usize::from(field))
    }
    fn field(&self, field: u16) -> Value {
        self.value(6 + usize::from(field))
    }
    fn peek(&self, read: Read) -> Option<&Value> {
        let value = match read {
            Read::Attribute(attribute) => self.attribute_at(attribute),
            Read::Trigger(field) => self.values.get(3 + usize::from(field)),
            Read::Field(field) => self.values.get(6 + usize::from(field)),
        };
        value.filter(|_| !self.by_copy)
    }
    fn lists(&self) -> Option<Lists<'_>> {
        let (attributes, rest) = self.values.split_at(3);
        let (trigger, fields) = rest.split_at(3);
        Some(Lists { fields, trigger, attributes: &attributes[..self.has], defaults: &self.defaults })
    }
    fn zone(&self) -> &TimeZone {
        static ZONE: LazyLock<TimeZone> = LazyLock::new(|| Zones::bundled().get("Europe/Rome").unwrap());
        &ZONE
    }
}

/// Values of all types, at the edges of each.
fn constant() -> impl Strategy<Value = Const> {
    let number = |digits: i128, scale: u32| Const::Number(Decimal::from_i128_with_scale(digits, scale));
    let whole = prop::sample::select(vec![0, 1, -1, 2, 50, 51, i64::MAX, i64::MIN, 1 << 53]);
    let digits = prop_oneof![
        (-200..200i128),
        Just(i128::from(i64::MAX)),
        Just(i128::from(i64::MIN)),
        Just((1i128 << 96) - 1),
        Just(-((1i128 << 96) - 1)),
    ];
    let text = prop::sample::select(vec!["", "IT", "FR", "it", "ITA", "é"]);
    prop_oneof![
        1 => Just(Const::Missing),
        2 => any::<bool>().prop_map(Const::Bool),
        4 => whole.prop_map(Const::Int),
        6 => (digits, prop_oneof![0..4u32, Just(18), Just(19), Just(28)]).prop_map(move |(digits, scale)| number(digits, scale)),
        4 => text.clone().prop_map(|text| Const::Text(text.to_owned())),
        1 => (20_000..20_003).prop_map(Const::Date),
        1 => prop::sample::select(vec![1_728_000_000_000, 1_728_079_200_000]).prop_map(Const::Instant),
        1 => (20_000..20_003, Just(0)).prop_map(|(day, ms)| Const::Local(day, ms)),
        1 => (0..7u8).prop_map(Const::Weekday),
        1 => prop::collection::vec(text.prop_map(|text| Const::Text(text.to_owned())), 0..3).prop_map(Const::List),
    ]
}

/// A condition.
#[derive(Clone, Debug)]
enum Tree {
    Compare(Compare, Side, Side),
    In(Side, Const),
    Known(Side),
    /// `read ?? constant`, as a truth.
    Or(usize, bool),
    Plain(usize),
    Not(Box<Tree>),
    And(Box<Tree>, Box<Tree>),
    Either(Box<Tree>, Box<Tree>),
}

#[derive(Clone, Debug)]
enum Side {
    Read(usize),
    Const(Const),
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![3 => (0..9usize).prop_map(Side::Read), 2 => constant().prop_map(Side::Const)]
}

fn tree() -> impl Strategy<Value = Tree> {
    use Compare::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let compare = prop::sample::select(vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual]);
    let leaf = prop_oneof![
        6 => (compare, side(), side()).prop_map(|(cmp, a, b)| Tree::Compare(cmp, a, b)),
        1 => (side(), constant()).prop_map(|(side, list)| Tree::In(side, list)),
        1 => side().prop_map(Tree::Known),
        1 => (0..9usize, any::<bool>()).prop_map(|(read, or)| Tree::Or(read, or)),
        1 => (0..9usize).prop_map(Tree::Plain),
    ];
    leaf.prop_recursive(4, 16, 2, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            inner.prop_map(|tree| Tree::Not(Box::new(tree))),
            two.clone().prop_map(|(a, b)| Tree::And(Box::new(a), Box::new(b))),
            two.prop_map(|(a, b)| Tree::Either(Box::new(a), Box::new(b))),
        ]
    })
}

/// Code as the compiler writes it.
#[derive(Default)]
struct Writer {
    ops: Vec<Op>,
    constants: Vec<Const>,
}

impl Writer {
    fn constant(&mut self, to: Reg, constant: Const) {
        self.constants.push(constant);
        self.ops.push(Op::Const(to, ConstId(self.constants.len() as u32 - 1)));
    }

    fn read(&mut self, to: Reg, place: usize) {
        let field = (place % 3) as u16;
        self.ops.push(match place / 3 {
            0 => Op::Attr(to, AttrId(field.into())),
            1 => Op::Trigger(to, field),
            _ => Op::Field(to, field),
        });
    }

    fn side(&mut self, to: Reg, side: Side) {
        match side {
            Side::Read(place) => self.read(to, place),
            Side::Const(constant) => self.constant(to, constant),
        }
    }

    /// Leaves the value in register 0.
    fn tree(&mut self, tree: Tree) {
        match tree {
            Tree::Compare(cmp, a, b) => {
                self.side(1, a);
                self.side(2, b);
                self.ops.push(Op::Compare(cmp, 0, 1, 2));
            }
            Tree::In(side, list) => {
                self.side(1, side);
                self.constant(2, list);
                self.ops.push(Op::In(0, 1, 2));
            }
            Tree::Known(side) => {
                self.side(1, side);
                self.ops.push(Op::IsKnown(0, 1));
            }
            Tree::Or(place, or) => {
                self.read(0, place);
                self.ops.push(Op::JumpIfKnown(0, self.ops.len() as u32 + 2));
                self.constant(0, Const::Bool(or));
                self.ops.push(Op::Not(0, 0));
            }
            Tree::Plain(place) => {
                self.read(1, place);
                self.ops.push(Op::Not(3, 1));
                self.ops.push(Op::Not(0, 3));
            }
            Tree::Not(tree) => {
                self.tree(*tree);
                self.ops.push(Op::Not(0, 0));
            }
            Tree::And(a, b) => self.two(*a, *b, Op::JumpIfNot),
            Tree::Either(a, b) => self.two(*a, *b, Op::JumpIf),
        }
    }

    fn two(&mut self, a: Tree, b: Tree, jump: fn(Reg, u32) -> Op) {
        self.tree(a);
        let place = self.ops.len();
        self.ops.push(Op::Jump(0));
        self.tree(b);
        self.ops[place] = jump(0, self.ops.len() as u32);
    }
}

fn program(tree: Tree) -> Program {
    let mut writer = Writer::default();
    writer.tree(tree);
    writer.ops.push(Op::Return(0));
    let code = Code { spans: vec![Span::default(); writer.ops.len()], ops: writer.ops, registers: 4 };
    Program { constants: writer.constants, codes: vec![code], ..Program::default() }
}

/// Of the interpreter, of fused tests and of native code.
fn all(program: &Program, given: &Given) -> [Value; 3] {
    let tests = Prepared::new(program).evaluated(program, Evaluation::Interpret).unwrap();
    let native = Prepared::new(program).evaluated(program, Evaluation::Jit).unwrap();
    [Prepared::interpreted(program), tests, native]
        .map(|prepared| Machine::over(program, &prepared).evaluate(CodeId(0), given, &mut Moment::at(0)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 2_000 } else { 100_000 }))]

    #[test]
    fn conditions_say_what_the_interpreter_says(
        tree in tree(),
        all_values in prop::collection::vec(constant(), 9),
        defaults in prop::collection::vec(constant(), 3),
        has in 0..=3usize,
        by_copy: bool,
    ) {
        let program = program(tree);
        let values = |list: &[Const]| list.iter().map(Value::from_const).collect();
        let given = Given { values: values(&all_values), defaults: values(&defaults), has, by_copy };
        let [plain, tests, native] = all(&program, &given);
        prop_assert_eq!(&tests, &plain, "{:?}", program.codes[0].ops);
        prop_assert_eq!(&native, &plain, "{:?}", program.codes[0].ops);
    }
}

fn is_fused(ops: Vec<Op>, constants: &[Value]) -> bool {
    let code = Code { spans: vec![Span::default(); ops.len()], ops, registers: 4 };
    Fused::of(&code, constants).is_some()
}

#[test]
fn long_conditions_are_fused_whatever_way_leads_through_them() {
    // (f0 == 1 or f1 == 2) and … ten times: a test each, though there are 2^10 ways.
    let mut ops = Vec::new();
    let mut ands = Vec::new();
    for _ in 0..10 {
        ops.extend([Op::Field(0, 0), Op::Const(1, ConstId(0)), Op::Compare(Compare::Equal, 0, 0, 1)]);
        let or = ops.len() as u32;
        ops.extend([
            Op::JumpIf(0, or + 4),
            Op::Field(0, 1),
            Op::Const(2, ConstId(1)),
            Op::Compare(Compare::Equal, 0, 0, 2),
        ]);
        ands.push(ops.len());
        ops.push(Op::Jump(0));
    }
    let end = ops.len() as u32;
    ops.push(Op::Return(0));
    for place in ands {
        ops[place] = Op::JumpIfNot(0, end);
    }
    assert!(is_fused(ops, &[Value::Int(1), Value::Int(2)]));
    // What moves with time, and what asks history, is the interpreter's.
    assert!(!is_fused(vec![Op::Now(0), Op::Field(1, 0), Op::Compare(Compare::Less, 0, 0, 1), Op::Return(0)], &[]));
    assert!(!is_fused(vec![Op::Query(0, QueryId(0), None), Op::Return(0)], &[]));
}

fn tests(fused: &Option<Fused>) -> &Arc<[Test]> {
    match fused {
        Some(Fused::Tests(tests)) => tests,
        other => panic!("{other:?}"),
    }
}

#[test]
fn plain_conditions_are_native_where_what_they_read_stands_in_lists() {
    let tree = |read| Tree::Compare(Compare::Less, Side::Read(read), Side::Const(Const::Int(5)));
    let given = Given { values: vec![Value::Int(4); 9], defaults: vec![Value::Missing; 3], has: 3, by_copy: false };
    let native = |read: usize, given: &Given, id| {
        let program = Program { id_attr: id, ..program(tree(read)) };
        let constants: Vec<Value> = program.constants.iter().map(Value::from_const).collect();
        let fused = Fused::of(&program.codes[0], &constants);
        let natives = Natives::now(std::slice::from_ref(&fused), id).unwrap();
        natives.holds(CodeId(0), tests(&fused), given)
    };
    for read in 0..9 {
        assert_eq!(native(read, &given, None), Some(true), "{read}");
    }
    // The person's id stands in no list.
    assert_eq!(native(1, &given, Some(AttrId(1))), None);
    // Lists that are shorter than the condition needs are left to the interpreter.
    let short = Given { values: vec![Value::Int(4); 8], ..given };
    assert_eq!((native(7, &short, None), native(8, &short, None)), (Some(true), None));
}

#[test]
fn what_is_evaluated_often_becomes_native() {
    let program = program(Tree::Compare(Compare::Less, Side::Read(7), Side::Const(Const::Int(5))));
    let given = Given { values: vec![Value::Int(4); 9], defaults: Vec::new(), has: 0, by_copy: false };
    let constants: Vec<Value> = program.constants.iter().map(Value::from_const).collect();
    let fused = [Fused::of(&program.codes[0], &constants)];
    let natives = Natives::later(&fused, None);
    let asked = |_: &i32| natives.holds(CodeId(0), tests(&fused[0]), &given).is_none();
    let count = (0..100_000).take_while(asked).count();
    assert!((1_000..99_000).contains(&count), "{count}");
}
