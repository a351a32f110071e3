//! The Markdown pages: their commands are run, their links lead somewhere, and the settings that
//! they name exist.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod blocks;
mod checkout;
mod expected;
mod links;
mod markdown;
mod migration;
mod namespace;
mod readme;
mod refusals;
mod settings;
