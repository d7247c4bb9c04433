//! Random inputs: few distinct times, so that much happens at once and at the very end of waits and windows.

use crate::random::Random;
use flow_runtime::calendar;
use serde_json::{json, Value as Json};

const HALF_HOUR: i64 = 1_800_000;
pub const GRAIN: i64 = HALF_HOUR;
/// Who turns out to be `p`.
const GUEST: &str = "guest";

/// First instants near clock changes, month ends and leap days.
const STARTS: &[&str] = &[
    "2026-03-28T09:00Z",
    "2026-03-28T00:00Z",
    "2026-03-07T10:00Z",
    "2026-04-04T00:00Z",
    "2026-10-24T08:00Z",
    "2026-10-31T20:00Z",
    "2026-03-02T09:00Z",
    "2028-02-28T09:00Z",
    "2026-01-30T23:00Z",
];
const ZONES: &[&str] = &["Europe/Rome", "America/New_York", "Australia/Lord_Howe", "UTC"];
/// Half hours between one time and the next.
const STEPS: &[i64] = &[1, 1, 2, 2, 3, 4, 6, 8, 12, 24, 44, 46, 47, 48, 49, 50, 72, 96];

/// The project's zone, the lines in order of arrival, and when to stop.
pub fn inputs(r: &mut Random) -> (String, Vec<String>, i64) {
    let mut time = calendar::parse_instant(&instant(r.pick(STARTS))).expect("an instant");
    let people: &[&str] = match r.weighted(&[60, 20, 20]) {
        0 => &["p"],
        1 => &["p", "q"],
        _ => &["p", GUEST],
    };
    let mut lines = Vec::new();
    for id in people {
        if r.chance(85) {
            let mut traits = json!({ "email": format!("{id}@example.com") });
            if r.chance(60) {
                traits["phone"] = json!("+390200000000");
            }
            if r.chance(60) {
                traits["timezone"] = json!(r.pick(ZONES));
            }
            lines.push(line("identify", id, time, &json!({ "traits": traits })));
        }
    }
    let count = 5 + r.below(30);
    let joined = people.contains(&GUEST).then(|| count / 2 + r.below(count / 2));
    for number in 0..count {
        if joined == Some(number) {
            let alias = json!({ "type": "alias", "previousId": GUEST, "userId": "p" });
            time += HALF_HOUR;
            lines.push(line("alias", "p", time, &alias));
        }
        if r.chance(55) {
            time += HALF_HOUR * STEPS[r.below(STEPS.len())];
        }
        let own = if r.chance(10) { time - HALF_HOUR * STEPS[r.below(STEPS.len())] } else { time };
        let id = r.pick(people);
        if id == GUEST {
            // Nobody knows which of two ids did something first at one instant.
            time += HALF_HOUR;
        }
        let own = if id == GUEST { time } else { own };
        lines.push(happening(r, id, own, time));
        if id == GUEST {
            time += HALF_HOUR;
        }
    }
    (r.pick(ZONES).to_owned(), lines, time + 6 * calendar::DAY)
}

fn instant(text: &str) -> String {
    text.replace('Z', ":00Z")
}

fn line(kind: &str, id: &str, time: i64, rest: &Json) -> String {
    let mut json = json!({ "type": kind, "userId": id, "timestamp": calendar::instant_text(time) });
    for (key, value) in rest.as_object().expect("an object") {
        json[key] = value.clone();
    }
    json.to_string()
}

fn happening(r: &mut Random, id: &str, time: i64, now: i64) -> String {
    let (event, properties) = match r.weighted(&[26, 20, 16, 22, 6, 4, 3, 2]) {
        0 => (
            "viewed",
            json!({
                "item": r.pick(&["a", "b", "c"]),
                "price": ([json!(5), json!(10.5), json!(20), json!(7.25)][r.below(4)]),
                "qty": r.below(4),
            }),
        ),
        1 => (
            "bought",
            json!({
                "item": r.pick(&["a", "b", "c"]),
                "amount": ([json!(5), json!(10.5), json!(20), json!(30.1)][r.below(4)]),
                "gift": r.chance(50),
            }),
        ),
        2 if r.chance(50) => ("pinged", json!({ "n": r.below(4), "note": r.pick(&["x", "y"]) })),
        2 => ("pinged", json!({ "n": r.below(4) })),
        3 => return line("identify", id, time, &json!({ "traits": traits(r, now) })),
        4 => {
            let what = r.pick(&[
                "Email Opened",
                "Email Opened",
                "Email Clicked",
                "SMS Clicked",
                "Email Bounced",
                "Email Marked as Spam",
            ]);
            let soft = if r.chance(30) { json!({ "type": "soft" }) } else { json!({}) };
            (what, soft)
        }
        5 => {
            let name = r.pick(&["Unsubscribed", "Unsubscribed", "Subscribed"]);
            let what = match r.below(4) {
                0 => json!({}),
                1 => json!({ "channel": "sms" }),
                _ => json!({ "topic": r.pick(&["news", "offers"]) }),
            };
            (name, what)
        }
        6 => ("location", json!({ "lat": if r.chance(50) { 45.4642 } else { 45.6 }, "lon": 9.19 })),
        _ => return line("list", id, time, &json!({ "name": "guests" })),
    };
    line("track", id, time, &json!({ "event": event, "properties": properties }))
}

fn traits(r: &mut Random, now: i64) -> Json {
    let mut traits = json!({});
    for _ in 0..=r.below(2) {
        let day = (now.div_euclid(calendar::DAY)) as i32;
        let date = |day: i32| {
            let mut out = String::new();
            calendar::push_date(&mut out, day);
            json!(out)
        };
        match r.below(10) {
            0..=2 => traits["score"] = json!(r.below(5)),
            3 => traits["spent"] = [json!(0), json!(20.5), json!(41)][r.below(3)].clone(),
            4 => traits["plan"] = [json!("pro"), json!("free"), Json::Null][r.below(3)].clone(),
            5 => traits["vip"] = json!(r.chance(50)),
            6 if r.chance(25) => traits["due"] = Json::Null,
            6 => traits["due"] = date(day - 1 + r.below(4) as i32),
            7 => traits["meet"] = json!(calendar::instant_text(now + HALF_HOUR * (r.below(12) as i64 - 2))),
            8 => traits["country"] = json!(r.pick(&["IT", "ES", "FR"])),
            _ => match r.below(4) {
                0 => traits["timezone"] = json!(r.pick(ZONES)),
                1 => traits["email"] = json!(r.pick(&["new@example.com", "nowhere", "p@example.com"])),
                2 => traits["phone"] = [json!("+390200000001"), Json::Null][r.below(2)].clone(),
                _ => traits["consent"] = json!({ r.pick(&["news", "offers"]): r.chance(60) }),
            },
        }
    }
    traits
}
