//! Who listens to what: tables derived once from the program, so that an input costs what listens to it
//! and not what the project holds.

use super::keyed::Triggers;
use crate::vm::interpret::Prepared;
use crate::vm::value::Value;
use flow_compiler::bytecode::{
    AttrId, Condition, Content, Deps, EventId, Exit, JourneyId, ListId, Program, QueryId, SegmentId, StepId, StepKind,
    Strategy, Trigger, WaitedEvent,
};

/// A trigger: its journey and its number there.
pub(super) type TriggerAt = (JourneyId, usize);

/// The tables.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By event: its place among the events that are remembered.
    histories: Vec<Option<usize>>,
    /// By event: running totals that it changes.
    running: Vec<Vec<QueryId>>,
    /// By event: triggers that it can be, `without`s included.
    event_triggers: Vec<Triggers>,
    /// By attribute: `on change` triggers.
    pub change_triggers: Vec<Vec<TriggerAt>>,
    /// By list.
    pub list_triggers: Vec<Vec<TriggerAt>>,
    /// By followed segment: triggers of entering and of leaving.
    pub segment_triggers: Vec<(Vec<TriggerAt>, Vec<TriggerAt>)>,
    /// The followed segments.
    pub segments: Vec<SegmentId>,
    /// Schedules and dates.
    pub clocked: Vec<TriggerAt>,
    /// By journey.
    pub journeys: Vec<JourneyIndex>,
    /// The `location` event with the places of `lat` and `lon`.
    pub location: Option<(EventId, usize, usize)>,
    /// Whether anything asks what became of messages.
    pub outcomes: bool,
    /// Whether any wait asks for the best hour.
    pub best_hour: bool,
    /// The longest window of a cap in milliseconds; 0: there is no cap.
    pub longest_cap: i64,
    kept: Vec<Option<Vec<u16>>>,
}

/// What the engine asks often about one journey.
#[derive(Debug, Default)]
pub(super) struct JourneyIndex {
    /// `exit when`, by number of exit.
    pub when: Vec<(u16, Condition)>,
    /// What any of its `exit when` depends on.
    pub when_deps: Deps,
    /// Events whose log is kept while a person is in flight here.
    pub kept_in_flight: Vec<EventId>,
    /// Events that an exit, a goal, a wait or a pending `without` of it listens to, ascending.
    pub listens: Vec<EventId>,
    /// Whether any of its waits follows attributes, conditions or outcomes.
    pub follows: bool,
}

impl Index {
    pub fn new(program: &Program, prepared: &Prepared) -> Self {
        let mut index = Self {
            change_triggers: vec![Vec::new(); program.attributes.len()],
            list_triggers: vec![Vec::new(); program.lists.len()],
            segment_triggers: vec![(Vec::new(), Vec::new()); program.segments.len()],
            running: vec![Vec::new(); program.events.len()],
            ..Self::default()
        };
        index.remember(program);
        for (number, journey) in program.journeys.iter().enumerate() {
            let id = JourneyId(u32::try_from(number).unwrap_or(u32::MAX));
            for (place, trigger) in journey.triggers.iter().enumerate() {
                index.add_trigger((id, place), trigger);
            }
            index.journeys.push(journey_index(program, id));
        }
        index.event_triggers = event_triggers(program, prepared);
        index.segments = ids(program.segments.len())
            .map(SegmentId)
            .filter(|id| program.segments.get(id.index()).is_some_and(|s| s.followed))
            .collect();
        index.location = location(program);
        index.outcomes =
            program.events.iter().any(|e| e.outcome.is_some()) || program.journeys.iter().any(|j| j.messages > 0);
        index.best_hour = steps(program).any(|s| matches!(s, StepKind::WaitBestHour { .. }));
        index.longest_cap = program.policy.caps.iter().map(|c| c.window).max().unwrap_or(0);
        index
    }

    fn remember(&mut self, program: &Program) {
        let mut places = 0;
        for event in &program.events {
            let remembered = event.history.last || event.history.log.is_some();
            self.histories.push(remembered.then_some(places));
            places += usize::from(remembered);
            self.kept.push(event.history.log.as_ref().map(|l| l.fields.clone()));
        }
        for (number, query) in ids(program.queries.len()).zip(&program.queries) {
            if let (Strategy::Running(_), Some(list)) = (query.strategy, self.running.get_mut(query.event.index())) {
                list.push(QueryId(number));
            }
        }
    }

    fn add_trigger(&mut self, at: TriggerAt, trigger: &Trigger) {
        match trigger {
            // Of these there are many; see `event_triggers`.
            Trigger::Event { .. } | Trigger::Without { .. } => {}
            Trigger::Change { attribute, .. } => add(&mut self.change_triggers, attribute.index(), at),
            Trigger::List(list) => add(&mut self.list_triggers, list.index(), at),
            Trigger::Enter(segment) => {
                if let Some((enter, _)) = self.segment_triggers.get_mut(segment.index()) {
                    enter.push(at);
                }
            }
            Trigger::Leave(segment) => {
                if let Some((_, leave)) = self.segment_triggers.get_mut(segment.index()) {
                    leave.push(at);
                }
            }
            Trigger::Date { .. } | Trigger::Every { .. } => self.clocked.push(at),
        }
    }

    /// The place of an event's memory in a person's history; none: it is not remembered.
    pub fn history_of(&self, event: EventId) -> Option<usize> {
        self.histories.get(event.index()).copied().flatten()
    }

    /// The running totals that an event changes.
    pub fn running_of(&self, event: EventId) -> &[QueryId] {
        self.running.get(event.index()).map_or(&[], Vec::as_slice)
    }

