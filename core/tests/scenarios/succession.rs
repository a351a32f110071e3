//! Engines whose settings were changed: what the next one need not ask again.

use serde_json::json;

use crate::request::Request;
use crate::signer::{Signer, claims, claims_with};
use crate::support::{API_KEY_MODE, JWT_MODE, OIDC_MODE, Scenario, ZSCALER_MODE};

const ALLOWED: (u16, &str) = (200, "allowed");

/// Has an engine with other settings take the place of that of `earlier`, at the same time.
fn next(earlier: &mut Scenario, settings: &[(&str, &str)], more: &[(&str, &str)]) -> Scenario {
    let mut later = Scenario::with(settings, more);
    later.now = earlier.now;
    later.server.keys = earlier.server.keys.clone();
    later.engine.succeed(&mut earlier.engine);
    later
}

fn token() -> Request {
    Request::post().bearer(&Signer::ed_dsa("a", 1).sign(&claims()))
}

fn admitting(settings: &[(&str, &str)]) -> Scenario {
    let mut scenario = Scenario::new(settings);
    scenario.server.keys = vec![Signer::ed_dsa("a", 1).jwk()];
    assert_eq!(scenario.verdict(&token()), ALLOWED);
    scenario
}

#[test]
fn tokens_and_keys_outlast_a_change_of_something_else() {
    let mut earlier = admitting(JWT_MODE);
    let hosts = ("ZSCALER_MCP_ALLOWED_HOSTS", "*");
    let mut later = next(&mut earlier, JWT_MODE, &[hosts]);
    assert_eq!(later.verdict(&token()), ALLOWED);
    assert_eq!(later.server.count("/jwks"), 0);
    assert_eq!(later.engine.observe().cache.unwrap().hits, 1);
}

#[test]
fn tokens_are_checked_again_by_other_rules_with_the_keys_at_hand() {
    for (name, value, expected) in [
        (
            "ZSCALER_MCP_AUTH_AUDIENCE",
            "other",
            (401, "wrong_audience"),
        ),
        (
            "ZSCALER_MCP_AUTH_ISSUER",
            "https://other.example",
            (401, "wrong_issuer"),
        ),
        (
            "ZSCALER_MCP_AUTH_ALGORITHMS",
            "RS256",
            (401, "unacceptable_algorithm"),
        ),
        ("PORTCULLIS_CACHE_ENTRIES", "7", ALLOWED),
    ] {
        let mut earlier = admitting(JWT_MODE);
        let mut later = next(&mut earlier, JWT_MODE, &[(name, value)]);
        assert_eq!(later.verdict(&token()), expected, "{name}");
        assert_eq!(later.server.count("/jwks"), 0, "{name}");
    }
}

#[test]
fn keys_of_another_place_are_fetched() {
    let mut earlier = admitting(JWT_MODE);
    let elsewhere = ("ZSCALER_MCP_AUTH_JWKS_URI", "https://new.example.com/jwks");
    let mut later = next(&mut earlier, JWT_MODE, &[elsewhere]);
    later.begin(&token()).waits();
}

#[test]
fn the_issuer_of_the_discovery_document_still_counts() {
    let mut earlier = admitting(OIDC_MODE);
    let mut later = next(&mut earlier, OIDC_MODE, &[]);
    let foreign = claims_with(&json!({ "iss": "https://evil.example.com" }));
    let foreign = Request::post().bearer(&Signer::ed_dsa("a", 1).sign(&foreign));
    assert_eq!(later.verdict(&foreign), (401, "wrong_issuer"));
    assert_eq!(later.verdict(&token()), ALLOWED);
    assert_eq!(later.server.count("/jwks"), 0);
}

#[test]
fn the_earlier_engine_finishes_what_it_began() {
    let mut earlier = admitting(JWT_MODE);
    let new = Signer::ed_dsa("b", 2);
    earlier.server.keys.push(new.jwk());
    let late = Request::post().bearer(&new.sign(&claims()));
    let ticket = earlier.begin(&late).parked();
    let mut later = next(&mut earlier, JWT_MODE, &[]);
    let decided = earlier.finish_calls();
    assert_eq!(crate::support::verdict(&decided[&ticket]), ALLOWED);
    assert_eq!(later.verdict(&token()), ALLOWED);
}

#[test]
fn a_new_key_is_fetched_at_once_where_the_fetch_of_the_earlier_engine_comes_too_late() {
    let mut earlier = admitting(JWT_MODE);
    let new = Signer::ed_dsa("b", 2);
    earlier.server.keys.push(new.jwk());
    let late = Request::post().bearer(&new.sign(&claims()));
    earlier.begin(&late).parked();
    let mut later = next(&mut earlier, JWT_MODE, &[]);
    assert_eq!(later.verdict(&late), ALLOWED);
    assert_eq!(later.server.count("/jwks"), 1);
}

#[test]
fn client_credentials_are_known_to_the_same_token_endpoint_only() {
    let pair = Request::post().pair("the-client", "right");
    for (more, calls) in [
        (("ZSCALER_MCP_ALLOWED_HOSTS", "*"), 0),
        (
            ("PORTCULLIS_TOKEN_URL", "https://other.example.com/token"),
            1,
        ),
    ] {
        let mut earlier = Scenario::new(ZSCALER_MODE);
        earlier.server.register("the-client", "right");
        assert_eq!(earlier.verdict(&pair), ALLOWED);
        let mut later = next(&mut earlier, ZSCALER_MODE, &[more]);
        later.server.register("the-client", "right");
        assert_eq!(later.verdict(&pair), ALLOWED);
        assert_eq!(later.server.count("/token"), calls, "{more:?}");
    }
}

#[test]
fn the_last_use_of_a_key_is_not_forgotten() {
    let mut earlier = Scenario::new(API_KEY_MODE);
    let key = API_KEY_MODE
        .iter()
        .find(|(name, _)| name.ends_with("API_KEY"));
    let request = Request::post().bearer(key.unwrap().1);
    assert_eq!(earlier.verdict(&request), ALLOWED);
    let used = earlier.engine.api_keys();
    let used = used.statuses().next().unwrap().last_used;
    assert!(used.is_some());
    let later = next(
        &mut earlier,
        API_KEY_MODE,
        &[("ZSCALER_MCP_ALLOWED_HOSTS", "*")],
    );
    let kept = later.engine.api_keys();
    assert_eq!(kept.statuses().next().unwrap().last_used, used);
}

#[test]
fn another_mode_inherits_nothing() {
    let mut earlier = admitting(JWT_MODE);
    let mut later = next(&mut earlier, API_KEY_MODE, &[]);
    assert_eq!(later.verdict(&token()), (401, "wrong_api_key"));
}
