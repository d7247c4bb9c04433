//! The templates of the ten journeys in both their languages: each renders, for everybody, whole and in its own words.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;
use common::flowc;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The ten projects; one of them sends nothing.
fn projects() -> Vec<PathBuf> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut found: Vec<PathBuf> = fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path()).collect();
    let number = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap()[..2].parse::<u32>().unwrap_or(99);
    found.retain(|path| number(path) <= 10 && path.join("templates").is_dir());
    found.sort();
    found
}

/// `name.channel` of each template, with its locales.
fn templates(project: &Path) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in fs::read_dir(project.join("templates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let parts: Vec<&str> = name.split('.').collect();
        if name.starts_with('_') {
            continue;
        }
        let locale = if parts.len() == 4 { parts[2] } else { "" };
        found.entry(format!("{}.{}", parts[0], parts[1])).or_default().push(locale.to_owned());
    }
    found
}

#[test]
fn every_template_of_the_ten_journeys_speaks_both_languages() {
    let projects = projects();
    assert_eq!(projects.len(), 9);
    for project in projects {
        let project = project.canonicalize().unwrap();
        for (template, mut locales) in templates(&project) {
            locales.sort();
            assert_eq!(locales, ["", "it"], "{} {template}", project.display());
            let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("languages");
            let _ = fs::remove_dir_all(&out);
            let ran = flowc(&project, &["preview", &template, "--all", "--out", out.to_str().unwrap()]);
            assert_eq!(ran.code, 0, "{template}: {}", ran.err);
            let contents: Vec<(String, Value)> = ran
                .out
                .lines()
                .filter(|line| line.ends_with(".json"))
                .map(|line| (line.to_owned(), serde_json::from_str(&fs::read_to_string(line).unwrap()).unwrap()))
                .collect();
            let texts = |italian: bool| {
                let own = contents.iter().filter(|(path, _)| path.contains(".it.") == italian);
                own.map(|(_, content)| content.clone()).collect::<Vec<Value>>()
            };
            let (english, italian) = (texts(false), texts(true));
            assert_eq!(english.len(), italian.len());
            assert!(!english.is_empty());
            // What WhatsApp has approved goes by one name in all languages, and a list of titles has no language.
            assert!(english.iter().zip(&italian).all(|(a, b)| a != b), "{template}: {english:?}");
            for content in english.iter().chain(&italian) {
                whole(&template, content);
            }
        }
    }
}

fn whole(template: &str, content: &Value) {
    let said = content.to_string();
    assert!(!said.contains("{{") && !said.contains("{%"), "{template}: {said}");
    if content["kind"] == "email" {
        let (html, text) = (content["html"].as_str().unwrap(), content["text"].as_str().unwrap());
        assert!(html.starts_with("<!DOCTYPE html>") || html.starts_with("<!doctype html>"), "{html}");
        assert!(!html.contains("<mj-"), "{html}");
        assert!(text.lines().count() > 2 && !text.contains('<'), "{text}");
        assert!(!content["subject"].as_str().unwrap().is_empty());
        let refusable = content["unsubscribe"].as_str();
        assert!(refusable.is_none_or(|link| html.contains(link) && text.contains(link)), "{text}");
    }
}

#[test]
fn dates_and_numbers_are_written_in_the_language_of_the_text() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let shown = |project: &str, template: &str| {
        let ran = flowc(&examples.join(project).canonicalize().unwrap(), &["preview", template]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    let instalment = "07-instalment-reminder";
    assert!(shown(instalment, "due_in_ten_days.email").contains("is due on Monday, 2 March."));
    assert!(shown(instalment, "due_in_ten_days.email.it").contains("scade lunedì 2 marzo."));
    let cart = "02-abandoned-cart";
    assert!(shown(cart, "similar_products.email").contains("€ 59.90"));
    assert!(shown(cart, "similar_products.email.it").contains("59,90 €"));
}
