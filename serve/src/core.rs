//! What the server does between two moments, without a clock, a network or a thread of its own: so that a simulation
//! can drive it as the server does.
//!
//! [`Core::step`] is the only place where order matters: what came in is made certain first; then it is taken; then
//! the senders are told, and what follows from it is begun. A crash anywhere between leaves either a record that nobody was
//! told of, or a record from which all that follows is made again.

use crate::disk::Disk;
use crate::host::{Host, Question, Todo};
use crate::journal::Failure;
use crate::outbox::{Outbox, Start};
use crate::record::{Delivered, Deployment, Record};
use crate::setup::Setup;
use crate::store::{Found, Refusal, Store};
use flow_channels::audiences::Change;
use flow_channels::retry::Schedule;
use flow_channels::{Outcome, Policy};
use flow_runtime::engine::succession::Answers;
use std::sync::Arc;
use std::time::Duration;

/// Something from outside.
#[derive(Debug)]
pub enum Event {
    /// To be written down as it is.
    Record(Record),
    /// To be written down as they are, all at once or none of them.
    Together(Vec<Record>),
    /// What came of an attempt.
    Finished {
        /// Which message.
        key: u64,
        /// What.
        outcome: Outcome,
    },
    /// What came of telling changes of audiences.
    Told {
        /// How many since the first of all.
        upto: u64,
        /// What.
        outcome: Outcome,
    },
}

/// What a step does, for whoever measures it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// So many records are made certain.
    Commit(usize),
    /// The engine takes so many.
    Engine(usize),
    /// Neither, until the next.
    Done,
}

/// What is to begin.
#[derive(Debug, Default)]
pub struct Begin {
    /// Attempts to hand over messages.
    pub attempts: Vec<Start>,
    /// Questions to APIs.
    pub questions: Vec<Question>,
    /// Changes of audiences to tell, and how many were told then.
    pub changes: Option<(u64, Vec<Change>)>,
}

/// When changes of audiences are told: one batch at a time, and not each one alone.
#[derive(Debug, Default)]
struct Telling {
    under_way: bool,
    failed: u32,
    not_before: i64,
}

/// Why a message is given up that may have been taken.
pub const UNCERTAIN: &str =
    "it may have been taken: the server stopped while it was being handed over, and `after_crash` says not to do that again";
/// So long changes of audiences are gathered.
const GATHERED: Duration = Duration::from_secs(5);
/// When they are told again.
const AGAIN: Schedule =
    Schedule::Exponential { first: Duration::from_secs(5), longest: Duration::from_secs(3_600), attempts: u32::MAX };

impl Telling {
    fn ended(&mut self, upto: u64, outcome: &Outcome, now: i64) -> Option<Record> {
        self.under_way = false;
        let (wait, record) = match outcome {
            Outcome::Retry { after, .. } => {
                self.failed = self.failed.saturating_add(1);
                (AGAIN.wait("audiences", self.failed, *after).unwrap_or(GATHERED), None)
            }
            _ => {
                self.failed = 0;
                (GATHERED, Some(Record::Told { now, upto }))
            }
        };
        self.not_before = now.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        record
    }
}

/// A store that is open, and its outbox.
pub struct Core<D: Disk> {
    store: Store<D>,
    outbox: Outbox,
    questions: Vec<Question>,
    /// Messages of which nobody knows whether they were taken, and which are not handed over again.
    uncertain: Vec<u64>,
    /// Nothing more begins.
    resting: bool,
    todo: Vec<Todo>,
    telling: Telling,
}

impl<D: Disk + Clone> Core<D> {
    /// Opens a store (a new one gets the secret), and takes up what is not over: messages without an outcome, questions without an answer.
    ///
    /// # Errors
    /// See [`Store::open`].
    pub fn open(
        disk: D,
        setup: Arc<Setup>,
        secret: [u8; 16],
        policies: Vec<Policy>,
        now: i64,
    ) -> Result<(Self, Found), Refusal> {
        let (store, found) = Store::open(disk, setup, secret)?;
        let mut outbox = Outbox::new(policies);
        let mut uncertain = Vec::new();
        for letter in store.host().letters().waiting.values() {
            match outbox.gives_up(store.host(), letter) {
                true => uncertain.push(letter.key),
                false => outbox.add(letter, now),
            }
        }
        let questions = store.host().asked().keys().cloned().collect();
        let (todo, telling) = (Vec::new(), Telling::default());
        Ok((Self { store, outbox, questions, uncertain, resting: false, todo, telling }, found))
    }

    /// Takes what has come, and lets time pass up to `now` (milliseconds since 1970). When this gives no error, all
    /// of it is certain.
    ///
    /// # Errors
    /// When the journal cannot be written. Then nothing of it was taken, and nothing more can be.
    pub fn step(&mut self, now: i64, events: Vec<Event>) -> Result<Begin, Failure> {
        self.step_in_stages(now, events, &mut |_| {})
    }

