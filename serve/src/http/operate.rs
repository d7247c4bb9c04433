//! Looking at the server, and telling it what to do.

use super::ingest::unavailable;
use super::Server;
use crate::clock;
use crate::host::letter::Letter;
use crate::host::Host;
use crate::keys::Scope as May;
use crate::live::{NotTaken, Status};
use crate::outbox::key_text;
use crate::record::{Command, Record, Scope};
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{header, HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use flow_compiler::bytecode::AttrId;
use flow_runtime::calendar::instant_text;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// The longest body of a command.
const LONGEST_COMMAND: usize = 16 << 10;

/// The process is there.
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// Calls can be taken.
pub(super) async fn ready(State(server): State<Server>) -> Response {
    match server.handle.is_broken() {
        true => unavailable(&NotTaken::Broken),
        false => "ready\n".into_response(),
    }
}

/// Numbers, in Prometheus' text format.
pub(super) async fn metrics(State(server): State<Server>) -> Response {
    match server.handle.look(numbers).await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(not_taken) => unavailable(&not_taken),
    }
}

fn numbers(host: &Host, status: Status) -> String {
    let mut text = String::new();
    let mut one = |name: &str, kind: &str, what: &str, values: &[(String, u64)]| {
        // Writing into a text does not fail.
        let _ = writeln!(text, "# HELP flow_{name} {what}\n# TYPE flow_{name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(text, "flow_{name}{labels} {value}");
        }
    };
    let plain = |value: u64| [(String::new(), value)];
    let tally = host.tally();
    let inputs = [
        ("accepted", tally.accepted),
        ("repeated", tally.repeated),
        ("unknown", tally.unknown),
        ("rejected", tally.rejected),
        ("forgotten", tally.forgotten),
    ];
    let inputs = inputs.map(|(what, count)| (format!("{{result=\"{what}\"}}"), count));
    one("inputs_total", "counter", "Calls that were taken, by what became of them.", &inputs);
    one("late_inputs_total", "counter", "Calls that came after their time.", &plain(host.counts().late));
    let followed = host.followed().iter().map(|(file, at)| {
        let file = file.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        (format!("{{file=\"{file}\"}}"), at.offset)
    });
    let what = "How far a file was taken that is followed.";
    one("followed_bytes", "gauge", what, &followed.collect::<Vec<_>>());
    one("people", "gauge", "People.", &plain(host.people() as u64));
    let letters = host.letters();
    one("messages_waiting", "gauge", "Messages without an outcome.", &plain(letters.waiting.len() as u64));
    one("messages_under_way", "gauge", "Messages being handed over.", &plain(status.under_way as u64));
    one("messages_throttled", "gauge", "Messages that wait for a throttle.", &plain(host.throttled() as u64));
    one("messages_dead", "gauge", "Messages that were given up.", &plain(letters.dead.len() as u64));
    one("messages_dropped_total", "counter", "Dead letters that are not kept any more.", &plain(letters.dropped));
    let program = host.setup().program();
    let by_channel = |taken: bool| -> Vec<(String, u64)> {
        let totals = program.channels.iter().zip(&letters.totals);
        totals.map(|(c, (a, d))| (format!("{{channel=\"{}\"}}", c.name), if taken { *a } else { *d })).collect()
    };
    one("messages_accepted_total", "counter", "Messages that channels took.", &by_channel(true));
    one("messages_given_up_total", "counter", "Messages that were given up.", &by_channel(false));
    let journeys: Vec<_> = program.journeys.iter().zip(&host.counts().journeys).collect();
    let by_journey = |value: fn(&flow_runtime::replay::summary::JourneyCounts) -> u64| -> Vec<(String, u64)> {
        journeys.iter().map(|(j, counts)| (format!("{{journey=\"{}\"}}", j.name), value(counts))).collect()
    };
    one("journey_entered_total", "counter", "Entries.", &by_journey(|counts| counts.entered));
    one("journey_in_flight", "gauge", "People on their way.", &by_journey(|counts| counts.in_flight()));
    one("journey_converted_total", "counter", "Conversions.", &by_journey(|counts| counts.converted));
    one("journal_frames_total", "counter", "Commits to the journal.", &plain(status.next));
    one("journal_writable", "gauge", "Whether the journal can be written.", &plain(u64::from(!status.broken)));
    text
}

