//! Any bytes taken as a log run to the end, and give the same messages however the log is cut into chunks, interpreted and
//! as native code.
#![no_main]
use flow_compiler::compile::{ProjectInput, SourceFile, compile};
use flow_runtime::calendar::Zones;
use flow_runtime::engine::Engine;
use flow_runtime::ingest::schema::Schema;
use flow_runtime::ingest::source::Lines;
use flow_runtime::replay::{self, Before, Options, Sinks};
use flow_runtime::vm::Evaluation;
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;
use std::sync::{Arc, LazyLock, Mutex};

/// The first byte of the data chooses among these.
const PROGRAMS: &[&str] = &[
    include_str!("../../tests/conformance/01-always-and-restart/always_and_restart.flow"),
    include_str!("../../tests/conformance/04-without-within/without_within.flow"),
    include_str!("../../tests/conformance/05-windows-fill-and-empty/windows_fill_and_empty.flow"),
    include_str!("../../tests/conformance/06-exits/exits.flow"),
    include_str!("../../tests/conformance/09-wait-until-a-condition/wait_until_a_condition.flow"),
    include_str!("../../tests/conformance/10-wait-until-a-date/wait_until_a_date.flow"),
    include_str!("../../tests/conformance/18-chains/chains.flow"),
    include_str!("../../tests/conformance/19-quiet-hours-and-caps/quiet_hours_and_caps.flow"),
    include_str!("../../tests/conformance/22-opened-and-clicked/opened_and_clicked.flow"),
    include_str!("../../tests/conformance/23-fences/fences.flow"),
    include_str!("../../tests/conformance/26-aggregates/aggregates.flow"),
    include_str!("../../tests/conformance/29-guests-who-register/guests_who_register.flow"),
    include_str!("../../tests/conformance/31-arithmetic-that-cannot-fail/arithmetic_that_cannot_fail.flow"),
    include_str!("../../tests/conformance/12-schedules-in-zones/schedules_in_zones.flow"),
    include_str!("../../tests/conformance/14-together-and-join/together_and_join.flow"),
    include_str!("../../tests/conformance/39-guest-registers/guest_registers.flow"),
    include_str!("../../tests/conformance/40-joined-since-the-entry/b5_merge_since_entry_where.flow"),
    include_str!("../../tests/conformance/43-throttled-and-judged-again/throttle_quiet_consent.flow"),
    include_str!("../../tests/conformance/44-exit-before-an-absence/without_exit_pending.flow"),
];

/// An engine that interprets, one that compiles everything, and how they read.
struct Both {
    interprets: Engine,
    native: Engine,
    schema: Schema,
}

static ENGINES: LazyLock<Vec<Both>> = LazyLock::new(|| {
    let zones = Arc::new(Zones::bundled());
    PROGRAMS
        .iter()
        .map(|text| {
            let file = SourceFile { path: "fuzz.flow".to_owned(), text: (*text).to_owned() };
            let compiled = compile(&ProjectInput {
                name: "fuzz".to_owned(),
                timezone: "Europe/Rome".to_owned(),
                files: vec![file],
                ..ProjectInput::default()
            });
            let program = Arc::new(compiled.program.expect("the programs of the conformance cases compile"));
            let schema = Schema::new(&program, Arc::clone(&zones));
            let engine = |how| {
                let engine = Engine::new(Arc::clone(&program), Arc::clone(&zones), 0).evaluated(how);
                engine.expect("there is native code for this machine")
            };
            Both { interprets: engine(Evaluation::Interpret), native: engine(Evaluation::Jit), schema }
        })
        .collect()
});

/// What is written, to be looked at afterwards.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panics while writing").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn messages(engine: &Engine, schema: &Schema, log: &[u8], chunk: usize) -> Vec<u8> {
    let out = Shared::default();
    let sinks = Sinks { messages: Box::new(out.clone()), record: None, dead: Some(Box::new(std::io::sink())) };
    let mut lines = Lines::new(Box::new(Cursor::new(log.to_vec())), chunk);
    let options = Options { threads: Some(1), ..Options::default() };
    replay::run(engine, schema, &mut lines, Before::default(), sinks, &options, || {}).expect("memory can be read and written");
    let written = out.0.lock().expect("nobody panics while writing").clone();
    written
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, log)) = data.split_first() else { return };
    let Some(Both { interprets, native, schema }) = ENGINES.get(usize::from(*choice) % PROGRAMS.len()) else { return };
    let whole = messages(interprets, schema, log, 1 << 16);
    assert_eq!(whole, messages(native, schema, log, 1));
});
