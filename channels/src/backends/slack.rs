//! `slack`: messages to a workspace, by an incoming webhook or by `chat.postMessage`.

use crate::config::{Read, Settings};
use crate::net::{Answer, Http, Options};
use crate::{content, fields, Attempt, Channel, Delivery, Outcome};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use url::Url;

pub(super) const KEYS: &[&str] = &["url", "api", "token", "to"];

const API: &str = "https://slack.com/api/";

struct Slack {
    http: Http,
    way: Way,
    /// The channel of those who have no contact.
    to: Option<String>,
}

enum Way {
    /// Its address is a secret: whoever knows it can post.
    Hook(SecretString),
    Api(Url, SecretString),
}

pub(super) fn open(settings: &Settings<'_>) -> Read<Box<dyn Channel>> {
    let way = match (settings.secret("url")?, settings.secret("token")?) {
        (Some(hook), None) => {
            let parsed: Result<Url, _> = hook.expose_secret().parse();
            parsed.map_err(|error| settings.error("url", format!("`url` is no address: {error}")))?;
            Way::Hook(hook)
        }
        (None, Some(token)) => {
            Way::Api(super::below(settings, &super::url_or(settings, "api", API)?, "chat.postMessage")?, token)
        }
        _ => return Err(settings.error("url", "either `url` (an incoming webhook) or `token` (of a bot) is needed")),
    };
    let http = Http::open(settings, Options { allow_private: true, ..Options::default() })?;
    Ok(Box::new(Slack { http, way, to: settings.text("to")? }))
}

impl Channel for Slack {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Attempt<'a> {
        Box::pin(async {
            let text = escaped(&content::text(&delivery.content));
            let request = match &self.way {
                Way::Hook(hook) => match hook.expose_secret().parse() {
                    Ok(url) => self.http.post_json(url, &json!({ "text": text })),
                    Err(_) => return Outcome::rejected("`url` is no address"),
                },
                Way::Api(url, token) => {
                    let Some(to) = delivery.to.as_ref().or(self.to.as_ref()) else {
                        return Outcome::rejected("there is neither a contact nor `to`");
                    };
                    let body = json!({ "channel": to, "text": text });
                    self.http.post_json(url.clone(), &body).bearer_auth(token.expose_secret())
                }
            };
            match self.http.send(request).await {
                Ok(answer) => outcome(&answer),
                Err(failed) => failed.outcome(),
            }
        })
    }
}

/// Slack reads `<…>` as links and as calls such as `<!channel>`; a person's name must not become one.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `chat.postMessage` answers 200 also when it fails; incoming webhooks answer a word as text.
fn outcome(answer: &Answer) -> Outcome {
    let body = answer.json();
    let text = String::from_utf8_lossy(&answer.body);
    let error = match (fields::flag(&body, "/ok"), fields::text(&body, "/error")) {
        (Some(true), _) => return Outcome::Accepted { provider_id: fields::text(&body, "/ts").map(str::to_owned) },
        (Some(false), Some(error)) => error,
        (Some(false), None) => "unknown",
        (None, _) if answer.status == 200 => return Outcome::accepted(),
        (None, _) if answer.status == 429 => return answer.retry("Slack answered 429"),
        (None, _) => text.trim(),
    };
    match error {
        "ratelimited"
        | "rate_limited"
        | "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "rollup_error"
        | "team_added_to_org" => answer.retry(format!("Slack does not take it now ({error})")),
        "invalid_auth" | "not_authed" | "token_expired" | "token_revoked" | "missing_scope" | "org_login_required"
        | "ekm_access_denied" | "invalid_token" => answer.retry(format!("Slack refused the credentials ({error})")),
        "user_not_found" | "account_inactive" | "cannot_dm_bot" | "user_disabled" => {
            Outcome::suppressed(format!("there is no such person in Slack ({error})"))
        }
        "channel_not_found"
        | "is_archived"
        | "channel_is_archived"
        | "not_in_channel"
        | "no_service"
        | "no_team"
        | "no_text"
        | "msg_too_long"
        | "action_prohibited"
        | "posting_to_general_channel_denied"
        | "invalid_payload"
        | "restricted_action" => Outcome::rejected(format!("Slack refused it ({error})")),
        _ => match answer.outcome("Slack") {
            Outcome::Accepted { .. } => Outcome::rejected("Slack refused it"),
            other => other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_name_calls_nobody() {
        assert_eq!(escaped("Hi <!channel> & co"), "Hi &lt;!channel&gt; &amp; co");
    }
}
