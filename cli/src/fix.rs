//! `flowc fix`: applies the mends that are certain.

use crate::load::listings;
use crate::output::{err, out};
use crate::render::counted;
use crate::sources::shown;
use flow_compiler::mend::{mend, Mended};
use similar::TextDiff;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Apply the mends that are certain
///
/// Changes .flow files, flow.toml and templates in place, again and again until nothing certain is left, and
/// shows what was changed. No file ends with more errors than it had. What needs a decision is left to you:
/// `flowc check` shows it.
#[derive(clap::Args)]
pub struct Args {
    /// Folders or .flow files
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Change nothing; show what would be changed, and exit with 1 if there is anything
    #[arg(long, visible_alias = "dry-run")]
    check: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let (mut unusable, mut fixes, mut files, mut errors) = (false, 0, 0, 0);
    for path in &args.paths {
        let found = match listings(path) {
            Ok(found) => found,
            Err(message) => {
                err(&format!("error: {message}\n"));
                unusable = true;
                continue;
            }
        };
        for (root, listing) in found {
            let done = mend(&listing);
            out(&summary(&root, &done));
            unusable |= !args.check && !written(&root, &done);
            fixes += done.applied.len();
            files += done.changed.len();
            errors += done.errors;
        }
    }
    let (fixes_are, in_files) = (counted_fixes(fixes), counted(files, "file"));
    match (fixes, args.check) {
        (0, _) => out("nothing to fix\n"),
        (_, true) => out(&format!("{fixes_are} can be made in {in_files}\n")),
        (_, false) => out(&format!("{fixes_are} made in {in_files}\n")),
    }
    if errors > 0 {
        out(&format!("{} left; run flowc check to see what\n", counted(errors, "error")));
    }
    match fixes {
        _ if unusable => ExitCode::from(crate::UNUSABLE),
        1.. if args.check => ExitCode::from(crate::FOUND),
        _ => ExitCode::SUCCESS,
    }
}

fn counted_fixes(n: usize) -> String {
    format!("{n} fix{}", if n == 1 { "" } else { "es" })
}

/// Each file that changes: its mends, then the lines before and after.
fn summary(root: &Path, done: &Mended) -> String {
    let mut text = String::new();
    for change in &done.changed {
        let path = shown(root, &change.path);
        for fix in done.applied.iter().filter(|fix| fix.path == change.path) {
            text += &format!("{path}:{}: {}: {}: {}\n", fix.line, fix.code, fix.message, fix.title);
        }
        let diff = TextDiff::from_lines(&change.before, &change.after);
        text += &diff.unified_diff().context_radius(1).header(&path, &path).to_string();
        text.push('\n');
    }
    text
}

/// Writes what has changed; what cannot be written is told.
fn written(root: &Path, done: &Mended) -> bool {
    let mut all = true;
    for change in &done.changed {
        let path = root.join(&change.path);
        if let Err(error) = fs::write(&path, &change.after) {
            err(&format!("error: cannot write {}: {error}\n", path.display()));
            all = false;
        }
    }
    all
}
