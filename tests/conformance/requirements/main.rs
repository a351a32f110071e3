//! What MCP asks of its authorization, one test a requirement, each through both hosts. The table
//! in `README.md` beside this folder names them by their numbers.
//!
//! In one process (`cargo test --test requirements`) all share what they start.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod authorize;
mod client;
mod consent;
#[path = "../../e2e/oauth/install.rs"]
#[expect(dead_code, reason = "the end-to-end tests use the rest")]
mod install;
mod metadata;
mod origin;
#[path = "../../e2e/programs.rs"]
#[expect(dead_code, reason = "the end-to-end tests use the rest")]
mod programs;
mod provider;
mod publisher;
mod redemption;
mod stand_in;
mod table;
mod token;
mod transport;
mod world;
