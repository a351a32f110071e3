//! Plugins of one image side by side.

use portcullis_tests::{EchoResource, Gateway, Kind, Request, Settings};
use serde_json::json;

use crate::envoy::{self, Envoy};
use crate::settings::{api_key, with_key};

const ACTIVE_VMS: &str = "wasm.envoy.wasm.runtime.v8.active";

#[test]
fn two_plugins_in_one_vm_share_nothing() {
    let resource = EchoResource::start();
    let cluster = envoy::cluster(&resource.url());
    let alone = Envoy::start(
        vec![envoy::filter("first", &api_key("one"))],
        vec![cluster.clone()],
    );
    let vms = alone.stat(ACTIVE_VMS);
    drop(alone);
    let listener = |name: &str, key: &str| {
        envoy::listener(name, vec![envoy::filter(name, &api_key(key))], &cluster)
    };
    let listeners = vec![listener("first", "one"), listener("second", "two")];
    let bootstrap = envoy::bootstrap_of(listeners, vec![cluster.clone()]);
    let both = Envoy::start_bootstrap(envoy::folder(), &bootstrap);
    assert_eq!(
        both.stat(ACTIVE_VMS),
        vms,
        "the plugins do not share their VMs"
    );
    for _ in 0..3 {
        for (listener, own, other) in [(0, "one", "two"), (1, "two", "one")] {
            let status = |key| {
                let request = with_key(Request::post("/mcp", "{}"), key);
                request.send(both.listeners[listener]).unwrap().status
            };
            assert_eq!((status(own), status(other)), (200, 401), "{own}");
        }
    }
}

#[test]
fn plugin_without_its_configuration_refuses_to_start() {
    let resource = EchoResource::start();
    for policy in ["FAIL_CLOSED", "FAIL_OPEN", "FAIL_RELOAD"] {
        let mut filter = envoy::filter("portcullis", &json!({"PORTCULLIS_MADE_UP": "1"}));
        filter["typed_config"]["config"]["failure_policy"] = json!(policy);
        let bootstrap = envoy::bootstrap(vec![filter], vec![envoy::cluster(&resource.url())]);
        let log = Envoy::try_start(envoy::folder(), &bootstrap)
            .err()
            .expect(policy);
        assert!(
            log.contains("Unable to create Wasm plugin portcullis"),
            "{policy}: {log}"
        );
        assert!(log.contains("PORTCULLIS_MADE_UP"), "{policy}: {log}");
    }
}

#[test]
fn environment_of_the_vm_gives_settings_and_configuration_wins() {
    let resource = EchoResource::start();
    let mut filter = envoy::filter(
        "portcullis",
        &json!({"ZSCALER_MCP_AUTH_API_KEY": "configured"}),
    );
    let mut variables = api_key("from-environment");
    variables["UNRELATED"] = json!("x");
    filter["typed_config"]["config"]["vm_config"]["environment_variables"] =
        json!({"key_values": variables});
    let envoy = Envoy::start(vec![filter], vec![envoy::cluster(&resource.url())]);
    let status = |key| {
        envoy
            .send(&with_key(Request::post("/mcp", "{}"), key))
            .status
    };
    assert_eq!(
        (status("configured"), status("from-environment")),
        (200, 401)
    );
}

#[test]
fn decisions_are_counted_and_logged_without_what_was_sent() {
    let resource = EchoResource::start();
    let settings = Settings::new()
        .with("ZSCALER_MCP_AUTH_MODE", "api-key")
        .with("ZSCALER_MCP_AUTH_API_KEY", "the-only-key-that-opens-this");
    let gateway = Gateway::start(Kind::Envoy, &settings, &resource.url());
    let status = |key| {
        gateway
            .send(&with_key(Request::post("/mcp?q=in-query", "{}"), key))
            .status
    };
    assert_eq!(status("the-only-key-that-opens-this"), 200);
    assert_eq!(
        (
            status("wrong-key-of-somebody"),
            status("wrong-key-of-another")
        ),
        (401, 401)
    );
    let counters = Request::get("/stats/prometheus")
        .send(gateway.admin().unwrap())
        .unwrap()
        .text();
    let count = |outcome: &str| {
        let labels = format!("{{mode=\"api_key\",outcome=\"{outcome}\"");
        let lines = counters
            .lines()
            .filter(|line| line.starts_with("portcullis_decisions_total"));
        let lines = lines.filter(|line| line.contains(&labels));
        lines
            .map(|line| line.rsplit(' ').next().unwrap().parse::<u32>().unwrap())
            .sum::<u32>()
    };
    assert_eq!((count("forwarded"), count("refused")), (1, 2), "{counters}");
    let log = gateway.log();
    assert!(
        log.contains("forward: ") && log.contains("respond 401: "),
        "{log}"
    );
    for secret in ["the-only-key", "wrong-key", "in-query"] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}
