//! What `fetch` and `call` ask of the APIs that a program declares. The answer is a value of the declared type, to be
//! written into the journal before the engine sees it; a replay never comes here.

use crate::net::{Answer, Http, Options};
use crate::retry::Schedule;
use crate::secrets::Secrets;
use flow_compiler::bytecode::{Api, ApiId, CodeId, Type};
use flow_runtime::ingest::schema::Schema;
use flow_runtime::vm::value::Value;
use flow_runtime::vm::{Facts, Machine, Moment};
use jiff::tz::TimeZone;
use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use url::Url;

/// The longest answer, in bytes.
pub const LONGEST_ANSWER: usize = 1024 * 1024;
/// How many answers are kept for as long as their servers allow (`Cache-Control: max-age`).
pub const CACHED_ANSWERS: usize = 1_000;
/// The longest answer that is kept, in bytes.
const LONGEST_CACHED: usize = 64 * 1024;
/// The attempts of one question; they share the API's time.
const ATTEMPTS: Schedule =
    Schedule::Exponential { first: Duration::from_millis(100), longest: Duration::from_secs(1), attempts: 3 };
/// What stands in an address as it is (RFC 3986, section 2.3).
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Asks APIs.
#[derive(Debug)]
pub struct Apis {
    http: Http,
    secrets: Secrets,
    cache: Mutex<Cache>,
}

/// One question.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The program, ready for evaluation.
    pub machine: &'a Machine<'a>,
    /// Its names on the wire.
    pub schema: &'a Schema,
    /// Which API.
    pub api: ApiId,
    /// In the order of its parameters.
    pub args: &'a [Value],
    /// The same at every attempt; it goes out as `Idempotency-Key`.
    pub key: &'a str,
    /// The moment of the question, in milliseconds since 1970.
    pub time: i64,
}

#[derive(Debug, Default)]
struct Cache {
    answers: HashMap<String, (Instant, Value)>,
    order: VecDeque<String>,
}

impl Apis {
    /// With the headers' secrets from `secrets`. Addresses that are not public are refused unless `allow_private`.
    ///
    /// # Errors
    /// A sentence, when the machine has no trusted certificates.
    pub fn new(secrets: Secrets, allow_private: bool) -> Result<Self, String> {
        let http = Http::new(Duration::from_secs(60), Options { allow_private, ..Options::default() })?;
        Ok(Self { http, secrets, cache: Mutex::default() })
    }

    /// Asks, within the API's `timeout`.
    ///
    /// # Errors
    /// A sentence, when there is no answer or none that fits the declared type: the journey then takes its `else`.
    pub async fn ask(&self, question: Question<'_>) -> Result<Value, String> {
        let api = question.api()?;
        let prepared = question.prepare(api, &self.secrets)?;
        if let Some(value) = prepared.cache_key.as_deref().and_then(|key| self.kept(key)) {
            return Ok(value);
        }
        let time = Duration::from_millis(api.timeout.max(1).unsigned_abs());
        let deadline = Instant::now() + time;
        let answer = match tokio::time::timeout(time, self.attempts(&prepared, question.key, deadline)).await {
            Ok(answer) => answer?,
            Err(_) => return Err(format!("`{}` did not answer in time", api.name)),
        };
        let value = question.value(api, &answer)?;
        if let (Some(key), Some(age)) = (prepared.cache_key, answer.max_age) {
            if answer.body.len() <= LONGEST_CACHED {
                self.keep(key, age, &value);
            }
        }
        Ok(value)
    }

    async fn attempts(&self, prepared: &Prepared, key: &str, deadline: Instant) -> Result<Answer, String> {
        // A header has no place for every character of a person's id.
        let idempotency_key = utf8_percent_encode(key, KEPT).to_string();
        let mut attempt = 1;
        loop {
            let mut request = self.http.request(prepared.method.clone(), prepared.url.clone());
            for (name, value) in &prepared.headers {
                request = request.header(name, value);
            }
            if let Some(body) = &prepared.body {
                request = request.header("content-type", "application/json").body(body.clone());
            }
            request = request.header("accept", "application/json").header("idempotency-key", &idempotency_key);
            let (reason, after) = match self.http.send_for(request, LONGEST_ANSWER).await {
                Ok(answer) if (200..300).contains(&answer.status) => return Ok(answer),
                Ok(answer) if !matches!(answer.status, 408 | 425 | 429 | 500..) => {
                    return Err(format!("the API answered {}", answer.status));
                }
                Ok(answer) => (format!("the API answered {}", answer.status), answer.after),
                Err(failed) if failed.forbidden => return Err(failed.reason),
                Err(failed) => (failed.reason, None),
            };
            // What changes something is asked once: nobody knows whether it was done.
            let again = prepared.safe.then(|| ATTEMPTS.wait(key, attempt, after)).flatten();
            match again {
                Some(wait) if Instant::now() + wait < deadline => tokio::time::sleep(wait).await,
                _ => return Err(reason),
            }
            attempt += 1;
        }
    }

