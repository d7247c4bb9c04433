//! `flowc serve` as a process: what it answers, and that a kill at any moment loses nothing.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::server::Server;
use common::{flowc, folder};
use serde_json::{json, Value};
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const PROGRAM: &str = r#"
event login { number: int }
user { email: email? }
channel email to user.email
journey hello { on login  enter always  topic transactional  wait 1s  email "hello {trigger.number}" }
"#;

const CONFIG: &str = "[channels.email]\nbackend = \"file\"\npath = \"out.jsonl\"\n";

fn project(name: &str) -> PathBuf {
    folder(name, &[("flow.toml", CONFIG), ("a.flow", PROGRAM)])
}

fn login(number: usize) -> Value {
    json!({ "type": "track", "event": "login", "userId": format!("u{}", number % 7), "messageId": format!("m{number}"),
            "properties": { "number": number } })
}

fn known() -> Value {
    let person = |n: usize| {
        json!({ "type": "identify", "userId": format!("u{n}"), "messageId": format!("i{n}"),
                "traits": { "email": format!("u{n}@shop.example") } })
    };
    json!({ "batch": (0..7).map(person).collect::<Vec<_>>() })
}

/// What was written, by the text; how often each.
fn written(root: &Path) -> BTreeMap<String, Vec<Value>> {
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in fs::read_to_string(root.join("out.jsonl")).unwrap_or_default().lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        all.entry(message["content"]["text"].as_str().unwrap().to_owned()).or_default().push(message);
    }
    all
}

#[test]
fn a_kill_at_any_moment_loses_nothing_and_sends_nothing_anew() {
    let root = project("serve-kill");
    let mut number = 0;
    let mut pending: Vec<Vec<usize>> = Vec::new();
    let mut lives = 0;
    while lives < 6 {
        let server = Server::start(&root, &[]);
        lives += 1;
        while server.post("/v1/batch", &known()).is_none_or(|(status, _)| status != 200) {}
        // Somebody pulls the plug while calls are on their way; which of them are certain is not known then.
        let id = server.id();
        let plug = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300 + 170 * lives));
            Command::new("kill").args(["-KILL", &id.to_string()]).status().unwrap();
        });
        loop {
            if pending.is_empty() {
                pending.push((number..number + 5).collect());
                number += 5;
            }
            let calls: Vec<_> = pending[0].iter().map(|number| login(*number)).collect();
            match server.post("/v1/batch", &json!({ "batch": calls })) {
                Some((200, _)) => drop(pending.remove(0)),
                Some((status, body)) => panic!("{status} {body}"),
                None => break,
            }
        }
        plug.join().unwrap();
    }
    let server = Server::start(&root, &[]);
    for calls in pending {
        let calls: Vec<_> = calls.into_iter().map(login).collect();
        assert_eq!(server.post("/v1/batch", &json!({ "batch": calls })).unwrap().0, 200);
    }
    let status = server.rest();
    assert_eq!(status["inputs"]["accepted"], number + 7);
    let written = written(&root);
    let missing: Vec<_> = (0..number).filter(|n| !written.contains_key(&format!("hello {n}"))).collect();
    assert_eq!(missing, [0_usize; 0]);
    assert_eq!(written.len(), number);
    for (text, lines) in written {
        // A message that was being handed over when the plug was pulled comes again, under the same key.
        assert!(lines.iter().all(|line| line["key"] == lines[0]["key"]), "{text}: {lines:?}");
        assert!(lines.len() <= lives as usize, "{text}");
    }
    assert!(server.signal("TERM"), "a stop that was asked for is a success");
}

