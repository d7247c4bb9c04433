//! What is told about one person: what happened, and what did not and why not.
#![allow(clippy::unwrap_used)]

mod common;
use common::{flowc, folder};
use std::path::PathBuf;

const FLOW: &str = r#"event cart_added = "Product Added" { cart_id: text  cart_value: number }
event purchased = "Order Completed"
user { email: email?  phone: phone?  plan: text? }
channel email to user.email
channel sms to user.phone
policy { at most 1 email per 7d }
journey cart {
  on cart_added where cart_value > 50
  enter once per 2d
  exit when user.plan == "gold"
  goal purchased within 3d
  wait 2h
  if not purchased then email "You left something"
  sms "Still there?"
  wait 1d
}
journey browse {
  on cart_added
  email "Look again"
  wait 3h
}
"#;

const EVENTS: &str = r#"{"type":"track","anonymousId":"x","event":"Product Added","timestamp":"2026-03-02T09:00:00Z","properties":{"cart_id":"c0","cart_value":20}}
{"type":"identify","userId":"ada","anonymousId":"x","timestamp":"2026-03-02T09:30:00Z","traits":{"email":"ada@example.com"}}
{"type":"track","userId":"ada","event":"Product Added","timestamp":"2026-03-02T10:00:00Z","properties":{"cart_id":"c1","cart_value":80}}
{"type":"track","userId":"bob","event":"Product Added","timestamp":"2026-03-02T10:00:00Z","properties":{"cart_id":"c9","cart_value":80}}
{"type":"track","userId":"ada","event":"Product Added","timestamp":"2026-03-02T11:00:00Z","properties":{"cart_id":"c2","cart_value":"90"}}
{"type":"identify","userId":"ada","timestamp":"2026-03-02T20:00:00Z","traits":{"plan":"gold"}}
{"type":"track","userId":"ada","event":"Product Added","timestamp":"2026-03-03T10:00:00Z","properties":{"cart_id":"c3","cart_value":60}}
"#;

fn shop(name: &str) -> PathBuf {
    folder(name, &[("shop.flow", FLOW), ("events.jsonl", EVENTS)])
}

#[test]
fn every_decision_is_told_with_the_line_that_made_it() {
    let ran = flowc(&shop("why"), &["why", "ada", "--events", "events.jsonl"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    insta::assert_snapshot!(ran.out);
    assert!(!ran.out.contains("c9"), "somebody else's");
}

#[test]
fn one_journey_can_be_asked_for() {
    let ran = flowc(&shop("why-one"), &["why", "ada", "--events", "events.jsonl", "--journey", "browse"]);
    assert!(ran.out.contains("browse") && !ran.out.contains("enters cart"), "{}", ran.out);
}

#[test]
fn what_cannot_be_told_is_said() {
    let root = shop("why-not");
    for (args, message) in [
        (["why", "eve", "--events", "events.jsonl"].as_slice(), "error: nothing in the events is about `eve`\n"),
        (&["why", "ada", "--events", "events.jsonl", "--journey", "nose"], "error: there is no journey `nose`\n"),
        (&["why", "ada", "--events", "none.jsonl"], "error: there is no file none.jsonl\n"),
    ] {
        let ran = flowc(&root, args);
        assert_eq!((ran.code, ran.err.as_str()), (2, message));
    }
}
