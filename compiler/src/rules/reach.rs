//! A message that reaches nobody, because the way to it says so: `can email` does not hold there, or the contact is
//! missing.

use super::facts::{Facts, Var};
use super::values::{Known, Values};
use crate::bytecode::{ChannelId, Program, Send};
use flow_grammar::span::Span;

/// Whether nobody who comes here can get the message, and what says so.
pub(super) fn blocked(program: &Program, send: &Send, known: &Facts) -> Option<Option<Span>> {
    if send.to.is_some() || send.channels.is_empty() {
        return None;
    }
    let mut because = None;
    for channel in &send.channels {
        because = because.or(closed(program, *channel, send, known)?);
    }
    Some(because)
}

/// Whether a channel is closed to everybody here.
fn closed(program: &Program, channel: ChannelId, send: &Send, known: &Facts) -> Option<Option<Span>> {
    if let Some(fact) = known.get(Var::Can(channel, send.topic)) {
        if is_false(&fact.values) {
            return Some(fact.because);
        }
    }
    let contact = program.channels.get(channel.index())?.contact?;
    let fact = known.get(Var::Attr(contact))?;
    (fact.values.missing && fact.values.known == Known::Nothing).then_some(fact.because)
}

fn is_false(values: &Values) -> bool {
    matches!(values.known, Known::Bools { yes: false, .. } | Known::Nothing)
}
