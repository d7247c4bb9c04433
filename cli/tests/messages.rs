//! What messages finally say: `flowc run --render` and `flowc preview`, as their users meet them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;
use common::{flowc, folder};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

const FLOW: &str = r#"
event ordered { order_id: text  total: number }
user { email: email?  phone: phone?  first_name: text?  locale: text? }
type product { name: text  price: number }
api picks() -> list of product { get "https://api.shop.example/picks" }
channel email to user.email
channel sms to user.phone
channel push

journey thanks {
  on ordered where total > 0
  topic marketing
  fetch similar = picks() else end
  email thanks with { items: similar, gift: "tea" }
  sms "Thank you, {user.first_name ?? "you"}!"
  push thanks
  set user.first_name = "Changed"
}
"#;
const ENGLISH: &str = r#"---
subject: Thank you{% if user.first_name %}, {{ user.first_name }}{% endif %} & more
preheader: Order {{ trigger.order_id }}
from: Shop <hello@shop.example>
layout: base
---
<mj-section><mj-column><mj-text>
  <p>Order {{ trigger.order_id }} of {{ trigger.total | fixed: 2 }} €, with {{ gift }}.</p>
  {% for item in items %}<p>{{ item.name }}: {{ item.price | fixed: 2 }}</p>{% endfor %}
</mj-text></mj-column></mj-section>
"#;
const LAYOUT: &str = r#"<mjml><mj-head><mj-style>.foot a { color: #888888 }</mj-style></mj-head><mj-body>
{{ content }}
<mj-section><mj-column><mj-text css-class="foot">{% render "foot" %}</mj-text></mj-column></mj-section>
</mj-body></mjml>
"#;

