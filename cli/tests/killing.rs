//! The server is killed again and again while calls come in and mails go out: nothing is lost, and what a mail server gets twice
//! it gets under one `Message-ID`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::folder;
use common::server::Server;
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PROGRAM: &str = r#"
event login { number: int }
user { email: email? }
channel email to user.email
journey hello { on login  enter always  topic transactional  wait 1s  email "number {trigger.number}" }
"#;

/// The mails that came, by what they say: their `Message-ID`s.
type Mails = Arc<Mutex<BTreeMap<String, Vec<String>>>>;

/// A mail server that takes everything and remembers it.
fn sink() -> (SocketAddr, Mails) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, mails) = (listener.local_addr().unwrap(), Mails::default());
    let all = Arc::clone(&mails);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mails = Arc::clone(&all);
            // A client that is killed hangs up in the middle.
            std::thread::spawn(move || drop(talk(stream, &mails)));
        }
    });
    (address, mails)
}

/// RFC 5321, as far as a client that sends mails in the clear needs it.
fn talk(mut stream: TcpStream, mails: &Mails) -> std::io::Result<()> {
    stream.write_all(b"220 sink\r\n")?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while let Some(line) = lines.next() {
        let answer = match line?.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => "250-sink\r\n250 8BITMIME\r\n",
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                let (mut id, mut text) = (String::new(), String::new());
                for line in lines.by_ref() {
                    let line = line?;
                    if line == "." {
                        break;
                    }
                    if let Some(value) = line.strip_prefix("Message-ID: ") {
                        id = value.to_owned();
                    }
                    if line.starts_with("number ") {
                        text = line;
                    }
                }
                mails.lock().unwrap().entry(text).or_default().push(id);
                "250 taken\r\n"
            }
            "QUIT" => break,
            _ => "250 ok\r\n",
        };
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}

fn login(number: usize) -> Value {
    json!({ "type": "track", "event": "login", "userId": format!("u{}", number % 50), "messageId": format!("m{number}"),
            "properties": { "number": number } })
}

fn batch(numbers: &[usize]) -> Value {
    let known = |number: &usize| {
        json!({ "type": "identify", "userId": format!("u{}", number % 50), "messageId": format!("i{number}"),
                "traits": { "email": format!("u{}@shop.example", number % 50) } })
    };
    let calls: Vec<Value> = numbers.iter().map(known).chain(numbers.iter().map(|number| login(*number))).collect();
    json!({ "batch": calls })
}

/// So many attempts of `smtp` are under way at one time.
const UNDER_WAY: usize = 8;
const LIVES: usize = 6;

/// Serves, and is killed, again and again. How many mails there should be, those that came, and how the server stands in the end.
fn killed(name: &str, more: &str) -> (usize, BTreeMap<String, Vec<String>>, Server) {
    let (address, mails) = sink();
    let config = format!(
        "[channels.email]\nbackend = \"smtp\"\nurl = \"smtp://{address}\"\ntls = \"none\"\nfrom = \"shop@shop.example\"\n\
         retry_first = \"1s\"\n{more}"
    );
    let root = folder(name, &[("flow.toml", &config), ("a.flow", PROGRAM)]);
    let (mut number, mut unsure) = (0, Vec::new());
    for life in 0..LIVES as u64 {
        let server = Server::start(&root, &[]);
        let id = server.id().to_string();
        let plug = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(700 + 330 * life));
            Command::new("kill").args(["-KILL", &id]).status().unwrap();
        });
        loop {
            if unsure.is_empty() {
                unsure = (number..number + 20).collect();
                number += 20;
            }
            // No more than leaves by mail meanwhile: what is late by a minute goes slowly, for the sake of those who get it.
            std::thread::sleep(Duration::from_millis(100));
            match server.post("/v1/batch", &batch(&unsure)) {
                Some((200, _)) => unsure.clear(),
                Some((429, _)) => {}
                Some((status, body)) => panic!("{status} {body}"),
                None => break,
            }
        }
        plug.join().unwrap();
    }
    let server = Server::start(&root, &[]);
    assert_eq!(server.post("/v1/batch", &batch(&unsure)).unwrap().0, 200);
    server.rest();
    let mails = mails.lock().unwrap().clone();
    let mut names = BTreeSet::new();
    for (text, ids) in &mails {
        assert!(ids.iter().all(|id| *id == ids[0] && !id.is_empty()), "{text}: {ids:?}");
        assert!(names.insert(&ids[0]), "two mails are called {}", ids[0]);
    }
    (number, mails, server)
}

#[test]
fn a_mail_server_gets_every_mail_and_no_mail_under_two_names() {
    let (number, mails, server) = killed("kill-mails", "");
    assert_eq!(server.status()["messages"]["dead"], 0);
    let missing: Vec<_> = (0..number).filter(|number| !mails.contains_key(&format!("number {number}"))).collect();
    assert_eq!((missing, mails.len()), (Vec::new(), number));
    let again: usize = mails.values().map(|ids| ids.len() - 1).sum();
    println!("{number} mails, {again} came again, {LIVES} kills");
    // Only what was being handed over when the plug was pulled.
    assert!(again <= LIVES * UNDER_WAY, "{again} came again");
}

#[test]
fn a_mail_server_gets_no_mail_twice_where_that_must_not_be() {
    let (number, mails, server) = killed("kill-mails-once", "after_crash = \"dead\"\n");
    let twice: Vec<_> = mails.iter().filter(|(_, ids)| ids.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    // What did not come is among the dead letters, and says why.
    let dead: Vec<Value> = serde_json::from_str(&server.send("GET", "/operate/dead", "", b"").unwrap().1).unwrap();
    println!("{number} mails, {} came, {} uncertain, {LIVES} kills", mails.len(), dead.len());
    assert!(dead.len() <= LIVES * UNDER_WAY, "{}", dead.len());
    assert!(dead.iter().all(|one| one["reason"].as_str().unwrap().starts_with("it may have been taken")), "{dead:?}");
    let dead: BTreeSet<_> = dead.iter().map(|one| one["content"]["text"].as_str().unwrap().trim().to_owned()).collect();
    let missing = (0..number)
        .map(|number| format!("number {number}"))
        .find(|text| !mails.contains_key(text) && !dead.contains(text));
    assert_eq!(missing, None);
}
