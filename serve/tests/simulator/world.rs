//! The world around the server: senders that repeat what was not acknowledged, channels that lose answers, a machine that
//! stops anywhere. And what must be true of it all in the end.

use crate::disk::{Faults, SimDisk};
use crate::log::SimLog;
use crate::oracle::{self, Said};
use crate::programs;
use crate::random::Random;
use flow_channels::pace::Limits;
use flow_channels::retry::Schedule;
use flow_channels::{Outcome, Policy};
use flow_runtime::calendar::instant_text;
use flow_runtime::engine::succession::Answers;
use flow_serve::accept::{self, Kind};
use flow_serve::clock::Clock;
use flow_serve::core::{Begin, Core, Event, UNCERTAIN};
use flow_serve::follow::{Notice, Position, Tail, GRACE};
use flow_serve::host::walk::Walked;
use flow_serve::record::{Command, Deployment, Record, Scope};
use flow_serve::setup::Setup;
use flow_serve::snapshot::Writer;
use flow_serve::store::{Refusal, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// 2026-03-27T08:00:00Z: a Friday, before the clocks change in Rome.
const BEGIN: i64 = 1_774_598_400_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What is broken on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sabotage {
    #[default]
    Nothing,
    /// The disk says that it is certain, and it is not: as if the server did not wait for it.
    Unsynced,
    /// Outcomes of deliveries are not written down.
    OutcomesLost,
    /// The server goes by the machine's clock, whatever that says.
    ClockFollowed,
    /// What was being handed over at a crash is handed over again, also where it must not be.
    HandedAgain,
    /// How far the file was taken is not written down.
    PlaceForgotten,
}

/// A batch that somebody sends until it is acknowledged.
struct Batch {
    body: String,
    ids: Vec<String>,
    acknowledged: bool,
}

enum Happening {
    Send(usize),
    /// What came of an attempt; of no use after a crash.
    Finished(u64, Outcome, u64),
    Snapshot,
    Command(Command),
    /// The machine's clock is set, by so much.
    Jump(i64),
    /// The server is stopped, and another version goes on.
    Deploy,
    /// Somebody writes into the file that is followed: a part of a line, or some.
    Write(String),
    /// That file is rotated.
    Rotate,
    /// The file is looked at.
    Look,
}

/// The channel by which nothing may be handed over again unless it is certain that it was not taken.
const ONCE: &str = "sms";
/// What the store calls the file that is followed.
const FOLLOWED: &str = "events.jsonl";

struct World {
    random: Random,
    disk: SimDisk,
    /// Two that do the same; the first is the one to start with.
    versions: [Arc<Setup>; 2],
    /// Which of them people are in.
    version: usize,
    core: Option<Core<SimDisk>>,
    /// A snapshot that is being made, and of the state before which frame.
    writer: Option<(Writer<SimDisk>, u64)>,
    /// The time that has really passed.
    now: i64,
    /// How wrong the machine's clock is.
    wrong: i64,
    clock: Clock,
    /// What the clock may have missed: it does not know for how long it was off.
    off: i64,
    life: u64,
    batches: Vec<Batch>,
    log: SimLog,
    tail: Tail<SimLog>,
    queue: BTreeMap<(i64, u64), Happening>,
    number: u64,
    handed: BTreeMap<u64, Vec<Said>>,
    /// Messages whose end is certain.
    over: BTreeSet<u64>,
    /// Messages that were handed over, and may have been taken.
    perhaps: BTreeSet<u64>,
    sabotage: Sabotage,
    faulty: bool,
    crashes: u64,
}

/// Lives through one seed; an error says what was not as it must be.
pub fn live(seed: u64, sabotage: Sabotage) -> Result<(usize, u64), String> {
    let mut random = Random::new(seed);
    let versions = programs::versions(random.next());
    let log = SimLog::default();
    let mut world = World {
        tail: Tail::new(log.clone(), Position::default()),
        log,
        random,
        disk: SimDisk::default(),
        versions,
        version: 0,
        core: None,
        writer: None,
        now: BEGIN,
        wrong: 0,
        clock: Clock::new(i64::MIN),
        off: 0,
        life: 0,
        batches: Vec::new(),
        queue: BTreeMap::new(),
        number: 0,
        handed: BTreeMap::new(),
        over: BTreeSet::new(),
        perhaps: BTreeSet::new(),
        sabotage,
        faulty: true,
        crashes: 0,
    };
    world.plan();
    world.faults();
    world.start()?;
    world.run(|world| world.now >= BEGIN + 4 * DAY)?;
    world.faulty = false;
    world.disk.set(Faults { lies: sabotage == Sabotage::Unsynced, ..Faults::default() });
    for command in [Scope::Everything, Scope::Channel("sms".into())] {
        let at = world.now;
        world.at(at, Happening::Command(Command::Resume(command)));
    }
    let end = BEGIN + 30 * DAY;
    world.run(|world| world.time() >= end)?;
    world.finish(end)
}

impl World {
    /// What the server's clock shows.
    fn time(&mut self) -> i64 {
        let (mut clock, machine) = (self.clock, self.now + self.wrong);
        let shown = clock.read(machine, Duration::from_millis((self.now - BEGIN) as u64));
        self.clock = clock;
        if self.sabotage == Sabotage::ClockFollowed {
            machine
        } else {
            shown
        }
    }

    fn at(&mut self, time: i64, happening: Happening) {
        self.number += 1;
        self.queue.insert((time, self.number), happening);
    }

    /// What will be sent, and when.
    fn plan(&mut self) {
        let people = 1 + self.random.below(6);
        let mut time = BEGIN;
        for number in 0..self.random.between(5, 40) {
            time += *self.random.one(&[1, 500, 30_000, 40 * MINUTE, 2 * HOUR, 9 * HOUR]);
            let time = time.min(BEGIN + 4 * DAY - 1);
            let batch = self.batch(number, people, time);
            self.batches.push(batch);
            let place = self.batches.len() - 1;
            self.at(time, Happening::Send(place));
            if self.random.percent(10) {
                let again = time + self.random.between(0, HOUR);
                self.at(again, Happening::Send(place));
            }
        }
        self.lines(people);
        for _ in 0..self.random.below(6) {
            let time = BEGIN + self.random.between(0, 4 * DAY);
            self.at(time, Happening::Snapshot);
        }
        while self.random.percent(35) {
            let time = BEGIN + self.random.between(0, 5 * DAY);
            self.at(time, Happening::Deploy);
        }
        while self.random.percent(30) {
            let time = BEGIN + self.random.between(0, 4 * DAY);
            let jump = *self.random.one(&[-90 * DAY, -2 * DAY, -3 * HOUR, -1_500, HOUR, DAY]);
            self.at(time, Happening::Jump(jump));
        }
        if self.random.percent(30) {
            let time = BEGIN + self.random.between(0, 3 * DAY);
            let scope = if self.random.percent(50) { Scope::Everything } else { Scope::Channel("sms".into()) };
            self.at(time, Happening::Command(Command::Pause(scope)));
        }
    }

    /// What will be written into the file that is followed. No line has an id that it could be known again by.
    fn lines(&mut self, people: u64) {
        let mut time = BEGIN;
        for number in 0..self.random.below(20) {
            time += *self.random.one(&[10, 1_000, 40 * MINUTE, 9 * HOUR]);
            let who = self.random.below(people);
            let line = format!(
                "{{\"type\":\"track\",\"event\":\"login\",\"userId\":\"u{who}\",\"properties\":{{\"line\":\"<{number}>\"}},\
                 \"timestamp\":\"{}\"}}\n",
                instant_text(time - *self.random.one(&[0, 0, HOUR, -HOUR]))
            );
            let cut = if self.random.percent(40) { self.random.below(line.len() as u64) as usize } else { 0 };
            let (first, rest) = line.split_at(cut);
            self.at(time, Happening::Write(first.to_owned()));
            self.at(time + 1, Happening::Look);
            self.at(time + 2, Happening::Write(rest.to_owned()));
            if self.random.percent(15) {
                self.at(time + 3, Happening::Rotate);
                time += HOUR;
            }
            for later in [3, GRACE + 3, 2 * GRACE + 4] {
                self.at(time + later, Happening::Look);
            }
        }
        for look in 0..20 {
            self.at(BEGIN + 6 * DAY + look * 2 * GRACE, Happening::Look);
        }
    }

    fn batch(&mut self, number: i64, people: u64, time: i64) -> Batch {
        let mut calls = Vec::new();
        let mut ids = Vec::new();
        for place in 0..self.random.between(1, 4) {
            let id = format!("m{number}-{place}");
            // Late ones, and ones whose sender's clock is fast.
            let own = time - *self.random.one(&[0, 0, 0, 5_000, HOUR, DAY, -HOUR]);
            calls.push(self.call(people, &id, own));
            ids.push(id);
        }
        let sent =
            if self.random.percent(50) { format!(",\"sentAt\":\"{}\"", instant_text(time)) } else { String::new() };
        Batch { body: format!("{{\"batch\":[{}]{sent}}}", calls.join(",")), ids, acknowledged: false }
    }

    fn call(&mut self, people: u64, id: &str, time: i64) -> String {
        let who = self.random.below(people);
        let user = if self.random.percent(20) {
            format!("\"anonymousId\":\"a{who}\"")
        } else {
            format!("\"userId\":\"u{who}\"")
        };
        let track = |event: &str, properties: String| {
            format!("\"type\":\"track\",\"event\":\"{event}\",\"properties\":{{{properties}}},{user}")
        };
        let what = match self.random.below(10) {
            0..=2 => {
                let (cart, value) = (self.random.below(3), self.random.between(10, 90));
                track("cart_added", format!("\"cart_id\":\"c{cart}\",\"cart_value\":{value}"))
            }
            3 => track("purchased", "\"order_value\":5".into()),
            4 | 5 => track("login", String::new()),
            6 => track("cart_added", "\"cart_id\":7".into()),
            7 => track("Email Clicked", String::new()),
            _ => {
                let both = if self.random.percent(30) { format!(",\"anonymousId\":\"a{who}\"") } else { String::new() };
                format!(
                    "\"type\":\"identify\",\"userId\":\"u{who}\"{both},\"traits\":{{\"email\":\"u{who}@shop.example\",\"phone\":\"+3912345678{who}\"}}"
                )
            }
        };
        format!("{{{what},\"messageId\":\"{id}\",\"timestamp\":\"{}\"}}", instant_text(time))
    }

    /// What goes wrong in the next life.
    fn faults(&mut self) {
        let mut faults = Faults { lies: self.sabotage == Sabotage::Unsynced, ..Faults::default() };
        if self.faulty {
            let soon = self.disk.operations() + self.random.between(1, 60) as u64;
            match self.random.below(10) {
                0..=5 => faults.crash_at = Some(soon),
                6 => faults.fail_sync_at = Some(soon),
                7 => faults.room = Some(self.random.between(500, 60_000) as usize),
                _ => {}
            }
        }
        self.disk.set(faults);
    }

    /// Starts the server, again and again if need be.
    fn start(&mut self) -> Result<(), String> {
        for _ in 0..20 {
            let now = self.time();
            let setup = Arc::clone(&self.versions[self.version]);
            let policies = policies(&setup, self.sabotage);
            let opened = Core::open(self.disk.clone(), setup, [7; 16], policies, now);
            match opened {
                Ok((core, found)) => {
                    self.clock = Clock::new(core.host().latest());
                    self.off += 2 * (now - self.time()).max(0);
                    if !found.warnings.is_empty() && self.sabotage == Sabotage::Nothing {
                        return Err(format!("a start found {:?}", found.warnings));
                    }
                    let at = core.host().followed().get(FOLLOWED).copied().unwrap_or_default();
                    self.tail = Tail::new(self.log.clone(), at);
                    self.core = Some(core);
                    return Ok(());
                }
                // The crash came after the deployment was certain, or before.
                Err(Refusal::OtherProgram) => self.version = 1 - self.version,
                Err(refusal) if refusal.to_string().contains("damaged") => return Err(refusal.to_string()),
                Err(_) => self.machine_restarts(),
            }
        }
        self.disk.set(Faults { lies: self.sabotage == Sabotage::Unsynced, ..Faults::default() });
        self.start()
    }

    fn machine_restarts(&mut self) {
        (self.core, self.writer) = (None, None);
        self.life += 1;
        self.crashes += 1;
        let power = self.random.percent(70);
        self.disk.restart(&mut self.random, power);
        if power {
            self.log.power(&mut self.random);
        }
        let off = *self.random.one(&[0, 1_000, 10 * MINUTE, 3 * HOUR, 26 * HOUR]);
        self.now += off;
        self.off += 2 * off;
        self.faults();
    }

    /// Until it is over by one of the clocks.
    fn run(&mut self, over: impl Fn(&mut Self) -> bool) -> Result<(), String> {
        loop {
            let shown = self.time();
            let queued = self.queue.keys().next().map(|(time, _)| *time);
            let wake = self.core.as_ref().and_then(Core::next_wake);
            // As long as the clock shows it will be; while it is slow, that is too early, and is looked at again.
            let wake = wake.map(|wake| self.now + (wake - shown).max(0));
            let Some(time) = [queued, wake].into_iter().flatten().min() else { return Ok(()) };
            let before = self.now;
            self.now = self.now.max(time);
            if over(self) {
                self.now = before;
                return Ok(());
            }
            self.turn()?;
        }
    }

    /// One step of the server, with all that has come until now.
    fn turn(&mut self) -> Result<(), String> {
        if self
            .queue
            .first_entry()
            .is_some_and(|entry| entry.key().0 <= self.now && matches!(entry.get(), Happening::Deploy))
        {
            self.queue.pop_first();
            return self.deploy();
        }
        let (mut events, mut not_taken) = (Vec::new(), Vec::new());
        let now = self.time();
        let (mut sends, mut ends, mut commands, mut look) = (Vec::new(), Vec::new(), Vec::new(), false);
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= self.now) {
            if matches!(entry.get(), Happening::Deploy) {
                break;
            }
            match entry.remove() {
                Happening::Send(place) => {
                    let body = self.batches[place].body.as_bytes();
                    let accepted = accept::read(Kind::Batch, body, now).map_err(|refused| refused.0)?;
                    events.push(Event::Record(Record::Inputs { received: now, lines: accepted.lines }));
                    sends.push(place);
                }
                Happening::Finished(key, outcome, life) => {
                    if life == self.life && self.sabotage != Sabotage::OutcomesLost {
                        if matches!(outcome, Outcome::Retry { .. }) {
                            not_taken.push(key);
                        } else {
                            ends.push(key);
                        }
                        events.push(Event::Finished { key, outcome });
                    }
                }
                Happening::Snapshot => self.snapshot(),
                Happening::Jump(by) => self.wrong += by,
                Happening::Deploy => {}
                Happening::Write(text) => self.log.write(text.as_bytes()),
                // Who rotates twice while nobody looks must keep what lies between.
                Happening::Rotate => {
                    let at = self.tail.at();
                    if at.offset > 0 && self.log.newest() == Some(at.inode) {
                        self.log.rotate();
                    }
                }
                Happening::Look => look = true,
                Happening::Command(command) => {
                    events.push(Event::Record(Record::Command { now, command: command.clone() }));
                    commands.push(command);
                }
            }
        }
        let place = if look { self.look(now, &mut events)? } else { None };
        self.shoot()?;
        let Some(core) = &mut self.core else { return Err("no server".into()) };
        match core.step(now, events) {
            Ok(begin) => {
                if let Some(at) = place {
                    self.tail.taken(at);
                    self.at(self.now + 1, Happening::Look);
                }
                sends.iter().for_each(|place| self.batches[*place].acknowledged = true);
                self.over.extend(ends);
                self.perhaps.retain(|key| !not_taken.contains(key));
                self.begin(begin)
            }
            Err(_) => {
                // Nobody was told: the senders try again, some time after the server is back.
                self.machine_restarts();
                for place in sends {
                    let again = self.now + self.random.between(0, 30 * MINUTE);
                    self.at(again, Happening::Send(place));
                }
                for command in commands {
                    self.at(self.now, Happening::Command(command));
                }
                for later in [0, GRACE, 2 * GRACE] {
                    self.at(self.now + later, Happening::Look);
                }
                self.start()?;
                // A step is several commits: what was not taken may be certain though the last of them failed.
                let letters = self.core.as_ref().map(|core| core.host().letters());
                self.perhaps
                    .retain(|key| !not_taken.contains(key) || letters.is_some_and(|all| all.is_uncertain(*key)));
                Ok(())
            }
        }
    }

    /// Looks at the file that is followed, as the server's thread for it does.
    fn look(&mut self, now: i64, events: &mut Vec<Event>) -> Result<Option<Position>, String> {
        let mut lost = false;
        let found = self.tail.poll(now, &mut |notice| lost |= notice == Notice::Lost);
        if lost && self.sabotage == Sabotage::Nothing {
            return Err("the file was not found again".into());
        }
        let Some(found) = found.map_err(|error| error.to_string())? else { return Ok(None) };
        let lines = accept::lines(&found.lines, now).lines;
        let mut records = Vec::new();
        if !lines.is_empty() {
            records.push(Record::Inputs { received: now, lines });
        }
        if self.sabotage != Sabotage::PlaceForgotten {
            records.push(Record::Followed { file: FOLLOWED.to_owned(), at: found.at });
        }
        events.push(Event::Together(records));
        Ok(Some(found.at))
    }

    /// As `flowc deploy` does. The machine may stop anywhere in it.
    fn deploy(&mut self) -> Result<(), String> {
        self.life += 1;
        let stopped = self.core.take();
        self.writer = None;
        if let (Some(core), true) = (&stopped, self.random.percent(50)) {
            let _ = core.store().snapshot();
        }
        drop(stopped);
        let new = Arc::clone(&self.versions[1 - self.version]);
        let now = self.time();
        let deployed = match Store::open_any(self.disk.clone(), Arc::clone(&new), [7; 16]) {
            Ok((mut store, _)) if store.host().setup().identity != new.identity => {
                let now = now.max(store.host().latest());
                let deployment =
                    Deployment { identity: new.identity, source: new.source.clone(), answers: Answers::default() };
                let done = store.commit(&[Record::Deploy { now, deployment }], &mut Vec::new()).is_ok();
                if let Some(why) = store.host().failed() {
                    return Err(format!("the deployment failed: {why}"));
                }
                done && store.snapshot().is_ok()
            }
            Ok(_) => true,
            Err(refusal) if refusal.to_string().contains("damaged") => return Err(refusal.to_string()),
            Err(_) => false,
        };
        if deployed {
            self.version = 1 - self.version;
        } else {
            self.machine_restarts();
        }
        self.start()
    }

    /// A snapshot is made at once, or one is begun.
    fn snapshot(&mut self) {
        let Some(core) = &mut self.core else { return };
        // A failure does no harm; a crash shows in the next step.
        if self.writer.is_some() || self.random.percent(30) {
            self.writer = None;
            core.store_mut().drop_snapshot();
            let _ = core.store().snapshot();
        } else if let Ok((disk, next)) = core.store_mut().begin_snapshot() {
            self.writer = Writer::begin(disk, next).ok().map(|writer| (writer, next));
        }
    }

    /// Goes on with a snapshot, by a little, as the server does between two steps.
    fn shoot(&mut self) -> Result<(), String> {
        let (Some(core), Some((writer, next))) = (&mut self.core, &mut self.writer) else { return Ok(()) };
        let mut failed = false;
        let some = self.random.below(3) as usize;
        let walked = core.store_mut().walk(some, |piece| failed |= writer.put(&piece).is_err());
        match walked {
            _ if failed => {
                core.store_mut().drop_snapshot();
                self.writer = None;
            }
            Walked::On => {}
            Walked::Lost => self.writer = None,
            Walked::Done => {
                let next = *next;
                let finished = self.writer.take().map(|(writer, _)| writer.finish());
                if matches!(finished, Some(Ok(_))) {
                    oracle::same_snapshot(&self.versions[0], &self.disk.history(), next)?;
                }
            }
        }
        Ok(())
    }

    /// The channels: what they say, and when.
    fn begin(&mut self, begin: Begin) -> Result<(), String> {
        for start in begin.attempts {
            let Some(core) = &self.core else { return Err("no server".into()) };
            let letter = core.host().letters().waiting.get(&start.key);
            let letter = letter.ok_or("an attempt of a message that is not there")?.clone();
            if self.over.contains(&start.key) {
                return Err(format!("message {:016x} was handed over after its end was certain", start.key));
            }
            let channel = &core.host().setup().program().channels[letter.channel.index()].name;
            if channel == ONCE && !self.perhaps.insert(start.key) {
                return Err(format!(
                    "message {:016x} was handed over again, and may have been taken before",
                    start.key
                ));
            }
            let said = oracle::said(core.host().setup(), &letter);
            self.handed.entry(start.key).or_default().push(said);
            let delay = *self.random.one(&[1, 200, 5_000, 2 * MINUTE]);
            let outcome = match self.random.below(if self.faulty { 10 } else { 1 }) {
                0..=6 => Outcome::accepted(),
                // It may have taken it; nobody knows.
                7 => Outcome::retry("no answer in time"),
                8 => Outcome::Retry { reason: "come later".into(), after: Some(Duration::from_secs(600)) },
                _ => Outcome::suppressed("no such address"),
            };
            let life = self.life;
            self.at(self.now + delay, Happening::Finished(start.key, outcome.clone(), life));
            if self.random.percent(10) {
                self.at(self.now + delay + 1, Happening::Finished(start.key, outcome, life));
            }
        }
        Ok(())
    }

    /// What must be true in the end.
    fn finish(mut self, end: i64) -> Result<(usize, u64), String> {
        while self.time() < end {
            self.now += (end - self.time()).max(1);
        }
        let end = self.time();
        if self.now - BEGIN > 2 * (end - BEGIN) + self.off + 1_000 {
            return Err("time stood still".into());
        }
        let Some(mut core) = self.core.take() else { return Err("no server".into()) };
        let begin = core.step(end, vec![Event::Record(Record::Tick { now: end })]).map_err(|f| f.to_string())?;
        self.core = Some(core);
        self.begin(begin)?;
        let Some(core) = self.core.take() else { return Err("no server".into()) };
        let records = oracle::records(&self.disk.history())?;
        oracle::same_state(&self.versions[0], core.host(), &records)?;
        let journal = oracle::text(&records);
        for batch in self.batches.iter().filter(|batch| batch.acknowledged) {
            if let Some(id) = batch.ids.iter().find(|id| !journal.contains(&format!("\"messageId\":\"{id}\""))) {
                return Err(format!("call {id} was acknowledged and is lost"));
            }
        }
        for line in self.log.text().split_inclusive('\n').filter(|line| line.ends_with("}\n")) {
            // What a power failure tore, and was written on afterwards, is no call.
            let Ok(call) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            let Some(mark) = call["properties"]["line"].as_str() else { continue };
            let mark = format!("\"line\":\"{mark}\"");
            match journal.matches(&mark).count() {
                1 => {}
                count => return Err(format!("line {mark} of the file was taken {count} times")),
            }
        }
        let wanted = oracle::replay(&self.versions[0], &records, end - 1)?;
        let never = &core.host().letters().dead;
        for (key, said) in &wanted.messages {
            match self.handed.get(key).map(|all| all.iter().all(|one| one == said)) {
                Some(true) => {}
                Some(false) => {
                    return Err(format!("message {key:016x} says {:?}, the replay {said:?}", self.handed[key]))
                }
                // Somebody unsubscribed, or bounced, while it waited; or the machine stopped between that and its leaving.
                None if never.get(key).is_some_and(|l| {
                    l.reason.as_deref().is_some_and(|r| r.starts_with("not sent") || r == UNCERTAIN)
                }) => {}
                None => {
                    let letters = core.host().letters();
                    let letter = letters.waiting.get(key).or_else(|| letters.dead.get(key));
                    return Err(format!("message {key:016x} {said:?} is missing: {letter:?}"));
                }
            }
        }
        match self.handed.keys().find(|key| !wanted.messages.contains_key(key) && !wanted.withdrew(**key)) {
            Some(key) => Err(format!("message {key:016x} {:?} was sent and follows from nothing", self.handed[key])),
            None => Ok((wanted.messages.len(), self.crashes)),
        }
    }
}

fn policies(setup: &Setup, sabotage: Sabotage) -> Vec<Policy> {
    let limits = Limits { concurrency: NonZeroU32::new(3).unwrap(), rate: None };
    let first = Duration::from_secs(30);
    // More attempts than anything here takes: giving up is for another test.
    let retry = Schedule::Exponential { first, longest: Duration::from_secs(3600), attempts: 1_000 };
    let policy = |again| Policy { limits, retry: retry.clone(), one_provider: true, kept: None, again };
    let channels = setup.program().channels.iter();
    channels.map(|channel| policy(channel.name != ONCE || sabotage == Sabotage::HandedAgain)).collect()
}
