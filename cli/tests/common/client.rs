//! A small editor: speaks the Language Server Protocol with the built `flowc lsp`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, dead_code)]

use lsp_server::{Message, Notification, Request};
use serde_json::{json, Value};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{channel, Receiver};
use std::time::Duration;

/// Longer than any answer takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An editor with a server of its own.
pub struct Client {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Message>,
    waiting: Vec<Message>,
    next: i32,
    root: PathBuf,
}

impl Client {
    /// Starts the server and introduces itself with these capabilities.
    pub fn start(root: &Path, capabilities: Value) -> (Self, Value) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_flowc"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            while let Ok(Some(message)) = Message::read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let input = child.stdin.take();
        let mut client = Self { child, input, messages, waiting: Vec::new(), next: 0, root: root.to_owned() };
        let folder = json!({ "uri": uri(root), "name": "project" });
        let about = client
            .ask("initialize", json!({ "processId": null, "capabilities": capabilities, "workspaceFolders": [folder] }))
            .unwrap();
        client.tell("initialized", json!({}));
        (client, about)
    }

    fn send(&mut self, message: &Message) {
        message.write(self.input.as_mut().unwrap()).unwrap();
    }

    /// Sends a notification.
    pub fn tell(&mut self, method: &str, params: Value) {
        self.send(&Message::Notification(Notification { method: method.to_owned(), params }));
    }

    /// Sends a request and waits for its answer.
    pub fn ask(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.next += 1;
        let id = self.next.into();
        self.send(&Message::Request(Request::new(id, method.to_owned(), params)));
        let id = self.next.into();
        let mut answer = None;
        while answer.is_none() {
            match self.messages.recv_timeout(PATIENCE).unwrap() {
                Message::Response(response) if response.id == id => answer = Some(response),
                other => self.waiting.push(other),
            }
        }
        let response = answer.unwrap();
        response.response_result.map_err(|error| format!("{} {}", error.code, error.message))
    }

    /// Opens a file with a text.
    pub fn open(&mut self, path: &str, text: &str) {
        let document = json!({ "uri": self.uri(path), "languageId": "flow", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Replaces a range: from line and column to line and column, from 0.
    pub fn change(&mut self, path: &str, version: i32, range: [u32; 4], text: &str) {
        let [line, column, end_line, end_column] = range;
        let range = json!({
            "start": { "line": line, "character": column }, "end": { "line": end_line, "character": end_column },
        });
        let document = json!({ "uri": self.uri(path), "version": version });
        let changes = json!([{ "range": range, "text": text }]);
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    }

    /// The next findings about a file, as `line:column code`.
    pub fn findings(&mut self, path: &str) -> Vec<String> {
        let uri = self.uri(path);
        loop {
            let at = self.waiting.iter().position(|m| about(m, &uri));
            let message = match at {
                Some(at) => self.waiting.remove(at),
                None => {
                    let message = self.messages.recv_timeout(PATIENCE).unwrap();
                    self.waiting.push(message);
                    continue;
                }
            };
            let Message::Notification(found) = message else { unreachable!() };
            let shown = |d: &Value| {
                let start = &d["range"]["start"];
                format!("{}:{} {}", start["line"], start["character"], d["code"].as_str().unwrap())
            };
            return found.params["diagnostics"].as_array().unwrap().iter().map(shown).collect();
        }
    }

    /// Asks about a place in a file.
    pub fn at(&mut self, method: &str, path: &str, line: u32, column: u32, more: &Value) -> Result<Value, String> {
        let mut params = json!({
            "textDocument": { "uri": self.uri(path) }, "position": { "line": line, "character": column },
        });
        for (key, value) in more.as_object().unwrap() {
            params[key] = value.clone();
        }
        self.ask(method, params)
    }

    /// How the file is called in the protocol.
    pub fn uri(&self, path: &str) -> String {
        uri(&self.root.join(path))
    }

    /// Says goodbye; gives the server's exit code.
    pub fn leave(mut self) -> i32 {
        assert_eq!(self.ask("shutdown", Value::Null), Ok(Value::Null));
        self.tell("exit", Value::Null);
        drop(self.input.take());
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn about(message: &Message, uri: &str) -> bool {
    matches!(message, Message::Notification(n) if n.method == "textDocument/publishDiagnostics" && n.params["uri"] == uri)
}

/// A path as an address.
pub fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}
