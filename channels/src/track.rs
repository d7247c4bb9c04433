//! Following the openings and clicks of mails: a channel around a channel, which leads the links over the server and
//! adds the picture. Nothing is followed unless `track` says so.

use crate::config::{ConfigError, Settings};
use crate::links::{self, Followed, LinkKey};
use crate::secrets::Secrets;
use crate::{Attempt, Channel, Delivery};
use flow_runtime::message::Content;
use std::sync::Arc;
use toml::Table;

/// What is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracking {
    /// That a mail was shown.
    pub opens: bool,
    /// That a link was followed.
    pub clicks: bool,
}

/// What `track` of a channel's table says: `["opens", "clicks"]`, one of them, or nothing.
///
/// # Errors
/// When it says something else.
pub fn tracking(name: &str, table: &Table, secrets: &Secrets) -> Result<Tracking, ConfigError> {
    let settings = Settings::new(name, table, secrets);
    let mut tracking = Tracking::default();
    for word in settings.texts("track")?.unwrap_or_default() {
        match word.as_str() {
            "opens" => tracking.opens = true,
            "clicks" => tracking.clicks = true,
            _ => {
                return Err(settings.error_help(
                    "track",
                    format!("`{word}` cannot be followed"),
                    "write `[\"opens\", \"clicks\"]`",
                ))
            }
        }
    }
    Ok(tracking)
}

struct Tracked {
    inner: Arc<dyn Channel>,
    key: Arc<LinkKey>,
    /// The address of the server, as people see it.
    base: String,
    tracking: Tracking,
}

/// The channel, with what `tracking` wants added to its mails. Other messages pass as they are.
#[must_use]
pub fn tracked(inner: Arc<dyn Channel>, key: Arc<LinkKey>, base: &str, tracking: Tracking) -> Arc<dyn Channel> {
    if tracking == Tracking::default() || base.is_empty() {
        return inner;
    }
    Arc::new(Tracked { inner, key, base: base.to_owned(), tracking })
}

impl Channel for Tracked {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Attempt<'a> {
        Box::pin(async {
            match self.rewritten(delivery) {
                Some(delivery) => self.inner.deliver(&delivery).await,
                None => self.inner.deliver(delivery).await,
            }
        })
    }
}

impl Tracked {
    fn rewritten(&self, delivery: &Delivery) -> Option<Delivery> {
        let mut delivery = delivery.clone();
        let Content::Email { html: Some(html), unsubscribe, .. } = &mut delivery.content else { return None };
        let message = Followed {
            person: delivery.user.clone(),
            channel: delivery.channel.clone(),
            message: delivery.key.clone(),
            url: None,
        };
        let spared = delivery.unsubscribe.as_deref().or(unsubscribe.as_deref());
        let wanted = (self.tracking.opens, self.tracking.clicks);
        *html = links::track(&self.key, &self.base, &message, html, spared, wanted);
        Some(delivery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::delivery;
    use crate::Outcome;
    use std::sync::Mutex;

    /// Keeps what it is given.
    #[derive(Default)]
    struct Kept(Mutex<Vec<Content>>);

    impl Channel for Kept {
        fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Attempt<'a> {
            self.0.lock().expect("free").push(delivery.content.clone());
            Box::pin(async { Outcome::accepted() })
        }
    }

    fn mail(html: &str) -> Delivery {
        delivery(Content::Email {
            subject: "S".into(),
            preheader: None,
            from: None,
            reply_to: None,
            html: Some(html.into()),
            text: "see https://shop.example/".into(),
            unsubscribe: None,
        })
    }

    #[tokio::test]
    async fn only_what_is_wanted_is_followed() {
        let html = "<a href=\"https://shop.example/\">a</a><a href=\"https://shop.example/u/token\">stop</a>";
        let cases = [(false, false, 0, 0), (true, false, 0, 1), (false, true, 1, 0), (true, true, 1, 1)];
        for (opens, clicks, links, pictures) in cases {
            let kept = Arc::new(Kept::default());
            let key = Arc::new(LinkKey::of_bytes(&[7; 16]));
            let channel = tracked(kept.clone(), key, "https://flow.example", Tracking { opens, clicks });
            assert_eq!(channel.deliver(&mail(html)).await, Outcome::accepted());
            let kept = kept.0.lock().expect("free");
            let Content::Email { html: Some(html), text, .. } = &kept[0] else { panic!("a mail") };
            let count = |what: &str| html.matches(what).count();
            assert_eq!((count("https://flow.example/c/"), count("https://flow.example/o/")), (links, pictures));
            assert!(html.contains("\"https://shop.example/u/token\""), "unsubscribing is not followed");
            assert_eq!(text, "see https://shop.example/");
        }
    }

    #[test]
    fn what_can_be_followed_is_said() {
        let read = |text: &str| {
            tracking("email", &text.parse().expect("a table"), &Secrets::from_env("."))
                .map_err(|error| error.to_string())
        };
        assert_eq!(read(""), Ok(Tracking::default()));
        assert_eq!(read("track = ['clicks']"), Ok(Tracking { opens: false, clicks: true }));
        let wanted = "flow.toml, channels.email.track: `click` cannot be followed (write `[\"opens\", \"clicks\"]`)";
        assert_eq!(read("track = ['click']"), Err(wanted.to_owned()));
    }
}
