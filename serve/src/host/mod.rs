//! The state, as a function of the journal: people, timers, who is who, what waits to leave.
//!
//! [`Host::apply`] takes one record and says what is to be done about it. It reads no clock and no file: the same
//! records give the same state and the same messages. Order and rules are those of a replay over files
//! (`flow_runtime::replay`), so that a replay of the same calls gives the same messages; what differs is written here:
//!
//! - the clock also moves with the machine's: by ticks, and to a minute before the receipt of an input
//!   ([`GRACE`]), so that what is late does not depend on how busy the server is;
//! - what should have left while the machine slept is paced from now on, not from then ([`LATE`]).

mod deploy;
pub mod kept;
pub mod letter;
pub mod people;
mod rules;
pub mod state;
pub mod walk;
mod work;

use crate::follow::Position;
use crate::record::{Command, Delivered, Record, Scope};
use crate::setup::Setup;
use crate::timeline::Watch;
use flow_compiler::bytecode::{ApiId, ChannelId};
use flow_runtime::engine::effect::Withdrawal;
use flow_runtime::engine::effect::{Cause, Effect, Place};
use flow_runtime::engine::input::Input;
use flow_runtime::engine::{Leave, Person};
use flow_runtime::ingest::hash_of;
use flow_runtime::ingest::identity::Joined;
use flow_runtime::ingest::repeats::Repeats;
use flow_runtime::replay::summary::Counts;
use flow_runtime::replay::throttle::{Throttles, Ticket};
use flow_runtime::vm::value::Value;
use kept::Stays;
use letter::{Letter, Letters};
use people::People;
use rules::Tombstones;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// An input that is older than this at its receipt is late, in milliseconds.
pub const GRACE: i64 = 60_000;
/// A message whose time is longer ago than this when it comes about is paced as if it came about now, in milliseconds.
pub const LATE: i64 = 60_000;
/// So many of the latest inputs that could not be taken are kept, with their reasons.
pub const REJECTS: usize = 1_000;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Todo {
    /// A message is to be handed to its channel.
    Send(u64),
    /// An API is to be asked.
    Ask(Question),
    /// A message needs no attempt any more.
    Stop(u64),
    /// Something was paused or resumed.
    Look,
}

/// Which question: the person and the number of the request.
pub type Question = (String, u64);

/// A question to an API that has no answer yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Which.
    pub api: ApiId,
    /// Its arguments.
    pub args: Vec<Value>,
    /// Where.
    pub at: Place,
}

/// An input that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// When it came, milliseconds since 1970.
    pub received: i64,
    /// Why not.
    pub reason: String,
    /// What it was.
    pub input: String,
}

/// What became of the inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Taken.
    pub accepted: u64,
    /// Of a `messageId` seen before.
    pub repeated: u64,
    /// Of events that the program does not know.
    pub unknown: u64,
    /// Did not fit.
    pub rejected: u64,
    /// About people who were forgotten.
    pub forgotten: u64,
    /// Ids that turned out to be somebody's.
    pub joined: u64,
    /// Messages that a throttle put off.
    pub put_off: u64,
}

/// The state.
#[derive(Debug)]
pub struct Host {
    setup: Arc<Setup>,
    /// The version that is at hand: an older one is made of what the store keeps of it.
    wanted: Arc<Setup>,
    /// Whom somebody asks about.
    watch: Option<Box<Watch>>,
    /// Why nothing more can be taken: a version of the program could not be made ready.
    failed: Option<String>,
    people: People,
    joined: Joined,
    repeats: Repeats,
    clock: Option<i64>,
    /// Nothing leaves as if it were before this.
    floor: i64,
    seq: u64,
    order: u64,
    throttles: Throttles,
    letters: Letters,
    stays: Stays,
    asked: BTreeMap<Question, Asked>,
    followed: BTreeMap<String, Position>,
    /// What is left of people who were forgotten.
    tombstones: Tombstones,
    counts: Counts,
    tally: Tally,
    rejects: VecDeque<Reject>,
    effects: Vec<Effect>,
    rows: Vec<Row>,
    walk: Option<walk::Walk>,
}

/// A message that has come about, and its place in the order of messages of one instant.
#[derive(Debug)]
struct Row {
    cause: Cause,
    person: u64,
    order: u64,
    what: Leaving,
}

/// What an instant hands over, in order.
#[derive(Debug)]
enum Leaving {
    /// A message, with a ticket where throttles concern it.
    Letter(Box<Letter>, Option<Ticket>),
    /// What throttles must let go of.
    Withdrawn(Withdrawal),
}

