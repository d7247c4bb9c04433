//! The little that the store asks of a disk, so that a simulated one can take its place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A folder that the store has to itself. Names are file names, without folders.
pub trait Disk {
    /// A file that is open for appending.
    type File: Append;
    /// A file that is open for reading.
    type Reader: Read;

    /// The names of the files, sorted.
    ///
    /// # Errors
    /// What the disk says; so it is with everything here.
    fn list(&self) -> io::Result<Vec<String>>;

    /// All that stands in a file.
    ///
    /// # Errors
    /// See [`Self::list`].
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;

    /// Opens a file to read it bit by bit.
    ///
    /// # Errors
    /// See [`Self::list`].
    fn reader(&self, name: &str) -> io::Result<Self::Reader>;

    /// Makes a new, empty file; one of that name is replaced.
    ///
    /// # Errors
    /// See [`Self::list`].
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// Opens a file to append to it, after cutting it to a length.
    ///
    /// # Errors
    /// See [`Self::list`].
    fn append(&self, name: &str, length: u64) -> io::Result<Self::File>;

    /// Gives a file another name; one that had it is replaced. Certain after [`Self::sync`].
    ///
    /// # Errors
    /// See [`Self::list`].
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// See [`Self::list`].
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes certain which files there are, and what they are called.
    ///
    /// # Errors
    /// See [`Self::list`].
    fn sync(&self) -> io::Result<()>;
}

/// An open file.
pub trait Append {
    /// Writes behind what is there.
    ///
    /// # Errors
    /// See [`Disk::list`]. A part may have been written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes certain what was written.
    ///
    /// # Errors
    /// See [`Disk::list`]. After an error nobody knows what is certain and what is not; trying again says nothing.
    fn sync(&mut self) -> io::Result<()>;
}

/// A real folder.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Opens a folder, which is made if need be, for this process alone.
    ///
    /// # Errors
    /// When it cannot be made or read, or when another process has it.
    pub fn open(path: &Path) -> io::Result<(Self, Lock)> {
        private_folder(path)?;
        let lock = private_file().create(true).truncate(false).write(true).open(path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok((Self { path: path.to_owned() }, Lock { _file: lock })),
            Err(fs::TryLockError::WouldBlock) => {
                Err(io::Error::new(io::ErrorKind::ResourceBusy, "another flowc has this store open"))
            }
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// A folder that another process may have, for looking only.
    #[must_use]
    pub fn look(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

const LOCK: &str = "lock";

/// Makes a folder that nobody but its owner can look into, or closes one that others could: a store holds what is known of people.
///
/// # Errors
/// When it cannot be made or closed.
pub fn private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// How files are opened that only their owner may read.
#[must_use]
pub fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Writes a small file so that after a crash it is there as a whole or not at all.
///
/// # Errors
/// When the disk fails.
pub fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let aside = folder.join(format!("{name}.new"));
    let mut file = private_file().create(true).write(true).truncate(true).open(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&aside, folder.join(name))?;
    File::open(folder)?.sync_all()
}

/// Keeps other processes out for as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Disk for Folder {
    type File = File;
    type Reader = BufReader<File>;

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if let (true, Ok(name)) = (entry.file_type()?.is_file(), entry.file_name().into_string()) {
                names.push(name);
            }
        }
        names.retain(|name| name != LOCK);
        names.sort();
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path.join(name))
    }

    fn reader(&self, name: &str) -> io::Result<BufReader<File>> {
        Ok(BufReader::with_capacity(1 << 18, File::open(self.path.join(name))?))
    }

    fn create(&self, name: &str) -> io::Result<File> {
        private_file().create(true).write(true).truncate(true).open(self.path.join(name))
    }

    fn append(&self, name: &str, length: u64) -> io::Result<File> {
        let file = OpenOptions::new().append(true).open(self.path.join(name))?;
        if file.metadata()?.len() != length {
            file.set_len(length)?;
            file.sync_all()?;
        }
        Ok(file)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

impl Append for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn nobody_else_can_look_into_a_store() {
        let path = std::env::temp_dir().join(format!("flow-disk-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let (folder, _lock) = Folder::open(&path.join("a")).unwrap();
        drop(Disk::create(&folder, "journal").unwrap());
        write_whole(&path.join("a"), "key", b"secret").unwrap();
        assert_eq!(mode(&path.join("a")), 0o700);
        for file in ["journal", "key", "lock"] {
            assert_eq!(mode(&path.join("a").join(file)), 0o600, "{file}");
        }
        assert_eq!(folder.list().unwrap(), ["journal", "key"]);
        // One that was made before is closed.
        drop(Folder::open(&path).unwrap());
        assert_eq!(mode(&path), 0o700);
        fs::remove_dir_all(&path).unwrap();
    }
}
