//! A file that somebody writes lines into, and which is rotated, over a disk that forgets what was not made certain.

use crate::random::Random;
use flow_serve::follow::{Place, Seen};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;

#[derive(Clone, Default)]
pub struct SimLog(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    /// The last one has the name; the others were rotated away.
    files: Vec<File>,
    next: u64,
}

#[derive(Default)]
struct File {
    inode: u64,
    data: Vec<u8>,
    certain: usize,
}

pub struct SimSeen {
    log: SimLog,
    inode: u64,
}

impl SimLog {
    /// A new, empty file has the name.
    pub fn rotate(&self) {
        let mut state = self.0.borrow_mut();
        state.next += 1;
        let inode = state.next;
        state.files.push(File { inode, ..File::default() });
    }

    /// The number of the file that has the name.
    pub fn newest(&self) -> Option<u64> {
        self.0.borrow().files.last().map(|file| file.inode)
    }

    /// Writes behind what is there; a file is made if there is none.
    pub fn write(&self, bytes: &[u8]) {
        if self.0.borrow().files.is_empty() {
            self.rotate();
        }
        self.0.borrow_mut().files.last_mut().unwrap().data.extend_from_slice(bytes);
    }

    /// What stands there is copied to another file, and gone.
    pub fn copy_and_cut(&self) {
        self.rotate();
        let mut state = self.0.borrow_mut();
        let copy = state.files.len() - 1;
        state.files[copy].data = std::mem::take(&mut state.files[copy - 1].data);
        state.files.swap(copy - 1, copy);
    }

    /// Somebody who still has the older file open writes to it.
    pub fn write_to_the_older(&self, bytes: &[u8]) {
        self.0.borrow_mut().files.iter_mut().rev().nth(1).unwrap().data.extend_from_slice(bytes);
    }

    /// All but the file that has the name are removed.
    pub fn remove_older(&self) {
        let mut state = self.0.borrow_mut();
        let newest = state.files.pop();
        state.files = newest.into_iter().collect();
    }

    /// The power fails: what was not certain is lost, in part or all of it. Whoever writes begins with a new line.
    pub fn power(&self, random: &mut Random) {
        let mut state = self.0.borrow_mut();
        for file in &mut state.files {
            let lost = random.below((file.data.len() - file.certain) as u64 + 1) as usize;
            let length = file.data.len() - lost;
            file.data.truncate(length);
            file.certain = length;
        }
        if let Some(file) = state.files.last_mut().filter(|file| file.data.last().is_some_and(|byte| *byte != b'\n')) {
            file.data.push(b'\n');
        }
    }

    /// All that stands there.
    pub fn text(&self) -> String {
        let state = self.0.borrow();
        state.files.iter().map(|file| String::from_utf8_lossy(&file.data).into_owned()).collect()
    }

    fn open(&self, file: &File) -> SimSeen {
        SimSeen { log: self.clone(), inode: file.inode }
    }
}

impl Place for SimLog {
    type File = SimSeen;

    fn named(&self) -> io::Result<Option<SimSeen>> {
        Ok(self.0.borrow().files.last().map(|file| self.open(file)))
    }

    fn beside(&self) -> io::Result<Vec<SimSeen>> {
        let state = self.0.borrow();
        let older = state.files.split_last().map_or(&[][..], |(_, older)| older);
        Ok(older.iter().map(|file| self.open(file)).collect())
    }
}

impl SimSeen {
    /// A file that was removed is read as before by whoever has it open; here it is empty, which is worse.
    fn with<T>(&self, look: impl FnOnce(&mut File) -> T) -> T {
        let mut state = self.log.0.borrow_mut();
        match state.files.iter_mut().find(|file| file.inode == self.inode) {
            Some(file) => look(file),
            None => look(&mut File::default()),
        }
    }
}

impl Seen for SimSeen {
    fn inode(&self) -> u64 {
        self.inode
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.with(|file| file.data.len() as u64))
    }

    fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<usize> {
        Ok(self.with(|file| {
            let data = file.data.get(at as usize..).unwrap_or_default();
            let size = data.len().min(bytes.len());
            bytes[..size].copy_from_slice(&data[..size]);
            size
        }))
    }

    fn sync(&self) -> io::Result<()> {
        self.with(|file| file.certain = file.data.len());
        Ok(())
    }
}
