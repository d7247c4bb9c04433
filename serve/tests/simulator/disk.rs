//! A disk that forgets what was not made certain, tears what was being written, fills up, and fails.

use crate::random::Random;
use flow_serve::disk::{Append, Disk};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

/// What is written at once or not at all.
const SECTOR: usize = 512;

#[derive(Clone, Default)]
pub struct SimDisk(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    files: BTreeMap<u64, Inode>,
    names: BTreeMap<String, u64>,
    /// The names as they are certain, and what was done to them since.
    certain: BTreeMap<String, u64>,
    deeds: Vec<Deed>,
    next: u64,
    operations: u64,
    faults: Faults,
    dead: bool,
    /// Files that were removed, for looking at afterwards.
    removed: BTreeMap<String, Vec<u8>>,
    chance: u64,
}

#[derive(Clone)]
enum Deed {
    Put(String, u64),
    Take(String),
}

#[derive(Clone, Default)]
struct Inode {
    data: Vec<u8>,
    /// How much of it is certain.
    certain: usize,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The machine stops at the operation with this number.
    pub crash_at: Option<u64>,
    /// No more than so many bytes fit.
    pub room: Option<usize>,
    /// Making certain fails at the operation with this number or the next sync after it.
    pub fail_sync_at: Option<u64>,
    /// The disk says that it is certain, and it is not.
    pub lies: bool,
}

pub struct SimFile {
    disk: SimDisk,
    inode: u64,
}

impl SimDisk {
    pub fn set(&self, faults: Faults) {
        self.0.borrow_mut().faults = faults;
    }

    pub fn operations(&self) -> u64 {
        self.0.borrow().operations
    }

    /// The machine goes off and on again. `power`: what was not certain is lost, in part or torn; otherwise only the
    /// process died, and all that was written is there.
    pub fn restart(&self, random: &mut Random, power: bool) {
        let mut state = self.0.borrow_mut();
        state.dead = false;
        if !power {
            return;
        }
        let kept = random.below(state.deeds.len() as u64 + 1) as usize;
        let mut names = state.certain.clone();
        for deed in &state.deeds[..kept] {
            deed.apply(&mut names);
        }
        (state.names, state.certain) = (names.clone(), names);
        state.deeds.clear();
        for inode in state.files.values_mut() {
            inode.tear(random);
        }
    }

    /// All files there ever were, as far as they were whole when they were removed.
    pub fn history(&self) -> Self {
        let state = self.0.borrow();
        let mut all = state.removed.clone();
        all.extend(state.names.iter().map(|(name, inode)| (name.clone(), state.files[inode].data.clone())));
        let disk = Self::default();
        for (name, data) in all {
            disk.put(&name, data);
        }
        disk
    }

    /// Puts a file there.
    pub fn put(&self, name: &str, data: Vec<u8>) {
        let mut state = self.0.borrow_mut();
        let inode = state.next;
        state.next += 1;
        state.files.insert(inode, Inode { certain: data.len(), data });
        state.names.insert(name.to_owned(), inode);
        state.certain.insert(name.to_owned(), inode);
    }

    fn begin(&self) -> io::Result<bool> {
        let mut state = self.0.borrow_mut();
        if state.dead {
            return Err(io::Error::other("the machine is off"));
        }
        state.operations += 1;
        let crash = state.faults.crash_at.is_some_and(|at| state.operations >= at);
        state.dead |= crash;
        Ok(crash)
    }

    fn do_it<T>(&self, deed: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        if self.begin()? {
            return Err(io::Error::other("crash"));
        }
        deed(&mut self.0.borrow_mut())
    }
}

impl Deed {
    fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Put(name, inode) => names.insert(name.clone(), *inode),
            Self::Take(name) => names.remove(name),
        };
    }
}

impl State {
    fn deed(&mut self, deed: Deed) {
        deed.apply(&mut self.names);
        self.deeds.push(deed);
    }

    fn inode(&self, name: &str) -> io::Result<u64> {
        self.names.get(name).copied().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn used(&self) -> usize {
        self.files.values().map(|inode| inode.data.len()).sum()
    }
}

impl Inode {
    /// Sectors that were not certain are there, or are not, or are zeros; in any order.
    fn tear(&mut self, random: &mut Random) {
        let length = self.certain + random.below((self.data.len() - self.certain) as u64 + 1) as usize;
        self.data.truncate(length);
        let mut at = self.certain;
        while at < length {
            let end = (at / SECTOR + 1) * SECTOR;
            if random.percent(30) {
                self.data[at..end.min(length)].fill(0);
            }
            at = end;
        }
        self.certain = length;
    }
}

impl Disk for SimDisk {
    type File = SimFile;
    type Reader = io::Cursor<Vec<u8>>;

    fn list(&self) -> io::Result<Vec<String>> {
        self.do_it(|state| Ok(state.names.keys().cloned().collect()))
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.do_it(|state| Ok(state.files[&state.inode(name)?].data.clone()))
    }

    fn reader(&self, name: &str) -> io::Result<io::Cursor<Vec<u8>>> {
        Disk::read(self, name).map(io::Cursor::new)
    }

    fn create(&self, name: &str) -> io::Result<SimFile> {
        let inode = self.do_it(|state| {
            let inode = state.next;
            state.next += 1;
            state.files.insert(inode, Inode::default());
            state.deed(Deed::Put(name.to_owned(), inode));
            Ok(inode)
        })?;
        Ok(SimFile { disk: self.clone(), inode })
    }

    fn append(&self, name: &str, length: u64) -> io::Result<SimFile> {
        let inode = self.do_it(|state| {
            let inode = state.inode(name)?;
            let file = state.files.get_mut(&inode).unwrap();
            file.data.truncate(length as usize);
            file.certain = file.certain.min(length as usize);
            Ok(inode)
        })?;
        Ok(SimFile { disk: self.clone(), inode })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.do_it(|state| {
            let inode = state.inode(from)?;
            state.deed(Deed::Take(from.to_owned()));
            state.deed(Deed::Put(to.to_owned(), inode));
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.do_it(|state| {
            let inode = state.inode(name)?;
            let data = state.files[&inode].data.clone();
            state.removed.insert(name.to_owned(), data);
            state.deed(Deed::Take(name.to_owned()));
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.do_it(|state| {
            if !state.faults.lies {
                state.certain = state.names.clone();
                state.deeds.clear();
            }
            Ok(())
        })
    }
}

impl Append for SimFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let crash = self.disk.begin()?;
        let mut state = self.disk.0.borrow_mut();
        let used = state.used();
        let room = state.faults.room.map_or(usize::MAX, |room| room.saturating_sub(used));
        state.chance = state.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let torn = (state.chance >> 33) as usize % (bytes.len() + 1);
        let file = state.files.get_mut(&self.inode).unwrap();
        if crash {
            file.data.extend_from_slice(&bytes[..torn]);
            return Err(io::Error::other("crash"));
        }
        if bytes.len() > room {
            file.data.extend_from_slice(&bytes[..room]);
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        file.data.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let crash = self.disk.begin()?;
        let mut state = self.disk.0.borrow_mut();
        if crash {
            return Err(io::Error::other("crash"));
        }
        let operations = state.operations;
        if state.faults.fail_sync_at.is_some_and(|at| operations >= at) {
            state.faults.fail_sync_at = None;
            return Err(io::Error::other("the disk failed"));
        }
        if !state.faults.lies {
            let file = state.files.get_mut(&self.inode).unwrap();
            file.certain = file.data.len();
        }
        Ok(())
    }
}
