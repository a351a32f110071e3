//! Requests that are too much.

use portcullis_tests::oauth_flow::{Browser, form, location};
use portcullis_tests::{Request, Response};
use serde_json::json;

use super::host::{Host, REDIRECT, cases, refused};

#[test]
fn sizes() {
    cases![
        a_registration_of_10_mb_is_refused,
        a_registration_of_10_mb_in_chunks_is_refused,
        a_registration_with_10_000_redirect_uris_is_refused,
        a_registration_of_deep_json_is_refused,
        a_form_of_10_mb_is_refused,
        a_sign_in_goes_through_with_a_full_jar_of_cookies,
        a_jar_that_is_too_large_is_refused,
        our_own_cookies_do_not_fill_the_jar,
        a_state_that_is_too_long_is_not_carried,
    ];
}

const TEN_MB: usize = 10_000_000;

fn a_registration_of_10_mb_is_refused(host: &Host<'_>) {
    let body = json!({"redirect_uris": [REDIRECT], "client_name": "x".repeat(TEN_MB)});
    refused(&register(host, &body.to_string()), 413, "invalid_request");
    still_answers(host);
}

fn a_registration_of_10_mb_in_chunks_is_refused(host: &Host<'_>) {
    let chunk = format!("{:x}\r\n{}\r\n", 10_000, "x".repeat(10_000));
    let chunks = chunk.repeat(TEN_MB / 10_000) + "0\r\n\r\n";
    let request = host.site.request("POST", "/register");
    let request = request.field("Transfer-Encoding", "chunked");
    // The chunks stand where a field line would, behind the empty line that ends the fields.
    let answer = host.site.send(&request.line(format!("\r\n{chunks}")));
    refused(&answer, 413, "invalid_request");
    still_answers(host);
}

fn a_registration_with_10_000_redirect_uris_is_refused(host: &Host<'_>) {
    let body = |count: usize| json!({ "redirect_uris": vec!["a:/b"; count] }).to_string();
    refused(&register(host, &body(10_000)), 413, "invalid_request");
    // As many as fit into what is read.
    refused(&register(host, &body(9_000)), 400, "invalid_redirect_uri");
    let long = json!({ "redirect_uris": [format!("https://app.example/{}", "x".repeat(60_000))] });
    refused(
        &register(host, &long.to_string()),
        400,
        "invalid_redirect_uri",
    );
    still_answers(host);
}

fn a_registration_of_deep_json_is_refused(host: &Host<'_>) {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let depth = 60_000 / (open.len() + close.len());
        let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        let member = format!(r#"{{"redirect_uris":["{REDIRECT}"],"x":{deep}}}"#);
        for body in [&deep, &member, &open.repeat(depth)] {
            refused(&register(host, body), 400, "invalid_client_metadata");
        }
    }
    still_answers(host);
}

fn a_form_of_10_mb_is_refused(host: &Host<'_>) {
    let form = form::encode(&[("grant_type", &"x".repeat(TEN_MB))]);
    for path in ["/token", "/revoke", "/consent"] {
        let request = host.site.request("POST", path).body(form.clone());
        assert_eq!(host.site.send(&request).status, 413, "{path}");
    }
    still_answers(host);
}

/// Both gateways take 60 KiB of head, and a browser sends all cookies of a host with each request.
fn a_sign_in_goes_through_with_a_full_jar_of_cookies(host: &Host<'_>) {
    for (count, size) in [(1, 4000), (12, 4000), (180, 250), (1000, 30)] {
        let (mut browser, attempt) = (Browser::default(), host.attempt());
        for number in 0..count {
            browser.plant(&format!("other{number}"), &"y".repeat(size));
        }
        let code = host.site.code(&mut browser, &attempt);
        let answer = host.site.redeem(&attempt, &code);
        assert_eq!(answer.status, 200, "{count} of {size}: {}", answer.text());
    }
}

fn a_jar_that_is_too_large_is_refused(host: &Host<'_>) {
    let attempt = host.attempt();
    for size in [70_000, 200_000, 1_000_000] {
        let request = host.site.request("GET", &attempt.target());
        let request = request.field("Cookie", format!("a={}", "y".repeat(size)));
        assert_eq!(host.site.send(&request).status, 431, "{size}");
    }
    still_answers(host);
}

/// Flows that nobody finished, and cookies under their names that are none of ours.
fn our_own_cookies_do_not_fill_the_jar(host: &Host<'_>) {
    let mut browser = Browser::default();
    for _ in 0..8 {
        let _back = host.back(&mut browser, &host.attempt());
        let flows = |name: &&&str| name.contains("-flow-");
        assert!(browser.cookie_names().iter().filter(flows).count() <= 4);
    }
    for number in 0..50 {
        browser.plant(&format!("portcullis-flow-{number}"), &"z".repeat(500));
    }
    browser.plant("portcullis-flow-<b>\"", "x");
    let attempt = host.attempt();
    let back = host.back(&mut browser, &attempt);
    let home = location(&host.site.come_back(&mut browser, &back));
    assert_ne!(attempt.read(&home, host.site.origin()), "");
    assert!(
        browser.cookie_names().len() < 10,
        "{:?}",
        browser.cookie_names()
    );
}

fn a_state_that_is_too_long_is_not_carried(host: &Host<'_>) {
    let mut attempt = host.attempt();
    attempt.state = "s".repeat(1024);
    let code = host.site.code(&mut Browser::default(), &attempt);
    assert_eq!(host.site.redeem(&attempt, &code).status, 200);
    attempt.state = "s".repeat(1025);
    let request = host.site.request("GET", &attempt.target());
    let home = location(&host.site.send(&request));
    assert!(
        home.contains("error=invalid_request") && !home.contains("sss"),
        "{home}"
    );
}

fn register(host: &Host<'_>, body: &str) -> Response {
    let request: Request = host.site.request("POST", "/register");
    host.site.send(&request.body(body))
}

#[track_caller]
fn still_answers(host: &Host<'_>) {
    let answer = register(host, &json!({ "redirect_uris": [REDIRECT] }).to_string());
    assert_eq!(answer.status, 201, "{}", answer.text());
}
