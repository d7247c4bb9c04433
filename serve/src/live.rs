//! The one thread that has the state, and what it is driven by: calls, what became of attempts, the clock.
//!
//! It takes what lies ready, makes all of it certain with one write, and then tells everybody who waits: the more
//! comes at once, the less each has to wait for the disk.

use crate::clock;
use crate::core::{Begin, Core, Event};
use crate::deliver::Desk;
use crate::disk::Folder;
use crate::host::Host;
use crate::log::{say, Level};
use crate::record::{Command, Record};
use crate::store::{snapshot_beside, Found};
use crate::trace::{Origin, Traces};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{mpsc, Arc};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// So much may lie ready and not be certain; who comes then is asked to come again.
pub const MOST_WAITING: usize = 64 << 20;
/// So much becomes certain at once at most.
const AT_ONCE: usize = 4 << 20;
/// A snapshot is made when so much was written since the last, and twice as much as that has: to make one, the last is read and
/// all since then is taken once more, which must not cost more than the calls themselves.
const SNAPSHOT_BYTES: u64 = 256 << 20;
/// Whoever makes a snapshot waits for those who take calls (the nice value of its thread).
#[cfg(target_os = "linux")]
const SNAPSHOT_NICE: i32 = 10;
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
    Snapshot(Option<oneshot::Sender<Result<(), String>>>),
    Snapped(Result<u64, String>),
    Stop,
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
    disk: Folder,
    desk: Desk,
    receiver: Receiver<Told>,
    handle: Handle,
    traces: Traces,
    written: u64,
    /// A snapshot is made when more was written.
    due: u64,
    snapping: bool,
    /// Snapshots that are still to be made before nothing of somebody who was forgotten is on the disk.
    erasing: u8,
    wanted: Vec<oneshot::Sender<Result<(), String>>>,
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
    pub fn new(
        core: Core<Folder>,
        found: &Found,
        disk: Folder,
        desk: Desk,
        ends: (Handle, Inbox),
        traces: Traces,
    ) -> Self {
        let (handle, inbox) = ends;
        Self {
            traces,
            core,
            disk,
            desk,
            receiver: inbox.0,
            handle,
            written: 0,
            due: SNAPSHOT_BYTES,
            snapping: false,
            erasing: if found.forgot { SNAPSHOTS_TO_ERASE } else { 0 },
            wanted: Vec::new(),
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
                self.handle.broken.store(true, Ordering::Relaxed);
                say(Level::Error, "the journal cannot be written; nothing more is taken", &[("error", &failure)]);
                answer(waiters, Err(NotTaken::Broken));
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

    /// Another thread makes it, from the last one and the journal: nobody has to wait meanwhile.
    fn snapshot(&mut self) {
        if self.snapping || self.handle.is_broken() {
            return;
        }
        (self.snapping, self.written, self.erasing) = (true, 0, self.erasing.saturating_sub(1));
        let (disk, setup, next) = (self.disk.clone(), Arc::clone(self.core.host().setup()), self.core.store().next());
        let sender = self.handle.sender.clone();
        let thread = std::thread::Builder::new().name("snapshot".to_owned()).spawn(move || {
            // On Linux this is about the calling thread alone. Without the right to it, it is made all the same.
            #[cfg(target_os = "linux")]
            let _ = rustix::process::setpriority_process(None, SNAPSHOT_NICE);
            let result = snapshot_beside(&disk, &setup, next).map_err(|failure| failure.to_string());
            let _ = sender.send(Told::Snapped(result));
        });
        if let Err(error) = thread {
            self.snapped(Err(error.to_string()));
        }
    }

    fn snapped(&mut self, result: Result<u64, String>) {
        self.snapping = false;
        if self.erasing > 0 {
            // The next snapshot stands at another frame.
            let tick = Event::Record(Record::Tick { now: clock::now() });
            let _ = self.handle.sender.send(Told::Event(tick, 0, None));
        }
        match &result {
            Ok(bytes) => {
                self.due = SNAPSHOT_BYTES.max(bytes.saturating_mul(2));
                say(Level::Info, "a snapshot was made", &[("bytes", bytes)]);
            }
            Err(error) => say(Level::Warning, "a snapshot could not be made; the journal goes on", &[("error", error)]),
        }
        for tell in self.wanted.drain(..) {
            let _ = tell.send(result.clone().map(drop));
        }
    }

    fn end(mut self) {
        // Two snapshots at a time would write into one file.
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