    /// The fields of an event that its log keeps.
    pub fn kept_fields(&self, event: EventId) -> Option<&[u16]> {
        self.kept.get(event.index())?.as_deref()
    }

    /// What is known about a journey.
    pub fn journey(&self, journey: JourneyId) -> &JourneyIndex {
        static NONE: std::sync::LazyLock<JourneyIndex> = std::sync::LazyLock::new(JourneyIndex::default);
        self.journeys.get(journey.index()).unwrap_or(&NONE)
    }

    /// The triggers that an event with these fields can be, in order.
    pub fn triggers_of_event(&self, event: EventId, fields: &[Value]) -> impl Iterator<Item = TriggerAt> + '_ {
        self.event_triggers.get(event.index()).map(|triggers| triggers.of(fields)).into_iter().flatten()
    }

    /// The triggers of a changed attribute and of a list.
    pub fn triggers_of_change(&self, attribute: AttrId) -> &[TriggerAt] {
        self.change_triggers.get(attribute.index()).map_or(&[], Vec::as_slice)
    }

    pub fn triggers_of_list(&self, list: ListId) -> &[TriggerAt] {
        self.list_triggers.get(list.index()).map_or(&[], Vec::as_slice)
    }

    /// The triggers of starting (or stopping) to satisfy a segment.
    pub fn triggers_of_segment(&self, segment: SegmentId, inside: bool) -> &[TriggerAt] {
        let Some((enter, leave)) = self.segment_triggers.get(segment.index()) else { return &[] };
        if inside {
            enter
        } else {
            leave
        }
    }
}

fn event_triggers(program: &Program, prepared: &Prepared) -> Vec<Triggers> {
    let mut lists = vec![Vec::new(); program.events.len()];
    for (number, journey) in ids(program.journeys.len()).zip(&program.journeys) {
        for (place, trigger) in journey.triggers.iter().enumerate() {
            if let Trigger::Event { event, .. } | Trigger::Without { event, .. } = trigger {
                add(&mut lists, event.index(), (JourneyId(number), place));
            }
        }
    }
    lists.into_iter().map(|list| Triggers::new(program, prepared, list)).collect()
}

fn ids(count: usize) -> std::ops::Range<u32> {
    0..u32::try_from(count).unwrap_or(u32::MAX)
}

fn add(lists: &mut [Vec<TriggerAt>], place: usize, at: TriggerAt) {
    if let Some(list) = lists.get_mut(place) {
        list.push(at);
    }
}

fn steps(program: &Program) -> impl Iterator<Item = &StepKind> {
    program.journeys.iter().flat_map(|j| j.steps.iter().map(|s| &s.kind))
}

fn location(program: &Program) -> Option<(EventId, usize, usize)> {
    let number = program.events.iter().position(|e| e.name == "location")?;
    let event = program.events.get(number)?;
    let field = |name: &str| event.fields.iter().position(|f| f.name == name);
    Some((EventId(u32::try_from(number).ok()?), field("lat")?, field("lon")?))
}

fn journey_index(program: &Program, id: JourneyId) -> JourneyIndex {
    let Some(journey) = program.journeys.get(id.index()) else { return JourneyIndex::default() };
    let mut index = JourneyIndex::default();
    for (number, exit) in journey.exits.iter().enumerate() {
        match exit {
            Exit::On { event, .. } => index.listens.push(*event),
            Exit::When(condition) => {
                merge_deps(&mut index.when_deps, &condition.deps);
                index.when.push((u16::try_from(number).unwrap_or(u16::MAX), condition.clone()));
            }
            Exit::After(_) => {}
        }
    }
    index.listens.extend(journey.goals.iter().map(|g| g.event));
    index.listens.extend(journey.triggers.iter().filter_map(|t| match t {
        Trigger::Without { without, .. } => Some(*without),
        _ => None,
    }));
    for step in &journey.steps {
        match &step.kind {
            StepKind::WaitEvent { events, bound, .. } => {
                index.follows |= bound.is_some();
                for waited in events {
                    match waited {
                        WaitedEvent::Event { event, .. } => index.listens.push(*event),
                        WaitedEvent::Outcome(..) => index.follows = true,
                    }
                }
            }
            StepKind::WaitMoment { .. }
            | StepKind::WaitDays { .. }
            | StepKind::WaitCondition { .. }
            | StepKind::Fetch { .. } => index.follows = true,
            _ => {}
        }
    }
    index.listens.sort_unstable();
    index.listens.dedup();
    index.kept_in_flight = ids(program.events.len())
        .map(EventId)
        .filter(|e| {
            program
                .events
                .get(e.index())
                .and_then(|e| e.history.log.as_ref())
                .is_some_and(|l| l.in_flight.contains(&id))
        })
        .collect();
    index
}

fn merge_deps(into: &mut Deps, from: &Deps) {
    into.events.extend(&from.events);
    into.attributes.extend(&from.attributes);
    into.reach |= from.reach;
    into.outcomes |= from.outcomes;
    into.moves |= from.moves;
}

/// The step, if there is one at that place: past the last step a thread ends.
pub(super) fn step_at(program: &Program, journey: JourneyId, step: StepId) -> Option<&StepKind> {
    program.journeys.get(journey.index())?.steps.get(step.index()).map(|s| &s.kind)
}

/// The template's name, for a message that has one.
pub(super) fn template_of(content: &Content) -> Option<&str> {
    match content {
        Content::Template(name) => Some(name),
        Content::Text(_) => None,
    }
}
