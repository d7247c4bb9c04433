//! What a project can do at most: messages and time of each journey, history that is kept and why,
//! and what one person can get in a week.

mod history;
mod text;
mod week;
mod weight;

use crate::bytecode::{Cap, Exit, Journey, Program, QuietHours, StepKind, Trigger};
use crate::compile::SourceFile;
use crate::dump::Names;
use crate::show;
use flow_grammar::span::Span;
use serde::Serialize;

pub use history::Kept;

/// Milliseconds of a week.
const WEEK: i64 = 7 * 86_400_000;

/// What a project can do at most.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The project's name.
    pub project: String,
    /// Each journey.
    pub journeys: Vec<JourneyReport>,
    /// What is kept of each event that the program looks at.
    pub history: Vec<Kept>,
    /// What one person gets at most from all journeys together.
    pub caps: Vec<CapReport>,
}

/// A journey's bounds, for one entry.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JourneyReport {
    /// Its name.
    pub name: String,
    /// The most messages that one entry can give.
    pub messages: Bound<u64>,
    /// The most messages that one entry can give in any seven days.
    pub week: Bound<u64>,
    /// The longest time from entry to end.
    pub longest: Bound<String>,
    /// Whether quiet hours can add to that time.
    pub quiet_hours: bool,
}

/// A number, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Bound<T> {
    /// At most this.
    AtMost(T),
    /// No bound.
    #[serde(rename_all = "camelCase")]
    NoBound {
        /// Why.
        because: String,
        /// Where in the source.
        place: String,
    },
}

/// A cap.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CapReport {
    /// The channel; none: all together.
    pub channel: Option<String>,
    /// How many.
    pub count: u32,
    /// In which rolling window.
    pub per: String,
    /// The most in any seven days.
    pub per_week: u64,
    /// Where it was declared.
    pub place: String,
}

/// Looks at a program; `place` writes a place of the source.
#[must_use]
pub fn report(program: &Program, files: &[SourceFile], place: &dyn Fn(Span) -> String) -> Report {
    let names = Names::new(program, files);
    Report {
        project: program.name.clone(),
        journeys: program.journeys.iter().map(|one| journey(&names, one, place)).collect(),
        history: history::kept(&names, place),
        caps: program.policy.caps.iter().map(|one| cap(&names, one, place)).collect(),
    }
}

impl Report {
    /// The report as people read it.
    #[must_use]
    pub fn text(&self) -> String {
        text::render(self)
    }
}

fn journey(names: &Names<'_>, journey: &Journey, place: &dyn Fn(Span) -> String) -> JourneyReport {
    let limit = exit_after(journey);
    let messages = weight::messages(names, journey, limit);
    let week = week::messages(names.program, journey, &messages);
    let longest = weight::time(names, journey, limit).map(show::duration);
    JourneyReport {
        name: journey.name.clone(),
        messages: messages.bound(place),
        week: week.bound(place),
        longest: longest.bound(place),
        quiet_hours: is_delayed(names.program, journey),
    }
}

/// How long an entry can last and its goals can still be met, in milliseconds; none: there is no bound.
pub(crate) fn longest_stay(program: &Program, files: &[SourceFile], journey: &Journey) -> Option<i64> {
    let names = Names::new(program, files);
    let longest = match weight::time(&names, journey, exit_after(journey)) {
        weight::Weight::Finite(longest) => longest.window_millis(),
        weight::Weight::Endless(..) => return None,
    };
    let before = journey.triggers.iter().filter_map(|trigger| match trigger {
        Trigger::Without { within, .. } => Some(within.window_millis()),
        _ => None,
    });
    let goals = journey.goals.iter().filter_map(|goal| Some(goal.within?.window_millis()));
    let longest = longest.saturating_add(before.max().unwrap_or(0));
    Some(goals.fold(longest, i64::max))
}

/// The shortest `exit after`.
fn exit_after(journey: &Journey) -> Option<crate::bytecode::Duration> {
    let limits = journey.exits.iter().filter_map(|exit| match exit {
        Exit::After(duration) => Some(*duration),
        Exit::On { .. } | Exit::When(_) => None,
    });
    limits.min_by_key(|duration| duration.window_millis())
}

/// Whether quiet hours can put one of its messages off.
fn is_delayed(program: &Program, journey: &Journey) -> bool {
    journey.steps.iter().any(|step| match &step.kind {
        StepKind::Send(send) => {
            let transactional = program.is_transactional(send.topic);
            let meant = |quiet: &QuietHours| {
                quiet.channels.is_empty() || quiet.channels.iter().any(|channel| send.channels.contains(channel))
            };
            !transactional && program.policy.quiet.iter().any(meant)
        }
        _ => false,
    })
}

fn cap(names: &Names<'_>, cap: &Cap, place: &dyn Fn(Span) -> String) -> CapReport {
    // Any seven days are covered by so many windows one after the other.
    let windows = if cap.window > 0 { (WEEK + cap.window - 1) / cap.window } else { 1 };
    CapReport {
        channel: cap.channel.map(|channel| names.channel(channel).to_owned()),
        count: cap.count,
        per: show::window(cap.window),
        per_week: u64::from(cap.count).saturating_mul(u64::try_from(windows).unwrap_or(1)),
        place: place(cap.span),
    }
}
