//! Types of fields by unification.

use crate::bytecode::Type;
use crate::types::{Class, Kind};
use std::collections::BTreeMap;

/// Whose field it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    User,
    Event(String),
}

/// What is known of a value's type.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Unknown,
    Known(Kind),
    Field(usize),
}

#[derive(Default)]
pub(crate) struct Solver {
    fields: BTreeMap<(Owner, String), usize>,
    parents: Vec<usize>,
    kinds: Vec<Option<Kind>>,
}

impl Solver {
    /// The variable of a field.
    pub fn field(&mut self, owner: Owner, name: &str) -> Shape {
        let next = self.parents.len();
        let at = *self.fields.entry((owner, name.to_owned())).or_insert(next);
        if at == next {
            self.parents.push(at);
            self.kinds.push(None);
        }
        Shape::Field(at)
    }

    fn root(&self, mut at: usize) -> usize {
        while let Some(parent) = self.parents.get(at) {
            if *parent == at {
                break;
            }
            at = *parent;
        }
        at
    }

    pub fn kind(&self, shape: &Shape) -> Option<Kind> {
        match shape {
            Shape::Unknown => None,
            Shape::Known(kind) => Some(kind.clone()),
            Shape::Field(at) => self.kinds.get(self.root(*at)).cloned().flatten(),
        }
    }

    /// Both are of one type. A contradiction is left to the checker, which sees both places.
    pub fn unite(&mut self, a: &Shape, b: &Shape) {
        match (a, b) {
            (Shape::Field(a), Shape::Field(b)) => {
                let (a, b) = (self.root(*a), self.root(*b));
                let kind = self.kinds.get(b).cloned().flatten();
                if let Some(parent) = self.parents.get_mut(b) {
                    *parent = a;
                }
                if let Some(kind) = kind {
                    self.learn(a, kind);
                }
            }
            (Shape::Field(at), Shape::Known(kind)) | (Shape::Known(kind), Shape::Field(at)) => {
                let root = self.root(*at);
                self.learn(root, kind.clone());
            }
            _ => {}
        }
    }

    fn learn(&mut self, root: usize, kind: Kind) {
        let Some(slot) = self.kinds.get_mut(root) else { return };
        *slot = Some(match slot.take() {
            None => widest(kind),
            Some(before) => before.join(&widest(kind)).unwrap_or(before),
        });
    }

    /// The fields of an owner; what nothing was learned of is a text.
    pub fn solved(&self, owner: &Owner) -> BTreeMap<String, Type> {
        self.fields
            .iter()
            .filter(|((of, _), _)| of == owner)
            .map(|((_, name), at)| {
                let kind = self.kinds.get(self.root(*at)).cloned().flatten();
                (name.clone(), stored(name, owner, kind))
            })
            .collect()
    }
}

/// Numbers of one use do not say that all are whole, nor texts of one use that there are no others.
fn widest(kind: Kind) -> Kind {
    match kind.class() {
        Class::Number => Kind::Number,
        Class::Text => Kind::Text,
        _ => match kind {
            Kind::Local => Kind::DateTime,
            Kind::List(item) => Kind::List(Box::new(widest(*item))),
            other => other,
        },
    }
}

fn stored(name: &str, owner: &Owner, kind: Option<Kind>) -> Type {
    if *owner == Owner::User && name == "timezone" {
        return Type::Timezone;
    }
    match kind {
        Some(kind) => kind.stored(),
        None => Type::Text,
    }
}
