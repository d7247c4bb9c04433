//! A replay in one process and one thread: the cart journey over a log of calls, as `flowc run` does it, without
//! the start and without a file for the messages.

use super::compiled;
use flow_runtime::calendar::Zones;
use flow_runtime::engine::Engine;
use flow_runtime::ingest::schema::Schema;
use flow_runtime::ingest::source::Lines;
use flow_runtime::replay::{self, Before, Options, Sinks};
use flow_runtime::vm::Evaluation;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// Takes the log once with each way of evaluating conditions. All work is that of another thread, so that the clock counts.
pub fn run(path: &str) {
    let program = Arc::new(compiled(include_str!("../w1/cart.flow").to_owned()).program.unwrap());
    let zones = Arc::new(Zones::bundled());
    println!("replay: {path}\n\n| conditions | s | ratio to the first |\n| --- | --- | --- |");
    let mut first = None;
    for how in [Evaluation::Interpret, Evaluation::Jit, Evaluation::Auto] {
        let engine = Engine::new(Arc::clone(&program), Arc::clone(&zones), 0).evaluated(how).unwrap();
        let schema = Schema::new(&program, Arc::clone(&zones));
        let mut source = Lines::new(Box::new(File::open(path).unwrap()), 1 << 20);
        let sinks = Sinks { messages: Box::new(io::sink()), record: None, dead: None };
        let options = Options { threads: Some(1), ..Options::default() };
        let begin = Instant::now();
        replay::run(&engine, &schema, &mut source, Before::default(), sinks, &options, || {}).unwrap();
        let time = begin.elapsed().as_secs_f64();
        let first = *first.get_or_insert(time);
        println!("| {how:?} | {time:.2} | {:.2} |", time / first);
    }
    println!();
}
