//! What `flowc fmt` promises, tried on every program of the repository, as it stands and with its
//! blanks and comments shuffled.

use super::{format, tokens, Unformatted};
use crate::lower::parse;
use crate::span::FileId;
use crate::walk::{walk, Visitor};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Every program without syntax errors.
fn programs() -> &'static [(PathBuf, String)] {
    static PROGRAMS: OnceLock<Vec<(PathBuf, String)>> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut found = Vec::new();
        for folder in ["examples", "tests/conformance", "grammar/tests/fixtures/good", "compiler/tests/fixtures"] {
            collect(&top.join(folder), &mut found);
        }
        found.sort();
        found.retain(|(_, text)| parse(FileId(0), text).errors.is_empty());
        assert!(found.len() > 100, "only {} programs were found", found.len());
        found
    })
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "flow") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// The comments of a text, in their order.
fn comments(source: &str) -> Vec<String> {
    let parsed = parse(FileId(0), source);
    let mut found = Vec::new();
    for token in tokens::tokens(source, &super::marks::atoms(&parsed.file, source)) {
        found.extend(token.above.into_iter().map(|comment| comment.text));
        found.extend(token.behind);
    }
    found
}

/// Formats a text and holds the promises against the result.
fn check(source: &str) -> Result<String, String> {
    let out = match format(source) {
        Ok(out) => out,
        Err(Unformatted::Changed(_)) => return Err("the tree has changed".into()),
        Err(Unformatted::Errors(errors)) => return Err(format!("syntax errors: {errors:?}")),
    };
    let again = format(&out).map_err(|_| "the result cannot be formatted")?;
    if again != out {
        return Err(format!("formatting twice changes something:\n{out}\n---\n{again}"));
    }
    let (before, after) = (comments(source), comments(&out));
    if before != after {
        return Err(format!("comments have changed:\n{before:?}\n{after:?}"));
    }
    if out.lines().any(|line| line.ends_with(' ')) {
        return Err("a line ends with a blank".into());
    }
    Ok(out)
}

#[test]
fn every_program_keeps_its_meaning_and_its_comments() {
    for (path, source) in programs() {
        if let Err(problem) = check(source) {
            panic!("{}: {problem}", path.display());
        }
    }
}

/// The program with other blanks and with comments between its tokens.
fn shuffled(source: &str, mut seed: u64) -> String {
    const BETWEEN: [&str; 16] = [
        " ",
        " ",
        " ",
        " ",
        "  ",
        "\n",
        "\n",
        "\n  ",
        "\n\n",
        "\n\n\n",
        "\t",
        "\r\n",
        " # behind\n",
        "\n# above\n",
        "\n\n  # one\n\n\n# two\n\n",
        "\n## doc\n",
    ];
    let parsed = parse(FileId(0), source);
    let atoms = super::marks::atoms(&parsed.file, source);
    let found = tokens::tokens(source, &atoms);
    let mut out = String::new();
    for (number, token) in found.iter().enumerate() {
        let end = found.get(number + 1).map_or(source.len(), |next| next.start);
        let written = source.get(token.start..end).unwrap_or("");
        let written = written.get(..written_length(written)).unwrap_or(&token.text);
        out.push_str(if atoms.iter().any(|atom| atom.start == token.start) { &token.text } else { written });
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Sparse: mostly what was there, so that whole lines stay whole lines.
        let between = match seed >> 33 & 3 {
            0 => BETWEEN[(seed >> 40) as usize % BETWEEN.len()],
            _ if written.ends_with(['-', '.']) => "",
            _ if source.get(token.start..end).is_some_and(|all| all.contains('\n')) => "\n",
            _ => " ",
        };
        out.push_str(if token.text == "-" { "" } else { between });
    }
    out
}

/// The token at the start of a text, without the blanks and comments behind it.
fn written_length(text: &str) -> usize {
    tokens::tokens(text, &[]).first().map_or(0, |token| token.text.len())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn blanks_and_comments_anywhere_are_no_trouble(number in 0..1_000_usize, seed: u64) {
        let programs = programs();
        let (path, source) = &programs[number % programs.len()];
        let shuffled = shuffled(source, seed);
        prop_assume!(parse(FileId(0), &shuffled).errors.is_empty());
        if let Err(problem) = check(&shuffled) {
            return Err(TestCaseError::fail(format!("{}: {problem}\n--- from:\n{shuffled}", path.display())));
        }
    }
}

#[test]
fn what_is_said_above_a_comma_is_said_of_the_field_behind_it() {
    let source = "event order {\n  a: int\n  ## How much\n  , b: number\n}\n";
    check(source).unwrap();
    assert_eq!(format(source).unwrap(), "event order {\n  a: int\n  ## How much\n  b: number\n}\n");
}

#[test]
fn texts_with_errors_are_left_alone() {
    assert!(matches!(format("journey x { on }"), Err(Unformatted::Errors(errors)) if !errors.is_empty()));
}

#[test]
fn the_tree_is_walked_to_its_last_expression() {
    struct Count(usize);
    impl<'a> Visitor<'a> for Count {
        fn expr(&mut self, _: &'a crate::ast::Expr) {
            self.0 += 1;
        }
    }
    let parsed = parse(FileId(0), "segment a = b in last 3d where c in [1, \"{d + 1}\"] and not e");
    let mut count = Count(0);
    walk(&parsed.file, &mut count);
    assert_eq!(count.0, 13);
}

/// Before and after.
#[test]
fn one_layout() {
    let before = r#"
event cart_added="Product Added" {   # the wire name
cart_id : text , cart_value:number
}
event purchased = "Order Completed" { order_id: text,  order_value: number, }


user{email:email? # where letters go
score:int=-3 }
fence milan = circle 45.4642 , -9.19 radius 500 m
segment big = count( purchased  in last 30 days where order_value>(50+1) )>=3 and not purchased in last 7d or user.score between 1 and 9
api recs ( id:text, n:int ) -> list of text? { get "https://x.example/{id}"  timeout 2 seconds }
policy { quiet hours 09:00 to 18:30:00 on sms ,push
# at most
at most 3 messages per 7 days }
journey a "T" { on cart_added where cart_value>50 , purchased
enter   per cart_id once per 14 days

# steps
wait 2 hours
if can email then email x with {a:1,b:"{user.email ?? "x"}"} else if user.score==1 then { set user.score+=10   end } else { end
}
match user.email{"IT"->email a , "ES","FR"->{email b} else->end}
split { 50% a: end
50%: wait 1 day }
wait for purchased where order_value > 100 and order_value < 1000000 or cart_value is missing up to 2d then { end } else email x
together{email a}{sms "b"}  repeat every 7d up to 2 times {email c} for x in 1d,2 days{wait x}
}
test "t" for a { user{email:"a@b"} at 2026-03-02 09:00 cart_added{cart_id:"c1",cart_value:80} after 1 hour purchased{order_id:"o"} expect email x at 09:05  expect nothing else }
# the end
"#;
    insta::assert_snapshot!(check(before).unwrap());
}
