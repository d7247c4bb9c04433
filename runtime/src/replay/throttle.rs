//! `at most N CHANNEL per DUR for everyone`: messages wait for the first moment at which fewer than N were
//! handed over in the time before. What waited longest goes first.
//!
//! What waits is judged again: it is let go of when the person leaves the journey by an exit, withdraws the topic's
//! consent or can be reached no more ([`Throttles::withdraw`]), and quiet hours put it off further.

use super::lane::Key;
use crate::engine::effect::{Cause, Message, Withdrawal};
use crate::engine::{Engine, Person};
use crate::pack::{self, Damaged, Read, Unpack};
use flow_compiler::bytecode::{Cap, ChannelId, JourneyId, TopicId};
use jiff::tz::TimeZone;
use std::collections::VecDeque;

/// All throttles of a program.
#[derive(Debug, Default)]
pub struct Throttles {
    rules: Vec<Rule>,
    queues: Vec<Queue>,
}

#[derive(Debug)]
struct Rule {
    count: usize,
    channel: Option<ChannelId>,
    window: i64,
    /// When the last `count` messages were handed over.
    sent: VecDeque<i64>,
}

/// What is judged of a message when it leaves at last.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// By which channel it goes.
    pub channel: ChannelId,
    /// Whose consent it needs.
    pub topic: TopicId,
    /// From which journey.
    pub journey: JourneyId,
    /// When its entry began.
    pub entry: i64,
    /// The person's time zone when it was handed over, for quiet hours.
    pub zone: TimeZone,
}

#[derive(Debug)]
struct Queue {
    channel: ChannelId,
    /// In the order of their keys.
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    /// When it is ready to go, and its place among those of that instant.
    key: Key,
    ticket: Ticket,
    text: Vec<u8>,
}

impl Ticket {
    /// That of a message; none: no throttle concerns it.
    #[must_use]
    pub fn of(engine: &Engine, person: &Person, message: &Message) -> Option<Self> {
        let program = engine.program();
        let concerned = program.policy.throttles.iter().any(|cap| cap.channel.is_none_or(|c| c == message.channel));
        (concerned && !program.is_transactional(message.topic)).then(|| Self {
            channel: message.channel,
            topic: message.topic,
            journey: message.at.journey,
            entry: message.entry,
            zone: engine.zone_of(person).clone(),
        })
    }

    /// The end of the quiet hours, when it is quiet for it.
    #[must_use]
    pub fn quiet_until(&self, engine: &Engine, now: i64) -> Option<i64> {
        engine.quiet_until(&self.zone, self.channel, now)
    }

    fn is_withdrawn(&self, what: Withdrawal) -> bool {
        match what {
            Withdrawal::Entry { journey, entry } => self.journey == journey && self.entry == entry,
            Withdrawal::Topic(topic) => self.topic == topic,
            Withdrawal::Channel(channel) => self.channel == channel,
        }
    }
}

impl Queue {
    fn add(&mut self, waiting: Waiting) {
        let place = self.waiting.partition_point(|other| other.key <= waiting.key);
        self.waiting.insert(place, waiting);
    }
}

impl Throttles {
    /// Those of a policy.
    #[must_use]
    pub fn new(caps: &[Cap]) -> Self {
        let rules = caps.iter().map(|cap| Rule {
            count: cap.count as usize,
            channel: cap.channel,
            window: cap.window,
            sent: VecDeque::new(),
        });
        Self { rules: rules.collect(), queues: Vec::new() }
    }

    /// Takes a message that is ready at the time of its key, and gives back whether it goes at once. Everything that
    /// can go before it must have been released.
    pub fn pass(&mut self, key: Key, ticket: &Ticket, text: &[u8]) -> bool {
        let channel = ticket.channel;
        let free = self.free_at(channel);
        let place = match self.queues.iter().position(|queue| queue.channel == channel) {
            Some(place) => place,
            None => {
                self.queues.push(Queue { channel, waiting: VecDeque::new() });
                self.queues.len() - 1
            }
        };
        let Some(queue) = self.queues.get_mut(place) else { return true };
        // Those that wait for the end of quiet hours are not in its way.
        let first = queue.waiting.front().is_none_or(|waiting| waiting.key > key);
        if first && free <= key.0 {
            self.handed_over(channel, key.0);
            return true;
        }
        queue.add(Waiting { key, ticket: ticket.clone(), text: text.to_vec() });
        false
    }

