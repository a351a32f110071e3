//! Mode `oidcproxy`: sign-ins that go well, refreshes, and outages of the provider.

use portcullis_core::{Decision, Finding, Origin};
use serde_json::json;

use crate::request::Request;
use crate::server::{DOCUMENT, response};
use crate::sign_in::{
    Browser, Client, IDP, ISSUER, REDIRECT, RESOURCE, VERIFIER, answered, callback, challenge,
    decide, gateway, header, id_claims, json, query, tokens,
};
use crate::support::{Scenario, edited, verdict};

const OTHER_KEYS: &str =
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[track_caller]
fn bearer(token: &serde_json::Value) -> Request {
    Request::post().bearer(token.as_str().unwrap())
}

#[test]
fn a_person_signs_in_and_the_token_opens_the_gate() {
    let mut gateway = gateway(&[]);
    let client = Client::register(&mut gateway, &[REDIRECT]);
    let tokens = client.sign_in(&mut gateway);
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 600);
    assert_eq!(tokens["scope"], "mcp:tools");
    let request = bearer(&tokens["access_token"]);
    let forward = gateway.admit(&request);
    let headers = edited(&request.headers, &forward.request);
    let field = |name: &str| crate::support::field(&headers, name).map(str::to_owned);
    assert_eq!(field("x-mcp-auth-mode").as_deref(), Some("oidcproxy"));
    assert_eq!(field("x-mcp-auth-subject").as_deref(), Some("alice"));
    assert_eq!(field("x-mcp-auth-issuer").as_deref(), Some(ISSUER));
    assert_eq!(field("x-mcp-auth-scope").as_deref(), Some("mcp:tools"));
    assert_eq!(field("x-mcp-auth-client").unwrap().len(), 43);
    assert_eq!(field("authorization"), None);
    // Once more, from memory.
    assert!(matches!(gateway.send(&request), Decision::Forward(_)));
}

#[test]
fn the_provider_is_asked_with_pkce_state_and_nonce_of_our_own() {
    let mut gateway = gateway(&[
        ("OIDCPROXY_EXTRA_AUTHORIZE_PARAMS", "hd=example.com"),
        ("OIDCPROXY_EXTRA_TOKEN_PARAMS", "tenant=a%20b"),
    ]);
    let client = Client::register(&mut gateway, &[REDIRECT]);
    let mut browser = Browser::default();
    let asked = client.consent(&mut gateway, &mut browser);
    let expected = [
        ("response_type", "code"),
        ("client_id", "gateway"),
        ("redirect_uri", "https://mcp.example.com/auth/callback"),
        ("scope", "openid profile email offline_access"),
        ("code_challenge_method", "S256"),
        ("prompt", "consent"),
        ("hd", "example.com"),
    ];
    for (name, value) in expected {
        assert_eq!(asked[name], value, "{name}");
    }
    assert_ne!(asked["code_challenge"], challenge(VERIFIER));
    assert!(asked["state"].len() >= 22 && asked["nonce"].len() >= 22);
    assert!(!asked.contains_key("resource"));
    let back = browser.send(&mut gateway, callback(&asked["state"], "idp-code"));
    let code = query(header(&back, "location").unwrap())["code"].clone();
    let claims = id_claims(&gateway, &asked["nonce"]);
    gateway.server.tokens = tokens(Some(&claims), None);
    let told = json(&answered(&mut gateway, &client.token_request(&code, &[])));
    assert_eq!(told.get("refresh_token"), None);
    assert_eq!(gateway.server.count("/oidc/token"), 1);
}

