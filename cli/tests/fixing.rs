//! `flowc fix` and `# allow`: what a user does about findings.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;
use common::{flowc, folder};
use std::fs;

const SCHEMA: &str =
    "event cart_added { cart_id: text }\nevent purchased\nuser { email: email? }\nchannel email to user.email\n";
const HABITS: &str = "journey cart {\n  on cart_added\n  exit on purchsed;\n  wait 2 hrs\n  if user.email is known && not purchased then email “hi”\n}\n";
const MENDED: &str = "journey cart {\n  on cart_added\n  exit on purchased\n  wait 2h\n  if user.email is known and not purchased then email \"hi\"\n}\n";

#[test]
fn habits_and_typing_mistakes_are_mended_until_none_is_left() {
    let root = folder("fix", &[("schema.flow", SCHEMA), ("cart.flow", HABITS)]);
    let looked = flowc(&root, &["fix", "--check"]);
    assert_eq!(looked.code, 1);
    assert_eq!(fs::read_to_string(root.join("cart.flow")).unwrap(), HABITS, "--check changes nothing");
    assert_eq!(flowc(&root, &["fix", "--dry-run"]).out, looked.out);
    let ran = flowc(&root, &["fix"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    insta::assert_snapshot!(ran.out);
    let after = fs::read_to_string(root.join("cart.flow")).unwrap();
    assert_eq!(after, MENDED);
    let checked = flowc(&root, &["check", "--deny", "warnings"]);
    assert_eq!(checked.code, 0, "{}", checked.out);
    let again = flowc(&root, &["fix"]);
    assert_eq!((again.code, again.out.as_str()), (0, "nothing to fix\n"));
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_mended() {
    let root = folder("fix_some", &[("b/b.flow", "on a wait 2hrs email \"hi\"\n")]);
    let ran = flowc(&root, &["fix", "nowhere", "b"]);
    assert_eq!((ran.code, ran.err.as_str()), (2, "error: there is no file or folder nowhere\n"));
    assert_eq!(fs::read_to_string(root.join("b/b.flow")).unwrap(), "on a wait 2h email \"hi\"\n");
}

#[test]
fn a_warning_is_allowed_on_the_line_above() {
    let text =
        |allow: &str| format!("event a\nchannel inbox\njourney x {{\n  on a\n  end\n{allow}  inbox \"hi\"\n}}\n");
    let check = |allow: &str| {
        let root = folder("allow", &[("a.flow", &text(allow))]);
        let ran = flowc(&root, &["check", "--format", "short", "--deny", "warnings"]);
        let codes: Vec<String> =
            ran.out.lines().filter_map(|line| Some(line.split_once('[')?.1[..5].to_owned())).collect();
        (ran.code, codes.join(" "))
    };
    assert_eq!(check(""), (1, "F0701".to_owned()));
    assert_eq!(check("  # allow F0701: it comes back in May\n"), (0, String::new()));
    assert_eq!(check("  # allow F0701\n"), (1, "F0731 F0701".to_owned()));
    assert_eq!(check("  # allow F0702: wrong code\n"), (1, "F0732 F0701".to_owned()));
    let root = folder("allow_report", &[("a.flow", &text("  # allow F0701: it comes back in May\n"))]);
    assert_eq!(flowc(&root, &["check", "--report"]).code, 0);
    // One that has outlived its cause is taken away.
    let old = "event a\nchannel inbox\njourney x {\n  on a\n  # allow F0701: it comes back in May\n  inbox \"hi\"\n}\n";
    let root = folder("allow_old", &[("a.flow", old)]);
    assert_eq!(flowc(&root, &["fix"]).code, 0);
    assert_eq!(
        fs::read_to_string(root.join("a.flow")).unwrap(),
        old.replace("  # allow F0701: it comes back in May\n", "")
    );
}

#[test]
fn flow_toml_can_allow_too() {
    let config = "[project]\nname = \"x\"\n# allow F0802: read by another tool\nowner = \"crm\"\n";
    let root = folder("allow_toml", &[("a.flow", SCHEMA), ("flow.toml", config)]);
    let ran = flowc(&root, &["check", "--deny", "warnings"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "no errors: 0 journeys, 0 tests, 1 file\n"));
}
