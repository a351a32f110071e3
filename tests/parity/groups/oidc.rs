//! Mode oidc, and the metadata of the protected resource.

use portcullis_tests::authorization_server::JWKS_PATH;
use portcullis_tests::{Alg, Answer, Behaviour, Request, Settings};
use serde_json::json;

use super::jwt::bearer;
use crate::table::{
    Expect, Group, ISSUER, World, answered, claims_with, forwarded, keys, refused, row,
};

const DOCUMENT: &str = "/.well-known/openid-configuration";
const BASE: &str = "https://gw.example/mcp";
const AT_PATH: &str = "/.well-known/oauth-protected-resource/mcp";
const AT_ROOT: &str = "/.well-known/oauth-protected-resource";
const ORIGIN: &str = "https://inspector.example";
const ASK: &str = "Bearer realm=\"mcp\", \
    resource_metadata=\"https://gw.example/.well-known/oauth-protected-resource/mcp\", \
    scope=\"mcp:tools\"";
const INVALID: &str = "Bearer realm=\"mcp\", error=\"invalid_token\", \
    resource_metadata=\"https://gw.example/.well-known/oauth-protected-resource/mcp\", \
    scope=\"mcp:tools\"";
const INSUFFICIENT: &str = "Bearer realm=\"mcp\", error=\"insufficient_scope\", \
    resource_metadata=\"https://gw.example/.well-known/oauth-protected-resource/mcp\", \
    scope=\"mcp:tools\"";

fn settings(world: &World) -> Settings {
    let server = &world.authorization_server;
    server.publish(keys().jwks());
    let document = json!({ "issuer": server.url(""), "jwks_uri": server.url(JWKS_PATH) });
    server.on_path(DOCUMENT, Behaviour::Answer(Answer::json(200, &document)));
    Settings::new()
        .with("ZSCALER_MCP_AUTH_MODE", "oidc")
        .with("OIDCPROXY_CONFIG_URL", server.url(DOCUMENT))
        .with("OIDCPROXY_BASE_URL", BASE)
        .with("OIDCPROXY_REQUIRED_SCOPES", "mcp:tools")
}

/// A token of the discovered issuer with `name` set.
fn token(world: &World, name: &str, value: &str) -> Request {
    let mut claims = claims_with("iss", world.authorization_server.url(""));
    claims["aud"] = BASE.into();
    claims["scope"] = "openid mcp:tools".into();
    claims[name] = value.into();
    bearer(keys().of(Alg::Es256).token(Alg::Es256, &claims))
}

fn invalid() -> Expect {
    refused(401).challenge(INVALID)
}

pub(crate) fn tokens(world: &World) -> Group {
    let settings = settings(world);
    let issuer = world.authorization_server.url("");
    let good = forwarded()
        .saw("x-mcp-auth-mode", "oidc")
        .saw("x-mcp-auth-subject", "alice")
        .saw("x-mcp-auth-issuer", &issuer)
        .hid("authorization");
    let narrow = refused(403).challenge(INSUFFICIENT);
    let rows = vec![
        row("an honest token passes", token(world, "sub", "alice"), good),
        row(
            "no token is asked for one",
            Request::get("/mcp"),
            refused(401).challenge(ASK),
        ),
        row(
            "another issuer is refused",
            token(world, "iss", ISSUER),
            invalid(),
        ),
        row(
            "a slash makes another issuer",
            token(world, "iss", &format!("{issuer}/")),
            invalid(),
        ),
        row(
            "another audience is refused",
            token(world, "aud", "mcp-server"),
            invalid(),
        ),
        row(
            "a missing scope is told",
            token(world, "scope", "openid"),
            narrow.clone(),
        ),
        row(
            "part of a scope is none",
            token(world, "scope", "mcp:tool"),
            narrow,
        ),
    ];
    Group { settings, rows }
}

