//! Mode `jwt`: one token.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis_core::jose::{Algorithm, PortableVerifier, PublicKey, SignatureVerifier};
use serde_json::{Value, json};

use crate::request::Request;
use crate::signer::{Signer, claims, claims_with};
use crate::support::{JWT_MODE, START, Scenario, edited, field, verdict};

const ALLOWED: (u16, &str) = (200, "allowed");

fn signer() -> Signer {
    Signer::ed_dsa("a", 1)
}

fn scenario_of(keys: &[Value], more: &[(&str, &str)]) -> Scenario {
    let mut scenario = Scenario::with(JWT_MODE, more);
    scenario.server.keys = keys.to_vec();
    scenario.pass(0);
    scenario
}

fn scenario() -> Scenario {
    scenario_of(&[signer().jwk()], &[])
}

#[track_caller]
fn check(token: &str, expected: (u16, &str)) {
    assert_eq!(scenario().verdict(&Request::post().bearer(token)), expected);
}

#[track_caller]
fn claim(members: &Value, expected: (u16, &str)) {
    let token = signer().sign(&claims_with(members));
    let verdict = scenario().verdict(&Request::post().bearer(&token));
    assert_eq!(verdict, expected, "{members}");
}

#[test]
fn every_kind_of_key_admits_its_own_tokens() {
    let signers = [
        Signer::ed_dsa("a", 1),
        Signer::es256("b", 2),
        Signer::rs256("c"),
    ];
    let keys: Vec<Value> = signers.iter().map(Signer::jwk).collect();
    let mut scenario = scenario_of(&keys, &[]);
    for signer in &signers {
        let token = signer.token();
        assert_eq!(scenario.verdict(&Request::post().bearer(&token)), ALLOWED);
        let forged = Signer::ed_dsa("a", 9).sign_as(
            &json!({ "alg": signer.algorithm(), "kid": signer.kid }),
            &claims(),
        );
        let refused = scenario.verdict(&Request::post().bearer(&forged));
        assert_eq!(refused, (401, "bad_signature"), "{}", signer.kid);
    }
}

#[test]
fn only_listed_algorithms_count() {
    let es256 = Signer::es256("b", 2);
    let more = [("ZSCALER_MCP_AUTH_ALGORITHMS", "ES256, RS256")];
    let mut scenario = scenario_of(&[signer().jwk(), es256.jwk()], &more);
    assert_eq!(
        scenario.verdict(&Request::post().bearer(&es256.token())),
        ALLOWED
    );
    let refused = scenario.verdict(&Request::post().bearer(&signer().token()));
    assert_eq!(refused, (401, "unacceptable_algorithm"));
}

#[test]
fn times_are_checked_with_the_leeway() {
    claim(&json!({ "exp": null }), (401, "missing_expiry"));
    claim(&json!({ "exp": START - 29 }), ALLOWED);
    claim(&json!({ "exp": START - 30 }), (401, "expired"));
    claim(
        &json!({ "exp": START + 100, "nbf": START + 30, "iat": START + 30 }),
        ALLOWED,
    );
    claim(&json!({ "nbf": START + 31 }), (401, "not_yet_valid"));
    claim(&json!({ "iat": START + 31 }), (401, "issued_in_future"));
    claim(&json!({ "nbf": null, "iat": null }), ALLOWED);
    claim(&json!({ "exp": 1_800_000_000.5 }), ALLOWED);
    claim(&json!({ "exp": u64::MAX, "iat": 0, "nbf": 0 }), ALLOWED);
    for odd in [
        json!("1900000000"),
        json!(-1),
        json!(1e300),
        json!([1]),
        json!(true),
    ] {
        claim(&json!({ "exp": odd }), (401, "malformed_claims"));
        claim(&json!({ "nbf": odd }), (401, "malformed_claims"));
    }
}

