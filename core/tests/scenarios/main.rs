//! Whole conversations with the engine, on a virtual clock.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and takes what it needs of its own data"
)]

mod answers;
mod api_key;
mod attempts;
mod config;
mod hostile;
mod jwks;
mod jwt;
mod model;
mod oidc;
mod readiness;
mod request;
mod rules;
mod server;
mod sessions;
mod signer;
mod support;
mod zscaler;
