//! Configuration that comes while Envoy runs, as Istio sends it.

use std::fs;
use std::path::Path;
use std::thread;

use portcullis_tests::authorization_server::{AuthorizationServer, CLIENT_ID, TOKEN_PATH, grant};
use portcullis_tests::server::{Behaviour, Gate};
use portcullis_tests::{EchoResource, Request};
use serde_json::{Value, json};

use crate::envoy::{self, Envoy};
use crate::settings::{api_key, call_with_secret, with_key, zscaler};

const STATS: &str = "extension_config_discovery.http_filter.portcullis.";

/// Makes the filter that is discovered from a file.
fn discovered(folder: &Path) -> Value {
    json!({
        "name": "portcullis",
        "config_discovery": {
            "config_source": {
                "path_config_source": {"path": folder.join("ecds.json")},
                "initial_fetch_timeout": "0s",
                "resource_api_version": "V3",
            },
            "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
        },
    })
}

/// Publishes settings under a failure policy, at once as a whole.
fn publish(folder: &Path, version: u32, settings: &Value, policy: &str) {
    let mut extension = envoy::filter("portcullis", settings);
    extension["typed_config"]["config"]["failure_policy"] = json!(policy);
    extension["@type"] = json!("type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig");
    let resource = json!({"version_info": version.to_string(), "resources": [extension]});
    fs::write(folder.join("ecds.tmp"), resource.to_string()).unwrap();
    fs::rename(folder.join("ecds.tmp"), folder.join("ecds.json")).unwrap();
}

fn start(resource: &EchoResource, settings: &Value, policy: &str) -> Envoy {
    let folder = envoy::folder();
    publish(&folder, 1, settings, policy);
    let filters = vec![discovered(&folder)];
    let bootstrap = envoy::bootstrap(filters, vec![envoy::cluster(&resource.url())]);
    Envoy::start_bootstrap(folder, &bootstrap)
}

fn status(envoy: &Envoy, key: &str) -> u16 {
    envoy
        .send(&with_key(Request::post("/mcp", "{}"), key))
        .status
}

#[test]
fn good_update_replaces_the_key_and_a_bad_one_changes_nothing() {
    let resource = EchoResource::start();
    let envoy = start(&resource, &api_key("one"), "FAIL_CLOSED");
    assert_eq!((status(&envoy, "one"), status(&envoy, "two")), (200, 401));
    publish(envoy.folder(), 2, &api_key("two"), "FAIL_CLOSED");
    envoy.wait_for_stat(&format!("{STATS}config_reload"), 2);
    assert_eq!((status(&envoy, "one"), status(&envoy, "two")), (401, 200));
    for (number, policy) in [(3, "FAIL_CLOSED"), (4, "FAIL_OPEN"), (5, "FAIL_RELOAD")] {
        publish(
            envoy.folder(),
            number,
            &json!({"ZSCALER_MCP_AUTH_MODE": "typo"}),
            policy,
        );
        envoy.wait_for_stat(&format!("{STATS}config_fail"), u64::from(number) - 2);
        let answers = (
            status(&envoy, "one"),
            status(&envoy, "two"),
            status(&envoy, "three"),
        );
        assert_eq!(answers, (401, 200, 401), "{policy}");
    }
    assert!(
        envoy.log().contains("ZSCALER_MCP_AUTH_MODE"),
        "{}",
        envoy.log()
    );
}

#[test]
fn bad_first_configuration_lets_nothing_pass_until_a_good_one_comes() {
    let resource = EchoResource::start();
    let envoy = start(
        &resource,
        &json!({"ZSCALER_MCP_AUTH_MODE": "typo"}),
        "FAIL_OPEN",
    );
    envoy.wait_for_stat(&format!("{STATS}config_fail"), 1);
    assert_eq!((status(&envoy, "one"), resource.count()), (500, 0));
    publish(envoy.folder(), 2, &api_key("one"), "FAIL_OPEN");
    envoy.wait_for_stat(&format!("{STATS}config_reload"), 1);
    assert_eq!((status(&envoy, "one"), status(&envoy, "two")), (200, 401));
}

#[test]
fn request_that_waits_is_answered_by_the_configuration_it_came_under() {
    let resource = EchoResource::start();
    let server = AuthorizationServer::start();
    let gate = Gate::default();
    server.on_client(
        CLIENT_ID,
        Behaviour::Held(gate.clone(), Box::new(grant(60))),
    );
    let folder = envoy::folder();
    publish(&folder, 1, &zscaler(&server.url("")), "FAIL_CLOSED");
    let clusters = vec![
        envoy::cluster(&resource.url()),
        envoy::cluster(&server.url("")),
    ];
    let bootstrap = envoy::bootstrap(vec![discovered(&folder)], clusters);
    let envoy = Envoy::start_bootstrap(folder, &bootstrap);
    let waiting = thread::scope(|scope| {
        let client = scope.spawn(|| envoy.send(&call_with_secret("s")));
        server.wait_for(TOKEN_PATH, 1);
        publish(envoy.folder(), 2, &api_key("one"), "FAIL_CLOSED");
        envoy.wait_for_stat(&format!("{STATS}config_reload"), 2);
        assert_eq!((status(&envoy, "one"), status(&envoy, "two")), (200, 401));
        gate.open();
        client.join().unwrap()
    });
    assert_eq!(waiting.status, 200, "{}", waiting.text());
    assert_eq!(envoy.send(&call_with_secret("s")).status, 401);
}
