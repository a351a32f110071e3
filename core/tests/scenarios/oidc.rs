//! Mode `oidc`: the discovery document, what clients are told, and scopes.

use portcullis_core::config::{Settings, Site, resolve};
use portcullis_core::{Decision, LocalResponse};
use serde_json::{Value, json};

use crate::request::Request;
use crate::server::{DOCUMENT, JWKS_URI, response};
use crate::signer::{Signer, claims_with};
use crate::support::{JWT_MODE, OIDC_MODE, START, STATE_KEY, Scenario, verdict};

const ALLOWED: (u16, &str) = (200, "allowed");
const AT_PATH: &str = "/.well-known/oauth-protected-resource/mcp";
const AT_ROOT: &str = "/.well-known/oauth-protected-resource";
const SCOPES: (&str, &str) = ("OIDCPROXY_REQUIRED_SCOPES", "mcp:read,mcp:write");
const POINTER: &str =
    "resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\"";
const HOUR: u64 = 3600;

fn signer() -> Signer {
    Signer::ed_dsa("a", 1)
}

fn scenario_with(more: &[(&str, &str)]) -> Scenario {
    let mut scenario = Scenario::with(OIDC_MODE, more);
    scenario.server.keys = vec![signer().jwk()];
    scenario
}

fn request(claims: &Value) -> Request {
    Request::post().bearer(&signer().sign(claims))
}

/// A request whose token does not expire in any test.
fn lasting() -> Request {
    request(&claims_with(&json!({ "exp": START + 999 * HOUR })))
}

#[track_caller]
fn response_to(scenario: &mut Scenario, request: &Request) -> LocalResponse {
    match scenario.send(request) {
        Decision::Respond(response) => response,
        Decision::Forward(_) => panic!("forwarded"),
    }
}

fn field<'a>(response: &'a LocalResponse, name: &str) -> Option<&'a str> {
    let mut fields = response.headers.iter();
    let found = fields.find(|(field, _)| *field == name);
    found.map(|(_, value)| value.as_str())
}

#[test]
fn all_requests_wait_for_one_document_and_one_fetch_of_the_keys() {
    let mut scenario = scenario_with(&[]);
    let request = lasting();
    let tickets: Vec<_> = (0..100)
        .map(|_| scenario.begin(&request).parked())
        .collect();
    assert_eq!(scenario.calls_under_way(), 1);
    let decided = scenario.finish_calls();
    for ticket in tickets {
        assert_eq!(verdict(&decided[&ticket]), ALLOWED);
    }
    assert_eq!(scenario.server.count(DOCUMENT), 1);
    assert_eq!(scenario.server.count("/jwks"), 1);
    assert_eq!(verdict(&scenario.begin(&request).decided()), ALLOWED);
}

#[test]
fn the_first_fetch_needs_no_request() {
    let mut scenario = scenario_with(&[]);
    scenario.pass(0);
    assert_eq!(scenario.server.count("/jwks"), 1);
    assert_eq!(verdict(&scenario.begin(&lasting()).decided()), ALLOWED);
}

#[test]
fn a_token_of_another_issuer_or_for_another_resource_is_refused() {
    let mut scenario = scenario_with(&[]);
    for (claim, value, reason) in [
        ("iss", "https://idp.example.com/", "wrong_issuer"),
        ("iss", "https://other.example.com", "wrong_issuer"),
        ("aud", "https://mcp.example.com/mcp", "wrong_audience"),
    ] {
        let request = request(&claims_with(&json!({ (claim): value })));
        assert_eq!(scenario.verdict(&request), (401, reason), "{claim} {value}");
    }
}

#[test]
fn the_resource_itself_is_the_audience_where_none_is_set() {
    let settings: Vec<_> = OIDC_MODE
        .iter()
        .copied()
        .filter(|(name, _)| *name != "OIDCPROXY_AUDIENCE")
        .collect();
    let mut scenario = Scenario::new(&settings);
    scenario.server.keys = vec![signer().jwk()];
    let meant_for = |audience: &str| request(&claims_with(&json!({ "aud": audience })));
    let resource = meant_for("https://mcp.example.com/mcp");
    assert_eq!(scenario.verdict(&resource), ALLOWED);
    for other in [
        "mcp",
        "https://mcp.example.com",
        "https://mcp.example.com/mcp/",
    ] {
        let refused = (401, "wrong_audience");
        assert_eq!(scenario.verdict(&meant_for(other)), refused, "{other}");
    }
}

