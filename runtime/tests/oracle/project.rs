//! A project as the oracle sees it: the declarations of the syntax tree, by name.

use flow_compiler::bytecode::Duration;
use flow_grammar::ast::{self, ClauseKind, DurationLit, EnterPart, Expr, ExprKind, Item, Trigger, Unit};
use flow_grammar::span::FileId;
use flow_runtime::calendar::Zones;
use flow_runtime::vm::value::Value;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// Declarations, united over all files.
pub struct Project {
    pub zones: Zones,
    pub zone: TimeZone,
    /// Whether the project declares its events and attributes.
    pub declared: bool,
    pub events: BTreeMap<String, ast::EventDecl>,
    pub attributes: BTreeMap<String, ast::FieldDecl>,
    /// Channel to the attribute with the contact.
    pub channels: BTreeMap<String, Option<String>>,
    pub segments: BTreeMap<String, Expr>,
    pub fences: BTreeMap<String, ast::FenceDecl>,
    pub rules: Vec<ast::PolicyKind>,
    /// In declared order.
    pub journeys: Vec<Journey>,
    /// Every length of time that the source names.
    pub lengths: Vec<i64>,
}

/// A journey with its clauses sorted by kind.
pub struct Journey {
    pub name: String,
    pub triggers: Vec<Trigger>,
    pub exits: Vec<ClauseKind>,
    pub goals: Vec<(ast::EventMatch, Option<Expr>)>,
    pub topic: String,
    /// 0% or 100% only.
    pub holdout: bool,
    pub per: Vec<String>,
    pub once: bool,
    pub once_per: Option<Expr>,
    pub restart: bool,
    pub always: bool,
    pub body: Vec<ast::Step>,
}

impl Project {
    /// Reads the files of a project (path and text, in order).
    pub fn read(sources: &[(String, String)], zone: &str) -> Result<Self, String> {
        let zones = Zones::bundled();
        let mut project = Self {
            zone: zones.get(zone).ok_or("unknown zone")?,
            zones,
            declared: false,
            events: BTreeMap::new(),
            attributes: BTreeMap::new(),
            channels: BTreeMap::new(),
            segments: BTreeMap::new(),
            fences: BTreeMap::new(),
            rules: Vec::new(),
            journeys: Vec::new(),
            lengths: Vec::new(),
        };
        let mut lengths = BTreeSet::new();
        for (index, (path, text)) in sources.iter().enumerate() {
            let parse = flow_grammar::parse(FileId(index as u32), text);
            if !parse.errors.is_empty() {
                return Err(format!("{path}: {:?}", parse.errors));
            }
            find_lengths(text, &mut lengths);
            for item in parse.file.items {
                project.add(item, path);
            }
        }
        project.lengths = lengths.into_iter().collect();
        Ok(project)
    }

    fn add(&mut self, item: Item, path: &str) {
        match item {
            Item::Event(event) => {
                self.declared = true;
                self.events.insert(event.name.text.clone(), event);
            }
            Item::User(user) => {
                self.declared = true;
                for field in user.fields {
                    self.attributes.insert(field.name.text.clone(), field);
                }
            }
            Item::Channel(channel) => {
                self.channels.insert(channel.name.text, channel.contact.map(|c| c.text));
            }
            Item::Segment(segment) => {
                self.segments.insert(segment.name.text, segment.condition);
            }
            Item::Fence(fence) => {
                self.fences.insert(fence.name.text.clone(), fence);
            }
            Item::Policy(policy) => self.rules.extend(policy.rules.into_iter().map(|r| r.kind)),
            Item::Journey(journey) => self.journeys.push(Journey::new(journey, path)),
            Item::Type(_) | Item::Api(_) | Item::Test(_) | Item::Broken(_) => {}
        }
    }

    /// The attribute that holds a channel's contact.
    pub fn contact(&self, channel: &str) -> Option<&str> {
        self.channels.get(channel).and_then(|c| c.as_deref())
    }

    /// Whether people must have agreed to a topic, rather than only not have objected.
    pub fn needs_consent(&self, topic: &str) -> bool {
        self.rules.iter().any(
            |rule| matches!(rule, ast::PolicyKind::RequireConsent(topics) if topics.iter().any(|t| t.text == topic)),
        )
    }
}

