//! Bytes on which Envoy's HTTP library and the native binary's differ, before there is a request.
//!
//! Every difference is listed here, and nowhere else may the gateways differ. None of them lets a
//! request pass at one that has no good credential at the other.

use portcullis_tests::{Request, Settings};

use crate::table::{Group, World, codec_refused, forwarded, refused, row_apart};

const KEY: &str = "pk-0123456789abcdefghijklmnopqrstuv";

/// Odd framing and odd fields.
pub(crate) fn messages(_: &World) -> Group {
    let good = || Request::get("/mcp").field("Authorization", format!("Bearer {KEY}"));
    let rows = vec![
        row_apart(
            "a folded field is one line to Envoy (RFC 9112 §5.2 allows it) and no HTTP to us",
            Request::get("/mcp")
                .line("Authorization: Bearer")
                .line(format!(" {KEY}")),
            forwarded().hid("authorization"),
            codec_refused(),
        ),
        row_apart(
            "a folded field does not hide a wrong key",
            Request::get("/mcp")
                .line("Authorization: Bearer")
                .line(" wrong"),
            refused(401),
            codec_refused(),
        ),
        row_apart(
            "a CR alone is dropped by Envoy, which makes no second field of it, and no HTTP to us",
            good().line("X-A: a\rX-B: b"),
            forwarded().saw("x-a", "aX-B: b").hid("x-b"),
            codec_refused(),
        ),
        row_apart(
            "two Hosts are one odd Host to Envoy, which the route replaces",
            good().field("Host", "other.example.com"),
            forwarded().hid("authorization"),
            codec_refused(),
        ),
        row_apart(
            "two Hosts without a key pass nowhere",
            Request::get("/mcp").field("Host", "other.example.com"),
            refused(401),
            codec_refused(),
        ),
        row_apart(
            "user information in the target is part of the host to Envoy, and the route replaces it",
            Request::get(&format!("http://key:{KEY}@mcp.example.com/mcp")),
            refused(401),
            codec_refused(),
        ),
        row_apart(
            "a fragment is no HTTP to Envoy and dropped by us",
            Request::get("/mcp#health"),
            codec_refused(),
            refused(401),
        ),
        row_apart(
            "chunks win over a length, of which the protected resource sees nothing",
            Request::new("POST", "/mcp")
                .field("X-Api-Key", KEY)
                .field("Content-Length", "5")
                .line("Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0"),
            codec_refused(),
            forwarded().hid("content-length").says(r#""body":"{}""#),
        ),
    ];
    Group {
        settings: Settings::new()
            .with("ZSCALER_MCP_AUTH_MODE", "api-key")
            .with("ZSCALER_MCP_AUTH_API_KEY", KEY),
        rows,
    }
}

/// Fields that nobody looks at pass as the libraries keep them.
pub(crate) fn open_gate(_: &World) -> Group {
    let twice = Request::get("/mcp")
        .field("Authorization", "a")
        .field("Authorization", "b");
    let rows = vec![row_apart(
        "two Authorizations are joined by Envoy and kept apart by us",
        twice,
        forwarded().saw("authorization", "a,b"),
        forwarded(),
    )];
    Group {
        settings: Settings::new()
            .with("ZSCALER_MCP_AUTH_MODE", "none")
            .with("ZSCALER_MCP_ALLOWED_HOSTS", "*"),
        rows,
    }
}

/// Odd hosts under a Host rule: both refuse, in words of their own.
pub(crate) fn hosts(_: &World) -> Group {
    let at = |host: &str| Request::bare("GET", "/mcp").field("Host", host);
    let rows = vec![
        row_apart(
            "two Hosts are misdirected to Envoy and no HTTP to us",
            at("mcp.example.com").field("Host", "mcp.example.com"),
            refused(421),
            codec_refused(),
        ),
        row_apart(
            "a list is no Host to Envoy and misdirected to us",
            at("mcp.example.com, evil.example"),
            codec_refused(),
            refused(421),
        ),
    ];
    Group {
        settings: Settings::new()
            .with("ZSCALER_MCP_AUTH_MODE", "api-key")
            .with("ZSCALER_MCP_AUTH_API_KEY", KEY)
            .with("ZSCALER_MCP_ALLOWED_HOSTS", "mcp.example.com"),
        rows,
    }
}
