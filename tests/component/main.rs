//! The parity table through the WebAssembly component: the answers are those of the native binary.
//!
//! The component runs in Node.js, or in the program that `PORTCULLIS_COMPONENT_HOST` names, there
//! perhaps another build of it, that of `PORTCULLIS_COMPONENT`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "helpers of tests fail by panicking, and tables are as long as their rules are many"
)]

#[path = "../parity/groups/mod.rs"]
mod groups;
mod host;
mod rows;
mod server;
#[path = "../parity/table/mod.rs"]
#[expect(
    dead_code,
    reason = "the HTTP libraries below the two gateways are not tried here"
)]
mod table;
