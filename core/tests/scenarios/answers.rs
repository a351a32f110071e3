//! The exact bytes of every answer that the gateway makes.

use portcullis_core::Decision;
use serde_json::json;

use crate::request::Request;
use crate::server::response;
use crate::signer::{Signer, claims_with};
use crate::support::{
    API_KEY, API_KEY_MODE, JWT_MODE, MANY_WRONG_SECRETS, NONE_MODE, START, Scenario, ZSCALER_MODE,
};

const BEARER: &str = r#"www-authenticate: Bearer realm="mcp""#;
const INVALID: &str = r#"www-authenticate: Bearer realm="mcp", error="invalid_token""#;
const BASIC: &str = r#"www-authenticate: Basic realm="mcp", charset="UTF-8""#;
const RETRY: &str = "retry-after: 5";

/// Checks an answer with a JSON-RPC error: status, the field before the usual ones, message.
#[track_caller]
fn check(scenario: &mut Scenario, request: &Request, expected: (u16, &str, &str)) {
    let Decision::Respond(answer) = scenario.send(request) else {
        panic!("forwarded");
    };
    let (status, first, message) = expected;
    let mut fields: Vec<String> = Vec::new();
    if !first.is_empty() {
        fields.push(first.into());
    }
    fields.extend(["content-type: application/json", "cache-control: no-store"].map(Into::into));
    let found: Vec<String> = answer
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    assert_eq!(
        (answer.status, found),
        (status, fields),
        "{}",
        answer.reason.name()
    );
    let body =
        format!(r#"{{"jsonrpc":"2.0","id":null,"error":{{"code":-32001,"message":"{message}"}}}}"#);
    assert_eq!(String::from_utf8(answer.body).unwrap(), body);
}

#[test]
fn answers_of_mode_api_key() {
    let mut scenario = Scenario::new(API_KEY_MODE);
    let help = "Unauthorized: an API key is required. Use one of:\\n  \
        1. Authorization: Bearer <api-key>\\n  2. X-Api-Key: <api-key>";
    let post = Request::post();
    check(&mut scenario, &post, (401, BEARER, help));
    let basic = post.clone().with("authorization", "Basic eDp5");
    check(&mut scenario, &basic, (401, BEARER, help));
    let wrong = (401, INVALID, "Unauthorized: the API key is not accepted");
    check(&mut scenario, &post.clone().bearer("wrong"), wrong);
    let bad = "Unauthorized: malformed. Expected: Authorization: Bearer <api-key>";
    let malformed = post.clone().with("authorization", "Bearer");
    check(&mut scenario, &malformed, (401, INVALID, bad));
    let twice = "Unauthorized: a credential header must occur once and hold one value";
    let repeated = post.bearer(API_KEY).bearer(API_KEY);
    check(&mut scenario, &repeated, (401, INVALID, twice));
}

#[test]
fn answers_of_mode_jwt() {
    let mut scenario = Scenario::new(JWT_MODE);
    let signer = Signer::ed_dsa("a", 1);
    scenario.server.keys = vec![signer.jwk()];
    let help = "Unauthorized: an access token is required. Use: Authorization: Bearer <token>";
    check(&mut scenario, &Request::post(), (401, BEARER, help));
    let basic = Request::post().with("authorization", "Basic eDp5");
    check(&mut scenario, &basic, (401, BEARER, help));
    let header = |members| signer.sign_as(&members, &claims_with(&json!({})));
    let claims = |members| signer.sign(&claims_with(&members));
    let signature = "Unauthorized: the token's signature cannot be verified";
    let not_yet = "Unauthorized: the token is not valid yet";
    let no_jwt = "Unauthorized: the token is not a well-formed signed JWT";
    let algorithm = "Unauthorized: the token's signature algorithm is not accepted";
    let members = "Unauthorized: the token's header has members that are not accepted";
    for (token, message) in [
        ("abc".into(), no_jwt),
        ("a".repeat(20_000), "Unauthorized: the token is too large"),
        (header(json!({ "alg": "none" })), algorithm),
        (
            header(json!({ "alg": "EdDSA", "kid": "a", "crit": ["exp"] })),
            members,
        ),
        (header(json!({ "alg": "EdDSA", "kid": "z" })), signature),
        (Signer::ed_dsa("a", 9).token(), signature),
        (
            claims(json!({ "exp": null })),
            "Unauthorized: the token has no expiry time",
        ),
        (
            claims(json!({ "exp": 1 })),
            "Unauthorized: the token has expired",
        ),
        (claims(json!({ "nbf": START + 99 })), not_yet),
        (claims(json!({ "iat": START + 99 })), not_yet),
        (
            claims(json!({ "iss": "x" })),
            "Unauthorized: the token's issuer is not accepted",
        ),
        (
            claims(json!({ "aud": "x" })),
            "Unauthorized: the token was not issued for this server",
        ),
        (
            claims(json!({ "exp": "x" })),
            "Unauthorized: the token's claims are malformed",
        ),
    ] {
        check(
            &mut scenario,
            &Request::post().bearer(&token),
            (401, INVALID, message),
        );
    }
    let session = Request::post()
        .bearer(&signer.token())
        .with("mcp-session-id", "s-1");
    check(&mut scenario, &session, (404, "", "Session not found"));
}

const UNAVAILABLE: &str =
    "Service unavailable: the authorization server cannot be reached. Try again shortly";

#[test]
fn answers_of_mode_zscaler_and_of_outages() {
    let mut scenario = Scenario::new(ZSCALER_MODE);
    let help = "Unauthorized: Zscaler OneAPI client credentials are required. Use one of:\\n  \
        1. X-Zscaler-Client-ID: <client-id> and X-Zscaler-Client-Secret: <client-secret>\\n  \
        2. Authorization: Basic base64(<client-id>:<client-secret>)";
    let post = Request::post();
    check(&mut scenario, &post, (401, BASIC, help));
    check(&mut scenario, &post.clone().bearer("x"), (401, BASIC, help));
    let bad = "Unauthorized: malformed. Expected: Authorization: Basic \
        base64(<client-id>:<client-secret>), UTF-8, without control characters";
    let malformed = post.clone().with("authorization", "Basic !");
    check(&mut scenario, &malformed, (401, BASIC, bad));
    let refused = "Unauthorized: the client credentials are not accepted";
    check(
        &mut scenario,
        &post.clone().pair("id", "x"),
        (401, BASIC, refused),
    );
    scenario.server.outage = Some(response(500, r#"{"error":"secret detail"}"#));
    check(
        &mut scenario,
        &post.pair("id", "y"),
        (503, RETRY, UNAVAILABLE),
    );

    let mut jwt = Scenario::new(JWT_MODE);
    jwt.server.go_down();
    let token = Signer::ed_dsa("a", 1).token();
    check(
        &mut jwt,
        &Request::post().bearer(&token),
        (503, RETRY, UNAVAILABLE),
    );

    let mut busy = Scenario::with(ZSCALER_MODE, MANY_WRONG_SECRETS);
    for number in 0..256 {
        busy.begin(&Request::post().pair(&number.to_string(), "x"))
            .waits();
    }
    let message = "Service unavailable: too many credentials are being checked. Try again shortly";
    check(
        &mut busy,
        &Request::post().pair("id", "x"),
        (503, RETRY, message),
    );

    let limit = [("PORTCULLIS_WRONG_SECRETS_PER_ADDRESS", "1")];
    let mut guessed = Scenario::with(ZSCALER_MODE, &limit);
    check(
        &mut guessed,
        &Request::post().pair("id", "x"),
        (401, BASIC, refused),
    );
    let message = "Too many requests: too many client credentials that are not known were \
        presented. Try again later";
    check(
        &mut guessed,
        &Request::post().pair("id", "y"),
        (429, "retry-after: 70", message),
    );
}

#[test]
fn answers_of_the_rules_are_the_same_in_every_mode() {
    let rules = [
        ("ZSCALER_MCP_ALLOWED_HOSTS", "mcp.example.com"),
        ("ZSCALER_MCP_ALLOWED_SOURCE_IPS", "192.0.2.0/24"),
        ("ZSCALER_MCP_ALLOWED_ORIGINS", "https://app.example.com"),
    ];
    for settings in [NONE_MODE, API_KEY_MODE, JWT_MODE, ZSCALER_MODE] {
        let mut scenario = Scenario::with(settings, &rules);
        let host = Request::post().host("evil");
        let message = "Misdirected request: the Host header is not in the allowed list";
        check(&mut scenario, &host, (421, "", message));
        let source = Request::post().peer("10.0.0.1");
        let message = "Forbidden: the source address is not in the allowed list";
        check(&mut scenario, &source, (403, "", message));
        let origin = Request::post().with("origin", "https://evil");
        let message = "Forbidden: the Origin is not in the allowed list";
        check(&mut scenario, &origin, (403, "", message));
    }
}

#[test]
fn answers_that_are_no_refusals() {
    let mut scenario = Scenario::with(API_KEY_MODE, &[("ZSCALER_MCP_ALLOWED_ORIGINS", "*")]);
    let mut render = |request: &Request| {
        let Decision::Respond(answer) = scenario.send(request) else {
            panic!("forwarded");
        };
        let fields = answer.headers.iter();
        let fields: Vec<String> = fields
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        let body = String::from_utf8(answer.body).unwrap();
        format!("{}\n{}\n\n{body}", answer.status, fields.join("\n"))
    };
    const JSON: &str = "content-type: application/json\ncache-control: no-store\n\n";
    let health = format!("200\n{JSON}{{\"status\":\"ok\"}}");
    assert_eq!(render(&Request::get("/health")), health);
    let well_known = Request::get("/.well-known/openid-configuration");
    assert_eq!(
        render(&well_known),
        format!("404\n{JSON}{{\"error\":\"not_found\"}}")
    );
    let preflight = Request::new("OPTIONS", "/mcp")
        .with("origin", "https://a.example.com")
        .with("access-control-request-method", "POST");
    assert_eq!(
        render(&preflight),
        "204\naccess-control-allow-origin: https://a.example.com\n\
         access-control-allow-methods: GET, POST, DELETE, OPTIONS\n\
         access-control-allow-headers: accept, authorization, content-type, last-event-id, \
         mcp-method, mcp-name, mcp-protocol-version, mcp-session-id, x-api-key, \
         x-zscaler-client-id, x-zscaler-client-secret\n\
         access-control-max-age: 600\n\
         vary: origin, access-control-request-headers\n\n"
    );
}

/// What the settings expect and what the authorization server said stays inside.
#[test]
fn no_answer_names_what_is_expected_or_what_was_sent() {
    let mut jwt = Scenario::new(JWT_MODE);
    let signer = Signer::ed_dsa("key-name", 1);
    jwt.server.keys = vec![signer.jwk()];
    let bad = claims_with(&json!({ "iss": "sent-issuer", "aud": "sent-audience" }));
    let wrong_audience = claims_with(&json!({ "aud": "sent-audience" }));
    let mut zscaler = Scenario::new(ZSCALER_MODE);
    zscaler.server.outage = Some(response(401, r#"{"error":"detail"}"#));
    let rules = [("ZSCALER_MCP_ALLOWED_HOSTS", "gw.example.com")];
    let mut host = Scenario::with(API_KEY_MODE, &rules);
    for decision in [
        jwt.send(&Request::post().bearer(&signer.sign(&bad))),
        jwt.send(&Request::post().bearer(&signer.sign(&wrong_audience))),
        jwt.send(&Request::post().bearer(&Signer::ed_dsa("sent-kid", 9).token())),
        zscaler.send(&Request::post().pair("sent-id", "sent-secret")),
        host.send(&Request::post().host("sent-host").bearer("sent-key")),
    ] {
        let text = format!("{decision:?}");
        let Decision::Respond(answer) = decision else {
            panic!("forwarded");
        };
        let body = String::from_utf8(answer.body).unwrap();
        for secret in [
            "idp.example.com",
            "sent-",
            "key-name",
            "detail",
            "gw.example",
            "EdDSA",
        ] {
            assert!(
                !body.contains(secret) && !text.contains(secret),
                "{secret} in {body}"
            );
        }
    }
}
