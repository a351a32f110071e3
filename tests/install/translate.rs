//! What control planes make of manifests, as far as Envoy sees it.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::authority::socket;
use crate::envoy::{self, typed};

/// Where the hosts that manifests name are in a test.
#[derive(Default)]
pub(crate) struct World {
    hosts: BTreeMap<String, SocketAddr>,
    authorities: Option<String>,
}

impl World {
    /// Says where a host is.
    pub(crate) fn with(mut self, host: &str, address: SocketAddr) -> Self {
        self.hosts.insert(host.to_owned(), address);
        self
    }

    /// Says which authorities the proxy's system has.
    pub(crate) fn trusting(mut self, authorities: String) -> Self {
        self.authorities = Some(authorities);
        self
    }

    /// Makes the cluster of a host.
    pub(crate) fn cluster(&self, name: &str, host: &str) -> Value {
        let address = self.hosts.get(host);
        let address = address.unwrap_or_else(|| panic!("{host} is nowhere"));
        let mut cluster = envoy::cluster(&format!("http://{address}"));
        cluster["name"] = json!(name);
        cluster["load_assignment"]["cluster_name"] = json!(name);
        cluster
    }

    /// Makes the socket of a cluster that asks for `host`, and whose server must show one of
    /// `names`; any where there are none.
    pub(crate) fn tls(&self, host: &str, names: &[Value]) -> Value {
        let names = names.iter();
        let names = names.map(|name| json!({"san_type": "DNS", "matcher": {"exact": name}}));
        let validation = json!({
            "trusted_ca": {"filename": self.authorities.as_ref().unwrap()},
            "match_typed_subject_alt_names": names.collect::<Vec<Value>>(),
        });
        let context = json!({"validation_context": validation});
        socket(
            "UpstreamTlsContext",
            json!({"sni": host, "common_tls_context": context}),
        )
    }
}

/// Returns the objects of a kind.
pub(crate) fn all<'a>(objects: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    objects.iter().filter(move |object| object["kind"] == kind)
}

/// Returns the one object of a kind and name.
pub(crate) fn one<'a>(objects: &'a [Value], kind: &'a str, name: &str) -> &'a Value {
    let found = all(objects, kind).find(|object| object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// Returns the items of a list; none where there is no list.
pub(crate) fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

/// Returns a text.
pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}

/// Writes settings as control planes hand them over: a `Struct` of protobuf, where every number is
/// a double, as JSON in a `StringValue`.
pub(crate) fn string_value(settings: &Value) -> Value {
    let settings = settings.as_object().cloned().unwrap_or_default();
    let settings: Map<String, Value> = settings
        .into_iter()
        .map(|(name, value)| match value.as_f64() {
            Some(number) => (name, json!(number)),
            None => (name, value),
        })
        .collect();
    json!({
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        "value": Value::Object(settings).to_string(),
    })
}

/// Makes a filter that is discovered from a file, where a control plane would send it.
pub(crate) fn discovered(name: &str, folder: &Path) -> Value {
    json!({
        "name": name,
        "config_discovery": {
            "config_source": {
                "path_config_source": {"path": folder.join("ecds.json")},
                "initial_fetch_timeout": "0s",
                "resource_api_version": "V3",
            },
            "type_urls": [
                "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
                "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            ],
        },
    })
}

/// Publishes a filter's configuration, at once as a whole.
pub(crate) fn publish(folder: &Path, version: u32, extension: &Value) {
    let mut extension = extension.clone();
    extension["@type"] = json!("type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig");
    let resource = json!({"version_info": version.to_string(), "resources": [extension]});
    fs::write(folder.join("ecds.tmp"), resource.to_string()).unwrap();
    fs::rename(folder.join("ecds.tmp"), folder.join("ecds.json")).unwrap();
}

/// Makes what Istio's agent sends in place of a module that it cannot fetch: a filter of the same
/// name that denies all.
pub(crate) fn deny_all(name: &str) -> Value {
    let config = json!({"rules": {}, "rules_stat_prefix": "wasm-default-deny"});
    typed(name, "filters.http.rbac.v3.RBAC", config)
}

/// Makes the filter that answers preflights, for it comes behind ours in Istio.
pub(crate) fn cors() -> Value {
    typed(
        "envoy.filters.http.cors",
        "filters.http.cors.v3.Cors",
        json!({}),
    )
}

/// Makes the connection manager's listener.
pub(crate) fn listener(settings: Value, filters: Vec<Value>, hosts: Vec<Value>) -> Value {
    let mut listener = envoy::listener("gateway", filters, &json!({"name": "unused"}));
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    manager["route_config"] = json!({"name": "routes", "virtual_hosts": hosts});
    for (name, value) in settings.as_object().unwrap() {
        manager[name] = value.clone();
    }
    listener
}
