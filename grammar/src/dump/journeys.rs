//! Journeys and tests as text.

use super::expression::{days, entries, event_ref, expr, quoted};
use super::{names, Dump};
use crate::ast::*;

impl Dump {
    pub(super) fn journey(&mut self, decl: &JourneyDecl) {
        self.doc(decl.doc.as_ref());
        let name = decl.name.as_ref().map_or("(bare)", |name| name.text.as_str());
        let title = decl.title.as_ref().map_or(String::new(), |title| format!(" {}", quoted(&title.value)));
        self.line(format!("journey {name}{title}"));
        self.nested(|out| {
            for clause in &decl.header {
                out.line(clause_text(&clause.kind));
            }
            out.steps(&decl.body);
        });
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
        }
    }

    fn inner(&mut self, label: &str, step: &Step) {
        self.line(label);
        self.nested(|out| out.step(step));
    }

    fn branches(&mut self, then: Option<&Step>, otherwise: Option<&Step>) {
        if let Some(step) = then {
            self.inner("then", step);
        }
        if let Some(step) = otherwise {
            self.inner("else", step);
        }
    }

    fn step(&mut self, step: &Step) {
        match &step.kind {
            StepKind::Wait(length) => self.line(format!("wait {}", expr(length))),
            StepKind::WaitUntil { until, bound, then, otherwise } => {
                let until = match until {
                    Until::DaysAt(set, time) => format!("{} at {}", days(set), expr(time)),
                    Until::Expr(value) => expr(value),
                };
                self.line(format!("wait until {until}{}", bound_text(bound.as_ref())));
                self.nested(|out| out.branches(then.as_deref(), otherwise.as_deref()));
            }
            StepKind::WaitFor { events, filter, bound, then, otherwise } => {
                let events: Vec<_> = events.iter().map(event_ref).collect();
                let events = events.join(", ");
                self.line(format!("wait for {events}{}{}", where_text(filter.as_ref()), bound_text(bound.as_ref())));
                self.nested(|out| out.branches(then.as_deref(), otherwise.as_deref()));
            }
            StepKind::WaitWithin { from, to, days: on } => {
                let on = on.as_ref().map_or(String::new(), |on| format!(" on {}", days(on)));
                self.line(format!("wait within {} to {}{on}", expr(from), expr(to)));
            }
            StepKind::WaitBestHour { channel, within } => {
                self.line(format!("wait for best hour of {} within {}", channel.text, expr(within)));
            }
            StepKind::If { condition, then, otherwise } => {
                self.line(format!("if {}", expr(condition)));
                self.nested(|out| out.branches(Some(then), otherwise.as_deref()));
            }
            StepKind::Match { subject, arms, otherwise } => {
                self.line(format!("match {}", expr(subject)));
                self.nested(|out| {
                    for arm in arms {
                        let patterns: Vec<_> = arm.patterns.iter().map(expr).collect();
                        out.inner(&format!("{} ->", patterns.join(", ")), &arm.step);
                    }
                    if let Some(step) = otherwise {
                        out.inner("else ->", step);
                    }
                });
            }
            StepKind::Split { arms } => {
                self.line("split");
                self.nested(|out| {
                    for arm in arms {
                        let name = arm.name.as_ref().map_or(String::new(), |name| format!(" {}", name.text));
                        out.inner(&format!("{}%{name}:", arm.share), &arm.step);
                    }
                });
            }
            StepKind::Send(send) => self.line(send_text(send)),
            StepKind::Set { attribute, op, value } => {
                let op = match op {
                    SetOp::Assign => "=",
                    SetOp::Add => "+=",
                    SetOp::Subtract => "-=",
                };
                self.line(format!("set user.{} {op} {}", attribute.text, expr(value)));
            }
            StepKind::Fetch { name, call, otherwise } => {
                self.line(format!("fetch {} = {}", name.text, call_text(call)));
                self.nested(|out| out.branches(None, otherwise.as_deref()));
            }
            StepKind::Call(call) => self.line(format!("call {}", call_text(call))),
            StepKind::AddTo(audience) => self.line(format!("add to {}", audience.text)),
            StepKind::RemoveFrom(audience) => self.line(format!("remove from {}", audience.text)),
            StepKind::Emit { event, fields } => self.line(format!("emit {} {}", event.text, entries(fields))),
            StepKind::Start(journey) => self.line(format!("start {}", journey.text)),
            StepKind::Repeat { every, times, body } => {
                let every = every.as_ref().map_or(String::new(), |every| format!(" every {}", expr(every)));
                let times = times.map_or(String::new(), |(times, _)| format!(" {times} times"));
                self.line(format!("repeat{every}{times}"));
                self.nested(|out| out.steps(body));
            }
            StepKind::For { name, values, body } => {
                let values: Vec<_> = values.iter().map(expr).collect();
                self.line(format!("for {} in {}", name.text, values.join(", ")));
                self.nested(|out| out.steps(body));
            }
            StepKind::Together(blocks) => {
                self.line("together");
                self.nested(|out| out.steps(blocks));
            }
            StepKind::End => self.line("end"),
            StepKind::Block(steps) => {
                self.line("block");
                self.nested(|out| out.steps(steps));
            }
            StepKind::Broken => self.line("broken"),
        }
    }

    pub(super) fn test(&mut self, decl: &TestDecl) {
        let journey = decl.journey.as_ref().map_or(String::new(), |name| format!(" for {}", name.text));
        self.line(format!("test {}{journey}", quoted(&decl.name.value)));
        self.nested(|out| {
            for line in &decl.lines {
                out.line(test_line(&line.kind));
            }
        });
    }
}

