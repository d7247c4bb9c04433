//! One line a finding, as compilers have always done it, so that editors find the places.

use super::{word, Shown};
use std::fmt::Write;

pub(super) fn render(shown: &[Shown<'_>]) -> String {
    let mut out = String::new();
    for one in shown {
        let _ = writeln!(out, "{}", line(one));
    }
    out
}

/// `path:line:col: error[F0201]: message; help`
pub(super) fn line(one: &Shown<'_>) -> String {
    let found = one.found;
    let help = found.advice().map(|help| format!("; {help}")).unwrap_or_default();
    format!("{}: {}[{}]: {}{help}", one.sources.at(found.span), word(found.severity), found.code, found.message)
}
