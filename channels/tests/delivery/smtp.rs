//! `smtp`, against PyPI's aiosmtpd; signatures are verified by dkimpy and mailauth, mails read by Python's library.

use crate::support::{
    delivery, has_node, has_python, open, opened, private_key, run, scratch, script, sms, Peer, ED25519, KEY, RSA,
};
use base64::prelude::{Engine as _, BASE64_STANDARD};
use flow_channels::{Delivery, Outcome};
use flow_runtime::message::Content;
use serde_json::{json, Value};

fn mail(subject: &str, text: &str) -> Content {
    Content::Email {
        subject: subject.to_owned(),
        preheader: None,
        from: None,
        reply_to: None,
        html: Some(format!("<p>{text}</p><p>{}</p>", "A line as long as mail programs make them, with é. ".repeat(40))),
        text: text.to_owned(),
        unsubscribe: None,
    }
}

fn config(peer: &Peer, more: &str) -> String {
    let port = peer.port;
    format!(
        "backend = 'smtp'\nurl = 'smtp://127.0.0.1:{port}'\ntls = 'none'\nfrom = 'Shop Ü <hello@shop.example>'\n{more}"
    )
}

/// The mail as Python reads it.
fn read(data: &str) -> Value {
    let bytes: Vec<u8> = data.chars().map(|c| c as u8).collect();
    serde_json::from_str(&script("mail.py", &[], &bytes)).unwrap()
}

fn header<'m>(mail: &'m Value, name: &str) -> Vec<&'m str> {
    let headers = mail["headers"].as_array().unwrap().iter();
    headers.filter(|header| header[0].as_str() == Some(name)).filter_map(|header| header[1].as_str()).collect()
}

