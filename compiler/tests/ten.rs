//! Ten independent mistakes get ten findings, no more and no fewer: each on a line that ends with `#!`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use flow_compiler::compile::{compile, ProjectInput, SourceFile};
use flow_compiler::mend::mend;
use flow_compiler::project::Listing;
use flow_grammar::LineIndex;
use std::path::Path;

#[test]
fn ten_mistakes_are_ten_findings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ten");
    let mut files = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let file = SourceFile { path: "ten.flow".into(), text: text.clone() };
        let input = ProjectInput { timezone: "UTC".into(), files: vec![file], ..ProjectInput::default() };
        let lines = LineIndex::new(&text);
        let found = compile(&input).diagnostics;
        let places: Vec<u32> = found.iter().map(|one| lines.line_column(&text, one.span.start).line).collect();
        let marked = (1..).zip(text.lines()).filter(|(_, line)| line.ends_with("#!")).map(|(number, _)| number);
        let marked: Vec<u32> = marked.collect();
        assert_eq!(marked.len(), 10, "{}", path.display());
        if places != marked {
            let shown: Vec<String> =
                found.iter().zip(&places).map(|(one, line)| format!("{line}: {} {}", one.code, one.message)).collect();
            wrong.push(format!("{}: expected {marked:?}\n{}", path.display(), shown.join("\n")));
        }
        files += 1;
    }
    assert!(files >= 7);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What people write out of habit has one meaning: mended, the file has no error any more.
#[test]
fn habits_are_mended_to_programs_without_an_error() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ten");
    for name in ["habits", "phrases", "steps", "declarations", "headers"] {
        let text = std::fs::read_to_string(folder.join(format!("{name}.flow"))).unwrap();
        let file = SourceFile { path: "ten.flow".into(), text };
        let listing = Listing { files: vec![file], ..Listing::default() };
        let mended = mend(&listing);
        let after = mended.changed.first().map_or("", |change| change.after.as_str());
        assert_eq!(mended.errors, 0, "{name}: {:?}\n{after}", compile_text(after));
    }
}

fn compile_text(text: &str) -> Vec<String> {
    let file = SourceFile { path: "ten.flow".into(), text: text.to_owned() };
    let input = ProjectInput { timezone: "UTC".into(), files: vec![file], ..ProjectInput::default() };
    compile(&input).diagnostics.into_iter().map(|one| format!("{} {}", one.code, one.message)).collect()
}
