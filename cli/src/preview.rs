//! `flowc preview`: what a message will look like, before anything is sent.

mod page;
mod people;
mod shown;
mod terminal;
mod watch;

use crate::load::{load_one, Checked};
use crate::output::{colour_err, err, out, unusable};
use crate::render::{self, Format};
use flow_compiler::diagnostic::Severity;
use shown::Shown;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Show what a message will look like, with made-up values or real people
///
/// Without --user, values are made up from their types: everything is known. The message is shown in the terminal,
/// written to files (--out), or on a page of this machine that follows every change of the project (--serve).
#[derive(clap::Args)]
pub struct Args {
    /// Which one: `cart_reminder`, `cart_reminder.email`, `cart_reminder.email.it`, or the path of its file
    #[arg(value_name = "TEMPLATE")]
    template: String,
    /// The project's folder
    #[arg(long, value_name = "PATH", default_value = ".")]
    project: PathBuf,
    /// People to show it to: CSV or JSON lines with `user_id` and attributes, each in their own language
    #[arg(long, value_name = "FILE", conflicts_with = "all")]
    user: Option<PathBuf>,
    /// Every language and every place that sends it, with everything known and with all that may be missing missing
    #[arg(long)]
    all: bool,
    /// Write each as files into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "serve")]
    out: Option<PathBuf>,
    /// Serve a page at this port of this machine; 0 takes a free one
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "4750")]
    serve: Option<u16>,
}

/// What is asked for.
pub struct Wanted {
    /// The template's name.
    name: String,
    channel: Option<String>,
    locale: Option<String>,
    project: PathBuf,
    user: Option<PathBuf>,
    all: bool,
}

/// Why there is nothing to show.
pub enum Problem {
    /// The project has errors, which are told already in this text.
    Found(String),
    /// It cannot be done.
    Told(String),
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let wanted = wanted(args);
    if let Some(port) = args.serve {
        return match watch::serve(&wanted, port) {
            Ok(()) => ExitCode::SUCCESS,
            Err(message) => unusable(&message),
        };
    }
    let shown = match collect(&wanted, colour_err()) {
        Ok(shown) => shown,
        Err(Problem::Found(text)) => {
            err(&text);
            return ExitCode::from(crate::FOUND);
        }
        Err(Problem::Told(message)) => return unusable(&message),
    };
    match &args.out {
        Some(folder) => match write(folder, &shown) {
            Ok(paths) => paths.iter().for_each(|path| out(&format!("{}\n", path.display()))),
            Err(message) => return unusable(&message),
        },
        None => out(&terminal::text(&shown)),
    }
    let failed = shown.iter().any(|one| one.content.is_err());
    ExitCode::from(if failed { crate::FOUND } else { 0 })
}

/// `cart.email.it`, or the path of a file: then the folder above its `templates` is the project.
fn wanted(args: &Args) -> Wanted {
    let path = Path::new(&args.template);
    let mut project = args.project.clone();
    let mut name = args.template.as_str();
    if path.is_file() {
        let root = path.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "templates"));
        if let Some(root) = root.and_then(Path::parent) {
            project = if root.as_os_str().is_empty() { PathBuf::from(".") } else { root.to_owned() };
        }
        name = path.file_name().and_then(|name| name.to_str()).unwrap_or(name);
        name = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    }
    let mut parts = name.split('.').map(str::to_owned);
    let (name, channel, locale) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    Wanted { name, channel, locale, project, user: args.user.clone(), all: args.all }
}

/// Reads the project anew and renders what is wanted.
fn collect(wanted: &Wanted, colour: bool) -> Result<Vec<Shown>, Problem> {
    let mut checked = load_one(&wanted.project).map_err(Problem::Told)?.compile();
    checked.diagnostics.retain(|found| found.severity == Severity::Error);
    let Some(program) = checked.compiled.program.take().filter(|_| checked.diagnostics.is_empty()) else {
        return Err(Problem::Found(findings(&checked, colour)));
    };
    people::shown(wanted, program, &checked.loaded.project.input).map_err(Problem::Told)
}

fn findings(checked: &Checked, colour: bool) -> String {
    render::all(std::slice::from_ref(checked), Format::Human, colour)
}

/// One file for each part of each message.
fn write(folder: &Path, shown: &[Shown]) -> Result<Vec<PathBuf>, String> {
    let failed = |path: &Path, error: &std::io::Error| format!("cannot write {}: {error}", path.display());
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let mut paths = Vec::new();
    for one in shown {
        for (ending, text) in one.files() {
            let path = folder.join(format!("{}.{ending}", one.stem));
            fs::write(&path, text).map_err(|error| failed(&path, &error))?;
            paths.push(path);
        }
    }
    Ok(paths)
}