pub(crate) fn metadata(world: &World) -> Group {
    let settings = settings(world);
    let issuer = world.authorization_server.url("");
    let told = || {
        answered(200)
            .field("content-type", "application/json")
            .field("access-control-allow-origin", "*")
            .says(format!("\"authorization_servers\":[\"{issuer}\"]"))
            .says(format!("\"resource\":\"{BASE}\""))
            .says("\"scopes_supported\":[\"mcp:tools\"]")
    };
    let preflight = Request::new("OPTIONS", AT_PATH)
        .field("Origin", ORIGIN)
        .field("Access-Control-Request-Method", "GET")
        .field("Access-Control-Request-Headers", "mcp-protocol-version");
    let page = |path: &str| Request::get(path).field("Origin", ORIGIN);
    let rows = vec![
        row("metadata is at the path", Request::get(AT_PATH), told()),
        row("metadata is at the root", Request::get(AT_ROOT), told()),
        row("every page may read it", page(AT_ROOT), told()),
        row(
            "and ask before",
            preflight,
            answered(204)
                .field("access-control-allow-origin", "*")
                .field("access-control-allow-headers", "mcp-protocol-version"),
        ),
        row(
            "there is none of another path",
            Request::get("/.well-known/oauth-protected-resource/other"),
            answered(404),
        ),
        row(
            "it is not written",
            Request::post(AT_PATH, "{}"),
            answered(404),
        ),
        row(
            "the authorization server is elsewhere",
            Request::get("/.well-known/oauth-authorization-server"),
            answered(404),
        ),
    ];
    Group { settings, rows }
}

pub(crate) fn origins(world: &World) -> Group {
    let settings = settings(world).with("ZSCALER_MCP_ALLOWED_ORIGINS", ORIGIN);
    let page = |origin: &str| Request::get(AT_PATH).field("Origin", origin);
    let told = answered(200).field("access-control-allow-origin", ORIGIN);
    let rows = vec![
        row("a listed origin reads it", page(ORIGIN), told),
        row(
            "another does not",
            page("https://evil.example"),
            refused(403),
        ),
        row(
            "without an origin it is read",
            Request::get(AT_PATH),
            answered(200).no_field("access-control-allow-origin"),
        ),
    ];
    Group { settings, rows }
}

fn unavailable(world: &World, settings: Settings) -> Group {
    let rows = vec![
        row(
            "no token is let in",
            token(world, "sub", "alice"),
            refused(503),
        ),
        row("there is no metadata", Request::get(AT_PATH), refused(503)),
        row(
            "no token is still told so",
            Request::get("/mcp"),
            refused(401).challenge(ASK),
        ),
    ];
    Group { settings, rows }
}

pub(crate) fn lying_document(world: &World) -> Group {
    let settings = settings(world);
    let server = &world.authorization_server;
    let document = json!({ "issuer": ISSUER, "jwks_uri": server.url(JWKS_PATH) });
    server.on_path(DOCUMENT, Behaviour::Answer(Answer::json(200, &document)));
    unavailable(world, settings)
}

pub(crate) fn missing_document(world: &World) -> Group {
    let settings = settings(world);
    world
        .authorization_server
        .on_path(DOCUMENT, Behaviour::status(404));
    unavailable(world, settings)
}

pub(crate) fn jwt_with_metadata(world: &World) -> Group {
    let settings = super::jwt::settings(world).with("OIDCPROXY_BASE_URL", BASE);
    let ask = "Bearer realm=\"mcp\", \
        resource_metadata=\"https://gw.example/.well-known/oauth-protected-resource/mcp\"";
    let told = answered(200).says(format!("\"authorization_servers\":[\"{ISSUER}\"]"));
    let rows = vec![
        row("the metadata names the issuer", Request::get(AT_PATH), told),
        row(
            "so does the challenge",
            Request::get("/mcp"),
            refused(401).challenge(ask),
        ),
    ];
    Group { settings, rows }
}
