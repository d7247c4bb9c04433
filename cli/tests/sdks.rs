//! The unmodified SDKs of Segment and RudderStack, for Node and Python, against the real server.
//!
//! `.ci/run` puts them into `target/peers`. Without them this is skipped.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::server::Server;
use common::{flowc, folder};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const PROGRAM: &str = r#"
event login { number: int  from: text }
user { email: email? }
channel email to user.email
journey hello { on login  enter always  topic transactional  email "{trigger.from} {trigger.number}" }
"#;
const CONFIG: &str = "[channels.email]\nbackend = \"file\"\npath = \"out.jsonl\"\n";
const CALLS: usize = 25;

#[test]
fn every_call_of_every_sdk_becomes_its_message() {
    let peers = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/peers");
    if !["node_modules/@segment", "node_modules/@rudderstack", "python/segment", "python/rudderstack"]
        .iter()
        .all(|sdk| peers.join(sdk).is_dir())
    {
        println!("skipped: the SDKs are not in {}", peers.display());
        return;
    }
    let root = folder("serve-sdks", &[("flow.toml", CONFIG), ("a.flow", PROGRAM)]);
    let key = flowc(&root, &["keys", "ingest"]).out.trim().to_owned();
    let look = flowc(&root, &["keys", "read"]).out.trim().to_owned();
    let server = Server::start(&root, &[]);
    let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sdks");
    for script in ["segment.cjs", "rudder.cjs", "segment_sdk.py", "rudder_sdk.py"] {
        let program = if script.ends_with(".py") { "python3" } else { "node" };
        let done = Command::new(program)
            .arg(scripts.join(script))
            .args([format!("http://{}", server.address), key.clone(), CALLS.to_string()])
            .env("NODE_PATH", peers.join("node_modules"))
            .env("PYTHONPATH", peers.join("python"))
            .output()
            .unwrap();
        assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
    }
    loop {
        let text = server.send("GET", "/operate/status", &format!("authorization: Bearer {look}\r\n"), b"").unwrap().1;
        let status: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(status["inputs"]["rejected"], 0);
        if status["messages"]["waiting"] == 0 {
            assert_eq!(status["inputs"]["accepted"], 4 * (CALLS + 1));
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let out = fs::read_to_string(root.join("out.jsonl")).unwrap();
    let texts = out.lines().map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(message["to"], format!("{}@shop.example", message["user"].as_str().unwrap()));
        message["content"]["text"].as_str().unwrap().to_owned()
    });
    let texts: BTreeSet<String> = texts.collect();
    let wanted = ["node-segment", "node-rudder", "python-segment", "python-rudder"];
    let wanted: BTreeSet<String> = wanted.iter().flat_map(|f| (0..CALLS).map(move |n| format!("{f} {n}"))).collect();
    assert_eq!(texts, wanted);
}
