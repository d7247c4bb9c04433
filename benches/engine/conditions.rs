//! One condition of five comparisons: as Rust, as native code, as fused tests, as register code. Then 10,000 different ones in
//! turn, and how long compiling takes.

use super::{least, once, program, Lots};
use flow_compiler::bytecode::{CodeId, Program, Trigger};
use flow_runtime::vm::interpret::{Machine, Prepared};
use flow_runtime::vm::value::Value;
use flow_runtime::vm::{Evaluation, Facts, Lists, Moment, Read};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::hint::black_box;
use std::sync::Arc;

const EVENT: &str = "event bought { price: number  items: int  country: text  score: int  vip: bool }\nchannel email\n";
/// Few enough to stay in the nearest caches: it is conditions that are measured, not memory.
const EVENTS: usize = 256;

struct Bought {
    cents: i64,
    items: i64,
    country: Arc<str>,
    score: i64,
    vip: bool,
    fields: Vec<Value>,
}

impl Bought {
    fn new(lots: &mut Lots) -> Self {
        let cents = 500 + lots.below(15_000) as i64;
        let (items, score, vip) = (lots.below(6) as i64, lots.below(100) as i64, lots.below(10) > 0);
        let country: Arc<str> = ["IT", "IT", "IT", "FR"][lots.below(4) as usize].into();
        let fields = vec![
            Value::Number(Decimal::new(cents, 2)),
            Value::Int(items),
            Value::Text(Arc::clone(&country)),
            Value::Int(score),
            Value::Bool(vip),
        ];
        Self { cents, items, country, score, vip, fields }
    }

    fn wanted(&self) -> bool {
        self.cents > 2_000 && self.items >= 1 && &*self.country == "IT" && self.score < 90 && self.vip
    }
}

impl Facts for Bought {
    fn peek(&self, read: Read) -> Option<&Value> {
        match read {
            Read::Field(field) => self.fields.get(field as usize),
            _ => None,
        }
    }
    fn lists(&self) -> Option<Lists<'_>> {
        Some(Lists { fields: &self.fields, trigger: &[], attributes: &[], defaults: &[] })
    }
    fn field(&self, field: u16) -> Value {
        self.fields.get(field as usize).cloned().unwrap_or_default()
    }
    fn zone(&self) -> &TimeZone {
        const UTC: &TimeZone = &TimeZone::UTC;
        UTC
    }
}

fn filters(program: &Program) -> Vec<CodeId> {
    let triggers = program.journeys.iter().flat_map(|journey| &journey.triggers);
    triggers.filter_map(|trigger| if let Trigger::Event { filter, .. } = trigger { *filter } else { None }).collect()
}

pub fn run() {
    let mut lots = Lots(1);
    let events: Vec<Bought> = (0..EVENTS).map(|_| Bought::new(&mut lots)).collect();
    let condition = "price > 20 and items >= 1 and country == \"IT\" and score < 90 and vip == true";
    let one = program(format!("{EVENT}journey j {{ on bought where {condition} email \"hi\" }}"));
    let many: String = (0..10_000)
        .map(|number| {
            let (price, score, country) = (20 + number % 97, 10 + number % 89, ["IT", "FR"][number % 2]);
            let condition = format!(
                "price > {price} and items >= {} and country == \"{country}\" and score < {score} and vip == true",
                number % 3
            );
            format!("journey j{number} {{ on bought where {condition} email \"hi\" }}\n")
        })
        .collect();
    let many = program(format!("{EVENT}{many}"));

    // Looking at the time costs more than one look at all events.
    const AGAIN: usize = 800;
    let native = least(|| {
        for _ in 0..AGAIN {
            black_box(events.iter().filter(|event| black_box(event).wanted()).count());
        }
    }) / (EVENTS * AGAIN) as f64;
    println!("conditions: five comparisons, {EVENTS} events, nanoseconds each\n");
    println!("| | one condition | ratio to Rust | 10,000 different ones in turn |\n| --- | --- | --- | --- |");
    println!("| Rust | {native:.1} | 1.0 | |");
    let jit: fn(&Program) -> Prepared = |program| evaluated(program, Evaluation::Jit);
    let fused: fn(&Program) -> Prepared = |program| evaluated(program, Evaluation::Interpret);
    let auto: fn(&Program) -> Prepared = |program| evaluated(program, Evaluation::Auto);
    for (name, prepare) in
        [("native code", jit), ("auto", auto), ("fused tests", fused), ("register code", Prepared::interpreted)]
    {
        let time = |program: &Program| {
            let prepared = prepare(program);
            let machine = Machine::over(program, &prepared);
            let filters = filters(program);
            let mut codes = filters.iter().cycle();
            let mut count = 0;
            let time = least(|| {
                for _ in 0..AGAIN {
                    count = 0;
                    for event in &events {
                        let code = *codes.next().unwrap();
                        count += usize::from(machine.truth(code, event, &mut Moment::at(0)));
                    }
                }
            });
            (time / (EVENTS * AGAIN) as f64, count)
        };
        let (hot, count) = time(&one);
        assert_eq!(count, events.iter().filter(|event| event.wanted()).count());
        let (cold, _) = time(&many);
        println!("| {name} | {hot:.1} | {:.1} | {cold:.1} |", hot / native);
    }
    // Preparing takes time by itself.
    let time = |program: &Program, how| once(|| drop(black_box(evaluated(program, how)))) / 1e3;
    let taken = |program| time(program, Evaluation::Jit) - time(program, Evaluation::Interpret);
    println!("\ncompiling each of 10,000: {:.0} µs\n", taken(&many) / 1e4);
}

fn evaluated(program: &Program, how: Evaluation) -> Prepared {
    Prepared::new(program).evaluated(program, how).unwrap()
}
