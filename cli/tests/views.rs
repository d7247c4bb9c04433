//! How findings look: every code on a terminal, and the same places in every view.
//! `FLOW_BLESS=1 cargo test -p flowc --test views` writes `cli/tests/terminal/` anew.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod common;
#[path = "common/pages.rs"]
mod pages;

use common::{flowc, folder};
use flow_compiler::explain;
use serde_json::Value;
use std::path::Path;

#[test]
fn every_code_on_a_terminal() {
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/terminal");
    let mut wrong = Vec::new();
    for code in explain::codes() {
        let ran = flowc(&pages::project("terminal", code, "wrong"), &["check"]);
        assert!(ran.out.contains(&format!("[{code}]")), "{code}: {}{}", ran.out, ran.err);
        assert_eq!(ran.err, "", "{code}");
        let json = flowc(&pages::project("terminal", code, "wrong"), &["check", "--format", "json"]).out;
        for one in json.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
            let advice = !one["help"].is_null() || !one["fix"].is_null();
            assert!(advice || one["code"] != code, "{code}: nothing says what to do: {one}");
        }
        let long = ran.out.lines().find(|line| line.chars().count() > 140);
        assert_eq!(long, None, "{code}: a line that no terminal shows");
        let snapshot = snapshots.join(format!("{code}.txt"));
        if std::env::var_os("FLOW_BLESS").is_some() {
            std::fs::create_dir_all(&snapshots).unwrap();
            std::fs::write(&snapshot, &ran.out).unwrap();
        } else if std::fs::read_to_string(&snapshot).unwrap_or_default() != ran.out {
            wrong.push(format!("{}:\n{}", snapshot.display(), ran.out));
        }
    }
    for entry in std::fs::read_dir(&snapshots).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().replace(".txt", "");
        assert!(explain::page(&name).is_some(), "a snapshot of a code that is not there: {name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sarif_of_every_code_holds_to_its_schema() {
    // The pattern of languages has a bracket too many in the standard; its errata take it out.
    let schema = include_str!("data/sarif-schema-2.1.0.json")
        .replace("^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$", "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let sarif = |root: &std::path::PathBuf| -> Value {
        let ran = flowc(root, &["check", "--format", "sarif"]);
        let document = serde_json::from_str(&ran.out).unwrap();
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{}", ran.out);
        document
    };
    for code in explain::codes() {
        let document = sarif(&pages::project("sarif", code, "wrong"));
        let results = document["runs"][0]["results"].as_array().unwrap();
        assert!(results.iter().any(|result| result["ruleId"] == code), "{code}");
    }
    // The schema refuses what is not so.
    assert!(!validator.is_valid(&serde_json::json!({ "version": "2.1.0", "runs": [{}] })));
    let sound = folder("sarif_sound", &[("a file.flow", "on a wait 2h email \"hi\"\n")]);
    assert_eq!(sarif(&sound)["runs"][0]["results"][0]["level"], "note");
}

#[test]
fn what_is_allowed_is_suppressed_in_sarif_with_its_reason() {
    let root = folder("sarif_allowed", &[("a.flow", ALLOWED)]);
    let ran = flowc(&root, &["check", "--format", "sarif", "--deny", "warnings"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let result = &document["runs"][0]["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"F0701".into(), &"warning".into()));
    let suppression = &result["suppressions"][0];
    assert_eq!(
        (&suppression["kind"], &suppression["justification"]),
        (&"inSource".into(), &"it comes back in May".into())
    );
    for format in ["short", "json", "github"] {
        assert_eq!(flowc(&root, &["check", "--format", format]).out, "", "{format}");
    }
}

const ALLOWED: &str =
    "event a\nchannel inbox\njourney x {\n  on a\n  end\n  # allow F0701: it comes back in May\n  inbox \"hi\"\n}\n";

/// A mistake behind characters of one, two, three and four bytes, and a tab; an error, and a finding over two lines.
const PLACES: &str = "event a { n: int }\nuser { name: text? }\nchannel inbox\njourney x {\n  on a\n\
    \tif user.name == \"ä€𝄞\" and user.nmae == \"x\" then inbox \"{user.nmae}\"\n  end\n  inbox\n    \"hi\"\n}\n";

#[test]
fn line_and_column_agree_in_every_view() {
    let root = folder("places", &[("a.flow", PLACES)]);
    let view = |format: &str| flowc(&root, &["check", "--format", format]).out;
    let short = view("short");
    let places: Vec<(String, String)> = short
        .lines()
        .filter_map(|line| {
            line.strip_prefix("a.flow:")?.split_once(": ").map(|(place, _)| place.split_once(':').unwrap())
        })
        .map(|(line, column)| (line.to_owned(), column.to_owned()))
        .collect();
    assert_eq!(places, [("6", "33"), ("6", "63")].map(|(l, c)| (l.to_owned(), c.to_owned())), "{short}");
    let human = view("human");
    let shown: Vec<&str> = human.lines().filter_map(|line| line.split_once("[a.flow:")?.1.strip_suffix(']')).collect();
    assert_eq!(shown, ["6:33", "6:63"], "{human}");
    let json: Vec<(String, String)> = view("json")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|one| (one["line"].to_string(), one["column"].to_string()))
        .collect();
    assert_eq!(json, places);
    let document: Value = serde_json::from_str(&view("sarif")).unwrap();
    assert_eq!(document["runs"][0]["columnKind"], "unicodeCodePoints");
    let results = document["runs"][0]["results"].as_array().unwrap();
    let region = |result: &Value, key: &str| result["locations"][0]["physicalLocation"]["region"][key].to_string();
    let sarif: Vec<(String, String)> =
        results.iter().map(|result| (region(result, "startLine"), region(result, "startColumn"))).collect();
    assert_eq!(sarif, places);
    let github: Vec<(String, String)> = view("github")
        .lines()
        .filter_map(|line| line.split_once(",line=")?.1.split_once(",endLine"))
        .map(|(place, _)| place.split_once(",col=").unwrap())
        .map(|(line, column)| (line.to_owned(), column.to_owned()))
        .collect();
    assert_eq!(github, places);
}

#[test]
fn github_gets_the_most_severe_first_and_is_told_of_the_rest() {
    let mut text = String::from("event a\nchannel inbox\njourney first { on a end inbox \"never\" }\n");
    for n in 0..12 {
        text += &format!("journey j{n} {{ on a{n}x inbox \"hi\" }}\n");
    }
    let root = folder("github", &[("a.flow", &text), ("flow.toml", "[project]\nnmae = \"x\"\n")]);
    let out = flowc(&root, &["check", "--format", "github"]).out;
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 12, "{out}");
    assert!(lines[..10].iter().all(|line| line.starts_with("::error file=a.flow,line=")), "{out}");
    assert!(lines[10].starts_with("::warning file=flow.toml,line=2,col=1"), "{out}");
    assert_eq!(lines[11], "2 findings more; run flowc check to see all");
}
