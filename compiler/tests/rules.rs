//! The rules, on small journeys: what they find, and what they must not find.
#![allow(clippy::unwrap_used)]

use flow_compiler::compile::{compile, ProjectInput, SourceFile};
use flow_compiler::diagnostic::{Diagnostic, Severity};
use flow_grammar::LineIndex;

const SCHEMA: &str = r#"
event started { points: int  price: number  country: one of "IT", "ES", "FR"  note: text? }
event purchased { order_value: number }
event pinged
event ponged
user { email: email?  phone: phone?  level: int = 0  vip: bool = false }
channel email to user.email
channel sms to user.phone
"#;

/// The findings for these items: `line:column text: code message`.
fn findings(items: &str) -> String {
    let files = [("a.flow", items), ("schema.flow", SCHEMA)];
    let files = files.map(|(path, text)| SourceFile { path: path.to_owned(), text: text.to_owned() });
    let input =
        ProjectInput { name: "x".to_owned(), timezone: "UTC".to_owned(), files: files.into(), ..Default::default() };
    let lines = LineIndex::new(items);
    let shown = |one: &Diagnostic| {
        let place = lines.line_column(items, one.span.start);
        let labels: Vec<String> =
            one.labels.iter().map(|label| format!(" [{}: {}]", label.span.text(items), label.text)).collect();
        let text = one.span.text(items).split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{}:{} `{text}`: {} {}{}\n", place.line, place.column, one.code, one.message, labels.concat())
    };
    let found = compile(&input).diagnostics;
    found.iter().filter(|one| one.severity != Severity::Note).map(shown).collect()
}

/// The findings for the body of a journey.
fn body(steps: &str) -> String {
    findings(&format!("journey j {{ on started\n{steps}\n}}"))
}

