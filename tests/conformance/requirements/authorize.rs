//! The authorization request: what is answered to the client, and what to nobody.

use portcullis_tests::oauth_flow::{Attempt, Browser, Site, form, location};
use portcullis_tests::{Request, Response};
use serde_json::json;

use crate::world::{Front, ORIGIN, PROXY, REDIRECT, check, refused};

const SERVER: &str = "/.well-known/oauth-authorization-server";

#[test]
fn r14_only_s256_challenges_are_taken() {
    check(&PROXY, |front| {
        let methods = &front.get(SERVER).json()["code_challenge_methods_supported"];
        assert_eq!(*methods, json!(["S256"]));
        let attempt = front.attempt();
        let digest = form::value(&attempt.target(), "code_challenge");
        for (name, value) in [
            ("code_challenge_method", None),
            ("code_challenge_method", Some("plain")),
            ("code_challenge", None),
            ("code_challenge", Some(&digest[1..])),
        ] {
            told(front, &attempt, name, value, "invalid_request");
        }
    });
}

#[test]
fn r15_every_answer_to_a_client_names_the_issuer() {
    check(&PROXY, |front| {
        let advertised = "authorization_response_iss_parameter_supported";
        assert_eq!(front.get(SERVER).json()[advertised], true);
        let site = front.site();
        let attempt = front.attempt();
        let mut browser = Browser::default();
        // It reads the issuer of the answer, as clients do.
        assert_ne!(site.code(&mut browser, &attempt), "");
        let consent = site.authorize(&mut browser, &attempt);
        let denied = location(&site.decide(&mut browser, &consent, "deny"));
        returned(&attempt, &denied, "access_denied");
        told(
            front,
            &attempt,
            "response_type",
            Some("token"),
            "unsupported_response_type",
        );
    });
}

#[test]
fn r18_a_redirect_uri_is_matched_exactly_but_for_the_port_of_loopback_addresses() {
    check(&PROXY, |front| {
        let accepted = |registered: &str, asked: &str| {
            let attempt = front.site().attempt(&front.site().register(registered));
            ask(front, &attempt, "redirect_uri", Some(asked)).status == 200
        };
        for (registered, asked) in [
            (REDIRECT, REDIRECT),
            (REDIRECT, "http://127.0.0.1:50123/callback"),
            ("http://[::1]/callback", "http://[::1]:50123/callback"),
            ("https://app.example/cb?a=1", "https://app.example/cb?a=1"),
        ] {
            assert!(accepted(registered, asked), "{registered} {asked}");
        }
        for (registered, asked) in [
            (REDIRECT, "http://127.0.0.1:7/callback/"),
            (REDIRECT, "http://127.0.0.1:7/callback?a=1"),
            (REDIRECT, "http://127.0.0.1:7/callbacK"),
            (REDIRECT, "http://localhost:7/callback"),
            (REDIRECT, "http://[::1]:7/callback"),
            (REDIRECT, "https://127.0.0.1:7/callback"),
            (REDIRECT, "http://127.0.0.2:7/callback"),
            ("https://app.example/cb", "https://app.example:8443/cb"),
            ("https://app.example/cb", "https://app.example/cb/.."),
            ("https://app.example/cb", "https://www.app.example/cb"),
            ("https://app.example/cb", "https://APP.example/cb"),
        ] {
            assert!(!accepted(registered, asked), "{registered} {asked}");
        }
    });
}

#[test]
fn r19_no_browser_is_sent_to_an_unknown_client_or_address() {
    check(&PROXY, |front| {
        let attempt = front.attempt();
        for (name, value, status) in [
            ("client_id", Some("unknown"), 401),
            ("client_id", None, 400),
            ("redirect_uri", Some("https://evil.example/"), 400),
            ("redirect_uri", Some("http://127.0.0.1:7/callback#f"), 400),
        ] {
            let answer = ask(front, &attempt, name, value);
            assert_eq!(answer.status, status, "{name}");
            assert_eq!(answer.value("location"), "", "{name}");
        }
        // A program is told in a way that makes it register again.
        let target = altered(&attempt, "client_id", Some("unknown"));
        let program = front.site().request("GET", &target);
        let answer = front.send(&program.field("Accept", "application/json"));
        assert_eq!(answer.json()["error"], "invalid_client");
        told(
            front,
            &attempt,
            "prompt",
            Some("unknown"),
            "invalid_request",
        );
    });
}

#[test]
fn r20_another_resource_is_no_target() {
    check(&PROXY, |front| {
        let site = front.site();
        let attempt = front.attempt();
        let other = "https://gw.example/other";
        told(front, &attempt, "resource", Some(other), "invalid_target");
        assert_eq!(ask(front, &attempt, "resource", None).status, 200);

        let code = site.code(&mut Browser::default(), &attempt);
        let elsewhere = Attempt {
            resource: other.to_owned(),
            ..attempt.clone()
        };
        refused(&site.redeem(&elsewhere, &code), "invalid_target");
        assert_eq!(site.redeem(&attempt, &code).status, 200);
    });
}

/// Checks that a request with one parameter set otherwise, or not at all, is answered to the
/// client with this error.
#[track_caller]
fn told(front: &Front, attempt: &Attempt, name: &str, value: Option<&str>, error: &str) {
    let answer = ask(front, attempt, name, value);
    assert_eq!(answer.status, 303, "{name}={value:?}: {}", answer.text());
    returned(attempt, &location(&answer), error);
}

/// Checks that a client is sent this error, and no code.
#[track_caller]
fn returned(attempt: &Attempt, url: &str, error: &str) {
    let (place, query) = url.split_once('?').unwrap();
    assert_eq!(place, attempt.client.redirect_uri);
    assert_eq!(form::value(query, "error"), error, "{url}");
    assert_eq!(form::value(query, "state"), attempt.state, "{url}");
    assert_eq!(form::value(query, "iss"), ORIGIN, "{url}");
    assert_eq!(form::value(query, "code"), "", "{url}");
}

/// Sends the request as a browser does.
fn ask(front: &Front, attempt: &Attempt, name: &str, value: Option<&str>) -> Response {
    let target = altered(attempt, name, value);
    front.send(&browse(&front.site(), &target))
}

fn browse(site: &Site<'_>, target: &str) -> Request {
    site.request("GET", target).field("Accept", "text/html")
}

/// Returns the target of the authorization request with one parameter set otherwise.
fn altered(attempt: &Attempt, name: &str, value: Option<&str>) -> String {
    let target = attempt.target();
    let (path, query) = target.split_once('?').unwrap();
    let lead = format!("{name}=");
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.starts_with(&lead))
        .map(str::to_owned)
        .collect();
    pairs.extend(value.map(|value| form::encode(&[(name, value)])));
    format!("{path}?{}", pairs.join("&"))
}
