//! What `portcullis render` gives for clusters, containers and hosts.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

#[path = "../envoy/authority.rs"]
mod authority;
mod boot_envoy;
mod boot_envoy_gateway;
mod boot_istio;
mod browser;
mod chart;
mod compose;
mod drift;
#[path = "../envoy/envoy.rs"]
#[expect(dead_code, reason = "the other tests of Envoy need more")]
mod envoy;
mod envoy_gateway;
mod host;
mod istio;
mod manifests;
mod render;
#[path = "../artifact/tools.rs"]
mod tools;
mod translate;
