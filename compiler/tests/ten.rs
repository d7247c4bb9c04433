//! Ten independent mistakes get ten findings, no more and no fewer: each on a line that ends with `#!`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use flow_compiler::compile::{compile, ProjectInput, SourceFile};
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
    assert!(files >= 3);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
