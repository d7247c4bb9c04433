//! `flowc new`: a project that checks, tests and runs as it is.

use crate::output::{out, unusable};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Create a project that checks, tests and runs as it is
#[derive(clap::Args)]
pub struct Args {
    /// The folder to create; its last part is the project's name
    name: PathBuf,
}

/// Stands for the project's name in the files below.
const NAME: &str = "@NAME@";

/// The files of a new project.
const FILES: [(&str, &str); 9] = [
    ("flow.toml", include_str!("new/flow.toml")),
    ("schema.flow", include_str!("new/schema.flow")),
    ("cart.flow", include_str!("new/cart.flow")),
    ("templates/cart_reminder.email.liquid", include_str!("new/templates/cart_reminder.email.liquid")),
    ("tests/cart.flow", include_str!("new/tests/cart.flow")),
    ("events.jsonl", include_str!("new/events.jsonl")),
    ("README.md", include_str!("new/README.md")),
    (".gitignore", include_str!("new/gitignore")),
    (".github/workflows/flow.yml", include_str!("new/flow.yml")),
];

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    match create(&args.name) {
        Ok(()) => {
            let folder = args.name.display();
            out(&format!(
                "created {folder}\n\n  cd {folder}\n  flowc check\n  flowc test\n  flowc run --events events.jsonl\n"
            ));
            ExitCode::SUCCESS
        }
        Err(message) => unusable(&message),
    }
}

fn create(folder: &Path) -> Result<(), String> {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| format!("{} has no name that a project could take", folder.display()))?;
    let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file();
    if taken {
        return Err(format!("{} is there already", folder.display()));
    }
    // In TOML's basic strings these two would end or change the text.
    let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
    for (path, text) in FILES {
        let path = folder.join(path);
        let failed = |e: std::io::Error| format!("cannot write {}: {e}", path.display());
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(failed)?;
        let value = if path.ends_with("flow.toml") { &quoted } else { &name };
        fs::write(&path, text.replace(NAME, value)).map_err(failed)?;
    }
    Ok(())
}
