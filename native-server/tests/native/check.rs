//! `portcullis check`: what it says of settings, files and servers that are wrong.

#![expect(
    clippy::indexing_slicing,
    reason = "a report without a member fails the test, as it should"
)]

use std::fs::{Permissions, set_permissions};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_core::{Timestamp, UnixSeconds};
use serde_json::Value;

use crate::support::{Folder, Gateway, Upstream, run};
use crate::tls::Authority;

const OPEN: (&str, &str) = ("ZSCALER_MCP_AUTH_MODE", "none");
const STATE_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
const UPSTREAM: (&str, &str) = ("PORTCULLIS_UPSTREAM", "http://127.0.0.1:1");

/// Runs `check --json` and returns the report; the exit code must fit it.
#[track_caller]
fn report(args: &[&str], environment: &[(&str, &str)]) -> Value {
    let mut all = vec!["check", "--json"];
    all.extend(args);
    let output = run(&all, environment);
    let errors = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).expect(&errors);
    let good = report["ok"].as_bool().expect("a verdict");
    assert_eq!(output.status.code(), Some(i32::from(!good)), "{report:#}");
    report
}

/// Returns the findings of a level, each on a line.
fn findings(report: &Value, level: &str) -> String {
    let findings = report["findings"].as_array().expect("findings");
    let of_level = findings.iter().filter(|finding| finding["level"] == level);
    of_level
        .map(|finding| [&finding["subject"], &finding["message"]])
        .map(|words| words.map(|word| word.as_str().expect("text")).join(" "))
        .map(|line| line + "\n")
        .collect()
}

#[track_caller]
fn check(report: &Value, level: &str, part: &str) {
    let found = findings(report, level);
    assert!(found.contains(part), "{part} is no {level} of {report:#}");
}

#[test]
fn settings_in_order_are_no_problem_and_nothing_is_written() {
    let folder = Folder::new();
    let state = folder.path().join("state");
    let state = state.to_str().expect("UTF-8");
    let environment = [
        UPSTREAM,
        ("ZSCALER_MCP_AUTH_MODE", "api-key"),
        ("PORTCULLIS_STATE_DIR", state),
    ];
    let report = report(&[], &environment);
    check(&report, "ok", "mode api-key");
    check(&report, "ok", "the first run of serve makes an API key");
    assert!(!Path::new(state).exists());
}

#[test]
fn running_gateway_is_asked_whether_it_is_ready() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let ready = |address: SocketAddr| {
        let output = run(&["check", "--ready", "--listen", &address.to_string()], &[]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), errors)
    };
    let gateway = Gateway::start(upstream.address, &[]);
    assert_eq!(ready(gateway.address), (Some(0), String::new()));
    let without = Gateway::start(Upstream::dead(), &[]);
    let (code, errors) = ready(without.address);
    assert_eq!(code, Some(1));
    assert!(errors.contains("answers with status 503"), "{errors}");
    let (code, errors) = ready(Upstream::dead());
    assert_eq!(code, Some(1));
    assert!(errors.contains("/ready"), "{errors}");
}

#[test]
fn what_stops_serve_is_a_problem() {
    // Without an upstream, responses do not pass through here.
    let bound = ("PORTCULLIS_SESSION_BINDING", "on");
    check(&report(&[], &[OPEN, bound]), "problem", bound.0);
    let bad = ("ZSCALER_MCP_PORT", "http");
    check(&report(&[], &[OPEN, UPSTREAM, bad]), "problem", bad.0);
    check(
        &report(&["--listen", "8000"], &[OPEN]),
        "problem",
        "--listen",
    );
    let admin = ["--admin", "0.0.0.0:9464"];
    check(
        &report(&admin, &[OPEN, UPSTREAM]),
        "problem",
        "--admin-token-file",
    );
    let locked = ("PORTCULLIS_STATE_DIR", "/dev/null/none");
    let made = ("ZSCALER_MCP_AUTH_MODE", "api-key");
    check(&report(&[], &[UPSTREAM, made, locked]), "problem", locked.1);
}

