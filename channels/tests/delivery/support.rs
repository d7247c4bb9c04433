//! Deliveries, keys, a server with recorded answers, and peers in other languages.

use flow_channels::{Channel, ConfigError, Delivery, Outcome, Secrets};
use flow_runtime::message::Content;
use serde_json::Value;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

pub const KEY: &str = "00f1a2b3c4d5e6f7";

pub fn delivery(to: Option<&str>, content: Content) -> Delivery {
    Delivery {
        key: KEY.to_owned(),
        channel: "email".to_owned(),
        user: "u1".to_owned(),
        to: to.map(str::to_owned),
        journey: "cart".to_owned(),
        step: "reminder".to_owned(),
        topic: Some("marketing".to_owned()),
        marketing: true,
        time: 1_772_452_800_000,
        attempt: 1,
        unsubscribe: Some("https://flow.example/u/token".to_owned()),
        content,
    }
}

pub fn sms(text: &str) -> Content {
    Content::Sms { text: text.to_owned() }
}

pub fn open(config: &str, secrets: &[(&str, &str)]) -> Result<Box<dyn Channel>, ConfigError> {
    let table = config.parse().expect("a table of TOML");
    let secrets = Secrets::given(secrets.iter().copied(), folder());
    // As `flowc serve` does: what `open` takes, `policy` takes too.
    flow_channels::policy("email", &table, &secrets)?;
    flow_channels::open("email", &table, &secrets)
}

pub fn opened(config: &str, secrets: &[(&str, &str)]) -> Box<dyn Channel> {
    open(config, secrets).unwrap_or_else(|error| panic!("{error}"))
}

/// The folder of these tests.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/delivery")
}

/// A fresh folder for files.
pub fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Runs a program to its end; none: it is not on this machine.
pub fn run(program: &str, args: &[&str], input: &[u8]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = environment(&mut command).spawn().ok()?;
    child.stdin.take()?.write_all(input).ok()?;
    let done = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{program} {args:?}: {errors}");
    Some(String::from_utf8(done.stdout).unwrap())
}

/// A private key in PEM that `openssl` makes for this run; none: there is no `openssl`.
pub fn private_key(algorithm: &[&str]) -> Option<String> {
    let key = run("openssl", &[&["genpkey"], algorithm].concat(), b"");
    skip_unless(key, "openssl")
}

pub const RSA: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
pub const EC: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
pub const ED25519: &[&str] = &["-algorithm", "ed25519"];

pub fn skip_unless<T>(found: Option<T>, what: &str) -> Option<T> {
    if found.is_none() {
        eprintln!("skipped: {what} is not there (.ci/run installs it)");
    }
    found
}

/// The packages that `.ci/run` installs: `node_modules` and `python` below `target/peers`.
fn packages() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("../peers")
}

fn environment(command: &mut Command) -> &mut Command {
    command.env("PYTHONPATH", packages().join("python")).env("FLOW_PEERS", packages().join("node_modules"))
}

/// Whether an npm package is there.
pub fn has_node(package: &str) -> Option<()> {
    let there = packages().join("node_modules").join(package).is_dir() && run("node", &["--version"], b"").is_some();
    skip_unless(there.then_some(()), &format!("npm's {package}"))
}

/// Whether a Python package is there.
pub fn has_python(module: &str) -> Option<()> {
    let there = packages().join("python").join(module).is_dir() && run("python3", &["--version"], b"").is_some();
    skip_unless(there.then_some(()), &format!("PyPI's {module}"))
}

/// A script of `peers/` that runs as a server: it writes its port as the first line, then a JSON value a line.
pub struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
    pub port: u16,
}

impl Peer {
    pub fn start(script: &str, args: &[&str]) -> Self {
        let program = if script.ends_with(".py") { "python3" } else { "node" };
        let mut command = Command::new(program);
        command.arg(folder().join("peers").join(script)).args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = environment(&mut command).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        let port = first.trim().parse().unwrap_or_else(|_| panic!("{script} wrote {first:?} in place of its port"));
        Self { input: child.stdin.take(), child, lines, port }
    }

    pub fn input(&mut self) -> &mut ChildStdin {
        self.input.as_mut().unwrap()
    }

    /// The next thing that it tells.
    pub fn told(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a script of `peers/` to its end over some input.
pub fn script(name: &str, args: &[&str], input: &[u8]) -> String {
    let program = if name.ends_with(".py") { "python3" } else { "node" };
    let path = folder().join("peers").join(name);
    run(program, &[&[path.to_str().unwrap()], args].concat(), input).unwrap()
}

/// A request that came.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }
}

/// What is answered.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string().into_bytes() }
    }
}

/// A server that gives recorded answers, one after the other, the last one for ever; and fixed ones for some paths.
pub struct Server {
    pub base: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    routes: Vec<(String, Answer)>,
    asked: Vec<Asked>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { base, state }
    }

    pub fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let server = Self::start();
        server.state.lock().unwrap().answers.extend(answers);
        server
    }

    pub fn answer(&self, answer: Answer) {
        self.state.lock().unwrap().answers = VecDeque::from([answer]);
    }

    pub fn route(&self, path: &str, answer: Answer) {
        self.state.lock().unwrap().routes.push((path.to_owned(), answer));
    }

    /// What came so far, but for the fixed paths.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some(asked) = read(&mut stream) else { return };
    let answer = {
        let mut state = state.lock().unwrap();
        let route = state.routes.iter().find(|(path, _)| *path == asked.path).map(|(_, answer)| answer.clone());
        if route.is_none() {
            state.asked.push(asked);
        }
        let last = state.answers.len() <= 1;
        route.unwrap_or_else(|| if last { state.answers.front().cloned() } else { state.answers.pop_front() }.unwrap())
    };
    let mut head =
        format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\nconnection: close\r\n", answer.status, answer.body.len());
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    // Whoever asked may have gone.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&answer.body));
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    lines.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let asked = Asked { method, path, headers, body: Vec::new() };
    let mut body = vec![0; asked.header("content-length").parse().unwrap_or(0)];
    lines.read_exact(&mut body).ok()?;
    Some(Asked { body, ..asked })
}

pub fn reason(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Retry { reason, .. } | Outcome::Rejected { reason, .. } => reason,
    }
}
