//! From tests to machine code.

use super::super::fused::limits::{Limits, Written};
use super::super::fused::{Ask, Test, FAILS, HOLDS};
use super::super::value::Value;
use super::super::Read;
use super::layout::{layout, tag, Layout, DECIMAL_DIGITS, DECIMAL_FLAGS, PAYLOAD, SIZE};
use super::{Entry, Env, Native, Needs, Pages};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, types, AbiParam, Block, InstBuilder, MemFlagsData, SigRef, Signature};
use cranelift_codegen::isa::{OwnedTargetIsa, TargetFrontendConfig};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{default_libcall_names, FuncId, Module};
use flow_compiler::bytecode::{AttrId, Compare};
use std::collections::BTreeMap;
use std::mem::offset_of;
use std::sync::{Arc, LazyLock, Mutex};

/// Texts of more bytes than this are compared by call.
const LONGEST_TEXT: usize = 32;
/// Lists of more texts than this are looked through by call.
const LONGEST_LIST: usize = 8;

/// Makes native code of conditions, all in one piece of memory. None in a place: such a condition stays interpreted.
///
/// # Errors
/// When there is no native code on this machine, in words that end a sentence.
pub fn compile(conditions: &[Arc<[Test]>], id: Option<AttrId>) -> Result<Vec<Option<Native>>, String> {
    let layout = layout().ok_or("values do not stand in memory as native code needs them")?;
    let isa = target()?;
    let mut module = JITModule::new(JITBuilder::with_isa(isa, default_libcall_names()));
    let mut tables = Tables::default();
    let functions = functions(&mut module, layout, conditions, id, &mut tables);
    // Whatever happened, from here on somebody frees the memory.
    let pages = Pages { module: Mutex::new(Some(module)), _tests: conditions.to_vec(), _tables: tables };
    let (functions, pages) = (functions?, Arc::new(pages));
    let native = |(entry, needs)| Native { entry, needs, _pages: Arc::clone(&pages) };
    Ok(functions.into_iter().map(|function| function.map(native)).collect())
}

fn functions(
    module: &mut JITModule,
    layout: Layout,
    conditions: &[Arc<[Test]>],
    id: Option<AttrId>,
    tables: &mut Tables,
) -> Result<Vec<Option<(Entry, Needs)>>, String> {
    let (target, mut context) = (module.target_config(), module.make_context());
    let mut builder = FunctionBuilderContext::new();
    let mut written = Vec::with_capacity(conditions.len());
    for tests in conditions {
        let Some(needs) = needs(tests, id) else {
            written.push(None);
            continue;
        };
        context.func.signature = signature(module);
        Emit::new(FunctionBuilder::new(&mut context.func, &mut builder), layout, tests, tables).condition(target);
        let function = module.declare_anonymous_function(&context.func.signature).map_err(told)?;
        module.define_function(function, &mut context).map_err(told)?;
        module.clear_context(&mut context);
        written.push(Some((function, needs)));
    }
    module.finalize_definitions().map_err(told)?;
    let entry = |(function, needs)| (entry(module, function), needs);
    Ok(written.into_iter().map(|function| function.map(entry)).collect())
}

