//! A sign-in in mode oidcproxy, up to the provider: what one gateway gave, both take.

use portcullis_tests::oauth_flow::{Attempt, Client, form};
use portcullis_tests::{Gateway, Kind, Request, Response};

use crate::groups::oidc_proxy::{BASE, REDIRECT_URI, error, registered, registration, settings};
use crate::pair::Pair;
use crate::table::{Expect, World, answered};

const BROWSER: &str = "__Host-portcullis-browser=";
const FLOW: &str = "__Host-portcullis-flow-";

/// Registers a client at both; the one that Envoy knows is returned.
fn client(pair: &Pair<'_>) -> Client {
    let answer = pair.must(&registration(), &registered()).json();
    Client {
        id: answer["client_id"].as_str().unwrap().to_owned(),
        redirect_uri: REDIRECT_URI.to_owned(),
    }
}

fn attempt(client: &Client) -> Attempt {
    Attempt {
        client: client.clone(),
        state: "client-state".to_owned(),
        verifier: "v".repeat(43),
        resource: BASE.to_owned(),
        scope: "mcp:tools".to_owned(),
    }
}

fn post(target: &str, fields: &[(&str, &str)]) -> Request {
    Request::new("POST", target)
        .field("Content-Type", "application/x-www-form-urlencoded")
        .body(form::encode(fields))
}

/// Posts the consent page's form, from the page.
fn decide(page: &Response, decision: &str, more_cookies: &str) -> Request {
    let cookie = page.value("set-cookie");
    let cookie = cookie.split(';').next().unwrap();
    let request = form::hidden(&page.text(), "request");
    Request::new("POST", "/consent")
        .field("Accept", "text/html")
        .field("Origin", "https://gw.example")
        .field("Sec-Fetch-Site", "same-origin")
        .field("Cookie", format!("{cookie}{more_cookies}"))
        .field("Content-Type", "application/x-www-form-urlencoded")
        .body(form::encode(&[
            ("request", &request),
            ("decision", decision),
        ]))
}

fn open_page(pair: &Pair<'_>, client: &Client) -> Response {
    let page = answered(200)
        .field("content-type", "text/html; charset=utf-8")
        .field("x-frame-options", "DENY")
        .random(BROWSER, ";")
        .random("name=\"request\" value=\"", "\"");
    let request = Request::get(&attempt(client).target()).field("Accept", "text/html");
    pair.must(&request, &page)
}

fn sent_to_the_provider() -> Expect {
    answered(303)
        .field("cache-control", "no-store")
        .random("&state=", "&")
        .random("&nonce=", "&")
        .random("&code_challenge=", "&")
        .random(FLOW, ";")
}

#[test]
fn a_client_that_one_host_registered_is_known_to_both() {
    let world = World::start();
    let pair = Pair::start(&world, &settings(&world));
    let Client { id, .. } = client(&pair);
    for (fields, code) in [
        (&[][..], "invalid_request"),
        (&[("grant_type", "password")], "unsupported_grant_type"),
        (
            &[("grant_type", "refresh_token"), ("refresh_token", "x")],
            "invalid_grant",
        ),
        (&[("grant_type", "refresh_token")], "invalid_request"),
    ] {
        let fields = [&[("client_id", id.as_str())], fields].concat();
        pair.must(&post("/token", &fields), &error(400, code));
    }
    let unknown_token = [("client_id", id.as_str()), ("token", "x")];
    let nothing = answered(200).field("content-type", "application/json");
    pair.must(&post("/revoke", &unknown_token), &nothing);
}

#[test]
fn a_page_that_one_host_showed_is_answered_by_both() {
    let world = World::start();
    let pair = Pair::start(&world, &settings(&world));
    let page = open_page(&pair, &client(&pair));
    pair.must(&decide(&page, "approve", ""), &sent_to_the_provider());
    let denied = answered(303).no_field("set-cookie").field(
        "location",
        format!(
            "{REDIRECT_URI}?error=access_denied&error_description=access%20was%20denied\
                 &state=client-state&iss=https%3A%2F%2Fgw.example"
        ),
    );
    pair.must(&decide(&page, "deny", ""), &denied);
}

#[test]
fn every_cookie_is_set_on_a_line_of_its_own() {
    let world = World::start();
    let pair = Pair::start(&world, &settings(&world));
    let page = open_page(&pair, &client(&pair));
    let old: String = (0..5).map(|n| format!("; {FLOW}old{n}=x")).collect();
    let answer = pair.must(&decide(&page, "approve", &old), &sent_to_the_provider());
    let lines = answer.values("set-cookie");
    let forgotten = lines.iter().filter(|line| line.contains("Max-Age=0"));
    assert_eq!((lines.len(), forgotten.count()), (3, 2), "{lines:?}");
}

#[test]
fn a_forged_consent_is_refused_by_both() {
    let world = World::start();
    let pair = Pair::start(&world, &settings(&world));
    let page = open_page(&pair, &client(&pair));
    let cookie = page.value("set-cookie");
    let request = form::hidden(&page.text(), "request");
    let fields = [("request", request.as_str()), ("decision", "approve")];
    let refused = answered(403)
        .field("content-type", "text/html; charset=utf-8")
        .no_field("set-cookie");
    for origin in ["https://evil.example", "null"] {
        let forged = post("/consent", &fields)
            .field("Origin", origin)
            .field("Cookie", cookie.split(';').next().unwrap());
        pair.must(&forged, &refused);
    }
}

#[test]
fn a_filter_that_reads_no_body_leaves_the_sign_in_to_the_native_binary() {
    let world = World::start();
    let settings = settings(&world);
    let native = Gateway::start(Kind::Native, &settings, &world.resource.url());
    let elsewhere = format!("http://{}", native.address());
    let settings = settings.with("PORTCULLIS_OAUTH_ENDPOINTS", elsewhere);
    let envoy = Gateway::start(Kind::Envoy, &settings, &world.resource.url());
    assert_eq!(envoy.send(&registration()).status, 201);
    let garbage = Request::post("/mcp", "{}").field("Authorization", "Bearer x");
    assert_eq!(envoy.send(&garbage).status, 401);
    let away = Request::post("/register/elsewhere", "{}");
    assert_eq!(envoy.send(&away).status, 401);
    assert_eq!(world.resource.count(), 0);
}
