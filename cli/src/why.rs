//! `flowc why`: what happened with one person, and what did not and why not.

use crate::feed::{Feed, Ready};
use crate::load::ready;
use crate::output::{out, unusable};
use crate::sources::Sources;
use flow_compiler::bytecode::Program;
use flow_runtime::calendar::instant_text;
use flow_runtime::engine::aside::Explained;
use flow_runtime::replay::watched::Watched;
use flow_runtime::replay::{self, Options, Sinks};
use flow_runtime::words::{with_quote, Words};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Tell what happened with one person, step by step, and what did not happen and why not
///
/// Runs the project over the events as `flowc run` does, and shows of this person every event that was taken, every
/// journey that they did and did not enter, every condition that was judged, and every message that was sent or not, each
/// with the line that decided.
#[derive(clap::Args)]
pub struct Args {
    /// The person's id, or one that was joined into theirs
    #[arg(value_name = "USER")]
    user: String,
    /// A folder or a .flow file
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    feed: Feed,
    /// Only what concerns this journey, and the events
    #[arg(long, value_name = "NAME")]
    journey: Option<String>,
}

/// What a run told of somebody.
struct Told {
    watched: Vec<Watched>,
    /// Inputs of theirs that could not be taken: the line of the file, and the reason.
    dead: Vec<(u64, String)>,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let mut checked = match ready(&args.path) {
        Ok(checked) => checked,
        Err(code) => return ExitCode::from(code),
    };
    let Some(program) = checked.compiled.program.take() else { return ExitCode::from(crate::FOUND) };
    if let Some(name) = &args.journey {
        if !program.journeys.iter().any(|journey| journey.name == *name) {
            return unusable(&format!("there is no journey `{name}`"));
        }
    }
    let program = Arc::new(program);
    let told = match follow(args, &program) {
        Ok(told) => told,
        Err(message) => return unusable(&message),
    };
    if told.watched.is_empty() && told.dead.is_empty() {
        return unusable(&format!("nothing in the events is about `{}`", args.user));
    }
    out(&text(&told, args, &program, &checked.sources()));
    ExitCode::SUCCESS
}

/// Runs over the events, again when it turns out that the person had other ids before.
fn follow(args: &Args, program: &Arc<Program>) -> Result<Told, String> {
    let mut ids = BTreeSet::from([args.user.clone()]);
    loop {
        let told = once(args, program, &ids)?;
        let known = ids.len();
        for one in &told.watched {
            if let Watched::Joined { ids: both, .. } = one {
                ids.extend(both.iter().cloned());
            }
        }
        if ids.len() == known {
            return Ok(told);
        }
        if args.feed.events.as_os_str() == "-" {
            let other: Vec<_> = ids.into_iter().filter(|id| *id != args.user).collect();
            return Err(format!(
                "`{}` was also known as {}: give the events as a file, so that they can be read again",
                args.user,
                other.join(", ")
            ));
        }
    }
}

fn once(args: &Args, program: &Arc<Program>, ids: &BTreeSet<String>) -> Result<Told, String> {
    let Ready { engine, schema, before, opened } = args.feed.ready(program)?;
    let engine = engine.explaining(Explained::These(ids.clone()));
    let mut source = args.feed.source(opened)?;
    let mut dead = Vec::new();
    let sinks = Sinks { messages: Box::new(io::sink()), record: None, dead: Some(Box::new(&mut dead)) };
    let options = Options { until: args.feed.until, watch: ids.clone(), ..Options::default() };
    let summary = replay::run(&engine, &schema, source.as_mut(), before, sinks, &options, || {});
    let summary = summary.map_err(|failure| failure.to_string())?;
    Ok(Told { watched: summary.watched, dead: set_aside(&dead, ids) })
}

/// Those of the dead letters that are of one of these ids.
fn set_aside(letters: &[u8], ids: &BTreeSet<String>) -> Vec<(u64, String)> {
    let letters = letters.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let theirs = letters.filter_map(|letter| {
        // What could not be read stands in the letter as a text.
        let input = match letter.get("input")? {
            Value::String(text) => serde_json::from_str(text).ok()?,
            input => input.clone(),
        };
        let names = ["userId", "anonymousId"];
        let theirs =
            names.iter().any(|name| input.get(name).and_then(Value::as_str).is_some_and(|id| ids.contains(id)));
        theirs.then(|| {
            let reason = letter.get("reason").and_then(Value::as_str).unwrap_or_default().to_owned();
            (letter.get("line").and_then(Value::as_u64).unwrap_or_default(), reason)
        })
    });
    theirs.collect()
}

fn text(told: &Told, args: &Args, program: &Program, sources: &Sources<'_>) -> String {
    let words = Words::new(program);
    let mut lines = Vec::new();
    for one in &told.watched {
        let (time, text, place) = match one {
            Watched::Joined { time, ids: [known, other] } => (*time, format!("{other} is {known}"), None),
            Watched::Effect(effect) => {
                let Some(said) = words.effect(&effect.kind, &instant_text) else { continue };
                let journey = said.journey.and_then(|id| program.journeys.get(id.index())).map(|journey| &journey.name);
                if args.journey.is_some() && journey.is_some() && journey != args.journey.as_ref() {
                    continue;
                }
                let text = with_quote(&said.text, said.quoted, |span| sources.text(span));
                (effect.time, text, said.place.map(|span| sources.at(span)))
            }
        };
        lines.push((instant_text(time), text, place.unwrap_or_default()));
    }
    let width = lines.iter().map(|(_, text, _)| text.chars().count()).filter(|width| *width <= 80).max().unwrap_or(0);
    let mut shown = String::new();
    let mut last = String::new();
    for (time, text, place) in lines {
        let when = if time == last { "" } else { &time };
        shown += format!("{when:<24}  {text:<width$}  {place}").trim_end();
        shown.push('\n');
        last = time;
    }
    for (line, reason) in &told.dead {
        shown += &format!("set aside, line {line}: {reason}\n");
    }
    shown
}
