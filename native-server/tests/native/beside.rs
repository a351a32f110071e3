//! Without an upstream: questions of other proxies, as bytes.

use crate::support::Gateway;

const KEY: (&str, &str) = (
    "ZSCALER_MCP_AUTH_API_KEY",
    "correct-horse-battery-staple-0123",
);
const BEARER: &str = "Authorization: Bearer correct-horse-battery-staple-0123\r\n";
const ASKED: &str = "X-Forwarded-Method: POST\r\nX-Forwarded-Host: mcp.example.com\r\n\
    X-Forwarded-Uri: /mcp\r\nX-Forwarded-For: 192.0.2.1\r\n";

fn start(more: &[(&str, &str)]) -> Gateway {
    Gateway::start_with(&[], &[&[KEY], more].concat())
}

#[track_caller]
fn check(gateway: &Gateway, target: &str, fields: &str, status: u16, says: &str) -> String {
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: mcp.example.com\r\n{fields}Connection: close\r\n\r\n"
    );
    let answer = gateway.exchange(&request);
    let starts = format!("HTTP/1.1 {status} ");
    assert!(
        answer.starts_with(&starts) && answer.contains(says),
        "{request}{answer}"
    );
    answer
}

#[test]
fn allowed_request_is_answered_with_its_identity() {
    let gateway = start(&[]);
    let fields = format!("{ASKED}{BEARER}X-Mcp-Auth-Subject: forged\r\n");
    let answer = check(
        &gateway,
        "/decide",
        &fields,
        200,
        "x-mcp-auth-principal: api-key:",
    );
    assert!(!answer.contains("forged"), "{answer}");
    check(
        &gateway,
        "/decide/briefly",
        &fields,
        200,
        "x-mcp-auth-mode: api-key",
    );
    let to_remove = "x-envoy-auth-headers-to-remove: authorization,x-mcp-auth-subject\r\n";
    let from = format!("X-Forwarded-For: 192.0.2.1\r\n{BEARER}X-Mcp-Auth-Subject: forged\r\n");
    check(&gateway, "/ext-authz/mcp?a=b", &from, 200, to_remove);
}

#[test]
fn refused_request_is_answered_in_the_words_for_its_client() {
    let gateway = start(&[]);
    check(&gateway, "/decide", ASKED, 401, "www-authenticate: Bearer");
    let bare = check(&gateway, "/decide/briefly", ASKED, 403, "content-length: 0");
    assert!(!bare.contains("www-authenticate"), "{bare}");
    check(&gateway, "/mcp", "", 401, "www-authenticate: Bearer");
}

#[test]
fn question_that_does_not_say_what_was_asked_is_refused() {
    let gateway = start(&[]);
    for line in ASKED.split_inclusive("\r\n") {
        let without = format!("{BEARER}{}", ASKED.replace(line, ""));
        check(&gateway, "/decide", &without, 503, "which request");
        let (name, _) = line.split_once(':').expect("a field");
        let blank = format!("{without}{name}:\r\n");
        check(&gateway, "/decide", &blank, 503, "which request");
    }
    for name in ["Method", "Host", "Uri"] {
        let twice = format!("{ASKED}{BEARER}X-Forwarded-{name}: /health\r\n");
        check(&gateway, "/decide", &twice, 503, "which request");
    }
    check(&gateway, "/ext-authz/mcp", BEARER, 503, "which request");
}

#[test]
fn only_proxies_that_are_trusted_may_ask() {
    let gateway = start(&[("PORTCULLIS_TRUSTED_PROXIES", "192.0.2.7")]);
    let fields = format!("{ASKED}{BEARER}");
    for target in ["/decide", "/decide/briefly", "/ext-authz/mcp"] {
        check(&gateway, target, &fields, 403, "PORTCULLIS_TRUSTED_PROXIES");
    }
}

#[test]
fn call_by_http1_is_no_question() {
    let gateway = start(&[]);
    let request = "POST /envoy.service.auth.v3.Authorization/Check HTTP/1.1\r\nHost: a\r\n\
        Content-Type: application/grpc\r\nContent-Length: 5\r\nConnection: close\r\n\r\n\0\0\0\0\0";
    let answer = gateway.exchange(request);
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[test]
fn what_a_proxy_cannot_take_out_is_refused() {
    let gateway = start(&[]);
    for line in ["X_Mcp_Auth_Mode: x", "X-Mcp-Auth-Other: x", "X_Api_Key: x"] {
        let fields = format!("{ASKED}{BEARER}{line}\r\n");
        check(&gateway, "/decide", &fields, 400, "misspelled");
        check(
            &gateway,
            "/decide/briefly",
            &fields,
            403,
            "content-length: 0",
        );
        check(
            &gateway,
            "/mcp",
            &format!("{BEARER}{line}\r\n"),
            400,
            "misspelled",
        );
        let from = format!("X-Forwarded-For: 192.0.2.1\r\n{BEARER}{line}\r\n");
        let (name, _) = line.split_once(':').expect("a field");
        check(
            &gateway,
            "/ext-authz/mcp",
            &from,
            200,
            &name.to_ascii_lowercase(),
        );
    }
}

#[test]
fn what_the_gateway_answers_itself_is_no_permission() {
    let gateway = start(&[]);
    let health = ASKED.replace("POST", "GET").replace("/mcp", "/health");
    check(&gateway, "/decide", &health, 403, "to the gateway itself");
    let from = "X-Forwarded-For: 192.0.2.1\r\n";
    check(
        &gateway,
        "/ext-authz/health",
        from,
        403,
        "to the gateway itself",
    );
    check(&gateway, "/health", "", 200, "ok");
    check(&gateway, "/ready", "", 200, "\"protected_resource\"");
}

#[test]
fn allowed_request_that_is_no_question_goes_nowhere() {
    let gateway = start(&[]);
    check(&gateway, "/mcp", BEARER, 503, "passes nothing on");
    // Fields of a question make none.
    check(
        &gateway,
        "/mcp",
        &format!("{ASKED}{BEARER}"),
        503,
        "passes nothing on",
    );
}

#[test]
fn addresses_are_those_that_the_proxy_gives() {
    let gateway = start(&[("ZSCALER_MCP_ALLOWED_SOURCE_IPS", "192.0.2.0/24")]);
    let fields = format!("{ASKED}{BEARER}");
    check(&gateway, "/decide", &fields, 200, "x-mcp-auth-mode");
    let others = fields.replace("192.0.2.1", "192.0.2.1, 198.51.100.1");
    check(&gateway, "/decide", &others, 403, "address");
}
