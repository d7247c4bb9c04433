//! What MJML allows: elements, where each may stand, and its attributes, as <https://documentation.mjml.io> has them.

use htmlparser::{ElementEnd, Token, Tokenizer};
use std::ops::Range;

/// What is wrong at a place of the text.
pub(super) struct Problem {
    pub at: Range<usize>,
    pub message: String,
    /// It is left out rather than refused.
    pub ignored: bool,
    /// The name that was perhaps meant.
    pub near: Option<&'static str>,
}

/// An element: its name, where it may stand, and its own attributes.
struct Element {
    name: &'static str,
    parents: &'static [&'static str],
    attributes: &'static [&'static str],
    /// Its content is HTML, not MJML.
    html: bool,
}

const fn element(
    name: &'static str,
    parents: &'static [&'static str],
    attributes: &'static [&'static str],
    html: bool,
) -> Element {
    Element { name, parents, attributes, html }
}

const CONTENT: &[&str] = &["mj-column", "mj-hero"];
/// What every element of a body can have.
const COMMON: &[&str] = &[
    "css-class",
    "mj-class",
    "padding",
    "padding-top",
    "padding-right",
    "padding-bottom",
    "padding-left",
    "container-background-color",
];
const FONT: &[&str] = &[
    "color",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "letter-spacing",
    "line-height",
    "text-decoration",
    "text-transform",
];
const BORDER: &[&str] = &["border", "border-top", "border-right", "border-bottom", "border-left", "border-radius"];
const BACKGROUND: &[&str] = &[
    "background-color",
    "background-url",
    "background-repeat",
    "background-size",
    "background-position",
    "background-position-x",
    "background-position-y",
];

