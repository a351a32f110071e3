//! Mode api-key.

use portcullis_tests::{Request, Settings};

use crate::table::{Expect, Group, Row, World, codec_refused, forwarded, refused, row};

const KEY: &str = "pk-0123456789abcdefghijklmnopqrstuv";
/// The challenge of a request that presented nothing (RFC 6750 §3.1).
const ASK: &str = "Bearer realm=\"mcp\"";
/// The challenge of a request that presented something.
const INVALID: &str = "Bearer realm=\"mcp\", error=\"invalid_token\"";

fn settings() -> Settings {
    Settings::new()
        .with("ZSCALER_MCP_AUTH_MODE", "api-key")
        .with("ZSCALER_MCP_AUTH_API_KEY", KEY)
}

fn missing() -> Expect {
    refused(401).challenge(ASK).hid("authorization")
}

fn invalid() -> Expect {
    refused(401).challenge(INVALID).keeps_quiet_about(KEY)
}

fn allowed() -> Expect {
    forwarded()
        .saw("x-mcp-auth-mode", "api-key")
        .hid("authorization")
        .hid("x-api-key")
}

fn authorization(value: impl AsRef<[u8]>) -> Request {
    Request::get("/mcp").field("Authorization", value)
}

fn bearer() -> Request {
    authorization(format!("Bearer {KEY}"))
}

/// Keys that the list holds with digests that were made by `sha256sum`: "key of ci", "new key of
/// ci", "key of ops", "key of far" and "key of old".
const LIST: &str = r#"[
    {"name": "ci", "sha256": "e225abbe0ed74ca317fdf5e27bd4994d962e6462756af5eaec627c654c5c439d", "created": "2026-01-01T00:00:00Z", "expires": "9999-12-31T23:59:59Z", "note": "goes"},
    {"name": "ci", "sha256": "8373db008fa88338e7406709526456885a7e8452bee3e471d4abfd3e21ff53c4"},
    {"name": "ops@example.com", "sha256": "f9c37c562f7392346cce6e328544c6e6915617628b467e18232515639cc1522c", "sources": ["127.0.0.0/8", "::1"]},
    {"name": "far", "sha256": "af7936e578c5bec3434a1e6f600c4279d8953b8746691be328ceb83fe94d08da", "sources": ["203.0.113.0/24"]},
    {"name": "old", "sha256": "ebf9ff66588ab67d9c01fa512f076651b5b624ab3c26eeea049dc139658e869a", "expires": "2020-01-01T00:00:00Z"}
]"#;

/// Named keys beside the one of the settings.
pub(crate) fn list(_: &World) -> Group {
    let bearer = |key: &str| authorization(format!("Bearer {key}"));
    let wrong = || invalid().says("the API key is not accepted");
    let rows = vec![
        row(
            "a key of the list passes under its name",
            bearer("key of ci"),
            allowed().saw("x-mcp-auth-principal", "ci"),
        ),
        row(
            "a second key of one name is the same caller",
            bearer("new key of ci"),
            allowed().saw("x-mcp-auth-principal", "ci"),
        ),
        row(
            "a key of the list passes as X-Api-Key",
            Request::get("/mcp").field("X-Api-Key", "new key of ci"),
            allowed().saw("x-mcp-auth-principal", "ci"),
        ),
        row(
            "a key passes from its sources",
            bearer("key of ops"),
            allowed().saw("x-mcp-auth-principal", "ops@example.com"),
        ),
        row(
            "a key is wrong from elsewhere, and no more is told",
            bearer("key of far"),
            wrong().keeps_quiet_about("far"),
        ),
        row(
            "a key that expired is wrong, and no more is told",
            bearer("key of old"),
            wrong().keeps_quiet_about("expire"),
        ),
        row(
            "the key of the settings passes, too",
            bearer(KEY),
            allowed(),
        ),
        row(
            "a key that is nowhere is wrong",
            bearer("key of nobody"),
            wrong(),
        ),
        row("a name is no key", bearer("ci"), wrong()),
        row(
            "a digest is no key",
            bearer("e225abbe0ed74ca317fdf5e27bd4994d962e6462756af5eaec627c654c5c439d"),
            wrong(),
        ),
    ];
    Group {
        settings: settings().with("PORTCULLIS_API_KEYS", LIST),
        rows,
    }
}