/// How it goes.
pub(super) async fn status(State(server): State<Server>, headers: HeaderMap) -> Response {
    look(&server, &headers, |host, status| {
        let program = host.setup().program();
        let letters = host.letters();
        let journeys = program.journeys.iter().zip(&host.counts().journeys).map(|(journey, counts)| {
            let steps = journey.steps.iter().zip(counts.reached.iter().zip(&counts.sent)).map(|(step, (reached, sent))| {
                json!({ "step": step.identity.to_string(), "reached": reached, "sent": sent })
            });
            let mut skipped = serde_json::Map::new();
            for ((_, reason), count) in &counts.skipped {
                let so_far = skipped.get(reason.word()).and_then(Value::as_u64).unwrap_or_default();
                skipped.insert(reason.word().to_owned(), (so_far + count).into());
            }
            json!({
                "journey": journey.name,
                "entered": counts.entered,
                "in_flight": counts.in_flight(),
                "converted": counts.converted,
                "finished": counts.finished,
                "skipped": skipped,
                "steps": steps.collect::<Vec<_>>(),
            })
        });
        json!({
            "project": program.name,
            "ready": !status.broken,
            "clock": host.clock().map(instant_text),
            "people": host.people(),
            "inputs": {
                "accepted": host.tally().accepted,
                "repeated": host.tally().repeated,
                "unknown": host.tally().unknown,
                "rejected": host.tally().rejected,
            },
            "followed": host.followed().iter().map(|(file, at)| (file.clone(), at.offset.into()))
                .collect::<serde_json::Map<String, Value>>(),
            "messages": {
                "waiting": letters.waiting.len(),
                "under_way": status.under_way,
                "throttled": host.throttled(),
                "dead": letters.dead.len(),
                "dropped": letters.dropped,
                "accepted": letters.totals.iter().map(|(taken, _)| taken).sum::<u64>(),
            },
            "paused": host.paused().iter().map(scope_text).collect::<Vec<_>>(),
            "journeys": journeys.collect::<Vec<_>>(),
        })
    })
    .await
}

/// The latest calls that did not fit.
pub(super) async fn rejects(State(server): State<Server>, headers: HeaderMap) -> Response {
    look(&server, &headers, |host, _| {
        let reject = |reject: &crate::host::Reject| {
            json!({ "received": instant_text(reject.received), "reason": reject.reason, "input": reject.input })
        };
        Value::Array(host.rejects().iter().rev().map(reject).collect())
    })
    .await
}

/// Messages that wait, and the latest that were taken.
pub(super) async fn messages(State(server): State<Server>, headers: HeaderMap) -> Response {
    look(&server, &headers, |host, _| {
        let letters = host.letters();
        let waiting = letters.waiting.values().take(1_000).map(|letter| shown(host, letter));
        let recent = letters.recent.iter().rev().map(|taken| {
            let more =
                [("accepted", instant_text(taken.at).into()), ("provider_id", taken.provider_id.as_deref().into())];
            with(shown(host, &taken.letter), more)
        });
        json!({ "waiting": waiting.collect::<Vec<_>>(), "recent": recent.collect::<Vec<_>>() })
    })
    .await
}

/// A person: what is known, where they are, what they got of late.
pub(super) async fn person(
    State(server): State<Server>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let id = query.get("id").cloned().unwrap_or_default();
    look(&server, &headers, move |host, _| known(host, &id).unwrap_or_default()).await
}