fn where_text(filter: Option<&Expr>) -> String {
    filter.map_or(String::new(), |filter| format!(" where {}", expr(filter)))
}

fn bound_text(bound: Option<&Bound>) -> String {
    match bound {
        Some(Bound::UpTo(length)) => format!(" up to {}", expr(length)),
        Some(Bound::Until(moment)) => format!(" until {}", expr(moment)),
        None => String::new(),
    }
}

fn event_match(event: &EventMatch) -> String {
    format!("{}{}", event_ref(&event.event), where_text(event.filter.as_ref()))
}

fn clause_text(kind: &ClauseKind) -> String {
    match kind {
        ClauseKind::On(triggers) => {
            let triggers: Vec<_> = triggers.iter().map(|trigger| trigger_text(&trigger.kind)).collect();
            format!("on {}", triggers.join(", "))
        }
        ClauseKind::Enter(parts) => {
            let parts: Vec<_> = parts.iter().map(enter_part).collect();
            format!("enter {}", parts.join(" "))
        }
        ClauseKind::ExitOn(events) => {
            let events: Vec<_> = events.iter().map(event_match).collect();
            format!("exit on {}", events.join(", "))
        }
        ClauseKind::ExitWhen(condition) => format!("exit when {}", expr(condition)),
        ClauseKind::ExitAfter(length) => format!("exit after {}", expr(length)),
        ClauseKind::Goal { event, within } => {
            let within = within.as_ref().map_or(String::new(), |within| format!(" within {}", expr(within)));
            format!("goal {}{within}", event_match(event))
        }
        ClauseKind::Topic(name) => format!("topic {}", name.text),
        ClauseKind::Holdout(share, _) => format!("holdout {share}%"),
        ClauseKind::Moved(old, new) => format!("moved {} to {}", old.text, new.text),
        ClauseKind::Ended(old) => format!("ended {}", old.text),
        ClauseKind::Broken => "broken clause".to_owned(),
    }
}

fn enter_part(part: &EnterPart) -> String {
    match part {
        EnterPart::Once(_) => "once".to_owned(),
        EnterPart::OncePer(length) => format!("once per {}", expr(length)),
        EnterPart::Per(fields) => format!("per {}", names(fields)),
        EnterPart::Restart(_) => "restart".to_owned(),
        EnterPart::Always(_) => "always".to_owned(),
    }
}

