//! Configurations of other proxies for the same settings.

mod envoy;
mod envoy_cluster;
mod envoy_listener;
mod install;
mod yaml;

pub(crate) use envoy::bootstrap;
pub(crate) use install::{Address, Install};
