//! The page: each message as a desktop and as a phone shows it, light and dark.

use super::shown::Shown;
use super::terminal::cut;
use flow_runtime::message::Content;
use flow_runtime::render::push_escaped;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page of these messages.
pub fn of(name: &str, shown: &[Shown], version: &str) -> String {
    let mut body = String::new();
    if shown.len() > 1 {
        body.push_str("<nav>");
        for (number, one) in shown.iter().enumerate() {
            body.push_str(&format!("<a href=\"#m{number}\">"));
            push_escaped(&mut body, &one.title);
            body.push_str("</a>");
        }
        body.push_str("</nav>");
    }
    for (number, one) in shown.iter().enumerate() {
        message(&mut body, number, one);
    }
    whole(name, &body, version)
}

/// The page of a project that cannot be shown.
pub fn failed(name: &str, text: &str, version: &str) -> String {
    let mut body = "<section><h2>The project is not in order</h2><pre class=\"failed\">".to_owned();
    push_escaped(&mut body, text);
    body.push_str("</pre></section>");
    whole(name, &body, version)
}

fn whole(name: &str, body: &str, version: &str) -> String {
    let mut title = String::new();
    push_escaped(&mut title, name);
    format!(
        "<!doctype html>\n<html lang=\"en\" data-version=\"{version}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><link rel=\"icon\" href=\"data:,\"><title>{title} · flowc preview</title>\
         <style>{STYLE}</style></head><body><header><h1>{title}</h1><div class=\"choice\" role=\"group\">\
         <button data-show=\"both\" aria-pressed=\"true\">light and dark</button><button data-show=\"light\">light</button>\
         <button data-show=\"dark\">dark</button></div></header><main>{body}</main><script>{SCRIPT}</script></body></html>\n"
    )
}

fn message(out: &mut String, number: usize, one: &Shown) {
    out.push_str(&format!("<section id=\"m{number}\"><h2>"));
    push_escaped(out, &one.title);
    out.push_str("</h2>");
    let content = match &one.content {
        Ok(content) => content,
        Err(why) => {
            out.push_str("<pre class=\"failed\">");
            push_escaped(out, why);
            out.push_str("</pre></section>");
            return;
        }
    };
    out.push_str("<dl>");
    for (name, value) in one.heads() {
        out.push_str(&format!("<dt>{name}</dt><dd>"));
        push_escaped(out, value);
        out.push_str("</dd>");
    }
    if let Content::Sms { text } = content {
        out.push_str("<dt>Length</dt><dd>");
        push_escaped(out, &cut(text));
        out.push_str("</dd>");
    }
    out.push_str("</dl>");
    let page = match content {
        Content::Email { html: Some(html), .. } => html.clone(),
        Content::Email { text, .. } | Content::Other { text, .. } => plain(text),
        Content::Onsite { html, .. } => onsite(html),
        Content::Push { title, body, image, .. } => note(title, body, image.as_deref(), &one.channel),
        Content::Sms { text } | Content::Whatsapp { text, .. } => bubble(text),
    };
    for scheme in ["light", "dark"] {
        let page = schemed(&page, scheme);
        out.push_str(&format!("<div class=\"pair {scheme}\">"));
        for (device, width) in [("desktop", 720), ("phone", 375)] {
            out.push_str(&format!(
                "<figure class=\"{device}\"><figcaption>{device}, {scheme}</figcaption>\
                 <iframe sandbox=\"allow-same-origin\" title=\"{device}, {scheme}\" width=\"{width}\" height=\"480\" srcdoc=\""
            ));
            push_escaped(out, &page);
            out.push_str("\"></iframe></figure>");
        }
        out.push_str("</div>");
    }
    if let Content::Email { html: Some(_), text, .. } = content {
        out.push_str("<details><summary>The part in plain text</summary><pre>");
        push_escaped(out, text);
        out.push_str("</pre></details>");
    }
    out.push_str("</section>");
}

/// As a device of this scheme shows it: what asks for the scheme is answered here, since a frame cannot be told.
fn schemed(page: &str, scheme: &str) -> String {
    let other = if scheme == "dark" { "light" } else { "dark" };
    let mut page = page.replace(BOTH, &format!(":root{{color-scheme:{scheme}}}"));
    for gap in ["", " "] {
        page = page.replace(&format!("prefers-color-scheme:{gap}{scheme}"), "min-width:0");
        page = page.replace(&format!("prefers-color-scheme:{gap}{other}"), "max-width:0");
    }
    page
}

/// How pages made here say that they have both schemes.
const BOTH: &str = ":root{color-scheme:light dark}";
/// Both schemes, with the colours of the browser.
const FRAME: &str = "<!doctype html><meta charset=\"utf-8\"><style>:root{color-scheme:light dark}body{margin:16px;font:15px/1.5 system-ui,sans-serif}\
    pre{font:14px/1.5 ui-monospace,monospace;white-space:pre-wrap;margin:0}\
    .bubble{max-width:280px;padding:10px 14px;border-radius:18px 18px 18px 4px;background:light-dark(#e9e9eb,#2c2c2e);white-space:pre-wrap;overflow-wrap:anywhere}\
    .note{max-width:360px;padding:12px 14px;border-radius:16px;background:light-dark(#f2f2f5,#2a2a2d);box-shadow:0 1px 4px light-dark(#0003,#000)}\
    .note b{display:block}.note small{opacity:.6}.note img{width:100%;border-radius:10px;margin-top:8px}</style>";

fn plain(text: &str) -> String {
    framed("<pre>", text, "</pre>")
}

fn bubble(text: &str) -> String {
    framed("<div class=\"bubble\">", text, "</div>")
}

fn onsite(html: &str) -> String {
    format!("{FRAME}{html}")
}

fn note(title: &str, body: &str, image: Option<&str>, channel: &str) -> String {
    let mut out = format!("{FRAME}<div class=\"note\"><small>");
    push_escaped(&mut out, channel);
    out.push_str("</small><b>");
    push_escaped(&mut out, title);
    out.push_str("</b>");
    push_escaped(&mut out, body);
    if let Some(image) = image {
        out.push_str("<img alt=\"\" src=\"");
        push_escaped(&mut out, image);
        out.push_str("\">");
    }
    out.push_str("</div>");
    out
}

fn framed(open: &str, text: &str, close: &str) -> String {
    let mut out = format!("{FRAME}{open}");
    push_escaped(&mut out, text);
    out.push_str(close);
    out
}
