//! The filter in Envoy Gateway: its manifests as the controller hands them to Envoy.

use serde_json::{Value, json};

use crate::envoy::{self, typed};
use crate::tools;
use crate::translate::{World, all, items, listener, one, string_value, text};

const RBAC: &str = "envoy.filters.http.rbac";

/// Where the proxy gets the module from.
#[derive(Clone, Copy)]
pub(crate) enum Module {
    /// It was fetched.
    Local,
    /// Nobody answers where it should be fetched.
    Unreachable,
}

/// Translates the objects of `render envoy-gateway`.
pub(crate) fn translate(objects: &[Value], world: &World, module: Module) -> Value {
    let clients = all(objects, "ClientTrafficPolicy").next().unwrap();
    let removed = items(&clients["spec"]["headers"]["earlyRequestHeaders"]["remove"]);
    let removals: Vec<Value> = removed.iter().map(|name| json!({"remove": name})).collect();
    let early = typed(
        "envoy.http.early_header_mutation.header_mutation",
        "http.early_header_mutation.header_mutation.v3.HeaderMutation",
        json!({"mutations": removals}),
    );
    // What Envoy Gateway sets for every listener.
    let settings = json!({
        "use_remote_address": true,
        "normalize_path": true,
        "merge_slashes": true,
        "path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT",
        "common_http_protocol_options": {"headers_with_underscores_action": "REJECT_REQUEST"},
        "early_header_mutation_extensions": [early],
        "stream_idle_timeout": clients["spec"]["timeout"]["http"]["streamIdleTimeout"],
    });
    let mut filters: Vec<Value> = all(objects, "EnvoyExtensionPolicy")
        .map(|policy| wasm(policy, module))
        .collect();
    filters.push(typed(RBAC, "filters.http.rbac.v3.RBAC", json!({})));
    let routes: Vec<&Value> = all(objects, "HTTPRoute").collect();
    let hosts = virtual_hosts(objects, &routes);
    let mut listener = listener(settings, filters, hosts);
    listener["per_connection_buffer_limit_bytes"] = json!(32768);
    let mut clusters: Vec<Value> = routes
        .iter()
        .flat_map(|route| route_clusters(objects, route, world))
        .collect();
    let mut nowhere = envoy::cluster("http://127.0.0.1:9");
    nowhere["name"] = json!("wasm_cluster");
    nowhere["load_assignment"]["cluster_name"] = json!("wasm_cluster");
    clusters.push(nowhere);
    envoy::bootstrap_of(vec![listener], clusters)
}

fn qualified(object: &Value) -> String {
    let metadata = &object["metadata"];
    format!(
        "{}/{}",
        text(&metadata["namespace"]),
        text(&metadata["name"])
    )
}

fn filter_name(policy: &Value) -> String {
    let policy = qualified(policy);
    format!("envoy.filters.http.wasm/envoyextensionpolicy/{policy}/wasm/0")
}

/// The filter is off, and switched on by the routes that the policy is for.
fn wasm(policy: &Value, module: Module) -> Value {
    let plugin = &policy["spec"]["wasm"][0];
    let name = filter_name(policy);
    let code = match module {
        Module::Local => json!({"local": {"filename": tools::wasm()}}),
        Module::Unreachable => json!({"remote": {
            "http_uri": {"uri": "http://wasm/module", "cluster": "wasm_cluster", "timeout": "1s"},
            "sha256": "0".repeat(64),
            "retry_policy": {"num_retries": 1},
        }}),
    };
    let config = json!({
        "name": name,
        "root_id": plugin["rootID"],
        "fail_open": plugin["failOpen"],
        "configuration": string_value(&plugin["config"]),
        "vm_config": {
            "vm_id": name.trim_start_matches("envoy.filters.http.wasm/"),
            "runtime": "envoy.wasm.runtime.v8",
            "code": code,
            "environment_variables": {"host_env_keys": plugin["env"]["hostKeys"]},
        },
    });
    let mut filter = typed(
        &name,
        "filters.http.wasm.v3.Wasm",
        json!({"config": config}),
    );
    filter["disabled"] = json!(true);
    filter
}

/// Returns the policies of a kind that are for a route.
fn policies<'a>(
    objects: &'a [Value],
    kind: &'a str,
    route: &'a Value,
) -> impl Iterator<Item = &'a Value> {
    all(objects, kind).filter(move |policy| {
        let targets = items(&policy["spec"]["targetRefs"]);
        targets
            .iter()
            .any(|target| target["name"] == route["metadata"]["name"])
    })
}