impl Host {
    /// The state before anything.
    #[must_use]
    pub fn new(setup: Arc<Setup>) -> Self {
        let program = setup.program();
        Self {
            people: People::default(),
            joined: Joined::default(),
            repeats: Repeats::default(),
            clock: None,
            floor: i64::MIN,
            seq: 0,
            order: 0,
            throttles: Throttles::new(&program.policy.throttles),
            letters: Letters::new(program),
            stays: Stays::default(),
            asked: BTreeMap::new(),
            followed: BTreeMap::new(),
            tombstones: Tombstones::default(),
            counts: Counts::new(program),
            tally: Tally::default(),
            rejects: VecDeque::new(),
            effects: Vec::new(),
            rows: Vec::new(),
            failed: None,
            watch: None,
            walk: None,
            wanted: Arc::clone(&setup),
            setup,
        }
    }

    /// The state before anything, of the version with which a journal begins.
    ///
    /// # Errors
    /// With a sentence, when it cannot be made ready.
    pub fn first(wanted: &Arc<Setup>, identity: u128, source: &[u8]) -> Result<Self, String> {
        let host = Self::new(wanted.version(identity, source)?);
        Ok(Self { wanted: Arc::clone(wanted), ..host })
    }

    /// Notes what happens with some people from now on.
    pub fn watch(&mut self, watch: Watch) {
        self.watch = Some(Box::new(watch));
    }

    /// Notes nothing any more, and gives what was noted.
    pub fn unwatch(&mut self) -> Option<Watch> {
        self.watch.take().map(|watch| *watch)
    }

    /// What was noted.
    #[must_use]
    pub fn watched(&self) -> Option<&Watch> {
        self.watch.as_deref()
    }

    /// All ids of the person whom an id means.
    #[must_use]
    pub fn ids_of(&self, id: &str) -> Vec<String> {
        let who = self.whom(id);
        let all = self.joined.all().filter(|(id, _)| *self.whom(id).id == *who.id);
        all.map(|(id, _)| id.to_owned()).chain([who.id.to_string()]).collect()
    }

    /// Why nothing of it is to be relied on, if so.
    #[must_use]
    pub fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Everybody, in the order of first appearance.
    pub fn everybody(&self) -> impl Iterator<Item = &Person> {
        self.people.iter().filter_map(|slot| slot.person.as_ref())
    }

    /// Takes one record.
    pub fn apply(&mut self, record: &Record, todo: &mut Vec<Todo>) {
        if self.failed.is_some() {
            return;
        }
        if let Some(time) = record.time() {
            self.floor = self.floor.max(time.saturating_sub(LATE));
        }
        match record {
            Record::Program { .. } => {}
            Record::Secret(secret) => self.tombstones.secret = *secret,
            Record::Inputs { received, lines } => self.inputs(*received, lines, todo),
            Record::Followed { file, at } => {
                self.followed.insert(file.clone(), *at);
            }
            Record::Rows { received, list, lines } => self.table(*received, list.as_deref(), lines, todo),
            Record::Tick { now } => self.advance(*now, todo),
            Record::Answer { now, user, request, answer } => self.answer(*now, user, *request, answer.clone(), todo),
            Record::Outcome { now, key, result } => self.outcome(*now, *key, result, todo),
            Record::Command { now, command } => self.command(*now, command, todo),
            Record::Begun { keys, .. } => self.letters.begin(keys),
            Record::Told { upto, .. } => self.told(*upto),
            Record::Deploy { now, deployment } => self.deploy(*now, deployment, todo),
        }
        let until = self.clock.unwrap_or(i64::MIN).max(self.floor);
        self.release(until, todo);
    }

    fn answer(&mut self, now: i64, user: &str, request: u64, answer: Option<Value>, todo: &mut Vec<Todo>) {
        if self.asked.remove(&(user.to_owned(), request)).is_none() {
            return;
        }
        self.counts.unanswered += u64::from(answer.is_none());
        self.advance(now, todo);
        self.tell(user, Input::Answer { request, answer }, todo);
    }

    fn outcome(&mut self, now: i64, key: u64, result: &Delivered, todo: &mut Vec<Todo>) {
        let Some(letter) = self.letters.outcome(key, now, result) else { return };
        if let Some(watch) = self.watch.as_mut().filter(|watch| watch.is_about(&letter.user)) {
            let program = self.setup.program();
            let name = |name: Option<&String>| name.cloned().unwrap_or_default();
            let channel = name(program.channels.get(letter.channel.index()).map(|channel| &channel.name));
            let what = match result {
                Delivered::Dead { reason, .. } => format!("{channel} is given up: {reason}"),
                Delivered::Kept(_) => format!("{channel} stays here"),
                _ => format!("{channel} was taken"),
            };
            watch.say(now, what, program.journeys.get(letter.journey.index()).map(|journey| journey.name.clone()));
        }
        if let Delivered::Kept(kept) = result {
            self.keep(*kept, &letter, now);
        }
        if let Delivered::Dead { suppress: true, .. } = result {
            self.advance(now, todo);
            let input = self.bounced(letter.channel, key, now);
            self.tell(&letter.user, input, todo);
        }
    }

