//! Names that are not written as names are: in small letters, with `_` between the words.

use super::Project;
use crate::codes::NAME_STYLE;
use crate::diagnostic::Diagnostic;
use flow_grammar::ast::{Item, Name};

pub(super) fn check(project: Project<'_>) -> Vec<Diagnostic> {
    let items = project.files().flat_map(|file| &file.items);
    items.filter_map(declared).filter(|name| name.text.chars().any(char::is_uppercase)).map(finding).collect()
}

/// The name that an item declares. Fields and attributes are left out: they are called as the tracking calls them.
fn declared(item: &Item) -> Option<&Name> {
    match item {
        Item::Event(decl) => Some(&decl.name),
        Item::Type(decl) => Some(&decl.name),
        Item::Channel(decl) => Some(&decl.name),
        Item::Segment(decl) => Some(&decl.name),
        Item::Fence(decl) => Some(&decl.name),
        Item::Api(decl) => Some(&decl.name),
        Item::Journey(decl) => decl.name.as_ref(),
        Item::User(_) | Item::Policy(_) | Item::Test(_) | Item::Broken(_) => None,
    }
}

fn finding(name: &Name) -> Diagnostic {
    let message = format!("`{}` is not written as names are", name.text);
    let help = format!("call it `{}`: small letters, with `_` between the words", snake(&name.text));
    Diagnostic::warning(NAME_STYLE, name.span, message).help(help)
}

/// `AbandonedCart` as `abandoned_cart`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut before_is_small = false;
    for c in name.chars() {
        if c.is_uppercase() && before_is_small {
            snake.push('_');
        }
        before_is_small = !c.is_uppercase() && c != '_';
        snake.extend(c.to_lowercase());
    }
    snake
}
