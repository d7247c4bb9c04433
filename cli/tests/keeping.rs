//! What stays with the server: tasks for people, inboxes of sites, lists; and who is told of audiences.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::folder;
use common::server::Server;
use serde_json::{json, Value};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

const SCHEMA: &str = "event login {}\nuser { email: email?  vip: bool? }\nchannel email to user.email\n";

fn json_of(answer: Option<(u16, String)>) -> Value {
    let (status, body) = answer.unwrap();
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

fn login(server: &Server, user: &str) {
    let known = json!({ "userId": user, "traits": { "email": format!("{user}@shop.example") } });
    assert_eq!(server.post("/v1/identify", &known).unwrap().0, 200);
    assert_eq!(server.post("/v1/track", &json!({ "userId": user, "event": "login" })).unwrap().0, 200);
}

/// Asks until it is there: a message is handed over a moment after the call.
fn until(mut ask: impl FnMut() -> Option<Value>) -> Value {
    loop {
        if let Some(value) = ask() {
            return value;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_task_is_taken_and_done_and_its_journey_goes_on() {
    let program = "event done = \"Task Completed\" { result: text? }\nchannel task\n\
        journey call { on login  topic transactional  task \"Call {user.email ?? \"somebody\"}\"\n\
        wait for done up to 2d then email \"you said {last(done).result ?? \"nothing\"}\" else end }\n";
    let config = "[channels.task]\nbackend = \"tasks\"\n[channels.email]\nbackend = \"file\"\npath = \"out.jsonl\"\n";
    let root = folder("keep-tasks", &[("flow.toml", config), ("a.flow", SCHEMA), ("b.flow", program)]);
    let server = Server::start(&root, &[]);
    login(&server, "u1");
    let open = |server: &Server, who: &str| json_of(server.send("GET", &format!("/operate/tasks{who}"), "", b""));
    let task = until(|| open(&server, "").get(0).cloned());
    assert_eq!((&task["title"], &task["user"]), (&json!("Call u1@shop.example"), &json!("u1")));
    let id = task["key"].as_str().unwrap().to_owned();
    let post =
        |server: &Server, what: &str, body: Value| server.post(&format!("/operate/tasks/{what}"), &body).unwrap();
    assert_eq!(post(&server, "assign", json!({ "id": id, "to": "bob" })).0, 200);
    // Tasks are in the journal like everything else.
    assert!(!server.signal("KILL"));
    let server = Server::start(&root, &[]);
    assert_eq!(open(&server, "?assignee=eve"), json!([]));
    assert_eq!(open(&server, "?assignee=bob")[0]["key"], json!(id));
    assert_eq!(post(&server, "complete", json!({ "id": id, "by": "eve" })), (409, "bob has it\n".to_owned()));
    assert_eq!(post(&server, "complete", json!({ "id": "0000000000000000", "by": "eve" })).0, 404);
    assert_eq!(post(&server, "complete", json!({ "id": id })), (400, "write \"by\": \"…\"\n".to_owned()));
    assert_eq!(post(&server, "complete", json!({ "id": id, "by": "bob", "result": "yes" })).0, 200);
    assert_eq!(post(&server, "complete", json!({ "id": id, "by": "bob" })).0, 409);
    server.rest();
    assert!(fs::read_to_string(root.join("out.jsonl")).unwrap().contains("you said yes"));
}

#[test]
fn an_inbox_is_seen_by_its_person_alone_and_tells_what_is_new() {
    let program =
        "channel onsite\njourney hello { on login  enter always  topic transactional  onsite \"hello\" as note\n\
        wait for note.opened up to 2d then email \"you have read it\" else end }\n";
    let config = "[channels.onsite]\nbackend = \"inbox\"\n[channels.email]\nbackend = \"file\"\npath = \"out.jsonl\"\n";
    let root = folder("keep-inbox", &[("flow.toml", config), ("a.flow", SCHEMA), ("b.flow", program)]);
    let server = Server::start(&root, &[]);
    login(&server, "u1");
    let token = |user: &str| {
        let token = json_of(server.post("/operate/inbox-token", &json!({ "user": user })));
        token["token"].as_str().unwrap().to_owned()
    };
    let (mine, other) = (token("u1"), token("u2"));
    let inbox = |token: &str| json_of(server.send("GET", &format!("/inbox?token={token}"), "", b""));
    until(|| Some(inbox(&mine)).filter(|inbox| inbox["unread"] == 1));
    assert_eq!(inbox(&other), json!({ "items": [], "unread": 0 }));
    assert_eq!(server.send("GET", "/inbox?token=x", "", b"").unwrap().0, 401);
    // A page that is open hears of what is there, and of what comes.
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let ask = format!("GET /inbox/events?token={mine} HTTP/1.1\r\nhost: {}\r\n\r\n", server.address);
    stream.write_all(ask.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok).filter(|line| line.starts_with("data: "));
    assert!(lines.next().unwrap().contains("hello"));
    login(&server, "u1");
    assert!(lines.next().unwrap().contains("hello"));
    let key = inbox(&mine)["items"][1]["key"].as_str().unwrap().to_owned();
    let read = format!("/inbox/read?token={mine}");
    assert_eq!(server.post(&read, &json!({ "key": key })).unwrap().0, 204);
    assert_eq!(inbox(&mine)["unread"], 1);
    assert_eq!(server.post(&read, &json!({})).unwrap().0, 204);
    server.rest();
    assert_eq!(fs::read_to_string(root.join("out.jsonl")).unwrap().lines().count(), 2);
    assert!(server.send("GET", "/inbox.js", "", b"").unwrap().1.contains("EventSource"));
}

#[test]
fn a_table_puts_people_on_a_list_while_the_server_runs() {
    let program = "journey welcome { on list \"vip\"  topic transactional  email \"welcome\" }\n";
    let config = "[channels.email]\nbackend = \"file\"\npath = \"out.jsonl\"\n";
    let root = folder("keep-lists", &[("flow.toml", config), ("a.flow", SCHEMA), ("b.flow", program)]);
    let server = Server::start(&root, &[]);
    let table =
        "user_id,email,vip\nu1,ada@shop.example,true\nu2,grace@shop.example,perhaps\nu3,\"x@shop.example\",false\n";
    let answer = server.send("POST", "/operate/lists/vip", "content-type: text/csv\r\n", table.as_bytes());
    assert_eq!(json_of(answer), json!({ "rows": 2, "rejected": 1 }));
    let unknown = server.send("POST", "/operate/lists/vips", "", table.as_bytes()).unwrap();
    assert_eq!(unknown, (404, "no journey begins `on list \"vips\"`\n".to_owned()));
    assert_eq!(server.send("POST", "/operate/lists/vip", "", b"name\nx\n").unwrap().0, 400);
    let rows = "{\"user_id\":\"u4\",\"vip\":true}\n";
    assert_eq!(json_of(server.send("POST", "/operate/users", "", rows.as_bytes()))["rows"], 1);
    server.rest();
    assert_eq!(fs::read_to_string(root.join("out.jsonl")).unwrap().lines().count(), 2);
    assert_eq!(json_of(server.send("GET", "/operate/person?id=u4", "", b""))["attributes"]["vip"], true);
    // What was answered is certain.
    assert!(!server.signal("KILL"));
    let server = Server::start(&root, &[]);
    assert_eq!(json_of(server.send("GET", "/operate/person?id=u4", "", b""))["attributes"]["vip"], true);
    assert_eq!(server.rest()["journeys"][0]["entered"], 2);
}

#[test]
fn who_joins_an_audience_is_told_by_hashes_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = std::thread::spawn(move || {
        let mut bodies = Vec::new();
        for (number, stream) in listener.incoming().take(2).enumerate() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            bodies.push(String::from_utf8(body).unwrap());
            // The first attempt fails; it is made again with the same people.
            let status = if number == 0 { "503 Service Unavailable" } else { "200 OK" };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
        }
        bodies
    });
    let program = "journey buyers { on login  add to buyers  email \"hi\" }\n";
    let config = format!(
        "[channels.email]\nbackend = \"null\"\n[audiences.buyers]\nurl = \"http://{address}/\"\nallow_private = true\n\
         secret = {{ file = \"secret\" }}\n"
    );
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let root = folder(
        "keep-audiences",
        &[("flow.toml", &config), ("a.flow", SCHEMA), ("b.flow", program), ("secret", secret)],
    );
    let server = Server::start(&root, &[]);
    login(&server, "u1");
    let bodies = asked.join().unwrap();
    assert_eq!(bodies[0], bodies[1]);
    let body: Value = serde_json::from_str(&bodies[1]).unwrap();
    assert_eq!((&body["data"]["audience"], &body["data"]["action"]), (&json!("buyers"), &json!("add")));
    assert_eq!(body["data"]["people"].as_array().unwrap().len(), 1);
    assert!(!bodies[1].contains("shop.example") && !bodies[1].contains("\"u1\""), "{}", bodies[1]);
    drop(server);
}
