//! Flow on live events: the same program and the same engine, with a journal, so that a crash at any point loses
//! nothing and sends nothing twice.
//!
//! ```text
//! calls ─accept→ lines ─commit→ journal ─apply→ host (engine, timers) ─→ outbox → channels
//!                                  ▲                                        │
//!                                  └──── outcomes, answers, ticks ──────────┘
//! ```
//!
//! Everything that comes from outside is a [`record::Record`]. It is certain on the disk before anybody is told, and
//! before anything is done about it. The state is a function of the records.

pub mod accept;
pub mod backup;
pub mod clock;
pub mod cloudevents;
pub mod core;
pub mod deliver;
pub mod disk;
pub mod door;
pub mod feed;
pub mod follow;
pub mod frame;
pub mod host;
pub mod http;
pub mod journal;
pub mod keys;
pub mod live;
pub mod log;
pub mod outbox;
pub mod plan;
pub mod record;
pub mod renew;
pub mod server;
pub mod setup;
pub mod shoot;
pub mod snapshot;
pub mod source;
pub mod store;
pub mod timeline;
pub mod trace;
