//! Client authentication for MCP servers: the engine that decides, without I/O.

#![no_std]
#![warn(
    missing_docs,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::alloc_instead_of_core
)]

extern crate alloc;

mod ambient;
pub mod config;
mod decision;
mod engine;
pub mod jose;
mod request;
mod rules;
mod secret;
mod session;
mod upstream;
mod url;

pub use ambient::{Ambient, UnixSeconds};
pub use config::Config;
pub use decision::{Decision, Forward, HeaderEdits, LocalResponse};
pub use engine::{Answer, Engine, PendingCall, PendingRequest, Step, Ticket, Wake};
pub use request::RequestHead;
pub use secret::{Digest, Secret};
pub use upstream::{CallFailure, CallOutcome, UpstreamCall, UpstreamResponse};
pub use url::HttpUrl;
