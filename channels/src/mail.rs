//! A message as mail: headers, parts, signature (RFC 5322, 2045, 6376, 8058).

use crate::Delivery;
use base64::prelude::{Engine as _, BASE64_STANDARD};
use flow_runtime::message::Content;
use lettre::address::Envelope;
use lettre::message::dkim::{
    DkimCanonicalization, DkimCanonicalizationType, DkimConfig, DkimSigningAlgorithm, DkimSigningKey,
};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use rsa::pkcs1::{EncodeRsaPrivateKey as _, LineEnding};
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::RsaPrivateKey;
use std::time::{Duration, UNIX_EPOCH};

/// What the signature covers. Not `Content-Type`: its folding in a multipart message breaks the verification.
const SIGNED: [&str; 9] = [
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];

/// The longest subject, in characters; what is longer is cut.
const LONGEST_SUBJECT: usize = 500;
/// The longest address of a header, in bytes (RFC 5322, section 2.1.1, less the header's name).
const LONGEST_ADDRESS: usize = 900;

/// What the configuration says about every mail.
#[derive(Debug)]
pub struct Letterhead {
    /// The sender.
    pub from: Mailbox,
    /// Where answers go.
    pub reply_to: Option<Mailbox>,
    /// Where bounces go, `{key}` standing for the message's key; else to the sender.
    pub return_path: Option<String>,
    /// The signature.
    pub dkim: Option<DkimConfig>,
}

/// A mail, ready for the server.
#[derive(Clone, Debug)]
pub struct Mail {
    /// From whom to whom.
    pub envelope: Envelope,
    /// All of it.
    pub bytes: Vec<u8>,
    /// Its `Message-ID`, without the angle brackets.
    pub id: String,
}

/// Why there is no mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// A sentence, without the contact.
    pub reason: String,
    /// Whether it is the contact that is of no use.
    pub contact: bool,
}

fn unfit(reason: impl Into<String>) -> Unfit {
    Unfit { reason: reason.into(), contact: false }
}

/// Writes the mail. The same delivery gives the same mail, but for the boundary between its parts, and the time in its
/// signature.
///
/// # Errors
/// When the contact or an address of the template is none, or there is nothing to send by mail.
pub fn write(head: &Letterhead, delivery: &Delivery) -> Result<Mail, Unfit> {
    let Content::Email { subject, from, reply_to, html, text, .. } = &delivery.content else {
        let text = crate::content::text(&delivery.content);
        let subject = shortened(text.lines().next().unwrap_or_default());
        return put_together(head, delivery, Parts { subject, from: None, reply_to: None, html: None, text: &text });
    };
    let address = |text: &Option<String>, what: &str| {
        let read =
            |text: &String| text.trim().parse().map_err(|_| unfit(format!("the template's `{what}` is no address")));
        text.as_ref().map(read).transpose()
    };
    let parts = Parts {
        subject: shortened(subject),
        from: address(from, "from")?,
        reply_to: address(reply_to, "reply_to")?,
        html: html.as_deref(),
        text,
    };
    put_together(head, delivery, parts)
}

struct Parts<'a> {
    subject: String,
    from: Option<Mailbox>,
    reply_to: Option<Mailbox>,
    html: Option<&'a str>,
    text: &'a str,
}

fn put_together(head: &Letterhead, delivery: &Delivery, parts: Parts<'_>) -> Result<Mail, Unfit> {
    let to = recipient(delivery)?;
    let from = parts.from.as_ref().unwrap_or(&head.from);
    let key = harmless(&delivery.key);
    let id = format!("{key}@{}", from.email.domain());
    let since = Duration::from_millis(u64::try_from(delivery.time).unwrap_or_default());
    let mut message = Message::builder()
        .envelope(envelope(head, from, &to, &key)?)
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(parts.subject)
        .date(UNIX_EPOCH + since)
        .message_id(Some(format!("<{id}>")));
    if let Some(address) = parts.reply_to.as_ref().or(head.reply_to.as_ref()) {
        message = message.reply_to(address.clone());
    }
    for (name, value) in list_headers(delivery) {
        message = message.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value));
    }
    let message = match parts.html {
        Some(html) => message.multipart(MultiPart::alternative_plain_html(parts.text.to_owned(), html.to_owned())),
        None => message.singlepart(SinglePart::plain(parts.text.to_owned())),
    };
    let mut message = message.map_err(|error| unfit(format!("this makes no mail: {error}")))?;
    if let Some(dkim) = &head.dkim {
        message.sign(dkim);
    }
    Ok(Mail { envelope: message.envelope().clone(), bytes: message.formatted(), id })
}

