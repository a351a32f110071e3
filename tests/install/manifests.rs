//! Every manifest is one that a cluster takes, in every mode.

use std::fs;

use serde_json::{Value, json};

use crate::render::{
    API_KEY, Folder, MODES, STATE_KEY, documents, mode, render, rendered, validate,
};

/// Every way to render for a cluster.
const TARGETS: [&[&str]; 9] = [
    &["istio"],
    &["istio", "--kind", "traffic-extension"],
    &["istio", "--kind", "envoy-filter"],
    &["istio", "--target-gateway", "edge"],
    &[
        "istio",
        "--kind",
        "traffic-extension",
        "--target-gateway",
        "edge",
    ],
    &[
        "istio",
        "--kind",
        "envoy-filter",
        "--target-gateway",
        "edge",
    ],
    &[
        "istio",
        "--namespace",
        "gateways",
        "--name",
        "gate",
        "--host",
        "mcp.example.com",
    ],
    &["envoy-gateway"],
    &["kubernetes"],
];

#[test]
fn every_mode_and_target_gives_what_a_cluster_takes() {
    let folder = Folder::new();
    for (name, variables) in MODES {
        for (number, target) in TARGETS.iter().enumerate() {
            let text = rendered(target, variables);
            let file = folder.0.join(format!("{name}-{number}.yaml"));
            fs::write(file, text).unwrap();
        }
    }
    let variants: [&[(&str, &str)]; 3] = [
        &[(
            "ZSCALER_MCP_AUTH_JWKS_URI",
            "http://keycloak.idp.svc:8080/jwks",
        )],
        &[
            ("ZSCALER_MCP_AUTH_MODE", "none"),
            ("ZSCALER_MCP_TLS_CERTFILE", "/tls/cert.pem"),
            ("ZSCALER_MCP_TLS_KEYFILE", "/tls/key.pem"),
        ],
        &[
            ("ZSCALER_MCP_AUTH_MODE", "none"),
            ("ZSCALER_MCP_TLS_CERTFILE", "/tls/cert.pem"),
            ("ZSCALER_MCP_TLS_KEYFILE", "/tls/key.pem"),
            ("ZSCALER_MCP_TLS_CA_CERTS", "/tls/ca.pem"),
        ],
    ];
    for (number, variables) in variants.iter().enumerate() {
        for target in ["istio", "envoy-gateway", "kubernetes"] {
            let file = folder.0.join(format!("variant-{number}-{target}.yaml"));
            fs::write(file, rendered(&[target], variables)).unwrap();
        }
    }
    let address = [("ZSCALER_MCP_AUTH_JWKS_URI", "https://192.0.2.7/jwks")];
    let own_cluster = rendered(&["istio", "--kind", "envoy-filter"], &address);
    assert!(
        own_cluster.contains("outbound|443||192.0.2.7"),
        "{own_cluster}"
    );
    fs::write(folder.0.join("own-cluster.yaml"), own_cluster).unwrap();
    validate(&folder.0);
}

#[test]
fn no_secret_is_written_down_and_each_is_referred_to() {
    let secrets = [
        ("ZSCALER_MCP_AUTH_API_KEY", API_KEY),
        ("PORTCULLIS_STATE_KEYS", STATE_KEY),
    ];
    let folder = Folder::new();
    let file = folder.0.join("settings.json");
    fs::write(&file, Value::from_iter(secrets).to_string()).unwrap();
    let from_file = ["--config", file.to_str().unwrap()];
    let others: [&[&str]; 2] = [&["compose"], &["systemd"]];
    for target in TARGETS.iter().chain(&others) {
        let by_environment = rendered(target, &secrets);
        let by_file = rendered(&[target, &from_file[..]].concat(), &[]);
        for text in [by_environment, by_file] {
            for (name, value) in secrets {
                assert!(
                    text.contains(name),
                    "{target:?} does not name {name}: {text}"
                );
                assert!(!text.contains(value), "{target:?} writes {name} down");
            }
        }
    }
}