#[test]
fn metadata_names_resource_issuer_and_scopes_and_is_open_to_every_page() {
    let mut scenario = scenario_with(&[SCOPES]);
    for path in [AT_PATH, AT_ROOT, "/.well-known/oauth-protected-resource?x"] {
        let response = response_to(&mut scenario, &Request::get(path));
        assert_eq!(response.status, 200, "{path}");
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        let expected = json!({
            "resource": "https://mcp.example.com/mcp",
            "authorization_servers": ["https://idp.example.com"],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["mcp:read", "mcp:write"],
        });
        assert_eq!(body, expected, "{path}");
        assert_eq!(field(&response, "access-control-allow-origin"), Some("*"));
    }
    assert_eq!(scenario.server.count(DOCUMENT), 1);
    let preflight = Request::new("OPTIONS", AT_PATH)
        .with("origin", "https://app.example.com")
        .with("access-control-request-method", "GET");
    assert_eq!(scenario.verdict(&preflight), (204, "preflight"));
}

#[test]
fn metadata_is_at_no_other_place_and_for_reading_only() {
    let mut scenario = scenario_with(&[]);
    let other = format!("{AT_ROOT}/other");
    assert_eq!(scenario.verdict(&Request::get(&other)), (404, "no_oauth"));
    for method in ["POST", "DELETE"] {
        let request = Request::new(method, AT_PATH);
        assert_eq!(scenario.verdict(&request), (404, "no_oauth"), "{method}");
    }
}

#[test]
fn challenges_point_to_the_metadata_and_name_the_scopes() {
    let mut scenario = scenario_with(&[SCOPES]);
    let tail = format!("{POINTER}, scope=\"mcp:read mcp:write\"");
    let bare = response_to(&mut scenario, &Request::post());
    let expected = format!("Bearer realm=\"mcp\", {tail}");
    assert_eq!(field(&bare, "www-authenticate"), Some(&*expected));
    let wrong = request(&claims_with(&json!({ "aud": "other" })));
    let wrong = response_to(&mut scenario, &wrong);
    let expected = format!("Bearer realm=\"mcp\", error=\"invalid_token\", {tail}");
    assert_eq!(field(&wrong, "www-authenticate"), Some(&*expected));
    let narrow = request(&claims_with(&json!({ "scope": "mcp:read other" })));
    let narrow = response_to(&mut scenario, &narrow);
    let expected = format!("Bearer realm=\"mcp\", error=\"insufficient_scope\", {tail}");
    assert_eq!(field(&narrow, "www-authenticate"), Some(&*expected));
    assert_eq!(
        (narrow.status, narrow.reason.name()),
        (403, "insufficient_scope")
    );
}

#[test]
fn a_request_that_cannot_be_understood_is_a_bad_one() {
    let mut scenario = scenario_with(&[SCOPES]);
    for (authorization, reason) in [
        ("Bearer", "malformed_credential"),
        ("Bearer a,Bearer b", "repeated_credential"),
    ] {
        let request = Request::post().with("authorization", authorization);
        let response = response_to(&mut scenario, &request);
        assert_eq!((response.status, response.reason.name()), (400, reason));
        let challenge = field(&response, "www-authenticate").unwrap();
        assert!(
            challenge.contains("error=\"invalid_request\""),
            "{challenge}"
        );
        assert!(challenge.contains(POINTER), "{challenge}");
    }
}

#[test]
fn only_pages_of_the_own_origin_reach_the_resource_unless_a_list_names_others() {
    let from = |origin: &str| lasting().with("origin", origin);
    let (own, foreign) = ("https://mcp.example.com", "https://evil.example.com");
    let mut scenario = scenario_with(&[]);
    assert_eq!(scenario.verdict(&lasting()), ALLOWED);
    assert_eq!(scenario.verdict(&from(own)), ALLOWED);
    for other in [foreign, "null", "", "http://mcp.example.com"] {
        let refused = (403, "origin_not_allowed");
        assert_eq!(scenario.verdict(&from(other)), refused, "{other}");
    }
    // What every page may read holds no secret.
    let metadata = Request::get(AT_PATH).with("origin", foreign);
    assert_eq!(scenario.verdict(&metadata), (200, "resource_metadata"));

    let local = ("OIDCPROXY_BASE_URL", "http://127.0.0.1:8000/mcp");
    let mut local = scenario_with(&[local]);
    for (origin, expected) in [
        ("http://localhost:6274", ALLOWED),
        (foreign, (403, "origin_not_allowed")),
    ] {
        assert_eq!(local.verdict(&from(origin)), expected, "{origin}");
    }

    let mut listed = scenario_with(&[("ZSCALER_MCP_ALLOWED_ORIGINS", foreign)]);
    assert_eq!(listed.verdict(&from(foreign)), ALLOWED);
    assert_eq!(listed.verdict(&from(own)), (403, "origin_not_allowed"));
}

