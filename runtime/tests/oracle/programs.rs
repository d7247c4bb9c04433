//! Random programs over one schema.

use crate::conditions::{condition, Place, EVENTS, WINDOWS};
use crate::random::Random;
use crate::tree::{text, Node, Part};

const SCHEMA: &str = r#"event viewed { item: text  price: number  qty: int }
event bought { item: text  amount: number  gift: bool }
event pinged { n: int  note: text? }
event promoted { level: int }
user {
  email: email?  phone: phone?  timezone: timezone?
  score: int = 0  spent: number = 0  plan: text?  vip: bool = false
  due: date?  meet: datetime?  country: one of "IT", "ES", "FR"?
}
channel email to user.email
channel sms to user.phone
channel banner
fence store = circle 45.4642, 9.1900 radius 500m"#;

const LENGTHS: &[&str] = &["30m", "1h", "1h", "90m", "2h", "3h", "6h", "1d", "1d", "2d"];
const SHORT: &[&str] = &["30m", "1h", "90m", "2h", "3h"];
const TIMES: &[&str] = &["09:00", "02:30", "12:00", "23:30", "00:00", "18:00"];
const DAYS: &[&str] = &["sunday", "saturday", "monday", "friday", "weekdays", "weekends"];

struct Maker<'r> {
    r: &'r mut Random,
    journeys: usize,
    /// Messages and names are told apart by a number.
    count: usize,
    /// How many steps may still be made.
    budget: usize,
}

/// A program: its items.
pub fn program(r: &mut Random) -> Vec<Node> {
    let mut items = vec![vec![text(SCHEMA)]];
    let segments = r.below(3);
    for index in 0..segments {
        let place = Place { segments: index, ..Place::default() };
        let condition = condition(r, &place, 2);
        items.push(vec![text(format!("segment seg{index} = ")), Part::Condition(condition)]);
    }
    if r.chance(35) {
        let mut rules: Vec<Node> = (0..=r.below(3)).map(|_| rule(r)).collect();
        // Of two quiet hours, which may leave no time at all, one is enough.
        let mut quiet = false;
        rules.retain(|rule| {
            let is = matches!(&rule[0], Part::Text(t) if t.starts_with("quiet"));
            !(is && std::mem::replace(&mut quiet, true))
        });
        items.push(vec![text("policy "), Part::Block(rules)]);
    }
    let journeys = 1 + r.weighted(&[40, 35, 15, 10]);
    let mut maker = Maker { r, journeys, count: 0, budget: 0 };
    for index in 0..journeys {
        maker.budget = 12;
        items.push(maker.journey(index, segments));
    }
    items
}

/// Two times of day that are not the same.
fn two_times(r: &mut Random) -> (&'static str, &'static str) {
    let first = r.below(TIMES.len());
    let second = (first + 1 + r.below(TIMES.len() - 1)) % TIMES.len();
    (TIMES[first], TIMES[second])
}

fn rule(r: &mut Random) -> Node {
    vec![text(match r.below(5) {
        0 => {
            let (from, to) = two_times(r);
            format!("quiet hours {from} to {to} on {}", r.pick(&["email", "sms", "sms, email"]))
        }
        1 => {
            format!("quiet hours {} to {}", r.pick(&["22:00", "12:30", "01:00"]), r.pick(&["07:00", "14:00", "03:30"]))
        }
        2 => format!("at most {} messages per {}", 1 + r.below(3), r.pick(WINDOWS)),
        3 => format!("at most {} {} per {}", 1 + r.below(2), r.pick(&["email", "sms", "banner"]), r.pick(WINDOWS)),
        _ => "require consent for offers".into(),
    })]
}