const ELEMENTS: &[Element] = &[
    element("mjml", &[], &["lang", "dir", "owa"], false),
    element("mj-head", &["mjml"], &[], false),
    element("mj-body", &["mjml"], &["background-color", "width", "id", "lang", "dir", "title"], false),
    element("mj-attributes", &["mj-head"], &[], false),
    element("mj-breakpoint", &["mj-head"], &["width"], false),
    element("mj-font", &["mj-head"], &["name", "href"], false),
    element("mj-preview", &["mj-head"], &[], true),
    element("mj-style", &["mj-head"], &["inline"], true),
    element("mj-title", &["mj-head"], &[], true),
    element(
        "mj-raw",
        &[
            "mjml",
            "mj-head",
            "mj-body",
            "mj-wrapper",
            "mj-section",
            "mj-group",
            "mj-column",
            "mj-hero",
            "mj-accordion",
            "mj-accordion-element",
            "mj-carousel",
            "mj-navbar",
            "mj-social",
        ],
        &["position"],
        true,
    ),
    element(
        "mj-wrapper",
        &["mj-body"],
        &["direction", "full-width", "gap", "text-align", "background", "background-*", "border*"],
        false,
    ),
    element(
        "mj-section",
        &["mj-body", "mj-wrapper"],
        &["direction", "full-width", "text-align", "text-padding", "background", "background-*", "border*"],
        false,
    ),
    element("mj-group", &["mj-section"], &["background-color", "direction", "vertical-align", "width"], false),
    element(
        "mj-column",
        &["mj-section", "mj-group"],
        &[
            "background-color",
            "direction",
            "inner-background-color",
            "inner-border",
            "inner-border-top",
            "inner-border-right",
            "inner-border-bottom",
            "inner-border-left",
            "inner-border-radius",
            "vertical-align",
            "width",
            "border*",
        ],
        false,
    ),
    element(
        "mj-hero",
        &["mj-body", "mj-wrapper"],
        &[
            "background-height",
            "background-width",
            "height",
            "inner-background-color",
            "inner-padding",
            "mode",
            "vertical-align",
            "width",
            "border-radius",
            "background-*",
        ],
        false,
    ),
    element("mj-text", CONTENT, &["align", "height", "vertical-align", "background-color", "font*"], true),
    element(
        "mj-button",
        CONTENT,
        &[
            "align",
            "background-color",
            "height",
            "href",
            "inner-padding",
            "name",
            "rel",
            "target",
            "text-align",
            "title",
            "vertical-align",
            "width",
            "border*",
            "font*",
        ],
        true,
    ),
    element(
        "mj-image",
        CONTENT,
        &[
            "align",
            "alt",
            "fluid-on-mobile",
            "full-width",
            "height",
            "href",
            "max-height",
            "name",
            "rel",
            "sizes",
            "src",
            "srcset",
            "target",
            "title",
            "usemap",
            "width",
            "font-size",
            "border*",
        ],
        false,
    ),
    element("mj-divider", CONTENT, &["align", "border-color", "border-style", "border-width", "width"], false),
    element("mj-spacer", CONTENT, &["height", "border*"], false),
    element(
        "mj-table",
        CONTENT,
        &["align", "border", "cellpadding", "cellspacing", "role", "table-layout", "vertical-align", "width", "font*"],
        true,
    ),
    element(
        "mj-accordion",
        CONTENT,
        &[
            "border",
            "icon-align",
            "icon-height",
            "icon-position",
            "icon-unwrapped-alt",
            "icon-unwrapped-url",
            "icon-width",
            "icon-wrapped-alt",
            "icon-wrapped-url",
            "font-family",
        ],
        false,
    ),
    element(
        "mj-accordion-element",
        &["mj-accordion"],
        &[
            "background-color",
            "border",
            "font-family",
            "icon-align",
            "icon-height",
            "icon-position",
            "icon-unwrapped-alt",
            "icon-unwrapped-url",
            "icon-width",
            "icon-wrapped-alt",
            "icon-wrapped-url",
        ],
        false,
    ),
    element("mj-accordion-title", &["mj-accordion-element"], &["background-color", "font*"], true),
    element("mj-accordion-text", &["mj-accordion-element"], &["background-color", "font*"], true),
    element(
        "mj-carousel",
        CONTENT,
        &[
            "align",
            "border-radius",
            "icon-width",
            "left-icon",
            "right-icon",
            "tb-border",
            "tb-border-radius",
            "tb-hover-border-color",
            "tb-selected-border-color",
            "tb-width",
            "thumbnails",
        ],
        false,
    ),
    element(
        "mj-carousel-image",
        &["mj-carousel"],
        &[
            "alt",
            "border-radius",
            "href",
            "rel",
            "src",
            "target",
            "tb-border",
            "tb-border-radius",
            "thumbnails-src",
            "title",
        ],
        false,
    ),
    element(
        "mj-navbar",
        CONTENT,
        &[
            "align",
            "base-url",
            "hamburger",
            "ico-align",
            "ico-close",
            "ico-color",
            "ico-font-family",
            "ico-font-size",
            "ico-line-height",
            "ico-open",
            "ico-padding",
            "ico-padding-top",
            "ico-padding-right",
            "ico-padding-bottom",
            "ico-padding-left",
            "ico-text-decoration",
            "ico-text-transform",
        ],
        false,
    ),
    element("mj-navbar-link", &["mj-navbar"], &["href", "name", "rel", "target", "title", "font*"], true),
    element(
        "mj-social",
        CONTENT,
        &[
            "align",
            "border-radius",
            "icon-height",
            "icon-padding",
            "icon-size",
            "inner-padding",
            "mode",
            "table-layout",
            "text-padding",
            "font*",
        ],
        false,
    ),
    element(
        "mj-social-element",
        &["mj-social"],
        &[
            "align",
            "alt",
            "background-color",
            "border-radius",
            "href",
            "icon-height",
            "icon-padding",
            "icon-position",
            "icon-size",
            "name",
            "rel",
            "sizes",
            "src",
            "srcset",
            "target",
            "text-padding",
            "title",
            "vertical-align",
            "font*",
        ],
        true,
    ),
    // Within `mj-attributes` only.
    element("mj-all", &["mj-attributes"], &[], false),
    element("mj-class", &["mj-attributes"], &[], false),
];

fn known(name: &str) -> Option<&'static Element> {
    ELEMENTS.iter().find(|element| element.name == name)
}

