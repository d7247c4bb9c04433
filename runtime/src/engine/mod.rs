//! The engine: `(program, one person's state, one input or timer) → (new state, effects)`.

pub mod effect;
pub mod input;

/// How many inputs may follow from one another at one instant before the chain is cut (contract, section 8.3).
pub const CHAIN_LIMIT: usize = 1_000;
