//! Calls that fail, each in Envoy's own way of telling.

use portcullis_tests::authorization_server::{
    AuthorizationServer, CLIENT_ID, TOKEN_PATH, WRONG_SECRET, grant,
};
use portcullis_tests::server::{Answer, Behaviour};
use portcullis_tests::{EchoResource, Response};
use serde_json::{Value, json};

use crate::envoy::{self, Envoy};
use crate::settings::{call_with_secret, zscaler};

/// Starts the filter in mode `zscaler` with a cluster for the token endpoint, if any.
fn start(resource: &EchoResource, url: &str, token_cluster: Option<Value>) -> Envoy {
    let clusters = [envoy::cluster(&resource.url())]
        .into_iter()
        .chain(token_cluster);
    Envoy::start(
        vec![envoy::filter("portcullis", &zscaler(url))],
        clusters.collect(),
    )
}

#[track_caller]
fn assert_unavailable(response: &Response, case: &str) {
    assert_eq!(response.status, 503, "{case}: {}", response.text());
    assert_ne!(response.value("retry-after"), "", "{case}");
    assert_eq!(
        response.json()["error"]["code"],
        -32001,
        "{case}: {}",
        response.text()
    );
}

#[test]
fn failed_calls_are_outages_and_the_vm_lives_on() {
    let resource = EchoResource::start();
    let server = AuthorizationServer::start();
    let envoy = start(
        &resource,
        &server.url(""),
        Some(envoy::cluster(&server.url(""))),
    );
    let whole = || {
        Answer::json(
            200,
            &json!({"access_token": "x".repeat(4096), "expires_in": 60}),
        )
    };
    let head = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n").into_bytes();
    let huge = || Answer::new(200).body(vec![b' '; 33 << 20]);
    let failures = [
        ("closed without a byte", Behaviour::Close),
        ("cut in mid-body", Behaviour::Cut(whole())),
        ("garbage", Behaviour::Raw(b"\0\xff\r\n\r\n".to_vec())),
        (
            "field name of bytes",
            Behaviour::Raw(b"HTTP/1.1 200 OK\r\n\xff\xfe: x\r\n\r\n".to_vec()),
        ),
        (
            "cut in mid-chunk",
            Behaviour::Raw(head("transfer-encoding: chunked\r\n\r\n9\r\nx")),
        ),
        ("no fields", Behaviour::Raw(head(""))),
        (
            "redirect",
            Behaviour::Answer(Answer::new(302).field("location", server.url("/"))),
        ),
        ("server error", Behaviour::status(500)),
        ("too many requests", Behaviour::status(429)),
        ("body over every limit", Behaviour::Answer(huge())),
    ];
    for (case, behaviour) in failures {
        server.on_path(TOKEN_PATH, behaviour);
        assert_unavailable(&envoy.send(&call_with_secret("s")), case);
    }
    server.on_path(
        TOKEN_PATH,
        Behaviour::Answer(whole().field("x-bytes", "\u{fe}\u{ff}")),
    );
    assert_eq!(envoy.send(&call_with_secret("s")).status, 200);
    server.restore(TOKEN_PATH);
    assert_eq!(envoy.send(&call_with_secret(WRONG_SECRET)).status, 401);
    server.on_client(CLIENT_ID, grant(600));
    assert_eq!(envoy.send(&call_with_secret("another")).status, 200);
    assert_eq!(resource.count(), 2);
}

#[test]
fn silence_ends_with_the_time_of_the_call() {
    let resource = EchoResource::start();
    let server = AuthorizationServer::start();
    let envoy = start(
        &resource,
        &server.url(""),
        Some(envoy::cluster(&server.url(""))),
    );
    server.on_path(TOKEN_PATH, Behaviour::Silent);
    assert_unavailable(&envoy.send(&call_with_secret("s")), "silent");
    server.restore(TOKEN_PATH);
    assert_eq!(envoy.send(&call_with_secret("s")).status, 200);
}

#[test]
fn call_that_cannot_be_sent_is_an_outage() {
    let resource = EchoResource::start();
    let closed = "http://127.0.0.1:1";
    assert_unavailable(
        &start(&resource, closed, Some(envoy::cluster(closed))).send(&call_with_secret("s")),
        "connection refused",
    );
    assert_unavailable(
        &start(&resource, closed, None).send(&call_with_secret("s")),
        "no such cluster",
    );
    let mut unhealthy = envoy::cluster(closed);
    unhealthy["load_assignment"]["endpoints"] = json!([]);
    assert_unavailable(
        &start(&resource, closed, Some(unhealthy)).send(&call_with_secret("s")),
        "no endpoint",
    );
    let mut full = envoy::cluster(closed);
    full["circuit_breakers"] = json!({"thresholds": [{"max_pending_requests": 0, "max_requests": 0, "max_connections": 0}]});
    assert_unavailable(
        &start(&resource, closed, Some(full)).send(&call_with_secret("s")),
        "overflow",
    );
    assert_eq!(resource.count(), 0);
}

#[test]
fn cluster_of_another_name_is_found_by_the_setting() {
    let resource = EchoResource::start();
    let server = AuthorizationServer::start();
    let url = server.url("");
    let mut cluster = envoy::cluster(&url);
    cluster["name"] = json!("idp");
    cluster["load_assignment"]["cluster_name"] = json!("idp");
    let mut settings = zscaler(&url);
    settings["PORTCULLIS_CLUSTERS"] = json!(format!("{}=idp", url.trim_start_matches("http://")));
    let filters = vec![envoy::filter("portcullis", &settings)];
    let envoy = Envoy::start(filters, vec![envoy::cluster(&resource.url()), cluster]);
    assert_eq!(envoy.send(&call_with_secret("s")).status, 200);
    assert_eq!(server.count(TOKEN_PATH), 1);
}