/// A list without keys is a closed gate.
pub(crate) fn empty_list(_: &World) -> Group {
    let rows = vec![
        row("nobody has a key", bearer(), invalid()),
        row(
            "nothing is asked for a key",
            Request::get("/mcp"),
            missing(),
        ),
    ];
    Group {
        settings: Settings::new().with("PORTCULLIS_API_KEYS", "[]"),
        rows,
    }
}

/// Both forms of the credential, and what is not one.
pub(crate) fn credentials(_: &World) -> Group {
    let x_api_key = |value: &str| Request::get("/mcp").field("X-Api-Key", value);
    let rows = vec![
        row("a bearer key passes", bearer(), allowed()),
        row("X-Api-Key passes", x_api_key(KEY), allowed()),
        row(
            "field names have no case",
            Request::get("/mcp").field("x-aPI-keY", KEY),
            allowed(),
        ),
        row(
            "nothing is asked for a credential",
            Request::get("/mcp"),
            missing().says("X-Api-Key: <api-key>"),
        ),
        row(
            "a wrong bearer key is invalid",
            authorization("Bearer wrong"),
            invalid().says("the API key is not accepted"),
        ),
        row(
            "a wrong X-Api-Key is invalid",
            x_api_key("wrong"),
            invalid(),
        ),
        row(
            "a prefix of the key is invalid",
            x_api_key(&KEY[..KEY.len() - 1]),
            invalid(),
        ),
        row(
            "the key and more is invalid",
            x_api_key(&format!("{KEY}x")),
            invalid(),
        ),
        row("keys have case", x_api_key(&KEY.to_uppercase()), invalid()),
        row(
            "a quoted key is invalid",
            x_api_key(&format!("\"{KEY}\"")),
            invalid(),
        ),
        row(
            "a bare key in Authorization is no bearer token",
            authorization(KEY),
            invalid(),
        ),
        row(
            "a bad Authorization is not rescued by X-Api-Key",
            authorization("Bearer wrong").field("X-Api-Key", KEY),
            invalid(),
        ),
        row(
            "another scheme is not rescued by X-Api-Key",
            authorization("Basic dXNlcjpwYXNz").field("X-Api-Key", KEY),
            missing(),
        ),
        row(
            "a good Authorization decides alone",
            bearer().field("X-Api-Key", "wrong"),
            allowed(),
        ),
        row(
            "an empty Authorization leaves X-Api-Key to decide",
            authorization("").field("X-Api-Key", KEY),
            allowed(),
        ),
        row(
            "an empty Authorization presents nothing",
            authorization(""),
            missing(),
        ),
        row(
            "an empty X-Api-Key presents nothing",
            x_api_key(""),
            missing(),
        ),
        row(
            "two good Authorizations are refused",
            bearer().field("Authorization", format!("Bearer {KEY}")),
            invalid().says("must occur once"),
        ),
        row(
            "a good and a bad Authorization are refused",
            bearer().field("authorization", "Bearer wrong"),
            invalid(),
        ),
        row(
            "an empty Authorization beside a good one presents nothing",
            bearer().field("Authorization", ""),
            allowed(),
        ),
        row(
            "so does one before it",
            authorization("").field("Authorization", format!("Bearer {KEY}")),
            allowed(),
        ),
        row(
            "two X-Api-Key are refused",
            x_api_key(KEY).field("x-api-key", KEY),
            invalid(),
        ),
        row(
            "two credentials in one field are refused",
            authorization(format!("Bearer {KEY}, Bearer {KEY}")),
            invalid(),
        ),
        row(
            "X-Api-Key with an underscore is another field",
            Request::get("/mcp").line(format!("X_Api_Key: {KEY}")),
            missing(),
        ),
    ];
    Group {
        settings: settings(),
        rows,
    }
}

