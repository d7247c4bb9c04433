//! Notifications: `web_push` against npm's web-push-testing, which decrypts; `apns` against Node's HTTP/2.

use crate::support::{delivery, has_node, open, opened, private_key, run, script, skip_unless, Peer, EC};
use base64::prelude::{Engine as _, BASE64_URL_SAFE_NO_PAD};
use flow_channels::Outcome;
use flow_runtime::message::Content;
use serde_json::{json, Value};
use std::io::Write as _;

fn notification() -> Content {
    Content::Push {
        title: "Your basket 🧺".into(),
        body: "10% off today".into(),
        link: Some("https://shop.example/cart".into()),
        image: None,
    }
}

/// A private key as `web-push generate-vapid-keys` writes it, and its public half.
const VAPID: &str = "RS0WdYWWo1HajXg3NZR1olzCf31i-ZBGDkFyCs7j1jw";

fn vapid_public() -> String {
    let key = BASE64_URL_SAFE_NO_PAD.decode(VAPID).unwrap();
    let ecdh = "const e = require('crypto').createECDH('prime256v1');\
                e.setPrivateKey(Buffer.from(process.argv[1], 'hex'));console.log(e.getPublicKey('base64url'))";
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    run("node", &["-e", ecdh, &hex], b"").unwrap().trim().to_owned()
}

fn ask(peer: &mut Peer, path: &str, body: &Value) -> Value {
    writeln!(peer.input(), "{}", json!({ "path": path, "body": body })).unwrap();
    peer.told()
}

#[tokio::test]
async fn a_browser_can_read_what_it_is_sent() {
    if has_node("web-push-testing").is_none() {
        return;
    }
    let mut peer = Peer::start("web_push.mjs", &[]);
    let options = json!({ "userVisibleOnly": "true", "applicationServerKey": vapid_public() });
    let subscription = ask(&mut peer, "/subscribe", &options)["body"]["data"].clone();
    let hash = subscription["clientHash"].as_str().unwrap().to_owned();
    let config = "backend = 'web_push'\nkey = '${VAPID}'\nsubject = 'mailto:push@shop.example'\nallow_private = true";
    let channel = opened(config, &[("VAPID", VAPID)]);
    let to_browser = delivery(Some(&subscription.to_string()), notification());
    assert_eq!(channel.deliver(&to_browser).await, Outcome::accepted());
    let got = ask(&mut peer, "/get-notifications", &json!({ "clientHash": hash }));
    let shown: Value = serde_json::from_str(got["body"]["data"]["messages"][0].as_str().unwrap()).unwrap();
    let wanted = json!({
        "title": "Your basket 🧺", "body": "10% off today", "message": "00f1a2b3c4d5e6f7",
        "link": "https://shop.example/cart"
    });
    assert_eq!(shown, wanted);

    // Signed with another key than the one that the browser was given: the service refuses it.
    let other = opened(config, &[("VAPID", "T1ZlMDV2ZU1hZGUwZjB1ckJ5dGVzMzJmb3J0ZXN0czE")]);
    assert!(!matches!(other.deliver(&to_browser).await, Outcome::Accepted { .. }));

    ask(&mut peer, &format!("/expire-subscription/{hash}"), &json!({}));
    let outcome = channel.deliver(&to_browser).await;
    assert_eq!(outcome, Outcome::suppressed("the browser's subscription has ended (410)"));
}

