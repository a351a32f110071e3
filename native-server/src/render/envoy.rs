//! A complete bootstrap for Envoy.

use std::path::Path;

use crate::render::envoy_cluster::cluster;
use crate::render::envoy_listener::{http_listener, module_in, socket_address, wasm};
use crate::render::yaml::Yaml;
use crate::render::{Address, Install};

// Remarks for people who read the configuration.
const OF_ALL: &str =
    "Rendered by `portcullis render envoy`: render it again instead of editing it.";
const OF_WATCHED: &str = "Envoy takes a file up that is moved over this one, as render does; it \
    does not see one\nthat is edited in place.";
const OF_NODE: &str = "Without a name, Envoy discovers nothing, files included.";
const OF_STATISTICS: &str = "Turns parts of the names of the filter's metrics into labels.";

/// Where Envoy finds the filter.
#[derive(Clone, Copy)]
pub(crate) struct Filter<'a> {
    /// Its module.
    pub(crate) module: &'a Path,
    /// The file with its configuration, which Envoy watches; none where that is part of the
    /// bootstrap.
    pub(crate) watched: Option<&'a Path>,
}

/// Writes the bootstrap of `install`.
pub(crate) fn bootstrap(
    install: &Install,
    filter: Filter<'_>,
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
    if filter.watched.is_some() {
        let name = || Yaml::from("portcullis");
        let node = Yaml::map([("id", name()), ("cluster", name())]);
        bootstrap = bootstrap.with("node", node.noted(OF_NODE));
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

/// Writes the filter's configuration for the file that Envoy watches; `module` is its module.
pub(crate) fn watched_filter(install: &Install, module: &Path) -> String {
    let kind = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";
    let extension = Yaml::map([
        ("@type", kind.into()),
        ("name", "portcullis".into()),
        ("typed_config", wasm(install, module_in(module))),
    ]);
    Yaml::map([("resources", Yaml::list([extension]))])
        .noted(format!("{OF_ALL}\n{OF_WATCHED}"))
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
