//! The one thread that has the state, and what it is driven by: calls, what became of attempts, the clock.
//!
//! It takes what lies ready, makes all of it certain with one write, and then tells everybody who waits: the more
//! comes at once, the less each has to wait for the disk.

use crate::clock;
use crate::core::{Begin, Core, Event};
use crate::deliver::Desk;
use crate::disk::Folder;
use crate::host::Host;
use crate::journal::Failure;
use crate::log::{say, Level};
use crate::plan::Plan;
use crate::record::{Command, Record};
use crate::renew::{self, Renewed, Version};
use crate::server::Outside;
use crate::shoot::Shooting;
use crate::store::Found;
use crate::trace::{Origin, Traces};
use flow_runtime::engine::succession::Answers;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{mpsc, Arc};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// So much may lie ready and not be certain; who comes then is asked to come again.
pub const MOST_WAITING: usize = 64 << 20;
/// So much becomes certain at once at most.
const AT_ONCE: usize = 4 << 20;
/// A snapshot is made when so much was written since the last, and as much as that has: so a start after a kill is short, and
/// snapshots do not write more than the journal.
const SNAPSHOT_BYTES: u64 = 64 << 20;
/// Two are kept; both must be younger than what is to be gone, and so must the journal be since the older.
const SNAPSHOTS_TO_ERASE: u8 = 2;
/// A clock that jumped is noticed within this time.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// So long a stop waits for attempts that are under way.
const LAST_ATTEMPTS: Duration = Duration::from_secs(10);

/// Why something was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// Too much lies ready; later there will be less.
    Full,
    /// The journal cannot be written.
    Broken,
    /// The server stops.
    Stopping,
}

type Look = Box<dyn FnOnce(&Host, Status) + Send>;

/// What the thread is told.
enum Told {
    Event(Event, usize, Option<Waiter>),
    Look(Look),
    Renew(Box<Renewal>),
    Snapshot(Option<oneshot::Sender<Result<(), String>>>),
    Snapped(Result<u64, String>),
    Stop,
}

/// A version to go on with.
struct Renewal {
    version: Version,
    answers: Answers,
    tell: oneshot::Sender<Result<Renewed, NotTaken>>,
}

/// Who waits until something is certain, and what that belongs to.
struct Waiter {
    tell: Tell,
    origin: Origin,
}

/// How the server is.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// The number of the next frame.
    pub next: u64,
    /// Attempts under way.
    pub under_way: usize,
    /// Whether the journal can be written.
    pub broken: bool,
}

/// The way to the thread.
#[derive(Clone)]
pub struct Handle {
    sender: Sender<Told>,
    waiting: Arc<AtomicUsize>,
    broken: Arc<AtomicBool>,
    inboxes: Arc<watch::Sender<u64>>,
}

impl Handle {
    /// Hears when an inbox has changed.
    #[must_use]
    pub fn inboxes(&self) -> watch::Receiver<u64> {
        self.inboxes.subscribe()
    }

    /// Hands over what came from outside, and waits until it is certain. `size` is about how many bytes it has.
    ///
    /// # Errors
    /// When it was not taken; it is not certain then.
    pub async fn take(&self, record: Record, size: usize) -> Result<(), NotTaken> {
        self.hand(Event::Record(record), size, None).await
    }

    /// The same within a span.
    ///
    /// # Errors
    /// See [`Self::take`].
    pub async fn take_within(&self, record: Record, size: usize, origin: Origin) -> Result<(), NotTaken> {
        self.hand(Event::Record(record), size, origin).await
    }

    /// The same for records of which all become certain or none.
    ///
    /// # Errors
    /// See [`Self::take`].
    pub async fn take_together(&self, records: Vec<Record>, size: usize) -> Result<(), NotTaken> {
        self.hand(Event::Together(records), size, None).await
    }