#[tokio::test]
async fn a_mail_arrives_with_all_that_bulk_senders_owe() {
    if has_python("aiosmtpd").is_none() {
        return;
    }
    let mut peer = Peer::start("smtp_sink.py", &["plain"]);
    let more = "reply_to = 'help@shop.example'\nreturn_path = 'bounces+{key}@shop.example'";
    let channel = opened(&config(&peer, more), &[]);
    let outcome = channel.deliver(&delivery(Some("ada@x.example"), mail("Your basket 🧺", "Hi Ada, è pronto"))).await;
    assert_eq!(outcome, Outcome::Accepted { provider_id: Some(format!("{KEY}@shop.example")) });
    let told = peer.told();
    assert_eq!(
        (&told["from"], &told["to"]),
        (&json!(format!("bounces+{KEY}@shop.example")), &json!(["ada@x.example"]))
    );
    let mail = read(told["data"].as_str().unwrap());
    for (name, wanted) in [
        ("From", "Shop Ü <hello@shop.example>"),
        ("To", "ada@x.example"),
        ("Reply-To", "help@shop.example"),
        ("Subject", "Your basket 🧺"),
        ("Message-ID", "<00f1a2b3c4d5e6f7@shop.example>"),
        ("Date", "Mon, 02 Mar 2026 12:00:00 +0000"),
        ("List-Unsubscribe", "<https://flow.example/u/token>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ] {
        assert_eq!(header(&mail, name), [wanted]);
    }
    assert_eq!(mail["type"], "multipart/alternative");
    assert_eq!((&mail["parts"][0][0], &mail["parts"][1][0]), (&json!("text/plain"), &json!("text/html")));
    assert!(mail["parts"][0][1].as_str().unwrap().contains("è pronto"));
}

/// The record under which verifiers find the public half of a key; Ed25519's holds the bare 32 bytes (RFC 8463).
fn record(algorithm: &str, key: &str) -> String {
    let pem = run("openssl", &["pkey", "-pubout"], key.as_bytes()).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = BASE64_STANDARD.decode(body).unwrap();
    let public = if algorithm == "ed25519" { &der[der.len() - 32..] } else { &der };
    format!("v=DKIM1; k={algorithm}; p={}", BASE64_STANDARD.encode(public))
}

#[tokio::test]
async fn signatures_are_verified_by_others() {
    if has_python("aiosmtpd").is_none() {
        return;
    }
    for (name, algorithm) in [("rsa", RSA), ("ed25519", ED25519)] {
        let Some(key) = private_key(algorithm) else { return };
        let mut peer = Peer::start("smtp_sink.py", &["plain"]);
        let more = "dkim_domain = 'shop.example'\ndkim_selector = 'flow'\ndkim_key = '${DKIM}'";
        let channel = opened(&config(&peer, more), &[("DKIM", &key)]);
        let plain = Content::Email {
            subject: "Plain".into(),
            preheader: None,
            from: None,
            reply_to: None,
            html: None,
            text: "Hi\n.\nbye ".into(),
            unsubscribe: None,
        };
        for content in [mail(&"A long subject è ".repeat(20), "Hi Ada"), plain] {
            let outcome = channel.deliver(&delivery(Some("ada@x.example"), content)).await;
            assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
            let data = peer.told()["data"].as_str().unwrap().to_owned();
            verified(name, &record(name, &key), &data);
        }
    }
}

fn verified(name: &str, record: &str, data: &str) {
    let bytes: Vec<u8> = data.chars().map(|c| c as u8).collect();
    let changed = data.replace("one-click", "x").replace("One-Click", "Two-Click").into_bytes();
    // dkimpy verifies Ed25519 only with another package beside it.
    if name == "rsa" && has_python("dkim").is_some() {
        assert_eq!(script("dkim_verify.py", &[record], &bytes).trim(), "valid");
        assert_eq!(script("dkim_verify.py", &[record], &changed).trim(), "invalid");
    }
    if has_node("mailauth").is_some() {
        let result: Value = serde_json::from_str(&script("dkim_verify.mjs", &[record], &bytes)).unwrap();
        assert_eq!(result["result"], "pass", "{result}");
        let covered = result["headers"].as_str().unwrap().to_lowercase();
        for header in ["from", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post"] {
            assert!(covered.split(':').any(|name| name.trim() == header), "{header} is not in {covered}");
        }
        assert!(!covered.contains("content-type"));
        let result: Value = serde_json::from_str(&script("dkim_verify.mjs", &[record], &changed)).unwrap();
        assert_ne!(result["result"], "pass");
    }
}

#[tokio::test]
async fn what_servers_answer_is_understood() {
    if has_python("aiosmtpd").is_none() {
        return;
    }
    let peer = Peer::start("smtp_sink.py", &["plain"]);
    let channel = opened(&config(&peer, ""), &[]);
    let send = |to: &'static str| {
        let (channel, delivery) = (&channel, delivery(Some(to), mail("Hi", "Hi")));
        async move { channel.deliver(&delivery).await }
    };
    let outcome = send("later@x.example").await;
    assert!(matches!(&outcome, Outcome::Retry { reason, .. } if reason.contains("451: 4.7.1")), "{outcome:?}");
    let outcome = send("unknown@x.example").await;
    let Outcome::Rejected { reason, suppress: true } = &outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("550: 5.1.1") && !reason.contains("unknown@x.example"), "{reason}");
    for to in ["full@x.example", "spam@x.example"] {
        let outcome = send(to).await;
        assert!(matches!(outcome, Outcome::Rejected { suppress: false, .. }), "{outcome:?}");
    }
    let outcome = send("zoë@x.example").await;
    assert_eq!(outcome, Outcome::rejected("the mail server takes no addresses with letters beyond ASCII"));
    let outcome = send("no address").await;
    assert_eq!(outcome, Outcome::suppressed("the contact is no mail address"));
    drop(peer);
    let outcome = send("ada@x.example").await;
    assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
    // A server that turns everybody away has said nothing about the message.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = format!(
        "backend = 'smtp'\nurl = 'smtp://{}'\ntls = 'none'\nfrom = 'a@b.example'",
        closed.local_addr().unwrap()
    );
    std::thread::spawn(move || {
        for mut stream in closed.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut stream, b"554 5.7.1 no service for your address\r\n");
        }
    });
    let outcome = opened(&config, &[]).deliver(&delivery(Some("ada@x.example"), sms("Hi"))).await;
    assert!(matches!(&outcome, Outcome::Retry { reason, .. } if reason.contains("554")), "{outcome:?}");
}

