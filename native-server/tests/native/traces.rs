//! Traces: what is passed on, and the spans that a collector receives.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Gateway, OPEN, PATIENCE, Upstream, values};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn upstream() -> Upstream {
    Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
}

fn ask(gateway: &Gateway, fields: &str) {
    let head = "GET /mcp?q=in-query HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    let answer = gateway.exchange(&format!("{head}{fields}\r\n"));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// A receiver of OTLP over HTTP in JSON: a stand-in for a collector, which none of the package
/// registries has. It takes documents to the letter of the protocol's JSON form.
fn collector() -> (Upstream, Receiver<Value>) {
    let (sender, documents) = channel();
    let collector = Upstream::start(move |mut wire| {
        let mut body = String::new();
        // The head is gone; the body is one JSON object, which ends with its last brace.
        let mut open = 0_i32;
        loop {
            let mut octet = [0];
            wire.0.read_exact(&mut octet).expect("body");
            body.push(char::from(octet[0]));
            open += i32::from(octet[0] == b'{') - i32::from(octet[0] == b'}');
            if open == 0 {
                break;
            }
        }
        let document = serde_json::from_str(&body).expect("JSON");
        let _ = sender.send(document);
        wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
    });
    (collector, documents)
}

#[test]
fn a_trace_is_passed_on_as_it_came_and_a_malformed_one_is_dropped() {
    let upstream = upstream();
    let gateway = Gateway::start(upstream.address, &[]);
    let parent = format!("00-{TRACE}-{PARENT}-01");
    ask(
        &gateway,
        &format!("traceparent: {parent}\r\ntracestate: a=b\r\n"),
    );
    let head = upstream.head();
    assert_eq!(values(&head, "traceparent"), [parent.as_str()]);
    assert_eq!(values(&head, "tracestate"), ["a=b"]);
    ask(&gateway, "traceparent: 00-xyz\r\ntracestate: a=b\r\n");
    let head = upstream.head();
    assert!(values(&head, "traceparent").is_empty() && values(&head, "tracestate").is_empty());
}

#[test]
fn a_request_is_a_span_below_that_of_its_client() {
    let (upstream, (collector, documents)) = (upstream(), collector());
    let endpoint = format!("http://{}", collector.address);
    let url = format!("http://{}", upstream.address);
    let environment = [
        ("ZSCALER_MCP_AUTH_MODE", "none"),
        ("ZSCALER_MCP_ALLOWED_HOSTS", "*"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=mine"),
    ];
    let gateway = Gateway::start_with(&["--upstream", &url], &environment);
    ask(
        &gateway,
        &format!("traceparent: 00-{TRACE}-{PARENT}-01\r\n"),
    );
    let document = documents.recv_timeout(PATIENCE).expect("spans");
    let head = collector.head();
    assert!(head.starts_with("POST /v1/traces HTTP/1.1"), "{head}");
    assert_eq!(values(&head, "content-type"), ["application/json"]);
    assert_eq!(values(&head, "x-tenant"), ["mine"]);
    let span = &document["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(
        (&span["traceId"], &span["parentSpanId"]),
        (&TRACE.into(), &PARENT.into())
    );
    assert_eq!(
        (&span["kind"], &span["status"]["code"]),
        (&2.into(), &0.into())
    );
    let passed_on = format!("00-{TRACE}-{}-01", span["spanId"].as_str().expect("text"));
    assert_eq!(
        values(&upstream.head(), "traceparent"),
        [passed_on.as_str()]
    );
    let attributes = span["attributes"].to_string();
    for attribute in [
        r#"{"key":"portcullis.reason","value":{"stringValue":"allowed"}}"#,
        r#"{"key":"http.response.status_code","value":{"intValue":"200"}}"#,
        r#"{"key":"url.path","value":{"stringValue":"/mcp"}}"#,
    ] {
        assert!(attributes.contains(attribute), "{attribute}\n{attributes}");
    }
    assert!(!document.to_string().contains("in-query"));
    ask(
        &gateway,
        &format!("traceparent: 00-{TRACE}-{PARENT}-00\r\n"),
    );
    let unsampled = format!("00-{TRACE}-{PARENT}-00");
    assert_eq!(
        values(&upstream.head(), "traceparent"),
        [unsampled.as_str()]
    );
}

#[test]
fn a_call_is_a_span_below_the_request_that_caused_it() {
    let (upstream, (collector, documents)) = (upstream(), collector());
    let issuer = Upstream::answering("HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n");
    let endpoint = format!("http://{}", collector.address);
    let url = format!("http://{}", upstream.address);
    let token_url = format!("http://{}/token", issuer.address);
    let environment = [
        ("PORTCULLIS_TOKEN_URL", &*token_url),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
    ];
    let gateway = Gateway::start_with(&["--upstream", &url], &environment);
    let request = format!(
        "GET /mcp HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-zscaler-client-id: id\r\n\
         x-zscaler-client-secret: not-to-be-told\r\ntraceparent: 00-{TRACE}-{PARENT}-01\r\n\r\n"
    );
    assert!(gateway.exchange(&request).starts_with("HTTP/1.1 503"));
    let mut spans = Vec::new();
    while spans.len() < 2 {
        let document = documents.recv_timeout(PATIENCE).expect("spans");
        assert!(!document.to_string().contains("not-to-be-told"));
        let some = document["resourceSpans"][0]["scopeSpans"][0]["spans"].clone();
        spans.extend(some.as_array().expect("list").clone());
    }
    let named = |name: &str| {
        spans
            .iter()
            .find(|span| span["name"] == name)
            .expect("span")
    };
    let (request, call) = (named("request"), named("call"));
    assert_eq!(call["parentSpanId"], request["spanId"]);
    assert_eq!(
        (&call["traceId"], &call["status"]["code"]),
        (&TRACE.into(), &2.into())
    );
    let span = call["spanId"].as_str().expect("text");
    assert_eq!(
        values(&issuer.head(), "traceparent"),
        [format!("00-{TRACE}-{span}-01")]
    );
}

#[test]
fn a_call_that_follows_from_another_is_in_its_trace() {
    let bodies: Arc<Mutex<Vec<String>>> = Arc::default();
    let provider = Upstream::start({
        let bodies = Arc::clone(&bodies);
        move |mut wire| {
            let body = bodies.lock().expect("lock").pop().unwrap_or_default();
            let status = if body.is_empty() { 503 } else { 200 };
            let fields = format!("content-length: {}\r\nconnection: close", body.len());
            wire.send(&format!("HTTP/1.1 {status} X\r\n{fields}\r\n\r\n{body}"));
        }
    });
    let (upstream, root) = (upstream(), format!("http://{}", provider.address));
    let url = format!("http://{}", upstream.address);
    let document = format!(r#"{{"issuer":"{root}","jwks_uri":"{root}/keys"}}"#);
    // From the last to the first.
    *bodies.lock().expect("lock") = vec![r#"{"keys":[]}"#.to_owned(), document, String::new()];
    let environment = [
        (
            "OIDCPROXY_CONFIG_URL",
            &*format!("{root}/.well-known/openid-configuration"),
        ),
        ("OIDCPROXY_BASE_URL", "https://gw.example/mcp"),
        ("OIDCPROXY_AUDIENCE", "mcp"),
    ];
    let gateway = Gateway::start_with(&["--upstream", &url], &environment);
    // The first fetch is nobody's, and the next may be made two seconds later.
    assert!(values(&provider.head(), "traceparent").is_empty());
    std::thread::sleep(Duration::from_secs(3));
    let token = "eyJhbGciOiJFZERTQSIsImtpZCI6ImEifQ.e30.AAAA";
    let answer = gateway.exchange(&format!(
        "GET /mcp HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         traceparent: 00-{TRACE}-{PARENT}-01\r\n\r\n"
    ));
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    for path in ["/.well-known/openid-configuration", "/keys"] {
        let head = provider.head();
        assert!(head.contains(path), "{head}");
        let parent = format!("00-{TRACE}-{PARENT}-01");
        assert_eq!(values(&head, "traceparent"), [parent], "{path}");
    }
}

#[test]
fn a_call_has_the_state_of_a_trace_that_can_be_read() {
    let upstream = upstream();
    let issuer = Upstream::answering("HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n");
    let token_url = format!("http://{}/token", issuer.address);
    let url = format!("http://{}", upstream.address);
    let environment = [("PORTCULLIS_TOKEN_URL", &*token_url)];
    let passing_on = Gateway::start_with(&["--upstream", &url], &environment);
    let beside = Gateway::start_with(&[], &environment);
    let parent = format!("traceparent: 00-{TRACE}-{PARENT}-01\r\n");
    let entry = |key: &str| format!("{key}={}", "v".repeat(125));
    let [a, b, c, d] = ["a", "b", "c", "d"].map(entry);
    let lines = format!("{parent}tracestate: {a},{b}\r\ntracestate: {c},{d}, last=1\r\n");
    let malformed = "traceparent: 00-xyz\r\ntracestate: a=b\r\n";
    let asked = "X-Forwarded-Method: GET\r\nX-Forwarded-Host: x\r\nX-Forwarded-Uri: /mcp\r\n\
        X-Forwarded-For: 192.0.2.1\r\n";
    for (gateway, target, fields) in [(&passing_on, "/mcp", ""), (&beside, "/decide", asked)] {
        let state_of_call = |trace: &str| {
            let answer = gateway.exchange(&format!(
                "GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{fields}{trace}\
                 x-zscaler-client-id: id\r\nx-zscaler-client-secret: secret\r\n\r\n"
            ));
            assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
            values(&issuer.head(), "tracestate").join("|")
        };
        // 512 octets are the most (W3C Trace Context §3.3.1.5).
        assert_eq!(state_of_call(&lines), [&*a, &b, &c, &d].join(","));
        assert_eq!(state_of_call(malformed), "");
        assert_eq!(state_of_call("tracestate: a=b\r\n"), "");
    }
}

#[test]
fn the_protected_resource_has_the_state_as_it_came() {
    let (upstream, (collector, documents)) = (upstream(), collector());
    let endpoint = format!("http://{}", collector.address);
    let gateway = traced(&upstream, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    let state = format!("a={},b=2, c = 3", "v".repeat(600));
    let fields = format!("traceparent: 00-{TRACE}-{PARENT}-01\r\ntracestate: {state}\r\n");
    ask(&gateway, &fields);
    assert_eq!(values(&upstream.head(), "tracestate"), [state.as_str()]);
    documents.recv_timeout(PATIENCE).expect("spans");
}

#[test]
fn a_document_is_one_of_the_protocol() {
    let (upstream, (collector, documents)) = (upstream(), collector());
    let endpoint = format!("http://{}", collector.address);
    let gateway = traced(&upstream, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    ask(
        &gateway,
        &format!("traceparent: 00-{TRACE}-{PARENT}-01\r\n"),
    );
    let document = documents.recv_timeout(PATIENCE).expect("spans");
    let read = read_by_schema(&document);
    assert_eq!(
        read,
        format!("request SPAN_KIND_SERVER {TRACE} {PARENT} STATUS_CODE_UNSET\n")
    );
    // A root has no parent.
    ask(&gateway, "");
    let document = documents.recv_timeout(PATIENCE).expect("spans");
    let read = read_by_schema(&document);
    assert!(read.starts_with("request SPAN_KIND_SERVER "), "{read}");
    assert!(read.ends_with("  STATUS_CODE_UNSET\n"), "{read}");
}

#[test]
fn a_span_is_small_and_has_no_query() {
    let (upstream, (collector, documents)) = (upstream(), collector());
    let endpoint = format!("http://{}", collector.address);
    let gateway = traced(&upstream, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    let (method, path) = ("M".repeat(1000), "p".repeat(8000));
    let answer = gateway.exchange(&format!(
        "{method} /{path}?in-query HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    ));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let document = documents.recv_timeout(PATIENCE).expect("spans").to_string();
    assert!(document.contains("/pppp") && document.contains("_OTHER"));
    assert!(document.len() < 2000, "{document}");
    assert!(!document.contains("in-query"), "{document}");
}

#[test]
fn spans_that_wait_at_the_end_are_sent() {
    let (upstream, (collector, documents)) = (upstream(), collector());
    let endpoint = format!("http://{}", collector.address);
    let mut gateway = traced(&upstream, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    ask(&gateway, "");
    documents.recv_timeout(PATIENCE).expect("spans");
    // The next one waits for others.
    ask(&gateway, "");
    gateway.terminate();
    assert_eq!(gateway.child.wait().expect("ends").code(), Some(0));
    documents.recv_timeout(PATIENCE).expect("the last span");
    let log = gateway.log_with("shutting down");
    assert!(!log.contains("did not reach"), "{log}");
}

#[test]
fn spans_that_nobody_takes_are_counted_at_the_end() {
    let (upstream, collector) = (upstream(), Upstream::start(|mut wire| wire.wait_for_end()));
    let endpoint = format!("http://{}", collector.address);
    let mut gateway = traced(&upstream, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    ask(&gateway, "");
    collector.head();
    ask(&gateway, "");
    let told = Instant::now();
    gateway.terminate();
    assert_eq!(gateway.child.wait().expect("ends").code(), Some(0));
    // Ten seconds are for all of it.
    assert!(told.elapsed() < Duration::from_secs(15));
    let log = gateway.log_with("did not reach the collector");
    assert!(log.contains("lost=2"), "{log}");
}

#[test]
fn where_spans_go_is_told_without_what_may_be_secret() {
    let upstream = upstream();
    let url = format!("http://{}/secret-path?secret-query", Upstream::dead());
    let gateway = traced(&upstream, &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &url)]);
    ask(&gateway, "");
    let place = url.split("/secret").next().expect("a place");
    let log = gateway.log_with(&format!("spans are lost, {place} says"));
    assert!(log.contains(&format!("spans go to {place}")), "{log}");
    assert!(!log.contains("secret"), "{log}");
}

#[test]
fn a_protocol_that_is_not_spoken_is_warned_of() {
    let (upstream, (collector, documents)) = (upstream(), collector());
    let endpoint = format!("http://{}", collector.address);
    for protocol in ["grpc", "http/protobuf"] {
        let more = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ];
        let gateway = traced(&upstream, &more);
        gateway.log_with(&format!(
            "OTEL_EXPORTER_OTLP_PROTOCOL={protocol} is not spoken"
        ));
        ask(&gateway, "");
        documents.recv_timeout(PATIENCE).expect("spans");
    }
}

/// Starts an open gateway that sends its spans somewhere.
fn traced(upstream: &Upstream, more: &[(&str, &str)]) -> Gateway {
    let url = format!("http://{}", upstream.address);
    Gateway::start_with(&["--upstream", &url], &[&OPEN, more].concat())
}

/// Has OpenTelemetry's own schema read a document, and returns a line for each span.
fn read_by_schema(document: &Value) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let tools = Command::new("python3")
        .arg(root.join("scripts/tools.py"))
        .arg("otlp")
        .current_dir(&root)
        .output()
        .expect("python3 runs");
    let log = String::from_utf8_lossy(&tools.stderr);
    assert!(tools.status.success(), "{log}");
    let python = String::from_utf8(tools.stdout).expect("a path");
    let mut reader = Command::new(root.join(python.trim()))
        .arg(root.join("native-server/tests/otlp.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python runs");
    let mut input = reader.stdin.take().expect("piped");
    input
        .write_all(document.to_string().as_bytes())
        .expect("sent");
    drop(input);
    let output = reader.wait_with_output().expect("ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).expect("text")
}
