//! Any text compiles to a program that the verifier accepts, or to at least one error.
#![no_main]
use flow_compiler::compile::{ProjectInput, SourceFile, compile};
use flow_compiler::diagnostic::Severity;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let input = ProjectInput {
        name: "fuzz".to_owned(),
        timezone: "UTC".to_owned(),
        files: vec![SourceFile { path: "fuzz.flow".to_owned(), text: text.to_owned() }],
        ..ProjectInput::default()
    };
    let compiled = compile(&input);
    let errors = compiled.diagnostics.iter().any(|d| d.severity == Severity::Error);
    assert_eq!(compiled.program.is_none(), errors);
    if let Some(program) = compiled.program {
        assert_eq!(flow_compiler::verify::verify(&program), Ok(()));
    }
});