fn entry(module: &JITModule, function: FuncId) -> Entry {
    let code = module.get_finalized_function(function);
    // SAFETY: this is the code of a function that was declared with `signature`, which is how an `Entry` is called.
    unsafe { std::mem::transmute::<*const u8, Entry>(code) }
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// For what machine code is made: this one.
fn target() -> Result<OwnedTargetIsa, String> {
    static TARGET: LazyLock<Result<OwnedTargetIsa, String>> = LazyLock::new(|| {
        let mut flags = settings::builder();
        let check = if cfg!(debug_assertions) { "true" } else { "false" };
        for (name, value) in
            [("opt_level", "speed"), ("enable_verifier", check), ("is_pic", "false"), ("unwind_info", "false")]
        {
            flags.set(name, value).map_err(told)?;
        }
        cranelift_native::builder()?.finish(settings::Flags::new(flags)).map_err(told)
    });
    TARGET.clone()
}

/// [`Entry`], as Cranelift says it.
fn signature(module: &JITModule) -> Signature {
    let mut signature = module.make_signature();
    signature.params = vec![AbiParam::new(types::I64); 6];
    signature.returns = vec![AbiParam::new(types::I8)];
    signature
}

/// What lists a condition looks into; none: it reads the id, which stands in no list.
fn needs(tests: &[Test], id: Option<AttrId>) -> Option<Needs> {
    let mut needs = Needs::default();
    let reads = tests.iter().flat_map(|test| {
        let other = if let Ask::Other(_, read) = &test.ask { Some(*read) } else { None };
        std::iter::once(test.read).chain(other)
    });
    for read in reads {
        let (most, place) = match read {
            Read::Attribute(attribute) if Some(attribute) == id => return None,
            Read::Attribute(attribute) => (&mut needs.attributes, attribute.index()),
            Read::Trigger(field) => (&mut needs.trigger, usize::from(field)),
            Read::Field(field) => (&mut needs.fields, usize::from(field)),
        };
        // Places in lists must fit in the offsets of instructions.
        let count = u32::try_from(place + 1).ok().filter(|count| *count < 1 << 20)?;
        *most = (*most).max(count);
    }
    Some(needs)
}

/// Limits, each once and each where it was: code has their addresses.
#[derive(Default)]
pub(super) struct Tables(BTreeMap<Limits, Box<Limits>>);

impl Tables {
    fn address(&mut self, limits: Limits) -> i64 {
        address(&**self.0.entry(limits).or_insert_with(|| Box::new(limits)))
    }
}

fn address<T>(of: &T) -> i64 {
    std::ptr::from_ref(of) as usize as i64
}

/// One function being written.
struct Emit<'a> {
    builder: FunctionBuilder<'a>,
    layout: Layout,
    tests: &'a [Test],
    tables: &'a mut Tables,
    blocks: Vec<Block>,
    holds: Block,
    fails: Block,
    help: SigRef,
    fields: ir::Value,
    trigger: ir::Value,
    attributes: ir::Value,
    known: ir::Value,
    defaults: ir::Value,
    env: ir::Value,
    /// Calls that are written at the end, out of the way.
    calls: Vec<(Block, Place, &'a Ask, Ways)>,
}

/// Where a value stands: an address and bytes from there.
#[derive(Clone, Copy)]
struct Place(ir::Value, i32);

/// Where the answers lead.
#[derive(Clone, Copy)]
struct Ways {
    yes: Block,
    no: Block,
}

impl Ways {
    fn to(self, answer: bool) -> Block {
        if answer {
            self.yes
        } else {
            self.no
        }
    }
}

impl<'a> Emit<'a> {
    fn new(mut builder: FunctionBuilder<'a>, layout: Layout, tests: &'a [Test], tables: &'a mut Tables) -> Self {
        let start = builder.create_block();
        builder.append_block_params_for_function_params(start);
        builder.switch_to_block(start);
        let blocks: Vec<Block> = tests.iter().map(|_| builder.create_block()).collect();
        let (holds, fails) = (builder.create_block(), builder.create_block());
        let mut help = Signature::new(builder.func.signature.call_conv);
        help.params = vec![AbiParam::new(types::I64); 3];
        help.returns = vec![AbiParam::new(types::I8)];
        let help = builder.import_signature(help);
        builder.ins().jump(blocks.first().copied().unwrap_or(fails), &[]);
        let given = builder.block_params(start).to_vec();
        // There are six, as the signature says.
        let param = |number: usize| given.get(number).copied().unwrap_or(ir::Value::from_u32(0));
        Self {
            layout,
            tests,
            tables,
            blocks,
            holds,
            fails,
            help,
            fields: param(0),
            trigger: param(1),
            attributes: param(2),
            known: param(3),
            defaults: param(4),
            env: param(5),
            calls: Vec::new(),
            builder,
        }
    }

    fn condition(mut self, target: TargetFrontendConfig) {
        let tests = self.tests;
        for (test, block) in tests.iter().zip(self.blocks.clone()) {
            self.builder.switch_to_block(block);
            let ways = Ways { yes: self.target(test.yes), no: self.target(test.no) };
            self.test(test, ways);
        }
        for (block, place, ask, ways) in std::mem::take(&mut self.calls) {
            self.builder.switch_to_block(block);
            self.call(place, ask, ways);
        }
        for (block, answer) in [(self.holds, 1), (self.fails, 0)] {
            self.builder.switch_to_block(block);
            let answer = self.builder.ins().iconst(types::I8, answer);
            self.builder.ins().return_(&[answer]);
        }
        self.builder.seal_all_blocks();
        self.builder.finalize(target);
    }

    fn target(&self, test: u16) -> Block {
        match test {
            HOLDS => self.holds,
            FAILS => self.fails,
            test => self.blocks.get(usize::from(test)).copied().unwrap_or(self.fails),
        }
    }

    fn test(&mut self, test: &'a Test, ways: Ways) {
        let place = self.place(test.read);
        match &test.ask {
            Ask::Number(written) => self.number(place, written, &test.ask, ways),
            Ask::Text(text) => {
                self.only(place, kind::text(), ways.no);
                self.text(place, text, ways);
            }
            Ask::Bool(truth) => {
                self.only(place, kind::bool(), ways.no);
                let value = self.load(types::I8, place, PAYLOAD);
                let (when_true, when_false) = if *truth { (ways.yes, ways.no) } else { (ways.no, ways.yes) };
                self.builder.ins().brif(value, when_true, &[], when_false, &[]);
            }
            Ask::Constant(cmp, constant) => self.constant(place, *cmp, constant, &test.ask, ways),
            Ask::Other(cmp, read) => {
                let other = self.place(*read);
                self.other(place, *cmp, other, &test.ask, ways);
            }
            Ask::In(list) => self.list(place, list, &test.ask, ways),
            Ask::Known => {
                let known = self.is_kind(place, kind::missing());
                self.builder.ins().brif(known, ways.no, &[], ways.yes, &[]);
            }
        }
    }

    /// Where what is read stands. An attribute that the person has not, or that is missing, has its default.
    fn place(&mut self, read: Read) -> Place {
        let bytes = |number: usize| i32::try_from(number).unwrap_or(0) * SIZE;
        match read {
            Read::Field(field) => Place(self.fields, bytes(field.into())),
            Read::Trigger(field) => Place(self.trigger, bytes(field.into())),
            Read::Attribute(attribute) => {
                let (number, offset) = (attribute.index() as i64, i64::from(bytes(attribute.index())));
                let (look, default) = (self.builder.create_block(), self.builder.create_block());
                let found = self.builder.create_block();
                let address = self.builder.append_block_param(found, types::I64);
                let has = self.builder.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, self.known, number);
                self.builder.ins().brif(has, look, &[], default, &[]);
                self.builder.switch_to_block(look);
                let own = self.builder.ins().iadd_imm_s(self.attributes, offset);
                let missing = self.is_kind(Place(own, 0), kind::missing());
                self.builder.ins().brif(missing, default, &[], found, &[own.into()]);
                self.builder.switch_to_block(default);
                let default = self.builder.ins().iadd_imm_s(self.defaults, offset);
                self.builder.ins().jump(found, &[default.into()]);
                self.builder.switch_to_block(found);
                Place(address, 0)
            }
        }
    }

    fn load(&mut self, kind: ir::Type, place: Place, offset: i32) -> ir::Value {
        // Nobody changes a value while a condition looks at it.
        self.builder.ins().load(kind, MemFlagsData::trusted().with_readonly(), place.0, place.1 + offset)
    }

    fn kind(&mut self, place: Place) -> ir::Value {
        self.load(types::I8, place, 0)
    }

    fn is_kind(&mut self, place: Place, kind: u8) -> ir::Value {
        let found = self.kind(place);
        self.builder.ins().icmp_imm_u(IntCC::Equal, found, i64::from(kind))
    }

    /// Goes on here with values of a kind, and elsewhere with all others.
    fn only(&mut self, place: Place, kind: u8, otherwise: Block) {
        let (is, here) = (self.is_kind(place, kind), self.builder.create_block());
        self.builder.ins().brif(is, here, &[], otherwise, &[]);
        self.builder.switch_to_block(here);
    }

    /// Goes elsewhere when it holds, and else on here.
    fn leave_if(&mut self, holds: ir::Value, to: Block) {
        let here = self.builder.create_block();
        self.builder.ins().brif(holds, to, &[], here, &[]);
        self.builder.switch_to_block(here);
    }

    /// Goes on here when it holds, and else elsewhere.
    fn go_on_if(&mut self, holds: ir::Value, otherwise: Block) {
        let here = self.builder.create_block();
        self.builder.ins().brif(holds, here, &[], otherwise, &[]);
        self.builder.switch_to_block(here);
    }

    /// Asks the function that the fused tests run.
    fn call(&mut self, place: Place, ask: &'a Ask, ways: Ways) {
        let value = self.builder.ins().iadd_imm_s(place.0, i64::from(place.1));
        let ask = self.builder.ins().iconst(types::I64, address(ask));
        let offset = i32::try_from(offset_of!(Env, help)).unwrap_or(0);
        let help = self.builder.ins().load(types::I64, MemFlagsData::trusted().with_readonly(), self.env, offset);
        let call = self.builder.ins().call_indirect(self.help, help, &[self.env, value, ask]);
        let answer = self.builder.inst_results(call).first().copied();
        match answer {
            Some(answer) => self.builder.ins().brif(answer, ways.yes, &[], ways.no, &[]),
            None => self.builder.ins().jump(ways.no, &[]),
        };
    }

    /// A block in which the function of the fused tests is asked.
    fn calling(&mut self, place: Place, ask: &'a Ask, ways: Ways) -> Block {
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        self.calls.push((block, place, ask, ways));
        block
    }

    fn branch(&mut self, cmp: IntCC, a: ir::Value, b: ir::Value, ways: Ways) {
        let holds = self.builder.ins().icmp(cmp, a, b);
        self.builder.ins().brif(holds, ways.yes, &[], ways.no, &[]);
    }

    fn number(&mut self, place: Place, written: &Written, ask: &'a Ask, ways: Ways) {
        let condition = if written.same() { IntCC::Equal } else { IntCC::SignedLessThan };
        let call = self.calling(place, ask, ways);
        let (decimal, whole, other) =
            (self.builder.create_block(), self.builder.create_block(), self.builder.create_block());
        let tag = self.kind(place);
        let is = self.builder.ins().icmp_imm_u(IntCC::Equal, tag, i64::from(kind::int()));
        self.builder.ins().brif(is, whole, &[], other, &[]);
        self.builder.switch_to_block(other);
        let is = self.builder.ins().icmp_imm_u(IntCC::Equal, tag, i64::from(kind::number()));
        self.builder.ins().brif(is, decimal, &[], ways.to(written.other), &[]);

        self.builder.switch_to_block(whole);
        match written.whole() {
            Ok(limit) => {
                let value = self.load(types::I64, place, PAYLOAD);
                let limit = self.builder.ins().iconst(types::I64, limit);
                self.branch(condition, value, limit, ways);
            }
            Err(always) => {
                self.builder.ins().jump(ways.to(always), &[]);
            }
        }

        // Without a sign, and with a scale and digits for which there are limits.
        self.builder.switch_to_block(decimal);
        let flags = self.load(types::I64, place, DECIMAL_FLAGS);
        let digits = self.load(types::I64, place, DECIMAL_DIGITS);
        let rare = self.builder.ins().band_imm_s(flags, !(7_i64 << 16));
        let far = self.builder.ins().band_imm_s(digits, 3_i64 << 62);
        let rare = self.builder.ins().bor(rare, far);
        self.leave_if(rare, call);
        let limits = self.tables.address(written.limits());
        // Nothing but the scale is left, at bit 16; a limit has eight bytes.
        let scale = self.builder.ins().ushr_imm_u(flags, 13);
        let table = self.builder.ins().iadd_imm_s(scale, limits);
        let limit = self.builder.ins().load(types::I64, MemFlagsData::trusted().with_readonly(), table, 0);
        self.branch(condition, digits, limit, ways);
    }

    /// A text compared with one that is written. The value is known to be a text.
    fn text(&mut self, place: Place, text: &str, ways: Ways) {
        let length = self.load(types::I64, place, self.layout.text_length);
        let same = self.builder.ins().icmp_imm_u(IntCC::Equal, length, text.len() as i64);
        self.go_on_if(same, ways.no);
        let start = self.load(types::I64, place, self.layout.text_pointer);
        let mut differ: Option<ir::Value> = None;
        for (at, kind, expected) in pieces(text.as_bytes()) {
            let offset = self.layout.text_start + at;
            let found = self.builder.ins().load(kind, MemFlagsData::new().with_notrap(), start, offset);
            let expected = self.builder.ins().iconst(kind, expected);
            let mut difference = self.builder.ins().bxor(found, expected);
            if kind != types::I64 {
                difference = self.builder.ins().uextend(types::I64, difference);
            }
            differ = Some(differ.map_or(difference, |other| self.builder.ins().bor(other, difference)));
        }
        match differ {
            Some(differ) => self.builder.ins().brif(differ, ways.no, &[], ways.yes, &[]),
            None => self.builder.ins().jump(ways.yes, &[]),
        };
    }

    fn list(&mut self, place: Place, list: &Value, ask: &'a Ask, ways: Ways) {
        let texts: Option<Vec<&str>> = match list {
            Value::List(list) if list.len() <= LONGEST_LIST => list.iter().map(Value::as_text).collect(),
            _ => None,
        };
        let Some(texts) = texts.filter(|texts| texts.iter().all(|text| text.len() <= LONGEST_TEXT)) else {
            return self.call(place, ask, ways);
        };
        self.only(place, kind::text(), ways.no);
        for text in texts {
            let next = self.builder.create_block();
            self.text(place, text, Ways { yes: ways.yes, no: next });
            self.builder.switch_to_block(next);
        }
        self.builder.ins().jump(ways.no, &[]);
    }

    /// A moment of one kind with one of the same; all else is asked by call.
    fn constant(&mut self, place: Place, cmp: Compare, constant: &Value, ask: &'a Ask, ways: Ways) {
        let (kind, signed, value) = match constant {
            Value::Instant(value) => (types::I64, true, *value),
            Value::Date(value) => (types::I32, true, i64::from(value.cast_unsigned())),
            Value::Time(value) => (types::I32, false, i64::from(*value)),
            Value::Weekday(value) => (types::I8, false, i64::from(*value)),
            Value::Bool(value) => (types::I8, false, i64::from(*value)),
            _ => return self.call(place, ask, ways),
        };
        let call = self.calling(place, ask, ways);
        self.only(place, tag(constant), call);
        let found = self.load(kind, place, PAYLOAD);
        let constant = self.builder.ins().iconst(kind, value);
        self.branch(ordered(cmp, signed), found, constant, ways);
    }

    fn other(&mut self, place: Place, cmp: Compare, other: Place, ask: &'a Ask, ways: Ways) {
        let call = self.calling(place, ask, ways);
        let (a, b) = (self.kind(place), self.kind(other));
        let same = self.builder.ins().icmp(IntCC::Equal, a, b);
        self.go_on_if(same, call);
        let (words, decimals) = (self.builder.create_block(), self.builder.create_block());
        let is = self.builder.ins().icmp_imm_u(IntCC::Equal, a, i64::from(kind::int()));
        self.leave_if(is, words);
        let is = self.builder.ins().icmp_imm_u(IntCC::Equal, a, i64::from(kind::instant()));
        self.leave_if(is, words);
        let is = self.builder.ins().icmp_imm_u(IntCC::Equal, a, i64::from(kind::number()));
        self.builder.ins().brif(is, decimals, &[], call, &[]);

        self.builder.switch_to_block(words);
        let (a, b) = (self.load(types::I64, place, PAYLOAD), self.load(types::I64, other, PAYLOAD));
        self.branch(ordered(cmp, true), a, b, ways);

        // Without a sign, of one scale, and with nothing above 64 bits.
        self.builder.switch_to_block(decimals);
        let (a, b) = (self.load(types::I64, place, DECIMAL_FLAGS), self.load(types::I64, other, DECIMAL_FLAGS));
        let differ = self.builder.ins().bxor(a, b);
        let rare = self.builder.ins().band_imm_s(a, !(31_i64 << 16));
        let rare = self.builder.ins().bor(differ, rare);
        self.leave_if(rare, call);
        let (a, b) = (self.load(types::I64, place, DECIMAL_DIGITS), self.load(types::I64, other, DECIMAL_DIGITS));
        self.branch(ordered(cmp, false), a, b, ways);
    }
}

