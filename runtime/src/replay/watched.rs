//! What came about with people whom somebody asks about.

use crate::engine::effect::Effect;

/// One thing.
#[derive(Clone, Debug, PartialEq)]
pub enum Watched {
    /// The engine told it.
    Effect(Effect),
    /// Two ids turned out to be one person: the one who is known, and the other.
    Joined {
        /// When.
        time: i64,
        /// Both.
        ids: [String; 2],
    },
}
