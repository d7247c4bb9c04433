//! `flowc keys`: who may send calls, look, and operate.

use crate::output::{out, unusable};
use crate::store::store_of;
use flow_serve::keys::{Keys, Scope};
use std::path::PathBuf;
use std::process::ExitCode;

/// Make keys for a server, or list them
///
/// A key is shown once, when it is made; the store keeps its hash. A server takes new keys when it starts. To take a key
/// back, remove its line from the file `keys` in the store.
#[derive(clap::Args)]
pub struct Args {
    /// Make a key that may send calls, look, or operate; without it, the keys are listed
    #[arg(value_name = "SCOPE", value_enum)]
    scope: Option<Word>,
    /// What to call it
    #[arg(long, value_name = "NAME", default_value = "")]
    name: String,
    /// The project's folder
    #[arg(long, value_name = "PATH", default_value = ".")]
    project: PathBuf,
    /// The folder of the store; without it, .flow in the project's folder
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Word {
    /// Send calls
    Ingest,
    /// Look at people and messages
    Read,
    /// Pause, resume, forget; and look
    Operate,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let store = store_of(&args.project, args.store.as_deref());
    let scope = args.scope.map(|word| match word {
        Word::Ingest => Scope::Ingest,
        Word::Read => Scope::Read,
        Word::Operate => Scope::Operate,
    });
    let done = match scope {
        Some(scope) => Keys::make(&store, scope, &args.name).map(|key| format!("{key}\n")),
        None => Keys::read(&store)
            .map(|keys| keys.all().iter().map(|key| format!("{} {}\n", key.scope.word(), key.name)).collect()),
    };
    match done {
        Ok(text) => {
            out(&text);
            ExitCode::SUCCESS
        }
        Err(error) => unusable(&format!("cannot keep keys in {}: {error}", store.display())),
    }
}
