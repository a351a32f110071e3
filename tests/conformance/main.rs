//! The official conformance suite of MCP, through both gateways.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod authorization;
#[path = "../e2e/oauth/install.rs"]
#[expect(dead_code, reason = "the end-to-end tests use the rest")]
mod install;
#[path = "../e2e/programs.rs"]
#[expect(dead_code, reason = "the end-to-end tests use the rest")]
mod programs;
mod server;
mod suite;
