//! Finds and reads the project that a file belongs to.

use flow_compiler::compile::SourceFile;
use flow_compiler::project::Listing;
use std::fs;
use std::path::{Path, PathBuf};

const CONFIG: &str = "flow.toml";
const TEMPLATES: &str = "templates";
/// Folders that never hold a project's own source.
const SKIPPED: [&str; 2] = ["target", "node_modules"];

/// The project's folder: the nearest above the file that has a `flow.toml`, else the workspace's.
/// None: the file is a project of its own.
#[must_use]
pub fn root_of(file: &Path, workspace: &[PathBuf]) -> Option<PathBuf> {
    let above = || file.ancestors().skip(1);
    if let Some(root) = above().find(|folder| folder.join(CONFIG).is_file()) {
        return Some(root.to_owned());
    }
    workspace.iter().find(|folder| file.starts_with(folder)).cloned()
}

/// What is on disk below a project's folder. What cannot be read is passed over: the editor goes on.
#[must_use]
pub fn list(root: &Path) -> Listing {
    let name = root.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut listing = Listing { name, ..Listing::default() };
    folder(root, "", &mut listing);
    listing
}

/// A file that is a project of its own.
#[must_use]
pub fn single(file: &Path, text: String) -> Listing {
    let name = |name: Option<&std::ffi::OsStr>| name.map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let source = SourceFile { path: name(file.file_name()), text };
    Listing { name: name(file.file_stem()), files: vec![source], ..Listing::default() }
}

fn folder(path: &Path, below: &str, listing: &mut Listing) {
    let Ok(entries) = fs::read_dir(path) else { return };
    let in_templates = below.split('/').next() == Some(TEMPLATES);
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(kind) = entry.file_type() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let inner = format!("{below}{name}");
        if kind.is_dir() {
            if inner == TEMPLATES {
                listing.templates.get_or_insert_default();
            }
            // A folder with a `flow.toml` of its own is another project.
            if !SKIPPED.contains(&name.as_str()) && !entry.path().join(CONFIG).is_file() {
                folder(&entry.path(), &format!("{inner}/"), listing);
            }
        } else if in_templates {
            if let Some(text) = read(&entry.path()) {
                listing.texts.insert(inner.clone(), text);
            }
            listing.templates.get_or_insert_default().push(inner);
        } else if inner == CONFIG {
            listing.config = read(&entry.path()).map(|text| SourceFile { path: inner, text });
        } else if name.ends_with(".flow") {
            listing.files.extend(read(&entry.path()).map(|text| SourceFile { path: inner, text }));
        }
    }
}

fn read(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
