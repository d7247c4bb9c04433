//! How much of each event is kept, and because of which questions.

use crate::bytecode::{Event, EventId, Query, QueryWindow, Strategy};
use crate::dump::Names;
use crate::joins;
use crate::show;
use flow_grammar::span::Span;
use serde::Serialize;

/// What is kept of an event.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// The event's name.
    pub event: String,
    /// How long its occurrences are kept: `7d`, `for ever`, `while someone is in abandoned_cart`; empty: not at all.
    pub how_long: Vec<String>,
    /// Which of its fields are kept with them.
    pub fields: Vec<String>,
    /// Whether the time of the last one is kept.
    pub last: bool,
    /// The questions that need it.
    pub because: Vec<Because>,
    /// Journeys whose entries listen to it: what somebody did before they turned out to be one who is in flight counts.
    pub joins: Vec<String>,
}

/// A question about an event's history.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Because {
    /// The question, as it was written.
    pub question: String,
    /// Where.
    pub place: String,
    /// How much of the history it needs.
    pub needs: String,
}

/// What is kept of each event that the program looks at.
pub(super) fn kept(names: &Names<'_>, place: &dyn Fn(Span) -> String) -> Vec<Kept> {
    let events = (0..).map(EventId).zip(&names.program.events).filter(|(_, event)| event.used);
    events.map(|(id, event)| one(names, id, event, place)).collect()
}

fn one(names: &Names<'_>, id: EventId, event: &Event, place: &dyn Fn(Span) -> String) -> Kept {
    let log = event.history.log.as_ref();
    let fields = log.into_iter().flat_map(|log| &log.fields).filter_map(|n| event.fields.get(usize::from(*n)));
    let mut how_long = Vec::new();
    if let Some(log) = log {
        if log.forever {
            how_long.push("for ever".to_owned());
        }
        how_long.extend(log.window.map(show::window));
        how_long.extend(log.in_flight.iter().map(|id| format!("while someone is in {}", names.journey(*id))));
        how_long.extend(log.joined.map(|joined| format!("{} in case two ids are joined", show::window(joined))));
    }
    let journeys = names.program.journeys.iter().filter(|journey| joins::listens_to(journey, id));
    let queries = names.program.queries.iter().filter(|query| query.event == id);
    Kept {
        event: event.name.clone(),
        how_long,
        fields: fields.map(|field| field.name.clone()).collect(),
        last: event.history.last,
        joins: journeys.map(|journey| journey.name.clone()).collect(),
        because: queries
            .map(|query| Because { question: names.text(query.span), place: place(query.span), needs: needs(query) })
            .collect(),
    }
}

fn needs(query: &Query) -> String {
    match (query.strategy, query.window) {
        (Strategy::Last, _) => "the last one".to_owned(),
        (Strategy::Running(_), _) => "a running total".to_owned(),
        (Strategy::Log, QueryWindow::Entry) => "all since the entry".to_owned(),
        (Strategy::Log, QueryWindow::Last(millis)) => format!("the last {}", show::window(millis)),
        (Strategy::Log, QueryWindow::Ever | QueryWindow::Since) => "all".to_owned(),
    }
}
