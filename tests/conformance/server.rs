//! The scenarios for servers: what a server does right, it does right behind both gateways.
//!
//! The gateway is no server. So the verdicts are compared with those of the same server without a
//! gateway, whatever they are.

use std::process::Command;

use portcullis_tests::oauth_flow::Site;
use portcullis_tests::process::Process;
use portcullis_tests::{Gateway, Kind, Settings, free_address};

use crate::install::oidc_proxy;
use crate::programs::{Demo, folder, origin, tool};
use crate::suite::{Run, Verdicts, node};

const KEY: &str = "correct-horse-battery-staple";

/// What the suite calls the gateway.
const HOSTS: &str = "127.0.0.1:*";

/// This one wants foreign hosts refused. The server sees the gateway's, so the gateway has to.
const STRICTER: &str = "server-dns-rebinding-protection";

#[track_caller]
fn check(kind: Kind, upstream: &str) {
    let settings = Settings::new()
        .with("ZSCALER_MCP_AUTH_MODE", "api-key")
        .with("ZSCALER_MCP_AUTH_API_KEY", KEY)
        .with("ZSCALER_MCP_ALLOWED_HOSTS", HOSTS);
    let gateway = Gateway::start(kind, &settings, upstream);
    compare(&gateway, KEY, upstream);
}

/// In mode `oidcproxy`, where Envoy is told to let the filter wait for bodies.
#[track_caller]
fn check_signed_in(kind: Kind, upstream: &str) {
    let address = free_address();
    let (_provider, settings) = oidc_proxy(&Site::origin_at(address));
    let settings = settings.with("ZSCALER_MCP_ALLOWED_HOSTS", HOSTS);
    let gateway = Gateway::start(kind, &settings.listening_on(address), upstream);
    let (_, tokens) = Site::of(&gateway).sign_in();
    compare(&gateway, &tokens.access, upstream);
}

#[track_caller]
fn compare(gateway: &Gateway, token: &str, upstream: &str) {
    let shim = Shim::start(&format!("http://{}", gateway.address()), token);
    let without = verdicts(upstream);
    let with = verdicts(&shim.origin);
    let passed = without.values().flatten().filter(passes).count();
    assert!(passed >= 70, "the suite did not run: {without:?}");
    for (scenario, expected) in &without {
        let seen = &with[scenario];
        let as_well = seen == expected;
        let better = scenario == STRICTER && seen.iter().filter(passes).count() == seen.len();
        assert!(
            as_well || better,
            "{scenario} behind {:?}: {seen:?}, without it {expected:?}",
            gateway.kind()
        );
    }
}

fn passes((_, status): &&(String, String)) -> bool {
    status == "SUCCESS"
}

fn verdicts(origin: &str) -> Verdicts {
    let run = Run::new();
    let mut command = run.command("server");
    let output = command
        .args(["--suite", "all", "--url", &format!("{origin}/mcp")])
        .output()
        .unwrap();
    // It exits with 1 when a check failed, which is compared and not asserted.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    run.verdicts()
}

/// A server of ours that does what the suite asks for, on the Node SDK.
struct Reference {
    _process: Process,
    origin: String,
}

impl Reference {
    fn start() -> Self {
        let packages = tool(&["npm", "tests/conformance/node"]);
        let mut command = Command::new(node());
        command.arg(packages.join("server.mjs"));
        let process = Process::start("conformance-server", &mut command);
        let origin = process.wait_for_line(origin).unwrap();
        Self {
            _process: process,
            origin,
        }
    }
}

/// Adds the credential, which the suite cannot send.
struct Shim {
    _process: Process,
    origin: String,
}

impl Shim {
    fn start(gateway: &str, token: &str) -> Self {
        let mut command = Command::new(node());
        command
            .arg(folder("tests/conformance").join("bearer.mjs"))
            .args([gateway, token]);
        let process = Process::start("bearer", &mut command);
        let origin = process.wait_for_line(origin).unwrap();
        Self {
            _process: process,
            origin,
        }
    }
}

#[test]
fn the_node_sdk_passes_as_much_behind_envoy() {
    check(Kind::Envoy, &Reference::start().origin);
}

#[test]
fn the_node_sdk_passes_as_much_behind_native() {
    check(Kind::Native, &Reference::start().origin);
}

#[test]
fn the_node_sdk_passes_as_much_behind_envoy_when_signed_in() {
    check_signed_in(Kind::Envoy, &Reference::start().origin);
}

#[test]
fn the_node_sdk_passes_as_much_behind_native_when_signed_in() {
    check_signed_in(Kind::Native, &Reference::start().origin);
}

#[test]
fn the_rust_sdk_passes_as_much_behind_envoy() {
    check(Kind::Envoy, Demo::start().origin());
}

#[test]
fn the_rust_sdk_passes_as_much_behind_native() {
    check(Kind::Native, Demo::start().origin());
}
