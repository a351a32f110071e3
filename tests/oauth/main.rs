//! Signing in through both gateways: at providers with quirks of their own, and against people who
//! mean harm.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "helpers of tests fail by panicking, and tables are as long as their rules are many"
)]

mod hostile;
mod quirks;
mod trial;
