//! What passes a filter whose VM has died.

use std::fs;

use portcullis_tests::{EchoResource, Request};
use serde_json::json;

use crate::envoy::{self, Envoy};

/// A filter that starts and then dies of every request.
const DYING: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "_initialize"))
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) i32.const 1024)
    (func (export "proxy_on_context_create") (param i32 i32))
    (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 1)
    (func (export "proxy_on_configure") (param i32 i32) (result i32) i32.const 1)
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) unreachable))"#;

/// Returns the status codes of five requests under a failure policy, and how many got through.
fn statuses(policy: &str) -> (Vec<u16>, usize) {
    let resource = EchoResource::start();
    let folder = envoy::folder();
    let module = folder.join("dying.wasm");
    fs::write(&module, wat::parse_str(DYING).unwrap()).unwrap();
    let mut filter = envoy::filter("dying", &json!({}));
    let config = &mut filter["typed_config"]["config"];
    config["failure_policy"] = json!(policy);
    config["vm_config"]["code"]["local"]["filename"] = json!(module);
    let bootstrap = envoy::bootstrap(vec![filter], vec![envoy::cluster(&resource.url())]);
    let envoy = Envoy::start_bootstrap(folder, &bootstrap);
    let statuses = (0..5)
        .map(|_| envoy.send(&Request::post("/mcp", "{}")).status)
        .collect();
    (statuses, resource.count())
}

#[test]
fn nothing_passes_a_dead_vm_under_the_policies_that_we_use() {
    // Rendered bootstraps say FAIL_RELOAD; Istio's own default is FAIL_CLOSED.
    for policy in ["FAIL_RELOAD", "FAIL_CLOSED"] {
        assert_eq!(statuses(policy), (vec![503; 5], 0), "{policy}");
    }
}

#[test]
fn everything_passes_a_dead_vm_under_the_policy_that_we_warn_of() {
    let (statuses, passed) = statuses("FAIL_OPEN");
    assert_eq!(
        (statuses.last(), passed > 0),
        (Some(&200), true),
        "{statuses:?}"
    );
}