impl Journey {
    fn new(decl: ast::JourneyDecl, path: &str) -> Self {
        let file = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".flow");
        let mut journey = Self {
            name: decl.name.map_or_else(|| file.to_owned(), |n| n.text),
            triggers: Vec::new(),
            exits: Vec::new(),
            goals: Vec::new(),
            topic: String::new(),
            holdout: false,
            per: Vec::new(),
            once: false,
            once_per: None,
            restart: false,
            always: false,
            body: decl.body,
        };
        for clause in decl.header {
            match clause.kind {
                ClauseKind::On(triggers) => journey.triggers.extend(triggers),
                ClauseKind::Enter(parts) => {
                    for part in parts {
                        match part {
                            EnterPart::Once(_) => journey.once = true,
                            EnterPart::OncePer(length) => journey.once_per = Some(length),
                            EnterPart::Per(names) => journey.per = names.into_iter().map(|n| n.text).collect(),
                            EnterPart::Restart(_) => journey.restart = true,
                            EnterPart::Always(_) => journey.always = true,
                        }
                    }
                }
                ClauseKind::Goal { event, within } => journey.goals.push((event, within)),
                ClauseKind::Topic(topic) => journey.topic = topic.text,
                ClauseKind::Holdout(share, _) => {
                    let share = share.to_string();
                    assert!(share == "0" || share == "100", "the oracle knows no hashes");
                    journey.holdout = share == "100";
                }
                exit @ (ClauseKind::ExitOn(_) | ClauseKind::ExitWhen(_) | ClauseKind::ExitAfter(_)) => {
                    journey.exits.push(exit);
                }
                ClauseKind::Moved(..) | ClauseKind::Ended(_) | ClauseKind::Broken => {}
            }
        }
        journey
    }
}

/// A literal as a length of time.
pub fn length(literal: DurationLit) -> Duration {
    let count = literal.count;
    let (months, days, millis) = match literal.unit {
        Unit::Seconds => (0, 0, count * 1000),
        Unit::Minutes => (0, 0, count * 60_000),
        Unit::Hours => (0, 0, count * 3_600_000),
        Unit::Days => (0, count, 0),
        Unit::Weeks => (0, count * 7, 0),
        Unit::Months => (count, 0, 0),
        Unit::Years => (count * 12, 0, 0),
    };
    Duration { months: months as i32, days: days as i32, millis }
}

/// The value of a default, which is a literal.
pub fn literal(expr: &Expr) -> Value {
    match &expr.kind {
        ExprKind::Int(value) => Value::Int(*value),
        ExprKind::Number(value) => Value::Number(*value),
        ExprKind::Bool(value) => Value::Bool(*value),
        ExprKind::Text(parts) => match parts.as_slice() {
            [] => Value::text(""),
            [ast::TextPart::Literal(text)] => Value::text(text),
            _ => panic!("a default is a literal"),
        },
        ExprKind::Negate(inner) => flow_runtime::vm::value::negate(&literal(inner)),
        other => panic!("a default is a literal: {other:?}"),
    }
}

/// The value as the declared type has it: an int where a number stands becomes one.
pub fn coerced(value: Value, ty: &ast::TypeExpr) -> Value {
    match (&ty.kind, value) {
        (ast::TypeKind::Number, Value::Int(value)) => Value::Number(value.into()),
        (_, value) => value,
    }
}

/// Finds `2h`, `30 days` … in the text itself: what looks like a length of time is taken for one.
fn find_lengths(text: &str, lengths: &mut BTreeSet<i64>) {
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    for (index, word) in words.iter().enumerate() {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let Ok(count) = digits.parse::<i64>() else { continue };
        let unit = if digits.len() == word.len() {
            words.get(index + 1).copied().unwrap_or("")
        } else {
            &word[digits.len()..]
        };
        let unit = match unit {
            "s" | "second" | "seconds" => 1_000,
            "m" | "minute" | "minutes" => 60_000,
            "h" | "hour" | "hours" => 3_600_000,
            "d" | "day" | "days" => 86_400_000,
            "w" | "week" | "weeks" => 7 * 86_400_000,
            "mo" | "month" | "months" => 30 * 86_400_000,
            "y" | "year" | "years" => 365 * 86_400_000,
            _ => continue,
        };
        lengths.insert(count.saturating_mul(unit));
    }
}
