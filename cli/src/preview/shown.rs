//! One rendered message, and what it is a rendering of.

use flow_runtime::message::Content;

/// A message to look at.
pub struct Shown {
    /// What it is: `cart_reminder by email, in it, everything known`.
    pub title: String,
    /// The same for names of files: `cart_reminder.email.it`.
    pub stem: String,
    /// The channel's name.
    pub channel: String,
    /// What it says, or why it cannot.
    pub content: Result<Content, String>,
}

impl Shown {
    /// The parts as files: their endings and texts.
    pub fn files(&self) -> Vec<(&'static str, String)> {
        let Ok(content) = &self.content else { return Vec::new() };
        let mut files = vec![("json", serde_json::to_string_pretty(content).unwrap_or_default() + "\n")];
        match content {
            Content::Email { html, text, .. } => {
                files.extend(html.clone().map(|html| ("html", html)));
                files.push(("txt", text.clone()));
            }
            Content::Onsite { html, .. } => files.push(("html", html.clone())),
            Content::Sms { text } | Content::Whatsapp { text, .. } | Content::Other { text, .. } => {
                files.push(("txt", text.clone() + "\n"));
            }
            Content::Push { body, .. } => files.push(("txt", body.clone() + "\n")),
        }
        files
    }

    /// The lines above the text: what is called what.
    pub fn heads(&self) -> Vec<(&'static str, &str)> {
        let Ok(content) = &self.content else { return Vec::new() };
        let all = match content {
            Content::Email { subject, preheader, from, reply_to, unsubscribe, .. } => vec![
                ("Subject", Some(subject)),
                ("Preheader", preheader.as_ref()),
                ("From", from.as_ref()),
                ("Reply-To", reply_to.as_ref()),
                ("Unsubscribe", unsubscribe.as_ref()),
            ],
            Content::Push { title, link, image, .. } => {
                vec![("Title", Some(title)), ("Link", link.as_ref()), ("Image", image.as_ref())]
            }
            Content::Onsite { title, link, image, .. } => {
                vec![("Title", title.as_ref()), ("Link", link.as_ref()), ("Image", image.as_ref())]
            }
            Content::Whatsapp { approved, .. } => vec![("Approved as", approved.as_ref())],
            Content::Sms { .. } | Content::Other { .. } => Vec::new(),
        };
        all.into_iter().filter_map(|(name, value)| Some((name, value?.as_str()))).collect()
    }

    /// What is read, in plain text.
    pub fn text(&self) -> &str {
        match &self.content {
            Ok(Content::Email { text, .. } | Content::Sms { text } | Content::Whatsapp { text, .. }) => text,
            Ok(Content::Other { text, .. }) => text,
            Ok(Content::Push { body, .. }) => body,
            Ok(Content::Onsite { html, .. }) => html,
            Err(why) => why,
        }
    }
}
