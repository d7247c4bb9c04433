//! What can stand at a place of a template: the same walk that checks it tells, where it meets a mark in the place of what
//! somebody is typing.

use super::check::{self, Check};
use super::filters::fitting;
use super::values::LOOP_FIELDS;
use super::{Provided, Shape, Trees, Variable};
use crate::compile::ProjectInput;
use flow_grammar::liquid::filters::FilterKind;
use flow_grammar::span::FileId;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Stands where somebody is typing. Nobody calls anything so.
pub const MARK: &str = "flow_stands_here";

/// Something that can stand at a place.
#[derive(Clone, Debug, PartialEq)]
pub enum Offer {
    /// A variable, and what it is.
    Variable(String, Variable),
    /// A field of what stands before the dot.
    Field(String, Variable),
    /// A filter that takes what stands before the `|`, and what it takes in words.
    Filter(FilterKind, &'static str),
    /// A value of the `one of` that a text in quotes is compared with.
    Value(String),
}

impl Offer {
    /// What is written.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Variable(name, _) | Self::Field(name, _) | Self::Value(name) => name,
            Self::Filter(kind, _) => kind.name(),
        }
    }
}

/// Who asks what there is.
#[derive(Default)]
pub(super) struct Probe(RefCell<Vec<Offer>>);

/// What the places that send templates provide.
#[derive(Clone, Debug, Default)]
pub struct Senders {
    /// By name and channel: what every place provides that sends it.
    pub by_template: BTreeMap<(String, String), Provided>,
    /// What there is wherever a template is sent.
    pub anywhere: Provided,
}

impl Senders {
    /// Takes in one more place that sends a template.
    pub(crate) fn add(&mut self, name: &str, channel: &str, provided: Provided) {
        let key = (name.to_owned(), channel.to_owned());
        let known = self.by_template.remove(&key);
        self.by_template.insert(key, known.map_or(provided.clone(), |known| known.both(&provided)));
    }
}

impl Provided {
    /// What two places both provide.
    fn both(&self, other: &Self) -> Self {
        let spelled = self.spelled.iter().filter(|(name, _)| other.spelled.contains_key(*name));
        Self {
            variables: both(&self.variables, &other.variables),
            everywhere: both(&self.everywhere, &other.everywhere),
            spelled: spelled.map(|(name, text)| (name.clone(), text.clone())).collect(),
        }
    }
}

fn both(a: &BTreeMap<String, Variable>, b: &BTreeMap<String, Variable>) -> BTreeMap<String, Variable> {
    let joined = |(name, one): (&String, &Variable)| {
        let other = b.get(name)?;
        let shape = match (&one.shape, &other.shape) {
            (Shape::Record(one), Shape::Record(other)) => {
                Shape::record(&one.name, both(&one.fields, &other.fields).into_iter())
            }
            (one, other) => one.joined(other),
        };
        Some((name.clone(), Variable { shape, optional: one.optional || other.optional }))
    };
    a.iter().filter_map(joined).collect()
}

/// What can stand where [`MARK`] stands in `text`, which is that of the template or part `file`. Each once, in the order of
/// the walk.
#[must_use]
pub fn offers(input: &ProjectInput, sent: &Senders, file: FileId, text: &str) -> Vec<Offer> {
    let (mut templates, mut parts) = (input.templates.clone(), input.parts.clone());
    for known in templates.iter_mut().chain(&mut parts).filter(|known| known.text.is_some() && known.file == file) {
        known.text = Some(text.to_owned());
    }
    let (trees, _) = Trees::parse(&templates, &parts);
    let probe = Probe::default();
    trees.each(|template, layout, parts| {
        let own = template.file.file == file;
        // A part is looked at from the templates that use it.
        if own || !templates.iter().any(|known| known.text.is_some() && known.file == file) {
            let key = (template.file.name.clone(), template.file.channel.clone());
            let provided = sent.by_template.get(&key).unwrap_or(&sent.anywhere);
            check::run_with(&template.tree, layout, parts, provided, Some(&probe));
        }
    });
    let mut offers: Vec<Offer> = Vec::new();
    for offer in probe.0.into_inner() {
        if !offers.iter().any(|known| known.label() == offer.label()) {
            offers.push(offer);
        }
    }
    offers
}

impl Check<'_> {
    fn tell(&self, offers: impl Iterator<Item = Offer>) {
        if let Some(probe) = self.probe {
            probe.0.borrow_mut().extend(offers);
        }
    }

    /// Every name that means something here, the nearest first.
    pub(super) fn tell_names(&self) {
        let variable = |(name, variable): (&String, &Variable)| Offer::Variable(name.clone(), variable.clone());
        self.tell(self.scope.iter().rev().map(|(name, one)| variable((name, one))));
        self.tell(self.assigned.iter().map(variable));
        self.tell(self.handed.iter().map(variable));
        self.tell(self.counters.iter().map(|name| Offer::Variable(name.clone(), Variable::known(Shape::Int))));
        self.tell(self.provided.everywhere.iter().map(variable));
        if self.looped {
            self.tell(
                ["forloop".to_owned()].into_iter().map(|name| Offer::Variable(name, Variable::known(Shape::Any))),
            );
        }
    }

    /// The fields of a value.
    pub(super) fn tell_fields(&self, of: &Variable) {
        let field = |name: &str, variable: Variable| Offer::Field(name.to_owned(), variable);
        let whole = || field("size", Variable::known(Shape::Int));
        match &of.shape {
            Shape::Record(record) => {
                self.tell(record.fields.iter().map(|(name, variable)| field(name, variable.clone())));
            }
            Shape::List(element) => {
                let ends = ["first", "last"].map(|name| field(name, element.as_ref().clone()));
                self.tell(ends.into_iter().chain([whole()]));
            }
            Shape::Text | Shape::OneOf(_) => self.tell(std::iter::once(whole())),
            _ => {}
        }
    }

    /// The values that a text can be.
    pub(super) fn tell_values(&self, values: &[String]) {
        self.tell(values.iter().cloned().map(Offer::Value));
    }

    /// What a loop knows of itself.
    pub(super) fn tell_loop(&self) {
        self.tell(LOOP_FIELDS.into_iter().map(|name| Offer::Field(name.to_owned(), Variable::known(Shape::Any))));
    }

    /// The filters that take a value.
    pub(super) fn tell_filters(&self, input: &Variable) {
        let fit = |kind: &FilterKind| Some(Offer::Filter(*kind, fitting(*kind, &input.shape)?));
        self.tell(FilterKind::ALL.iter().filter_map(fit));
    }
}

impl Variable {
    /// As an author would write its type: `text?`, `list of product`. Empty where nothing is known.
    #[must_use]
    pub fn show(&self) -> String {
        let shape = self.shape.show();
        if self.optional && !shape.is_empty() {
            format!("{shape}?")
        } else {
            shape
        }
    }
}

impl Shape {
    fn show(&self) -> String {
        let word = match self {
            Self::Any => "",
            Self::Text => "text",
            Self::Int => "int",
            Self::Number => "number",
            Self::Bool => "bool",
            Self::Moment => "date",
            Self::Time => "time",
            Self::Duration => "duration",
            Self::Weekday => "weekday",
            Self::OneOf(values) => {
                let values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
                return format!("one of {}", values.join(", "));
            }
            Self::List(element) => {
                let element = element.shape.show();
                return if element.is_empty() { "list".to_owned() } else { format!("list of {element}") };
            }
            Self::Record(record) => &record.name,
        };
        word.to_owned()
    }
}
