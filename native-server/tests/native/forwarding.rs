//! What reaches the protected resource, and what comes back.

use std::sync::mpsc::channel;

use crate::support::{Gateway, PATIENCE, Upstream, values};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

#[test]
fn host_and_forwarded_fields_are_those_of_a_proxy() {
    let upstream = Upstream::answering(OK);
    let gateway = Gateway::start(upstream.address, &[]);
    let response = gateway.exchange(
        "POST /mcp?x=%2F&y HTTP/1.1\r\nHost: mcp.example\r\nX-Forwarded-For: 192.0.2.1\r\n\
         X-Forwarded-Proto: https\r\nX-Forwarded-Host: spoofed\r\nConnection: close, x-hop\r\n\
         X-Hop: 1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nTE: trailers\r\n\
         Proxy-Authorization: Basic eA==\r\nUpgrade: h2c\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n\
         2\r\nhi\r\n0\r\n\r\n",
    );
    assert!(
        response.contains("200 OK") && response.ends_with("ok"),
        "{response}"
    );
    let head = upstream.head();
    assert!(head.starts_with("POST /mcp?x=%2F&y HTTP/1.1\r\n"), "{head}");
    let authority = upstream.address.to_string();
    for (name, expected) in [
        ("host", vec![authority.as_str()]),
        ("x-forwarded-for", vec!["192.0.2.1, 127.0.0.1"]),
        ("x-forwarded-proto", vec!["http"]),
        ("x-forwarded-host", vec!["mcp.example"]),
        ("x-twice", vec!["1", "2"]),
        ("te", vec!["trailers"]),
        ("transfer-encoding", vec!["chunked"]),
        ("x-hop", vec![]),
        ("expect", vec![]),
        ("upgrade", vec![]),
        ("proxy-authorization", vec![]),
    ] {
        assert_eq!(values(&head, name), expected, "{name} in {head}");
    }
}

#[test]
fn trusted_proxy_may_say_by_which_scheme_and_host_it_was_asked() {
    let upstream = Upstream::answering(OK);
    let url = format!("http://{}", upstream.address);
    let environment = [
        ("ZSCALER_MCP_AUTH_MODE", "none"),
        ("PORTCULLIS_TRUSTED_PROXIES", "127.0.0.0/8"),
    ];
    let gateway = Gateway::start_with(&["--upstream", &url], &environment);
    gateway.exchange(
        "GET / HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: 192.0.2.1\r\n\
         x-forwarded-proto: https\r\nconnection: close\r\n\r\n",
    );
    let head = upstream.head();
    assert_eq!(values(&head, "x-forwarded-for"), ["192.0.2.1, 127.0.0.1"]);
    assert_eq!(values(&head, "x-forwarded-proto"), ["https"]);
    assert_eq!(values(&head, "x-forwarded-host"), ["localhost"]);
}

#[test]
fn bytes_of_a_field_arrive_as_they_are() {
    let upstream = Upstream::answering(OK);
    let gateway = Gateway::start(upstream.address, &[]);
    gateway.exchange("GET / HTTP/1.1\r\nhost: a\r\nx-text: caf\u{e9}\r\nconnection: close\r\n\r\n");
    assert_eq!(values(&upstream.head(), "x-text"), ["caf\u{e9}"]);
}

