//! The audit log: a record for each decision, and nothing of a credential.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Folder, Gateway, PATIENCE, Upstream, Wire, command, pipe};

const KEY: &str = "a-key-for-the-audit-tests";

fn start(upstream: &Upstream, args: &[&str]) -> Gateway {
    let url = format!("http://{}", upstream.address);
    let mut all = vec!["--upstream", &url];
    all.extend(args);
    let environment = [
        ("ZSCALER_MCP_AUTH_MODE", "api-key"),
        ("ZSCALER_MCP_AUTH_API_KEY", KEY),
    ];
    Gateway::start_with(&all, &environment)
}

fn upstream() -> Upstream {
    Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
}

fn request(key: &str, fields: &str) -> String {
    format!(
        "POST /mcp?token=in-query HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\n\
         content-length: 0\r\nconnection: close\r\n{fields}\r\n"
    )
}

/// Returns the records of `path` once there are `count`.
fn records(path: &Path, count: usize) -> Vec<Value> {
    let since = Instant::now();
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        if lines.len() >= count {
            assert_eq!(lines.len(), count, "{text}");
            let parse = |line: &&str| serde_json::from_str(line).expect("JSON");
            return lines.iter().map(parse).collect();
        }
        assert!(
            since.elapsed() < PATIENCE,
            "{count} records are not in {text}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn each_decision_has_a_record_without_credential_and_query() {
    let (folder, upstream) = (Folder::new(), upstream());
    let path = folder.path().join("audit");
    let gateway = start(&upstream, &["--audit", path.to_str().expect("text")]);
    let told = "mcp-method: tools/call\r\nmcp-name: zpa list\r\nx-request-id: r-1\r\n";
    gateway.exchange(&request(KEY, told));
    gateway.exchange(&request("wrong-key", ""));
    gateway.exchange("GET / HTTP/1.1\r\nconnection: close\r\n\r\n");
    let records = records(&path, 3);
    let text = |index: usize, name: &str| records[index][name].as_str().unwrap_or("").to_owned();
    for (name, value) in [
        ("request_id", "r-1"),
        ("method", "POST"),
        ("path", "/mcp"),
        ("mcp_method", "tools/call"),
        ("mcp_name", "zpa_list"),
        ("client", "127.0.0.1"),
        ("mode", "api-key"),
        ("outcome", "forwarded"),
        ("reason", "allowed"),
        ("source", "request"),
    ] {
        assert_eq!(text(0, name), value, "{name}");
    }
    assert!(
        text(0, "principal").starts_with("api-key:"),
        "{}",
        records[0]
    );
    assert!(records[0]["took_us"].is_u64() && text(0, "time").ends_with('Z'));
    let verdict = |index: usize| {
        let status = records[index]["status"].as_u64();
        (text(index, "outcome"), text(index, "reason"), status)
    };
    assert_eq!(
        verdict(1),
        ("refused".into(), "wrong_api_key".into(), Some(401))
    );
    assert_eq!(verdict(2), ("refused".into(), "bad_host".into(), Some(400)));
    assert_eq!(text(1, "request_id").len(), 32);
    let all = fs::read_to_string(&path).expect("file");
    for secret in [KEY, "wrong-key", "in-query"] {
        assert!(!all.contains(secret), "{secret} is in {all}");
    }
}

#[test]
fn of_what_is_let_through_a_share_is_written_and_refusals_always() {
    let (folder, upstream) = (Folder::new(), upstream());
    let path = folder.path().join("audit");
    let args = [
        "--audit",
        path.to_str().expect("text"),
        "--audit-allowed",
        "none",
    ];
    let gateway = start(&upstream, &args);
    gateway.exchange(&request(KEY, ""));
    gateway.exchange(&request("wrong", ""));
    assert_eq!(records(&path, 1)[0]["reason"], "wrong_api_key");
}

#[test]
fn sighup_begins_a_new_file_and_the_end_loses_nothing() {
    let (folder, upstream) = (Folder::new(), upstream());
    let (path, old) = (folder.path().join("audit"), folder.path().join("audit.1"));
    let mut gateway = start(&upstream, &["--audit", path.to_str().expect("text")]);
    gateway.exchange(&request(KEY, ""));
    records(&path, 1);
    fs::rename(&path, &old).expect("renamed");
    gateway.signal("-HUP");
    let since = Instant::now();
    while !path.exists() {
        assert!(since.elapsed() < PATIENCE, "no new file");
        std::thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..20 {
        gateway.exchange(&request(KEY, ""));
    }
    gateway.terminate();
    gateway.child.wait().expect("ends");
    assert_eq!((records(&old, 1).len(), records(&path, 20).len()), (1, 20));
}

#[test]
fn records_may_go_to_standard_output() {
    let upstream = upstream();
    let gateway = start(&upstream, &["--audit", "-"]);
    gateway.exchange(&request("wrong", ""));
    gateway.log_with("decided");
    gateway.terminate();
    gateway.log_with("shutting down");
    let mut gateway = gateway;
    gateway.child.wait().expect("ends");
    let mut text = String::new();
    let stdout = gateway.child.stdout.as_mut().expect("piped");
    std::io::Read::read_to_string(stdout, &mut text).expect("text");
    assert!(text.contains(r#""reason":"wrong_api_key""#), "{text}");
}

/// More records than the queue and the pipe hold.
const FLOOD: usize = 18_000;

/// A pipe that is open and that nobody reads stands in for a disk that is stuck.
#[test]
fn a_stuck_disk_loses_records_and_holds_up_neither_signals_nor_the_end() {
    let folder = Folder::new();
    let path = pipe(&folder, "audit");
    let unread = OpenOptions::new().read(true).write(true).open(&path);
    let unread = unread.expect("opens");
    let path = path.to_str().expect("text");
    let mut args = vec!["serve", "--listen", "127.0.0.1:0", "--audit", path];
    args.extend(["--upstream", "http://127.0.0.1:9", "--admin", "127.0.0.1:0"]);
    let key = [("ZSCALER_MCP_AUTH_API_KEY", KEY)];
    let mut gateway = Gateway::start_command(&mut command(&args, &key), &[]);
    let mut wire = gateway.connect();
    let mut sender = wire.0.get_ref().try_clone().expect("socket");
    let sending = std::thread::spawn(move || {
        let request = "GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(FLOOD);
        std::io::Write::write_all(&mut sender, request.as_bytes()).expect("sent");
    });
    for _ in 0..FLOOD {
        assert!(wire.response().starts_with("HTTP/1.1 401 "));
    }
    sending.join().expect("sent");
    for _ in 0..2 {
        gateway.signal("-HUP");
        gateway.log_with("settings reloaded");
    }
    let dropped = metric(
        &gateway,
        "portcullis_audit_records_total{outcome=\"dropped\"}",
    );
    assert!(dropped > 0, "{dropped}");
    gateway.ends_within(Duration::from_secs(5));
    gateway.log_with("the audit log is stuck");
    drop(unread);
}

/// A pipe without a reader cannot even be opened.
#[test]
fn a_file_that_does_not_open_holds_up_nothing_and_has_its_records_later() {
    let (folder, upstream) = (Folder::new(), upstream());
    let path = pipe(&folder, "audit");
    let gateway = start(&upstream, &["--audit", path.to_str().expect("text")]);
    gateway.log_with("does not open yet");
    gateway.exchange(&request("wrong", ""));
    let mut reader = std::io::BufReader::new(fs::File::open(&path).expect("opens"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut reader, &mut line).expect("a record");
    assert!(line.contains("wrong_api_key"), "{line}");
}

fn metric(gateway: &Gateway, name: &str) -> u64 {
    let log = gateway.log_with("metrics on http://");
    let (_, address) = log.split_once("metrics on http://").expect("logged");
    let (address, _) = address.split_once("/metrics").expect("logged");
    let mut wire = Wire::connect(address.parse().expect("address"));
    wire.send("GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let page = wire.read_to_end();
    let mut lines = page.lines().filter_map(|line| line.strip_prefix(name));
    let value = lines.next().expect("a metric").trim();
    value.parse().expect("a number")
}