#[test]
fn a_token_needs_every_required_scope_whole() {
    let mut scenario = scenario_with(&[SCOPES]);
    for scope in [
        json!("mcp:write mcp:read"),
        json!("a mcp:read mcp:write b"),
        json!(["mcp:read", "mcp:write"]),
    ] {
        let request = request(&claims_with(&json!({ "scope": scope })));
        assert_eq!(scenario.verdict(&request), ALLOWED, "{scope}");
    }
    for scope in [
        json!(null),
        json!(""),
        json!("mcp:read"),
        json!("mcp:read mcp:writes"),
        json!("MCP:READ MCP:WRITE"),
        json!("mcp:read,mcp:write"),
        json!("mcp:read\tmcp:write"),
    ] {
        let request = request(&claims_with(&json!({ "scope": scope })));
        let refused = (403, "insufficient_scope");
        assert_eq!(scenario.verdict(&request), refused, "{scope}");
        assert_eq!(scenario.verdict(&request), refused, "{scope} again");
    }
}

/// A document that cannot be believed lets nobody in and is an outage: no token is thrown away.
#[track_caller]
fn lies(document: Value) {
    let mut scenario = scenario_with(&[]);
    scenario.server.document = document.clone();
    let unavailable = (503, "call_garbage");
    assert_eq!(scenario.verdict(&lasting()), unavailable, "{document}");
    assert_eq!(scenario.verdict(&Request::get(AT_PATH)), unavailable);
    assert_eq!(scenario.server.count("/jwks"), 0, "{document}");
}

#[test]
fn a_document_that_cannot_be_believed_is_an_outage() {
    let issuer = "https://idp.example.com";
    lies(json!({ "issuer": "https://evil.example.com", "jwks_uri": JWKS_URI }));
    lies(json!({ "issuer": "https://idp.example.com/tenant", "jwks_uri": JWKS_URI }));
    lies(json!({ "issuer": issuer, "jwks_uri": "http://idp.example.com/jwks" }));
    lies(json!({ "issuer": issuer, "jwks_uri": "http://127.0.0.1/jwks" }));
    lies(json!({ "issuer": issuer, "jwks_uri": "file:///etc/passwd" }));
    lies(json!({ "issuer": issuer }));
    lies(json!({ "jwks_uri": JWKS_URI }));
    lies(json!([issuer, JWKS_URI]));
}

#[test]
fn an_outage_of_the_document_passes() {
    let mut scenario = scenario_with(&[]);
    scenario.server.outage = Some(response(502, ""));
    assert_eq!(scenario.verdict(&lasting()), (503, "call_status"));
    assert_eq!(
        scenario.verdict(&Request::get(AT_ROOT)),
        (503, "call_status")
    );
    scenario.server.outage = None;
    scenario.now += 2;
    assert_eq!(scenario.verdict(&lasting()), ALLOWED);
    assert_eq!(scenario.verdict(&Request::get(AT_ROOT)).0, 200);
}

#[test]
fn a_document_counts_for_an_hour_and_an_old_one_while_there_is_no_other() {
    let mut scenario = scenario_with(&[]);
    scenario.server.fields = vec![("cache-control", "max-age=60".into())];
    assert_eq!(scenario.verdict(&lasting()), ALLOWED);
    scenario.now = START + HOUR - 1;
    assert_eq!(scenario.verdict(&lasting()), ALLOWED);
    assert_eq!(scenario.server.count(DOCUMENT), 1);
    scenario.server.document = json!({ "issuer": "https://evil.example.com", "jwks_uri": "x" });
    scenario.now = START + 2 * HOUR;
    assert_eq!(scenario.verdict(&lasting()), ALLOWED, "with the old one");
    assert_eq!(scenario.server.count(DOCUMENT), 2);
}

