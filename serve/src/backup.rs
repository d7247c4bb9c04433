//! Copies of stores: a snapshot of all that is certain, and a journal that goes on behind it.

use crate::disk::{write_whole, Disk as _, Folder};
use crate::host::Host;
use crate::setup::Setup;
use crate::store::{state_before, Store};
use crate::{journal, snapshot};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A server that makes a snapshot removes what is older; then it is looked at anew, so many times.
const TRIES: usize = 5;
/// What a store has besides, which a copy needs: who may ask, and what links are signed with.
const BESIDES: [&str; 2] = ["keys", "links.key"];

/// Copies what is certain of a store, which a server may be writing, into a folder that is empty or not there. Gives how
/// many people there are.
///
/// # Errors
/// With a sentence, when it cannot be read or written, or the folder holds something.
pub fn copy(from: &Folder, to: &Path, setup: &Arc<Setup>) -> Result<usize, String> {
    let cannot = |error: io::Error| format!("cannot write {}: {error}", to.display());
    if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(format!("{} holds something already: give a new folder", to.display()));
    }
    let (host, next) = stand(from, setup)?;
    let (disk, _lock) = Folder::open(to).map_err(cannot)?;
    for name in BESIDES {
        match fs::read(from.path().join(name)) {
            Ok(bytes) => write_whole(to, name, &bytes).map_err(cannot)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("cannot read {name}: {error}")),
        }
    }
    snapshot::write(&disk, &host, next).map_err(|failure| failure.to_string())?;
    journal::begin(&disk, next).map_err(|failure| failure.to_string())?;
    // What is not read back is no copy.
    let (again, _) = Store::open_any(disk, Arc::clone(setup), [0; 16]).map_err(|refusal| refusal.to_string())?;
    match bytes(again.host()) == bytes(&host) {
        true => Ok(host.people()),
        false => Err(format!("{} does not come back as it was written", to.display())),
    }
}

fn stand(from: &Folder, setup: &Arc<Setup>) -> Result<(Host, u64), String> {
    let mut tries = 0;
    loop {
        match state_before(from, setup, u64::MAX) {
            Ok((_, 0)) => return Err(format!("there is no store in {}", from.path().display())),
            Ok(stand) => return Ok(stand),
            Err(_) if tries < TRIES && from.list().is_ok() => tries += 1,
            Err(failure) => return Err(failure.to_string()),
        }
    }
}

/// The state, for comparing.
fn bytes(host: &Host) -> Vec<u8> {
    let mut all = Vec::new();
    let _: Result<(), std::convert::Infallible> = host.save(|piece| {
        all.extend_from_slice(piece);
        Ok(())
    });
    all
}