#[test]
fn what_sdks_send_is_answered_as_they_expect() {
    let root = project("serve-answers");
    let server = Server::start(&root, &[]);
    let key = flowc(&root, &["keys", "ingest", "--name", "web"]);
    assert_eq!((key.code, key.err.as_str()), (0, ""));
    let status = |path: &str, headers: &str, body: &[u8]| server.send("POST", path, headers, body).unwrap().0;
    assert_eq!(status("/v1/track", "", login(1).to_string().as_bytes()), 200);
    assert_eq!(status("/v1/track", "", b"{"), 400);
    assert_eq!(status("/v1/batch", "", b"{\"batch\":3}"), 400);
    assert_eq!(status("/v1/nothing", "", b"{}"), 404);
    assert_eq!(status("/v1/track", "", &vec![b' '; 600 << 10]), 400);
    // What does not fit the schema is taken, set aside, and can be seen.
    assert_eq!(status("/v1/track", "", br#"{"userId":"u1","event":"login","properties":{"number":"many"}}"#), 200);
    let rejects = server.send("GET", "/operate/rejects", "", b"").unwrap().1;
    assert!(rejects.contains("properties.number: expected"), "{rejects}");
    let metrics = server.send("GET", "/metrics", "", b"").unwrap().1;
    assert!(metrics.contains("\nflow_inputs_total{result=\"rejected\"} 1\n"), "{metrics}");
    assert_eq!(server.send("GET", "/readyz", "", b"").unwrap().0, 200);
    assert!(server.signal("TERM"));
    // Keys are asked for from the next start on.
    let server = Server::start(&root, &[]);
    let status = |headers: &str, body: &[u8]| server.send("POST", "/v1/track", headers, body).unwrap().0;
    let call = login(1).to_string();
    let key = key.out.trim();
    assert_eq!(status("", call.as_bytes()), 401);
    assert_eq!(status("authorization: Bearer wrong\r\n", call.as_bytes()), 401);
    assert_eq!(status(&format!("authorization: Bearer {key}\r\n"), call.as_bytes()), 200);
    assert_eq!(status("", call.replacen('{', &format!("{{\"writeKey\":\"{key}\","), 1).as_bytes()), 200);
    assert_eq!(server.send("GET", "/operate/status", &format!("authorization: Bearer {key}\r\n"), b"").unwrap().0, 401);
    assert_eq!(server.send("GET", "/healthz", "", b"").unwrap().0, 200);
}

#[test]
fn pages_of_other_sites_may_send_calls_and_nothing_else() {
    let root = project("serve-sites");
    let server = Server::start(&root, &[]);
    let status = |method: &str, path: &str, headers: &str, body: &[u8]| {
        server.send(method, path, headers, body).map(|(status, _)| status).unwrap()
    };
    let here = format!("origin: http://{}\r\nsec-fetch-site: same-origin\r\n", server.address);
    assert_eq!(status("POST", "/operate/pause", &here, b"{}"), 200);
    for other in ["origin: https://evil.example\r\n", "origin: null\r\n", "sec-fetch-site: cross-site\r\n"] {
        for path in ["pause", "resume", "forget", "retry", "snapshot"] {
            assert_eq!(status("POST", &format!("/operate/{path}"), other, b"{\"user\":\"u1\"}"), 403, "{path} {other}");
        }
        assert_eq!(status("GET", "/operate/person?id=u1", other, b""), 403);
    }
    // Without a key, not even calls: somebody's page would talk to the server on their own machine.
    assert_eq!(status("POST", "/v1/track", "origin: https://evil.example\r\n", b"{}"), 403);
    assert_eq!(status("POST", "/v1/track", "origin: http://localhost:3000\r\n", login(1).to_string().as_bytes()), 200);
    // A name of somebody else's that leads to this machine is not this machine.
    let stranger =
        b"POST /operate/pause HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    assert!(raw(&server, stranger).starts_with("HTTP/1.1 403"));
    let key = flowc(&root, &["keys", "ingest"]).out;
    let operate = flowc(&root, &["keys", "operate"]).out;
    assert!(server.signal("TERM"));
    // With keys: calls from everywhere, which browsers ask about first; operating from nowhere else, whatever the key.
    let server = Server::start(&root, &[]);
    let asked = format!(
        "OPTIONS /v1/batch HTTP/1.1\r\nhost: {}\r\norigin: https://shop.example\r\naccess-control-request-method: POST\r\n\
         access-control-request-headers: authorization,content-type\r\nconnection: close\r\n\r\n",
        server.address
    );
    let answer = raw(&server, asked.as_bytes());
    for line in [
        "HTTP/1.1 204",
        "access-control-allow-origin: *",
        "access-control-allow-headers: authorization,content-type",
        "access-control-allow-methods: POST",
    ] {
        assert!(answer.contains(line), "{line}: {answer}");
    }
    let asked = asked.replace("/v1/batch", "/operate/pause");
    assert!(raw(&server, asked.as_bytes()).starts_with("HTTP/1.1 405"), "{}", raw(&server, asked.as_bytes()));
    let other = format!("origin: https://shop.example\r\nauthorization: Bearer {}\r\n", key.trim());
    assert_eq!(server.send("POST", "/v1/track", &other, login(2).to_string().as_bytes()).unwrap().0, 200);
    let other = format!("origin: https://shop.example\r\nauthorization: Bearer {}\r\n", operate.trim());
    assert_eq!(server.send("POST", "/operate/resume", &other, b"{}").unwrap().0, 403);
    let own = format!("authorization: Bearer {}\r\n", operate.trim());
    assert_eq!(server.send("POST", "/operate/resume", &own, b"{}").unwrap().0, 200);
    // A wrong key is told before the body is looked at: it need not even come.
    let slow = format!(
        "POST /v1/batch HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer wrong\r\ncontent-length: 400000\r\nconnection: close\r\n\r\n",
        server.address
    );
    assert!(raw(&server, slow.as_bytes()).starts_with("HTTP/1.1 401"));
}

/// Bytes as they are; what comes back, if anything.
fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // The server may hang up before it has read everything.
    let _ = stream.write_all(bytes);
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn whatever_a_client_sends_the_server_answers_the_next_one() {
    let root = project("serve-hostile");
    let server = Server::start(&root, &[]);
    let post =
        |path: &str, headers: &str, body: &[u8]| server.send("POST", path, headers, body).map(|(status, _)| status);
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    // Deep JSON, as the whole, in a call, in a property.
    assert_eq!(post("/v1/track", "", deep("[", "]").as_bytes()), Some(400));
    let inside = format!("{{\"userId\":\"u\",\"event\":\"login\",\"properties\":{{\"number\":{}}}}}", deep("[", "]"));
    assert_eq!(post("/v1/track", "", inside.as_bytes()), Some(200));
    // A body that grows when it is unpacked, and one that is no gzip though it begins like one.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![b' '; 64 << 20]).unwrap();
    assert_eq!(post("/v1/batch", "", &bomb.finish().unwrap()), Some(400));
    assert_eq!(post("/v1/batch", "", b"\x1f\x8bnothing"), Some(400));
    // Heads that are too long, broken, or tell two lengths.
    let long = format!("GET / HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "x".repeat(100_000));
    assert!(raw(&server, long.as_bytes()).starts_with("HTTP/1.1 431"));
    assert!(raw(&server, b"\0\0\0\0\r\n\r\n").starts_with("HTTP/1.1 400"));
    let smuggled = b"POST /v1/track HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 7\r\n\r\n{}";
    assert!(raw(&server, smuggled).starts_with("HTTP/1.1 400"));
    // Addresses that lead out of anything.
    for path in ["/../../etc/passwd", "/v1/..%2f..%2fkeys", "/v1/", "/%00", "//", "/.flow/keys"] {
        let answer = raw(&server, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes());
        assert!(answer.starts_with("HTTP/1.1 40"), "{path}: {answer}");
    }
    // Nothing of a call is taken for a line of its own.
    let name =
        "a\n{\"type\":\"track\",\"event\":\"login\",\"userId\":\"victim\"}\r\nBcc: all@shop.example {{ user.id }}";
    let sneaky =
        json!({ "type": "track", "event": "login", "userId": name, "messageId": name, "properties": { "number": 1 } });
    assert_eq!(post("/v1/track", "", sneaky.to_string().as_bytes()), Some(200));
    // Connections that say nothing are in nobody's way.
    let silent: Vec<_> = (0..500).map(|_| TcpStream::connect(&server.address).unwrap()).collect();
    assert_eq!(server.send("GET", "/readyz", "", b"").unwrap().0, 200);
    drop(silent);
    let status = server.rest();
    assert_eq!(
        (&status["inputs"]["accepted"], &status["inputs"]["rejected"], &status["people"]),
        (&json!(1), &json!(1), &json!(1))
    );
}

/// As many open files as the system grants: some begin with 1,024.
fn raise_limit() {
    use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}

#[test]
fn ten_thousand_connections_that_say_nothing_keep_nobody_out() {
    raise_limit();
    let root = project("serve-crowd");
    let server = Server::start(&root, &[]);
    let address = server.address.parse().unwrap();
    let over = AtomicBool::new(false);
    let opened = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        // Twenty who hold five hundred each, and open another one for each that is closed to them.
        for _ in 0..20 {
            scope.spawn(|| {
                let mut held = VecDeque::new();
                while !over.load(Ordering::Relaxed) {
                    if let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_secs(2)) {
                        opened.fetch_add(1, Ordering::Relaxed);
                        held.push_back(stream);
                    }
                    if held.len() > 500 {
                        held.pop_front();
                        std::thread::sleep(Duration::from_millis(10));
                    }
                }
            });
        }
        while opened.load(Ordering::Relaxed) < 10_000 {
            std::thread::sleep(Duration::from_millis(20));
        }
        let answers: Vec<_> = (0..5).map(|number| server.post("/v1/track", &login(number))).collect();
        // A body that comes a byte at a time has little time now.
        let head = format!("POST /v1/track HTTP/1.1\r\nhost: {}\r\ncontent-length: 100\r\n\r\n{{", server.address);
        let slow = raw(&server, head.as_bytes());
        over.store(true, Ordering::Relaxed);
        assert!(answers.iter().all(|answer| answer.as_ref().is_some_and(|(status, _)| *status == 200)), "{answers:?}");
        assert!(slow.starts_with("HTTP/1.1 408"), "{slow}");
    });
    assert_eq!(server.status()["inputs"]["accepted"], 5);
}

