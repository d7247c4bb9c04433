//! `null`: takes everything and sends nothing.

use crate::config::{Read, Settings};
use crate::{Attempt, Channel, Delivery, Outcome};

struct Null;

pub(super) fn open(_: &Settings<'_>) -> Read<Box<dyn Channel>> {
    Ok(Box::new(Null))
}

impl Channel for Null {
    fn deliver<'a>(&'a self, _: &'a Delivery) -> Attempt<'a> {
        Box::pin(async { Outcome::accepted() })
    }
}