fn trigger_text(kind: &TriggerKind) -> String {
    match kind {
        TriggerKind::Event(event) => event_match(event),
        TriggerKind::Without { event, without, within } => {
            format!("{} without {} within {}", event_match(event), event_match(without), expr(within))
        }
        TriggerKind::Enter(segment) => format!("enter {}", expr(segment)),
        TriggerKind::Leave(segment) => format!("leave {}", expr(segment)),
        TriggerKind::Change { attribute, filter } => {
            format!("change user.{}{}", attribute.text, where_text(filter.as_ref()))
        }
        TriggerKind::Date { date, yearly, at } => {
            format!("date {}{} at {}", expr(date), if *yearly { " yearly" } else { "" }, expr(at))
        }
        TriggerKind::Every { days: on, at, audience } => {
            let audience = audience.as_ref().map_or(String::new(), |audience| format!(" for {}", expr(audience)));
            format!("every {} at {}{audience}", days(on), expr(at))
        }
        TriggerKind::List(name) => format!("list {}", quoted(&name.value)),
        TriggerKind::Broken => "broken".to_owned(),
    }
}

fn content_text(content: &Content) -> String {
    match content {
        Content::Template(name) => name.text.clone(),
        Content::Text(text) => expr(text),
    }
}

fn send_text(send: &Send) -> String {
    let content = content_text(&send.content);
    let joined =
        |channels: &[Name], by: &str| channels.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(by);
    let mut out = match &send.route {
        Route::Channel(channel) => format!("message {} {content}", channel.text),
        Route::FirstOf(channels) => format!("message {content} via {}", joined(channels, " or ")),
        Route::AllOf(channels) => format!("message {content} via {}", joined(channels, " and ")),
    };
    if let Some(to) = &send.to {
        out.push_str(&format!(" to {}", expr(to)));
    }
    if !send.with.is_empty() {
        out.push_str(&format!(" with {}", entries(&send.with)));
    }
    if let Some(topic) = &send.topic {
        out.push_str(&format!(" topic {}", topic.text));
    }
    if let Some(alias) = &send.alias {
        out.push_str(&format!(" as {}", alias.text));
    }
    out
}

fn arguments(args: &[(Option<Name>, Expr)]) -> String {
    let args: Vec<_> = args
        .iter()
        .map(|(name, value)| match name {
            Some(name) => format!("{}: {}", name.text, expr(value)),
            None => expr(value),
        })
        .collect();
    format!("({})", args.join(", "))
}

fn call_text(call: &ApiCall) -> String {
    format!("{}{}", call.api.text, arguments(&call.args))
}

fn test_line(kind: &TestLineKind) -> String {
    match kind {
        TestLineKind::User(attributes) => format!("user {}", entries(attributes)),
        TestLineKind::Given { api, args, answer } => {
            let args = args.as_ref().map_or(String::new(), |args| arguments(args));
            let answer = answer.as_ref().map_or(" fails".to_owned(), |answer| format!(" = {}", expr(answer)));
            format!("given {}{args}{answer}", api.text)
        }
        TestLineKind::At(moment, what) => format!("at {} {}", expr(moment), happening(what)),
        TestLineKind::After(length, what) => format!("after {} {}", expr(length), happening(what)),
        TestLineKind::Expect(what) => format!("expect {}", expectation(what)),
        TestLineKind::Broken => "broken line".to_owned(),
    }
}

fn happening(what: &Happening) -> String {
    match what {
        Happening::Event(event, fields) => format!("{} {}", event_ref(event), entries(fields)),
        Happening::User(attributes) => format!("user {}", entries(attributes)),
        Happening::List(name) => format!("list {}", quoted(&name.value)),
    }
}

fn expectation(what: &Expectation) -> String {
    let message = |channel: &Name, content: Option<&Content>| match content {
        Some(content) => format!("{} {}", channel.text, content_text(content)),
        None => channel.text.clone(),
    };
    match what {
        Expectation::Nothing => "nothing".to_owned(),
        Expectation::NothingElse => "nothing else".to_owned(),
        Expectation::Message { channel, content, at, after } => {
            let at = at.as_ref().map_or(String::new(), |at| format!(" at {}", expr(at)));
            let after = after.as_ref().map_or(String::new(), |after| format!(" after {}", expr(after)));
            format!("message {}{at}{after}", message(channel, content.as_ref()))
        }
        Expectation::NoMessage { channel, content } => format!("no {}", message(channel, content.as_ref())),
        Expectation::Skipped { channel, content, because } => {
            let because = because.as_ref().map_or(String::new(), |because| format!(" because {}", because.text));
            format!("skipped {}{because}", message(channel, content.as_ref()))
        }
        Expectation::Condition(condition) => format!("condition {}", expr(condition)),
    }
}
