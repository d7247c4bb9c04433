//! The server's own side of HTTP: connections, their limits, and which address means what.

mod ingest;
mod kept;
mod operate;
mod origin;
mod page;
mod public;

use crate::disk::Folder;
use crate::keys::{Keys, Scope};
use crate::live::Handle;
use crate::log::{say, Level};
use crate::trace::Traces;
use axum::extract::DefaultBodyLimit;
use axum::http::{header, HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::Router;
use base64::prelude::{Engine as _, BASE64_STANDARD};
use flow_channels::public::Public;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// So many connections at a time; more wait to be taken.
pub const CONNECTIONS: usize = 4_096;
/// The head of a request comes within this time, and so does the next one on an idle connection.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// A body comes within this time.
pub(crate) const BODY_TIME: Duration = Duration::from_secs(30);
/// The longest head of a request, in bytes.
const LONGEST_HEAD: usize = 32 << 10;
/// So long a stop waits for requests that have begun.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// What every request can reach.
#[derive(Clone)]
pub struct Server {
    pub(crate) handle: Handle,
    pub(crate) keys: Arc<Keys>,
    /// What is reached without a key.
    pub(crate) public: Option<Arc<Public>>,
    /// The store, for looking only.
    pub(crate) disk: Folder,
    /// Who asks what happened with somebody waits for the one before.
    pub(crate) timelines: Arc<Semaphore>,
    pub(crate) traces: Traces,
}

impl Server {
    /// Over the thread that has the state.
    #[must_use]
    pub fn new(handle: Handle, keys: Keys, public: Option<Arc<Public>>, disk: Folder, traces: Traces) -> Self {
        Self { handle, keys: Arc::new(keys), public, disk, timelines: Arc::new(Semaphore::new(1)), traces }
    }

    fn routes(self) -> Router {
        let calls = Router::new()
            .route("/v1/events", post(ingest::cloud_events).options(origin::preflight))
            .route("/v1/{name}", post(ingest::segment).options(origin::preflight))
            .layer(axum::middleware::map_response(origin::readable));
        Router::new()
            .merge(calls)
            .route("/healthz", get(operate::health))
            .route("/readyz", get(operate::ready))
            .route("/metrics", get(operate::metrics))
            .route("/", get(page::page))
            .route("/page.js", get(page::script))
            .route("/page.css", get(page::style))
            .route("/operate/journeys", get(page::journeys))
            .route("/operate/person", get(operate::person))
            .route("/operate/timeline", get(operate::timeline))
            .route("/operate/status", get(operate::status))
            .route("/operate/pause", post(operate::pause))
            .route("/operate/resume", post(operate::resume))
            .route("/operate/snapshot", post(operate::snapshot))
            .route("/operate/forget", post(operate::forget))
            .route("/operate/rejects", get(operate::rejects))
            .route("/operate/messages", get(operate::messages))
            .route("/operate/dead", get(operate::dead))
            .route("/operate/retry", post(operate::retry))
            .route("/operate/tasks", get(kept::tasks))
            .route("/operate/tasks/assign", post(kept::assign))
            .route("/operate/tasks/complete", post(kept::complete))
            .route("/operate/lists/{name}", post(kept::list))
            .route("/operate/users", post(kept::users))
            .route("/operate/inbox-token", post(kept::token))
            .route("/inbox", get(kept::inbox))
            .route("/inbox/events", get(kept::events))
            .route("/inbox/read", post(kept::read))
            .route("/inbox.js", get(kept::script))
            .fallback(public::answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(self)
    }

    /// Whether a request may do what needs a scope. Without any key in the store everything is open: then only this
    /// machine is listened to.
    pub(crate) fn allows(&self, key: Option<&str>, wanted: Scope) -> bool {
        self.keys.is_empty() || key.is_some_and(|key| self.keys.allow(key, wanted))
    }

    /// The answer to somebody who may not; none: they may.
    pub(crate) fn denies(&self, headers: &HeaderMap, wanted: Scope) -> Option<Response> {
        if let Some(refused) = self.refuses_others(headers) {
            return Some(refused);
        }
        (!self.allows(key_of(headers).as_deref(), wanted)).then(denied)
    }
}

/// The key of a request: as the user of Basic, or as Bearer.
pub(crate) fn key_of(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (kind, rest) = value.split_once(' ')?;
    if kind.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !kind.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':').unwrap_or((&text, ""));
    // A browser that is asked for a name and a password gives the key as either.
    Some(if user.is_empty() { password } else { user }.to_owned())
}

pub(crate) fn denied() -> Response {
    let headers = [(header::WWW_AUTHENTICATE, "Basic realm=\"flow\", charset=\"UTF-8\"")];
    (StatusCode::UNAUTHORIZED, headers, "this needs a key\n").into_response()
}

/// Answers requests until `stop` is ready, and finishes those that have begun.
pub async fn serve(listener: TcpListener, server: Server, stop: impl Future<Output = ()>) {
    let service = TowerToHyperService::new(server.routes());
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(LONGEST_HEAD);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, _)) => {
                // Small answers leave at once.
                let _ = stream.set_nodelay(true);
                let connection = http.serve_connection(TokioIo::new(stream), service.clone());
                let connection = graceful.watch(connection);
                tokio::spawn(async move {
                    let _place = place;
                    // What a client does wrong ends its own connection.
                    let _ = connection.await;
                });
            }
            Err(error) => {
                // Out of file handles, mostly: those that end make room.
                say(Level::Warning, "a connection could not be taken", &[("error", &error)]);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(LAST_REQUESTS, graceful.shutdown()).await;
}
