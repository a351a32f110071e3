//! The example of a gateway in Node.js, in front of a protected resource.

use std::fs;
use std::net::SocketAddr;

use portcullis_tests::process::Process;
use portcullis_tests::{EchoResource, Request};

use crate::host::in_node;

const KEY: &str = "pk-0123456789abcdefghijklmnopqrstuv";

#[test]
fn example_in_node_guards_a_protected_resource() {
    let resource = EchoResource::start();
    let name = format!("portcullis-component-{}.json", std::process::id());
    let settings = std::env::temp_dir().join(name);
    let state_key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
    let text = format!(
        r#"{{"ZSCALER_MCP_AUTH_API_KEY": "{KEY}", "PORTCULLIS_STATE_KEYS": "{state_key}"}}"#
    );
    fs::write(&settings, text).unwrap();
    let mut command = in_node("server.mjs");
    command.arg(&settings).args(["0", &resource.url()]);
    let server = Process::start("server.mjs", &mut command);
    let listening = |line: &str| line.split_once("listening on ")?.1.parse().ok();
    let address: SocketAddr = server.wait_for_line(listening).unwrap();
    fs::remove_file(&settings).unwrap();

    let refused = Request::get("/mcp").send(address).unwrap();
    assert_eq!(refused.status, 401);
    assert!(resource.take().is_empty());

    let request = Request::post("/mcp", r#"{"jsonrpc":"2.0"}"#).field("X-Api-Key", KEY);
    let request = request.field("x-test-session", "the-session");
    let response = request.send(address).unwrap();
    assert_eq!(response.status, 200);
    let session = response.values("mcp-session-id");
    assert!(session[0].starts_with("the-session."), "{session:?}");
    let seen = resource.take();
    assert_eq!(seen[0].value("x-mcp-auth-mode").as_deref(), Some("api-key"));
    assert_eq!(seen[0].value("x-api-key"), None);
    assert_eq!(seen[0].body, br#"{"jsonrpc":"2.0"}"#);

    // A target names a path of the protected resource, and nothing else.
    let elsewhere = EchoResource::start();
    let authority = elsewhere.url().replacen("http:", "", 1);
    let get = |target: &str| {
        let request = Request::get(target).field("X-Api-Key", KEY);
        request.send(address).unwrap().status
    };
    let target = format!("{authority}/../mcp");
    assert_eq!(get(&target), 200);
    assert_eq!(resource.take()[0].target, target);
    assert_eq!(get(&format!("http:{authority}/mcp")), 400);
    assert_eq!(elsewhere.count(), 0);
}
