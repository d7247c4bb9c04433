//! `smtp`: mail, by several connections that are kept open.

use crate::config::{Read, Settings};
use crate::mail::{self, Letterhead, Mail};
use crate::{Attempt, Channel, Delivery, Outcome};
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::Error;
use secrecy::{ExposeSecret as _, SecretString};
use std::error::Error as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use url::Url;

pub(super) const KEYS: &[&str] = &[
    "url",
    "username",
    "password",
    "tls",
    "ca",
    "helo",
    "timeout",
    "from",
    "reply_to",
    "return_path",
    "dkim_domain",
    "dkim_selector",
    "dkim_key",
];

/// How many attempts may be under way, each on its own connection, when the configuration says nothing.
pub(super) const CONNECTIONS: u32 = 8;
/// For one message; RFC 5321 (section 4.5.3.2) would wait for minutes, the outbox can try again.
const TIMEOUT: Duration = Duration::from_secs(60);
/// A connection that nobody used for so long is closed.
const IDLE: Duration = Duration::from_secs(30);

struct Smtp {
    server: Server,
    head: Letterhead,
    /// For a whole message.
    timeout: Duration,
    /// Connections at rest, the latest used last. One at work belongs to its attempt, and ends with an attempt that is
    /// given up: nobody goes on in the middle of another's mail. (The pool of `lettre` gives it to the next one.)
    rest: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
    connections: usize,
}

struct Server {
    host: String,
    port: u16,
    encryption: Encryption,
    hello: ClientId,
    credentials: Option<Credentials>,
}

enum Encryption {
    None,
    Starttls(TlsParameters),
    Tls(TlsParameters),
}

pub(super) fn open(settings: &Settings<'_>) -> Read<Box<dyn Channel>> {
    Ok(Box::new(Smtp {
        server: server(settings)?,
        head: letterhead(settings)?,
        timeout: settings.duration("timeout")?.unwrap_or(TIMEOUT),
        rest: Mutex::default(),
        connections: settings.number("concurrency")?.map_or(CONNECTIONS, std::num::NonZeroU32::get) as usize,
    }))
}

/// The server: `smtp://host` is STARTTLS, which must succeed; `smtps://host` is TLS from the beginning; nothing
/// goes in the clear unless `tls = "none"` says so.
fn server(settings: &Settings<'_>) -> Read<Server> {
    let text = SecretString::from(settings.needs("url", "\"smtp://mail.example.com:587\"")?);
    let url: Url =
        text.expose_secret().parse().map_err(|e| settings.error("url", format!("`url` is no address: {e}")))?;
    if url.password().is_some() && !settings.mentions_environment("url") {
        let help = "write `url = \"${SMTP_URL}\"`, or `username` and `password = \"${SMTP_PASSWORD}\"`";
        return Err(settings.error_help("url", "a password must not stand in flow.toml", help));
    }
    let host = url.host_str().ok_or_else(|| settings.error("url", "`url` has no host"))?.to_owned();
    let plain = settings.choice("tls", &["none", "required"])? == Some("none");
    let (encryption, port) = match url.scheme() {
        "smtp" if plain => (Encryption::None, 25),
        "smtp" => (Encryption::Starttls(parameters(settings, &host)?), 587),
        "smtps" if plain => return Err(settings.error("tls", "`smtps:` is TLS; write `smtp:` for a plain connection")),
        "smtps" => (Encryption::Tls(parameters(settings, &host)?), 465),
        other => {
            let help = "write `smtp://host` (STARTTLS) or `smtps://host` (TLS from the beginning)";
            return Err(settings.error_help("url", format!("`{other}:` is none of SMTP's"), help));
        }
    };
    let hello = settings.text("helo")?.map_or_else(ClientId::default, ClientId::Domain);
    let credentials = credentials(settings, &url)?;
    Ok(Server { host, port: url.port().unwrap_or(port), encryption, hello, credentials })
}

fn parameters(settings: &Settings<'_>, host: &str) -> Read<TlsParameters> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = settings.path("ca")? {
        let wrong = |error: String| settings.error("ca", format!("`{}`: {error}", path.display()));
        let text = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
        let certificate = Certificate::from_pem(&text).map_err(|error| wrong(error.to_string()))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| settings.error("url", format!("there can be no TLS: {error}")))
}