    fn kept(&self, key: &str) -> Option<Value> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, value) = cache.answers.get(key)?;
        (Instant::now() < *until).then(|| value.clone())
    }

    fn keep(&self, key: String, age: Duration, value: &Value) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + age;
        if cache.answers.insert(key.clone(), (until, value.clone())).is_none() {
            cache.order.push_back(key);
        }
        while cache.order.len() > CACHED_ANSWERS {
            if let Some(oldest) = cache.order.pop_front() {
                cache.answers.remove(&oldest);
            }
        }
    }
}

/// A request, ready to be made more than once.
struct Prepared {
    method: Method,
    url: Url,
    headers: Vec<(String, reqwest::header::HeaderValue)>,
    body: Option<String>,
    safe: bool,
    cache_key: Option<String>,
}

impl Question<'_> {
    fn api(&self) -> Result<&Api, String> {
        self.machine.program().apis.get(self.api.index()).ok_or_else(|| "there is no such API".to_owned())
    }

    fn prepare(&self, api: &Api, secrets: &Secrets) -> Result<Prepared, String> {
        let (method, code) = api.request.as_ref().ok_or_else(|| format!("`{}` has no address", api.name))?;
        let method: Method = method.parse().map_err(|_| format!("`{method}` is no method"))?;
        // What a person's attribute holds stays in its place: it cannot reach another path, query or host.
        let encoded: Vec<Value> = api.params.iter().zip(self.args).map(|(p, value)| encoded(&p.ty, value)).collect();
        let url =
            self.text(*code, &encoded).ok_or_else(|| format!("the address of `{}` is missing a value", api.name))?;
        let url: Url = url.parse().map_err(|error| format!("the address of `{}` is none: {error}", api.name))?;
        let mut headers = Vec::new();
        for (name, value) in &api.headers {
            let (value, secret) = match value {
                Ok(code) => (self.text(*code, self.args).unwrap_or_default(), false),
                Err(variable) => {
                    let found = secrets.variable(variable);
                    let found = found.ok_or_else(|| format!("the environment has no `{variable}`"))?;
                    (found.expose_secret().to_owned(), true)
                }
            };
            let value = reqwest::header::HeaderValue::from_str(&value);
            let mut value = value.map_err(|_| format!("the header `{name}` would hold a line end"))?;
            value.set_sensitive(secret);
            headers.push((name.clone(), value));
        }
        let body = self.body(api);
        let safe = matches!(method, Method::GET | Method::PUT | Method::DELETE);
        let cache_key = (method == Method::GET).then(|| format!("{} {url} {headers:?} {body:?}", api.name));
        Ok(Prepared { method, url, headers, body, safe, cache_key })
    }

    fn body(&self, api: &Api) -> Option<String> {
        let facts = Arguments::new(self.args);
        let value = |code: CodeId| self.machine.evaluate(code, &facts, &mut Moment::at(self.time)).to_json();
        let fields = api.body.iter().map(|(name, code)| (name.clone(), value(*code)));
        (!api.body.is_empty()).then(|| serde_json::Value::Object(fields.collect()).to_string())
    }

    fn text(&self, code: CodeId, args: &[Value]) -> Option<String> {
        match self.machine.evaluate(code, &Arguments::new(args), &mut Moment::at(self.time)) {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        }
    }

    /// The answer as the declared type; what no type is declared for was a success.
    fn value(&self, api: &Api, answer: &Answer) -> Result<Value, String> {
        let Some((ty, _)) = &api.answer else { return Ok(Value::Bool(true)) };
        if !answer.whole {
            return Err(format!("`{}` answered more than {LONGEST_ANSWER} bytes", api.name));
        }
        let text = std::str::from_utf8(&answer.body).map_err(|_| format!("`{}` answered no text", api.name))?;
        // The schema reads JSON that is known to be JSON.
        serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|_| format!("`{}` answered no JSON", api.name))?;
        match self.schema.value(ty, text.trim()) {
            Ok(Value::Missing) => Err(format!("`{}` answered nothing", api.name)),
            Ok(value) => Ok(value),
            Err(misfit) => Err(format!("`{}` answered something else: {}", api.name, misfit.below("answer"))),
        }
    }
}

/// A text as part of an address. A whole address that the program passes on is left alone.
fn encoded(ty: &Type, value: &Value) -> Value {
    match value {
        Value::Text(text) if !matches!(ty, Type::Url) => {
            // `.` and `..` would be steps in a path, also when they are encoded once.
            let text = match text.as_ref() {
                "." | ".." => text.replace('.', "%2E").replace('%', "%25"),
                text => utf8_percent_encode(text, KEPT).to_string(),
            };
            Value::text(&text)
        }
        other => other.clone(),
    }
}

/// What an API's code can read: the arguments, and nothing of the person.
struct Arguments<'a> {
    args: &'a [Value],
    zone: TimeZone,
}

impl<'a> Arguments<'a> {
    fn new(args: &'a [Value]) -> Self {
        Self { args, zone: TimeZone::UTC }
    }
}

impl Facts for Arguments<'_> {
    fn field(&self, field: u16) -> Value {
        self.args.get(usize::from(field)).cloned().unwrap_or_default()
    }
    fn zone(&self) -> &TimeZone {
        &self.zone
    }
}
