//! The oracle against the cases that were worked out by hand.

use crate::case::{foretell, throttled, timezone_of, Case};
use crate::oracle::Kind;
use crate::project::Project;
use flow_runtime::calendar;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Folders of cases: the project's own, and those beside it.
pub fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut roots = vec![root.join("tests/conformance"), root.join("../shared/conformance")];
    roots.extend(env::var_os("FLOW_CONFORMANCE").map(PathBuf::from));
    let mut cases: Vec<PathBuf> = roots
        .iter()
        .filter_map(|root| fs::read_dir(root).ok())
        .flat_map(|entries| entries.map(|e| e.expect("an entry").path()))
        .filter(|path| path.join("events.jsonl").exists())
        .collect();
    cases.sort();
    cases
}

/// Reads the folder of a case.
pub fn read(folder: &Path) -> Case {
    let mut sources: Vec<(String, String)> = fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "flow"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a file"))
        })
        .collect();
    sources.sort();
    let toml = fs::read_to_string(folder.join("flow.toml")).unwrap_or_default();
    let events = fs::read_to_string(folder.join("events.jsonl")).expect("events");
    Case {
        sources,
        timezone: timezone_of(&toml).unwrap_or("UTC").to_owned(),
        inputs: events.lines().filter(|l| !l.trim().is_empty()).map(str::to_owned).collect(),
        until: None,
    }
}

fn expected(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("expected.jsonl")).expect("what is expected");
    let mut lines: Vec<String> = text
        .lines()
        .filter(|l| !l.trim().is_empty())
        .map(|line| {
            let json: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let word = |name: &str| json.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
            let content = json
                .get("text")
                .map_or_else(|| format!("template {}", word("template")), |_| format!("text {}", word("text")));
            format!("{} {} {} {} {content}", word("time"), word("user"), word("journey"), word("channel"))
        })
        .collect();
    lines.sort();
    lines
}

/// The oracle knows people one by one: what is judged when a throttle lets a message go at last is beyond it.
const BEYOND: &str = "43-throttled-and-judged-again";

#[test]
fn says_what_was_worked_out_by_hand() {
    let mut wrong = Vec::new();
    let folders = folders();
    assert!(!folders.is_empty(), "there are conformance cases");
    for folder in folders {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        if env::var("FLOW_CASE").is_ok_and(|only| !name.contains(&only)) {
            continue;
        }
        if name == BEYOND {
            continue;
        }
        let case = read(&folder);
        let project = Project::read(&case.sources, &case.timezone).expect("a program");
        let effects = throttled(&project, foretell(&project, &case, None).expect("chains come to rest"));
        let mut lines: Vec<String> = effects
            .iter()
            .filter_map(|effect| {
                let Kind::Message { channel, content, .. } = &effect.kind else { return None };
                let time = calendar::instant_text(effect.time);
                Some(format!("{time} {} {} {channel} {content}", effect.user, effect.journey))
            })
            .collect();
        lines.sort();
        let expected = expected(&folder);
        if lines != expected {
            let missing: Vec<_> = expected.iter().filter(|l| !lines.contains(l)).collect();
            let surplus: Vec<_> = lines.iter().filter(|l| !expected.contains(l)).collect();
            wrong.push(format!(
                "{name}: {} for {}\n missing {missing:#?}\n surplus {surplus:#?}",
                lines.len(),
                expected.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
