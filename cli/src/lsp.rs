//! `flowc lsp`: the language server.

use crate::output::err;
use std::process::ExitCode;

/// Serve an editor over standard input and output
///
/// Started by the editor, which speaks the Language Server Protocol with it. How to set editors up is
/// in docs/editors.md.
#[derive(clap::Args)]
pub struct Args {
    /// Editors often pass this; standard input and output are used anyway
    #[arg(long, hide = true)]
    stdio: bool,
}

/// Runs the command.
pub fn run(_: &Args) -> ExitCode {
    match flow_lsp::serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            err(&format!("error: {message}\n"));
            ExitCode::from(crate::UNUSABLE)
        }
    }
}