#[tokio::test]
async fn no_attribute_reaches_into_the_headers() {
    if has_python("aiosmtpd").is_none() {
        return;
    }
    let mut peer = Peer::start("smtp_sink.py", &["plain"]);
    let channel = opened(&config(&peer, ""), &[]);
    let evil = "Ada\r\nBcc: eve@evil.example\r\n\r\nowned";
    let wild = Delivery {
        key: "k\r\nBcc: eve@evil.example".to_owned(),
        unsubscribe: Some(format!("https://flow.example/u/{evil}")),
        ..delivery(Some("ada@x.example"), mail(evil, evil))
    };
    assert!(matches!(channel.deliver(&wild).await, Outcome::Accepted { .. }));
    let told = peer.told();
    assert_eq!(told["to"], json!(["ada@x.example"]));
    let mail = read(told["data"].as_str().unwrap());
    assert!(header(&mail, "Bcc").is_empty(), "{mail}");
    assert_eq!(header(&mail, "Subject"), ["Ada  Bcc: eve@evil.example    owned"]);
    for to in ["ada@x.example\r\nRCPT TO:<eve@evil.example>", "ada@x.example>\r\nDATA", "a@x.example, eve@evil.example"]
    {
        let outcome = channel.deliver(&delivery(Some(to), sms("hi"))).await;
        assert_eq!(outcome, Outcome::suppressed("the contact is no mail address"), "{to:?}");
    }
    let outcome = channel.deliver(&delivery(Some("ada@x.example"), mail_from(evil))).await;
    assert_eq!(outcome, Outcome::rejected("the template's `from` is no address"));
}

fn mail_from(from: &str) -> Content {
    Content::Email {
        subject: "Hi".into(),
        preheader: None,
        from: Some(from.into()),
        reply_to: None,
        html: None,
        text: "Hi".into(),
        unsubscribe: None,
    }
}

