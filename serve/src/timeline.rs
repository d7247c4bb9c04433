//! What happened with one person, and what did not and why not: the journal, taken once more by the same engine, which
//! explains itself this time. It reaches back to the oldest snapshot that is kept.

use crate::disk::Disk;
use crate::host::Host;
use crate::journal::{self, Failure};
use crate::setup::Setup;
use crate::snapshot;
use crate::store::Replay;
use flow_compiler::compile::SourceFile;
use flow_grammar::span::Span;
use flow_grammar::LineIndex;
use flow_runtime::calendar::instant_text;
use flow_runtime::engine::effect::Effect;
use flow_runtime::words::{with_quote, Words};
use serde::Serialize;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// So many of the latest happenings are told.
const MOST: usize = 1_000;

/// One thing that happened, or did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Happening {
    /// When: `2026-03-02T10:00:00.000Z`.
    pub time: String,
    /// In words.
    pub what: String,
    /// The journey, if it is about one.
    pub journey: Option<String>,
    /// The line that decided: `cart.flow:12`.
    pub place: Option<String>,
}

/// What happened with one person, as far as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// What was before this is not kept, or not told any more; none: this is all there ever was.
    pub since: Option<String>,
    /// Oldest first.
    pub happenings: Vec<Happening>,
}

/// Who is watched, and what was told of them.
#[derive(Debug, Default)]
pub struct Watch {
    ids: BTreeSet<String>,
    told: VecDeque<Happening>,
    /// Older ones had to go.
    cut: bool,
}

impl Watch {
    /// Whether the person is meant.
    #[must_use]
    pub fn is_about(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// The engine told something.
    pub fn effect(&mut self, setup: &Setup, effect: &Effect) {
        let program = setup.program();
        let Some(told) = Words::new(program).effect(&effect.kind, &instant_text) else { return };
        let journey = told.journey.and_then(|id| program.journeys.get(id.index())).map(|journey| journey.name.clone());
        let what = with_quote(&told.text, told.quoted, |span| source(&setup.files, span));
        self.push(Happening {
            time: instant_text(effect.time),
            what,
            journey,
            place: told.place.and_then(|span| place(&setup.files, span)),
        });
    }

    /// Something else happened.
    pub fn say(&mut self, time: i64, what: String, journey: Option<String>) {
        self.push(Happening { time: instant_text(time), what, journey, place: None });
    }

    fn push(&mut self, happening: Happening) {
        if self.told.len() >= MOST {
            self.told.pop_front();
            self.cut = true;
        }
        self.told.push_back(happening);
    }
}

/// What happened with a person. `to` is the number of the frame that is no longer looked at.
///
/// # Errors
/// When the disk fails, something is damaged, or a version cannot be made ready.
pub fn timeline<D: Disk>(disk: &D, setup: &Arc<Setup>, to: u64, id: &str) -> Result<Timeline, Failure> {
    let mut ids = BTreeSet::from([id.to_owned()]);
    loop {
        let known = ids.len();
        let (mut host, since) = once(disk, setup, to, &ids)?;
        // Only in the end it is clear who else they were.
        ids.extend(host.ids_of(id));
        if ids.len() == known {
            let watch = host.unwatch().unwrap_or_default();
            let first = watch.told.front().filter(|_| watch.cut).map(|first| first.time.clone());
            return Ok(Timeline { since: first.or(since), happenings: watch.told.into() });
        }
    }
}

fn once<D: Disk>(
    disk: &D,
    setup: &Arc<Setup>,
    to: u64,
    ids: &BTreeSet<String>,
) -> Result<(Host, Option<String>), Failure> {
    let setup = setup.explaining(ids.clone()).map_err(Failure::Broken)?;
    let (mut host, next) = snapshot::oldest(disk, &setup)?;
    let since = (next > 0).then(|| instant_text(host.latest()));
    host.watch(Watch { ids: ids.clone(), ..Watch::default() });
    let mut replay = Replay::new(host, &setup);
    journal::scan(disk, next, to, |_, record| replay.take(&record))?;
    Ok((replay.done(), since))
}

fn source(files: &[SourceFile], span: Span) -> &str {
    files.get(span.file.0 as usize).map_or("", |file| span.text(&file.text))
}

fn place(files: &[SourceFile], span: Span) -> Option<String> {
    let file = files.get(span.file.0 as usize)?;
    let line = LineIndex::new(&file.text).line_column(&file.text, span.start).line;
    Some(format!("{}:{line}", file.path))
}
