//! Rewriting the links of a mail. Only the values of `href` in `<a>` and `<area>` change; every other byte stays.

use super::{escaped, follow_token, Followed, LinkKey};
use std::ops::Range;

/// Leads the links of a mail over us and adds the picture whose loading tells that it was opened. Links that are not
/// `http` or `https`, those below `base` (unsubscribing, above all) and `spared` (the address to unsubscribe, if it is
/// another's) stay as they are. `opens` and `clicks` switch each part on.
#[must_use]
pub fn track(
    key: &LinkKey,
    base: &str,
    message: &Followed,
    html: &str,
    spared: Option<&str>,
    (opens, clicks): (bool, bool),
) -> String {
    let base = base.trim_end_matches('/');
    let mut out = String::with_capacity(html.len() + 256);
    let mut copied = 0;
    let links = if clicks { hrefs(html) } else { Vec::new() };
    for at in links {
        let Some(value) = html.get(at.clone()) else { continue };
        let url = unescaped(value.trim());
        if !is_followed(&url, base, spared) {
            continue;
        }
        let token = follow_token(key, &Followed { url: Some(url), ..message.clone() });
        out.push_str(html.get(copied..at.start).unwrap_or_default());
        out.push_str(&escaped(base));
        out.push_str("/c/");
        out.push_str(&token);
        copied = at.end;
    }
    out.push_str(html.get(copied..).unwrap_or_default());
    if opens {
        let token = follow_token(key, &Followed { url: None, ..message.clone() });
        let picture = format!(
            "<img src=\"{}/o/{token}.gif\" width=\"1\" height=\"1\" alt=\"\" style=\"display:none\">",
            escaped(base)
        );
        let end = last_ignoring_case(&out, "</body").unwrap_or(out.len());
        out.insert_str(end, &picture);
    }
    out
}

fn is_followed(url: &str, base: &str, spared: Option<&str>) -> bool {
    let Ok(parsed) = url::Url::parse(url) else { return false };
    let below_base = url.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']));
    matches!(parsed.scheme(), "http" | "https") && !below_base && spared != Some(url)
}

fn last_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    text.to_ascii_lowercase().rfind(wanted)
}

/// The places of the values of `href`, without their quotes. Comments are passed over; what stands in `<style>` and
/// `<script>` holds no links.
fn hrefs(html: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = find(html, at, "<") {
        at = open + 1;
        let rest = html.get(at..).unwrap_or_default();
        if rest.starts_with("!--") {
            let Some(end) = find(html, at + 3, "-->") else { break };
            at = end + 3;
            continue;
        }
        let name: String =
            rest.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        if name.is_empty() {
            continue;
        }
        let (end, href) = attributes(html, at + name.len());
        at = end;
        match name.as_str() {
            "a" | "area" => found.extend(href),
            "style" | "script" => {
                let rest = html.get(at..).unwrap_or_default().to_ascii_lowercase();
                let Some(end) = rest.find(&format!("</{name}")) else { break };
                at += end;
            }
            _ => {}
        }
    }
    found
}

/// The end of a tag, and the place of the value of its first `href`.
fn attributes(html: &str, from: usize) -> (usize, Option<Range<usize>>) {
    let bytes = html.as_bytes();
    let byte = |at: usize| bytes.get(at).copied();
    let skip = |mut at: usize, what: fn(u8) -> bool| {
        while byte(at).is_some_and(what) {
            at += 1;
        }
        at
    };
    let blank: fn(u8) -> bool = |b| b.is_ascii_whitespace() || b == b'/';
    let (mut at, mut href) = (from, None);
    loop {
        at = skip(at, blank);
        match byte(at) {
            None => return (at, href),
            Some(b'>') => return (at + 1, href),
            Some(_) => {}
        }
        let name = at;
        // An attribute's name may begin with `=`.
        at = skip(at + 1, |b| !b.is_ascii_whitespace() && !matches!(b, b'/' | b'>' | b'='));
        let is_href = bytes.get(name..at).is_some_and(|name| name.eq_ignore_ascii_case(b"href"));
        let equals = skip(at, |b| b.is_ascii_whitespace());
        if byte(equals) != Some(b'=') {
            continue;
        }
        at = skip(equals + 1, |b| b.is_ascii_whitespace());
        let value = match byte(at) {
            Some(quote @ (b'"' | b'\'')) => {
                let start = at + 1;
                let length = bytes.get(start..).and_then(|rest| rest.iter().position(|b| *b == quote));
                let Some(end) = length.map(|length| start + length) else { return (bytes.len(), href) };
                at = end + 1;
                start..end
            }
            // Without quotes, a token's characters need none either.
            _ => {
                let start = at;
                at = skip(at, |b| !b.is_ascii_whitespace() && b != b'>');
                start..at
            }
        };
        if is_href && href.is_none() {
            href = Some(value);
        }
    }
}

