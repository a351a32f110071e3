//! The chart gives the same objects as `portcullis render`, from values that it renders too.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::render::{Folder, MODES, documents, python, rendered, validate};
use crate::tools;

const SHAPES: [(&str, &str); 3] = [
    ("native", "kubernetes"),
    ("istio", "istio"),
    ("envoy-gateway", "envoy-gateway"),
];

/// Renders the chart with these values, as a release named `portcullis` in namespace `mcp`.
fn chart(values: &str) -> Result<Value, String> {
    let mut child = Command::new(python())
        .arg(tools::root().join("tests/install/chart.py"))
        .arg(tools::root().join("deploy/helm/portcullis"))
        .args(["portcullis", "mcp"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(values.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap())
}

fn objects(values: &str) -> Vec<Value> {
    let rendered = chart(values).unwrap_or_else(|error| panic!("{error}\n{values}"));
    rendered["objects"].as_array().unwrap().clone()
}

/// Brings objects into an order, without what says that Helm made them, and texts of settings and pods
/// as what they say.
fn comparable(mut objects: Vec<Value>) -> Vec<Value> {
    for object in &mut objects {
        let labels = object["metadata"]["labels"].as_object_mut().unwrap();
        labels.retain(|name, _| {
            !["helm.sh/chart", "app.kubernetes.io/managed-by"].contains(&name.as_str())
        });
        if let Some(settings) = object["data"]["settings.json"].as_str() {
            object["data"] = serde_json::from_str(settings).unwrap();
        }
        if let Some(pods) = object["data"]["deployment"].as_str() {
            object["data"] = documents(pods).remove(0);
        }
    }
    let key = |object: &Value| {
        (
            object["kind"].to_string(),
            object["metadata"]["name"].to_string(),
        )
    };
    objects.sort_by_key(key);
    objects
}

#[test]
fn chart_and_render_agree_in_every_shape_and_mode() {
    for (mode, variables) in MODES {
        for (shape, target) in SHAPES {
            let values = rendered(&["helm", "--shape", shape], variables);
            let by_render = documents(&rendered(&[target, "--namespace", "mcp"], variables));
            let (by_chart, by_render) = (comparable(objects(&values)), comparable(by_render));
            for (chart, render) in by_chart.iter().zip(&by_render) {
                assert_eq!(chart, render, "{mode}, {shape}");
            }
            assert_eq!(by_chart.len(), by_render.len(), "{mode}, {shape}");
        }
    }
}

#[test]
fn chart_and_render_agree_on_a_gateway_of_the_gateway_api() {
    for (mode, variables) in MODES {
        let mut values = documents(&rendered(&["helm", "--shape", "istio"], variables)).remove(0);
        values["istio"] = json!({"targetGateway": "edge"});
        let arguments = ["istio", "--namespace", "mcp", "--target-gateway", "edge"];
        let by_render = documents(&rendered(&arguments, variables));
        let by_chart = objects(&values.to_string());
        let (by_chart, by_render) = (comparable(by_chart), comparable(by_render));
        assert_eq!(by_chart, by_render, "{mode}");
    }
}

#[test]
fn options_of_the_chart_give_what_a_cluster_takes() {
    let base = json!({
        "mode": "jwt",
        "settings": {
            "PORTCULLIS_UPSTREAM": "https://mcp.example.net/",
            "ZSCALER_MCP_AUTH_JWKS_URI": "http://keycloak.idp.svc:8080/jwks",
            "PORTCULLIS_LEEWAY_SECONDS": 30,
        },
        "calls": ["http://keycloak.idp.svc:8080"],
    });
    let options = [
        json!({"tls": {"secretName": "gate-tls", "clientCertificates": true}}),
        json!({"metrics": {"enabled": true}, "networkPolicy": {"anyHost": true}}),
        json!({
            "podAnnotations": {"a": "b"},
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"key": "gate", "operator": "Exists"}],
            "image": {"tag": "1.2.3", "pullPolicy": "Always", "pullSecrets": [{"name": "pull"}]},
        }),
        json!({"networkPolicy": {"enabled": false}, "secret": {"name": "other"}}),
        json!({"shape": "istio", "hosts": ["a.example.com"], "istio": {"kind": "TrafficExtension"}}),
        json!({"shape": "istio", "istio": {"filter": "oci://localhost:5000/filter:1"}}),
        json!({"shape": "istio", "istio": {"targetGateway": "edge"}}),
        json!({"shape": "envoy-gateway", "hosts": ["a.example.com"]}),
    ];
    let folder = Folder::new();
    for (number, option) in options.iter().enumerate() {
        let mut values = base.clone();
        for (name, value) in option.as_object().unwrap() {
            values[name] = value.clone();
        }
        let list: Vec<String> = objects(&values.to_string())
            .iter()
            .map(Value::to_string)
            .collect();
        fs::write(
            folder.0.join(format!("{number}.yaml")),
            list.join("\n---\n"),
        )
        .unwrap();
    }
    validate(&folder.0);
}

#[test]
fn service_monitor_scrapes_the_port_of_the_metrics() {
    let values = json!({
        "settings": {"PORTCULLIS_UPSTREAM": "http://mcp:8000"},
        "metrics": {"enabled": true, "serviceMonitor": {"enabled": true, "labels": {"release": "prometheus"}}},
    });
    let objects = objects(&values.to_string());
    let find = |kind: &str| {
        objects
            .iter()
            .find(|object| object["kind"] == kind)
            .unwrap()
    };
    let monitor = find("ServiceMonitor");
    assert_eq!(monitor["metadata"]["labels"]["release"], "prometheus");
    let endpoint = &monitor["spec"]["endpoints"][0];
    let token = &endpoint["authorization"]["credentials"];
    assert_eq!(*token, json!({"name": "portcullis", "key": "admin-token"}));
    let pod = &find("Deployment")["spec"]["template"]["spec"];
    let volumes = pod["volumes"].as_array().unwrap();
    assert!(
        volumes
            .iter()
            .any(|volume| volume["secret"]["secretName"] == token["name"]
                && volume["secret"]["items"][0]["key"] == token["key"]),
        "{volumes:?}"
    );
    let port = &endpoint["port"];
    let ports = find("Service")["spec"]["ports"].as_array().unwrap();
    assert!(
        ports.iter().any(|known| known["name"] == *port),
        "{ports:?}"
    );
    let labels = &monitor["spec"]["selector"]["matchLabels"];
    for (name, value) in labels.as_object().unwrap() {
        assert_eq!(find("Service")["metadata"]["labels"][name], *value);
    }
}

#[test]
fn values_that_mean_nothing_or_hold_a_secret_are_refused() {
    for (values, named) in [
        (json!({"shape": "sidecar"}), "shape"),
        (json!({"setings": {}}), "setings"),
        (
            json!({"settings": {"PORTCULLIS_STATE_KEYS": "secret"}}),
            "PORTCULLIS_STATE_KEYS",
        ),
        (
            json!({"settings": {"ZSCALER_MCP_AUTH_API_KEY": "secret"}}),
            "ZSCALER_MCP_AUTH_API_KEY",
        ),
        (
            json!({"istio": {"filter": "registry.example.com/filter"}}),
            "filter",
        ),
        (json!({}), "PORTCULLIS_UPSTREAM"),
    ] {
        let refusal = chart(&values.to_string()).unwrap_err();
        assert!(refusal.contains(named), "{values}: {refusal}");
    }
}
