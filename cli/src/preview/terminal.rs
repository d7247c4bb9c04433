//! Messages for the terminal.

use super::shown::Shown;
use flow_compiler::template::segments::segments;
use flow_runtime::message::Content;
use std::fmt::Write;

/// All of them, one below the other.
pub fn text(shown: &[Shown]) -> String {
    let mut out = String::new();
    for (number, one) in shown.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let _ = writeln!(out, "── {}", one.title);
        if let Err(why) = &one.content {
            let _ = writeln!(out, "cannot be rendered: {why}");
            continue;
        }
        let heads = one.heads();
        for (name, value) in &heads {
            let _ = writeln!(out, "{name}: {value}");
        }
        if let Ok(Content::Sms { text }) = &one.content {
            let _ = writeln!(out, "{}", cut(text));
        }
        if !heads.is_empty() {
            out.push('\n');
        }
        let _ = writeln!(out, "{}", one.text().trim_end());
    }
    out
}

/// How a text message is sent: `1 segment, 34 of 160 characters (GSM-7)`.
pub fn cut(text: &str) -> String {
    let cut = segments(text);
    let plural = if cut.count == 1 { "" } else { "s" };
    let alphabet = match cut.forced_by {
        None => "GSM-7".to_owned(),
        Some(c) => format!("UCS-2, for `{c}`"),
    };
    format!("{} segment{plural}, {} of {} characters ({alphabet})", cut.count, cut.units, cut.count * cut.room)
}
