//! Messages that an app or a site shows itself: what is in a person's inbox, as data and functions over data, and the
//! script for sites. Whoever serves HTTP keeps the inboxes and has these below its address:
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /inbox?token=…` | `{"items": […], "unread": 2}`, the newest first |
//! | `GET /inbox/events?token=…` | server-sent events: one `message` for each item that is not read, then for each new one |
//! | `POST /inbox/read?token=…` with `{"key": "…"}` | 204; without a key, all are read |
//! | `GET /inbox.js` | [`SCRIPT`] |
//!
//! Sites have another address than Flow: the answers say `Access-Control-Allow-Origin: *`. The token is the right to see
//! them; no cookie is.

use crate::content::notification;
use crate::links::LinkKey;
use crate::Delivery;
use flow_runtime::message::Content;
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

/// The most that is kept for a person; the oldest go.
pub const MOST_ITEMS: usize = 100;
/// How long an item is kept, in milliseconds: 90 days.
pub const LIFE: i64 = 90 * 24 * 3600 * 1000;
/// The script for sites.
pub const SCRIPT: &str = include_str!("inbox.js");

/// One message in an inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The key of the message.
    pub key: String,
    /// The channel that it came by.
    pub channel: String,
    /// When it was sent, in milliseconds since 1970.
    pub time: i64,
    /// Its title.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Its text, when it is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// What is shown, when it is HTML; the values in it were escaped when it was written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub html: String,
    /// What a click opens: an `http` or `https` address, or a path of the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// A picture's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Whether the person has seen it.
    #[serde(default)]
    pub read: bool,
}

/// A person's inbox, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbox {
    items: Vec<Item>,
}

/// A delivery as an item.
#[must_use]
pub fn item(delivery: &Delivery) -> Item {
    let shown = notification(&delivery.content);
    let is_html = matches!(delivery.content, Content::Onsite { .. });
    let (text, html) = if is_html { (String::new(), shown.body) } else { (shown.body, String::new()) };
    let address = |text: Option<String>| text.filter(|text| is_address(text));
    Item {
        key: delivery.key.clone(),
        channel: delivery.channel.clone(),
        time: delivery.time,
        title: shown.title,
        text,
        html,
        link: address(shown.link),
        image: address(shown.image),
        read: false,
    }
}

/// No `javascript:`: it would run on the site.
fn is_address(text: &str) -> bool {
    match url::Url::parse(text) {
        Ok(url) => matches!(url.scheme(), "http" | "https"),
        Err(_) => text.starts_with('/') && !text.starts_with("//"),
    }
}

impl Inbox {
    /// Puts an item in; one that is there already stays as it is. True: it is new.
    pub fn add(&mut self, item: Item) -> bool {
        if self.items.iter().any(|other| other.key == item.key) {
            return false;
        }
        let at = self.items.partition_point(|other| other.time > item.time);
        self.items.insert(at, item);
        self.items.truncate(MOST_ITEMS);
        true
    }

    /// The person has seen the item of this key, or all of them. Gives the keys of those that were not read before: the
    /// outcome `Opened` of those messages.
    pub fn read(&mut self, key: Option<&str>) -> Vec<String> {
        let meant = self.items.iter_mut().filter(|item| !item.read && key.is_none_or(|key| item.key == key));
        meant.map(|item| (item.read = true, item.key.clone()).1).collect()
    }

    /// Lets go what is too old.
    pub fn expire(&mut self, now: i64) {
        self.items.retain(|item| now.saturating_sub(item.time) < LIFE);
    }

    /// The items, the newest first.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What `GET /inbox` answers.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({ "items": self.items, "unread": self.items.iter().filter(|item| !item.read).count() })
    }
}

/// An item as a server-sent event.
#[must_use]
pub fn server_sent_event(item: &Item) -> String {
    // JSON has no line ends of its own; the key has none that count.
    let key: String = item.key.chars().filter(|c| !c.is_control()).collect();
    format!("event: message\nid: {key}\ndata: {}\n\n", serde_json::to_value(item).unwrap_or_default())
}

/// Who may see an inbox: its token is made by the site's own server for whoever is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// The id of the person.
    #[serde(rename = "p")]
    pub person: String,
    /// Until when, in milliseconds since 1970.
    #[serde(rename = "e")]
    pub until: i64,
}

/// The token of a visitor.
#[must_use]
pub fn token(key: &LinkKey, visitor: &Visitor) -> String {
    key.token("inbox", visitor)
}

/// Whose inbox a token opens at `now`; none: it is not ours, or its time is up.
#[must_use]
pub fn verify(key: &LinkKey, token: &str, now: i64) -> Option<String> {
    let visitor: Visitor = key.open("inbox", token)?;
    (now < visitor.until).then_some(visitor.person)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::delivery;
    use secrecy::SecretString;

    fn an_item(key: usize, time: i64) -> Item {
        let content = Content::Push {
            title: "T".into(),
            body: "B".into(),
            link: Some("javascript:alert(1)".into()),
            image: None,
        };
        Item { key: key.to_string(), time, ..item(&delivery(content)) }
    }

    #[test]
    fn an_item_comes_once_and_is_read_once() {
        let mut inbox = Inbox::default();
        assert!(inbox.add(an_item(1, 10)) && inbox.add(an_item(2, 20)) && !inbox.add(an_item(1, 30)));
        assert_eq!(inbox.items().iter().map(|item| item.key.as_str()).collect::<Vec<_>>(), ["2", "1"]);
        assert_eq!(inbox.read(Some("1")), ["1"]);
        assert_eq!(inbox.read(None), ["2"]);
        assert!(inbox.read(None).is_empty());
        assert_eq!(inbox.json()["unread"], 0);
        inbox.expire(10 + LIFE);
        assert_eq!(inbox.items().len(), 1);
    }

    #[test]
    fn an_inbox_is_bounded() {
        let mut inbox = Inbox::default();
        for n in 0..MOST_ITEMS + 5 {
            inbox.add(an_item(n, n as i64));
        }
        assert_eq!((inbox.items().len(), inbox.items()[MOST_ITEMS - 1].time), (MOST_ITEMS, 5));
    }

    #[test]
    fn a_link_runs_no_script() {
        assert_eq!(an_item(1, 0).link, None);
        assert!(is_address("https://shop.example/") && is_address("/cart") && !is_address("//evil.example/"));
    }

    #[test]
    fn a_token_opens_one_inbox_for_a_time() {
        let key = LinkKey::new(&SecretString::from("0123456789abcdef".to_owned())).expect("long enough");
        let token = token(&key, &Visitor { person: "u1".into(), until: 100 });
        assert_eq!(verify(&key, &token, 99), Some("u1".into()));
        assert_eq!(verify(&key, &token, 100), None);
        assert_eq!(verify(&key, "x", 0), None);
    }

    #[test]
    fn an_event_is_one_block_of_lines() {
        let event = server_sent_event(&Item { text: "a\nb\r\n\ndata: x".into(), ..an_item(1, 0) });
        assert!(event.ends_with("\n\n") && event.trim_end().lines().count() == 3, "{event}");
    }

    #[test]
    fn the_script_is_small() {
        assert!(SCRIPT.len() <= 2048, "{}", SCRIPT.len());
    }
}
