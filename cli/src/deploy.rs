//! `flowc plan` and `flowc deploy`: what a new version means for people under way, and going on with it.

use crate::output::{err, out};
use crate::store::Project;
use flow_runtime::engine::succession::Answers;
use flow_serve::plan::Plan;
use flow_serve::record::{Deployment, Record};
use flow_serve::renew::{self, identity_text, Wanted};
use flow_serve::store::{state_before, Store};
use flow_serve::{clock, door, keys};
use std::process::ExitCode;
use std::sync::Arc;

/// Show what this version means for the people in a store
///
/// For each journey: how many wait at each step, and where this version puts them. Nothing is changed, and the server may run
/// meanwhile. Exit code 1: somebody waits at a step that is gone, and nobody has said what becomes of them.
#[derive(clap::Args)]
pub struct PlanArgs {
    #[command(flatten)]
    change: Change,
}

/// Go on with this version: everybody in the store is put where `flowc plan` shows
///
/// A server that runs reads the project again, its templates and channels too, and goes on in it: calls wait for a moment, and none is lost.
/// Without one, the next starts with this version.
#[derive(clap::Args)]
pub struct DeployArgs {
    #[command(flatten)]
    change: Change,
}

/// A new version, and what becomes of those who wait at steps that are gone.
#[derive(clap::Args)]
struct Change {
    #[command(flatten)]
    project: Project,
    /// Who waits at a step goes on at another (steps as `flowc plan` names them, or by their `as` names)
    #[arg(long, value_name = "JOURNEY:STEP=STEP", value_parser = moved)]
    moved: Vec<(String, String, String)>,
    /// Who waits at a step leaves
    #[arg(long, value_name = "JOURNEY:STEP", value_parser = ended)]
    ended: Vec<(String, String)>,
    /// Who is in a journey that is gone leaves
    #[arg(long, value_name = "JOURNEY")]
    ended_journey: Vec<String>,
    /// Waits keep their ends also where their lengths changed
    #[arg(long)]
    keep_deadlines: bool,
}

fn ended(text: &str) -> Result<(String, String), String> {
    let (journey, step) = text.split_once(':').ok_or("write JOURNEY:STEP")?;
    Ok((journey.to_owned(), step.to_owned()))
}

fn moved(text: &str) -> Result<(String, String, String), String> {
    let (from, to) = text.split_once('=').ok_or("write JOURNEY:STEP=STEP")?;
    let (journey, step) = ended(from)?;
    Ok((journey, step, to.to_owned()))
}

impl Change {
    fn answers(&self) -> Answers {
        Answers {
            moved: self.moved.clone(),
            ended: self.ended.clone(),
            ended_journeys: self.ended_journey.clone(),
            keep_deadlines: self.keep_deadlines,
        }
    }
}

/// Runs `flowc plan`.
pub fn plan(PlanArgs { change }: &PlanArgs) -> ExitCode {
    change.project.with(|mut checked| {
        let disk = change.project.look()?;
        let setup = change.project.setup(&mut checked, None)?;
        let (host, _) = state_before(&disk, &setup, u64::MAX).map_err(|failure| failure.to_string())?;
        let same = host.setup().identity == setup.identity;
        Ok(shown(&Plan::new(&host, &setup, &change.answers())?, same))
    })
}

fn shown(plan: &Plan, same: bool) -> ExitCode {
    out(&plan.to_string());
    if same {
        out("people are in this version: there is nothing to deploy\n");
    }
    match plan.stranded() {
        0 => ExitCode::SUCCESS,
        people => {
            err(&renew::stranded(people));
            ExitCode::from(crate::FOUND)
        }
    }
}

/// Runs `flowc deploy`.
pub fn deploy(DeployArgs { change }: &DeployArgs) -> ExitCode {
    change.project.with(|mut checked| {
        change.project.look()?;
        let Some((disk, _lock)) = change.project.open_unless_served()? else {
            return ask_server(change, &identity_text(&*change.project.setup(&mut checked, None)?));
        };
        let links = keys::links(disk.path()).map_err(|error| format!("cannot read the keys: {error}"))?;
        let setup = change.project.setup(&mut checked, Some(Arc::new(links)))?;
        let secret = keys::random().map_err(|error| format!("there is no chance to be had: {error}"))?;
        let (mut store, found) =
            Store::open_any(disk, Arc::clone(&setup), secret).map_err(|refusal| refusal.to_string())?;
        found.warnings.iter().for_each(|warning| err(&format!("warning: {warning}\n")));
        let answers = change.answers();
        let plan = Plan::new(store.host(), &setup, &answers)?;
        let same = store.host().setup().identity == setup.identity;
        if same || plan.stranded() > 0 {
            return Ok(shown(&plan, same));
        }
        clock::not_before(store.host().latest());
        let deployment = Deployment { identity: setup.identity, source: setup.source.clone(), answers };
        let record = Record::Deploy { now: clock::now(), deployment };
        store.commit(&[record], &mut Vec::new()).map_err(|failure| failure.to_string())?;
        store.snapshot().map_err(|failure| format!("it is deployed, but there is no snapshot: {failure}"))?;
        out(&renew::done(&plan, store.host().people() as u64, false));
        Ok(ExitCode::SUCCESS)
    })
}

/// The server that has the store is to go on in this version.
fn ask_server(change: &Change, identity: &str) -> Result<ExitCode, String> {
    let wanted = Wanted {
        identity: Some(identity.to_owned()),
        moved: change.moved.clone(),
        ended: change.ended.clone(),
        ended_journeys: change.ended_journey.clone(),
        keep_deadlines: change.keep_deadlines,
    };
    let json = serde_json::to_string(&wanted).map_err(|error| error.to_string())?;
    match door::ask(&change.project.folder(), "/operate/deploy", &json)? {
        (200, text) => {
            out(&text);
            Ok(ExitCode::SUCCESS)
        }
        (409, text) => {
            let (plan, sentence) = text.trim_end().rsplit_once('\n').unwrap_or(("", text.trim_end()));
            out(&format!("{plan}\n"));
            err(&format!("{sentence}\n"));
            Ok(ExitCode::from(crate::FOUND))
        }
        (_, text) => Err(text.trim_end().to_owned()),
    }
}
