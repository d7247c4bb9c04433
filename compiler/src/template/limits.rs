//! What a channel can carry.
//!
//! Lengths are those of the shortest way through a template, with nothing in the place of values: what is reported is
//! so for every person.

use super::segments::{has, plain, segments, Segments};
use super::trees::Sent;
use crate::channel::ChannelKind;
use crate::codes as code;
use crate::diagnostic::Diagnostic;
use flow_grammar::liquid::Node;
use flow_grammar::span::Span;

/// More segments than this no operator takes as one message.
const MOST_SEGMENTS: usize = 10;
/// What Android shows of a title and, unfolded, of a text; iOS shows less.
const PUSH_TITLE: usize = 65;
const PUSH_BODY: usize = 240;
/// The whole of a notification: APNs, FCM and web push (RFC 8291) take no more bytes.
const PUSH_BYTES: usize = 4_000;

/// Checks a template of a channel of this kind.
pub(super) fn template(sent: &Sent, kind: ChannelKind, found: &mut Vec<Diagnostic>) {
    if !matches!(kind, ChannelKind::Sms | ChannelKind::Push) {
        return;
    }
    let source = sent.text();
    let body = Least { source }.of(&sent.tree.body);
    let mut texts = Vec::new();
    literals(&sent.tree.body, &mut texts);
    // Its first line stands for all of it.
    let span = texts.first().map_or(sent.tree.span, |first| {
        let line = first.text(source).lines().next().map_or(0, str::len);
        Span { end: first.start + u32::try_from(line).unwrap_or(0), ..*first }
    });
    if kind == ChannelKind::Sms {
        let places = texts.iter().flat_map(|span| {
            let chars = span.text(source).char_indices();
            chars.map(|(at, c)| {
                let start = span.start + u32::try_from(at).unwrap_or(u32::MAX);
                (c, Span { start, end: start + u32::try_from(c.len_utf8()).unwrap_or(4), ..*span })
            })
        });
        sms(body.trim(), span, places, found);
        return;
    }
    let title = sent.tree.front("title");
    let shown = title.map(|line| (Least { source }.of(&line.value), line.span));
    if let Some((title, span)) = &shown {
        too_long("title", title, PUSH_TITLE, *span, found);
    }
    let title = shown.map(|(title, _)| title).unwrap_or_default();
    push(&title, body.trim(), span, found);
}

/// Checks a text that stands in a journey, of which the parts that are written out are given.
pub(crate) fn inline(kind: ChannelKind, parts: &[&str], span: Span) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let text = parts.concat();
    match kind {
        ChannelKind::Sms => sms(text.trim(), span, text.chars().map(|c| (c, span)), &mut found),
        ChannelKind::Push => push("", text.trim(), span, &mut found),
        _ => {}
    }
    found
}

fn sms(text: &str, span: Span, places: impl Iterator<Item = (char, Span)>, found: &mut Vec<Diagnostic>) {
    let lacking: Vec<(char, Span)> = places.filter(|(c, _)| !has(*c)).collect();
    let cut = segments(text);
    if let Some((first, place)) = lacking.first() {
        if lacking.iter().all(|(c, _)| plain(*c).is_some()) {
            found.push(avoidable(text, *first, *place, &lacking));
            if cut.count <= MOST_SEGMENTS {
                return;
            }
        }
    }
    if cut.count > MOST_SEGMENTS {
        let message = format!("this text message takes at least {}: operators take {MOST_SEGMENTS}", told(&cut));
        found.push(Diagnostic::error(code::SMS_TOO_LONG, span, message).help("say less, or link to a page"));
    } else if cut.count > 1 {
        let message = format!("this text message takes at least {}", told(&cut));
        found.push(Diagnostic::note(code::SMS_SEGMENTS, span, message).help("each segment is paid for"));
    }
}

/// `2 segments (75 characters of UCS-2, 67 in each; "ж" needs it)`
fn told(cut: &Segments) -> String {
    let plural = if cut.count == 1 { "" } else { "s" };
    let alphabet = if cut.forced_by.is_some() { "UCS-2" } else { "GSM-7" };
    let why = cut.forced_by.map(|c| format!("; `{c}` needs it")).unwrap_or_default();
    format!("{} segment{plural} ({} characters of {alphabet}, {} in each{why})", cut.count, cut.units, cut.room)
}

