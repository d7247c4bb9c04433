//! The store: a journal, snapshots, and the state that follows from them.

use crate::disk::Disk;
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
    /// It was written by another program.
    OtherProgram,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failure(failure) => failure.fmt(f),
            Self::OtherProgram => write!(
                f,
                "the people in this store are in the journeys of another version of the program. Start that version, or give \
                 this one a store of its own"
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

impl<D: Disk> Store<D> {
    /// Opens a store: the newest snapshot, and what the journal holds since then. A new store gets the secret.
    ///
    /// # Errors
    /// When the disk fails, something is damaged, or it was written by another program.
    pub fn open(disk: D, setup: Arc<Setup>, secret: [u8; 16]) -> Result<(Self, Found), Refusal> {
        let mut found = Found::default();
        let (mut host, next) = match snapshot::newest(&disk, &setup, |failure| found.warnings.push(failure.to_string()))
        {
            Err(Failure::Damaged { what, .. }) if what.ends_with("state of this program") => {
                return Err(Refusal::OtherProgram)
            }
            other => other?,
        };
        found.snapshot = next;
        let (mut todo, mut other_program) = (Vec::new(), false);
        let journal = journal::open(disk, next, |_, record| {
            found.forgot |= matches!(record, Record::Command { command: Command::Forget(_), .. });
            other_program |= matches!(record, Record::Program { identity } if identity != setup.identity);
            if !other_program {
                host.apply(&record, &mut todo);
                todo.clear();
            }
            found.records += 1;
            Ok(())
        })?;
        if other_program {
            return Err(Refusal::OtherProgram);
        }
        let mut store = Self { journal, host };
        if store.journal.next() == 0 {
            let begin = [Record::Program { identity: setup.identity }, Record::Secret(secret)];
            store.commit(&begin, &mut Vec::new())?;
        }
        Ok((store, found))
    }

    /// Makes records certain, and then takes them. `todo` hears what is to be done; nothing of it may be done when this
    /// fails.
    ///
    /// # Errors
    /// When the disk fails; the records were not taken then, and nothing more can be.
    pub fn commit(&mut self, records: &[Record], todo: &mut Vec<Todo>) -> Result<(), Failure> {
        self.journal.commit(records)?;
        for record in records {
            self.host.apply(record, todo);
        }
        Ok(())
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

    /// Writes a snapshot of the state as it is.
    ///
    /// # Errors
    /// When the disk fails. The store is none the worse for it.
    pub fn snapshot(&self) -> Result<(), Failure> {
        if let Some(why) = self.journal.broken() {
            return Err(Failure::Broken(why.to_owned()));
        }
        snapshot::write(self.journal.disk(), &self.host, self.journal.next())
    }
}

/// Writes a snapshot of the state before frame `to` from the older snapshot and the journal alone, while the store is
/// being written: whoever answers does not have to stand still meanwhile.
///
/// # Errors
/// When the disk fails or something is damaged.
pub fn snapshot_beside<D: Disk>(disk: &D, setup: &Arc<Setup>, to: u64) -> Result<(), Failure> {
    let (mut host, next) = snapshot::newest(disk, setup, |_| {})?;
    let mut todo = Vec::new();
    journal::scan(disk, next, to, |_, record| {
        host.apply(&record, &mut todo);
        todo.clear();
        Ok(())
    })?;
    snapshot::write(disk, &host, to)
}
