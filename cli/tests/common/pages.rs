//! The examples of the pages of `flowc explain`, as projects on disk.
#![allow(clippy::unwrap_used, clippy::panic, dead_code)]

use flow_compiler::explain;
use std::path::PathBuf;

/// What is too large for a page, made here: the files of a project that gives the code.
fn limits(code: &str) -> Option<Vec<(String, String)>> {
    let flow = |text: String| Some(vec![("page0.flow".to_owned(), text)]);
    let template = |text: String| {
        let source = "event started\nuser { email: email? }\nchannel email to user.email\n\
                      journey hello {\n  on started\n  email page\n}\n";
        let page = ("page0.flow".to_owned(), source.to_owned());
        Some(vec![page, ("templates/page.email.liquid".to_owned(), text)])
    };
    let head = "event started { n: int }\nchannel inbox\njourney hello {\n  on started\n";
    match code {
        "F0114" => flow(format!("segment a =\n{}  true\n{}", "  (((((\n".repeat(14), "  )))))\n".repeat(14))),
        "F0115" => flow("# a long file\n".repeat(310_000)),
        "F0116" => flow(format!("{head}  if n == 1{}\n    then inbox \"Hi\"\n}}\n", "\n    or n == 2".repeat(700))),
        "F0413" => flow(format!(
            "{head}  for d in {} {{\n    inbox \"{{d}} days\"\n    wait 1d\n  }}\n}}\n",
            (1..=40_000).map(|n| format!("{n}d")).collect::<Vec<_>>().join(",\n    ")
        )),
        "F0815" => template(format!("{}Hi{}\n", "{% if true %}\n".repeat(70), "\n{% endif %}".repeat(70))),
        "F0816" => template("All work and no play.\n".repeat(60_000)),
        _ => None,
    }
}

/// The files of a page's example with this mark (`wrong`, `right`), with their paths.
pub fn example(code: &str, mark: &str) -> Vec<(String, String)> {
    if let Some(files) = limits(code) {
        return files;
    }
    let page = explain::page(code).unwrap();
    let mut files = Vec::new();
    let mut sources = 0;
    for block in page.split("```").skip(1).step_by(2) {
        let (head, text) = block.split_once('\n').unwrap();
        let Some(kind) = head.strip_suffix(&format!(" {mark}")) else { continue };
        match kind {
            "flow" => {
                files.push((format!("page{sources}.flow"), text.to_owned()));
                sources += 1;
            }
            "toml" => files.push(("flow.toml".to_owned(), text.to_owned())),
            "files" => files.extend(text.lines().map(|path| (path.to_owned(), String::new()))),
            "liquid" | "mjml" => files.push((format!("templates/page.email.{kind}"), text.to_owned())),
            "sms" | "push" => files.push((format!("templates/page.{kind}.liquid"), text.to_owned())),
            other => panic!("a block of kind {other}"),
        }
    }
    if sources == 0 {
        files.push(("page0.flow".to_owned(), String::new()));
    }
    files
}

/// The example on disk.
pub fn project(test: &str, code: &str, mark: &str) -> PathBuf {
    let files = example(code, mark);
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    crate::common::folder(&format!("{test}_{code}"), &files)
}
