//! Runs a program over a log in simulated time: the same engine as everywhere, fed from files.
//!
//! Blocks of records are parsed on many threads ([`crate::ingest`]). One pass then goes through them in order and
//! settles what depends on order: the clock, repeats, the numbers of inputs, who is who. People are spread over
//! [`shard`]s by the hash of their id; each shard takes its inputs and fires its timers on its own, since people do
//! not know of each other. The lines that come about are put in order and leave as soon as nothing can come before
//! them any more: that is, when the clock is past them.
//!
//! Nothing of this can be seen in the output: it is the same bytes for any number of threads and any size of chunks.

pub mod lane;
mod rows;
pub mod shard;
pub mod summary;
pub mod throttle;
pub mod timers;
pub mod watched;
mod writer;

use crate::answers::Answers;
use crate::calendar;
use crate::engine::input::Input;
use crate::engine::Engine;
use crate::ingest::identity::{Joined, Target};
use crate::ingest::repeats::Repeats;
use crate::ingest::schema::Schema;
use crate::ingest::source::Source;
use crate::ingest::{Block, Dead, IdRef, Join, Record, What};
use crate::message::Messages;
use crate::output::names::Names;
use flow_compiler::bytecode::{Duration, StepKind};
use jiff::tz::TimeZone;
use lane::Lane;
use rayon::prelude::*;
use rows::Rows;
use shard::{Setting, Shard, Who, Work};
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use summary::{Counts, Summary, REASONS};
use writer::Writer;

/// Where things go.
pub struct Sinks<'w> {
    /// Messages.
    pub messages: Box<dyn Write + Send + 'w>,
    /// Everything that happened.
    pub record: Option<Box<dyn Write + Send + 'w>>,
    /// Inputs that cannot be taken.
    pub dead: Option<Box<dyn Write + Send + 'w>>,
}

/// What is known before the first input.
#[derive(Debug, Default)]
pub struct Before {
    /// Users and lists: the name of the file, and its rows.
    pub tables: Vec<(String, Block)>,
    /// Recorded answers.
    pub answers: Answers,
}

/// How to run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The last instant that is looked at; none: all inputs, and a year of timers after them.
    pub until: Option<i64>,
    /// How many threads; none: as many as there are processors.
    pub threads: Option<usize>,
    /// Of these people everything is told in [`Summary::watched`].
    pub watch: BTreeSet<String>,
    /// The templates, when the messages shall say what they finally say; the engine is one [`Engine::for_rendering`].
    pub render: Option<Arc<Messages>>,
}

/// Why a run could not be finished.
#[derive(Debug)]
pub enum Failure {
    /// An input could not be read.
    Read(io::Error),
    /// An output could not be written.
    Write(io::Error),
    /// There are no threads to be had.
    Threads(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "cannot read the events: {error}"),
            Self::Write(error) => write!(f, "cannot write: {error}"),
            Self::Threads(error) => write!(f, "cannot start threads: {error}"),
        }
    }
}

impl std::error::Error for Failure {}

/// Runs `engine` over everything that `source` gives.
///
/// # Errors
/// When reading or writing fails.
pub fn run(
    engine: &Engine,
    schema: &Schema,
    source: &mut dyn Source,
    before: Before,
    sinks: Sinks<'_>,
    options: &Options,
    mut progress: impl FnMut() + Send,
) -> Result<Summary, Failure> {
    let threads = options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Failure::Threads(error.to_string()))?;
    pool.install(|| {
        let mut replay = Replay::new(engine, before, sinks, options, threads)?;
        let mut parsed = None;
        loop {
            // While one chunk is taken, the next one is parsed.
            let (next, taken) = rayon::join(
                || source.next_blocks(schema),
                || match parsed.take() {
                    Some(blocks) => replay.take(blocks).map(Some),
                    None => Ok(None),
                },
            );
            if let Some(used) = taken? {
                source.give_back(used);
            }
            match next.map_err(Failure::Read)? {
                Some(blocks) => parsed = Some(blocks),
                None => return replay.finish(),
            }
            progress();
        }
    })
}

struct Replay<'e> {
    setting: Setting<'e>,
    shards: Vec<Shard>,
    joined: Joined,
    repeats: Repeats,
    rows: Rows,
    writer: Writer<'e>,
    /// Lines at the clock's very instant: more may come before them.
    held: Lane,
    until: i64,
    clock: Option<i64>,
    seq: u64,
    /// The places of the present block's unknown names in the summary.
    names: Vec<Option<Option<usize>>>,
    summary: Summary,
}

/// Where a record stands.
#[derive(Clone, Copy)]
struct At<'b> {
    blocks: &'b [Block],
    number: u32,
}