/// The scheme and the blank after it (RFC 9110 §11.4).
pub(crate) fn scheme(_: &World) -> Group {
    let mut rows: Vec<Row> = ["bearer", "BEARER", "bEaReR"]
        .into_iter()
        .map(|scheme| {
            row(
                format!("{scheme} is Bearer"),
                authorization(format!("{scheme} {KEY}")),
                allowed(),
            )
        })
        .collect();
    rows.extend([
        row(
            "blanks around the value do not count",
            Request::get("/mcp").line(format!("Authorization:   Bearer {KEY}  \t")),
            allowed(),
        ),
        row(
            "several blanks after the scheme are one",
            authorization(format!("Bearer   {KEY}")),
            allowed(),
        ),
        row(
            "a tab does not end the scheme",
            authorization(format!("Bearer\t{KEY}")),
            invalid(),
        ),
    ]);
    // RFC 6750 §3.1: another method of authentication gets no error code.
    for scheme in ["Bearer:", "Token", "Digest", "Negotiate", "ApiKey", "X"] {
        rows.push(row(
            format!("{scheme} is another scheme"),
            authorization(format!("{scheme} {KEY}")),
            missing(),
        ));
    }
    rows.extend([
        row(
            "no blank after the scheme is malformed",
            authorization(format!("Bearer{KEY}")),
            invalid(),
        ),
        row(
            "a scheme alone is refused",
            authorization("Bearer"),
            invalid().says("malformed"),
        ),
        row(
            "a blank before a comma is no key",
            authorization("Bearer ,"),
            invalid(),
        ),
        row(
            "an inner blank is part of the key",
            authorization(format!("Bearer {KEY} x")),
            invalid(),
        ),
        row(
            "a no-break space is not a blank",
            authorization(format!("Bearer \u{a0}{KEY}")),
            invalid(),
        ),
    ]);
    Group {
        settings: settings(),
        rows,
    }
}