#[test]
fn steps_out_of_reach() {
    insta::assert_snapshot!(body("end email \"a\""), @r#"
    2:5 `email "a"`: F0701 this can never be reached [end: the journey ends here]
    "#);
    insta::assert_snapshot!(body("if started ever then end else { email \"x\" end }\nemail \"a\" wait 2h"), @r#"
    3:1 `email "a" wait 2h`: F0701 this can never be reached [if started ever then end else { email "x" end }: nobody goes on after this]
    "#);
    insta::assert_snapshot!(body("repeat every 7d { email \"x\" }\nemail \"a\""), @r#"
    3:1 `email "a"`: F0701 this can never be reached [repeat every 7d { email "x" }: this goes on for ever: only `end` or an exit leaves it]
    "#);
    insta::assert_snapshot!(body("wait for purchased up to 2d then end else { end email \"b\" }\nemail \"a\""), @r#"
    2:49 `email "b"`: F0701 this can never be reached [end: the journey ends here]
    3:1 `email "a"`: F0701 this can never be reached [wait for purchased up to 2d then end else { end email "b" }: nobody goes on after this]
    "#);
    insta::assert_snapshot!(body("together { end } { email \"x\" }\nemail \"a\""), @r#"
    3:1 `email "a"`: F0701 this can never be reached [together { end } { email "x" }: nobody goes on after this]
    "#);
    insta::assert_snapshot!(body("split { 50%: end 50%: end }\nemail \"a\""), @r#"
    3:1 `email "a"`: F0701 this can never be reached [split { 50%: end 50%: end }: nobody goes on after this]
    "#);
    insta::assert_snapshot!(body("repeat 2 times { if vip then end wait 1d }\nemail \"a\""), @"");
    insta::assert_snapshot!(body("wait for purchased up to 2d then end\nemail \"a\""), @"");
    insta::assert_snapshot!(body("match country { \"IT\" -> end \"ES\" -> end }\nemail \"a\""), @"");
}

#[test]
fn conditions_by_ranges() {
    insta::assert_snapshot!(body("if points > 100 then email \"a\" else if points > 150 then email \"b\""), @r"2:40 `points > 150`: F0703 this condition is never true [points > 100: this was decided before]");
    insta::assert_snapshot!(body("if points > 150 then email \"a\" else if points > 100 then email \"b\""), @"");
    insta::assert_snapshot!(body("if points > 10 then { if points >= 11 then email \"a\" }"), @r"2:26 `points >= 11`: F0702 this condition is always true [points > 10: this was decided before]");
    insta::assert_snapshot!(body("if price > 10 then { if price >= 11 then email \"a\" }"), @"");
    insta::assert_snapshot!(body("if points > 10 and points < 5 then email \"a\""), @r"2:4 `points > 10 and points < 5`: F0703 this condition is never true");
    insta::assert_snapshot!(body("if points > 10 or points < 50 then email \"a\""), @r"2:4 `points > 10 or points < 50`: F0702 this condition is always true");
    insta::assert_snapshot!(body("if points between 20 and 10 then email \"a\""), @r"2:4 `points between 20 and 10`: F0703 this condition is never true");
    insta::assert_snapshot!(body("if not (points > 10) then { wait 2d if points > 20 then email \"a\" }"), @r"2:40 `points > 20`: F0703 this condition is never true [not (points > 10): this was decided before]");
    insta::assert_snapshot!(body("if 1 > 2 then email \"a\""), @r"2:4 `1 > 2`: F0703 this condition is never true");
}

#[test]
fn conditions_by_values() {
    insta::assert_snapshot!(body("if country == \"IT\" then email \"a\" else if country in [\"ES\", \"FR\"] then email \"b\" else email \"c\""), @r#"
    2:43 `country in ["ES", "FR"]`: F0702 this condition is always true [country == "IT": this was decided before]
    "#);
    insta::assert_snapshot!(body("match country { \"IT\" -> email \"a\" \"ES\" -> email \"b\" \"FR\" -> email \"c\" }"), @"");
    insta::assert_snapshot!(body("match country { \"IT\" -> email \"a\" \"ES\", \"IT\" -> email \"b\" \"IT\" -> email \"c\" else -> end }"), @r#"
    2:59 `"IT"`: F0703 this condition is never true ["ES": this was decided before]
    "#);
    insta::assert_snapshot!(body("if note is missing then end\nif note is known then email \"a\""), @r"3:4 `note is known`: F0702 this condition is always true [note is missing: this was decided before]");
    insta::assert_snapshot!(body("if note == \"a\" then end\nif note != \"a\" then email \"a\""), @r#"
    3:4 `note != "a"`: F0702 this condition is always true [note == "a": this was decided before]
    "#);
    insta::assert_snapshot!(body("if vip then { if not vip then email \"a\" }"), @r"2:18 `not vip`: F0703 this condition is never true [vip: this was decided before]");
    insta::assert_snapshot!(body("if count(purchased ever) >= 0 then email \"a\""), @r"2:4 `count(purchased ever) >= 0`: F0702 this condition is always true");
    insta::assert_snapshot!(body("if can email then email \"a\" else if can email then sms \"b\""), @r"2:37 `can email`: F0703 this condition is never true [can email: this was decided before]");
}

#[test]
fn time_and_set_undo_what_is_known_of_a_person() {
    assert_eq!(body("if user.level > 3 then end\nwait 1d\nif user.level > 3 then email \"a\""), "");
    assert_eq!(body("if user.level > 3 then end\nset user.level += 5\nif user.level > 3 then email \"a\""), "");
    assert_eq!(body("if can email then email \"x\"\nif can email then email \"b\""), "");
    assert_eq!(body("if purchased then end\nwait 1d\nif purchased then email \"a\""), "");
    assert_eq!(body("together { set user.level = 5 } { if user.level > 3 then email \"a\" }"), "");
    insta::assert_snapshot!(body("if user.level > 3 then end\nset user.vip = true\nif user.level > 3 then email \"a\""), @r"4:4 `user.level > 3`: F0703 this condition is never true [user.level > 3: this was decided before]");
}

#[test]
fn triggers_narrow_what_follows() {
    insta::assert_snapshot!(findings("journey j { on started where points > 50\nwait 1d\nif points > 40 then email \"a\" }"), @r"3:4 `points > 40`: F0702 this condition is always true [points > 50: this was decided before]");
    insta::assert_snapshot!(findings("journey j { on started where points > 50, started where points < 10\nif points > 40 then email \"a\" }"), @"");
    insta::assert_snapshot!(findings("journey j { on change user.level where user.level > 5\nif user.level > 3 then email \"a\" }"), @r"2:4 `user.level > 3`: F0702 this condition is always true [user.level > 5: this was decided before]");
    insta::assert_snapshot!(findings("journey j { on started where points > 5 and points < 3\nemail \"a\" }"), @r"1:30 `points > 5 and points < 3`: F0703 this condition is never true");
    insta::assert_snapshot!(findings("segment s = count(purchased ever where order_value > 5 and order_value < 4) > 1"), @r"1:40 `order_value > 5 and order_value < 4`: F0703 this condition is never true");
}

#[test]
fn values_of_a_for_are_judged_together() {
    assert_eq!(body("for n in 1, 5 { if n > 3 then email \"a\" wait 1d }"), "");
    insta::assert_snapshot!(body("for n in 1, 5 { if n > 9 then email \"a\" wait 1d }"), @r"2:20 `n > 9`: F0703 this condition is never true");
}

#[test]
fn what_comes_after_an_exit() {
    let journey = |rest: &str| findings(&format!("journey j {{ on started exit on purchased\n{rest}\n}}"));
    insta::assert_snapshot!(journey("wait for purchased up to 2d then email \"a\"\nemail \"b\""), @r#"
    2:34 `email "a"`: F0704 this is never done: the event has ended the journey before [exit on purchased: the exit comes first]
    "#);
    insta::assert_snapshot!(journey("wait 2d if not purchased then email \"a\""), @"");
    insta::assert_snapshot!(journey("wait 2d if purchased then email \"a\""), @r"2:12 `purchased`: F0704 this is never true: what it asks for would have ended the journey");
    insta::assert_snapshot!(journey("wait 2d if purchased in last 30d then email \"a\""), @"");
    insta::assert_snapshot!(journey("wait for purchased, pinged up to 2d then email \"a\""), @"");
    assert_eq!(findings("journey j { on started exit on purchased where order_value > 5\nwait for purchased up to 2d then email \"a\" }"), "");
}

#[test]
fn caps_that_let_nothing_through() {
    let capped = |cap: &str, steps: &str| findings(&format!("policy {{ {cap} }}\njourney j {{ on started\n{steps} }}"));
    insta::assert_snapshot!(capped("at most 1 sms per 1d", "sms \"a\" sms \"b\""), @r#"
    3:9 `sms "b"`: F0705 this message is never sent: those just before it have used up the cap [at most 1 sms per 1d: lets 1 through in 1d]
    "#);
    insta::assert_snapshot!(capped("at most 2 messages per 1d", "email \"a\" email \"b\" if vip then email \"c\""), @r#"
    3:33 `email "c"`: F0705 this message is never sent: those just before it have used up the cap [at most 2 messages per 1d: lets 2 through in 1d]
    "#);
    assert_eq!(capped("at most 1 sms per 1d", "sms \"a\" wait 1d sms \"b\""), "");
    assert_eq!(capped("at most 1 sms per 1d", "sms \"a\" email \"b\""), "");
    assert_eq!(capped("at most 1 message per 1d", "sms \"a\" email \"b\""), "");
    assert_eq!(capped("at most 1 sms per 1d", "if vip then sms \"a\"\nsms \"b\""), "");
    assert_eq!(capped("at most 1 sms per 1d", "sms \"a\" topic transactional\nsms \"b\""), "");
}

#[test]
fn journeys_in_a_circle() {
    let two = |middle: &str, header: &str| {
        findings(&format!(
            "journey ping {{ on pinged {header}\n{middle} emit ponged }}\njourney pong {{ on ponged\nemit pinged }}"
        ))
    };
    insta::assert_snapshot!(two("", ""), @r"2:2 `emit ponged`: F0706 `ping` and `pong` start each other for ever, at one instant [emit pinged: and this leads back]");
    assert_eq!(two("wait 1d", ""), "");
    assert_eq!(two("if vip then", ""), "");
    assert_eq!(two("", "enter once per 1d"), "");
    insta::assert_snapshot!(findings("journey j { on list \"x\" start j }"), @r"1:25 `start j`: F0706 `j` starts itself again for ever, at one instant");
    assert_eq!(findings("journey j { on list \"x\" start j\nwait 1d email \"a\" }"), "");
    insta::assert_snapshot!(findings("journey j { on list \"x\" enter always\nstart j\nwait 1d email \"a\" }"), @r"2:1 `start j`: F0706 `j` starts itself again for ever, at one instant");
}

#[test]
fn two_messages_at_one_moment() {
    let two = |a: &str, b: &str| findings(&format!("journey a {{ on started {a} }}\njourney b {{ on started {b} }}"));
    insta::assert_snapshot!(two("wait 1h email \"a\"", "wait 1h email \"b\""), @r#"
    2:32 `email "b"`: F0707 `a` sends to the same people at the same moment on the same channel [email "a": the other message]
    "#);
    assert_eq!(two("wait 1h email \"a\"", "wait 2h email \"b\""), "");
    assert_eq!(two("wait 1d email \"a\"", "wait 24h email \"b\""), "");
    assert_eq!(two("email \"a\"", "sms \"b\""), "");
    assert_eq!(two("topic news email \"a\"", "topic offers email \"b\""), "");
    assert_eq!(two("if vip then email \"a\"", "email \"b\""), "");
    assert_eq!(findings("policy { at most 1 email per 1d }\njourney a { on started email \"a\" }\njourney b { on started email \"b\" }"), "");
}

#[test]
fn goals_out_of_reach() {
    insta::assert_snapshot!(findings("journey j { on started goal purchased\nemail \"a\" }"), @r"1:24 `goal purchased`: F0708 this goal is never reached: the journey ends as soon as it begins");
    assert_eq!(findings("journey j { on started goal purchased within 3d\nemail \"a\" }"), "");
    assert_eq!(findings("journey j { on started goal purchased\nwait 1d email \"a\" }"), "");
}

#[test]
fn messages_that_reach_nobody_on_their_way() {
    assert_eq!(
        body("if can email then email \"a\" else email \"b\""),
        "2:34 `email \"b\"`: F0709 this message reaches nobody who comes here [can email: this was decided before]\n"
    );
    assert_eq!(
        body("if user.phone is missing then sms \"a\""),
        "2:31 `sms \"a\"`: F0709 this message reaches nobody who comes here [user.phone is missing: this was decided before]\n"
    );
    assert_eq!(
        body("if not can email and not can sms then send \"a\" via email or sms"),
        "2:39 `send \"a\" via email or sms`: F0709 this message reaches nobody who comes here [not can email: this was decided before]\n"
    );
    // Another channel, another contact, another topic, or time in between: somebody may be reached.
    assert_eq!(body("if can email then email \"a\" else sms \"b\""), "");
    assert_eq!(body("if not can email then send \"a\" via email or sms"), "");
    assert_eq!(body("if not can email then email \"a\" to \"x@example.com\""), "");
    assert_eq!(body("if not can email then email \"a\" topic transactional"), "");
    assert_eq!(body("if not can email then { wait 1h email \"a\" }"), "");
    assert_eq!(body("if user.phone is missing then { wait 1s sms \"a\" }"), "");
}

#[test]
fn what_comes_after_the_journey_has_ended_by_time() {
    let late = |header: &str, steps: &str| findings(&format!("journey j {{ on started\n{header}\n{steps}\n}}"));
    assert_eq!(
        late("exit after 2d", "email \"a\" wait 3d email \"b\""),
        "3:19 `email \"b\"`: F0710 nobody comes here: the journey ends 2d after the entry [exit after 2d: the journey ends by then]\n"
    );
    assert_eq!(
        late("exit after 2h", "wait for purchased up to 2h then end\nemail \"a\""),
        "4:1 `email \"a\"`: F0710 nobody comes here: the journey ends 2h after the entry [exit after 2h: the journey ends by then]\n"
    );
    assert_eq!(
        late("exit after 3d", "repeat every 1d up to 6 times { email \"a\" }\nemail \"b\""),
        "4:1 `email \"b\"`: F0710 nobody comes here: the journey ends 3d after the entry [exit after 3d: the journey ends by then]\n"
    );
    // Somebody may come in time: an event ends the wait, a day may be short, a month too.
    assert_eq!(late("exit after 2d", "wait for purchased up to 3d email \"b\""), "");
    assert_eq!(late("exit after 2d", "wait 2d email \"b\""), "");
    assert_eq!(late("exit after 30d", "wait 1mo email \"b\""), "");
    assert_eq!(late("exit after 25h", "wait 1d email \"b\""), "");
}

#[test]
fn what_functions_can_give() {
    insta::assert_snapshot!(body("if hour(now) > 24 then email \"a\""), @r"2:4 `hour(now) > 24`: F0703 this condition is never true");
    insta::assert_snapshot!(body("if hour(now) between 22 and 6 then email \"a\""), @r"2:4 `hour(now) between 22 and 6`: F0703 this condition is never true");
    insta::assert_snapshot!(body("if hour(now) > 22 and hour(now) < 6 then email \"a\""), @r"2:4 `hour(now) > 22 and hour(now) < 6`: F0703 this condition is never true");
    insta::assert_snapshot!(body("if month(today) == 0 then email \"a\" else if length(note ?? \"\") < 0 then email \"b\""), @r#"
    2:4 `month(today) == 0`: F0703 this condition is never true
    2:45 `length(note ?? "") < 0`: F0703 this condition is never true
    "#);
    insta::assert_snapshot!(body("if hour(now) >= 0 then email \"a\""), @r"2:4 `hour(now) >= 0`: F0702 this condition is always true");
    insta::assert_snapshot!(body("if hour(now) < 8 then email \"a\" else if hour(now) < 6 then sms \"b\""), @r"2:41 `hour(now) < 6`: F0703 this condition is never true [hour(now) < 8: this was decided before]");
    insta::assert_snapshot!(findings("segment night = hour(now) in [24, 25]"), @r"1:17 `hour(now) in [24, 25]`: F0703 this condition is never true");
    // What may be missing is not always so, another instant has another hour, and each round has its own value.
    assert_eq!(body("if length(note) >= 0 then email \"a\""), "");
    assert_eq!(body("if hour(now) > 22 and hour(now + 12h) < 12 then email \"a\""), "");
    assert_eq!(body("if hour(now) < 8 then { wait 2h if hour(now) >= 9 then email \"a\" }"), "");
    assert_eq!(body("for n in -1, 30 { if abs(n + points) > 20 then { wait 1d } else if abs(n + points) <= 20 then email \"a\" }"), "");
    assert_eq!(
        body("if hour(now) == 23 or day(now) == 31 or month(now) == 12 or minute(now) == 59 then email \"a\""),
        ""
    );
}

#[test]
fn an_else_for_which_nothing_is_left() {
    let full = "\"IT\" -> email \"a\" \"ES\", \"FR\" -> email \"b\"";
    insta::assert_snapshot!(body(&format!("match country {{ {full} else -> sms \"c\" }}")), @r#"
    2:67 `sms "c"`: F0713 nothing is left for this `else` [country: every value that this can have here has an arm]
    "#);
    insta::assert_snapshot!(body("if country == \"IT\" then end\nmatch country { \"ES\" -> email \"a\" \"FR\" -> email \"b\" else -> { wait 1d sms \"c\" } }"), @r#"
    3:61 `{ wait 1d sms "c" }`: F0713 nothing is left for this `else` [country: every value that this can have here has an arm]
    "#);
    assert_eq!(body(&format!("match country {{ {full} }}")), "");
    assert_eq!(body("match country { \"IT\" -> email \"a\" \"ES\" -> email \"b\" else -> sms \"c\" }"), "");
    assert_eq!(body("match note { \"a\" -> email \"a\" else -> sms \"c\" }"), "");
    // Missing is no value, and a text in `one of` of an attribute may be missing.
    let optional = "user { plan: one of \"free\", \"pro\"? }\njourney j { on started match user.plan { \"free\" -> email \"a\" \"pro\" -> email \"b\" else -> sms \"c\" } }";
    assert_eq!(findings(optional), "");
    // One round of a `for` comes there.
    assert_eq!(body("for n in 1, 2 { match n { 1 -> email \"a\" else -> sms \"b\" } wait 1d }"), "");
    // Where nobody comes at all, that is said once.
    let never = format!("if points > 10 and points < 5 then match country {{ {full} else -> sms \"c\" }}");
    assert_eq!(body(&never).matches("F07").count(), 1, "{}", body(&never));
}

#[test]
fn what_an_exit_by_condition_has_ended() {
    let journey = |rest: &str| findings(&format!("journey j {{ on started exit when user.vip\n{rest}\n}}"));
    insta::assert_snapshot!(journey("wait 2d if user.vip then email \"a\" else sms \"b\""), @r"2:12 `user.vip`: F0704 this is never true: what it asks for would have ended the journey [user.vip: the journey ends by this]");
    insta::assert_snapshot!(journey("if user.vip and user.level > 3 then email \"a\""), @r"2:4 `user.vip and user.level > 3`: F0704 this is never true: what it asks for would have ended the journey [user.vip: the journey ends by this]");
    assert_eq!(journey("wait 2d if not user.vip then email \"a\""), "");
    assert_eq!(journey("wait 2d if user.level > 3 then email \"a\""), "");
    insta::assert_snapshot!(findings("journey j { on started exit when purchased ever wait until purchased ever up to 2d then email \"a\" }"), @r"1:60 `purchased ever`: F0704 this is never true: what it asks for would have ended the journey [purchased ever: the journey ends by this]");
    insta::assert_snapshot!(findings("journey j { on started exit when user.level > 5\nwait 1d if user.level == 7 then email \"a\" }"), @r"2:12 `user.level == 7`: F0704 this is never true: what it asks for would have ended the journey [user.level > 5: the journey ends by this]");
    // A `set`, here or elsewhere, changes it at once; time changes it too.
    assert_eq!(journey("set user.vip = true if user.vip then email \"a\""), "");
    assert_eq!(
        findings("journey j { on started exit when user.vip wait 2d if user.vip then email \"a\" }\njourney k { on pinged set user.vip = true }"),
        ""
    );
    assert_eq!(
        findings(
            "journey j { on started exit when purchased in last 2d\nwait 1d if purchased in last 2d then email \"a\" }"
        ),
        ""
    );
}

#[test]
fn journeys_in_a_circle_of_attributes() {
    let two = |a: &str, b: &str, header: &str| {
        findings(&format!(
            "user {{ points: int = 0  seen: int? }}\njourney ping {{ on change user.level {header}\n{a} }}\njourney pong {{ on change user.points\n{b} }}"
        ))
    };
    insta::assert_snapshot!(two("set user.points += 1", "set user.level -= 2", ""), @r"3:1 `set user.points += 1`: F0706 `ping` and `pong` start each other for ever, at one instant [set user.level -= 2: and this leads back]");
    insta::assert_snapshot!(findings("journey j { on change user.level\nset user.level += 1 email \"a\" }"), @r"2:1 `set user.level += 1`: F0706 `j` starts itself again for ever, at one instant");
    insta::assert_snapshot!(findings("journey j { on change user.vip\nset user.vip = not user.vip }"), @r"2:1 `set user.vip = not user.vip`: F0706 `j` starts itself again for ever, at one instant");
    insta::assert_snapshot!(findings("journey a { on change user.level\nemit pinged }\njourney b { on pinged\nset user.level += 1 }"), @r"2:1 `emit pinged`: F0706 `a` and `b` start each other for ever, at one instant [set user.level += 1: and this leads back]");
    // The same value again is no change, what is missing stays missing, and a question may not hold.
    assert_eq!(two("set user.points += 1", "set user.level = 7", ""), "");
    assert_eq!(two("set user.points += 0", "set user.level += 1", ""), "");
    assert_eq!(two("set user.points += 1", "wait 1d set user.level += 1", ""), "");
    assert_eq!(two("set user.points += 1", "set user.level += 1", "where user.level < 10"), "");
    assert_eq!(two("set user.points += 1", "set user.level += 1", "enter once per 1d"), "");
    assert_eq!(two("set user.points += 1", "set user.level += 1 set user.level -= 1", ""), "");
    assert_eq!(two("if vip then set user.points += 1", "set user.level += 1", ""), "");
    // What one sets, the other sets to something else.
    let undo = |a: &str, b: &str| {
        findings(&format!("journey one {{ on change user.level\n{a} }}\njourney two {{ on change user.level\n{b} }}"))
    };
    assert_eq!(
        undo("set user.level = 1", "set user.level = 2"),
        "2:1 `set user.level = 1`: F0706 `one` and `two` start each other for ever, at one instant [set user.level = 2: and this leads back]\n"
    );
    assert_eq!(undo("set user.level = 1", "set user.level = 1"), "");
    assert_eq!(undo("set user.level = 1", "wait 1h set user.level = 2"), "");
    assert_eq!(undo("set user.level = 1", "if vip then set user.level = 2"), "");
    assert_eq!(undo("set user.level = 1", "set user.level = 2 wait 1h email \"a\""), "");
}

#[test]
fn a_cap_that_those_before_have_used_up() {
    let capped = |cap: &str, steps: &str| findings(&format!("policy {{ {cap} }}\njourney j {{ on started\n{steps} }}"));
    insta::assert_snapshot!(capped("at most 1 sms per 7d", "sms \"a\" wait 1d sms \"b\""), @r#"
    3:17 `sms "b"`: F0714 whoever got the messages before this one never gets it: they have used up the cap [at most 1 sms per 7d: lets 1 through in 7d]
    "#);
    insta::assert_snapshot!(capped("at most 2 messages per 7d", "email \"a\" wait for purchased up to 2d then end\nif vip then email \"b\" else email \"c\"\nwait until 09:00\nemail \"d\""), @r#"
    6:1 `email "d"`: F0714 whoever got the messages before this one never gets it: they have used up the cap [at most 2 messages per 7d: lets 2 through in 7d]
    "#);
    insta::assert_snapshot!(capped("at most 1 email per 3d quiet hours 21:00 to 08:00", "email \"a\" wait 1h email \"b\""), @r#"
    3:19 `email "b"`: F0714 whoever got the messages before this one never gets it: they have used up the cap [at most 1 email per 3d: lets 1 through in 3d]
    "#);
    // Somebody may get it: after long enough, after another channel, after a way without a message.
    assert_eq!(capped("at most 1 sms per 7d", "sms \"a\" wait 7d sms \"b\""), "");
    assert_eq!(capped("at most 1 sms per 1d", "sms \"a\" wait 1d sms \"b\""), "");
    assert_eq!(capped("at most 1 sms per 7d", "sms \"a\" wait 1d email \"b\""), "");
    assert_eq!(capped("at most 1 sms per 7d", "if vip then sms \"a\"\nwait 1d sms \"b\""), "");
    assert_eq!(capped("at most 1 sms per 7d", "sms \"a\" wait until vip up to 9d sms \"b\""), "");
    assert_eq!(capped("at most 1 sms per 7d", "sms \"a\" wait 1d sms \"b\" topic transactional"), "");
    assert_eq!(capped("at most 1 sms per 1d quiet hours 21:00 to 08:00 on sms", "sms \"a\" wait 1h sms \"b\""), "");
    assert_eq!(capped("at most 1 sms per 7d", "repeat every 30d { sms \"a\" }"), "");
    assert_eq!(capped("at most 1 sms per 2d", "sms \"a\" repeat every 3d up to 2 times { wait 1d sms \"b\" }"), "");
    assert_eq!(capped("at most 1 sms per 7d", "for n in 1d, 9d { wait n sms \"a\" }"), "");
    // In the rounds of a `repeat`, one by one.
    let rounds = |cap: &str, steps: &str| {
        let found = capped(cap, steps);
        let said = found.split_once("F0714 ").map(|(_, said)| said.split(" [").next().unwrap_or("").to_owned());
        said.map_or(found, |said| said.replace("whoever got this in the rounds before does not get it in ", ""))
    };
    assert_eq!(
        rounds("at most 2 sms per 7d", "repeat every 1d up to 5 times { sms \"a\" }"),
        "round 3: the cap is used up"
    );
    assert_eq!(
        rounds("at most 3 sms per 7d", "repeat every 1d { sms \"a\" wait 1h sms \"b\" }"),
        "round 3: the cap is used up"
    );
    assert_eq!(rounds("at most 1 sms per 7d", "repeat 3 times { wait 2d sms \"a\" }"), "round 2: the cap is used up");
    assert_eq!(rounds("at most 2 sms per 7d", "repeat every 1d up to 2 times { sms \"a\" }"), "");
    assert_eq!(rounds("at most 2 sms per 7d", "repeat every 4d { sms \"a\" }"), "");
    assert_eq!(rounds("at most 2 sms per 7d", "repeat every 1d { if vip then sms \"a\" }"), "");
    assert_eq!(rounds("at most 2 sms per 7d", "repeat every 1d { wait until vip up to 9d sms \"a\" }"), "");
    assert_eq!(rounds("at most 2 sms per 7d", "repeat every 1d { sms \"a\" topic transactional }"), "");
    // A mail for those whom no text message reached.
    assert_eq!(capped("at most 1 message per 7d", "sms \"a\" wait 1d email \"b\""), "");
    // At one instant it is surer, and said once.
    assert_eq!(capped("at most 1 sms per 1d", "sms \"a\" sms \"b\"").matches("F07").count(), 1);
}

#[test]
fn quiet_hours_that_are_never_over() {
    let quiet =
        |rules: &str, steps: &str| findings(&format!("policy {{\n{rules}\n}}\njourney j {{ on started\n{steps} }}"));
    insta::assert_snapshot!(quiet("quiet hours 20:00 to 08:00\nquiet hours 08:00 to 20:00 on sms", "sms \"a\""), @r#"
    3:1 `quiet hours 08:00 to 20:00 on sms`: F0715 no message on `sms` ever leaves: quiet hours cover the whole day [quiet hours 20:00 to 08:00: quiet together with this] [sms "a": this message is put off for ever]
    "#);
    insta::assert_snapshot!(quiet("quiet hours 20:00 to 09:00\nquiet hours 08:00 to 12:00\nquiet hours 12:00 to 21:00", "send \"a\" via email or sms"), @r#"
    4:1 `quiet hours 12:00 to 21:00`: F0715 no message on `email`, `sms` ever leaves: quiet hours cover the whole day [quiet hours 20:00 to 09:00: quiet together with this] [quiet hours 08:00 to 12:00: quiet together with this] [send "a" via email or sms: this message is put off for ever]
    "#);
    assert_eq!(quiet("quiet hours 20:00 to 08:00\nquiet hours 08:01 to 20:00 on sms", "sms \"a\""), "");
    assert_eq!(quiet("quiet hours 20:00 to 08:00\nquiet hours 08:00 to 20:00 on sms", "email \"a\""), "");
    assert_eq!(
        quiet("quiet hours 20:00 to 08:00\nquiet hours 08:00 to 20:00 on sms", "sms \"a\" topic transactional"),
        ""
    );
    assert_eq!(
        quiet("quiet hours 20:00 to 08:00\nquiet hours 08:00 to 20:00 on sms", "send \"a\" via email or sms"),
        ""
    );
}
