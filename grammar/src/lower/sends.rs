//! Messages: `email welcome`, `send offer via push or email`.

use super::{Lower, Node};
use crate::ast::*;
use crate::codes;
use crate::error::SyntaxError;
use crate::parser::Rule;

impl Lower<'_> {
    /// `CHANNEL TEMPLATE` or `CHANNEL "text"`, with its options.
    pub fn send(&mut self, pair: Node<'_>) -> Option<StepKind> {
        let mut kids = self.kids(pair);
        let channel = self.name(&mut kids);
        let word = kids.take(Rule::habit_template).map(|pair| self.span(&pair));
        let content = kids.find(|r| matches!(r, Rule::template | Rule::string));
        let content = match content {
            // `email template "welcome"`
            Some(pair) if word.is_some() => self.template_with_word(word, &pair),
            content => content.and_then(|pair| self.content(pair)),
        };
        let mut send = empty(Route::Channel(channel?), content?);
        while let Some(option) = kids.take(Rule::send_option) {
            self.send_option(option, &mut send);
        }
        Some(StepKind::Send(send))
    }

    /// `send TEMPLATE via push or email`
    pub fn send_via(&mut self, pair: Node<'_>) -> Option<StepKind> {
        let span = self.span(&pair);
        let mut kids = self.kids(pair);
        if let Some(habit) = kids.take(Rule::habit_send) {
            let mut send = self.send_by_channel(habit, span)?;
            while let Some(option) = kids.take(Rule::send_option) {
                self.send_option(option, &mut send);
            }
            return Some(StepKind::Send(send));
        }
        let content = kids.find(|r| matches!(r, Rule::template | Rule::string)).and_then(|pair| self.content(pair));
        if let Some(habit) = kids.take(Rule::habit_via) {
            self.spelled(&habit, "via");
        }
        let mut channels: Vec<Name> = Vec::new();
        let mut joints: Vec<Rule> = Vec::new();
        let mut options = Vec::new();
        while let Some(kid) = kids.next() {
            match kid.as_rule() {
                Rule::name => channels.push(self.name_of(&kid)),
                Rule::habit_name_in_quotes => channels.push(self.quoted_name(&kid)),
                Rule::send_option => options.push(kid),
                rule @ (Rule::kw_or | Rule::kw_and | Rule::habit_comma) => {
                    let mixed = joints.first().is_some_and(|first| *first != rule);
                    let span = self.span(&kid);
                    if rule == Rule::habit_comma {
                        self.report(
                            SyntaxError::new(codes::UNEXPECTED, span, "channels are joined by `or` or `and`")
                                .help("`or`: the first that works; `and`: every one")
                                .fix(span, " or"),
                        );
                    } else if mixed {
                        self.report(
                            SyntaxError::new(codes::UNEXPECTED, span, "either `or` or `and` between all channels")
                                .help("`or`: the first that works; `and`: every one"),
                        );
                    }
                    joints.push(rule);
                }
                _ => {}
            }
        }
        if channels.is_empty() {
            return None;
        }
        let route =
            if joints.first() == Some(&Rule::kw_and) { Route::AllOf(channels) } else { Route::FirstOf(channels) };
        let mut send = empty(route, content?);
        for option in options {
            self.send_option(option, &mut send);
        }
        Some(StepKind::Send(send))
    }

    /// A template's name or a text.
    pub fn content(&mut self, pair: Node<'_>) -> Option<Content> {
        if pair.as_rule() == Rule::string {
            return Some(Content::Text(self.text(pair)));
        }
        let mut kids = self.kids(pair);
        self.name(&mut kids).map(Content::Template)
    }

    fn send_option(&mut self, pair: Node<'_>, send: &mut Send) {
        let span = self.span(&pair);
        let Some(option) = pair.into_inner().next() else { return };
        let rule = option.as_rule();
        let mut kids = self.kids(option);
        let twice = match rule {
            Rule::send_to => {
                let value = self.value(&mut kids);
                send.to.replace(value).is_some()
            }
            Rule::send_with => {
                let record = kids.take(Rule::record);
                let twice = !send.with.is_empty();
                send.with.extend(self.record(record));
                twice
            }
            Rule::send_topic => self.topic_name(&mut kids).is_some_and(|name| send.topic.replace(name).is_some()),
            _ => self.name(&mut kids).is_some_and(|name| send.alias.replace(name).is_some()),
        };
        if twice {
            let word = self.token_at(span.start as usize).to_owned();
            self.twice(span, &format!("`{word}`"));
        }
    }
}

pub(super) fn empty(route: Route, content: Content) -> Send {
    Send { route, content, to: None, with: Vec::new(), topic: None, alias: None }
}
