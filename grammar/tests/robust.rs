//! Whatever the bytes are, parsing ends soon, never panics, and says something about its spans
//! that holds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use flow_grammar::walk::{walk, Visitor};
use flow_grammar::{dump, parse, parse_expression, FileId, Parse, MAX_NESTING, MAX_SOURCE_BYTES};
use proptest::prelude::*;
use std::path::Path;
use std::time::{Duration, Instant};

fn programs() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut programs = Vec::new();
    for folder in ["good", "bad"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            programs.push(std::fs::read_to_string(entry.unwrap().path()).unwrap());
        }
    }
    programs.sort();
    programs
}

/// Parses, and checks what holds for every input.
fn check(source: &str) -> Parse {
    let parsed = parse(FileId(0), source);
    for error in &parsed.errors {
        let spans = error.labels.iter().map(|l| l.0).chain([error.span]).chain(error.fix.iter().map(|f| f.span));
        for span in spans {
            let (start, end) = (span.start as usize, span.end as usize);
            assert!(source.is_char_boundary(start) && source.is_char_boundary(end), "{error:?}");
        }
        assert!(!error.message.contains('\n'), "{error:?}");
        assert!(error.message.len() < 400, "{error:?}");
    }
    if parsed.errors.is_empty() {
        assert!(!dump(&parsed.file).contains("<broken>"), "something is broken without an error:\n{source}");
    }
    parsed
}

/// As [`check`], within a time and a stack that do not grow with the input's nesting.
fn check_within(seconds: u64, source: String) -> usize {
    let work = move || {
        let start = Instant::now();
        let errors = check(&source).errors.len();
        assert!(start.elapsed() < Duration::from_secs(seconds), "took {:?}", start.elapsed());
        errors
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap()
}

/// Words, numbers, texts and signs, with what stands between them.
fn tokens(source: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let len = if c.is_alphanumeric() || c == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else {
            c.len_utf8()
        };
        let (token, tail) = rest.split_at(len);
        tokens.push(token);
        rest = tail;
    }
    tokens
}

#[test]
fn every_prefix_of_every_program() {
    for source in programs() {
        for (end, _) in source.char_indices().step_by(13) {
            check(&source[..end]);
        }
    }
}

#[test]
fn every_token_deleted_or_doubled() {
    for source in programs() {
        let tokens = tokens(&source);
        for i in (0..tokens.len()).filter(|i| !tokens[*i].trim().is_empty()).step_by(11) {
            check(&[&tokens[..i], &tokens[i + 1..]].concat().concat());
            check(&[&tokens[..=i], &[" "], &tokens[i..]].concat().concat());
        }
    }
}

/// The programs of the examples: what people really write.
fn examples() -> Vec<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")];
    let mut programs = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "flow") {
                programs.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    programs.sort();
    programs
}

/// A token that is missing or stands there twice is a mistake of its item, and of no other. Signs that open and close
/// are left out: without its `}` an item has no end that anybody could see.
#[test]
fn a_mistake_stays_in_its_item() {
    let mut tried = 0;
    for source in examples() {
        let items: Vec<(usize, usize)> = parse(FileId(0), &source)
            .file
            .items
            .iter()
            .map(|item| (item.span().start as usize, item.span().end as usize))
            .collect();
        let tokens = tokens(&source);
        let mut at = 0;
        let mut places = Vec::new();
        for token in &tokens {
            places.push(at);
            at += token.len();
        }
        let word = |i: &usize| tokens[*i].chars().all(|c| c.is_alphanumeric() || c == '_' || ":=,.?+<>".contains(c));
        for i in (0..tokens.len()).filter(word).step_by(7) {
            let (place, token) = (places[i], tokens[i]);
            let Some(&(start, end)) = items.iter().find(|(start, end)| *start <= place && place < *end) else {
                continue;
            };
            // The word with which an item begins decides what it is, and one without braces ends where the next begins.
            if place == start || !source[..end].ends_with('}') {
                continue;
            }
            let without = [&tokens[..i], &tokens[i + 1..]].concat().concat();
            let twice = [&tokens[..=i], &[" "], &tokens[i..]].concat().concat();
            for (text, end) in [(without, end - token.len()), (twice, end + token.len() + 1)] {
                tried += 1;
                for error in check(&text).errors {
                    let inside = start <= error.span.start as usize && error.span.start as usize <= end;
                    assert!(inside, "`{token}` at {place}: {error:?}\n{}", &text[start..end.min(text.len())]);
                }
            }
        }
    }
    assert!(tried > 2_000, "{tried}");
}

/// The places of all steps and clauses.
#[derive(Default)]
struct Statements(Vec<(usize, usize)>);

impl<'a> Visitor<'a> for Statements {
    fn step(&mut self, step: &'a flow_grammar::ast::Step) {
        self.0.push((step.span.start as usize, step.span.end as usize));
    }
    fn clause(&mut self, clause: &'a flow_grammar::ast::Clause) {
        self.0.push((clause.span.start as usize, clause.span.end as usize));
    }
}

