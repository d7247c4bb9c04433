//! The web page: three files that need nothing from elsewhere, and what they show.

use super::operate::{look, scope_text};
use super::Server;
use crate::host::Host;
use crate::live::Status;
use axum::extract::State;
use axum::http::{header, HeaderMap};
use axum::response::{IntoResponse, Response};
use flow_compiler::bytecode::{Journey, StepId, StepKind};
use flow_compiler::graph::{edges, EdgeKind};
use flow_runtime::replay::summary::JourneyCounts;
use serde_json::{json, Map, Value};

/// Nothing is loaded from anywhere else, and nobody shows the page inside of another.
const POLICY: &str =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}

/// The page. What it shows, it asks for with a key.
pub(super) async fn page() -> Response {
    file("text/html; charset=utf-8", include_str!("web/page.html"))
}

pub(super) async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("web/page.js"))
}

pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("web/page.css"))
}

/// The journeys as graphs, with what happened at each step.
pub(super) async fn journeys(State(server): State<Server>, headers: HeaderMap) -> Response {
    look(&server, &headers, |host, status| shown(host, &status)).await
}

fn shown(host: &Host, status: &Status) -> Value {
    let setup = host.setup();
    let journeys = setup.program().journeys.iter().zip(&host.counts().journeys).zip(&setup.labels);
    json!({
        "project": setup.program().name,
        "ready": !status.broken,
        "people": host.people(),
        "waiting": host.letters().waiting.len(),
        "dead": host.letters().dead.len(),
        "paused": host.paused().iter().map(scope_text).collect::<Vec<_>>(),
        "journeys": journeys.map(|((journey, counts), labels)| graph(journey, counts, labels)).collect::<Vec<_>>(),
    })
}

fn graph(journey: &Journey, counts: &JourneyCounts, labels: &[String]) -> Value {
    let visible = |step: &StepKind| !matches!(step, StepKind::Jump(_) | StepKind::Join | StepKind::End);
    let count = |list: &[u64], at: usize| list.get(at).copied().unwrap_or_default();
    let (mut nodes, mut ways) = (Vec::new(), Vec::new());
    for (at, step) in journey.steps.iter().enumerate().filter(|(_, step)| visible(&step.kind)) {
        let id = StepId(u32::try_from(at).unwrap_or(u32::MAX));
        let mut skipped = Map::new();
        for ((_, reason), count) in counts.skipped.iter().filter(|((step, _), _)| *step == id.0) {
            skipped.insert(reason.word().to_owned(), (*count).into());
        }
        nodes.push(json!({
            "step": id.0,
            "label": labels.get(at),
            "send": matches!(step.kind, StepKind::Send(_)),
            "reached": count(&counts.reached, at),
            "sent": count(&counts.sent, at),
            "skipped": skipped,
        }));
        for edge in edges(journey, id) {
            ways.push(json!({ "from": id.0, "to": target(journey, edge.to), "why": why(&edge.kind) }));
        }
    }
    json!({
        "name": journey.name,
        "entered": counts.entered,
        "in_flight": counts.in_flight(),
        "converted": counts.converted,
        "finished": counts.finished,
        "left": counts.exits.iter().sum::<u64>(),
        "nodes": nodes,
        "ways": ways,
    })
}

/// The first step that is shown, from one on; none: the end.
fn target(journey: &Journey, mut at: StepId) -> Option<u32> {
    // A way round in circles would need a step that waits, and such a step is shown.
    for _ in 0..=journey.steps.len() {
        match &journey.steps.get(at.index())?.kind {
            StepKind::End => return None,
            StepKind::Jump(_) | StepKind::Join => at = edges(journey, at).first()?.to,
            _ => return Some(at.0),
        }
    }
    None
}

fn why(kind: &EdgeKind) -> String {
    match kind {
        EdgeKind::Next | EdgeKind::Join => String::new(),
        EdgeKind::Then => "then".to_owned(),
        EdgeKind::Otherwise => "else".to_owned(),
        EdgeKind::Arm(name) => name.clone(),
        EdgeKind::Branch(number) => format!("branch {number}"),
        EdgeKind::Again => "again".to_owned(),
    }
}
