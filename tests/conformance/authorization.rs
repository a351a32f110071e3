//! The scenarios for authorization servers: ours passes them through both gateways.

use std::process::Command;

use portcullis_tests::oauth_flow::Site;
use portcullis_tests::process::Process;
use portcullis_tests::{Kind, free_address};

use crate::install::{Install, Mode};
use crate::programs::folder;
use crate::suite::{Run, Verdicts};

/// Each scenario and its checks.
const SCENARIOS: [(&str, &[&str]); 2] = [
    ("authorization-code-grant", &["authorization-code-grant"]),
    (
        "authorization-server-metadata-endpoint",
        &[
            "authorization-server-metadata",
            "authorization-server-metadata-cimd",
        ],
    ),
];

#[track_caller]
fn check(kind: Kind) {
    // The filter says that it fetches client documents only where it can: from named hosts.
    let install = Install::start_with(kind, Mode::OidcProxy, |settings| {
        settings.with("OIDCPROXY_CLIENT_DOCUMENTS", "localhost")
    });
    let site = Site::of(&install.gateway);
    let callback = free_address();
    let client = site.register(&format!("http://{callback}/callback"));

    let run = Run::new();
    let mut command = run.command("authorization");
    command
        .args(["--url", site.origin(), "--resource", &install.url()])
        .args(["--client-id", &client.id])
        .args(["--port", &callback.port().to_string()]);
    let suite = Process::start("conformance", &mut command);
    let page = suite.wait_for_line(|line| line.starts_with("http://").then(|| line.to_owned()));
    sign_in(&page.unwrap());
    let summary = |line: &str| line.starts_with("Total:").then_some(());
    suite.wait_for_line(summary).unwrap();

    assert_eq!(run.verdicts(), all_passed(), "{}", suite.log());
}

fn all_passed() -> Verdicts {
    let passed = |name: &&str| ((*name).to_owned(), "SUCCESS".to_owned());
    let scenarios = SCENARIOS.iter().map(|(scenario, checks)| {
        let name = format!("authorization-server-{scenario}");
        (name, checks.iter().map(passed).collect())
    });
    scenarios.collect()
}

/// Approves at the consent page of the gateway.
fn sign_in(page: &str) {
    let browser = folder("scripts").join("browser.py");
    let output = Command::new("python3")
        .arg(browser)
        .arg(page)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_authorization_server_passes_in_envoy() {
    check(Kind::Envoy);
}

#[test]
fn the_authorization_server_passes_in_native() {
    check(Kind::Native);
}
