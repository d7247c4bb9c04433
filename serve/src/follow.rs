//! Following a file that grows: which of its lines are new, over crashes, rotation and cutting.
//!
//! How far it was taken ([`Position`]) stands in the journal in the same frame as the calls, so that no line is lost or taken
//! twice, with or without a `messageId`. A file is known again by what stands at its beginning and right before that
//! place, whatever it is called by then. Pure but for [`Place`], so that a simulation can drive it.

use flow_runtime::pack::{self, Read, Unpack};
use memchr::{memchr, memrchr};
use std::io;
use xxhash_rust::xxh3::Xxh3;

/// So much is taken at once at most, in bytes. A line that is longer is searched to its end and set aside.
pub const CHUNK: usize = 256 << 10;
/// When another file has the name, the older one may still be written to for so long, in milliseconds.
pub const GRACE: i64 = 5_000;
/// So much of the beginning, and of what stands before the place, a file is known by.
const KNOWN_BY: u64 = 1_024;

/// How far a file was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Bytes from its beginning.
    pub offset: u64,
    /// Its number on the disk.
    pub inode: u64,
    /// A hash of what it is known by.
    pub mark: u64,
}

impl Position {
    /// Appends it.
    pub fn pack(&self, out: &mut Vec<u8>) {
        [self.offset, self.inode, self.mark].into_iter().for_each(|part| pack::uint(out, part));
    }

    /// Reads what [`Self::pack`] wrote.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub fn unpack(read: &mut Unpack<'_>) -> Read<Self> {
        Ok(Self { offset: read.uint()?, inode: read.uint()?, mark: read.uint()? })
    }
}

/// Where the file is looked for.
pub trait Place {
    /// A file that is open.
    type File: Seen;

    /// The file that has the name now; none: there is none.
    ///
    /// # Errors
    /// What the disk says; so it is with everything here.
    fn named(&self) -> io::Result<Option<Self::File>>;

    /// The files beside it whose names begin with its name: what a rotation makes of it.
    ///
    /// # Errors
    /// See [`Self::named`].
    fn beside(&self) -> io::Result<Vec<Self::File>>;
}

/// An open file. It stays the same when it gets another name.
pub trait Seen {
    /// Its number on the disk.
    fn inode(&self) -> u64;

    /// How long it is now.
    ///
    /// # Errors
    /// See [`Place::named`].
    fn length(&self) -> io::Result<u64>;

    /// Reads from a place on, until the bytes are full or the file ends.
    ///
    /// # Errors
    /// See [`Place::named`].
    fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<usize>;

    /// Makes certain on its disk what was read: a power failure must not take back what was taken.
    ///
    /// # Errors
    /// See [`Place::named`].
    fn sync(&self) -> io::Result<()>;
}

/// New lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whole lines, or none where a file begins; of one that is longer than [`CHUNK`], the beginning.
    pub lines: Vec<u8>,
    /// Where the file stands when they are taken.
    pub at: Position,
}

/// What whoever operates it should hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Another file has the name and is followed from now on; all of the older one was taken.
    Rotated,
    /// The file was cut, or is another one, and what it was is not to be found: it is taken from its beginning. What had come
    /// behind the place in the older one, if anything, was not taken.
    Lost,
}

/// A file that is followed.
pub struct Tail<P: Place> {
    place: P,
    at: Position,
    file: Option<P::File>,
    /// No line ends between the place and this one.
    searched: u64,
    /// That this file was begun is not certain yet.
    fresh: bool,
    /// Since when another file has had the name, and nothing came in this one.
    replaced: Option<i64>,
}

impl<P: Place> Tail<P> {
    /// From where it was taken last.
    pub fn new(place: P, at: Position) -> Self {
        Self { place, at, file: None, searched: 0, fresh: false, replaced: None }
    }

