//! The backends, one file each, and the table that names them.

mod apns;
mod console;
mod exec;
mod fcm;
mod file;
mod null;
mod slack;
mod smtp;
mod stored;
mod twilio;
mod web_push;
mod webhook;
mod whatsapp;

pub(crate) use smtp::is_unknown_mailbox;
pub(crate) use webhook::{outcome as webhook_outcome, Sender, KEYS as WEBHOOK_KEYS};
pub use whatsapp::free_text;

use crate::config::{ConfigError, Read, Settings};
use crate::net;
use crate::pace::{Limits, Rate};
use crate::retry::Schedule;
use crate::secrets::Secrets;
use crate::Channel;
use flow_compiler::nearest::nearest;
use std::num::NonZeroU32;
use std::time::Duration;
use toml::Table;
use url::Url;

/// The keys that every backend has.
const COMMON: [&str; 8] =
    ["backend", "concurrency", "rate", "attempts", "retry_first", "retry_longest", "after_crash", "track"];

/// Where a message stays with Flow itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In the person's inbox.
    Inbox,
    /// As a task for somebody.
    Task,
}

/// How fast a channel may go, and when it tries again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Concurrency and rate.
    pub limits: Limits,
    /// The retry schedule.
    pub retry: Schedule,
    /// Whether one provider takes all messages, so that a pause that it asks for (`Retry-After`) is for all of them. Not so
    /// where each person has an address of their own, and where a program speaks of single messages.
    pub one_provider: bool,
    /// Messages that were accepted stay here; none: they have left.
    pub kept: Option<Kept>,
    /// Whether a message is handed over again that may have been taken when the server stopped; otherwise it is given up then, for
    /// somebody to look at.
    pub again: bool,
}

type Open = fn(&Settings<'_>) -> Read<Box<dyn Channel>>;

/// What is written once about each backend.
struct Backend {
    name: &'static str,
    keys: &'static [&'static str],
    /// Whether it goes out by HTTP.
    net: bool,
    open: Open,
    concurrency: u32,
    /// The rate that the provider bears when nothing is configured: so many a second.
    rate: Option<u32>,
    retry: fn() -> Schedule,
    /// See [`Policy::one_provider`].
    one_provider: bool,
}

