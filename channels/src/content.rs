//! What a channel makes of a content that is another's: a text message of a notification, and so on.

use flow_runtime::message::Content;

/// The text alone, for channels that have nothing but text.
#[must_use]
pub fn text(content: &Content) -> String {
    match content {
        Content::Email { text, .. }
        | Content::Sms { text }
        | Content::Whatsapp { text, .. }
        | Content::Other { text, .. } => text.clone(),
        Content::Onsite { html, .. } => html.clone(),
        Content::Push { title, body, link, .. } => {
            let parts = [Some(title), Some(body), link.as_ref()];
            let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).filter(|p| !p.is_empty()).collect();
            parts.join("\n")
        }
    }
}

/// What a notification has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notification {
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// What a click opens.
    pub link: Option<String>,
    /// A picture's address.
    pub image: Option<String>,
}

/// The content as a notification.
#[must_use]
pub fn notification(content: &Content) -> Notification {
    match content {
        Content::Push { title, body, link, image } => {
            Notification { title: title.clone(), body: body.clone(), link: link.clone(), image: image.clone() }
        }
        Content::Email { subject, text, .. } => {
            Notification { title: subject.clone(), body: text.clone(), ..Notification::default() }
        }
        Content::Onsite { title, html, link, image } => Notification {
            title: title.clone().unwrap_or_default(),
            body: html.clone(),
            link: link.clone(),
            image: image.clone(),
        },
        Content::Other { text, fields } => {
            let field = |name: &str| fields.get(name).cloned();
            Notification {
                title: field("title").unwrap_or_default(),
                body: text.clone(),
                link: field("link"),
                image: field("image"),
            }
        }
        Content::Sms { text } | Content::Whatsapp { text, .. } => {
            Notification { body: text.clone(), ..Notification::default() }
        }
    }
}
