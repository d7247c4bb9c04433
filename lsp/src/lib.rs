//! The language server: `flowc lsp`.
//!
//! A plain loop over messages ([`server`]) keeps the texts that the editor has open; a [`world`] is
//! a project as the compiler sees it with those texts. Each feature is a function from a world and
//! a place in it to an answer in bytes of the source; [`handlers`] speaks the protocol. The server
//! reads files and writes none: what is to change is told to the editor.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod actions;
mod apart;
pub mod change;
pub mod complete;
pub mod context;
pub mod disk;
pub mod functions;
pub mod handlers;
pub mod highlight;
pub mod hints;
pub mod hover;
pub mod index;
pub mod keywords;
pub mod lex;
pub mod navigate;
pub mod outline;
pub mod place;
pub mod server;
pub mod world;

pub use server::serve;
