//! Which conditions run as native code, and from when on.
//!
//! Whether a condition does makes no difference to what it says, only to how fast. Compiling takes as long as evaluating a
//! condition some ten thousand times, so that only what was evaluated more often than that is worth it.

use super::fused::{Fused, Test};
#[cfg(all(feature = "jit", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
use super::jit::{compile, Native};
use super::Facts;
use flow_compiler::bytecode::{AttrId, CodeId};
#[cfg(not(all(feature = "jit", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))))]
use none::{compile, Native};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// How conditions are evaluated. What comes out is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Evaluation {
    /// Always interpreted.
    Interpret,
    /// All compiled at the start.
    Jit,
    /// Interpreted at first; what is evaluated often is compiled, where there is native code at all.
    #[default]
    Auto,
}

/// After so many evaluations a condition is compiled.
const WORTH: u32 = 20_000;
/// How many conditions are compiled one by one. Each then has pieces of memory of its own, of which a process can have
/// some ten thousand.
const MOST: u32 = 4_096;
/// The number of evaluations of a condition that somebody compiles, or that nobody will.
const SETTLED: u32 = u32::MAX;

/// Native code, by code of the program. Without any, all is interpreted.
#[derive(Debug, Default)]
pub(super) struct Natives {
    id: Option<AttrId>,
    codes: Box<[Slot]>,
    /// How many were compiled one by one.
    made: AtomicU32,
}

#[derive(Debug, Default)]
struct Slot {
    native: OnceLock<Native>,
    runs: AtomicU32,
}

impl Natives {
    /// All at once.
    ///
    /// # Errors
    /// When there is no native code on this machine: why.
    pub fn now(fused: &[Option<Fused>], id: Option<AttrId>) -> Result<Self, String> {
        let natives = Self::later(fused, id);
        let tests = |(at, fused): (usize, &Option<Fused>)| match fused {
            Some(Fused::Tests(tests)) => Some((at, Arc::clone(tests))),
            _ => None,
        };
        let (places, tests): (Vec<_>, Vec<_>) = fused.iter().enumerate().filter_map(tests).unzip();
        for (place, native) in places.into_iter().zip(compile(&tests, id)?) {
            if let (Some(slot), Some(native)) = (natives.codes.get(place), native) {
                let _ = slot.native.set(native);
            }
        }
        for slot in &natives.codes {
            slot.runs.store(SETTLED, Relaxed);
        }
        Ok(natives)
    }

    /// Each when it has been evaluated often.
    pub fn later(fused: &[Option<Fused>], id: Option<AttrId>) -> Self {
        Self { id, codes: fused.iter().map(|_| Slot::default()).collect(), made: AtomicU32::new(0) }
    }

    /// The native code of a code, if there is any (yet).
    #[inline]
    pub fn get(&self, code: CodeId) -> Option<&Native> {
        self.codes.get(code.index())?.native.get()
    }

    /// What native code says; none: there is none (yet), or it cannot look at these facts.
    #[inline]
    pub fn holds<F: Facts + ?Sized>(&self, code: CodeId, tests: &Arc<[Test]>, facts: &F) -> Option<bool> {
        let slot = self.codes.get(code.index())?;
        match slot.native.get() {
            Some(native) => native.holds(facts),
            None => {
                self.count(slot, tests);
                None
            }
        }
    }

    /// Counts an evaluation. Where threads meet, some are lost, which does not matter.
    fn count(&self, slot: &Slot, tests: &Arc<[Test]>) {
        let runs = slot.runs.load(Relaxed);
        if runs < WORTH {
            slot.runs.store(runs + 1, Relaxed);
        } else if runs != SETTLED && slot.runs.compare_exchange(runs, SETTLED, Relaxed, Relaxed).is_ok() {
            // Others go on interpreting meanwhile. What cannot be compiled stays as it is.
            if self.made.fetch_add(1, Relaxed) >= MOST {
                return;
            }
            if let Some(Some(native)) =
                compile(std::slice::from_ref(tests), self.id).ok().and_then(|mut made| made.pop())
            {
                let _ = slot.native.set(native);
            }
        }
    }
}

#[cfg(not(all(feature = "jit", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))))]
mod none {
    use super::super::fused::Test;
    use super::{Arc, AttrId, Facts};

    /// There is none.
    #[derive(Debug)]
    pub enum Native {}

    impl Native {
        pub fn holds<F: Facts + ?Sized>(&self, _: &F) -> Option<bool> {
            match *self {}
        }
    }

    pub fn compile(_: &[Arc<[Test]>], _: Option<AttrId>) -> Result<Vec<Option<Native>>, String> {
        Err("this build of Flow has no native code for this processor".to_owned())
    }
}
