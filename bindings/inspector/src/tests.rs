//! From pasted text to a report.

use serde_json::{Value, json};

use crate::explained;
use crate::pasted::Pasted;

const NOW: u64 = 1_800_000_000;

/// A token of a key that nobody has: `{"alg":"ES256","kid":"k"}`, and claims that expired.
const TOKEN: &str = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.\
    eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlLmNvbSIsImF1ZCI6Im1jcCIsImV4cCI6MTcwMDAwMDAwMH0.AA";

#[track_caller]
fn same(text: &str, expected: (&str, &str, &str), fields: &[(&str, &str)]) {
    let pasted = Pasted::parse(text).expect(text);
    let Pasted {
        method, host, path, ..
    } = &pasted;
    assert_eq!(
        (method.as_str(), host.as_str(), path.as_str()),
        expected,
        "{text}"
    );
    let found: Vec<(&str, &str)> = pasted
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(found, fields, "{text}");
}

const BEARER: &[(&str, &str)] = &[("authorization", "Bearer abc")];

#[test]
fn a_request_is_read_in_every_usual_form() {
    let nowhere = ("POST", "", "/mcp");
    same(" abc ", nowhere, BEARER);
    same("Bearer abc", nowhere, BEARER);
    same("Authorization: Bearer abc", nowhere, BEARER);
    same(r#"{"Authorization": "Bearer abc"}"#, nowhere, BEARER);
    same(
        r#"{"url": "x", "headers": {"Authorization": "Bearer abc"}}"#,
        nowhere,
        BEARER,
    );
    let there = ("GET", "gw.example.com", "/sse?x=1");
    same(
        "GET /sse?x=1 HTTP/1.1\r\nHost: gw.example.com\r\nauthorization:Bearer abc\r\n\r\nbody: x",
        there,
        BEARER,
    );
    same(
        ":method: GET\n:authority: gw.example.com\n:path: /sse?x=1\nAuthorization: Bearer abc",
        there,
        BEARER,
    );
    same(
        "* Connected\n> GET /sse?x=1 HTTP/1.1\n> Host: gw.example.com\n> Authorization: Bearer abc\n>\n< HTTP/1.1 401",
        there,
        BEARER,
    );
}

#[test]
fn a_curl_command_is_read_as_curl_reads_it() {
    let there = ("POST", "gw.example.com", "/mcp");
    same(
        "$ curl https://gw.example.com/mcp -H 'Authorization: Bearer abc' -d '{}'",
        there,
        BEARER,
    );
    same(
        "curl -sSXPOST --header \"Authorization: Bearer abc\" \\\n  https://gw.example.com/mcp | jq",
        there,
        BEARER,
    );
    same(
        "curl -o /dev/null --url=gw.example.com/mcp --oauth2-bearer abc --json @file",
        there,
        BEARER,
    );
    same(
        "curl ^\"https://gw.example.com/mcp^\" ^\n  -H ^\"authorization: Bearer abc^\" --data-raw x",
        there,
        BEARER,
    );
    same(
        "curl $'https://gw.example.com/mcp' -XPOST -H $'authorization: Bearer a\\x62c'",
        there,
        &[("authorization", "Bearer ax62c")],
    );
    same(
        "curl -u id:s gw.example.com",
        ("GET", "gw.example.com", "/"),
        &[("authorization", "Basic aWQ6cw==")],
    );
    for bad in ["curl -H 'a: b", "curl -s", "curl https://a -H"] {
        assert!(Pasted::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_line_that_is_no_field_is_refused_and_not_quoted() {
    let problem = Pasted::parse("Host: a\nhunter2 hunter3 hunter4").unwrap_err();
    assert_eq!(problem, "line 2 of the request is not NAME: VALUE");
    assert!(Pasted::parse("a b: c").is_err());
}

fn report(settings: &Value, request: &str) -> Value {
    let input = json!({ "settings": settings, "request": request, "now": NOW });
    serde_json::from_str(&explained(&input.to_string()).unwrap()).unwrap()
}

#[test]
fn an_expired_token_is_refused_without_its_keys() {
    let settings = json!({ "ZSCALER_MCP_AUTH_JWKS_URI": "https://idp.example.com/jwks" });
    let report = report(&settings, TOKEN);
    assert_eq!(report["mode"], "jwt");
    assert_eq!(report["result"]["decision"], "open");
    assert_eq!(report["result"]["reason"], "expired");
    assert_eq!(report["token"]["signature"], "unchecked");
    assert_eq!(report["token"]["header"], r#"{"alg":"ES256","kid":"k"}"#);
    assert_eq!(report["request"]["fields"], json!(["authorization"]));
}

#[test]
fn secrets_may_be_missing_or_hidden() {
    for settings in [
        json!({ "ZSCALER_MCP_AUTH_MODE": "api-key" }),
        json!({ "ZSCALER_MCP_AUTH_API_KEY": "(hidden)", "PORTCULLIS_STATE_KEYS": "(hidden)" }),
        json!({ "PORTCULLIS_API_KEYS": "(hidden)", "PORTCULLIS_API_KEYS_FILE": "keys.json" }),
    ] {
        let report = report(&settings, "hunter2");
        assert_eq!(report["result"]["decision"], "open", "{report}");
        assert!(!report.to_string().contains("hunter2"), "{report}");
    }
    let known = json!({ "ZSCALER_MCP_AUTH_API_KEY": "abc" });
    let report = report(&known, "X-Api-Key: abc");
    assert_eq!(report["result"]["decision"], "forwarded", "{report}");
    let told = report["result"]["fields"].as_array().unwrap();
    assert!(
        told.contains(&json!(["x-mcp-auth-mode", "api-key"])),
        "{report}"
    );
}

#[test]
fn settings_and_input_that_are_wrong_are_refused_in_words() {
    let refused = |input: Value| explained(&input.to_string()).unwrap_err();
    let settings = json!({ "ZSCALER_MCP_AUTH_JWKS_URI": "nowhere" });
    let problem = refused(json!({ "settings": settings, "request": "", "now": 0 }));
    assert!(
        problem.starts_with("the settings: ZSCALER_MCP_AUTH_JWKS_URI "),
        "{problem}"
    );
    let open = json!({ "ZSCALER_MCP_AUTH_MODE": "none" });
    let problem = refused(json!({ "settings": open, "request": "", "now": 0, "address": "x" }));
    assert!(problem.contains("IP address"), "{problem}");
    let problem = refused(json!({ "settings": {}, "request": "", "now": -1 }));
    assert!(
        problem.contains("no authentication is configured"),
        "{problem}"
    );
    let problem = refused(json!({ "settings": open, "request": "", "now": -1 }));
    assert!(problem.contains("seconds since 1970"), "{problem}");
    assert!(refused(json!({ "nonsense": 1 })).contains("documented form"));
}