#[tokio::test]
async fn a_subscription_leads_to_no_private_network() {
    let config = "backend = 'web_push'\nkey = '${VAPID}'\nsubject = 'mailto:push@shop.example'";
    let channel = opened(config, &[("VAPID", VAPID)]);
    let public = "BLn9b-VR0ca83knDNZ32dCHGyjJp-1riX9ZTN40MqV8K_LpQmLqxC_DoHvqvFXO_nGdAB4W9dogZb_sM-uV4JbY";
    let subscription = |endpoint: &str| {
        json!({ "endpoint": endpoint, "keys": { "p256dh": public, "auth": "_ordMnz7uTCmrpBTeUV4Bw" } }).to_string()
    };
    let outcome = channel.deliver(&delivery(Some(&subscription("http://169.254.169.254/x")), notification())).await;
    assert_eq!(outcome, Outcome::rejected("the address is not a public one"));
    for to in ["", "{}", "not json", &subscription("x").replace(public, "AAAA")] {
        let outcome = channel.deliver(&delivery(Some(to), notification())).await;
        assert_eq!(outcome, Outcome::suppressed("the contact is no push subscription"), "{to}");
    }
    let long = Content::Push { title: String::new(), body: "x".repeat(4000), link: None, image: None };
    let outcome = channel.deliver(&delivery(Some(&subscription("https://push.example/x")), long)).await;
    assert!(
        matches!(&outcome, Outcome::Rejected { suppress: false, reason } if reason.contains("3993")),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn apple_is_asked_and_understood_as_documented() {
    if skip_unless(run("node", &["--version"], b""), "node").is_none() {
        return;
    }
    let Some(key) = private_key(EC) else { return };
    let mut peer = Peer::start("apns.mjs", &[]);
    let config = format!(
        "backend = 'apns'\nurl = 'http://127.0.0.1:{}'\nkey = '${{KEY}}'\nkey_id = 'ABC123DEFG'\nteam = 'DEF123GHIJ'\n\
         topic = 'com.example.shop'",
        peer.port
    );
    let channel = opened(&config, &[("KEY", &key)]);
    for (token, wanted) in [
        ("aa01", Outcome::accepted()),
        ("bb01", Outcome::suppressed("the app was removed from the device (Unregistered)")),
        ("cc01", Outcome::suppressed("the device token is not valid (BadDeviceToken)")),
        ("dd01", Outcome::retry("Apple does not take it now (TooManyRequests)")),
        ("ee01", Outcome::retry("Apple refused the credentials (ExpiredProviderToken)")),
        ("ff01", Outcome::rejected("Apple refused it (PayloadTooLarge)")),
        ("5501", Outcome::retry("Apple does not take it now (ServiceUnavailable)")),
    ] {
        assert_eq!(channel.deliver(&delivery(Some(token), notification())).await, wanted, "{token}");
        let told = peer.told();
        let header = |name: &str| told["headers"][name].as_str().unwrap_or_default().to_owned();
        assert_eq!(header(":path"), format!("/3/device/{token}"));
        let fixed = ["apns-topic", "apns-push-type", "apns-priority", "apns-collapse-id"].map(header);
        assert_eq!(fixed, ["com.example.shop", "alert", "10", "00f1a2b3c4d5e6f7"]);
        let wanted = json!({
            "aps": { "alert": { "title": "Your basket 🧺", "body": "10% off today" }, "sound": "default" },
            "message": "00f1a2b3c4d5e6f7", "link": "https://shop.example/cart"
        });
        assert_eq!(told["body"], wanted);
        let token = header("authorization").replace("Bearer ", "");
        let token: Value = serde_json::from_str(&script("jwt.mjs", &[&key], token.as_bytes())).unwrap();
        assert_eq!(
            (&token["ok"], &token["header"]["alg"], &token["header"]["kid"]),
            (&json!(true), &json!("ES256"), &json!("ABC123DEFG"))
        );
        assert_eq!(token["claims"]["iss"], "DEF123GHIJ");
    }
    let outcome = channel.deliver(&delivery(Some("../../x"), notification())).await;
    assert_eq!(outcome, Outcome::suppressed("the device token is not hexadecimal"));
}

#[test]
fn keys_of_the_wrong_kind_are_refused_and_not_shown() {
    for (config, wanted) in [
        ("backend = 'web_push'\nkey = '${K}'\nsubject = 'mailto:a@b.c'", "32 bytes in URL-safe base64"),
        ("backend = 'apns'\nkey = '${K}'\nkey_id = 'A'\nteam = 'B'\ntopic = 'c'", "no `.p8` key"),
        ("backend = 'fcm'\ncredentials = '${K}'", "not the key file (JSON)"),
    ] {
        let error = open(config, &[("K", "hunter2")]).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(wanted) && !error.contains("hunter2"), "{error}");
    }
}
