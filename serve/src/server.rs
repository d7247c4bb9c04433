//! The server as a whole: opens the store, starts the parts, and stops them in order.

use crate::clock;
use crate::core::Core;
use crate::deliver::Desk;
use crate::disk::{Folder, Lock};
use crate::door::Door;
use crate::feed::{self, Feed};
use crate::http::{self, Deployer, Server};
use crate::keys::Keys;
use crate::live::{ends, Live};
use crate::log::{say, Level};
use crate::renew::{Again, Version};
use crate::trace::Traces;
use flow_channels::audiences::Audience;
use flow_channels::fetch::Apis;
use flow_channels::public::Public;
use flow_channels::{Channel, Policy};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio::net::TcpListener;

/// How to serve.
pub struct Options {
    /// The folder of the store, open.
    pub disk: Folder,
    /// Keeps others out of it.
    pub lock: Lock,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where lines come from besides.
    pub feeds: Vec<Feed>,
    /// So many calls a second each key may send.
    pub rate: Option<NonZeroU32>,
}

/// What messages and questions leave by. Its parts are opened within the server's runtime.
pub struct Outside {
    /// The channels, in the order of the program, and how fast each may go.
    pub channels: Vec<(Arc<dyn Channel>, Policy)>,
    /// For `fetch` and `call`.
    pub apis: Apis,
    /// Who is told of changes of audiences.
    pub audiences: BTreeMap<String, Audience>,
    /// What is reached without a key; none: nothing is.
    pub public: Option<Arc<Public>>,
}

/// Serves a program until the process is asked to stop: the `first` version, and the one that stands there `again` when somebody
/// deploys. Both are made ready within the server's runtime.
///
/// # Errors
/// With a sentence, when it cannot begin.
pub fn serve(
    first: impl FnOnce() -> Result<Version, String>,
    again: Arc<Again>,
    options: Options,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), String> {
    let Options { disk, lock: _lock, listen, feeds, rate } = options;
    let keys = Keys::read(disk.path()).map_err(|error| format!("cannot read the keys: {error}"))?;
    if keys.is_empty() && !listen.ip().is_loopback() {
        return Err(format!(
            "{listen} can be reached from other machines, and there is no key; make one: flowc keys ingest"
        ));
    }
    raise_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start threads: {error}"))?;
    let secret = crate::keys::random().map_err(|error| format!("there is no chance to be had: {error}"))?;
    let Version { setup, outside: Outside { channels, apis, audiences, public } } = {
        let _within = runtime.enter();
        first()?
    };
    let traces = Traces::from_environment(runtime.handle())?;
    let (channels, policies) = channels.into_iter().unzip();
    let (core, found) =
        Core::open(disk.clone(), setup, secret, policies, clock::now()).map_err(|refusal| refusal.to_string())?;
    clock::not_before(core.host().latest());
    for warning in &found.warnings {
        say(Level::Warning, "the store was not as it should be", &[("found", warning)]);
    }
    say(
        Level::Info,
        "the store is open",
        &[("people", &core.host().people()), ("snapshot", &found.snapshot), ("records", &found.records)],
    );
    let listener =
        runtime.block_on(TcpListener::bind(listen)).map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let address = listener.local_addr().unwrap_or(listen);
    let door = Door::open(disk.path(), address).map_err(|error| format!("cannot write to the store: {error}"))?;
    listening(address);
    let (handle, inbox) = ends();
    let desk = Desk::new(channels, apis, audiences, runtime.handle().clone(), traces.clone());
    let looked_at = disk.clone();
    let followed = core.host().followed().clone();
    let live = Live::new(core, &found, desk, (handle.clone(), inbox), traces.clone());
    let thread = std::thread::Builder::new()
        .name("engine".to_owned())
        .spawn(move || live.run())
        .map_err(|error| format!("cannot start threads: {error}"))?;
    for feed in feeds {
        feed::start(feed, &followed, &handle, runtime.handle())
            .map_err(|error| format!("cannot start threads: {error}"))?;
    }
    let server =
        Server::new(handle.clone(), keys, public, looked_at, traces.clone(), Deployer::new(again, &door), rate);
    runtime.block_on(http::serve(listener, server, stopped()));
    drop(door);
    handle.stop();
    let ended = thread.join().map_err(|_| "the engine's thread failed".to_owned());
    traces.end();
    ended
}

/// Each connection needs a file handle: as many as the system grants.
fn raise_limit() {
    use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        say(Level::Warning, "the limit of open files stays as it is", &[("error", &error)]);
    }
}

/// Ready when the process is asked to stop.
async fn stopped() {
    use tokio::signal::unix::{signal, SignalKind};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(interrupt.await),
    }
    say(Level::Info, "stopping", &[]);
}
