//! `flowc status`: how a store stands, whether a server runs or not.

use crate::output::out;
use crate::store::Project;
use flow_runtime::calendar::instant_text;
use flow_serve::host::Host;
use flow_serve::plan::count;
use flow_serve::record::Scope;
use flow_serve::store::state_before;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Show how a store stands: people, journeys, messages
///
/// It is read as it is on the disk; the server may run meanwhile.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    project: Project,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    args.project.with(|mut checked| {
        let disk = args.project.look()?;
        let setup = args.project.setup(&mut checked, None)?;
        let (host, frame) = state_before(&disk, &setup, u64::MAX).map_err(|failure| failure.to_string())?;
        out(&text(&host, frame, host.setup().identity == setup.identity));
        Ok(ExitCode::SUCCESS)
    })
}

fn text(host: &Host, frame: u64, same: bool) -> String {
    let (letters, tally) = (host.letters(), host.tally());
    let program = host.setup().program();
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing into a text does not fail.
        let _ = writeln!(text, "{name:<10} {value}");
    };
    line("project", program.name.clone());
    if !same {
        line("version", "not the one in this folder: see `flowc plan`".to_owned());
    }
    line("clock", host.clock().map(instant_text).unwrap_or_default());
    line("journal", count(frame, "commit", "commits"));
    line("people", host.people().to_string());
    let refused = tally.repeated + tally.unknown + tally.rejected + tally.forgotten;
    line("calls", format!("{} taken, {refused} not", tally.accepted));
    let (taken, given_up) = letters.totals.iter().fold((0, 0), |(a, b), (taken, dead)| (a + taken, b + dead));
    line(
        "messages",
        format!(
            "{taken} taken, {} waiting, {} throttled, {given_up} given up ({} kept)",
            letters.waiting.len(),
            host.throttled(),
            letters.dead.len()
        ),
    );
    for (file, at) in host.followed() {
        line("followed", format!("{file}: {} bytes taken", at.offset));
    }
    for scope in host.paused() {
        let what = match scope {
            Scope::Everything => "everything".to_owned(),
            Scope::Channel(name) => format!("channel {name}"),
            Scope::Journey(name) => format!("journey {name}"),
        };
        line("paused", what);
    }
    for (journey, counts) in program.journeys.iter().zip(&host.counts().journeys) {
        line(
            "journey",
            format!(
                "{}: {} entered, {} in flight, {} converted",
                journey.name,
                counts.entered,
                counts.in_flight(),
                counts.converted
            ),
        );
    }
    text
}
