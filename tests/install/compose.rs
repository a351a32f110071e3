//! The compose file: read by the specification and by a program that runs such files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use portcullis_tests::{EchoResource, Gateway, Kind, Settings};
use serde_json::Value;

use crate::render::{Folder, MODES, STATE_KEY, documents, mode, python, render, rendered};
use crate::tools;

/// Has podman-compose read the file of this text and print what it understood. What stands in for
/// podman itself says its version only: nothing is run.
fn config(folder: &Folder, text: &str, variables: &[(&str, &str)]) -> Output {
    let (file, podman) = (folder.0.join("compose.yaml"), folder.0.join("podman"));
    fs::write(&file, text).unwrap();
    fs::write(&podman, "#!/bin/sh\necho podman version 5.4.2\n").unwrap();
    fs::set_permissions(&podman, fs::Permissions::from_mode(0o755)).unwrap();
    Command::new(python())
        .args(["-m", "podman_compose", "--podman-path"])
        .arg(&podman)
        .arg("-f")
        .arg(&file)
        .arg("config")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn compose_file_is_one_by_the_specification() {
    const CHECK: &str = "import sys; from compose_spec import PyCompose\n\
        compose = PyCompose.from_yaml(sys.argv[1])\n\
        compose.validate(); compose.validate_configs(); compose.validate_networks()";
    for (name, variables) in MODES {
        let text = rendered(&["compose"], variables);
        let output = Command::new(python())
            .args(["-c", CHECK, &text])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {errors}\n{text}");
    }
}

#[test]
fn gate_alone_is_open_and_may_do_nothing() {
    let dollar = [
        ("ZSCALER_MCP_AUTH_MODE", "none"),
        ("PORTCULLIS_BRAND_TEXT", "a $b"),
    ];
    let upstream = ["compose", "--upstream", "http://127.0.0.1:9000"];
    let text = String::from_utf8(render(&upstream, &dollar).stdout).unwrap();
    let output = config(
        &Folder::new(),
        &text,
        &[("PORTCULLIS_STATE_KEYS", STATE_KEY)],
    );
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{text}");
    let compose = &documents(&String::from_utf8(output.stdout).unwrap())[0];

    let settings = compose["configs"]["settings"]["content"].as_str().unwrap();
    assert!(settings.contains("a $b"), "{settings}");
    assert!(settings.contains("http://mcp:9000"), "{settings}");
    let services = &compose["services"];
    assert!(services["mcp"]["ports"].is_null(), "{services}");
    let gate = &services["portcullis"];
    assert_eq!(gate["ports"][0], "127.0.0.1:8000:8000");
    assert_eq!(gate["environment"]["PORTCULLIS_STATE_KEYS"], STATE_KEY);
    assert_eq!(gate["read_only"], true);
    assert_eq!(gate["cap_drop"][0], "ALL");
    assert_eq!(gate["security_opt"][0], "no-new-privileges:true");
    for limit in ["mem_limit", "cpus", "pids_limit"] {
        assert!(!gate[limit].is_null(), "no {limit}: {gate}");
    }
}

#[test]
fn missing_secret_stops_it_and_is_named() {
    let text = rendered(&["compose"], mode("api-key"));
    let output = config(
        &Folder::new(),
        &text,
        &[("PORTCULLIS_STATE_KEYS", STATE_KEY)],
    );
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains("ZSCALER_MCP_AUTH_API_KEY"), "{errors}");
}

#[test]
fn binary_itself_is_the_health_check_of_its_container() {
    let compose = &documents(&rendered(&["compose"], mode("none")))[0];
    let resource = EchoResource::start();
    let settings = Settings::new().with("ZSCALER_MCP_AUTH_MODE", "none");
    let gateway = Gateway::start(Kind::Native, &settings, &resource.url());
    let folder = Folder::new();
    let file = folder.0.join("settings.json");
    let content = &compose["configs"]["settings"]["content"];
    fs::write(&file, content.as_str().unwrap()).unwrap();
    let test = compose["services"]["portcullis"]["healthcheck"]["test"].clone();
    let listen = format!("0.0.0.0:{}", gateway.address().port());
    let check = || health(&test, &file, &listen);

    let output = check();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    drop(gateway);
    assert_eq!(check().status.code(), Some(1));
}

/// Runs the health check outside of its container, with files and ports that are here.
fn health(test: &Value, settings: &Path, listen: &str) -> Output {
    let words: Vec<&str> = test
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let ["CMD", "/portcullis", arguments @ ..] = words.as_slice() else {
        panic!("{test}");
    };
    let mut command = tools::portcullis();
    for argument in arguments {
        match *argument {
            "/etc/portcullis/settings.json" => command.arg(settings),
            "0.0.0.0:8000" => command.arg(listen),
            argument => command.arg(argument),
        };
    }
    command.output().unwrap()
}
