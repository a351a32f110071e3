//! What only Envoy can show: worker threads, calls that fail in its own ways, reloads, plugins
//! side by side, and input that would kill a careless VM.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod authority;
mod bodies;
mod calls;
mod crowd;
mod envoy;
mod failure;
mod hostile;
mod lease;
mod memory;
mod plugins;
mod registrations;
mod reload;
mod seen;
mod settings;
mod signatures;
mod tls;
#[path = "../artifact/tools.rs"]
mod tools;
