//! `flowc fmt`: one layout for every program.

use crate::output::{err, out, unusable};
use flow_grammar::{format, LineIndex, SyntaxError, Unformatted};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Folders that never hold a project's own source.
const SKIPPED: [&str; 2] = ["target", "node_modules"];

/// Give programs their one layout
///
/// Formats the .flow files given and those in the folders given, in place. Comments stay where they
/// stand, and what a program means does not change. A file with syntax errors is left as it is.
#[derive(clap::Args)]
pub struct Args {
    /// Folders or .flow files; `-` reads standard input and writes standard output
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Change nothing; name the files that are not formatted, and exit with 1 if there are any
    #[arg(long)]
    check: bool,
}

/// How many files there were of each kind.
#[derive(Default)]
struct Counts {
    changed: usize,
    failed: usize,
    unreadable: usize,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        if args.paths.len() > 1 {
            return unusable("`-` stands alone");
        }
        return standard_input(args.check);
    }
    let mut files = Vec::new();
    for path in &args.paths {
        if let Err(message) = collect(path, true, &mut files) {
            return unusable(&message);
        }
    }
    files.sort();
    files.dedup();
    let mut counts = Counts::default();
    for file in &files {
        one_file(file, args.check, &mut counts);
    }
    match counts {
        Counts { unreadable: 1.., .. } => ExitCode::from(crate::UNUSABLE),
        Counts { failed: 1.., .. } => ExitCode::from(crate::FOUND),
        Counts { changed: 1.., .. } if args.check => ExitCode::from(crate::FOUND),
        _ => ExitCode::SUCCESS,
    }
}

fn standard_input(check: bool) -> ExitCode {
    let mut text = String::new();
    if let Err(error) = std::io::stdin().lock().read_to_string(&mut text) {
        return unusable(&format!("cannot read standard input: {error}"));
    }
    match format(&text) {
        Ok(formatted) if check => ExitCode::from(if formatted == text { 0 } else { crate::FOUND }),
        Ok(formatted) => {
            out(&formatted);
            ExitCode::SUCCESS
        }
        Err(reason) => {
            tell(Path::new("<stdin>"), &text, &reason);
            ExitCode::from(crate::FOUND)
        }
    }
}

fn one_file(path: &Path, check: bool, counts: &mut Counts) {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            err(&format!("error: cannot read {}: {error}\n", path.display()));
            counts.unreadable += 1;
            return;
        }
    };
    match format(&text) {
        Ok(formatted) if formatted == text => {}
        Ok(_) if check => {
            counts.changed += 1;
            out(&format!("{}\n", path.display()));
        }
        Ok(formatted) => match fs::write(path, formatted) {
            Ok(()) => counts.changed += 1,
            Err(error) => {
                err(&format!("error: cannot write {}: {error}\n", path.display()));
                counts.unreadable += 1;
            }
        },
        Err(reason) => {
            tell(path, &text, &reason);
            counts.failed += 1;
        }
    }
}

/// Says why a file was left as it is.
fn tell(path: &Path, text: &str, reason: &Unformatted) {
    let path = path.display();
    match reason {
        Unformatted::Errors(errors) => {
            let lines = LineIndex::new(text);
            let show = |error: &SyntaxError| {
                let at = lines.line_column(text, error.span.start);
                format!("{path}:{}:{}: error[{}]: {}\n", at.line, at.column, error.code, error.message)
            };
            err(&errors.iter().map(show).collect::<String>());
            err(&format!("{path} has syntax errors and was left as it is\n"));
        }
        Unformatted::Changed(_) => {
            err(&format!(
                "{path} was left as it is: its layout would change its meaning, which is a mistake of flowc\n"
            ));
        }
    }
}

/// The `.flow` files at a path; hidden files and folders are passed over.
fn collect(path: &Path, named: bool, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no file or folder {}", path.display()),
        _ => format!("cannot read {}: {error}", path.display()),
    };
    if !fs::metadata(path).map_err(cannot)?.is_dir() {
        let is_flow = path.extension().is_some_and(|ext| ext == "flow");
        if !is_flow && named {
            return Err(format!("{} is neither a folder nor a .flow file", path.display()));
        }
        if is_flow {
            files.push(path.to_owned());
        }
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || SKIPPED.contains(&name.as_str()) {
            continue;
        }
        let kind = entry.file_type().map_err(cannot)?;
        // A linked folder is not entered: it could lead round in circles.
        if kind.is_dir() || (name.ends_with(".flow") && entry.path().is_file()) {
            // Without the `./` of the present folder, as people write paths.
            let inner = entry.path();
            collect(inner.strip_prefix(".").unwrap_or(&inner), false, files)?;
        }
    }
    Ok(())
}
