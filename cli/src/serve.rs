//! `flowc serve`: events in by HTTP, messages out by channels, in real time.

use crate::load::{Checked, Loaded};
use crate::output::err;
use crate::store::Project;
use flow_channels::audiences;
use flow_channels::fetch::Apis;
use flow_channels::links::LinkKey;
use flow_channels::public::{twilio_tokens, Public};
use flow_channels::track::{tracked, tracking, Tracking};
use flow_channels::{Channel, Policy, Secrets};
use flow_compiler::bytecode::Program;
use flow_serve::feed::Feed;
use flow_serve::keys;
use flow_serve::renew::Version;
use flow_serve::server::{serve, Options, Outside};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{absolute, Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Run a project on live events
///
/// Takes calls of Segment's tracking API and CloudEvents by HTTP, and hands messages to the channels that flow.toml
/// configures. A call that was answered with 2xx is certain. SIGTERM stops it.
#[derive(Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    project: Project,
    /// Where to listen; an address that other machines can reach needs keys
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Take the lines of this file too, as they are written; `-` is standard input. May be given several times
    #[arg(long, value_name = "FILE")]
    follow: Vec<PathBuf>,
    /// So many calls a second each key may send; who sends more is asked to come again (429). Else `rate` below [serve] in
    /// flow.toml, else as many as there is room for
    #[arg(long, value_name = "CALLS")]
    rate: Option<NonZeroU32>,
    /// Messages of channels that flow.toml does not configure are shown on standard output
    #[arg(long)]
    console: bool,
    /// `fetch` and `call` may ask addresses that are not public
    #[arg(long)]
    private_apis: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    args.project.with(|checked| begin(args, checked).map(|()| ExitCode::SUCCESS))
}

fn begin(args: &Args, mut checked: Checked) -> Result<(), String> {
    let store = args.project.folder();
    let (disk, lock) = args.project.open()?;
    let feeds = feeds(&args.follow, &checked.loaded)?;
    let rate = args.rate.or(checked.loaded.project.rate);
    let options = Options { disk, lock, listen: args.listen, feeds, rate };
    let links = keys::links(&store)
        .map(Arc::new)
        .map_err(|error| format!("cannot keep keys in {}: {error}", store.display()))?;
    let name = checked.loaded.project.input.name.clone();
    let (again, key) = (args.clone(), Arc::clone(&links));
    let again = Arc::new(move || version(&again, &mut again.project.read()?, &key));
    let first = || version(args, &mut checked, &links);
    serve(first, again, options, |address| err(&format!("{name} is served on http://{address}\n")))
}

/// The project made ready to serve, and what its messages and questions leave by.
fn version(args: &Args, checked: &mut Checked, links: &Arc<LinkKey>) -> Result<Version, String> {
    let setup = args.project.setup(checked, Some(Arc::clone(links)))?;
    let checked = &*checked;
    let project = &checked.loaded.project;
    let secrets = || Secrets::from_env(&checked.loaded.root);
    let channels = channels(args, checked, setup.program(), links)?;
    let public = Public {
        key: LinkKey::clone(links),
        project: setup.program().name.clone(),
        base: project.input.public_url.clone(),
        twilio: twilio_tokens(&project.channels, &secrets()).map_err(|error| error.to_string())?,
    };
    let apis = Apis::new(secrets(), args.private_apis)?;
    let open = |(name, table): (&String, &toml::Table)| {
        let opened = audiences::open(name, table, &secrets());
        Ok((name.clone(), opened.map_err(|error| error.to_string())?))
    };
    let audiences = project.audiences.iter().map(open).collect::<Result<_, String>>()?;
    Ok(Version { setup, outside: Outside { channels, apis, audiences, public: Some(Arc::new(public)) } })
}

/// What is followed, each once: what the command line says, and flow.toml, whose paths are those in the project's folder. A file
/// in the project is called by its place there, so that the project may be moved.
fn feeds(follow: &[PathBuf], loaded: &Loaded) -> Result<Vec<Feed>, String> {
    let root = &loaded.root;
    let in_project = loaded.project.follow.iter().map(|file| match file.as_str() {
        "-" => PathBuf::from(file),
        _ => root.join(file),
    });
    let mut feeds = Vec::new();
    for file in follow.iter().cloned().chain(in_project) {
        let feed = if file.as_os_str() == "-" {
            Feed::Standard
        } else {
            if file.metadata().is_ok_and(|about| !about.is_file()) {
                let file = file.display();
                return Err(format!(
                    "{file} is no file that can be followed. What comes by a pipe is taken with --follow -"
                ));
            }
            let whole = |path: &Path| absolute(path).map_err(|error| format!("{}: {error}", path.display()));
            let (path, root) = (whole(&file)?, whole(root)?);
            let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
            Feed::File { name, path }
        };
        if !feeds.contains(&feed) {
            feeds.push(feed);
        }
    }
    Ok(feeds)
}

type Opened = (Arc<dyn Channel>, Policy);

fn channels(args: &Args, checked: &Checked, program: &Program, links: &Arc<LinkKey>) -> Result<Vec<Opened>, String> {
    let base = &checked.loaded.project.input.public_url;
    let secrets = Secrets::from_env(&checked.loaded.root);
    let tables = &checked.loaded.project.channels;
    let mut console = toml::Table::new();
    console.insert("backend".to_owned(), "console".into());
    let open = |name: &str| {
        let table = match tables.get(name) {
            Some(table) => table,
            None if args.console => &console,
            None => {
                return Err(format!(
                    "flow.toml does not say how the messages of `{name}` are delivered; write\n\n    [channels.{name}]\n    \
                     backend = \"console\"\n\nor one of the other backends, or give --console"
                ))
            }
        };
        let channel = flow_channels::open(name, table, &secrets).map_err(|error| error.to_string())?;
        let policy = flow_channels::policy(name, table, &secrets).map_err(|error| error.to_string())?;
        let tracking = tracking(name, table, &secrets).map_err(|error| error.to_string())?;
        if tracking != Tracking::default() && base.is_empty() {
            return Err(format!(
                "flow.toml, channels.{name}.track: what is followed comes back to the address of this server; write \
                 `public_url = \"https://…\"` below [project]"
            ));
        }
        Ok((tracked(Arc::from(channel), Arc::clone(links), base, tracking), policy))
    };
    program.channels.iter().map(|channel| open(&channel.name)).collect()
}
