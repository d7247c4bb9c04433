//! What a folder says about a project besides its `.flow` files: `flow.toml` and the names of the
//! template files. Pure: somebody else has read the disk.

mod config;
mod templates;

use crate::allow::Allowed;
use crate::compile::{compile, Compiled, ProjectInput, SourceFile};
use crate::diagnostic::Diagnostic;
use flow_grammar::span::FileId;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// The zone of people whose zone is not known, when the project does not say.
pub const DEFAULT_TIMEZONE: &str = "UTC";

/// What was found on disk.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The project's name, unless `flow.toml` gives one.
    pub name: String,
    /// `flow.toml`, if there is one.
    pub config: Option<SourceFile>,
    /// The `.flow` files, in any order.
    pub files: Vec<SourceFile>,
    /// The paths of the files below `templates/`, relative to the project; none: there is no such folder.
    pub templates: Option<Vec<String>>,
    /// What stands in them, by path, as far as they are text.
    pub texts: BTreeMap<String, String>,
}

/// A project, put together.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// What is compiled.
    pub input: ProjectInput,
    /// Other files that a diagnostic can point into; their ids follow those of `input.files`.
    pub others: Vec<SourceFile>,
    /// The tables `[channels.NAME]`, for those who deliver messages.
    pub channels: BTreeMap<String, toml::Table>,
    /// The tables `[audiences.NAME]`, for those who tell advertising networks.
    pub audiences: BTreeMap<String, toml::Table>,
    /// The files that `[serve]` follows.
    pub follow: Vec<String>,
    /// How many calls a second `[serve]` lets each key send.
    pub rate: Option<NonZeroU32>,
    /// What is wrong with the folder.
    pub diagnostics: Vec<Diagnostic>,
    /// What comments of `flow.toml` allow.
    pub allowed: Vec<Allowed>,
}

impl Project {
    /// The file that a span belongs to.
    #[must_use]
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        let index = id.0 as usize;
        self.input.files.get(index).or_else(|| self.others.get(index.checked_sub(self.input.files.len())?))
    }

    /// Takes in one more file that diagnostics can point into.
    fn other(&mut self, file: SourceFile) -> FileId {
        self.others.push(file);
        FileId(u32::try_from(self.input.files.len() + self.others.len() - 1).unwrap_or(u32::MAX))
    }
}

/// Puts a project together from what was found on disk.
#[must_use]
pub fn assemble(listing: Listing) -> Project {
    let mut project = Project::default();
    project.input.name = listing.name;
    project.input.timezone = DEFAULT_TIMEZONE.to_owned();
    project.input.check_templates = listing.config.is_some() || listing.templates.is_some();
    project.input.files = listing.files;
    project.input.files.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
    if let Some(file) = listing.config {
        config::read(&mut project, file);
    }
    templates::read(&mut project, listing.templates.unwrap_or_default(), listing.texts);
    project.diagnostics.sort_by_key(|found| found.span);
    allow_in_config(&mut project);
    project
}

/// Comments of `flow.toml` can allow what is found in it.
fn allow_in_config(project: &mut Project) {
    let found = std::mem::take(&mut project.diagnostics);
    let first = u32::try_from(project.input.files.len()).unwrap_or(u32::MAX);
    let numbered = (first..).map(FileId).zip(&project.others).filter(|(_, file)| file.path.ends_with(".toml"));
    let complete = found.iter().all(|one| one.code != crate::codes::CONFIG_SYNTAX);
    let (kept, allowed) = crate::allow::apply(numbered, found, complete);
    project.diagnostics = kept;
    project.allowed = allowed;
}

