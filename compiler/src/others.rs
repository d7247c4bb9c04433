//! What looking at one file has to know of the others, beside what they declare: so that a keystroke need not look at
//! them all, and is told the same.

use crate::bytecode::{AttrId, JourneyId};
use crate::codes::{ALLOW_NOTHING, JOURNEY_LOOP, TWO_MESSAGES};
use crate::compile::ProjectInput;
use crate::compile_codes::START_NEEDS_TRIGGER;
use crate::context::Cx;
use crate::template::Trees;
use flow_grammar::ast::{self, Clause, ClauseKind, Step, StepKind, TriggerKind};
use flow_grammar::walk::{walk, Visitor};
use std::collections::BTreeSet;
use std::rc::Rc;

/// The codes of what can be found only where every journey is looked at. [`crate::compile::compile_file`] leaves them out.
pub const NEEDS_ALL: [&str; 4] = [JOURNEY_LOOP, TWO_MESSAGES, START_NEEDS_TRIGGER, ALLOW_NOTHING];

/// The templates of a project, parsed: they stay as they are while a `.flow` file is edited.
#[derive(Clone, Default)]
pub struct Templates(pub(crate) Rc<Trees>);

impl Templates {
    /// Parses the templates of a project.
    #[must_use]
    pub fn of(input: &ProjectInput) -> Self {
        Self(Rc::new(Trees::parse(&input.templates, &input.parts).0))
    }
}

/// What a file's journeys mean to those of other files, beside being there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// The journeys that it starts.
    starts: BTreeSet<String>,
    /// The attributes that it sets.
    sets: BTreeSet<String>,
    /// The lists that its journeys begin with.
    lists: BTreeSet<String>,
}

impl Effects {
    /// Those of a file.
    #[must_use]
    pub fn of(file: &ast::File) -> Self {
        let mut effects = Self::default();
        walk(file, &mut effects);
        effects
    }
}

impl<'a> Visitor<'a> for Effects {
    fn clause(&mut self, clause: &'a Clause) {
        let ClauseKind::On(triggers) = &clause.kind else { return };
        let lists = triggers.iter().filter_map(|trigger| match &trigger.kind {
            TriggerKind::List(name) => Some(name.value.clone()),
            _ => None,
        });
        self.lists.extend(lists);
    }

    fn step(&mut self, step: &'a Step) {
        match &step.kind {
            StepKind::Start(name) => {
                self.starts.insert(name.text.clone());
            }
            StepKind::Set { attribute, .. } => {
                self.sets.insert(attribute.text.clone());
            }
            _ => {}
        }
    }
}

/// What is known of the files that are not looked at.
#[derive(Clone, Default)]
pub struct Others {
    /// They have no errors, so that the rules may look.
    pub sound: bool,
    /// The templates, which do not change.
    pub templates: Templates,
    /// What their steps do.
    pub effects: Effects,
}

impl Others {
    /// Adds what one more file does.
    pub fn add(&mut self, effects: &Effects) {
        self.effects.starts.extend(effects.starts.iter().cloned());
        self.effects.sets.extend(effects.sets.iter().cloned());
        self.effects.lists.extend(effects.lists.iter().cloned());
    }
}

/// What the files that are not looked at do, in the words of the program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Elsewhere {
    pub started: BTreeSet<JourneyId>,
    pub set: BTreeSet<AttrId>,
}

impl Cx<'_> {
    /// Takes in what other files do, once it is known what they declare.
    pub fn know(&mut self, others: &Others) {
        let started = others.effects.starts.iter().filter_map(|name| self.schema.journeys.get(name));
        let set = others.effects.sets.iter().filter_map(|name| self.schema.attributes.get(name));
        self.elsewhere = Elsewhere { started: started.copied().collect(), set: set.copied().collect() };
        for list in &others.effects.lists {
            self.list_id(list);
        }
    }
}