#[tokio::test]
async fn connections_are_encrypted_and_people_log_in() {
    if has_python("aiosmtpd").is_none() {
        return;
    }
    let folder = scratch("smtp-tls");
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let made = run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "3650",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-out",
            certificate,
            "-keyout",
            key,
        ],
        b"",
    );
    if made.is_none() {
        return;
    }
    for (mode, scheme) in [("starttls", "smtp"), ("tls", "smtps")] {
        let mut peer = Peer::start("smtp_sink.py", &[mode, certificate, key]);
        let config = |password: &str, ca: &str| {
            let port = peer.port;
            format!("backend = 'smtp'\nurl = '{scheme}://flow@localhost:{port}'\nfrom = 'a@b.example'\npassword = '${{{password}}}'\n{ca}")
        };
        let secrets = [("RIGHT", "p@ss:word"), ("WRONG", "wrong")];
        let ca = format!("ca = '{certificate}'");
        let right = opened(&config("RIGHT", &ca), &secrets);
        let wrong = opened(&config("WRONG", &ca), &secrets);
        let untrusted = open(&config("RIGHT", ""), &secrets);
        let to_ada = delivery(Some("ada@x.example"), mail("Hi", "Hi"));
        let outcome = right.deliver(&to_ada).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{mode}: {outcome:?}");
        let told = peer.told();
        assert_eq!((&told["tls"], &told["user"]), (&json!(true), &json!("flow")), "{mode}");
        let outcome = wrong.deliver(&to_ada).await;
        assert!(matches!(&outcome, Outcome::Retry { reason, .. } if reason.contains("535")), "{mode}: {outcome:?}");
        // A certificate that nobody vouches for: nothing is sent, in the clear or otherwise.
        if let Ok(untrusted) = untrusted {
            let outcome = untrusted.deliver(&to_ada).await;
            assert!(matches!(outcome, Outcome::Retry { .. }), "{mode}: {outcome:?}");
        }
    }
    // A server without TLS gets nothing, unless the configuration says so.
    let plain = Peer::start("smtp_sink.py", &["plain"]);
    let config = format!(
        "backend = 'smtp'\nurl = 'smtp://localhost:{}'\nfrom = 'a@b.example'\nca = '{certificate}'",
        plain.port
    );
    let outcome = opened(&config, &[]).deliver(&delivery(Some("ada@x.example"), mail("Hi", "Hi"))).await;
    assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_mails_share_a_few_connections() {
    if has_python("aiosmtpd").is_none() {
        return;
    }
    let mut peer = Peer::start("smtp_sink.py", &["plain"]);
    let channel: std::sync::Arc<dyn flow_channels::Channel> = opened(&config(&peer, "concurrency = 4"), &[]).into();
    // As the outbox does: four attempts at a time.
    let turns = std::sync::Arc::new(tokio::sync::Semaphore::new(4));
    let sends = (0..40).map(|n| {
        let (channel, turns) = (std::sync::Arc::clone(&channel), std::sync::Arc::clone(&turns));
        let delivery = delivery(Some(&format!("p{n}@x.example")), mail("Hi", "Hi"));
        tokio::spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            channel.deliver(&delivery).await
        })
    });
    let sends: Vec<_> = sends.collect();
    let told: Vec<_> = (0..40).map(|_| peer.told()).collect();
    for send in sends {
        assert!(matches!(send.await.unwrap(), Outcome::Accepted { .. }));
    }
    let connections: std::collections::BTreeSet<_> = told.iter().map(|mail| mail["peer"].as_u64().unwrap()).collect();
    assert!(connections.len() <= 4, "{connections:?}");
    let people: std::collections::BTreeSet<_> = told.iter().map(|mail| mail["to"][0].to_string()).collect();
    assert_eq!(people.len(), 40);
}

#[test]
fn what_is_wrong_with_the_configuration_is_said() {
    let said = |config: &str| {
        let secrets = [("URL", "smtp://u:hunter2@h"), ("KEY", "no key")];
        open(&format!("backend = 'smtp'\n{config}"), &secrets).map(|_| ()).unwrap_err().to_string()
    };
    for (config, wanted) in [
        ("from = 'a@b.c'", "channels.email.url: `url` is missing (write `url = \"smtp://mail.example.com:587\"`)"),
        ("url = 'smtp://u:hunter2@h'", "channels.email.url: a password must not stand in flow.toml (write `url = \"${SMTP_URL}\"`, or `username` and `password = \"${SMTP_PASSWORD}\"`)"),
        ("url = 'http://h'", "channels.email.url: `http:` is none of SMTP's (write `smtp://host` (STARTTLS) or `smtps://host` (TLS from the beginning))"),
        ("url = 'smtp://h'\ntls = 'no'", "channels.email.tls: `tls` cannot be `no` (one of none, required)"),
        ("url = '${URL}'\ntls = 'none'\nfrom = 'Shop'", "channels.email.from: `Shop` is no mail address (write `hello@shop.example` or `Shop <hello@shop.example>`)"),
        ("url = '${URL}'\ntls = 'none'\nfrom = 'a@b.c'\ndkim_domain = 'b.c'", "channels.email.dkim_selector: `dkim_selector` is missing (write `dkim_selector = \"flow\"`)"),
        ("url = '${URL}'\ntls = 'none'\nfrom = 'a@b.c'\ndkim_domain = 'b.c'\ndkim_selector = 's'\ndkim_key = '${KEY}'", "channels.email.dkim_key: it is neither an RSA nor an Ed25519 key in PEM"),
    ] {
        assert_eq!(said(config), format!("flow.toml, {wanted}"));
    }
}
