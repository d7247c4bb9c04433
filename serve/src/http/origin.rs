//! Which pages of other sites may ask what. A browser sends requests for any page that somebody looks at, also to addresses
//! that only they can reach, and with the key that they once typed in there.
//!
//! Calls (`/v1`) come from every site: their key is made to stand in pages, and their answers say nothing. Nobody else's page
//! may look or operate. Without any key, only this machine's own pages may do anything.

use super::Server;
use axum::extract::State;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;

/// A browser asks again after a day.
const REMEMBERED: HeaderValue = HeaderValue::from_static("86400");

impl Server {
    /// The answer to a page of another site that would look or operate.
    pub(super) fn refuses_others(&self, headers: &HeaderMap) -> Option<Response> {
        let refused = is_foreign(headers) || (self.keys.is_empty() && !is_here(headers));
        refused.then(|| (StatusCode::FORBIDDEN, "no other site may do this\n").into_response())
    }

    /// The answer to a page that would send calls, as long as there is no key.
    pub(super) fn refuses_pages(&self, headers: &HeaderMap) -> Option<Response> {
        let refused = self.keys.is_empty() && !(is_here(headers) && origin(headers).is_none_or(is_local));
        let text = "without any key, only pages of this machine may send calls; make one: flowc keys ingest\n";
        refused.then(|| (StatusCode::FORBIDDEN, text).into_response())
    }
}

/// What browsers ask before they send a call for a page of another site (Fetch, section 3.2, "CORS protocol").
pub(super) async fn preflight(State(server): State<Server>, headers: HeaderMap) -> Response {
    if let Some(refused) = server.refuses_pages(&headers) {
        return refused;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let out = response.headers_mut();
    out.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    // SDKs have headers of their own; a header does nothing that the key does not allow.
    if let Some(wanted) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        out.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    out.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED);
    response
}

/// Lets every page read the answer to its call. Browsers do not send their cookies and keys along then.
pub(super) async fn readable(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    response
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Host and port of the page that asks.
fn origin(headers: &HeaderMap) -> Option<&str> {
    let origin = text(headers, header::ORIGIN)?;
    Some(origin.split_once("://").map_or(origin, |(_, host)| host))
}

/// Whether a browser asks on behalf of a page that is not ours.
fn is_foreign(headers: &HeaderMap) -> bool {
    if let Some(site) = text(headers, HeaderName::from_static("sec-fetch-site")) {
        return !matches!(site, "same-origin" | "none");
    }
    origin(headers).is_some_and(|origin| text(headers, header::HOST) != Some(origin))
}

/// Whether the request names this machine itself. A name of somebody else's that leads here (DNS rebinding) does not.
fn is_here(headers: &HeaderMap) -> bool {
    text(headers, header::HOST).is_none_or(is_local)
}

fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        list.iter().map(pair).collect()
    }

    #[test]
    fn pages_of_others_may_not_operate() {
        for list in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example"), ("host", "localhost:8080")],
            &[("origin", "null"), ("host", "localhost:8080")],
        ] {
            assert!(is_foreign(&headers(list)), "{list:?}");
        }
        for list in [
            &[][..],
            &[("host", "localhost:8080")],
            &[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8080"), ("host", "localhost:8080")],
            &[("origin", "http://localhost:8080"), ("host", "localhost:8080")],
        ] {
            assert!(!is_foreign(&headers(list)), "{list:?}");
        }
    }

    #[test]
    fn a_name_that_leads_here_is_not_this_machine() {
        for host in ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "[::1]"] {
            assert!(is_local(host), "{host}");
        }
        for host in
            ["evil.example", "evil.example:8080", "localhost.evil.example", "10.0.0.1", "[fe80::1]:80", "null", ""]
        {
            assert!(!is_local(host), "{host}");
        }
    }
}
