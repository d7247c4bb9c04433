//! What the server tells after a keystroke is what a check from nothing finds: in the edited file at once, but for what
//! needs all journeys; in all files as soon as the keys rest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use flow_compiler::compile::SourceFile;
use flow_compiler::diagnostic::{Diagnostic, Severity};
use flow_compiler::others::NEEDS_ALL;
use flow_compiler::project::Listing;
use flow_grammar::FileId;
use flow_lsp::disk;
use flow_lsp::world::World;
use proptest::prelude::*;
use std::path::Path;

/// Journeys that reach into each other's files, with everything that a look at one file alone could get wrong.
fn entangled() -> Listing {
    let files = [
        ("a.flow", "journey first \"One\" {\n  on joined\n  email \"Hi\"\n  start second\n  set user.level += 1\n}\n\njourney same { on joined  email \"Hi too\" }\n"),
        ("b.flow", "journey second {\n  exit when user.level > 5\n  wait 2h\n  if user.level > 6 then email \"Much\"\n  # allow F0702: for later\n  if user.level > 3 then email \"{trigger.plan ?? \"none\"}\"\n  else if user.level <= 3 then end\n}\n"),
        ("c.flow", "journey third {\n  on change user.level\n  wait 1d\n  start fourth\n}\njourney fourth { emit left  start third }\njourney fifth { on left  match user.plan { \"free\" -> email \"a\" else -> email \"b\" } }\n"),
        ("schema.flow", "event joined { plan: text }\nevent left\nuser { email: email?  level: int = 0  plan: one of \"free\", \"pro\" = \"free\" }\nchannel email to user.email\nsegment high = user.level > 3\npolicy { at most 3 messages per 7d }\n"),
        ("tests/t.flow", "test \"it starts\" for first {\n  user { email: \"a@example.com\" }\n  at 2026-03-02 10:00 joined { plan: \"free\" }\n  expect email \"Hi\"\n}\n"),
    ];
    listing(&files)
}

/// Nothing is declared: each file says what the others may name.
fn inferred() -> Listing {
    listing(&[
        ("a.flow", "journey first { on cart_added where cart_value > 5  wait 2h  email \"Hi {user.first_name ?? \"you\"}\" }\n"),
        ("b.flow", "journey second { on cart_added  wait for purchased up to 2d then end  email \"{cart_value ?? 1}\" }\n"),
    ])
}

fn listing(files: &[(&str, &str)]) -> Listing {
    let source = |(path, text): &(&str, &str)| SourceFile { path: (*path).into(), text: (*text).into() };
    Listing { name: "edits".into(), files: files.iter().map(source).collect(), ..Listing::default() }
}

fn project(number: usize) -> Listing {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    match number {
        0 => entangled(),
        1 => inferred(),
        2 => disk::list(&examples.join("shop")),
        _ => disk::list(&examples.join("35-advertising-audiences")),
    }
}

/// One change: where, how many words go, and which words of the same project come.
type Edit = (prop::sample::Index, prop::sample::Index, usize, Option<prop::sample::Index>, bool);

fn edited(files: &[SourceFile], edit: &Edit) -> (usize, String) {
    let (file, place, gone, come, breaks) = edit;
    let file = file.index(files.len());
    let text = &files[file].text;
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let from = starts[place.index(starts.len())];
    // To the end of so many words.
    let mut to = from;
    for _ in 0..*gone {
        let rest = &text[to..];
        let blank = rest.len() - rest.trim_start().len();
        let word = rest.trim_start().find(char::is_whitespace).unwrap_or(rest.trim_start().len());
        to += blank + word;
    }
    let words: Vec<&str> = files.iter().flat_map(|file| file.text.split_whitespace()).collect();
    let word = come.as_ref().map_or("", |come| words[come.index(words.len())]);
    let line = if *breaks { "\n" } else { " " };
    let word = if word.is_empty() { String::new() } else { format!("{line}{word}{line}") };
    (file, format!("{}{word}{}", &text[..from], &text[to..]))
}

