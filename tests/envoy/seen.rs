//! What people can see of the filter: its records, its figures, and the trace that calls carry on.

use portcullis_tests::authorization_server::{CLIENT_ID, JWKS_PATH, TOKEN_PATH, grant, refusal};
use portcullis_tests::{Alg, AuthorizationServer, Behaviour, EchoResource, Request, SigningKey};
use serde_json::{Value, json};

use crate::envoy::{self, Envoy};
use crate::settings::{api_key, jwt, with_client, with_key, zscaler};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn start(settings: &Value, server: &AuthorizationServer, resource: &EchoResource) -> Envoy {
    let filter = envoy::filter("portcullis", settings);
    let clusters = [resource.url(), server.url("")].map(|url| envoy::cluster(&url));
    Envoy::start(vec![filter], clusters.into())
}

/// Returns the records in the log.
fn records(envoy: &Envoy) -> Vec<Value> {
    let log = envoy.log();
    let records = log.lines().filter_map(|line| line.split_once(": audit "));
    records
        .map(|(_, record)| serde_json::from_str(record).expect(record))
        .collect()
}

/// Waits until there are so many records, and returns them.
fn wait_for_records(envoy: &Envoy, count: usize) -> Vec<Value> {
    envoy::until(|| records(envoy).len() >= count, || envoy.log());
    records(envoy)
}

#[test]
fn records_tell_who_asked_what_and_why_and_hold_no_secret() {
    let (server, resource) = (AuthorizationServer::start(), EchoResource::start());
    server.on_client(CLIENT_ID, grant(3600));
    server.on_client("stranger", refusal(401, "invalid_client"));
    let mut settings = zscaler(&server.url(""));
    settings["PORTCULLIS_AUDIT"] = json!("all");
    let envoy = start(&settings, &server, &resource);
    let call = || Request::post("/mcp?key=hidden", "{}").field("Mcp-Method", "tools/call");
    let traced = call().field("traceparent", PARENT);
    envoy.send(&with_client(traced, CLIENT_ID, "hidden"));
    envoy.send(&with_client(call(), CLIENT_ID, "hidden"));
    envoy.send(&with_client(call(), "stranger", "hidden"));
    envoy.send(&call());
    let found = wait_for_records(&envoy, 4);
    let members = ["outcome", "reason", "source", "principal", "status"];
    let told = |record: &Value| members.map(|member| record[member].clone());
    let expected = [
        json!(["forwarded", "allowed", "call", CLIENT_ID, null]),
        json!(["forwarded", "allowed", "cache", CLIENT_ID, null]),
        json!(["refused", "client_credentials_refused", "call", null, 401]),
        json!(["refused", "missing_credentials", "request", null, 401]),
    ];
    for (record, expected) in found.iter().zip(expected) {
        assert_eq!(json!(told(record)), expected, "{record:#}");
        assert_eq!(record["path"], "/mcp");
        assert_eq!(record["mode"], "zscaler");
        assert_eq!(record["mcp_method"], "tools/call");
        assert_eq!(record["client"], "127.0.0.1");
        assert!(record["took_us"].is_u64() && record["time"].is_string());
    }
    assert_eq!(found[0]["trace_id"], &PARENT[3..35]);
    assert_eq!(found[1]["trace_id"], Value::Null);
    let written: String = found.iter().map(Value::to_string).collect();
    assert!(!written.contains("hidden"), "{written}");
}

#[test]
fn refusals_have_records_where_nothing_else_has_and_none_unless_asked_for() {
    let (server, resource) = (AuthorizationServer::start(), EchoResource::start());
    let key = "k7Jc2uY0cTn4u4b9wq8v1Xz3Lr6Sd5Ff";
    for (audit, expected) in [("none", 1), ("off", 0)] {
        let mut settings = api_key(key);
        settings["PORTCULLIS_AUDIT"] = json!(audit);
        let envoy = start(&settings, &server, &resource);
        envoy.send(&with_key(Request::post("/mcp", "{}"), key));
        envoy.send(&with_key(Request::post("/mcp", "{}"), "wrong"));
        envoy::until(|| envoy.log().contains("respond 401"), || envoy.log());
        let found = records(&envoy);
        assert_eq!(found.len(), expected, "{audit}: {found:?}");
        let reason = found.first().map(|record| record["reason"].clone());
        assert!(reason.is_none_or(|reason| reason == "wrong_api_key"));
    }
    let mut settings = api_key(key);
    settings["PORTCULLIS_AUDIT"] = json!("some");
    let filter = envoy::filter("portcullis", &settings);
    let bootstrap = envoy::bootstrap(vec![filter], vec![envoy::cluster(&resource.url())]);
    let refused = Envoy::try_start(envoy::folder(), &bootstrap);
    let log = refused.err().expect("another word is refused");
    assert!(log.contains("PORTCULLIS_AUDIT"), "{log}");
}

#[test]
fn a_log_level_that_leaves_records_out_is_told_of() {
    let (server, resource) = (AuthorizationServer::start(), EchoResource::start());
    for (audit, tells) in [("off", false), ("none", true)] {
        let mut settings = api_key("k7Jc2uY0cTn4u4b9wq8v1Xz3Lr6Sd5Ff");
        settings["PORTCULLIS_AUDIT"] = json!(audit);
        let envoy = start(&settings, &server, &resource);
        let level = |level: &str| {
            let change = Request::post(&format!("/logging?wasm={level}"), "");
            change.send(envoy.admin).unwrap();
        };
        level("warning");
        let told = || envoy.log().matches("audit records are lost").count();
        if tells {
            envoy::until(|| told() > 0, || envoy.log());
        }
        // The level is looked at once a second, by the main thread and by the worker.
        std::thread::sleep(std::time::Duration::from_millis(2500));
        assert_eq!(told(), if tells { 2 } else { 0 }, "{audit}");
    }
}

