//! Snapshots: the state at a frame of the journal, so that a start need not begin with the first frame.
//!
//! A snapshot is a file `snapshot-<number of the next frame>.state` of frames: a name and version, the pieces of the state,
//! and an end that says how many there were. It is written under another name, read back, and only then given its
//! own. Two are kept: should the newer turn out damaged, the older and the journal since then give the same state.

use crate::disk::{Append, Disk};
use crate::frame;
use crate::host::Host;
use crate::journal::{self, disk, Failure};
use crate::setup::Setup;
use std::sync::Arc;

const HEADER: &[u8] = b"flow state 2";
const END: &[u8] = b"end";
const TEMPORARY: &str = "snapshot.new";
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
pub fn write<D: Disk>(disk_: &D, host: &Host, next: u64) -> Result<u64, Failure> {
    let mut file = disk_.create(TEMPORARY).map_err(disk("write a snapshot"))?;
    let mut number = 0;
    let mut put = |payload: &[u8]| {
        let mut bytes = Vec::with_capacity(payload.len() + frame::HEAD);
        frame::push(&mut bytes, number, |out| out.extend_from_slice(payload));
        number += 1;
        file.append(&bytes).map_err(disk("write a snapshot"))
    };
    put(HEADER)?;
    host.save(&mut put)?;
    put(END)?;
    file.sync().map_err(disk("make a snapshot certain (fsync)"))?;
    drop(file);
    let bytes = disk_.read(TEMPORARY).map_err(disk("read a snapshot back"))?;
    if pieces(&bytes).is_none_or(|pieces| pieces.len() as u64 + 2 != number) {
        let what = "what was written does not come back".to_owned();
        return Err(Failure::Damaged { file: TEMPORARY.to_owned(), offset: 0, what });
    }
    disk_.rename(TEMPORARY, &name(next)).map_err(disk("name a snapshot"))?;
    disk_.sync().map_err(disk("make a snapshot certain (fsync)"))?;
    tidy(disk_)?;
    Ok(bytes.len() as u64)
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

/// The pieces, if all of it is whole.
fn pieces(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let (mut pieces, mut at) = (Vec::new(), 0);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let frame = frame::first(rest).filter(|frame| frame.number == pieces.len() as u64)?;
        pieces.push(frame.payload);
        at += frame.length;
    }
    let (first, rest) = pieces.split_first()?;
    let (last, rest) = rest.split_last()?;
    (*first == HEADER && *last == END).then(|| rest.to_vec())
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
        let bytes = disk_.read(&file).map_err(disk(format!("read {file}")))?;
        let damaged = |what: String| Failure::Damaged { file: file.clone(), offset: 0, what };
        let Some(pieces) = pieces(&bytes) else {
            let failure = damaged("a part of the snapshot is not whole".to_owned());
            told(&failure);
            failed = Some(failure);
            continue;
        };
        let host = Host::restore(setup, pieces.into_iter());
        return Ok((host.map_err(|error| damaged(error.to_string()))?, next));
    }
    match failed {
        Some(failure) => Err(failure),
        None => Ok((Host::new(Arc::clone(setup)), 0)),
    }
}
