//! The store of a project, for the commands that look at it or change it.

use crate::load::{load_one, ready, Checked};
use crate::output::unusable;
use flow_channels::links::LinkKey;
use flow_compiler::diagnostic::Severity;
use flow_runtime::calendar::Zones;
use flow_serve::disk::{Disk as _, Folder, Lock};
use flow_serve::setup::Setup;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// The folder of the store, in the project's.
const STORE: &str = ".flow";

/// A project, its store, and what besides its files makes a version of it.
#[derive(Clone, clap::Args)]
pub struct Project {
    /// A folder or a .flow file
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// The folder that holds the journal and the people; without it, .flow in the project's folder
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Decides the arms of splits and who is in a holdout; the same as for `flowc serve`
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// A folder of TZif files to use instead of the zone data that comes with flowc
    #[arg(long, value_name = "DIR")]
    tzdata: Option<PathBuf>,
}

/// Where a project's store is.
pub fn store_of(path: &Path, store: Option<&Path>) -> PathBuf {
    match store {
        Some(store) => store.to_owned(),
        None if path.is_dir() => path.join(STORE),
        None => path.parent().unwrap_or(Path::new(".")).join(STORE),
    }
}

impl Project {
    /// Reads and checks the project, and does something with it. What is wrong is told.
    pub fn with(&self, act: impl FnOnce(Checked) -> Result<ExitCode, String>) -> ExitCode {
        match ready(&self.path) {
            Ok(checked) => act(checked).unwrap_or_else(|message| unusable(&message)),
            Err(code) => ExitCode::from(code),
        }
    }

    /// Reads and checks the project without telling what is wrong.
    pub fn read(&self) -> Result<Checked, String> {
        let checked = load_one(&self.path)?.compile();
        match checked.count(Severity::Error) {
            0 => Ok(checked),
            _ => Err("the project has errors: `flowc check` shows them".to_owned()),
        }
    }

    /// Makes the project ready to run; its program moves out of `checked`.
    pub fn setup(&self, checked: &mut Checked, links: Option<Arc<LinkKey>>) -> Result<Arc<Setup>, String> {
        let program = checked.compiled.program.take().ok_or("there is no program")?;
        Ok(Arc::new(Setup::new(program, &checked.loaded.project.input, self.zones()?, self.seed, links)))
    }

    /// Where the store is.
    pub fn folder(&self) -> PathBuf {
        store_of(&self.path, self.store.as_deref())
    }

    /// The store, for looking only: a server may have it.
    pub fn look(&self) -> Result<Folder, String> {
        look(&self.folder())
    }

    /// The store, for this process alone.
    pub fn open(&self) -> Result<(Folder, Lock), String> {
        let folder = self.folder();
        Folder::open(&folder).map_err(|error| cannot_open(&folder, &error))
    }

    /// The same; none: a server has it.
    pub fn open_unless_served(&self) -> Result<Option<(Folder, Lock)>, String> {
        let folder = self.folder();
        match Folder::open(&folder) {
            Ok(open) => Ok(Some(open)),
            Err(error) if error.kind() == ErrorKind::ResourceBusy => Ok(None),
            Err(error) => Err(cannot_open(&folder, &error)),
        }
    }

    fn zones(&self) -> Result<Zones, String> {
        match &self.tzdata {
            Some(folder) => Zones::from_folder(folder).map_err(|error| format!("cannot read zones: {error}")),
            None => Ok(Zones::bundled()),
        }
    }
}

fn cannot_open(folder: &Path, error: &std::io::Error) -> String {
    format!("cannot open {}: {error}", folder.display())
}

/// A store that is there, for looking only.
pub fn look(folder: &Path) -> Result<Folder, String> {
    let disk = Folder::look(folder);
    match disk.list() {
        Ok(names) if names.iter().any(|name| name.ends_with(".log") || name.ends_with(".state")) => Ok(disk),
        Ok(_) => Err(format!("there is no store in {}: `flowc serve` makes one", folder.display())),
        Err(error) => Err(format!("cannot read the store {}: {error}", folder.display())),
    }
}
