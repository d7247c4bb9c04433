//! `twilio`: text messages by the form API of Twilio's Programmable Messaging, which others speak too.

use crate::config::{Read, Settings};
use crate::net::{Answer, Http, Options};
use crate::{content, fields, Attempt, Channel, Delivery, Outcome};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

pub(super) const KEYS: &[&str] =
    &["url", "account", "key", "token", "auth_token", "from", "service", "status_callback"];

const URL: &str = "https://api.twilio.com";

struct Twilio {
    http: Http,
    messages: Url,
    /// The account, or an API key of it.
    user: String,
    token: SecretString,
    /// `From` and a number, or `MessagingServiceSid` and its id.
    sender: (&'static str, String),
    status_callback: Option<String>,
}

pub(super) fn open(settings: &Settings<'_>) -> Read<Box<dyn Channel>> {
    let account = settings.needs("account", "\"${TWILIO_ACCOUNT}\"")?;
    let sender = match (settings.text("from")?, settings.text("service")?) {
        (Some(from), None) => ("From", from),
        (None, Some(service)) => ("MessagingServiceSid", service),
        _ => return Err(settings.error("from", "either `from` or `service` says who sends")),
    };
    let base = super::url_or(settings, "url", URL)?;
    let messages = super::below(settings, &base, &format!("2010-04-01/Accounts/{account}/Messages.json"))?;
    Ok(Box::new(Twilio {
        http: Http::open(settings, Options { allow_private: true, ..Options::default() })?,
        messages,
        user: settings.text("key")?.unwrap_or(account),
        token: settings.needs_secret("token")?,
        sender,
        status_callback: settings.text("status_callback")?,
    }))
}

impl Channel for Twilio {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Attempt<'a> {
        Box::pin(async {
            let Some(to) = &delivery.to else { return Outcome::rejected("there is no number") };
            let text = content::text(&delivery.content);
            let mut form = vec![("To", to.as_str()), ("Body", &text), (self.sender.0, &self.sender.1)];
            if let Some(address) = &self.status_callback {
                form.push(("StatusCallback", address));
            }
            let request = self.http.post_form(self.messages.clone(), &form);
            let request = request.basic_auth(&self.user, Some(self.token.expose_secret()));
            match self.http.send(request).await {
                Ok(answer) => outcome(&answer),
                Err(failed) => failed.outcome(),
            }
        })
    }
}

/// The error codes of <https://www.twilio.com/docs/api/errors> that say more than the status does.
fn outcome(answer: &Answer) -> Outcome {
    let body = answer.json();
    if (200..300).contains(&answer.status) {
        return Outcome::Accepted { provider_id: fields::text(&body, "/sid").map(str::to_owned) };
    }
    let Some(code) = fields::int(&body, "/code") else { return answer.outcome("the SMS provider") };
    let said = |what: &str| format!("{what} (error {code})");
    match code {
        21610 => Outcome::suppressed(said("the person has answered STOP")),
        21211 | 21217 | 21401 | 21421 => Outcome::suppressed(said("the number is not valid")),
        21614 => Outcome::suppressed(said("the number is not a mobile one")),
        21408 => Outcome::rejected(said("the account may not send to that region")),
        21612 => Outcome::rejected(said("there is no way from this sender to that number")),
        21617 | 21602 => Outcome::rejected(said("the text is empty or too long")),
        21606 | 21603 | 21659 | 21660 => Outcome::rejected(said("the account does not own the sender")),
        // Wrong credentials, a suspended account, a full queue, limits of rate and day: what was sent is still wanted.
        20003 | 20005 | 20404 | 21611 | 20429 | 14107 | 30001 | 63018 | 63038 => {
            answer.retry(said("the SMS provider does not take it now"))
        }
        _ => match answer.outcome("the SMS provider") {
            Outcome::Rejected { suppress, .. } => {
                Outcome::Rejected { reason: said("the SMS provider refused it"), suppress }
            }
            other => other,
        },
    }
}
