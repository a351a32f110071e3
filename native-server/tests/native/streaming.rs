//! Streams in both directions, upgrades, h2.

use std::io::{BufReader, Read as _};
use std::sync::mpsc::channel;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::support::{Gateway, PATIENCE, Upstream, Wire, values};

const SSE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                   transfer-encoding: chunked\r\n\r\n";

#[test]
fn head_and_events_arrive_while_the_stream_goes_on() {
    let (proceed, told) = channel::<()>();
    let told = std::sync::Mutex::new(told);
    let upstream = Upstream::start(move |mut wire| {
        let next = || {
            told.lock()
                .expect("lock")
                .recv_timeout(PATIENCE)
                .expect("told")
        };
        wire.send(SSE);
        next();
        wire.send("9\r\ndata: 1\n\n\r\n");
        next();
        wire.send("9\r\ndata: 2\n\n\r\n0\r\n\r\n");
    });
    let gateway = Gateway::start(upstream.address, &[]);
    let mut wire = gateway.connect();
    wire.send("GET /sse HTTP/1.1\r\nhost: a\r\n\r\n");
    // The upstream sends nothing more before the client has seen what there is.
    let head = wire.head();
    assert_eq!(values(&head, "content-type"), ["text/event-stream"]);
    proceed.send(()).expect("upstream waits");
    wire.expect("9\r\ndata: 1\n\n\r\n");
    proceed.send(()).expect("upstream waits");
    wire.expect("9\r\ndata: 2\n\n\r\n0\r\n\r\n");
}

#[test]
fn request_body_arrives_while_it_goes_on() {
    let (sender, seen) = channel();
    let upstream = Upstream::start(move |mut wire| {
        wire.expect("5\r\nfirst\r\n");
        sender.send(()).expect("test waits");
        wire.expect("3\r\nend\r\n0\r\n\r\n");
        wire.send("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n");
    });
    let gateway = Gateway::start(upstream.address, &[]);
    let mut wire = gateway.connect();
    wire.send("POST /mcp HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    seen.recv_timeout(PATIENCE).expect("first part arrives");
    wire.send("3\r\nend\r\n0\r\n\r\n");
    assert!(wire.head().starts_with("HTTP/1.1 202 "));
}

#[test]
fn request_body_arrives_although_the_client_does_not_read_the_response() {
    // More than sockets and buffers on the way hold.
    const LENGTH: usize = 32 * 1024 * 1024;
    let (sender, seen) = channel();
    let upstream = Upstream::start(move |mut wire| {
        let mut response = Wire(BufReader::new(
            wire.0.get_ref().try_clone().expect("socket"),
        ));
        std::thread::spawn(move || {
            response.send(&format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {LENGTH}\r\n\r\n{}",
                "y".repeat(LENGTH)
            ));
        });
        wire.expect("4\r\nlast\r\n0\r\n\r\n");
        sender.send(()).expect("test waits");
    });
    let gateway = Gateway::start(upstream.address, &[]);
    let mut wire = gateway.connect();
    wire.send("POST /mcp HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
    // The response has begun, and from here on nobody reads it.
    wire.head();
    wire.send("4\r\nlast\r\n0\r\n\r\n");
    seen.recv_timeout(PATIENCE).expect("the body arrives");
    let mut rest = vec![0; LENGTH];
    wire.0.read_exact(&mut rest).expect("whole response");
    assert!(rest.iter().all(|byte| *byte == b'y'));
}

#[test]
fn client_that_leaves_ends_the_request_to_the_upstream() {
    for response in ["", SSE] {
        let (sender, ended) = channel();
        let upstream = Upstream::start(move |mut wire| {
            wire.send(response);
            wire.wait_for_end();
            sender.send(()).expect("test waits");
        });
        let gateway = Gateway::start(upstream.address, &[]);
        let mut wire = gateway.connect();
        wire.send("GET /sse HTTP/1.1\r\nhost: a\r\n\r\n");
        upstream.head();
        if !response.is_empty() {
            wire.head();
        }
        drop(wire);
        ended.recv_timeout(PATIENCE).expect("upstream sees the end");
    }
}

#[test]
fn websocket_passes_bytes_both_ways() {
    let upstream = Upstream::start(|mut wire| {
        wire.send(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-accept: x\r\n\r\nhello",
        );
        wire.expect("ping");
        wire.send("pong");
    });
    let gateway = Gateway::start(upstream.address, &[]);
    let mut wire = gateway.connect();
    wire.send(
        "GET /ws HTTP/1.1\r\nhost: a\r\nconnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n\
         sec-websocket-key: y\r\n\r\n",
    );
    let head = wire.head();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert_eq!(values(&head, "upgrade"), ["websocket"]);
    assert_eq!(values(&head, "sec-websocket-accept"), ["x"]);
    wire.expect("hello");
    wire.send("ping");
    wire.expect("pong");
    assert_eq!(wire.read_to_end(), "");
    let seen = upstream.head();
    assert_eq!(values(&seen, "upgrade"), ["websocket"]);
    assert_eq!(values(&seen, "connection"), ["upgrade"]);
    assert_eq!(values(&seen, "sec-websocket-key"), ["y"]);
}

#[test]
fn upstream_cannot_switch_unasked() {
    let upstream = Upstream::answering(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
    );
    let gateway = Gateway::start(upstream.address, &[]);
    let response = gateway.exchange(
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n",
    );
    assert!(response.starts_with("HTTP/1.1 502 "), "{response}");
    assert!(values(&upstream.head(), "upgrade").is_empty());
}

#[tokio::test]
async fn h2_works_without_tls_by_prior_knowledge() {
    let upstream =
        Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
    let gateway = Gateway::start(upstream.address, &[]);
    let stream = tokio::net::TcpStream::connect(gateway.address)
        .await
        .expect("accepts");
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("h2");
    tokio::spawn(connection);
    let request = http::Request::post("http://mcp.example/mcp")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(Full::new(Bytes::from_static(b"{}")))
        .expect("request");
    let response = sender.send_request(request).await.expect("response");
    assert_eq!(response.status(), 200);
    let body = response
        .into_body()
        .collect()
        .await
        .expect("body")
        .to_bytes();
    assert_eq!(body, "ok");
    let head = upstream.head();
    assert_eq!(values(&head, "host"), [upstream.address.to_string()]);
    assert_eq!(values(&head, "x-forwarded-host"), ["mcp.example"]);
    assert_eq!(values(&head, "cookie"), ["a=1; b=2"]);
}

#[tokio::test]
async fn head_over_h2_has_the_length_and_no_body() {
    let gateway = Gateway::start(Upstream::dead(), &[]);
    let stream = tokio::net::TcpStream::connect(gateway.address)
        .await
        .expect("accepts");
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("h2");
    tokio::spawn(connection);
    let request = http::Request::head("http://a/mcp").body(Full::<Bytes>::default());
    let response = sender
        .send_request(request.expect("request"))
        .await
        .expect("response");
    assert_eq!(response.status(), 502);
    let length = response.headers()["content-length"].to_str().expect("text");
    assert_ne!(length, "0");
    let body = response
        .into_body()
        .collect()
        .await
        .expect("body")
        .to_bytes();
    assert!(body.is_empty());
}
