//! Whole projects compile: the conformance cases and the examples.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use flow_compiler::compile::{compile, Compiled, ProjectInput, SourceFile, TemplateFile};
use flow_compiler::diagnostic::Severity;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").to_path_buf()
}

/// Reads a project's folder, files sorted by path.
fn read(folder: &Path) -> ProjectInput {
    let mut input = ProjectInput { name: "test".into(), timezone: "UTC".into(), ..ProjectInput::default() };
    walk(folder, folder, &mut input);
    input.files.sort_by(|a, b| a.path.cmp(&b.path));
    input.check_templates = !input.templates.is_empty();
    input
}

fn walk(folder: &Path, base: &Path, input: &mut ProjectInput) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.strip_prefix(base).expect("below").to_string_lossy().replace('\\', "/");
        if path.is_dir() {
            walk(&path, base, input);
        } else if name.ends_with(".flow") {
            input.files.push(SourceFile { path: name, text: std::fs::read_to_string(&path).expect("text") });
        } else if let Some(template) = name.strip_prefix("templates/") {
            let parts: Vec<&str> = template.split('.').collect();
            let (name, channel) = (parts[0].to_owned(), parts[1].to_owned());
            let locale = if parts.len() > 3 { parts[2].to_owned() } else { String::new() };
            input.templates.push(TemplateFile {
                name,
                channel,
                locale,
                path: template.to_owned(),
                ..TemplateFile::default()
            });
        }
    }
}

fn check(folder: &Path) -> Compiled {
    let input = read(folder);
    let compiled = compile(&input);
    let problems: Vec<String> = compiled
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .map(|d| {
            let file = &input.files[d.span.file.0 as usize];
            format!("{} {} `{}`: {} ({:?})", file.path, d.code, d.span.text(&file.text), d.message, d.help)
        })
        .collect();
    assert!(problems.is_empty(), "{}:\n{}", folder.display(), problems.join("\n"));
    let problems = flow_compiler::verify::verify(compiled.program.as_ref().expect("a program"));
    assert!(problems.is_ok(), "{}: {problems:?}", folder.display());
    compiled
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(of) else { return Vec::new() };
    let mut all: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).filter(|p| p.is_dir()).collect();
    all.sort();
    all
}

#[test]
fn conformance_programs_compile() {
    for place in ["tests/conformance", "../shared/conformance"] {
        folders(&root().join(place)).iter().for_each(|folder| drop(check(folder)));
    }
}

#[test]
fn examples_compile() {
    for folder in folders(&root().join("examples")) {
        check(&folder);
    }
}

/// What is meant to be looked at has no warning; the conformance cases have those that are true, and known.
#[test]
fn no_false_alarms() {
    let warnings = |place: &str| -> Vec<String> {
        let of = |folder: &PathBuf| {
            let mut found = compile(&read(folder)).diagnostics;
            found.retain(|one| one.severity == Severity::Warning);
            let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
            found.into_iter().map(|one| format!("{name} {}", one.code)).collect::<Vec<_>>()
        };
        let mut all: Vec<String> = folders(&root().join(place)).iter().flat_map(of).collect();
        all.dedup();
        all
    };
    assert_eq!(warnings("examples"), [""; 0]);
    assert_eq!(warnings("../shared/conformance"), [""; 0]);
    insta::assert_snapshot!(warnings("tests/conformance").join("\n"), @r"
    01-always-and-restart F0707
    02-once-and-once-per F0707
    03-per-field F0707
    06-exits F0710
    15-repeat F0707
    16-for F0707
    18-chains F0707
    38-once-per-in-calendar-steps F0707
    44-exit-before-an-absence F0710
    ");
}

/// Sources with words taken away, doubled and exchanged: whatever comes out, the compiler answers, and a
/// program that it lets pass is sound.
#[test]
fn damaged_programs_never_harm_the_compiler() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    for folder in folders(&root().join("examples")) {
        let whole = read(&folder);
        for _ in 0..6 {
            let mut input = whole.clone();
            for _ in 0..=next(3) {
                let at = next(input.files.len());
                let text = &input.files[at].text;
                let mut words: Vec<&str> =
                    text.split_inclusive(|c: char| c.is_whitespace() || "(){}.,".contains(c)).collect();
                let (one, other) = (next(words.len()), next(words.len()));
                match next(3) {
                    0 => drop(words.remove(one)),
                    1 => words.insert(one, words[other]),
                    _ => words.swap(one, other),
                }
                input.files[at].text = words.concat();
            }
            let compiled = compile(&input);
            if let Some(program) = &compiled.program {
                let sound = flow_compiler::verify::verify(program);
                let texts: Vec<&str> = input.files.iter().map(|f| f.text.as_str()).collect();
                assert!(sound.is_ok(), "{sound:?}\n{}", texts.join("\n"));
            }
        }
    }
}

/// As deep as the grammar allows.
#[test]
fn deep_expressions_fit() {
    for depth in [50_usize, 500, 5_000] {
        for condition in [
            format!("{}cart_added ever", "not ".repeat(depth)),
            format!("{}1 == 1{}", "(".repeat(depth), ")".repeat(depth)),
            format!("1{} > 0", " + 1".repeat(depth)),
            vec!["cart_added ever"; depth].join(" and "),
            format!("{}x == 1", "x.".repeat(depth)),
            format!("{}cart_added ever", "cart_added ever where ".repeat(depth)),
        ] {
            let text = format!(
                "on cart_added\nif {condition} then end\n{}email hi{}",
                "if true then { ".repeat(depth),
                " }".repeat(depth)
            );
            let files = vec![SourceFile { path: "deep.flow".into(), text }];
            let compiled = compile(&ProjectInput { timezone: "UTC".into(), files, ..ProjectInput::default() });
            assert!(compiled.program.is_some() || !compiled.diagnostics.is_empty());
        }
    }
}
