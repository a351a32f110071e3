//! Configurations of other proxies for the same settings.

mod cluster;
mod compose;
mod envoy;
mod envoy_cluster;
mod envoy_gateway;
mod envoy_listener;
mod files;
mod helm;
mod http_route;
mod install;
mod istio;
mod kubernetes;
mod pod;
mod stopping;
mod systemd;
mod yaml;

pub(crate) use cluster::{Place, check_named, check_reachable};
pub(crate) use compose::{SERVER, compose};
pub(crate) use envoy::{Filter, bootstrap, watched_filter};
pub(crate) use envoy_gateway::EnvoyGateway;
pub(crate) use files::{File, MARK, as_one};
pub(crate) use helm::{ChartShape, chart_values};
pub(crate) use install::{Address, Install, Role};
pub(crate) use istio::{Gateway as IstioGateway, Istio, Kind as IstioKind};
pub(crate) use kubernetes::kubernetes;
pub(crate) use systemd::systemd;