/// As a text, so that a difference can be read.
fn shown<'d>(found: impl Iterator<Item = &'d Diagnostic>) -> Vec<String> {
    let mut all: Vec<String> = found.map(|one| format!("{one:?}")).collect();
    all.sort_unstable();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edits_one_after_the_other_in_a_file_find_what_a_check_from_nothing_finds(
        number in 0..4_usize,
        chosen in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<(prop::sample::Index, bool)>(), 0..2_usize, any::<Option<prop::sample::Index>>()), 2..9),
    ) {
        let mut listing = project(number);
        listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        let root = Path::new("/project");
        let mut world = World::new(root, listing.clone(), None);
        let file = chosen.index(listing.files.len());
        let id = FileId(u32::try_from(file).unwrap());
        for ((place, breaks), gone, come) in &edits {
            let before = listing.files[file].text.clone();
            let (_, text) = edited(&listing.files[file..=file], &(chosen, *place, *gone, *come, *breaks));
            // What was typed is taken back every other time, so that errors come and go.
            for text in [text, before] {
                listing.files[file].text = text.clone();
                world = world.with_text(id, &text);
                let cold = World::new(root, listing.clone(), None);
                let here = |world: &World| {
                    let all = world.compiled.diagnostics.iter();
                    shown(all.filter(|one| one.span.file == id && !NEEDS_ALL.contains(&one.code)))
                };
                prop_assert_eq!(here(&world), here(&cold), "{}", text);
                prop_assert_eq!(world.references_in(id), cold.references_in(id));
                prop_assert_eq!(world.types_in(id), cold.types_in(id));
            }
            if *breaks {
                let (_, text) = edited(&listing.files[file..=file], &(chosen, *place, *gone, *come, *breaks));
                listing.files[file].text = text.clone();
                world = world.with_text(id, &text);
            }
        }
    }

    #[test]
    fn after_any_edits_the_findings_are_those_of_a_check_from_nothing(
        number in 0..4_usize,
        edits in prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index, bool)>().prop_flat_map(|(file, place, breaks)| {
            (Just(file), Just(place), 0..3_usize, any::<Option<prop::sample::Index>>(), Just(breaks))
        }), 1..5),
    ) {
        let mut listing = project(number);
        let root = Path::new("/project");
        let mut world = World::new(root, listing.clone(), None);
        for edit in &edits {
            // In the order in which the project has them.
            listing.files.sort_by(|a, b| a.path.cmp(&b.path));
            let (file, text) = edited(&listing.files, edit);
            listing.files[file].text = text.clone();
            let id = FileId(u32::try_from(file).unwrap());
            let cold = World::new(root, listing.clone(), None);
            world = world.with_text(id, &text);
            // Whether the rules look depends on errors in other files, which the edit may have made or mended there.
            let elsewhere = |world: &World| {
                let mut errors = world.compiled.diagnostics.iter().filter(|one| one.severity == Severity::Error);
                errors.any(|one| one.span.file != id && one.code != "F0706")
            };
            let same_elsewhere = elsewhere(&world) == elsewhere(&cold);
            let here = |world: &World| {
                let all = world.compiled.diagnostics.iter();
                let here = all.filter(|one| one.span.file == id && !NEEDS_ALL.contains(&one.code));
                shown(here.filter(|one| same_elsewhere || one.severity == Severity::Error))
            };
            prop_assert_eq!(here(&world), here(&cold), "{}", text);
            prop_assert_eq!(world.references_in(id), cold.references_in(id));
            prop_assert_eq!(world.types_in(id), cold.types_in(id));
            // The keys rest.
            world = World::new(root, listing.clone(), Some(world));
            prop_assert_eq!(shown(world.compiled.diagnostics.iter()), shown(cold.compiled.diagnostics.iter()));
            let names = |world: &World| world.index.used().cloned().collect::<Vec<_>>();
            prop_assert_eq!(names(&world), names(&cold));
        }
    }
}
