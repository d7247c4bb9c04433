//! Templates against what the journeys that send them provide.
//!
//! A template is checked once for each place that sends it: what that place provides gives every variable its
//! type, and the walk follows `assign`, `for`, `if` and `render` from there. Everything found stands at the
//! template's own line and column. Nothing is reported about what has been reported already ([`Shape::Any`]).

mod check;
mod compare;
mod facts;
mod filters;
mod front;
pub(crate) mod limits;
mod markup;
mod mjml;
mod offers;
pub mod parts;
pub mod segments;
mod sends;
mod shape;
mod trees;
mod uses;
mod values;

#[cfg(test)]
mod tests;

pub use offers::{offers, Offer, Senders, MARK};
pub use shape::{Record, Shape, Variable};
pub(crate) use trees::Trees;
pub use uses::variables;

use crate::diagnostic::Diagnostic;
use flow_grammar::liquid::Template;
use std::collections::BTreeMap;

/// The keys that a front matter may have.
pub const FRONT_KEYS: [&str; 11] =
    ["subject", "preheader", "from", "reply_to", "title", "link", "image", "topic", "locale", "layout", "approved"];

/// What a place that sends a template provides.
#[derive(Clone, Debug, Default)]
pub struct Provided {
    /// The variables, by name.
    pub variables: BTreeMap<String, Variable>,
    /// Those that files to `render` see too.
    pub everywhere: BTreeMap<String, Variable>,
    /// Names that would mean something if they were written out: `first_name` is `user.first_name`.
    pub spelled: BTreeMap<String, String>,
}

/// The files that `render` can name.
pub type Parts<'a> = BTreeMap<String, &'a Template>;

/// What is wrong with a template where it is provided with this.
#[must_use]
pub fn check(template: &Template, parts: &Parts<'_>, provided: &Provided) -> Vec<Diagnostic> {
    check::run(template, None, parts, provided).found
}

/// The name by which `render` finds a file: its path below `templates/`, without `_` and what follows the first point.
#[must_use]
pub fn part_name(path: &str) -> String {
    let path = path.strip_prefix("templates/").unwrap_or(path);
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let file = file.strip_prefix('_').unwrap_or(file);
    let stem = file.split('.').next().unwrap_or(file);
    if folder.is_empty() {
        stem.to_owned()
    } else {
        format!("{folder}/{stem}")
    }
}
