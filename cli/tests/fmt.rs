//! `flowc fmt` as people use it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use common::{flowc, folder};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const UNTIDY: &str = "on   cart_added\nwait 2 hours if not purchased then email cart_reminder # at last\n";
const TIDY: &str = "on cart_added\nwait 2h\nif not purchased then email cart_reminder  # at last\n";

#[test]
fn files_are_formatted_in_place_and_only_once() {
    let root = folder("fmt_in_place", &[("a.flow", UNTIDY), ("b/c.flow", TIDY), ("target/d.flow", UNTIDY)]);
    let ran = flowc(&root, &["fmt", "--check"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, "a.flow\n"));
    let ran = flowc(&root, &["fmt"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    assert_eq!(fs::read_to_string(root.join("a.flow")).unwrap(), TIDY);
    assert_eq!(fs::read_to_string(root.join("target/d.flow")).unwrap(), UNTIDY);
    assert_eq!(flowc(&root, &["fmt", "--check", "."]).code, 0);
}

#[test]
fn what_has_errors_is_left_alone_and_the_others_are_not() {
    let root = folder("fmt_errors", &[("bad.flow", "on  cart_added wait\n"), ("good.flow", UNTIDY)]);
    let ran = flowc(&root, &["fmt"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("bad.flow:1:"), "{}", ran.err);
    assert!(ran.err.ends_with("bad.flow has syntax errors and was left as it is\n"), "{}", ran.err);
    assert_eq!(fs::read_to_string(root.join("bad.flow")).unwrap(), "on  cart_added wait\n");
    assert_eq!(fs::read_to_string(root.join("good.flow")).unwrap(), TIDY);
}

#[test]
fn what_cannot_be_read_is_bad_usage() {
    let root = folder("fmt_unreadable", &[("a.txt", "")]);
    assert_eq!(flowc(&root, &["fmt", "nowhere"]).code, 2);
    assert_eq!(flowc(&root, &["fmt", "a.txt"]).code, 2);
    assert_eq!(flowc(&root, &["fmt", "-", "a.txt"]).code, 2);
}

fn piped(args: &[&str], text: &str) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_flowc"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    (done.status.code().unwrap(), String::from_utf8(done.stdout).unwrap())
}

#[test]
fn standard_input_goes_to_standard_output() {
    assert_eq!(piped(&["fmt", "-"], UNTIDY), (0, TIDY.to_owned()));
    assert_eq!(piped(&["fmt", "-"], "on"), (1, String::new()));
    assert_eq!(piped(&["fmt", "--check", "-"], UNTIDY), (1, String::new()));
    assert_eq!(piped(&["fmt", "--check", "-"], TIDY), (0, String::new()));
}

#[test]
fn the_examples_are_formatted() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let ran = flowc(&top, &["fmt", "--check", "examples"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}