fn find(text: &str, from: usize, wanted: &str) -> Option<usize> {
    text.get(from..)?.find(wanted).map(|at| from + at)
}

/// The character references that addresses hold.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known = after.split_once(';').filter(|(name, _)| name.len() <= 8);
        match known.and_then(|(name, after)| Some((character(name)?, after))) {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    let number = |text: &str, radix| u32::from_str_radix(text, radix).ok().and_then(char::from_u32);
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            match digits.strip_prefix(['x', 'X']) {
                Some(hex) => number(hex, 16),
                None => number(digits, 10),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::verify_followed;
    use super::*;
    use proptest::prelude::*;
    use secrecy::SecretString;

    const BASE: &str = "https://flow.example";

    fn key() -> LinkKey {
        LinkKey::new(&SecretString::from("0123456789abcdef".to_owned())).expect("long enough")
    }

    fn message() -> Followed {
        Followed { person: "u1".into(), channel: "email".into(), message: "00ff".into(), url: None }
    }

    /// The addresses to which the links lead, those over us in brackets.
    fn links(html: &str, spared: Option<&str>) -> Vec<String> {
        let tracked = track(&key(), BASE, &message(), html, spared, (false, true));
        let link = |at: Range<usize>| match tracked[at.clone()].strip_prefix("https://flow.example/c/") {
            Some(token) => format!("[{}]", verify_followed(&key(), token).expect("ours").url.expect("a link")),
            None => tracked[at].to_owned(),
        };
        hrefs(&tracked).into_iter().map(link).collect()
    }

    #[test]
    fn links_lead_over_us_and_nothing_else_changes() {
        let html = "<!-- <a href='https://x/'> --><style>a{content:'<a href=\"https://s/\">'}</style>\
                    <A class=x HREF = 'https://shop.example/?a=1&amp;b=2'>go</A><a href=https://b.example/p>b</a>\
                    <a href=\"mailto:a@b\">m</a><a href=\"#top\">t</a><a href=\"tel:1\">c</a><a href=\"\">e</a>\
                    <link href=\"https://css.example/x.css\"><img src=\"https://i.example/\">";
        let wanted = ["[https://shop.example/?a=1&b=2]", "[https://b.example/p]", "mailto:a@b", "#top", "tel:1", ""];
        assert_eq!(links(html, None), wanted);
        let tracked = track(&key(), BASE, &message(), html, None, (false, true));
        assert!(tracked.contains("https://css.example/x.css") && tracked.contains("<img src=\"https://i.example/\">"));
        assert_eq!(track(&key(), BASE, &message(), html, None, (false, false)), html);
    }

    #[test]
    fn unsubscribing_is_never_followed() {
        let html = "<a href='https://flow.example/u/abc'>x</a><a href='https://else.example/stop?u=1&amp;l=2'>y</a>\
                    <a href='https://flow.example.evil.example/'>z</a>";
        let spared = Some("https://else.example/stop?u=1&l=2");
        let wanted = [
            "https://flow.example/u/abc",
            "https://else.example/stop?u=1&amp;l=2",
            "[https://flow.example.evil.example/]",
        ];
        assert_eq!(links(html, spared), wanted);
    }

    #[test]
    fn the_picture_stands_in_the_body() {
        let tracked = track(&key(), BASE, &message(), "<BODY>hi</BODY></html>", None, (true, false));
        let (before, after) = tracked.split_once("<img src=\"https://flow.example/o/").expect("a picture");
        assert_eq!(before, "<BODY>hi");
        let (token, after) = after.split_once(".gif").expect("a picture");
        assert_eq!(verify_followed(&key(), token), Some(message()));
        assert!(after.ends_with("</BODY></html>"));
    }

    proptest! {
        #[test]
        fn no_text_is_too_wild(html in "[<>a href='\"/=!-]{0,60}(é|<a href=https://x/>|<style>|<!--){0,4}[<>a'\"=]{0,20}") {
            let tracked = track(&key(), BASE, &message(), &html, None, (true, true));
            prop_assert!(tracked.len() >= html.len());
            // Where nothing leads over us, only the picture is new.
            if !tracked.contains("/c/") {
                let (before, rest) = tracked.split_once("<img src=\"https://flow").expect("a picture");
                let after = rest.split_once("display:none\">").expect("its end").1;
                prop_assert_eq!(format!("{before}{after}"), html);
            }
        }
    }
}
