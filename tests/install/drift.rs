//! `--dir` writes files, and `--check` tells which are not what the settings give.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::render::{API_KEY, Folder, STATE_KEY, UPSTREAM, mode, render};

/// Every target of `render`.
const TARGETS: [&str; 7] = [
    "istio",
    "envoy-gateway",
    "kubernetes",
    "helm",
    "compose",
    "systemd",
    "envoy",
];

/// Tells whether others than the owner can read a file.
fn is_open(file: &Path) -> bool {
    let mode = fs::metadata(file).unwrap().permissions().mode();
    mode & 0o077 != 0
}

#[test]
fn file_with_a_secret_in_it_is_for_its_owner_alone() {
    let secrets = [
        ("ZSCALER_MCP_AUTH_API_KEY", API_KEY),
        ("PORTCULLIS_STATE_KEYS", STATE_KEY),
    ];
    let settings = Folder::new();
    let file = settings.0.join("settings.json");
    fs::write(&file, serde_json::Value::from_iter(secrets).to_string()).unwrap();
    for target in TARGETS {
        let folder = Folder::new();
        let directory = folder.0.to_str().unwrap();
        let common = [target, "--upstream", UPSTREAM, "--dir", directory];
        let in_file = ["--config", file.to_str().unwrap()];
        // The second run writes over files that everybody could read.
        for (arguments, variables) in [(&[][..], &secrets[..]), (&in_file, &[])] {
            let output = render(&[&common[..], arguments].concat(), variables);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{target}: {errors}");
            for name in folder.names() {
                let path = folder.0.join(&name);
                let text = fs::read_to_string(&path).unwrap();
                let has_secret = secrets.iter().any(|(_, value)| text.contains(value));
                assert_eq!(has_secret, target == "envoy" && variables.is_empty());
                assert_eq!(is_open(&path), !has_secret, "{target}: {name}");
            }
        }
    }
}

#[test]
fn check_names_what_differs_what_is_missing_and_what_is_left_over() {
    let folder = Folder::new();
    let directory = folder.0.to_str().unwrap();
    let run = |arguments: &[&str]| {
        let common = ["istio", "--upstream", UPSTREAM, "--dir", directory];
        let output = render(&[&common[..], arguments].concat(), mode("jwt"));
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.stdout.is_empty());
        (output.status.code(), errors)
    };
    assert_eq!(run(&[]).0, Some(0));
    let names = folder.names();
    assert!(
        names.contains(&"wasmplugin-portcullis.yaml".to_owned()),
        "{names:?}"
    );
    assert_eq!(run(&["--check"]), (Some(0), String::new()));

    fs::write(folder.0.join("of-somebody-else.yaml"), "a: b").unwrap();
    assert_eq!(run(&["--check"]).0, Some(0));

    let rule = folder
        .0
        .join("destinationrule-portcullis-idp-example-com-443.yaml");
    fs::remove_file(rule).unwrap();
    let service = folder.0.join("virtualservice-portcullis.yaml");
    let text = fs::read_to_string(&service).unwrap();
    fs::write(service, text.replace("8000", "8001")).unwrap();
    let (code, errors) = run(&["--check"]);
    assert_eq!(code, Some(1));
    assert!(
        errors.contains("missing: destinationrule-portcullis-idp"),
        "{errors}"
    );
    assert!(
        errors.contains("differs: virtualservice-portcullis.yaml"),
        "{errors}"
    );
    assert!(
        !errors.contains("wasmplugin") && !errors.contains("somebody"),
        "{errors}"
    );

    let (code, errors) = run(&["--check", "--kind", "traffic-extension"]);
    assert_eq!(code, Some(1));
    assert!(
        errors.contains("no longer part of the install: wasmplugin-portcullis.yaml"),
        "{errors}"
    );
}
