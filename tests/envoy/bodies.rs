//! Bodies of requests that wait for a decision.

use std::thread;

use portcullis_tests::authorization_server::{
    AuthorizationServer, CLIENT_ID, TOKEN_PATH, grant, refusal,
};
use portcullis_tests::server::{Behaviour, Gate};
use portcullis_tests::{EchoResource, Request, Response};
use serde_json::json;

use crate::envoy::{self, Envoy};
use crate::settings::{with_client, zscaler};

/// More than every buffer on the way.
const BODY_BYTES: usize = 8 << 20;

/// Sends a request with `body` while the token endpoint is held back, lets `answer` come once the
/// call has arrived, and returns what client and protected resource got.
fn exchange(answer: Behaviour, body: usize, wait_flag: bool) -> (Response, Vec<usize>) {
    let resource = EchoResource::start();
    let server = AuthorizationServer::start();
    let gate = Gate::default();
    server.on_client(CLIENT_ID, Behaviour::Held(gate.clone(), Box::new(answer)));
    let mut filter = envoy::filter("portcullis", &zscaler(&server.url("")));
    filter["typed_config"]["config"]["allow_on_headers_stop_iteration"] = json!(wait_flag);
    let clusters = vec![
        envoy::cluster(&resource.url()),
        envoy::cluster(&server.url("")),
    ];
    let mut bootstrap = envoy::bootstrap(vec![filter], clusters);
    // Envoy Gateway's limit; Envoy's own is 1 MiB.
    bootstrap["static_resources"]["listeners"][0]["per_connection_buffer_limit_bytes"] =
        json!(32_768);
    let envoy = Envoy::start_bootstrap(envoy::folder(), &bootstrap);
    let request = with_client(Request::new("POST", "/mcp"), CLIENT_ID, "s").body(vec![b'x'; body]);
    let response = thread::scope(|scope| {
        let client = scope.spawn(|| request.send(envoy.listeners[0]));
        server.wait_for(TOKEN_PATH, 1);
        assert_eq!(resource.count(), 0, "something passed before the decision");
        gate.open();
        client.join().unwrap().unwrap()
    });
    let seen = resource.take();
    (
        response,
        seen.iter().map(|incoming| incoming.body.len()).collect(),
    )
}

#[test]
fn body_waits_for_the_decision_and_passes_whole() {
    let (response, seen) = exchange(grant(60), BODY_BYTES, false);
    assert_eq!((response.status, seen), (200, vec![BODY_BYTES]));
    let (response, seen) = exchange(grant(60), 10_000, true);
    assert_eq!((response.status, seen), (200, vec![10_000]));
}

#[test]
fn body_of_a_refused_request_goes_nowhere() {
    for wait_flag in [false, true] {
        let refused = refusal(401, "invalid_client");
        let (response, seen) = exchange(refused, 10_000, wait_flag);
        assert_eq!((response.status, seen), (401, vec![]), "{wait_flag}");
    }
}

#[test]
fn body_over_the_buffers_is_refused_by_envoy_where_it_collects_bodies() {
    let (response, seen) = exchange(grant(60), BODY_BYTES, true);
    assert_eq!((response.status, seen), (413, vec![]));
}
