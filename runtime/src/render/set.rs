//! The templates of a project, and the files that they render.

use super::code::Template;
use std::collections::BTreeMap;

/// Templates by name, and the files that `render` and `layout` name.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    parts: BTreeMap<String, Template>,
}

impl Templates {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a file that others render. `_footer.liquid` is `footer`; folders belong to the name.
    pub fn add_part(&mut self, path: &str, template: Template) {
        self.parts.insert(part_name(path), template);
    }

    /// The file that was compiled with this path.
    #[must_use]
    pub fn at_path(&self, path: &str) -> Option<&Template> {
        self.parts.values().find(|template| template.path() == path)
    }

    /// The file that `render "name"` means.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&Template> {
        self.parts.get(name).or_else(|| self.parts.get(&part_name(name)))
    }
}

/// What `render` calls a file: its path below `templates/`, without the `_` and what follows the first point of its name.
fn part_name(path: &str) -> String {
    let path = path.strip_prefix("templates/").unwrap_or(path);
    let (folder, file) = path.rsplit_once('/').map_or(("", path), |(folder, file)| (folder, file));
    let file = file.strip_prefix('_').unwrap_or(file);
    let stem = file.split('.').next().unwrap_or(file);
    if folder.is_empty() {
        stem.to_owned()
    } else {
        format!("{folder}/{stem}")
    }
}