impl Backend {
    const fn local(name: &'static str, keys: &'static [&'static str], open: Open) -> Self {
        Self { name, keys, net: false, open, concurrency: 1, rate: None, retry: quick, one_provider: false }
    }

    const fn remote(name: &'static str, keys: &'static [&'static str], open: Open) -> Self {
        Self { name, keys, net: true, open, concurrency: 16, rate: None, retry: patient, one_provider: true }
    }
}

/// In the order of the documentation.
const BACKENDS: [Backend; 14] = [
    Backend::local("console", &[], console::open),
    Backend::local("file", file::KEYS, file::open),
    Backend { concurrency: 64, ..Backend::local("null", &[], null::open) },
    Backend { concurrency: 16, retry: patient, ..Backend::local("exec", exec::KEYS, exec::open) },
    Backend { concurrency: smtp::CONNECTIONS, retry: mail, ..Backend::local("smtp", smtp::KEYS, smtp::open) },
    // One number sends one message a second in many countries; a messaging service more, which is configured.
    Backend { rate: Some(1), ..Backend::remote("twilio", twilio::KEYS, twilio::open) },
    // The Cloud API lets 80 messages a second through.
    Backend { rate: Some(80), ..Backend::remote("whatsapp", whatsapp::KEYS, whatsapp::open) },
    Backend::remote("fcm", fcm::KEYS, fcm::open),
    Backend::remote("apns", apns::KEYS, apns::open),
    // Each browser's maker has a push service.
    Backend { one_provider: false, ..Backend::remote("web_push", web_push::KEYS, web_push::open) },
    // Slack lets one message a second and channel through.
    Backend { rate: Some(1), ..Backend::remote("slack", slack::KEYS, slack::open) },
    Backend { retry: Schedule::standard_webhooks, ..Backend::remote("webhook", webhook::KEYS, webhook::open) },
    Backend { concurrency: 64, ..Backend::local("inbox", &[], stored::open) },
    Backend { concurrency: 64, ..Backend::local("tasks", &[], stored::open) },
];

/// Something local: if it does not come right soon, it does not come right.
fn quick() -> Schedule {
    Schedule::Exponential { first: Duration::from_secs(1), longest: Duration::from_secs(60), attempts: 8 }
}

/// A provider that may be away for a while: 12 attempts over some two hours.
fn patient() -> Schedule {
    Schedule::Exponential { first: Duration::from_secs(5), longest: Duration::from_secs(3600), attempts: 12 }
}

/// Mail servers put senders off on purpose (greylisting) and are down for hours: 20 attempts over some two days.
fn mail() -> Schedule {
    Schedule::Exponential { first: Duration::from_secs(30), longest: Duration::from_secs(4 * 3600), attempts: 20 }
}

/// The backends and their own keys.
pub fn names() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    BACKENDS.iter().map(|backend| (backend.name, backend.keys))
}

/// Opens the channel `name` from its table `[channels.name]`.
///
/// # Errors
/// When the backend or a key is not known, a value is of no use, or a secret is not there.
pub fn open(name: &str, table: &Table, secrets: &Secrets) -> Result<Box<dyn Channel>, ConfigError> {
    let settings = Settings::new(name, table, secrets);
    let backend = find(&settings)?;
    settings.only(&[&COMMON, backend.keys, if backend.net { net::KEYS } else { &[] }])?;
    (backend.open)(&settings)
}

/// How fast the channel `name` may go, and when it tries again: what its table says, else what suits the backend.
///
/// # Errors
/// When the backend is not known or a value is of no use.
pub fn policy(name: &str, table: &Table, secrets: &Secrets) -> Result<Policy, ConfigError> {
    let settings = Settings::new(name, table, secrets);
    let backend = find(&settings)?;
    let concurrency = settings.number("concurrency")?.or(NonZeroU32::new(backend.concurrency));
    let rate = match settings.text("rate")? {
        Some(text) => Some(rate(&text).ok_or_else(|| {
            let message = format!("`{text}` is no rate");
            settings.error_help("rate", message, "write a number and a time, such as `100/s`, `600/m` or `5000/1h`")
        })?),
        None => backend.rate.and_then(|n| per(NonZeroU32::new(n)?, Duration::from_secs(1))),
    };
    let limits = Limits { concurrency: concurrency.unwrap_or(NonZeroU32::MIN), rate };
    // A webhook without an address of its own asks each person's.
    let one_provider = backend.one_provider && (backend.name != "webhook" || settings.has("url"));
    let kept = match backend.name {
        "inbox" => Some(Kept::Inbox),
        "tasks" => Some(Kept::Task),
        _ => None,
    };
    let again = settings.choice("after_crash", &["again", "dead"])? != Some("dead");
    Ok(Policy { limits, retry: schedule(&settings, (backend.retry)())?, one_provider, kept, again })
}

fn find(settings: &Settings<'_>) -> Read<&'static Backend> {
    let name = settings.needs("backend", "\"smtp\"")?;
    if let Some(backend) = BACKENDS.iter().find(|backend| backend.name == name) {
        return Ok(backend);
    }
    let names = BACKENDS.iter().map(|backend| backend.name);
    let help = match nearest(&name, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", names.collect::<Vec<_>>().join(", ")),
    };
    Err(settings.error_help("backend", format!("there is no backend `{name}`"), help))
}

/// An address of the configuration.
pub(crate) fn url(settings: &Settings<'_>, key: &str) -> Read<Option<Url>> {
    let Some(text) = settings.text(key)? else { return Ok(None) };
    let parsed: Result<Url, _> = text.parse();
    match parsed {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Some(url)),
        // The text may hold a secret.
        _ => Err(settings.error_help(key, format!("`{key}` is no address"), "write `https://…`")),
    }
}

/// An address of the configuration, or the provider's own.
fn url_or(settings: &Settings<'_>, key: &str, default: &str) -> Read<Url> {
    match url(settings, key)? {
        Some(url) => Ok(url),
        None => default.parse().map_err(|_| settings.error(key, format!("`{key}` is no address"))),
    }
}

/// An address below another.
fn below(settings: &Settings<'_>, base: &Url, path: &str) -> Read<Url> {
    let text = format!("{}/{path}", base.as_str().trim_end_matches('/'));
    text.parse().map_err(|_| settings.error("url", "`url` is no address"))
}

/// What is configured of the schedule, else what the backend has. Any of the keys makes it an exponential one.
fn schedule(settings: &Settings<'_>, default: Schedule) -> Read<Schedule> {
    let attempts = settings.number("attempts")?.map(NonZeroU32::get);
    let first = settings.duration("retry_first")?;
    let longest = settings.duration("retry_longest")?;
    Ok(match default {
        Schedule::Fixed(mut waits) if first.is_none() && longest.is_none() => {
            // Fewer attempts shorten the schedule; more go on with its longest wait.
            let last = waits.last().copied().unwrap_or(Duration::from_secs(60));
            if let Some(attempts) = attempts {
                waits.resize(attempts as usize - 1, last);
            }
            Schedule::Fixed(waits)
        }
        Schedule::Fixed(waits) => Schedule::Exponential {
            first: first.unwrap_or(Duration::from_secs(5)),
            longest: longest.unwrap_or(Duration::from_secs(3600)),
            attempts: attempts.unwrap_or(u32::try_from(waits.len()).unwrap_or(10)),
        },
        Schedule::Exponential { first: f, longest: l, attempts: a } => Schedule::Exponential {
            first: first.unwrap_or(f),
            longest: longest.unwrap_or(l),
            attempts: attempts.unwrap_or(a),
        },
    })
}

/// `100/s`, `600/m`, `5000/1h`.
fn rate(text: &str) -> Option<Rate> {
    let (number, time) = text.split_once('/')?;
    let number: NonZeroU32 = number.trim().parse().ok()?;
    let time = time.trim();
    let time = if time.starts_with(|c: char| c.is_ascii_digit()) { time.to_owned() } else { format!("1{time}") };
    per(number, crate::config::duration(&time).filter(|time| !time.is_zero())?)
}

/// At rest, a tenth of a second's worth may go at once: a queue that has stood is not a flood.
fn per(count: NonZeroU32, per: Duration) -> Option<Rate> {
    let burst = f64::from(count.get()) / per.as_secs_f64() / 10.0;
    Some(Rate { count, per, burst: NonZeroU32::new(burst as u32).unwrap_or(NonZeroU32::MIN) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().expect("a table")
    }

    fn error(text: &str) -> String {
        let (table, secrets) = (table(text), Secrets::given([("A", "a")], "."));
        let opened = open("email", &table, &secrets).map(|_| ());
        opened.and_then(|()| policy("email", &table, &secrets).map(|_| ())).expect_err("wrong").to_string()
    }

    #[test]
    fn what_is_misspelled_gets_its_nearest_name() {
        for (text, wanted) in [
            ("", "flow.toml, channels.email.backend: `backend` is missing (write `backend = \"smtp\"`)"),
            ("backend = 'consle'", "flow.toml, channels.email.backend: there is no backend `consle` (did you mean `console`?)"),
            (
                "backend = 'console'\nconcurency = 3",
                "flow.toml, channels.email.concurency: the backend `console` has no key `concurency` (did you mean `concurrency`?)",
            ),
            (
                "backend = 'console'\nrate = 'fast'",
                "flow.toml, channels.email.rate: `fast` is no rate (write a number and a time, such as `100/s`, `600/m` or `5000/1h`)",
            ),
            (
                "backend = 'console'\nattempts = 0",
                "flow.toml, channels.email.attempts: `attempts` must be a whole number from 1, not 0",
            ),
        ] {
            assert_eq!(error(text), wanted);
        }
    }

    #[test]
    fn rates_are_read() {
        let read = |text| rate(text).map(|rate| (rate.count.get(), rate.per.as_secs(), rate.burst.get()));
        assert_eq!(read("100/s"), Some((100, 1, 10)));
        assert_eq!(read("600 / m"), Some((600, 60, 1)));
        assert_eq!(read("5000/1h"), Some((5000, 3600, 1)));
        assert_eq!(read("30/10s"), Some((30, 10, 1)));
        for text in ["", "/s", "0/s", "10", "10/", "10/x", "-1/s", "10/0s"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_schedule_can_be_changed() {
        let read = |text: &str| policy("x", &table(text), &Secrets::given([("A", "a")], ".")).expect("right").retry;
        let changed = read("backend = 'null'\nattempts = 3\nretry_first = '10s'\nretry_longest = '1h'");
        let (first, longest) = (Duration::from_secs(10), Duration::from_secs(3600));
        assert_eq!(changed, Schedule::Exponential { first, longest, attempts: 3 });
    }

    #[test]
    fn a_pause_is_for_all_where_one_provider_takes_all() {
        let read =
            |text: &str| policy("x", &table(text), &Secrets::given([("A", "a")], ".")).expect("right").one_provider;
        assert!(read("backend = 'twilio'") && read("backend = 'webhook'\nurl = 'https://crm.example'"));
        assert!(!read("backend = 'webhook'") && !read("backend = 'web_push'") && !read("backend = 'exec'"));
    }
}
