//! Consent that no person gave.

use portcullis_tests::Response;
use portcullis_tests::oauth_flow::{Browser, form, form_request, location};
use serde_json::json;

use super::host::{Host, REDIRECT, cases, shown};

#[test]
fn consent() {
    cases![
        consent_from_a_page_of_another_origin_is_forged,
        consent_from_another_browser_is_forged,
        consent_by_a_link_is_none,
        consent_that_is_garbage_goes_nowhere,
        a_browser_cookie_that_could_be_guessed_is_replaced,
        no_page_can_be_framed_or_scripted,
        the_name_of_a_client_is_text,
    ];
}

fn consent_from_a_page_of_another_origin_is_forged(host: &Host<'_>) {
    let mut browser = Browser::default();
    let consent = host.site.authorize(&mut browser, &host.attempt());
    let fields = [("request", &*consent.request), ("decision", "approve")];
    let own = host.site.origin();
    for (origin, relation) in [
        ("https://evil.example", "cross-site"),
        ("https://evil.example", "same-origin"),
        ("null", "same-origin"),
        ("", "same-origin"),
        (own, "same-site"),
        (own, "cross-site"),
        (own, "none"),
        (&*own.replace("127.0.0.1", "localhost"), "same-origin"),
        (&*own.replace("http:", "https:"), "same-origin"),
        (&*format!("{own}.evil.example"), "same-origin"),
    ] {
        let request = browser.post_from(&host.site, "/consent", origin, relation);
        let answer = host.site.send(&form_request(request, &fields));
        shown(&answer, 403);
        assert_eq!(answer.value("set-cookie"), "", "{origin} {relation}");
    }
    let answer = host.site.decide(&mut browser, &consent, "approve");
    assert_ne!(location(&answer), "");
}

fn consent_from_another_browser_is_forged(host: &Host<'_>) {
    let mut attacker = Browser::default();
    let consent = host.site.authorize(&mut attacker, &host.attempt());
    let mut victim = Browser::default();
    shown(&host.site.decide(&mut victim, &consent, "approve"), 400);
    let _page = host.site.authorize(&mut victim, &host.attempt());
    shown(&host.site.decide(&mut victim, &consent, "approve"), 403);
    shown(&host.site.decide(&mut victim, &consent, "deny"), 403);
}

fn consent_by_a_link_is_none(host: &Host<'_>) {
    let mut browser = Browser::default();
    let consent = host.site.authorize(&mut browser, &host.attempt());
    let query = form::encode(&[("request", &consent.request), ("decision", "approve")]);
    let request = browser.get(&host.site, &format!("/consent?{query}"));
    let answer = host.site.send(&request);
    assert_eq!((answer.status, &*answer.value("location")), (405, ""));
    // Nor does the query of a form stand in for its body.
    let request = browser.post(&host.site, &format!("/consent?{query}"));
    shown(&host.site.send(&form_request(request, &[])), 400);
}

fn consent_that_is_garbage_goes_nowhere(host: &Host<'_>) {
    let mut browser = Browser::default();
    let consent = host.site.authorize(&mut browser, &host.attempt());
    let mut send = |fields: &[(&str, &str)]| -> Response {
        let request = form_request(browser.post(&host.site, "/consent"), fields);
        browser.note("/consent", host.site.send(&request))
    };
    let request = ("request", &*consent.request);
    shown(&send(&[]), 400);
    shown(&send(&[request]), 400);
    shown(&send(&[request, ("decision", "maybe")]), 400);
    shown(
        &send(&[("request", "garbage"), ("decision", "approve")]),
        400,
    );
    let (deny, approve) = (("decision", "deny"), ("decision", "approve"));
    shown(&send(&[request, deny, approve]), 400);
    shown(&send(&[request, ("request", "other"), approve]), 400);
}

/// Who can plant a cookie could otherwise make a consent page for the victim's browser.
fn a_browser_cookie_that_could_be_guessed_is_replaced(host: &Host<'_>) {
    for planted in ["", "guessed", &"A".repeat(42), &"A".repeat(44)] {
        let mut browser = Browser::default();
        browser.plant("portcullis-browser", planted);
        let _page = host.site.authorize(&mut browser, &host.attempt());
        assert_ne!(browser.cookie("portcullis-browser"), planted);
    }
}

fn no_page_can_be_framed_or_scripted(host: &Host<'_>) {
    let attempt = host.attempt();
    let mut stray = attempt.clone();
    stray.client.redirect_uri = "https://evil.example/".to_owned();
    let mut unknown = attempt.clone();
    unknown.client.id = "nobody".to_owned();
    let browser = Browser::default();
    let consent = form_request(browser.post(&host.site, "/consent"), &[]);
    let get = |target: &str| {
        let request = browser.get(&host.site, target);
        request.field("Accept", "text/html")
    };
    for (request, status) in [
        (get(&attempt.target()), 200),
        (get(&stray.target()), 400),
        (get(&unknown.target()), 401),
        (get("/authorize"), 400),
        (get("/auth/callback?state=a&code=b"), 400),
        (consent, 400),
    ] {
        let page = host.site.send(&request);
        shown(&page, status);
        let policy = page.value("content-security-policy");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.value("x-frame-options"), "DENY");
        assert_eq!(page.value("x-content-type-options"), "nosniff");
        assert_eq!(page.value("cache-control"), "no-store");
        assert_eq!(page.value("access-control-allow-origin"), "");
        assert!(!page.text().contains("<script"));
    }
}

fn the_name_of_a_client_is_text(host: &Host<'_>) {
    let name = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}";
    let metadata = json!({"client_name": name, "redirect_uris": [REDIRECT]});
    let request = host.site.request("POST", "/register");
    let answer = host.site.send(&request.body(metadata.to_string()));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let mut attempt = host.attempt();
    attempt.client.id = answer.json()["client_id"].as_str().unwrap().to_owned();
    let page = host.site.send(&host.site.request("GET", &attempt.target()));
    assert_eq!(page.status, 200);
    let html = page.text();
    assert!(
        !html.contains("<script") && !html.contains("<img"),
        "{html}"
    );
    assert!(!html.contains('\u{202e}'), "the name turns the text around");
}
