//! `flowc export` and `flowc import`: a store as a copy, also while a server runs.

use crate::output::{out, unusable};
use crate::store::{look, Place, Version};
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
    place: Place,
    #[command(flatten)]
    version: Version,
}

/// Put a store that was exported into a project that has none
#[derive(clap::Args)]
pub struct ImportArgs {
    /// The folder that `flowc export` made
    #[arg(value_name = "FROM")]
    from: PathBuf,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    version: Version,
}

/// Runs `flowc export`.
pub fn export(args: &ExportArgs) -> ExitCode {
    done(&args.place, &args.version, &args.place.folder(), &args.to)
}

/// Runs `flowc import`.
pub fn import(args: &ImportArgs) -> ExitCode {
    done(&args.place, &args.version, &args.from, &args.place.folder())
}

fn done(place: &Place, version: &Version, from: &Path, to: &Path) -> ExitCode {
    let checked = match version.checked(place) {
        Ok(checked) => checked,
        Err(code) => return ExitCode::from(code),
    };
    let copied = || {
        let disk = look(from)?;
        let links = keys::links_of(from).map_err(|error| format!("cannot read the keys: {error}"))?;
        copy(&disk, to, &version.setup(checked, links.map(Arc::new))?)
    };
    match copied() {
        Ok(people) => {
            out(&format!("{} copied to {}\n", count(people as u64, "person", "people"), to.display()));
            ExitCode::SUCCESS
        }
        Err(message) => unusable(&message),
    }
}
