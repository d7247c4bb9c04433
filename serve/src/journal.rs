//! The journal: what came from outside, in the order in which it was taken.
//!
//! It lies in segments, `journal-<number of the first frame>.log`. Each begins with [`HEADER`] in a frame of its own number
//! and goes on with frames; a frame is one commit: some records, written at once and made certain before anybody is
//! told. So of the last segment alone the last frame alone can be torn by a crash, and is cut off. A frame that is
//! not whole anywhere else is damage, and nothing is guessed then.

use crate::disk::{Append, Disk};
use crate::frame;
use crate::record::Record;
use flow_runtime::pack::{Damaged, Unpack};
use std::fmt;
use std::io;

/// What a segment begins with: a name and the version of the format.
pub const HEADER: &[u8] = b"flow journal 2";
/// A segment is closed when it is longer.
pub const SEGMENT: u64 = 64 << 20;

/// A journal that is open for writing.
pub struct Journal<D: Disk> {
    disk: D,
    file: D::File,
    /// How long the open segment is.
    length: u64,
    /// The number of the next frame.
    next: u64,
    /// The next commit begins a new segment.
    full: bool,
    buffer: Vec<u8>,
    broken: Option<String>,
}

/// Why the journal cannot be read or written.
#[derive(Debug)]
pub enum Failure {
    /// The disk failed.
    Disk(String, io::Error),
    /// What stands there is not what was written.
    Damaged {
        /// The file.
        file: String,
        /// Where in it, in bytes.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// An earlier failure; what is certain on the disk is not known any more.
    Broken(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(what, error) => write!(f, "cannot {what}: {error}"),
            Self::Damaged { file, offset, what } => write!(
                f,
                "{file} is damaged at byte {offset}: {what}. Nothing was changed; put back the folder from a backup, \
                 or that file from another copy"
            ),
            Self::Broken(why) => write!(f, "the journal takes nothing more since it failed once ({why}); start again"),
        }
    }
}

impl std::error::Error for Failure {}

/// Names the deed that failed.
pub fn disk(what: impl Into<String>) -> impl FnOnce(io::Error) -> Failure {
    move |error| Failure::Disk(what.into(), error)
}

fn name(first: u64) -> String {
    format!("journal-{first:020}.log")
}

fn first_of(name: &str) -> Option<u64> {
    name.strip_prefix("journal-")?.strip_suffix(".log")?.parse().ok()
}

/// The segments on a disk, by their first frames.
///
/// # Errors
/// When the disk cannot be read.
pub fn segments(disk: &impl Disk) -> io::Result<Vec<u64>> {
    Ok(disk.list()?.iter().filter_map(|name| first_of(name)).collect())
}

/// Reads all frames from number `from` on, gives their records to `take`, and opens the journal behind them. A torn
/// end is cut off. What was read is certain on the disk afterwards: a process that died may have left it in memory alone.
/// An empty folder becomes an empty journal.
///
/// # Errors
/// When the disk fails, when something is damaged, when frames from `from` on are missing, or when `take` fails.
pub fn open<D: Disk>(
    disk_: D,
    from: u64,
    take: impl FnMut(u64, Record) -> Result<(), Failure>,
) -> Result<Journal<D>, Failure> {
    let Some(end) = scan(&disk_, from, u64::MAX, take)? else { return Journal::begin(disk_, from) };
    if end.length == 0 {
        // The crash came before the new segment was certain.
        disk_.remove(&name(end.first)).map_err(disk("remove an empty segment"))?;
        return Journal::begin(disk_, end.first);
    }
    let mut file = disk_.append(&name(end.first), end.length).map_err(disk("open the journal"))?;
    file.sync().map_err(disk("make the journal certain (fsync)"))?;
    disk_.sync().map_err(disk("make the journal certain (fsync)"))?;
    Ok(Journal { disk: disk_, file, length: end.length, next: end.next, full: false, buffer: Vec::new(), broken: None })
}

/// Begins a journal with frame `first`: all before it is in a snapshot.
///
/// # Errors
/// When the disk fails.
pub fn begin<D: Disk>(disk: &D, first: u64) -> Result<(), Failure> {
    segment(disk, first).map(drop)
}

/// Where a journal ends.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// The first frame of the last segment.
    pub first: u64,
    /// The number of the next frame.
    pub next: u64,
    /// How much of the last segment is whole; 0: not even its header.
    pub length: u64,
}

/// Reads the frames with numbers from `from` up to `to`, and gives their records to `take`. A journal that is being
/// written may be read up to a frame that is certain. None: there is no journal.
///
/// # Errors
/// See [`open`].
pub fn scan(
    disk_: &impl Disk,
    from: u64,
    to: u64,
    mut take: impl FnMut(u64, Record) -> Result<(), Failure>,
) -> Result<Option<End>, Failure> {
    let all = segments(disk_).map_err(disk("list the store"))?;
    let missing = |file: String, at| {
        let what = format!("the frames from {at} on are missing before it");
        Failure::Damaged { file, offset: 0, what }
    };
    let Some(begin) = all.iter().rposition(|first| *first <= from) else {
        return match all.first() {
            Some(first) => Err(missing(name(*first), from)),
            None if from > 0 => Err(missing("the journal".to_owned(), 0)),
            None => Ok(None),
        };
    };
    let all = all.get(begin..).unwrap_or_default();
    let mut next = all.first().copied().unwrap_or(from);
    let mut end = None;
    for (place, first) in all.iter().enumerate() {
        let file = name(*first);
        if *first >= to && place > 0 {
            break;
        }
        let bytes = disk_.read(&file).map_err(disk(format!("read {file}")))?;
        if *first != next {
            return Err(missing(file, next));
        }
        let last = place + 1 == all.len();
        let read = read(&file, &bytes, *first, last, |number, record| match number < from || number >= to {
            true => Ok(()),
            false => take(number, record),
        })?;
        next = read.next;
        end = Some(End { first: *first, next, length: read.length });
    }
    match end {
        Some(end) if end.next < from || (to < u64::MAX && end.next < to) => {
            let what = format!("it ends before frame {}, which was certain", from.max(end.next));
            Err(Failure::Damaged { file: name(end.first), offset: end.length, what })
        }
        end => Ok(end),
    }
}

