//! Small programs with what the compiler has to say about them, which stands in their last lines:
//! one line `#= CODE `text at the place`: message | help` for each finding.
//! `FLOW_BLESS=1 cargo test -p flow-compiler --test fixtures` writes these lines anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use flow_compiler::compile::{compile, ProjectInput, SourceFile, TemplateFile};
use flow_compiler::diagnostic::Diagnostic;
use std::path::{Path, PathBuf};

const MARK: &str = "#= ";

fn fixtures(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(kind);
    let entries = std::fs::read_dir(folder).expect("the fixtures");
    let mut all: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
    all.sort();
    assert!(!all.is_empty(), "no fixtures in {kind}");
    all
}

/// A project of one file. `# templates: a.email b.push` names the templates that there are.
fn project(path: &Path, source: &str) -> ProjectInput {
    let stem = path.file_name().expect("a name").to_string_lossy().into_owned();
    let listed = source.lines().find_map(|line| line.strip_prefix("# templates:"));
    let template = |word: &str| {
        let (name, channel) = word.split_once('.').expect("name.channel");
        TemplateFile { name: name.into(), channel: channel.into(), ..TemplateFile::default() }
    };
    ProjectInput {
        name: "fixture".into(),
        timezone: "Europe/Rome".into(),
        files: vec![SourceFile { path: stem, text: source.into() }],
        templates: listed.into_iter().flat_map(str::split_whitespace).map(template).collect(),

        check_templates: listed.is_some(),
        ..ProjectInput::default()
    }
}

fn line(diagnostic: &Diagnostic, source: &str) -> String {
    let place: Vec<&str> = diagnostic.span.text(source).split_whitespace().collect();
    let help = diagnostic.help.as_deref().unwrap_or("-");
    format!("{MARK}{} `{}`: {} | {help}", diagnostic.code, place.join(" "), diagnostic.message)
}

fn run(kind: &str) {
    let mut wrong = Vec::new();
    for path in fixtures(kind) {
        let whole = std::fs::read_to_string(&path).expect("a fixture");
        let source: String = whole.lines().filter(|l| !l.starts_with(MARK)).flat_map(|l| [l, "\n"]).collect();
        let expected: Vec<&str> = whole.lines().filter(|l| l.starts_with(MARK)).collect();
        let compiled = compile(&project(&path, &source));
        let found: Vec<String> = compiled.diagnostics.iter().map(|d| line(d, &source)).collect();
        if std::env::var_os("FLOW_BLESS").is_some() {
            let lines: String = found.iter().flat_map(|l| [l.as_str(), "\n"]).collect();
            std::fs::write(&path, format!("{source}{lines}")).expect("written");
        } else if found != expected {
            wrong.push(format!(
                "{}:\nexpected\n  {}\nfound\n  {}",
                path.display(),
                expected.join("\n  "),
                found.join("\n  ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names() {
    run("names");
}

#[test]
fn types() {
    run("types");
}

#[test]
fn rules() {
    run("rules");
}
