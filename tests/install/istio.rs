//! The filter in Istio: its manifests as istiod and its agent hand them to Envoy.

use std::path::Path;

use serde_json::{Value, json};

use crate::envoy;
use crate::tools;
use crate::translate::{World, all, cors, discovered, items, listener, string_value, text};

/// What istiod makes of an install: the bootstrap, and what is discovered.
pub(crate) struct Translated {
    pub(crate) bootstrap: Value,
    pub(crate) extension: Value,
}

/// Translates the objects of `render istio`; `folder` is where discovery looks.
pub(crate) fn translate(objects: &[Value], world: &World, folder: &Path) -> Translated {
    let extension = extension(objects);
    let filter = discovered(text(&extension["name"]), folder);
    // What Istio sets for every gateway.
    let settings = json!({
        "use_remote_address": true,
        "normalize_path": true,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "forward_client_cert_details": "SANITIZE_SET",
        "stream_idle_timeout": "0s",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
    });
    let services = virtual_services(objects);
    let hosts = services.iter().map(virtual_host).collect();
    let listener = listener(settings, vec![filter, cors()], hosts);
    let clusters = clusters(objects, &services, world);
    Translated {
        bootstrap: envoy::bootstrap_of(vec![listener], clusters),
        extension,
    }
}

fn extension(objects: &[Value]) -> Value {
    let plugins = all(objects, "WasmPlugin").map(|object| (object, &object["spec"], true));
    let newer = all(objects, "TrafficExtension");
    let newer = newer.map(|object| (object, &object["spec"]["wasm"], false));
    let filters = all(objects, "EnvoyFilter");
    plugins
        .chain(newer)
        .map(|(object, plugin, is_old)| plugin_extension(object, plugin, is_old))
        .chain(filters.map(patched_extension))
        .next()
        .unwrap()
}

fn plugin_extension(object: &Value, plugin: &Value, is_old: bool) -> Value {
    let metadata = &object["metadata"];
    let suffix = if is_old {
        "~istio-translated-wasmplugin"
    } else {
        ""
    };
    let name = format!(
        "{}.{}{suffix}",
        text(&metadata["namespace"]),
        text(&metadata["name"])
    );
    let policy = match plugin["failStrategy"].as_str() {
        Some("FAIL_RELOAD") => "FAIL_RELOAD",
        Some("FAIL_OPEN") => "FAIL_OPEN",
        _ => "FAIL_CLOSED",
    };
    let variables = items(&plugin["vmConfig"]["env"]);
    let of_host = variables
        .iter()
        .filter(|variable| variable["valueFrom"] == "HOST");
    let of_host: Vec<&Value> = of_host.map(|variable| &variable["name"]).collect();
    let config = json!({
        "name": name,
        "root_id": plugin["pluginName"],
        "failure_policy": policy,
        "configuration": string_value(&plugin["pluginConfig"]),
        "vm_config": {
            "runtime": "envoy.wasm.runtime.v8",
            "code": local_code(),
            "environment_variables": {"host_env_keys": of_host},
        },
    });
    envoy::typed(
        &format!("extensions.istio.io/trafficextension/{name}"),
        "filters.http.wasm.v3.Wasm",
        json!({"config": config}),
    )
}

/// The agent puts a local file in place of the image.
fn local_code() -> Value {
    json!({"local": {"filename": tools::wasm()}})
}

fn patched_extension(filter: &Value) -> Value {
    let patches = items(&filter["spec"]["configPatches"]);
    let patched = |kind: &str| {
        let patch = patches
            .iter()
            .find(|patch| patch["applyTo"] == kind)
            .unwrap();
        patch["patch"]["value"].clone()
    };
    let mut extension = patched("EXTENSION_CONFIG");
    let discovery = patched("HTTP_FILTER");
    assert_eq!(
        discovery["name"], extension["name"],
        "nothing would be discovered"
    );
    let code = &mut extension["typed_config"]["config"]["vm_config"]["code"];
    assert!(text(&code["remote"]["http_uri"]["uri"]).starts_with("oci://"));
    *code = local_code();
    extension
}

