//! Parsing a file again after a change gives what parsing it from nothing gives: the same tree, the same errors, the same
//! places. Every example is edited at random, several times over.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use flow_grammar::{parse, parse_again, parse_first, FileId};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static SOURCES: LazyLock<Vec<String>> = LazyLock::new(sources);

fn sources() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders: Vec<PathBuf> =
        ["examples", "tests/conformance", "grammar/tests/fixtures", "compiler/tests/fixtures"]
            .iter()
            .map(|folder| root.join(folder))
            .collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "flow") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(files.len() > 60, "{}", files.len());
    files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// What people type, and what upsets a parser most.
const PIECES: [&str; 30] = [
    "{",
    "}",
    "(",
    ")",
    "\"",
    "#",
    "\n",
    " ",
    "## doc\n",
    "//",
    ";",
    "'",
    "wait 2h",
    "wait ",
    "if user.x then",
    "else",
    "then ",
    "journey b {",
    "test \"t\" {",
    "on a",
    "email \"hi {user.name}\"",
    "{user.",
    "}}",
    "x",
    "1",
    "d",
    "->",
    "event e",
    "end",
    "é",
];

fn edit(text: &str, place: f64, gone: usize, piece: &str) -> String {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let from = ((places.len() - 1) as f64 * place) as usize;
    let to = (from + gone).min(places.len() - 1);
    format!("{}{piece}{}", &text[..places[from]], &text[places[to]..])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_part_is_parsed_as_it_is_in_the_whole(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((0.0..1.0_f64, 0..6_usize, any::<Option<prop::sample::Index>>()), 1..8),
    ) {
        let mut text = SOURCES[which.index(SOURCES.len())].clone();
        let (mut parsed, mut memo) = parse_first(FileId(3), &text);
        for (place, gone, piece) in edits {
            text = edit(&text, place, gone, piece.map_or("", |piece| PIECES[piece.index(PIECES.len())]));
            (parsed, memo) = parse_again(parsed.file, memo, &text);
            prop_assert_eq!(&parsed, &parse(FileId(3), &text), "{}", text);
        }
    }
}