#[test]
fn calls_carry_the_trace_of_the_request_that_caused_them() {
    let (server, resource) = (AuthorizationServer::start(), EchoResource::start());
    server.on_client(CLIENT_ID, grant(3600));
    server.on_client("other", grant(3600));
    let envoy = start(&zscaler(&server.url("")), &server, &resource);
    let traced = Request::post("/mcp", "{}")
        .field("traceparent", PARENT)
        .field("tracestate", "a=1");
    envoy.send(&with_client(traced, CLIENT_ID, "secret"));
    let broken = Request::post("/mcp", "{}").field("traceparent", "00-broken");
    envoy.send(&with_client(broken, "other", "secret"));
    let calls = server.requests(TOKEN_PATH);
    let carried: Vec<_> = calls
        .iter()
        .map(|call| ["traceparent", "tracestate"].map(|name| call.value(name)))
        .collect();
    let whole = [Some(PARENT.to_owned()), Some("a=1".to_owned())];
    assert_eq!(carried, [whole, [None, None]]);
}

#[test]
fn calls_that_follow_from_a_call_carry_its_trace() {
    const DOCUMENT_PATH: &str = "/.well-known/openid-configuration";
    let (server, resource) = (AuthorizationServer::start(), EchoResource::start());
    server.on_path(DOCUMENT_PATH, Behaviour::status(503));
    let settings = json!({
        "OIDCPROXY_CONFIG_URL": server.url(DOCUMENT_PATH),
        "OIDCPROXY_BASE_URL": "https://gw.example/mcp",
        "OIDCPROXY_AUDIENCE": "mcp",
        "PORTCULLIS_SESSION_BINDING": "off",
    });
    let envoy = start(&settings, &server, &resource);
    // The first fetch is nobody's, and the next may be made two seconds later.
    server.wait_for(DOCUMENT_PATH, 1);
    std::thread::sleep(std::time::Duration::from_secs(3));
    let document = json!({"issuer": server.url(""), "jwks_uri": server.url(JWKS_PATH)});
    server.on_path(DOCUMENT_PATH, Behaviour::json(200, &document));
    let key = SigningKey::generate("key", Alg::EdDsa);
    let token = format!(
        "Bearer {}",
        key.token(Alg::EdDsa, &json!({"sub": "somebody"}))
    );
    let traced = Request::post("/mcp", "{}").field("traceparent", PARENT);
    assert_eq!(
        envoy.send(&traced.field("authorization", token)).status,
        401
    );
    for path in [DOCUMENT_PATH, JWKS_PATH] {
        let calls = server.requests(path);
        let carried = calls.last().unwrap().value("traceparent");
        assert_eq!(carried.as_deref(), Some(PARENT), "{path}");
    }
}

#[test]
fn figures_tell_of_cache_calls_and_keys() {
    let (server, resource) = (AuthorizationServer::start(), EchoResource::start());
    server.on_client(CLIENT_ID, grant(3600));
    let envoy = start(&zscaler(&server.url("")), &server, &resource);
    for _ in 0..3 {
        envoy.send(&with_client(Request::post("/mcp", "{}"), CLIENT_ID, "s"));
    }
    for (name, value) in [
        ("portcullis_cache_entries", 1),
        ("portcullis_cache_hits_total", 2),
        ("portcullis_cache_misses_total", 1),
        ("portcullis_calls_total.mode.zscaler.outcome.response", 1),
        (
            "portcullis_decisions_total.mode.zscaler.outcome.forwarded.reason.allowed",
            3,
        ),
    ] {
        let name = format!("wasmcustom.{name}");
        envoy.wait_for_stat(&name, value);
        assert_eq!(envoy.stat(&name), value, "{name}");
    }
    let prometheus = || {
        Request::get("/stats/prometheus")
            .send(envoy.admin)
            .unwrap()
            .text()
    };
    for histogram in [
        "portcullis_call_milliseconds",
        "portcullis_engine_microseconds",
    ] {
        // Envoy adds histograms up every five seconds.
        let line = format!("{histogram}_count{{}} 1");
        envoy::until(|| prometheus().contains(&line), prometheus);
    }
}

#[test]
fn figures_tell_of_keys_that_cannot_be_fetched() {
    let (server, resource) = (AuthorizationServer::start(), EchoResource::start());
    server.on_path(JWKS_PATH, Behaviour::status(500));
    let failing = start(&jwt(&server.url(JWKS_PATH)), &server, &resource);
    failing.wait_for_stat("wasmcustom.portcullis_jwks_failing", 1);
    server.restore(JWKS_PATH);
    let good = start(&jwt(&server.url(JWKS_PATH)), &server, &resource);
    good.wait_for_stat(
        "wasmcustom.portcullis_jwks_fetched_timestamp_seconds",
        1_700_000_000,
    );
    assert_eq!(good.stat("wasmcustom.portcullis_jwks_failing"), 0);
}