impl<'e> Replay<'e> {
    fn new(
        engine: &'e Engine,
        before: Before,
        sinks: Sinks<'e>,
        options: &Options,
        threads: usize,
    ) -> Result<Self, Failure> {
        /// So many shards for each thread even out shards with more to do.
        const SHARDS: usize = 4;
        let program = engine.program();
        let mut steps = program.journeys.iter().flat_map(|journey| &journey.steps);
        let setting = Setting {
            engine,
            names: Names::new(program),
            answers: before.answers,
            record: sinks.record.is_some(),
            watch: options.watch.clone(),
            render: options.render.clone(),
            asks: steps.any(|step| matches!(step.kind, StepKind::Fetch { .. })),
        };
        let count = if threads == 1 { 1 } else { threads * SHARDS };
        let mut replay = Self {
            setting,
            shards: (0..count).map(|_| Shard::new(Counts::new(program))).collect(),
            joined: Joined::default(),
            repeats: Repeats::default(),
            rows: Rows::default(),
            writer: Writer::new(sinks, engine),
            held: Lane::default(),
            until: options.until.unwrap_or(i64::MAX),
            clock: None,
            seq: 0,
            names: Vec::new(),
            summary: Summary { counts: Counts::new(program), ..Summary::default() },
        };
        for (file, block) in before.tables {
            for (line, dead) in replay.rows.add(block) {
                replay.set_aside(Some(&file), line, &dead)?;
            }
        }
        replay.rows.sort();
        Ok(replay)
    }

    /// Takes the records of some blocks, fires what is due before the clock, and writes what is final. The blocks are
    /// given back: large pieces of memory that come and go make the allocator tidy up its small ones each time.
    fn take(&mut self, mut blocks: Vec<Block>) -> Result<Vec<Block>, Failure> {
        for number in 0..blocks.len() {
            let block = blocks.get_mut(number);
            let mut records = block.map(|block| std::mem::take(&mut block.records)).unwrap_or_default();
            self.names.clear();
            let at = At { blocks: &blocks, number: u32::try_from(number).unwrap_or(u32::MAX) };
            for record in records.drain(..) {
                self.record(record, at)?;
            }
            if let Some(block) = blocks.get_mut(number) {
                block.records = records;
            }
        }
        if let Some(clock) = self.clock {
            self.settle(&blocks, clock)?;
        }
        Ok(blocks)
    }

    /// Settles what depends on the order of arrival.
    fn record(&mut self, record: Record, at: At<'_>) -> Result<(), Failure> {
        let dead = matches!(record.what, What::Dead(_));
        if !dead && record.time > self.until {
            self.summary.beyond += 1;
            return Ok(());
        }
        let clock = self.clock.unwrap_or(record.time);
        if record.message.is_some_and(|key| self.repeats.seen(key, clock)) {
            self.summary.repeated += 1;
            return Ok(());
        }
        if !dead {
            self.rows_before(record.time);
            self.clock = Some(self.clock.map_or(record.time, |clock| clock.max(record.time)));
        }
        match record.what {
            What::Dead(dead) => {
                let line = at.block().map_or(0, |block| block.first_line) + u64::from(record.line) + 1;
                return self.set_aside(None, line, &dead);
            }
            What::Unknown(name) => self.unknown(name, at),
            What::Clock => self.summary.accepted += 1,
            What::Input(input) => {
                self.summary.accepted += 1;
                let who = self.whom(record.who, at);
                self.work(who, record.known, record.time, input);
            }
            What::Join(join) => {
                self.summary.accepted += 1;
                let who = self.whom(record.who, at);
                self.join(&join, &who, at);
                if let Some(input) = join.input {
                    self.work(who, record.known, record.time, input);
                }
            }
        }
        Ok(())
    }

    /// Hands an input to the shard of its person.
    fn work(&mut self, who: Who, known: bool, time: i64, input: Input) {
        let now = self.clock.unwrap_or(time);
        self.seq += 1;
        let work = Work { now, seq: self.seq, late: (time < now).then_some(time), who, known, input };
        let shard = self.shard_of(work.who.hash());
        if let Some(shard) = self.shards.get_mut(shard) {
            shard.work.push(work);
        }
    }

    fn shard_of(&self, hash: u64) -> usize {
        // The lower bits find the place within the shard.
        (hash >> 40) as usize % self.shards.len().max(1)
    }

    /// Whom an id means.
    fn whom(&self, id: IdRef, at: At<'_>) -> Who {
        let name = at.block().map(|block| block.id(id)).unwrap_or_default();
        match self.joined.target(name) {
            Some(target) => Who::Other(target.clone()),
            None => Who::Block(at.number, id),
        }
    }

    /// Makes two ids mean one person, who is `known`.
    fn join(&mut self, join: &Join, known: &Who, at: At<'_>) {
        let Some(name) = at.block().map(|block| block.id(join.from)) else { return };
        let target = Target { id: known.id(at.blocks).into(), hash: known.hash() };
        if !self.joined.is_new(name, &target) {
            return;
        }
        let now = self.clock.unwrap_or(0);
        let (from, to) = (self.shard_of(join.from.hash), self.shard_of(target.hash));
        for shard in [from, to] {
            if let Some(shard) = self.shards.get_mut(shard) {
                shard.take_work(&self.setting, at.blocks);
            }
        }
        let place = self.shards.get(from).and_then(|shard| shard.find(name, join.from.hash));
        let gone = place.and_then(|place| {
            let shard = self.shards.get_mut(from)?;
            if !join.unites(shard.slot(place)?.known) {
                return None;
            }
            shard.leave(&self.setting, place, now)
        });
        if place.is_some() && gone.is_none() {
            return;
        }
        self.summary.joined += 1;
        if let (Some(gone), Some(shard)) = (gone, self.shards.get_mut(to)) {
            self.seq += 1;
            let place = shard.person(&self.setting, &target.id, target.hash, self.seq);
            shard.join(&self.setting, place, gone, now, self.seq);
        }
        self.joined.point(name, target);
    }

