//! `portcullis client-config`: what it prints, and what it does to files of others.

use std::fs::{self, Permissions, set_permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::{Folder, run};

const CLIENTS: [&str; 6] = [
    "claude-desktop",
    "claude-code",
    "cursor",
    "kiro",
    "vscode",
    "mcp-remote",
];
const KEY: &str = "correct-horse-battery";
const GATEWAY: [&str; 3] = ["client-config", "--url", "https://gw.example/mcp"];

fn client_config(args: &[&str], environment: &[(&str, &str)]) -> Output {
    run(&[GATEWAY.as_slice(), args].concat(), environment)
}

#[track_caller]
fn printed(args: &[&str], environment: &[(&str, &str)]) -> Value {
    let output = client_config(args, environment);
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).expect(&errors)
}

/// Merges the entry of a client in mode `api-key` into a file.
fn write(client: &str, file: &str) -> Output {
    let args = [
        "--client", client, "--mode", "api-key", "--write", "--file", file,
    ];
    client_config(&args, &[])
}

#[test]
fn secrets_are_referred_to_and_never_written_unless_asked() {
    let environment = [
        ("ZSCALER_MCP_AUTH_MODE", "api-key"),
        ("ZSCALER_MCP_AUTH_API_KEY", KEY),
    ];
    let value = |client: &str, pointer: &str, args: &[&str]| {
        let args = [&["--client", client], args].concat();
        let whole = printed(&args, &environment);
        let value = whole.pointer(pointer).and_then(Value::as_str);
        value.expect(client).to_owned()
    };
    for (client, pointer, reference) in [
        (
            "claude-desktop",
            "/mcpServers/portcullis/env/AUTHORIZATION",
            "PUT-THE-API-KEY-HERE",
        ),
        (
            "claude-code",
            "/mcpServers/portcullis/headers/Authorization",
            "${PORTCULLIS_API_KEY}",
        ),
        (
            "cursor",
            "/mcpServers/portcullis/headers/Authorization",
            "${env:PORTCULLIS_API_KEY}",
        ),
        (
            "kiro",
            "/mcpServers/portcullis/headers/Authorization",
            "${PORTCULLIS_API_KEY}",
        ),
        (
            "vscode",
            "/servers/portcullis/headers/Authorization",
            "${input:portcullis-api-key}",
        ),
        (
            "mcp-remote",
            "/mcpServers/portcullis/env/AUTHORIZATION",
            "PUT-THE-API-KEY-HERE",
        ),
    ] {
        assert_eq!(value(client, pointer, &[]), format!("Bearer {reference}"));
        assert_eq!(
            value(client, pointer, &["--with-secret"]),
            format!("Bearer {KEY}")
        );
        let whole = client_config(&["--client", client], &environment);
        let all = [whole.stdout, whole.stderr].concat();
        assert!(!String::from_utf8_lossy(&all).contains(KEY), "{client}");
    }
}

#[test]
fn where_people_sign_in_a_url_is_all() {
    for mode in ["oidc", "oidcproxy", "none"] {
        for client in CLIENTS {
            let whole = printed(&["--client", client, "--mode", mode], &[]).to_string();
            assert!(whole.contains("https://gw.example/mcp"), "{whole}");
            for other in ["eader", "env", "inputs"] {
                assert!(!whole.contains(other), "{client} {mode}: {whole}");
            }
        }
    }
}

