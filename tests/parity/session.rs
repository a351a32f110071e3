//! Session ids are bound to the principal, without any store.

use portcullis_tests::{Alg, Request, Settings};
use serde_json::json;

use crate::groups::{jwt, zscaler};
use crate::pair::Pair;
use crate::table::{World, claims_with, forwarded, keys, refused};

const KEY: &str = "pk-0123456789abcdefghijklmnopqrstuv";

fn api_key() -> Settings {
    Settings::new()
        .with("ZSCALER_MCP_AUTH_MODE", "api-key")
        .with("ZSCALER_MCP_AUTH_API_KEY", KEY)
}

fn with_key() -> Request {
    Request::post("/mcp", "{}").field("X-Api-Key", KEY)
}

fn by(subject: &str) -> Request {
    let token = keys().p256.token(Alg::Es256, &claims_with("sub", subject));
    Request::post("/mcp", "{}").field("Authorization", format!("Bearer {token}"))
}

/// Opens a session; both gateways must give it the same id.
fn open(pair: &Pair<'_>, request: Request) -> String {
    let response = pair.must(&request.field("X-Test-Session", "session-7"), &forwarded());
    response.value("mcp-session-id")
}

#[test]
fn the_id_is_tagged_for_the_client_and_plain_for_the_resource() {
    let world = World::start();
    let pair = Pair::start(&world, &api_key());
    let id = open(&pair, with_key());
    assert!(id.contains("session-7") && id != "session-7", "{id}");
    let rest = forwarded().saw("mcp-session-id", "session-7");
    pair.must(&with_key().field("Mcp-Session-Id", &id), &rest);
    let delete = Request::new("DELETE", "/mcp").field("X-Api-Key", KEY);
    pair.must(&delete.field("mcp-session-id", &id), &rest);
}

#[test]
fn an_answer_without_an_id_is_left_alone() {
    let world = World::start();
    let pair = Pair::start(&world, &api_key());
    let request = with_key().field("MCP-Protocol-Version", "2026-07-28");
    pair.must(&request, &forwarded().no_field("mcp-session-id"));
}

#[test]
fn an_id_that_we_did_not_tag_is_not_found() {
    let world = World::start();
    let pair = Pair::start(&world, &api_key());
    let id = open(&pair, with_key());
    let not_found = refused(404).says("ession not found");
    let (head, last) = id.split_at(id.len() - 1);
    let other = if last == "A" { "B" } else { "A" };
    for id in [
        "session-7".to_owned(),
        String::new(),
        format!("{head}{other}"),
        head.to_owned(),
        format!("{id}A"),
        format!("x{id}"),
        id.to_uppercase(),
        format!("{id}, {id}"),
        "\u{fc}".repeat(40),
        "x".repeat(9000),
    ] {
        pair.must(&with_key().field("Mcp-Session-Id", &id), &not_found);
    }
    let twice = with_key().field("Mcp-Session-Id", &id);
    pair.must(&twice.field("Mcp-Session-Id", &id), &not_found);
}

#[test]
fn a_session_of_another_subject_is_not_found() {
    let world = World::start();
    let pair = Pair::start(&world, &jwt::settings(&world));
    let id = open(&pair, by("alice"));
    let not_found = refused(404).says("ession not found");
    pair.must(&by("mallory").field("Mcp-Session-Id", &id), &not_found);
    let rest = forwarded().saw("mcp-session-id", "session-7");
    pair.must(&by("alice").field("Mcp-Session-Id", &id), &rest);
    let same = keys()
        .rsa
        .token(Alg::Rs256, &claims_with("jti", json!("another token")));
    let request = Request::post("/mcp", "{}").field("Authorization", format!("Bearer {same}"));
    pair.must(&request.field("Mcp-Session-Id", &id), &rest);
}

#[test]
fn a_session_without_a_credential_is_refused_first() {
    let world = World::start();
    let pair = Pair::start(&world, &api_key());
    let id = open(&pair, with_key());
    pair.must(
        &Request::get("/mcp").field("Mcp-Session-Id", id),
        &refused(401),
    );
}

#[test]
fn a_session_of_another_client_is_not_found() {
    let world = World::start();
    let server = &world.authorization_server;
    for client in ["one", "two"] {
        server.on_client(client, portcullis_tests::authorization_server::grant(3600));
    }
    let pair = Pair::start(&world, &zscaler::settings(&world));
    let id = open(&pair, zscaler::fields("one", "secret"));
    let with_id =
        |client: &str, secret: &str| zscaler::fields(client, secret).field("Mcp-Session-Id", &id);
    let rest = forwarded().saw("mcp-session-id", "session-7");
    pair.must(&with_id("one", "secret"), &rest);
    pair.must(&with_id("one", "rotated"), &rest);
    pair.must(
        &with_id("two", "secret"),
        &refused(404).says("ession not found"),
    );
}

#[test]
fn binding_can_be_switched_off_by_name() {
    let world = World::start();
    let settings = api_key()
        .without("PORTCULLIS_STATE_KEYS")
        .with("PORTCULLIS_SESSION_BINDING", "off");
    let pair = Pair::start(&world, &settings);
    assert_eq!(open(&pair, with_key()), "session-7");
    let rest = forwarded().saw("mcp-session-id", "session-7");
    pair.must(&with_key().field("Mcp-Session-Id", "session-7"), &rest);
}