#[test]
fn the_leeway_is_a_setting() {
    let mut scenario = scenario_of(&[signer().jwk()], &[("PORTCULLIS_LEEWAY_SECONDS", "0")]);
    for (exp, expected) in [(START, (401, "expired")), (START + 1, ALLOWED)] {
        let token = signer().sign(&claims_with(&json!({ "exp": exp })));
        assert_eq!(scenario.verdict(&Request::post().bearer(&token)), expected);
    }
}

#[test]
fn issuer_and_audience_must_be_the_configured_ones() {
    claim(
        &json!({ "iss": "https://idp.example.com/" }),
        (401, "wrong_issuer"),
    );
    claim(&json!({ "iss": null }), (401, "wrong_issuer"));
    claim(
        &json!({ "iss": ["https://idp.example.com"] }),
        (401, "malformed_claims"),
    );
    claim(&json!({ "aud": "mcpx" }), (401, "wrong_audience"));
    claim(&json!({ "aud": null }), (401, "wrong_audience"));
    claim(&json!({ "aud": ["other", "mcp"] }), ALLOWED);
    claim(&json!({ "aud": [] }), (401, "wrong_audience"));
    claim(&json!({ "aud": ["mcp", 7] }), (401, "malformed_claims"));
}

#[test]
fn issuer_and_audience_may_be_lists_and_are_optional() {
    let lists = [
        (
            "ZSCALER_MCP_AUTH_ISSUER",
            "https://one.example.com, https://two.example.com",
        ),
        ("ZSCALER_MCP_AUTH_AUDIENCE", "x, y"),
    ];
    let mut scenario = scenario_of(&[signer().jwk()], &lists);
    let token = signer().sign(&claims_with(
        &json!({ "iss": "https://two.example.com", "aud": "y" }),
    ));
    assert_eq!(scenario.verdict(&Request::post().bearer(&token)), ALLOWED);

    let settings = &JWT_MODE[..1];
    let binding = [("PORTCULLIS_SESSION_BINDING", "off")];
    let mut open = Scenario::with(settings, &binding);
    open.server.keys = vec![signer().jwk()];
    let token = signer().sign(&claims_with(&json!({ "iss": null, "aud": null })));
    assert_eq!(open.verdict(&Request::post().bearer(&token)), ALLOWED);
}

#[test]
fn a_token_without_a_key_name_works_when_exactly_one_key_fits() {
    let header = json!({ "alg": "EdDSA" });
    let request = Request::post().bearer(&signer().sign_as(&header, &claims()));
    let other_type = Signer::es256("b", 2).jwk();
    let mut one = scenario_of(&[signer().jwk(), other_type], &[]);
    assert_eq!(one.verdict(&request), ALLOWED);
    let mut two = scenario_of(&[signer().jwk(), Signer::ed_dsa("z", 9).jwk()], &[]);
    assert_eq!(two.verdict(&request), (401, "unknown_key"));
}

#[test]
fn two_keys_of_one_name_are_both_tried() {
    let keys = [
        Signer::ed_dsa("a", 9).jwk(),
        signer().jwk(),
        Signer::es256("a", 2).jwk(),
    ];
    let mut scenario = scenario_of(&keys, &[]);
    assert_eq!(
        scenario.verdict(&Request::post().bearer(&signer().token())),
        ALLOWED
    );
}

#[test]
fn only_bearer_tokens_count() {
    let token = signer().token();
    let mut scenario = scenario();
    for (request, reason) in [
        (Request::post(), "missing_credentials"),
        (
            Request::post().with("authorization", ""),
            "missing_credentials",
        ),
        (
            Request::post().with("x-api-key", &token),
            "missing_credentials",
        ),
        (
            Request::post().with("cookie", format!("token={token}")),
            "missing_credentials",
        ),
        (
            Request::new("POST", format!("/mcp?access_token={token}")),
            "missing_credentials",
        ),
        (
            Request::post().with("authorization", &token),
            "malformed_credential",
        ),
        (
            Request::post().with("authorization", format!("Basic {token}")),
            "unsupported_scheme",
        ),
        (
            Request::post().with("authorization", format!("DPoP {token}")),
            "unsupported_scheme",
        ),
        (
            Request::post().bearer(&token).bearer(&token),
            "repeated_credential",
        ),
    ] {
        assert_eq!(scenario.verdict(&request), (401, reason));
    }
}

