//! What is explained of a request is what the engine decides of it.

use portcullis_core::explain::explain;
use portcullis_core::explain::{Cause, Ending, Explanation, Given, Missing, Outcome, Secrets};
use portcullis_core::{Reason, UnixSeconds};
use serde_json::{Value, json};

use crate::request::Request;
use crate::signer::{Signer, claims, claims_with};
use crate::support::{
    API_KEY, API_KEY_MODE, JWT_MODE, NONE_MODE, OIDC_MODE, START, Scenario, ZSCALER_MODE, resolved,
    verdict,
};

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn signer() -> Signer {
    Signer::ed_dsa("a", 1)
}

fn jwks() -> Vec<u8> {
    json!({ "keys": [signer().jwk()] }).to_string().into()
}

fn explained(
    mode: Pairs<'_>,
    more: Pairs<'_>,
    request: &Request,
    given: &Given<'_>,
) -> Explanation {
    let resolution = resolved(mode, more);
    request.lend(|head| explain(&resolution, head, given))
}

fn known(jwks: Option<&[u8]>) -> Given<'_> {
    Given {
        jwks,
        secrets: Secrets::Known,
        now: UnixSeconds(START),
    }
}

/// The reason of the first check that failed.
fn failure(explanation: &Explanation) -> Option<Reason> {
    let mut failed = explanation
        .checks
        .iter()
        .filter_map(|check| match check.outcome {
            Outcome::Failed(reason) => Some(reason),
            Outcome::Passed | Outcome::Open | Outcome::Note => None,
        });
    failed.next()
}

#[track_caller]
fn check(mode: Pairs<'_>, more: Pairs<'_>, request: &Request) {
    let keys = jwks();
    let explanation = explained(mode, more, request, &known(Some(&keys)));
    let mut scenario = Scenario::with(mode, more);
    scenario.server.keys = vec![signer().jwk()];
    let expected = scenario.verdict(request);
    let Ending::Decided(decision) = &explanation.ending else {
        panic!("{expected:?}: {explanation:#?}");
    };
    assert_eq!(verdict(decision), expected, "{explanation:#?}");
    if expected.0 == 200 {
        assert_eq!(failure(&explanation), None, "{explanation:#?}");
    } else {
        assert_eq!(
            failure(&explanation),
            Some(decision.reason()),
            "{explanation:#?}"
        );
        assert!(Cause::of(decision.reason()).is_some(), "{}", expected.1);
    }
}

/// Requests with every fault that a token can have, and one without.
fn tokens() -> Vec<String> {
    let other = Signer::es256("b", 2);
    let signer = signer();
    let with = |members: &Value| signer.sign(&claims_with(members));
    let header = |header: &Value| signer.sign_as(header, &claims());
    vec![
        signer.token(),
        other.token(),
        Signer::ed_dsa("a", 9).token(),
        with(&json!({ "exp": null })),
        with(&json!({ "exp": START - 30 })),
        with(&json!({ "nbf": START + 31 })),
        with(&json!({ "iat": START + 31 })),
        with(&json!({ "iss": "https://other.example.com" })),
        with(&json!({ "aud": ["other", "another"] })),
        with(&json!({ "exp": "tomorrow" })),
        header(&json!({ "alg": "HS256", "kid": "a" })),
        header(&json!({ "alg": "ES256", "kid": "a" })),
        header(&json!({ "alg": "EdDSA", "jwk": {} })),
        header(&json!({ "alg": "EdDSA" })),
        "opaque".to_owned(),
        "a".repeat(20_000),
    ]
}

#[test]
fn a_token_is_explained_as_it_is_decided() {
    for token in tokens() {
        let request = Request::post().bearer(&token);
        check(JWT_MODE, &[], &request);
        check(OIDC_MODE, &[], &request);
    }
    let scopes = [("OIDCPROXY_REQUIRED_SCOPES", "mcp:tools")];
    for scope in ["mcp:tools other", "other"] {
        let token = signer().sign(&claims_with(&json!({ "scope": scope })));
        check(OIDC_MODE, &scopes, &Request::post().bearer(&token));
    }
}