fn known(host: &Host, id: &str) -> Option<Value> {
    let person = host.person(id)?;
    let (engine, program) = (&host.setup().engine, host.setup().program());
    let mut attributes = serde_json::Map::new();
    for (number, attribute) in (0..).zip(&program.attributes) {
        let mut json = Vec::new();
        flow_runtime::vm::text::push_json(&mut json, &engine.attribute(person, AttrId(number)));
        let value: Value = serde_json::from_slice(&json).unwrap_or_default();
        if !value.is_null() {
            attributes.insert(attribute.field.name.clone(), value);
        }
    }
    let journeys = person.in_flight().filter_map(|id| program.journeys.get(id.index()));
    let letters = host.letters();
    let state = |letter: &Letter, state: &str| with(shown(host, letter), [("state", state.into())]);
    let mine = |letter: &&Arc<Letter>| letter.user == person.id();
    let recent = letters.recent.iter().rev().map(|taken| &taken.letter).filter(mine).map(|one| state(one, "taken"));
    let waiting = letters.waiting.values().filter(mine).map(|one| state(one, "waits"));
    let dead = letters.dead.values().filter(mine);
    let dead = dead.map(|one| state(one, one.reason.as_deref().unwrap_or("given up")));
    Some(json!({
        "id": person.id(),
        "attributes": attributes,
        "journeys": journeys.map(|journey| journey.name.as_str()).collect::<Vec<_>>(),
        "messages": waiting.chain(dead).chain(recent).collect::<Vec<_>>(),
    }))
}

/// What happened with a person, and what did not and why not.
pub(super) async fn timeline(
    State(server): State<Server>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Some(denied) = server.denies(&headers, May::Read) {
        return denied;
    }
    let id = query.get("id").cloned().unwrap_or_default();
    // The whole journal is read for it: one at a time, and beside the thread that everybody waits for.
    let Ok(_turn) = server.timelines.acquire().await else { return unavailable(&NotTaken::Stopping) };
    let (setup, next) = match server.handle.look(|host, status| (host.setup().clone(), status.next)).await {
        Ok(stand) => stand,
        Err(not_taken) => return unavailable(&not_taken),
    };
    let disk = server.disk.clone();
    let told = tokio::task::spawn_blocking(move || {
        // What a snapshot makes superfluous may go while it is read.
        crate::timeline::timeline(&disk, &setup, next, &id)
            .or_else(|_| crate::timeline::timeline(&disk, &setup, next, &id))
    });
    match told.await {
        Ok(Ok(timeline)) => {
            ([(header::CONTENT_TYPE, "application/json")], format!("{}\n", json!(timeline))).into_response()
        }
        Ok(Err(failure)) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{failure}\n")).into_response(),
        Err(_) => unavailable(&NotTaken::Stopping),
    }
}

/// Messages that were given up.
pub(super) async fn dead(State(server): State<Server>, headers: HeaderMap) -> Response {
    look(&server, &headers, |host, _| {
        Value::Array(host.letters().dead.values().take(10_000).map(|letter| shown(host, letter)).collect())
    })
    .await
}

