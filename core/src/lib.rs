//! Client authentication for MCP servers: the engine that decides, without I/O.
//!
//! In scope: which requests may pass to the protected resource, what it is told of the caller,
//! and what a refused client is told. Out of scope: sockets, clocks, randomness, logs, HTTP
//! parsing. A host brings those and carries the decisions out; two exist, an Envoy filter and a
//! native reverse proxy, and both are the same loop:
//!
//! ```text
//!                handle_request                    Forward ──▶ protected resource
//! RequestHead ──▶ rules ──▶ credentials ──▶ Step ─┬─ Decide ─┤
//!                                            ▲    │          Respond ──▶ client
//!                         handle_wake(answer)└────┴─ Wait: the host parks the request
//!
//! poll_call ──▶ UpstreamCall: the host sends it ──▶ handle_upstream(outcome) ──▶ Wake: who goes on
//! ```
//!
//! No request owns a call: many may wait for one, and a client that leaves cancels nothing.
//!
//! # Example
//!
//! ```
//! use portcullis_core::config::Config;
//! use portcullis_core::jose::PortableVerifier;
//! use portcullis_core::modes::{ApiKeyMode, Mode};
//! use portcullis_core::{
//!     Ambient, Decision, Engine, Peer, RequestHead, Seed, Step, UnixSeconds,
//! };
//!
//! let mode = Mode::ApiKey(ApiKeyMode::parse("correct horse battery staple")?);
//! // From the host's source of random numbers.
//! let seed = Seed::new([7; 32]);
//! let mut engine = Engine::new(Config::new(mode), Box::new(PortableVerifier::new()), seed);
//! let head = RequestHead {
//!     method: b"POST",
//!     authority: b"mcp.example.com",
//!     path: b"/mcp",
//!     headers: &[("authorization", b"Bearer correct horse battery staple")],
//!     peer: Peer::Unknown,
//! };
//! let step = engine.handle_request(&head, Ambient { now: UnixSeconds(1_800_000_000) });
//! assert!(matches!(step, Step::Decide(Decision::Forward(_))));
//! # Ok::<(), &'static str>(())
//! ```

#![no_std]
#![warn(
    missing_docs,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::alloc_instead_of_core
)]

extern crate alloc;

mod ambient;
pub mod attempts;
pub mod audit;
mod cache;
mod calendar;
pub mod config;
mod credentials;
mod decision;
mod denial;
mod digest;
mod endpoint;
mod engine;
mod entropy;
pub mod explain;
mod finding;
mod flights;
mod identity;
pub mod jose;
mod json;
pub mod modes;
mod oauth;
mod observation;
mod passage;
mod readiness;
mod reason;
mod request;
mod resource;
pub mod rules;
mod scope;
mod seed;
mod session;
mod step;
mod trace_state;
mod upstream;
mod url;

pub use ambient::{Ambient, UnixSeconds};
pub use calendar::Timestamp;
pub use config::Config;
pub use decision::{Decision, Forward, HeaderEdits, LocalResponse, Outcome};
pub use digest::Digest;
pub use engine::Engine;
pub use finding::{Finding, Hearsay};
pub use identity::IDENTITY_FIELDS;
pub use observation::{CacheFacts, KeyFacts, KeySetFacts, Observation};
pub use reason::Reason;
pub use request::{Peer, RequestHead};
pub use resource::{ProtectedResource, ResourceFault};
pub use seed::Seed;
pub use step::{
    Answer, Opening, Origin, PendingBody, PendingCall, PendingCheck, PendingRequest, RequestBody,
    Step, Ticket, Wake,
};
pub use trace_state::TraceState;
pub use upstream::{
    CallFailure, CallOutcome, Reach, UpstreamCall, UpstreamResponse, call_outcome_name,
};
pub use url::HttpUrl;
