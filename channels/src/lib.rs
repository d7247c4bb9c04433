//! Delivery of finished messages to the outside. One trait, one file a backend.
//!
//! Nothing is remembered here but open connections: what is due, what was tried and what came of it is the
//! outbox's to keep. It asks [`policy`] how fast a channel may go and when to try again, and [`open`] for the channel.

pub mod audiences;
pub mod backends;
pub mod bounce;
pub mod config;
pub mod content;
pub mod event;
pub mod fetch;
mod fields;
pub mod inbox;
pub mod line;
pub mod links;
pub mod mail;
pub mod net;
pub mod pace;
pub mod public;
pub mod replies;
pub mod retry;
pub mod secrets;
pub mod tasks;
pub mod track;

pub use backends::{open, policy, Kept, Policy};
pub use config::ConfigError;
pub use secrets::Secrets;

use flow_runtime::message::Content;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// One message on its way to one person, as the outbox hands it over. It shows nothing of the person in a log.
#[derive(Clone)]
pub struct Delivery {
    /// The idempotency key: the same at every attempt, and no other message has it.
    pub key: String,
    /// The name of the channel, as the program has it.
    pub channel: String,
    /// The id of the person.
    pub user: String,
    /// The contact: an address, a number, a token. Some channels need none.
    pub to: Option<String>,
    /// The journey that sends it.
    pub journey: String,
    /// The step that sends it.
    pub step: String,
    /// The topic, when the journey or the step has one.
    pub topic: Option<String>,
    /// Whether it needs consent: such a message carries the ways to unsubscribe.
    pub marketing: bool,
    /// When it was sent, in milliseconds since 1970 UTC.
    pub time: i64,
    /// Which attempt this is, counted from 1.
    pub attempt: u32,
    /// The address under which a POST unsubscribes (see [`links`]), when there is one.
    pub unsubscribe: Option<String>,
    /// What is sent.
    pub content: Content,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, channel, journey, step, attempt, .. } = self;
        let mut shown = f.debug_struct("Delivery");
        shown.field("key", key).field("channel", channel).field("journey", journey).field("step", step);
        shown.field("attempt", attempt).finish_non_exhaustive()
    }
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider took it.
    Accepted {
        /// The provider's own name for the message, by which later events of it are known.
        provider_id: Option<String>,
    },
    /// Not now; the same attempt may succeed later.
    Retry {
        /// A sentence, without secrets and without the contact.
        reason: String,
        /// Not sooner than this, when the provider said so.
        after: Option<Duration>,
    },
    /// Never: trying again would give the same answer.
    Rejected {
        /// A sentence, without secrets and without the contact.
        reason: String,
        /// Whether the contact itself is of no use any more, so that the channel is to be suppressed for it.
        suppress: bool,
    },
}

impl Outcome {
    /// Taken, without a name of the provider's.
    #[must_use]
    pub fn accepted() -> Self {
        Self::Accepted { provider_id: None }
    }

    /// Not now.
    #[must_use]
    pub fn retry(reason: impl Into<String>) -> Self {
        Self::Retry { reason: reason.into(), after: None }
    }

    /// Never, though the contact may be fine.
    #[must_use]
    pub fn rejected(reason: impl Into<String>) -> Self {
        Self::Rejected { reason: reason.into(), suppress: false }
    }

    /// Never, and nothing else to this contact either.
    #[must_use]
    pub fn suppressed(reason: impl Into<String>) -> Self {
        Self::Rejected { reason: reason.into(), suppress: true }
    }
}

/// An attempt under way.
pub type Attempt<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// Something that messages leave by. All of them need a Tokio runtime around them.
pub trait Channel: Send + Sync {
    /// Tries once, within a bounded time. It must be safe to call again with the same key: where the provider knows
    /// idempotency keys, it is given this one.
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Attempt<'a>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A delivery to try things on.
    pub(crate) fn delivery(content: Content) -> Delivery {
        Delivery {
            key: "00f1a2b3c4d5e6f7".to_owned(),
            channel: "email".to_owned(),
            user: "u1".to_owned(),
            to: Some("ada@example.com".to_owned()),
            journey: "cart".to_owned(),
            step: "reminder".to_owned(),
            topic: Some("marketing".to_owned()),
            marketing: true,
            time: 1_772_452_800_000,
            attempt: 1,
            unsubscribe: Some("https://shop.example/u/token".to_owned()),
            content,
        }
    }
}
