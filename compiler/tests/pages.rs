//! Every code has a page; the wrong example of a page gives that code, and the right one gives nothing.
#![allow(clippy::unwrap_used, clippy::panic)]

use flow_compiler::compile::{compile, SourceFile};
use flow_compiler::diagnostic::{Diagnostic, Severity};
use flow_compiler::project::{assemble, Listing};
use flow_compiler::{codes, explain};
use std::collections::BTreeSet;

/// Limits: an example would be longer than the page.
const WITHOUT_EXAMPLE: [&str; 6] = ["F0114", "F0115", "F0116", "F0413", "F0815", "F0816"];

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let titles = codes::all();
    let codes: BTreeSet<&str> = titles.iter().map(|(code, _)| *code).collect();
    let pages: BTreeSet<&str> = explain::codes().collect();
    assert_eq!(codes.difference(&pages).next(), None, "a code without a page");
    assert_eq!(pages.difference(&codes).next(), None, "a page without a code");
    for (code, title) in titles {
        let first = explain::page(code).unwrap().lines().next().unwrap();
        assert_eq!(first, format!("# {code} {title}"));
    }
}

#[test]
fn wrong_examples_give_their_code() {
    let mut failures = Vec::new();
    for code in explain::codes().filter(|code| !WITHOUT_EXAMPLE.contains(code)) {
        let found = findings(example(explain::page(code).unwrap(), "wrong"));
        let serious: BTreeSet<&str> =
            found.iter().filter(|one| one.severity != Severity::Note).map(|one| one.code).collect();
        let noted = found.iter().any(|one| one.code == code);
        let right = serious == BTreeSet::from([code]) || (serious.is_empty() && noted);
        if !right {
            failures.push(format!("{code}: {}", shown(&found)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn right_examples_are_right() {
    let mut failures = Vec::new();
    for code in explain::codes().filter(|code| !WITHOUT_EXAMPLE.contains(code)) {
        let mut found = findings(example(explain::page(code).unwrap(), "right"));
        found.retain(|one| one.severity != Severity::Note);
        if !found.is_empty() {
            failures.push(format!("{code}: {}", shown(&found)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn shown(found: &[Diagnostic]) -> String {
    found.iter().map(|one| format!("{} {}", one.code, one.message)).collect::<Vec<_>>().join("; ")
}

fn findings(listing: Listing) -> Vec<Diagnostic> {
    let project = assemble(listing);
    let mut found = project.diagnostics;
    found.extend(compile(&project.input).diagnostics);
    found
}

/// The blocks of a page with this mark: `flow` is source, `toml` is flow.toml, `files` names templates, `liquid` and `mjml` are
/// `templates/page.email.liquid` and `….mjml`, `sms` and `push` the same page on those channels.
fn example(page: &str, mark: &str) -> Listing {
    let mut listing = Listing { name: "page".to_owned(), ..Listing::default() };
    let mut blocks = page.split("```").skip(1).step_by(2);
    let mut any = false;
    for block in blocks.by_ref() {
        let (head, text) = block.split_once('\n').unwrap();
        let Some(kind) = head.strip_suffix(&format!(" {mark}")) else { continue };
        any = true;
        match kind {
            "flow" => {
                let path = format!("page{}.flow", listing.files.len());
                listing.files.push(SourceFile { path, text: text.to_owned() });
            }
            "toml" => listing.config = Some(SourceFile { path: "flow.toml".to_owned(), text: text.to_owned() }),
            "files" => listing.templates = Some(text.lines().map(str::to_owned).collect()),
            "liquid" | "mjml" | "sms" | "push" => {
                let path = match kind {
                    "sms" | "push" => format!("templates/page.{kind}.liquid"),
                    ending => format!("templates/page.email.{ending}"),
                };
                listing.templates = Some(vec![path.clone()]);
                listing.texts.insert(path, text.to_owned());
            }
            other => panic!("a block of kind {other}"),
        }
    }
    assert!(any, "no {mark} example: {}", page.lines().next().unwrap());
    listing
}