fn recipient(delivery: &Delivery) -> Result<Address, Unfit> {
    let bad = |reason: &str| Unfit { reason: reason.to_owned(), contact: true };
    let to = delivery.to.as_deref().ok_or_else(|| unfit("there is no address"))?;
    if to.len() > LONGEST_ADDRESS {
        return Err(bad("the contact is too long for an address"));
    }
    to.trim().parse().map_err(|_| bad("the contact is no mail address"))
}

fn envelope(head: &Letterhead, from: &Mailbox, to: &Address, key: &str) -> Result<Envelope, Unfit> {
    let sender = match &head.return_path {
        Some(path) => path.replace("{key}", key).parse().map_err(|_| unfit("`return_path` is no address"))?,
        None => from.email.clone(),
    };
    Envelope::new(Some(sender), vec![to.clone()]).map_err(|error| unfit(error.to_string()))
}

/// The ways to unsubscribe without reading the mail (RFC 2369, and RFC 8058 for the POST, which wants HTTPS).
fn list_headers(delivery: &Delivery) -> Vec<(&'static str, String)> {
    let of_template = match &delivery.content {
        Content::Email { unsubscribe, .. } => unsubscribe.as_deref(),
        _ => None,
    };
    let Some(address) = delivery.unsubscribe.as_deref().or(of_template) else { return Vec::new() };
    let Ok(address) = url::Url::parse(address) else { return Vec::new() };
    // Parsed and written again, it holds no line ends, spaces or brackets.
    let value = format!("<{address}>");
    match address.scheme() {
        _ if value.len() > LONGEST_ADDRESS => Vec::new(),
        "https" => {
            vec![("List-Unsubscribe", value), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned())]
        }
        "http" | "mailto" => vec![("List-Unsubscribe", value)],
        _ => Vec::new(),
    }
}

/// What mails are signed with. A header of the list that a mail does not have is signed as absent: nobody can add it.
///
/// # Errors
/// A sentence, when the key is neither an RSA key in PEM (PKCS#1 or PKCS#8) nor an Ed25519 key in PEM (PKCS#8).
pub fn dkim(domain: String, selector: String, key: &str) -> Result<DkimConfig, String> {
    let headers = SIGNED.iter().map(|name| HeaderName::new_from_ascii_str(name)).collect();
    let relaxed = DkimCanonicalizationType::Relaxed;
    let canonicalization = DkimCanonicalization { header: relaxed, body: relaxed };
    Ok(DkimConfig::new(selector, domain, signing_key(key)?, headers, canonicalization))
}

/// What `openssl` writes in front of the 32 bytes of an Ed25519 key (RFC 8410, section 7).
const ED25519: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

fn signing_key(text: &str) -> Result<DkimSigningKey, String> {
    let wrong = |_| "it is neither an RSA nor an Ed25519 key in PEM".to_owned();
    if let Ok(key) = RsaPrivateKey::from_pkcs8_pem(text) {
        let pem = key.to_pkcs1_pem(LineEnding::LF).map_err(|error| error.to_string())?;
        return DkimSigningKey::new(&pem, DkimSigningAlgorithm::Rsa).map_err(wrong);
    }
    let lines = text.lines().filter(|line| !line.starts_with("-----"));
    let der = BASE64_STANDARD.decode(lines.collect::<String>()).unwrap_or_default();
    match der.strip_prefix(&ED25519) {
        Some(key) => DkimSigningKey::new(&BASE64_STANDARD.encode(key), DkimSigningAlgorithm::Ed25519).map_err(wrong),
        None => DkimSigningKey::new(text, DkimSigningAlgorithm::Rsa).map_err(wrong),
    }
}

/// One line without control characters, of a length that every program shows.
fn shortened(subject: &str) -> String {
    subject.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_SUBJECT).collect()
}

/// A key as part of an address.
fn harmless(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' }).take(64).collect()
}
