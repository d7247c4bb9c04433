//! Programs as data: the tree of each good one, the errors of each bad one.
//!
//! `INSTA_UPDATE=always cargo test -p flow-grammar` writes the snapshots again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use flow_grammar::{dump, parse, FileId, LineIndex, SyntaxError};
use std::fmt::Write;
use std::path::Path;

fn programs(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let mut programs: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())
        })
        .collect();
    programs.sort();
    programs
}

/// Each error under the line it is about, as a person sees it.
fn render(source: &str, errors: &[SyntaxError]) -> String {
    let lines = LineIndex::new(source);
    let mut out = String::new();
    for error in errors {
        let at = lines.line_column(source, error.span.start);
        let range = lines.line_range(at.line);
        let line = &source[range.start as usize..range.end as usize];
        let width = error.span.text(source).lines().next().unwrap_or("").chars().count().max(1);
        let indent = " ".repeat(at.column as usize - 1);
        let _ = writeln!(out, "{} at {}:{}", error.code, at.line, at.column);
        let _ = writeln!(out, "  | {}", line.trim_end());
        let _ = writeln!(out, "  | {indent}{} {}", "^".repeat(width), error.message);
        for (span, text) in &error.labels {
            let at = lines.line_column(source, span.start);
            let _ = writeln!(out, "  label {}:{}: {text}", at.line, at.column);
        }
        if let Some(help) = &error.help {
            let _ = writeln!(out, "  help: {help}");
        }
        if let Some(fix) = &error.fix {
            let fixed = format!(
                "{}{}{}",
                &source[..fix.span.start as usize],
                fix.replacement,
                &source[fix.span.end as usize..]
            );
            let line = fixed.get(range.start as usize..).unwrap_or("").lines().next().unwrap_or("");
            let _ = writeln!(out, "  fix: {}: {}", fix.title, line.trim());
        }
    }
    out
}

#[test]
fn good_programs_have_no_errors() {
    for (name, source) in programs("good") {
        let parsed = parse(FileId(0), &source);
        let text = format!("{}{}", dump(&parsed.file), render(&source, &parsed.errors));
        insta::assert_snapshot!(format!("good_{name}"), text);
        assert!(parsed.errors.is_empty(), "{name}:\n{}", render(&source, &parsed.errors));
        assert!(!text.contains("broken"), "{name}");
    }
}

/// Each mistake stands on a line that ends with `#!`; there are as many errors as such lines.
#[test]
fn bad_programs_have_one_error_for_each_mistake() {
    for (name, source) in programs("bad") {
        let parsed = parse(FileId(0), &source);
        let rendered = render(&source, &parsed.errors);
        insta::assert_snapshot!(format!("bad_{name}"), format!("{}\n{rendered}", dump(&parsed.file)));
        let expected: usize = source.matches("#!").count();
        assert_eq!(parsed.errors.len(), expected, "{name}:\n{rendered}");
    }
}
