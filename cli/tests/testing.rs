//! `flowc test`: what a test may say, and what is shown when it does not hold.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;
use common::{flowc, folder};
use std::path::Path;

const SHOP: &str = r#"event cart_added { cart_value: number }
event purchased
user { email: email?  phone: phone?  score: int = 0  timezone: timezone? }
channel email to user.email
channel sms to user.phone
api gift(user_id: text) -> text { get "https://shop.example/{user_id}" }

journey cart {
  on cart_added where cart_value > 50
  exit on purchased
  wait 2h
  email cart_reminder
  set user.score += 1
  wait 22h
  sms "Still there?"
}

journey thanks {
  on purchased
  fetch present = gift(user.id) else end
  email "Take {present}"
}
"#;

/// Runs one test item over the shop.
fn test(name: &str, tests: &str) -> common::Ran {
    let root = folder(name, &[("shop.flow", SHOP), ("tests/shop.flow", tests)]);
    flowc(&root, &["test"])
}

/// A test with these lines passes.
fn passes(name: &str, lines: &str) {
    let ran = test(name, &format!("test \"it\" {{\n{lines}\n}}\n"));
    assert_eq!((ran.code, ran.out.as_str()), (0, "1 test passed\n"), "{}{}", ran.out, ran.err);
}

/// A test with these lines fails, and says so.
fn fails(name: &str, lines: &str, message: &str) {
    let root = folder(name, &[("shop.flow", SHOP), ("tests/shop.flow", &format!("test \"it\" {{\n{lines}\n}}\n"))]);
    let ran = flowc(&root, &["test", ".", "--format", "json"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let result: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(result["cases"][0]["failures"][0]["message"].as_str().unwrap(), message, "{}", ran.out);
}

const ADA: &str = "user { email: \"ada@example.com\", phone: \"+390200000001\" }\n";

#[test]
fn messages_may_be_named_at_a_time_after_one_or_just_in_order() {
    let carted = format!("{ADA} at 2026-03-02 10:00 cart_added {{ cart_value: 80 }}\n");
    passes("t1", &format!("{carted} expect email cart_reminder at 12:00\n expect sms after 22h\n expect nothing else"));
    passes(
        "t2",
        &format!("{carted} expect email\n expect sms \"Still there?\" at 2026-03-03 10:00\n expect nothing else"),
    );
    passes(
        "t3",
        &format!("{carted} expect email cart_reminder\n after 1h purchased\n expect no sms\n expect nothing else"),
    );
    passes("t4", &format!("{carted} after 1h purchased\n expect nothing"));
    passes("t5", &format!("{carted} at 2026-03-02 12:00 purchased\n expect nothing"));
    // Happenings first, messages later, with a condition between.
    passes("t6", &format!("{carted} at 2026-03-02 13:00 purchased\n expect user.score == 1\n expect email cart_reminder at 2026-03-02 12:00\n expect nothing else"));
    passes("t7", "user { email: \"ada@example.com\" }\n at 2026-03-02 10:00 cart_added { cart_value: 80 }\n expect skipped sms because no_contact");
    passes(
        "t8",
        &format!("given gift = \"a cup\"\n{ADA} at 2026-03-02 10:00 purchased\n expect email \"Take a cup\" at 10:00"),
    );
    passes("t9", &format!("given gift fails\n{ADA} at 2026-03-02 10:00 purchased\n expect nothing"));
    // Local to the person.
    passes("t10", "user { email: \"a@example.com\", timezone: \"Asia/Kolkata\" }\n at 2026-03-02 10:00 cart_added { cart_value: 80 }\n expect email at 2026-03-02T06:30Z");
}

#[test]
fn what_does_not_hold_is_said_in_a_sentence() {
    let carted = format!("{ADA} at 2026-03-02 10:00 cart_added {{ cart_value: 80 }}\n");
    fails(
        "f1",
        &format!("{carted} expect nothing"),
        "expected nothing, but email cart_reminder came at 2026-03-02 12:00, and 1 more",
    );
    fails(
        "f2",
        &format!("{carted} expect email cart_reminder at 11:00"),
        "expected email cart_reminder at 2026-03-02 11:00, but it came at 2026-03-02 12:00",
    );
    fails(
        "f3",
        &format!("{carted} expect email \"Hi\"\n after 1h purchased"),
        "expected email \"Hi\", but it did not come",
    );
    fails(
        "f4",
        &format!("{carted} expect email\n expect nothing else"),
        "expected nothing else, but sms \"Still there?\" came at 2026-03-03 10:00",
    );
    fails(
        "f5",
        &format!("{carted} expect no sms"),
        "expected no sms, but sms \"Still there?\" came at 2026-03-03 10:00",
    );
    fails("f6", &format!("{carted} expect user.score == 1"), "this does not hold at 2026-03-02 10:00");
    fails("f7", &format!("{carted} expect skipped sms"), "expected sms to be skipped, but it was not");
    fails(
        "f8",
        "user { email: \"a@example.com\" }\n at 2026-03-02 10:00 cart_added { cart_value: 80 }\n expect sms",
        "expected sms, but it was skipped at 2026-03-03 10:00: no_contact",
    );
    fails("f9", "user { email: \"a@example.com\" }\n at 2026-03-02 10:00 cart_added { cart_value: 80 }\n expect skipped sms because cap", "expected sms to be skipped because cap, but it was skipped because no_contact");
}

const MIXED: &str = r#"test "a buyer is left alone" {
  user { email: "ada@example.com", phone: "+390200000001" }
  at 2026-03-02 10:00 cart_added { cart_value: 80 }
  after 3h purchased
  expect nothing
}

test "the reminder comes after two hours" for cart {
  user { email: "ada@example.com" }
  at 2026-03-02 10:00 cart_added { cart_value: 80 }
  expect email cart_reminder at 12:00
  expect sms after 22h
}

test "small baskets are left alone <&>" {
  at 2026-03-02 10:00 cart_added { cart_value: 50 }
  expect nothing
}
"#;

#[test]
fn a_failure_shows_both_timelines_and_what_decided() {
    let ran = test("mixed", MIXED);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out);
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mixed");
    insta::assert_snapshot!(flowc(&root, &["test", ".", "--format", "junit"]).out);
    let one = flowc(&root, &["test", ".", "small"]);
    assert_eq!((one.code, one.out.as_str()), (0, "1 test passed\n"));
    let none = flowc(&root, &["test", ".", "medium"]);
    assert_eq!((none.code, none.out.as_str()), (0, "none of 3 tests has \"medium\" in its name\n"));
}

#[test]
fn no_tests_and_no_program() {
    let root = folder("none", &[("shop.flow", SHOP), ("bad/bad.flow", "journey x { on }\n")]);
    let ran = flowc(&root, &["test", "shop.flow"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "there are no tests: write `test \"…\" { … }` in a .flow file\n"));
    let ran = flowc(&root, &["test", "bad"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("bad.flow"), "{}", ran.err);
}

#[test]
fn the_tests_of_the_examples_pass() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let ran = flowc(&examples, &["test", "."]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.ends_with(" tests passed\n"), "{}", ran.out);
}
