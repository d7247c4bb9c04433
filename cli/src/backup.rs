//! `flowc export` and `flowc import`: a store as a copy, also while a server runs.

use crate::output::out;
use crate::store::{look, Project};
use flow_serve::backup::copy;
use flow_serve::keys;
use flow_serve::plan::count;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Copy a store into a new folder, also while the server runs
///
/// The copy holds everything up to one moment: people, timers, messages on their way, keys. It is read back before it
/// is called done. `flowc import` puts it into a project; `flowc serve --store` serves it as it is.
#[derive(clap::Args)]
pub struct ExportArgs {
    /// The folder to make
    #[arg(value_name = "TO")]
    to: PathBuf,
    #[command(flatten)]
    project: Project,
}

/// Put a store that was exported into a project that has none
#[derive(clap::Args)]
pub struct ImportArgs {
    /// The folder that `flowc export` made
    #[arg(value_name = "FROM")]
    from: PathBuf,
    #[command(flatten)]
    project: Project,
}

/// Runs `flowc export`.
pub fn export(args: &ExportArgs) -> ExitCode {
    copied(&args.project, &args.project.folder(), &args.to)
}

/// Runs `flowc import`.
pub fn import(args: &ImportArgs) -> ExitCode {
    copied(&args.project, &args.from, &args.project.folder())
}

fn copied(project: &Project, from: &Path, to: &Path) -> ExitCode {
    project.with(|mut checked| {
        let disk = look(from)?;
        let links = keys::links_of(from).map_err(|error| format!("cannot read the keys: {error}"))?;
        let people = copy(&disk, to, &project.setup(&mut checked, links.map(Arc::new))?)?;
        out(&format!("{} copied to {}\n", count(people as u64, "person", "people"), to.display()));
        Ok(ExitCode::SUCCESS)
    })
}