    /// The next message that can go at or before an instant, and when it goes: not before `floor`, so that what
    /// should have left while a machine slept does not leave all at once (in simulated time, `i64::MIN`). `quiet` tells
    /// of a message until when it is quiet: so long it waits on, and others go before it.
    pub fn release(
        &mut self,
        until: i64,
        floor: i64,
        quiet: impl Fn(&Ticket, i64) -> Option<i64>,
    ) -> Option<(i64, Vec<u8>)> {
        loop {
            let (time, place) = self.next()?;
            let time = time.max(floor);
            if time > until {
                return None;
            }
            let queue = self.queues.get_mut(place)?;
            let waiting = queue.waiting.pop_front()?;
            let channel = queue.channel;
            match quiet(&waiting.ticket, time) {
                Some(end) if end > time => {
                    queue.add(Waiting { key: (end, waiting.key.1, waiting.key.2, waiting.key.3), ..waiting })
                }
                _ => {
                    self.handed_over(channel, time);
                    return Some((time, waiting.text));
                }
            }
        }
    }

    /// Removes what waits and is of somebody who was forgotten, as its text says.
    pub fn forget(&mut self, theirs: impl Fn(&[u8]) -> bool) {
        for queue in &mut self.queues {
            queue.waiting.retain(|waiting| !theirs(&waiting.text));
        }
    }

    /// Lets go of messages of a person that must not leave any more, and gives them back.
    pub fn withdraw(&mut self, person: u64, what: Withdrawal) -> Vec<Vec<u8>> {
        let mut gone = Vec::new();
        for queue in &mut self.queues {
            queue.waiting.retain_mut(|waiting| {
                let goes = waiting.key.2 == person && waiting.ticket.is_withdrawn(what);
                if goes {
                    gone.push(std::mem::take(&mut waiting.text));
                }
                !goes
            });
        }
        gone
    }

    fn next(&self) -> Option<(i64, usize)> {
        let next = self.queues.iter().enumerate().filter_map(|(place, queue)| {
            let waiting = queue.waiting.front()?;
            Some((self.free_at(queue.channel).max(waiting.key.0), waiting.key, place))
        });
        next.min().map(|(time, _, place)| (time, place))
    }

    /// When the next message can go.
    #[must_use]
    pub fn next_release(&self) -> Option<i64> {
        self.next().map(|(time, _)| time)
    }

    /// Appends what was handed over and what waits, for a snapshot.
    pub fn save(&self, out: &mut Vec<u8>) {
        pack::size(out, self.rules.len());
        for rule in &self.rules {
            pack::size(out, rule.sent.len());
            rule.sent.iter().for_each(|time| pack::instant(out, *time));
        }
        pack::size(out, self.queues.len());
        for queue in &self.queues {
            pack::uint(out, u64::from(queue.channel.0));
            pack::size(out, queue.waiting.len());
            for Waiting { key: (time, cause, person, order), ticket, text } in &queue.waiting {
                pack::instant(out, *time);
                let (kind, a, b) = match cause {
                    Cause::Input(number) => (0, *number, 0),
                    Cause::Timer(journey, entry) => (1, u64::from(journey.0), *entry),
                };
                out.push(kind);
                pack::uint(out, a);
                pack::instant(out, b);
                pack::uint(out, *person);
                pack::uint(out, *order);
                pack::uint(out, u64::from(ticket.topic.0));
                pack::uint(out, u64::from(ticket.journey.0));
                pack::instant(out, ticket.entry);
                pack::text_or_none(out, ticket.zone.iana_name());
                pack::bytes(out, text);
            }
        }
    }

