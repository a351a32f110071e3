//! The images of `make image` where they are for: in a registry, and as the root of a process.
//!
//! It takes minutes to build the static binary, so `make image-test` runs these and `make test`
//! does not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

#[path = "../layout/fetcher.rs"]
mod fetcher;
#[path = "../layout/folder.rs"]
#[expect(dead_code, reason = "the other tests look at files")]
mod folder;
mod images;
mod registry;
mod running;