fn ordered(cmp: Compare, signed: bool) -> IntCC {
    let condition = match cmp {
        Compare::Equal => IntCC::Equal,
        Compare::NotEqual => IntCC::NotEqual,
        Compare::Less => IntCC::SignedLessThan,
        Compare::LessOrEqual => IntCC::SignedLessThanOrEqual,
        Compare::Greater => IntCC::SignedGreaterThan,
        Compare::GreaterOrEqual => IntCC::SignedGreaterThanOrEqual,
    };
    if signed {
        condition
    } else {
        condition.unsigned()
    }
}

/// The bytes of a text in words, the last of which may overlap the one before: where, of what type, and what they are.
fn pieces(bytes: &[u8]) -> Vec<(i32, ir::Type, i64)> {
    let width = match bytes.len() {
        0 => return Vec::new(),
        1 => 1,
        2..4 => 2,
        4..8 => 4,
        _ => 8,
    };
    let kind = match width {
        1 => types::I8,
        2 => types::I16,
        4 => types::I32,
        _ => types::I64,
    };
    let last = bytes.len() - width;
    let starts = (0..last).step_by(width).chain(std::iter::once(last));
    let piece = |at: usize| {
        let word = bytes.get(at..at + width).unwrap_or_default().iter().rev();
        let word = word.fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
        (at as i32, kind, word as i64)
    };
    starts.map(piece).collect()
}

/// The kinds of values.
mod kind {
    use super::{tag, Value};
    use rust_decimal::Decimal;

    pub fn missing() -> u8 {
        tag(&Value::Missing)
    }
    pub fn bool() -> u8 {
        tag(&Value::Bool(true))
    }
    pub fn int() -> u8 {
        tag(&Value::Int(0))
    }
    pub fn number() -> u8 {
        tag(&Value::Number(Decimal::ZERO))
    }
    pub fn instant() -> u8 {
        tag(&Value::Instant(0))
    }
    pub fn text() -> u8 {
        tag(&Value::text(""))
    }
}
