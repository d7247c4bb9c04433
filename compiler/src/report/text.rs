//! The report as people read it.

use super::{Bound, JourneyReport, Kept, Report};
use std::fmt::Write;

pub(super) fn render(report: &Report) -> String {
    let mut out = format!("{}\n\njourneys, for one entry\n", report.project);
    let rows: Vec<[String; 3]> = report.journeys.iter().map(row).collect();
    table(&mut out, &rows);
    out += "\nhistory\n";
    for kept in &report.history {
        history(&mut out, kept);
    }
    out += "\none person, all journeys together\n";
    for cap in &report.caps {
        let what = cap.channel.as_deref().unwrap_or("messages");
        let _ = writeln!(
            out,
            "  at most {} {what} in any 7d (at most {} per {}, {})",
            cap.per_week, cap.count, cap.per, cap.place
        );
    }
    if report.caps.is_empty() {
        out += "  no cap: nothing limits how many messages a person gets\n";
    }
    out
}

fn row(journey: &JourneyReport) -> [String; 3] {
    let messages = match &journey.messages {
        Bound::AtMost(0) => "no messages".to_owned(),
        Bound::AtMost(1) => "at most 1 message".to_owned(),
        Bound::AtMost(n) => format!("at most {n} messages"),
        Bound::NoBound { because, place } => format!("messages without bound: {because} ({place})"),
    };
    let week = match (&journey.week, &journey.messages) {
        (Bound::AtMost(week), Bound::AtMost(all)) if week == all => String::new(),
        (Bound::AtMost(week), _) => format!(", {week} in any 7d"),
        (Bound::NoBound { .. }, _) => ", also in 7d".to_owned(),
    };
    let messages = messages + &week;
    let quiet = if journey.quiet_hours { ", and quiet hours" } else { "" };
    let longest = match &journey.longest {
        Bound::AtMost(length) if length == "0s" => format!("at once{quiet}"),
        Bound::AtMost(length) => format!("at most {length}{quiet}"),
        Bound::NoBound { because, place } => format!("no longest time: {because} ({place})"),
    };
    [journey.name.clone(), messages, longest]
}

fn table(out: &mut String, rows: &[[String; 3]]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (first, second) = (width(0), width(1));
    for [name, messages, longest] in rows {
        let _ = writeln!(out, "  {name:first$}  {messages:second$}  {longest}");
    }
}

fn history(out: &mut String, kept: &Kept) {
    let mut what = Vec::new();
    if !kept.how_long.is_empty() {
        let fields = if kept.fields.is_empty() { "times only".to_owned() } else { kept.fields.join(", ") };
        what.push(format!("kept {} ({fields})", kept.how_long.join(" and ")));
    }
    if kept.last {
        what.push("the last one kept".to_owned());
    }
    if what.is_empty() {
        what.push(if kept.because.is_empty() { "not kept" } else { "kept as a running total" }.to_owned());
    }
    let _ = writeln!(out, "  {}: {}", kept.event, what.join("; "));
    for because in &kept.because {
        let _ = writeln!(out, "    {} needs {} ({})", because.question, because.needs, because.place);
    }
    for journey in &kept.joins {
        let _ = writeln!(out, "    {journey} listens to it: two ids can turn out to be one person");
    }
}
