//! The declarations of a project: every item of every file, in tables.

use crate::bytecode::{
    Api, ApiId, AttrId, Attribute, Channel, ChannelId, CodeId, Condition, Deps, Event, EventId, Field, History,
    JourneyId, Origin, Program, RecordType, Segment, SegmentId, TopicId, Type, TypeId,
};
use crate::compile_codes as code;
use crate::context::{index, Cx};
use crate::diagnostic::Diagnostic;
use crate::names::{nearest, stem};
use crate::types::Kind;
use flow_grammar::ast::{self, FieldDecl, Item, Name, TypeExpr, TypeKind};
use flow_grammar::span::Span;
use std::collections::{BTreeMap, BTreeSet};

/// The names of a project and what they stand for.
#[derive(Default)]
pub(crate) struct Schema<'a> {
    pub events: BTreeMap<String, EventId>,
    pub attributes: BTreeMap<String, AttrId>,
    pub channels: BTreeMap<String, ChannelId>,
    pub topics: BTreeMap<String, TopicId>,
    pub types: BTreeMap<String, TypeId>,
    pub segments: BTreeMap<String, SegmentId>,
    pub apis: BTreeMap<String, ApiId>,
    pub journeys: BTreeMap<String, JourneyId>,
    /// Where each name was declared.
    places: BTreeMap<(Space, String), Span>,
    pub segment_items: Vec<(SegmentId, SegmentItem<'a>)>,
    pub api_items: Vec<(ApiId, &'a ast::ApiDecl)>,
    pub channel_items: Vec<(ChannelId, &'a ast::ChannelDecl)>,
    pub policy_items: Vec<&'a ast::PolicyDecl>,
    pub journey_items: Vec<(JourneyId, &'a ast::JourneyDecl)>,
    pub test_items: Vec<&'a ast::TestDecl>,
    /// Names of items that were not understood.
    pub broken: BTreeSet<String>,
    /// No `event` and no `user` item: names are inferred from use.
    pub undeclared: bool,
}

/// Who is in a segment.
#[derive(Clone, Copy)]
pub(crate) enum SegmentItem<'a> {
    Condition(&'a ast::SegmentDecl),
    Fence(&'a ast::FenceDecl),
}

/// Names that must differ from each other. Events, segments and fences are all written bare in conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Space {
    Condition,
    Attribute,
    Channel,
    Type,
    Api,
    Journey,
    Test,
    Wire,
}

impl<'a> Cx<'a> {
    /// Takes a name in its space; the second to take it is told where the first stands.
    fn declare(&mut self, space: Space, name: &str, span: Span) -> bool {
        if let Some(first) = self.schema.places.get(&(space, name.to_owned())).copied() {
            let message = format!("`{name}` is declared twice");
            self.report(
                Diagnostic::error(code::DECLARED_TWICE, span, message)
                    .label(first, "declared here first")
                    .help("give one of the two another name, or remove it"),
            );
            return false;
        }
        self.schema.places.insert((space, name.to_owned()), span);
        true
    }

    pub fn place(&self, space: Space, name: &str) -> Option<Span> {
        self.schema.places.get(&(space, name.to_owned())).copied()
    }

    /// Fills the tables from all items.
    pub fn collect(&mut self, files: &'a [ast::File]) {
        let items = || files.iter().flat_map(|file| file.items.iter().map(move |item| (file.id, item)));
        self.schema.undeclared = !items().any(|(_, item)| matches!(item, Item::Event(_) | Item::User(_)));
        self.collect_types(items().map(|(_, item)| item));
        for (_, item) in items() {
            match item {
                Item::Event(decl) => self.collect_event(decl),
                Item::User(decl) => decl.fields.iter().for_each(|field| self.collect_attribute(field)),
                Item::Broken(span) => self.collect_broken(*span),
                _ => {}
            }
        }
        for (file, item) in items() {
            let path = self.input.files.get(file.0 as usize).map_or("", |f| f.path.as_str());
            self.collect_name(item, path);
        }
        self.add_location();
        if self.schema.undeclared {
            crate::infer::infer(self, files);
        }
        self.known_attributes();
        self.channel_contacts();
    }

    fn collect_types(&mut self, items: impl Iterator<Item = &'a Item> + Clone) {
        let mut declared = Vec::new();
        for item in items {
            let Item::Type(decl) = item else { continue };
            if self.declare(Space::Type, &decl.name.text, decl.name.span) {
                let id = TypeId(index(self.program.types.len()));
                self.schema.types.insert(decl.name.text.clone(), id);
                self.program.types.push(RecordType { name: decl.name.text.clone(), fields: Vec::new() });
                declared.push((id, decl));
            }
        }
        for (id, decl) in &declared {
            let fields = self.fields(&decl.fields);
            if let Some(record) = self.program.types.get_mut(id.index()) {
                record.fields = fields;
            }
        }
        for (id, decl) in declared {
            if self.contains_itself(id, id, 0) {
                let message = format!("`{}` contains itself and could never end", decl.name.text);
                let help = "make the field a list or write `?` after its type";
                self.report(Diagnostic::error(code::TYPE_CYCLE, decl.name.span, message).help(help));
            }
        }
    }

    fn contains_itself(&self, start: TypeId, at: TypeId, depth: usize) -> bool {
        let fields = self.program.types.get(at.index()).map_or(&[][..], |t| &t.fields);
        depth <= self.program.types.len()
            && fields.iter().any(|field| match field.ty {
                Type::Record(inner) if !field.optional => {
                    inner == start || self.contains_itself(start, inner, depth + 1)
                }
                _ => false,
            })
    }

    /// Names first, so that everything can refer to everything.
    fn collect_name(&mut self, item: &'a Item, path: &str) {
        match item {
            Item::Channel(decl) => {
                if self.declare(Space::Channel, &decl.name.text, decl.name.span) {
                    let id = self.add_channel(&decl.name.text);
                    self.schema.channel_items.push((id, decl));
                }
            }
            Item::Segment(decl) => {
                if self.declare(Space::Condition, &decl.name.text, decl.name.span) {
                    let id = self.add_segment(&decl.name.text, decl.span);
                    self.schema.segments.insert(decl.name.text.clone(), id);
                    self.schema.segment_items.push((id, SegmentItem::Condition(decl)));
                }
            }
            Item::Fence(decl) => {
                if self.declare(Space::Condition, &decl.name.text, decl.name.span) {
                    let id = self.add_segment(&decl.name.text, decl.span);
                    self.schema.segments.insert(decl.name.text.clone(), id);
                    self.schema.segment_items.push((id, SegmentItem::Fence(decl)));
                }
            }
            Item::Api(decl) => self.collect_api(decl),
            Item::Policy(decl) => self.schema.policy_items.push(decl),
            Item::Journey(decl) => {
                let name = decl.name.as_ref().map_or_else(|| stem(path), |name| name.text.clone());
                let span =
                    decl.name.as_ref().map_or(Span::new(decl.span.file, decl.span.start, decl.span.start), |n| n.span);
                if self.declare(Space::Journey, &name, span) {
                    let id = JourneyId(index(self.schema.journey_items.len()));
                    self.schema.journeys.insert(name, id);
                    self.schema.journey_items.push((id, decl));
                }
            }
            Item::Test(decl) => {
                self.declare(Space::Test, &decl.name.value, decl.name.span);
                self.schema.test_items.push(decl);
            }
            Item::Event(_) | Item::User(_) | Item::Type(_) | Item::Broken(_) => {}
        }
    }

    pub fn add_channel(&mut self, name: &str) -> ChannelId {
        let id = ChannelId(index(self.program.channels.len()));
        self.program.channels.push(Channel { name: name.into(), contact: None });
        self.schema.channels.insert(name.into(), id);
        id
    }

    /// A segment whose condition follows later.
    pub fn add_segment(&mut self, name: &str, span: Span) -> SegmentId {
        let id = SegmentId(index(self.program.segments.len()));
        let condition = Condition { code: CodeId(u32::MAX), deps: Deps::default() };
        self.program.segments.push(Segment { name: name.into(), condition, followed: false, span });
        id
    }

    fn collect_api(&mut self, decl: &'a ast::ApiDecl) {
        if !self.declare(Space::Api, &decl.name.text, decl.name.span) {
            return;
        }
        let id = ApiId(index(self.program.apis.len()));
        let params = self.fields(&decl.params);
        let answer = decl.answer.as_ref().and_then(|ty| {
            let (stored, optional) = self.type_of(ty)?;
            Some((stored, optional))
        });
        let name = decl.name.text.clone();
        self.schema.apis.insert(name.clone(), id);
        let (headers, body) = (Vec::new(), Vec::new());
        self.program.apis.push(Api { name, params, answer, request: None, headers, body, timeout: 0 });
        self.schema.api_items.push((id, decl));
    }

    fn collect_event(&mut self, decl: &'a ast::EventDecl) {
        let fresh = self.declare(Space::Condition, &decl.name.text, decl.name.span);
        let fields = self.fields(&decl.fields);
        if !fresh {
            return;
        }
        let wire = decl.wire.as_ref().map_or_else(|| decl.name.text.clone(), |w| w.value.clone());
        self.declare_wire("event", &wire, decl.wire.as_ref().map_or(decl.name.span, |w| w.span));
        self.add_event(&decl.name.text, &wire, fields, Origin::Declared);
    }

    pub fn add_event(&mut self, name: &str, wire: &str, fields: Vec<Field>, origin: Origin) -> EventId {
        let id = EventId(index(self.program.events.len()));
        self.schema.events.insert(name.into(), id);
        let (name, wire) = (name.into(), wire.into());
        self.program.events.push(Event {
            name,
            wire,
            fields,
            origin,
            outcome: None,
            history: History::default(),
            used: false,
        });
        id
    }

    fn declare_wire(&mut self, kind: &str, wire: &str, span: Span) {
        let key = format!("{kind} {wire}");
        if let Some(first) = self.place(Space::Wire, &key) {
            let message = format!("`{wire}` is the wire name of two {kind}s");
            self.report(
                Diagnostic::error(code::WIRE_NAME_TWICE, span, message)
                    .label(first, "used here first")
                    .help("an input can mean only one of them; remove one of the two"),
            );
        } else {
            self.schema.places.insert((Space::Wire, key), span);
        }
    }

    fn collect_attribute(&mut self, decl: &'a FieldDecl) {
        let fresh = self.declare(Space::Attribute, &decl.name.text, decl.name.span);
        let Some(field) = self.field(decl) else { return };
        if !fresh {
            return;
        }
        if !field.optional && field.default.is_none() && decl.default.is_none() && decl.ty.kind != TypeKind::Broken {
            let message = format!("`{}` is not known of everybody", field.name);
            let help = format!("write `{}?`, or give a default with `= …`", self.folded(decl.ty.span));
            self.report(Diagnostic::error(code::MAY_BE_MISSING, decl.span, message).help(help));
        }
        self.declare_wire("attribute", &field.wire.clone(), decl.wire.as_ref().map_or(decl.name.span, |w| w.span));
        self.add_attribute(field);
    }

    pub fn add_attribute(&mut self, field: Field) -> AttrId {
        let id = AttrId(index(self.program.attributes.len()));
        self.schema.attributes.insert(field.name.clone(), id);
        self.program.attributes.push(Attribute { field, watched: false });
        id
    }

    /// The fields of an event, a type or an api; a name that stands there twice is an error.
    fn fields(&mut self, decls: &'a [FieldDecl]) -> Vec<Field> {
        let mut first: BTreeMap<&str, Span> = BTreeMap::new();
        let mut fields = Vec::new();
        for decl in decls {
            let field = self.field(decl);
            if let Some(place) = first.get(decl.name.text.as_str()).copied() {
                let message = format!("`{}` is declared twice", decl.name.text);
                let problem = Diagnostic::error(code::DECLARED_TWICE, decl.name.span, message);
                self.report(problem.label(place, "declared here first").help("remove one of the two"));
                continue;
            }
            first.insert(&decl.name.text, decl.name.span);
            fields.extend(field);
        }
        fields
    }

    fn field(&mut self, decl: &'a FieldDecl) -> Option<Field> {
        let (ty, optional) = self.type_of(&decl.ty).unwrap_or((Type::Text, true));
        let default = decl.default.as_ref().and_then(|expr| self.constant(expr, &Kind::of(&ty), optional));
        let wire = decl.wire.as_ref().map_or_else(|| decl.name.text.clone(), |w| w.value.clone());
        Some(Field { name: decl.name.text.clone(), wire, ty, optional, default })
    }

    /// What a written type means, and whether it has a `?`.
    pub fn type_of(&mut self, written: &TypeExpr) -> Option<(Type, bool)> {
        let ty = match &written.kind {
            TypeKind::Text => Type::Text,
            TypeKind::Int => Type::Int,
            TypeKind::Number => Type::Number,
            TypeKind::Bool => Type::Bool,
            TypeKind::Date => Type::Date,
            TypeKind::Time => Type::Time,
            TypeKind::DateTime => Type::DateTime,
            TypeKind::Duration => Type::Duration,
            TypeKind::Email => Type::Email,
            TypeKind::Phone => Type::Phone,
            TypeKind::Url => Type::Url,
            TypeKind::Timezone => Type::Timezone,
            TypeKind::OneOf(values) => Type::OneOf(values.iter().map(|v| v.value.clone()).collect()),
            TypeKind::List(item) => {
                let (inner, optional) = self.type_of(item)?;
                return Some((Type::List(Box::new(inner)), written.optional || optional));
            }
            TypeKind::Named(name) => Type::Record(self.type_named(name)?),
            TypeKind::Broken => return None,
        };
        Some((ty, written.optional))
    }

    fn type_named(&mut self, name: &Name) -> Option<TypeId> {
        if let Some(id) = self.schema.types.get(&name.text).copied() {
            self.refer(name.span, crate::symbols::Symbol::Type(name.text.clone()));
            return Some(id);
        }
        if self.schema.broken.contains(&name.text) {
            return None;
        }
        const WORDS: [&str; 12] = [
            "text", "int", "number", "bool", "date", "time", "datetime", "duration", "email", "phone", "url",
            "timezone",
        ];
        let near = nearest(&name.text, self.schema.types.keys().map(String::as_str).chain(WORDS)).map(str::to_owned);
        let message = format!("there is no type `{}`", name.text);
        self.report(offer(
            Diagnostic::error(code::UNKNOWN_TYPE, name.span, message),
            near,
            name.span,
            "declare it with `type`",
        ));
        None
    }

    /// The name that a broken item would have declared: whoever uses it is not told that it is unknown.
    fn collect_broken(&mut self, span: Span) {
        let name = self.text(span).split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).nth(1);
        let name = name.map(str::to_owned);
        self.schema.broken.extend(name);
    }

    /// `location`, which a fence looks at.
    fn add_location(&mut self) {
        let Some(fence) = self.schema.segment_items.iter().find_map(|(_, item)| match item {
            SegmentItem::Fence(decl) => Some(decl.name.span),
            SegmentItem::Condition(_) => None,
        }) else {
            return;
        };
        let coordinate = |name: &str| Field {
            name: name.into(),
            wire: name.into(),
            ty: Type::Number,
            optional: false,
            default: None,
        };
        match self.schema.events.get("location").copied() {
            None => {
                self.add_event("location", "location", vec![coordinate("lat"), coordinate("lon")], Origin::BuiltIn);
            }
            Some(id) => {
                let fields = self.program.events.get(id.index()).map_or(&[][..], |e| &e.fields);
                let has =
                    |name: &str| fields.iter().any(|f| f.name == name && matches!(f.ty, Type::Number | Type::Int));
                if !(has("lat") && has("lon")) {
                    let at = self.place(Space::Condition, "location").unwrap_or(fence);
                    let problem =
                        Diagnostic::error(code::UNKNOWN_FIELD, at, "`location` needs the numbers `lat` and `lon`");
                    self.report(problem.label(fence, "a fence reads them").help("add `lat: number  lon: number`"));
                }
            }
        }
    }

    /// The attributes that Flow itself looks at.
    fn known_attributes(&mut self) {
        let of = |program: &Program, id: Option<&AttrId>, ok: fn(&Type) -> bool| {
            id.copied().filter(|id| program.attributes.get(id.index()).is_some_and(|a| ok(&a.field.ty)))
        };
        let zone = self.schema.attributes.get("timezone");
        self.program.timezone_attr = of(&self.program, zone, |ty| *ty == Type::Timezone);
        let locale = self.schema.attributes.get("locale");
        self.program.locale_attr = of(&self.program, locale, |ty| matches!(ty, Type::Text | Type::OneOf(_)));
        self.program.id_attr = self.schema.attributes.get("id").copied();
    }

    fn channel_contacts(&mut self) {
        for (id, decl) in self.schema.channel_items.clone() {
            let Some(contact) = &decl.contact else { continue };
            let attribute = self.attribute(contact);
            if let Some(channel) = self.program.channels.get_mut(id.index()) {
                channel.contact = attribute;
            }
        }
    }
}

/// Adds what could have been meant, or what else to do.
pub(crate) fn offer(problem: Diagnostic, near: Option<String>, span: Span, otherwise: &str) -> Diagnostic {
    match near {
        Some(name) => problem.help(format!("did you mean `{name}`?")).fix(format!("write `{name}`"), span, name),
        None => problem.help(otherwise),
    }
}
