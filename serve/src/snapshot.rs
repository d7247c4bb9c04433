//! Snapshots: the state at a frame of the journal, so that a start need not begin with the first frame.
//!
//! A snapshot is a file `snapshot-<number of the next frame>.state` of frames: a name and version, the pieces of the state,
//! and an end that says how many there were. It is written under another name, read back, and only then given its
//! own. Two are kept: should the newer turn out damaged, the older and the journal since then give the same state.

use crate::disk::{Append, Disk};
use crate::frame::{self, Next};
use crate::host::state::Restoring;
use crate::host::Host;
use crate::journal::{self, disk, Failure};
use crate::setup::Setup;
use std::sync::Arc;

const HEADER: &[u8] = b"flow state 3";
const END: &[u8] = b"end";
const TEMPORARY: &str = "snapshot.new";
/// So much is written before it is made certain.
const AT_ONCE: usize = 8 << 20;
/// So many are kept.
const KEPT: usize = 2;

fn name(next: u64) -> String {
    format!("snapshot-{next:020}.state")
}

fn next_of(name: &str) -> Option<u64> {
    name.strip_prefix("snapshot-")?.strip_suffix(".state")?.parse().ok()
}

/// The snapshots on a disk, oldest first, each by the number of the frame after it.
///
/// # Errors
/// When the disk fails.
pub fn all(disk_: &impl Disk) -> Result<Vec<u64>, Failure> {
    let names = disk_.list().map_err(disk("list the store"))?;
    Ok(names.iter().filter_map(|name| next_of(name)).collect())
}

/// Writes the state before frame `next`, and removes what nobody needs any more. Gives how many bytes it has.
///
/// # Errors
/// When the disk fails, or what was written does not come back. The older snapshots are there then.
pub fn write<D: Disk + Clone>(disk: &D, host: &Host, next: u64) -> Result<u64, Failure> {
    let mut writer = Writer::begin(disk.clone(), next)?;
    host.save(|piece| writer.put(piece))?;
    writer.finish()
}

/// A snapshot that is being written, piece by piece.
pub struct Writer<D: Disk> {
    disk: D,
    next: u64,
    file: D::File,
    /// How many frames were written.
    number: u64,
    bytes: Vec<u8>,
    /// What was written and may not be certain.
    waiting: usize,
    length: u64,
}

impl<D: Disk> Writer<D> {
    /// Begins one of the state before frame `next`.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn begin(disk_: D, next: u64) -> Result<Self, Failure> {
        let file = disk_.create(TEMPORARY).map_err(disk("write a snapshot"))?;
        let mut writer = Self { disk: disk_, next, file, number: 0, bytes: Vec::new(), waiting: 0, length: 0 };
        writer.put(HEADER)?;
        Ok(writer)
    }

    /// Writes the next piece of the state.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn put(&mut self, piece: &[u8]) -> Result<(), Failure> {
        self.bytes.clear();
        frame::push(&mut self.bytes, self.number, |out| out.extend_from_slice(piece));
        self.file.append(&self.bytes).map_err(disk("write a snapshot"))?;
        self.number += 1;
        self.length += self.bytes.len() as u64;
        self.waiting += self.bytes.len();
        // A little at a time: the journal waits for the same disk.
        if self.waiting > AT_ONCE {
            self.sync()?;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Failure> {
        self.waiting = 0;
        self.file.sync().map_err(disk("make a snapshot certain (fsync)"))
    }

    /// Makes it certain, reads it back, gives it its name, and removes what nobody needs any more. Gives how many bytes it has.
    ///
    /// # Errors
    /// When the disk fails, or what was written does not come back. The older snapshots are there then.
    pub fn finish(mut self) -> Result<u64, Failure> {
        self.put(END)?;
        self.sync()?;
        let Self { disk: disk_, next, file, number, length, .. } = self;
        drop(file);
        let mut pieces = 0;
        let whole = read(&disk_, TEMPORARY, |_| {
            pieces += 1;
            Ok(())
        })?;
        if !whole || pieces + 2 != number {
            let what = "what was written does not come back".to_owned();
            return Err(Failure::Damaged { file: TEMPORARY.to_owned(), offset: 0, what });
        }
        disk_.rename(TEMPORARY, &name(next)).map_err(disk("name a snapshot"))?;
        disk_.sync().map_err(disk("make a snapshot certain (fsync)"))?;
        tidy(&disk_)?;
        Ok(length)
    }
}

