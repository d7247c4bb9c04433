//! Random conditions.

use crate::random::Random;
use crate::tree::Condition;

/// What can be named where a condition stands.
#[derive(Clone, Default)]
pub struct Place {
    /// In a journey, where `since this entry` has a meaning.
    pub entry: bool,
    /// The event whose fields `trigger` has.
    pub trigger: Option<&'static str>,
    /// In a `where` of this event.
    pub event: Option<&'static str>,
    /// Messages bound with `as` above.
    pub messages: Vec<String>,
    /// Numbers bound by `for` above.
    pub numbers: Vec<String>,
    pub segments: usize,
}

pub const WINDOWS: &[&str] = &["1h", "2h", "90m", "6h", "1d", "36h", "2d", "3d"];
pub const EVENTS: &[&str] = &["viewed", "bought", "pinged"];

/// A condition, at most so deep.
pub fn condition(r: &mut Random, place: &Place, depth: usize) -> Condition {
    if depth > 0 {
        let inner = |r: &mut Random| Box::new(condition(r, place, depth - 1));
        match r.weighted(&[55, 15, 15, 15]) {
            1 => return Condition::Not(inner(r)),
            2 => return Condition::And(inner(r), inner(r)),
            3 => return Condition::Or(inner(r), inner(r)),
            _ => {}
        }
    }
    Condition::Leaf(leaf(r, place))
}

fn leaf(r: &mut Random, place: &Place) -> String {
    if let Some(event) = place.event {
        if r.chance(75) {
            return filter(r, event, place.trigger).replace('@', "");
        }
        return attribute(r);
    }
    let entry = usize::from(place.entry);
    let weights = [
        15 * entry,
        20,
        20,
        20,
        12,
        10 * usize::from(place.trigger.is_some()),
        6 * usize::from(!place.messages.is_empty()),
        5 * usize::from(!place.numbers.is_empty()),
        8 * usize::from(place.segments > 0),
        5 * entry,
    ];
    match r.weighted(&weights) {
        0 => occurred(r, ""),
        1 => {
            let window = window(r);
            occurred(r, &window)
        }
        2 => aggregate(r, place),
        3 => attribute(r),
        4 => clock(r),
        5 => filter(r, place.trigger.unwrap_or("viewed"), None).replace("@", "trigger."),
        6 => {
            let message = &place.messages[r.below(place.messages.len())];
            format!("{message}.{}", r.pick(&["opened", "clicked"]))
        }
        7 => {
            let name = &place.numbers[r.below(place.numbers.len())];
            format!("{name} {} {}", r.pick(&["<", ">", "=="]), 1 + r.below(3))
        }
        8 => format!("seg{}", r.below(place.segments)),
        _ => format!("can {}", r.pick(&["email", "sms"])),
    }
    .replace('@', "")
}

/// A window, with a blank before it.
pub fn window(r: &mut Random) -> String {
    match r.below(8) {
        0 => " ever".into(),
        1 => " since 2026-03-28T12:00Z".into(),
        2 => " since today".into(),
        _ => format!(" in last {}", r.pick(WINDOWS)),
    }
}

fn occurred(r: &mut Random, window: &str) -> String {
    if r.chance(6) {
        return format!("email.opened{window}");
    }
    if r.chance(5) {
        return "store".into();
    }
    let event = r.pick(EVENTS);
    if r.chance(35) {
        format!("({event}{window} where {})", plain(r, event))
    } else {
        format!("{event}{window}")
    }
}

fn plain(r: &mut Random, event: &'static str) -> String {
    filter(r, event, None).replace('@', "")
}

fn window_or_entry(r: &mut Random, place: &Place) -> String {
    if place.entry && r.chance(30) {
        String::new()
    } else {
        window(r)
    }
}

