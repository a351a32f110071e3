//! What an EnvoyFilter patches into the gateway.

use crate::render::Install;
use crate::render::cluster::is_address;
use crate::render::envoy_cluster::cluster;
use crate::render::envoy_listener::wasm;
use crate::render::istio::Istio;
use crate::render::yaml::Yaml;

/// Where the proxy's image has the authorities that it trusts.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

impl Istio<'_> {
    /// Writes the patches: the filter, its configuration, and clusters that nothing else brings.
    pub(super) fn patches(&self, install: &Install) -> Yaml {
        let http = "envoy.filters.network.http_connection_manager";
        let listener = Yaml::map([(
            "filterChain",
            Yaml::map([("filter", Yaml::map([("name", http.into())]))]),
        )]);
        let kinds = ["wasm.v3.Wasm", "rbac.v3.RBAC"];
        let kinds = kinds.map(|kind| {
            Yaml::from(format!(
                "type.googleapis.com/envoy.extensions.filters.http.{kind}"
            ))
        });
        let discovery = Yaml::map([
            (
                "config_source",
                Yaml::map([
                    ("ads", Yaml::map([])),
                    ("initial_fetch_timeout", "0s".into()),
                    ("resource_api_version", "V3".into()),
                ]),
            ),
            (
                "type_urls",
                Yaml::list(kinds).noted(
                    "RBAC, which denies all, is what comes in place of a module that cannot be fetched.",
                ),
            ),
        ]);
        let filter = Yaml::map([
            ("name", self.extension().into()),
            ("config_discovery", discovery),
        ]);
        let gateway = ("context", Yaml::from("GATEWAY"));
        let mut patches = vec![
            patch(
                "HTTP_FILTER",
                Yaml::map([gateway.clone(), ("listener", listener)]),
                "INSERT_FIRST",
                filter,
            )
            .noted("Before all other filters, CORS included."),
            patch(
                "EXTENSION_CONFIG",
                Yaml::map([gateway.clone()]),
                "ADD",
                self.extension_config(install),
            ),
        ];
        let calls = install.calls.iter().filter(|url| is_address(url));
        patches.extend(calls.map(|url| {
            let own = cluster(url, AUTHORITIES);
            patch("CLUSTER", Yaml::map([gateway.clone()]), "ADD", own)
                .noted("A call goes to an address, which no ServiceEntry can name.")
        }));
        Yaml::List(patches)
    }

    fn extension(&self) -> String {
        format!("{}.{}", self.place.namespace, self.place.name)
    }

    fn extension_config(&self, install: &Install) -> Yaml {
        let fetched = Yaml::map([
            ("uri", self.filter.into()),
            (
                "cluster",
                Yaml::from("portcullis-fetch").noted("Required, not used: Istio's agent fetches."),
            ),
            ("timeout", "30s".into()),
        ]);
        let code = Yaml::map([("remote", Yaml::map([("http_uri", fetched)]))]);
        Yaml::map([
            ("name", self.extension().into()),
            ("typed_config", wasm(install, code)),
        ])
    }
}

fn patch(apply_to: &str, matched: Yaml, operation: &str, value: Yaml) -> Yaml {
    let patch = Yaml::map([("operation", operation.into()), ("value", value)]);
    Yaml::map([
        ("applyTo", apply_to.into()),
        ("match", matched),
        ("patch", patch),
    ])
}
