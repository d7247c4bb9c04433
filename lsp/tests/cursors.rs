//! Features at a place, as data: each file below `cursor/` says what is asked, holds a project in
//! which `$0` marks the place, and the answer. `UPDATE=1 cargo test -p flow-lsp` writes the answers
//! again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use flow_grammar::{FileId, Span};
use flow_lsp::complete::What;
use flow_lsp::navigate::Target;
use flow_lsp::world::World;
use flow_lsp::{complete, highlight, hints, hover, navigate, outline};
use std::fmt::Write;
use std::path::{Path, PathBuf};

struct Case {
    ask: String,
    files: Vec<(String, String)>,
    answer: String,
}

fn read(text: &str) -> Case {
    let (head, answer) = text.split_once("=== answer\n").unwrap_or((text, ""));
    let mut parts = head.split("--- ");
    let ask = parts.next().unwrap().trim().to_owned();
    let files = parts.map(|part| part.split_once('\n').map(|(p, t)| (p.trim().to_owned(), t.to_owned())).unwrap());
    Case { ask, files: files.collect(), answer: answer.to_owned() }
}

/// The project, and the marked place.
fn world(case: &Case) -> (World, FileId, u32) {
    let mut place = None;
    let (mut files, mut templates) = (Vec::new(), Vec::new());
    for (path, text) in &case.files {
        if let Some(at) = text.find("$0") {
            place = Some((path.clone(), u32::try_from(at).unwrap()));
        }
        if path.starts_with("templates/") {
            templates.push((path.as_str(), text.replace("$0", "")));
            continue;
        }
        files.push((path.as_str(), text.replace("$0", "")));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let templates: Vec<(&str, &str)> = templates.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let world = World::of(&files, &templates);
    let (path, at) = place.unwrap_or((case.files[0].0.clone(), 0));
    let file = world.file_at(&path).unwrap();
    (world, file, at)
}

fn place(world: &World, span: Span) -> String {
    let text = world.text(span.file).unwrap();
    let at = text.position(span.start, Default::default());
    let path = &world.project.file(span.file).unwrap().path;
    format!("{path}:{}:{} `{}`", at.line + 1, at.character + 1, world.slice(span).replace('\n', "⏎"))
}

/// The file with the changes made.
fn changed(world: &World, edits: &[(Span, String)]) -> String {
    let mut out = String::new();
    for (id, file) in (0..).zip(&world.project.input.files) {
        let mut text = file.text.clone();
        let mut here: Vec<_> = edits.iter().filter(|(span, _)| span.file == FileId(id)).collect();
        here.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        for (span, new) in here {
            text.replace_range(span.start as usize..span.end as usize, new);
        }
        if text != file.text {
            let _ = write!(out, "--- {}\n{text}", file.path);
        }
    }
    out
}

fn answer(case: &Case) -> String {
    let (world, file, at) = world(case);
    let mut out = String::new();
    let (verb, rest) = case.ask.split_once(' ').unwrap_or((&case.ask, ""));
    match verb {
        "hover" => match hover::hover(&world, file, at) {
            Some((span, text)) => {
                let _ = writeln!(out, "{}\n{text}", place(&world, span));
            }
            None => out.push_str("nothing\n"),
        },
        "complete" => {
            let (span, found) = complete::complete(&world, file, at);
            let typed = world.slice(span);
            let fits = found.iter().filter(|item| item.label.trim_matches('"').starts_with(typed.trim_matches('"')));
            // What is there to be chosen; the long lists of words only as far as they are asked for.
            for item in fits
                .filter(|item| rest == "all" || !matches!(item.what, What::Keyword | What::Snippet | What::Function))
            {
                let _ = writeln!(out, "{:?} {} {}", item.what, item.label, item.detail);
            }
        }
        "definition" => {
            for target in navigate::definition(&world, file, at) {
                let _ = match target {
                    Target::Source(name, _) => writeln!(out, "{}", place(&world, name)),
                    Target::File(path) => writeln!(out, "{}", path.display()),
                };
            }
        }
        "references" => {
            for span in navigate::references(&world, file, at, true) {
                let _ = writeln!(out, "{}", place(&world, span));
            }
        }
        "rename" => match navigate::rename(&world, file, at, rest) {
            Ok(renaming) => {
                out.push_str(&changed(&world, &renaming.edits));
                for (from, to) in renaming.files {
                    let _ = writeln!(out, "{} → {}", from.display(), to.display());
                }
            }
            Err(reason) => {
                let _ = writeln!(out, "no: {reason}");
            }
        },
        "signature" => match hints::signature(&world, file, at) {
            Some(found) => {
                let _ = writeln!(
                    out,
                    "{}\nat {}: {}",
                    found.label,
                    found.active,
                    found.params.get(found.active).map_or("", |p| p)
                );
            }
            None => out.push_str("nothing\n"),
        },
        "inlay" => {
            for (at, label) in hints::inlay(&world, file, 0, u32::MAX) {
                let line = world.source(file)[..at as usize].lines().last().unwrap_or("").trim().to_owned();
                let _ = writeln!(out, "{line} ⟨{label}⟩");
            }
        }
        "symbols" => {
            for entry in outline::symbols(&world, file) {
                let _ = writeln!(out, "{:?} {} {}", entry.shape, entry.name, entry.detail);
                for child in entry.children {
                    let _ = writeln!(out, "  {:?} {} {}", child.shape, child.name, child.detail);
                }
            }
        }
        "folds" => {
            for (first, last, comment) in outline::folds(&world, file) {
                let _ = writeln!(out, "{}-{}{}", first + 1, last + 1, if comment { " comment" } else { "" });
            }
        }
        "selection" => {
            for span in outline::selection(&world, file, at) {
                let _ = writeln!(out, "{}", place(&world, span));
            }
        }
        "tokens" => {
            for (span, kind, declared) in highlight::highlight(&world, file) {
                let kind = highlight::LEGEND[kind as usize];
                let _ = writeln!(out, "{kind}{} {}", if declared { "!" } else { "" }, world.slice(span));
            }
        }
        "links" => {
            for (span, link) in hints::links(&world, file) {
                let _ = writeln!(out, "{} {link:?}", place(&world, span));
            }
        }
        "lenses" => {
            for lens in hints::lenses(&world, file) {
                let _ = match lens {
                    hints::Lens::Test(_, name) => writeln!(out, "test {name}"),
                    hints::Lens::Graph(_, name) => writeln!(out, "graph {name}"),
                };
            }
        }
        other => panic!("nobody knows how to ask for {other}"),
    }
    out
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cursor");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn every_place_gets_its_answer() {
    let mut wrong = Vec::new();
    for path in cases() {
        let text = std::fs::read_to_string(&path).unwrap();
        let case = read(&text);
        let answer = answer(&case);
        if answer == case.answer {
            continue;
        }
        if std::env::var_os("UPDATE").is_some() {
            let head = text.split("=== answer\n").next().unwrap();
            std::fs::write(&path, format!("{head}=== answer\n{answer}")).unwrap();
        } else {
            wrong.push(format!("{}\n{answer}\ninstead of\n{}", path.display(), case.answer));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Whatever somebody is typing, asking never fails: every prefix of a program, every question.
#[test]
fn half_typed_programs_get_answers() {
    let whole = include_str!("../../examples/shop/orders.flow");
    let schema = include_str!("../../examples/shop/schema.flow");
    for (at, _) in whole.char_indices().step_by(7) {
        let world = World::of(&[("orders.flow", &whole[..at]), ("schema.flow", schema)], &[]);
        let (file, at) = (FileId(0), u32::try_from(at).unwrap());
        let _ = complete::complete(&world, file, at);
        let _ = hover::hover(&world, file, at);
        let _ = hints::signature(&world, file, at);
        let _ = navigate::references(&world, file, at, true);
        let _ = outline::selection(&world, file, at);
        let _ = outline::folds(&world, file);
        let _ = outline::symbols(&world, file);
        let _ = highlight::highlight(&world, file);
    }
}

/// The same in templates: every prefix, and every place of the whole.
#[test]
fn half_typed_templates_get_answers() {
    let whole = "---\nsubject: Hi {{ user.email | default: \"you\" }}\n---\n{% for pick in picks limit: 3 %}{% render \"line\", product: pick %}\n\
                 {{ forloop.index | plus: 1 }}{% else %}{{ trigger.cart_value | fixed: 2 }}{% endfor %}\n{%- if user.email == \"ä\" -%}{% liquid assign x = 1 %}";
    let flow = "event cart { cart_value: number }\nuser { email: email? }\nchannel email to user.email\njourney j { on cart  email hi }\n";
    let at_end = |text: &str| {
        let world =
            World::of(&[("a.flow", flow)], &[("templates/hi.email.liquid", text), ("templates/_line.liquid", "x")]);
        let file = world.file_at("templates/hi.email.liquid").unwrap();
        let at = if text.len() < whole.len() { text.len()..=text.len() } else { 0..=text.len() };
        for at in at.filter(|at| text.is_char_boundary(*at)) {
            let (span, _) = complete::complete(&world, file, u32::try_from(at).unwrap());
            assert!(span.end as usize == at && span.start <= span.end);
        }
    };
    whole.char_indices().skip(1).for_each(|(at, _)| at_end(&whole[..at]));
    at_end(whole);
}

/// Colours come in order and do not overlap, in every example.
#[test]
fn colours_are_in_order() {
    let whole = include_str!("../../examples/shop/orders.flow");
    let schema = include_str!("../../examples/shop/schema.flow");
    let world = World::of(&[("orders.flow", whole), ("schema.flow", schema)], &[]);
    for file in [FileId(0), FileId(1)] {
        let spans: Vec<Span> = highlight::highlight(&world, file).into_iter().map(|(span, ..)| span).collect();
        assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
    }
}
