//! `flowc test`: runs the tests of projects in simulated time.

mod human;
mod json;
mod junit;

use crate::evaluation::Choice;
use crate::load::{load, Checked};
use crate::output::{colour_err, colour_out, err, out, unusable};
use crate::render::{self, counted};
use crate::sources::Sources;
use flow_compiler::diagnostic::Severity;
use flow_compiler::testcase::TestCase;
use flow_runtime::calendar::Zones;
use flow_runtime::engine::Engine;
use flow_runtime::ingest::schema::Schema;
use flow_runtime::testing::{self, Verdict};
use flow_runtime::words::with_quote;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Run the tests of projects in simulated time
///
/// A test says what happens to one person, and which messages they get for it and when. For one that fails, what
/// was expected and what came is shown side by side, with the steps that decided.
#[derive(clap::Args)]
pub struct Args {
    /// A folder or a .flow file
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Only tests whose name contains this
    #[arg(value_name = "FILTER")]
    filter: Option<String>,
    /// How the result is shown
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Decides the arms of splits and who is in a holdout
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// A folder of TZif files to use instead of the zone data that comes with flowc
    #[arg(long, value_name = "DIR")]
    tzdata: Option<PathBuf>,
    #[command(flatten)]
    engine: Choice,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Failures with the source and both timelines, then a count
    #[default]
    Human,
    /// JUnit's XML
    Junit,
    /// One JSON object
    Json,
}

/// A test that was run.
struct Ran<'p> {
    project: &'p str,
    case: &'p TestCase,
    verdict: Verdict,
    sources: &'p Sources<'p>,
}

impl Ran<'_> {
    fn passed(&self) -> bool {
        self.verdict.failures.is_empty()
    }
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let zones = match &args.tzdata {
        Some(folder) => match Zones::from_folder(folder) {
            Ok(zones) => zones,
            Err(error) => return unusable(&format!("cannot read zones: {error}")),
        },
        None => Zones::bundled(),
    };
    let zones = Arc::new(zones);
    let projects: Vec<Checked> = match load(&args.path) {
        Ok(found) => found.into_iter().map(|loaded| loaded.compile()).collect(),
        Err(message) => return unusable(&message),
    };
    let broken = tell_problems(&projects);
    let sources: Vec<Sources<'_>> = projects.iter().map(Checked::sources).collect();
    let mut ran = Vec::new();
    for (project, sources) in projects.iter().zip(&sources) {
        let Some(program) = &project.compiled.program else { continue };
        let wanted = |case: &&TestCase| args.filter.as_ref().is_none_or(|filter| case.name.contains(filter.as_str()));
        let cases: Vec<&TestCase> = project.compiled.tests.iter().filter(wanted).collect();
        let engine = Engine::new(Arc::new(program.clone()), Arc::clone(&zones), args.seed);
        let engine = match args.engine.of(engine) {
            Ok(engine) => engine,
            Err(message) => return unusable(&message),
        };
        let schema = Schema::new(program, Arc::clone(&zones));
        let verdicts = testing::run(&engine, &schema, &cases);
        let name = program.name.as_str();
        ran.extend(cases.into_iter().zip(verdicts).map(|(case, mut verdict)| {
            for entry in &mut verdict.actual {
                entry.text = with_quote(&entry.text, entry.quoted, |span| sources.text(span));
            }
            Ran { project: name, case, verdict, sources }
        }));
    }
    match args.format {
        Format::Human => out(&human::text(&ran, colour_out())),
        Format::Junit => out(&junit::text(&ran)),
        Format::Json => out(&json::text(&ran)),
    }
    if ran.is_empty() && !broken && args.format == Format::Human {
        let tests: usize = projects.iter().map(|project| project.compiled.tests.len()).sum();
        out(&match &args.filter {
            Some(filter) if tests > 0 => format!("none of {} has \"{filter}\" in its name\n", counted(tests, "test")),
            _ => "there are no tests: write `test \"…\" { … }` in a .flow file\n".to_owned(),
        });
    }
    if broken || ran.iter().any(|test| !test.passed()) {
        ExitCode::from(crate::FOUND)
    } else {
        ExitCode::SUCCESS
    }
}

/// Tells what is wrong with projects that cannot be run, and whether there are any.
fn tell_problems(projects: &[Checked]) -> bool {
    let broken = |project: &&Checked| project.count(Severity::Error) > 0 || project.compiled.program.is_none();
    let mut any = false;
    for project in projects.iter().filter(broken) {
        any = true;
        err(&render::all(std::slice::from_ref(project), render::Format::Human, colour_err()));
    }
    any
}