fn credentials(settings: &Settings<'_>, url: &Url) -> Read<Option<Credentials>> {
    let decoded = |text: &str| {
        let pairs = format!("x={}", text.replace('+', "%2B"));
        url::form_urlencoded::parse(pairs.as_bytes()).map(|(_, value)| value.into_owned()).collect::<String>()
    };
    let username = settings.text("username")?.or_else(|| (!url.username().is_empty()).then(|| decoded(url.username())));
    let password = match settings.secret("password")? {
        Some(password) => Some(password.expose_secret().to_owned()),
        None => url.password().map(decoded),
    };
    match (username, password) {
        (Some(username), Some(password)) => Ok(Some(Credentials::new(username, password))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(settings.missing("password", "\"${SMTP_PASSWORD}\"")),
        (None, Some(_)) => Err(settings.missing("username", "\"hello@shop.example\"")),
    }
}

fn letterhead(settings: &Settings<'_>) -> Read<Letterhead> {
    let mailbox = |key: &str, text: String| -> Read<Mailbox> {
        let help = "write `hello@shop.example` or `Shop <hello@shop.example>`";
        text.parse().map_err(|_| settings.error_help(key, format!("`{text}` is no mail address"), help))
    };
    let return_path = settings.text("return_path")?;
    if let Some(path) = &return_path {
        mailbox("return_path", path.replace("{key}", "key"))?;
    }
    let names = ["dkim_domain", "dkim_selector", "dkim_key"];
    let dkim = if names.iter().any(|name| settings.has(name)) {
        let domain = settings.needs("dkim_domain", "\"shop.example\"")?;
        let selector = settings.needs("dkim_selector", "\"flow\"")?;
        let key = settings.needs_secret("dkim_key")?;
        let config = mail::dkim(domain, selector, key.expose_secret());
        Some(config.map_err(|error| settings.error("dkim_key", error))?)
    } else {
        None
    };
    let from = mailbox("from", settings.needs("from", "\"Shop <hello@shop.example>\"")?)?;
    let reply_to = settings.text("reply_to")?.map(|text| mailbox("reply_to", text)).transpose()?;
    Ok(Letterhead { from, reply_to, return_path, dkim })
}

impl Channel for Smtp {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Attempt<'a> {
        Box::pin(async {
            let mail = match mail::write(&self.head, delivery) {
                Ok(mail) => mail,
                Err(unfit) => return Outcome::Rejected { reason: unfit.reason, suppress: unfit.contact },
            };
            match tokio::time::timeout(self.timeout, self.send(&mail)).await {
                Ok(Ok(())) => Outcome::Accepted { provider_id: Some(mail.id) },
                Ok(Err(Failed::Connecting(error))) => {
                    Outcome::retry(format!("there is no connection to the mail server: {}", cause(&error)))
                }
                Ok(Err(Failed::Sending(error))) => outcome(&error, delivery.to.as_deref().unwrap_or_default()),
                Err(_) => Outcome::retry("the mail server did not answer in time"),
            }
        })
    }
}

/// Where it failed. A server that turns us away, whatever its code, has said nothing about the message.
enum Failed {
    Connecting(Error),
    Sending(Error),
}

impl Smtp {
    async fn send(&self, mail: &Mail) -> Result<(), Failed> {
        let mut connection = self.connection().await.map_err(Failed::Connecting)?;
        connection.send(&mail.envelope, &mail.bytes).await.map_err(Failed::Sending)?;
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        if rest.len() < self.connections {
            rest.push((connection, Instant::now()));
        }
        Ok(())
    }

    /// One at rest that still works, else a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, Error> {
        while let Some(mut connection) = self.rested() {
            if connection.test_connected().await {
                return Ok(connection);
            }
        }
        self.server.connect(self.timeout).await
    }

    fn rested(&self) -> Option<AsyncSmtpConnection> {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        rest.retain(|(_, since)| since.elapsed() < IDLE);
        rest.pop().map(|(connection, _)| connection)
    }
}

