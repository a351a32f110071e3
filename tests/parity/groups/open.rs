//! Mode none, and authentication switched off.

use portcullis_tests::{Request, Settings};

use crate::table::{Expect, Group, World, answered, forwarded, refused, row, row_apart};

/// On a loopback address the native binary has Host and Origin rules of its own while the gate is
/// open; the filter cannot see the address and has none.
fn open() -> Settings {
    Settings::new()
        .with("ZSCALER_MCP_ALLOWED_HOSTS", "*")
        .with("ZSCALER_MCP_ALLOWED_ORIGINS", "*")
}

fn allowed() -> Expect {
    forwarded().saw("x-mcp-auth-mode", "none")
}

/// Everything passes, with nothing forged.
pub(crate) fn none(_: &World) -> Group {
    let rows = vec![
        row(
            "a request without a credential passes",
            Request::get("/mcp"),
            allowed(),
        ),
        row(
            "a message passes",
            Request::post("/mcp", r#"{"jsonrpc":"2.0"}"#),
            allowed().says("jsonrpc"),
        ),
        row(
            "Authorization is the resource's own business",
            Request::get("/mcp").field("Authorization", "Bearer x"),
            allowed(),
        ),
        row(
            "a forged mode is replaced",
            Request::get("/mcp").field("X-MCP-Auth-Mode", "jwt"),
            allowed(),
        ),
        row(
            "a forged subject is removed",
            Request::get("/mcp").field("X_MCP_Auth_Subject", "root"),
            allowed().hid("x-mcp-auth-subject"),
        ),
        row(
            "any path passes",
            Request::get("/any/path?q=1"),
            allowed().saw_path("/any/path?q=1"),
        ),
        row("DELETE passes", Request::new("DELETE", "/mcp"), allowed()),
        row("OPTIONS passes", Request::new("OPTIONS", "/mcp"), allowed()),
        row(
            "health is the gateway's",
            Request::get("/health"),
            answered(200),
        ),
    ];
    Group {
        settings: open().with("ZSCALER_MCP_AUTH_MODE", "none"),
        rows,
    }
}

/// An open gate on a loopback address is reached by every page that a browser there shows, so the
/// native binary lets local names in only. The filter cannot see the address.
pub(crate) fn on_loopback(_: &World) -> Group {
    let at = |host: &str| Request::bare("GET", "/mcp").field("Host", host);
    let rows = vec![
        row("localhost passes", at("localhost:8000"), allowed()),
        row("127.0.0.1 passes", at("127.0.0.1"), allowed()),
        row("[::1] passes", at("[::1]:8000"), allowed()),
        row_apart(
            "another name is refused where the address is known",
            at("rebound.example"),
            allowed(),
            refused(421),
        ),
        row_apart(
            "another origin is refused where the address is known",
            at("localhost").field("Origin", "https://evil.example"),
            allowed(),
            refused(403),
        ),
    ];
    Group {
        settings: Settings::new().with("ZSCALER_MCP_AUTH_MODE", "none"),
        rows,
    }
}

/// The master switch wins over a forced mode.
pub(crate) fn switched_off(_: &World) -> Group {
    let rows = vec![
        row(
            "a request without a credential passes",
            Request::get("/mcp"),
            allowed(),
        ),
        row(
            "a wrong key passes",
            Request::get("/mcp").field("X-Api-Key", "wrong"),
            allowed(),
        ),
    ];
    let settings = open()
        .with("ZSCALER_MCP_AUTH_ENABLED", " False ")
        .with("ZSCALER_MCP_AUTH_MODE", "api-key")
        .with("ZSCALER_MCP_AUTH_API_KEY", "secret-key-0123456789");
    Group { settings, rows }
}

/// A mode found by what is configured.
pub(crate) fn detected(world: &World) -> Group {
    let key = "secret-key-0123456789";
    let rows = vec![
        row(
            "an API key alone makes mode api-key",
            Request::get("/mcp").field("X-Api-Key", key),
            forwarded().saw("x-mcp-auth-mode", "api-key"),
        ),
        row(
            "and nothing passes without it",
            Request::get("/mcp"),
            refused(401),
        ),
    ];
    let settings = Settings::new().with("ZSCALER_MCP_AUTH_API_KEY", key).with(
        "PORTCULLIS_TOKEN_URL",
        world.authorization_server.url("/token"),
    );
    Group { settings, rows }
}
