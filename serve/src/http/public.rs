//! What browsers and providers reach without a key: links to unsubscribe, clicks and openings, replies, bounces. What
//! each request means, [`flow_channels::public`] says; here it is found out whom it is about, and made certain.

use super::ingest::unavailable;
use super::operate::lost;
use super::Server;
use crate::clock;
use crate::host::letter::Letter;
use crate::host::Host;
use crate::live::NotTaken;
use crate::record::Record;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use flow_channels::public::{self, Ask, Happened, Who, LONGEST_BODY};
use flow_compiler::bytecode::ChannelId;
use std::sync::Arc;

/// Answers what no other address is for.
pub(super) async fn answer(State(server): State<Server>, request: Request) -> Response {
    let nothing = (StatusCode::NOT_FOUND, "there is nothing here\n");
    let (Some(public), (head, body)) = (server.public(), request.into_parts()) else { return nothing.into_response() };
    let body = match server.body(body, LONGEST_BODY).await {
        Ok(body) => body,
        Err(_) => return lost().into_response(),
    };
    let ask = Ask {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        signature: head.headers.get("x-twilio-signature").and_then(|value| value.to_str().ok()),
        body: &body,
        now: clock::now(),
    };
    let Some(answer) = public::answer(&public, ask) else { return nothing.into_response() };
    let certain = take(&server, answer.happened, ask.now).await;
    match certain {
        // Whoever follows a link is led on, whatever becomes of the count.
        Err(not_taken) if ask.method != "GET" => return unavailable(&not_taken),
        _ => {}
    }
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

async fn take(server: &Server, happened: Vec<Happened>, received: i64) -> Result<(), NotTaken> {
    if happened.is_empty() {
        return Ok(());
    }
    let lines = server.handle.look(move |host, _| lines(host, &happened, received)).await?;
    let size = lines.len();
    match size {
        0 => Ok(()),
        _ => server.handle.take(Record::Inputs { received, lines }, size).await,
    }
}

/// As calls of the tracking API. What is about nobody who is known is about nobody.
fn lines(host: &Host, happened: &[Happened], received: i64) -> Vec<u8> {
    let mut lines = Vec::new();
    for one in happened {
        if let Some(user) = one.who.iter().find_map(|who| person(host, who)) {
            lines.extend_from_slice(one.event.call(&user, &one.id, received).to_string().as_bytes());
            lines.push(b'\n');
        }
    }
    lines
}

fn person(host: &Host, who: &Who) -> Option<String> {
    let letters = host.letters();
    match who {
        Who::Person(id) => Some(id.clone()),
        Who::Message(key) => {
            let key = u64::from_str_radix(key, 16).ok()?;
            let recent = || letters.recent.iter().rev().map(|taken| &taken.letter).find(|letter| letter.key == key);
            let letter = letters.waiting.get(&key).or_else(|| letters.dead.get(&key)).or_else(recent);
            letter.map(|letter| letter.user.clone())
        }
        Who::Provided(id) => {
            let mut recent = letters.recent.iter().rev();
            let taken = recent.find(|taken| taken.provider_id.as_deref() == Some(id.as_str()));
            taken.map(|taken| taken.letter.user.clone())
        }
        Who::Contact { channel, contact } => {
            let program = host.setup().program();
            let place = program.channels.iter().position(|one| one.name == *channel)?;
            let channel = ChannelId(u32::try_from(place).ok()?);
            let written = plain(contact);
            let meant = |letter: &&Arc<Letter>| {
                letter.channel == channel && letter.to.as_deref().map(plain) == Some(written.clone())
            };
            let recent = letters.recent.iter().rev().map(|taken| &taken.letter).find(meant);
            recent.map(|letter| letter.user.clone()).or_else(|| host.who_has(channel, |known| plain(known) == written))
        }
    }
}

/// A contact as everybody would write it: numbers without their blanks and marks, addresses in lower case.
fn plain(contact: &str) -> String {
    if contact.contains('@') {
        return contact.trim().to_lowercase();
    }
    contact.chars().filter(|c| c.is_alphanumeric()).collect()
}
