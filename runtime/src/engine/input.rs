//! What the engine can be told about one person.

use crate::vm::value::Value;
use flow_compiler::bytecode::{AttrId, ChannelId, EventId, ListId, Outcome, TopicId};
use smallvec::SmallVec;

/// The fields of an event that the program reads. Of most events that is one, which stands in place: events are many, and
/// each would take a piece of memory of its own.
pub type Fields = SmallVec<[Value; 1]>;

/// Something that happened, or became known.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// An event.
    Event {
        /// Which.
        event: EventId,
        /// When it happened, milliseconds since 1970; not after `now`.
        time: i64,
        /// Its fields, in the event's order, already of the right types.
        fields: Fields,
    },
    /// What became of a message. Its event (`email.opened`), if the program has it, is part of this input.
    Outcome {
        /// The event of this channel and outcome, if the program knows it.
        event: Option<EventId>,
        /// On which channel.
        channel: ChannelId,
        /// What.
        outcome: Outcome,
        /// The message's id; none: the latest of that channel (and template).
        message: Option<u64>,
        /// The template, when the message's id is not told.
        template: Option<Box<str>>,
        /// A bounce that may pass.
        soft: bool,
        /// When it happened.
        time: i64,
    },
    /// Attributes became known; missing takes a value away.
    Attributes(Vec<(AttrId, Value)>),
    /// Consent was given or withdrawn; no topic: for all that are not transactional.
    Consent {
        /// Which.
        topic: Option<TopicId>,
        /// Given rather than withdrawn.
        given: bool,
    },
    /// Messages on a channel were asked for no longer (or again).
    Suppress {
        /// Which.
        channel: ChannelId,
        /// No longer, rather than again.
        suppressed: bool,
    },
    /// The person was put on a list.
    List(ListId),
    /// The answer to a request that an effect made; none: there is none.
    Answer {
        /// [`super::effect::Request::id`].
        request: u64,
        /// Of the API's type.
        answer: Option<Value>,
    },
    /// Several of these at once, taken as one input (an `identify` with traits and consent).
    Several(Vec<Input>),
}
