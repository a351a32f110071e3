//! The generated API key.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Folder, Gateway, Upstream, run};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

fn start(upstream: &Upstream, folder: &Folder) -> Gateway {
    let url = format!("http://{}", upstream.address);
    let state = folder.path().join("state");
    Gateway::start_with(
        &["--upstream", &url],
        &[
            ("ZSCALER_MCP_AUTH_MODE", " API-Key "),
            ("ZSCALER_MCP_AUTH_API_KEY", ""),
            ("PORTCULLIS_STATE_DIR", state.to_str().expect("UTF-8")),
        ],
    )
}

fn status(gateway: &Gateway, key: &str) -> String {
    let request = format!(
        "POST /mcp HTTP/1.1\r\nhost: a\r\nx-api-key: {key}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    gateway.exchange(&request)[9..12].to_owned()
}

#[test]
fn generated_key_is_private_shown_once_and_kept() {
    let upstream = Upstream::answering(OK);
    let folder = Folder::new();
    let gateway = start(&upstream, &folder);
    let file = folder.path().join("state/api-key");
    let key = fs::read_to_string(&file).expect("key file");
    let key = key.trim_end();
    assert_eq!(key.len(), 43);
    let mode = |path| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(&folder.path().join("state")), 0o700);
    assert_eq!(status(&gateway, key), "200");
    assert_eq!(status(&gateway, "other"), "401");
    assert!(
        !gateway.log_with("wrong_api_key").contains(key),
        "the log holds the key"
    );
    let address = gateway.address;
    let shown = gateway.end();
    assert_eq!(shown.matches(key).count(), 2, "{shown}");
    let url = format!("http://{address}/mcp");
    assert!(
        shown.contains(&url) && shown.contains("mcp-remote"),
        "{shown}"
    );

    let again = start(&upstream, &folder);
    assert_eq!(status(&again, key), "200");
    assert_eq!(again.end(), "");
    assert_eq!(
        fs::read_dir(folder.path().join("state"))
            .expect("folder")
            .count(),
        1
    );
}

#[test]
fn key_that_others_can_read_is_warned_of() {
    let upstream = Upstream::answering(OK);
    let folder = Folder::new();
    drop(start(&upstream, &folder));
    let file = folder.path().join("state/api-key");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("own file");
    let gateway = start(&upstream, &folder);
    gateway.log_with("others can read");
}

#[test]
fn start_that_fails_makes_no_key() {
    let folder = Folder::new();
    let state = folder.path().join("state");
    let environment = [
        ("ZSCALER_MCP_AUTH_MODE", "api-key"),
        ("PORTCULLIS_STATE_DIR", state.to_str().expect("UTF-8")),
    ];
    let output = run(&["serve", "--upstream", "no URL"], &environment);
    assert_eq!(output.status.code(), Some(1));
    assert!(!state.exists());
    let output = run(&["explain"], &environment);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("made by the first run"), "{text}");
    assert!(!state.exists());
}
