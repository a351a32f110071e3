//! Reasons that tell apart what a client cannot: each is brought about once.

use portcullis_core::CallFailure;
use serde_json::json;

use crate::request::Request;
use crate::sign_in::{Browser, Client, REDIRECT, gateway};
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
