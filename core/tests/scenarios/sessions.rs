//! `Mcp-Session-Id`, bound to the principal in every mode that has one.

use portcullis_core::Forward;
use serde_json::json;

use crate::request::Request;
use crate::signer::{Signer, claims_with};
use crate::support::{
    API_KEY, API_KEY_MODE, JWT_MODE, MODES, NONE_MODE, STATE_KEY, Scenario, ZSCALER_MODE, edited,
    field, verdict,
};

const ALLOWED: (u16, &str) = (200, "allowed");
const NOT_FOUND: (u16, &str) = (404, "session_not_found");

const OTHER_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

/// Returns a request of one of two callers in the mode of `settings`.
fn caller(settings: &[(&str, &str)], who: &str) -> Request {
    let post = Request::post();
    if settings == API_KEY_MODE {
        post.bearer(API_KEY)
    } else if settings == JWT_MODE {
        let claims = claims_with(&json!({ "sub": who }));
        post.bearer(&Signer::ed_dsa("a", 1).sign(&claims))
    } else if settings == ZSCALER_MODE {
        post.pair(who, "secret")
    } else {
        post
    }
}

fn scenario(settings: &[(&str, &str)], more: &[(&str, &str)]) -> Scenario {
    let mut scenario = Scenario::with(settings, more);
    scenario.server.keys = vec![Signer::ed_dsa("a", 1).jwk()];
    scenario.server.register("alice", "secret");
    scenario.server.register("bob", "secret");
    scenario
}

/// Returns the id that a client sees when the protected resource makes the session `id`.
fn seen(forward: &Forward, id: &str) -> String {
    let response = [("mcp-session-id".to_owned(), id.as_bytes().to_vec())];
    let lent = [("mcp-session-id", id.as_bytes())];
    let headers = edited(&response, &forward.response_edits(&lent));
    field(&headers, "mcp-session-id").unwrap().to_owned()
}

/// Returns the id that the protected resource sees when the client presents `id`.
#[track_caller]
fn passed_on(scenario: &mut Scenario, request: &Request) -> Option<String> {
    let forward = scenario.admit(request);
    let headers = edited(&request.headers, &forward.request);
    field(&headers, "mcp-session-id").map(str::to_owned)
}

#[test]
fn a_session_is_bound_both_ways_in_every_mode_with_principals() {
    for settings in [API_KEY_MODE, JWT_MODE, ZSCALER_MODE] {
        let mut scenario = scenario(settings, &[]);
        let alice = caller(settings, "alice");
        let tagged = seen(&scenario.admit(&alice), "s-1");
        assert!(tagged.starts_with("s-1.") && tagged.len() > 20, "{tagged}");
        let with_tag = alice.clone().with("mcp-session-id", &tagged);
        assert_eq!(passed_on(&mut scenario, &with_tag).as_deref(), Some("s-1"));
        assert_eq!(passed_on(&mut scenario, &alice), None);
        let bare = alice.clone().with("mcp-session-id", "s-1");
        assert_eq!(scenario.verdict(&bare), NOT_FOUND);
        let twice = with_tag.with("mcp-session-id", &tagged);
        assert_eq!(scenario.verdict(&twice), NOT_FOUND);
    }
}

#[test]
fn the_session_of_another_is_not_found() {
    for settings in [JWT_MODE, ZSCALER_MODE] {
        let mut scenario = scenario(settings, &[]);
        let tagged = seen(&scenario.admit(&caller(settings, "alice")), "s-1");
        let bob = caller(settings, "bob").with("mcp-session-id", &tagged);
        assert_eq!(scenario.verdict(&bob), NOT_FOUND);
        let moved = tagged.replace("s-1", "s-2");
        let alice = caller(settings, "alice").with("mcp-session-id", &moved);
        assert_eq!(scenario.verdict(&alice), NOT_FOUND);
    }
}

#[test]
fn callers_of_nameless_tokens_are_not_one_and_the_same() {
    let nameless = |jti: &str| {
        let claims = claims_with(&json!({ "sub": null, "client_id": null, "jti": jti }));
        Request::post().bearer(&Signer::ed_dsa("a", 1).sign(&claims))
    };
    let mut scenario = scenario(JWT_MODE, &[]);
    let tagged = seen(&scenario.admit(&nameless("1")), "s-1");
    let own = nameless("1").with("mcp-session-id", &tagged);
    assert_eq!(passed_on(&mut scenario, &own).as_deref(), Some("s-1"));
    let of_another = nameless("2").with("mcp-session-id", &tagged);
    assert_eq!(scenario.verdict(&of_another), NOT_FOUND);
}