    /// The same, and tells what it does when.
    ///
    /// # Errors
    /// See [`Self::step`].
    pub fn step_in_stages(
        &mut self,
        now: i64,
        events: Vec<Event>,
        tell: &mut impl FnMut(Stage),
    ) -> Result<Begin, Failure> {
        let mut records = Vec::with_capacity(events.len() + 1);
        for key in std::mem::take(&mut self.uncertain) {
            let result = Delivered::Dead { reason: UNCERTAIN.to_owned(), suppress: false };
            records.push(Record::Outcome { now, key, result });
        }
        for event in events {
            match event {
                Event::Record(record) => records.push(record),
                Event::Together(several) => records.extend(several),
                Event::Finished { key, outcome } => {
                    records.extend(self.outbox.finished(self.store.host(), key, outcome, now));
                }
                Event::Told { upto, outcome } => records.extend(self.telling.ended(upto, &outcome, now)),
            }
        }
        // Behind the inputs: at one instant they come before timers.
        if self.store.host().next_due().is_some_and(|due| due <= now) {
            records.push(Record::Tick { now });
        }
        let mut begin = Begin::default();
        loop {
            self.take(now, &records, tell)?;
            records.clear();
            if !self.resting {
                begin.attempts.extend(self.outbox.start(self.store.host(), now, &mut records));
            }
            if records.is_empty() {
                break;
            }
        }
        begin.questions = std::mem::take(&mut self.questions);
        let stays = self.store.host().stays();
        if !self.telling.under_way && self.telling.not_before <= now && !stays.is_told() {
            self.telling.under_way = true;
            begin.changes = Some(stays.changes());
        }
        Ok(begin)
    }

    /// Goes on with another version, and with channels of these policies. With the same one, messages are made of what its
    /// templates say now.
    ///
    /// # Errors
    /// See [`Self::step`].
    pub fn renew(
        &mut self,
        now: i64,
        setup: &Arc<Setup>,
        answers: Answers,
        policies: Vec<Policy>,
    ) -> Result<Begin, Failure> {
        let names =
            |setup: &Setup| setup.program().channels.iter().map(|channel| channel.name.clone()).collect::<Vec<_>>();
        let was = names(self.store.host().setup());
        let is = names(setup);
        let same = self.store.host().setup().identity == setup.identity;
        self.store.prepare(setup);
        if !same {
            let deployment = Deployment { identity: setup.identity, source: setup.source.clone(), answers };
            self.take(now, &[Record::Deploy { now, deployment }], &mut |_| {})?;
            if let Some(why) = self.store.host().failed() {
                return Err(Failure::Broken(why.to_owned()));
            }
        }
        self.outbox.succeed(self.store.host(), &was, &is, policies);
        self.step(now, Vec::new())
    }

    fn take(&mut self, now: i64, records: &[Record], tell: &mut impl FnMut(Stage)) -> Result<(), Failure> {
        if records.is_empty() {
            return match self.store.broken() {
                Some(why) => Err(Failure::Broken(why.to_owned())),
                None => Ok(()),
            };
        }
        let mut todo = std::mem::take(&mut self.todo);
        tell(Stage::Commit(records.len()));
        self.store.write(records)?;
        tell(Stage::Engine(records.len()));
        self.store.apply(records, &mut todo);
        tell(Stage::Done);
        for one in todo.drain(..) {
            match one {
                Todo::Send(key) => {
                    if let Some(letter) = self.store.host().letters().waiting.get(&key) {
                        self.outbox.add(letter, now);
                    }
                }
                Todo::Ask(question) => self.questions.push(question),
                Todo::Stop(key) => self.outbox.stop(key),
                Todo::Look => self.outbox.look(self.store.host()),
            }
        }
        self.todo = todo;
        Ok(())
    }

    /// No attempt begins any more: the server stops.
    pub fn rest(&mut self) {
        self.resting = true;
    }

    /// When something is to be done though nothing comes in.
    #[must_use]
    pub fn next_wake(&self) -> Option<i64> {
        let telling = !self.telling.under_way && !self.store.host().stays().is_told();
        let telling = telling.then_some(self.telling.not_before);
        let outbox = self.outbox.next_wake().filter(|_| !self.resting);
        [self.store.host().next_due(), outbox, telling].into_iter().flatten().min()
    }

    /// The state.
    #[must_use]
    pub fn host(&self) -> &Host {
        self.store.host()
    }

    /// The store, for a snapshot while things go on.
    pub fn store_mut(&mut self) -> &mut Store<D> {
        &mut self.store
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store<D> {
        &self.store
    }

    /// Begins a new segment of the journal with the next commit.
    pub fn rotate(&mut self) {
        self.store.rotate();
    }

    /// How many attempts are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.outbox.under_way()
    }
}