/// Whoever types leaves one word out. That is one mistake at most, and it is found in that statement or right behind it.
#[test]
fn a_word_too_few_is_one_mistake_in_its_statement() {
    let mut tried = 0;
    let mut wrong = Vec::new();
    for source in examples() {
        let mut statements = Statements::default();
        walk(&parse(FileId(0), &source).file, &mut statements);
        let tokens = tokens(&source);
        let mut at = 0;
        for (i, token) in tokens.iter().enumerate() {
            let place = at;
            at += token.len();
            let word = token.chars().all(|c| c.is_alphanumeric() || c == '_');
            let smallest = statements.0.iter().filter(|(start, end)| *start <= place && place < *end);
            let Some(&(start, end)) = smallest.min_by_key(|(start, end)| end - start).filter(|_| word) else {
                continue;
            };
            if in_text(&source[..place]) {
                continue;
            }
            tried += 1;
            let without = [&tokens[..i], &tokens[i + 1..]].concat().concat();
            let end = end - token.len();
            let errors = check(&without).errors;
            // What stands behind the statement on its line was divided from it by the word.
            let line_end = without[end..].find('\n').map_or(without.len(), |n| end + n);
            let line_start = without[..start].rfind('\n').unwrap_or(0);
            let outside = |error: &&flow_grammar::SyntaxError| {
                (error.span.start as usize) < line_start || error.span.start as usize > line_end
            };
            if errors.len() > 1 || errors.iter().any(|error| outside(&error)) {
                let messages: Vec<String> = errors.iter().map(|e| format!("{} {}", e.code, e.message)).collect();
                wrong.push(format!("without `{token}` in `{}`: {messages:?}", &source[start..end.min(start + 90)]));
            }
        }
    }
    println!("{}", wrong.join("\n"));
    println!("{} of {tried}", wrong.len());
    assert!(tried > 2_000, "{tried}");
    // Some can be read in two ways; the list above shows which. They stay fewer than three in a hundred.
    assert!(wrong.len() * 100 <= tried * 3, "{} of {tried}", wrong.len());
}

/// Whether the text so far ends inside of quotes, or in a comment.
fn in_text(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or("");
    line.matches('"').count() % 2 == 1 || line.contains('#')
}

#[test]
fn nesting_up_to_the_limit_is_fast_and_right() {
    let n = MAX_NESTING - 1;
    let nested = |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(n), close.repeat(n));
    assert_eq!(check_within(30, format!("segment a = {}", nested("(", "b", ")"))), 0);
    let half = |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(n / 2), close.repeat(n / 2));
    assert_eq!(check_within(30, format!("segment a = {}", half("(not (a or ", "b", "))"))), 0);
    assert_eq!(
        check_within(30, format!("on a {}", half("if (b) then { wait 1h if c then end else { ", "end", " } }"))),
        0
    );
    assert_eq!(check_within(30, format!("segment a = {}", nested("lower(", "b", ")"))), 0);
    assert_eq!(check_within(30, format!("segment a = x in {}", nested("[", "b", "]"))), 0);
    assert_eq!(check_within(30, format!("on a {}", nested("{ ", "end", " }"))), 0);
    assert_eq!(check_within(30, format!("on a {}", nested("if b then { ", "end", " }"))), 0);
    assert_eq!(check_within(30, format!("on a {} email x", "if b then ".repeat(n))), 0);
    assert_eq!(check_within(30, format!("on a {} email x", "wait for b up to 1h else ".repeat(n))), 0);
    assert_eq!(check_within(30, format!("on a {}", nested("match b { 1 -> ", "end", " }"))), 0);
    assert_eq!(check_within(30, format!("on a {}", nested("split { 100%: ", "end", " }"))), 0);
    assert_eq!(check_within(30, format!("on a {}", nested("together { ", "end", " } { }"))), 0);
    assert_eq!(check_within(30, format!("on a emit b {}", nested("{ a: ", "1", " }"))), 0);
    assert_eq!(check_within(30, format!("on a sms {}", "\"{".repeat(n / 2) + "b" + &"}\"".repeat(n / 2))), 0);
}

