//! `test` items: constants in place of expressions, ids in place of names.

use crate::bytecode::{AttrId, ChannelId, Const};
use crate::compile_codes as code;
use crate::context::{Bare, Cx, Scope};
use crate::diagnostic::Diagnostic;
use crate::names::nearest;
use crate::schema::offer;
use crate::testcase::{Expectation, ExpectedContent, Given, Happening, TestCase, TestLine, TestLineKind, TestTime};
use crate::types::Kind;
use flow_grammar::ast::{self, Content, Expr, ExprKind, Name, TestDecl, TextPart};

/// Why a message is not sent, as the record says it.
const REASONS: [&str; 8] =
    ["holdout", "no_contact", "invalid_contact", "suppressed", "no_consent", "cap", "unreachable", "missing_value"];

impl Cx<'_> {
    pub fn test_case(&mut self, decl: &TestDecl) -> TestCase {
        let journey = decl.journey.as_ref().and_then(|name| self.journey_named(name));
        let mut case = TestCase {
            name: decl.name.value.clone(),
            journey,
            user: Vec::new(),
            given: Vec::new(),
            lines: Vec::new(),
            span: decl.span,
        };
        for line in &decl.lines {
            self.test_line(line, &mut case);
        }
        case
    }

    fn test_line(&mut self, line: &ast::TestLine, case: &mut TestCase) {
        use ast::TestLineKind as K;
        let kind = match &line.kind {
            K::User(fields) => {
                let values = self.attribute_values(fields);
                case.user.extend(values);
                None
            }
            K::Given { api, args, answer } => {
                let given = self.given(api, args.as_deref(), answer.as_ref());
                case.given.extend(given);
                None
            }
            K::At(time, happening) => {
                let time = self.test_time(time);
                let happening = self.happening(happening);
                time.zip(happening).map(|(time, happening)| TestLineKind::At(time, happening))
            }
            K::After(length, happening) => {
                let length = self.const_duration(length, &Scope::outside());
                let happening = self.happening(happening);
                length.zip(happening).map(|(length, happening)| TestLineKind::After(length, happening))
            }
            K::Expect(expectation) => self.expectation(expectation).map(TestLineKind::Expect),
            K::Broken => None,
        };
        case.lines.extend(kind.map(|kind| TestLine { kind, span: line.span }));
    }

    fn attribute_values(&mut self, fields: &[(Name, Expr)]) -> Vec<(AttrId, Const)> {
        let mut values: Vec<(AttrId, Const)> = Vec::new();
        for (name, value) in fields {
            let Some(id) = self.attribute(name) else { continue };
            let Some(field) = self.program.attributes.get(id.index()).map(|a| a.field.clone()) else { continue };
            if values.iter().any(|(other, _)| *other == id) {
                let message = format!("`{}` is given twice", name.text);
                self.report(Diagnostic::error(code::DECLARED_TWICE, name.span, message).help("remove one of the two"));
            }
            let optional = field.optional || field.default.is_some();
            values.extend(self.constant(value, &Kind::of(&field.ty), optional).map(|value| (id, value)));
        }
        values
    }

    fn given(&mut self, api: &Name, args: Option<&[(Option<Name>, Expr)]>, answer: Option<&Expr>) -> Option<Given> {
        let id = self.api_named(api)?;
        let found = self.program.apis.get(id.index())?.clone();
        let args = args.map(|args| {
            let given = self.match_arguments(&found.params, args, api);
            let mut values = Vec::new();
            for (param, value) in found.params.iter().zip(given) {
                values.push(match value {
                    Some(value) => self.constant(value, &Kind::of(&param.ty), param.optional).unwrap_or(Const::Missing),
                    None => param.default.clone().unwrap_or_else(|| {
                        if !param.optional {
                            self.field_missing(&param.name, &api.text, &Kind::of(&param.ty), api.span);
                        }
                        Const::Missing
                    }),
                });
            }
            values
        });
        let answer = match (answer, &found.answer) {
            (Some(answer), Some((ty, optional))) => Some(self.constant(answer, &Kind::of(ty), *optional)?),
            (Some(answer), None) => {
                let message = format!("`{}` answers nothing", api.text);
                let help = "declare what it answers with `-> …`, or write `fails`";
                self.report(Diagnostic::error(code::NO_ANSWER, answer.span, message).help(help));
                return None;
            }
            (None, _) => None,
        };
        Some(Given { api: id, args, answer })
    }

    fn test_time(&mut self, time: &Expr) -> Option<TestTime> {
        if let Some((value, _)) = crate::expression::literal(time) {
            match value {
                Const::Instant(at) => return Some(TestTime::Instant(at)),
                Const::Local(day, at) => return Some(TestTime::Local(day, at)),
                Const::Time(at) => return Some(TestTime::TimeOfDay(at)),
                Const::Date(day) => return Some(TestTime::Local(day, 0)),
                _ => {}
            }
        }
        if time.kind != ExprKind::Broken {
            let problem = Diagnostic::error(code::TEST_TIME, time.span, "a test needs a moment that is written out");
            self.report(problem.help("write `2026-03-02 10:00`, `2026-03-02T10:00Z` or `10:00`"));
        }
        None
    }

    fn happening(&mut self, happening: &ast::Happening) -> Option<Happening> {
        match happening {
            ast::Happening::Event(reference, fields) => {
                let id = self.event_ref(reference)?;
                let event = self.program.events.get(id.index())?.clone();
                self.refer_keys(id, fields);
                let values = self.given_fields(fields, &event.fields, &event.name, reference.span())?;
                Some(Happening::Event(id, values))
            }
            ast::Happening::User(fields) => Some(Happening::Attributes(self.attribute_values(fields))),
            ast::Happening::List(name) => {
                if let Some(at) = self.program.lists.iter().position(|list| *list == name.value) {
                    return Some(Happening::List(crate::bytecode::ListId(crate::context::index(at))));
                }
                let near =
                    nearest(&name.value, self.program.lists.iter().map(String::as_str)).map(|n| format!("{n:?}"));
                let message = format!("no journey begins with the list `{}`", name.value);
                let problem = Diagnostic::error(code::UNKNOWN_NAME, name.span, message);
                self.report(offer(problem, near, name.span, "name a list that stands after `on list`"));
                None
            }
        }
    }

    fn expectation(&mut self, expectation: &ast::Expectation) -> Option<Expectation> {
        Some(match expectation {
            ast::Expectation::Nothing => Expectation::Nothing,
            ast::Expectation::NothingElse => Expectation::NothingElse,
            ast::Expectation::Message { channel, content, at, after } => {
                let (channel, content) = self.expected(channel, content.as_ref())?;
                let at = match at {
                    Some(at) => Some(self.test_time(at)?),
                    None => None,
                };
                let after = match after {
                    Some(after) => Some(self.const_duration(after, &Scope::outside())?),
                    None => None,
                };
                Expectation::Message { channel, content, at, after }
            }
            ast::Expectation::NoMessage { channel, content } => {
                let (channel, content) = self.expected(channel, content.as_ref())?;
                Expectation::NoMessage { channel, content }
            }
            ast::Expectation::Skipped { channel, content, because } => {
                let expected = self.expected(channel, content.as_ref());
                if let Some(reason) = because {
                    self.reason(reason);
                }
                let (channel, content) = expected?;
                let because = because.as_ref().map(|reason| reason.text.clone());
                Expectation::Skipped { channel, content, because }
            }
            ast::Expectation::Condition(condition) => {
                let scope = Scope { bare: Bare::Ever, ..Scope::outside() };
                let node = self.condition(condition, &scope);
                Expectation::Condition(self.lower(&node))
            }
        })
    }

    fn expected(&mut self, channel: &Name, content: Option<&Content>) -> Option<(ChannelId, Option<ExpectedContent>)> {
        let id = self.channel(channel)?;
        let content = match content {
            None => None,
            Some(Content::Template(name)) => {
                self.refer(name.span, crate::symbols::Symbol::Template(name.text.clone()));
                self.template_exists(name, id, channel, false);
                Some(ExpectedContent::Template(name.text.clone()))
            }
            Some(Content::Text(text)) => Some(ExpectedContent::Text(self.finished_text(text)?)),
        };
        Some((id, content))
    }

    /// A text as the person would read it.
    fn finished_text(&mut self, text: &Expr) -> Option<String> {
        let ExprKind::Text(parts) = &text.kind else { return None };
        let mut finished = String::new();
        for part in parts {
            match part {
                TextPart::Literal(literal) => finished.push_str(literal),
                TextPart::Expr(inner) => {
                    let problem =
                        Diagnostic::error(code::TEST_VALUE, inner.span, "a test needs the text as the person reads it");
                    self.report(problem.help("write out what stands there in the end"));
                    return None;
                }
            }
        }
        Some(finished)
    }

    fn reason(&mut self, reason: &Name) {
        if REASONS.contains(&reason.text.as_str()) {
            return;
        }
        let near = nearest(&reason.text, REASONS).map(str::to_owned);
        let message = format!("no message is skipped because of `{}`", reason.text);
        let help = format!("the reasons are {}", crate::names::enumerate(&REASONS));
        self.report(offer(Diagnostic::error(code::TEST_REASON, reason.span, message), near, reason.span, &help));
    }
}
