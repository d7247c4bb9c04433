//! What a run came to, for people.

use crate::sources::Sources;
use flow_compiler::bytecode::{Exit, Journey, Program, StepKind};
use flow_grammar::span::Span;
use flow_runtime::calendar::instant_text;
use flow_runtime::output::names::exit_text;
use flow_runtime::replay::summary::{JourneyCounts, Summary};
use std::fmt::Write;

/// The summary.
pub fn text(summary: &Summary, program: &Program, sources: &Sources<'_>, dead_kept: bool) -> String {
    let mut out = String::new();
    for (journey, counts) in program.journeys.iter().zip(&summary.counts.journeys) {
        of_journey(&mut out, program, journey, counts, sources);
    }
    for (name, (added, removed)) in program.audiences.iter().zip(&summary.counts.audiences) {
        line(
            &mut out,
            &format!("audience {name}"),
            &format!("{} added, {} removed", grouped(*added), grouped(*removed)),
        );
    }
    of_inputs(&mut out, summary, dead_kept);
    out
}

fn of_journey(out: &mut String, program: &Program, journey: &Journey, counts: &JourneyCounts, sources: &Sources<'_>) {
    let title = if journey.title.is_empty() { String::new() } else { format!("  {}", journey.title) };
    push(out, &format!("{}{title}\n", journey.name));
    let holdout = match counts.holdout {
        0 => String::new(),
        held => format!("  ({} of them in the holdout)", grouped(held)),
    };
    line(out, "  entered", &format!("{}{holdout}", grouped(counts.entered)));
    for (number, (step, sent)) in journey.steps.iter().zip(&counts.sent).enumerate() {
        if !matches!(step.kind, StepKind::Send(_)) {
            continue;
        }
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let skips = counts.skipped.iter().filter(|((at, _), _)| *at == number);
        let skips: Vec<_> =
            skips.map(|((_, reason), count)| format!("{} {}", grouped(*count), reason.word())).collect();
        let skipped = if skips.is_empty() { String::new() } else { format!("  (not sent: {})", skips.join(", ")) };
        line(out, &format!("  {}", source_text(sources, step.span)), &format!("{}{skipped}", grouped(*sent)));
    }
    if counts.delayed > 0 {
        line(out, "  waited for quiet hours", &grouped(counts.delayed));
    }
    if !journey.goals.is_empty() {
        let (entered, converted) = (counts.entered - counts.holdout, counts.converted - counts.converted_holdout);
        let beside = match counts.holdout {
            0 => String::new(),
            held => format!(
                "  (holdout {}, {})",
                grouped(counts.converted_holdout),
                percent(counts.converted_holdout, held)
            ),
        };
        line(out, "  converted", &format!("{}, {}{beside}", grouped(converted), percent(converted, entered)));
    }
    line(out, "  finished", &grouped(counts.finished));
    for (exit, count) in journey.exits.iter().zip(&counts.exits) {
        line(out, &format!("  {}", exit_label(program, exit, sources)), &grouped(*count));
    }
    for (label, count) in [("  started over", counts.restarted), ("  merged into another", counts.merged)] {
        if count > 0 {
            line(out, label, &grouped(count));
        }
    }
    line(out, "  in flight", &grouped(counts.in_flight()));
}

fn of_inputs(out: &mut String, summary: &Summary, dead_kept: bool) {
    let counts = &summary.counts;
    push(out, "inputs\n");
    line(out, "  accepted", &format!("{}  (of {} people)", grouped(summary.accepted), grouped(summary.people)));
    let unknown = || {
        let most = summary.unknown.most(5);
        let names: Vec<_> = most.iter().map(|(name, count)| format!("{name} {}", grouped(*count))).collect();
        let told: u64 = most.iter().map(|(_, count)| count).sum();
        let more = if told < summary.unknown.total { ", …" } else { "" };
        format!("{}  ({}{more})", grouped(summary.unknown.total), names.join(", "))
    };
    let plain = [
        ("  late", counts.late),
        ("  repeated", summary.repeated),
        ("  after the end", summary.beyond),
        ("  rows without a moment", summary.timeless),
        ("  ids joined to people", summary.joined),
    ];
    for (label, count) in plain {
        if count > 0 {
            line(out, label, &grouped(count));
        }
    }
    if summary.unknown.total > 0 {
        line(out, "  unknown events", &unknown());
    }
    if summary.dead > 0 {
        let hint = if dead_kept { "" } else { "  (--dead-letters FILE keeps them)" };
        line(out, "  set aside", &format!("{}{hint}", grouped(summary.dead)));
        for reason in &summary.dead_reasons {
            push(out, &format!("    {reason}\n"));
        }
    }
    if counts.asked > 0 {
        line(
            out,
            "questions to APIs",
            &format!("{}  ({} without an answer)", grouped(counts.asked), grouped(counts.unanswered)),
        );
    }
    if counts.cut > 0 {
        line(out, "chains of causes cut", &grouped(counts.cut));
    }
    let clock = summary.clock.map(|clock| format!("  (last input {})", instant_text(clock))).unwrap_or_default();
    line(out, "messages", &format!("{}{clock}", grouped(summary.messages)));
    if summary.put_off > 0 {
        let held = format!("{}  ({} of them still waiting)", grouped(summary.put_off), grouped(summary.held_back));
        line(out, "  put off by throttles", &held);
    }
    if summary.withdrawn > 0 {
        line(out, "  withdrawn meanwhile", &grouped(summary.withdrawn));
    }
}

fn exit_label(program: &Program, exit: &Exit, sources: &Sources<'_>) -> String {
    match exit {
        Exit::When(condition) => {
            let spans = program.codes.get(condition.code.index()).map(|code| code.spans.as_slice()).unwrap_or_default();
            let whole = spans.iter().copied().reduce(Span::to);
            whole.map_or_else(|| exit_text(program, exit), |span| format!("exit when {}", source_text(sources, span)))
        }
        _ => exit_text(program, exit),
    }
}

/// What stands in the source, on one line and without comments.
fn source_text(sources: &Sources<'_>, span: Span) -> String {
    const LONGEST: usize = 44;
    let text = sources.get(span.file).map(|source| span.text(source.text)).unwrap_or_default();
    let text = text.lines().map(without_comment).flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let mut escaped = false;
    let begins = |c: char| {
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        c == '#' && !quoted
    };
    line.find(begins).and_then(|end| line.get(..end)).unwrap_or(line)
}

fn line(out: &mut String, label: &str, value: &str) {
    // A String takes whatever is written to it.
    let _ = writeln!(out, "{label:<48} {value}");
}

fn push(out: &mut String, text: &str) {
    out.push_str(text);
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// To one place, rounded half up, without floating point.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let tenths = (u128::from(part) * 2000 + u128::from(whole)) / (u128::from(whole) * 2);
    format!("{}.{}%", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(percent(1, 3), "33.3%");
        assert_eq!(percent(2, 3), "66.7%");
        assert_eq!(percent(0, 0), "–");
    }

    #[test]
    fn comments_are_not_shown() {
        assert_eq!(without_comment("email news # the new one"), "email news ");
        assert_eq!(without_comment(r##"sms "no \"#\" here" # but here"##), r##"sms "no \"#\" here" "##);
        assert_eq!(without_comment("wait 2h"), "wait 2h");
    }
}
