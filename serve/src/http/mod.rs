//! The server's own side of HTTP: connections, their limits, and which address means what.

mod crowd;
mod deploy;
mod ingest;
mod kept;
mod operate;
mod origin;
mod page;
mod public;
mod rate;

pub use deploy::Deployer;

use crate::disk::Folder;
use crate::keys::{Keys, Scope};
use crate::live::Handle;
use crate::log::{say, Level};
use crate::trace::Traces;
use axum::body::{to_bytes, Body, Bytes};
use axum::extract::DefaultBodyLimit;
use axum::http::{header, HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::Router;
use base64::prelude::{Engine as _, BASE64_STANDARD};
use crowd::Crowd;
use flow_channels::public::Public;
use hyper::service::{service_fn, Service as _};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rate::Meter;
use std::future::Future;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// So many connections at a time; more wait to be taken.
pub const CONNECTIONS: usize = 4_096;
/// The head of a request comes within this time, and so does the next one on an idle connection.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// A body comes within this time.
const BODY_TIME: Duration = Duration::from_secs(30);
/// When half of the connections are taken, bodies have less time.
const CROWDED: usize = CONNECTIONS / 2;
/// So much.
const CROWDED_BODY_TIME: Duration = Duration::from_secs(5);
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
    public: Arc<RwLock<Option<Arc<Public>>>>,
    pub(crate) deployer: Deployer,
    /// A place for each connection.
    room: Arc<Semaphore>,
    /// How fast each key may send.
    meter: Arc<Meter>,
    /// The store, for looking only.
    pub(crate) disk: Folder,
    /// Who asks what happened with somebody waits for the one before.
    pub(crate) timelines: Arc<Semaphore>,
    pub(crate) traces: Traces,
}

impl Server {
    /// Over the thread that has the state.
    #[must_use]
    pub fn new(
        handle: Handle,
        keys: Keys,
        public: Option<Arc<Public>>,
        disk: Folder,
        traces: Traces,
        deployer: Deployer,
        rate: Option<NonZeroU32>,
    ) -> Self {
        let (keys, public) = (Arc::new(keys), Arc::new(RwLock::new(public)));
        let (timelines, room) = (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(CONNECTIONS)));
        let meter = Arc::new(Meter::new(rate));
        Self { handle, keys, public, disk, timelines, traces, deployer, room, meter }
    }

    /// Whether there are so many connections that those who say nothing are in the way.
    fn is_crowded(&self) -> bool {
        self.room.available_permits() < CONNECTIONS - CROWDED
    }

    /// A body, if it comes in time.
    pub(crate) async fn body(&self, body: Body, longest: usize) -> Result<Bytes, NoBody> {
        let time = if self.is_crowded() { CROWDED_BODY_TIME } else { BODY_TIME };
        match tokio::time::timeout(time, to_bytes(body, longest)).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(_)) => Err(NoBody::TooLong),
            Err(_) => Err(NoBody::TooSlow),
        }
    }

    /// What is reached without a key.
    pub(crate) fn public(&self) -> Option<Arc<Public>> {
        self.public.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on this is.
    pub(crate) fn renew_public(&self, public: Option<Arc<Public>>) {
        *self.public.write().unwrap_or_else(PoisonError::into_inner) = public;
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
            .route("/operate/deploy", post(deploy::deploy))
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

    /// Without any key in the store everything is open: then only this machine is listened to.
    pub(crate) fn is_open(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether a request may do what needs a scope.
    pub(crate) fn allows(&self, key: Option<&str>, wanted: Scope) -> bool {
        self.is_open() || key.is_some_and(|key| self.keys.allow(key, wanted))
    }

    /// The answer to somebody who may not; none: they may.
    pub(crate) fn denies(&self, headers: &HeaderMap, wanted: Scope) -> Option<Response> {
        if let Some(refused) = self.refuses_others(headers) {
            return Some(refused);
        }
        (!self.allows(key_of(headers).as_deref(), wanted)).then(denied)
    }
}

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoBody {
    /// It is too long, or broke off.
    TooLong,
    /// It did not come in time.
    TooSlow,
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
    // Some clients put it into the place of the password.
    Some(if user.is_empty() { password } else { user }.to_owned())
}

pub(crate) fn denied() -> Response {
    // Of `Basic`, browsers would make a window of their own, before the page can ask for the key.
    let headers = [(header::WWW_AUTHENTICATE, "Bearer realm=\"flow\"")];
    (StatusCode::UNAUTHORIZED, headers, "this needs a key\n").into_response()
}

/// Answers requests until `stop` is ready, and finishes those that have begun.
pub async fn serve(listener: TcpListener, server: Server, stop: impl Future<Output = ()>) {
    let room = Arc::clone(&server.room);
    let service = TowerToHyperService::new(server.routes());
    let graceful = GracefulShutdown::new();
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(LONGEST_HEAD);
    let crowd = Crowd::default();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let accepted = listener.accept().await;
            if room.available_permits() == 0 {
                crowd.make_room();
            }
            (accepted, Arc::clone(&room).acquire_owned().await)
        };
        let (accepted, place) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, _)) => {
                // Small answers leave at once.
                let _ = stream.set_nodelay(true);
                let seat = crowd.join();
                let (service, answered) = (service.clone(), Arc::clone(&seat));
                let service = service_fn(move |request| {
                    answered.busy(true);
                    let (answer, answered) = (service.call(request), Arc::clone(&answered));
                    async move {
                        let answer = answer.await;
                        answered.busy(false);
                        answer
                    }
                });
                let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
                tokio::spawn(async move {
                    let _place = place;
                    tokio::select! {
                        // What a client does wrong ends its own connection.
                        _ = connection => {}
                        () = seat.left() => {}
                    }
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
