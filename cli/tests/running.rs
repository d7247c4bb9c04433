//! `flowc run` as its users meet it: what goes where, and what is said.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;
use common::{flowc, folder};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

const FLOW: &str = "event cart_added { cart_value: number }\nevent purchased\nuser { email: email? }\nchannel email to user.email\n\njourney cart \"Bring it back\" {\n  on cart_added where cart_value > 50\n  exit on purchased\n  goal purchased within 3d\n  wait 2h\n  email \"Still there\" # not too loud\n}\n";

fn event(user: &str, time: &str, event: &str, value: &str) -> String {
    format!(
        "{{\"type\":\"track\",\"userId\":\"{user}\",\"event\":\"{event}\",\"timestamp\":\"2026-03-02T{time}Z\",\"properties\":{{\"cart_value\":{value}}}}}\n"
    )
}

fn events() -> String {
    let identify = "{\"type\":\"identify\",\"userId\":\"a\",\"timestamp\":\"2026-03-02T08:00:00Z\",\"traits\":{\"email\":\"a@example.com\"}}\n";
    identify.to_owned()
        + &event("a", "10:00:00", "cart_added", "80")
        + &event("b", "10:00:00", "cart_added", "80")
        + &event("c", "10:00:00", "cart_added", "\"80\"")
        + &event("a", "13:00:00", "purchased", "80")
        + &event("a", "13:30:00", "scrolled", "80")
}

#[test]
fn messages_go_out_and_the_summary_beside_them() {
    let root = folder("run", &[("cart.flow", FLOW), ("events.jsonl", &events())]);
    let ran = flowc(&root, &["run", "cart.flow", "--events", "events.jsonl"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("{\"time\":\"2026-03-02T12:00:00.000Z\",\"user\":\"a\",\"journey\":\"cart\",\"channel\":\"email\",\"to\":\"a@example.com\",\"text\":\"Still there\","), "{}", ran.out);
    assert_eq!(ran.out.lines().count(), 1);
    insta::assert_snapshot!(ran.err);
    assert_eq!(flowc(&root, &["run", "cart.flow", "--events", "events.jsonl", "--quiet"]).err, "");
}

#[test]
fn files_appear_when_they_are_finished() {
    let root = folder("outputs", &[("cart.flow", FLOW), ("events.jsonl", &events())]);
    let files = ["--out", "m.jsonl", "--record", "r.jsonl", "--dead-letters", "d.jsonl"];
    let run = |events: &str| flowc(&root, &[&["run", "cart.flow", "--events", events], &files[..]].concat());
    let ran = run("events.jsonl");
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    assert_eq!((read("m.jsonl").lines().count(), read("d.jsonl").lines().count()), (1, 1));
    insta::assert_snapshot!(read("r.jsonl"));
    // A log that breaks off in its compression leaves the files of the run before alone, and none of its own.
    fs::write(root.join("broken.jsonl.gz"), [0x1f, 0x8b, 8, 0, 0, 0]).unwrap();
    let failed = run("broken.jsonl.gz");
    assert_eq!(failed.code, 2);
    assert!(failed.err.starts_with("error: cannot read broken.jsonl.gz: "), "{}", failed.err);
    assert_eq!(read("m.jsonl").lines().count(), 1);
    assert_eq!(fs::read_dir(&root).unwrap().count(), 6);
}

#[test]
fn what_cannot_be_used_is_said() {
    let root =
        folder("unusable-run", &[("cart.flow", FLOW), ("bad.flow", "journey x { on }\n"), ("e.csv", "who,what\n")]);
    for (args, code, message) in [
        (&["run", "cart.flow", "--events", "none.jsonl"][..], 2, "error: there is no file none.jsonl\n"),
        (
            &["run", "cart.flow", "--events", "e.csv"],
            2,
            "error: cannot read e.csv: no column holds the event; there are `who`, `what` (--map event=COLUMN tells which)\n",
        ),
        (&["run", "cart.flow", "--events", "e.csv", "--list", "vip=x.csv"], 2, "error: no journey waits for the list \"vip\"; none does on any\n"),
    ] {
        let ran = flowc(&root, args);
        assert_eq!((ran.code, ran.err.as_str(), ran.out.as_str()), (code, message, ""));
    }
    assert_eq!(flowc(&root, &["run", "bad.flow", "--events", "none.jsonl"]).code, 1);
    assert_eq!(flowc(&root, &["run", "cart.flow", "--events", "e.csv", "--until", "soon"]).code, 2);
}

#[test]
fn standard_input_and_a_reader_that_leaves() {
    let many: String = (0..20_000).map(|n| event(&format!("u{n}"), "10:00:00", "cart_added", "80")).collect();
    let flow = FLOW.replace("channel email to user.email", "channel email");
    let root = folder("pipes", &[("cart.flow", &flow), ("events.jsonl", &many)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_flowc"))
        .args(["run", "cart.flow", "--events", "-", "--quiet"])
        .current_dir(&root)
        .stdin(fs::File::open(root.join("events.jsonl")).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 20];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"{\"time\":\"2026-03-02T");
    let done = child.wait_with_output().unwrap();
    assert_eq!((done.status.code(), String::from_utf8(done.stderr).unwrap()), (Some(0), String::new()));
}

/// The shop of the examples, with lists, APIs, people who turn out to be one, everything.
#[test]
fn a_whole_shop_gives_the_same_bytes_however_it_is_run() {
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop");
    let root = folder("shop", &[]);
    let at = |name: &str| shop.join(name).to_str().unwrap().to_owned();
    let events = at("events.jsonl");
    let compressed = root.join("events.jsonl.zst");
    fs::write(&compressed, zstd::encode_all(fs::File::open(&events).unwrap(), 1).unwrap()).unwrap();
    let list = format!("vip_guests={}", at("vip_guests.csv"));
    let run = |threads: &str, engine: &str, events: &str, answers: &str, to: &str| {
        let (out, record) = (format!("{to}.jsonl"), format!("{to}.record"));
        let ran = flowc(
            &root,
            &[
                "run",
                shop.to_str().unwrap(),
                "--events",
                events,
                "--list",
                &list,
                "--answers",
                answers,
                "--threads",
                threads,
                "--engine",
                engine,
                "--out",
                &out,
                "--record",
                &record,
            ],
        );
        assert_eq!(ran.code, 0, "{}", ran.err);
        (fs::read_to_string(root.join(out)).unwrap(), fs::read_to_string(root.join(record)).unwrap(), ran.err)
    };
    let first = run("1", "auto", &events, &at("answers.jsonl"), "first");
    assert!(first.0.lines().count() > 1_000);
    assert_eq!(first, run("2", "jit", &events, &at("answers.jsonl"), "second"));
    assert_eq!(first, run("5", "interpret", compressed.to_str().unwrap(), &at("answers.jsonl"), "third"));
    // The record of a run answers the same questions again.
    assert_eq!(first, run("2", "auto", &events, "first.record", "fourth"));
}
