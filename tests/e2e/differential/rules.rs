//! Rules about hosts, origins and source addresses.

use super::{Both, Differ, In, Out, Row, compare, initialize, with_body};
use portcullis_tests::Request;

const KEY: [(&str, &str); 2] = [
    ("ZSCALER_MCP_AUTH_MODE", "api-key"),
    ("ZSCALER_MCP_AUTH_API_KEY", "key"),
];
const BEARER: (&str, &str) = ("Authorization", "Bearer key");

#[test]
fn the_same_hosts_are_served() {
    let settings = [
        KEY[0],
        KEY[1],
        ("ZSCALER_MCP_ALLOWED_HOSTS", "localhost:*, 127.0.0.1:8000"),
    ];
    let row = |host: &'static str, expected| {
        let request = Request::bare("POST", "/mcp").field("Host", host);
        Row(host, with_body(request.field(BEARER.0, BEARER.1)), expected)
    };
    let health = Request::bare("GET", "/health").field("Host", "evil.example.com");
    let refused = Request::bare("POST", "/mcp").field("Host", "evil.example.com");
    compare(
        &settings,
        vec![
            row("localhost:99", Both(In)),
            row("127.0.0.1:8000", Both(In)),
            row("127.0.0.1:8001", Both(Out)),
            row("evil.example.com", Both(Out)),
            row("localhost.evil.example.com:99", Both(Out)),
            row("localhost", Differ("P4", Out, In)),
            Row("before credentials", with_body(refused), Both(Out)),
            Row("health", health, Both(In)),
            Row(
                "forwarded host",
                initialize(&[BEARER, ("X-Forwarded-Host", "evil.example.com")]),
                Both(In),
            ),
        ],
    );
}

#[test]
fn the_same_addresses_are_served() {
    let list = "10.0.0.0/8, 127.0.0.0/8";
    let settings = [KEY[0], KEY[1], ("ZSCALER_MCP_ALLOWED_SOURCE_IPS", list)];
    let forwarded = |name, value, expected| {
        Row(
            name,
            initialize(&[BEARER, ("X-Forwarded-For", value)]),
            expected,
        )
    };
    compare(
        &settings,
        vec![
            Row("connection", initialize(&[BEARER]), Both(In)),
            forwarded("listed", "10.1.2.3", Both(In)),
            forwarded("not listed", "192.0.2.1", Differ("P5", Out, In)),
            Row("no credential", initialize(&[]), Both(Out)),
        ],
    );
}

#[test]
fn other_addresses_are_not_served() {
    let settings = [
        KEY[0],
        KEY[1],
        ("ZSCALER_MCP_ALLOWED_SOURCE_IPS", "10.0.0.0/8"),
    ];
    let forwarded = initialize(&[BEARER, ("X-Forwarded-For", "10.1.2.3")]);
    compare(
        &settings,
        vec![
            Row("connection", initialize(&[BEARER]), Both(Out)),
            Row("somebody's word", forwarded, Differ("P5", In, Out)),
        ],
    );
}

#[test]
fn origins_are_served_as_configured() {
    let origin = "https://app.example.com";
    let settings = [KEY[0], KEY[1], ("ZSCALER_MCP_ALLOWED_ORIGINS", origin)];
    let preflight = Request::bare("OPTIONS", "/mcp")
        .field("Host", "127.0.0.1:8000")
        .field("Origin", origin)
        .field("Access-Control-Request-Method", "POST");
    let other = ("Origin", "https://evil.example.com");
    compare(
        &settings,
        vec![
            Row("no origin", initialize(&[BEARER]), Both(In)),
            Row(
                "listed",
                initialize(&[BEARER, ("Origin", origin)]),
                Differ("P6", Out, In),
            ),
            Row("not listed", initialize(&[BEARER, other]), Both(Out)),
            Row("preflight", preflight, Differ("P6", Out, In)),
        ],
    );
}