/// A ServiceEntry makes a cluster, and TLS comes of a DestinationRule alone.
fn clusters(objects: &[Value], services: &[Value], world: &World) -> Vec<Value> {
    let mut clusters = Vec::new();
    for entry in all(objects, "ServiceEntry") {
        let host = text(&entry["spec"]["hosts"][0]);
        for port in items(&entry["spec"]["ports"]) {
            let mut cluster = world.cluster(&format!("outbound|{}||{host}", port["number"]), host);
            let rules = all(objects, "DestinationRule");
            for rule in rules.filter(|rule| rule["spec"]["host"] == host) {
                let tls = &rule["spec"]["trafficPolicy"]["tls"];
                assert_eq!(tls["mode"], "SIMPLE");
                cluster["transport_socket"] =
                    world.tls(text(&tls["sni"]), items(&tls["subjectAltNames"]));
            }
            clusters.push(cluster);
        }
    }
    let routes = services.iter();
    for route in routes.flat_map(|service| items(&service["spec"]["http"])) {
        let (name, host) = destination(route);
        if !clusters.iter().any(|cluster| cluster["name"] == name) {
            clusters.push(world.cluster(&name, &host));
        }
    }
    clusters
}

/// Returns the VirtualServices, and the one that Istio makes of the routes of the Gateway API.
fn virtual_services(objects: &[Value]) -> Vec<Value> {
    let mut services: Vec<Value> = all(objects, "VirtualService").cloned().collect();
    let routes: Vec<&Value> = all(objects, "HTTPRoute").collect();
    let rules = routes
        .iter()
        .flat_map(|route| items(&route["spec"]["rules"]));
    let mut http: Vec<Value> = rules.map(http_route).collect();
    // What is for all paths comes last.
    http.sort_by_key(|route| route["match"][0]["uri"]["prefix"] == "/");
    if let Some(route) = routes.first() {
        let hosts = match items(&route["spec"]["hostnames"]) {
            [] => json!(["*"]),
            hosts => json!(hosts),
        };
        services.push(json!({"spec": {"hosts": hosts, "http": http}}));
    }
    services
}

fn http_route(rule: &Value) -> Value {
    let matches = items(&rule["matches"]).iter().map(|matched| {
        let kind = if matched["path"]["type"] == "Exact" {
            "exact"
        } else {
            "prefix"
        };
        json!({"uri": {kind: matched["path"]["value"]}})
    });
    let matches: Vec<Value> = matches.collect();
    let backend = &rule["backendRefs"][0];
    let name = text(&backend["name"]);
    let host = match backend["kind"].as_str() {
        Some("Hostname") => name.to_owned(),
        _ => format!("{name}.{}.svc.cluster.local", text(&backend["namespace"])),
    };
    let destination = json!({"host": host, "port": {"number": backend["port"]}});
    json!({
        "match": matches,
        "rewrite": {"authority": rule["filters"][0]["urlRewrite"]["hostname"]},
        "route": [{"destination": destination}],
    })
}

fn destination(route: &Value) -> (String, String) {
    let destination = &route["route"][0]["destination"];
    let host = text(&destination["host"]);
    let name = format!("outbound|{}||{host}", destination["port"]["number"]);
    (name, host.to_owned())
}

fn virtual_host(service: &Value) -> Value {
    let mut routes = Vec::new();
    for route in items(&service["spec"]["http"]) {
        let mut action = json!({"cluster": destination(route).0, "timeout": "0s"});
        if let Some(authority) = route["rewrite"]["authority"].as_str() {
            action["host_rewrite_literal"] = json!(authority);
        }
        let matches = items(&route["match"]).iter().map(|matched| {
            let uri = &matched["uri"];
            match uri["exact"].as_str() {
                Some(path) => json!({"path": path}),
                None => json!({"prefix": uri["prefix"]}),
            }
        });
        let mut matches: Vec<Value> = matches.collect();
        if matches.is_empty() {
            matches.push(json!({"prefix": "/"}));
        }
        routes.extend(
            matches
                .into_iter()
                .map(|matched| json!({"match": matched, "route": action})),
        );
    }
    json!({"name": "gateway", "domains": service["spec"]["hosts"], "routes": routes})
}
