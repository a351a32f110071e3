//! Envoy's memory with and without the filter.

use portcullis_tests::{EchoResource, Request};
use serde_json::{Value, json};

use crate::envoy::{self, Envoy};

/// More than this, in KiB for one worker, would be a mistake.
const MAX_KIB: u64 = 200 << 10;

fn memory(filters: Vec<Value>, resource: &EchoResource) -> u64 {
    let envoy = Envoy::start(filters, vec![envoy::cluster(&resource.url())]);
    for _ in 0..100 {
        assert_eq!(envoy.send(&Request::post("/mcp", "{}")).status, 200);
    }
    envoy.resident_kib()
}

#[test]
#[expect(clippy::print_stdout, reason = "the numbers are to be seen")]
fn filter_costs_megabytes_and_not_hundreds_of_them() {
    let resource = EchoResource::start();
    let settings = json!({"ZSCALER_MCP_AUTH_MODE": "none", "PORTCULLIS_SESSION_BINDING": "off"});
    let with = memory(vec![envoy::filter("portcullis", &settings)], &resource);
    let without = memory(Vec::new(), &resource);
    println!("Envoy's memory: {with} KiB with the filter, {without} KiB without");
    assert!(with > without, "{with} KiB and {without} KiB");
    assert!(with - without < MAX_KIB, "{with} KiB and {without} KiB");
}