struct Counting {
    checks: Arc<AtomicUsize>,
    verifier: PortableVerifier,
}

impl SignatureVerifier for Counting {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        self.checks.fetch_add(1, Ordering::Relaxed);
        self.verifier.verify(algorithm, key, message, signature)
    }

    fn name(&self) -> &'static str {
        "counting"
    }
}

#[test]
fn a_result_is_kept_until_the_token_expires_and_no_longer() {
    let checks = Arc::new(AtomicUsize::new(0));
    let verifier = Box::new(Counting {
        checks: Arc::clone(&checks),
        verifier: PortableVerifier::new(),
    });
    let mut scenario = Scenario::verifying(JWT_MODE, &[], verifier);
    scenario.server.keys = vec![signer().jwk()];
    let token = signer().sign(&claims_with(&json!({ "exp": START + 600 })));
    let request = Request::post().bearer(&token);
    scenario.admit(&request);
    for _ in 0..62 {
        assert_eq!(verdict(&scenario.begin(&request).decided()), ALLOWED);
        scenario.pass(10);
    }
    assert_eq!(checks.load(Ordering::Relaxed), 1);
    scenario.pass(9);
    assert_eq!(verdict(&scenario.begin(&request).decided()), ALLOWED);
    scenario.pass(1);
    assert_eq!(scenario.verdict(&request), (401, "expired"));
}

#[test]
fn the_protected_resource_is_told_who_calls() {
    let members = json!({
        "sub": "alice ☂\r\nx-mcp-auth-mode: none", "client_id": "cli", "scope": "read  write",
    });
    let request = Request::post()
        .bearer(&signer().sign(&claims_with(&members)))
        .with("x-mcp-auth-subject", "mallory")
        .with("x-api-key", "kept: not of this mode");
    let forward = scenario().admit(&request);
    let headers = edited(&request.headers, &forward.request);
    for (name, value) in [
        ("authorization", None),
        ("x-api-key", Some("kept: not of this mode")),
        ("x-mcp-auth-mode", Some("jwt")),
        (
            "x-mcp-auth-principal",
            Some("alice%20%E2%98%82%0D%0Ax-mcp-auth-mode:%20none"),
        ),
        (
            "x-mcp-auth-subject",
            Some("alice%20%E2%98%82%0D%0Ax-mcp-auth-mode:%20none"),
        ),
        ("x-mcp-auth-issuer", Some("https://idp.example.com")),
        ("x-mcp-auth-client", Some("cli")),
        ("x-mcp-auth-scope", Some("read write")),
    ] {
        assert_eq!(field(&headers, name), value, "{name}");
    }
}

#[test]
fn the_caller_is_the_subject_or_else_the_client() {
    for (members, name) in [
        (json!({ "azp": "app" }), "alice"),
        (json!({ "sub": null, "azp": "app" }), "app"),
        (json!({ "sub": null, "appid": "app" }), "app"),
        (json!({ "sub": "", "client_id": "app" }), "app"),
        (json!({ "sub": null }), "unknown"),
    ] {
        let request = Request::post().bearer(&signer().sign(&claims_with(&members)));
        let forward = scenario().admit(&request);
        let headers = edited(&request.headers, &forward.request);
        assert_eq!(
            field(&headers, "x-mcp-auth-principal"),
            Some(name),
            "{members}"
        );
    }
}

#[test]
fn an_identity_too_long_to_be_sent_is_refused_and_not_cut() {
    check(
        &signer().sign(&claims_with(&json!({ "sub": "x".repeat(2049) }))),
        (401, "malformed_claims"),
    );
    claim(&json!({ "sub": "x".repeat(2048) }), ALLOWED);
}