#[test]
fn mode_zscaler_has_two_fields() {
    let args = ["--client", "claude-code", "--mode", "zscaler"];
    let headers = &printed(&args, &[])["mcpServers"]["portcullis"]["headers"];
    assert_eq!(headers["X-Zscaler-Client-ID"], "${ZSCALER_CLIENT_ID}");
    assert_eq!(
        headers["X-Zscaler-Client-Secret"],
        "${ZSCALER_CLIENT_SECRET}"
    );
    let secret = [&args[..], &["--with-secret"]].concat();
    let refused = client_config(&secret, &[("ZSCALER_CLIENT_ID", "id")]);
    assert_eq!(refused.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(errors.contains("ZSCALER_CLIENT_SECRET"), "{errors}");
}

#[test]
fn entries_of_others_and_comments_stay_and_a_backup_is_kept() {
    let folder = Folder::new();
    let before = "{\n\t// mine\n\t\"servers\": {\n\t\t\"other\": { \"url\": \"https://x\" }, // keep\n\t}\n}\n";
    let file = folder.write("mcp.json", before);
    set_permissions(&file, Permissions::from_mode(0o640)).expect("permissions");
    let output = write("vscode", &file);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let after = fs::read_to_string(&file).expect("file");
    for part in [
        "// mine",
        "\"other\": { \"url\": \"https://x\" }, // keep",
        "\"inputs\"",
    ] {
        assert!(after.contains(part), "{after}");
    }
    assert_eq!(fs::metadata(&file).expect("file").mode() & 0o777, 0o640);
    let backups = || {
        let names = fs::read_dir(folder.path()).expect("folder");
        let names = names.map(|entry| entry.expect("entry").file_name());
        names.filter(|name| name != "mcp.json").collect::<Vec<_>>()
    };
    let [backup] = backups().try_into().expect("one backup");
    let backup = folder.path().join(backup);
    assert_eq!(fs::read_to_string(&backup).expect("backup"), before);
    assert_eq!(fs::metadata(&backup).expect("backup").mode() & 0o777, 0o640);
    let again = write("vscode", &file);
    assert!(String::from_utf8_lossy(&again.stderr).contains("has this entry already"));
    assert_eq!(fs::read_to_string(&file).expect("file"), after);
    assert_eq!(backups().len(), 1);
}

#[test]
fn file_that_is_not_understood_is_left_as_it_is() {
    let folder = Folder::new();
    for (content, part) in [
        ("{\"mcpServers\": {\n", "line 2"),
        ("{\"mcpServers\": []}", "is no object"),
        ("[1]", "no JSON object"),
        ("{\"a\": 1, \"a\": 2}", "only once"),
    ] {
        let file = folder.write("config.json", content);
        let output = write("claude-desktop", &file);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{content}");
        assert!(errors.contains(part) && errors.contains(&file), "{errors}");
        assert_eq!(fs::read_to_string(&file).expect("file"), content);
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 1);
    }
}

#[test]
fn client_keeps_its_file_at_its_own_place() {
    let folder = Folder::new();
    let home = folder.path().to_str().expect("UTF-8");
    for (client, place) in [
        ("cursor", ".cursor/mcp.json"),
        ("kiro", ".kiro/settings/mcp.json"),
    ] {
        let args = [
            "--client", client, "--mode", "oidc", "--write", "--name", "zscaler",
        ];
        let output = client_config(&args, &[("HOME", home)]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let file = folder.path().join(place);
        let whole: Value = serde_json::from_slice(&fs::read(&file).expect(place)).expect("JSON");
        assert_eq!(
            whole["mcpServers"]["zscaler"]["url"],
            "https://gw.example/mcp"
        );
        assert_eq!(fs::metadata(&file).expect(place).mode() & 0o777, 0o600);
    }
    let args = ["--client", "mcp-remote", "--mode", "oidc", "--write"];
    let unknown = client_config(&args, &[("HOME", home)]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("--file"));
}

#[test]
fn link_stays_a_link() {
    let folder = Folder::new();
    let real = folder.write("real.json", "{}");
    let link = folder.path().join("link.json");
    symlink(&real, &link).expect("link");
    assert_eq!(
        write("cursor", link.to_str().expect("UTF-8")).status.code(),
        Some(0)
    );
    assert!(link.is_symlink());
    assert!(
        fs::read_to_string(&real)
            .expect("file")
            .contains("gw.example")
    );
}

#[test]
fn wrong_arguments_are_refused() {
    for args in [
        &["--client", "emacs"][..],
        &["--write"],
        &["--name", "a b"],
        &["--mode", "magic"],
    ] {
        assert_eq!(client_config(args, &[]).status.code(), Some(2), "{args:?}");
    }
    let bad = run(
        &["client-config", "--url", "gw.example", "--mode", "none"],
        &[],
    );
    assert_eq!(bad.status.code(), Some(1));
    assert!(!Path::new(".mcp.json").exists());
}
