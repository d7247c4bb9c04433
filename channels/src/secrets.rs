//! Where secrets come from: the environment and files, never the text of `flow.toml`.

use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The longest secret file that is read, in bytes: a service account's key is below 4 KB.
const LONGEST_FILE: u64 = 64 * 1024;

/// Looks secrets up. Shows nothing of them.
pub struct Secrets {
    source: Source,
    root: PathBuf,
}

enum Source {
    Environment,
    Given(BTreeMap<String, SecretString>),
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Secrets {
    /// From the environment of the process, and from files relative to the project's folder.
    #[must_use]
    pub fn from_env(root: impl Into<PathBuf>) -> Self {
        Self { source: Source::Environment, root: root.into() }
    }

    /// From given values in place of the environment, and from files relative to a folder.
    #[must_use]
    pub fn given<K: Into<String>, V: Into<String>>(
        values: impl IntoIterator<Item = (K, V)>,
        root: impl Into<PathBuf>,
    ) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.into(), SecretString::from(value.into())));
        Self { source: Source::Given(values.collect()), root: root.into() }
    }

    /// The value of a variable of the environment.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<SecretString> {
        match &self.source {
            Source::Environment => std::env::var(name).ok().map(SecretString::from),
            Source::Given(values) => values.get(name).cloned(),
        }
    }

    /// What stands in a file, without the line end that editors leave.
    ///
    /// # Errors
    /// A sentence, when the file cannot be read, is no text, or is longer than any secret.
    pub fn file(&self, path: &str) -> Result<SecretString, String> {
        let path = self.path(path);
        let shown = path.display();
        let size = std::fs::metadata(&path).map_err(|error| format!("`{shown}` cannot be read: {error}"))?.len();
        if size > LONGEST_FILE {
            return Err(format!("`{shown}` has {size} bytes; a secret has at most {LONGEST_FILE}"));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
        Ok(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// A path of the configuration, seen from the project's folder.
    #[must_use]
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(Path::new(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn nothing_of_a_secret_is_shown() {
        let secrets = Secrets::given([("KEY", "hunter2")], ".");
        assert_eq!(secrets.variable("KEY").expect("given").expose_secret(), "hunter2");
        assert!(!format!("{secrets:?} {:?}", secrets.variable("KEY")).contains("hunter2"));
    }

    #[test]
    fn a_file_is_read_without_its_line_end() {
        let folder = std::env::temp_dir().join(format!("flow-secrets-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("key"), "hunter2\r\n").expect("a file");
        let secrets = Secrets::from_env(&folder);
        assert_eq!(secrets.file("key").expect("readable").expose_secret(), "hunter2");
        let error = secrets.file("kex").expect_err("no such file");
        assert!(error.contains("kex") && error.contains("cannot be read"), "{error}");
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
