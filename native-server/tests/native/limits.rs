//! Limits of size.

use std::fs;
use std::process::Command;

use crate::support::{Gateway, OPEN, Upstream};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

#[track_caller]
fn check(gateway: &Gateway, request: &str, status: &str) {
    let mut wire = gateway.connect();
    wire.send(request);
    let head = wire.head();
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
}

#[test]
fn head_is_at_most_60_kib_and_100_fields() {
    let upstream = Upstream::answering(OK);
    let gateway = Gateway::start(upstream.address, &[]);
    let request = |fields: &str| format!("GET / HTTP/1.1\r\nhost: a\r\n{fields}\r\n");
    let long = |bytes| format!("x-long: {}\r\n", "y".repeat(bytes));
    check(&gateway, &request(&long(59 * 1024)), "200");
    check(&gateway, &request(&long(61 * 1024)), "431");
    check(&gateway, &request(&"x: y\r\n".repeat(99)), "200");
    check(&gateway, &request(&"x: y\r\n".repeat(100)), "431");
}

#[test]
fn body_is_at_most_as_large_as_set() {
    let upstream = Upstream::start(|mut wire| {
        // Answers only to the whole body.
        if wire.head().ends_with("\r\n0\r\n\r\n") {
            wire.send(OK);
        }
    });
    let gateway = Gateway::start(upstream.address, &["--max-body-bytes", "10"]);
    let chunked = |bytes| {
        format!(
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
            bytes,
            "y".repeat(bytes)
        )
    };
    check(&gateway, &chunked(10), "200");
    check(&gateway, &chunked(11), "413");
    let declared = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 11\r\n\r\n";
    check(&gateway, declared, "413");
}

#[test]
fn body_of_a_refused_request_is_read_so_that_the_answer_arrives() {
    let gateway = Gateway::start(Upstream::dead(), &[]);
    let mut wire = gateway.connect();
    let body = "y".repeat(512 * 1024);
    wire.send(&format!(
        "GET /health HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert!(wire.head().starts_with("HTTP/1.1 200 "));
}

#[test]
fn body_that_is_no_body_is_the_fault_of_the_client() {
    let upstream = Upstream::start(|mut wire| wire.wait_for_end());
    let gateway = Gateway::start(upstream.address, &[]);
    let mut wire = gateway.connect();
    wire.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n");
    upstream.head();
    wire.send("no chunk\r\n");
    assert!(wire.head().starts_with("HTTP/1.1 400 "));
    gateway.log_with("body_cut");
}

#[test]
fn soft_limit_of_open_files_is_raised_to_the_hard_one() {
    let binary = env!("CARGO_BIN_EXE_portcullis");
    let upstream = format!("http://{}", Upstream::dead());
    // The shell lowers its own limits; the binary, which takes its place, inherits them.
    let check = |max_connections: &str, warned: bool| {
        let script = format!(
            "ulimit -Sn 100 && ulimit -Hn 200 && exec {binary} serve --listen 127.0.0.1:0 \
             --upstream {upstream} --max-connections {max_connections}"
        );
        let mut gateway = Gateway::start_command(Command::new("sh").args(["-c", &script]), &OPEN);
        let limits = fs::read_to_string(format!("/proc/{}/limits", gateway.child.id()));
        if let Ok(limits) = limits {
            let line = limits
                .lines()
                .find(|line| line.starts_with("Max open files"));
            let words: Vec<_> = line.expect("listed").split_whitespace().collect();
            assert_eq!(words[3..5], ["200", "200"]);
        }
        gateway.terminate();
        gateway.child.wait().expect("ends");
        let log = gateway.log_with("shutting down");
        assert_eq!(log.contains("too few open files"), warned, "{log}");
    };
    check("60", false);
    check("100", true);
}

#[test]
fn connections_beyond_the_limit_wait() {
    let upstream = Upstream::answering(OK);
    let gateway = Gateway::start(upstream.address, &["--max-connections", "1"]);
    let first = gateway.connect();
    let mut second = gateway.connect();
    second.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    drop(first);
    assert!(second.head().starts_with("HTTP/1.1 200 "));
}
