//! `flowc serve --follow`: lines of a file and of standard input, over kills and rotations, each taken once.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::folder;
use common::server::Server;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const PROGRAM: &str = r#"
event login { number: int }
user { email: email? }
channel email to user.email
journey hello { on login  enter always  topic transactional  email "hello {trigger.number}" }
"#;

const CONFIG: &str = "[channels.email]\nbackend = \"file\"\npath = \"out.jsonl\"\n";

fn project(name: &str) -> PathBuf {
    folder(name, &[("flow.toml", CONFIG), ("a.flow", PROGRAM)])
}

/// Calls without any id that they could be known again by.
fn login(number: usize) -> String {
    let user = number % 7;
    format!(
        "{{\"type\":\"identify\",\"userId\":\"u{user}\",\"traits\":{{\"email\":\"u{user}@shop.example\"}}}}\n\
         {{\"type\":\"track\",\"event\":\"login\",\"userId\":\"u{user}\",\"properties\":{{\"number\":{number}}}}}\n"
    )
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// The keys of the messages that left, by what they say.
fn written(root: &Path) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in fs::read_to_string(root.join("out.jsonl")).unwrap_or_default().lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = message["content"]["text"].as_str().unwrap().to_owned();
        all.entry(text).or_default().push(message["key"].as_str().unwrap().to_owned());
    }
    all
}

/// Until so many calls were taken.
fn wait_for(server: &Server, accepted: usize) {
    for _ in 0..600 {
        if server.status()["inputs"]["accepted"].as_u64().unwrap() >= accepted as u64 {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("not taken: {}", server.status());
}

#[test]
fn each_line_of_a_file_is_taken_once_over_kills_and_rotations() {
    let root = project("follow-kill");
    let file = root.join("events.jsonl");
    let mut number = 0;
    for life in 0..5 {
        // On the command line, or in flow.toml: it is the same file.
        let follow: &[&str] = if life < 3 { &["--follow", "events.jsonl"] } else { &[] };
        if life == 3 {
            append(&root.join("flow.toml"), "\n[serve]\nfollow = \"events.jsonl\"\n");
        }
        let server = Server::start(&root, follow);
        let id = server.id().to_string();
        let plug = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(400 + 230 * life));
            Command::new("kill").args(["-KILL", &id]).status().unwrap();
        });
        while !plug.is_finished() {
            let text = login(number);
            let (first, rest) = text.split_at(number * 13 % text.len());
            append(&file, first);
            std::thread::sleep(Duration::from_millis(7));
            append(&file, rest);
            number += 1;
        }
        plug.join().unwrap();
        if life == 2 {
            // As logrotate does; the server is down, and what it has not taken stands in the older file.
            fs::rename(&file, root.join("events.jsonl.1")).unwrap();
        }
    }
    append(&file, "no call at all\n");
    let server = Server::start(&root, &["--follow", "events.jsonl"]);
    wait_for(&server, 2 * number);
    let status = server.rest();
    assert_eq!((&status["inputs"]["accepted"], &status["inputs"]["rejected"]), (&(2 * number).into(), &1.into()));
    assert_eq!(status["followed"]["events.jsonl"], fs::metadata(&file).unwrap().len());
    let rejects = server.send("GET", "/operate/rejects", "", b"").unwrap().1;
    assert!(rejects.contains("no call at all"), "{rejects}");
    let written = written(&root);
    let missing: Vec<_> = (0..number).filter(|n| !written.contains_key(&format!("hello {n}"))).collect();
    assert_eq!((missing, written.len()), (Vec::new(), number));
    for (text, keys) in written {
        // Handed over again, perhaps, but never as another message: the line was taken once.
        assert!(keys.iter().all(|key| *key == keys[0]), "{text}: {keys:?}");
    }
    assert!(server.signal("TERM"));
}

#[test]
fn standard_input_is_taken_to_its_end_and_the_server_goes_on() {
    let root = project("follow-standard");
    let (server, mut input) = Server::start_with_input(&root, &["--follow", "-"]);
    for number in 0..50 {
        input.write_all(login(number).as_bytes()).unwrap();
    }
    wait_for(&server, 100);
    input.write_all(login(50).trim_end().as_bytes()).unwrap();
    drop(input);
    wait_for(&server, 102);
    assert_eq!(server.send("GET", "/readyz", "", b"").unwrap().0, 200);
    let status = server.rest();
    assert_eq!((&status["inputs"]["accepted"], &status["inputs"]["rejected"]), (&102.into(), &0.into()));
    assert_eq!(written(&root).len(), 51);
}

#[test]
fn what_cannot_be_followed_is_said_at_once() {
    let root = project("follow-folder");
    let refused = Command::new(env!("CARGO_BIN_EXE_flowc"))
        .args(["serve", ".", "--listen", "127.0.0.1:0", "--follow", "."])
        .current_dir(&root)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains(". is no file that can be followed"), "{said}");
}
