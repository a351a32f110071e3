//! Settings and credentials of the tests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_tests::Request;
use portcullis_tests::authorization_server::{CLIENT_ID, TOKEN_PATH};
use serde_json::{Value, json};

const STATE_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";

/// Mode `api-key`.
pub(crate) fn api_key(key: &str) -> Value {
    json!({
        "PORTCULLIS_STATE_KEYS": STATE_KEY,
        "ZSCALER_MCP_AUTH_MODE": "api-key",
        "ZSCALER_MCP_AUTH_API_KEY": key,
    })
}

/// Mode `zscaler` with the token endpoint of the server at `url`.
pub(crate) fn zscaler(url: &str) -> Value {
    json!({
        "PORTCULLIS_STATE_KEYS": STATE_KEY,
        "ZSCALER_MCP_AUTH_MODE": "zscaler",
        "PORTCULLIS_TOKEN_URL": format!("{url}{TOKEN_PATH}"),
    })
}

/// Mode `jwt` with the JWKS at `url`.
pub(crate) fn jwt(url: &str) -> Value {
    json!({
        "PORTCULLIS_STATE_KEYS": STATE_KEY,
        "ZSCALER_MCP_AUTH_MODE": "jwt",
        "ZSCALER_MCP_AUTH_JWKS_URI": url,
    })
}

/// Mode `oidcproxy` with the provider at `url`.
pub(crate) fn oidc_proxy(url: &str) -> Value {
    json!({
        "PORTCULLIS_STATE_KEYS": STATE_KEY,
        "ZSCALER_MCP_AUTH_MODE": "oidcproxy",
        "OIDCPROXY_CONFIG_URL": format!("{url}/.well-known/openid-configuration"),
        "OIDCPROXY_BASE_URL": "https://gw.example/mcp",
        "OIDCPROXY_CLIENT_ID": "gateway",
    })
}

/// Adds an API key.
pub(crate) fn with_key(request: Request, key: &str) -> Request {
    request.field("X-Api-Key", key)
}

/// Adds client credentials.
pub(crate) fn with_client(request: Request, id: &str, secret: &str) -> Request {
    let pair = STANDARD.encode(format!("{id}:{secret}"));
    request.field("Authorization", format!("Basic {pair}"))
}

/// Makes a call of the client that the fake authorization server knows, with this secret.
pub(crate) fn call_with_secret(secret: &str) -> Request {
    with_client(Request::post("/mcp", "{}"), CLIENT_ID, secret)
}
