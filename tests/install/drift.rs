//! `--dir` writes files, and `--check` tells which are not what the settings give.

use std::fs;

use crate::render::{Folder, UPSTREAM, mode, render};

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
