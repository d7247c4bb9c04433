//! How long a keystroke takes until its findings are there, and a completion, in a project of 200 journeys and 20,000
//! lines; and how long checking 2,000 journeys in 200 files takes from nothing. `cargo bench -p flow-lsp`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use flow_compiler::compile::{compile, ProjectInput, SourceFile};
use flow_grammar::span::FileId;
use lsp_server::{Connection, Message, Notification, Request};
use serde_json::{json, Value};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const KEYSTROKES: usize = 200;

const SCHEMA: &str = "event cart_added = \"Product Added\" { cart_id: text  cart_value: number  category: text? }\n\
    event purchased = \"Order Completed\" { order_id: text  order_value: number }\n\
    event login\nevent product_viewed { product_id: text  price: number }\n\
    user {\n  email: email?\n  phone: phone?\n  first_name: text?\n  country: one of \"IT\", \"ES\", \"FR\"?\n  \
    lead_score: int = 0\n  birthday: date?\n}\n\
    channel email to user.email\nchannel sms to user.phone\n\
    segment repeat_browsers = count(product_viewed in last 7d) > 3\n\
    segment dormant_30 = login ever and not login in last 30d\n\
    policy {\n  quiet hours 21:00 to 08:00 on sms\n  at most 3 messages per 7d\n}\n";

/// A journey of `lines` lines, about.
fn journey(number: usize, lines: usize) -> String {
    let mut text = format!(
        "## Journey number {number}.\njourney journey_{number} \"Journey {number}\" {{\n  on cart_added where cart_value > {}\n  \
         enter per cart_id once per 14d\n  exit on purchased\n  goal purchased within 3d\n  topic topic_{}\n\n",
        50 + number,
        number % 7
    );
    let mut step = 0;
    while text.lines().count() + 2 < lines {
        let _ = match step % 5 {
            0 => writeln!(text, "  wait {}h", 1 + step % 20),
            1 => writeln!(text, "  if user.lead_score > {step} and repeat_browsers then {{\n    email \"Hi {{user.first_name ?? \"there\"}}, number {step}\"\n  }}"),
            2 => writeln!(text, "  if count(product_viewed in last {}d where price > {step}) > 2 then sms \"Look {step}\"", 1 + step % 30),
            3 => writeln!(text, "  wait for login up to 2d then set user.lead_score += 1\n  else email \"Come back {step}\" as mail_{number}_{step}"),
            _ => writeln!(text, "  match user.country {{\n    \"IT\" -> email \"Ciao {step}\"\n    else -> email \"Hello {step}\"\n  }}"),
        };
        step += 1;
    }
    text + "}\n\n"
}

/// A project: its schema and so many files of so many journeys of so many lines.
fn project(files: usize, journeys: usize, lines: usize) -> Vec<SourceFile> {
    let mut all = vec![SourceFile { path: "schema.flow".into(), text: SCHEMA.into() }];
    for file in 0..files {
        let text = (0..journeys).map(|n| journey(file * journeys + n, lines)).collect();
        all.push(SourceFile { path: format!("j{file:03}.flow"), text });
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

fn lines(files: &[SourceFile]) -> usize {
    files.iter().map(|file| file.text.lines().count()).sum()
}

/// A moment, on the clock and in the processor time that all threads of this process have had. On a busy machine
/// only the latter says something.
#[derive(Clone, Copy)]
struct Moment(Instant, Duration);

impl Moment {
    fn now() -> Self {
        let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let spent = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok());
        let nanos = spent.filter_map(|line| line.split(' ').next()?.parse::<u64>().ok()).sum();
        Self(Instant::now(), Duration::from_nanos(nanos))
    }

    /// Clock and processor time since then.
    fn elapsed(self) -> (Duration, Duration) {
        let now = Self::now();
        (now.0 - self.0, now.1.saturating_sub(self.1))
    }
}

fn show(what: &str, times: Vec<(Duration, Duration)>) {
    let (mut clock, mut cpu): (Vec<Duration>, Vec<Duration>) = times.into_iter().unzip();
    clock.sort_unstable();
    cpu.sort_unstable();
    let at = |times: &[Duration], share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{what:<46} processor: median {:>7.2} ms, p99 {:>7.2} ms   clock: {:>7.2}, {:>7.2}   ({} times)",
        at(&cpu, 0.5),
        at(&cpu, 0.99),
        at(&clock, 0.5),
        at(&clock, 0.99),
        cpu.len()
    );
}

fn main() {
    cold();
    let root = std::env::temp_dir().join(format!("flow-bench-{}", std::process::id()));
    keystrokes(&root);
    let _ = std::fs::remove_dir_all(&root);
}

