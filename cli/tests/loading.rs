//! Which files make a project, and what is said when they cannot be read.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;
use common::{flowc, folder};
use std::fs;

const CONFIG: &str = "[project]\nname = \"x\"\n";
const BAD_CONFIG: &str = "[project]\nnmae = \"x\"\n";
const FLOW: &str = "on cart_added wait 2h if not purchased then email cart_reminder\n";

#[test]
fn no_source_no_folder_and_no_flow_file_are_unusable() {
    let root = folder("unusable", &[("notes.txt", "hello")]);
    for (path, message) in [
        (".", "error: there is no .flow file in .\n"),
        ("nowhere", "error: there is no file or folder nowhere\n"),
        ("notes.txt", "error: notes.txt is neither a folder nor a .flow file\n"),
    ] {
        let ran = flowc(&root, &["check", path]);
        assert_eq!((ran.code, ran.err.as_str(), ran.out.as_str()), (2, message, ""));
    }
    assert_eq!(flowc(&root, &["check", "--no-such-option"]).code, 2);
}

#[test]
fn what_is_not_utf8_is_placed() {
    let root = folder("latin1", &[]);
    fs::write(root.join("caffe.flow"), b"# caff\xc3\xa8\non a email \"caff\xe8\"\n").unwrap();
    let ran = flowc(&root, &["check"]);
    let message = "error: ./caffe.flow:2:17: the file is not UTF-8 (byte 0xE8); save it as UTF-8\n";
    assert_eq!((ran.code, ran.err.as_str()), (2, message));
}

#[test]
fn one_unreadable_path_does_not_hide_the_others() {
    let root = folder("several", &[("a/flow.toml", BAD_CONFIG), ("a/a.flow", FLOW), ("b/none.txt", "")]);
    let ran = flowc(&root, &["check", "b", "a", "--format", "short"]);
    assert_eq!(ran.code, 2);
    assert!(ran.out.contains("a/flow.toml:2:1: warning[F0802]"), "{}", ran.out);
    assert!(ran.err.contains("no .flow file in b"), "{}", ran.err);
}

#[test]
fn folders_with_a_config_of_their_own_are_projects_of_their_own() {
    let root = folder(
        "nested",
        &[
            ("flow.toml", CONFIG),
            ("a.flow", FLOW),
            ("sub/b.flow", FLOW),
            ("inner/flow.toml", BAD_CONFIG),
            ("inner/c.flow", FLOW),
            ("inner/deeper/flow.toml", BAD_CONFIG),
            ("inner/deeper/d.flow", FLOW),
            ("target/flow.toml", BAD_CONFIG),
            ("target/e.flow", FLOW),
            (".hidden/flow.toml", BAD_CONFIG),
            (".hidden/e.flow", FLOW),
            ("node_modules/x.flow", FLOW),
        ],
    );
    let ran = flowc(&root, &["check", "--format", "short"]);
    let places: Vec<&str> = ran.out.lines().filter(|line| line.contains("F0802")).collect();
    assert_eq!(places.len(), 2, "{}", ran.out);
    assert!(places[0].starts_with("inner/flow.toml:2:1") && places[1].starts_with("inner/deeper/flow.toml:2:1"));
}

#[test]
fn a_single_file_looks_at_no_other_file() {
    let root = folder("single", &[("flow.toml", BAD_CONFIG), ("a.flow", FLOW), ("b.flow", FLOW)]);
    let ran = flowc(&root, &["check", "a.flow", "--format", "short"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains("F0802"), "{}", ran.out);
}

#[test]
fn of_endless_lines_and_files_only_a_screenful_is_shown() {
    let late = format!("on cart_added {}email @\n", "wait 2h ".repeat(2_000));
    let accents = "on a email \"caffè caffè\" @\n";
    let digits = "7".repeat(5 << 20);
    let root = folder("endless", &[("late.flow", &late), ("accents.flow", accents), ("digits.flow", &digits)]);
    for (file, place) in [("late.flow", "late.flow:1:16015"), ("accents.flow", "accents.flow:1:26")] {
        let human = flowc(&root, &["check", file]).out;
        let short = flowc(&root, &["check", file, "--format", "short"]).out;
        assert!(human.len() < 4_000, "{file}: {} bytes", human.len());
        assert!(human.contains(&format!("[{place}]")), "{human}");
        assert!(short.contains(&format!("{place}: error[F01")), "{short}");
    }
    let ran = flowc(&root, &["check", "digits.flow"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("F0115") && ran.out.len() < 2_000, "{} bytes", ran.out.len());
}

#[test]
fn warnings_can_be_denied() {
    let root =
        folder("deny", &[("flow.toml", BAD_CONFIG), ("a.flow", FLOW), ("templates/cart_reminder.email.liquid", "hi")]);
    assert_eq!(flowc(&root, &["check"]).code, 0);
    assert_eq!(flowc(&root, &["check", "--deny", "warnings"]).code, 1);
}

#[test]
fn every_view_of_a_finding_says_the_same() {
    let root = folder("views", &[("flow.toml", "[project]\ntimezone = \"Europe/Roma\"\n"), ("templates/a.txt", "")]);
    fs::write(root.join("empty.flow"), "").unwrap();
    let view = |format| flowc(&root, &["check", "--format", format]).out;
    insta::assert_snapshot!(view("human"));
    insta::assert_snapshot!(view("short"));
    insta::assert_snapshot!(view("json"));
    insta::assert_snapshot!(view("github"));
}
