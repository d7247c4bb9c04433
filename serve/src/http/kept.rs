//! Tasks and lists for people who operate, and inboxes for sites.

use super::ingest::unavailable;
use super::operate::{command_of, look};
use super::Server;
use crate::clock;
use crate::keys::Scope as May;
use crate::live::NotTaken;
use crate::record::{Command, Record};
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{header, HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use flow_channels::inbox::{server_sent_event, verify, SCRIPT};
use flow_channels::tasks::{State as Stand, Task};
use flow_runtime::ingest::table;
use flow_runtime::ingest::What;
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::watch;

/// The longest table that is taken at once.
const LONGEST_TABLE: usize = 16 << 20;
/// The longest body of a command.
const LONGEST: usize = 16 << 10;
/// A connection that nothing goes through is kept open by a line that says nothing.
const SILENCE: Duration = Duration::from_secs(25);
/// Sites have another address; the token is the right to see the inbox, and no cookie is.
const EVERY_SITE: (HeaderName, &str) = (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
const JSON: (HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

type Asked = Query<BTreeMap<String, String>>;

/// The tasks that are not done; with `assignee`, theirs and those that nobody has.
pub(super) async fn tasks(State(server): State<Server>, Query(query): Asked, headers: HeaderMap) -> Response {
    look(&server, &headers, move |host, _| json!(host.stays().tasks().open(query.get("assignee").map(String::as_str))))
        .await
}

/// A task is taken or given on: `{"id": "…", "to": "bob", "by": "ada"}`.
pub(super) async fn assign(State(server): State<Server>, headers: HeaderMap, body: Body) -> Response {
    change(&server, &headers, body, |json| {
        let (key, to) = (text(json, "id")?, text(json, "to")?);
        let by = text(json, "by").unwrap_or_else(|_| to.clone());
        Ok((Command::Assign { key: key.clone(), to: to.clone(), by: by.clone() }, Wanted { key, by, to: Some(to) }))
    })
    .await
}

/// A task is done: `{"id": "…", "by": "bob", "result": "reached"}`.
pub(super) async fn complete(State(server): State<Server>, headers: HeaderMap, body: Body) -> Response {
    change(&server, &headers, body, |json| {
        let (key, by) = (text(json, "id")?, text(json, "by")?);
        let command = Command::Complete { key: key.clone(), by: by.clone(), result: text(json, "result").ok() };
        Ok((command, Wanted { key, by, to: None }))
    })
    .await
}

struct Wanted {
    key: String,
    by: String,
    /// To whom it is given; none: it is completed.
    to: Option<String>,
}

/// A body as JSON; what is none, or is too long, has no fields.
async fn json_of(server: &Server, body: Body) -> Value {
    let body = server.body(body, LONGEST).await.unwrap_or_default();
    serde_json::from_slice(&body).unwrap_or_default()
}

fn text(json: &Value, name: &str) -> Result<String, String> {
    let text = json.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| format!("write \"{name}\": \"…\""))
}

/// Why a task cannot be taken or done.
fn refusal(task: Option<&Task>, wanted: &Wanted) -> Option<(StatusCode, String)> {
    let conflict = |why: String| Some((StatusCode::CONFLICT, why));
    match task.map(|task| &task.state) {
        None => Some((StatusCode::NOT_FOUND, "there is no such task\n".to_owned())),
        Some(Stand::Completed { by, .. }) => conflict(format!("{by} has done it already\n")),
        Some(Stand::Assigned { to }) if *to != wanted.by && wanted.to.as_ref() != Some(to) => {
            conflict(format!("{to} has it\n"))
        }
        Some(Stand::Assigned { .. } | Stand::Open) => None,
    }
}

async fn change(
    server: &Server,
    headers: &HeaderMap,
    body: Body,
    read: impl FnOnce(&Value) -> Result<(Command, Wanted), String>,
) -> Response {
    if let Some(denied) = server.denies(headers, May::Operate) {
        return denied;
    }
    let json = json_of(server, body).await;
    let (command, wanted) = match read(&json) {
        Ok(read) => read,
        Err(why) => return (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response(),
    };
    let looked = server.handle.look(move |host, _| refusal(host.stays().tasks().get(&wanted.key), &wanted)).await;
    match looked {
        Ok(None) => command_of(server, command).await,
        Ok(Some(refused)) => refused.into_response(),
        Err(not_taken) => unavailable(&not_taken),
    }
}

/// People are put on a list: a table in CSV or JSON lines, with a column `user_id`.
pub(super) async fn list(
    State(server): State<Server>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    rows(&server, Some(name), &headers, body).await
}

/// What is known of people: a table in CSV or JSON lines, with a column `user_id`.
pub(super) async fn users(State(server): State<Server>, headers: HeaderMap, body: Body) -> Response {
    rows(&server, None, &headers, body).await
}

async fn rows(server: &Server, list: Option<String>, headers: &HeaderMap, body: Body) -> Response {
    if let Some(denied) = server.denies(headers, May::Operate) {
        return denied;
    }
    let body = match server.body(body, LONGEST_TABLE).await {
        Ok(body) => body,
        Err(_) => {
            let why = format!("the table is longer than {} MB, too slow, or broke off\n", LONGEST_TABLE >> 20);
            return (StatusCode::BAD_REQUEST, why).into_response();
        }
    };
    let (name, table) = (list.clone(), body.clone());
    let judged = match server.handle.look(move |host, _| judge(&host.setup().schema, name.as_deref(), &table)).await {
        Ok(judged) => judged,
        Err(not_taken) => return unavailable(&not_taken),
    };
    let counts = match judged {
        Ok(counts) => counts,
        Err((status, why)) => return (status, format!("{why}\n")).into_response(),
    };
    let size = body.len();
    match server.handle.take(Record::Rows { received: clock::now(), list, lines: body.to_vec() }, size).await {
        Ok(()) => ([JSON], format!("{counts}\n")).into_response(),
        Err(not_taken) => unavailable(&not_taken),
    }
}

fn judge(
    schema: &flow_runtime::ingest::schema::Schema,
    name: Option<&str>,
    table: &Bytes,
) -> Result<Value, (StatusCode, String)> {
    let list = match name {
        Some(name) => {
            let unknown = || (StatusCode::NOT_FOUND, format!("no journey begins `on list \"{name}\"`"));
            Some(schema.list(name).ok_or_else(unknown)?)
        }
        None => None,
    };
    let block = table::read(schema, &**table, list).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let bad = block.records.iter().filter(|record| matches!(record.what, What::Dead(_))).count();
    Ok(json!({ "rows": block.records.len() - bad, "rejected": bad }))
}

/// Whose inbox may be seen.
fn visitor(server: &Server, query: &BTreeMap<String, String>) -> Option<String> {
    verify(&server.public()?.key, query.get("token")?, clock::now())
}

fn stranger() -> Response {
    (StatusCode::UNAUTHORIZED, [EVERY_SITE], "this needs a token\n").into_response()
}

/// A token for whoever is signed in at a site: `{"user": "u1", "hours": 24}`. The site's own server asks for it.
pub(super) async fn token(State(server): State<Server>, headers: HeaderMap, body: Body) -> Response {
    if let Some(denied) = server.denies(&headers, May::Operate) {
        return denied;
    }
    let json = json_of(&server, body).await;
    let hours = json.get("hours").and_then(Value::as_i64).unwrap_or(24).clamp(1, 24 * 365);
    match (text(&json, "user"), server.public()) {
        (Ok(person), Some(public)) => {
            let until = clock::now().saturating_add(hours * 3_600_000);
            let token = flow_channels::inbox::token(&public.key, &flow_channels::inbox::Visitor { person, until });
            ([JSON], format!("{}\n", json!({ "token": token }))).into_response()
        }
        (Err(why), _) => (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response(),
        (_, None) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What is in an inbox.
pub(super) async fn inbox(State(server): State<Server>, Query(query): Asked) -> Response {
    let Some(person) = visitor(&server, &query) else { return stranger() };
    match server.handle.look(move |host, _| host.stays().inbox(&person).cloned().unwrap_or_default().json()).await {
        Ok(json) => ([JSON, EVERY_SITE, (header::CACHE_CONTROL, "no-store")], json.to_string()).into_response(),
        Err(not_taken) => unavailable(&not_taken),
    }
}

/// Something in it was seen.
pub(super) async fn read(State(server): State<Server>, Query(query): Asked, body: Body) -> Response {
    let Some(person) = visitor(&server, &query) else { return stranger() };
    let json = json_of(&server, body).await;
    let command = Command::Read { person, key: text(&json, "key").ok() };
    match server.handle.take(Record::Command { now: clock::now(), command }, LONGEST).await {
        Ok(()) => (StatusCode::NO_CONTENT, [EVERY_SITE]).into_response(),
        Err(not_taken) => unavailable(&not_taken),
    }
}

/// The script for sites.
pub(super) async fn script() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")];
    (headers, SCRIPT).into_response()
}

/// What a stream of events remembers.
struct Stream {
    server: Server,
    person: String,
    seen: BTreeSet<String>,
    changes: watch::Receiver<u64>,
    first: bool,
}

/// What is not read, and then whatever comes.
pub(super) async fn events(State(server): State<Server>, Query(query): Asked) -> Response {
    let Some(person) = visitor(&server, &query) else { return stranger() };
    let changes = server.handle.inboxes();
    let stream = Stream { server, person, seen: BTreeSet::new(), changes, first: true };
    let stream = futures_util::stream::unfold(stream, |mut stream| async move {
        let chunk = stream.next().await?;
        Some((Ok::<_, std::convert::Infallible>(chunk), stream))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store"), EVERY_SITE];
    (headers, Body::from_stream(stream)).into_response()
}

impl Stream {
    /// The next events; none: the server stops.
    async fn next(&mut self) -> Option<String> {
        loop {
            if !std::mem::take(&mut self.first) {
                match tokio::time::timeout(SILENCE, self.changes.changed()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return None,
                    Err(_) => return Some(": still here\n\n".to_owned()),
                }
            }
            let events = self.fresh().await.ok()?;
            if !events.is_empty() {
                return Some(events);
            }
        }
    }

    async fn fresh(&mut self) -> Result<String, NotTaken> {
        let person = self.person.clone();
        let inbox = self.server.handle.look(move |host, _| host.stays().inbox(&person).cloned()).await?;
        let inbox = inbox.unwrap_or_default();
        let unseen = inbox.items().iter().rev().filter(|item| !item.read && !self.seen.contains(&item.key));
        let (mut text, mut keys) = (String::new(), Vec::new());
        for item in unseen {
            text += &server_sent_event(item);
            keys.push(item.key.clone());
        }
        self.seen.extend(keys);
        Ok(text)
    }
}
