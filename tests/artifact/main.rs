//! What is shipped: the built module, the rendered bootstraps, the examples.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod bootstrap;
mod module;
mod observability;
mod tools;
