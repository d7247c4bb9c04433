//! `at most N CHANNEL per DUR for everyone`: messages wait for the first moment at which fewer than N were
//! handed over in the time before. What waited longest goes first.

use super::lane::Key;
use flow_compiler::bytecode::{Cap, ChannelId};
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

#[derive(Debug)]
struct Queue {
    channel: ChannelId,
    waiting: VecDeque<(Key, Vec<u8>)>,
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

    /// Whether messages on the channel are throttled at all.
    #[must_use]
    pub fn concern(&self, channel: ChannelId) -> bool {
        self.rules.iter().any(|rule| rule.concerns(channel))
    }

    /// Takes a message that is ready at the time of its key, and gives back whether it goes at once. Everything that
    /// can go before it must have been released.
    pub fn pass(&mut self, channel: ChannelId, key: Key, text: &[u8]) -> bool {
        let free = self.free_at(channel);
        let place = match self.queues.iter().position(|queue| queue.channel == channel) {
            Some(place) => place,
            None => {
                self.queues.push(Queue { channel, waiting: VecDeque::new() });
                self.queues.len() - 1
            }
        };
        let Some(queue) = self.queues.get_mut(place) else { return true };
        if queue.waiting.is_empty() && free <= key.0 {
            self.handed_over(channel, key.0);
            return true;
        }
        queue.waiting.push_back((key, text.to_vec()));
        false
    }

    /// The next message that can go at or before an instant, and when it goes.
    pub fn release(&mut self, until: i64) -> Option<(i64, Vec<u8>)> {
        let next = self.queues.iter().enumerate().filter_map(|(place, queue)| {
            let (key, _) = queue.waiting.front()?;
            Some((self.free_at(queue.channel).max(key.0), *key, place))
        });
        let (time, _, place) = next.min()?;
        if time > until {
            return None;
        }
        let queue = self.queues.get_mut(place)?;
        let channel = queue.channel;
        let (_, text) = queue.waiting.pop_front()?;
        self.handed_over(channel, time);
        Some((time, text))
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

    /// Runs messages (time, channel) through and gives (time, number) as they leave.
    fn run(caps: &[Cap], messages: &[(i64, u32)]) -> Vec<(i64, u8)> {
        let mut throttles = Throttles::new(caps);
        let mut out = Vec::new();
        for (number, (time, channel)) in messages.iter().enumerate() {
            while let Some((at, text)) = throttles.release(*time) {
                out.push((at, text[0]));
            }
            let key = (*time, Cause::Input(number as u64), 0, 0);
            if throttles.pass(ChannelId(*channel), key, &[number as u8]) {
                out.push((*time, number as u8));
            }
        }
        while let Some((at, text)) = throttles.release(1_000_000) {
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
    fn at_most_none_is_never() {
        assert_eq!(run(&[cap(0, None, 10)], &[(0, 0)]), []);
    }
}