#[test]
fn rules_and_credentials_are_explained_as_they_are_decided() {
    let rules: &[(&str, &str)] = &[
        ("ZSCALER_MCP_ALLOWED_HOSTS", "mcp.example.com"),
        ("ZSCALER_MCP_ALLOWED_ORIGINS", "https://app.example.com"),
        ("ZSCALER_MCP_ALLOWED_SOURCE_IPS", "192.0.2.0/24"),
        ("PORTCULLIS_TRUSTED_PROXIES", "192.0.2.9"),
    ];
    let good = Request::post().bearer(API_KEY);
    let requests = [
        good.clone(),
        good.clone().host("other.example.com"),
        good.clone().host(""),
        good.clone().peer("198.51.100.1"),
        good.clone()
            .peer("192.0.2.9")
            .with("x-forwarded-for", "198.51.100.1"),
        good.clone().with("origin", "https://app.example.com"),
        good.clone().with("origin", "https://evil.example.com"),
        good.with("mcp-session-id", "stolen"),
        Request::post(),
        Request::post().with("x-api-key", API_KEY),
        Request::post().with("authorization", "Basic eDp5"),
        Request::post().with("authorization", "Bearer"),
        Request::post().bearer("a,b"),
        Request::post().bearer("wrong"),
    ];
    for request in &requests {
        check(API_KEY_MODE, rules, request);
        check(NONE_MODE, rules, request);
    }
    for request in [
        Request::post(),
        Request::post().bearer("x"),
        Request::post().pair("", "s"),
    ] {
        check(ZSCALER_MODE, &[], &request);
    }
}

#[track_caller]
fn open(
    mode: Pairs<'_>,
    request: &Request,
    given: &Given<'_>,
    expected: (Missing, Option<Reason>),
) -> Explanation {
    let rules = [("ZSCALER_MCP_ALLOWED_SOURCE_IPS", "192.0.2.0/24")];
    let explanation = explained(mode, &rules, request, given);
    match explanation.ending {
        Ending::Open {
            missing,
            refused_anyway,
        } => assert_eq!((missing, refused_anyway), expected, "{explanation:#?}"),
        Ending::Decided(_) => panic!("{explanation:#?}"),
    }
    explanation
}

#[test]
fn what_is_not_known_is_left_open() {
    let token = |members| Request::post().bearer(&signer().sign(&claims_with(&members)));
    let good = token(json!({}));
    let old = token(json!({ "exp": 1 }));
    open(JWT_MODE, &good, &known(None), (Missing::Jwks, None));
    open(
        JWT_MODE,
        &good,
        &known(Some(b"<html>")),
        (Missing::Jwks, None),
    );
    open(
        JWT_MODE,
        &old,
        &known(None),
        (Missing::Jwks, Some(Reason::Expired)),
    );
    let pair = Request::post().pair("id", "hunter2");
    let explanation = open(
        ZSCALER_MODE,
        &pair,
        &known(None),
        (Missing::TokenEndpoint, None),
    );
    assert!(!format!("{explanation:?}").contains("hunter2"));
    let hidden = Given {
        secrets: Secrets::Hidden,
        ..known(None)
    };
    let key = Request::post().bearer("some key");
    open(API_KEY_MODE, &key, &hidden, (Missing::Secret, None));
    let mut nowhere = key;
    nowhere.peer = None;
    open(
        API_KEY_MODE,
        &nowhere,
        &known(None),
        (Missing::Address, Some(Reason::WrongApiKey)),
    );
    open(
        API_KEY_MODE,
        &Request::get("/ready"),
        &known(None),
        (Missing::Calls, None),
    );
}

#[test]
fn claims_are_shown_as_they_are_written_whatever_the_signature() {
    let request = Request::post().bearer(&Signer::ed_dsa("a", 9).token());
    let keys = jwks();
    let explanation = explained(JWT_MODE, &[], &request, &known(Some(&keys)));
    let token = explanation.token.unwrap();
    let shown: Value = serde_json::from_str(&token.claims).unwrap();
    assert_eq!(shown, claims());
    assert_eq!(token.header, r#"{"alg":"EdDSA","kid":"a"}"#);
    let exp = explanation
        .checks
        .iter()
        .find(|check| check.subject == "exp")
        .unwrap();
    assert_eq!(
        exp.text,
        "2027-01-15T09:00:00Z, in 60 min; clock 2027-01-15T08:00:00Z, 30 s allowed"
    );
}

#[test]
fn an_issuer_with_a_slash_at_its_end_is_taken_for_the_documents() {
    let token = signer().sign(&claims_with(&json!({ "iss": "https://idp.example.com/" })));
    let keys = jwks();
    let request = Request::post().bearer(&token);
    let explanation = explained(OIDC_MODE, &[], &request, &known(Some(&keys)));
    assert!(
        matches!(explanation.ending, Ending::Decided(decision) if decision.reason() == Reason::Allowed)
    );
}
