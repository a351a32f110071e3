//! The harness of the black-box tests: both gateways, what stands around them, and a client that
//! sends bytes as they are.
//!
//! Everything listens on a free loopback port and ends with the value that owns it. A harness
//! fails by panicking: its caller is always a test.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a harness fails by panicking"
)]

pub mod authorization_server;
pub mod client;
pub mod folder;
pub mod gateway;
mod h2_client;
pub mod oauth_flow;
pub mod openid_provider;
pub mod process;
pub mod resource;
pub mod server;
pub mod signing;
pub mod wire;

pub use authorization_server::AuthorizationServer;
pub use client::{Connection, Protocol, Request, Response};
pub use gateway::{Gateway, Kind, Settings, free_address};
pub use openid_provider::OpenIdProvider;
pub use resource::EchoResource;
pub use server::{Answer, Behaviour, Gate};
pub use signing::{Alg, SigningKey};