    /// Reads what [`Self::save`] wrote of throttles of the same policy.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub fn restore(&mut self, read: &mut Unpack<'_>, zone: impl Fn(Option<&str>) -> TimeZone) -> Read<()> {
        if read.count()? != self.rules.len() {
            return Err(Damaged("state of these throttles"));
        }
        for rule in &mut self.rules {
            rule.sent = read.list(Unpack::instant)?.into();
        }
        self.queues = read.list(|read| {
            let channel = ChannelId(read.small()?);
            let waiting = read.list(|read| {
                let (time, kind) = (read.instant()?, read.byte()?);
                let (a, b) = (read.uint()?, read.instant()?);
                let cause = match kind {
                    0 => Cause::Input(a),
                    _ => Cause::Timer(JourneyId(u32::try_from(a).map_err(|_| Damaged("journey"))?), b),
                };
                let key = (time, cause, read.uint()?, read.uint()?);
                let (topic, journey) = (TopicId(read.small()?), JourneyId(read.small()?));
                let (entry, zone) = (read.instant()?, zone(read.text_or_none()?));
                let ticket = Ticket { channel, topic, journey, entry, zone };
                Ok(Waiting { key, ticket, text: read.bytes()?.to_vec() })
            })?;
            Ok(Queue { channel, waiting: waiting.into() })
        })?;
        Ok(())
    }

    /// The same under another policy: rules of one window and channel go on from where they are, and what waits goes on
    /// waiting. `channel` and `moved` give what a channel, and a message that waits, are there. Gives also what waited for
    /// a channel that is gone.
    #[must_use]
    pub fn succeed(
        &self,
        caps: &[Cap],
        channel: impl Fn(ChannelId) -> Option<ChannelId>,
        moved: impl Fn(&Ticket, &[u8]) -> Option<(Ticket, Vec<u8>)>,
    ) -> (Self, Vec<Vec<u8>>) {
        let (mut next, mut gone) = (Self::new(caps), Vec::new());
        for rule in &mut next.rules {
            let same = |old: &&Rule| old.window == rule.window && old.channel.map(&channel) == rule.channel.map(Some);
            let Some(old) = self.rules.iter().find(same) else { continue };
            rule.sent = old.sent.iter().rev().take(rule.count).rev().copied().collect();
        }
        for queue in &self.queues {
            let Some(channel) = channel(queue.channel) else {
                let moved = |waiting: &Waiting| Some(moved(&waiting.ticket, &waiting.text)?.1);
                gone.extend(queue.waiting.iter().filter_map(moved));
                continue;
            };
            let moved = |waiting: &Waiting| {
                let (ticket, text) = moved(&waiting.ticket, &waiting.text)?;
                Some(Waiting { key: waiting.key, ticket, text })
            };
            let waiting = queue.waiting.iter().filter_map(moved);
            next.queues.push(Queue { channel, waiting: waiting.collect() });
        }
        (next, gone)
    }

    /// How many messages wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queues.iter().map(|queue| queue.waiting.len()).sum()
    }

    /// When the channel's throttles let a message through.
    fn free_at(&self, channel: ChannelId) -> i64 {
        self.rules.iter().filter(|rule| rule.concerns(channel)).map(Rule::free_at).max().unwrap_or(i64::MIN)
    }

    fn handed_over(&mut self, channel: ChannelId, time: i64) {
        for rule in self.rules.iter_mut().filter(|rule| rule.concerns(channel)) {
            rule.sent.push_back(time);
            if rule.sent.len() > rule.count {
                rule.sent.pop_front();
            }
        }
    }
}

impl Rule {
    fn concerns(&self, channel: ChannelId) -> bool {
        self.channel.is_none_or(|only| only == channel)
    }

