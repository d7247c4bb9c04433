//! `webhook`, verified by the libraries of Standard Webhooks for Node and Python.

use crate::support::{delivery, has_node, has_python, open, opened, reason, script, sms, Answer, Asked, Server};
use flow_channels::{audiences, Outcome};
use serde_json::{json, Value};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

async fn posted(config: &str, secrets: &[(&str, &str)], answer: Answer) -> (Outcome, Asked) {
    let server = Server::answering([answer]);
    let config = format!("backend = 'webhook'\nurl = '{}/hook'\nallow_private = true\n{config}", server.base);
    let outcome = opened(&config, secrets).deliver(&delivery(None, sms("hi 👋"))).await;
    (outcome, server.asked().last().unwrap().clone())
}

#[tokio::test]
async fn receivers_can_verify_what_they_get() {
    let secrets = [("S", SECRET), ("O", OLD), ("KEY", "k-1")];
    let config = "secret = '${S}'\nsecret_before = '${O}'\nheaders = { x-api-key = '${KEY}' }";
    let (outcome, asked) = posted(config, &secrets, Answer::json(204, &Value::Null)).await;
    assert_eq!(outcome, Outcome::accepted());
    assert_eq!((asked.header("webhook-id"), asked.header("x-api-key")), (crate::support::KEY, "k-1"));
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!((&body["type"], &body["data"]["content"]["text"]), (&json!("message.sent"), &json!("hi 👋")));

    let headers = asked.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let input =
        json!({ "headers": Value::Object(headers), "body": String::from_utf8(asked.body).unwrap() }).to_string();
    for (peer, there) in [("webhook.mjs", has_node("standardwebhooks")), ("webhook.py", has_python("standardwebhooks"))]
    {
        if there.is_none() {
            continue;
        }
        for (secret, wanted) in
            [(SECRET, "valid"), (OLD, "valid"), ("whsec_bm90IHRoZSBzZWNyZXQgYXQgYWxsISE=", "invalid")]
        {
            assert_eq!(script(peer, &[secret], input.as_bytes()).trim(), wanted, "{peer}");
        }
    }
}

#[tokio::test]
async fn what_is_no_success_is_tried_again_and_410_switches_off() {
    for status in [400, 404, 500, 301] {
        let (outcome, _) = posted("secret = '${S}'", &[("S", SECRET)], Answer::json(status, &Value::Null)).await;
        assert_eq!(outcome, Outcome::retry(format!("the address answered {status}")));
    }
    let busy = Answer { status: 429, headers: vec![("retry-after".into(), "120".into())], body: Vec::new() };
    let (outcome, _) = posted("secret = '${S}'", &[("S", SECRET)], busy).await;
    let Outcome::Retry { after: Some(after), .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(after.as_secs(), 120);

    let server = Server::answering([Answer::json(410, &Value::Null)]);
    let config = format!("backend = 'webhook'\nurl = '{}'\nallow_private = true\nsecret = '${{S}}'", server.base);
    let channel = opened(&config, &[("S", SECRET)]);
    for _ in 0..3 {
        let outcome = channel.deliver(&delivery(None, sms("hi"))).await;
        assert!(
            matches!(&outcome, Outcome::Rejected { suppress: false, reason } if reason.contains("410")),
            "{outcome:?}"
        );
    }
    assert_eq!(server.asked().len(), 1, "an address that is gone is not asked again");
}

#[tokio::test]
async fn an_address_of_a_person_leads_to_no_private_network() {
    let server = Server::answering([Answer::json(200, &Value::Null)]);
    let port = server.base.rsplit(':').next().unwrap();
    let channel = opened("backend = 'webhook'\nsecret = '${S}'", &[("S", SECRET)]);
    // `localhost` is a name: it is judged by what it resolves to.
    let addresses =
        [format!("http://127.0.0.1:{port}/"), format!("http://localhost:{port}/"), format!("http://[::1]:{port}/")];
    for to in addresses {
        let outcome = channel.deliver(&delivery(Some(&to), sms("hi"))).await;
        assert_eq!(outcome, Outcome::rejected("the address is not a public one"), "{to}");
    }
    let outcome = channel.deliver(&delivery(Some("file:///etc/passwd"), sms("hi"))).await;
    assert_eq!(reason(&outcome), "the address begins with `file:`, not with `https:`");
    assert!(server.asked().is_empty());
}

#[test]
fn a_weak_secret_is_refused_and_not_shown() {
    let error = open("backend = 'webhook'\nsecret = '${S}'", &[("S", "hunter2")]).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("24 to 64 bytes in base64") && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn an_audience_is_told_in_signed_batches() {
    let server = Server::answering([Answer::json(200, &Value::Null)]);
    let table = format!("url = '{}/ads'\nsecret = '${{S}}'\nallow_private = true", server.base).parse().unwrap();
    let secrets = flow_channels::Secrets::given([("S", SECRET)], ".");
    let audience = audiences::open("buyers", &table, &secrets).unwrap_or_else(|error| panic!("{error}"));
    let change = audiences::Change {
        audience: "buyers".into(),
        added: true,
        user: "u1".into(),
        email: Some("ada@x.example".into()),
        phone: None,
    };
    let batch = &audiences::batches(&[change], 100)[0];
    assert_eq!(audience.send("batch-1", batch).await, Outcome::accepted());
    let asked = &server.asked()[0];
    assert_eq!((asked.path.as_str(), asked.header("webhook-id")), ("/ads", "batch-1"));
    assert!(asked.header("webhook-signature").starts_with("v1,"));
    assert_eq!(serde_json::from_slice::<Value>(&asked.body).unwrap(), *batch);
    assert!(!String::from_utf8_lossy(&asked.body).contains("ada@"));
    let wrong = "adress = 'x'".parse().unwrap();
    let error = audiences::open("buyers", &wrong, &secrets).map(|_| ()).unwrap_err().to_string();
    assert!(
        error.starts_with("flow.toml, audiences.buyers.adress: `[audiences.buyers]` has no key `adress`"),
        "{error}"
    );
}
