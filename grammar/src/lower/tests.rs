//! Tests: what happens, and what is expected.

use super::{Kids, Lower, Node};
use crate::ast::*;
use crate::parser::Rule;
use crate::span::Span;

impl Lower<'_> {
    /// `test "…" for JOURNEY { … }`
    pub fn test(&mut self, pair: Node<'_>, span: Span) -> Option<TestDecl> {
        let mut kids = self.kids(pair);
        let name = self.string(&mut kids);
        let journey = kids.has(Rule::kw_for).then(|| self.name(&mut kids)).flatten();
        let mut lines = Vec::new();
        if let Some(body) = kids.take(Rule::test_body) {
            let mut kids = self.kids(body);
            while let Some(kid) = kids.next() {
                let span = self.span(&kid);
                if kid.as_rule() == Rule::close_brace {
                    continue;
                }
                let kind = self.test_line(kid).unwrap_or(TestLineKind::Broken);
                lines.push(TestLine { kind, span });
            }
        }
        Some(TestDecl { name: name?, journey, lines, span })
    }

    fn test_line(&mut self, pair: Node<'_>) -> Option<TestLineKind> {
        let rule = pair.as_rule();
        if rule == Rule::stray_line {
            let known = ["user", "given", "at", "after", "expect"];
            self.stray_line(&pair, "`user`, `given`, `at`, `after` or `expect`", &known);
            return None;
        }
        let mut kids = self.kids(pair);
        match rule {
            Rule::test_user => {
                let record = kids.take(Rule::record)?;
                Some(TestLineKind::User(self.record(Some(record))))
            }
            Rule::given => {
                let api = self.name(&mut kids);
                let args = kids.take(Rule::given_args).map(|pair| {
                    let mut kids = self.kids(pair);
                    self.arguments(&mut kids)
                });
                if kids.has(Rule::missing_answer) {
                    return None;
                }
                let answer = if kids.has(Rule::kw_fails) { None } else { Some(self.value(&mut kids)) };
                Some(TestLineKind::Given { api: api?, args, answer })
            }
            Rule::test_at => {
                let at = self.value(&mut kids);
                self.happening(&mut kids).map(|happening| TestLineKind::At(at, happening))
            }
            Rule::test_after => {
                let after = self.duration(&mut kids);
                self.happening(&mut kids).map(|happening| TestLineKind::After(after, happening))
            }
            Rule::expect => {
                kids.find(|r| r != Rule::kw_expect).and_then(|pair| self.expectation(pair)).map(TestLineKind::Expect)
            }
            _ => None,
        }
    }

    fn happening(&mut self, kids: &mut Kids<'_>) -> Option<Happening> {
        let pair = kids.take(Rule::happening)?;
        let mut kids = self.kids(pair);
        let what = kids.next()?;
        let rule = what.as_rule();
        let mut kids = self.kids(what);
        match rule {
            Rule::happening_user => {
                let record = kids.take(Rule::record);
                Some(Happening::User(self.record(record)))
            }
            Rule::happening_list => self.string(&mut kids).map(Happening::List),
            Rule::happening_event => {
                let event = kids.take(Rule::event_ref).and_then(|pair| self.event_ref(pair));
                let record = kids.take(Rule::record);
                let fields = self.record(record);
                Some(Happening::Event(event?, fields))
            }
            _ => None,
        }
    }

    fn expectation(&mut self, pair: Node<'_>) -> Option<Expectation> {
        let rule = pair.as_rule();
        let mut kids = self.kids(pair);
        match rule {
            Rule::expect_nothing => {
                Some(if kids.has(Rule::kw_else) { Expectation::NothingElse } else { Expectation::Nothing })
            }
            Rule::expect_no => {
                let channel = self.name(&mut kids);
                let content = self.expected_content(&mut kids);
                Some(Expectation::NoMessage { channel: channel?, content })
            }
            Rule::expect_skipped => {
                let channel = self.name(&mut kids);
                let content = self.expected_content(&mut kids);
                let because = kids.has(Rule::kw_because).then(|| self.name(&mut kids)).flatten();
                Some(Expectation::Skipped { channel: channel?, content, because })
            }
            Rule::expect_message => {
                let channel = self.name(&mut kids);
                let content = self.expected_content(&mut kids);
                let at = self.expected_time(&mut kids, Rule::expect_at);
                let after = self.expected_time(&mut kids, Rule::expect_after).map(|value| self.unquoted(value));
                Some(Expectation::Message { channel: channel?, content, at, after })
            }
            Rule::expect_condition => Some(Expectation::Condition(self.value(&mut kids))),
            _ => None,
        }
    }

    fn expected_time(&mut self, kids: &mut Kids<'_>, rule: Rule) -> Option<Expr> {
        let pair = kids.take(rule)?;
        let mut kids = self.kids(pair);
        Some(self.value(&mut kids))
    }

    fn expected_content(&mut self, kids: &mut Kids<'_>) -> Option<Content> {
        let pair = kids.take(Rule::expect_content)?;
        if let Some(text) = pair.clone().into_inner().find(|p| p.as_rule() == Rule::string) {
            return Some(Content::Text(self.text(text)));
        }
        let mut kids = self.kids(pair);
        self.name(&mut kids).map(Content::Template)
    }
}
