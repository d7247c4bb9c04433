//! Snapshots while things go on: the thread that has the state gives a little of it at a time, and another one writes.

use crate::disk::Disk;
use crate::host::walk::Walked;
use crate::snapshot::Writer;
use crate::store::Store;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So long the thread that has the state is busy with it at a time.
const SLICE: Duration = Duration::from_millis(1);
/// So many people are taken before the clock is looked at.
const PEOPLE: usize = 256;
/// So much may be given that is not written; then the disk is waited for.
const AHEAD: usize = 16 << 20;
/// So long the disk is waited for.
const PAUSE: Duration = Duration::from_millis(5);
/// Whoever writes waits for those who take calls (the nice value of its thread).
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// A snapshot that is being made.
pub struct Shooting {
    pieces: Sender<Part>,
    /// How much was given that is not written.
    ahead: Arc<AtomicUsize>,
}

enum Part {
    Piece(Vec<u8>),
    End,
}

impl Shooting {
    /// Begins one of the state before frame `next`. What came of it is told from another thread.
    ///
    /// # Errors
    /// With a sentence, when there can be no thread.
    pub fn begin<D>(disk: D, next: u64, told: impl FnOnce(Result<u64, String>) + Send + 'static) -> Result<Self, String>
    where
        D: Disk + Send + 'static,
    {
        let (pieces, parts) = channel();
        let ahead = Arc::new(AtomicUsize::new(0));
        let written = Arc::clone(&ahead);
        let thread = std::thread::Builder::new().name("snapshot".to_owned()).spawn(move || {
            // On Linux this is about the calling thread alone. Without the right to it, it is made all the same.
            #[cfg(target_os = "linux")]
            let _ = rustix::process::setpriority_process(None, NICE);
            told(write(disk, next, &parts, &written));
        });
        thread.map_err(|error| error.to_string())?;
        Ok(Self { pieces, ahead })
    }

    /// Goes on for a moment; says whether nothing more is to be given.
    pub fn go_on<D: Disk + Clone>(&mut self, store: &mut Store<D>) -> bool {
        let begun = Instant::now();
        loop {
            // Whoever is about to change is given even where the disk is behind.
            let some = if self.is_behind() { 0 } else { PEOPLE };
            let walked = store.walk(some, |piece| {
                self.ahead.fetch_add(piece.len(), Ordering::Relaxed);
                // Nobody listens any more where it could not be written: that is told.
                let _ = self.pieces.send(Part::Piece(piece));
            });
            match walked {
                Walked::On if some > 0 && begun.elapsed() < SLICE => {}
                Walked::On => return false,
                Walked::Done => {
                    let _ = self.pieces.send(Part::End);
                    return true;
                }
                Walked::Lost => return true,
            }
        }
    }

    fn is_behind(&self) -> bool {
        self.ahead.load(Ordering::Relaxed) > AHEAD
    }

    /// How long to wait before going on, when there is nothing else to do.
    #[must_use]
    pub fn pause(&self) -> Duration {
        if self.is_behind() {
            PAUSE
        } else {
            Duration::ZERO
        }
    }
}

fn write<D: Disk>(disk: D, next: u64, parts: &Receiver<Part>, written: &AtomicUsize) -> Result<u64, String> {
    let mut writer = Writer::begin(disk, next).map_err(|failure| failure.to_string())?;
    loop {
        match parts.recv() {
            Ok(Part::Piece(piece)) => {
                writer.put(&piece).map_err(|failure| failure.to_string())?;
                written.fetch_sub(piece.len(), Ordering::Relaxed);
            }
            Ok(Part::End) => return writer.finish().map_err(|failure| failure.to_string()),
            Err(_) => return Err("it was given up before all of the state was written".to_owned()),
        }
    }
}
