//! A complete bootstrap for Envoy.

use std::path::Path;

use crate::render::envoy_cluster::cluster;
use crate::render::envoy_listener::{http_listener, socket_address};
use crate::render::yaml::Yaml;
use crate::render::{Address, Install};

// Remarks for people who read the configuration.
const OF_ALL: &str =
    "Rendered by `portcullis render envoy`: render it again instead of editing it.";
const OF_STATISTICS: &str = "Turns parts of the names of the filter's metrics into labels.";

/// Writes the bootstrap of `install` with the filter in the file `filter`.
pub(crate) fn bootstrap(
    install: &Install,
    filter: &Path,
    admin: Option<Address>,
    authorities: &str,
) -> String {
    let upstream = cluster(&install.upstream, authorities).noted("The protected resource.");
    let calls = install.calls.iter().map(|url| {
        let called = cluster(url, authorities);
        called.noted("What the filter itself calls; the name is the one that it expects.")
    });
    let clusters = Yaml::list([upstream].into_iter().chain(calls));
    let listeners = Yaml::list([http_listener(install, filter)]);
    let mut bootstrap = Yaml::map([]);
    if let Some(admin) = admin {
        bootstrap = bootstrap.with("admin", Yaml::map([("address", socket_address(admin))]));
    }
    bootstrap
        .with(
            "static_resources",
            Yaml::map([("listeners", listeners), ("clusters", clusters)]),
        )
        .with("stats_config", stats_config().noted(OF_STATISTICS))
        .noted(OF_ALL)
        .document()
}

/// Turns the label parts of the filter's counters into labels.
fn stats_config() -> Yaml {
    let tag = |name: &str| {
        Yaml::map([
            ("tag_name", name.into()),
            (
                "regex",
                format!("^wasmcustom\\.portcullis_.*?(\\.{name}\\.(\\w+))").into(),
            ),
        ])
    };
    Yaml::map([(
        "stats_tags",
        Yaml::list(["mode", "outcome", "reason"].map(tag)),
    )])
}
