//! Flags, file and environment; refusals to start.

use crate::support::{Folder, run};

fn explain(args: &[&str], environment: &[(&str, &str)]) -> String {
    let mut all = vec!["explain"];
    all.extend(args);
    let output = run(&all, environment);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Checks that `serve` ends with 1 and one line that holds `part`.
#[track_caller]
fn check_refused(args: &[&str], environment: &[(&str, &str)], part: &str) {
    let mut all = vec!["serve"];
    all.extend(args);
    let output = run(&all, environment);
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains(part), "{errors}");
}

const UPSTREAM: (&str, &str) = ("PORTCULLIS_UPSTREAM", "http://environment:1");
const OPEN: (&str, &str) = ("ZSCALER_MCP_AUTH_MODE", "none");

/// Mode `oidcproxy`, but for the state keys.
const SIGN_IN: [(&str, &str); 6] = [
    UPSTREAM,
    ("ZSCALER_MCP_AUTH_MODE", "OAuth-Proxy"),
    (
        "OIDCPROXY_CONFIG_URL",
        "https://idp.example/.well-known/openid-configuration",
    ),
    ("OIDCPROXY_BASE_URL", "https://gw.example/mcp"),
    ("OIDCPROXY_CLIENT_ID", "gateway"),
    ("OIDCPROXY_CLIENT_SECRET", "correct horse battery"),
];
const STATE_KEYS: (&str, &str) = (
    "PORTCULLIS_STATE_KEYS",
    "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
);

#[test]
fn flags_win_over_the_file_and_that_over_the_environment() {
    let folder = Folder::new();
    let file = folder.write("c.json", r#"{"PORTCULLIS_UPSTREAM": "http://file:1"}"#);
    let environment = [OPEN, UPSTREAM];
    let shows = |args: &[&str], line: &str| {
        let text = explain(args, &environment);
        assert!(text.contains(line), "{text}");
    };
    shows(
        &[],
        "PORTCULLIS_UPSTREAM: http://environment:1 (environment)",
    );
    let in_file = ["--config", file.as_str()];
    shows(
        &in_file,
        "PORTCULLIS_UPSTREAM: http://file:1 (configuration)",
    );
    let all = ["--upstream", "http://flag:1", "--config", file.as_str()];
    shows(&all, "PORTCULLIS_UPSTREAM: http://flag:1 (flag)");
    shows(&all, "mode: none");
    let listen = ["--listen", "[::1]:9000"];
    shows(&listen, "listen: [::1]:9000, plain HTTP");
    shows(&listen, "ZSCALER_MCP_PORT: 9000 (flag)");
}

#[test]
fn explain_shows_a_fingerprint_in_place_of_a_secret() {
    let environment = [
        ("ZSCALER_MCP_AUTH_MODE", "api-key"),
        ("ZSCALER_MCP_AUTH_API_KEY", "correct horse battery"),
    ];
    let text = explain(&[], &environment);
    assert!(!text.contains("horse"), "{text}");
    assert!(
        text.contains("ZSCALER_MCP_AUTH_API_KEY: sha256:") && text.contains("(environment)"),
        "{text}"
    );
    for section in [
        "mode: api-key",
        "why: ",
        "warnings:",
        "ZSCALER_CLOUD: not set",
    ] {
        assert!(text.contains(section), "{section} in {text}");
    }
    let text = explain(&[], &[SIGN_IN.as_slice(), &[STATE_KEYS]].concat());
    assert!(!text.contains("horse"), "{text}");
    for line in ["mode: oidcproxy", "OIDCPROXY_CLIENT_SECRET: sha256:"] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn mode_that_signs_in_makes_up_no_state_keys() {
    check_refused(&[], &SIGN_IN, "PORTCULLIS_STATE_KEYS");
    let blank = [SIGN_IN.as_slice(), &[("PORTCULLIS_STATE_KEYS", " ")]].concat();
    check_refused(&[], &blank, "PORTCULLIS_STATE_KEYS");
    for command in [&["explain"][..], &["render", "envoy"]] {
        assert_eq!(run(command, &SIGN_IN).status.code(), Some(1), "{command:?}");
        let complete = [SIGN_IN.as_slice(), &[STATE_KEYS]].concat();
        assert_eq!(run(command, &complete).status.code(), Some(0));
    }
}

#[test]
fn start_is_refused_with_one_line_that_names_the_setting() {
    // Without an upstream, responses do not pass through here.
    let bound = ("PORTCULLIS_SESSION_BINDING", "on");
    check_refused(&[], &[OPEN, bound], "PORTCULLIS_SESSION_BINDING");
    check_refused(&["--upstream", "ftp://a/"], &[OPEN], "PORTCULLIS_UPSTREAM");
    check_refused(&["--listen", "8000"], &[OPEN, UPSTREAM], "--listen");
    check_refused(
        &["--listen", "0.0.0.0:0"],
        &[OPEN, UPSTREAM],
        "ZSCALER_MCP_ALLOW_HTTP",
    );
    check_refused(&["--config", "/no/such/file"], &[OPEN], "/no/such/file");
    let folder = Folder::new();
    let file = folder.write("c.json", r#"{"ZSCALER_MCP_AUTH_MOOD": "none"}"#);
    check_refused(&["--config", &file], &[UPSTREAM], "ZSCALER_MCP_AUTH_MOOD");
}

#[test]
fn tls_files_must_come_in_pairs_and_exist() {
    let cert = ("ZSCALER_MCP_TLS_CERTFILE", "/no/such/cert");
    let key = ("ZSCALER_MCP_TLS_KEYFILE", "/no/such/key");
    check_refused(&[], &[OPEN, UPSTREAM, cert], "ZSCALER_MCP_TLS_KEYFILE");
    check_refused(&[], &[OPEN, UPSTREAM, key], "ZSCALER_MCP_TLS_CERTFILE");
    check_refused(&[], &[OPEN, UPSTREAM, cert, key], "/no/such/cert");
}

#[test]
fn wrong_usage_exits_with_2() {
    for line in [
        "serve --no-such-flag",
        "no-such-command",
        "serve --max-connections 0",
        "",
    ] {
        let args: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(run(&args, &[]).status.code(), Some(2), "{line}");
    }
}

#[test]
fn fresh_token_is_256_bits_of_base64url() {
    let token = || {
        let output = run(&["--generate-auth-token"], &[]);
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let (first, second) = (token(), token());
    assert_ne!(first, second);
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    assert_eq!(first.trim_end().len(), 43);
    assert!(first.trim_end().chars().all(allowed), "{first}");
}
