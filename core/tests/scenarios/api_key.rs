//! Mode `api-key`.

use crate::request::Request;
use crate::support::{API_KEY, API_KEY_MODE, Scenario};

#[track_caller]
fn check(request: &Request, expected: (u16, &str)) {
    assert_eq!(Scenario::new(API_KEY_MODE).verdict(request), expected);
}

const ALLOWED: (u16, &str) = (200, "allowed");

#[test]
fn the_key_is_taken_from_two_fields_only() {
    check(&Request::post().bearer(API_KEY), ALLOWED);
    check(
        &Request::post().with("authorization", format!("bEaReR   {API_KEY} ")),
        ALLOWED,
    );
    check(&Request::post().with("x-api-key", API_KEY), ALLOWED);
    let missing = (401, "missing_credentials");
    check(&Request::post(), missing);
    check(&Request::post().with("x-api-key", " "), missing);
    check(
        &Request::post().with("proxy-authorization", format!("Bearer {API_KEY}")),
        missing,
    );
    check(
        &Request::post().with("cookie", format!("authorization=Bearer {API_KEY}")),
        missing,
    );
    check(
        &Request::new("POST", "/mcp?api_key=correct&access_token=horse"),
        missing,
    );
    check(&Request::post().with("x_api_key", API_KEY), missing);
}

#[test]
fn a_wrong_key_is_refused_however_close_it_is() {
    for key in [
        &API_KEY[1..],
        &API_KEY.to_uppercase(),
        &format!("{API_KEY}x"),
        "sha256:",
    ] {
        check(&Request::post().bearer(key), (401, "wrong_api_key"));
        check(
            &Request::post().with("x-api-key", key),
            (401, "wrong_api_key"),
        );
    }
}

#[test]
fn a_bad_authorization_is_never_rescued() {
    let good = Request::post().with("x-api-key", API_KEY);
    for (authorization, reason) in [
        ("Bearer wrong", "wrong_api_key"),
        ("Basic Y29ycmVjdDpob3JzZQ==", "unsupported_scheme"),
        ("Bearer", "malformed_credential"),
        ("Bearer a, Bearer b", "repeated_credential"),
    ] {
        check(
            &good.clone().with("authorization", authorization),
            (401, reason),
        );
    }
    check(&good.with("authorization", ""), ALLOWED);
}

#[test]
fn more_than_one_value_is_a_refusal_even_of_the_right_key() {
    let twice = (401, "repeated_credential");
    check(&Request::post().bearer(API_KEY).bearer(API_KEY), twice);
    let keys = Request::post()
        .with("x-api-key", API_KEY)
        .with("x-api-key", API_KEY);
    check(&keys, twice);
    check(&keys.bearer(API_KEY), twice);
}

/// Envoy joins the lines of such a field by commas and leaves empty ones out; hyper hands over
/// every line.
#[test]
fn an_empty_line_is_no_value() {
    let empty = Request::post().with("authorization", "");
    check(&empty.clone().bearer(API_KEY), ALLOWED);
    check(
        &empty.with("authorization", " "),
        (401, "missing_credentials"),
    );
    check(
        &Request::post().bearer(API_KEY).with("authorization", ""),
        ALLOWED,
    );
}

#[test]
fn a_key_may_be_configured_by_its_digest() {
    // The digest of "secret".
    let digest = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let mut scenario = Scenario::with(API_KEY_MODE, &[("ZSCALER_MCP_AUTH_API_KEY", digest)]);
    assert_eq!(scenario.verdict(&Request::post().bearer("secret")), ALLOWED);
    let refused = scenario.verdict(&Request::post().bearer(digest));
    assert_eq!(refused, (401, "wrong_api_key"));
}
