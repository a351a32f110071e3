//! A real Envoy on what `render envoy` writes, while settings change.

use std::fs;

use portcullis_tests::{EchoResource, Request};

use crate::envoy::{self, Envoy};
use crate::render::{API_KEY, STATE_KEY, render};
use crate::tools;

const SECRETS: [(&str, &str); 2] = [
    ("ZSCALER_MCP_AUTH_API_KEY", API_KEY),
    ("PORTCULLIS_STATE_KEYS", STATE_KEY),
];

#[test]
fn running_envoy_takes_up_settings_that_are_rendered_again() {
    let resource = EchoResource::start();
    let folder = envoy::folder();
    let write = |changed: &[(&str, &str)]| {
        let directory = folder.to_str().unwrap();
        let filter = tools::wasm();
        let upstream = resource.url();
        let arguments = [
            "envoy",
            "--dynamic",
            "--dir",
            directory,
            "--listen",
            "127.0.0.1:0",
            "--admin",
            "127.0.0.1:0",
            "--filter",
            filter.to_str().unwrap(),
            "--upstream",
            &upstream,
        ];
        let output = render(&arguments, &[&SECRETS[..], changed].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
    };
    write(&[]);
    let bootstrap = fs::read_to_string(folder.join("envoy.yaml")).unwrap();
    let envoy = Envoy::run(folder.clone(), &bootstrap, 1, &SECRETS);
    let envoy = envoy.unwrap_or_else(|log| panic!("{log}"));
    let status = || {
        let request = Request::post("/mcp", "{}").field("X-Api-Key", API_KEY);
        envoy.send(&request).status
    };
    let stat = "extension_config_discovery.http_filter.portcullis.config_reload";
    assert_eq!(status(), 200);
    let before = envoy.stat(stat);
    write(&[("ZSCALER_MCP_ALLOWED_SOURCE_IPS", "192.0.2.1")]);
    envoy.wait_for_stat(stat, before + 1);
    assert_eq!(status(), 403);
    write(&[]);
    envoy.wait_for_stat(stat, before + 2);
    assert_eq!(status(), 200);
}
