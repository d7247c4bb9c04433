//! The backends against peers: real ones where there are any, else the requests and answers of the providers'
//! documentation, all on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod bounces;
mod documented;
mod exec;
mod fetch;
mod pages;
mod push;
mod recorded;
mod smtp;
mod support;
mod webhook;
