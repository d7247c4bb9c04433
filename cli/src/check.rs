//! `flowc check`: says what is wrong with projects.

use crate::load::{load, Checked};
use crate::output::{colour_out, err, out};
use crate::render::{self, counted, Format};
use flow_compiler::diagnostic::Severity;
use flow_compiler::report::report;
use std::path::PathBuf;
use std::process::ExitCode;

/// Check projects and show what is wrong with them
///
/// Several paths can be given; an error in one does not hide what is found in the others.
#[derive(clap::Args)]
pub struct Args {
    /// Folders or .flow files
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// How findings are shown
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// What besides errors makes the exit code 1
    #[arg(long, value_enum, value_name = "KIND")]
    deny: Option<Deny>,
    /// Also show what each journey can do at most, and how much history is kept and why
    #[arg(long)]
    report: bool,
}

/// What can be denied.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Deny {
    /// Warnings count as errors
    Warnings,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let (checked, unreadable) = load_all(&args.paths);
    out(&render::all(&checked, args.format, colour_out()));
    if args.report {
        out(&reports(&checked, args.format));
    }
    let worst = checked.iter().flat_map(|project| &project.diagnostics).map(|found| found.severity).min();
    if worst.is_none() && !unreadable && !args.report && args.format == Format::Human {
        out(&all_is_well(&checked));
    }
    match worst {
        _ if unreadable => ExitCode::from(crate::UNUSABLE),
        Some(Severity::Error) => ExitCode::from(crate::FOUND),
        Some(Severity::Warning) if args.deny == Some(Deny::Warnings) => ExitCode::from(crate::FOUND),
        _ => ExitCode::SUCCESS,
    }
}

/// Reads and compiles all that can be read; the rest is told at once.
fn load_all(paths: &[PathBuf]) -> (Vec<Checked>, bool) {
    let mut checked = Vec::new();
    let mut unreadable = false;
    for path in paths {
        match load(path) {
            Ok(found) => checked.extend(found.into_iter().map(|loaded| loaded.compile())),
            Err(message) => {
                err(&format!("error: {message}\n"));
                unreadable = true;
            }
        }
    }
    (checked, unreadable)
}

/// The reports of the projects that have no errors.
fn reports(checked: &[Checked], format: Format) -> String {
    let report = |project: &Checked| {
        let program = project.compiled.program.as_ref()?;
        let sources = project.sources();
        let report = report(program, &project.loaded.project.input.files, &|span| sources.at(span));
        Some(match format {
            Format::Json => serde_json::to_string(&report).unwrap_or_default() + "\n",
            _ => report.text(),
        })
    };
    let between = if format == Format::Json { "" } else { "\n" };
    checked.iter().filter_map(report).collect::<Vec<_>>().join(between)
}

fn all_is_well(checked: &[Checked]) -> String {
    let files = checked.iter().map(|project| project.loaded.project.input.files.len()).sum();
    let journeys = checked.iter().filter_map(|project| project.compiled.program.as_ref());
    let journeys = journeys.map(|program| program.journeys.len()).sum();
    let tests = checked.iter().map(|project| project.compiled.tests.len()).sum();
    format!("no errors: {}, {}, {}\n", counted(journeys, "journey"), counted(tests, "test"), counted(files, "file"))
}
