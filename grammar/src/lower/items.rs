//! Items: declarations, policies, apis and journeys.

use super::{Kids, Lower, Node};
use crate::ast::*;
use crate::codes;
use crate::error::SyntaxError;
use crate::parser::Rule;
use crate::span::Span;
use rust_decimal::Decimal;

impl Lower<'_> {
    /// The items of a `file` pair.
    pub fn file(&mut self, pair: Node<'_>) -> Vec<Item> {
        let mut items = Vec::new();
        let mut kids = self.kids(pair);
        while let Some(kid) = kids.next() {
            if kid.as_rule() != Rule::EOI {
                self.reported_before.push(self.errors.len());
                items.push(self.item(kid));
            }
        }
        items
    }

    pub fn item(&mut self, pair: Node<'_>) -> Item {
        let span = self.span(&pair);
        let item = match pair.as_rule() {
            Rule::event_decl => self.event_decl(pair, span).map(Item::Event),
            Rule::user_decl => {
                let mut kids = self.kids(pair);
                let fields = self.fields(&mut kids);
                Some(Item::User(UserDecl { fields, span }))
            }
            Rule::type_decl => self.type_decl(pair, span).map(Item::Type),
            Rule::channel_decl => self.channel_decl(pair, span).map(Item::Channel),
            Rule::segment_decl => self.segment_decl(pair, span).map(Item::Segment),
            Rule::fence_decl => self.fence_decl(pair, span).map(Item::Fence),
            Rule::api_decl => self.api_decl(pair, span).map(Item::Api),
            Rule::policy_decl => Some(Item::Policy(self.policy_decl(pair, span))),
            Rule::journey => Some(Item::Journey(self.journey(pair, span))),
            Rule::bare_flow => Some(Item::Journey(self.bare_flow(pair, span))),
            Rule::test => self.test(pair, span).map(Item::Test),
            Rule::loose_steps => {
                self.loose_steps(pair, span);
                None
            }
            _ => {
                self.stray_item(&pair);
                None
            }
        };
        item.unwrap_or(Item::Broken(span))
    }

    fn event_decl(&mut self, pair: Node<'_>, span: Span) -> Option<EventDecl> {
        let mut kids = self.kids(pair);
        if let Some(alone) = kids.take(Rule::habit_wire_alone) {
            let (name, wire) = self.wire_without_name(&alone);
            let fields = self.fields(&mut kids);
            return Some(EventDecl { doc: self.doc_above(span.start), name, wire: Some(wire), fields, span });
        }
        let name = self.name(&mut kids);
        let wire = match kids.take(Rule::habit_as_wire) {
            Some(habit) => self.wire_spelled(habit),
            None => self.wire(&mut kids),
        };
        let fields = self.fields(&mut kids);
        Some(EventDecl { doc: self.doc_above(span.start), name: name?, wire, fields, span })
    }

    fn type_decl(&mut self, pair: Node<'_>, span: Span) -> Option<TypeDecl> {
        let mut kids = self.kids(pair);
        let name = self.name(&mut kids);
        let fields = self.fields(&mut kids);
        Some(TypeDecl { doc: self.doc_above(span.start), name: name?, fields, span })
    }

    /// `= "name on the wire"`
    fn wire(&mut self, kids: &mut Kids<'_>) -> Option<StringLit> {
        let pair = kids.take(Rule::wire)?;
        let mut kids = self.kids(pair);
        self.string(&mut kids)
    }

    fn fields(&mut self, kids: &mut Kids<'_>) -> Vec<FieldDecl> {
        let Some(pair) = kids.take(Rule::fields) else { return Vec::new() };
        let mut kids = self.kids(pair);
        let mut fields = Vec::new();
        while let Some(kid) = kids.next() {
            match kid.as_rule() {
                Rule::field => fields.extend(self.field_decl(kid)),
                Rule::stray_field => self.stray_line(&kid, "a field like `name: text`", &[]),
                _ => {}
            }
        }
        fields
    }

    fn field_decl(&mut self, pair: Node<'_>) -> Option<FieldDecl> {
        let span = self.span(&pair);
        let mut kids = self.kids(pair);
        let quoted = kids.take(Rule::habit_quoted_key).map(|pair| self.key_in_quotes(&pair));
        let name = match quoted {
            Some(name) => name,
            None => self.name(&mut kids)?,
        };
        let wire = self.wire(&mut kids);
        let question = kids.take(Rule::habit_optional_name).map(|pair| self.span(&pair));
        let ty = match kids.take(Rule::type_expr) {
            Some(pair) => self.type_expr(pair),
            None => TypeExpr { kind: TypeKind::Broken, optional: false, span: name.span },
        };
        let ty = match question {
            Some(question) => self.optional_behind_name(question, ty),
            None => ty,
        };
        let default = kids.take(Rule::default).map(|pair| {
            let mut kids = self.kids(pair);
            self.value(&mut kids)
        });
        Some(FieldDecl { doc: self.doc_above(span.start), name, wire, ty, default, span })
    }

    /// `text?`, `list of product`, `one of "a", "b"`
    pub fn type_expr(&mut self, pair: Node<'_>) -> TypeExpr {
        let span = self.span(&pair);
        let mut kids = self.kids(pair);
        let mut lists = 0_usize;
        while kids.has(Rule::list_of) {
            lists += 1;
        }
        let optional = kids.has(Rule::optional);
        let known = [Rule::one_of, Rule::name, Rule::habit_choice, Rule::habit_list, Rule::habit_optional];
        let mut kind = match kids.find(|r| known.contains(&r)) {
            Some(pair) if pair.as_rule() == Rule::habit_choice => self.choice_spelled(pair),
            Some(pair) if pair.as_rule() == Rule::habit_list => self.list_spelled(pair),
            Some(pair) if pair.as_rule() == Rule::habit_optional => {
                let kind = self.optional_spelled(pair);
                return TypeExpr { kind, optional: true, span };
            }
            Some(pair) if pair.as_rule() == Rule::one_of => {
                let mut kids = self.kids(pair);
                let mut values = Vec::new();
                while let Some(pair) = kids.take(Rule::string) {
                    values.push(self.string_lit(pair));
                }
                if values.is_empty() {
                    TypeKind::Broken
                } else {
                    TypeKind::OneOf(values)
                }
            }
            Some(pair) => self.named_type(&pair),
            None => TypeKind::Broken,
        };
        if lists > super::super::MAX_NESTING {
            self.report(SyntaxError::new(codes::TOO_DEEP, span, "this type is nested too deeply"));
            lists = 0;
            kind = TypeKind::Broken;
        }
        for _ in 0..lists {
            kind = TypeKind::List(Box::new(TypeExpr { kind, optional: false, span }));
        }
        TypeExpr { kind, optional, span }
    }

    pub(super) fn named_type(&mut self, pair: &Node<'_>) -> TypeKind {
        let name = self.name_of(pair);
        if let Some(kind) = built_in_type(&name.text) {
            return kind;
        }
        // Types of other languages; a declared type may not be called so.
        let right = match name.text.to_lowercase().as_str() {
            "string" | "str" | "varchar" | "char" => "text",
            "integer" | "bigint" => "int",
            "float" | "double" | "decimal" | "numeric" => "number",
            "boolean" => "bool",
            "timestamp" => "datetime",
            other => built_in_name(other).unwrap_or(""),
        };
        match built_in_type(right) {
            Some(kind) => {
                self.report(
                    SyntaxError::new(
                        codes::TYPE_SPELLING,
                        name.span,
                        format!("the type `{}` is called `{right}`", name.text),
                    )
                    .fix(name.span, right),
                );
                kind
            }
            None => TypeKind::Named(name),
        }
    }

    fn channel_decl(&mut self, pair: Node<'_>, span: Span) -> Option<ChannelDecl> {
        let mut kids = self.kids(pair);
        let name = self.name(&mut kids);
        let contact = kids.take(Rule::attribute).and_then(|pair| self.attribute(pair, false));
        Some(ChannelDecl { doc: self.doc_above(span.start), name: name?, contact, span })
    }

    /// `user.ATTR`; without `user.` it is answered with it, unless more is missing behind it.
    pub fn attribute(&mut self, pair: Node<'_>, unfinished: bool) -> Option<Name> {
        let mut kids = self.kids(pair);
        if let Some(bare) = kids.take(Rule::habit_bare_attribute) {
            let name = self.name_of(&bare);
            if unfinished {
                return Some(name);
            }
            let here = Span::new(self.file, name.span.start, name.span.start);
            self.report(
                SyntaxError::new(codes::BARE_ATTRIBUTE, name.span, format!("write `user.{}`", name.text))
                    .help("only an attribute of the person can stand here")
                    .fix(here, "user."),
            );
            return Some(name);
        }
        self.dotted(&mut kids)
    }

    /// The word behind a dot.
    pub fn dotted(&mut self, kids: &mut Kids<'_>) -> Option<Name> {
        let pair = kids.take(Rule::dotted)?;
        let mut kids = self.kids(pair);
        self.name(&mut kids)
    }

    fn segment_decl(&mut self, pair: Node<'_>, span: Span) -> Option<SegmentDecl> {
        let mut kids = self.kids(pair);
        let name = self.name(&mut kids);
        if let Some(colon) = kids.take(Rule::habit_colon) {
            self.equals_for_colon(&colon);
        }
        let condition = match kids.take(Rule::habit_if_value) {
            Some(habit) => self.if_as_value(habit),
            None => self.windowed_value(&mut kids),
        };
        Some(SegmentDecl { doc: self.doc_above(span.start), name: name?, condition, span })
    }

    fn fence_decl(&mut self, pair: Node<'_>, span: Span) -> Option<FenceDecl> {
        let mut kids = self.kids(pair);
        let name = self.name(&mut kids);
        let circle = kids.take(Rule::circle)?;
        let shape_span = self.span(&circle);
        let mut kids = self.kids(circle);
        let latitude = self.coordinate(&mut kids, 90, "degrees north");
        let longitude = self.coordinate(&mut kids, 180, "degrees east");
        let radius_metres = kids.take(Rule::distance).and_then(|pair| self.distance(&pair));
        Some(FenceDecl {
            doc: self.doc_above(span.start),
            name: name?,
            latitude: latitude?,
            longitude: longitude?,
            radius_metres: radius_metres?,
            shape_span,
            span,
        })
    }

    fn coordinate(&mut self, kids: &mut Kids<'_>, most: i64, what: &str) -> Option<Decimal> {
        let pair = kids.find(|r| matches!(r, Rule::coordinate | Rule::missing_number))?;
        if pair.as_rule() == Rule::missing_number {
            return None;
        }
        let span = self.span(&pair);
        let value = self.decimal(pair.as_str(), span)?;
        if value.abs() > Decimal::from(most) {
            self.report(
                SyntaxError::new(codes::BAD_COORDINATE, span, format!("{what} go from -{most} to {most}"))
                    .help("a place is written north first, then east: `circle 45.4642, 9.1900 radius 500m`"),
            );
            return None;
        }
        Some(value)
    }

    fn distance(&mut self, pair: &Node<'_>) -> Option<Decimal> {
        let span = self.span(pair);
        let text = pair.as_str();
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (amount, unit) = text.split_at(digits);
        let value = self.decimal(amount, span)?;
        if unit.trim() == "km" {
            value.checked_mul(Decimal::from(1000)).map(|metres| metres.normalize())
        } else {
            Some(value)
        }
    }

    fn api_decl(&mut self, pair: Node<'_>, span: Span) -> Option<ApiDecl> {
        let mut kids = self.kids(pair);
        let name = self.name(&mut kids);
        let mut params = Vec::new();
        while let Some(pair) = kids.take(Rule::field) {
            params.extend(self.field_decl(pair));
        }
        let answer = kids.take(Rule::type_expr).map(|pair| self.type_expr(pair));
        let mut decl = ApiDecl {
            doc: self.doc_above(span.start),
            name: name?,
            params,
            answer,
            request: None,
            headers: Vec::new(),
            body: Vec::new(),
            timeout: None,
            span,
        };
        if let Some(body) = kids.take(Rule::api_body) {
            let mut kids = self.kids(body);
            while let Some(kid) = kids.next() {
                self.api_line(kid, &mut decl);
            }
        }
        Some(decl)
    }

    fn api_line(&mut self, pair: Node<'_>, decl: &mut ApiDecl) {
        match pair.as_rule() {
            Rule::api_request => {
                let span = self.span(&pair);
                let mut kids = self.kids(pair);
                let method = kids.take(Rule::http_method).map(|m| self.name_of(&m));
                let url = kids.take(Rule::string).map(|url| self.text(url));
                if decl.request.is_some() {
                    self.twice(span, "the request");
                } else if let (Some(method), Some(url)) = (method, url) {
                    decl.request = Some((method, url));
                }
            }
            Rule::api_header => {
                let mut kids = self.kids(pair);
                let name = self.string(&mut kids);
                let value = if kids.has(Rule::kw_env) {
                    self.name(&mut kids).map(HeaderValue::Env)
                } else {
                    kids.take(Rule::string).map(|text| HeaderValue::Text(self.text(text)))
                };
                if let (Some(name), Some(value)) = (name, value) {
                    decl.headers.push((name, value));
                }
            }
            Rule::api_body_fields => {
                let mut kids = self.kids(pair);
                let record = kids.take(Rule::record);
                decl.body.extend(self.record(record));
            }
            Rule::api_timeout => {
                let mut kids = self.kids(pair);
                decl.timeout = Some(self.duration(&mut kids));
            }
            Rule::stray_line => {
                let known = ["get", "post", "put", "patch", "delete", "header", "body", "timeout"];
                self.stray_line(&pair, "`get`, `post`, `header`, `body` or `timeout`", &known);
            }
            _ => {}
        }
    }

    /// Reports what may be said only once.
    pub fn twice(&mut self, span: Span, what: &str) {
        self.report(SyntaxError::new(codes::TWICE, span, format!("{what} is given twice")).help("keep one of the two"));
    }

    fn policy_decl(&mut self, pair: Node<'_>, span: Span) -> PolicyDecl {
        let mut rules = Vec::new();
        let mut kids = self.kids(pair);
        if let Some(body) = kids.take(Rule::policy_body) {
            let mut kids = self.kids(body);
            while let Some(kid) = kids.next() {
                let span = self.span(&kid);
                if matches!(kid.as_rule(), Rule::quiet_hours | Rule::cap | Rule::require_consent | Rule::stray_line) {
                    let kind = self.policy_rule(kid).unwrap_or(PolicyKind::Broken);
                    rules.push(PolicyRule { kind, span });
                }
            }
        }
        PolicyDecl { rules, span }
    }

    fn policy_rule(&mut self, pair: Node<'_>) -> Option<PolicyKind> {
        match pair.as_rule() {
            Rule::quiet_hours => {
                let mut kids = self.kids(pair);
                let (from, to) = self.time_range(&mut kids);
                let names = kids.take(Rule::names);
                Some(PolicyKind::QuietHours { from, to, channels: self.names(names) })
            }
            Rule::cap => {
                let mut kids = self.kids(pair);
                if let Some(max) = kids.take(Rule::habit_max) {
                    self.spelled(&max, "at most");
                }
                if let Some(times) = kids.take(Rule::habit_times) {
                    let count = self.counted(&times);
                    let window = self.cap_window(&mut kids);
                    let everyone = kids.has(Rule::everyone);
                    return Some(PolicyKind::Cap { count, channel: None, window, everyone });
                }
                let count = kids.find(|r| matches!(r, Rule::integer | Rule::habit_count)).map(|n| self.counted(&n));
                let channel = kids.find(|r| matches!(r, Rule::name | Rule::missing_messages));
                let window = self.cap_window(&mut kids);
                let everyone = kids.has(Rule::everyone);
                let channel = match channel {
                    Some(pair) if pair.as_rule() == Rule::name => {
                        Some(self.name_of(&pair)).filter(|n| !matches!(n.text.as_str(), "messages" | "message"))
                    }
                    _ => return None,
                };
                Some(PolicyKind::Cap { count: count?, channel, window, everyone })
            }
            Rule::require_consent => {
                let mut kids = self.kids(pair);
                let names = kids.take(Rule::names);
                Some(PolicyKind::RequireConsent(self.names(names))).filter(|k| *k != PolicyKind::RequireConsent(vec![]))
            }
            _ => {
                self.stray_line(&pair, "`quiet hours`, `at most` or `require consent`", &["quiet", "at", "require"]);
                None
            }
        }
    }

    fn journey(&mut self, pair: Node<'_>, span: Span) -> JourneyDecl {
        let mut kids = self.kids(pair);
        let name = self.name(&mut kids);
        let title = kids.take(Rule::string).map(|pair| self.string_lit(pair));
        let (header, body) = match kids.take(Rule::journey_body) {
            Some(pair) => self.header_and_body(pair),
            None => (Vec::new(), Vec::new()),
        };
        JourneyDecl { doc: self.doc_above(span.start), name, title, header, body, span }
    }

    fn bare_flow(&mut self, pair: Node<'_>, span: Span) -> JourneyDecl {
        let (header, body) = self.header_and_body(pair);
        JourneyDecl { doc: self.doc_above(span.start), name: None, title: None, header, body, span }
    }

    fn header_and_body(&mut self, pair: Node<'_>) -> (Vec<Clause>, Vec<Step>) {
        let outer = std::mem::take(&mut self.late_clauses);
        let kids = self.kids(pair);
        let (mut header, body) = self.statements(kids, true);
        header.append(&mut self.late_clauses);
        self.late_clauses = outer;
        (header, body)
    }

    /// Steps outside of a journey, most often because a `}` came too early.
    fn loose_steps(&mut self, pair: Node<'_>, span: Span) {
        let here = self.token_span(span.start as usize);
        // Behind an item that cut a body off, they are the rest of that body.
        let cut_off = self.unclosed > 0;
        // A word of another language says what is wrong by itself.
        let foreign = pair.clone().into_inner().all(|inner| inner.as_rule() == Rule::habit_step);
        if !cut_off && !foreign {
            self.report(
                SyntaxError::new(codes::LOOSE_STEPS, here, "this stands outside of any journey")
                    .help("steps belong between the `{` and `}` of a journey; look for a `}` above that came too early, or begin the flow with `on`"),
            );
        }
        let outer = std::mem::take(&mut self.late_clauses);
        let kids = self.kids(pair);
        let _ = self.statements(kids, true);
        self.late_clauses = outer;
        // The `}` that came too early explains the one that is left over.
        if !cut_off {
            self.unclosed += 1;
        }
    }
}

/// The types that need no declaration.
fn built_in_type(name: &str) -> Option<TypeKind> {
    Some(match name {
        "text" => TypeKind::Text,
        "int" => TypeKind::Int,
        "number" => TypeKind::Number,
        "bool" => TypeKind::Bool,
        "date" => TypeKind::Date,
        "time" => TypeKind::Time,
        "datetime" => TypeKind::DateTime,
        "duration" => TypeKind::Duration,
        "email" => TypeKind::Email,
        "phone" => TypeKind::Phone,
        "url" => TypeKind::Url,
        "timezone" => TypeKind::Timezone,
        _ => return None,
    })
}

/// A built-in type that was written with capitals.
fn built_in_name(lower: &str) -> Option<&'static str> {
    const ALL: [&str; 12] =
        ["text", "int", "number", "bool", "date", "time", "datetime", "duration", "email", "phone", "url", "timezone"];
    // Only capitals: a near miss may be a declared type.
    ALL.iter().find(|name| **name == lower).copied()
}