#[test]
fn without_a_credential_a_session_is_worth_nothing() {
    for settings in [API_KEY_MODE, JWT_MODE, ZSCALER_MODE] {
        let mut scenario = scenario(settings, &[]);
        let tagged = seen(&scenario.admit(&caller(settings, "alice")), "s-1");
        let request = Request::post().with("mcp-session-id", tagged);
        assert_eq!(scenario.verdict(&request), (401, "missing_credentials"));
    }
}

#[test]
fn a_session_outlives_rotated_secrets_tokens_and_replicas() {
    let mut first = scenario(ZSCALER_MODE, &[]);
    let tagged = seen(&first.admit(&caller(ZSCALER_MODE, "alice")), "s-1");
    let mut second = scenario(ZSCALER_MODE, &[]);
    second.server.register("alice", "rotated");
    let request = Request::post()
        .pair("alice", "rotated")
        .with("mcp-session-id", &tagged);
    assert_eq!(passed_on(&mut second, &request).as_deref(), Some("s-1"));
}

#[test]
fn state_keys_rotate_and_the_first_one_seals() {
    let mode = JWT_MODE;
    let alice = caller(mode, "alice");
    let mut old = scenario(mode, &[]);
    let tagged = seen(&old.admit(&alice), "s-1");
    let with_tag = alice.clone().with("mcp-session-id", &tagged);

    let both = format!("{OTHER_KEY},{STATE_KEY}");
    let mut rotating = scenario(mode, &[("PORTCULLIS_STATE_KEYS", &both)]);
    assert_eq!(passed_on(&mut rotating, &with_tag).as_deref(), Some("s-1"));
    let new_tag = seen(&rotating.admit(&alice), "s-1");

    let mut new = scenario(mode, &[("PORTCULLIS_STATE_KEYS", OTHER_KEY)]);
    assert_eq!(new.verdict(&with_tag), NOT_FOUND);
    let request = alice.with("mcp-session-id", new_tag);
    assert_eq!(passed_on(&mut new, &request).as_deref(), Some("s-1"));
}

#[test]
fn without_binding_session_ids_pass_as_they_are() {
    let off = [("PORTCULLIS_SESSION_BINDING", "off")];
    for settings in MODES {
        let more = if settings == NONE_MODE {
            &[][..]
        } else {
            &off[..]
        };
        let mut scenario = scenario(settings, more);
        let request = caller(settings, "alice").with("mcp-session-id", "s-1");
        assert_eq!(passed_on(&mut scenario, &request).as_deref(), Some("s-1"));
        let forward = scenario.admit(&request);
        assert!(forward.response_fields().is_empty(), "{settings:?}");
    }
}

#[test]
fn no_other_spelling_of_the_field_gets_past_the_binding() {
    let mut scenario = scenario(JWT_MODE, &[]);
    for name in ["mcp_session_id", "mcp-session_id", "mcp.session.id"] {
        let request = caller(JWT_MODE, "alice").with(name, "s-1");
        let forward = scenario.admit(&request);
        let headers = edited(&request.headers, &forward.request);
        assert_eq!(field(&headers, name), None, "{name}");
    }
}

#[test]
fn a_response_without_a_session_is_left_alone() {
    let mut scenario = scenario(JWT_MODE, &[]);
    let forward = scenario.admit(&caller(JWT_MODE, "alice"));
    let edits = forward.response_edits(&[("content-type", b"application/json")]);
    assert_eq!(edits.removals().count() + edits.fields().count(), 0);
}

/// Waiting does not loosen the binding.
#[test]
fn a_request_that_waited_is_bound_as_well() {
    let mut scenario = scenario(ZSCALER_MODE, &[]);
    let tagged = seen(&scenario.admit(&caller(ZSCALER_MODE, "alice")), "s-1");
    let bob = caller(ZSCALER_MODE, "bob").with("mcp-session-id", &tagged);
    let ticket = scenario.begin(&bob).parked();
    let decided = scenario.finish_calls();
    assert_eq!(verdict(&decided[&ticket]), NOT_FOUND);
    assert_eq!(scenario.verdict(&caller(ZSCALER_MODE, "bob")), ALLOWED);
}
