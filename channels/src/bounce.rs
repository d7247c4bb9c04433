//! Mails that came back: delivery status notifications (RFC 3464) and complaints (RFC 5965), as outcomes.

use crate::event::Event;
use mail_parser::mailbox::mbox::MessageIterator;
use mail_parser::{Message, MessageParser, MimeHeaders as _};

/// What a notification tells about one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What became of the mail.
    pub fate: Fate,
    /// The address that it is about.
    pub recipient: Option<String>,
    /// The enhanced status code: `5.1.1`.
    pub status: Option<String>,
    /// What the other server said.
    pub diagnostic: Option<String>,
    /// The `Message-ID` of our mail, without the angle brackets.
    pub message_id: Option<String>,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrived.
    Delivered,
    /// It will never arrive there.
    HardBounce,
    /// It did not arrive this time: a full mailbox, a message too large, a refused content.
    SoftBounce,
    /// The person marked it as spam.
    Complaint,
}

/// Reads a mail. Empty: it is no notification, or says nothing final (a delay).
#[must_use]
pub fn read(mail: &[u8]) -> Vec<Report> {
    let Some(message) = MessageParser::default().parse(mail) else { return Vec::new() };
    let message_id = original(&message);
    let mut reports = Vec::new();
    for part in &message.parts {
        let Some(kind) = part.content_type() else { continue };
        let Some(subtype) = kind.subtype().filter(|_| kind.ctype().eq_ignore_ascii_case("message")) else { continue };
        let text = String::from_utf8_lossy(part.contents());
        if subtype.eq_ignore_ascii_case("delivery-status") || subtype.eq_ignore_ascii_case("global-delivery-status") {
            // The first group is about the mail as a whole, each further one about a recipient.
            reports.extend(groups(&text).iter().skip(1).filter_map(|group| recipient(group, message_id.as_deref())));
        }
        if subtype.eq_ignore_ascii_case("feedback-report") {
            let complained =
                field(&fields(&text), "feedback-type").is_some_and(|kind| kind.eq_ignore_ascii_case("abuse"));
            let recipient = field(&fields(&text), "original-rcpt-to").map(bare);
            let (status, diagnostic) = (None, None);
            let report =
                Report { fate: Fate::Complaint, recipient, status, diagnostic, message_id: message_id.clone() };
            reports.extend(complained.then_some(report));
        }
    }
    reports
}

/// Reads a mailbox file (mbox): the reports of all mails in it.
///
/// # Errors
/// When reading fails.
pub fn read_mailbox(mailbox: impl std::io::BufRead) -> std::io::Result<Vec<Report>> {
    let mut reports = Vec::new();
    for mail in MessageIterator::new(mailbox) {
        reports.extend(read(mail?.contents()));
    }
    Ok(reports)
}

/// A report as the event that the engine reads. `channel` is the name of the channel.
#[must_use]
pub fn event(channel: &str, report: &Report) -> Event {
    let (what, kind) = match report.fate {
        Fate::Delivered => ("Delivered", None),
        Fate::HardBounce => ("Bounced", Some("hard")),
        Fate::SoftBounce => ("Bounced", Some("soft")),
        Fate::Complaint => ("Complained", None),
    };
    let key = report.message_id.as_deref().and_then(|id| id.split('@').next());
    let mut event = Event::outcome(channel, what, key);
    for (name, value) in
        [("type", kind), ("status", report.status.as_deref()), ("reason", report.diagnostic.as_deref())]
    {
        if let Some(value) = value {
            event.properties.insert(name.to_owned(), value.into());
        }
    }
    event
}

fn recipient(group: &[(String, String)], message_id: Option<&str>) -> Option<Report> {
    let status = field(group, "status").map(|text| text.split_whitespace().next().unwrap_or_default().to_owned());
    let diagnostic = field(group, "diagnostic-code").map(|text| {
        // `smtp; 550 5.1.1 …`
        text.split_once(';').map_or(text, |(_, said)| said).trim().to_owned()
    });
    let fate = match field(group, "action")?.to_ascii_lowercase().as_str() {
        "delivered" => Fate::Delivered,
        "failed" if is_hard(status.as_deref(), diagnostic.as_deref()) => Fate::HardBounce,
        "failed" => Fate::SoftBounce,
        // `delayed`, `relayed`, `expanded`: nothing final.
        _ => return None,
    };
    let recipient = field(group, "original-recipient").or_else(|| field(group, "final-recipient"));
    let recipient = recipient.map(|text| bare(text.split_once(';').map_or(text, |(_, address)| address)));
    Some(Report { fate, recipient, status, diagnostic, message_id: message_id.map(str::to_owned) })
}

/// Whether it is the address that is of no use.
fn is_hard(status: Option<&str>, diagnostic: Option<&str>) -> bool {
    let said = format!("{} {}", status.unwrap_or_default(), diagnostic.unwrap_or_default());
    let code = diagnostic.and_then(|text| text.get(..3)).and_then(|code| code.parse().ok()).unwrap_or(550);
    // `5.0.0` says nothing; then what the other server said counts.
    let said = said.strip_prefix("5.0.0").unwrap_or(&said);
    crate::backends::is_unknown_mailbox(code, said)
}

/// The `Message-ID` of the mail that came back, or of its headers alone.
fn original(message: &Message<'_>) -> Option<String> {
    for part in &message.parts {
        if let Some(id) = part.message().and_then(Message::message_id) {
            return Some(id.to_owned());
        }
        let headers = part.content_type().and_then(|kind| kind.subtype());
        if headers.is_some_and(|subtype| subtype.eq_ignore_ascii_case("rfc822-headers")) {
            let text = String::from_utf8_lossy(part.contents());
            if let Some(id) = field(&fields(&text), "message-id") {
                return Some(bare(id));
            }
        }
    }
    None
}

fn bare(text: &str) -> String {
    text.trim().trim_start_matches('<').trim_end_matches('>').to_owned()
}

/// The groups of fields that empty lines part.
fn groups(text: &str) -> Vec<Vec<(String, String)>> {
    let text = text.replace("\r\n", "\n");
    text.split("\n\n").map(fields).filter(|group| !group.is_empty()).collect()
}

/// Fields, their names in lower case, lines that go on joined.
fn fields(text: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    fields
}

fn field<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
    fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}
