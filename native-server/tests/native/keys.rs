//! `portcullis keys`, and a gateway that watches its file.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;
use std::thread;
use std::time::Instant;

use crate::support::{Folder, Gateway, PATIENCE, Upstream, run};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

struct Keys {
    folder: Folder,
    path: String,
}

impl Keys {
    fn new() -> Self {
        let folder = Folder::new();
        let path = folder.path().join("keys.json");
        let path = path.to_str().expect("UTF-8").to_owned();
        Self { folder, path }
    }

    fn command(&self, args: &[&str]) -> Output {
        let all = [&["keys"], args].concat();
        run(&all, &[("PORTCULLIS_API_KEYS_FILE", &self.path)])
    }

    /// Returns what a command prints that must succeed.
    #[track_caller]
    fn prints(&self, args: &[&str]) -> String {
        let output = self.command(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {errors}");
        String::from_utf8(output.stdout)
            .expect("text")
            .trim()
            .to_owned()
    }

    #[track_caller]
    fn refuses(&self, args: &[&str], code: i32, said: &str) {
        let output = self.command(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {errors}");
        assert!(errors.contains(said), "{args:?}: {errors}");
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.path).expect("file")
    }
}

#[track_caller]
fn wait_for(gateway: &Gateway, key: &str, expected: &str) {
    let begin = Instant::now();
    let request =
        format!("GET / HTTP/1.1\r\nhost: a\r\nx-api-key: {key}\r\nconnection: close\r\n\r\n");
    loop {
        let response = gateway.exchange(&request);
        if response.starts_with(&format!("HTTP/1.1 {expected} ")) {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "never {expected}: {response}");
    }
}

#[test]
fn a_running_gateway_follows_the_file() {
    let keys = Keys::new();
    let first = keys.prints(&["add", "ci"]);
    let upstream = Upstream::answering(OK);
    let url = format!("http://{}", upstream.address);
    let environment = [("PORTCULLIS_API_KEYS_FILE", keys.path.as_str())];
    let gateway = Gateway::start_with(&["--upstream", &url], &environment);
    wait_for(&gateway, &first, "200");
    assert!(upstream.head().contains("x-mcp-auth-principal: ci\r\n"));
    let second = keys.prints(&["rotate", "ci", "--overlap", "1h"]);
    wait_for(&gateway, &second, "200");
    wait_for(&gateway, &first, "200");
    let third = keys.prints(&["rotate", "ci", "--overlap", "0s"]);
    wait_for(&gateway, &third, "200");
    wait_for(&gateway, &second, "401");
    wait_for(&gateway, &first, "401");
    keys.prints(&["revoke", "ci"]);
    wait_for(&gateway, &third, "401");
    assert_eq!(keys.text(), "[]\n");
    let log = gateway.log_with("nobody may connect");
    for key in [first, second, third] {
        assert!(!log.contains(&key), "a key is in the log");
    }
}

#[test]
fn a_key_is_shown_once_and_only_its_digest_is_kept() {
    let keys = Keys::new();
    let key = keys.prints(&[
        "add",
        "ops",
        "--expires",
        "90d",
        "--source",
        "10.0.0.0/8",
        "--source",
        "::1",
        "--note",
        "on call",
    ]);
    assert_eq!(key.len(), 43, "{key}");
    assert!(!keys.text().contains(&key));
    let mode = std::fs::metadata(&keys.path)
        .expect("file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let files = std::fs::read_dir(keys.folder.path())
        .expect("folder")
        .count();
    assert_eq!(files, 1, "a draft is left");
    let table = keys.prints(&["list"]);
    for part in ["NAME", "ops", "10.0.0.0/8,::1", "on call"] {
        assert!(table.contains(part), "{table}");
    }
    let json = keys.prints(&["list", "--json"]);
    assert!(
        json.contains("\"expired\": false") && !json.contains("sha256"),
        "{json}"
    );
}

#[test]
fn what_cannot_be_done_is_said_with_what_to_do() {
    let keys = Keys::new();
    keys.refuses(&["list"], 1, "cannot read");
    keys.prints(&["add", "ci"]);
    let before = keys.text();
    keys.refuses(&["add", "ci"], 1, "rotate it, or revoke it first");
    keys.refuses(&["add", "c i"], 1, "letters, digits");
    keys.refuses(&["add", "x", "--source", "here"], 1, "10.0.0.0/8");
    keys.refuses(&["add", "x", "--expires", "soon"], 2, "90d");
    keys.refuses(&["revoke", "nobody"], 1, "portcullis keys list");
    keys.refuses(&["rotate", "nobody"], 1, "portcullis keys list");
    assert_eq!(keys.text(), before);
    std::fs::write(&keys.path, "[{}]").expect("file");
    keys.refuses(
        &["add", "y"],
        1,
        "entry 1: name and sha256 must be there: mend it first",
    );
    let output = run(&["keys", "list"], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--file or PORTCULLIS_API_KEYS_FILE"));
}

#[test]
fn changes_at_the_same_time_are_all_kept() {
    let keys = Keys::new();
    thread::scope(|scope| {
        for number in 0..8 {
            let keys = &keys;
            scope.spawn(move || keys.prints(&["add", &format!("key-{number}")]));
        }
    });
    assert_eq!(keys.text().matches("sha256").count(), 8);
}
