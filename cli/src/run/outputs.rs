//! Files that appear when they are finished.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Standard output, or a file that stands beside its place under another name until the run is over, so that a run
/// that fails leaves no half of one.
pub struct Output {
    target: Target,
}

enum Target {
    Standard,
    /// A pipe or a device is written as it is.
    Direct(File),
    File {
        file: File,
        written: PathBuf,
        wanted: PathBuf,
        kept: bool,
    },
}

impl Output {
    /// To a file, or to standard output.
    pub fn new(path: Option<&Path>) -> Result<Self, String> {
        path.map_or(Ok(Self { target: Target::Standard }), Self::to)
    }

    /// To a file; `-` is standard output.
    pub fn to(path: &Path) -> Result<Self, String> {
        let cannot = |error: io::Error| format!("cannot write {}: {error}", path.display());
        if path.as_os_str() == "-" {
            return Ok(Self { target: Target::Standard });
        }
        if fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
            let file = File::options().write(true).open(path).map_err(cannot)?;
            return Ok(Self { target: Target::Direct(file) });
        }
        if path.is_dir() {
            return Err(format!("cannot write {}: it is a folder", path.display()));
        }
        let Some(name) = path.file_name() else { return Err(format!("{} is no file", path.display())) };
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}", std::process::id()));
        let written = path.with_file_name(hidden);
        let file = File::create(&written).map_err(cannot)?;
        Ok(Self { target: Target::File { file, written, wanted: path.to_owned(), kept: false } })
    }

    /// What to write to.
    pub fn writer(&mut self) -> Box<dyn Write + Send + '_> {
        match &mut self.target {
            Target::Standard => Box::new(io::stdout()),
            Target::Direct(file) | Target::File { file, .. } => Box::new(file),
        }
    }

    /// Puts the finished file in its place.
    pub fn keep(mut self) -> Result<(), String> {
        if let Target::File { written, wanted, kept, .. } = &mut self.target {
            fs::rename(&*written, &*wanted).map_err(|error| format!("cannot write {}: {error}", wanted.display()))?;
            *kept = true;
        }
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Target::File { written, kept: false, .. } = &self.target {
            // Nothing more can be done about a file that cannot be removed.
            let _ = fs::remove_file(written);
        }
    }
}
