//! Runs `flowc` over every conformance case and compares the messages with those worked out by hand:
//! the project's own cases, and those beside the project (`../shared/conformance`, or the folder
//! named by `FLOW_CONFORMANCE`) where they are there. `FLOWC` names another `flowc` to run.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::{json, Value};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a message is compared by.
const MEMBERS: [&str; 6] = ["time", "user", "journey", "channel", "template", "text"];

#[test]
fn messages_are_those_worked_out_by_hand() {
    let mut failures = Vec::new();
    let cases = cases();
    assert!(!cases.is_empty(), "no cases");
    for (case, engine) in cases.iter().flat_map(|case| ["interpret", "jit"].map(|engine| (case, engine))) {
        if let Some(failure) = run(case, engine) {
            failures.push(format!("{} (--engine {engine}): {failure}", case.display()));
        }
    }
    println!("{} conformance cases, {} failed", cases.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Folders with `events.jsonl` and `expected.jsonl`.
fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let beside = std::env::var_os("FLOW_CONFORMANCE").map_or_else(|| root.join("../shared/conformance"), PathBuf::from);
    let mut cases: Vec<PathBuf> = [root.join("tests/conformance"), beside]
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|case| case.join("events.jsonl").is_file() && case.join("expected.jsonl").is_file())
        .collect();
    cases.sort();
    cases
}

/// What differs, if anything does.
fn run(case: &Path, engine: &str) -> Option<String> {
    let flowc = std::env::var("FLOWC").unwrap_or_else(|_| env!("CARGO_BIN_EXE_flowc").to_owned());
    let mut command = Command::new(flowc);
    command.arg("run").arg(case).arg("--events").arg(case.join("events.jsonl")).args(["--engine", engine]);
    let done = command.output().unwrap();
    if !done.status.success() {
        return Some(String::from_utf8_lossy(&done.stderr).into_owned());
    }
    let expected = messages(&fs::read_to_string(case.join("expected.jsonl")).unwrap());
    let mut extra = messages(&String::from_utf8(done.stdout).unwrap());
    let mut missing = Vec::new();
    for message in expected {
        match extra.iter().position(|one| *one == message) {
            Some(at) => drop(extra.swap_remove(at)),
            None => missing.push(message),
        }
    }
    let list =
        |word: &str, messages: Vec<String>| messages.iter().map(|m| format!("\n  {word} {m}")).collect::<String>();
    let differs = !extra.is_empty() || !missing.is_empty();
    differs.then(|| list("missing", missing) + &list("too many", extra))
}

/// Each line, cut down to what counts.
fn messages(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let message: Value = serde_json::from_str(line).unwrap();
        let members = MEMBERS.iter().filter(|member| !message[**member].is_null());
        let counted: serde_json::Map<String, Value> =
            members.map(|member| ((*member).to_owned(), message[*member].clone())).collect();
        json!(counted).to_string()
    };
    text.lines().filter(|l| !l.trim().is_empty()).map(line).collect()
}
