//! Mode `oidcproxy` against those who would sign in as somebody else.

use portcullis_core::CallOutcome;
use serde_json::{Value, json};

use crate::request::Request;
use crate::server::response;
use crate::sign_in::{
    Browser, Client, IDP, ISSUER, REDIRECT, VERIFIER, answered, callback, decide, document,
    gateway, header, id_claims, json, query, sealed_request, tokens,
};
use crate::signer::Signer;
use crate::support::{Scenario, verdict};

const REFUSED: (u16, &str) = (400, "invalid_grant");

fn set_up() -> (Scenario, Client) {
    let mut gateway = gateway(&[]);
    let client = Client::register(&mut gateway, &[REDIRECT, "https://app.example/cb"]);
    (gateway, client)
}

/// Brings a code with `more`, and checks that nothing was spent at the provider.
#[track_caller]
fn unspent(gateway: &mut Scenario, request: &Request, expected: (u16, &'static str)) {
    let before = gateway.server.count("/oidc/token");
    assert_eq!(gateway.verdict(request), expected);
    assert_eq!(gateway.server.count("/oidc/token"), before, "it was spent");
}

#[test]
fn a_code_is_redeemed_once() {
    let (mut gateway, client) = set_up();
    let code = client.code(&mut gateway, &mut Browser::default());
    let request = client.token_request(&code, &[]);
    assert_eq!(gateway.verdict(&request), (200, "tokens_issued"));
    // The provider refuses what is spent.
    gateway.server.tokens = response(400, r#"{"error":"invalid_grant"}"#);
    assert_eq!(gateway.verdict(&request), (400, "idp_invalid_grant"));
}

#[test]
fn of_parallel_redemptions_one_succeeds() {
    let (mut gateway, client) = set_up();
    let code = client.code(&mut gateway, &mut Browser::default());
    let request = client.token_request(&code, &[]);
    let first = gateway.begin(&request).parked();
    for _ in 0..7 {
        let refused = gateway.begin(&request).decided();
        assert_eq!(verdict(&refused), (400, "code_replayed"));
    }
    assert_eq!(gateway.calls_under_way(), 1);
    let decided = gateway.finish_calls();
    assert_eq!(verdict(&decided[&first]), (200, "tokens_issued"));
}

#[test]
fn a_code_is_good_for_what_it_is_bound_to_only() {
    let (mut gateway, client) = set_up();
    let other = Client::register(&mut gateway, &[REDIRECT]);
    let code = client.code(&mut gateway, &mut Browser::default());
    for (name, value, expected) in [
        (
            "code_verifier",
            Some("other-other-other-other-other-other-other-other"),
            REFUSED,
        ),
        ("code_verifier", Some("short"), REFUSED),
        ("code_verifier", None, (400, "invalid_request")),
        ("client_id", Some(other.id.as_str()), REFUSED),
        ("client_id", Some("garbage"), (401, "invalid_client")),
        ("client_id", None, (400, "invalid_request")),
        ("redirect_uri", Some("https://app.example/cb"), REFUSED),
        (
            "resource",
            Some("https://evil.example/mcp"),
            (400, "invalid_target"),
        ),
        (
            "grant_type",
            Some("password"),
            (400, "unsupported_grant_type"),
        ),
        ("grant_type", None, (400, "invalid_request")),
        ("code", Some("garbage"), REFUSED),
    ] {
        let request = client.token_request(&code, &[(name, value)]);
        unspent(&mut gateway, &request, expected);
    }
    // Whoever guessed has spent nothing.
    let request = client.token_request(&code, &[]);
    assert_eq!(gateway.verdict(&request), (200, "tokens_issued"));
}

#[test]
fn a_code_lapses_after_a_minute() {
    let (mut gateway, client) = set_up();
    let code = client.code(&mut gateway, &mut Browser::default());
    gateway.now += 60;
    unspent(&mut gateway, &client.token_request(&code, &[]), REFUSED);
}

#[test]
fn a_callback_needs_the_browser_that_began_the_flow() {
    let (mut gateway, client) = set_up();
    let mut victim = Browser::default();
    let asked = client.consent(&mut gateway, &mut victim);
    let mut attacker = Browser::default();
    let theirs = client.consent(&mut gateway, &mut attacker);
    let back = callback(&asked["state"], "idp-code");
    let no_flow = (400, "callback_of_no_flow");
    assert_eq!(gateway.verdict(&back), no_flow, "no cookie");
    let response = attacker.clone().send(&mut gateway, back.clone());
    assert_eq!(
        (response.status, response.reason.name()),
        no_flow,
        "another browser"
    );
    // The cookie of one flow under the name of another.
    let mut mixed = Browser::default();
    let value = attacker.0[&format!("__Host-portcullis-flow-{}", theirs["state"])].clone();
    mixed
        .0
        .insert(format!("__Host-portcullis-flow-{}", asked["state"]), value);
    let response = mixed.send(&mut gateway, back.clone());
    assert_eq!(
        (response.status, response.reason.name()),
        no_flow,
        "another flow"
    );
    // Two values of one name are believed by nobody.
    let name = format!("__Host-portcullis-flow-{}", asked["state"]);
    let twice = back
        .clone()
        .with("cookie", format!("{name}={}; {name}=x", victim.0[&name]));
    assert_eq!(gateway.verdict(&twice), no_flow, "a planted cookie");
    let response = victim.send(&mut gateway, back.clone());
    assert_eq!(
        (response.status, response.reason.name()),
        (303, "code_issued")
    );
    let response = victim.send(&mut gateway, back);
    assert_eq!(
        (response.status, response.reason.name()),
        no_flow,
        "it is used up"
    );
}

#[test]
fn a_flow_lapses_after_ten_minutes() {
    let (mut gateway, client) = set_up();
    let mut browser = Browser::default();
    let asked = client.consent(&mut gateway, &mut browser);
    gateway.now += 600;
    let response = browser.send(&mut gateway, callback(&asked["state"], "idp-code"));
    assert_eq!(
        (response.status, response.reason.name()),
        (400, "callback_of_no_flow")
    );
}

#[test]
fn a_mix_up_of_issuers_is_seen() {
    for (iss, expected) in [
        (
            Some("https://evil.example"),
            (400, "callback_of_other_issuer"),
        ),
        (
            Some("https://idp.example.com/"),
            (400, "callback_of_other_issuer"),
        ),
        (None, (400, "callback_of_other_issuer")),
        (Some(IDP), (303, "code_issued")),
    ] {
        let (mut gateway, client) = set_up();
        let mut browser = Browser::default();
        let asked = client.consent(&mut gateway, &mut browser);
        let iss = iss.map_or_else(String::new, |iss| format!("&iss={iss}"));
        let path = format!("/auth/callback?code=c&state={}{iss}", asked["state"]);
        let response = browser.send(&mut gateway, Request::get(&path));
        assert_eq!((response.status, response.reason.name()), expected, "{iss}");
    }
}

#[test]
fn a_provider_that_does_not_name_itself_need_not() {
    let (mut gateway, client) = set_up();
    let mut document = document();
    document["authorization_response_iss_parameter_supported"] = json!(false);
    gateway.server.document = document;
    let mut browser = Browser::default();
    let asked = client.consent(&mut gateway, &mut browser);
    let path = format!("/auth/callback?code=c&state={}", asked["state"]);
    let response = browser.send(&mut gateway, Request::get(&path));
    assert_eq!(response.reason.name(), "code_issued");
}

#[test]
fn consent_counts_from_the_page_in_the_browser_that_was_shown_it_only() {
    let (mut gateway, client) = set_up();
    let mut victim = Browser::default();
    let request = client.ask(&mut gateway, &mut victim);
    let mut attacker = Browser::default();
    let planted = client.ask(&mut gateway, &mut attacker);
    let approve = |request: &str| decide(request, "approve");
    let forged = (403, "consent_forged");
    let check = |gateway: &mut Scenario, browser: &Browser, request: Request, expected| {
        let response = browser.clone().send(gateway, request);
        assert_eq!((response.status, response.reason.name()), expected);
        assert_eq!(header(&response, "location"), None);
    };
    check(&mut gateway, &victim, approve(&planted), forged);
    check(
        &mut gateway,
        &Browser::default(),
        approve(&request),
        (400, "consent_lapsed"),
    );
    let from = |origin: &str, site: &str| {
        let mut request = approve(&request);
        request.headers.clear();
        request.with("origin", origin).with("sec-fetch-site", site)
    };
    for (origin, site) in [
        ("https://evil.example", "cross-site"),
        ("null", "same-origin"),
        (ISSUER, "same-site"),
        (ISSUER, "cross-site"),
    ] {
        check(&mut gateway, &victim, from(origin, site), forged);
    }
    check(
        &mut gateway,
        &victim,
        approve("garbage"),
        (400, "consent_lapsed"),
    );
    let malformed = (400, "invalid_request");
    check(&mut gateway, &victim, decide(&request, "maybe"), malformed);
    let get = Request::get(&format!("/consent?request={request}&decision=approve"));
    check(&mut gateway, &victim, get, (405, "method_not_allowed"));
    gateway.now += 600;
    check(
        &mut gateway,
        &victim,
        approve(&request),
        (400, "consent_lapsed"),
    );
}

#[test]
fn a_list_of_origins_does_not_keep_our_own_page_out() {
    let mut gateway = gateway(&[("ZSCALER_MCP_ALLOWED_ORIGINS", "https://app.example")]);
    let client = Client::register(&mut gateway, &[REDIRECT]);
    let mut browser = Browser::default();
    let request = client.ask(&mut gateway, &mut browser);
    let evil = decide(&request, "approve");
    let response = browser.send(&mut gateway, decide(&request, "approve"));
    assert_eq!(response.status, 303, "{}", response.reason.name());
    let mut evil = evil;
    evil.headers.clear();
    let evil = evil.with("origin", "https://app.example");
    let response = browser.send(&mut gateway, evil);
    assert_eq!(
        (response.status, response.reason.name()),
        (403, "consent_forged")
    );
}

#[test]
fn no_page_can_be_framed_and_none_has_scripts() {
    let (mut gateway, client) = set_up();
    let pages = [
        Request::get(&client.authorize_path(&[])),
        Request::get(&client.authorize_path(&[("redirect_uri", Some("https://evil.example/"))])),
        callback("state", "code"),
    ];
    for request in pages {
        let page = answered(&mut gateway, &request);
        let policy = header(&page, "content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"));
        assert_eq!(header(&page, "x-frame-options"), Some("DENY"));
        assert_eq!(header(&page, "cache-control"), Some("no-store"));
        assert!(!String::from_utf8_lossy(&page.body).contains("<script"));
    }
}

#[test]
fn cookies_are_kept_from_scripts_other_hosts_and_plain_http() {
    let (mut gateway, client) = set_up();
    let page = answered(&mut gateway, &Request::get(&client.authorize_path(&[])));
    let cookie = header(&page, "set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-portcullis-browser="));
    for attribute in ["; Path=/;", "; HttpOnly", "; Secure", "; SameSite=Lax"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
}

#[test]
fn nothing_goes_back_to_where_the_client_did_not_register() {
    let (mut gateway, client) = set_up();
    for uri in [
        "https://evil.example/cb",
        "https://app.example/cb/../evil",
        "https://app.example/cb?x",
        "https://app.example:444/cb",
        "http://app.example/cb",
        "https://app.example@evil.example/cb",
        "https://user@app.example/cb",
        "https://app.example\\@evil.example/cb",
        "https://app.example/cb#x",
        "https://app.example%2fcb",
        "https://APP.example/cb",
        "https://xn--app-abc.example/cb",
        "https://\u{430}pp.example/cb",
        "http://localhost:3335/callback",
        "http://127.0.0.1:3335/callback/",
        "http://127.0.0.1.evil.example:3335/callback",
        "http://127.1:3335/callback",
        "http://2130706433:3335/callback",
        "http://[::1]:3335/callback",
        "http://[::ffff:127.0.0.1]:3335/callback",
        "javascript:alert(1)",
        "//evil.example/cb",
        "",
    ] {
        let path = client.authorize_path(&[("redirect_uri", Some(uri))]);
        let response = answered(&mut gateway, &Request::get(&path));
        assert_eq!(response.status, 400, "{uri}");
        assert_eq!(header(&response, "location"), None, "{uri}");
        let shown = String::from_utf8_lossy(&response.body).into_owned();
        assert!(!shown.contains("evil.example"), "{shown}");
    }
    // The port of a loopback address is the client's to choose (RFC 8252 §7.3).
    let path = client.authorize_path(&[("redirect_uri", Some("http://127.0.0.1:9/callback"))]);
    assert_eq!(
        gateway.verdict(&Request::get(&path)),
        (200, "consent_asked")
    );
}

#[test]
fn other_faults_go_back_to_the_client_with_state_and_issuer() {
    let (mut gateway, client) = set_up();
    for (name, value, error) in [
        ("code_challenge", None, "invalid_request"),
        ("code_challenge", Some(VERIFIER), "invalid_request"),
        ("code_challenge_method", Some("plain"), "invalid_request"),
        ("code_challenge_method", None, "invalid_request"),
        ("response_type", Some("token"), "unsupported_response_type"),
        (
            "resource",
            Some("https://evil.example/mcp"),
            "invalid_target",
        ),
        ("prompt", Some("weird"), "invalid_request"),
    ] {
        let path = client.authorize_path(&[(name, value)]);
        let response = answered(&mut gateway, &Request::get(&path));
        let location = header(&response, "location").unwrap();
        assert!(location.starts_with(REDIRECT), "{location}");
        let told = query(location);
        assert_eq!((response.status, &*told["error"]), (303, error), "{name}");
        assert_eq!((&*told["state"], &*told["iss"]), ("client-state", ISSUER));
    }
}

#[test]
fn a_client_that_cannot_be_told_is_asked_to_register_again() {
    let (mut gateway, _) = set_up();
    let stranger = Client {
        id: "garbage".into(),
    };
    let path = stranger.authorize_path(&[]);
    let told = answered(
        &mut gateway,
        &Request::get(&path).with("accept", "application/json"),
    );
    assert_eq!(
        (told.status, &json(&told)["error"]),
        (401, &json!("invalid_client"))
    );
    let shown = answered(
        &mut gateway,
        &Request::get(&path).with("accept", "text/html,*/*"),
    );
    assert_eq!(shown.status, 401);
    assert_eq!(
        header(&shown, "content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(header(&shown, "location"), None);
}

#[test]
fn the_refresh_token_of_one_client_is_nothing_to_another() {
    let (mut gateway, client) = set_up();
    let told = client.sign_in(&mut gateway);
    let token = told["refresh_token"].as_str().unwrap();
    let other = Client::register(&mut gateway, &[REDIRECT]);
    unspent(&mut gateway, &other.refresh_request(token), REFUSED);
    let access = told["access_token"].as_str().unwrap();
    unspent(&mut gateway, &client.refresh_request(access), REFUSED);
}

#[test]
fn what_is_sealed_for_one_purpose_or_deployment_is_nothing_elsewhere() {
    let (mut gateway, client) = set_up();
    let mut browser = Browser::default();
    let request = client.ask(&mut gateway, &mut browser);
    let code = client.code(&mut gateway, &mut Browser::default());
    let told = answered(&mut gateway, &client.token_request(&code, &[]));
    let told = json(&told);
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let blobs = [
        client.id.clone(),
        request,
        code,
        text("access_token"),
        text("refresh_token"),
    ];
    for blob in &blobs {
        let is_access = *blob == blobs[3];
        let passes = gateway.verdict(&Request::post().bearer(blob)).0 == 200;
        assert_eq!(passes, is_access);
    }
    for blob in blobs.iter().filter(|blob| **blob != blobs[4]) {
        unspent(&mut gateway, &client.refresh_request(blob), REFUSED);
    }
    for blob in blobs.iter().filter(|blob| **blob != blobs[2]) {
        unspent(&mut gateway, &client.token_request(blob, &[]), REFUSED);
    }
    for setting in [
        ("OIDCPROXY_BASE_URL", "https://mcp.example.com/other"),
        ("OIDCPROXY_BASE_URL", "https://other.example.com/mcp"),
    ] {
        let mut other = crate::sign_in::gateway(&[setting]);
        let (status, _) = other.verdict(&Request::post().bearer(&blobs[3]));
        assert_eq!(status, 401, "{setting:?}");
        let (status, _) = other.verdict(&client.refresh_request(&blobs[4]));
        assert_eq!(status, 401, "{setting:?}");
    }
}

#[test]
fn no_changed_octet_of_a_token_opens_the_gate() {
    let (mut gateway, client) = set_up();
    let told = client.sign_in(&mut gateway);
    let token = told["access_token"].as_str().unwrap();
    for index in 0..token.len() {
        let mut changed = token.as_bytes().to_vec();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let (status, _) = gateway.verdict(&Request::post().bearer(&changed));
        assert_eq!(status, 401, "{index}");
    }
}

/// Signs in with an ID token of these claims.
fn with_id_token(edit: impl Fn(&mut Value)) -> (u16, &'static str) {
    let (mut gateway, client) = set_up();
    let mut browser = Browser::default();
    let asked = client.consent(&mut gateway, &mut browser);
    let back = browser.send(&mut gateway, callback(&asked["state"], "c"));
    let code = query(header(&back, "location").unwrap())["code"].clone();
    let mut claims = id_claims(&gateway, &asked["nonce"]);
    edit(&mut claims);
    gateway.server.tokens = tokens(Some(&claims), None);
    gateway.verdict(&client.token_request(&code, &[]))
}

#[test]
fn an_id_token_must_be_for_this_sign_in() {
    let set = |name: &'static str, value: Value| {
        with_id_token(move |claims| claims[name] = value.clone())
    };
    assert_eq!(set("x", json!(1)), (200, "tokens_issued"));
    assert_eq!(set("aud", json!(["gateway"])), (200, "tokens_issued"));
    assert_eq!(set("azp", json!("gateway")), (200, "tokens_issued"));
    for (name, value, reason) in [
        ("nonce", json!("other"), "id_token_nonce"),
        ("nonce", Value::Null, "id_token_nonce"),
        ("iss", json!("https://evil.example"), "id_token_issuer"),
        ("aud", json!("other"), "id_token_audience"),
        (
            "aud",
            json!(["gateway", "other"]),
            "id_token_authorized_party",
        ),
        ("azp", json!("other"), "id_token_authorized_party"),
        ("exp", json!(1), "id_token_times"),
        ("exp", Value::Null, "id_token_times"),
        ("iat", json!(4_000_000_000_u64), "id_token_times"),
        ("sub", json!(""), "id_token_subject"),
        ("sub", Value::Null, "id_token_subject"),
        ("sub", json!(7), "id_token_malformed"),
    ] {
        assert_eq!(set(name, value.clone()), (400, reason), "{name} {value}");
    }
}

#[test]
fn an_id_token_must_be_signed_by_the_provider() {
    let outcome = |answer: &dyn Fn(&Value) -> CallOutcome| {
        let (mut gateway, client) = set_up();
        let mut browser = Browser::default();
        let asked = client.consent(&mut gateway, &mut browser);
        let back = browser.send(&mut gateway, callback(&asked["state"], "c"));
        let code = query(header(&back, "location").unwrap())["code"].clone();
        gateway.server.tokens = answer(&id_claims(&gateway, &asked["nonce"]));
        gateway.verdict(&client.token_request(&code, &[]))
    };
    let with = |token: String| response(200, json!({ "id_token": token }).to_string());
    let forged = |claims: &Value| with(Signer::ed_dsa("a", 2).sign(claims));
    assert_eq!(outcome(&forged), (400, "id_token_signature"));
    let unknown = |claims: &Value| with(Signer::ed_dsa("z", 2).sign(claims));
    assert_eq!(outcome(&unknown), (400, "id_token_signature"));
    let unsigned = |_: &Value| with("eyJhbGciOiJub25lIn0.e30.".into());
    assert_eq!(outcome(&unsigned), (400, "id_token_algorithm"));
    assert_eq!(
        outcome(&|_| tokens(None, Some("r"))),
        (400, "id_token_absent")
    );
}

#[test]
fn a_refresh_that_names_somebody_else_gives_nothing() {
    let (mut gateway, client) = set_up();
    let told = client.sign_in(&mut gateway);
    let mut claims = id_claims(&gateway, "");
    claims["sub"] = json!("mallory");
    gateway.server.tokens = tokens(Some(&claims), Some("r2"));
    let request = client.refresh_request(told["refresh_token"].as_str().unwrap());
    assert_eq!(gateway.verdict(&request), (400, "id_token_subject"));
}

#[test]
fn a_registration_that_is_too_much_is_refused_without_being_read() {
    let mut gateway = gateway(&[]);
    let register = |body: &str| Request::new("POST", "/register").body(body);
    let huge = "x".repeat(10_000_000);
    assert_eq!(gateway.verdict(&register(&huge)), (413, "body_too_large"));
    let announced = Request::new("POST", "/register").with("content-length", "10000000");
    assert_eq!(gateway.verdict(&announced), (413, "body_too_large"));
    let many = json!({ "redirect_uris": vec!["a:/b"; 10_000] }).to_string();
    assert_eq!(gateway.verdict(&register(&many)).0, 413);
    let many = json!({ "redirect_uris": vec!["a:/b"; 100] }).to_string();
    assert_eq!(
        gateway.verdict(&register(&many)),
        (400, "invalid_redirect_uri")
    );
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    assert_eq!(
        gateway.verdict(&register(&deep)),
        (400, "invalid_client_metadata")
    );
}

#[test]
fn jars_full_of_cookies_are_emptied_of_our_oldest() {
    let (mut gateway, client) = set_up();
    let mut browser = Browser::default();
    for _ in 0..12 {
        client.consent(&mut gateway, &mut browser);
        let flows = browser.0.keys().filter(|name| name.contains("-flow-"));
        assert!(flows.count() <= 4);
    }
    // What others planted is neither echoed nor in the way.
    browser
        .0
        .insert("__Host-portcullis-flow-a<b".into(), "x".into());
    for index in 0..200 {
        browser.0.insert(format!("other{index}"), "y".repeat(200));
    }
    let asked = client.consent(&mut gateway, &mut browser);
    let response = browser.send(&mut gateway, callback(&asked["state"], "c"));
    assert_eq!(response.reason.name(), "code_issued");
}

#[test]
fn a_page_of_a_planted_browser_cookie_is_no_page_of_the_victims() {
    let (mut gateway, client) = set_up();
    let mut planted = Browser::default();
    planted
        .0
        .insert("__Host-portcullis-browser".into(), "guessable".into());
    let page = planted.send(&mut gateway, Request::get(&client.authorize_path(&[])));
    assert_ne!(planted.0["__Host-portcullis-browser"], "guessable");
    assert!(!sealed_request(&page).is_empty());
}

#[test]
fn malformed_requests_are_refused_as_the_clients_fault() {
    let mut gateway = gateway(&[]);
    for (method, path, body) in [
        ("GET", "/authorize?client_id=%zz", ""),
        ("GET", "/authorize", ""),
        ("GET", "/authorize?client_id=a&client_id=b", ""),
        ("GET", "/auth/callback", ""),
        ("GET", "/auth/callback?state=%00", ""),
        ("GET", "/auth/callback?state=a&state=b", ""),
        ("POST", "/consent", "%"),
        ("POST", "/consent", "request=a"),
        ("POST", "/token", ""),
        ("POST", "/token", "%ff"),
        ("POST", "/token", "grant_type=a&grant_type=b"),
        ("POST", "/revoke", ""),
        ("POST", "/register", ""),
    ] {
        let request = Request::new(method, path).body(body);
        let response = answered(&mut gateway, &request);
        assert_eq!(response.status, 400, "{method} {path} {body}");
    }
    for (method, path) in [
        ("POST", "/authorize"),
        ("GET", "/token"),
        ("PUT", "/register"),
        ("POST", "/auth/callback"),
        ("DELETE", "/revoke"),
        ("POST", "/.well-known/oauth-authorization-server"),
    ] {
        let response = answered(&mut gateway, &Request::new(method, path));
        assert_eq!(
            (response.status, response.reason.name()),
            (405, "method_not_allowed"),
            "{path}"
        );
        assert!(header(&response, "allow").is_some());
    }
}

#[test]
fn a_list_of_redirect_uris_holds_for_clients_that_registered_before_it() {
    let (mut before, client) = set_up();
    let code = client.code(&mut before, &mut Browser::default());
    let list = ("OIDCPROXY_ALLOWED_REDIRECT_URIS", "https://app.example/cb");
    let mut after = gateway(&[list]);
    let path = client.authorize_path(&[]);
    let refused = (400, "invalid_redirect_uri");
    assert_eq!(after.verdict(&Request::get(&path)), refused);
    let allowed = client.authorize_path(&[("redirect_uri", Some("https://app.example/cb"))]);
    assert_eq!(
        after.verdict(&Request::get(&allowed)),
        (200, "consent_asked")
    );
    assert!(!code.is_empty());
}

#[test]
fn made_up_codes_leave_room_for_refreshes() {
    let (mut gateway, client) = set_up();
    let told = client.sign_in(&mut gateway);
    let mut browser = Browser::default();
    let asked = client.consent(&mut gateway, &mut browser);
    let mut refused = 0;
    for index in 0..70 {
        let back = callback(&asked["state"], &format!("made-up-{index}"));
        let back = browser.clone().send(&mut gateway, back);
        let code = query(header(&back, "location").unwrap())["code"].clone();
        if let crate::support::Begun::Decided(decision) =
            gateway.begin(&client.token_request(&code, &[]))
        {
            assert_eq!(verdict(&decision), (503, "too_many_calls"));
            refused += 1;
        }
    }
    assert_eq!(refused, 6);
    let refresh = client.refresh_request(told["refresh_token"].as_str().unwrap());
    gateway.begin(&refresh).waits();
}
