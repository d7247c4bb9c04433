//! The page behind the link to unsubscribe. Looking at it changes nothing (RFC 8058: mail programs and scanners follow
//! links); only a POST unsubscribes.

use super::ingest::unavailable;
use super::Server;
use crate::clock;
use crate::record::Record;
use axum::extract::{Path, State};
use axum::http::{header, StatusCode};
use axum::response::{IntoResponse, Response};
use flow_channels::links::{unsubscribe_page, unsubscribed, verify_unsubscribe, Unsubscribe};
use serde_json::json;

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";

/// Asks.
pub(super) async fn page(State(server): State<Server>, Path(token): Path<String>) -> Response {
    match meant(&server, &token) {
        Some(what) => show(&server, &what, false),
        None => none(),
    }
}

/// Unsubscribes, at once: it is certain when this is answered.
pub(super) async fn unsubscribe(State(server): State<Server>, Path(token): Path<String>) -> Response {
    let Some(what) = meant(&server, &token) else { return none() };
    let event = unsubscribed(&what);
    let received = clock::now();
    let line = json!({
        "type": "track",
        "userId": what.person,
        "event": event.name,
        "properties": event.properties,
        "timestamp": super::operate::instant(received),
    });
    let lines = format!("{line}\n").into_bytes();
    let size = lines.len();
    match server.handle.take(Record::Inputs { received, lines }, size).await {
        Ok(()) => show(&server, &what, true),
        Err(not_taken) => unavailable(&not_taken),
    }
}

fn meant(server: &Server, token: &str) -> Option<Unsubscribe> {
    verify_unsubscribe(server.links.as_deref()?, token)
}

fn show(server: &Server, what: &Unsubscribe, done: bool) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, unsubscribe_page(&server.project, what, done)).into_response()
}

fn none() -> Response {
    (StatusCode::NOT_FOUND, "this link is not one of ours, or not whole\n").into_response()
}
