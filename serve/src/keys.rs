//! Keys: who may send calls, look, and operate. At rest there are only their hashes.
//!
//! The file `keys` in the store has a line for each: what it may do, the SHA-256 of the key in hexadecimal, and a name. A key is
//! 128 random bits, so that a plain hash cannot be turned round.

use crate::disk::{private_file, private_folder, write_whole};
use flow_channels::links::LinkKey;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use subtle::ConstantTimeEq;

const FILE: &str = "keys";
const LINKS: &str = "links.key";

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Send calls.
    Ingest,
    /// Look at people and messages.
    Read,
    /// Pause, resume, forget; and look.
    Operate,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ingest, Self::Read, Self::Operate];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }

    /// Whether a key of this scope may do what needs `wanted`.
    #[must_use]
    pub fn allows(self, wanted: Self) -> bool {
        self == wanted || (self == Self::Operate && wanted == Self::Read)
    }
}

/// A key, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What it may do.
    pub scope: Scope,
    /// What it is called.
    pub name: String,
    hash: [u8; 32],
}

/// All keys.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<Key>);

impl Keys {
    /// Reads the keys of a store.
    ///
    /// # Errors
    /// When the file is there and cannot be read, or a line of it is none.
    pub fn read(store: &Path) -> io::Result<Self> {
        let text = match fs::read_to_string(store.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            text => text?,
        };
        let keys = text.lines().filter(|line| !line.trim().is_empty()).enumerate().map(|(number, line)| {
            line_of(line).ok_or_else(|| io::Error::other(format!("{FILE}, line {}: this is no key", number + 1)))
        });
        keys.collect::<io::Result<_>>().map(Self)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Key] {
        &self.0
    }

    /// Whether a key is there that may do this. Takes as long for a wrong key as for a right one.
    #[must_use]
    pub fn allow(&self, key: &str, wanted: Scope) -> bool {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        self.0.iter().fold(false, |found, known| {
            let same = bool::from(known.hash.ct_eq(&hash));
            found | (same & known.scope.allows(wanted))
        })
    }

    /// Makes a new key, keeps its hash in the store, and gives the key: this is the only time that it is seen.
    ///
    /// # Errors
    /// When there is no chance to be had, or the file cannot be written.
    pub fn make(store: &Path, scope: Scope, name: &str) -> io::Result<String> {
        let key = format!("flow_{}_{}", scope.word(), hex(&random()?));
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        private_folder(store)?;
        let mut file = private_file().create(true).append(true).open(store.join(FILE))?;
        writeln!(file, "{} {} {}", scope.word(), hex(&hash), name.replace(char::is_control, " "))?;
        file.sync_all()?;
        Ok(key)
    }
}

/// What links to unsubscribe are signed with: kept in the store, so that a link works for as long as the store is there.
/// The store must be locked: two that make a key at one time would sign with two.
///
/// # Errors
/// When it cannot be read or made.
pub fn links(store: &Path) -> io::Result<LinkKey> {
    let path = store.join(LINKS);
    if !path.exists() {
        private_folder(store)?;
        write_whole(store, LINKS, format!("{}{}\n", hex(&random()?), hex(&random()?)).as_bytes())?;
    }
    LinkKey::new(&SecretString::from(fs::read_to_string(path)?)).map_err(io::Error::other)
}

/// The same, if it was made already.
///
/// # Errors
/// When it cannot be read.
pub fn links_of(store: &Path) -> io::Result<Option<LinkKey>> {
    match fs::read_to_string(store.join(LINKS)) {
        Ok(text) => LinkKey::new(&SecretString::from(text)).map(Some).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// 128 random bits, from the operating system.
///
/// # Errors
/// When it has none to give.
pub fn random() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(bytes)
}

fn line_of(line: &str) -> Option<Key> {
    let mut parts = line.splitn(3, ' ');
    let (scope, hash, name) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
    let scope = Scope::ALL.into_iter().find(|one| one.word() == scope)?;
    let mut bytes = [0; 32];
    if hash.len() != 64 {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(hash.get(at..at + 2)?, 16).ok()?;
    }
    Some(Key { scope, name: name.to_owned(), hash: bytes })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_what_it_may_and_stands_nowhere() {
        let store = std::env::temp_dir().join(format!("flow-keys-{}", std::process::id()));
        let _ = fs::remove_dir_all(&store);
        let ingest = Keys::make(&store, Scope::Ingest, "web site").unwrap();
        let operate = Keys::make(&store, Scope::Operate, "ada").unwrap();
        let keys = Keys::read(&store).unwrap();
        assert!(!fs::read_to_string(store.join(FILE)).unwrap().contains(&ingest));
        let allowed = |key: &str| Scope::ALL.map(|scope| keys.allow(key, scope));
        assert_eq!(allowed(&ingest), [true, false, false]);
        assert_eq!(allowed(&operate), [false, true, true]);
        assert_eq!(allowed(""), [false; 3]);
        assert_eq!(keys.all().iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["web site", "ada"]);
        fs::write(store.join(FILE), "ingest 12 x").unwrap();
        assert_eq!(Keys::read(&store).unwrap_err().to_string(), "keys, line 1: this is no key");
        fs::remove_dir_all(&store).unwrap();
    }
}