    async fn hand(&self, event: Event, size: usize, origin: Origin) -> Result<(), NotTaken> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(NotTaken::Broken);
        }
        let waiting = self.waiting.fetch_add(size, Ordering::Relaxed);
        if waiting > MOST_WAITING {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
            return Err(NotTaken::Full);
        }
        let (tell, told) = oneshot::channel();
        let sent = self.sender.send(Told::Event(event, size, Some(Waiter { tell, origin })));
        if sent.is_err() {
            return Err(NotTaken::Stopping);
        }
        told.await.unwrap_or(Err(NotTaken::Stopping))
    }

    /// Tells what came of an attempt, or what an API answered.
    pub fn tell(&self, event: Event) {
        // The server stops: the attempt is made again at the next start, under the same key.
        let _ = self.sender.send(Told::Event(event, 0, None));
    }

    /// Looks at the state.
    ///
    /// # Errors
    /// When the server stops.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Host, Status) -> T + Send + 'static,
    ) -> Result<T, NotTaken> {
        let (tell, told) = oneshot::channel();
        let look = Box::new(move |host: &Host, status: Status| {
            // Who asked has gone.
            let _ = tell.send(look(host, status));
        });
        self.sender.send(Told::Look(look)).map_err(|_| NotTaken::Stopping)?;
        told.await.map_err(|_| NotTaken::Stopping)
    }

    /// Makes a snapshot beside the running server.
    ///
    /// # Errors
    /// With a sentence, when it cannot be made.
    pub async fn snapshot(&self) -> Result<(), String> {
        let (tell, told) = oneshot::channel();
        let stopped = "the server stops".to_owned();
        self.sender.send(Told::Snapshot(Some(tell))).map_err(|_| stopped.clone())?;
        told.await.unwrap_or(Err(stopped))
    }

    /// Goes on with another version, if its plan can be followed. Gives what is reached without a key then, too.
    ///
    /// # Errors
    /// When the server stops, or the journal cannot be written.
    pub async fn renew(&self, version: Version, answers: Answers) -> Result<Renewed, NotTaken> {
        if self.is_broken() {
            return Err(NotTaken::Broken);
        }
        let (tell, told) = oneshot::channel();
        let renewal = Box::new(Renewal { version, answers, tell });
        self.sender.send(Told::Renew(renewal)).map_err(|_| NotTaken::Stopping)?;
        told.await.unwrap_or(Err(NotTaken::Stopping))
    }

    /// Ends the thread when what lies ready is done.
    pub fn stop(&self) {
        let _ = self.sender.send(Told::Stop);
    }

    /// Whether the journal can be written.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }
}

/// The thread's own side.
pub struct Live {
    core: Core<Folder>,
    desk: Desk,
    receiver: Receiver<Told>,
    handle: Handle,
    traces: Traces,
    written: u64,
    /// A snapshot is made when more was written.
    due: u64,
    /// A snapshot that is being made.
    shooting: Option<Shooting>,
    /// Its thread is not done.
    snapping: bool,
    /// Snapshots that are still to be made before nothing of somebody who was forgotten is on the disk.
    erasing: u8,
    wanted: Vec<oneshot::Sender<Result<(), String>>>,
    renewals: Vec<Renewal>,
    deadline: Option<Instant>,
}

/// The two ends.
#[must_use]
pub fn ends() -> (Handle, Inbox) {
    let (sender, receiver) = mpsc::channel();
    let inboxes = Arc::new(watch::Sender::new(0));
    let handle = Handle { sender, waiting: Arc::default(), broken: Arc::default(), inboxes };
    (handle, Inbox(receiver))
}

/// What comes in.
pub struct Inbox(Receiver<Told>);

impl Live {
    /// Puts the parts together.
    #[must_use]
    pub fn new(core: Core<Folder>, found: &Found, desk: Desk, ends: (Handle, Inbox), traces: Traces) -> Self {
        let (handle, inbox) = ends;
        Self {
            traces,
            core,
            desk,
            receiver: inbox.0,
            handle,
            written: 0,
            due: SNAPSHOT_BYTES,
            shooting: None,
            snapping: false,
            erasing: if found.forgot { SNAPSHOTS_TO_ERASE } else { 0 },
            wanted: Vec::new(),
            renewals: Vec::new(),
            deadline: None,
        }
    }