struct Segment {
    next: u64,
    length: u64,
}

fn read(
    file: &str,
    bytes: &[u8],
    first: u64,
    last: bool,
    mut take: impl FnMut(u64, Record) -> Result<(), Failure>,
) -> Result<Segment, Failure> {
    let damaged = |offset: usize, what: String| Failure::Damaged { file: file.to_owned(), offset: offset as u64, what };
    let (mut at, mut next, mut header) = (0, first, true);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(whole) = frame::first(rest) else {
            // Frames are certain before the next one is written: one behind this place means that this one was whole.
            if last && !frame::any(rest, next) {
                break;
            }
            return Err(damaged(at, "a frame in the middle is not whole".to_owned()));
        };
        if whole.number != next {
            return Err(damaged(at, format!("frame {} stands where {next} should", whole.number)));
        }
        if header {
            if whole.payload != HEADER {
                return Err(damaged(at, "it is no journal of this version".to_owned()));
            }
            header = false;
        } else {
            let records = records(whole.payload).map_err(|error| damaged(at, error.to_string()))?;
            for record in records {
                take(next, record)?;
            }
            next += 1;
        }
        at += whole.length;
    }
    if header && !last {
        return Err(damaged(0, "it is empty".to_owned()));
    }
    Ok(Segment { next, length: at as u64 })
}

/// The records of a frame.
fn records(payload: &[u8]) -> Result<Vec<Record>, Damaged> {
    let mut read = Unpack::new(payload);
    let mut records = Vec::new();
    while !read.is_empty() {
        records.push(Record::unpack(&mut read)?);
    }
    Ok(records)
}

impl<D: Disk> Journal<D> {
    fn begin(disk_: D, first: u64) -> Result<Self, Failure> {
        let (file, length) = segment(&disk_, first)?;
        Ok(Self { disk: disk_, file, length, next: first, full: false, buffer: Vec::new(), broken: None })
    }

    /// The number of the next frame: all before it are certain.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Where it lies.
    #[must_use]
    pub fn disk(&self) -> &D {
        &self.disk
    }

    /// Why nothing more can be written, if so.
    #[must_use]
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Begins a new segment with the next commit.
    pub fn rotate(&mut self) {
        self.full = true;
    }

    /// Writes records as one frame, and makes it certain. When this gives no error, a crash cannot take them back.
    ///
    /// # Errors
    /// When the disk fails. Then nobody knows what it holds, and every later call fails as well.
    pub fn commit(&mut self, records: &[Record]) -> Result<(), Failure> {
        if let Some(why) = &self.broken {
            return Err(Failure::Broken(why.clone()));
        }
        let written = self.write(records);
        if let Err(failure) = &written {
            self.broken = Some(failure.to_string());
        }
        written
    }

    fn write(&mut self, records: &[Record]) -> Result<(), Failure> {
        if self.length > SEGMENT || self.full {
            let (file, length) = segment(&self.disk, self.next)?;
            (self.file, self.length, self.full) = (file, length, false);
        }
        self.buffer.clear();
        frame::push(&mut self.buffer, self.next, |out| records.iter().for_each(|record| record.pack(out)));
        self.file.append(&self.buffer).map_err(disk("write to the journal"))?;
        self.file.sync().map_err(disk("make the journal certain (fsync)"))?;
        self.length += self.buffer.len() as u64;
        self.next += 1;
        // One large commit must not hold its room for ever.
        if self.buffer.capacity() > 8 << 20 {
            self.buffer = Vec::new();
        }
        Ok(())
    }
}

/// Removes the segments whose frames all lie before `from`; the last one stays.
///
/// # Errors
/// When the disk fails.
pub fn prune(disk: &impl Disk, from: u64) -> io::Result<()> {
    let all = segments(disk)?;
    for (first, behind) in all.iter().zip(all.iter().skip(1)) {
        if *behind <= from {
            disk.remove(&name(*first))?;
        }
    }
    Ok(())
}

fn segment<D: Disk>(disk_: &D, first: u64) -> Result<(D::File, u64), Failure> {
    let mut bytes = Vec::new();
    frame::push(&mut bytes, first, |out| out.extend_from_slice(HEADER));
    let mut file = disk_.create(&name(first)).map_err(disk("make a segment of the journal"))?;
    file.append(&bytes).map_err(disk("write to the journal"))?;
    file.sync().map_err(disk("make the journal certain (fsync)"))?;
    disk_.sync().map_err(disk("make the journal certain (fsync)"))?;
    Ok((file, bytes.len() as u64))
}
