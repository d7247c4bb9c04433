//! Mail in HTML: after Liquid come MJML and the inlining of CSS, in this order. The part in plain text is derived from
//! what comes out.

use crate::render::push_escaped;
use css_inline::CSSInliner;
use html2text::config;
use mrml::prelude::render::RenderOptions;
use std::fmt::Write;

/// So wide is a line of the derived text at most, as is the custom of plain mail.
const LINE: usize = 78;

/// MJML as HTML.
pub(super) fn from_mjml(text: &str) -> Result<String, String> {
    // Nothing is included: `mj-include` finds no loader, `render` brings files in.
    let parsed = mrml::parse(text).map_err(|error| error.to_string())?;
    parsed.element.render(&RenderOptions::default()).map_err(|error| error.to_string())
}

/// With the styles of `<style>` in the elements, where mail programs look for them. What cannot stand there
/// (`@media`) stays.
pub(super) fn inlined(html: &str) -> Result<String, String> {
    let inliner =
        CSSInliner::options().load_remote_stylesheets(false).keep_style_tags(true).keep_link_tags(true).build();
    inliner.inline(html).map_err(|error| error.to_string())
}

/// With what mail programs show after the subject, hidden at the beginning.
pub(super) fn with_preheader(html: &str, preheader: &str) -> String {
    let body = find_tag(html, "<body").and_then(|at| Some(at + html.get(at..)?.find('>')? + 1)).unwrap_or(0);
    let (before, after) = html.split_at(body);
    let mut out = String::with_capacity(html.len() + preheader.len() + 120);
    out.push_str(before);
    out.push_str("<div style=\"display:none;max-height:0;max-width:0;overflow:hidden;opacity:0\">");
    push_escaped(&mut out, preheader);
    out.push_str("</div>");
    out.push_str(after);
    out
}

fn find_tag(html: &str, tag: &str) -> Option<usize> {
    html.as_bytes().windows(tag.len()).position(|window| window.eq_ignore_ascii_case(tag.as_bytes()))
}

/// What an HTML mail says, as plain text: links as `words (address)`, tables cell by cell.
pub(super) fn as_text(html: &str) -> Result<String, String> {
    let config = config::with_decorator(Plain::default())
        .raw_mode(true)
        .no_link_wrapping()
        .allow_width_overflow()
        .link_footnotes(false)
        .use_doc_css();
    let text = config.string_from_read(html.as_bytes(), LINE).map_err(|error| error.to_string())?;
    let mut out = String::with_capacity(text.len());
    let mut blank = true;
    for line in text.lines().map(str::trim_end) {
        // Tables leave many empty lines.
        if line.is_empty() && blank {
            continue;
        }
        blank = line.is_empty();
        let _ = writeln!(out, "{line}");
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    Ok(out)
}

/// How elements are marked in the derived text.
#[derive(Clone, Debug, Default)]
struct Plain {
    /// The address of the link that is open.
    link: String,
}

impl html2text::render::TextDecorator for Plain {
    type Annotation = ();

    fn decorate_link_start(&mut self, url: &str) -> (String, ()) {
        url.clone_into(&mut self.link);
        (String::new(), ())
    }

    fn decorate_link_end(&mut self) -> String {
        match std::mem::take(&mut self.link) {
            link if link.is_empty() || link.starts_with('#') => String::new(),
            link => format!(" ({})", link.strip_prefix("mailto:").unwrap_or(&link)),
        }
    }

    fn decorate_em_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_em_end(&self) -> String {
        String::new()
    }

    fn decorate_strong_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strong_end(&self) -> String {
        String::new()
    }

    fn decorate_strikeout_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }

    fn decorate_code_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_code_end(&self) -> String {
        String::new()
    }

    fn decorate_preformat_first(&self) {}

    fn decorate_preformat_cont(&self) {}

    fn decorate_image(&mut self, _: &str, title: &str) -> (String, ()) {
        (title.to_owned(), ())
    }

    fn header_prefix(&self, _: usize) -> String {
        String::new()
    }

    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }

    fn unordered_item_prefix(&self) -> String {
        "- ".to_owned()
    }

    fn ordered_item_prefix(&self, number: i64) -> String {
        format!("{number}. ")
    }

    fn make_subblock_decorator(&self) -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MJML: &str = "<mjml><mj-head><mj-style>.big a { color: #c00 }</mj-style></mj-head><mj-body><mj-section><mj-column>\
        <mj-text css-class=\"big\">Hello Ada, <a href=\"https://shop.example/?a=1&amp;b=2\">the shop</a> waits.</mj-text>\
        <mj-button href=\"https://shop.example/go\">Go there</mj-button>\
        <mj-image src=\"https://shop.example/x.png\" alt=\"A basket\" /></mj-column></mj-section></mj-body></mjml>";

    #[test]
    fn mjml_becomes_html_with_its_styles_inside() {
        let html = inlined(&from_mjml(MJML).unwrap()).unwrap();
        assert!(html.contains("color: #c00") && html.contains("@media only screen"), "{html}");
        let text = as_text(&html).unwrap();
        assert_eq!(
            text,
            "Hello Ada, the shop (https://shop.example/?a=1&b=2) waits.\nGo there (https://shop.example/go)\nA basket\n"
        );
        assert!(from_mjml("<mjml><mj-body>").is_err());
    }

    #[test]
    fn the_preheader_stands_first_and_is_hidden() {
        let html = with_preheader("<html><BODY class=\"a\"><p>Hello</p></BODY></html>", "1 < 2");
        assert!(
            html.contains("<BODY class=\"a\"><div style=\"display:none") && html.contains("1 &lt; 2</div><p>"),
            "{html}"
        );
        assert_eq!(as_text(&html).unwrap(), "Hello\n");
        assert!(with_preheader("<p>x</p>", "y").ends_with("y</div><p>x</p>"));
    }

    #[test]
    fn lists_and_headings_read_well() {
        let html = "<style>.x { color: red }</style><h1>Hi</h1><ul><li>a</li><li>b <b>c</b></li></ul><p>A <a href=\"mailto:a@b.example\">mail</a></p>";
        assert_eq!(as_text(html).unwrap(), "Hi\n- a\n- b c\n\nA mail (a@b.example)\n");
    }
}