#[test]
fn a_key_that_sends_too_fast_is_asked_to_come_again() {
    let root = project("serve-rate");
    let key = |name: &str| flowc(&root, &["keys", "ingest", "--name", name]).out.trim().to_owned();
    let (fast, slow) = (key("fast"), key("slow"));
    let server = Server::start(&root, &["--rate", "2"]);
    let send = |key: &str| {
        let headers = format!("authorization: Bearer {key}\r\n");
        let calls: Vec<Value> = (0..100).map(login).collect();
        server.send("POST", "/v1/batch", &headers, json!({ "batch": calls }).to_string().as_bytes()).unwrap().0
    };
    assert_eq!([send(&fast), send(&fast), send(&slow), send(&fast)], [200, 429, 200, 429]);
}

#[test]
fn a_command_whose_body_is_lost_does_nothing() {
    let server = Server::start(&project("serve-lost"), &[]);
    let long = format!("{{\"channel\": \"{}\"}}", "x".repeat(1 << 20));
    assert_eq!(server.send("POST", "/operate/pause", "", long.as_bytes()).unwrap().0, 400);
    assert_eq!(server.status()["paused"], json!([]));
}

#[test]
fn a_person_who_is_forgotten_is_nowhere_any_more() {
    let root = project("serve-forget");
    let server = Server::start(&root, &[]);
    let call = |user: &str, id: &str| json!({ "type": "identify", "userId": user, "messageId": id, "traits": { "email": format!("{user}@shop.example") } });
    for (user, id) in [("ada-lovelace", "1"), ("grace-hopper", "2")] {
        assert_eq!(server.post("/v1/identify", &call(user, id)).unwrap().0, 200);
    }
    let everything = || {
        let names = fs::read_dir(root.join(".flow")).unwrap().map(|entry| entry.unwrap().path());
        let text: Vec<u8> = names.flat_map(|path| fs::read(path).unwrap_or_default()).collect();
        String::from_utf8_lossy(&text).into_owned()
    };
    assert!(everything().contains("ada-lovelace"));
    assert_eq!(server.post("/operate/forget", &json!({ "user": "ada-lovelace" })).unwrap().0, 200);
    // The files that still hold something are rewritten in the background.
    while everything().contains("ada-lovelace") {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(everything().contains("grace-hopper"));
    // Nor is anything in copies that are made from now on.
    let copy = folder("serve-forget-copy", &[]).join("copy");
    assert_eq!(flowc(&root, &["export", copy.to_str().unwrap()]).code, 0);
    let copied: Vec<u8> =
        fs::read_dir(&copy).unwrap().flat_map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    let copied = String::from_utf8_lossy(&copied);
    assert!(!copied.contains("ada-lovelace") && copied.contains("grace-hopper"));
    // A late call about them changes nothing, also after a restart.
    assert!(server.signal("TERM"));
    let server = Server::start(&root, &[]);
    assert_eq!(server.post("/v1/identify", &call("ada-lovelace", "3")).unwrap().0, 200);
    assert_eq!(server.status()["people"], 1);
    assert_eq!(server.send("GET", "/operate/person?id=ada-lovelace", "", b"").unwrap().1, "null\n");
}

#[test]
fn a_link_unsubscribes_when_it_is_posted_and_not_when_it_is_looked_at() {
    let config = format!("[project]\nname = \"shop\"\npublic_url = \"https://shop.example\"\n{CONFIG}");
    let program = PROGRAM.replace("topic transactional  wait 1s", "topic news");
    let root = folder("serve-unsubscribe", &[("flow.toml", &config), ("a.flow", &program)]);
    let server = Server::start(&root, &[]);
    assert_eq!(server.post("/v1/batch", &known()).unwrap().0, 200);
    assert_eq!(server.post("/v1/track", &login(1)).unwrap().0, 200);
    server.rest();
    let link = written(&root)["hello 1"][0]["unsubscribe"].as_str().unwrap().to_owned();
    let path = link.strip_prefix("https://shop.example").unwrap();
    let (status, page) = server.send("GET", path, "", b"").unwrap();
    assert!(status == 200 && page.contains("<form"), "{page}");
    // Somebody looked; the next message still comes. Then they said no.
    assert_eq!(server.post("/v1/track", &login(8)).unwrap().0, 200);
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    assert_eq!(server.send("POST", path, form, b"List-Unsubscribe=One-Click").unwrap().0, 200);
    assert_eq!(server.post("/v1/track", &login(15)).unwrap().0, 200);
    let status = server.rest();
    assert_eq!(written(&root).keys().map(String::as_str).collect::<Vec<_>>(), ["hello 1", "hello 8"]);
    assert_eq!(status["journeys"][0]["skipped"], json!({ "no_consent": 1 }));
    // Nobody can make such a link, or turn one into another.
    let bent = format!("{}x", path.strip_suffix(path.chars().last().unwrap()).unwrap());
    assert_eq!(server.send("POST", &bent, "", b"").unwrap().0, 404);
}

#[test]
fn an_api_is_asked_once_and_its_answer_stays() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let api = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            let read = stream.read(&mut head).unwrap();
            let known = String::from_utf8_lossy(&head[..read]).contains("GET /points/u1 ");
            let answer = match known {
                true => "HTTP/1.1 200 OK\r\ncontent-length: 13\r\nconnection: close\r\n\r\n{\"points\": 7}",
                false => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let program = format!(
        "event login {{ number: int }}\nuser {{ email: email? }}\nchannel email to user.email\n\
         type account {{ points: int }}\napi account(id: text) -> account {{ get \"http://{api}/points/{{id}}\" }}\n\
         journey hello {{ on login  enter always  topic transactional\n\
         fetch account = account(user.id) else {{ email \"no points\" end }}\n\
         email \"{{account.points}} points\" }}\n"
    );
    let root = folder("serve-fetch", &[("flow.toml", CONFIG), ("a.flow", &program)]);
    let server = Server::start(&root, &["--private-apis"]);
    assert_eq!(server.post("/v1/batch", &known()).unwrap().0, 200);
    for number in [1, 2] {
        assert_eq!(server.post("/v1/track", &login(number)).unwrap().0, 200);
    }
    server.rest();
    assert_eq!(written(&root).keys().map(String::as_str).collect::<Vec<_>>(), ["7 points", "no points"]);
    // Without that word, an address of this machine is not asked.
    assert!(server.signal("TERM"));
    let server = Server::start(&root, &[]);
    assert_eq!(server.post("/v1/track", &login(8)).unwrap().0, 200);
    server.rest();
    assert_eq!(written(&root)["no points"].len(), 2);
}

/// What a real browser makes of an address; none: there is no browser here.
fn browsed(name: &str, url: &str) -> Option<String> {
    let profile = folder(name, &[]);
    let done = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--window-size=390,844", "--virtual-time-budget=3000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(url)
        .output();
    match done {
        Ok(done) => Some(String::from_utf8(done.stdout).unwrap()),
        Err(error) => {
            println!("skipped: chromium: {error}");
            None
        }
    }
}

#[test]
fn the_page_shows_what_happens_and_no_text_becomes_markup() {
    let root = project("serve-page");
    let server = Server::start(&root, &[]);
    let name = "<img src=x onerror=alert(1)>";
    let known = json!({ "userId": name, "messageId": "1", "traits": { "email": "ada@shop.example" } });
    assert_eq!(server.post("/v1/identify", &known).unwrap().0, 200);
    let call = json!({ "event": "login", "userId": name, "messageId": "2", "properties": { "number": 42 } });
    assert_eq!(server.post("/v1/track", &call).unwrap().0, 200);
    server.rest();
    let page = |view: &str| browsed("serve-page-profile", &format!("http://{}/#{view}", server.address));
    let Some(dom) = page("journeys") else { return };
    for shown in ["<h2>hello</h2>", "<dt>entered</dt><dd>1</dd>", "1 people, 0 messages wait", "wait 1s", "1 sent"] {
        assert!(dom.contains(shown), "{shown}: {dom}");
    }
    let dom = page("messages").unwrap();
    assert!(dom.contains("hello 42") && dom.contains("&lt;img src=x"), "{dom}");
    let dom = page("person/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E").unwrap();
    assert!(dom.contains("ada@shop.example") && !dom.contains("<img"), "{dom}");
}

#[test]
fn a_timeline_says_what_happened_and_what_did_not_and_why_not() {
    let program = PROGRAM.replace("on login ", "on login where number > 5 ");
    let root = folder("serve-timeline", &[("flow.toml", CONFIG), ("a.flow", &program)]);
    let timeline = |server: &Server, id: &str| -> Vec<(String, String)> {
        let (status, body) = server.send("GET", &format!("/operate/timeline?id={id}"), "", b"").unwrap();
        assert_eq!(status, 200, "{body}");
        let told: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(told["since"], Value::Null, "nothing is gone yet");
        let all = told["happenings"].as_array().unwrap();
        let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
        all.iter().map(|one| (text(one, "what"), text(one, "place"))).collect()
    };
    let server = Server::start(&root, &[]);
    assert_eq!(server.post("/v1/batch", &known()).unwrap().0, 200);
    for number in [1, 8] {
        assert_eq!(server.post("/v1/track", &login(number)).unwrap().0, 200);
    }
    server.rest();
    let told = timeline(&server, "u1");
    let has = |what: &str, place: &str| told.iter().any(|(text, at)| text.contains(what) && at == place);
    assert!(has("number > 5", "a.flow:5"), "{told:?}");
    assert!(has("enters hello", ""), "{told:?}");
    assert!(has("hello 8", "a.flow:5") && has("email was taken", ""), "{told:?}");
    assert_eq!(timeline(&server, "nobody"), []);
    // It is made of the journal, so a restart changes nothing.
    assert!(!server.signal("KILL"));
    let server = Server::start(&root, &[]);
    assert_eq!(timeline(&server, "u1"), told);
}

#[test]
fn what_cannot_be_served_is_said() {
    let root = folder("serve-refused", &[("flow.toml", ""), ("a.flow", PROGRAM)]);
    let ran = flowc(&root, &["serve"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("flow.toml does not say how the messages of `email` are delivered"), "{}", ran.err);
    let ran = flowc(&root, &["serve", "--console", "--listen", "0.0.0.0:0"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("there is no key; make one"), "{}", ran.err);
}