fn project(name: &str, more: &[(&str, &str)]) -> PathBuf {
    let italian = ENGLISH
        .replace("Thank you", "Grazie")
        .replace("Order {{ trigger.order_id }} of", "Ordine {{ trigger.order_id }} di");
    let mut files = vec![
        ("shop.flow", FLOW),
        ("flow.toml", "[project]\nname = \"shop\"\npublic_url = \"https://news.shop.example/\"\n"),
        ("templates/thanks.email.mjml", ENGLISH),
        ("templates/thanks.email.it.mjml", italian.as_str()),
        ("templates/thanks.push.liquid", "---\ntitle: Thank you\nlink: https://shop.example/orders\n---\nYour order {{ trigger.order_id }} is on its way.\n"),
        ("templates/_base.mjml", LAYOUT),
        ("templates/_foot.mjml", "<a href=\"{{ unsubscribe_url }}\">No more of these</a>"),
        ("templates/_foot.it.mjml", "<a href=\"{{ unsubscribe_url }}\">Basta</a>"),
        ("answers.jsonl", "{\"api\":\"picks\",\"answer\":[{\"name\":\"Tea <b>\",\"price\":3},{\"name\":\"Cup\",\"price\":7.5}]}\n"),
        ("events.jsonl", concat!(
            "{\"type\":\"identify\",\"userId\":\"ada\",\"timestamp\":\"2026-03-02T08:00:00Z\",\"traits\":{\"email\":\"ada@example.com\",\"first_name\":\"Ada\",\"phone\":\"+393201234567\"}}\n",
            "{\"type\":\"identify\",\"userId\":\"bo\",\"timestamp\":\"2026-03-02T08:00:00Z\",\"traits\":{\"email\":\"bo@example.com\",\"locale\":\"it_IT\"}}\n",
            "{\"type\":\"track\",\"userId\":\"ada\",\"event\":\"ordered\",\"timestamp\":\"2026-03-02T10:00:00Z\",\"properties\":{\"order_id\":\"A1\",\"total\":12.5}}\n",
            "{\"type\":\"track\",\"userId\":\"bo\",\"event\":\"ordered\",\"timestamp\":\"2026-03-02T11:00:00Z\",\"properties\":{\"order_id\":\"B2\",\"total\":1}}\n",
        )),
        ("people.jsonl", "{\"user_id\":\"bo\",\"email\":\"bo@example.com\",\"locale\":\"it\",\"first_name\":\"Bo\"}\n"),
    ];
    files.extend(more);
    folder(name, &files)
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const RUN: [&str; 7] = ["run", ".", "--events", "events.jsonl", "--answers", "answers.jsonl", "--quiet"];

#[test]
fn each_message_says_what_it_finally_says() {
    let root = project("rendered", &[]);
    let ran = flowc(&root, &[&RUN[..], &["--render"]].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.err);
    assert_eq!(flowc(&root, &[&RUN[..], &["--render", "--threads", "3"]].concat()).out, ran.out);
    let lines = lines(&ran.out);
    let of = |user: &str, channel: &str| {
        lines.iter().find(|line| line["user"] == user && line["channel"] == channel).unwrap()
    };
    let mail = of("ada", "email");
    // What `set` changes afterwards is not in it, and records have the names of their fields.
    assert_eq!(mail["content"]["subject"], "Thank you, Ada & more");
    assert_eq!(mail["with"]["items"][1], serde_json::json!({"name": "Cup", "price": 7.5}));
    assert_eq!(mail["content"]["from"], "Shop <hello@shop.example>");
    let id = mail["id"].as_str().unwrap();
    assert_eq!(mail["content"]["unsubscribe"], format!("https://news.shop.example/unsubscribe/{id}"));
    let html = mail["content"]["html"].as_str().unwrap();
    assert!(html.contains("Tea &lt;b&gt;: 3.00") && html.contains("color: #888888"), "{html}");
    assert_eq!(
        mail["content"]["text"],
        format!("Order A1 of 12.50 €, with tea.\n\nTea <b>: 3.00\n\nCup: 7.50\n\nNo more of these (https://news.shop.example/unsubscribe/{id})\n")
    );
    let italian = of("bo", "email");
    assert_eq!(
        (italian["locale"].as_str(), italian["content"]["subject"].as_str()),
        (Some("it"), Some("Grazie & more"))
    );
    let text = italian["content"]["text"].as_str().unwrap();
    assert!(text.starts_with("Ordine B2 di 1,00 €") && text.contains("Basta ("), "{text}");
    assert_eq!(of("ada", "sms")["content"], serde_json::json!({"kind": "sms", "text": "Thank you, Ada!"}));
    assert_eq!(of("bo", "push")["content"]["body"], "Your order B2 is on its way.");
}

#[test]
fn without_render_nothing_is_rendered() {
    let root = project("unrendered", &[]);
    let plain = flowc(&root, &RUN);
    let rendered = flowc(&root, &[&RUN[..], &["--render"]].concat());
    let without: Vec<Value> = lines(&rendered.out)
        .into_iter()
        .map(|mut line| {
            assert!(line.as_object_mut().unwrap().remove("content").is_some());
            line
        })
        .collect();
    assert_eq!(lines(&plain.out), without);
}

#[test]
fn what_exceeds_a_bound_fails_that_message_alone() {
    let endless = "---\ntitle: Hi\n---\n{% for i in (1..1000) %}{% for j in (1..1000) %}x{% endfor %}{% endfor %}";
    let root = project("bounds", &[("templates/thanks.push.liquid", endless)]);
    let ran = flowc(&root, &[&RUN[..6], &["--render", "--record", "record.jsonl"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("(not sent: 2 rendering)"), "{}", ran.err);
    assert!(lines(&ran.out).iter().all(|line| line["channel"] != "push"));
    let record = lines(&fs::read_to_string(root.join("record.jsonl")).unwrap());
    let failed: Vec<&Value> = record.iter().filter(|line| line["reason"] == "rendering").collect();
    assert_eq!(failed.len(), 2);
    assert_eq!(
        (failed[0]["what"].as_str(), failed[0]["detail"].as_str()),
        (
            Some("skipped"),
            Some("templates/thanks.push.liquid:4:25: the loops of the message take more than 10000 rounds")
        )
    );
}

#[test]
fn a_plain_part_of_its_own_is_taken_instead_of_the_derived_one() {
    let text = "Order {{ trigger.order_id }} < all. {{ unsubscribe_url }}\n";
    let root = project("plain-part", &[("templates/thanks.email.txt", text)]);
    let ran = flowc(&root, &[&RUN[..], &["--render"]].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.err);
    let mail = lines(&ran.out).into_iter().find(|line| line["channel"] == "email").unwrap();
    assert!(mail["content"]["text"].as_str().unwrap().starts_with("Order A1 < all. https://news.shop"));
    assert!(mail["content"]["html"].is_string());
}

#[test]
fn previews_show_samples_and_real_people() {
    let root = project("preview", &[]);
    let sample = flowc(&root, &["preview", "thanks"]);
    assert_eq!(sample.code, 0, "{}", sample.err);
    insta::assert_snapshot!(sample.out);
    let scarce = flowc(&root, &["preview", "thanks.email.it", "--all"]);
    assert!(scarce.out.contains("what may be missing is missing\nSubject: Grazie & more"), "{}", scarce.out);
    let real = flowc(&root, &["preview", "templates/thanks.email.mjml", "--user", "people.jsonl"]);
    assert!(real.out.starts_with("── thanks by email, in it, to bo\nSubject: Grazie, Bo & more\n"), "{}", real.out);
    let written = flowc(&root, &["preview", "thanks.push", "--out", "look"]);
    assert_eq!(written.out, "look/thanks.push.json\nlook/thanks.push.txt\n");
    assert!(fs::read_to_string(root.join("look/thanks.push.txt")).unwrap().contains("ORDER-ID-1000"));
}

#[test]
fn what_cannot_be_previewed_is_said() {
    let root = project("no-preview", &[("templates/bad.push.liquid", "{{ user.first_name")]);
    let broken = flowc(&root, &["preview", "thanks"]);
    assert_eq!(broken.code, 1);
    assert!(broken.err.contains("templates/bad.push.liquid"), "{}", broken.err);
    fs::remove_file(root.join("templates/bad.push.liquid")).unwrap();
    for (template, message) in [
        ("thank", "error: there is no template `thank`; did you mean `thanks`?\n"),
        ("thanks.sms", "error: of `thanks` there are thanks.email, thanks.email.it, thanks.push\n"),
    ] {
        let ran = flowc(&root, &["preview", template]);
        assert_eq!((ran.code, ran.err.as_str()), (2, message));
    }
    let nobody = flowc(&root, &["preview", "thanks", "--user", "none.csv"]);
    assert_eq!((nobody.code, nobody.err.as_str()), (2, "error: there is no file none.csv\n"));
}

/// The page is served to this machine alone, by its own name, and says when it must be loaded anew.
#[test]
fn the_page_follows_the_files() {
    use std::io::{BufRead, BufReader, Read, Write};
    let root = project("page", &[]);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_flowc"))
        .args(["preview", "thanks", "--serve", "0"])
        .current_dir(&root)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut said).unwrap();
    let place = said.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    assert!(place.starts_with("127.0.0.1:"));
    let get = |path: &str, host: &str| {
        let mut stream = std::net::TcpStream::connect(&place).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let (page, version) = (get("/", &place), get("/version", &place));
    let foreign = get("/", "shop.example");
    fs::write(root.join("templates/thanks.push.liquid"), "---\ntitle: Anew\n---\nText\n").unwrap();
    let (anew, later) = (get("/", &place), get("/version", &place));
    fs::write(root.join("templates/thanks.push.liquid"), "{{ nobody }}").unwrap();
    let broken = get("/", &place);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("phone, dark"), "{page}");
    assert!(foreign.starts_with("HTTP/1.1 403"), "{foreign}");
    assert_ne!(version, later);
    assert!(anew.contains("Anew") && broken.contains("nothing here is called"), "{broken}");
}