impl Element {
    fn takes(&self, attribute: &str) -> bool {
        let listed = |names: &[&str]| names.contains(&attribute);
        let own = self.attributes.iter().any(|name| match *name {
            "font*" => listed(FONT),
            "border*" => listed(BORDER),
            "background-*" => listed(BACKGROUND),
            name => name == attribute,
        });
        let head = self.parents == ["mj-head"] || matches!(self.name, "mjml" | "mj-head");
        own || (!head && listed(COMMON))
    }

    /// All that it takes.
    fn all(&self) -> Vec<&'static str> {
        let named = self.attributes.iter().flat_map(|name| match *name {
            "font*" => FONT.to_vec(),
            "border*" => BORDER.to_vec(),
            "background-*" => BACKGROUND.to_vec(),
            name => vec![name],
        });
        named.chain(COMMON.iter().copied()).collect()
    }
}

/// Everything that is wrong with a document.
pub(super) fn problems(text: &str) -> Vec<Problem> {
    let mut check = Check { open: Vec::new(), at: None, found: Vec::new() };
    for token in Tokenizer::from(text) {
        match token {
            Ok(token) => check.token(&token),
            // Said by the parser.
            Err(_) => return check.found,
        }
    }
    if let Some(open) = check.open.pop() {
        check.refuse(open.at.clone(), format!("`{}` is not closed", open.name), None);
    }
    check.found
}

struct Open {
    name: String,
    at: Range<usize>,
}

struct Check {
    /// The MJML elements around; HTML in one that takes it is not looked at.
    open: Vec<Open>,
    /// The element whose attributes are being read.
    at: Option<&'static Element>,
    found: Vec<Problem>,
}

impl Check {
    fn refuse(&mut self, at: Range<usize>, message: String, near: Option<&'static str>) {
        self.found.push(Problem { at, message, ignored: false, near });
    }

    fn within(&self) -> &str {
        self.open.last().map_or("", |open| open.name.as_str())
    }

    /// Whether the element around holds HTML.
    fn in_html(&self) -> bool {
        known(self.within()).is_some_and(|element| element.html)
    }

    fn token(&mut self, token: &Token<'_>) {
        match token {
            Token::ElementStart { local, .. } => {
                self.at = None;
                let name = local.as_str();
                let mjml = name == "mjml" || name.starts_with("mj-");
                if mjml {
                    self.start(name, local.range());
                } else if !self.in_html() {
                    let message = if self.open.is_empty() {
                        "the MJML must stand in one `mjml`".to_owned()
                    } else {
                        format!("`{name}` is HTML, and stands in `mj-text` or `mj-raw`")
                    };
                    self.refuse(local.range(), message, None);
                }
            }
            Token::Attribute { local, .. } => {
                let Some(element) = self.at else { return };
                let name = local.as_str();
                let defaults = self.open.iter().any(|open| open.name == "mj-attributes");
                let named = matches!(element.name, "mj-all" | "mj-class") || (defaults && name == "name");
                if !named && !element.takes(name) {
                    let all = element.all();
                    let near = crate::nearest::nearest(name, all.iter().copied());
                    let near = all.iter().find(|known| Some(**known) == near).copied();
                    let message = format!("`{}` has no attribute `{name}`", element.name);
                    self.found.push(Problem { at: local.range(), message, ignored: true, near });
                }
            }
            Token::ElementEnd { end: ElementEnd::Empty, .. } if self.at.take().is_some() => {
                self.open.pop();
            }
            Token::ElementEnd { end: ElementEnd::Close(_, local), .. } => self.close(local.as_str(), local.range()),
            _ => {}
        }
    }

