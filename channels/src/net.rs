//! The way out by HTTP: one client for all backends, with time limits, bounded answers, and no way into networks
//! that are not public.

pub mod guard;

use crate::config::{Read, Settings};
use crate::{retry, Outcome};
use guard::{Forbidden, Guard};
use reqwest::header::{CACHE_CONTROL, RETRY_AFTER};
use reqwest::{Certificate, Client, ClientBuilder, Method, RequestBuilder};
use std::error::Error as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use url::Url;

/// The keys that every backend over HTTP has.
pub(crate) const KEYS: &[&str] = &["timeout", "ca"];
/// The time for a whole request when the configuration says nothing: the Standard Webhooks specification recommends 15
/// to 30 s.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How much of a provider's answer is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// A client.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
    guard: Guard,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// What `Retry-After` asks for.
    pub after: Option<Duration>,
    /// For how long `Cache-Control` lets it be kept.
    pub max_age: Option<Duration>,
    /// The body, as far as it was read.
    pub body: Vec<u8>,
    /// Whether that is all of it.
    pub whole: bool,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// A sentence, without the address.
    pub reason: String,
    /// Whether the address is one that must not be asked; trying again is of no use.
    pub forbidden: bool,
}

impl Failed {
    /// As the outcome of a delivery.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        if self.forbidden {
            Outcome::rejected(self.reason)
        } else {
            Outcome::retry(self.reason)
        }
    }
}

/// How a client speaks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether addresses that are not public may be asked.
    pub allow_private: bool,
    /// HTTP/2 from the first byte, for servers without TLS.
    pub prior_knowledge: bool,
}

impl Http {
    /// A client with the settings of a channel.
    ///
    /// # Errors
    /// When a setting is of no use.
    pub fn open(settings: &Settings<'_>, options: Options) -> Read<Self> {
        let timeout = settings.duration("timeout")?.unwrap_or(TIMEOUT);
        let mut builder = Self::builder(timeout, options);
        if let Some(path) = settings.path("ca")? {
            let wrong = |error: String| settings.error("ca", format!("`{}`: {error}", path.display()));
            let text = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
            let certificates = Certificate::from_pem_bundle(&text).map_err(|error| wrong(error.to_string()))?;
            builder = builder.tls_certs_only(certificates);
        }
        let client = builder.build().map_err(|error| {
            let help = "install the package `ca-certificates`, or name a file of certificates with `ca`";
            settings.error_help("backend", format!("there can be no TLS: {}", cause(&error)), help)
        })?;
        Ok(Self { client, guard: Guard { allow_private: options.allow_private } })
    }

    /// A client with the machine's certificates.
    ///
    /// # Errors
    /// A sentence, when the machine has none.
    pub fn new(timeout: Duration, options: Options) -> Result<Self, String> {
        let client = Self::builder(timeout, options).build().map_err(|error| cause(&error))?;
        Ok(Self { client, guard: Guard { allow_private: options.allow_private } })
    }

    fn builder(timeout: Duration, options: Options) -> ClientBuilder {
        // Fails only when there is one already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .pool_idle_timeout(Duration::from_secs(60))
            // A redirect could lead anywhere, also into a private network.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("flow/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Guard { allow_private: options.allow_private });
        if options.prior_knowledge {
            builder.http2_prior_knowledge()
        } else {
            builder
        }
    }

    /// The client itself, for libraries that bring their own requests.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Begins a request.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Begins a POST of JSON.
    pub fn post_json(&self, url: Url, body: &serde_json::Value) -> RequestBuilder {
        self.request(Method::POST, url).header("content-type", "application/json").body(body.to_string())
    }

    /// Begins a POST of a form.
    pub fn post_form(&self, url: Url, fields: &[(&str, &str)]) -> RequestBuilder {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.request(Method::POST, url).header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// Sends a request and reads as much of the answer as a provider's answer has.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, Failed> {
        self.send_for(request, LONGEST_ANSWER).await
    }

    /// Sends a request and reads at most `longest` bytes of the answer.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send_for(&self, request: RequestBuilder, longest: usize) -> Result<Answer, Failed> {
        let request = request.build().map_err(|error| Failed { reason: cause(&error), forbidden: true })?;
        // A host that is a number is not resolved, so that the resolver's guard does not see it.
        self.check(request.url())?;
        let mut response = self.client.execute(request).await.map_err(failed)?;
        let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|value| retry::retry_after(value, now()));
        let control = response.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
        let max_age = control.and_then(max_age);
        let (status, mut body, mut whole) = (response.status().as_u16(), Vec::new(), true);
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            let room = longest - body.len();
            whole = chunk.len() <= room;
            body.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
            if !whole {
                break;
            }
        }
        Ok(Answer { status, after, max_age, body, whole })
    }

    /// Judges an address as far as it needs no resolving.
    ///
    /// # Errors
    /// When it must not be asked.
    pub fn check(&self, url: &Url) -> Result<(), Failed> {
        self.guard.check(url).map_err(|reason| Failed { reason, forbidden: true })
    }
}

impl Answer {
    /// The body as JSON; `null` when it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The outcome that the status alone tells.
    #[must_use]
    pub fn outcome(&self, who: &str) -> Outcome {
        let Self { status, after, .. } = self;
        match status {
            200..=299 => Outcome::accepted(),
            300..=399 => Outcome::rejected(format!("{who} answered {status}; redirects are not followed")),
            // A wrong key is mended by people, and what waited for that is not to be lost.
            401 | 403 => self.retry(format!("{who} refused the credentials ({status})")),
            408 | 425 | 429 | 500.. => Outcome::Retry { reason: format!("{who} answered {status}"), after: *after },
            _ => Outcome::rejected(format!("{who} answered {status}")),
        }
    }

    /// Not now, and not sooner than the answer asks.
    #[must_use]
    pub fn retry(&self, reason: impl Into<String>) -> Outcome {
        Outcome::Retry { reason: reason.into(), after: self.after }
    }
}

/// `max-age` of a `Cache-Control` header (RFC 9111, section 5.2.2), unless it forbids keeping.
fn max_age(control: &str) -> Option<Duration> {
    let control = control.to_ascii_lowercase();
    let words = || control.split(',').map(str::trim);
    if words().any(|word| matches!(word, "no-store" | "no-cache")) {
        return None;
    }
    let seconds = words().find_map(|word| word.strip_prefix("max-age="))?;
    seconds
        .trim_matches('"')
        .parse()
        .ok()
        .filter(|seconds| *seconds > 0)
        .map(|s: u64| Duration::from_secs(s.min(86_400)))
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn failed(error: reqwest::Error) -> Failed {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(forbidden) = inner.downcast_ref::<Forbidden>() {
            return Failed { reason: forbidden.to_string(), forbidden: true };
        }
        source = inner.source();
    }
    let reason = match () {
        () if error.is_timeout() => "there was no answer in time".to_owned(),
        () if error.is_connect() => format!("there was no connection: {}", cause(&error)),
        () => format!("the connection broke: {}", cause(&error)),
    };
    Failed { reason, forbidden: false }
}

/// What lies at the bottom of an error. The upper layers name the address, which may hold a secret.
fn cause(error: &reqwest::Error) -> String {
    let Some(mut cause) = error.source() else { return "the request cannot be made".to_owned() };
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
