//! Clients that are described at their identifiers (client ID metadata documents).

use portcullis_core::config::{Settings, Site, resolve};
use portcullis_core::jose::PortableVerifier;
use portcullis_core::{CallFailure, Engine, Reach, Seed};
use serde_json::json;

use crate::request::Request;
use crate::server::{DOCUMENT, json_response, response};
use crate::sign_in::{
    Browser, Client, OIDC_PROXY_MODE, REDIRECT, answered, gateway, header, json, provider_key,
};
use crate::support::Scenario;

const ID: &str = "https://app.example/client.json";

/// A gateway on a host without a mesh, where every public host may be asked.
fn native(more: &[(&str, &str)]) -> Scenario {
    let mut scenario = gateway(&[]);
    let mut settings = Settings::default();
    settings.read_environment(OIDC_PROXY_MODE.iter().chain(more).copied());
    let site = Site::Native { loopback: false };
    let config = resolve(&settings, site).unwrap().config;
    let verifier = Box::new(PortableVerifier::new());
    scenario.engine = Engine::new(config, verifier, Seed::new([0; 32]));
    scenario.server.keys = vec![provider_key().jwk()];
    scenario.server.client_document = described(&[]);
    scenario
}

fn described(headers: &[(&str, &str)]) -> portcullis_core::CallOutcome {
    let document = json!({
        "client_id": ID, "client_name": "Described", "redirect_uris": [REDIRECT],
    });
    json_response(200, headers, &document)
}

fn client() -> Client {
    Client { id: ID.into() }
}

#[test]
fn a_described_client_signs_in_without_registering() {
    let mut gateway = native(&[]);
    let page = answered(&mut gateway, &Request::get(&client().authorize_path(&[])));
    let html = String::from_utf8(page.body).unwrap();
    assert!(
        html.contains("Described") && html.contains("app.example"),
        "{html}"
    );
    let told = client().sign_in(&mut gateway);
    let token = told["access_token"].as_str().unwrap();
    gateway.admit(&Request::post().bearer(token));
    let refresh = client().refresh_request(told["refresh_token"].as_str().unwrap());
    assert_eq!(gateway.verdict(&refresh), (200, "tokens_issued"));
    assert_eq!(gateway.server.count("/client.json"), 1);
}

#[test]
fn a_redemption_may_have_to_look_up_both_client_and_provider() {
    let mut first = native(&[]);
    let code = client().code(&mut first, &mut Browser::default());
    let mut second = native(&[]);
    second.server.document = first.server.document.clone();
    second.server.tokens = first.server.tokens.clone();
    let request = client().token_request(&code, &[]);
    assert_eq!(second.verdict(&request), (200, "tokens_issued"));
    let counts = ["/client.json", DOCUMENT].map(|path| second.server.count(path));
    assert_eq!(counts, [1, 1]);
}

#[test]
fn only_public_hosts_are_asked_and_only_for_so_long_as_the_document_says() {
    let mut gateway = native(&[]);
    gateway.server.client_document = described(&[("cache-control", "max-age=120")]);
    let request = Request::get(&client().authorize_path(&[]));
    for _ in 0..3 {
        assert_eq!(gateway.verdict(&request), (200, "consent_asked"));
    }
    let call = gateway.server.last_call();
    assert_eq!((call.reach, call.method), (Reach::Public, "GET"));
    assert!(call.max_response_bytes <= 5 * 1024 && call.timeout_seconds <= 5);
    assert_eq!(gateway.server.count("/client.json"), 1);
    gateway.now += 120;
    assert_eq!(gateway.verdict(&request), (200, "consent_asked"));
    assert_eq!(gateway.server.count("/client.json"), 2);
}

#[test]
fn a_client_without_a_document_of_its_own_is_unknown_and_asked_for_once_a_minute() {
    let mut gateway = native(&[]);
    let request = Request::get(&client().authorize_path(&[]));
    for document in [
        response(404, ""),
        json_response(302, &[("location", "https://127.0.0.1/")], &json!({})),
        json_response(200, &[], &json!({ "client_id": "https://other.example/" })),
    ] {
        gateway.server.client_document = document;
        let before = gateway.server.count("/client.json");
        for _ in 0..3 {
            assert_eq!(gateway.verdict(&request), (401, "invalid_client"));
        }
        assert_eq!(gateway.server.count("/client.json"), before + 1);
        gateway.now += 60;
    }
}

#[test]
fn while_the_clients_server_is_down_nothing_is_said_of_the_client() {
    let mut gateway = native(&[]);
    gateway.server.client_document = Err(CallFailure::Unreachable);
    let request = Request::get(&client().authorize_path(&[]));
    assert_eq!(gateway.verdict(&request), (503, "call_unreachable"));
    let token = client().token_request("x", &[]);
    let told = answered(&mut gateway, &token);
    assert_eq!(json(&told)["error"], "temporarily_unavailable");
    assert_eq!(gateway.server.count("/client.json"), 1);
    gateway.server.client_document = described(&[]);
    gateway.now += 5;
    assert_eq!(gateway.verdict(&request), (200, "consent_asked"));
}

