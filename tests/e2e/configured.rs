//! What `portcullis client-config` prints, given to clients that do as it says.

use std::io::Write as _;
use std::process::{Command, Stdio};

use portcullis_tests::{Gateway, Kind};
use serde_json::Value;

use crate::modes;
use crate::programs::{Demo, portcullis, tool};

const KEY: &str = "correct-horse-battery-staple";

/// Connects as the entry for `client` says, and returns what the server saw of the caller.
fn connect(client: &str, section: &str, url: &str) -> Value {
    let printed = Command::new(portcullis())
        .args(["client-config", "--client", client, "--url", url])
        .args(["--mode", "api-key", "--with-secret"])
        .env("PORTCULLIS_API_KEY", KEY)
        .output()
        .unwrap();
    assert!(printed.status.success(), "{printed:?}");
    let packages = tool(&["npm", "tests/e2e/node"]);
    let node = tool(&["node"]);
    // `npx` takes what is installed in the folder that it is started in.
    let path = format!(
        "{}:{}",
        node.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let mut running = Command::new(&node)
        .args(["configured.mjs", section, "portcullis", "whoami"])
        .current_dir(&packages)
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = running.stdin.take().unwrap();
    stdin.write_all(&printed.stdout).unwrap();
    drop(stdin);
    let output = running.wait_with_output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{client}: {log}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    serde_json::from_str(answer["text"].as_str().unwrap()).unwrap()
}

#[test]
fn clients_connect_by_the_entries_that_are_made_for_them() {
    let demo = Demo::start();
    let mode = modes::api_key();
    let gateway = Gateway::start(Kind::Native, &mode.settings, demo.origin());
    let url = format!("http://{}/mcp", gateway.address());
    for (client, section) in [
        ("mcp-remote", "mcpServers"),
        ("claude-desktop", "mcpServers"),
        ("cursor", "mcpServers"),
        ("vscode", "servers"),
    ] {
        let seen = connect(client, section, &url);
        assert_eq!(seen["identity"]["x-mcp-auth-mode"], "api-key", "{client}");
    }
}
