//! A new version, on request of whoever operates.

use super::ingest::unavailable;
use super::operate::lost;
use super::{denied, key_of, Server};
use crate::door::{is_token, Door};
use crate::keys::Scope;
use crate::renew::{identity_text, Again, Renewed, Wanted};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tokio::sync::Mutex;

/// The longest body.
const LONGEST: usize = 256 << 10;

/// Reads the project again, for one at a time.
#[derive(Clone)]
pub struct Deployer {
    again: Arc<Again>,
    /// Of the commands of this machine.
    token: Arc<str>,
    turn: Arc<Mutex<()>>,
}

impl Deployer {
    /// For whoever comes through the door, or has a key.
    #[must_use]
    pub fn new(again: Arc<Again>, door: &Door) -> Self {
        Self { again, token: door.token(), turn: Arc::default() }
    }
}

/// The project is read again, and everybody goes on in it: `{}`, or what becomes of those at steps that are gone.
pub(super) async fn deploy(State(server): State<Server>, headers: HeaderMap, body: Body) -> Response {
    if let Some(refused) = server.refuses_others(&headers) {
        return refused;
    }
    let key = key_of(&headers);
    let near = key.as_deref().is_some_and(|key| is_token(&server.deployer.token, key));
    if !near && !server.allows(key.as_deref(), Scope::Operate) {
        return denied();
    }
    let Ok(body) = server.body(body, LONGEST).await else { return lost().into_response() };
    let wanted = if body.is_empty() { Ok(Wanted::default()) } else { serde_json::from_slice::<Wanted>(&body) };
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(error) => {
            return (StatusCode::BAD_REQUEST, format!("the body is none that is known here: {error}\n")).into_response()
        }
    };
    let _turn = server.deployer.turn.lock().await;
    let again = Arc::clone(&server.deployer.again);
    let version = match tokio::task::spawn_blocking(move || again()).await {
        Ok(Ok(version)) => version,
        Ok(Err(why)) => return (StatusCode::UNPROCESSABLE_ENTITY, format!("{why}\n")).into_response(),
        Err(_) => return (StatusCode::INTERNAL_SERVER_ERROR, "the project could not be read\n").into_response(),
    };
    if wanted.identity.as_ref().is_some_and(|identity| *identity != identity_text(&version.setup)) {
        let why = "the server reads another project, or was started with another --seed: deploy from where it serves\n";
        return (StatusCode::UNPROCESSABLE_ENTITY, why).into_response();
    }
    let public = version.outside.public.clone();
    match server.handle.renew(version, wanted.answers()).await {
        Ok(Renewed::Done(text)) => {
            server.renew_public(public);
            text.into_response()
        }
        Ok(Renewed::Stranded(text)) => (StatusCode::CONFLICT, text).into_response(),
        Ok(Renewed::Refused(text)) => (StatusCode::UNPROCESSABLE_ENTITY, text).into_response(),
        Err(not_taken) => unavailable(&not_taken),
    }
}