#[test]
fn fields_of_the_upstream_connection_end_at_the_gateway() {
    let upstream = Upstream::answering(
        "HTTP/1.1 404 Not Found\r\nconnection: close, x-hop\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\n\
         x-kept: 1\r\nx-kept: 2\r\ncontent-length: 4\r\n\r\nnone",
    );
    let gateway = Gateway::start(upstream.address, &[]);
    let mut wire = gateway.connect();
    wire.send("GET /a HTTP/1.1\r\nhost: a\r\n\r\n");
    let head = wire.head();
    wire.expect("none");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    assert_eq!(values(&head, "x-kept"), ["1", "2"]);
    for name in ["connection", "x-hop", "keep-alive"] {
        assert!(values(&head, name).is_empty(), "{name} in {head}");
    }
    // The client's connection lives on although the upstream's has ended.
    wire.send("GET /b HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(wire.head().starts_with("HTTP/1.1 404 "));
}

#[test]
fn head_has_the_length_and_no_body() {
    let upstream =
        Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 1234\r\nconnection: close\r\n\r\n");
    let gateway = Gateway::start(upstream.address, &[]);
    for path in ["/mcp", "/health"] {
        let get = format!("HEAD {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        let response = gateway.exchange(&get);
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
        assert!(response.ends_with("\r\n\r\n"), "{response}");
        let length: u32 = values(&response, "content-length")[0]
            .parse()
            .expect("number");
        assert!(length > 0, "{response}");
    }
}

#[test]
fn connections_to_the_upstream_are_used_again() {
    let upstream = Upstream::start(|mut wire| {
        loop {
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            wire.head();
        }
    });
    let gateway = Gateway::start(upstream.address, &[]);
    let mut wire = gateway.connect();
    for _ in 0..3 {
        wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        assert!(wire.head().starts_with("HTTP/1.1 200 "));
        wire.expect("ok");
    }
    upstream.head();
    assert!(upstream.heads.try_recv().is_err(), "a second connection");
}

#[test]
fn connection_that_the_upstream_has_closed_is_not_used_again() {
    let (sender, closed) = channel();
    let upstream = Upstream::start(move |mut wire| {
        wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        // It closes without having said so.
        drop(wire);
        sender.send(()).expect("test waits");
    });
    let gateway = Gateway::start(upstream.address, &[]);
    let mut wire = gateway.connect();
    for _ in 0..20 {
        wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        let head = wire.head();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        wire.expect("ok");
        upstream.head();
        closed.recv_timeout(PATIENCE).expect("closed");
    }
}

#[test]
fn chunks_with_and_without_trailers_leave_the_connection_in_use() {
    let upstream = Upstream::start(|mut wire| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n";
        wire.send(&format!("{head}\r\n2\r\nok\r\n0\r\n\r\n"));
        wire.head();
        wire.send(&format!(
            "{head}trailer: x-end\r\n\r\n2\r\nok\r\n0\r\nx-end: 1\r\n\r\n"
        ));
        wire.head();
        wire.send("HTTP/1.1 204 No Content\r\n\r\n");
        wire.head();
        wire.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    });
    let gateway = Gateway::start(upstream.address, &[]);
    let mut wire = gateway.connect();
    let mut exchange = |expected: &str| {
        wire.send("GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: te\r\n\r\n");
        let head = wire.head();
        wire.expect(expected);
        head
    };
    exchange("2\r\nok\r\n0\r\n\r\n");
    exchange("2\r\nok\r\n0\r\nx-end: 1\r\n\r\n");
    assert!(exchange("").starts_with("HTTP/1.1 204 "));
    assert!(exchange("").starts_with("HTTP/1.1 200 "));
    upstream.head();
    assert!(upstream.heads.try_recv().is_err(), "a second connection");
}

#[test]
fn upstream_that_is_down_or_no_server_is_a_bad_gateway() {
    let request =
        "POST /mcp HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let check = |upstream, reason: &str| {
        let gateway = Gateway::start(upstream, &[]);
        let response = gateway.exchange(request);
        assert!(response.starts_with("HTTP/1.1 502 "), "{response}");
        assert!(response.contains(r#""jsonrpc":"2.0""#), "{response}");
        assert_eq!(values(&response, "content-type"), ["application/json"]);
        gateway.log_with(reason);
    };
    check(Upstream::dead(), "upstream_unreachable");
    check(Upstream::answering("").address, "upstream_bad_response");
    check(
        Upstream::answering("SSH-2.0-x\r\n\r\n").address,
        "upstream_bad_response",
    );
}

#[test]
fn request_without_one_host_is_refused() {
    let upstream = Upstream::answering(OK);
    let gateway = Gateway::start(upstream.address, &[]);
    for head in [
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n",
        "GET http://a/ HTTP/1.1\r\nhost: b\r\n",
    ] {
        let response = gateway.exchange(&format!("{head}connection: close\r\n\r\n"));
        assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
    }
    assert!(upstream.heads.try_recv().is_err());
}

#[test]
fn logs_can_be_json_and_hold_no_credential() {
    let upstream = Upstream::answering(OK);
    let gateway = Gateway::start(upstream.address, &["--log-format", "json"]);
    let response = gateway.exchange(
        "GET /?token=tell-nobody HTTP/1.1\r\nhost: a\r\nauthorization: Bearer tell-nobody\r\n\
         connection: close\r\n\r\n",
    );
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    let log = gateway.log_with(r#""reason":"allowed""#);
    assert!(log.lines().all(|line| line.starts_with('{')), "{log}");
    assert!(!log.contains("tell-nobody"), "{log}");
}

/// RFC 9110 §15.5.6.
#[test]
fn connect_is_refused_with_the_methods_that_there_are() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let gateway = Gateway::start(upstream.address, &[]);
    let request = "CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\nconnection: close\r\n\r\n";
    let answer = gateway.exchange(request);
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    let allowed = values(&answer, "allow").join(",");
    assert!(
        allowed.contains("GET") && allowed.contains("POST"),
        "{answer}"
    );
    assert!(!allowed.contains("CONNECT"), "{answer}");
    assert!(upstream.heads.try_recv().is_err(), "a request got through");
}