    fn start(&mut self, name: &str, at: Range<usize>) {
        let Some(element) = known(name) else {
            let near = crate::nearest::nearest(name, ELEMENTS.iter().map(|element| element.name));
            let near = ELEMENTS.iter().map(|element| element.name).find(|known| Some(*known) == near);
            self.refuse(at.clone(), format!("MJML has no `{name}`"), near);
            self.open.push(Open { name: name.to_owned(), at });
            return;
        };
        let within = self.within().to_owned();
        let defaults = within == "mj-attributes" && name.starts_with("mj-");
        // Where the element around is none, nothing is known of what may stand in it.
        let judged = within.is_empty() || known(&within).is_some();
        let root = within.is_empty() && name == "mjml";
        let fits = root || defaults || element.parents.contains(&within.as_str());
        if judged && !fits {
            let places = element.parents.iter().take(3).map(|name| format!("`{name}`")).collect::<Vec<_>>();
            let message = match (within.as_str(), name) {
                (_, "mjml") => "`mjml` stands in nothing else".to_owned(),
                ("", _) => format!("`{name}` stands in {}, and here in nothing", places.join(" or ")),
                _ => format!("`{name}` stands in {}, not in `{within}`", places.join(" or ")),
            };
            self.refuse(at.clone(), message, None);
        }
        self.at = Some(element);
        self.open.push(Open { name: name.to_owned(), at });
    }

    fn close(&mut self, name: &str, at: Range<usize>) {
        if name != "mjml" && !name.starts_with("mj-") {
            return;
        }
        match self.open.iter().rposition(|open| open.name == name) {
            Some(place) => {
                if let Some(inner) = self.open.get(place + 1) {
                    let (inner, message) = (inner.at.clone(), format!("`{}` is not closed", inner.name));
                    self.refuse(inner, message, None);
                }
                self.open.truncate(place);
            }
            None => self.refuse(at, format!("no `{name}` is open here"), None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::problems;

    fn of(text: &str) -> Vec<String> {
        let shown = |text: &str| {
            let problems = problems(text);
            problems.iter().map(|p| format!("{}: {}", &text[p.at.clone()], p.message)).collect()
        };
        shown(text)
    }

    #[test]
    fn what_mjml_allows_is_silent() {
        let text = "<mjml lang=\"en\"><mj-head><mj-attributes><mj-all color=\"red\" /><mj-class name=\"a\" padding=\"0\" /><mj-text color=\"red\" /></mj-attributes>\
            <mj-style inline=\"inline\">a > b { color: red }</mj-style><mj-preview>x</mj-preview></mj-head><mj-body background-color=\"#fff\">\
            <mj-wrapper><mj-section css-class=\"x\" border-radius=\"3px\"><mj-group><mj-column width=\"50%\"><mj-text mj-class=\"a\"><p class=\"y\">x<br>y</p></mj-text>\
            <mj-button href=\"#\" inner-padding=\"1px\">Go</mj-button><mj-image src=\"x\" alt=\"\" /><mj-divider /><mj-raw><div></div></mj-raw></mj-column></mj-group></mj-section></mj-wrapper></mj-body></mjml>";
        assert_eq!(of(text), [""; 0]);
    }

    #[test]
    fn everything_else_is_named_at_its_place() {
        for (text, found) in [
            ("<mjml><mj-body><mj-txt>x</mj-txt></mj-body></mjml>", "mj-txt: MJML has no `mj-txt`"),
            (
                "<mjml><mj-body><mj-text>x</mj-text></mj-body></mjml>",
                "mj-text: `mj-text` stands in `mj-column` or `mj-hero`, not in `mj-body`",
            ),
            ("<mjml><mj-body><div></div></mj-body></mjml>", "div: `div` is HTML, and stands in `mj-text` or `mj-raw`"),
            ("<mj-body></mj-body>", "mj-body: `mj-body` stands in `mjml`, and here in nothing"),
            ("<mjml><mj-body><mj-section></mj-body></mjml>", "mj-section: `mj-section` is not closed"),
            ("<mjml><mj-body></mj-section></mj-body></mjml>", "mj-section: no `mj-section` is open here"),
            ("<mjml><mj-body>", "mj-body: `mj-body` is not closed"),
            ("<mjml><mj-body colour=\"red\"></mj-body></mjml>", "colour: `mj-body` has no attribute `colour`"),
        ] {
            assert_eq!(of(text), [found], "{text}");
        }
    }
}
