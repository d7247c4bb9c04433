//! Any bytes taken as a log run to the end, and give the same messages however the log is cut into chunks.
#![no_main]
use flow_compiler::compile::{ProjectInput, SourceFile, compile};
use flow_runtime::calendar::Zones;
use flow_runtime::engine::Engine;
use flow_runtime::ingest::schema::Schema;
use flow_runtime::ingest::source::Lines;
use flow_runtime::replay::{self, Before, Options, Sinks};
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
];

static ENGINES: LazyLock<Vec<(Engine, Schema)>> = LazyLock::new(|| {
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
            (Engine::new(program, Arc::clone(&zones), 0), schema)
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

fn messages((engine, schema): &(Engine, Schema), log: &[u8], chunk: usize) -> Vec<u8> {
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
    let Some(engine) = ENGINES.get(usize::from(*choice) % PROGRAMS.len()) else { return };
    assert_eq!(messages(engine, log, 1 << 16), messages(engine, log, 1));
});