/// Places where a credential does not count.
pub(crate) fn other_places(_: &World) -> Group {
    let rows = vec![
        row(
            "a key in the query does not count",
            Request::get(&format!("/mcp?api_key={KEY}")),
            missing(),
        ),
        row(
            "an access token in the query does not count",
            Request::get(&format!("/mcp?access_token={KEY}")),
            missing(),
        ),
        row(
            "a cookie does not count",
            Request::get("/mcp").field(
                "Cookie",
                format!("authorization=Bearer {KEY}; x-api-key={KEY}"),
            ),
            missing(),
        ),
        row(
            "a body does not count",
            Request::post("/mcp", &format!(r#"{{"x-api-key":"{KEY}"}}"#)),
            missing(),
        ),
        row(
            "a form does not count",
            Request::new("POST", "/mcp")
                .field("Content-Type", "application/x-www-form-urlencoded")
                .body(format!("access_token={KEY}")),
            missing(),
        ),
        row(
            "Proxy-Authorization does not count",
            Request::get("/mcp").field("Proxy-Authorization", format!("Bearer {KEY}")),
            missing(),
        ),
        row(
            "an absolute target needs a credential",
            Request::get("http://mcp.example.com/mcp"),
            missing(),
        ),
        row(
            "X-Authorization does not count",
            Request::get("/mcp").field("X-Authorization", format!("Bearer {KEY}")),
            missing(),
        ),
        row(
            "a query beside a good key is passed on",
            Request::get("/mcp?api_key=other&b=2").field("X-Api-Key", KEY),
            allowed().saw_path("/mcp?api_key=other&b=2"),
        ),
        row(
            "a cookie beside a good key is passed on",
            bearer().field("Cookie", "a=1; b=2"),
            allowed().saw("cookie", "a=1; b=2"),
        ),
    ];
    Group {
        settings: settings(),
        rows,
    }
}

/// Methods, targets and bodies: no path around the gate.
pub(crate) fn methods_and_paths(_: &World) -> Group {
    let mut rows = Vec::new();
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        rows.push(row(
            format!("{method} needs a credential"),
            Request::new(method, "/mcp"),
            missing(),
        ));
        rows.push(row(
            format!("{method} with a credential passes"),
            Request::new(method, "/mcp").field("X-Api-Key", KEY),
            allowed(),
        ));
    }
    for path in [
        "/",
        "//",
        "//mcp",
        "/mcp/",
        "/mcp?health",
        "/healthz/../mcp",
        "/health/",
        "/health/x",
        "/HEALTH",
        "//health",
        "/health%2f",
        "/%68ealth",
        "/mcp/health",
        "/x/../health",
        "/health;x",
        "/health%00",
        "/health%3f",
        "/.well-known",
        "/.well-known/",
        "/.well-known/other",
        "/messages/?session_id=1",
    ] {
        rows.push(row(
            format!("{path} needs a credential"),
            Request::get(path),
            missing(),
        ));
    }
    rows.extend([
        row(
            "a body reaches the protected resource as sent",
            Request::post("/mcp", r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
                .field("X-Api-Key", KEY),
            allowed().says(r#"\"method\":\"ping\""#),
        ),
        row(
            "a refused body does not",
            Request::post("/mcp", r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#),
            missing(),
        ),
        row(
            "an escaped path is passed on as sent",
            Request::get("/mcp/%7Ea%2Fb?q=%20").field("X-Api-Key", KEY),
            allowed().saw_path("/mcp/%7Ea%2Fb?q=%20"),
        ),
    ]);
    Group {
        settings: settings(),
        rows,
    }
}

/// Bytes that no honest client sends.
pub(crate) fn hostile_bytes(_: &World) -> Group {
    let long = |length: usize| "k".repeat(length);
    let rows = vec![
        row(
            "a key that is not UTF-8 is invalid",
            authorization(b"Bearer \xff\xfe\x80"),
            invalid(),
        ),
        row(
            "a key in UTF-8 is invalid",
            authorization("Bearer schlüssel"),
            invalid(),
        ),
        row(
            "X-Api-Key that is not UTF-8 is invalid",
            Request::get("/mcp").field("X-Api-Key", b"\xc3\x28"),
            invalid(),
        ),
        row(
            "a scheme that is not ASCII is invalid",
            authorization("Bëarer x"),
            missing(),
        ),
        row(
            "a key of 8 KB is invalid",
            authorization(format!("Bearer {}", long(8 << 10))),
            invalid(),
        ),
        row(
            "a key of 40 KB is invalid",
            authorization(format!("Bearer {}", long(40 << 10))),
            invalid(),
        ),
        row(
            "a field of 70 KB is too large",
            authorization(format!("Bearer {}", long(70 << 10))),
            codec_refused(),
        ),
        row(
            "NUL is no part of a field",
            authorization(format!("Bearer {KEY}\0")),
            codec_refused(),
        ),
        row(
            "a blank before the colon is no HTTP",
            Request::get("/mcp").line(format!("Authorization : Bearer {KEY}")),
            codec_refused(),
        ),
        row(
            "a line without a colon is no HTTP",
            Request::get("/mcp").line("Authorization"),
            codec_refused(),
        ),
        row(
            "no Host is no HTTP/1.1",
            Request::bare("GET", "/mcp").field("X-Api-Key", KEY),
            codec_refused(),
        ),
        row(
            "two lengths are no HTTP",
            Request::new("POST", "/mcp")
                .field("Content-Length", "1")
                .field("Content-Length", "2"),
            codec_refused(),
        ),
        row(
            "a length that is no number is no HTTP",
            Request::new("POST", "/mcp").field("Content-Length", "+5"),
            codec_refused(),
        ),
        row(
            "a blank in the target is no HTTP",
            Request::get("/mcp x"),
            codec_refused(),
        ),
        row(
            "a NUL in the target is no HTTP",
            Request::get("/mcp\0"),
            codec_refused(),
        ),
    ];
    Group {
        settings: settings(),
        rows,
    }
}

/// What the protected resource sees, and what comes back.
pub(crate) fn identity(world: &World) -> Group {
    let with = |name: &str, value: &str| bearer().line(format!("{name}: {value}"));
    let mut rows: Vec<Row> = [
        "x-mcp-auth-mode",
        "X-MCP-Auth-Mode",
        "X_MCP_Auth_Mode",
        "x_mcp_auth_mode",
        "X-Mcp_Auth-Mode",
        "x-mcp-auth_mode",
    ]
    .into_iter()
    .map(|name| {
        row(
            format!("{name} from outside is replaced"),
            with(name, "none"),
            allowed(),
        )
    })
    .collect();
    for name in [
        "X-MCP-Auth-Subject",
        "x_mcp_auth_subject",
        "X-Mcp-Auth-Issuer",
        "X_MCP-AUTH_SCOPE",
        "X-MCP-Auth-Client",
        "X-MCP-Auth-Entitlements",
        "x-mcp-auth-anything",
        "x_mcp_auth_anything",
        "X-MCP-Auth-",
    ] {
        rows.push(row(
            format!("{name} from outside is removed"),
            with(name, "root"),
            allowed()
                .hid("x-mcp-auth-subject")
                .hid("x-mcp-auth-issuer")
                .hid("x-mcp-auth-scope")
                .hid("x-mcp-auth-client")
                .hid("x-mcp-auth-entitlements")
                .hid("x-mcp-auth-anything")
                .hid("x-mcp-auth-"),
        ));
    }
    rows.extend([
        row(
            "an identity field sent twice is replaced by ours",
            with("x-mcp-auth-mode", "a").field("X-MCP-Auth-Mode", "b"),
            allowed(),
        ),
        row(
            "an identity field in Connection is still ours",
            bearer()
                .field("Connection", "x-mcp-auth-mode")
                .field("X-MCP-Auth-Mode", "b"),
            allowed(),
        ),
        row(
            "Host becomes the protected resource's",
            bearer(),
            allowed()
                .saw("host", world.resource.url().replace("http://", ""))
                .saw("x-forwarded-host", "mcp.example.com"),
        ),
        row(
            "other fields pass as they are",
            with("X-Other", "a, b").field("Accept", "application/json, text/event-stream"),
            allowed()
                .saw("x-other", "a, b")
                .saw("accept", "application/json, text/event-stream"),
        ),
        row(
            "protocol fields of MCP pass",
            with("MCP-Protocol-Version", "2026-07-28").field("Mcp-Method", "tools/call"),
            allowed()
                .saw("mcp-protocol-version", "2026-07-28")
                .saw("mcp-method", "tools/call"),
        ),
        row(
            "two cookies set by the resource come back",
            bearer().field("X-Test-Answer", "cookies"),
            allowed(),
        ),
        row(
            "a refusal by the resource comes back",
            bearer().field("X-Test-Status", "403"),
            crate::table::forwarded_as(403),
        ),
        row(
            "a failure of the resource comes back",
            bearer().field("X-Test-Status", "500"),
            crate::table::forwarded_as(500),
        ),
        row(
            "no content comes back",
            bearer().field("X-Test-Status", "204"),
            crate::table::forwarded_as(204),
        ),
        row(
            "an accepted message comes back",
            Request::post("/mcp", "{}")
                .field("X-Api-Key", KEY)
                .field("X-Test-Status", "202"),
            crate::table::forwarded_as(202),
        ),
    ]);
    Group {
        settings: settings(),
        rows,
    }
}

/// The key given as a digest.
pub(crate) fn digest(_: &World) -> Group {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, KEY.as_bytes());
    let hex: String = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let rows = vec![
        row(
            "the key passes where its digest is configured",
            bearer(),
            allowed(),
        ),
        row(
            "X-Api-Key passes too",
            Request::get("/mcp").field("X-Api-Key", KEY),
            allowed(),
        ),
        row(
            "the digest is not the key",
            authorization(format!("Bearer {hex}")),
            invalid(),
        ),
        row(
            "the setting is not the key",
            authorization(format!("Bearer sha256:{hex}")),
            invalid(),
        ),
        row(
            "another key is invalid",
            authorization("Bearer other"),
            invalid(),
        ),
    ];
    Group {
        settings: settings().with("ZSCALER_MCP_AUTH_API_KEY", format!("sha256:{hex}")),
        rows,
    }
}
