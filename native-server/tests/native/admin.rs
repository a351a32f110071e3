//! The admin listener: what it tells, and whom.

use crate::support::{Gateway, Upstream, Wire, run, values};

const KEY: &str = "a-key-for-the-admin-tests";

/// A gateway with an admin listener on a free port, and where that is.
fn start(args: &[&str]) -> (Gateway, std::net::SocketAddr, Upstream) {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let url = format!("http://{}", upstream.address);
    let mut all = vec!["--upstream", &url, "--admin", "127.0.0.1:0"];
    all.extend(args);
    let environment = [
        ("ZSCALER_MCP_AUTH_MODE", "api-key"),
        ("ZSCALER_MCP_AUTH_API_KEY", KEY),
    ];
    let gateway = Gateway::start_with(&all, &environment);
    let address = admin_of(&gateway);
    (gateway, address, upstream)
}

fn admin_of(gateway: &Gateway) -> std::net::SocketAddr {
    let log = gateway.log_with("metrics on http://");
    let (_, address) = log.split_once("metrics on http://").expect("logged");
    let (address, _) = address.split_once("/metrics").expect("logged");
    address.parse().expect("address")
}

fn ask(address: std::net::SocketAddr, path: &str, fields: &str) -> String {
    let mut wire = Wire::connect(address);
    wire.send(&format!(
        "GET {path} HTTP/1.1\r\nconnection: close\r\n{fields}\r\n"
    ));
    wire.read_to_end()
}

#[test]
fn metrics_count_what_was_decided() {
    let (gateway, admin, _upstream) = start(&[]);
    let request = |key: &str| {
        let head = "GET /mcp?secret=in-query HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
        gateway.exchange(&format!("{head}x-api-key: {key}\r\n\r\n"))
    };
    assert!(request(KEY).starts_with("HTTP/1.1 200"));
    assert!(request("wrong").starts_with("HTTP/1.1 401"));
    gateway.exchange("GET / HTTP/1.1\r\nconnection: close\r\n\r\n");
    let page = ask(admin, "/metrics", "host: localhost\r\n");
    assert!(
        page.contains("content-type: text/plain; version=0.0.4"),
        "{page}"
    );
    let decision = |outcome: &str, reason: &str| {
        let labels = format!("mode=\"api_key\",outcome=\"{outcome}\",reason=\"{reason}\"");
        format!("portcullis_decisions_total{{{labels}}} 1")
    };
    for line in [
        &*decision("forwarded", "allowed"),
        &decision("refused", "wrong_api_key"),
        &decision("refused", "bad_host"),
        "portcullis_connections_total 3",
        "portcullis_decision_seconds_count 2",
        "portcullis_request_seconds_count 3",
        "portcullis_last_reload_successful 1",
        "portcullis_mode_info{mode=\"api_key\"} 1",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }
    let used = "portcullis_api_key_last_used_timestamp_seconds{key=\"api-key:";
    assert!(page.contains(used), "{page}");
    let refusals = ask(admin, "/api/refusals", "host: localhost\r\n");
    assert!(
        refusals.contains(r#""path":"/mcp","reason":"wrong_api_key""#),
        "{refusals}"
    );
    for secret in [KEY, "in-query"] {
        assert!(
            !page.contains(secret) && !refusals.contains(secret),
            "{secret}"
        );
    }
}

#[test]
fn the_address_that_is_told_is_the_one_in_use() {
    let (gateway, admin, _upstream) = start(&[]);
    let told = format!(
        "\"listen\":\"127.0.0.1:{}, plain HTTP\"",
        gateway.address.port()
    );
    let check = || {
        let answer = ask(admin, "/api/status", "host: localhost\r\n");
        assert!(answer.contains(&told), "{told} is not in {answer}");
    };
    check();
    gateway.signal("-HUP");
    gateway.log_with("settings reloaded");
    check();
}

/// The first connection is served by the thread that serves the admin listener, too.
#[test]
fn requests_are_answered_while_a_page_with_many_keys_is_made() {
    let folder = crate::support::Folder::new();
    let entry = |number: u32| {
        // Digests differ from their first bits on.
        let digest = format!("{:08x}", number.wrapping_mul(0x9e37_79b1)).repeat(8);
        format!(r#"{{"name":"key-{number}","sha256":"{digest}","expires":"2037-01-01T00:00:00Z"}}"#)
    };
    let entries: Vec<_> = (0..20_000).map(entry).collect();
    let file = folder.write("keys.json", &format!("[{}]", entries.join(",")));
    let environment = [
        ("ZSCALER_MCP_AUTH_MODE", "api-key"),
        ("PORTCULLIS_API_KEYS_FILE", file.as_str()),
    ];
    let args = ["--upstream", "http://127.0.0.1:9", "--admin", "127.0.0.1:0"];
    let gateway = Gateway::start_with(&args, &environment);
    let mut wire = gateway.connect();
    let mut ask_once = || {
        wire.send("GET / HTTP/1.1\r\nhost: x\r\nx-api-key: wrong\r\n\r\n");
        assert!(wire.response().starts_with("HTTP/1.1 401 "));
    };
    ask_once();
    let mut scraper = Wire::connect(admin_of(&gateway));
    scraper.send("GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let (page, made) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let head = scraper.head();
        page.send(()).expect("the test waits");
        head + &scraper.read_to_end()
    });
    let mut answered = 0;
    while made.try_recv().is_err() {
        ask_once();
        answered += 1;
    }
    assert!(answered >= 10, "{answered}");
}

/// RFC 9110 §15.5.6.
#[test]
fn a_method_that_is_not_allowed_is_answered_with_those_that_are() {
    let (_gateway, admin, _upstream) = start(&[]);
    for line in [
        "POST /metrics",
        "DELETE /api/status",
        "PUT /",
        "CONNECT a:1",
    ] {
        let mut wire = Wire::connect(admin);
        wire.send(&format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        ));
        let answer = wire.read_to_end();
        assert!(answer.starts_with("HTTP/1.1 405 "), "{line}: {answer}");
        assert_eq!(values(&answer, "allow"), ["GET, HEAD"], "{line}");
    }
}

