//! The result as JUnit's XML, which build servers read.

use super::Ran;
use std::fmt::Write;

/// One suite a project.
pub fn text(ran: &[Ran<'_>]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let failed = ran.iter().filter(|test| !test.passed()).count();
    // A String takes whatever is written to it.
    let _ =
        writeln!(out, "<testsuites name=\"flowc test\" tests=\"{}\" failures=\"{failed}\" errors=\"0\">", ran.len());
    for suite in ran.chunk_by(|a, b| a.project == b.project && std::ptr::eq(a.sources, b.sources)) {
        let failed = suite.iter().filter(|test| !test.passed()).count();
        let project = suite.first().map_or("", |test| test.project);
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\">",
            escaped(project),
            suite.len()
        );
        for test in suite {
            case(&mut out, test);
        }
        out += "  </testsuite>\n";
    }
    out + "</testsuites>\n"
}

fn case(out: &mut String, test: &Ran<'_>) {
    let span = test.case.span;
    let (file, place) = (test.sources.path(span.file), test.sources.place(span.file, span.start));
    let _ = write!(
        out,
        "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\"",
        escaped(&test.case.name),
        escaped(file),
        escaped(file),
        place.line
    );
    if test.passed() {
        *out += "/>\n";
        return;
    }
    *out += ">\n";
    for failure in &test.verdict.failures {
        let mut lines = format!("{}: {}", test.sources.at(failure.span), failure.message);
        for (span, text) in &failure.steps {
            let _ = write!(lines, "\n{}: {text}", test.sources.at(*span));
        }
        let message = escaped(&failure.message);
        let _ =
            writeln!(out, "      <failure message=\"{message}\" type=\"expectation\">{}</failure>", escaped(&lines));
    }
    *out += "    </testcase>\n";
}

/// Text as XML writes it. Control characters, which XML does not have, become spaces.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\n' => out += "&#10;",
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