#[test]
fn the_providers_code_is_spent_with_our_verifier_and_secret() {
    let mut gateway = gateway(&[("OIDCPROXY_EXTRA_TOKEN_PARAMS", "tenant=a%20b")]);
    let client = Client::register(&mut gateway, &[REDIRECT]);
    let mut browser = Browser::default();
    let asked = client.consent(&mut gateway, &mut browser);
    let back = browser.send(&mut gateway, callback(&asked["state"], "idp-code"));
    let code = query(header(&back, "location").unwrap())["code"].clone();
    assert_eq!(
        gateway.server.count("/oidc/token"),
        0,
        "not at the callback"
    );
    // The keys were fetched with the document; then only this call is made.
    answered(&mut gateway, &client.token_request(&code, &[]));
    let call = gateway.server.last_call().clone();
    let sent: std::collections::BTreeMap<_, _> = gateway.server.last_form().into_iter().collect();
    assert_eq!(sent["grant_type"], "authorization_code");
    assert_eq!(sent["code"], "idp-code");
    assert_eq!(sent["tenant"], "a b");
    assert_eq!(challenge(&sent["code_verifier"]), asked["code_challenge"]);
    assert!(!sent.contains_key("client_secret"));
    let (_, basic) = call
        .headers
        .iter()
        .find(|(name, _)| *name == "authorization")
        .unwrap();
    assert_eq!(basic, b"Basic Z2F0ZXdheTpnYXRld2F5LXNlY3JldA==");
}

#[test]
fn a_denied_consent_is_told_to_the_client_and_nobody_else() {
    let mut gateway = gateway(&[]);
    let client = Client::register(&mut gateway, &[REDIRECT]);
    let mut browser = Browser::default();
    let request = client.ask(&mut gateway, &mut browser);
    let response = browser.send(&mut gateway, decide(&request, "deny"));
    assert_eq!(response.reason.name(), "consent_denied");
    let location = header(&response, "location").unwrap();
    assert!(location.starts_with(REDIRECT), "{location}");
    let told = query(location);
    assert_eq!(told["error"], "access_denied");
    assert_eq!((&*told["state"], &*told["iss"]), ("client-state", ISSUER));
    assert_eq!(gateway.server.count(DOCUMENT), 0);
}

#[test]
fn what_the_provider_refuses_is_told_to_the_client_in_our_words() {
    for (said, told) in [
        ("access_denied", "access_denied"),
        ("login_required", "login_required"),
        ("invalid_scope", "server_error"),
        ("<script>", "server_error"),
    ] {
        let mut gateway = gateway(&[]);
        let client = Client::register(&mut gateway, &[REDIRECT]);
        let mut browser = Browser::default();
        let asked = client.consent(&mut gateway, &mut browser);
        let state = &asked["state"];
        let path = format!("/auth/callback?state={state}&error={said}&iss={IDP}");
        let response = browser.send(&mut gateway, Request::get(&path));
        let back = query(header(&response, "location").unwrap());
        assert_eq!(back["error"], told);
        assert!(!browser.0.keys().any(|name| name.contains("flow")));
    }
}

#[test]
fn a_refresh_gives_new_tokens_and_keeps_the_session_end() {
    let mut gateway = gateway(&[("OIDCPROXY_SESSION_SECONDS", "1000")]);
    let client = Client::register(&mut gateway, &[REDIRECT]);
    let first = client.sign_in(&mut gateway);
    gateway.now += 600;
    let token = first["refresh_token"].as_str().unwrap();
    assert_eq!(
        gateway.verdict(&bearer(&first["access_token"])),
        (401, "unknown_access_token")
    );
    gateway.server.tokens = tokens(None, Some("idp-refresh-2"));
    let second = json(&answered(&mut gateway, &client.refresh_request(token)));
    assert_eq!(second["expires_in"], 400, "no longer than the session");
    gateway.admit(&bearer(&second["access_token"]));
    let sent = gateway.server.last_form();
    assert!(sent.contains(&("refresh_token".into(), "idp-refresh-1".into())));
    let token = second["refresh_token"].as_str().unwrap().to_owned();
    answered(&mut gateway, &client.refresh_request(&token));
    let sent = gateway.server.last_form();
    assert!(sent.contains(&("refresh_token".into(), "idp-refresh-2".into())));
    gateway.now += 400;
    let late = answered(&mut gateway, &client.refresh_request(&token));
    assert_eq!(
        (late.status, json(&late)["error"].as_str()),
        (400, Some("invalid_grant"))
    );
}

