//! The tutorial, word for word: its files, its commands, and a mail in a mail server's hands.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::folder;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

const TUTORIAL: &str = include_str!("../../docs/tutorial.md");
/// A fence that begins so is left running.
const OWN_TERMINAL: &str = "# in a terminal of its own\n";

/// The fences: what language, what stands before, what stands in it.
fn fences() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut parts = TUTORIAL.split("```");
    let mut before = parts.next().unwrap();
    let mut fences = Vec::new();
    while let (Some(fence), Some(after)) = (parts.next(), parts.next()) {
        let (language, text) = fence.split_once('\n').unwrap();
        fences.push((language, before, text));
        before = after;
    }
    fences
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What somebody types who does as they are told.
fn script() -> String {
    let mut script = "set -eu\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n".to_owned();
    let mut runs = 0;
    for (language, before, text) in fences() {
        match language {
            "flow" | "toml" => {
                let name = before.trim_end().rsplit("\n\n").next().unwrap().split('`').nth(1).unwrap();
                writeln!(script, "cat > {name} <<'EOF'\n{text}EOF").unwrap();
            }
            "sh" if text.starts_with("python3 -m pip") => {}
            "sh" => match text.strip_prefix(OWN_TERMINAL) {
                Some(command) => {
                    runs += 1;
                    // Whoever types in another terminal has seen that this one has begun.
                    let port = if runs == 1 { "2525" } else { "8080" };
                    write!(
                        script,
                        "{} > ../terminal{runs} 2>&1 &\nuntil (echo > /dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.1; done\n",
                        command.trim_end()
                    )
                    .unwrap();
                }
                None => script += text,
            },
            // What is shown then: the next commands come when it is there.
            "text" => {
                for line in text.lines() {
                    writeln!(script, "until grep -qF '{line}' ../terminal1; do sleep 0.1; done").unwrap();
                }
            }
            other => panic!("what is `{other}`?"),
        }
    }
    script + "test -d .flow\n"
}

#[test]
fn the_tutorial_ends_with_a_mail() {
    let peers: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/python");
    let has = |name: &str, args: &[&str]| {
        Command::new(name).args(args).env("PYTHONPATH", &peers).output().is_ok_and(|done| done.status.success())
    };
    if !has("python3", &["-c", "import aiosmtpd"]) || !has("curl", &["--version"]) || !has("bash", &["--version"]) {
        println!("skipped: python3 with aiosmtpd, curl or bash is not there");
        return;
    }
    let root = folder("tutorial", &[]);
    let (mail, http) = (free_port().to_string(), free_port().to_string());
    let listen = format!("flowc serve --listen 127.0.0.1:{http}");
    let script = script().replace("2525", &mail).replace("flowc serve", &listen).replace("8080", &http);
    fs::write(root.join("script"), &script).unwrap();
    let flowc = Path::new(env!("CARGO_BIN_EXE_flowc")).parent().unwrap().display().to_string();
    let path = format!("{flowc}:{}", std::env::var("PATH").unwrap());
    let done = Command::new("timeout")
        .args(["120", "bash", "script"])
        .current_dir(&root)
        .env("PATH", path)
        .env("PYTHONPATH", &peers)
        .env("PYTHONUNBUFFERED", "1")
        .output()
        .unwrap();
    let said = |file: &str| fs::read_to_string(root.join(file)).unwrap_or_default();
    let (out, err) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
    assert!(done.status.success(), "{script}\n{out}\n{err}\n{}\n{}", said("terminal1"), said("terminal2"));
    assert_eq!(out.matches("{\"success\":true}").count(), 2, "{out}");
    assert!(said("terminal1").contains("Hello <hello@shop.example>"), "{}", said("terminal1"));
    assert!(out.contains("deployed: 1 person goes on in this version"), "{out}");
}
