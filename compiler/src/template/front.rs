//! The values of the front matter, each by what its key means.

use super::trees::Sent;
use crate::channel::ChannelKind;
use crate::codes as code;
use crate::diagnostic::Diagnostic;
use flow_grammar::liquid::{FrontLine, Node, Template};
use flow_grammar::span::Span;

/// The value of a key, where it is nothing but text.
pub(super) fn literal(template: &Template, key: &str, source: &str) -> Option<String> {
    text_of(template.front(key)?, source)
}

fn text_of(line: &FrontLine, source: &str) -> Option<String> {
    line.value.iter().map(|node| if let Node::Text(span) = node { Some(span.text(source)) } else { None }).collect()
}

/// What is wrong with them.
pub(super) fn check(sent: &Sent, kind: ChannelKind, found: &mut Vec<Diagnostic>) {
    for line in &sent.tree.front {
        let value = text_of(line, sent.text());
        let wrong = match (line.key.text.as_str(), value.as_deref()) {
            ("layout" | "topic" | "locale" | "approved", None) => {
                Some(("must be written out", "it is read before anything is sent: put no values into it"))
            }
            ("from" | "reply_to", Some(value)) if !is_mailbox(value) => {
                Some(("must be an address of mail", "write it as `hello@shop.example` or `Shop <hello@shop.example>`"))
            }
            ("link" | "image", Some(value)) if !is_address(value) => {
                Some(("must be an address", "write it whole, as `https://shop.example/cart`"))
            }
            _ => None,
        };
        if let Some((wrong, help)) = wrong {
            let message = format!("`{}` {wrong}", line.key.text);
            found.push(Diagnostic::error(code::FRONT_VALUE, line.span, message).help(help));
        }
    }
    let subject = sent.tree.front("subject");
    let empty = subject.is_none_or(|line| text_of(line, sent.text()).is_some_and(|text| text.trim().is_empty()));
    let named = sent.tree.front.iter().all(|line| super::FRONT_KEYS.contains(&line.key.text.as_str()));
    if kind == ChannelKind::Email && !sent.file.plain && !sent.broken && empty && named {
        let span = subject.map_or(Span::new(sent.file.file, 0, 0), |line| line.span);
        let message = "this mail has no subject";
        let help = "begin the file with the lines `---`, `subject: …` and `---`";
        found.push(Diagnostic::warning(code::NO_SUBJECT, span, message).help(help));
    }
}

/// `ada@example.com`, `Ada <ada@example.com>`
fn is_mailbox(text: &str) -> bool {
    let address = match text.split_once('<') {
        Some((_, rest)) => match rest.trim_end().strip_suffix('>') {
            Some(address) => address,
            None => return false,
        },
        None => text.trim(),
    };
    address.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && !address.contains(char::is_whitespace)
    })
}

/// `https://…`, an app's own `shop://…`, or a path.
fn is_address(text: &str) -> bool {
    let text = text.trim();
    let scheme = text.split_once("://").is_some_and(|(scheme, rest)| {
        !rest.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    (scheme || text.starts_with('/')) && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert!(["a@b.example", "Shop <hello@shop.example>", " a@b "].into_iter().all(is_mailbox));
        assert!(!["", "Shop", "Shop <hello>", "a@b@c", "a b@c.example", "Shop <a@b", "@b"].into_iter().any(is_mailbox));
        assert!(["https://shop.example/a?b=c", "shop://cart", "/cart"].into_iter().all(is_address));
        assert!(!["shop.example", "cart", "https://", "https://a b"].into_iter().any(is_address));
    }
}