#[test]
fn too_much_nesting_is_one_error() {
    let deep = 10_000;
    let nested = |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(deep), close.repeat(deep));
    assert_eq!(check_within(60, format!("on a {}", nested("{ ", "end", " }"))), 1);
    assert_eq!(check_within(60, format!("on a {}", nested("if b then { ", "end", " }"))), 1);
    assert_eq!(check_within(60, format!("segment a = {}", nested("(", "b", ")"))), 1);
    assert_eq!(check_within(60, format!("segment a = {}", nested("[", "b", "]"))), 1);
    assert_eq!(check_within(60, format!("on a emit b {}", nested("{ a: ", "1", " }"))), 1);
    assert_eq!(check_within(60, format!("on a {} email x", "if b then ".repeat(deep))), 1);
    assert_eq!(check_within(60, format!("on a {} email x", "wait for b else ".repeat(deep))), 1);
    assert_eq!(check_within(60, format!("on a sms {}", "\"{".repeat(deep) + "b" + &"}\"".repeat(deep))), 1);
    assert_eq!(check_within(60, format!("on a {}", "{ ".repeat(deep))), 1);
    assert_eq!(check_within(60, format!("segment a = {}", "(".repeat(deep))), 1);
    assert_eq!(check_within(60, format!("user {{ a: {}text }}", "list of ".repeat(deep))), 1);
}

#[test]
fn long_chains() {
    let links = 500;
    let chain = |n: usize| format!("on a if b then end {} else end", "else if c then email x ".repeat(n));
    assert_eq!(check_within(60, chain(links)), 0);
    assert_eq!(check_within(60, chain(3_000)), 1);
    for (first, more) in [("b", " ?? b"), ("b", " or b"), ("b", " + b"), ("b", " and not b")] {
        assert_eq!(check_within(60, format!("segment a = {first}{}", more.repeat(300))), 0, "{more}");
        assert_eq!(check_within(60, format!("segment a = {first}{}", more.repeat(3_000))), 1, "{more}");
    }
    for prefix in ["not ", "- ", "a where ", "a + "] {
        assert_eq!(check_within(60, format!("segment a = {} b", prefix.repeat(300))), 0, "{prefix}");
        assert_eq!(check_within(60, format!("segment a = {} b", prefix.repeat(3_000))), 1, "{prefix}");
    }
    assert_eq!(check_within(60, format!("segment a = b{}", ".c".repeat(3_000))), 1);
    assert_eq!(check_within(60, format!("segment a = b in [{}]", "\"x\", ".repeat(3_000))), 0);
}

#[test]
fn garbage_is_read_in_a_time_that_grows_with_its_length() {
    let pieces = [
        "}",
        "{",
        "(",
        "[",
        "\"",
        "'",
        "#",
        "if ",
        "wait ",
        "$",
        "a ",
        "\u{1}",
        "{\"",
        "\"{",
        "\"{\" ",
        "x {\n",
        "; ",
        "“",
        "a \"",
        "if a b ",
        "(a b ",
        "a{ b( ",
        "event ",
        "journey a {\n",
        "user { a ",
        "1.",
        "x: ",
        "## a\n",
    ];
    for piece in pieces {
        let time = |bytes: usize| {
            let source = piece.repeat(bytes / piece.len());
            let start = Instant::now();
            check_within(60, source);
            start.elapsed()
        };
        let (short, long) = (time(4 << 10), time(32 << 10));
        println!("{piece:?} {short:?} {long:?}");
        // Eight times as long; the rest is for a machine with other things to do.
        assert!(long < short * 40 + Duration::from_secs(2), "{piece:?} {short:?} {long:?}");
    }
    assert_eq!(check_within(30, "9".repeat(1 << 20).replacen('9', "segment a = 9", 1)), 1);
    assert_eq!(check_within(30, format!("on a sms \"{}\"", "x".repeat(1 << 20))), 0);
    assert_eq!(check_within(60, "x".repeat(10 << 20)), 1);
    assert_eq!(check_within(60, "}".repeat(MAX_SOURCE_BYTES + 1)), 1);
}

/// Openings that trick the count of brackets must meet the stack guard instead.
#[test]
fn deep_inputs_that_the_count_does_not_see() {
    for piece in ["{ start\njourney x ", "{ ( \njourney x ", "user { a:\nevent x ", "{ [ \ntest \"a\" { user { a: [ "] {
        check_within(60, format!("on a {}", piece.repeat(3_000)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_text(source in "\\PC{0,200}") {
        check(&source);
    }

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_sentences(words in proptest::collection::vec(prop::sample::select(vec![
        "on", "journey", "a", "b", "{", "}", "(", ")", "[", "]", "if", "then", "else", "wait", "for", "until", "2h", "3",
        "\"x\"", "\"{a}\"", "\"", "and", "not", "==", "=", "in", "last", "where", "since", "ever", "between", "match", "->",
        "split", "50%", ":", ",", "repeat", "times", "every", "set", "user", ".", "fetch", "send", "via", "to", "with",
        "test", "expect", "at", "after", "\n", "#", "event", "type", "text", "?", "policy", "api", "-", "is", "missing", "'",
        "2026-01-01", "09:00", "1.5h", "can", "within", "exit", "enter", "per", "once", "together", "count", "sum", "of",
    ]), 0..60)) {
        check(&words.join(" "));
        let _ = parse_expression(FileId(0), &words.join(" "), 7);
    }
}
