//! The pages of `flowc explain`: one a code, with what is wrong, why, and what is right.

/// Pages, by code.
const PAGES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The page of a code, in Markdown.
#[must_use]
pub fn page(code: &str) -> Option<&'static str> {
    PAGES.iter().find(|(name, _)| *name == code).map(|(_, page)| *page)
}

/// Every code that has a page.
pub fn codes() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(code, _)| *code)
}

/// A page as a terminal shows it: examples are indented, and say whether they are wrong or right.
#[must_use]
pub fn plain(page: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some("") => inside = false,
            Some(kind) => {
                inside = true;
                let word = kind.rsplit(' ').next().unwrap_or_default();
                out += match word {
                    "wrong" => "Wrong:\n\n",
                    "right" => "Right:\n\n",
                    _ => "",
                };
            }
            None if inside && !line.is_empty() => {
                out += "    ";
                out += line;
                out.push('\n');
            }
            None => {
                out += line.trim_start_matches("# ");
                out.push('\n');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn examples_are_indented() {
        let page = "# F0001 a title\n\nText.\n\n```flow wrong\non a\n\n  end\n```\n\n```flow right\nend\n```\n";
        let plain = "F0001 a title\n\nText.\n\nWrong:\n\n    on a\n\n      end\n\nRight:\n\n    end\n";
        assert_eq!(super::plain(page), plain);
    }
}
