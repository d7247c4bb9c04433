//! Reads projects from disk: a folder or a single `.flow` file.

use crate::output::{colour_err, err};
use crate::render::{self, Format};
use crate::sources::Sources;
use flow_compiler::compile::{compile, Compiled, SourceFile};
use flow_compiler::diagnostic::{Diagnostic, Severity};
use flow_compiler::project::{assemble, Listing, Project};
use flow_grammar::{LineIndex, MAX_SOURCE_BYTES};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The file that makes a folder a project.
const CONFIG: &str = "flow.toml";
/// The folder of a project's templates.
const TEMPLATES: &str = "templates";
/// Folders that never hold a project's own source.
const SKIPPED: [&str; 2] = ["target", "node_modules"];

/// A project as read from disk.
#[derive(Debug)]
pub struct Loaded {
    /// The project's folder; for a single file, the folder it stands in.
    pub root: PathBuf,
    /// What was read.
    pub project: Project,
}

/// A project, read and compiled.
pub struct Checked {
    /// What was read.
    pub loaded: Loaded,
    /// What the compiler made of it. Its diagnostics have moved to the field below.
    pub compiled: Compiled,
    /// What is wrong with folder and program, by place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    /// Compiles the project.
    pub fn compile(self) -> Checked {
        let mut compiled = compile(&self.project.input);
        let mut diagnostics = self.project.diagnostics.clone();
        diagnostics.append(&mut compiled.diagnostics);
        diagnostics.sort_by_key(|found| (found.span, found.severity));
        compiled.allowed.extend(self.project.allowed.iter().cloned());
        Checked { loaded: self, compiled, diagnostics }
    }
}

impl Checked {
    /// The source files, for showing places.
    pub fn sources(&self) -> Sources<'_> {
        Sources::new(&self.loaded.root, &self.loaded.project)
    }

    /// How many findings there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|found| found.severity == severity).count()
    }
}

/// For commands that need a program that is in order: reads and compiles the one project at `path`.
/// Errors and warnings go to standard error. Gives the exit code when there is nothing to run.
///
/// # Errors
/// With the exit code, when the path cannot be read or the program has errors; both have been told.
pub fn ready(path: &Path) -> Result<Checked, u8> {
    let loaded = load_one(path).map_err(|message| {
        err(&format!("error: {message}\n"));
        crate::UNUSABLE
    })?;
    let mut checked = loaded.compile();
    checked.diagnostics.retain(|found| found.severity != Severity::Note);
    let failed = checked.count(Severity::Error) > 0 || checked.compiled.program.is_none();
    if !checked.diagnostics.is_empty() {
        err(&render::all(std::slice::from_ref(&checked), Format::Human, colour_err()));
    }
    if failed {
        Err(crate::FOUND)
    } else {
        Ok(checked)
    }
}

/// Reads the one project at `path`.
///
/// # Errors
/// With a message, when something cannot be read or there is not exactly one project.
pub fn load_one(path: &Path) -> Result<Loaded, String> {
    let mut found = load(path)?;
    match found.len() {
        1 => found.pop().ok_or_else(|| no_source(path)),
        _ => Err(format!(
            "{} holds several projects; give one of them: {}",
            path.display(),
            found.iter().map(|loaded| loaded.root.display().to_string()).collect::<Vec<_>>().join(", ")
        )),
    }
}

/// Reads every project at `path`: the one of the folder itself, and those of folders below it that
/// have a `flow.toml` of their own.
///
/// # Errors
/// With a message, when something cannot be read or there is no `.flow` file at all.
pub fn load(path: &Path) -> Result<Vec<Loaded>, String> {
    let listings = listings(path)?.into_iter();
    Ok(listings.map(|(root, listing)| Loaded { root, project: assemble(listing) }).collect())
}

/// Every project at `path` as it stands on disk, with its folder.
///
/// # Errors
/// As [`load`].
pub fn listings(path: &Path) -> Result<Vec<(PathBuf, Listing)>, String> {
    let kind = fs::metadata(path).map_err(|e| cannot_read(path, &e))?;
    if !kind.is_dir() {
        return list_file(path).map(|listed| vec![listed]);
    }
    let mut listed = Vec::new();
    let mut roots = vec![path.to_owned()];
    while let Some(root) = roots.pop() {
        let mut walk = Walk { root: &root, listing: Listing::default(), nested: Vec::new() };
        walk.folder(&root, "")?;
        let Walk { mut listing, mut nested, .. } = walk;
        nested.sort_unstable_by(|a, b| b.cmp(a));
        roots.append(&mut nested);
        if !listing.files.is_empty() {
            listing.name = project_name(&root, &listing);
            listed.push((root, listing));
        }
    }
    if listed.is_empty() {
        return Err(no_source(path));
    }
    Ok(listed)
}

