//! The real programs around a gateway: MCP servers, and an identity provider.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use portcullis_tests::process::Process;
use portcullis_tests::{Request, Response};
use serde_json::Value;

/// The MCP server of the demo, on the Rust SDK.
pub(crate) struct Demo {
    _process: Process,
    origin: String,
}

impl Demo {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(built("portcullis-demo"));
        let process = Process::start("demo", command.args(["--listen", "127.0.0.1:0"]));
        let origin = process.wait_for_line(origin).unwrap();
        Self {
            _process: process,
            origin,
        }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }
}

/// The reference server of the Node SDK, over server-sent events.
pub(crate) struct EverythingServer {
    _process: Process,
    origin: String,
}

impl EverythingServer {
    pub(crate) fn start() -> Self {
        let packages = tool(&["npm", "tests/e2e/node"]);
        let server = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
        let mut command = Command::new(tool(&["node"]));
        command
            .env("PORT", "0")
            .arg("--require")
            .arg(packages.join("loopback.cjs"))
            .arg(packages.join(server))
            .arg("sse");
        let process = Process::start("server-everything", &mut command);
        let origin = process.wait_for_line(origin).unwrap();
        Self {
            _process: process,
            origin,
        }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }
}

/// A real authorization server with one client.
pub(crate) struct IdentityProvider {
    _process: Process,
    facts: Value,
}

impl IdentityProvider {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts it with arguments of its own, which `idp.mjs` explains.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let packages = tool(&["npm", "envoy/demo/idp"]);
        let mut command = Command::new(tool(&["node"]));
        command
            .arg(packages.join("idp.mjs"))
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments);
        let process = Process::start("idp", &mut command);
        let facts = process
            .wait_for_line(|line| serde_json::from_str(line).ok())
            .unwrap();
        Self {
            _process: process,
            facts,
        }
    }

    /// Returns one of the facts that it printed.
    pub(crate) fn fact(&self, name: &str) -> &str {
        self.facts[name].as_str().unwrap()
    }

    /// Returns what it has counted so far, by a JSON pointer; 0 where nothing was.
    pub(crate) fn counted(&self, pointer: &str) -> u64 {
        let counters = Request::get("/stats").send(self.address()).unwrap().json();
        counters.pointer(pointer).map_or(0, |n| n.as_u64().unwrap())
    }

    fn address(&self) -> SocketAddr {
        let authority = self.fact("issuer").trim_start_matches("http://");
        authority.parse().unwrap()
    }

    /// Returns an access token for a resource.
    pub(crate) fn token(&self, resource: &str) -> String {
        self.token_for(resource, &[])
    }

    /// Returns an access token for a resource, with these scopes.
    pub(crate) fn token_for(&self, resource: &str, scopes: &[&str]) -> String {
        let form = [
            "grant_type=client_credentials".to_owned(),
            format!("client_id={}", self.fact("client_id")),
            format!("client_secret={}", self.fact("client_secret")),
            format!("resource={resource}"),
            format!("scope={}", scopes.join("+")),
        ];
        let answer: Response = Request::new("POST", "/oauth2/v1/token")
            .field("content-type", "application/x-www-form-urlencoded")
            .body(form.join("&"))
            .send(self.address())
            .unwrap();
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }
}

/// Returns a program of this workspace, which `make test` builds before the tests.
pub(crate) fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // Test binaries are in the folder `deps` beside the programs.
    let path = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(
        path.exists(),
        "{} is missing: run `make test`",
        path.display()
    );
    path
}

/// Returns the native binary that is under test.
pub(crate) fn portcullis() -> PathBuf {
    std::env::var_os("PORTCULLIS_BIN").map_or_else(|| built("portcullis"), PathBuf::from)
}

/// Returns the path of a tool that is not built here, and installs it first if need be.
pub(crate) fn tool(words: &[&str]) -> PathBuf {
    static FOUND: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut found = FOUND.lock().unwrap();
    let path = found
        .entry(words.join(" "))
        .or_insert_with(|| find_tool(words));
    path.clone()
}

fn find_tool(words: &[&str]) -> PathBuf {
    let output = Command::new("python3")
        .arg(folder("scripts").join("tools.py"))
        .args(words)
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tools.py {words:?}: {log}");
    String::from_utf8(output.stdout).unwrap().trim().into()
}

/// Returns a folder of this repository.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// Finds the origin in a line `listening on http://127.0.0.1:PORT…`.
pub(crate) fn origin(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("http://127.0.0.1:")?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("http://127.0.0.1:{port}"))
}