    /// The window is open at its old end: exactly its length later, a message counts no longer.
    fn free_at(&self) -> i64 {
        match self.sent.front() {
            _ if self.count == 0 => i64::MAX,
            Some(oldest) if self.sent.len() >= self.count => oldest.saturating_add(self.window),
            _ => i64::MIN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::effect::Cause;
    use flow_grammar::span::Span;

    fn cap(count: u32, channel: Option<u32>, window: i64) -> Cap {
        Cap { count, channel: channel.map(ChannelId), window, span: Span::default() }
    }

    fn ticket(channel: u32) -> Ticket {
        let (topic, journey) = (TopicId(0), JourneyId(0));
        Ticket { channel: ChannelId(channel), topic, journey, entry: 7, zone: TimeZone::UTC }
    }

    fn loud(_: &Ticket, _: i64) -> Option<i64> {
        None
    }

    /// Runs messages (time, channel) through and gives (time, number) as they leave.
    fn run(caps: &[Cap], messages: &[(i64, u32)]) -> Vec<(i64, u8)> {
        let mut throttles = Throttles::new(caps);
        let mut out = Vec::new();
        for (number, (time, channel)) in messages.iter().enumerate() {
            while let Some((at, text)) = throttles.release(*time, i64::MIN, loud) {
                out.push((at, text[0]));
            }
            let key = (*time, Cause::Input(number as u64), 0, 0);
            if throttles.pass(key, &ticket(*channel), &[number as u8]) {
                out.push((*time, number as u8));
            }
        }
        while let Some((at, text)) = throttles.release(1_000_000, i64::MIN, loud) {
            out.push((at, text[0]));
        }
        assert_eq!(throttles.waiting(), messages.len() - out.len());
        out
    }

    #[test]
    fn a_burst_leaves_at_the_pace_of_the_window() {
        let burst = [(0, 0), (0, 0), (1, 0), (1, 0), (25, 0)];
        assert_eq!(run(&[cap(2, None, 10)], &burst), [(0, 0), (0, 1), (10, 2), (10, 3), (25, 4)]);
    }

    #[test]
    fn a_window_is_open_at_its_old_end() {
        assert_eq!(run(&[cap(1, None, 10)], &[(0, 0), (10, 0), (19, 0)]), [(0, 0), (10, 1), (20, 2)]);
    }

    #[test]
    fn other_channels_pass_what_waits() {
        let out = run(&[cap(1, Some(0), 100)], &[(0, 0), (1, 0), (2, 1), (3, 1)]);
        assert_eq!(out, [(0, 0), (2, 2), (3, 3), (100, 1)]);
    }

    #[test]
    fn several_windows_hold_together() {
        let caps = [cap(1, None, 10), cap(1, Some(0), 100)];
        // The second email waits for its own window, and then for the sms at 95.
        assert_eq!(run(&caps, &[(0, 0), (1, 0), (95, 1)]), [(0, 0), (95, 2), (105, 1)]);
    }

    #[test]
    fn what_was_slept_through_leaves_at_the_pace_of_the_window_all_the_same() {
        let mut throttles = Throttles::new(&[cap(2, None, 10)]);
        for number in 0..5 {
            throttles.pass((0, Cause::Input(number), 0, 0), &ticket(0), &[number as u8]);
        }
        assert_eq!(throttles.next_release(), Some(10));
        let mut bytes = Vec::new();
        throttles.save(&mut bytes);
        let mut throttles = Throttles::new(&[cap(2, None, 10)]);
        throttles.restore(&mut Unpack::new(&bytes), |_| TimeZone::UTC).unwrap();
        let mut left = Vec::new();
        for now in [1_000, 1_005, 1_010] {
            while let Some((at, text)) = throttles.release(now, now, loud) {
                left.push((at, text[0]));
            }
        }
        assert_eq!(left, [(1_000, 2), (1_000, 3), (1_010, 4)]);
    }

    #[test]
    fn what_is_quiet_waits_and_others_go_before_it() {
        let mut throttles = Throttles::new(&[cap(1, None, 10)]);
        let evening = Ticket { topic: TopicId(1), ..ticket(0) };
        throttles.pass((0, Cause::Input(0), 0, 0), &ticket(0), b"a");
        throttles.pass((0, Cause::Input(1), 1, 1), &evening, b"b");
        throttles.pass((0, Cause::Input(2), 2, 2), &ticket(0), b"c");
        let quiet = |ticket: &Ticket, now: i64| (ticket.topic == TopicId(1) && now < 50).then_some(50);
        let mut left = Vec::new();
        while let Some((at, text)) = throttles.release(100, i64::MIN, quiet) {
            left.push((at, text));
        }
        assert_eq!(left, [(10, b"c".to_vec()), (50, b"b".to_vec())]);
    }

    #[test]
    fn what_is_withdrawn_leaves_its_place_to_the_next() {
        let mut throttles = Throttles::new(&[cap(1, None, 10)]);
        for person in 0..4 {
            throttles.pass((0, Cause::Input(person), person, 0), &ticket(0), &[person as u8]);
        }
        assert_eq!(throttles.withdraw(1, Withdrawal::Topic(TopicId(9))), Vec::<Vec<u8>>::new());
        assert_eq!(throttles.withdraw(1, Withdrawal::Topic(TopicId(0))), [[1]]);
        assert_eq!(throttles.withdraw(2, Withdrawal::Entry { journey: JourneyId(0), entry: 7 }), [[2]]);
        assert_eq!(throttles.release(100, i64::MIN, loud), Some((10, vec![3])));
    }

    #[test]
    fn at_most_none_is_never() {
        assert_eq!(run(&[cap(0, None, 10)], &[(0, 0)]), []);
    }
}
