//! Writing to the standard streams without a panic when the reader has gone (`flowc … | head`).

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Writes to standard output.
pub fn out(text: &str) {
    let mut stream = std::io::stdout().lock();
    // A reader that has gone wants no more; there is nobody to tell.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Writes to standard error.
pub fn err(text: &str) {
    let mut stream = std::io::stderr().lock();
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Says why a command could not do what was asked.
pub fn unusable(message: &str) -> ExitCode {
    err(&format!("error: {message}\n"));
    ExitCode::from(crate::UNUSABLE)
}

/// Whether standard output shows colours: it is a terminal and nobody asked for none.
#[must_use]
pub fn colour_out() -> bool {
    std::io::stdout().is_terminal() && colour_wanted()
}

/// Whether standard error shows colours.
#[must_use]
pub fn colour_err() -> bool {
    std::io::stderr().is_terminal() && colour_wanted()
}

fn colour_wanted() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
