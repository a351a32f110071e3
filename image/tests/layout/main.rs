//! The layouts as others read them: fetchers of filters, and `tar`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod bills;
mod contents;
mod fetcher;
mod fetching;
mod folder;
