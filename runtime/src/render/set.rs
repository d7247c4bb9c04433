//! The files that a template renders.

use super::code::Template;
use flow_compiler::template::part_name;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Files by the name that `render` and `layout` give them.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    parts: BTreeMap<String, Arc<Template>>,
}

impl Templates {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a file that others render. `_footer.liquid` is `footer`; folders belong to the name.
    pub fn add_part(&mut self, path: &str, template: impl Into<Arc<Template>>) {
        self.parts.insert(part_name(path), template.into());
    }

    /// The file that was compiled with this path.
    #[must_use]
    pub fn at_path(&self, path: &str) -> Option<&Template> {
        self.parts.values().map(AsRef::as_ref).find(|template| template.path() == path)
    }

    /// The file that `render "name"` means.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&Template> {
        self.parts.get(name).or_else(|| self.parts.get(&part_name(name))).map(AsRef::as_ref)
    }
}
