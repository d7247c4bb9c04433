//! `flowc explain`: what a code means.

use crate::output::{out, unusable};
use flow_compiler::{codes, explain};
use std::process::ExitCode;

/// Explain a code, with an example that is wrong and one that is right
#[derive(clap::Args)]
pub struct Args {
    /// A code, such as F0301; without it, all codes are listed
    code: Option<String>,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let Some(code) = &args.code else {
        out(&codes::all().iter().map(|(code, title)| format!("{code}  {title}\n")).collect::<String>());
        return ExitCode::SUCCESS;
    };
    match explain::page(&code.to_uppercase()) {
        Some(page) => {
            out(&explain::plain(page));
            ExitCode::SUCCESS
        }
        None => unusable(&format!("there is no code {code}; `flowc explain` lists them all")),
    }
}
