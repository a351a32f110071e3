//! The authorization server: queries, cookies and forms.

use portcullis_core::config::{Settings, Site, resolve};
use portcullis_core::jose::PortableVerifier;
use portcullis_core::{Config, Decision, LocalResponse, Peer, RequestHead};

use super::gate::{Gate, answer, is_field_value};
use super::request::cut;

const SETTINGS: [(&str, &str); 6] = [
    ("ZSCALER_MCP_AUTH_MODE", "oidcproxy"),
    (
        "OIDCPROXY_CONFIG_URL",
        "https://idp.example/.well-known/openid-configuration",
    ),
    ("OIDCPROXY_BASE_URL", "https://gw.example/mcp"),
    ("OIDCPROXY_CLIENT_ID", "gateway"),
    (
        "PORTCULLIS_STATE_KEYS",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ),
    ("OIDCPROXY_REQUIRED_SCOPES", "mcp:tools"),
];

const REDIRECT: &str = "https://app.example/cb";

const DOCUMENT: &str = r#"{"issuer":"https://idp.example","jwks_uri":"https://idp.example/jwks",
    "authorization_endpoint":"https://idp.example/authorize",
    "token_endpoint":"https://idp.example/token"}"#;

/// Reads a line with method and path, a line with cookies, then the body. `{client}` stands for a
/// registered client, and `{request}` for what its consent page asks.
pub fn oauth(data: &[u8]) {
    let mut gate = Gate::new(config(), Box::new(PortableVerifier::new()));
    gate = gate.answering(answer(200, DOCUMENT.as_bytes()));
    let registration = format!(r#"{{"redirect_uris":["{REDIRECT}"]}}"#);
    let registered = visit(
        &mut gate,
        b"POST",
        b"/register",
        b"",
        registration.as_bytes(),
    );
    let client = after(&registered.body, "\"client_id\":\"");
    let path = format!(
        "/authorize?response_type=code&client_id={client}&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
    let page = visit(&mut gate, b"GET", path.as_bytes(), b"", b"");
    assert_eq!(page.status, 200);
    let request = after(&page.body, "name=\"request\" value=\"");
    let filled = String::from_utf8_lossy(data)
        .replace("{client}", &client)
        .replace("{request}", &request);
    let (line, rest) = cut(filled.as_bytes(), b'\n');
    let (cookies, body) = cut(rest, b'\n');
    let (method, path) = cut(line, b' ');
    if !path.starts_with(b"/") || !is_field_value(path) || !is_field_value(cookies) {
        return;
    }
    let headers: [(&str, &[u8]); 1] = [("cookie", cookies)];
    let head = RequestHead {
        method,
        authority: b"gw.example",
        path,
        headers: &headers,
        peer: Peer::Unknown,
    };
    gate.body = body.to_vec();
    // Nothing here has a token, so nothing passes, and nobody is sent anywhere else.
    let Decision::Respond(response) = gate.decide(&head) else {
        panic!("forwarded: {}", path.escape_ascii());
    };
    let location = response
        .headers
        .iter()
        .find(|(name, _)| *name == "location");
    if let Some((_, location)) = location {
        let known = [REDIRECT, "https://idp.example/authorize?"];
        assert!(
            known.iter().any(|start| location.starts_with(start)),
            "{location}"
        );
    }
}

fn config() -> Config {
    let mut settings = Settings::default();
    settings.read_environment(SETTINGS);
    resolve(&settings, Site::Filter).unwrap().config
}

fn visit(
    gate: &mut Gate,
    method: &[u8],
    path: &[u8],
    cookies: &[u8],
    body: &[u8],
) -> LocalResponse {
    let headers: [(&str, &[u8]); 1] = [("cookie", cookies)];
    let head = RequestHead {
        method,
        authority: b"gw.example",
        path,
        headers: &headers,
        peer: Peer::Unknown,
    };
    gate.body = body.to_vec();
    match gate.decide(&head) {
        Decision::Respond(response) => response,
        Decision::Forward(_) => panic!("forwarded"),
    }
}

fn after(body: &[u8], mark: &str) -> String {
    let text = core::str::from_utf8(body).unwrap();
    let (_, rest) = text.split_once(mark).unwrap();
    rest.split('"').next().unwrap().to_owned()
}
