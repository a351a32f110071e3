//! Reasons that tell apart what a client cannot: each is brought about once.

use portcullis_core::CallFailure;
use serde_json::json;

use crate::request::Request;
use crate::sign_in::{
    Browser, Client, REDIRECT, callback, decide, document, gateway, header, tokens,
};
use crate::signer::Signer;
use crate::support::{JWT_MODE, Scenario, ZSCALER_MODE, verdict};

#[test]
fn a_call_that_fails_is_told_by_how_it_failed() {
    for (failure, reason) in [
        (CallFailure::NotSent, "call_not_sent"),
        (CallFailure::Unreachable, "call_unreachable"),
        (CallFailure::TimedOut, "call_timed_out"),
        (CallFailure::Cut, "call_cut"),
        (CallFailure::TooLarge, "call_too_large"),
    ] {
        let mut scenario = Scenario::new(ZSCALER_MODE);
        let ticket = scenario
            .begin(&Request::post().pair("id", "secret"))
            .parked();
        let (_, pending) = scenario.take_call();
        let decided = scenario.finish(pending, Err(failure));
        assert_eq!(verdict(&decided[&ticket]), (503, reason));
    }
}

#[test]
fn tokens_are_told_by_what_is_wrong_with_them_before_any_key_is_needed() {
    let mut scenario = Scenario::new(JWT_MODE);
    let large = "x".repeat(17 * 1024);
    let verdict = scenario.verdict(&Request::post().bearer(&large));
    assert_eq!(verdict, (401, "token_too_large"));
    let header = json!({ "alg": "EdDSA", "kid": "a", "crit": ["exp"] });
    let critical = Signer::ed_dsa("a", 9).sign_as(&header, &json!({}));
    let verdict = scenario.verdict(&Request::post().bearer(&critical));
    assert_eq!(verdict, (401, "unacceptable_token_header"));
}

#[test]
fn answers_of_the_authorization_server_are_told_apart_too() {
    let mut scenario = gateway(&[]);
    let metadata = Request::get("/.well-known/oauth-authorization-server");
    assert_eq!(scenario.verdict(&metadata), (200, "server_metadata"));
    let client = Client::register(&mut scenario, &[REDIRECT]);
    let mut browser = Browser::default();
    client.consent(&mut scenario, &mut browser);
    let nameless = browser.send(&mut scenario, Request::get("/auth/callback?code=x"));
    assert_eq!(
        (nameless.status, nameless.reason.name()),
        (400, "callback_malformed")
    );
}

#[test]
fn a_provider_that_takes_no_way_to_show_a_secret_is_asked_for_no_token() {
    let mut scenario = gateway(&[]);
    scenario.server.document = document();
    scenario.server.document["token_endpoint_auth_methods_supported"] = json!(["private_key_jwt"]);
    let client = Client::register(&mut scenario, &[REDIRECT]);
    let code = client.code(&mut scenario, &mut Browser::default());
    let verdict = scenario.verdict(&client.token_request(&code, &[]));
    assert_eq!(verdict, (503, "idp_client_authentication"));
    assert_eq!(scenario.server.count("/oidc/token"), 0, "the code is kept");
}

#[test]
fn tokens_that_do_not_fit_into_ours_are_told_apart_from_an_outage() {
    for (octets, expected) in [
        (8_000, (200, "tokens_issued")),
        (13_000, (503, "idp_tokens_too_large")),
        (70_000, (503, "idp_tokens_too_large")),
    ] {
        let mut scenario = gateway(&[]);
        let client = Client::register(&mut scenario, &[REDIRECT]);
        let mut browser = Browser::default();
        let asked = client.consent(&mut scenario, &mut browser);
        let back = browser.send(&mut scenario, callback(&asked["state"], "idp-code"));
        let back = crate::sign_in::query(header(&back, "location").unwrap());
        let claims = crate::sign_in::id_claims(&scenario, &asked["nonce"]);
        scenario.server.tokens = tokens(Some(&claims), Some(&"r".repeat(octets)));
        let verdict = scenario.verdict(&client.token_request(&back["code"], &[]));
        assert_eq!(verdict, expected, "{octets}");
    }
}

#[test]
fn no_browser_is_sent_to_an_address_that_is_too_long_for_one() {
    // To the client, with the code of a provider that makes long ones.
    for (octets, expected) in [
        (4_000, (303, "code_issued")),
        (6_000, (502, "location_too_long")),
    ] {
        let mut scenario = gateway(&[]);
        let client = Client::register(&mut scenario, &[REDIRECT]);
        let mut browser = Browser::default();
        let asked = client.consent(&mut scenario, &mut browser);
        let back = callback(&asked["state"], &"c".repeat(octets));
        let back = browser.send(&mut scenario, back);
        assert_eq!((back.status, back.reason.name()), expected, "{octets}");
        assert_eq!(header(&back, "location").is_some(), expected.0 == 303);
    }
    // To the provider, whose endpoint has a long query.
    let mut scenario = gateway(&[]);
    let long = format!("https://idp.example.com/authorize?{}", "q".repeat(8_000));
    scenario.server.document["authorization_endpoint"] = long.into();
    let client = Client::register(&mut scenario, &[REDIRECT]);
    let mut browser = Browser::default();
    let request = client.ask(&mut scenario, &mut browser);
    let answer = browser.send(&mut scenario, decide(&request, "approve"));
    assert_eq!(
        (answer.status, answer.reason.name()),
        (502, "location_too_long")
    );
}