    /// A contact that is of no use is told like a bounce that was reported.
    fn bounced(&self, channel: ChannelId, key: u64, time: i64) -> Input {
        use flow_compiler::bytecode::Outcome;
        let mut events = (0..).zip(&self.setup.program().events);
        let event = events.find(|(_, event)| event.outcome == Some((channel, Outcome::Bounced)));
        Input::Outcome {
            event: event.map(|(id, _)| flow_compiler::bytecode::EventId(id)),
            channel,
            outcome: Outcome::Bounced,
            message: Some(key),
            template: None,
            soft: false,
            time,
        }
    }

    fn command(&mut self, now: i64, command: &Command, todo: &mut Vec<Todo>) {
        match command {
            Command::Pause(scope) => {
                self.letters.paused.insert(scope.clone());
            }
            Command::Resume(scope) => {
                self.letters.paused.remove(scope);
            }
            Command::Retry(key) => {
                if self.letters.retry(*key) {
                    todo.push(Todo::Send(*key));
                }
            }
            Command::Discard(key) => {
                self.letters.take_dead(*key);
            }
            Command::Assign { key, to, by } => self.assign(key, to, by),
            Command::Complete { key, by, result } => self.complete(now, key, by, result.as_deref(), todo),
            Command::Read { person, key } => self.read_inbox(now, person, key.as_deref(), todo),
            Command::Forget(user) => {
                self.advance(now, todo);
                self.forget(user, todo);
            }
        }
        if matches!(command, Command::Pause(_) | Command::Resume(_)) {
            todo.push(Todo::Look);
        }
    }

    /// When the machine's clock should say so by a [`Record::Tick`]: something is due before it.
    #[must_use]
    pub fn next_due(&self) -> Option<i64> {
        let timer = self.people.next_due().map(|due| due.saturating_add(1));
        let throttle = self.throttles.next_release().filter(|at| *at < i64::MAX);
        [timer, throttle].into_iter().flatten().min()
    }

    /// Nothing that is in it is later than this: the clock, and the machine's at the last record.
    #[must_use]
    pub fn latest(&self) -> i64 {
        self.clock.unwrap_or(i64::MIN).max(self.floor.saturating_add(LATE))
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> Option<i64> {
        self.clock
    }

    /// The messages that have no outcome, and those that have.
    #[must_use]
    pub fn letters(&self) -> &Letters {
        &self.letters
    }

    /// The questions to APIs that have no answer.
    #[must_use]
    pub fn asked(&self) -> &BTreeMap<Question, Asked> {
        &self.asked
    }

    /// How far each file was taken that is or was followed.
    #[must_use]
    pub fn followed(&self) -> &BTreeMap<String, Position> {
        &self.followed
    }

    /// What happened in the journeys.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What became of the inputs.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The latest inputs that could not be taken, oldest first.
    #[must_use]
    pub fn rejects(&self) -> &VecDeque<Reject> {
        &self.rejects
    }

    /// How many people there are.
    #[must_use]
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// How many messages wait for a throttle.
    #[must_use]
    pub fn throttled(&self) -> usize {
        self.throttles.waiting()
    }

    /// The program.
    #[must_use]
    pub fn setup(&self) -> &Arc<Setup> {
        &self.setup
    }

    /// The person whom an id means.
    #[must_use]
    pub fn person(&self, id: &str) -> Option<&Person> {
        let id = self.joined.target(id).map_or(id, |target| &target.id);
        self.people.get(self.people.find(id, hash_of(id))?)
    }

    /// The first person whose contact of a channel is one that `is` says. Looks at everybody:
    /// some tens of milliseconds for a million people, which a reply or a bounce is worth.
    #[must_use]
    pub fn who_has(&self, channel: ChannelId, is: impl Fn(&str) -> bool) -> Option<String> {
        let attribute = self.setup.program().channels.get(channel.index())?.contact?;
        let mut people = self.people.iter().filter_map(|slot| slot.person.as_ref());
        let found = people.find(|person| match self.setup.engine.attribute(person, attribute) {
            Value::Text(contact) => is(&contact),
            _ => false,
        });
        found.map(|person| person.id().to_owned())
    }

    /// Whether a message may leave now. What left late is judged again: quiet hours, and what the person has said since.
    #[must_use]
    pub fn may_leave(&self, letter: &Letter, now: i64) -> Leave {
        if now.saturating_sub(letter.time) < LATE {
            return Leave::Now;
        }
        match self.person(&letter.user) {
            Some(person) => self.setup.engine.may_leave(person, letter.channel, letter.topic, now),
            None => Leave::Now,
        }
    }

    /// Whether something is paused that holds the message.
    #[must_use]
    pub fn is_paused(&self, letter: &Letter) -> bool {
        self.letters.is_paused(self.setup.program(), letter)
    }

    /// What is paused.
    #[must_use]
    pub fn paused(&self) -> &BTreeSet<Scope> {
        &self.letters.paused
    }
}
