//! Expressions after checking: every name is settled and every part has a type.

use crate::bytecode::{
    Arith, AttrId, ChannelId, Compare, Const, Function, MessageSlot, Outcome, QueryId, SegmentId, Slot, TopicId, Unit,
};
use crate::types::{Kind, Ty};
use flow_grammar::span::Span;
use std::collections::BTreeSet;

/// A checked expression.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub kind: NodeKind,
    pub ty: Ty,
    pub span: Span,
    /// What is known when it holds.
    pub yes: Vec<Path>,
    /// What is known when it does not hold.
    pub no: Vec<Path>,
}

/// Something that a condition can show to be known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Path {
    Attr(AttrId),
    Trigger(u16),
    Slot(Slot),
    /// Of the event of the innermost `where`.
    Field(u16),
    Member(Box<Self>, u16),
    /// Not a value: the person has written on this channel within the last 24 hours.
    Answered(ChannelId),
}

impl Path {
    /// Whether it can become missing while the person waits.
    fn fades(&self) -> bool {
        match self {
            Self::Attr(_) | Self::Answered(_) => true,
            Self::Member(base, _) => base.fades(),
            _ => false,
        }
    }
    fn in_frame(&self) -> bool {
        match self {
            Self::Field(_) => true,
            Self::Member(base, _) => base.in_frame(),
            _ => false,
        }
    }
}

/// What is known to be there on the way to this place.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known(BTreeSet<Path>);

impl Known {
    pub fn has(&self, path: &Path) -> bool {
        self.0.contains(path)
    }
    pub fn add(&mut self, path: Path) {
        self.0.insert(path);
    }
    pub fn remove(&mut self, path: &Path) {
        self.0.remove(path);
    }
    pub fn with(&self, paths: &[Path]) -> Self {
        let mut all = self.clone();
        all.0.extend(paths.iter().cloned());
        all
    }
    pub fn both(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }
    /// Time passes: attributes may change.
    pub fn fade(&mut self) {
        self.0.retain(|path| !path.fades());
    }
    /// A new `where` begins.
    pub fn leave_frame(&mut self) {
        self.0.retain(|path| !path.in_frame());
    }
}

/// What an expression does.
#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    /// Already reported.
    Poison,
    Const(Const),
    Attr(AttrId),
    Trigger(u16),
    Field(u16),
    Slot(Slot),
    EntryTime,
    Member(Box<Node>, u16),
    Now,
    Today,
    Not(Box<Node>),
    Negate(Box<Node>),
    Arith(Arith, Box<Node>, Box<Node>),
    Compare(Compare, Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Coalesce(Box<Node>, Box<Node>),
    Between(Box<Node>, Box<Node>, Box<Node>),
    In(Box<Node>, Box<Node>),
    Contains(Box<Node>, Box<Node>),
    StartsWith(Box<Node>, Box<Node>),
    EndsWith(Box<Node>, Box<Node>),
    IsKnown(Box<Node>),
    List(Vec<Node>),
    Concat(Vec<Node>),
    Call(Function, Vec<Node>),
    /// With the start of a `since`.
    Query(QueryId, Option<Box<Node>>),
    InSegment(SegmentId),
    Can(ChannelId, TopicId),
    Outcome(MessageSlot, Outcome),
    Units(Unit, Box<Node>, Box<Node>),
}

impl Node {
    pub fn new(kind: NodeKind, ty: Ty, span: Span) -> Self {
        Self { kind, ty, span, yes: Vec::new(), no: Vec::new() }
    }
    pub fn poison(span: Span) -> Self {
        Self::new(NodeKind::Poison, Ty::known(Kind::Poison), span)
    }
    pub fn constant(value: Const, kind: Kind, span: Span) -> Self {
        Self::new(NodeKind::Const(value), Ty::known(kind), span)
    }
    /// A condition.
    pub fn test(kind: NodeKind, span: Span) -> Self {
        Self::new(kind, Ty::known(Kind::Bool), span)
    }
    pub fn is_poison(&self) -> bool {
        self.ty.kind.is_poison()
    }
    pub fn as_const(&self) -> Option<&Const> {
        match &self.kind {
            NodeKind::Const(value) => Some(value),
            _ => None,
        }
    }
    pub fn as_text(&self) -> Option<&str> {
        match self.as_const() {
            Some(Const::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The place that this reads, if a condition can show it to be known.
    pub fn path(&self) -> Option<Path> {
        match &self.kind {
            NodeKind::Attr(id) => Some(Path::Attr(*id)),
            NodeKind::Trigger(index) => Some(Path::Trigger(*index)),
            NodeKind::Slot(slot) => Some(Path::Slot(*slot)),
            NodeKind::Field(index) => Some(Path::Field(*index)),
            NodeKind::Member(base, index) => Some(Path::Member(Box::new(base.path()?), *index)),
            _ => None,
        }
    }

    /// Everything that is known when this value is: its own place, or what arithmetic needs.
    pub fn paths(&self) -> Vec<Path> {
        match &self.kind {
            NodeKind::Member(base, _) => {
                let mut all = base.paths();
                all.extend(self.path());
                all
            }
            NodeKind::Negate(a) => a.paths(),
            NodeKind::Arith(_, a, b) => a.paths().into_iter().chain(b.paths()).collect(),
            _ => self.path().into_iter().collect(),
        }
    }

    /// The parts directly below.
    pub fn children(&self) -> Vec<&Self> {
        match &self.kind {
            NodeKind::Member(a, _) | NodeKind::Not(a) | NodeKind::Negate(a) | NodeKind::IsKnown(a) => vec![a],
            NodeKind::Arith(_, a, b)
            | NodeKind::Compare(_, a, b)
            | NodeKind::And(a, b)
            | NodeKind::Or(a, b)
            | NodeKind::Coalesce(a, b)
            | NodeKind::In(a, b)
            | NodeKind::Contains(a, b)
            | NodeKind::StartsWith(a, b)
            | NodeKind::EndsWith(a, b)
            | NodeKind::Units(_, a, b) => vec![a, b],
            NodeKind::Between(a, b, c) => vec![a, b, c],
            NodeKind::List(all) | NodeKind::Concat(all) | NodeKind::Call(_, all) => all.iter().collect(),
            NodeKind::Query(_, start) => start.iter().map(AsRef::as_ref).collect(),
            NodeKind::Poison
            | NodeKind::Const(_)
            | NodeKind::Attr(_)
            | NodeKind::Trigger(_)
            | NodeKind::Field(_)
            | NodeKind::Slot(_)
            | NodeKind::EntryTime
            | NodeKind::Now
            | NodeKind::Today
            | NodeKind::InSegment(_)
            | NodeKind::Can(..)
            | NodeKind::Outcome(..) => Vec::new(),
        }
    }

    /// The same value where the place it reads was shown to be known.
    pub fn narrowed(mut self, known: &Known) -> Self {
        if self.ty.optional && self.path().is_some_and(|path| known.has(&path)) {
            self.ty.optional = false;
        }
        self
    }
}