    /// Runs until it is stopped, and leaves a snapshot.
    pub fn run(mut self) {
        // What was not over when the server stopped last time.
        self.step(Vec::new(), Vec::new());
        loop {
            let (mut events, mut tells, mut size) = (Vec::new(), Vec::new(), 0);
            let mut next = self.next();
            while let Some(told) = next {
                self.sort(told, &mut events, &mut tells, &mut size);
                next = if size < AT_ONCE { self.receiver.try_recv().ok() } else { None };
            }
            self.step(events, tells);
            for renewal in std::mem::take(&mut self.renewals) {
                let renewed = self.renew(renewal.version, renewal.answers);
                // Who asked has gone.
                let _ = renewal.tell.send(renewed);
            }
            self.shoot();
            let over = |deadline: Instant| self.core.under_way() == 0 || Instant::now() >= deadline;
            if self.deadline.is_some_and(over) {
                return self.end();
            }
        }
    }

    fn next(&self) -> Option<Told> {
        let now = clock::now();
        let wake = self.core.next_wake().map_or(i64::MAX, |wake| wake.saturating_sub(now)).max(0);
        let sleep = Duration::from_millis(wake.unsigned_abs()).min(LONGEST_SLEEP);
        let sleep = if self.handle.is_broken() { LONGEST_SLEEP } else { sleep };
        let sleep = self.shooting.as_ref().map_or(sleep, |shooting| shooting.pause().min(sleep));
        match self.receiver.recv_timeout(sleep) {
            Ok(told) => Some(told),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Told::Stop),
        }
    }

    fn sort(&mut self, told: Told, events: &mut Vec<Event>, tells: &mut Vec<Waiter>, size: &mut usize) {
        match told {
            Told::Event(event, bytes, tell) => {
                *size += bytes;
                self.written += bytes as u64;
                self.handle.waiting.fetch_sub(bytes, Ordering::Relaxed);
                if matches!(event, Event::Record(Record::Command { command: Command::Forget(_), .. })) {
                    self.erasing = SNAPSHOTS_TO_ERASE;
                }
                events.push(event);
                tells.extend(tell);
            }
            Told::Look(look) => {
                let status = Status {
                    next: self.core.store().next(),
                    under_way: self.core.under_way(),
                    broken: self.handle.is_broken(),
                };
                look(self.core.host(), status);
            }
            Told::Renew(renewal) => self.renewals.push(*renewal),
            Told::Snapshot(tell) => {
                self.wanted.extend(tell);
                self.snapshot();
            }
            Told::Snapped(result) => self.snapped(result),
            Told::Stop => {
                self.deadline = Some(Instant::now() + LAST_ATTEMPTS);
                self.core.rest();
            }
        }
    }

    fn step(&mut self, events: Vec<Event>, mut waiters: Vec<Waiter>) {
        let answer = |waiters: Vec<Waiter>, answer: Result<(), NotTaken>| {
            waiters.into_iter().for_each(|waiter| drop(waiter.tell.send(answer.clone())));
        };
        if self.handle.is_broken() {
            return answer(waiters, Err(NotTaken::Broken));
        }
        let mut spans = self.traces.step(waiters.iter_mut().filter_map(|waiter| waiter.origin.take()).collect());
        match self.core.step_in_stages(clock::now(), events, &mut |stage| spans.stage(stage)) {
            Ok(begin) => {
                let origin = spans.end();
                answer(waiters, Ok(()));
                self.begin(begin, &origin);
                let version = self.core.host().stays().version();
                self.handle.inboxes.send_if_modified(|seen| std::mem::replace(seen, version) != version);
                if self.erasing == SNAPSHOTS_TO_ERASE {
                    self.core.rotate();
                }
                if self.written > self.due || self.erasing > 0 {
                    self.snapshot();
                }
            }
            Err(failure) => {
                self.breaks(&failure);
                answer(waiters, Err(NotTaken::Broken));
            }
        }
    }

    fn breaks(&self, failure: &Failure) {
        self.handle.broken.store(true, Ordering::Relaxed);
        say(Level::Error, "the journal cannot be written; nothing more is taken", &[("error", failure)]);
    }

    /// Goes on with another version. Whoever sends waits meanwhile.
    fn renew(&mut self, version: Version, answers: Answers) -> Result<Renewed, NotTaken> {
        if self.handle.is_broken() {
            return Err(NotTaken::Broken);
        }
        let Version { setup, outside: Outside { channels, apis, audiences, public: _ } } = version;
        let host = self.core.host();
        let same = host.setup().identity == setup.identity;
        let plan = match Plan::new(host, &setup, &answers) {
            Ok(plan) => plan,
            Err(why) => return Ok(Renewed::Refused(format!("{why}\n"))),
        };
        if plan.stranded() > 0 && !same {
            return Ok(Renewed::Stranded(format!("{plan}{}", renew::stranded(plan.stranded()))));
        }
        let (channels, policies) = channels.into_iter().unzip();
        match self.core.renew(clock::now(), &setup, answers, policies) {
            Ok(begin) => {
                self.desk.renew(channels, apis, audiences);
                self.begin(begin, &Origin::default());
                let people = self.core.host().people() as u64;
                say(Level::Info, "another version goes on", &[("people", &people), ("same", &same)]);
                Ok(Renewed::Done(renew::done(&plan, people, same)))
            }
            Err(failure) => {
                self.breaks(&failure);
                Err(NotTaken::Broken)
            }
        }
    }

    fn begin(&mut self, begin: Begin, origin: &Origin) {
        // What has not begun when the server stops begins at the next start.
        if self.deadline.is_some() {
            return;
        }
        for start in &begin.attempts {
            if let Some(letter) = self.core.host().letters().waiting.get(&start.key) {
                self.desk.deliver(self.core.host().setup().program(), letter, start.attempt, &self.handle, origin);
            }
        }
        if let Some((upto, changes)) = begin.changes {
            self.desk.tell(upto, changes, &self.handle);
        }
        for question in begin.questions {
            if let Some(asked) = self.core.host().asked().get(&question) {
                self.desk.ask(self.core.host().setup(), question, asked, &self.handle);
            }
        }
    }

    /// It is made a little at a time: nobody has to wait meanwhile.
    fn snapshot(&mut self) {
        if self.snapping || self.handle.is_broken() {
            return;
        }
        (self.snapping, self.written) = (true, 0);
        let sender = self.handle.sender.clone();
        let begun = self.core.store_mut().begin_snapshot().map_err(|failure| failure.to_string());
        let begun = begun.and_then(|(disk, next)| {
            Shooting::begin(disk, next, move |result| drop(sender.send(Told::Snapped(result))))
        });
        match begun {
            Ok(shooting) => self.shooting = Some(shooting),
            Err(error) => self.snapped(Err(error)),
        }
    }

    /// Goes on with a snapshot.
    fn shoot(&mut self) {
        let over = self.shooting.as_mut().is_some_and(|shooting| shooting.go_on(self.core.store_mut()));
        if over {
            self.shooting = None;
        }
    }

    fn snapped(&mut self, result: Result<u64, String>) {
        self.snapping = false;
        // When it could not be written.
        self.shooting = None;
        self.core.store_mut().drop_snapshot();
        if result.is_ok() {
            self.erasing = self.erasing.saturating_sub(1);
        }
        if self.erasing > 0 && result.is_ok() {
            // The next snapshot stands at another frame.
            let tick = Event::Record(Record::Tick { now: clock::now() });
            let _ = self.handle.sender.send(Told::Event(tick, 0, None));
        }
        match &result {
            Ok(bytes) => {
                self.due = SNAPSHOT_BYTES.max(*bytes);
                say(Level::Info, "a snapshot was made", &[("bytes", bytes)]);
            }
            Err(error) => say(Level::Warning, "a snapshot could not be made; the journal goes on", &[("error", error)]),
        }
        for tell in self.wanted.drain(..) {
            let _ = tell.send(result.clone().map(drop));
        }
    }

    fn end(mut self) {
        // Two snapshots at a time would write into one file. Of one that is not made, nothing is left.
        self.shooting = None;
        while self.snapping {
            match self.receiver.recv() {
                Ok(Told::Snapped(result)) => self.snapped(result),
                Ok(_) => {}
                Err(_) => return,
            }
        }
        if self.handle.is_broken() {
            return;
        }
        match self.core.store().snapshot() {
            Ok(_) => say(Level::Info, "stopped", &[("people", &self.core.host().people())]),
            Err(failure) => say(Level::Warning, "stopped without a snapshot", &[("error", &failure)]),
        }
    }
}

type Tell = oneshot::Sender<Result<(), NotTaken>>;
