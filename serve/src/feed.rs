//! Lines that come from a file that grows, or from standard input: one thread each, which hands over what is new and waits
//! until it is certain before it reads on.

use crate::accept::{self, Accepted};
use crate::clock;
use crate::follow::{Notice, Place, Position, Seen, Tail, CHUNK};
use crate::live::{Handle, NotTaken};
use crate::log::{say, Level};
use crate::record::Record;
use memchr::memrchr;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;
use tokio::runtime::Handle as Runtime;

/// So often a file is looked at.
const PAUSE: Duration = Duration::from_millis(200);
/// After a failure, or when too much lies ready.
const LONG_PAUSE: Duration = Duration::from_secs(1);

/// Where lines come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// A file that grows.
    File {
        /// What the store calls it.
        name: String,
        /// Where it is.
        path: PathBuf,
    },
    /// Standard input.
    Standard,
}

/// Begins to follow, from where the store says that it was taken last.
///
/// # Errors
/// When there can be no thread.
pub fn start(feed: Feed, followed: &BTreeMap<String, Position>, handle: &Handle, runtime: &Runtime) -> io::Result<()> {
    let way = Way { handle: handle.clone(), runtime: runtime.clone() };
    let thread = std::thread::Builder::new().name("follow".to_owned());
    match feed {
        Feed::File { name, path } => {
            let at = followed.get(&name).copied().unwrap_or_default();
            thread.spawn(move || follow(&name, path, at, &way))?;
        }
        Feed::Standard => {
            thread.spawn(move || standard(io::stdin().lock(), &way))?;
        }
    }
    Ok(())
}

/// To the thread that has the state.
struct Way {
    handle: Handle,
    runtime: Runtime,
}

impl Way {
    /// Waits until it is certain; false: nothing more is taken.
    fn take(&self, lines: &[u8], place: Option<(&str, Position)>) -> bool {
        let received = clock::now();
        let Accepted { lines, calls } = accept::lines(lines, received);
        let size = lines.len();
        let mut records = Vec::with_capacity(2);
        if calls > 0 {
            records.push(Record::Inputs { received, lines });
        }
        records.extend(place.map(|(file, at)| Record::Followed { file: file.to_owned(), at }));
        loop {
            match self.runtime.block_on(self.handle.take_together(records.clone(), size)) {
                Ok(()) => return true,
                Err(NotTaken::Full) => sleep(LONG_PAUSE),
                Err(NotTaken::Broken | NotTaken::Stopping) => return false,
            }
        }
    }
}

fn follow(name: &str, path: PathBuf, at: Position, way: &Way) {
    let mut tail = Tail::new(Named(path), at);
    let mut failed = String::new();
    say(Level::Info, "a file is followed", &[("file", &name), ("from", &at.offset)]);
    loop {
        let mut tell = |notice| match notice {
            Notice::Rotated => say(Level::Info, "a file was rotated; the new one is followed", &[("file", &name)]),
            Notice::Lost => {
                let what = "a file was cut or replaced, and what it was is not found; it is taken from its beginning";
                say(Level::Warning, what, &[("file", &name)]);
            }
        };
        match tail.poll(clock::now(), &mut tell) {
            Ok(Some(found)) => {
                failed.clear();
                if !way.take(&found.lines, Some((name, found.at))) {
                    return;
                }
                tail.taken(found.at);
            }
            Ok(None) => {
                failed.clear();
                sleep(PAUSE);
            }
            Err(error) => {
                // Said once, not every second.
                let error = error.to_string();
                if failed != error {
                    say(
                        Level::Warning,
                        "a file cannot be followed; it is tried again",
                        &[("file", &name), ("error", &error)],
                    );
                    failed = error;
                }
                sleep(LONG_PAUSE);
            }
        }
    }
}

fn standard(mut input: impl Read, way: &Way) {
    let (mut bytes, mut rest) = (vec![0; CHUNK], Vec::new());
    loop {
        let read = match input.read(&mut bytes) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                say(Level::Warning, "standard input cannot be read", &[("error", &error)]);
                break;
            }
        };
        let new = bytes.get(..read).unwrap_or_default();
        match memrchr(b'\n', new) {
            Some(end) => {
                let (whole, half) = new.split_at(end + 1);
                rest.extend_from_slice(whole);
                if !way.take(&rest, None) {
                    return;
                }
                rest.clear();
                rest.extend_from_slice(half);
            }
            // Of a line without an end, so much is enough to set it aside.
            None => {
                rest.extend_from_slice(new);
                rest.truncate(CHUNK);
            }
        }
    }
    if way.take(&rest, None) {
        say(Level::Info, "standard input has ended; the server goes on", &[]);
    }
}

/// A name in a real folder.
struct Named(PathBuf);

fn open(path: &Path) -> io::Result<Option<Open>> {
    match File::open(path) {
        Ok(file) => {
            let about = file.metadata()?;
            Ok(about.is_file().then(|| Open { inode: about.ino(), file }))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

struct Open {
    file: File,
    inode: u64,
}

impl Place for Named {
    type File = Open;

    fn named(&self) -> io::Result<Option<Open>> {
        open(&self.0)
    }

    fn beside(&self) -> io::Result<Vec<Open>> {
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = self.0.file_name().map(|name| name.as_encoded_bytes().to_vec()).unwrap_or_default();
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let other = entry.file_name();
            // A folder or a pipe of that name is not opened: that could wait for ever.
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_file && other.as_encoded_bytes() != name && other.as_encoded_bytes().starts_with(&name) {
                // What may not be read is none of ours.
                files.extend(open(&entry.path()).ok().flatten());
            }
        }
        Ok(files)
    }
}

impl Seen for Open {
    fn inode(&self) -> u64 {
        self.inode
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, mut at: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, at) {
                Ok(0) => break,
                Ok(read) => (done, at) = (done + read, at + read as u64),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn sync(&self) -> io::Result<()> {
        match self.file.sync_data() {
            // A disk that cannot be written to cannot lose what was written either.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
                ) =>
            {
                Ok(())
            }
            done => done,
        }
    }
}