/// From texts to a checked program, and the share of parsing.
fn cold() {
    let files = project(200, 10, 10);
    println!("2,000 journeys in 200 files, {} lines", lines(&files));
    let input = ProjectInput { name: "bench".into(), timezone: "UTC".into(), files, ..ProjectInput::default() };
    let (mut parsing, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        let start = Moment::now();
        for (id, file) in (0..).zip(&input.files) {
            assert!(flow_grammar::parse(FileId(id), &file.text).errors.is_empty());
        }
        parsing.push(start.elapsed());
        let start = Moment::now();
        let compiled = compile(&input);
        whole.push(start.elapsed());
        assert!(compiled.program.is_some(), "{:?}", compiled.diagnostics.first());
    }
    show("  parsing alone", parsing);
    show("  check from nothing", whole);
}

struct Editor {
    connection: Connection,
    root: PathBuf,
    version: i32,
}

impl Editor {
    fn uri(&self, name: &str) -> String {
        format!("file://{}", self.root.join(name).display())
    }
    fn tell(&self, method: &str, params: Value) {
        let message = Notification { method: method.into(), params };
        self.connection.sender.send(Message::Notification(message)).unwrap();
    }
    fn ask(&self, id: i32, method: &str, params: Value) -> Value {
        let request = Request { id: id.into(), method: method.into(), params };
        self.connection.sender.send(Message::Request(request)).unwrap();
        loop {
            if let Message::Response(response) = self.connection.receiver.recv().unwrap() {
                return response.response_result.unwrap_or_default();
            }
        }
    }
    fn change(&mut self, name: &str, range: [u32; 4], text: &str) {
        self.version += 1;
        let [line, character, end_line, end] = range;
        let range =
            json!({ "start": { "line": line, "character": character }, "end": { "line": end_line, "character": end } });
        self.tell(
            "textDocument/didChange",
            json!({
                "textDocument": { "uri": self.uri(name), "version": self.version },
                "contentChanges": [{ "range": range, "text": text }],
            }),
        );
    }
    /// Waits for the findings of this very version of a file.
    fn findings(&self, name: &str) -> usize {
        let uri = self.uri(name);
        loop {
            let Message::Notification(told) = self.connection.receiver.recv().unwrap() else { continue };
            if told.params["uri"] == uri && told.params["version"] == self.version {
                return told.params["diagnostics"].as_array().unwrap().len();
            }
        }
    }
}

/// The server as an editor has it, over a connection in memory.
fn keystrokes(root: &Path) {
    let files = project(40, 5, 100);
    println!("200 journeys in 40 files, {} lines", lines(&files));
    std::fs::create_dir_all(root).unwrap();
    std::fs::write(root.join("flow.toml"), "[project]\nname = \"bench\"\n").unwrap();
    for file in &files {
        std::fs::write(root.join(&file.path), &file.text).unwrap();
    }
    let (server, client) = Connection::memory();
    let thread = std::thread::spawn(move || flow_lsp::server::serve_on(&server));
    let mut editor = Editor { connection: client, root: root.to_owned(), version: 1 };
    let folder = json!([{ "uri": editor.uri(""), "name": "bench" }]);
    editor.ask(1, "initialize", json!({ "capabilities": {}, "workspaceFolders": folder }));
    editor.tell("initialized", json!({}));
    let name = "j020.flow";
    let text = files.iter().find(|file| file.path == name).unwrap().text.clone();
    let start = Moment::now();
    let uri = editor.uri(name);
    editor.tell(
        "textDocument/didOpen",
        json!({ "textDocument": { "uri": uri, "languageId": "flow", "version": 1, "text": text } }),
    );
    editor.findings(name);
    show("  the file is opened", vec![start.elapsed()]);
    // A length of time grows by a digit and shrinks again; an event's name is misspelled and mended.
    let wait = u32::try_from(text.lines().position(|line| line.starts_with("  wait ")).unwrap()).unwrap();
    let exit = u32::try_from(text.lines().position(|line| line.starts_with("  exit on purchased")).unwrap()).unwrap();
    let (mut sound, mut broken, mut completion) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..KEYSTROKES {
        let digit = [wait, 7, wait, if n % 2 == 0 { 7 } else { 8 }];
        let start = Moment::now();
        editor.change(name, digit, if n % 2 == 0 { "1" } else { "" });
        editor.findings(name);
        sound.push(start.elapsed());
        let letter = [exit, 18, exit, if n % 2 == 0 { 19 } else { 18 }];
        let start = Moment::now();
        editor.change(name, letter, if n % 2 == 0 { "" } else { "d" });
        editor.findings(name);
        broken.push(start.elapsed());
        let place =
            json!({ "textDocument": { "uri": editor.uri(name) }, "position": { "line": exit, "character": 12 } });
        let start = Moment::now();
        let found = editor.ask(100 + i32::try_from(n).unwrap(), "textDocument/completion", place);
        completion.push(start.elapsed());
        assert!(!found.is_null());
    }
    show("  keystroke to findings, in a sound file", sound);
    show("  keystroke to findings, in and out of error", broken);
    show("  completion", completion);
    editor.ask(2, "shutdown", Value::Null);
    editor.tell("exit", Value::Null);
    thread.join().unwrap().unwrap();
}
