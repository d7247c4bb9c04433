//! Conditions as native code, made by Cranelift.
//!
//! What is compiled is what [`fused`](super::fused) made of the bytecode: tests, and where their answers lead. A test is native for
//! the kinds of values that it mostly meets (whole numbers, decimals whose digits fit in 64 bits, texts, truth values, moments of
//! one kind); for all others it calls the very function that the fused tests run. So there is one meaning, and a property
//! test holds native code against the interpreter at the edges of every type.
//!
//! This is the only module with `unsafe`. It has it for three things, and each place says why it is sound:
//!
//! - **reading values where they stand** ([`layout`]): the places are promised by `repr(C, u8)` or looked up;
//! - **calling what was compiled** ([`Native::holds`]): the signature is the one that was declared, and lists are as long as
//!   the code was compiled for, which is checked before every call;
//! - **freeing the memory of code** ([`Pages`]): when the last condition that stands in it is gone.
//!
//! Memory for code is writable while it is written and executable afterwards, never both: `cranelift-jit` sees to that. Compiled
//! code has no loop, no float and no symbol that would have to be found.
#![allow(unsafe_code, reason = "the one module that makes and calls machine code; see above")]

mod compile;
mod layout;

use super::fused::{Ask, Test};
use super::value::Value;
use super::Facts;
pub(super) use compile::compile;
use cranelift_jit::JITModule;
use std::sync::{Arc, Mutex};

/// How compiled code is called: the fields of the event, those of the trigger, the attributes, how many attributes the person has,
/// the defaults of all attributes, and what a call back needs. It gives 1 when the condition holds and else 0.
type Entry = unsafe extern "C" fn(*const Value, *const Value, *const Value, usize, *const Value, *const Env) -> u8;

/// What compiled code hands back when it calls for help.
#[repr(C)]
struct Env {
    /// Leads to a `&F`, the facts for which [`help`] was chosen.
    facts: *const (),
    help: unsafe extern "C" fn(*const Env, *const Value, *const Ask) -> u8,
}

/// A condition as native code.
#[derive(Clone, Debug)]
pub(super) struct Native {
    entry: Entry,
    needs: Needs,
    _pages: Arc<Pages>,
}

/// How long the lists must be that a condition is given.
#[derive(Clone, Copy, Debug, Default)]
struct Needs {
    fields: u32,
    trigger: u32,
    attributes: u32,
}

impl Native {
    /// Whether the condition holds; none: these facts do not stand where native code could look.
    #[inline]
    pub fn holds<F: Facts + ?Sized>(&self, facts: &F) -> Option<bool> {
        let lists = facts.lists()?;
        let needs = self.needs;
        if lists.fields.len() < needs.fields as usize
            || lists.trigger.len() < needs.trigger as usize
            || lists.defaults.len() < needs.attributes as usize
        {
            return None;
        }
        let env = Env { facts: std::ptr::from_ref(&facts).cast(), help: help::<F> };
        // SAFETY: `entry` was compiled with this signature from tests that were verified. It looks at no field and no default
        // beyond those that were counted in `needs`, and at an attribute only below the number of them, which it is given. All
        // lists, `env`, the tests and the code itself stay where they are until it returns.
        let holds = unsafe {
            (self.entry)(
                lists.fields.as_ptr(),
                lists.trigger.as_ptr(),
                lists.attributes.as_ptr(),
                lists.attributes.len(),
                lists.defaults.as_ptr(),
                &env,
            )
        };
        Some(holds != 0)
    }
}

/// Answers a test as the fused tests do. A panic here, which nothing in a test can raise, would end the process rather
/// than run through frames that cannot be unwound.
unsafe extern "C" fn help<F: Facts + ?Sized>(env: *const Env, value: *const Value, ask: *const Ask) -> u8 {
    // SAFETY: compiled code hands on the `env` that it was given, whose `facts` lead to a `&F` as this function was chosen together
    // with them; `value` stands in one of the lists, and `ask` in the tests that the code keeps alive.
    let (facts, value, ask) = unsafe { (*(*env).facts.cast::<&F>(), &*value, &*ask) };
    u8::from(ask.of(value, facts))
}

/// The memory in which code stands, and that to which it has addresses.
struct Pages {
    module: Mutex<Option<JITModule>>,
    _tests: Vec<Arc<[Test]>>,
    _tables: compile::Tables,
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pages")
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        let module = match self.module.get_mut() {
            Ok(module) => module.take(),
            Err(poisoned) => poisoned.into_inner().take(),
        };
        if let Some(module) = module {
            // SAFETY: only a `Native` leads to this code, each holds the pages, and none is left.
            unsafe { module.free_memory() };
        }
    }
}