#[test]
fn list_of_keys_is_part_of_the_settings_and_takes_no_secret_key() {
    let folder = Folder::new();
    let file = folder.0.join("keys.json");
    let digest = "0".repeat(64);
    let list = format!(r#"[{{"name": "agent", "sha256": "{digest}"}}]"#);
    fs::write(&file, list).unwrap();
    let variables = [
        ("ZSCALER_MCP_AUTH_MODE", "api-key"),
        ("PORTCULLIS_API_KEYS_FILE", file.to_str().unwrap()),
    ];
    let others: [&[&str]; 2] = [&["compose"], &["systemd"]];
    for target in TARGETS.iter().chain(&others) {
        let text = rendered(target, &variables);
        assert!(text.contains(&digest), "{target:?}: {text}");
        for absent in ["ZSCALER_MCP_AUTH_API_KEY", "PORTCULLIS_API_KEYS_FILE"] {
            assert!(!text.contains(absent), "{target:?} has {absent}: {text}");
        }
    }
}

#[test]
fn plugin_takes_its_secrets_from_the_proxy_and_is_closed() {
    for (kind, arguments) in [
        ("WasmPlugin", &["istio"][..]),
        (
            "TrafficExtension",
            &["istio", "--kind", "traffic-extension"],
        ),
    ] {
        let objects = documents(&rendered(arguments, mode("api-key")));
        let spec = &objects[0]["spec"];
        assert_eq!(objects[0]["kind"], kind);
        let plugin = if kind == "WasmPlugin" {
            spec
        } else {
            &spec["wasm"]
        };
        assert_eq!(spec["phase"], "AUTHN");
        assert_eq!(plugin["failStrategy"], "FAIL_RELOAD");
        let secrets = plugin["vmConfig"]["env"].as_array().unwrap();
        let names: Vec<&Value> = secrets.iter().map(|variable| &variable["name"]).collect();
        assert_eq!(names, ["ZSCALER_MCP_AUTH_API_KEY", "PORTCULLIS_STATE_KEYS"]);
        assert!(
            secrets
                .iter()
                .all(|variable| variable["valueFrom"] == "HOST")
        );
    }
}

#[test]
fn gateway_of_the_gateway_api_is_a_target_with_routes_and_secrets_of_its_own() {
    for kind in ["wasm-plugin", "traffic-extension", "envoy-filter"] {
        let arguments = ["istio", "--kind", kind, "--target-gateway", "edge"];
        let objects = documents(&rendered(&arguments, mode("api-key")));
        let spec = &objects[0]["spec"];
        let target = json!({
            "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "edge",
        });
        assert_eq!(spec["targetRefs"], json!([target]));
        assert!(spec["selector"].is_null() && spec["workloadSelector"].is_null());
        let find = |kind: &str| objects.iter().find(|object| object["kind"] == kind);
        assert!(find("VirtualService").is_none());
        let route = &find("HTTPRoute").unwrap()["spec"];
        assert_eq!(route["parentRefs"][0]["name"], "edge");
        let destination = &route["rules"][0]["backendRefs"][0];
        assert_eq!(destination["namespace"], "tools");
        assert_eq!(
            find("ReferenceGrant").unwrap()["metadata"]["namespace"],
            "tools"
        );
        let pods = &find("ConfigMap").unwrap()["data"]["deployment"];
        let pods = &documents(pods.as_str().unwrap())[0];
        let proxy = &pods["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(proxy["name"], "istio-proxy");
        let names: Vec<&Value> = proxy["env"].as_array().unwrap().iter().collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }
}

#[test]
fn host_outside_is_led_to_by_its_name() {
    let arguments = [
        "istio",
        "--target-gateway",
        "edge",
        "--upstream",
        "https://mcp.example.net",
    ];
    let output = render(&arguments, mode("api-key"));
    let text = String::from_utf8(output.stdout).unwrap();
    let objects = documents(&text);
    let route = objects
        .iter()
        .find(|object| object["kind"] == "HTTPRoute")
        .unwrap();
    let destination = json!({
        "group": "networking.istio.io", "kind": "Hostname", "name": "mcp.example.net", "port": 443,
    });
    assert_eq!(
        route["spec"]["rules"][0]["backendRefs"],
        json!([destination])
    );
    let folder = Folder::new();
    fs::write(folder.0.join("outside.yaml"), text).unwrap();
    validate(&folder.0);
}

#[test]
fn people_sign_in_at_the_native_binary_where_the_filter_reads_no_bodies() {
    for target in ["istio", "envoy-gateway"] {
        let text = rendered(&[target], mode("oidcproxy"));
        for part in [
            "PORTCULLIS_OAUTH_ENDPOINTS",
            "kind: \"Deployment\"",
            "\"/token\"",
        ] {
            assert!(text.contains(part), "{target} has no {part}: {text}");
        }
        assert!(!text.contains("allow_on_headers_stop_iteration"), "{text}");
    }
    let text = rendered(&["istio", "--kind", "envoy-filter"], mode("oidcproxy"));
    assert!(
        text.contains("allow_on_headers_stop_iteration: true"),
        "{text}"
    );
    assert!(!text.contains("kind: \"Deployment\""), "{text}");
}

#[test]
fn what_a_cluster_cannot_reach_is_not_rendered() {
    let jwt = mode("jwt");
    for target in ["istio", "envoy-gateway", "kubernetes"] {
        let output = render(&[target, "--upstream", "http://127.0.0.1:9000"], jwt);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("name the service"), "{target}: {errors}");
        assert!(!output.status.success() && output.stdout.is_empty());
    }
    let output = render(&["istio", "--upstream", "http://192.0.2.1:9000"], jwt);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("needs the name of the host"), "{errors}");
}
