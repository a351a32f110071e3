//! The workers of one process share calls and the budget for wrong secrets, where the `vm_id` is
//! ours alone.

use std::collections::BTreeMap;
use std::time::Instant;

use portcullis_tests::authorization_server::{
    AuthorizationServer, CLIENT_ID, JWKS_PATH, TOKEN_PATH, WRONG_SECRET, grant, refusal,
};
use portcullis_tests::server::{Behaviour, Gate};
use portcullis_tests::{Alg, Connection, EchoResource, Gateway, Request, Settings, SigningKey};
use serde_json::json;

use crate::envoy::{Envoy, bootstrap, cluster, filter, folder};
use crate::settings::{call_with_secret, with_client, zscaler};

const WORKERS: usize = 4;

/// Enough connections to reach every worker.
const MANY: usize = 64;

fn zscaler_settings(server: &AuthorizationServer) -> Settings {
    Settings::new()
        .with("ZSCALER_MCP_AUTH_MODE", "zscaler")
        .with("PORTCULLIS_TOKEN_URL", server.url(TOKEN_PATH))
}

fn jwt_settings(server: &AuthorizationServer) -> Settings {
    Settings::new()
        .with("ZSCALER_MCP_AUTH_MODE", "jwt")
        .with("ZSCALER_MCP_AUTH_JWKS_URI", server.url(JWKS_PATH))
}

/// Sends each request on a connection of its own, all at once.
fn send(gateway: &Gateway, requests: impl IntoIterator<Item = Request>) -> Vec<Connection> {
    let send = |request: Request| {
        let mut connection = gateway.connect();
        connection.write(&request.to_bytes()).unwrap();
        connection
    };
    requests.into_iter().map(send).collect()
}

/// Reads an answer from each and counts the status codes.
fn statuses(connections: Vec<Connection>) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    for mut connection in connections {
        let response = connection.read_response(false).unwrap();
        *statuses.entry(response.status).or_default() += 1;
    }
    statuses
}

fn right() -> Request {
    call_with_secret("right")
}

#[test]
fn a_crowd_with_one_credential_makes_one_call() {
    for (answer, status) in [(grant(3600), 200), (refusal(401, "invalid_client"), 401)] {
        let (server, resource) = (AuthorizationServer::start(), EchoResource::start());
        let gate = Gate::default();
        server.on_client(CLIENT_ID, Behaviour::Held(gate.clone(), Box::new(answer)));
        let settings = zscaler_settings(&server);
        let gateway = Gateway::envoy_with_workers(&settings, &resource.url(), WORKERS);
        let crowd = send(&gateway, (0..1000).map(|_| right()));
        server.wait_for(TOKEN_PATH, 1);
        gate.open();
        assert_eq!(statuses(crowd), BTreeMap::from([(status, 1000)]));
        let later = send(&gateway, (0..MANY).map(|_| right()));
        assert_eq!(statuses(later), BTreeMap::from([(status, MANY)]));
        assert_eq!(server.count(TOKEN_PATH), 1, "{}", gateway.log());
    }
}

#[test]
fn different_credentials_are_all_checked() {
    let (server, resource) = (AuthorizationServer::start(), EchoResource::start());
    let settings = zscaler_settings(&server).with("PORTCULLIS_WRONG_SECRETS_PER_ADDRESS", "1000");
    let settings = settings.with("PORTCULLIS_WRONG_SECRETS_IN_ALL", "1000");
    let gateway = Gateway::envoy_with_workers(&settings, &resource.url(), WORKERS);
    let clients: Vec<String> = (0..200).map(|number| format!("client-{number}")).collect();
    for client in &clients {
        server.on_client(client, grant(3600));
    }
    let call = |client: &String| with_client(Request::post("/mcp", "{}"), client, "s");
    for _ in 0..2 {
        let crowd = send(&gateway, clients.iter().map(call));
        assert_eq!(statuses(crowd), BTreeMap::from([(200, 200)]));
    }
    // Those that share a record are checked again by another worker, now and then.
    let calls = server.count(TOKEN_PATH);
    assert!((200..600).contains(&calls), "{calls}");
}

#[test]
fn a_worker_that_is_slow_is_not_waited_for() {
    let (server, resource) = (AuthorizationServer::start(), EchoResource::start());
    let gate = Gate::default();
    let slow = Behaviour::Held(gate.clone(), Box::new(grant(3600)));
    server.on_client(CLIENT_ID, slow);
    let settings = zscaler_settings(&server);
    let gateway = Gateway::envoy_with_workers(&settings, &resource.url(), WORKERS);
    let crowd = send(&gateway, (0..MANY).map(|_| right()));
    server.wait_for(TOKEN_PATH, 2);
    gate.open();
    assert_eq!(statuses(crowd), BTreeMap::from([(200, MANY)]));
    let calls = server.count(TOKEN_PATH);
    assert!((2..WORKERS).contains(&calls), "{calls}");
}

