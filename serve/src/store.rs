//! The store: a journal, snapshots, and the state that follows from them.

use crate::disk::Disk;
use crate::host::walk::Walked;
use crate::host::{Host, Todo};
use crate::journal::{self, Failure, Journal};
use crate::record::{Command, Record};
use crate::setup::Setup;
use crate::snapshot;
use std::sync::Arc;

/// A store that is open.
pub struct Store<D: Disk> {
    journal: Journal<D>,
    host: Host,
}

/// What opening a store found.
#[derive(Debug, Default)]
pub struct Found {
    /// The frame at which the snapshot stood; 0: there was none.
    pub snapshot: u64,
    /// How many records of the journal were taken after it.
    pub records: u64,
    /// Whether somebody was forgotten among them: then older files still hold what was known of them.
    pub forgot: bool,
    /// What was not as it should be, and did no harm.
    pub warnings: Vec<String>,
}

/// Why a store cannot be opened.
#[derive(Debug)]
pub enum Refusal {
    /// The disk, or what stands there.
    Failure(Failure),
    /// People in it are in the journeys of another version.
    OtherProgram,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failure(failure) => failure.fmt(f),
            Self::OtherProgram => write!(
                f,
                "the people in this store are in the journeys of another version of the program. `flowc plan` shows what \
                 this one means for them, and `flowc deploy` lets it go on with them"
            ),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// The state that records lead to: the first of them says by which version.
pub(crate) struct Replay {
    host: Host,
    setup: Arc<Setup>,
    todo: Vec<Todo>,
}

impl Replay {
    pub(crate) fn new(host: Host, setup: &Arc<Setup>) -> Self {
        Self { host, setup: Arc::clone(setup), todo: Vec::new() }
    }

    pub(crate) fn done(self) -> Host {
        self.host
    }

    pub(crate) fn take(&mut self, record: &Record) -> Result<(), Failure> {
        match record {
            Record::Program { identity, source } => {
                let watch = self.host.unwatch();
                self.host = Host::first(&self.setup, *identity, source).map_err(Failure::Broken)?;
                watch.into_iter().for_each(|watch| self.host.watch(watch));
            }
            record => self.host.apply(record, &mut self.todo),
        }
        self.todo.clear();
        match self.host.failed() {
            Some(why) => Err(Failure::Broken(why.to_owned())),
            None => Ok(()),
        }
    }
}

impl<D: Disk + Clone> Store<D> {
    /// Opens a store: the newest snapshot, and what the journal holds since then. A new store gets the secret.
    ///
    /// # Errors
    /// When the disk fails, something is damaged, or people in it are in the journeys of another version.
    pub fn open(disk: D, setup: Arc<Setup>, secret: [u8; 16]) -> Result<(Self, Found), Refusal> {
        let wanted = setup.identity;
        let (store, found) = Self::open_any(disk, setup, secret)?;
        match store.host.setup().identity == wanted {
            true => Ok((store, found)),
            false => Err(Refusal::OtherProgram),
        }
    }

    /// The same, whichever version people are in.
    ///
    /// # Errors
    /// When the disk fails, or something is damaged.
    pub fn open_any(disk: D, setup: Arc<Setup>, secret: [u8; 16]) -> Result<(Self, Found), Refusal> {
        let mut found = Found::default();
        let (host, next) = snapshot::newest(&disk, &setup, |failure| found.warnings.push(failure.to_string()))?;
        found.snapshot = next;
        let mut replay = Replay::new(host, &setup);
        let journal = journal::open(disk, next, |_, record| {
            found.forgot |= matches!(record, Record::Command { command: Command::Forget(_), .. });
            found.records += 1;
            replay.take(&record)
        })?;
        if let Some(why) = replay.host.failed() {
            return Err(Refusal::Failure(Failure::Broken(why.to_owned())));
        }
        let mut store = Self { journal, host: replay.host };
        if store.journal.next() == 0 {
            let program = Record::Program { identity: setup.identity, source: setup.source.clone() };
            store.commit(&[program, Record::Secret(secret)], &mut Vec::new())?;
        }
        Ok((store, found))
    }

    /// Makes records certain, and then takes them. `todo` hears what is to be done; nothing of it may be done when this
    /// fails.
    ///
    /// # Errors
    /// When the disk fails; the records were not taken then, and nothing more can be.
    pub fn commit(&mut self, records: &[Record], todo: &mut Vec<Todo>) -> Result<(), Failure> {
        self.write(records)?;
        self.apply(records, todo);
        Ok(())
    }

    /// The first half of [`Self::commit`]: makes records certain.
    ///
    /// # Errors
    /// See [`Self::commit`].
    pub(crate) fn write(&mut self, records: &[Record]) -> Result<(), Failure> {
        self.journal.commit(records)
    }

    /// The second half: takes them.
    pub(crate) fn apply(&mut self, records: &[Record], todo: &mut Vec<Todo>) {
        for record in records {
            self.host.apply(record, todo);
        }
    }

    /// Begins a new segment of the journal with the next commit.
    pub fn rotate(&mut self) {
        self.journal.rotate();
    }

    /// The state.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The number of the next frame: all before it are certain.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.journal.next()
    }

    /// Why nothing more can be taken, if so.
    #[must_use]
    pub fn broken(&self) -> Option<&str> {
        self.journal.broken()
    }

    /// Writes a snapshot of the state as it is. Gives how many bytes it has.
    ///
    /// # Errors
    /// When the disk fails. The store is none the worse for it.
    pub fn snapshot(&self) -> Result<u64, Failure> {
        if let Some(why) = self.journal.broken() {
            return Err(Failure::Broken(why.to_owned()));
        }
        snapshot::write(self.journal.disk(), &self.host, self.journal.next())
    }

    /// Puts a version at hand, which a deployment may then go on with. The same one takes the place of the one so far: what its
    /// templates say may have changed.
    pub(crate) fn prepare(&mut self, setup: &Arc<Setup>) {
        self.host.prepare(setup);
    }

    /// Begins a snapshot of the state as it is, which is written while things go on ([`Self::walk`]): gives where to.
    ///
    /// # Errors
    /// When nothing is certain any more.
    pub fn begin_snapshot(&mut self) -> Result<(D, u64), Failure> {
        if let Some(why) = self.journal.broken() {
            return Err(Failure::Broken(why.to_owned()));
        }
        self.host.begin_walk();
        Ok((self.journal.disk().clone(), self.journal.next()))
    }

    /// Goes on with a snapshot by so many people, and gives the pieces that are ready.
    pub fn walk(&mut self, some: usize, piece: impl FnMut(Vec<u8>)) -> Walked {
        self.host.walk(some, piece)
    }

    /// Does not go on with it.
    pub fn drop_snapshot(&mut self) {
        self.host.drop_walk();
    }
}

/// The state before frame `to` of a store that may be open elsewhere, or, if there are not so many, after all that is certain; and
/// the number of the next frame.
///
/// # Errors
/// When the disk fails or something is damaged.
pub fn state_before<D: Disk>(disk: &D, setup: &Arc<Setup>, to: u64) -> Result<(Host, u64), Failure> {
    let (host, next) = snapshot::newest(disk, setup, |_| {})?;
    let mut replay = Replay::new(host, setup);
    let end = journal::scan(disk, next, to, |_, record| replay.take(&record))?;
    Ok((replay.host, end.map_or(next, |end| end.next.min(to))))
}
