//! A running `flowc serve`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, dead_code)]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

/// A server that runs.
pub struct Server {
    process: Child,
    /// Host and port.
    pub address: String,
}

impl Server {
    /// Starts `flowc serve` in a project's folder, on some free port.
    pub fn start(root: &Path, more: &[&str]) -> Self {
        Self::start_reading(root, more, Stdio::null(), &[])
    }

    /// The same with variables in its environment.
    pub fn start_within(root: &Path, more: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_reading(root, more, Stdio::null(), variables)
    }

    /// The same with a pipe to its standard input.
    pub fn start_with_input(root: &Path, more: &[&str]) -> (Self, ChildStdin) {
        let mut server = Self::start_reading(root, more, Stdio::piped(), &[]);
        let input = server.process.stdin.take().unwrap();
        (server, input)
    }

    fn start_reading(root: &Path, more: &[&str], input: Stdio, variables: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_flowc"))
            .args(["serve", ".", "--listen", "127.0.0.1:0"])
            .args(more)
            .current_dir(root)
            .envs(variables.iter().copied())
            .stdin(input)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("it says where it listens").unwrap();
            if let Some((_, address)) = line.split_once(" is served on http://") {
                break address.to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address }
    }

    /// Status and body; none when the server is gone.
    pub fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body).ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let status = text.split(' ').nth(1)?.parse().ok()?;
        Some((status, text.split_once("\r\n\r\n")?.1.to_owned()))
    }

    /// Sends JSON.
    pub fn post(&self, path: &str, body: &Value) -> Option<(u16, String)> {
        self.send("POST", path, "content-type: application/json\r\n", body.to_string().as_bytes())
    }

    /// `/operate/status`.
    pub fn status(&self) -> Value {
        serde_json::from_str(&self.send("GET", "/operate/status", "", b"").unwrap().1).unwrap()
    }

    /// Until nobody is on the way and nothing waits.
    pub fn rest(&self) -> Value {
        loop {
            let status = self.status();
            let busy = [&status["messages"]["waiting"], &status["journeys"][0]["in_flight"]];
            if busy.iter().all(|count| **count == 0) {
                return status;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it; says whether it calls that a success.
    pub fn signal(mut self, name: &str) -> bool {
        Command::new("kill").args([format!("-{name}"), self.process.id().to_string()]).status().unwrap();
        self.process.wait().unwrap().success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// The process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}
