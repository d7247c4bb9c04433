//! What a run over files is fed with: events, users, lists, answers.

use crate::evaluation::Choice;
use crate::output::err;
use flow_compiler::bytecode::Program;
use flow_runtime::answers::Answers;
use flow_runtime::calendar::{parse_instant, Zones};
use flow_runtime::engine::Engine;
use flow_runtime::ingest::csv::{Mapping, Rows};
use flow_runtime::ingest::open::{open, Opened};
use flow_runtime::ingest::schema::Schema;
use flow_runtime::ingest::source::{Lines, Sorted, Source};
use flow_runtime::ingest::table;
use flow_runtime::replay::Before;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where things come from, and how they are taken.
#[derive(clap::Args)]
pub struct Feed {
    /// The events: Segment-spec calls, one JSON object (or batch) a line, or CSV; `-` is standard input. Files
    /// may be compressed with gzip or zstd
    #[arg(long, value_name = "FILE")]
    pub events: PathBuf,
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
    /// The last instant that is looked at, as 2026-03-02T09:00:00Z; without it, a year after the last event
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub until: Option<i64>,
    /// Sort the events by time first
    #[arg(long)]
    sort: bool,
    /// Decides the arms of splits and who is in a holdout
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// A folder of TZif files to use instead of the zone data that comes with flowc
    #[arg(long, value_name = "DIR")]
    tzdata: Option<PathBuf>,
    #[command(flatten)]
    engine: Choice,
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

/// All that a run needs, read.
pub struct Ready {
    /// The engine.
    pub engine: Engine,
    /// What inputs must look like.
    pub schema: Schema,
    /// What is known before the first input.
    pub before: Before,
    /// The events.
    pub opened: Opened,
}

impl Feed {
    /// Reads what is known before the events, and opens them.
    ///
    /// # Errors
    /// With a message, when something cannot be read.
    pub fn ready(&self, program: &Arc<Program>) -> Result<Ready, String> {
        let zones = match &self.tzdata {
            Some(folder) => Zones::from_folder(folder).map_err(|error| format!("cannot read zones: {error}"))?,
            None => Zones::bundled(),
        };
        let zones = Arc::new(zones);
        let engine = self.engine.of(Engine::new(Arc::clone(program), Arc::clone(&zones), self.seed))?;
        let schema = Schema::new(program, zones);
        let before = self.before(program, &schema)?;
        let opened = open(&self.events).map_err(|error| cannot_read(&self.events, &error))?;
        Ok(Ready { engine, schema, before, opened })
    }

    /// The events, by their format and in the order asked for.
    ///
    /// # Errors
    /// With a message, when the head of a CSV file cannot be read, or an option does not fit the format.
    pub fn source(&self, opened: Opened) -> Result<Box<dyn Source>, String> {
        /// Large enough that threads have much to do, small enough for the caches.
        const CHUNK: usize = 2 << 20;
        let named = |ending: &str| {
            let name = self.events.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
            let name = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name).to_owned();
            name.ends_with(ending)
        };
        let csv = self.format.map_or_else(|| named(".csv"), |format| format == EventFormat::Csv);
        if csv {
            let rows = Rows::new(opened.read, &self.map).map_err(|error| cannot_read(&self.events, &error))?;
            return Ok(if self.sort { Box::new(Sorted::new(rows)) } else { Box::new(rows) });
        }
        if self.map != Mapping::default() {
            return Err("--map is for CSV; give --format csv".to_owned());
        }
        let lines = Lines::new(opened.read, CHUNK);
        Ok(if self.sort { Box::new(Sorted::new(lines)) } else { Box::new(lines) })
    }

    /// Reads users, lists and answers.
    fn before(&self, program: &Program, schema: &Schema) -> Result<Before, String> {
        let mut before = Before::default();
        let mut read = |path: &Path, list| {
            let opened = open(path).map_err(|error| cannot_read(path, &error))?;
            let block = table::read(schema, opened.read, list).map_err(|error| cannot_read(path, &error))?;
            before.tables.push((path.display().to_string(), block));
            Ok::<_, String>(())
        };
        for path in &self.users {
            read(path, None)?;
        }
        for (name, path) in &self.list {
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
        if let Some(path) = &self.answers {
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
}

/// Why an input cannot be read.
pub fn cannot_read(path: &Path, error: &io::Error) -> String {
    let path = if path.as_os_str() == "-" { "standard input".into() } else { path.to_string_lossy() };
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file {path}"),
        _ => format!("cannot read {path}: {error}"),
    }
}
