//! Settings that change while requests come.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::support::{Folder, Gateway, PATIENCE, Upstream, Wire, command, pipe};
use crate::tls::Authority;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A gateway with a configuration file.
struct Install {
    folder: Folder,
    gateway: Gateway,
}

impl Install {
    fn start(config: &str) -> Self {
        Self::start_in(&[], config)
    }

    fn start_in(environment: &[(&str, &str)], config: &str) -> Self {
        let folder = Folder::new();
        let path = folder.write("config.json", config);
        let gateway = Gateway::start_with(&["--config", &path], environment);
        Self { folder, gateway }
    }

    /// Moves the file over the old one, as editors do.
    fn change(&self, config: &str) {
        let draft = self.folder.write("config.json.new", config);
        fs::rename(draft, self.folder.path().join("config.json")).expect("renamed");
    }

    /// Returns the status of a request with `key`, on a connection of its own.
    fn status(&self, key: &str) -> u16 {
        status(&self.gateway.exchange(&request(key, "close")))
    }

    /// Waits until a request with `key` has this status, and returns how long that took.
    #[track_caller]
    fn wait_for(&self, key: &str, expected: u16) -> Duration {
        let begin = Instant::now();
        while self.status(key) != expected {
            assert!(begin.elapsed() < PATIENCE, "{key} never got {expected}");
        }
        begin.elapsed()
    }
}

fn request(key: &str, connection: &str) -> String {
    format!("GET / HTTP/1.1\r\nhost: a\r\nx-api-key: {key}\r\nconnection: {connection}\r\n\r\n")
}

#[track_caller]
fn status(response: &str) -> u16 {
    let code = response
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok());
    code.unwrap_or_else(|| panic!("no response: {response:?}"))
}

fn config(key: &str, upstream: SocketAddr) -> String {
    format!(
        r#"{{"ZSCALER_MCP_AUTH_API_KEY": "{key}", "PORTCULLIS_UPSTREAM": "http://{upstream}"}}"#
    )
}

/// Answers everything, on connections that are kept.
fn lasting_upstream(response: &'static str) -> Upstream {
    Upstream::start(move |mut wire| {
        wire.send(response);
        while wire.next_head().is_some() {
            wire.send(response);
        }
    })
}

#[test]
fn a_changed_file_takes_effect_within_a_second() {
    let upstream = lasting_upstream(OK);
    let install = Install::start(&config("one", upstream.address));
    assert_eq!((install.status("one"), install.status("two")), (200, 401));
    install.change(&config("two", upstream.address));
    let took = install.wait_for("two", 200);
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(install.status("one"), 401);
}

#[test]
fn a_connection_that_is_kept_meets_the_new_settings_with_its_next_request() {
    let first = lasting_upstream(OK);
    let second = lasting_upstream("HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok");
    let install = Install::start(&config("one", first.address));
    let mut wire = install.gateway.connect();
    let mut ask = |key: &str| {
        wire.send(&request(key, "keep-alive"));
        status(&wire.response())
    };
    assert_eq!(ask("one"), 200);
    install.change(&config("two", second.address));
    install.wait_for("two", 201);
    assert_eq!((ask("one"), ask("two")), (401, 201));
}

#[test]
fn sighup_reads_the_settings_again() {
    let upstream = lasting_upstream(OK);
    let install = Install::start(&config("one", upstream.address));
    install.gateway.signal("-HUP");
    install.gateway.log_with("settings reloaded");
    assert_eq!(install.status("one"), 200);
}