/// Puts a project together and compiles it. All findings are among those of the result, by place.
#[must_use]
pub fn check(listing: Listing) -> (Project, Compiled) {
    let mut project = assemble(listing);
    let mut compiled = compile(&project.input);
    compiled.diagnostics.append(&mut project.diagnostics);
    compiled.diagnostics.sort_by_key(|found| (found.span, found.severity));
    compiled.allowed.append(&mut project.allowed);
    (project, compiled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(config: &str, templates: &[&str]) -> Project {
        assemble(Listing {
            name: "folder".to_owned(),
            config: (!config.is_empty()).then(|| SourceFile { path: "flow.toml".to_owned(), text: config.to_owned() }),
            files: vec![SourceFile { path: "b.flow".to_owned(), text: String::new() }],
            templates: (!templates.is_empty()).then(|| templates.iter().map(|t| (*t).to_owned()).collect()),
            ..Listing::default()
        })
    }

    fn found(project: &Project) -> Vec<String> {
        let at = |d: &Diagnostic| {
            let file = project.file(d.span.file).expect("the file of a diagnostic");
            let help = d.help.as_ref().map(|h| format!(" ({h})")).unwrap_or_default();
            format!("{} {} `{}`: {}{help}", d.code, file.path, d.span.text(&file.text), d.message)
        };
        project.diagnostics.iter().map(at).collect()
    }

    #[test]
    fn a_full_config_is_taken() {
        let project = listing(
            "[project]\nname = \"shop\"\ntimezone = \"Europe/Rome\"\n[channels.email]\nbackend = \"smtp\"\n\
             [audiences.buyers]\nurl = \"https://ads.example\"\n[serve]\nrate = 500\nfollow = [\"calls.jsonl\", \"-\"]\n",
            &[],
        );
        assert_eq!(found(&project), [""; 0]);
        assert_eq!((project.input.name.as_str(), project.input.timezone.as_str()), ("shop", "Europe/Rome"));
        assert_eq!(project.channels["email"]["backend"].as_str(), Some("smtp"));
        assert_eq!(project.audiences["buyers"]["url"].as_str(), Some("https://ads.example"));
        assert!(project.input.check_templates);
        assert_eq!(project.follow, ["calls.jsonl", "-"]);
        assert_eq!(listing("[serve]\nfollow = \"calls.jsonl\"\n", &[]).follow, ["calls.jsonl"]);
        assert_eq!(project.rate.map(NonZeroU32::get), Some(500));
        let wrong = listing("[serve]\nfolow = 1\nfollow = [3]\nrate = 0\n", &[]);
        assert_eq!(found(&wrong).len(), 3, "{:?}", found(&wrong));
    }

    #[test]
    fn nothing_but_files_means_defaults() {
        let project = listing("", &[]);
        assert_eq!((project.input.name.as_str(), project.input.timezone.as_str()), ("folder", "UTC"));
        assert!(!project.input.check_templates);
    }

    #[test]
    fn what_is_misspelled_gets_its_nearest_name() {
        let project = listing("[project]\nnmae = \"shop\"\ntimezone = \"Europe/Roma\"\n[chanels.email]\nx = 1\n", &[]);
        insta::assert_snapshot!(found(&project).join("\n"), @r"
        F0802 flow.toml `nmae`: `[project]` has no key `nmae` (did you mean `name`?)
        F0803 flow.toml `Europe/Roma`: no time zone is called `Europe/Roma` (did you mean `Europe/Rome`?)
        F0802 flow.toml `chanels`: flow.toml has no table `chanels` (did you mean `channels`?)
        ");
    }

    #[test]
    fn wrong_types_and_broken_toml_are_placed() {
        let project = listing("project = 3\nchannels = [1]\n", &[]);
        insta::assert_snapshot!(found(&project).join("\n"), @r"
        F0804 flow.toml `3`: `project` must be a table, not an integer (write `[project]`, and its keys below)
        F0804 flow.toml `[1]`: `channels` must be a table, not an array (write `[channels]`, and its keys below)
        ");
        let project = listing("[project]\nname = \n[channels.email]\nfrom = 1", &[]);
        assert_eq!(project.diagnostics.len(), 1);
        assert_eq!(project.diagnostics[0].code, "F0801");
        assert!(project.channels.contains_key("email"));
    }

    #[test]
    fn template_names_have_three_or_four_parts() {
        let project = listing(
            "",
            &[
                "templates/cart.email.liquid",
                "templates/sub/cart.email.it.mjml",
                "templates/cart.push.pt_BR.txt",
                "templates/_footer.liquid",
            ],
        );
        assert_eq!(found(&project), [""; 0]);
        let names: Vec<_> =
            project.input.templates.iter().map(|t| (t.name.as_str(), t.channel.as_str(), t.locale.as_str())).collect();
        assert_eq!(names, [("cart", "email", ""), ("cart", "push", "pt_BR"), ("cart", "email", "it")]);
    }

    #[test]
    fn template_names_that_say_nothing_are_reported() {
        let project = listing(
            "",
            &["templates/cart.liquid", "templates/a.email.html", "templates/a.email.mjml", "templates/a.b.c.d.e"],
        );
        insta::assert_snapshot!(found(&project).join("\n"), @r"
        F0805 templates/a.b.c.d.e ``: `a.b.c.d.e` is not the name of a template (call it `<template>.<channel>.<ext>` or `<template>.<channel>.<locale>.<ext>`, such as `a.email.liquid`)
        F0806 templates/a.email.mjml ``: `a.email.mjml` holds the same template as `templates/a.email.html` (keep one of the two files)
        F0805 templates/cart.liquid ``: `cart.liquid` is not the name of a template (call it `<template>.<channel>.<ext>` or `<template>.<channel>.<locale>.<ext>`, such as `cart.email.liquid`)
        ");
    }
}
