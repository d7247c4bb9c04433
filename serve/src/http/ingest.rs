//! Calls that come in. A 2xx means that they are certain.

use super::{denied, key_of, NoBody, Server};
use crate::accept::{self, Accepted, Kind, Refused, LONGEST_BODY};
use crate::clock;
use crate::cloudevents;
use crate::keys::Scope;
use crate::live::NotTaken;
use crate::record::Record;
use crate::trace::Span;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{header, HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::bufread::GzDecoder;
use std::io::Read;
use std::time::{Duration, Instant};

/// What gzip begins with (RFC 1952, section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Segment's tracking API.
pub(super) async fn segment(
    State(server): State<Server>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Some(kind) = Kind::of(&name) else {
        return (StatusCode::NOT_FOUND, "there is no such call\n").into_response();
    };
    let span = server.traces.request("/v1/{name}", &headers);
    take(server, headers, body, span, move |body, now| accept::read(kind, body, now)).await
}

/// CloudEvents 1.0, structured (one or a batch) and binary.
pub(super) async fn cloud_events(State(server): State<Server>, headers: HeaderMap, body: Body) -> Response {
    let heads = headers.clone();
    let span = server.traces.request("/v1/events", &headers);
    take(server, headers, body, span, move |body, now| cloudevents::read(&heads, body, now)).await
}

async fn take(
    server: Server,
    headers: HeaderMap,
    body: Body,
    mut span: Span,
    read: impl FnOnce(&[u8], i64) -> Result<Accepted, Refused>,
) -> Response {
    let response = answer(&server, &headers, body, &mut span, read).await;
    span.answered(response.status());
    response
}

async fn answer(
    server: &Server,
    headers: &HeaderMap,
    body: Body,
    span: &mut Span,
    read: impl FnOnce(&[u8], i64) -> Result<Accepted, Refused>,
) -> Response {
    if let Some(refused) = server.refuses_pages(headers) {
        return refused;
    }
    // A key in the head is judged before anything of the body is taken.
    let key = key_of(headers);
    if key.is_some() && !server.allows(key.as_deref(), Scope::Ingest) {
        return denied();
    }
    let body = match server.body(body, LONGEST_BODY).await {
        Ok(body) => body,
        Err(NoBody::TooLong) => {
            return refused(&format!("the body is longer than {} KB, or broke off", LONGEST_BODY >> 10))
        }
        Err(NoBody::TooSlow) => return (StatusCode::REQUEST_TIMEOUT, "the body came too slowly\n").into_response(),
    };
    // By its first bytes: what SDKs declare it to be is not to be trusted.
    let unpacked = if body.starts_with(&GZIP) { unpack(&body) } else { Ok(Vec::new()) };
    let bytes = unpacked.as_ref().map(|unpacked| if unpacked.is_empty() { &*body } else { unpacked.as_slice() });
    // Browsers write it into the body: then it is all that is read before it is judged.
    let key = match key {
        None if !server.is_open() => match bytes.ok().and_then(accept::write_key) {
            Some(key) if server.allows(Some(&key), Scope::Ingest) => Some(key),
            _ => return denied(),
        },
        key => key,
    };
    let accepted = bytes.map_err(|reason| Refused(reason.clone())).and_then(|bytes| read(bytes, clock::now()));
    let accepted = match accepted {
        Ok(accepted) => accepted,
        Err(Refused(reason)) => return refused(&reason),
    };
    span.number("http.request.body.size", body.len());
    span.number("flow.calls", accepted.calls);
    if accepted.calls == 0 {
        return done();
    }
    if let Err(wait) = server.meter.take(key.as_deref().unwrap_or_default(), accepted.calls, Instant::now()) {
        return too_fast(wait);
    }
    let size = accepted.lines.len();
    let record = Record::Inputs { received: clock::now(), lines: accepted.lines };
    match server.handle.take_within(record, size, span.origin()).await {
        Ok(()) => done(),
        Err(not_taken) => unavailable(&not_taken),
    }
}

fn unpack(body: &[u8]) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    let mut reader = GzDecoder::new(body).take(LONGEST_BODY as u64 + 1);
    match reader.read_to_end(&mut unpacked) {
        Ok(_) if unpacked.len() > LONGEST_BODY => Err(format!("the body is longer than {} KB", LONGEST_BODY >> 10)),
        Ok(_) if unpacked.is_empty() => Err("the body is empty".to_owned()),
        Ok(_) => Ok(unpacked),
        Err(error) => Err(format!("the body is no gzip: {error}")),
    }
}

fn done() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], "{\"success\":true}").into_response()
}

fn refused(reason: &str) -> Response {
    let mut json = b"{\"success\":false,\"message\":".to_vec();
    flow_runtime::vm::text::push_json_text(&mut json, reason);
    json.push(b'}');
    (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/json")], json).into_response()
}

/// Nothing was taken: this key has sent more than it may.
fn too_fast(wait: Duration) -> Response {
    let after = (wait.as_millis().div_ceil(1_000)).to_string();
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, after)], "this key sends too fast; come again\n")
        .into_response()
}

/// Nothing was taken; whoever sent it is to send it again.
pub(super) fn unavailable(why: &NotTaken) -> Response {
    let (status, after, text) = match why {
        NotTaken::Full => (StatusCode::TOO_MANY_REQUESTS, "1", "too much lies ready; come again\n"),
        NotTaken::Broken => (StatusCode::SERVICE_UNAVAILABLE, "30", "the journal cannot be written\n"),
        NotTaken::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "5", "the server stops\n"),
    };
    (status, [(header::RETRY_AFTER, after)], text).into_response()
}
