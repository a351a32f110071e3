//! The end of the program.

use std::fs::OpenOptions;
use std::net::TcpStream;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::support::{Folder, Gateway, OPEN, PATIENCE, Upstream, command, pipe};

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

/// The file of aliases, which the C library reads for every name without a dot, is a pipe that
/// nobody writes to: a fake of a resolver that hangs.
fn hanging(folder: &Folder) -> (&'static str, String) {
    let aliases = pipe(folder, "aliases");
    ("HOSTALIASES", aliases.to_str().expect("text").to_owned())
}

#[test]
fn a_lookup_that_hangs_does_not_hold_up_the_end() {
    let folder = Folder::new();
    let (name, aliases) = hanging(&folder);
    let environment = [OPEN[0], OPEN[1], (name, aliases.as_str())];
    let mut gateway = Gateway::start_with(&["--upstream", "http://hangs"], &environment);
    let response = gateway.exchange("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    assert!(response.starts_with("HTTP/1.1 502 "), "{response}");
    gateway.ends_within(Duration::from_secs(5));
}

#[test]
fn a_start_that_looks_a_name_up_can_be_ended() {
    let folder = Folder::new();
    let (name, aliases) = hanging(&folder);
    let args = [
        "serve",
        "--upstream",
        "http://127.0.0.1:9",
        "--listen",
        "hangs:0",
    ];
    let environment = [
        OPEN[0],
        OPEN[1],
        ("ZSCALER_MCP_ALLOW_HTTP", "true"),
        (name, aliases.as_str()),
    ];
    let mut child = command(&args, &environment).spawn().expect("binary starts");
    // Once the pipe opens, somebody looks the name up; as long as it stays open, they do.
    let (opened, opening) = channel();
    std::thread::spawn(move || opened.send(OpenOptions::new().write(true).open(&aliases)));
    let held = opening.recv_timeout(PATIENCE).expect("a lookup");
    let status = Command::new("kill").arg(child.id().to_string()).status();
    assert!(status.expect("kill runs").success());
    let told = Instant::now();
    let ended = loop {
        if child.try_wait().expect("waits").is_some() {
            break true;
        }
        if told.elapsed() > Duration::from_secs(5) {
            break false;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    // It may have ended already.
    let _ = child.kill();
    drop(held);
    assert!(ended, "it goes on");
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