/// Removes snapshots beyond the two newest, and what of the journal lies before both.
fn tidy(disk_: &impl Disk) -> Result<(), Failure> {
    let all = all(disk_)?;
    let (old, kept) = all.split_at(all.len().saturating_sub(KEPT));
    for next in old {
        disk_.remove(&name(*next)).map_err(disk("remove an old snapshot"))?;
    }
    if let (KEPT, Some(oldest)) = (kept.len(), kept.first()) {
        journal::prune(disk_, *oldest).map_err(disk("remove an old part of the journal"))?;
    }
    Ok(())
}

/// Gives the pieces of a snapshot; says whether all of it is whole.
fn read(disk_: &impl Disk, file: &str, mut piece: impl FnMut(&[u8]) -> Result<(), Failure>) -> Result<bool, Failure> {
    let failed = || disk(format!("read {file}"));
    let mut reader = disk_.reader(file).map_err(failed())?;
    let (mut payload, mut number, mut ended) = (Vec::new(), 0, false);
    loop {
        match frame::read(&mut reader, &mut payload).map_err(failed())? {
            Next::End => return Ok(ended),
            Next::Frame(found) if found == number && !ended => {
                match number {
                    0 if payload != HEADER => return Ok(false),
                    0 => {}
                    _ if payload == END => ended = true,
                    _ => piece(&payload)?,
                }
                number += 1;
            }
            Next::Frame(_) | Next::Damage => return Ok(false),
        }
    }
}

/// The state from the newest snapshot that is whole, and the number of the frame after it; without any snapshot, the
/// state before everything. `told` hears of snapshots that are damaged.
///
/// # Errors
/// When the disk fails, or when all snapshots are damaged.
pub fn newest(disk_: &impl Disk, setup: &Arc<Setup>, mut told: impl FnMut(&Failure)) -> Result<(Host, u64), Failure> {
    first_whole(disk_, setup, all(disk_)?.into_iter().rev(), &mut told)
}

/// The same from the oldest one: for who wants to know what happened since.
///
/// # Errors
/// See [`newest`].
pub fn oldest(disk_: &impl Disk, setup: &Arc<Setup>) -> Result<(Host, u64), Failure> {
    // A journal that begins with its first frame needs no snapshot.
    if journal::segments(disk_).map_err(disk("list the store"))?.first() == Some(&0) {
        return Ok((Host::new(Arc::clone(setup)), 0));
    }
    first_whole(disk_, setup, all(disk_)?.into_iter(), &mut |_| {})
}

fn first_whole(
    disk_: &impl Disk,
    setup: &Arc<Setup>,
    order: impl Iterator<Item = u64>,
    told: &mut impl FnMut(&Failure),
) -> Result<(Host, u64), Failure> {
    let mut failed = None;
    for next in order {
        let file = name(next);
        let damaged = |what: String| Failure::Damaged { file: file.clone(), offset: 0, what };
        let mut restoring = Restoring::new(setup);
        let taken = read(disk_, &file, |piece| restoring.take(piece).map_err(|error| damaged(error.to_string())))?;
        if taken {
            return Ok((restoring.done().map_err(|error| damaged(error.to_string()))?, next));
        }
        let failure = damaged("a part of the snapshot is not whole".to_owned());
        told(&failure);
        failed = Some(failure);
    }
    match failed {
        Some(failure) => Err(failure),
        None => Ok((Host::new(Arc::clone(setup)), 0)),
    }
}