impl Maker<'_> {
    fn journey(&mut self, index: usize, segments: usize) -> Node {
        let mut place = Place { entry: true, segments, ..Place::default() };
        let mut header = Vec::new();
        for nth in 0..=self.r.weighted(&[75, 20, 5]) {
            let trigger = self.trigger(segments, &mut place);
            if nth > 0 {
                place.trigger = None;
            }
            header.push(trigger);
        }
        if header.len() > 1 {
            place.trigger = None;
        }
        self.rules(&mut header, &place);
        let body = self.steps(&mut place.clone(), 3);
        vec![text(format!("journey j{index} {{\n")), Part::List(header), Part::List(body), text("}")]
    }

    /// An event with a `where` or without.
    fn event(&mut self, event: &'static str, trigger: Option<&'static str>, segments: usize) -> Vec<Part> {
        let mut parts = vec![text(event)];
        if self.r.chance(40) {
            let place = Place { event: Some(event), trigger, segments, ..Place::default() };
            let condition = condition(self.r, &place, 1);
            parts.push(Part::Maybe(vec![text(" where "), Part::Condition(condition)]));
        }
        parts
    }

    fn trigger(&mut self, segments: usize, place: &mut Place) -> Node {
        let outside = Place { segments, ..Place::default() };
        let mut parts = vec![text("on ")];
        match self.r.weighted(&[50, 14, 14, 10, 8, 8, 4]) {
            0 => {
                let event = self.r.pick(&["viewed", "viewed", "bought", "pinged", "promoted"]);
                place.trigger = Some(event);
                parts.extend(self.event(event, None, segments));
            }
            1 => {
                let event = self.r.pick(EVENTS);
                let without = self.r.pick(EVENTS);
                place.trigger = Some(event);
                parts.extend(self.event(event, None, segments));
                parts.push(text(" without "));
                parts.extend(self.event(without, Some(event), segments));
                parts.push(text(format!(" within {}", self.r.pick(LENGTHS))));
            }
            2 => {
                parts.push(text(self.r.pick(&["enter ", "leave "])));
                if segments > 0 && self.r.chance(60) {
                    parts.push(text(format!("seg{}", self.r.below(segments))));
                } else {
                    parts.extend([text("("), Part::Condition(condition(self.r, &outside, 2)), text(")")]);
                }
            }
            3 => {
                let attribute = self.r.pick(&["score", "plan", "vip", "due", "spent", "timezone"]);
                parts.push(text(format!("change user.{attribute}")));
                if self.r.chance(40) {
                    parts.push(Part::Maybe(vec![text(" where "), Part::Condition(condition(self.r, &outside, 1))]));
                }
            }
            4 => {
                let yearly = self.r.pick(&["", " yearly"]);
                let date = self.r.pick(&["user.due", "user.due", "user.due - 1d", "user.due + 1d"]);
                parts.push(text(format!("date {date}{yearly} at {}", self.r.pick(TIMES))));
            }
            5 => {
                let days = self.r.pick(&["day", "day", "sunday", "weekdays", "friday", "saturday"]);
                parts.push(text(format!("every {days} at {}", self.r.pick(TIMES))));
                if self.r.chance(60) {
                    parts.push(Part::Maybe(vec![
                        text(" for ("),
                        Part::Condition(condition(self.r, &outside, 1)),
                        text(")"),
                    ]));
                }
            }
            _ => parts.push(text("list \"guests\"")),
        }
        parts
    }

    fn rules(&mut self, header: &mut Vec<Node>, place: &Place) {
        let per = match place.trigger {
            Some("viewed" | "bought") => "item",
            Some("pinged") => self.r.pick(&["n", "note"]),
            _ => "",
        };
        let enter = match self.r.weighted(&[40, 8, 12, 12, 14, 8, 6]) {
            1 => Some("enter once".to_owned()),
            2 => Some(format!("enter once per {}", self.r.pick(LENGTHS))),
            3 => Some("enter restart".to_owned()),
            4 => Some("enter always".to_owned()),
            5 if !per.is_empty() => Some(format!("enter per {per}")),
            6 if !per.is_empty() => {
                Some(format!("enter per {per} {}", self.r.pick(&["once", "restart", "once per 2h"])))
            }
            _ => None,
        };
        header.extend(enter.map(|e| vec![text(e)]));
        if self.r.chance(15) {
            let event = self.r.pick(EVENTS);
            let mut parts = vec![text("exit on ")];
            parts.extend(self.event(event, place.trigger, place.segments));
            header.push(parts);
        }
        if self.r.chance(15) {
            header.push(vec![text("exit when "), Part::Condition(condition(self.r, place, 2))]);
        }
        if self.r.chance(10) {
            header.push(vec![text(format!("exit after {}", self.r.pick(LENGTHS)))]);
        }
        if self.r.chance(20) {
            let event = self.r.pick(EVENTS);
            let mut parts = vec![text("goal ")];
            parts.extend(self.event(event, place.trigger, place.segments));
            if self.r.chance(50) {
                parts.push(Part::Maybe(vec![text(format!(" within {}", self.r.pick(LENGTHS)))]));
            }
            header.push(parts);
        }
        if self.r.chance(25) {
            header.push(vec![text(format!("topic {}", self.r.pick(&["news", "offers", "transactional"])))]);
        }
        if self.r.chance(5) {
            header.push(vec![text(self.r.pick(&["holdout 0%", "holdout 100%"]))]);
        }
    }

    fn steps(&mut self, place: &mut Place, depth: usize) -> Vec<Node> {
        let mut steps = Vec::new();
        for _ in 0..=self.r.below(4) {
            if self.budget == 0 {
                break;
            }
            self.budget -= 1;
            steps.push(self.step(place, depth));
        }
        if steps.is_empty() {
            steps.push(self.message(place));
        }
        steps
    }

    fn block(&mut self, place: &Place, depth: usize) -> Part {
        Part::Block(self.steps(&mut place.clone(), depth.saturating_sub(1)))
    }

    fn then_else(&mut self, parts: &mut Vec<Part>, place: &Place, depth: usize) {
        if self.r.chance(60) {
            parts.push(Part::Maybe(vec![text(" then "), self.block(place, depth)]));
            if self.r.chance(60) {
                parts.push(Part::Maybe(vec![text(" else "), self.block(place, depth)]));
            }
        }
    }

    fn step(&mut self, place: &mut Place, depth: usize) -> Node {
        if depth > 0 && self.r.chance(45) {
            return self.nested(place, depth);
        }
        match self.r.weighted(&[40, 18, 16, 10, 6, 3, 3, 3]) {
            0 => self.message(place),
            1 => vec![text(format!("wait {}", self.r.pick(LENGTHS)))],
            2 => self.simple_wait(),
            3 => vec![text(match self.r.below(8) {
                0..=2 => format!("set user.score {} {}", self.r.pick(&["=", "+=", "-="]), self.r.below(3)),
                3 => format!("set user.spent += {}", self.r.pick(&["1", "10.25"])),
                4 => format!("set user.plan = \"{}\"", self.r.pick(&["pro", "free"])),
                5 => format!("set user.vip = {}", self.r.pick(&["true", "false"])),
                6 => format!("set user.due = today + {}d", self.r.below(3)),
                _ => format!("set user.meet = now + {}", self.r.pick(SHORT)),
            })],
            4 => vec![text(format!(
                "emit promoted {{ level: {} }}",
                self.r.pick(&["1", "2", "user.score", "count(viewed ever)"])
            ))],
            5 => vec![text(format!("start j{}", self.r.below(self.journeys)))],
            6 => vec![text(format!("{} buyers", self.r.pick(&["add to", "remove from"])))],
            _ => vec![text("end")],
        }
    }

    fn message(&mut self, place: &mut Place) -> Node {
        self.count += 1;
        let number = self.count;
        let hole = match self.r.below(8) {
            0 => " {user.score}",
            1 => " {count(viewed ever)}",
            2 => " {user.plan ?? \"none\"}",
            3 => " {sum(amount of bought ever)}",
            4 if place.trigger == Some("viewed") => " {trigger.item} {trigger.price}",
            5 if place.trigger == Some("pinged") => " {trigger.note ?? \"-\"}{trigger.n}",
            6 => " {count(pinged)}",
            _ => "",
        };
        let content = if self.r.chance(15) { format!("letter{number}") } else { format!("\"m{number}{hole}\"") };
        let mut parts = match self.r.weighted(&[45, 20, 20, 8, 7]) {
            0 => vec![text(format!("email {content}"))],
            1 => vec![text(format!("sms {content}"))],
            2 => vec![text(format!("banner {content}"))],
            3 => vec![text(format!(
                "send {content} via {}",
                self.r.pick(&["sms or email", "email or sms", "sms or banner"])
            ))],
            _ => vec![text(format!("send {content} via {}", self.r.pick(&["sms and email", "email and banner"])))],
        };
        if self.r.chance(8) {
            parts
                .push(Part::Maybe(vec![text(format!(" topic {}", self.r.pick(&["news", "offers", "transactional"])))]));
        }
        if self.r.chance(15) && !matches!(&parts[0], Part::Text(t) if t.contains(" and ")) {
            let name = format!("msg{number}");
            parts.push(text(format!(" as {name}")));
            place.messages.push(name);
        }
        parts
    }

    fn simple_wait(&mut self) -> Node {
        let r = &mut *self.r;
        vec![text(match r.below(8) {
            0 => format!("wait until {}", r.pick(TIMES)),
            1 => format!("wait until {} {}", r.pick(DAYS), r.pick(TIMES)),
            2 => format!("wait until 2026-03-{} {}", r.pick(&["28", "29", "30", "08"]), r.pick(TIMES)),
            3 => {
                let moment = r.pick(&["user.due", "user.due - 1d", "user.meet", "user.meet + 1h", "user.due + 9h"]);
                format!("wait until {moment} up to {}", r.pick(LENGTHS))
            }
            4 | 5 => {
                let (from, to) = two_times(r);
                let days = if r.chance(50) { format!(" on {}", r.pick(DAYS)) } else { String::new() };
                format!("wait within {from} to {to}{days}")
            }
            6 => format!("wait for best hour of email within {}", r.pick(&["3h", "1d"])),
            _ => format!("wait {}", r.pick(&["1mo", "1w", "1d", "0m"])),
        })]
    }

    fn nested(&mut self, place: &mut Place, depth: usize) -> Node {
        let mut parts = Vec::new();
        match self.r.weighted(&[30, 20, 20, 8, 4, 8, 5, 5, 5]) {
            0 => {
                parts.extend([text("if "), Part::Condition(condition(self.r, place, 2)), text(" then ")]);
                parts.push(self.block(place, depth));
                if self.r.chance(50) {
                    parts.push(Part::Maybe(vec![text(" else "), self.block(place, depth)]));
                }
            }
            1 => {
                parts.extend([text("wait until "), Part::Condition(condition(self.r, place, 2))]);
                parts.push(text(format!(" up to {}", self.r.pick(LENGTHS))));
                self.then_else(&mut parts, place, depth);
            }
            2 => {
                if !place.messages.is_empty() && self.r.chance(30) {
                    let message = &place.messages[self.r.below(place.messages.len())];
                    parts.push(text(format!("wait for {message}.{}", self.r.pick(&["opened", "clicked"]))));
                } else if self.r.chance(15) {
                    let (a, b) = (self.r.pick(EVENTS), self.r.pick(&["promoted", "email.opened"]));
                    parts.push(text(format!("wait for {a}, {b}")));
                } else {
                    parts.push(text("wait for "));
                    let event = self.r.pick(EVENTS);
                    parts.extend(self.event(event, place.trigger, place.segments));
                }
                let bound = match self.r.below(5) {
                    0 => format!(" until {}", self.r.pick(&["2026-03-29 12:00", "user.due + 1d"])),
                    1 if self.r.chance(30) => " until user.meet".into(),
                    _ => format!(" up to {}", self.r.pick(LENGTHS)),
                };
                parts.push(text(bound));
                self.then_else(&mut parts, place, depth);
            }
            3 => {
                parts.push(text("together "));
                parts.push(self.block(place, depth));
                for _ in 0..=self.r.below(2) {
                    parts.push(text(" "));
                    parts.push(self.block(place, depth));
                }
            }
            4 => {
                parts.push(text("split { 100% all: "));
                parts.push(self.block(place, depth));
                parts.push(text(" }"));
            }
            5 => {
                let times = 1 + self.r.below(3);
                if self.r.chance(70) {
                    parts.push(text(format!("repeat every {} up to {times} times ", self.r.pick(LENGTHS))));
                } else {
                    parts.push(text(format!("repeat {times} times ")));
                }
                parts.push(self.block(place, depth));
            }
            6 => {
                self.count += 1;
                let name = format!("x{}", self.count);
                let mut place = place.clone();
                place.numbers.push(name.clone());
                parts.push(text(format!("for {name} in 1, 2 ")));
                parts.push(self.block(&place, depth));
            }
            7 => {
                let (subject, arms) = *self.r.pick(&[
                    &("user.country", ["\"IT\"", "\"ES\", \"FR\""]),
                    &("user.score", ["0, 1", "2"]),
                    &("user.plan ?? \"free\"", ["\"pro\"", "\"free\""]),
                    &("weekday(now)", ["sunday", "saturday, friday"]),
                ]);
                parts.push(text(format!("match {subject} {{ ")));
                for arm in arms {
                    let mut inner = vec![text(format!(" {arm} -> "))];
                    inner.push(self.block(place, depth));
                    parts.push(Part::Maybe(inner));
                }
                if self.r.chance(50) {
                    parts.push(Part::Maybe(vec![text(" else -> "), self.block(place, depth)]));
                }
                parts.push(text(" }"));
            }
            _ => parts.push(self.block(place, depth)),
        }
        parts
    }
}
