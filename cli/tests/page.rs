//! The page of the server in a real browser: in a phone's width, by keyboard alone, without a network.
//!
//! `.ci/install` puts the driver into `target/peers`. Without it, or without a browser, this is skipped.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::server::Server;
use common::{flowc, folder};
use serde_json::{json, Value};
use std::path::PathBuf;
use std::process::Command;

const PROGRAM: &str = r#"
event login { number: int }
user { email: email?  phone: phone? }
channel email to user.email
channel sms to user.phone
journey hello {
  on login
  enter always
  topic transactional
  email "hello {trigger.number}"
  sms "and by text message, for those who have a telephone with a rather long text that does not fit into one line of it"
  wait 1d
  email "again"
}
"#;
const CONFIG: &str = "[channels.email]\nbackend = \"file\"\npath = \"out.jsonl\"\n[channels.sms]\nbackend = \"null\"\n";

fn browser() -> Option<String> {
    let known = ["chromium", "chromium-browser", "google-chrome"];
    let found = known.iter().find_map(|name| {
        let found = Command::new("sh").args(["-c", &format!("command -v {name}")]).output().ok()?;
        Some(String::from_utf8(found.stdout).ok()?.trim().to_owned()).filter(|path| !path.is_empty())
    });
    found
}

#[test]
fn everything_on_the_page_is_reached_by_keyboard_and_fits_a_phone() {
    let peers = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/peers/node_modules");
    let Some(chromium) = browser().filter(|_| peers.join("playwright-core").is_dir()) else {
        println!("skipped: a browser, or playwright-core in {}, is not there", peers.display());
        return;
    };
    let root = folder("page-keyboard", &[("flow.toml", CONFIG), ("a.flow", PROGRAM)]);
    let key = |scope: &str| flowc(&root, &["keys", scope]).out.trim().to_owned();
    let (ingest, read) = (key("ingest"), key("read"));
    let server = Server::start(&root, &[]);
    let calls = json!({ "batch": [
        { "type": "identify", "userId": "u1", "messageId": "1", "traits": { "email": "a-rather-long-address-of-somebody@shop.example" } },
        { "type": "track", "event": "login", "userId": "u1", "messageId": "2", "properties": { "number": 42 } },
        { "type": "track", "event": "login", "userId": "u1", "messageId": "3", "properties": { "number": "none" } },
    ] });
    let headers = format!("authorization: Bearer {ingest}\r\n");
    assert_eq!(server.send("POST", "/v1/batch", &headers, calls.to_string().as_bytes()).unwrap().0, 200);
    let done = Command::new("node")
        .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/page/keyboard.cjs"))
        .args([format!("http://{}", server.address), read])
        .env("NODE_PATH", peers)
        .env("CHROMIUM", chromium)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let seen: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(seen["elsewhere"], json!([]), "nothing comes from anywhere else");
    assert_eq!(seen["errors"], json!([]));
    assert_eq!(seen["unseen"], json!([]), "what has the focus shows it");
    let shows = [
        ("journeys", "on the way"),
        ("journeys", "not sent: 1 no contact"),
        ("messages", "hello 42"),
        ("dead", "No dead letters."),
        ("rejects", "properties.number: expected a whole number"),
        ("person", "Id of the person"),
        ("u1", "What happened, and why"),
    ];
    for (view, text) in shows {
        let view = &seen["views"][view];
        assert!(view["text"].as_str().unwrap().contains(text), "{text}: {view:#}");
        assert!(view["width"].as_u64().unwrap() <= 390, "{view:#}");
    }
}