#[test]
fn strangers_cannot_make_more_than_a_few_calls_at_once() {
    let mut gateway = native(&[]);
    let ask = |index: usize| Client {
        id: format!("https://app{index}.example/client.json"),
    };
    let same_host = |path: &str| Client {
        id: format!("https://app0.example/{path}"),
    };
    for index in 0..15 {
        let path = ask(index).authorize_path(&[]);
        gateway.begin(&Request::get(&path)).waits();
    }
    let second = same_host("b").authorize_path(&[]);
    gateway.begin(&Request::get(&second)).waits();
    let third = same_host("c").authorize_path(&[]);
    let refused = gateway.begin(&Request::get(&third)).decided();
    let crowded = (503, "too_many_calls");
    assert_eq!(crate::support::verdict(&refused), crowded, "two at a host");
    let path = ask(16).authorize_path(&[]);
    let refused = gateway.begin(&Request::get(&path)).decided();
    assert_eq!(crate::support::verdict(&refused), crowded);
    assert_eq!(gateway.calls_under_way(), 16);
}

#[test]
fn in_envoy_documents_come_from_named_hosts_only() {
    let told = |gateway: &mut Scenario| {
        let path = "/.well-known/oauth-authorization-server";
        let metadata = answered(gateway, &Request::get(path));
        json(&metadata)["client_id_metadata_document_supported"].clone()
    };
    let request = Request::get(&client().authorize_path(&[]));
    let mut off = gateway(&[]);
    assert_eq!(told(&mut off), false);
    let refused = answered(&mut off, &request);
    assert_eq!(
        (refused.status, refused.reason.name()),
        (401, "invalid_client")
    );
    assert_eq!(header(&refused, "location"), None);
    let mut named = gateway(&[("OIDCPROXY_CLIENT_DOCUMENTS", "app.example")]);
    named.server.client_document = described(&[]);
    assert_eq!(told(&mut named), true);
    assert_eq!(named.verdict(&request), (200, "consent_asked"));
    let other = Client {
        id: "https://other.example/client.json".into(),
    };
    let other = Request::get(&other.authorize_path(&[]));
    assert_eq!(named.verdict(&other), (401, "invalid_client"));
    assert_eq!(told(&mut native(&[])), true);
    assert_eq!(
        told(&mut native(&[("OIDCPROXY_CLIENT_DOCUMENTS", "off")])),
        false
    );
}

#[test]
fn a_document_that_cannot_be_renewed_counts_for_a_day_more() {
    let mut gateway = native(&[]);
    let told = client().sign_in(&mut gateway);
    let refresh = client().refresh_request(told["refresh_token"].as_str().unwrap());
    gateway.server.tokens = crate::sign_in::tokens(None, None);
    for outage in [
        response(403, "robots are not welcome"),
        Err(CallFailure::TimedOut),
    ] {
        gateway.now += 2 * 3600;
        gateway.server.client_document = outage;
        assert_eq!(gateway.verdict(&refresh), (200, "tokens_issued"));
    }
    gateway.now += 24 * 3600;
    assert_eq!(gateway.verdict(&refresh).0, 503);
    gateway.server.client_document = response(404, "");
    gateway.now += 5;
    assert_eq!(gateway.verdict(&refresh), (401, "invalid_client"));
}

#[test]
fn a_list_of_redirect_uris_holds_for_described_clients() {
    let list = ("OIDCPROXY_ALLOWED_REDIRECT_URIS", "https://app.example/cb");
    let mut gateway = native(&[list]);
    let request = Request::get(&client().authorize_path(&[]));
    assert_eq!(gateway.verdict(&request), (400, "invalid_redirect_uri"));
}

#[test]
fn a_program_that_describes_localhost_without_a_port_takes_any() {
    let mut gateway = native(&[]);
    let document = json!({
        "client_id": ID, "client_name": "App",
        "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"],
    });
    gateway.server.client_document = json_response(200, &[], &document);
    for (uri, expected) in [
        ("http://localhost:43210/callback", 200),
        ("http://127.0.0.1:43210/callback", 200),
        ("http://localhost:43210/other", 400),
        ("http://localhost.evil.example:43210/callback", 400),
        ("https://localhost:43210/callback", 400),
    ] {
        let path = client().authorize_path(&[("redirect_uri", Some(uri))]);
        assert_eq!(gateway.verdict(&Request::get(&path)).0, expected, "{uri}");
    }
}
