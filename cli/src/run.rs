//! `flowc run`: events in, messages out, in simulated time.

mod outputs;
mod summary;

use crate::feed::{cannot_read, Feed, Ready};
use crate::load::{ready, Checked};
use crate::output::{err, unusable};
use flow_compiler::bytecode::Program;
use flow_runtime::message::Messages;
use flow_runtime::replay::summary::Summary;
use flow_runtime::replay::{self, Failure, Options, Sinks};
use indicatif::{ProgressBar, ProgressStyle};
use outputs::Output;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::sync::Arc;

/// Run a project over events, and write the messages that come of it
///
/// Time is simulated: the clock is the latest event's, and after the last one the timers are drained. The
/// messages come in order of time, one JSON object a line; they are the same for any number of threads.
#[derive(clap::Args)]
pub struct Args {
    /// A folder or a .flow file
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    feed: Feed,
    /// Where the messages go; without it, to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write into each message what it finally says: subject, HTML and text of a mail, title and text of a notification
    #[arg(long)]
    render: bool,
    /// Where everything that happened goes: entries, steps, messages, those not sent and why
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Where inputs go that do not fit, with the reason
    #[arg(long, value_name = "FILE")]
    dead_letters: Option<PathBuf>,
    /// How many threads work; without it, as many as there are processors
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// No summary on standard error
    #[arg(long)]
    quiet: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let mut checked = match ready(&args.path) {
        Ok(checked) => checked,
        Err(code) => return ExitCode::from(code),
    };
    let Some(program) = checked.compiled.program.take() else { return ExitCode::from(crate::FOUND) };
    let program = Arc::new(program);
    let messages = args.render.then(|| Arc::new(Messages::new(&program, &checked.loaded.project.input)));
    match replay(args, &program, messages) {
        Ok(summary) => {
            if !args.quiet {
                err(&told(&summary, &program, &checked, args));
            }
            ExitCode::SUCCESS
        }
        Err(Problem::ReaderGone) => ExitCode::SUCCESS,
        Err(Problem::Told(message)) => unusable(&message),
    }
}

fn told(summary: &Summary, program: &Program, checked: &Checked, args: &Args) -> String {
    summary::text(summary, program, &checked.sources(), args.dead_letters.is_some())
}

enum Problem {
    /// Whoever read standard output wants no more.
    ReaderGone,
    Told(String),
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self::Told(message)
    }
}

fn replay(args: &Args, program: &Arc<Program>, render: Option<Arc<Messages>>) -> Result<Summary, Problem> {
    let Ready { engine, schema, before, opened } = args.feed.ready(program)?;
    let engine = if render.is_some() { engine.for_rendering() } else { engine };
    let (bar, done) = (progress_bar(opened.size), Arc::clone(&opened.done));
    let mut source = args.feed.source(opened)?;
    let mut messages = Output::new(args.out.as_deref())?;
    let mut record = args.record.as_deref().map(Output::to).transpose()?;
    let mut dead = args.dead_letters.as_deref().map(Output::to).transpose()?;
    let sinks = Sinks {
        messages: messages.writer(),
        record: record.as_mut().map(Output::writer),
        dead: dead.as_mut().map(Output::writer),
    };
    let options =
        Options { until: args.feed.until, threads: args.threads.map(usize::from), render, ..Options::default() };
    let summary = replay::run(&engine, &schema, source.as_mut(), before, sinks, &options, || {
        if let Some(bar) = &bar {
            bar.set_position(done.load(Ordering::Relaxed));
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let summary = summary.map_err(|failure| match failure {
        Failure::Write(error) if error.kind() == io::ErrorKind::BrokenPipe => Problem::ReaderGone,
        Failure::Read(error) => Problem::Told(cannot_read(&args.feed.events, &error)),
        other => Problem::Told(other.to_string()),
    })?;
    for output in [Some(messages), record, dead].into_iter().flatten() {
        output.keep()?;
    }
    Ok(summary)
}

/// A bar for those who watch a long file being read.
fn progress_bar(size: Option<u64>) -> Option<ProgressBar> {
    const LONG: u64 = 64 << 20;
    let size = size.filter(|size| *size >= LONG)?;
    if !io::stderr().is_terminal() {
        return None;
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} to go").ok()?;
    Some(ProgressBar::new(size).with_style(style))
}