fn avoidable(text: &str, first: char, place: Span, lacking: &[(char, Span)]) -> Diagnostic {
    let mended: String = text.chars().map(|c| plain(c).map_or_else(|| c.to_string(), str::to_owned)).collect();
    let (now, then) = (segments(text), segments(&mended));
    let number = u32::from(first);
    let message = format!(
        "`{first}` (U+{number:04X}) is not in the alphabet of text messages, and makes this one {}",
        told(&now)
    );
    let help = format!("write `{}` instead: then it takes {}", plain(first).unwrap_or_default(), told(&then));
    let finding = Diagnostic::warning(code::SMS_UCS2, place, message).help(help);
    // Of a text in a journey the places are not known one by one.
    if lacking.iter().any(|(c, span)| span.len() != c.len_utf8()) {
        return finding;
    }
    let mut finding = finding;
    let edits = lacking.iter().map(|(c, span)| (*span, plain(*c).unwrap_or_default().to_owned())).collect();
    finding.fix = Some(crate::diagnostic::Fix { title: "write plain characters".to_owned(), edits });
    finding
}

fn push(title: &str, body: &str, span: Span, found: &mut Vec<Diagnostic>) {
    if title.len() + body.len() > PUSH_BYTES {
        let bytes = title.len() + body.len();
        let message =
            format!("this notification has at least {bytes} bytes, and none with more than {PUSH_BYTES} is taken");
        found.push(Diagnostic::error(code::PUSH_TOO_LARGE, span, message).help("say less, and `link` to the rest"));
        return;
    }
    too_long("text", body, PUSH_BODY, span, found);
}

fn too_long(what: &str, text: &str, most: usize, span: Span, found: &mut Vec<Diagnostic>) {
    let length = text.chars().count();
    if length > most {
        let message = format!("the {what} has at least {length} characters, and phones show {most} of them");
        let help = "say it in fewer words: what is cut off is not read";
        found.push(Diagnostic::warning(code::PUSH_LENGTH, span, message).help(help));
    }
}

/// The shortest that nodes can come to.
struct Least<'s> {
    source: &'s str,
}

impl Least<'_> {
    fn of(&self, nodes: &[Node]) -> String {
        nodes.iter().map(|node| self.node(node)).collect()
    }

    fn node(&self, node: &Node) -> String {
        let shortest = |ways: Vec<String>| ways.into_iter().min_by_key(|way| way.chars().count()).unwrap_or_default();
        let otherwise = |nodes: &Option<Vec<Node>>| self.of(nodes.as_deref().unwrap_or_default());
        match node {
            Node::Text(span) => span.text(self.source).to_owned(),
            Node::If(node) => {
                let ways = node.branches.iter().map(|branch| self.of(&branch.body));
                shortest(ways.chain([otherwise(&node.otherwise)]).collect())
            }
            Node::Case(node) => {
                let ways = node.arms.iter().map(|(_, body)| self.of(body));
                shortest(ways.chain([otherwise(&node.otherwise)]).collect())
            }
            _ => String::new(),
        }
    }
}

/// Every text that is written out and may be shown.
fn literals(nodes: &[Node], texts: &mut Vec<Span>) {
    for node in nodes {
        match node {
            Node::Text(span) => texts.push(*span),
            Node::If(node) => {
                node.branches.iter().for_each(|branch| literals(&branch.body, texts));
                literals(node.otherwise.as_deref().unwrap_or_default(), texts);
            }
            Node::Case(node) => {
                node.arms.iter().for_each(|(_, body)| literals(body, texts));
                literals(node.otherwise.as_deref().unwrap_or_default(), texts);
            }
            Node::For(node) => {
                literals(&node.body, texts);
                literals(node.otherwise.as_deref().unwrap_or_default(), texts);
            }
            _ => {}
        }
    }
}
