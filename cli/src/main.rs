//! `flowc`: the command line of Flow.

mod backup;
mod check;
mod deploy;
mod dump;
mod evaluation;
mod explain;
mod feed;
mod fix;
mod fmt;
mod keys;
mod load;
mod lsp;
mod new;
mod output;
mod preview;
mod render;
mod run;
mod serve;
mod sources;
mod status;
mod store;
mod test;
mod version;
mod why;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Exit code when the program, a test or a condition asked for is not in order.
pub const FOUND: u8 = 1;
/// Exit code when flowc could not do what was asked: bad usage, unreadable input.
pub const UNUSABLE: u8 = 2;

/// Flow: a small language for customer journeys.
///
/// PATH is a folder that holds a project (its flow.toml, its .flow files, its templates) or a single
/// .flow file. Without a PATH, the present folder is meant.
#[derive(Parser)]
#[command(name = "flowc", version, propagate_version = false, disable_help_subcommand = true)]
#[command(after_help = "Exit codes: 0 all is well, 1 something was found, 2 bad usage or unreadable input.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// One variant a command; each command has a file of its name.
#[derive(Subcommand)]
enum Command {
    Check(check::Args),
    Deploy(deploy::DeployArgs),
    Dump(dump::Args),
    Run(Box<run::Args>),
    Serve(serve::Args),
    Explain(explain::Args),
    Export(backup::ExportArgs),
    Fix(fix::Args),
    Fmt(fmt::Args),
    Import(backup::ImportArgs),
    Keys(keys::Args),
    Lsp(lsp::Args),
    New(new::Args),
    Plan(deploy::PlanArgs),
    Preview(preview::Args),
    Status(status::Args),
    Test(test::Args),
    Version(version::Args),
    Why(Box<why::Args>),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Check(args) => check::run(&args),
        Command::Deploy(args) => deploy::deploy(&args),
        Command::Dump(args) => dump::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Export(args) => backup::export(&args),
        Command::Fix(args) => fix::run(&args),
        Command::Fmt(args) => fmt::run(&args),
        Command::Import(args) => backup::import(&args),
        Command::Keys(args) => keys::run(&args),
        Command::Lsp(args) => lsp::run(&args),
        Command::New(args) => new::run(&args),
        Command::Plan(args) => deploy::plan(&args),
        Command::Status(args) => status::run(&args),
        Command::Preview(args) => preview::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Version(args) => version::run(&args),
        Command::Why(args) => why::run(&args),
    }
}
