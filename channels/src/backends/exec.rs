//! `exec`: a program of any language. It reads a delivery a line on its standard input and answers an outcome a line on
//! its standard output, in any order:
//!
//! ```json
//! {"key": "…", "outcome": "accepted", "id": "the provider's name for it"}
//! {"key": "…", "outcome": "retry", "reason": "…", "after": 30}
//! {"key": "…", "outcome": "rejected", "reason": "…", "suppress": true}
//! ```

use crate::config::{Read, Settings};
use crate::{line, Attempt, Channel, Delivery, Outcome};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex as Table, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{oneshot, Mutex};
use tokio::time::Instant;

pub(super) const KEYS: &[&str] = &["command", "timeout"];

/// How long the program may take over one message when the configuration says nothing.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest line it may write, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;
/// A program that ended is started again no sooner than this.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest wait that a program may ask for, in seconds.
const LONGEST_AFTER: f64 = 24.0 * 3600.0;

struct Exec {
    program: String,
    arguments: Vec<String>,
    folder: PathBuf,
    timeout: Duration,
    running: Mutex<Option<Running>>,
}

/// The program, while it runs. It is ended when this is dropped.
struct Running {
    child: Child,
    input: ChildStdin,
    waiting: Waiting,
    started: Instant,
}

/// Who waits for the outcome of which key. Closed when the program's output has ended.
type Waiting = Arc<Table<Option<HashMap<String, oneshot::Sender<Outcome>>>>>;

#[derive(Deserialize)]
struct Line {
    key: String,
    outcome: Word,
    id: Option<String>,
    reason: Option<String>,
    after: Option<f64>,
    #[serde(default)]
    suppress: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Accepted,
    Retry,
    Rejected,
}

pub(super) fn open(settings: &Settings<'_>) -> Read<Box<dyn Channel>> {
    let command = settings.texts("command")?;
    let command = command.as_deref().and_then(<[String]>::split_first);
    let (program, arguments) = command.ok_or_else(|| settings.missing("command", "[\"python3\", \"deliver.py\"]"))?;
    Ok(Box::new(Exec {
        program: program.clone(),
        arguments: arguments.to_vec(),
        folder: settings.folder(),
        timeout: settings.duration("timeout")?.unwrap_or(TIMEOUT),
        running: Mutex::new(None),
    }))
}

impl Channel for Exec {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Attempt<'a> {
        Box::pin(async {
            match tokio::time::timeout(self.timeout, self.ask(delivery)).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    self.end().await;
                    Outcome::retry("the program did not answer in time, and was ended")
                }
            }
        })
    }
}

impl Exec {
    async fn ask(&self, delivery: &Delivery) -> Outcome {
        let mut text = line::json(delivery).to_string();
        text.push('\n');
        let answer = {
            let mut running = self.running.lock().await;
            let program = match self.running(&mut running) {
                Ok(program) => program,
                Err(outcome) => return outcome,
            };
            let Some(answer) = program.wait_for(&delivery.key) else {
                return Outcome::retry("the program ended before it was asked");
            };
            if let Err(error) = program.input.write_all(text.as_bytes()).await {
                return Outcome::retry(format!("the program takes no more messages: {error}"));
            }
            answer
        };
        answer.await.unwrap_or_else(|_| Outcome::retry("the program ended, or wrote a line that is no outcome"))
    }

    /// The program, started if it does not run.
    fn running<'r>(&self, running: &'r mut Option<Running>) -> Result<&'r mut Running, Outcome> {
        if running.as_mut().is_some_and(Running::has_ended) {
            let since = running.as_ref().map_or(PAUSE, |program| program.started.elapsed());
            if since < PAUSE {
                let reason = "the program ended soon after its start".to_owned();
                return Err(Outcome::Retry { reason, after: Some(PAUSE - since) });
            }
            *running = None;
        }
        match running {
            Some(program) => Ok(program),
            None => Ok(running.insert(self.start()?)),
        }
    }

    fn start(&self) -> Result<Running, Outcome> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(&self.folder).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let failed = |what: &str| Outcome::retry(format!("`{}` cannot be started: {what}", self.program));
        let mut child = command.spawn().map_err(|error| failed(&error.to_string()))?;
        let (input, output) = child.stdin.take().zip(child.stdout.take()).ok_or_else(|| failed("it has no streams"))?;
        let waiting: Waiting = Arc::new(Table::new(Some(HashMap::new())));
        tokio::spawn(read(output, Arc::clone(&waiting)));
        Ok(Running { child, input, waiting, started: Instant::now() })
    }

    async fn end(&self) {
        if let Some(program) = self.running.lock().await.as_mut() {
            close(&program.waiting);
            // It is gone already, or goes when it is dropped.
            let _ = program.child.start_kill();
        }
    }
}

impl Running {
    fn has_ended(&mut self) -> bool {
        let open = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        !open || !matches!(self.child.try_wait(), Ok(None))
    }

    fn wait_for(&self, key: &str) -> Option<oneshot::Receiver<Outcome>> {
        let (give, take) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.as_mut()?.insert(key.to_owned(), give);
        Some(take)
    }
}

/// Reads outcomes until the program ends or writes something else.
async fn read(output: ChildStdout, waiting: Waiting) {
    let mut output = BufReader::new(output);
    let mut text = Vec::new();
    loop {
        text.clear();
        let read = (&mut output).take(LONGEST_LINE).read_until(b'\n', &mut text).await;
        if !matches!(read, Ok(1..)) || !text.ends_with(b"\n") {
            break;
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        let Ok(line) = serde_json::from_slice::<Line>(&text) else { break };
        let asked = waiting.lock().unwrap_or_else(PoisonError::into_inner).as_mut().and_then(|w| w.remove(&line.key));
        if let Some(asked) = asked {
            // Nobody waits any more when the time was up.
            let _ = asked.send(outcome(line));
        }
    }
    close(&waiting);
}

/// Whoever waits learns that there will be no answer.
fn close(waiting: &Waiting) {
    *waiting.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

fn outcome(line: Line) -> Outcome {
    let reason = line.reason.unwrap_or_else(|| "the program gave no reason".to_owned());
    match line.outcome {
        Word::Accepted => Outcome::Accepted { provider_id: line.id },
        Word::Retry => {
            let after = line.after.filter(|seconds| (0.0..=LONGEST_AFTER).contains(seconds));
            Outcome::Retry { reason, after: after.map(Duration::from_secs_f64) }
        }
        Word::Rejected => Outcome::Rejected { reason, suppress: line.suppress },
    }
}