#[test]
fn a_provider_that_does_not_rotate_is_asked_with_the_old_token_again() {
    let mut gateway = gateway(&[]);
    let client = Client::register(&mut gateway, &[REDIRECT]);
    let mut token = client.sign_in(&mut gateway)["refresh_token"].clone();
    gateway.server.tokens = tokens(None, None);
    for _ in 0..3 {
        gateway.now += 60;
        let request = client.refresh_request(token.as_str().unwrap());
        token = json(&answered(&mut gateway, &request))["refresh_token"].clone();
        let sent = gateway.server.last_form();
        assert!(sent.contains(&("refresh_token".into(), "idp-refresh-1".into())));
    }
}

#[test]
fn parallel_refreshes_with_one_token_are_one_call_and_so_is_one_that_follows() {
    let mut gateway = gateway(&[]);
    let client = Client::register(&mut gateway, &[REDIRECT]);
    let tokens_now = client.sign_in(&mut gateway);
    let token = tokens_now["refresh_token"].as_str().unwrap();
    gateway.server.tokens = tokens(None, Some("idp-refresh-2"));
    let before = gateway.server.count("/oidc/token");
    let request = client.refresh_request(token);
    let tickets: Vec<_> = (0..8).map(|_| gateway.begin(&request).parked()).collect();
    let decided = gateway.finish_calls();
    for ticket in tickets {
        assert_eq!(verdict(&decided[&ticket]), (200, "tokens_issued"));
    }
    gateway.now += 9;
    assert_eq!(gateway.verdict(&request), (200, "tokens_issued"));
    assert_eq!(gateway.server.count("/oidc/token"), before + 1);
    gateway.now += 1;
    gateway.server.tokens = response(400, r#"{"error":"invalid_grant"}"#);
    assert_eq!(gateway.verdict(&request), (400, "idp_invalid_grant"));
}

#[test]
fn an_outage_costs_no_client_its_grant() {
    let mut gateway = gateway(&[]);
    let client = Client::register(&mut gateway, &[REDIRECT]);
    let refresh = client.sign_in(&mut gateway)["refresh_token"].clone();
    let refresh = client.refresh_request(refresh.as_str().unwrap());
    let code = client.code(&mut gateway, &mut Browser::default());
    let redeem = client.token_request(&code, &[]);
    for outage in [
        Err(portcullis_core::CallFailure::TimedOut),
        Err(portcullis_core::CallFailure::Cut),
        response(500, r#"{"error":"invalid_grant"}"#),
        response(429, ""),
        response(200, "<html>"),
        response(401, r#"{"error":"invalid_client"}"#),
    ] {
        gateway.server.tokens = outage;
        for request in [&refresh, &redeem] {
            let told = answered(&mut gateway, request);
            assert_eq!(told.status, 503, "{}", told.reason.name());
            assert_eq!(json(&told)["error"], "temporarily_unavailable");
            assert!(header(&told, "retry-after").is_some());
        }
    }
}

#[test]
fn while_the_provider_is_not_known_clients_are_told_to_come_again() {
    let mut gateway = gateway(&[]);
    gateway.server.go_down();
    let client = Client::register(&mut gateway, &[REDIRECT]);
    let mut browser = Browser::default();
    let request = client.ask(&mut gateway, &mut browser);
    let response = browser.send(&mut gateway, decide(&request, "approve"));
    let told = query(header(&response, "location").unwrap());
    assert_eq!(told["error"], "temporarily_unavailable");
}

#[test]
fn every_engine_with_the_keys_goes_on_where_another_stopped() {
    let mut engines: Vec<Scenario> = (0..3).map(|_| gateway(&[])).collect();
    let client = Client::register(&mut engines[0], &[REDIRECT]);
    let mut browser = Browser::default();
    let request = client.ask(&mut engines[1], &mut browser);
    let response = browser.send(&mut engines[2], decide(&request, "approve"));
    let asked = query(header(&response, "location").unwrap());
    let back = browser.send(&mut engines[0], callback(&asked["state"], "idp-code"));
    let code = query(header(&back, "location").unwrap())["code"].clone();
    let claims = id_claims(&engines[1], &asked["nonce"]);
    engines[1].server.tokens = tokens(Some(&claims), Some("idp-refresh-1"));
    let told = json(&answered(
        &mut engines[1],
        &client.token_request(&code, &[]),
    ));
    engines[2].admit(&bearer(&told["access_token"]));
    engines[0].server.tokens = tokens(None, Some("idp-refresh-2"));
    let token = told["refresh_token"].as_str().unwrap();
    let again = json(&answered(&mut engines[0], &client.refresh_request(token)));
    engines[1].admit(&bearer(&again["access_token"]));
}

#[test]
fn keys_are_rotated_in_the_middle_of_a_sign_in() {
    let mut old = gateway(&[]);
    let mut new = gateway(&[("PORTCULLIS_STATE_KEYS", OTHER_KEYS)]);
    let client = Client::register(&mut old, &[REDIRECT]);
    let code = client.code(&mut old, &mut Browser::default());
    new.server.tokens = old.server.tokens.clone();
    let told = json(&answered(&mut new, &client.token_request(&code, &[])));
    new.admit(&bearer(&told["access_token"]));
    // What the new key seals, the old settings do not open.
    assert_eq!(
        old.verdict(&bearer(&told["access_token"])),
        (401, "unknown_access_token")
    );
}

#[test]
fn metadata_says_what_is_there() {
    let mut gateway = gateway(&[]);
    let paths = [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/mcp",
        "/mcp/.well-known/openid-configuration",
    ];
    for path in paths {
        let response = answered(&mut gateway, &Request::get(path));
        let told = json(&response);
        assert_eq!(
            (response.status, &told["issuer"]),
            (200, &json!(ISSUER)),
            "{path}"
        );
        assert_eq!(told["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(told["authorization_response_iss_parameter_supported"], true);
        assert_eq!(told["token_endpoint"], "https://mcp.example.com/token");
        assert_eq!(told["scopes_supported"], json!(["mcp:tools"]));
        assert_eq!(header(&response, "access-control-allow-origin"), Some("*"));
    }
    let elsewhere = Request::get("/.well-known/oauth-authorization-server/other");
    assert_eq!(gateway.verdict(&elsewhere), (404, "no_oauth"));
    let resource = Request::get("/.well-known/oauth-protected-resource/mcp");
    let told = json(&answered(&mut gateway, &resource));
    assert_eq!(told["authorization_servers"], json!([ISSUER]));
    assert_eq!(told["resource"], RESOURCE);
    assert_eq!(
        gateway.server.count(DOCUMENT),
        0,
        "the provider is not needed"
    );
}

#[test]
fn a_refresh_token_is_revoked_at_the_provider() {
    let mut gateway = gateway(&[]);
    let client = Client::register(&mut gateway, &[REDIRECT]);
    let tokens = client.sign_in(&mut gateway);
    let revoke = |token: &str, client: &str| {
        Request::new("POST", "/revoke").body(format!("token={token}&client_id={client}"))
    };
    let token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(
        gateway.verdict(&revoke(token, &client.id)),
        (200, "token_revoked")
    );
    let sent = gateway.server.last_form();
    assert!(sent.contains(&("token".into(), "idp-refresh-1".into())));
    let other = Client::register(&mut gateway, &[REDIRECT]);
    let calls = gateway.server.count("/oidc/revoke");
    let nothing = (200, "nothing_to_revoke");
    assert_eq!(gateway.verdict(&revoke(token, &other.id)), nothing);
    assert_eq!(gateway.verdict(&revoke("garbage", &client.id)), nothing);
    assert_eq!(
        gateway.verdict(&revoke(token, "garbage")),
        (401, "invalid_client")
    );
    let access = tokens["access_token"].as_str().unwrap();
    let unsupported = (400, "unsupported_token_type");
    assert_eq!(gateway.verdict(&revoke(access, &client.id)), unsupported);
    assert_eq!(gateway.server.count("/oidc/revoke"), calls);
    gateway.server.go_down();
    assert_eq!(gateway.verdict(&revoke(token, &client.id)).0, 503);
}

#[test]
fn whoever_is_denied_by_the_settings_is_out_at_once() {
    let mut open = gateway(&[]);
    let client = Client::register(&mut open, &[REDIRECT]);
    let told = client.sign_in(&mut open);
    let now = open.now;
    let later = (now + 1).to_string();
    let at = now.to_string();
    for (setting, value, denied) in [
        ("PORTCULLIS_DENIED_CLIENTS", client.id.as_str(), true),
        ("PORTCULLIS_DENIED_SUBJECTS", "bob,alice", true),
        ("PORTCULLIS_DENIED_SUBJECTS", "bob", false),
        ("PORTCULLIS_DENIED_SIGN_INS_BEFORE", &later, true),
        ("PORTCULLIS_DENIED_SIGN_INS_BEFORE", &at, false),
    ] {
        let mut gateway = gateway(&[(setting, value)]);
        gateway.server.tokens = tokens(None, Some("idp-refresh-2"));
        let access = gateway.verdict(&bearer(&told["access_token"]));
        let refresh = client.refresh_request(told["refresh_token"].as_str().unwrap());
        let refresh = gateway.verdict(&refresh).0;
        let expected = if denied {
            ((401, "revoked"), 400)
        } else {
            ((200, "allowed"), 200)
        };
        assert_eq!((access, refresh), expected, "{setting} {value}");
    }
    let mut gateway = gateway(&[("PORTCULLIS_DENIED_CLIENTS", &client.id)]);
    let path = client.authorize_path(&[]);
    assert_eq!(
        gateway.verdict(&Request::get(&path)),
        (403, "client_denied")
    );
}

#[test]
fn a_token_with_less_scope_than_is_required_now_is_not_enough() {
    let mut gateway = gateway(&[]);
    let client = Client::register(&mut gateway, &[REDIRECT]);
    let told = client.sign_in(&mut gateway);
    let mut stricter =
        crate::sign_in::gateway(&[("OIDCPROXY_REQUIRED_SCOPES", "mcp:tools,mcp:admin")]);
    let refused = answered(&mut stricter, &bearer(&told["access_token"]));
    assert_eq!(
        (refused.status, refused.reason.name()),
        (403, "insufficient_scope")
    );
    let challenge = header(&refused, "www-authenticate").unwrap();
    assert!(
        challenge.contains("scope=\"mcp:tools mcp:admin\""),
        "{challenge}"
    );
}

#[test]
fn opaque_and_foreign_tokens_are_refused_with_a_pointer_to_the_metadata() {
    let mut gateway = gateway(&[]);
    for token in ["opaque", "eyJhbGciOiJub25lIn0.e30.", &"A".repeat(900)] {
        let refused = answered(&mut gateway, &Request::post().bearer(token));
        assert_eq!(
            (refused.status, refused.reason.name()),
            (401, "unknown_access_token")
        );
        let challenge = header(&refused, "www-authenticate").unwrap();
        assert!(challenge.contains("error=\"invalid_token\""));
        assert!(challenge.contains("resource_metadata=\"https://mcp.example.com/.well-known"));
    }
    assert!(matches!(
        gateway.send(&Request::post()),
        Decision::Respond(_)
    ));
}

#[test]
fn where_another_gateway_signs_people_in_only_its_paths_pass_without_a_token() {
    let elsewhere = (
        "PORTCULLIS_OAUTH_ENDPOINTS",
        "http://oauth.example.com:8000",
    );
    let mut here = gateway(&[]);
    let mut filter = gateway(&[elsewhere]);
    for (method, path) in [
        ("POST", "/register"),
        ("GET", "/authorize?x=y"),
        ("POST", "/consent"),
        ("GET", "/auth/callback?code=c"),
        ("POST", "/token"),
        ("OPTIONS", "/token"),
        ("POST", "/revoke"),
        ("GET", "/.well-known/oauth-authorization-server"),
    ] {
        let request = Request::new(method, path)
            .with("cookie", "a=b")
            .with("x-mcp-auth-subject", "mallory");
        let forward = filter.admit(&request);
        let headers = edited(&request.headers, &forward.request);
        assert_eq!(headers, [("cookie".to_owned(), "a=b".to_owned())], "{path}");
    }
    for path in ["/mcp", "/token/", "/Token", "/authorize/x", "/"] {
        let refused = (401, "missing_credentials");
        assert_eq!(filter.verdict(&Request::get(path)), refused, "{path}");
    }
    for (method, path) in [
        ("GET", "/token"),
        ("DELETE", "/register"),
        ("POST", "/authorize"),
        ("POST", "/.well-known/openid-configuration"),
    ] {
        let refused = (405, "method_not_allowed");
        let request = Request::new(method, path);
        assert_eq!(filter.verdict(&request), refused, "{method} {path}");
    }
    // A route for the MCP server would take what is below its path.
    let below = Request::new("POST", "/mcp/.well-known/openid-configuration");
    assert_eq!(filter.verdict(&below), (404, "no_oauth"));
    let client = Client::register(&mut here, &[REDIRECT]);
    let told = client.sign_in(&mut here);
    filter.admit(&bearer(&told["access_token"]));
    let resource = Request::get("/.well-known/oauth-protected-resource/mcp");
    assert_eq!(filter.verdict(&resource), (200, "resource_metadata"));
    filter.pass(3600);
    assert_eq!(filter.verdict(&Request::get("/ready")), (200, "ready"));
    assert_eq!(filter.server.count(DOCUMENT), 0, "it asks nobody");
}

#[test]
fn what_one_worker_refreshed_another_gives_again_for_a_few_seconds() {
    let mut one = gateway(&[]);
    let client = Client::register(&mut one, &[REDIRECT]);
    let told = client.sign_in(&mut one);
    let request = client.refresh_request(told["refresh_token"].as_str().unwrap());
    let outcome = tokens(None, Some("idp-refresh-2"));
    let refresh = |worker: &mut Scenario| {
        worker.server.tokens = tokens(None, Some("idp-refresh-1"));
        Client::register(worker, &[REDIRECT]).sign_in(worker);
        let ticket = worker.begin(&request).parked();
        let (call, pending) = worker.take_call();
        assert_eq!(call.url.path(), "/oidc/token");
        (ticket, pending)
    };
    let (_, pending) = refresh(&mut one);
    let name = pending.name().unwrap();
    let ambient = one.ambient();
    let finding = one.engine.condense(&pending, outcome, ambient);
    let octets = finding.to_octets().unwrap();
    assert!(!String::from_utf8_lossy(&octets).contains("idp-refresh"));
    let heard = || Finding::from_octets(&octets).unwrap();

    let mut other = gateway(&[]);
    let (ticket, pending) = refresh(&mut other);
    assert_eq!(pending.name().unwrap(), name);
    let ambient = other.ambient();
    assert!(other.engine.accepts(&pending, &heard(), false, ambient));
    let wake = other
        .engine
        .handle_finding(pending, heard(), Origin::OtherEngine, ambient);
    assert_eq!(wake.tickets, [ticket]);
    let calls = other.server.count("/oidc/token");
    let answer = other.wake(ticket, &wake.answer).unwrap().decided();
    assert_eq!(verdict(&answer), (200, "tokens_issued"));
    assert_eq!(other.verdict(&request), (200, "tokens_issued"));
    assert_eq!(other.server.count("/oidc/token"), calls);

    let mut stranger = gateway(&[("PORTCULLIS_STATE_KEYS", OTHER_KEYS)]);
    let (_, pending) = refresh(&mut stranger);
    assert!(stranger.engine.accepts(&pending, &heard(), true, ambient));
    let mut late = ambient;
    late.now = portcullis_core::UnixSeconds(late.now.0 + 10);
    assert!(!stranger.engine.accepts(&pending, &heard(), true, late));
    let mut changed = octets.clone();
    if let Some(last) = changed.last_mut() {
        *last ^= 1;
    }
    let changed = Finding::from_octets(&changed).unwrap();
    assert!(!stranger.engine.accepts(&pending, &changed, true, ambient));
}

#[test]
fn a_person_that_entra_turns_away_goes_back_to_the_client() {
    let mut gateway = gateway(&[]);
    let client = Client::register(&mut gateway, &[REDIRECT]);
    let mut browser = Browser::default();
    let asked = client.consent(&mut gateway, &mut browser);
    let path = format!(
        "/auth/callback?error=access_denied&error_description=AADSTS65004%3a+no%0d%0aTrace%20ID\
         %ff&state={}&iss={IDP}",
        asked["state"]
    );
    let response = browser.send(&mut gateway, Request::get(&path));
    assert_eq!(
        (response.status, response.reason.name()),
        (303, "idp_denied")
    );
    let told = query(header(&response, "location").unwrap());
    assert_eq!(told["error"], "access_denied");
}

#[test]
fn a_code_is_not_spent_while_nobody_could_check_who_signed_in() {
    let mut first = gateway(&[]);
    let client = Client::register(&mut first, &[REDIRECT]);
    let code = client.code(&mut first, &mut Browser::default());
    let mut restarted = gateway(&[]);
    restarted.server.tokens = first.server.tokens.clone();
    restarted.server.keys_outage = Some(response(503, ""));
    let request = client.token_request(&code, &[]);
    assert_eq!(restarted.verdict(&request), (503, "call_status"));
    assert_eq!(restarted.server.count("/oidc/token"), 0);
    restarted.server.keys_outage = None;
    restarted.now += 2;
    assert_eq!(restarted.verdict(&request), (200, "tokens_issued"));
}

#[test]
fn a_revocation_that_the_provider_refuses_is_not_done() {
    let mut gateway = gateway(&[]);
    let client = Client::register(&mut gateway, &[REDIRECT]);
    let token = client.sign_in(&mut gateway)["refresh_token"].clone();
    let body = format!("token={}&client_id={}", token.as_str().unwrap(), client.id);
    let revoke = Request::new("POST", "/revoke").body(body);
    for (status, body, expected) in [
        (200, "", 200),
        (400, r#"{"error":"invalid_token"}"#, 200),
        (400, r#"{"error":"unsupported_token_type"}"#, 503),
        (401, r#"{"error":"invalid_client"}"#, 503),
        (302, "", 503),
        (404, "", 503),
    ] {
        gateway.server.revocation = response(status, body);
        assert_eq!(gateway.verdict(&revoke).0, expected, "{status} {body}");
    }
}

#[test]
fn what_a_client_asks_the_person_costs_no_refresh_token() {
    for (asked, sent) in [
        (None, "consent"),
        (Some("login"), "login consent"),
        (Some("consent"), "consent"),
        (Some("none"), "none"),
    ] {
        let mut gateway = gateway(&[]);
        let client = Client::register(&mut gateway, &[REDIRECT]);
        let mut browser = Browser::default();
        let path = client.authorize_path(&[("prompt", asked)]);
        let page = browser.send(&mut gateway, Request::get(&path));
        let request = crate::sign_in::sealed_request(&page);
        let response = browser.send(&mut gateway, decide(&request, "approve"));
        let location = query(header(&response, "location").unwrap());
        assert_eq!(location["prompt"], sent);
    }
}

#[test]
fn another_provider_knows_nobody_that_signed_in_before() {
    let mut before = gateway(&[]);
    let client = Client::register(&mut before, &[REDIRECT]);
    let told = client.sign_in(&mut before);
    let mut after = gateway(&[("OIDCPROXY_CLIENT_ID", "another")]);
    let access = after.verdict(&bearer(&told["access_token"]));
    assert_eq!(access, (401, "unknown_access_token"));
    let refresh = client.refresh_request(told["refresh_token"].as_str().unwrap());
    assert_eq!(
        after.verdict(&refresh),
        (400, "invalid_grant"),
        "the client is known"
    );
    assert_eq!(after.server.count("/oidc/token"), 0);
}