/// An object with more members.
fn with<const N: usize>(mut json: Value, more: [(&str, Value); N]) -> Value {
    if let Some(members) = json.as_object_mut() {
        members.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    json
}

fn shown(host: &Host, letter: &Letter) -> Value {
    let program = host.setup().program();
    let journey = program.journeys.get(letter.journey.index());
    json!({
        "id": key_text(letter.key),
        "time": instant_text(letter.time),
        "user": letter.user,
        "to": letter.to,
        "journey": journey.map(|journey| journey.name.as_str()),
        "step": journey.and_then(|j| j.steps.get(letter.step.index())).map(|step| step.identity.to_string()),
        "channel": program.channels.get(letter.channel.index()).map(|channel| channel.name.as_str()),
        "failed": letter.failed,
        "reason": letter.reason,
        "content": letter.content.as_ref().ok(),
    })
}

/// Nothing leaves until it is resumed: `{"channel": "email"}`, `{"journey": "cart"}`, or `{}` for everything.
pub(super) async fn pause(State(server): State<Server>, headers: HeaderMap, body: Body) -> Response {
    command(&server, &headers, body, |json| Ok(Command::Pause(scope(json)?))).await
}

/// It leaves again.
pub(super) async fn resume(State(server): State<Server>, headers: HeaderMap, body: Body) -> Response {
    command(&server, &headers, body, |json| Ok(Command::Resume(scope(json)?))).await
}

/// A person is forgotten: `{"user": "u1"}`.
pub(super) async fn forget(State(server): State<Server>, headers: HeaderMap, body: Body) -> Response {
    command(&server, &headers, body, |json| {
        let user = json.get("user").and_then(Value::as_str).filter(|user| !user.is_empty());
        user.map(|user| Command::Forget(user.to_owned())).ok_or("write {\"user\": \"…\"}".to_owned())
    })
    .await
}

/// A dead letter is tried again: `{"id": "…"}`.
pub(super) async fn retry(State(server): State<Server>, headers: HeaderMap, body: Body) -> Response {
    command(&server, &headers, body, |json| {
        let key = json.get("id").and_then(Value::as_str).and_then(|id| u64::from_str_radix(id, 16).ok());
        key.map(Command::Retry).ok_or("write {\"id\": \"…\"}, with the id of a dead letter".to_owned())
    })
    .await
}

/// A snapshot is made now.
pub(super) async fn snapshot(State(server): State<Server>, headers: HeaderMap) -> Response {
    if let Some(denied) = server.denies(&headers, May::Operate) {
        return denied;
    }
    match server.handle.snapshot().await {
        Ok(()) => "done\n".into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

pub(super) async fn look(
    server: &Server,
    headers: &HeaderMap,
    look: impl FnOnce(&Host, Status) -> Value + Send + 'static,
) -> Response {
    if let Some(denied) = server.denies(headers, May::Read) {
        return denied;
    }
    match server.handle.look(look).await {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], format!("{json}\n")).into_response(),
        Err(not_taken) => unavailable(&not_taken),
    }
}

async fn command(
    server: &Server,
    headers: &HeaderMap,
    body: Body,
    read: impl FnOnce(&Value) -> Result<Command, String>,
) -> Response {
    if let Some(denied) = server.denies(headers, May::Operate) {
        return denied;
    }
    // A body that is lost is not an empty one, which means everything.
    let Ok(body) = server.body(body, LONGEST_COMMAND).await else { return lost().into_response() };
    let json = if body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(&body) };
    let command = json.map_err(|error| format!("the body is no JSON: {error}")).and_then(|json| read(&json));
    match command {
        Ok(command) => command_of(server, command).await,
        Err(reason) => (StatusCode::BAD_REQUEST, format!("{reason}\n")).into_response(),
    }
}

/// The answer where a body did not come.
pub(super) fn lost() -> (StatusCode, &'static str) {
    (StatusCode::BAD_REQUEST, "the body is too long, too slow, or broke off\n")
}

/// Makes a command certain.
pub(super) async fn command_of(server: &Server, command: Command) -> Response {
    match server.handle.take(Record::Command { now: clock::now(), command }, 64).await {
        Ok(()) => "done\n".into_response(),
        Err(not_taken) => unavailable(&not_taken),
    }
}

fn scope(json: &Value) -> Result<Scope, String> {
    let get = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
    match (get("channel"), get("journey")) {
        (Some(channel), None) => Ok(Scope::Channel(channel)),
        (None, Some(journey)) => Ok(Scope::Journey(journey)),
        (None, None) if json.as_object().is_some_and(serde_json::Map::is_empty) => Ok(Scope::Everything),
        _ => Err("write {\"channel\": \"…\"}, {\"journey\": \"…\"}, or {} for everything".to_owned()),
    }
}

pub(super) fn scope_text(scope: &Scope) -> String {
    match scope {
        Scope::Everything => "everything".to_owned(),
        Scope::Channel(name) => format!("channel {name}"),
        Scope::Journey(name) => format!("journey {name}"),
    }
}