fn aggregate(r: &mut Random, place: &Place) -> String {
    let window = window_or_entry(r, place);
    let event = r.pick(EVENTS);
    let filter = if r.chance(30) { format!(" where {}", plain(r, event)) } else { String::new() };
    let cmp = r.pick(&[">=", ">", "<", "==", "<=", "!="]);
    match r.below(7) {
        0..=2 => format!("count({event}{window}{filter}) {cmp} {}", r.below(4)),
        3 => {
            let (field, event) =
                *r.pick(&[&("qty", "viewed"), &("price", "viewed"), &("amount", "bought"), &("n", "pinged")]);
            let function = r.pick(&["sum", "sum", "min", "max", "avg"]);
            format!("{function}({field} of {event}{window}) {cmp} {}", r.pick(&["0", "2", "10.5", "30", "45"]))
        }
        4 => format!("last(viewed{window}).price {cmp} {}", r.pick(&["5", "10.5", "20"])),
        5 => format!("first(bought{window}).item == \"{}\"", r.pick(&["a", "b"])),
        _ => format!(
            "hours between last({event}{window}).time and now {} {}",
            r.pick(&[">=", "<"]),
            r.pick(&["1", "2", "5", "24"])
        ),
    }
}

fn attribute(r: &mut Random) -> String {
    let cmp = r.pick(&[">=", ">", "<", "==", "<=", "!="]);
    match r.below(14) {
        0..=3 => format!("user.score {cmp} {}", r.below(5)),
        4 => format!("user.spent {cmp} {}", r.pick(&["0", "20.5", "40"])),
        5 => "user.vip".into(),
        6 => format!("user.plan {} \"{}\"", r.pick(&["==", "!="]), r.pick(&["pro", "free"])),
        7 => format!(
            "user.{} is {}",
            r.pick(&["plan", "due", "meet", "country", "phone"]),
            r.pick(&["missing", "known"])
        ),
        8 => "user.country in [\"IT\", \"ES\"]".into(),
        9 => format!("user.plan {} \"pr\"", r.pick(&["contains", "starts with"])),
        10 => format!("user.due {cmp} today"),
        11 => format!("days between today and user.due {cmp} {}", r.below(3)),
        12 => format!("now {} user.meet", r.pick(&[">", ">=", "<", "<="])),
        _ => "length(user.plan ?? \"\") > 3".into(),
    }
}

fn clock(r: &mut Random) -> String {
    let cmp = r.pick(&[">=", ">", "<", "==", "<="]);
    match r.below(6) {
        0 | 1 => format!("hour(now) {cmp} {}", r.pick(&["2", "3", "9", "12", "23"])),
        2 => format!("weekday(now) {} {}", r.pick(&["==", "!="]), r.pick(&["saturday", "sunday", "monday", "friday"])),
        3 => format!(
            "now {} 2026-03-{} {}",
            r.pick(&[">", ">=", "<", "<="]),
            r.pick(&["28", "29", "08"]),
            r.pick(&["09:00", "02:30"])
        ),
        4 => format!("today {cmp} 2026-03-{}", r.pick(&["28", "29", "07"])),
        _ => format!("day(today) {cmp} {}", r.pick(&["1", "28", "29"])),
    }
}

/// About a field of an event; `@` stands before its name.
pub fn filter(r: &mut Random, event: &str, trigger: Option<&'static str>) -> String {
    let cmp = r.pick(&[">=", ">", "<", "==", "<=", "!="]);
    if let (Some(trigger), true) = (trigger, r.chance(30)) {
        match (event, trigger) {
            ("viewed" | "bought", "viewed" | "bought") => {
                return format!("@item {} trigger.item", r.pick(&["==", "!="]))
            }
            ("pinged", "pinged") => return format!("@n {cmp} trigger.n"),
            _ => {}
        }
    }
    match (event, r.below(3)) {
        ("viewed", 0) => format!("@price {cmp} {}", r.pick(&["5", "10.5", "20"])),
        ("viewed", 1) => format!("@qty {cmp} {}", r.below(4)),
        ("bought", 0) => format!("@amount {cmp} {}", r.pick(&["5", "10.5", "20"])),
        ("bought", 1) => "@gift".into(),
        ("pinged", 0 | 1) => format!("@n {cmp} {}", r.below(4)),
        ("pinged", _) => format!("@note {}", r.pick(&["is missing", "is known", "== \"x\""])),
        ("promoted", _) => format!("@level {cmp} {}", r.below(3)),
        _ => format!("@item in [\"{}\", \"c\"]", r.pick(&["a", "b"])),
    }
}
