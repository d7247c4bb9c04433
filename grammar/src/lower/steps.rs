//! Steps.

use super::clauses::is_clause;
use super::{broken, has_rule, Kids, Lower, Node};
use crate::ast::*;
use crate::codes;
use crate::error::SyntaxError;
use crate::parser::Rule;
use crate::span::Span;

/// Whether a pair is a step.
fn is_step(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::block
            | Rule::if_step
            | Rule::wait_step
            | Rule::match_step
            | Rule::split_step
            | Rule::together_step
            | Rule::repeat_step
            | Rule::for_step
            | Rule::set_step
            | Rule::fetch_step
            | Rule::call_step
            | Rule::add_step
            | Rule::remove_step
            | Rule::emit_step
            | Rule::start_step
            | Rule::end_step
            | Rule::habit_step
            | Rule::habit_set_step
            | Rule::habit_fetch_step
            | Rule::send_via
            | Rule::send
    )
}

impl Lower<'_> {
    /// The clauses and steps of a body. In a journey's own body clauses come first; anywhere else
    /// there are none.
    pub fn statements(&mut self, mut kids: Kids<'_>, own_body: bool) -> (Vec<Clause>, Vec<Step>) {
        let mut header = Vec::new();
        let mut steps: Vec<Step> = Vec::new();
        // A `then` or `else` that is left over behind a mistake belongs to that: so many statements may lie between.
        let mut leftovers = 0_u8;
        let mut before = None;
        let mut errors = self.errors.len();
        while let Some(kid) = kids.next() {
            let rule = kid.as_rule();
            let span = self.span(&kid);
            let stumbled = |error: &SyntaxError| {
                matches!(error.code, codes::EXPECTED | codes::UNEXPECTED | codes::UNKNOWN_STEP | codes::WORD_SPELLING)
            };
            leftovers = match before {
                _ if self.errors.iter().skip(errors).any(stumbled) => 1,
                Some(Rule::stray_step) => leftovers,
                _ => leftovers.saturating_sub(1),
            };
            before = Some(rule);
            errors = self.errors.len();
            if is_step(rule) {
                let step = self.step(kid);
                if own_body && header.is_empty() && steps.is_empty() {
                    if let Some(clause) = self.trigger_for_on(&step) {
                        header.push(clause);
                        continue;
                    }
                }
                steps.push(step);
            } else if is_clause(rule) {
                self.among_steps = !own_body || steps.iter().any(|step| step.kind != StepKind::Broken);
                let Some(clause) = self.clause(kid) else {
                    self.exit_step(span);
                    steps.push(Step { kind: StepKind::End, span });
                    continue;
                };
                // What nobody understood is not known to be a step.
                let first = steps.iter().find(|step| step.kind != StepKind::Broken).map(|step| step.span);
                if own_body && (first.is_none() || self.among_clauses(&steps)) {
                    header.push(clause);
                } else {
                    self.late_clause(&clause, first, own_body);
                    self.late_clauses.push(clause);
                }
            } else if rule == Rule::stray_step {
                if leftovers > 0 && matches!(self.token_at(span.start as usize), "then" | "else") {
                    leftovers = 2;
                } else if !self.was_mistyped(steps.last_mut(), span) {
                    self.stray_step(&kid);
                    self.spoiled(steps.last_mut(), span);
                    self.spoiled_clause(header.last_mut().filter(|_| steps.is_empty()), span);
                }
                steps.push(Step { kind: StepKind::Broken, span });
            }
        }
        (header, steps)
    }

    /// Whether text that nobody understands shows that the message before it was a mistyped
    /// keyword: `fetchh offers = …` reads as the message `offers` by the channel `fetchh`.
    fn was_mistyped(&mut self, before: Option<&mut Step>, stray: Span) -> bool {
        let Some(step) = before else { return false };
        let StepKind::Send(Send { route: Route::Channel(channel), content: Content::Template(_), .. }) = &step.kind
        else {
            return false;
        };
        let between = Span::new(self.file, step.span.end, stray.start);
        if between.text(self.text).contains('\n') || self.is_reported(stray) || !self.mistyped_send(channel.span) {
            return false;
        }
        step.kind = StepKind::Broken;
        true
    }

    /// Whether what stands in front of a clause is a clause whose first word is missing: the only step so far, and
    /// made of two words. Says so once.
    fn among_clauses(&mut self, steps: &[Step]) -> bool {
        let mut sound = steps.iter().filter(|step| step.kind != StepKind::Broken);
        let (Some(step), None) = (sound.next(), sound.next()) else { return false };
        let StepKind::Send(Send { content: Content::Template(_), .. }) = &step.kind else { return false };
        if self.reported_clauses.insert(step.span.start) {
            let written = step.span.text(self.text).split_whitespace().collect::<Vec<_>>().join(" ");
            self.report(
                SyntaxError::new(
                    codes::UNEXPECTED,
                    step.span,
                    format!("`{written}` stands between clauses of the header"),
                )
                .help("a word like `on` is missing in front of it, or it belongs behind them"),
            );
        }
        true
    }

    /// A wait or the like with something behind it on its line that nobody understood is not known to be whole.
    fn spoiled(&self, before: Option<&mut Step>, stray: Span) {
        let Some(step) = before else { return };
        let between = Span::new(self.file, step.span.end, stray.start);
        let alone = match &step.kind {
            StepKind::Wait(_) | StepKind::Set { .. } | StepKind::Emit { .. } => true,
            StepKind::WaitUntil { then, otherwise, .. } | StepKind::WaitFor { then, otherwise, .. } => {
                then.is_none() && otherwise.is_none()
            }
            _ => false,
        };
        if alone && !between.text(self.text).contains('\n') {
            step.kind = StepKind::Broken;
        }
    }

    /// `trigger cart_added`, `from cart_added` where a journey begins: it reads as a message by a channel of that name.
    fn trigger_for_on(&mut self, step: &Step) -> Option<Clause> {
        let StepKind::Send(Send { route: Route::Channel(channel), content: Content::Template(name), .. }) = &step.kind
        else {
            return None;
        };
        if !matches!(channel.text.as_str(), "trigger" | "from" | "upon") {
            return None;
        }
        let message = format!("`{}` is written `on` here", channel.text);
        self.report(SyntaxError::new(codes::WORD_SPELLING, channel.span, message).fix(channel.span, "on"));
        let event = EventMatch { event: EventRef { name: name.clone(), outcome: None }, filter: None };
        let trigger = Trigger { kind: TriggerKind::Event(event), span: name.span };
        Some(Clause { kind: ClauseKind::On(vec![trigger]), span: step.span })
    }

    /// As [`Self::spoiled`], of a clause.
    fn spoiled_clause(&self, before: Option<&mut Clause>, stray: Span) {
        let Some(clause) = before else { return };
        let between = Span::new(self.file, clause.span.end, stray.start);
        if between.text(self.text).contains('\n') {
            return;
        }
        match &mut clause.kind {
            ClauseKind::On(triggers) => {
                if let Some(trigger) = triggers.last_mut() {
                    trigger.kind = TriggerKind::Broken;
                }
            }
            ClauseKind::ExitWhen(condition) => *condition = broken(condition.span),
            ClauseKind::Goal { .. } | ClauseKind::Enter(_) | ClauseKind::ExitOn(_) => clause.kind = ClauseKind::Broken,
            _ => {}
        }
    }

    fn exit_step(&mut self, span: Span) {
        let here = self.token_span(span.start as usize);
        self.report(
            SyntaxError::new(codes::EXIT_STEP, here, "the step that leaves the journey is `end`").fix(here, "end"),
        );
    }

    fn late_clause(&mut self, clause: &Clause, first_step: Option<Span>, own_body: bool) {
        if self.reported_clauses.contains(&clause.span.start) {
            return;
        }
        let here = self.token_span(clause.span.start as usize);
        let word = here.text(self.text).to_owned();
        let mut error = SyntaxError::new(
            codes::LATE_CLAUSE,
            here,
            if own_body {
                format!("`{word}` belongs to the header, before the first step")
            } else {
                format!("`{word}` belongs to the header of the journey, not into a block")
            },
        )
        .help("move it up, in front of the first step");
        if let Some(step) = first_step {
            error = error.label(step, "the first step");
        }
        self.report(error);
    }

    /// One step that follows `then`, `else`, `->` or `:`.
    pub fn one_step(&mut self, kids: &mut Kids<'_>) -> Option<Box<Step>> {
        let pair = kids.find(|r| is_step(r) || r == Rule::missing_step)?;
        if pair.as_rule() == Rule::missing_step {
            let span = self.span(&pair);
            return Some(Box::new(Step { kind: StepKind::Broken, span }));
        }
        Some(Box::new(self.step(pair)))
    }

    /// The step of an `else_part` or the like, if there is one.
    pub fn part(&mut self, kids: &mut Kids<'_>, rule: Rule) -> Option<Box<Step>> {
        let pair = kids.take(rule)?;
        let mut kids = self.kids(pair);
        if let Some(sign) = kids.take(Rule::habit_then_sign) {
            self.sign_for_then(&sign);
        }
        self.one_step(&mut kids)
    }

    fn step(&mut self, pair: Node<'_>) -> Step {
        let span = self.span(&pair);
        let Some(()) = self.down(1, span) else { return Step { kind: StepKind::Broken, span } };
        let kind = self.step_kind(pair, span).unwrap_or(StepKind::Broken);
        self.up(1);
        Step { kind, span }
    }

    fn step_kind(&mut self, pair: Node<'_>, span: Span) -> Option<StepKind> {
        let rule = pair.as_rule();
        match rule {
            Rule::send => return self.send(pair),
            Rule::send_via => return self.send_via(pair),
            Rule::if_step => return self.if_step(pair, span),
            Rule::habit_step => return self.step_of_another_language(pair),
            Rule::block => return Some(StepKind::Block(self.block(Some(pair)))),
            _ => {}
        }
        let mut kids = self.kids(pair);
        match rule {
            Rule::wait_step => kids.find(|r| r != Rule::kw_wait).and_then(|pair| self.wait(pair)),
            Rule::match_step => Some(self.match_step(&mut kids)),
            // Without its arms there is nothing to add up.
            Rule::split_step if kids.has(Rule::missing_block) => None,
            Rule::split_step => {
                if kids.has(Rule::habit_split) {
                    let here = Span::new(self.file, span.start, span.start);
                    let brace = Span::new(self.file, span.start, span.start + 1);
                    self.report(
                        SyntaxError::new(codes::EXPECTED, brace, "shares stand behind `split`").fix(here, "split "),
                    );
                }
                let body = kids.take(Rule::split_body);
                Some(StepKind::Split { arms: self.split_arms(body) })
            }
            Rule::together_step => {
                let mut blocks = Vec::new();
                while let Some(pair) = kids.take(Rule::block) {
                    blocks.push(self.step(pair));
                }
                if blocks.len() == 1 {
                    let here = self.token_span(span.start as usize);
                    self.report(
                        SyntaxError::new(codes::TOGETHER, here, "`together` needs two blocks or more")
                            .help("write `together { … } { … }`: the blocks run side by side"),
                    );
                }
                Some(StepKind::Together(blocks))
            }
            // How often is not known: nothing is to be said of its rounds.
            Rule::repeat_step if kids.has(Rule::missing_repeat) => {
                let block = kids.take(Rule::block);
                Some(StepKind::Block(self.block(block)))
            }
            Rule::repeat_step => Some(self.repeat(&mut kids)),
            Rule::for_step => {
                if let Some(each) = kids.take(Rule::habit_each) {
                    self.needless(&each, "write `for pause in 10d, 30d { … }`");
                }
                let mut values = Vec::new();
                let name = match kids.take(Rule::habit_for_parens) {
                    Some(habit) => self.for_in_brackets(habit, &mut values),
                    None => self.name(&mut kids),
                };
                while let Some(pair) = kids.find(|r| matches!(r, Rule::expr | Rule::missing_value)) {
                    if pair.as_rule() == Rule::expr {
                        values.push(self.expr(pair));
                    }
                }
                let values = self.values_in_brackets(values);
                let block = self.body_of(&mut kids);
                let body = self.block(block);
                Some(StepKind::For { name: name?, values, body })
            }
            Rule::set_step => {
                let op = kids.take(Rule::set_op);
                let attribute = kids.take(Rule::attribute).and_then(|pair| self.attribute(pair, op.is_none()));
                let op = op.map_or(SetOp::Assign, |pair| self.set_op(&pair));
                let value = self.value(&mut kids);
                Some(StepKind::Set { attribute: attribute?, op, value })
            }
            Rule::fetch_step => {
                if let Some(habit) = kids.take(Rule::habit_fetch_call) {
                    self.fetch_without_name(habit);
                    return None;
                }
                if let Some(habit) = kids.take(Rule::habit_from) {
                    self.spelled(&habit, "=");
                }
                let name = self.name(&mut kids);
                let call = kids.take(Rule::api_call).and_then(|pair| self.api_call(pair));
                let otherwise = self.part(&mut kids, Rule::else_part);
                Some(StepKind::Fetch { name: name?, call: call?, otherwise })
            }
            Rule::call_step => kids.take(Rule::api_call).and_then(|pair| self.api_call(pair)).map(StepKind::Call),
            Rule::add_step => self.name(&mut kids).map(StepKind::AddTo),
            Rule::remove_step => self.name(&mut kids).map(StepKind::RemoveFrom),
            Rule::emit_step => {
                let event = self.name(&mut kids);
                let record = kids.take(Rule::record);
                let fields = self.record(record);
                Some(StepKind::Emit { event: event?, fields })
            }
            Rule::start_step => {
                if let Some(words) = kids.take(Rule::habit_start_journey) {
                    self.spelled(&words, "start");
                }
                self.name(&mut kids).map(StepKind::Start)
            }
            Rule::end_step => {
                self.end_spelled(&mut kids);
                self.end_of_what(&mut kids);
                Some(StepKind::End)
            }
            Rule::habit_set_step => self.set_without_word(&mut kids, span),
            Rule::habit_fetch_step => self.fetch_without_word(&mut kids, span),
            _ => None,
        }
    }

    pub fn set_op(&mut self, pair: &Node<'_>) -> SetOp {
        match pair.as_str() {
            "+=" => return SetOp::Add,
            "-=" => return SetOp::Subtract,
            "to" => self.spelled(pair, "="),
            "==" => {
                let span = self.span(pair);
                let error = SyntaxError::new(codes::OPERATOR_SPELLING, span, "`==` compares; `=` gives a value");
                self.report(error.fix(span, "="));
            }
            _ => {}
        }
        SetOp::Assign
    }

    /// The block of a loop, also behind what is in its way.
    fn body_of<'i>(&mut self, kids: &mut Kids<'i>) -> Option<Node<'i>> {
        if let Some(late) = kids.take(Rule::late_block) {
            return late.into_inner().find(|pair| pair.as_rule() == Rule::block);
        }
        kids.take(Rule::block)
    }

    /// The steps of a block.
    fn block(&mut self, pair: Option<Node<'_>>) -> Vec<Step> {
        let Some(pair) = pair else { return Vec::new() };
        let kids = self.kids(pair);
        self.statements(kids, false).1
    }

    /// `if … else if … else …`: the links are a list here and become nested from the last one on.
    fn if_step(&mut self, pair: Node<'_>, span: Span) -> Option<StepKind> {
        let mut kids = self.kids(pair);
        let condition = self.condition(&mut kids);
        let then = self.part(&mut kids, Rule::then_part)?;
        self.nothing_closes(&mut kids);
        let mut links = Vec::new();
        let mut down = 0;
        while let Some(pair) = kids.take(Rule::else_if) {
            let link = self.span(&pair);
            if self.down(1, link).is_none() {
                self.up(down);
                return None;
            }
            down += 1;
            let mut kids = self.kids(pair);
            if let Some(habit) = kids.take(Rule::habit_elif) {
                let here = self.span(&habit);
                let message = format!("`{}` is written `else if`", habit.as_str());
                self.report(SyntaxError::new(codes::ELSE_IF_SPELLING, here, message).fix(here, "else if"));
            }
            let condition = self.condition(&mut kids);
            let nothing = Box::new(Step { kind: StepKind::Broken, span: link });
            let then = self.part(&mut kids, Rule::then_part).unwrap_or(nothing);
            // The link is a step that begins at its `if`, behind the `else`.
            let word = self.token_at(link.start as usize).len();
            let start =
                if link.text(self.text).starts_with("elif") || link.text(self.text).starts_with("els") && word > 4 {
                    link.start as usize
                } else {
                    self.start_after(link.start as usize + word)
                };
            links.push((self.offset(start), condition, then));
        }
        let mut otherwise = self.part(&mut kids, Rule::else_part);
        self.up(down);
        for (start, condition, then) in links.into_iter().rev() {
            let kind = StepKind::If { condition, then, otherwise };
            otherwise = Some(Box::new(Step { kind, span: Span::new(self.file, start, span.end) }));
        }
        Some(StepKind::If { condition, then, otherwise })
    }

    /// The condition of an `if`; one with something in its way before `then` is not known to be understood.
    fn condition(&mut self, kids: &mut Kids<'_>) -> Expr {
        let condition = self.windowed_value(kids);
        let then = kids.pairs().find(|pair| pair.as_rule() == Rule::then_part);
        if then.is_some_and(|pair| has_rule(pair, Rule::skipped_to_then)) {
            return broken(condition.span);
        }
        condition
    }

    fn match_step(&mut self, kids: &mut Kids<'_>) -> StepKind {
        let subject = self.value(kids);
        let mut arms = Vec::new();
        let mut otherwise: Option<Box<Step>> = None;
        if let Some(body) = kids.take(Rule::match_body) {
            let mut kids = self.kids(body);
            while let Some(kid) = kids.next() {
                match kid.as_rule() {
                    Rule::match_arm => arms.extend(self.match_arm(kid)),
                    Rule::match_else => {
                        let span = self.token_span(self.span(&kid).start as usize);
                        let mut kids = self.kids(kid);
                        self.arm_head(&mut kids);
                        let step = self.one_step(&mut kids);
                        if otherwise.is_some() {
                            self.twice(span, "`else`");
                        } else {
                            otherwise = step;
                        }
                    }
                    Rule::stray_line => self.stray_line(&kid, "an arm like `\"IT\" -> email ciao`", &["else"]),
                    _ => {}
                }
            }
        }
        StepKind::Match { subject, arms, otherwise }
    }

    fn match_arm(&mut self, pair: Node<'_>) -> Option<MatchArm> {
        let mut kids = self.kids(pair);
        self.arm_head(&mut kids);
        let patterns = self.patterns(&mut kids);
        let step = self.one_step(&mut kids)?;
        Some(MatchArm { patterns, step: *step })
    }

    /// The words and the sign of an arm of a `match`.
    fn arm_head(&mut self, kids: &mut Kids<'_>) {
        let arrow = kids.pairs().find(|pair| pair.as_rule() == Rule::habit_arrow).cloned();
        let said = self.arm_of_switch(kids, arrow.as_ref());
        if !said || arrow.is_none() {
            self.arrow(kids, "->");
        }
    }

    /// Answers another sign between the head of an arm and its step with the right one.
    fn arrow(&mut self, kids: &mut Kids<'_>, right: &str) {
        if let Some(habit) = kids.find(|r| matches!(r, Rule::habit_arrow | Rule::habit_split_arrow)) {
            let span = self.span(&habit);
            let message = format!("write `{right}` between an arm and its step");
            self.report(SyntaxError::new(codes::ARROW_SPELLING, span, message).fix(span, right));
        }
    }

    fn split_arms(&mut self, body: Option<Node<'_>>) -> Vec<SplitArm> {
        let Some(body) = body else { return Vec::new() };
        let mut kids = self.kids(body);
        let mut arms = Vec::new();
        while let Some(kid) = kids.next() {
            match kid.as_rule() {
                Rule::split_arm => arms.extend(self.split_arm(kid)),
                Rule::stray_line => self.stray_line(&kid, "an arm like `50% control: end`", &[]),
                _ => {}
            }
        }
        arms
    }

    fn split_arm(&mut self, pair: Node<'_>) -> Option<SplitArm> {
        let mut kids = self.kids(pair);
        self.arrow(&mut kids, ":");
        let share = kids.find(|r| matches!(r, Rule::percent | Rule::number))?;
        let share_span = self.span(&share);
        if share.as_rule() == Rule::number {
            let end = Span::new(self.file, share_span.end, share_span.end);
            self.report(SyntaxError::new(codes::BAD_PERCENT, share_span, "a share is a percentage").fix(end, "%"));
        }
        let share = self.percent(&share);
        let name = self.name(&mut kids);
        let step = self.one_step(&mut kids)?;
        Some(SplitArm { share: share?, share_span, name, step: *step })
    }

    fn repeat(&mut self, kids: &mut Kids<'_>) -> StepKind {
        let mut every = None;
        let mut times = None;
        if let Some(head) = kids.find(|r| matches!(r, Rule::repeat_every | Rule::repeat_times)) {
            let regular = head.as_rule() == Rule::repeat_every;
            let mut kids = self.kids(head);
            if regular {
                every = Some(self.rounds_by_word(&mut kids).unwrap_or_else(|| self.duration(&mut kids)));
            }
            if let Some(pair) = kids.take(Rule::habit_no_up_to) {
                times = self.rounds_without_up_to(pair);
            } else if let Some(pair) = kids.take(Rule::habit_count_x) {
                times = Some(self.rounds_by_sign(&pair));
            } else if let Some(pair) = kids.take(Rule::habit_count) {
                times = Some((self.counted(&pair), self.span(&pair)));
            } else if let Some(pair) = kids.take(Rule::integer) {
                times = Some((self.integer(&pair), self.span(&pair)));
            }
        }
        let block = self.body_of(kids);
        StepKind::Repeat { every, times, body: self.block(block) }
    }

    pub fn api_call(&mut self, pair: Node<'_>) -> Option<ApiCall> {
        let span = self.span(&pair);
        let mut kids = self.kids(pair);
        let api = self.name(&mut kids)?;
        let args = self.arguments(&mut kids);
        Some(ApiCall { api, args, span })
    }

    /// `(user.id, limit: 3)`
    pub fn arguments(&mut self, kids: &mut Kids<'_>) -> Vec<(Option<Name>, Expr)> {
        let mut args = Vec::new();
        while let Some(pair) = kids.take(Rule::argument) {
            let mut kids = self.kids(pair);
            let name = kids.take(Rule::word).map(|word| self.name_of(&word));
            args.push((name, self.value(&mut kids)));
        }
        args
    }
}
