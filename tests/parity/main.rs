//! The same requests through both gateways: equal answers, equal traffic to the outside.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "helpers of tests fail by panicking, and tables are as long as their rules are many"
)]

mod bodies;
mod groups;
mod jwks;
mod pair;
mod rows;
mod session;
mod sign_in;
mod start_up;
mod streaming;
mod table;
mod token_endpoint;
