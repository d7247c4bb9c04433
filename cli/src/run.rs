//! `flowc run`: events in, messages out, in simulated time.

mod outputs;
mod summary;

use crate::load::{ready, Checked};
use crate::output::{err, unusable};
use flow_compiler::bytecode::Program;
use flow_runtime::answers::Answers;
use flow_runtime::calendar::{parse_instant, Zones};
use flow_runtime::engine::Engine;
use flow_runtime::ingest::csv::{Mapping, Rows};
use flow_runtime::ingest::open::{open, Opened};
use flow_runtime::ingest::schema::Schema;
use flow_runtime::ingest::source::{Lines, Sorted, Source};
use flow_runtime::ingest::table;
use flow_runtime::replay::summary::Summary;
use flow_runtime::replay::{self, Before, Failure, Options, Sinks};
use indicatif::{ProgressBar, ProgressStyle};
use outputs::Output;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
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
    /// The events: Segment-spec calls, one JSON object (or batch) a line, or CSV; `-` is standard input. Files
    /// may be compressed with gzip or zstd
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// What the events are; without it, CSV when the name says so
    #[arg(long, value_enum)]
    format: Option<EventFormat>,
    /// Which columns of CSV hold what, as event=name,userId=customer,timestamp=created_at; all others are properties
    #[arg(long, value_name = "MEMBER=COLUMN,…", value_parser = Mapping::parse, default_value = "", hide_default_value = true)]
    map: Mapping,
    /// Users known before the first event: CSV or JSON lines with `user_id` and attributes
    #[arg(long, value_name = "FILE")]
    users: Vec<PathBuf>,
    /// A list of people, for `on list "NAME"`: CSV or JSON lines with `user_id`, optionally `timestamp`, and attributes
    #[arg(long, value_name = "NAME=FILE", value_parser = named_file)]
    list: Vec<(String, PathBuf)>,
    /// Recorded answers of APIs, one JSON object a line; a record of an earlier run will do
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Where the messages go; without it, to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where everything that happened goes: entries, steps, messages, those not sent and why
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Where inputs go that do not fit, with the reason
    #[arg(long, value_name = "FILE")]
    dead_letters: Option<PathBuf>,
    /// The last instant that is looked at, as 2026-03-02T09:00:00Z; without it, a year after the last event
    #[arg(long, value_name = "TIME", value_parser = instant)]
    until: Option<i64>,
    /// Sort the events by time first
    #[arg(long)]
    sort: bool,
    /// Decides the arms of splits and who is in a holdout
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How many threads work; without it, as many as there are processors
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// A folder of TZif files to use instead of the zone data that comes with flowc
    #[arg(long, value_name = "DIR")]
    tzdata: Option<PathBuf>,
    /// No summary on standard error
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum EventFormat {
    /// Segment-spec calls, one JSON object or batch a line
    Jsonl,
    /// A header, then one event a row
    Csv,
}

fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((name.to_owned(), file.into())),
        _ => Err("write NAME=FILE".to_owned()),
    }
}

fn instant(text: &str) -> Result<i64, String> {
    parse_instant(text).ok_or_else(|| "expected a date and time with its offset, as 2026-03-02T09:00:00Z".to_owned())
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let mut checked = match ready(&args.path) {
        Ok(checked) => checked,
        Err(code) => return ExitCode::from(code),
    };
    let Some(program) = checked.compiled.program.take() else { return ExitCode::from(crate::FOUND) };
    let program = Arc::new(program);
    match replay(args, &program) {
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

fn replay(args: &Args, program: &Arc<Program>) -> Result<Summary, Problem> {
    let zones = match &args.tzdata {
        Some(folder) => Zones::from_folder(folder).map_err(|error| format!("cannot read zones: {error}"))?,
        None => Zones::bundled(),
    };
    let zones = Arc::new(zones);
    let engine = Engine::new(Arc::clone(program), Arc::clone(&zones), args.seed);
    let schema = Schema::new(program, zones);
    let before = before(args, program, &schema)?;
    let opened = open(&args.events).map_err(|error| cannot_read(&args.events, &error))?;
    let (bar, done) = (progress_bar(opened.size), Arc::clone(&opened.done));
    let mut source = source(args, opened)?;
    let mut messages = Output::new(args.out.as_deref())?;
    let mut record = args.record.as_deref().map(Output::to).transpose()?;
    let mut dead = args.dead_letters.as_deref().map(Output::to).transpose()?;
    let sinks = Sinks {
        messages: messages.writer(),
        record: record.as_mut().map(Output::writer),
        dead: dead.as_mut().map(Output::writer),
    };
    let options = Options { until: args.until, threads: args.threads.map(usize::from) };
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
        Failure::Read(error) => Problem::Told(cannot_read(&args.events, &error)),
        other => Problem::Told(other.to_string()),
    })?;
    for output in [Some(messages), record, dead].into_iter().flatten() {
        output.keep()?;
    }
    Ok(summary)
}

fn source(args: &Args, opened: Opened) -> Result<Box<dyn Source>, String> {
    /// Large enough that threads have much to do, small enough for the caches.
    const CHUNK: usize = 2 << 20;
    let named = |ending: &str| {
        let name = args.events.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let name = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name).to_owned();
        name.ends_with(ending)
    };
    let csv = args.format.map_or_else(|| named(".csv"), |format| format == EventFormat::Csv);
    if csv {
        let rows = Rows::new(opened.read, &args.map).map_err(|error| cannot_read(&args.events, &error))?;
        return Ok(if args.sort { Box::new(Sorted::new(rows)) } else { Box::new(rows) });
    }
    if args.map != Mapping::default() {
        return Err("--map is for CSV; give --format csv".to_owned());
    }
    let lines = Lines::new(opened.read, CHUNK);
    Ok(if args.sort { Box::new(Sorted::new(lines)) } else { Box::new(lines) })
}

/// Reads users, lists and answers.
fn before(args: &Args, program: &Program, schema: &Schema) -> Result<Before, String> {
    let mut before = Before::default();
    let mut read = |path: &Path, list| {
        let opened = open(path).map_err(|error| cannot_read(path, &error))?;
        let block = table::read(schema, opened.read, list).map_err(|error| cannot_read(path, &error))?;
        before.tables.push((path.display().to_string(), block));
        Ok::<_, String>(())
    };
    for path in &args.users {
        read(path, None)?;
    }
    for (name, path) in &args.list {
        let list = schema.list(name).ok_or_else(|| {
            let names: Vec<_> = program.lists.iter().map(|name| format!("\"{name}\"")).collect();
            let there = if names.is_empty() {
                "none does on any".to_owned()
            } else {
                format!("those that do: {}", names.join(", "))
            };
            format!("no journey waits for the list \"{name}\"; {there}")
        })?;
        read(path, Some(list))?;
    }
    if let Some(path) = &args.answers {
        let opened = open(path).map_err(|error| cannot_read(path, &error))?;
        let (answers, unfit) =
            Answers::read(program, schema, opened.read).map_err(|error| cannot_read(path, &error))?;
        for line in unfit {
            err(&format!("warning: {}, line {}: {}; it is no answer\n", path.display(), line.line, line.reason));
        }
        before.answers = answers;
    }
    Ok(before)
}

fn cannot_read(path: &Path, error: &io::Error) -> String {
    let path = if path.as_os_str() == "-" { "standard input".into() } else { path.to_string_lossy() };
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file {path}"),
        _ => format!("cannot read {path}: {error}"),
    }
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