fn virtual_hosts(objects: &[Value], routes: &[&Value]) -> Vec<Value> {
    let hostnames = |route: &Value| match items(&route["spec"]["hostnames"]) {
        [] => vec![json!("*")],
        hosts => hosts.to_vec(),
    };
    let mut all_hosts: Vec<Value> = routes.iter().flat_map(|route| hostnames(route)).collect();
    all_hosts.sort_by_key(ToString::to_string);
    all_hosts.dedup();
    let hosts = all_hosts.into_iter().enumerate().map(|(number, host)| {
        let of_host = routes
            .iter()
            .filter(|route| hostnames(route).contains(&host));
        let mut entries: Vec<Value> = of_host.flat_map(|route| entries(objects, route)).collect();
        // The most specific path wins, whichever route it is of.
        entries.sort_by_key(|entry| std::cmp::Reverse(entry["match"].to_string().len()));
        json!({"name": format!("host-{number}"), "domains": [host], "routes": entries})
    });
    hosts.collect()
}

fn entries(objects: &[Value], route: &Value) -> Vec<Value> {
    let mut config = json!({});
    for policy in policies(objects, "EnvoyExtensionPolicy", route) {
        config[filter_name(policy)] = json!({
            "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
            "config": {},
        });
    }
    for policy in policies(objects, "SecurityPolicy", route) {
        config[RBAC] = authorization(&policy["spec"]["authorization"]);
    }
    let rules = items(&route["spec"]["rules"]).iter().enumerate();
    let entries = rules.flat_map(|(index, rule)| {
        let mut action = json!({
            "cluster": format!("httproute/{}/rule/{index}", qualified(route)),
        });
        if let Some(timeout) = rule["timeouts"]["request"].as_str() {
            action["timeout"] = json!(timeout);
        }
        for filter in items(&rule["filters"]) {
            action["host_rewrite_literal"] = filter["urlRewrite"]["hostname"].clone();
        }
        let config = &config;
        items(&rule["matches"]).iter().map(move |matched| {
            let path = &matched["path"];
            let matched = match (text(&path["type"]), text(&path["value"])) {
                ("Exact", path) => json!({"path": path}),
                (_, "/") => json!({"prefix": "/"}),
                (_, path) => json!({"path_separated_prefix": path}),
            };
            json!({"match": matched, "route": action, "typed_per_filter_config": config})
        })
    });
    entries.collect()
}

/// The first rule that matches decides, else the default.
fn authorization(authorization: &Value) -> Value {
    let action = |name: &str, action: &Value| {
        let action = text(action).to_uppercase();
        let kind = "type.googleapis.com/envoy.config.rbac.v3.Action";
        let config = json!({"@type": kind, "name": action, "action": action});
        json!({"action": {"name": name, "typed_config": config}})
    };
    let matchers = items(&authorization["rules"]).iter().map(|rule| {
        let header = &rule["principal"]["headers"][0];
        let kind = "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput";
        let input = json!({"@type": kind, "header_name": header["name"]});
        let predicate = json!({
            "input": {"name": "http_header", "typed_config": input},
            "value_match": {"exact": header["values"][0]},
        });
        json!({
            "predicate": {"single_predicate": predicate},
            "on_match": action(text(&rule["name"]), &rule["action"]),
        })
    });
    let matchers: Vec<Value> = matchers.collect();
    let default = &authorization["defaultAction"];
    let mut matcher = json!({"on_no_match": action("default", default)});
    if !matchers.is_empty() {
        matcher["matcher_list"] = json!({"matchers": matchers});
    }
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute",
        "rbac": {"matcher": matcher},
    })
}

fn route_clusters(objects: &[Value], route: &Value, world: &World) -> Vec<Value> {
    let rules = items(&route["spec"]["rules"]).iter().enumerate();
    let clusters = rules.map(|(index, rule)| {
        let name = format!("httproute/{}/rule/{index}", qualified(route));
        let backend = &rule["backendRefs"][0];
        if backend["kind"] != "Backend" {
            let (service, namespace) = (text(&backend["name"]), text(&backend["namespace"]));
            let host = format!("{service}.{namespace}.svc.cluster.local");
            assert_granted(objects, route, service, namespace);
            return world.cluster(&name, &host);
        }
        let endpoint = one(objects, "Backend", text(&backend["name"]));
        let host = text(&endpoint["spec"]["endpoints"][0]["fqdn"]["hostname"]);
        let mut cluster = world.cluster(&name, host);
        for policy in all(objects, "BackendTLSPolicy") {
            if policy["spec"]["targetRefs"][0]["name"] == backend["name"] {
                let name = text(&policy["spec"]["validation"]["hostname"]);
                cluster["transport_socket"] = world.tls(name, &[json!(name)]);
            }
        }
        cluster
    });
    clusters.collect()
}

/// A route leads into another namespace only where that allows it.
fn assert_granted(objects: &[Value], route: &Value, service: &str, namespace: &str) {
    let own = &route["metadata"]["namespace"];
    let granted = all(objects, "ReferenceGrant").any(|grant| {
        let (from, to) = (&grant["spec"]["from"][0], &grant["spec"]["to"][0]);
        let here = grant["metadata"]["namespace"] == namespace && from["namespace"] == *own;
        here && to["name"] == service
    });
    assert!(own == namespace || granted, "{service} is not granted");
}
