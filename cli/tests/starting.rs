//! What somebody new meets: `flowc new`, the README's journey, `flowc explain`, the help.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;
use common::{flowc, folder};
use std::fs;
use std::path::Path;

#[test]
fn a_new_project_is_in_order() {
    let root = folder("new", &[]);
    let made = flowc(&root, &["new", "shop"]);
    assert_eq!((made.code, made.err.as_str()), (0, ""));
    let checked = flowc(&root, &["check", "shop", "--deny", "warnings"]);
    assert_eq!((checked.code, checked.out.as_str()), (0, "no errors: 1 journey, 4 tests, 3 files\n"));
    let ran = flowc(&root, &["run", "shop", "--events", "shop/events.jsonl"]);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 2), "{}{}", ran.out, ran.err);
    let again = flowc(&root, &["new", "shop"]);
    assert_eq!((again.code, again.err.as_str()), (2, "error: shop is there already\n"));
}

#[test]
fn the_journey_of_the_readme_is_in_order() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let blocks: Vec<&str> = readme.split("```flow\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let (one_line, journey) = (blocks[0], blocks[1]);
    let root = folder("readme", &[("one/cart.flow", one_line), ("whole/shop.flow", journey)]);
    for (project, notes) in [("one", true), ("whole", false)] {
        let checked = flowc(&root, &["check", project, "--deny", "warnings"]);
        assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
        assert_eq!(checked.out.contains("inferred"), notes, "{}", checked.out);
    }
    assert_eq!(journey.lines().count(), 30);
}

#[test]
fn every_program_of_the_docs_is_in_order() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let pages: Vec<String> = fs::read_dir(docs)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "md"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let blocks: Vec<(&String, &str)> = pages
        .iter()
        .flat_map(|page| page.split("```flow\n").skip(1).map(move |rest| (page, rest.split("```").next().unwrap())))
        .collect();
    assert!(blocks.len() >= 12);
    for (number, (page, block)) in blocks.iter().enumerate() {
        let file = format!("p{number}/page.flow");
        let root = folder(&format!("reference{number}"), &[(file.as_str(), *block)]);
        let checked = flowc(&root, &["check", &file, "--deny", "warnings"]);
        assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
        // The guide's pieces are parts of one project; what stands alone is run, too.
        let tested = flowc(&root, &["test", &file]);
        let is_part = page.starts_with("# A guide to Flow");
        assert!(tested.code == 0 || is_part, "{}{}", tested.out, tested.err);
    }
}

#[test]
fn codes_are_explained() {
    let root = folder("explain", &[]);
    let list = flowc(&root, &["explain"]).out;
    assert!(list.lines().count() > 100 && list.contains("F0703  a condition is never true\n"), "{list}");
    insta::assert_snapshot!(flowc(&root, &["explain", "f0703"]).out);
    let unknown = flowc(&root, &["explain", "F9999"]);
    assert_eq!(unknown.code, 2);
    assert_eq!(unknown.err, "error: there is no code F9999; `flowc explain` lists them all\n");
}

#[test]
fn a_report_comes_as_text_and_as_json() {
    let root = folder("report", &[]);
    flowc(&root, &["new", "shop"]);
    insta::assert_snapshot!(flowc(&root, &["check", "shop", "--report"]).out);
    insta::assert_snapshot!(flowc(&root, &["check", "shop", "--report", "--format", "json"]).out);
}

#[test]
fn versions_are_told() {
    let root = folder("version", &[]);
    let ran = flowc(&root, &["version"]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], concat!("flowc ", env!("CARGO_PKG_VERSION")));
    assert!(lines[1].starts_with("time zone data 20"), "{}", ran.out);
}
