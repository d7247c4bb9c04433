//! A new version over a store with people in it: `flowc plan`, `flowc deploy`; and the store as a copy.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::server::Server;
use common::{flowc, folder};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SCHEMA: &str = "event login {}\nuser { email: email? }\nchannel email to user.email\n";
const CONFIG: &str = "[channels.email]\nbackend = \"file\"\npath = \"out.jsonl\"\n";
const OLD: &str = "journey hello { on login  topic transactional  wait 1d  email \"hello\" as greeting }\n";

/// A project with one person who waits.
fn lived(name: &str) -> PathBuf {
    let root = folder(name, &[("flow.toml", CONFIG), ("schema.flow", SCHEMA), ("a.flow", OLD)]);
    let server = Server::start(&root, &[]);
    let known = json!({ "userId": "u1", "traits": { "email": "ada@shop.example" } });
    assert_eq!(server.post("/v1/identify", &known).unwrap().0, 200);
    assert_eq!(server.post("/v1/track", &json!({ "userId": "u1", "event": "login" })).unwrap().0, 200);
    assert!(server.signal("TERM"));
    root
}

fn change(root: &Path, text: &str) {
    fs::write(root.join("a.flow"), text).unwrap();
}

#[test]
fn a_changed_program_is_refused_until_it_is_deployed() {
    let root = lived("deploy-refused");
    change(&root, &OLD.replace("1d", "2d"));
    let ran = flowc(&root, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`flowc plan` shows") && ran.err.contains("`flowc deploy`"), "{}", ran.err);
    let ran = flowc(&root, &["plan"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(ran.out, "hello: 1 person waits\n        1  wait 1d\n           becomes   wait 2d\n");
    let ran = flowc(&root, &["deploy"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.ends_with("deployed: 1 person goes on in this version\n"), "{}", ran.out);
    // Once more there is nothing to do.
    let ran = flowc(&root, &["deploy"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("there is nothing to deploy"), "{}", ran.out);
    let server = Server::start(&root, &[]);
    assert_eq!(server.status()["journeys"][0]["in_flight"], 1);
    // While a server runs, looking is free.
    change(&root, OLD);
    assert_eq!(flowc(&root, &["plan"]).code, 0);
    let ran = flowc(&root, &["status"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("hello: 1 entered, 1 in flight, 0 converted"), "{}", ran.out);
    assert!(ran.out.contains("not the one in this folder"), "{}", ran.out);
}

/// Asks until it is so.
fn until(mut ask: impl FnMut() -> bool) {
    while !ask() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_server_that_runs_goes_on_with_a_new_version_and_its_channels() {
    let root = lived("deploy-live");
    let server = Server::start(&root, &[]);
    // A new journey, another channel before the one so far, and the mails go elsewhere.
    let schema = SCHEMA.replace("channel email", "event bought {}\nchannel app\nchannel email");
    fs::write(root.join("schema.flow"), schema).unwrap();
    fs::write(
        root.join("flow.toml"),
        CONFIG.replace("out.jsonl", "new.jsonl") + "[channels.app]\nbackend = \"file\"\npath = \"app.jsonl\"\n",
    )
    .unwrap();
    fs::write(root.join("b.flow"), "journey thanks { on bought  topic transactional  app \"thank you\" }\n").unwrap();
    change(&root, &OLD.replace("1d", "1s"));
    let ran = flowc(&root, &["deploy"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(
        ran.out.contains("becomes   wait 1s") && ran.out.ends_with("deployed: 1 person goes on in this version\n"),
        "{}",
        ran.out
    );
    // Who waited is past the end of the wait that is shorter now; the new journey takes people.
    assert_eq!(server.post("/v1/track", &json!({ "userId": "u1", "event": "bought" })).unwrap().0, 200);
    let said = |file: &str| fs::read_to_string(root.join(file)).unwrap_or_default();
    until(|| said("new.jsonl").contains("hello") && said("app.jsonl").contains("thank you"));
    assert_eq!(said("out.jsonl"), "");
    // With nothing to deploy, channels are read again all the same.
    fs::write(root.join("flow.toml"), said("flow.toml").replace("app.jsonl", "other.jsonl")).unwrap();
    let ran = flowc(&root, &["deploy"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(ran.out, "people are in this version already; its templates and channels were read again\n");
    assert_eq!(server.post("/v1/track", &json!({ "userId": "u2", "event": "bought" })).unwrap().0, 200);
    until(|| said("other.jsonl").contains("thank you"));
    // A crash changes nothing of it: the store is in the version that was deployed.
    assert!(!server.signal("KILL"));
    let server = Server::start(&root, &[]);
    assert_eq!(server.status()["journeys"].as_array().unwrap().len(), 2);
    // What cannot be served is not taken, and the server goes on with what it has.
    change(&root, "journey hello { on nothing }\n");
    let ran = flowc(&root, &["deploy"]);
    assert_eq!(ran.code, 1);
    fs::write(root.join("flow.toml"), "").unwrap();
    change(&root, OLD);
    let ran = flowc(&root, &["deploy"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("flow.toml does not say how the messages of"), "{}", ran.err);
    assert_eq!(server.post("/v1/track", &json!({ "userId": "u3", "event": "bought" })).unwrap().0, 200);
    assert_eq!(server.send("POST", "/operate/deploy", "", b"{\"move\": []}").unwrap().0, 400);
}

#[test]
fn who_would_be_stranded_stops_it_while_the_server_runs() {
    let root = lived("deploy-live-stranded");
    let server = Server::start(&root, &[]);
    change(&root, "journey hello { on login  topic transactional  wait until 18:00  email \"evening\" as evening }\n");
    let ran = flowc(&root, &["deploy"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("GONE: say what becomes of them"), "{}", ran.out);
    assert_eq!(ran.err, "1 person waits at steps that are gone; nothing was changed\n");
    assert_eq!(server.status()["journeys"][0]["in_flight"], 1);
    let ran = flowc(&root, &["deploy", "--ended", "hello:nowhere"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    let step = flowc(&root, &["plan"])
        .out
        .split("--ended hello:")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .to_owned();
    let ran = flowc(&root, &["deploy", "--ended", &format!("hello:{step}")]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{step}");
    assert_eq!(server.status()["journeys"][0]["in_flight"], 0);
}

#[test]
fn who_would_be_stranded_stops_it() {
    let root = lived("deploy-stranded");
    change(&root, "journey hello { on login  topic transactional  wait until 18:00  email \"evening\" as evening }\n");
    for command in ["plan", "deploy"] {
        let ran = flowc(&root, &[command]);
        assert_eq!(ran.code, 1, "{command}");
        assert!(ran.out.contains("GONE: say what becomes of them"), "{}", ran.out);
        assert_eq!(ran.err, "1 person waits at steps that are gone; nothing was changed\n");
    }
    let step =
        flowc(&root, &["plan"]).out.split("--moved hello:").nth(1).unwrap().split('=').next().unwrap().to_owned();
    let ran = flowc(&root, &["deploy", "--moved", &format!("hello:{step}=evening")]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let server = Server::start(&root, &[]);
    server.rest();
    assert!(fs::read_to_string(root.join("out.jsonl")).unwrap().contains("evening"));
}

#[test]
fn a_store_is_copied_while_it_is_served_and_comes_back_elsewhere() {
    let root = lived("export");
    let server = Server::start(&root, &[]);
    assert_eq!(server.post("/v1/track", &json!({ "userId": "u2", "event": "login" })).unwrap().0, 200);
    let copy = folder("export-copy", &[]).join("copy");
    let to = copy.to_str().unwrap();
    let ran = flowc(&root, &["export", to]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.starts_with("2 people copied to "), "{}", ran.out);
    // What happens afterwards is not in it.
    assert_eq!(server.post("/v1/track", &json!({ "userId": "u3", "event": "login" })).unwrap().0, 200);
    assert_eq!(flowc(&root, &["export", to]).code, 2);
    let other = folder("export-other", &[("flow.toml", CONFIG), ("schema.flow", SCHEMA), ("a.flow", OLD)]);
    assert_eq!(flowc(&other, &["status"]).code, 2);
    let ran = flowc(&other, &["import", to]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(flowc(&other, &["import", to]).err.contains("holds something already"));
    let again = Server::start(&other, &[]);
    assert_eq!(again.status()["people"], 2);
    assert_eq!(again.status()["journeys"][0]["in_flight"], 2);
    assert_eq!(server.status()["people"], 3);
}