impl Server {
    async fn connect(&self, timeout: Duration) -> Result<AsyncSmtpConnection, Error> {
        let wrapped = match &self.encryption {
            Encryption::Tls(parameters) => Some(parameters.clone()),
            Encryption::Starttls(_) | Encryption::None => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(timeout), &self.hello, wrapped, None).await?;
        if let Encryption::Starttls(parameters) = &self.encryption {
            connection.starttls(parameters.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

fn outcome(error: &Error, to: &str) -> Outcome {
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    let Some(code) = error.status() else {
        // No other server would take it either: the address has letters that this one cannot carry.
        if error.is_client() && said.contains("SMTPUTF8") {
            return Outcome::rejected("the mail server takes no addresses with letters beyond ASCII");
        }
        return Outcome::retry(format!("the connection to the mail server broke: {}", cause(error)));
    };
    let code: u16 = code.into();
    let reason = format!("the mail server answered {code}: {}", redacted(&said, to));
    // A login that is wanted first is mended by people, and what waited for that is not to be lost.
    if code < 500 || matches!(code, 530 | 534 | 535 | 538) {
        return Outcome::Retry { reason, after: None };
    }
    Outcome::Rejected { reason, suppress: is_unknown_mailbox(code, &said) }
}

/// Whether a reply says that the mailbox does not exist or is shut for good: by its enhanced code (RFC 3463: 5.1.1,
/// 5.1.2, 5.1.3, 5.1.6, 5.1.10, 5.2.1), or, without one, by what servers write with 550, 551 and 553.
pub(crate) fn is_unknown_mailbox(code: u16, said: &str) -> bool {
    let enhanced = said.split_whitespace().map(|word| word.trim_matches(['#', '(', ')', ':', ',', ';']));
    let mut enhanced =
        enhanced.filter(|word| word.starts_with("5.") && word.bytes().filter(|b| *b == b'.').count() == 2);
    if let Some(code) = enhanced.next() {
        return matches!(code, "5.1.1" | "5.1.2" | "5.1.3" | "5.1.6" | "5.1.10" | "5.2.1" | "5.4.4");
    }
    let said = said.to_lowercase();
    let words = [
        "no such user",
        "user unknown",
        "unknown user",
        "does not exist",
        "no mailbox",
        "mailbox not found",
        "invalid recipient",
        "recipient not found",
        "mailbox unavailable",
        "no such recipient",
        "unknown recipient",
    ];
    matches!(code, 550 | 551 | 553) && words.iter().any(|word| said.contains(word))
}

/// What a server said, in one line, without the contact, and not longer than a line.
fn redacted(said: &str, to: &str) -> String {
    let mut said: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if !to.is_empty() {
        said = said.replace(to, "…");
    }
    said.chars().take(200).collect()
}

/// What lies at the bottom of an error.
fn cause(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match error.status() {
        Some(code) => format!("{code} {cause}"),
        None => cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_mailbox_is_told_from_a_refused_message() {
        for (code, said) in [
            (550, "5.1.1 The email account that you tried to reach does not exist."),
            (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"),
            (550, "#5.1.1 bad address"),
            (550, "Requested action not taken: mailbox unavailable"),
            (550, "No such user here"),
            (553, "5.1.3 The recipient address is not a valid RFC 5321 address."),
        ] {
            assert!(is_unknown_mailbox(code, said), "{code} {said}");
        }
        for (code, said) in [
            (550, "5.7.1 Message rejected due to content: recipient does not exist in our whitelist"),
            (550, "5.7.26 Unauthenticated email is not accepted due to the domain's DMARC policy"),
            (552, "5.2.2 The recipient's inbox is out of storage space"),
            (554, "Transaction failed"),
            (550, "Relay access denied"),
            (501, "No such user"),
        ] {
            assert!(!is_unknown_mailbox(code, said), "{code} {said}");
        }
    }

    #[test]
    fn the_contact_is_not_repeated() {
        assert_eq!(redacted("5.1.1 <ada@x.example>:\r\n unknown", "ada@x.example"), "5.1.1 <…>:   unknown");
    }
}
