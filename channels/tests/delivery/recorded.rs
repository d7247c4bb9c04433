//! Requests and answers of the providers' documentation, one file each in `recorded/`: what we send is what is
//! documented, and what the provider answers is understood.

use crate::support::{delivery, folder, opened, private_key, Answer, Asked, Server, RSA};
use flow_channels::Outcome;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    #[serde(rename = "source")]
    _source: String,
    config: String,
    secrets: BTreeMap<String, String>,
    #[serde(default)]
    routes: BTreeMap<String, Value>,
    to: Option<String>,
    content: flow_runtime::message::Content,
    request: Wanted,
    answers: Vec<Given>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Value,
    outcome: Value,
}

#[tokio::test]
async fn providers_are_asked_and_understood_as_documented() {
    let mut files: Vec<_> = folder().join("recorded").read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 7);
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let recorded: Recorded = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        check(&name, &recorded).await;
    }
}

async fn check(name: &str, recorded: &Recorded) {
    let server = Server::start();
    let mut rsa = String::new();
    if recorded.secrets.values().any(|secret| secret.contains("{rsa}")) {
        let Some(key) = private_key(RSA) else { return };
        // It stands in a text of JSON.
        rsa = key.replace('\n', "\\n");
    }
    let filled = |text: &str| text.replace("{base}", &server.base).replace("{rsa}", &rsa);
    let secrets: Vec<_> = recorded.secrets.iter().map(|(name, secret)| (name.as_str(), filled(secret))).collect();
    let secrets: Vec<_> = secrets.iter().map(|(name, secret)| (*name, secret.as_str())).collect();
    for (path, body) in &recorded.routes {
        server.route(path, Answer::json(200, body));
    }
    let channel = opened(&filled(&recorded.config), &secrets);
    let delivery = delivery(recorded.to.as_deref(), recorded.content.clone());
    for (place, given) in recorded.answers.iter().enumerate() {
        let headers = given.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let body = given.body.as_str().map_or_else(|| given.body.to_string(), str::to_owned);
        server.answer(Answer { status: given.status, headers, body: body.into_bytes() });
        let outcome = channel.deliver(&delivery).await;
        assert_eq!(shown(&outcome), given.outcome, "{name}, answer {place}");
        wanted(name, &recorded.request, server.asked().last().expect("asked"));
    }
    assert_eq!(server.asked().len(), recorded.answers.len(), "{name}: one request an attempt");
}

fn wanted(name: &str, wanted: &Wanted, asked: &Asked) {
    assert_eq!((asked.method.as_str(), asked.path.as_str()), (wanted.method.as_str(), wanted.path.as_str()), "{name}");
    for (header, value) in &wanted.headers {
        assert_eq!(asked.header(header), value, "{name}: {header}");
    }
    let body = String::from_utf8(asked.body.clone()).unwrap();
    match &wanted.body {
        Value::Null => {}
        Value::String(text) => assert_eq!(&body, text, "{name}"),
        json => assert_eq!(&serde_json::from_str::<Value>(&body).unwrap(), json, "{name}"),
    }
}

fn shown(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Accepted { provider_id } => serde_json::json!({ "accepted": provider_id }),
        Outcome::Retry { reason, after: None } => serde_json::json!({ "retry": reason }),
        Outcome::Retry { reason, after: Some(after) } => {
            serde_json::json!({ "retry": reason, "after": after.as_secs_f64() as u64 })
        }
        Outcome::Rejected { reason, suppress: true } => serde_json::json!({ "suppressed": reason }),
        Outcome::Rejected { reason, suppress: false } => serde_json::json!({ "rejected": reason }),
    }
}

/// What the outbox honours: the wait that a provider asks for is part of the outcome.
#[tokio::test]
async fn a_provider_that_is_not_there_is_tried_again() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let config = format!("backend = 'slack'\napi = '{base}'\ntoken = '${{T}}'\nto = 'C1'\ntimeout = '2s'");
    let outcome = opened(&config, &[("T", "xoxb")]).deliver(&delivery(None, crate::support::sms("hi"))).await;
    let Outcome::Retry { reason, after: None } = outcome else { panic!("{outcome:?}") };
    assert!(reason.starts_with("there was no connection: ") && !reason.contains("127.0.0.1"), "{reason}");
}
