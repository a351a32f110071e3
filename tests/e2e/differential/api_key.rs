//! Mode `api-key`.

use super::with_body;
use super::{Both, Crash, Differ, In, Out, Row, compare, initialize, initialize_bytes, local};

const KEY: &str = "correct horse battery staple";
const BEARER: &str = "Bearer correct horse battery staple";
const AUTH: &str = "Authorization";
const API_KEY: &str = "X-Api-Key";

#[test]
fn the_same_callers_get_in_by_key() {
    compare(
        &[
            ("ZSCALER_MCP_AUTH_MODE", " API-Key "),
            (
                "ZSCALER_MCP_AUTH_API_KEY",
                "  correct horse battery staple ",
            ),
        ],
        [grammar(), repetition(), lines(), places(), paths()]
            .into_iter()
            .flatten()
            .collect(),
    );
}

fn grammar() -> Vec<Row> {
    let row = |name, value: &str, expected| Row(name, initialize(&[(AUTH, value)]), expected);
    vec![
        row("bearer", BEARER, Both(In)),
        row("small scheme", &format!("bearer {KEY}"), Both(In)),
        row("big scheme", &format!("BEARER {KEY}"), Both(In)),
        row("two spaces", &format!("Bearer  {KEY}"), Both(In)),
        row("blanks behind", &format!("Bearer {KEY}  \t"), Both(In)),
        row("tab in between", &format!("Bearer\t{KEY}"), Both(Out)),
        row("no scheme", KEY, Both(Out)),
        row("basic", &format!("Basic {KEY}"), Both(Out)),
        row("wrong key", "Bearer wrong", Both(Out)),
        row("part of the key", "Bearer correct horse", Both(Out)),
        row("more than the key", &format!("{BEARER}s"), Both(Out)),
        row("other case", &BEARER.to_uppercase(), Both(Out)),
        row("scheme alone", "Bearer", Both(Out)),
        row("scheme and blank", "Bearer ", Both(Out)),
        row("comma", &format!("{BEARER}, x"), Both(Out)),
        row("huge", &format!("Bearer {}", "a".repeat(70_000)), Both(Out)),
        row("not ASCII", "Bearer clé", Differ("K1", Crash, Out)),
        row(
            "no-break space around",
            &format!("Bearer \u{a0}{KEY}"),
            Differ("C2", In, Out),
        ),
        Row(
            "not UTF-8",
            initialize_bytes(&[(AUTH, b"Bearer \xff")]),
            Differ("K1", Crash, Out),
        ),
        Row(
            "NUL",
            initialize_bytes(&[(AUTH, b"Bearer correct\0horse")]),
            Both(Out),
        ),
    ]
}

fn repetition() -> Vec<Row> {
    let row = |name, fields: &[(&str, &str)], expected| Row(name, initialize(fields), expected);
    vec![
        row("none", &[], Both(Out)),
        row("own field", &[(API_KEY, KEY)], Both(In)),
        row(
            "own field with blanks",
            &[(API_KEY, "  correct horse battery staple\t")],
            Both(In),
        ),
        row("own field wrong", &[(API_KEY, "wrong")], Both(Out)),
        row("own field empty", &[(API_KEY, "")], Both(Out)),
        row("own field with scheme", &[(API_KEY, BEARER)], Both(Out)),
        row(
            "empty, then own field",
            &[(AUTH, ""), (API_KEY, KEY)],
            Both(In),
        ),
        row(
            "bad, then own field",
            &[(AUTH, "Bearer x"), (API_KEY, KEY)],
            Both(Out),
        ),
        row(
            "basic, then own field",
            &[(AUTH, "Basic x"), (API_KEY, KEY)],
            Both(Out),
        ),
        row(
            "good, and own field wrong",
            &[(AUTH, BEARER), (API_KEY, "x")],
            Both(In),
        ),
        row(
            "twice the same",
            &[(AUTH, BEARER), (AUTH, BEARER)],
            Differ("C1", In, Out),
        ),
        row(
            "good and bad",
            &[(AUTH, BEARER), (AUTH, "Bearer x")],
            Differ("C1", In, Out),
        ),
        row(
            "bad and good",
            &[(AUTH, "Bearer x"), (AUTH, BEARER)],
            Both(Out),
        ),
        row(
            "own field twice",
            &[(API_KEY, KEY), (API_KEY, KEY)],
            Differ("C1", In, Out),
        ),
    ]
}

/// Lines that are not as they should be.
fn lines() -> Vec<Row> {
    vec![
        Row(
            "folded",
            with_body(local("POST", "/mcp").line(format!("{AUTH}: Bearer\r\n {KEY}"))),
            Differ("C3", In, Out),
        ),
        Row(
            "blank before the colon",
            with_body(local("POST", "/mcp").line(format!("{AUTH} : {BEARER}"))),
            Both(Out),
        ),
    ]
}

/// No credential is taken from anywhere else.
fn places() -> Vec<Row> {
    vec![
        Row(
            "query",
            with_body(local("POST", "/mcp?api_key=correct")),
            Both(Out),
        ),
        Row(
            "cookie",
            initialize(&[("Cookie", "api_key=correct")]),
            Both(Out),
        ),
        Row(
            "proxy",
            initialize(&[("Proxy-Authorization", BEARER)]),
            Both(Out),
        ),
        Row(
            "forwarded",
            initialize(&[("X-Forwarded-Authorization", BEARER)]),
            Both(Out),
        ),
        Row(
            "identity",
            initialize(&[("X-Mcp-Auth-Principal", "admin")]),
            Both(Out),
        ),
    ]
}

fn paths() -> Vec<Row> {
    let bare = |method, path| local(method, path);
    let row = |method, path, expected| Row(path, bare(method, path), expected);
    vec![
        row("GET", "/health", Both(In)),
        row("HEAD", "/health", Both(In)),
        row("GET", "/health?deep=1", Both(In)),
        row("POST", "/health", Both(Out)),
        row("GET", "/%68ealth", Differ("P1", In, Out)),
        row("GET", "/healthz", Differ("P2", Out, In)),
        row("GET", "/ready", Differ("P2", Out, In)),
        row("GET", "/register", Both(Out)),
        row("GET", "/.well-known/oauth-protected-resource", Both(Out)),
        row(
            "GET",
            "/.well-known/oauth-protected-resource/mcp",
            Both(Out),
        ),
        row("GET", "/.well-known/oauth-authorization-server", Both(Out)),
        row("GET", "/.well-known/openid-configuration", Both(Out)),
        row("GET", "/.well-known/other", Both(Out)),
        row("GET", "/", Both(Out)),
        row("GET", "/mcp", Both(Out)),
        row("OPTIONS", "/mcp", Both(Out)),
        row("DELETE", "/mcp", Both(Out)),
        row("POST", "/health/../mcp", Both(Out)),
        row("POST", "//health", Both(Out)),
        Row(
            "trailing slash",
            with_body(local("POST", "/mcp/").field(AUTH, BEARER)),
            Both(In),
        ),
        Row(
            "GET without the stream type",
            local("GET", "/mcp").field(AUTH, BEARER),
            Differ("P3", Out, In),
        ),
    ]
}