#[test]
fn on_loopback_another_host_is_refused_as_a_stranger_may_have_named_it() {
    let (_gateway, admin, _upstream) = start(&[]);
    for host in ["evil.example", &format!("evil.example:{}", admin.port())] {
        let answer = ask(admin, "/metrics", &format!("host: {host}\r\n"));
        assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
    }
    let host = format!("host: 127.0.0.1:{}\r\n", admin.port());
    for (path, status) in [("/health", 200), ("/metrics", 200), ("/else", 404)] {
        let answer = ask(admin, path, &host);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
}

#[test]
fn with_a_token_nothing_but_health_is_told_without_it() {
    let folder = crate::support::Folder::new();
    let file = folder.write("token", "a-token-of-some-length\n");
    let (_gateway, admin, _upstream) = start(&["--admin-token-file", &file]);
    let with = |path, field: &str| ask(admin, path, &format!("host: localhost\r\n{field}"));
    let answer = with("/metrics", "");
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("www-authenticate: Bearer"), "{answer}");
    assert!(with("/health", "").starts_with("HTTP/1.1 200"));
    let wrong = with("/metrics", "authorization: Bearer another-token\r\n");
    assert!(wrong.starts_with("HTTP/1.1 401"), "{wrong}");
    let right = with(
        "/metrics",
        "authorization: Bearer a-token-of-some-length\r\n",
    );
    assert!(right.starts_with("HTTP/1.1 200"), "{right}");
}

#[test]
fn off_loopback_it_does_not_start_without_a_token() {
    let refused = |args: &[&str]| {
        let mut all = vec![
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--upstream",
            "http://127.0.0.1:9",
        ];
        all.extend(args);
        let output = run(&all, &[("ZSCALER_MCP_AUTH_MODE", "none")]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).expect("text")
    };
    let open = refused(&["--admin", "0.0.0.0:0"]);
    assert!(open.contains("needs --admin-token-file"), "{open}");
    let folder = crate::support::Folder::new();
    let short = folder.write("token", "short");
    let short = refused(&["--admin", "0.0.0.0:0", "--admin-token-file", &short]);
    assert!(
        short.contains("16 or more") && !short.contains("short\n"),
        "{short}"
    );
}
