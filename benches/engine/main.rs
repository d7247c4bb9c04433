//! Benchmarks of the engine: `cargo bench -p flow-runtime -- [conditions|journeys|windows|flight|segments|tests] [SIZE]`
//! and `… replay LOG`.
//!
//! Each prints what it measures beside a baseline from the same run. Time is the processor's, as Linux counts it for
//! this thread, so that others on the machine disturb little; the least of several rounds counts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark may fail"
)]

mod conditions;
mod flight;
mod journeys;
mod replay;
mod segments;
mod testing;
mod windows;

use flow_compiler::bytecode::{EventId, Program};
use flow_compiler::compile::{compile, Compiled, ProjectInput, SourceFile};
use flow_runtime::calendar::Zones;
use flow_runtime::engine::effect::Effect;
use flow_runtime::engine::input::Input;
use flow_runtime::engine::{Engine, Person};
use flow_runtime::vm::value::Value;
use std::sync::Arc;

fn main() {
    // Cargo says `--bench`.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let size = || args.get(1).map(|size| size.parse().unwrap());
    match args.first().map(String::as_str) {
        Some("conditions") => conditions::run(),
        Some("replay") => replay::run(args.get(1).expect("the log to replay")),
        Some("journeys") => journeys::run(),
        Some("windows") => windows::run(),
        Some("flight") => flight::run(size().unwrap_or(1_000_000)),
        Some("segments") => segments::run(size().unwrap_or(100_000)),
        Some("tests") => testing::run(size().unwrap_or(10_000)),
        Some(other) => panic!("no benchmark is called {other}"),
        None => {
            conditions::run();
            journeys::run();
            windows::run();
            flight::run(200_000);
            segments::run(50_000);
            testing::run(10_000);
        }
    }
}

fn compiled(text: String) -> Compiled {
    let files = vec![SourceFile { path: "a.flow".into(), text }];
    let input = ProjectInput { name: "a".into(), timezone: "UTC".into(), files, ..ProjectInput::default() };
    let compiled = compile(&input);
    assert!(compiled.program.is_some(), "{:?}", compiled.diagnostics);
    compiled
}

fn program(text: String) -> Arc<Program> {
    Arc::new(compiled(text).program.unwrap())
}

fn engine(text: String) -> Engine {
    Engine::new(program(text), Arc::new(Zones::bundled()), 0)
}

fn event_of(engine: &Engine, name: &str) -> EventId {
    let place = engine.program().events.iter().position(|event| event.name == name);
    EventId(u32::try_from(place.unwrap()).unwrap())
}

/// 2026-01-01.
const START: i64 = 1_767_225_600_000;
const HOUR: i64 = 3_600_000;

/// Hands a person an event, as an adapter would.
fn happen(engine: &Engine, person: &mut Person, now: i64, event: EventId, fields: Vec<Value>, out: &mut Vec<Effect>) {
    engine.timers(person, now, out);
    engine.input(person, now, 0, Input::Event { event, time: now, fields: fields.into() }, out);
}

/// Nanoseconds for which this thread has had a processor. Linux brings the count up to date every few milliseconds.
fn spent() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts the time of threads");
    text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap()
}

/// Nanoseconds that something takes: the least average of some rounds, each long enough to be counted.
fn least(mut work: impl FnMut()) -> f64 {
    const ROUNDS: usize = 5;
    const ROUND: u64 = 60_000_000;
    let round = |_| {
        let (begin, mut count) = (spent(), 0_u32);
        loop {
            work();
            count += 1;
            let time = spent() - begin;
            if time >= ROUND {
                return time as f64 / f64::from(count);
            }
        }
    };
    (0..ROUNDS).map(round).fold(f64::MAX, f64::min)
}

/// Nanoseconds that something takes that can be done only once.
fn once(work: impl FnOnce()) -> f64 {
    let begin = spent();
    work();
    (spent() - begin) as f64
}

/// A random number that is the same in every run (splitmix64).
struct Lots(u64);

impl Lots {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// Bytes of memory in use, as the system counts them.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}
