//! What the gateway answers by itself.

use portcullis_tests::authorization_server::JWKS_PATH;
use portcullis_tests::{Behaviour, Request, Settings};

use crate::table::{Expect, Group, World, answered, keys, probed, refused, row};

const ORIGIN: &str = "https://inspector.example";
const KEY: &str = "pk-0123456789abcdefghijklmnopqrstuv";

fn api_key() -> Settings {
    Settings::new()
        .with("ZSCALER_MCP_AUTH_MODE", "api-key")
        .with("ZSCALER_MCP_AUTH_API_KEY", KEY)
}

fn healthy() -> Expect {
    answered(200)
        .field("content-type", "application/json")
        .field("cache-control", "no-store")
        .no_field("www-authenticate")
}

/// Health, readiness and the OAuth well-known paths.
pub(crate) fn paths(_: &World) -> Group {
    let mut rows = vec![
        row(
            "health is told without a credential",
            Request::get("/health"),
            healthy().says(r#""status":"ok""#),
        ),
        row(
            "healthz too",
            Request::get("/healthz"),
            healthy().says(r#""status":"ok""#),
        ),
        row(
            "HEAD health has no body",
            Request::new("HEAD", "/health"),
            healthy(),
        ),
        row(
            "HEAD healthz has no body",
            Request::new("HEAD", "/healthz"),
            healthy(),
        ),
        row(
            "a query does no harm",
            Request::get("/health?probe=1"),
            healthy(),
        ),
        row(
            "a wrong credential does no harm",
            Request::get("/health").field("X-Api-Key", "wrong"),
            healthy(),
        ),
        row(
            "readiness is told without a credential",
            Request::get("/ready"),
            probed(200),
        ),
        row(
            "POST health needs a credential",
            Request::post("/health", "{}"),
            refused(401),
        ),
        row(
            "DELETE healthz needs a credential",
            Request::new("DELETE", "/healthz"),
            refused(401),
        ),
    ];
    for path in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/mcp",
        "/mcp/.well-known/openid-configuration",
    ] {
        let absent = || {
            answered(404)
                .field("content-type", "application/json")
                .no_field("www-authenticate")
        };
        rows.push(row(
            format!("{path} is told not to exist"),
            Request::get(path),
            absent(),
        ));
        rows.push(row(
            format!("{path} does not exist with a key either"),
            Request::get(path).field("X-Api-Key", KEY),
            absent(),
        ));
    }
    rows.push(row(
        "dynamic registration does not exist",
        Request::post("/register", "{}"),
        answered(404),
    ));
    Group {
        settings: api_key(),
        rows,
    }
}

/// CORS preflights (the Fetch standard) and Origin rules.
pub(crate) fn origins(_: &World) -> Group {
    let preflight = |origin: &str| {
        Request::new("OPTIONS", "/mcp")
            .field("Origin", origin)
            .field("Access-Control-Request-Method", "POST")
            .field(
                "Access-Control-Request-Headers",
                "authorization, mcp-session-id",
            )
    };
    let call = |origin: &str| {
        Request::post("/mcp", "{}")
            .field("X-Api-Key", KEY)
            .field("Origin", origin)
    };
    let allowed = crate::table::forwarded;
    let rows = vec![
        row(
            "a preflight needs no credential",
            preflight(ORIGIN),
            answered(204)
                .field("access-control-allow-origin", ORIGIN)
                .field("vary", "origin, access-control-request-headers"),
        ),
        row(
            "a preflight of another origin is refused",
            preflight("https://evil.example"),
            refused(403).no_field("access-control-allow-origin"),
        ),
        row(
            "a preflight of no origin is no preflight",
            Request::new("OPTIONS", "/mcp").field("Access-Control-Request-Method", "POST"),
            refused(401),
        ),
        row(
            "OPTIONS of an allowed origin without a method is no preflight",
            Request::new("OPTIONS", "/mcp").field("Origin", ORIGIN),
            refused(401),
        ),
        row(
            "a call of an allowed origin passes",
            call(ORIGIN),
            allowed().field("access-control-allow-origin", ORIGIN),
        ),
        row(
            "a call without an origin passes",
            Request::post("/mcp", "{}").field("X-Api-Key", KEY),
            allowed().no_field("access-control-allow-origin"),
        ),
        row(
            "a call of another origin is refused",
            call("https://evil.example"),
            refused(403)
                .no_field("access-control-allow-origin")
                .keeps_quiet_about("evil"),
        ),
        row(
            "the origin is looked at before the credential",
            Request::get("/mcp").field("Origin", "https://evil.example"),
            refused(403),
        ),
        row(
            "a longer origin is another one",
            call("https://inspector.example.evil.example"),
            refused(403),
        ),
        row(
            "another scheme is another origin",
            call("http://inspector.example"),
            refused(403),
        ),
        row(
            "another port is another origin",
            call("https://inspector.example:8443"),
            refused(403),
        ),
        row("the null origin is refused", call("null"), refused(403)),
        row("an empty origin is refused", call(""), refused(403)),
        row(
            "two origins are refused",
            call(ORIGIN).field("Origin", ORIGIN),
            refused(403),
        ),
        row(
            "an origin that is not ASCII is refused",
            call("https://inspector.example\u{e9}"),
            refused(403),
        ),
        row(
            "the second origin of the list passes",
            call("http://localhost:6274"),
            allowed().field("access-control-allow-origin", "http://localhost:6274"),
        ),
        row(
            "a preflight of the second origin passes",
            preflight("http://localhost:6274"),
            answered(204).field("access-control-allow-origin", "http://localhost:6274"),
        ),
        row(
            "a refusal can be read by an allowed origin",
            Request::get("/mcp").field("Origin", ORIGIN),
            refused(401).field("access-control-allow-origin", ORIGIN),
        ),
        row(
            "the resource's own grant is replaced",
            call(ORIGIN).field("X-Test-Answer", "cors"),
            allowed().field("access-control-allow-origin", ORIGIN),
        ),
        row(
            "health is told to any origin",
            Request::get("/health").field("Origin", "https://evil.example"),
            answered(200),
        ),
    ];
    Group {
        settings: api_key().with(
            "ZSCALER_MCP_ALLOWED_ORIGINS",
            format!("{ORIGIN}, http://localhost:6274"),
        ),
        rows,
    }
}

/// No origins configured.
pub(crate) fn no_origins(_: &World) -> Group {
    let rows = vec![
        row(
            "a preflight is refused",
            Request::new("OPTIONS", "/mcp")
                .field("Origin", ORIGIN)
                .field("Access-Control-Request-Method", "POST"),
            refused(403).no_field("access-control-allow-origin"),
        ),
        row(
            "a call with an origin passes",
            Request::get("/mcp")
                .field("X-Api-Key", KEY)
                .field("Origin", ORIGIN),
            crate::table::forwarded(),
        ),
        row(
            "the resource's own grant comes back",
            Request::get("/mcp")
                .field("X-Api-Key", KEY)
                .field("Origin", ORIGIN)
                .field("X-Test-Answer", "cors"),
            crate::table::forwarded().field("access-control-allow-origin", "*"),
        ),
    ];
    Group {
        settings: api_key(),
        rows,
    }
}

/// Readiness while the JWKS can be reached.
pub(crate) fn ready(world: &World) -> Group {
    world.authorization_server.publish(keys().jwks());
    let rows = vec![
        row(
            "ready with a JWKS and a resource",
            Request::get("/ready"),
            probed(200)
                .says(r#""jwks":"ok""#)
                .says(r#""protected_resource":"ok""#),
        ),
        row(
            "HEAD ready has no body",
            Request::new("HEAD", "/ready"),
            probed(200),
        ),
    ];
    Group {
        settings: jwt(world),
        rows,
    }
}

/// Readiness while it cannot.
pub(crate) fn not_ready(world: &World) -> Group {
    world
        .authorization_server
        .on_path(JWKS_PATH, Behaviour::status(500));
    let rows = vec![
        row(
            "not ready without a JWKS",
            Request::get("/ready"),
            probed(503)
                .says(r#""jwks":"unavailable""#)
                .field("content-type", "application/json")
                .field("cache-control", "no-store"),
        ),
        row("healthy all the same", Request::get("/health"), healthy()),
    ];
    Group {
        settings: jwt(world),
        rows,
    }
}

fn jwt(world: &World) -> Settings {
    Settings::new().with("ZSCALER_MCP_AUTH_MODE", "jwt").with(
        "ZSCALER_MCP_AUTH_JWKS_URI",
        world.authorization_server.url(JWKS_PATH),
    )
}
