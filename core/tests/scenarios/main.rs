//! Whole conversations with the engine, on a virtual clock.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and takes what it needs of its own data"
)]

mod answers;
mod api_key;
mod api_keys;
mod attempts;
mod client_documents;
mod config;
mod explain;
mod hostile;
mod jwks;
mod jwt;
mod model;
mod oidc;
mod oidc_proxy;
mod oidc_proxy_hostile;
mod readiness;
mod reasons;
mod request;
mod rules;
mod server;
mod sessions;
mod sign_in;
mod signer;
mod succession;
mod support;
mod zscaler;
