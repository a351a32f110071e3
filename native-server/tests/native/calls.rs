//! Calls of the gateway itself, at the example of the token endpoint.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use crate::support::{Gateway, PATIENCE, Upstream, values};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
const GRANTED: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
    connection: close\r\n\r\n{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"expires_in\":3600}";
const REQUEST: &str = "GET /mcp HTTP/1.1\r\nhost: a\r\nx-zscaler-client-id: id\r\n\
    x-zscaler-client-secret: tell-nobody\r\nconnection: close\r\n\r\n";

fn start(upstream: &Upstream, token_endpoint: std::net::SocketAddr) -> Gateway {
    let url = format!("http://{}", upstream.address);
    let token_url = format!("http://{token_endpoint}/token");
    let environment = [
        ("ZSCALER_MCP_AUTH_MODE", "zscaler"),
        ("PORTCULLIS_TOKEN_URL", token_url.as_str()),
    ];
    Gateway::start_with(&["--upstream", &url], &environment)
}

#[test]
fn one_call_serves_all_who_wait_even_when_the_first_has_left() {
    let (proceed, told) = channel::<()>();
    let told = Mutex::new(told);
    let endpoint = Upstream::start(move |mut wire| {
        told.lock()
            .expect("lock")
            .recv_timeout(PATIENCE)
            .expect("told");
        wire.send(GRANTED);
    });
    let upstream = Upstream::answering(OK);
    let gateway = start(&upstream, endpoint.address);
    let mut first = gateway.connect();
    first.send(REQUEST);
    let call = endpoint.head();
    drop(first);
    let mut others: Vec<_> = (0..50).map(|_| gateway.connect()).collect();
    for other in &mut others {
        other.send(REQUEST);
    }
    proceed.send(()).expect("endpoint waits");
    for other in &mut others {
        let response = other.read_to_end();
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    }
    assert!(endpoint.heads.try_recv().is_err(), "a second call");
    assert!(call.starts_with("POST /token HTTP/1.1\r\n"), "{call}");
    let authority = endpoint.address.to_string();
    assert_eq!(values(&call, "host"), [authority.as_str()]);
    for _ in 0..50 {
        let head = upstream.head();
        assert!(
            values(&head, "x-zscaler-client-secret").is_empty(),
            "{head}"
        );
        assert_eq!(values(&head, "x-mcp-auth-mode"), ["zscaler"]);
    }
    assert!(!gateway.log_with("call answered").contains("tell-nobody"));
}

#[test]
fn endpoint_that_fails_is_an_outage() {
    let moved =
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\nconnection: close\r\n\r\n";
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"access_token\":";
    for response in [moved, cut, ""] {
        let endpoint = Upstream::answering(response);
        check_outage(endpoint.address);
        endpoint.head();
        assert!(endpoint.heads.try_recv().is_err(), "a second call");
    }
    check_outage(Upstream::dead());
}

#[track_caller]
fn check_outage(endpoint: std::net::SocketAddr) {
    let upstream = Upstream::answering(OK);
    let gateway = start(&upstream, endpoint);
    let response = gateway.exchange(REQUEST);
    assert!(response.starts_with("HTTP/1.1 503 "), "{response}");
    assert_eq!(values(&response, "retry-after").len(), 1, "{response}");
    assert!(upstream.heads.try_recv().is_err(), "a request got through");
}

#[test]
fn endless_response_is_refused_at_the_limit() {
    let endpoint = Upstream::start(|mut wire| {
        wire.send("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
        wire.flood();
    });
    check_outage(endpoint.address);
}