    /// Looks for new lines at an instant (milliseconds since 1970). They come again until they were [`Self::taken`].
    ///
    /// # Errors
    /// When the file cannot be read; later it may be.
    pub fn poll(&mut self, now: i64, tell: &mut impl FnMut(Notice)) -> io::Result<Option<Found>> {
        if self.file.as_ref().is_none_or(|file| !is_known(file, &self.at)) {
            self.find(tell)?;
        }
        let Some(file) = &self.file else { return Ok(None) };
        if self.fresh {
            // Should it be rotated before a line of it is taken, it must be known which it was.
            return Ok(Some(Found { lines: Vec::new(), at: self.at }));
        }
        let length = file.length()?;
        if let Some((lines, end)) = whole_lines(file, self.at.offset, &mut self.searched, length)? {
            self.replaced = None;
            return found(file, lines, end).map(Some);
        }
        let other = self.place.named()?.filter(|other| other.inode() != file.inode());
        let Some(other) = other else {
            self.replaced = None;
            return Ok(None);
        };
        if now.saturating_sub(*self.replaced.get_or_insert(now)) < GRACE {
            return Ok(None);
        }
        if length > self.at.offset {
            // Nobody will end this line any more.
            let mut lines = vec![0; CHUNK.min(usize::try_from(length - self.at.offset).unwrap_or(CHUNK))];
            let read = file.read(self.at.offset, &mut lines)?;
            lines.truncate(read);
            return found(file, lines, length).map(Some);
        }
        tell(Notice::Rotated);
        self.begin(other);
        Ok(None)
    }

    /// What was found is certain.
    pub fn taken(&mut self, at: Position) {
        self.at = at;
        (self.searched, self.fresh) = (at.offset, false);
    }

    /// Where it stands.
    #[must_use]
    pub fn at(&self) -> Position {
        self.at
    }

    /// The file in which the place is; best the very same, else one with the same beginning (it was copied or moved).
    fn find(&mut self, tell: &mut impl FnMut(Notice)) -> io::Result<()> {
        self.file = None;
        let named = self.place.named()?;
        let mut known: Vec<P::File> = named.into_iter().chain(self.place.beside()?).collect();
        known.retain(|file| is_known(file, &self.at));
        let same = known.iter().position(|file| file.inode() == self.at.inode).unwrap_or_default();
        if same < known.len() {
            self.file = Some(known.swap_remove(same));
            self.searched = self.at.offset;
            return Ok(());
        }
        if let Some(named) = self.place.named()? {
            if self.at.offset > 0 {
                tell(Notice::Lost);
            }
            self.begin(named);
        }
        Ok(())
    }

    fn begin(&mut self, file: P::File) {
        self.at = Position { offset: 0, inode: file.inode(), mark: Xxh3::new().digest() };
        (self.searched, self.fresh, self.replaced) = (0, true, None);
        self.file = Some(file);
    }
}

fn found<F: Seen>(file: &F, lines: Vec<u8>, offset: u64) -> io::Result<Found> {
    file.sync()?;
    let mark = mark(file, offset)?.ok_or_else(|| io::Error::other("the file was cut while it was read"))?;
    Ok(Found { lines, at: Position { offset, inode: file.inode(), mark } })
}

/// Whether it is the file that was taken so far. What cannot be read is not; one of which nothing was taken is known by its number.
fn is_known<F: Seen>(file: &F, at: &Position) -> bool {
    if at.offset == 0 {
        return file.inode() == at.inode;
    }
    matches!(mark(file, at.offset), Ok(Some(mark)) if mark == at.mark)
}

/// What a file of which so much was taken is known by; none: it is not so long.
fn mark<F: Seen>(file: &F, offset: u64) -> io::Result<Option<u64>> {
    let size = offset.min(KNOWN_BY);
    let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
    let mut state = Xxh3::new();
    for at in [0, offset - size] {
        if file.read(at, &mut bytes)? < bytes.len() {
            return Ok(None);
        }
        state.update(&bytes);
    }
    Ok(Some(state.digest()))
}

/// The whole lines behind a place, and where they end.
fn whole_lines<F: Seen>(file: &F, from: u64, searched: &mut u64, length: u64) -> io::Result<Option<(Vec<u8>, u64)>> {
    let step = CHUNK as u64;
    if *searched < from + step {
        let size = length.saturating_sub(from).min(step);
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        let read = file.read(from, &mut bytes)?;
        bytes.truncate(read);
        if let Some(last) = memrchr(b'\n', &bytes) {
            bytes.truncate(last + 1);
            let end = from + bytes.len() as u64;
            return Ok(Some((bytes, end)));
        }
        *searched = from + read as u64;
        if read < CHUNK {
            return Ok(None);
        }
    }
    // A line without an end so far: what stands in it matters no more, but where it ends.
    let mut bytes = vec![0; CHUNK];
    while *searched < length {
        let read = file.read(*searched, &mut bytes)?;
        let seen = bytes.get(..read).unwrap_or_default();
        if let Some(place) = memchr(b'\n', seen) {
            let end = *searched + place as u64 + 1;
            let read = file.read(from, &mut bytes)?;
            bytes.truncate(read);
            return Ok(Some((bytes, end)));
        }
        *searched += read as u64;
        if read == 0 {
            break;
        }
    }
    Ok(None)
}