#[test]
fn keys_are_fetched_where_the_document_says_now() {
    let mut scenario = scenario_with(&[]);
    assert_eq!(scenario.verdict(&lasting()), ALLOWED);
    let moved = "https://keys.example.com/jwks";
    scenario.server.document["jwks_uri"] = moved.into();
    scenario.now = START + 2 * HOUR;
    assert_eq!(scenario.verdict(&lasting()), ALLOWED);
    assert_eq!(scenario.server.last_call().url.to_string(), moved);
}

#[test]
fn those_who_left_cancel_neither_call() {
    let mut scenario = scenario_with(&[]);
    let (first, second) = (scenario.begin(&lasting()), scenario.begin(&lasting()));
    let (first, second) = (first.parked(), second.parked());
    scenario.leave(first);
    let decided = scenario.finish_calls();
    assert_eq!(verdict(&decided[&second]), ALLOWED);
}

#[test]
fn mode_jwt_has_the_metadata_too_when_a_base_url_is_set() {
    let base = ("OIDCPROXY_BASE_URL", "https://mcp.example.com/mcp");
    let mut scenario = Scenario::with(JWT_MODE, &[base]);
    let response = response_to(&mut scenario, &Request::get(AT_PATH));
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(
        body["authorization_servers"],
        json!(["https://idp.example.com"])
    );
    let bare = response_to(&mut scenario, &Request::post());
    let expected = format!("Bearer realm=\"mcp\", {POINTER}");
    assert_eq!(field(&bare, "www-authenticate"), Some(&*expected));
    let mut without = Scenario::new(JWT_MODE);
    assert_eq!(without.verdict(&Request::get(AT_PATH)), (404, "no_oauth"));
}

#[test]
fn settings_that_would_be_unsafe_or_useless_are_refused() {
    let document = "https://idp.example.com/.well-known/openid-configuration";
    let base = "https://mcp.example.com/mcp";
    let check = |more: &[(&str, &str)], setting: &str| {
        let mut settings = Settings::default();
        let mode = [
            ("PORTCULLIS_STATE_KEYS", STATE_KEY),
            ("ZSCALER_MCP_AUTH_MODE", "oidc"),
        ];
        settings.read_environment(mode.iter().chain(more).copied());
        let error = resolve(&settings, Site::Filter).expect_err(setting);
        assert!(error.to_string().contains(setting), "{error}");
    };
    check(&[("OIDCPROXY_BASE_URL", base)], "OIDCPROXY_CONFIG_URL");
    check(&[("OIDCPROXY_CONFIG_URL", document)], "OIDCPROXY_BASE_URL");
    for bad in [
        "http://idp.example.com/.well-known/openid-configuration",
        "https://idp.example.com/",
        "https://idp.example.com/openid-configuration",
    ] {
        let settings = [("OIDCPROXY_CONFIG_URL", bad), ("OIDCPROXY_BASE_URL", base)];
        check(&settings, "OIDCPROXY_CONFIG_URL");
    }
    for bad in [
        "http://mcp.example.com/mcp",
        "https://mcp.example.com/mcp?x=1",
        "mcp",
    ] {
        let settings = [
            ("OIDCPROXY_CONFIG_URL", document),
            ("OIDCPROXY_BASE_URL", bad),
        ];
        check(&settings, "OIDCPROXY_BASE_URL");
    }
    for (name, bad) in [
        ("OIDCPROXY_AUDIENCE", ","),
        ("OIDCPROXY_REQUIRED_SCOPES", "a\"b"),
    ] {
        let settings = [
            ("OIDCPROXY_CONFIG_URL", document),
            ("OIDCPROXY_BASE_URL", base),
            (name, bad),
        ];
        check(&settings, name);
    }
    let jwt = [
        ("ZSCALER_MCP_AUTH_MODE", "jwt"),
        ("ZSCALER_MCP_AUTH_JWKS_URI", JWKS_URI),
    ];
    check(
        &[&jwt[..], &[("OIDCPROXY_BASE_URL", base)]].concat(),
        "OIDCPROXY_BASE_URL",
    );
    check(
        &[&jwt[..], &[("OIDCPROXY_REQUIRED_SCOPES", "a")]].concat(),
        "OIDCPROXY_BASE_URL",
    );
}