#[test]
fn an_outage_is_told_to_all_who_waited_and_to_nobody_else() {
    let (server, resource) = (AuthorizationServer::start(), EchoResource::start());
    let gate = Gate::default();
    let down = Behaviour::Held(gate.clone(), Box::new(Behaviour::status(500)));
    server.on_client(CLIENT_ID, down);
    let settings = zscaler_settings(&server);
    let gateway = Gateway::envoy_with_workers(&settings, &resource.url(), WORKERS);
    let crowd = send(&gateway, (0..MANY).map(|_| right()));
    server.wait_for(TOKEN_PATH, 1);
    gate.open();
    assert_eq!(statuses(crowd), BTreeMap::from([(503, MANY)]));
    server.on_client(CLIENT_ID, grant(3600));
    let after = send(&gateway, (0..MANY).map(|_| right()));
    assert_eq!(statuses(after), BTreeMap::from([(200, MANY)]));
}

#[test]
fn keys_are_fetched_once_and_unknown_ones_once_in_ten_seconds() {
    let (server, resource) = (AuthorizationServer::start(), EchoResource::start());
    let key = SigningKey::generate("a", Alg::Es256);
    server.publish([key.jwk()]);
    let gateway = Gateway::envoy_with_workers(&jwt_settings(&server), &resource.url(), WORKERS);
    let call = |token: &str| {
        let request = Request::post("/mcp", "{}");
        request.field("Authorization", format!("Bearer {token}"))
    };
    let claims = json!({"sub": "alice", "exp": 4_000_000_000_u64});
    let token = key.token(Alg::Es256, &claims);
    let crowd = send(&gateway, (0..MANY).map(|_| call(&token)));
    assert_eq!(statuses(crowd), BTreeMap::from([(200, MANY)]));
    assert_eq!(server.count(JWKS_PATH), 1, "{}", gateway.log());
    let unknown: Vec<String> = (0..500)
        .map(|number| SigningKey::generate(&format!("unknown-{number}"), Alg::EdDsa))
        .map(|key| key.token(Alg::EdDsa, &claims))
        .collect();
    let since = Instant::now();
    let flood = send(&gateway, unknown.iter().map(|token| call(token)));
    assert_eq!(statuses(flood), BTreeMap::from([(401, 500)]));
    let allowed = 2 + since.elapsed().as_secs() / 10;
    let fetches = u64::try_from(server.count(JWKS_PATH)).unwrap();
    assert!(fetches <= allowed, "{fetches} in {:?}", since.elapsed());
}

#[test]
fn the_budget_for_wrong_secrets_is_that_of_the_process() {
    let (server, resource) = (AuthorizationServer::start(), EchoResource::start());
    let settings = zscaler_settings(&server);
    let gateway = Gateway::envoy_with_workers(&settings, &resource.url(), WORKERS);
    assert_eq!(gateway.send(&right()).status, 200);
    let guess = |number: usize| {
        let client = format!("guess-{number}");
        with_client(Request::post("/mcp", "{}"), &client, WRONG_SECRET)
    };
    let found = statuses(send(&gateway, (0..400).map(guess)));
    let refused = found.get(&401).copied().unwrap_or_default();
    assert_eq!(found.get(&429), Some(&(400 - refused)), "{found:?}");
    assert_eq!(server.count(TOKEN_PATH), 1 + refused);
    assert!((1..=30).contains(&refused), "{found:?}");
    let limited = gateway.send(&guess(1000));
    assert_eq!(limited.status, 429);
    let wait: u64 = limited.value("retry-after").parse().unwrap();
    assert!((1..=70).contains(&wait), "{wait}");
    // Every worker lets the right one in, also those that have not seen it.
    let honest = send(&gateway, (0..MANY).map(|_| right()));
    assert_eq!(statuses(honest), BTreeMap::from([(200, MANY)]));
}

#[test]
fn workers_with_strangers_in_their_space_share_nothing_unless_told_to() {
    for (lease, calls) in [(None, 2..=WORKERS), (Some("on"), 1..=1)] {
        let (server, resource) = (AuthorizationServer::start(), EchoResource::start());
        let mut settings = zscaler(&server.url(""));
        if let Some(lease) = lease {
            settings["PORTCULLIS_WORKER_LEASE"] = json!(lease);
        }
        let clusters = vec![cluster(&resource.url()), cluster(&server.url(""))];
        let bootstrap = bootstrap(vec![filter("portcullis", &settings)], clusters);
        let envoy = Envoy::start_with_workers(folder(), &bootstrap, WORKERS);
        for _ in 0..MANY {
            assert_eq!(envoy.send(&right()).status, 200);
        }
        let seen = server.count(TOKEN_PATH);
        assert!(calls.contains(&seen), "{lease:?}: {seen} calls");
    }
}