#[test]
fn people_get_words_without_colours_in_a_pipe() {
    let output = run(&["check"], &[OPEN, UPSTREAM]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("no problem, 1 warning"), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
    let output = run(&["check", "--color", "always"], &[OPEN, UPSTREAM]);
    assert!(output.stdout.contains(&b'\x1b'));
}

#[test]
fn files_that_others_can_read_are_named() {
    let folder = Folder::new();
    let secret = r#"{"ZSCALER_MCP_AUTH_MODE": "api-key", "ZSCALER_MCP_AUTH_API_KEY": "correct horse battery"}"#;
    let file = folder.write("gateway.json", secret);
    let mode = |bits| set_permissions(&file, Permissions::from_mode(bits)).expect("permissions");
    mode(0o644);
    let args = ["--config", file.as_str()];
    let loose = report(&args, &[UPSTREAM]);
    check(&loose, "warning", "everybody can read it (mode 644)");
    assert!(!loose.to_string().contains("horse"));
    mode(0o640);
    assert_eq!(report(&args, &[UPSTREAM])["warnings"], 0);
}

#[test]
fn certificates_are_read_before_serve_needs_them() {
    let folder = Folder::new();
    let authority = Authority::new();
    let check_tls = |names: &[&str], year, level: &str, part: &str| {
        let identity = authority.issue_for(names, year);
        let certificate = folder.write("server.pem", &identity.certificate);
        let key = folder.write("server.key", &identity.key);
        set_permissions(&key, Permissions::from_mode(0o600)).expect("permissions");
        let environment = [
            OPEN,
            UPSTREAM,
            ("ZSCALER_MCP_TLS_CERTFILE", certificate.as_str()),
            ("ZSCALER_MCP_TLS_KEYFILE", key.as_str()),
            ("OIDCPROXY_BASE_URL", "https://gw.example/mcp"),
        ];
        check(&report(&[], &environment), level, part);
        environment.map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    check_tls(&["gw.example"], 4000, "ok", "expires in");
    check_tls(&["gw.example"], 2024, "problem", "expired");
    let pair = check_tls(&["gw.test"], 4000, "warning", "not for gw.example");
    let other = authority.issue_for(&["gw.test"], 4000).key;
    folder.write("server.key", &other);
    let pair = pair
        .each_ref()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    check(&report(&[], &pair), "problem", "ZSCALER_MCP_TLS_CERTFILE");
}

/// Runs `check --online` in mode `jwt` with these keys, and finds `part` among the problems.
#[track_caller]
fn check_keys(url: &str, roots: &str, part: &str) {
    let environment = [
        UPSTREAM,
        ("ZSCALER_MCP_AUTH_JWKS_URI", url),
        ("SSL_CERT_FILE", roots),
    ];
    let report = report(&["--online", "--timeout", "2"], &environment);
    check(&report, "problem", part);
    check(
        &report,
        "problem",
        "127.0.0.1 refuses connections to port 1",
    );
}

#[test]
fn servers_that_cannot_be_reached_are_told_apart() {
    let folder = Folder::new();
    let authority = Authority::new();
    let roots = folder.write("roots.pem", &authority.certificate());
    let keys = |url: String, part: &str| check_keys(&url, &roots, part);
    keys("https://no-such.invalid/jwks".into(), "cannot be resolved");
    keys(
        format!("https://{}/", Upstream::dead()),
        "refuses connections",
    );
    let port = |names: &[&str], year| authority.issue_for(names, year).serve(SET).port();
    let https = |port| format!("https://localhost:{port}/jwks");
    keys(https(port(&["localhost"], 2024)), "its certificate expired");
    let other = port(&["idp.example"], 4000);
    keys(https(other), "for idp.example, not for localhost");
    let stranger = Authority::new().issue_for(&["localhost"], 4000);
    keys(https(stranger.serve(SET).port()), "does not trust");
    keys(https(plain_port()), "does not speak TLS");
    let tls = port(&["localhost"], 4000);
    keys(format!("http://localhost:{tls}/"), "does not speak HTTP");
    let silent = Upstream::start(|mut wire| wire.wait_for_end());
    keys(
        format!("http://{}/", silent.address),
        "did not answer within 2 s",
    );
}

/// Returns the port of a server that answers whatever comes in plain HTTP.
fn plain_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("free port");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let answered = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            answered.expect("a client");
            // Closing with unread bytes would reset the connection.
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    port
}

/// Begins every answer here.
macro_rules! answer {
    ($status:literal, $fields:literal, $body:expr) => {
        concat!(
            "HTTP/1.1 ",
            $status,
            "\r\nconnection: close\r\n",
            $fields,
            "\r\n\r\n",
            $body
        )
    };
}

const SET: &str = answer!(
    "200 OK",
    "content-type: application/json",
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kty":"oct","k":"AA"}]}"#
);

#[test]
fn answers_that_hold_no_keys_are_told_apart() {
    for (answer, part) in [
        (
            answer!("404 Not Found", "content-type: text/plain", "no"),
            "status 404",
        ),
        (
            answer!("302 Found", "location: https://portal.example/", ""),
            "redirects (302) to https://portal.example/",
        ),
        (
            answer!("503 Gone Fishing", "retry-after: 1", ""),
            "status 503",
        ),
        (
            answer!("200 OK", "content-type: text/html", "<html>Sign in"),
            "a web page",
        ),
        (
            answer!("200 OK", "content-type: text/plain", "hello"),
            "no JSON",
        ),
        (answer!("200 OK", "a: b", "[]"), "not a JSON object"),
        (
            answer!("200 OK", "a: b", r#"{"issuer":"https://idp.example"}"#),
            "not a set of keys",
        ),
        (answer!("200 OK", "a: b", r#"{"keys":[]}"#), "holds no keys"),
        (
            answer!("200 OK", "a: b", r#"{"keys":[{"kty":"oct","k":"AA"}]}"#),
            "none of its 1 keys",
        ),
    ] {
        let server = Upstream::answering(answer);
        check_keys(&format!("http://{}/jwks", server.address), "", part);
    }
}

#[test]
fn clock_of_an_authorization_server_is_compared() {
    let server = Upstream::answering(answer!(
        "200 OK",
        "date: Sun, 06 Nov 1994 08:49:37 GMT",
        r#"{"keys":[]}"#
    ));
    let url = format!("http://{}/jwks", server.address);
    check_keys(&url, "", "days ahead of that of 127.0.0.1");
}

/// Serves a whole provider: its discovery document, its keys, and the token endpoint.
fn provider(issuer: Option<&'static str>, token_endpoint: Option<String>) -> Upstream {
    Upstream::start(move |mut wire| {
        let own = format!("http://{}", wire.0.get_ref().local_addr().expect("bound"));
        let issuer = issuer.unwrap_or(&own);
        let token = token_endpoint
            .clone()
            .unwrap_or_else(|| format!("{own}/token"));
        wire.send("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
        wire.send(&format!(
            r#"{{"issuer":"{issuer}","jwks_uri":"{own}/jwks","token_endpoint":"{token}",
               "authorization_endpoint":"{own}/authorize","keys":[]}}"#
        ));
        wire.0.get_ref().shutdown(Shutdown::Write).expect("open");
        wire.wait_for_end();
    })
}

#[test]
fn provider_is_asked_for_its_document_then_its_keys() {
    let environment = |document: &str| {
        let url = format!("{document}/.well-known/openid-configuration");
        [
            UPSTREAM,
            ("OIDCPROXY_BASE_URL", "https://gw.example/mcp"),
            ("OIDCPROXY_CONFIG_URL", url.leak()),
        ]
    };
    let other = provider(Some("https://idp.example"), None);
    let there = format!("http://{}", other.address);
    let mismatch = report(&["--online"], &environment(&there));
    check(
        &mismatch,
        "problem",
        "is of the issuer https://idp.example, not of http://127.0.0.1",
    );
    let own = provider(None, None);
    let there = format!("http://{}", own.address);
    let found = report(&["--online"], &environment(&there));
    check(&found, "ok", "is the issuer's own document");
    check(&found, "problem", "/jwks holds no keys");
    assert!(
        own.head()
            .starts_with("GET /.well-known/openid-configuration ")
    );
    assert!(own.head().starts_with("GET /jwks "));
}

#[test]
fn client_secret_is_tried_where_the_gateway_has_one() {
    for (answer, level, part) in [
        (
            answer!("401 Unauthorized", "a: b", r#"{"error":"invalid_client"}"#),
            "problem",
            "client id or secret is wrong",
        ),
        (
            answer!("400 Bad Request", "a: b", r#"{"error":"invalid_grant"}"#),
            "ok",
            "takes the gateway for its client",
        ),
        (
            answer!("400 Bad Request", "a: b", r#"{"error":"invalid_request"}"#),
            "warning",
            "whether it knows the client is not told",
        ),
    ] {
        let endpoint = Upstream::answering(answer);
        let own = provider(None, Some(format!("http://{}/token", endpoint.address)));
        let url = format!("http://{}/.well-known/openid-configuration", own.address);
        let environment = [
            UPSTREAM,
            ("OIDCPROXY_BASE_URL", "https://gw.example/mcp"),
            ("OIDCPROXY_CONFIG_URL", url.as_str()),
            ("ZSCALER_MCP_AUTH_MODE", "oidcproxy"),
            ("PORTCULLIS_STATE_KEYS", STATE_KEY),
            ("OIDCPROXY_CLIENT_ID", "gateway"),
            ("OIDCPROXY_CLIENT_SECRET", "correct horse battery"),
        ];
        let found = report(&["--online"], &environment);
        check(&found, level, part);
        assert!(!found.to_string().contains("horse"));
        assert!(endpoint.head().starts_with("POST /token "));
    }
}

#[test]
fn named_keys_are_told_before_and_after_their_end() {
    let key = |name: &str, expires: &str| {
        let hash = format!("{:02x}{:02x}", name.len(), expires.as_bytes()[0]).repeat(16);
        format!(r#"{{"name":"{name}","sha256":"{hash}","expires":"{expires}"}}"#)
    };
    let ended = key("ended", "2020-01-01T00:00:00Z");
    let lasting = key("lasting", "2999-01-01T00:00:00Z");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock");
    let soon = Timestamp(UnixSeconds(now.as_secs() + 3 * 86_400)).to_string();
    let soon = key("soon", &soon);
    let folder = Folder::new();
    let look = |keys: &[&str]| {
        let file = folder.write("keys.json", &format!("[{}]", keys.join(",")));
        report(&[], &[UPSTREAM, ("PORTCULLIS_API_KEYS_FILE", &file)])
    };
    let both = look(&[&ended, &lasting]);
    check(&both, "warning", "the key of ended expired");
    check(&both, "ok", "1 of 2 callers have a key");
    check(&look(&[&soon]), "warning", "the key of soon expires in");
    check(&look(&[&ended]), "problem", "every key has expired");
    check(&look(&[]), "problem", "holds no key");
    let rotated = look(&[&key("lasting", "1999-01-01T00:00:00Z"), &lasting]);
    assert_eq!(rotated["warnings"], 0, "{rotated:#}");
}

#[test]
fn token_endpoint_is_asked_without_credentials() {
    let server = Upstream::answering(answer!(
        "401 Unauthorized",
        "content-type: application/json",
        r#"{"error":"invalid_client"}"#
    ));
    let url = format!("http://{}/oauth2/v1/token", server.address);
    let environment = [UPSTREAM, ("PORTCULLIS_TOKEN_URL", url.as_str())];
    check(
        &report(&["--online"], &environment),
        "ok",
        "invalid_client, as expected",
    );
    assert!(server.head().starts_with("POST /oauth2/v1/token "));
}

#[test]
fn protected_resource_is_asked_for_no_session() {
    for (answer, level, part) in [
        (
            answer!("400 Bad Request", "a: b", "no session"),
            "ok",
            "answers",
        ),
        (
            answer!("401 Unauthorized", "a: b", ""),
            "problem",
            "asks for credentials itself",
        ),
        (
            answer!("404 Not Found", "a: b", ""),
            "warning",
            "404 at this path",
        ),
        (
            answer!("502 Bad Gateway", "a: b", ""),
            "problem",
            "status 502",
        ),
    ] {
        let server = Upstream::answering(answer);
        let url = format!("http://{}", server.address);
        let environment = [OPEN, ("PORTCULLIS_UPSTREAM", url.as_str())];
        check(&report(&["--online"], &environment), level, part);
        assert!(server.head().starts_with("POST /mcp "));
    }
}

#[test]
fn where_spans_go_is_checked() {
    let spans = |more: &[(&str, &str)]| {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/secret");
        report(&[], &[&[OPEN, UPSTREAM, endpoint], more].concat())
    };
    let good = spans(&[]);
    check(&good, "ok", "spans go to http://c:4318");
    assert!(!good.to_string().contains("secret"), "{good:#}");
    for protocol in ["grpc", "http/protobuf"] {
        let warned = spans(&[("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)]);
        let names = format!("OTEL_EXPORTER_OTLP_PROTOCOL={protocol} is not spoken here");
        check(&warned, "warning", &names);
    }
    let refused = spans(&[("OTEL_EXPORTER_OTLP_HEADERS", "no equals sign")]);
    check(&refused, "problem", "OTEL_EXPORTER_OTLP_HEADERS");
}
