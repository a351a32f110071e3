//! The end of the program.

use std::net::TcpStream;
use std::sync::mpsc::channel;

use crate::support::{Gateway, PATIENCE, Upstream};

#[test]
fn requests_under_way_are_finished() {
    let (proceed, told) = channel::<()>();
    let told = std::sync::Mutex::new(told);
    let upstream = Upstream::start(move |mut wire| {
        told.lock()
            .expect("lock")
            .recv_timeout(PATIENCE)
            .expect("told");
        wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    });
    let mut gateway = Gateway::start(upstream.address, &[]);
    let mut idle = gateway.connect();
    let mut wire = gateway.connect();
    wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    upstream.head();
    gateway.terminate();
    // Once the idle connection is closed, the listener is closed too.
    idle.wait_for_end();
    assert!(TcpStream::connect(gateway.address).is_err());
    proceed.send(()).expect("upstream waits");
    let response = wire.read_to_end();
    assert!(response.ends_with("\r\n\r\nok"), "{response}");
    assert_eq!(gateway.child.wait().expect("ends").code(), Some(0));
}

#[test]
fn clients_that_have_not_asked_are_not_waited_for() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let mut gateway = Gateway::start(upstream.address, &[]);
    let mut silent = gateway.connect();
    // It was accepted before the one that is answered.
    gateway.exchange("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    gateway.terminate();
    silent.wait_for_end();
    assert_eq!(gateway.child.wait().expect("ends").code(), Some(0));
    let log = gateway.log_with("shutting down");
    assert!(!log.contains("cutting streams"), "{log}");
}

#[test]
fn streams_are_cut_after_the_grace_period() {
    let upstream = Upstream::start(|mut wire| {
        wire.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n");
        wire.wait_for_end();
    });
    let mut gateway = Gateway::start(upstream.address, &[]);
    let mut wire = gateway.connect();
    wire.send("GET /sse HTTP/1.1\r\nhost: a\r\n\r\n");
    wire.head();
    gateway.terminate();
    wire.wait_for_end();
    assert_eq!(gateway.child.wait().expect("ends").code(), Some(0));
    gateway.log_with("cutting streams");
}

#[test]
fn refusals_are_counted() {
    let upstream = Upstream::dead();
    let url = format!("http://{upstream}");
    let environment = [("ZSCALER_MCP_AUTH_API_KEY", "k")];
    let mut gateway = Gateway::start_with(&["--upstream", &url], &environment);
    for _ in 0..3 {
        let request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        let response = gateway.exchange(request);
        assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
    }
    gateway.terminate();
    gateway.child.wait().expect("ends");
    gateway.log_with("missing_credentials=3");
}
