//! What kind of thing a channel carries: decides what a message on it consists of, and what limits it.

use crate::bytecode::Type;

/// Kinds of channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelKind {
    /// Mail: a subject, markup and plain text.
    Email,
    /// Text messages on phones: plain text in segments.
    Sms,
    /// Notifications of an app or of a browser: a title and a short text.
    Push,
    /// Plain text by WhatsApp.
    Whatsapp,
    /// Shown in the app or on the site: markup.
    Onsite,
    /// Anything else.
    Other,
}

impl ChannelKind {
    /// The kind of a channel, by its name, else by the type of its contact.
    #[must_use]
    pub fn of(name: &str, contact: Option<&Type>) -> Self {
        let has = |words: &[&str]| name.split('_').any(|part| words.contains(&part));
        match contact {
            _ if has(&["email", "mail"]) => Self::Email,
            _ if has(&["whatsapp"]) => Self::Whatsapp,
            _ if has(&["sms"]) => Self::Sms,
            _ if has(&["push"]) => Self::Push,
            _ if matches!(name, "onsite" | "on_site" | "in_app" | "inapp") => Self::Onsite,
            Some(Type::Email) => Self::Email,
            Some(Type::Phone) => Self::Sms,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_it_else_the_contact() {
        let of = |name| ChannelKind::of(name, None);
        assert_eq!(["email", "sms", "web_push", "whatsapp", "in_app", "on_site", "slack"].map(of), {
            use ChannelKind::{Email, Onsite, Other, Push, Sms, Whatsapp};
            [Email, Sms, Push, Whatsapp, Onsite, Onsite, Other]
        });
        assert_eq!(ChannelKind::of("newsletter", Some(&Type::Email)), ChannelKind::Email);
        assert_eq!(ChannelKind::of("whatsapp", Some(&Type::Phone)), ChannelKind::Whatsapp);
        assert_eq!(ChannelKind::of("texts", Some(&Type::Phone)), ChannelKind::Sms);
    }
}
