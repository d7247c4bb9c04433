//! What people see in a browser, in Debian's Chromium: the inbox of a site, and the page that asks before it
//! unsubscribes.

use crate::support::{run, scratch, skip_unless, Answer, Server};
use flow_channels::inbox::{server_sent_event, Inbox, Item, SCRIPT};
use flow_channels::links::{unsubscribe_page, Unsubscribe};
use std::path::Path;

fn chromium(name: &str, url: &str, more: &[&str]) -> Option<String> {
    let profile = scratch(name);
    let profile = format!("--user-data-dir={}", profile.display());
    let fixed = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-sync",
        "--disable-background-networking",
        "--disable-component-update",
        "--virtual-time-budget=4000",
    ];
    let found = run("chromium", &[&fixed[..], &[profile.as_str()], more, &[url]].concat(), b"");
    skip_unless(found, "chromium")
}

fn page(body: &str) -> Answer {
    Answer {
        status: 200,
        headers: vec![("content-type".into(), "text/html; charset=utf-8".into())],
        body: body.as_bytes().to_vec(),
    }
}

fn shared(kind: &str, body: &str) -> Answer {
    let headers = vec![("content-type".into(), kind.into()), ("access-control-allow-origin".into(), "*".into())];
    Answer { status: 200, headers, body: body.as_bytes().to_vec() }
}

fn item(key: &str, time: i64) -> Item {
    Item {
        key: key.into(),
        channel: "onsite".into(),
        time,
        title: format!("Title {key} <b>"),
        text: String::new(),
        html: "<em>10% off</em>".into(),
        link: Some("/cart".into()),
        image: None,
        read: false,
    }
}

#[test]
fn a_site_shows_what_is_in_the_inbox_and_what_comes() {
    let flow = Server::answering([Answer { status: 204, ..shared("text/plain", "") }]);
    let mut inbox = Inbox::default();
    inbox.add(item("1", 1));
    inbox.add(Item { read: true, ..item("0", 0) });
    flow.route("/inbox.js", shared("text/javascript", SCRIPT));
    flow.route("/inbox?token=a%20b", shared("application/json", &inbox.json().to_string()));
    let events = server_sent_event(&item("1", 1)) + &server_sent_event(&item("2", 2));
    flow.route("/inbox/events?token=a%20b", shared("text/event-stream", &events));
    let site = Server::answering([page(&format!(
        "<!doctype html><title>shop</title><div id=messages aria-live=polite></div>\
         <script src=\"{}/inbox.js\" data-token=\"a b\" data-show=\"#messages\"></script>\
         <script>FlowInbox.onchange = b => {{ if (b.items.length == 3 && b.unread == 2) \
         document.querySelectorAll('#messages button')[1].click() }}</script>",
        flow.base
    ))]);
    let Some(dom) = chromium("chromium-inbox", &site.base, &["--dump-dom"]) else { return };
    let shown = dom.matches("<article role=\"status\">").count();
    assert_eq!(shown, 1, "{dom}");
    assert!(dom.contains("<strong>Title 2 &lt;b&gt;</strong><div><em>10% off</em></div>"), "{dom}");
    let asked = flow.asked();
    let read: Vec<_> = asked.iter().map(|asked| (asked.path.as_str(), String::from_utf8_lossy(&asked.body))).collect();
    assert_eq!(read, [("/inbox/read?token=a%20b", "{\"key\":\"1\"}".into())]);
}

#[test]
fn unsubscribing_asks_first() {
    let what = Unsubscribe { person: "u1".into(), channel: "email".into(), topic: Some("marketing".into()) };
    let server = Server::answering([page(&unsubscribe_page("Shop", &what, false))]);
    let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join("unsubscribe.png");
    let shot = format!("--screenshot={}", picture.display());
    if chromium("chromium-page", &format!("{}/u/token", server.base), &[&shot, "--window-size=390,600"]).is_none() {
        return;
    }
    assert!(std::fs::metadata(picture).unwrap().len() > 3_000);
    assert!(server.asked().iter().all(|asked| asked.method == "GET"), "looking at it unsubscribes nobody");
}