    fn unknown(&mut self, name: u32, at: At<'_>) {
        let index = name as usize;
        if self.names.len() <= index {
            self.names.resize(index + 1, None);
        }
        let known = self.names.get(index).copied().flatten();
        let place = known.unwrap_or_else(|| {
            let name = at.block().and_then(|block| block.names.get(index));
            let place = self.summary.unknown.place(name.map(|name| &**name).unwrap_or_default());
            if let Some(slot) = self.names.get_mut(index) {
                *slot = Some(place);
            }
            place
        });
        self.summary.unknown.count(place);
    }

    /// Takes the rows of users and lists whose time has come.
    fn rows_before(&mut self, time: i64) {
        if self.rows.is_empty() {
            return;
        }
        for row in self.rows.due(time, self.until) {
            self.clock = Some(self.clock.map_or(row.time, |clock| clock.max(row.time)));
            self.summary.accepted += 1;
            let who = match self.joined.target(&row.who.id) {
                Some(target) => target.clone(),
                None => row.who,
            };
            self.work(Who::Other(who), true, row.time, row.input);
        }
    }

    fn set_aside(&mut self, file: Option<&str>, line: u64, dead: &Dead) -> Result<(), Failure> {
        self.summary.dead += 1;
        if self.summary.dead_reasons.len() < REASONS {
            let place = file.map_or_else(|| format!("line {line}"), |file| format!("{file}, line {line}"));
            self.summary.dead_reasons.push(format!("{place}: {}", dead.reason));
        }
        self.writer.dead(file, line, dead)
    }

    /// Lets all shards take their inputs and fire what is due before an instant, and writes what is final then.
    fn settle(&mut self, blocks: &[Block], before: i64) -> Result<(), Failure> {
        let setting = &self.setting;
        self.shards.par_iter_mut().for_each(|shard| {
            shard.take_work(setting, blocks);
            shard.drain(setting, before);
            shard.lane.sort();
        });
        self.held.sort();
        let lanes: Vec<&Lane> = self.shards.iter().map(|shard| &shard.lane).chain([&self.held]).collect();
        self.writer.lines(&lanes, before)?;
        let mut held = std::mem::take(&mut self.held);
        self.held.keep_rest(&mut held, before);
        for shard in &mut self.shards {
            self.held.keep_rest(&mut shard.lane, before);
        }
        Ok(())
    }

    /// Drains the timers, and tells what the run came to.
    fn finish(mut self) -> Result<Summary, Failure> {
        if let Some(time) = self.rows.last_time() {
            self.rows_before(time);
        }
        self.summary.timeless = self.rows.len();
        if let Some(clock) = self.clock {
            let year = Duration { months: 12, ..Duration::default() };
            let limit = if self.until < i64::MAX { self.until } else { calendar::add(&TimeZone::UTC, clock, year) };
            self.drain(clock, limit)?;
            self.writer.drain(limit)?;
        }
        self.writer.finish()?;
        let mut summary = self.summary;
        let mut watched = Vec::new();
        for shard in &mut self.shards {
            summary.counts.add(&shard.counts);
            summary.people += shard.people();
            watched.append(&mut shard.watched);
        }
        watched.sort_by_key(|(key, _)| *key);
        summary.watched = watched.into_iter().map(|(_, told)| told).collect();
        summary.messages = self.writer.messages;
        summary.put_off = self.writer.put_off;
        summary.withdrawn = self.writer.withdrawn;
        summary.held_back = self.writer.waiting();
        summary.clock = self.clock;
        Ok(summary)
    }

    /// Fires all timers up to an instant, a stretch at a time so that not all lines lie in memory at once.
    fn drain(&mut self, clock: i64, limit: i64) -> Result<(), Failure> {
        const SHORTEST: i64 = calendar::HOUR;
        const LONGEST: i64 = 30 * calendar::DAY;
        /// A stretch with more lines is followed by a shorter one.
        const MANY: usize = 50_000;
        let end = limit.saturating_add(1);
        self.settle(&[], clock)?;
        let mut stretch = calendar::DAY;
        while let Some(next) = self.shards.iter().filter_map(Shard::next_due).min().filter(|next| *next < end) {
            let before = self.writer.messages;
            self.settle(&[], next.saturating_add(stretch).min(end))?;
            let many = self.writer.messages - before > MANY as u64;
            stretch = if many { stretch / 2 } else { stretch * 2 }.clamp(SHORTEST, LONGEST);
        }
        self.settle(&[], end)
    }
}

impl<'b> At<'b> {
    fn block(&self) -> Option<&'b Block> {
        self.blocks.get(self.number as usize)
    }
}