/// The file of trust roots is a pipe: a fake that tells when the settings are read, and holds the
/// reader up.
#[test]
fn signals_during_a_reload_make_one_more() {
    let folder = Folder::new();
    let roots = pipe(&folder, "roots.pem");
    let (tell, reads) = channel();
    let (proceed, told) = channel::<()>();
    std::thread::spawn({
        let (roots, authority) = (roots.clone(), Authority::new().certificate());
        move || {
            // It opens once there is somebody who reads.
            while let Ok(mut file) = fs::OpenOptions::new().write(true).open(&roots) {
                if tell.send(()).is_err() || told.recv().is_err() {
                    return;
                }
                file.write_all(authority.as_bytes()).expect("written");
                drop(file);
                // Opened at once, it would be for the same reader.
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    });
    let read = || reads.recv_timeout(PATIENCE).expect("settings are read");
    proceed.send(()).expect("waits");
    let environment = [
        ("ZSCALER_MCP_AUTH_MODE", "none"),
        ("SSL_CERT_FILE", roots.to_str().expect("text")),
    ];
    let args = ["--upstream", "https://localhost:9"];
    let gateway = Gateway::start_with(&args, &environment);
    read();
    gateway.signal("-HUP");
    read();
    for signal in 2..=11 {
        gateway.signal("-HUP");
        log_times(&gateway, "told to reload", signal);
    }
    for _ in 0..20 {
        proceed.send(()).expect("waits");
    }
    read();
    let more = reads.recv_timeout(Duration::from_millis(500));
    assert!(more.is_err(), "settings were read once more");
    log_times(&gateway, "settings reloaded", 2);
}

#[track_caller]
fn log_times(gateway: &Gateway, words: &str, times: usize) {
    let begin = Instant::now();
    while gateway.log_with(words).matches(words).count() < times {
        assert!(
            begin.elapsed() < PATIENCE,
            "{words} is not there {times} times"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn bad_settings_are_refused_and_the_old_ones_stay() {
    let upstream = lasting_upstream(OK);
    let install = Install::start(&config("one", upstream.address));
    for (bad, problem) in [
        (
            r#"{"ZSCALER_MCP_AUTH_API_KEY": ""#,
            "not a JSON object (line 1",
        ),
        (
            r#"{"PORTCULLIS_NOPE": 1}"#,
            r#"unknown setting "PORTCULLIS_NOPE"#,
        ),
        (
            r#"{"PORTCULLIS_UPSTREAM": "http://a"}"#,
            "ZSCALER_MCP_AUTH_MODE must be none",
        ),
    ] {
        install.change(bad);
        let log = install.gateway.log_with(problem);
        assert!(
            log.contains("new settings refused, those in force stay"),
            "{log}"
        );
        assert_eq!(install.status("one"), 200);
    }
    install.change(&config("two", upstream.address));
    install.wait_for("two", 200);
}

/// That authentication is on does not say how: nothing but the word opens a gate.
#[test]
fn settings_that_are_gone_open_no_gate_where_authentication_is_on() {
    let upstream = lasting_upstream(OK);
    let environment = [("ZSCALER_MCP_AUTH_ENABLED", "true")];
    let install = Install::start_in(&environment, &config("one", upstream.address));
    let rest = format!(
        r#"{{"PORTCULLIS_UPSTREAM": "http://{}"}}"#,
        upstream.address
    );
    install.change(&rest);
    install
        .gateway
        .log_with("ZSCALER_MCP_AUTH_MODE must be none");
    assert_eq!((install.status("one"), install.status("two")), (200, 401));
}

/// A file that was emptied to be written anew holds none of its rules.
#[test]
fn a_file_that_is_empty_is_no_configuration() {
    let upstream = lasting_upstream(OK);
    let upstream = format!("http://{}", upstream.address);
    let environment = [
        ("ZSCALER_MCP_AUTH_API_KEY", "one"),
        ("PORTCULLIS_UPSTREAM", upstream.as_str()),
    ];
    let rules = r#"{"ZSCALER_MCP_ALLOWED_SOURCE_IPS": "192.0.2.1"}"#;
    let install = Install::start_in(&environment, rules);
    assert_eq!(install.status("one"), 403);
    install.folder.write("config.json", "");
    install.gateway.log_with("new settings refused");
    assert_eq!(install.status("one"), 403);
}

#[test]
fn another_listen_address_takes_a_restart() {
    let upstream = lasting_upstream(OK);
    let folder = Folder::new();
    let write = |port: u16| {
        let upstream = upstream.address;
        let config = format!(
            r#"{{"PORTCULLIS_UPSTREAM": "http://{upstream}", "ZSCALER_MCP_PORT": {port}}}"#
        );
        folder.write("config.json", &config)
    };
    let path = write(0);
    let gateway = Gateway::start_command(&mut command(&["serve", "--config", &path], &[]), &[]);
    write(1);
    gateway.log_with("takes a restart");
}

/// As Kubernetes does with a ConfigMap: the file is a link into a folder that is itself a link.
#[test]
fn a_link_that_is_led_elsewhere_is_a_change() {
    let upstream = lasting_upstream(OK);
    let folder = Folder::new();
    let at = |name: &str| folder.path().join(name);
    for (version, key) in [("v1", "one"), ("v2", "two")] {
        fs::create_dir(at(version)).expect("folder");
        folder.write(
            &format!("{version}/config.json"),
            &config(key, upstream.address),
        );
    }
    symlink("v1", at("..data")).expect("link");
    symlink("..data/config.json", at("config.json")).expect("link");
    let path = at("config.json").to_str().expect("UTF-8").to_owned();
    let gateway = Gateway::start_with(&["--config", &path], &[]);
    let install = Install { folder, gateway };
    assert_eq!(install.status("one"), 200);
    symlink("v2", install.folder.path().join("..new")).expect("link");
    let link = install.folder.path().join("..data");
    fs::rename(install.folder.path().join("..new"), link).expect("renamed");
    install.wait_for("two", 200);
    assert_eq!(install.status("one"), 401);
}

/// Reads a chunk that is one line (RFC 9112 §7.1).
fn event(wire: &mut Wire) -> String {
    let mut next = || wire.line().expect("the stream goes on");
    assert_eq!(next(), "2\r\n");
    let event = next();
    assert_eq!(next(), "\r\n");
    event
}

/// An event stream and an upload that began before go on after, and no request is lost.
#[test]
fn nothing_is_dropped_by_twenty_reloads() {
    let stream = Upstream::start(|mut wire| {
        wire.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n");
        // What the client sends is what the stream brings.
        while let Some(line) = wire.line() {
            wire.send(&line);
        }
    });
    let plain = lasting_upstream(OK);
    let install = Install::start(&config("one", stream.address));
    let mut open = install.gateway.connect();
    open.send("POST /sse HTTP/1.1\r\nhost: a\r\nx-api-key: one\r\ncontent-length: 42\r\n\r\n");
    open.head();
    let mut kept = None;
    for round in 1..=20 {
        install.change(&config(&format!("key-{round}"), plain.address));
        install.gateway.signal("-HUP");
        install.wait_for(&format!("key-{round}"), 200);
        let key = format!("key-{round}");
        let wire = kept.get_or_insert_with(|| install.gateway.connect());
        wire.send(&request(&key, "keep-alive"));
        assert_eq!(status(&wire.response()), 200, "round {round}");
        // What the upload brings goes through, and comes back as an event.
        open.send("e\n");
        assert_eq!(event(&mut open), "e\n", "round {round}");
    }
    open.send("e\n");
    assert_eq!(event(&mut open), "e\n");
}

#[test]
fn credentials_that_were_checked_are_not_asked_about_again() {
    const GRANT: &str = r#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#;
    let upstream = lasting_upstream(OK);
    let asked = Arc::new(AtomicUsize::new(0));
    let server = Upstream::start({
        let asked = Arc::clone(&asked);
        move |mut wire| {
            asked.fetch_add(1, Ordering::SeqCst);
            wire.send(&format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n{GRANT}",
                GRANT.len()
            ));
        }
    });
    let config = |hosts: &str| {
        format!(
            r#"{{"PORTCULLIS_TOKEN_URL": "http://{}/token", "PORTCULLIS_UPSTREAM": "http://{}",
                "ZSCALER_MCP_ALLOWED_HOSTS": "{hosts}"}}"#,
            server.address, upstream.address
        )
    };
    let install = Install::start(&config("a"));
    let ask = |host: &str| {
        // client:secret
        let request = format!(
            "GET / HTTP/1.1\r\nhost: {host}\r\nauthorization: Basic Y2xpZW50OnNlY3JldA==\r\n\
             connection: close\r\n\r\n"
        );
        status(&install.gateway.exchange(&request))
    };
    assert_eq!((ask("a"), ask("b")), (200, 421));
    install.change(&config("a,b"));
    let begin = Instant::now();
    while ask("b") != 200 {
        assert!(begin.elapsed() < PATIENCE, "the change took no effect");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}