fn list_file(path: &Path) -> Result<(PathBuf, Listing), String> {
    if path.extension().is_none_or(|ext| ext != "flow") {
        return Err(format!("{} is neither a folder nor a .flow file", path.display()));
    }
    let text = read(path)?;
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let file = SourceFile { path: file_name(path), text };
    let root = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    Ok((root, Listing { name, files: vec![file], ..Listing::default() }))
}

/// A folder with nothing but one file is that file; otherwise a project is called as its folder.
fn project_name(root: &Path, listing: &Listing) -> String {
    if let ([file], None, None) = (listing.files.as_slice(), &listing.config, &listing.templates) {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        return name.strip_suffix(".flow").unwrap_or(name).to_owned();
    }
    let whole = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    file_name(&whole)
}

/// One project's folder being listed.
struct Walk<'r> {
    root: &'r Path,
    listing: Listing,
    nested: Vec<PathBuf>,
}

impl Walk<'_> {
    /// Takes in a folder; `below` is its path relative to the root, empty or with a `/` at the end.
    fn folder(&mut self, folder: &Path, below: &str) -> Result<(), String> {
        let entries = fs::read_dir(folder).map_err(|e| cannot_read(folder, &e))?;
        let in_templates = below.split('/').next() == Some(TEMPLATES);
        for entry in entries {
            let entry = entry.map_err(|e| cannot_read(folder, &e))?;
            let kind = entry.file_type().map_err(|e| cannot_read(&entry.path(), &e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            // A linked file is read, a linked folder is not entered: it could lead round in circles.
            if kind.is_dir() {
                self.subfolder(&entry.path(), &format!("{below}{name}"))?;
            } else if in_templates {
                let path = format!("{below}{name}");
                self.template(&entry.path(), &path)?;
                self.listing.templates.get_or_insert_default().push(path);
            } else {
                self.file(&entry.path(), below, &name)?;
            }
        }
        Ok(())
    }

    fn subfolder(&mut self, path: &Path, below: &str) -> Result<(), String> {
        if below == TEMPLATES {
            self.listing.templates.get_or_insert_default();
        }
        if SKIPPED.contains(&below.rsplit('/').next().unwrap_or_default()) {
            return Ok(());
        }
        if path.join(CONFIG).is_file() {
            self.nested.push(path.to_owned());
            return Ok(());
        }
        self.folder(path, &format!("{below}/"))
    }

    /// Takes in what stands in a template; what is no text (a picture) is only listed.
    fn template(&mut self, path: &Path, below: &str) -> Result<(), String> {
        let bytes = bytes(path)?;
        if let Ok(text) = String::from_utf8(bytes) {
            let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
            self.listing.texts.insert(below.to_owned(), text);
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, below: &str, name: &str) -> Result<(), String> {
        let source = |text| SourceFile { path: format!("{below}{name}"), text };
        if below.is_empty() && name == CONFIG && path.parent() == Some(self.root) {
            self.listing.config = Some(source(read(path)?));
        } else if name.ends_with(".flow") {
            self.listing.files.push(source(read(path)?));
        }
        Ok(())
    }
}

/// Reads a text file; a byte order mark at its start is dropped.
fn read(path: &Path) -> Result<String, String> {
    let bytes = bytes(path)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
        Err(error) => Err(not_utf8(path, &error)),
    }
}

/// What stands in a file, up to a little more than any source may have: a file that is too long is refused by its length,
/// not read to its end.
fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    // Room for the rest of a character that the bound would cut.
    const MOST: usize = MAX_SOURCE_BYTES + 8;
    let file = File::open(path).map_err(|e| cannot_read(path, &e))?;
    let mut bytes = Vec::new();
    file.take(MOST as u64).read_to_end(&mut bytes).map_err(|e| cannot_read(path, &e))?;
    if bytes.len() == MOST {
        let cut = std::str::from_utf8(&bytes).err().filter(|error| error.error_len().is_none());
        bytes.truncate(cut.map_or(MOST, |error| error.valid_up_to()));
    }
    Ok(bytes)
}

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> String {
    let bytes = error.as_bytes();
    let at = error.utf8_error().valid_up_to();
    let before = String::from_utf8_lossy(bytes.get(..at).unwrap_or_default());
    let place = LineIndex::new(&before).line_column(&before, u32::try_from(at).unwrap_or(u32::MAX));
    let byte = bytes.get(at).copied().unwrap_or_default();
    let (line, column) = (place.line, place.column);
    let path = path.display();
    format!("{path}:{line}:{column}: the file is not UTF-8 (byte 0x{byte:02X}); save it as UTF-8")
}

fn cannot_read(path: &Path, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no file or folder {}", path.display()),
        _ => format!("cannot read {}: {error}", path.display()),
    }
}

fn no_source(path: &Path) -> String {
    format!("there is no .flow file in {}", path.display())
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
