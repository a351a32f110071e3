//! A thousand requests at once with one credential that nobody has seen.

use std::collections::BTreeMap;

use portcullis_tests::authorization_server::{
    AuthorizationServer, CLIENT_ID, TOKEN_PATH, grant, refusal,
};
use portcullis_tests::server::{Behaviour, Gate};
use portcullis_tests::{Connection, EchoResource, Gateway, Settings};

use crate::envoy;
use crate::settings::{call_with_secret, with_client};

const WORKERS: usize = 2;
const CROWD: usize = 1000;

struct Stage {
    server: AuthorizationServer,
    resource: EchoResource,
    gateway: Gateway,
    gate: Gate,
}

impl Stage {
    /// Starts Envoy with a token endpoint that answers so when the gate opens.
    fn new(answer: Behaviour) -> Self {
        let server = AuthorizationServer::start();
        let resource = EchoResource::start();
        let gate = Gate::default();
        server.on_client(CLIENT_ID, Behaviour::Held(gate.clone(), Box::new(answer)));
        let settings = Settings::new()
            .with("ZSCALER_MCP_AUTH_MODE", "zscaler")
            .with("PORTCULLIS_TOKEN_URL", server.url(TOKEN_PATH));
        let gateway = Gateway::envoy_with_workers(&settings, &resource.url(), WORKERS);
        Self {
            server,
            resource,
            gateway,
            gate,
        }
    }

    /// Sends the same request on this many connections and waits until all of them are parked.
    fn crowd(&self, count: usize, secret: &str) -> Vec<Connection> {
        let request = call_with_secret(secret).to_bytes();
        let before = self.active();
        let connections: Vec<Connection> = (0..count)
            .map(|_| {
                let mut connection = self.gateway.connect();
                connection.write(&request).unwrap();
                connection
            })
            .collect();
        self.wait_for_active(before + count);
        connections
    }

    fn active(&self) -> usize {
        let stat = "http.portcullis.downstream_rq_active";
        usize::try_from(envoy::stat(self.gateway.admin().unwrap(), stat)).unwrap()
    }

    fn wait_for_active(&self, count: usize) {
        envoy::until(
            || self.active() == count,
            || format!("{} are active", self.active()),
        );
    }
}

/// Reads an answer from each and counts the status codes.
fn statuses(connections: Vec<Connection>) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    for mut connection in connections {
        *statuses
            .entry(connection.read_response(false).unwrap().status)
            .or_default() += 1;
    }
    statuses
}

#[test]
fn crowd_makes_one_call_per_worker_and_all_are_let_in() {
    let stage = Stage::new(grant(3600));
    let crowd = stage.crowd(CROWD, "s");
    stage.gate.open();
    assert_eq!(statuses(crowd), BTreeMap::from([(200, CROWD)]));
    let calls = stage.server.count(TOKEN_PATH);
    assert!((1..=WORKERS).contains(&calls), "{calls} calls");
    assert_eq!(stage.resource.count(), CROWD);
    assert_eq!(stage.gateway.send(&call_with_secret("s")).status, 200);
}

#[test]
fn crowd_is_answered_when_the_one_that_came_first_leaves() {
    let stage = Stage::new(grant(3600));
    let first = stage.crowd(1, "s");
    stage.server.wait_for(TOKEN_PATH, 1);
    let crowd = stage.crowd(CROWD - 1, "s");
    drop(first);
    stage.wait_for_active(CROWD - 1);
    stage.gate.open();
    assert_eq!(statuses(crowd), BTreeMap::from([(200, CROWD - 1)]));
    let calls = stage.server.count(TOKEN_PATH);
    assert!((1..=WORKERS).contains(&calls), "{calls} calls");
}

#[test]
fn crowd_is_refused_without_killing_the_vm() {
    let stage = Stage::new(refusal(401, "invalid_client"));
    let crowd = stage.crowd(CROWD, "s");
    stage.gate.open();
    assert_eq!(statuses(crowd), BTreeMap::from([(401, CROWD)]));
    let calls = stage.server.count(TOKEN_PATH);
    assert!((1..=WORKERS).contains(&calls), "{calls} calls");
    assert_eq!(stage.resource.count(), 0);
    // Both workers still serve: neither VM was lost.
    stage.server.on_client(CLIENT_ID, grant(3600));
    let all = stage.crowd_of_one_each();
    assert_eq!(all, BTreeMap::from([(200, 64)]));
}

#[test]
fn crowd_of_different_credentials_with_no_way_out_is_answered() {
    let server = AuthorizationServer::start();
    let resource = EchoResource::start();
    let url = "http://127.0.0.1:1/token";
    let settings = Settings::new()
        .with("ZSCALER_MCP_AUTH_MODE", "zscaler")
        .with("PORTCULLIS_TOKEN_URL", url)
        .with("PORTCULLIS_WRONG_SECRETS_PER_ADDRESS", "10000")
        .with("PORTCULLIS_WRONG_SECRETS_IN_ALL", "10000");
    let gateway = Gateway::envoy_with_workers(&settings, &resource.url(), 1);
    let crowd: Vec<Connection> = (0..CROWD)
        .map(|number| {
            let mut connection = gateway.connect();
            let request = portcullis_tests::Request::post("/mcp", "{}");
            let request = with_client(request, &format!("client-{number}"), "s");
            connection.write(&request.to_bytes()).unwrap();
            connection
        })
        .collect();
    assert_eq!(statuses(crowd), BTreeMap::from([(503, CROWD)]));
    assert_eq!((resource.count(), server.count(TOKEN_PATH)), (0, 0));
    let health = gateway.send(&portcullis_tests::Request::get("/health"));
    assert_eq!(health.status, 200, "{}", gateway.log());
}

#[test]
fn clients_that_leave_while_parked_leave_nothing_behind() {
    let stage = Stage::new(grant(3600));
    for _ in 0..5 {
        let crowd = stage.crowd(100, "s");
        drop(crowd);
        stage.wait_for_active(0);
    }
    let crowd = stage.crowd(10, "s");
    stage.gate.open();
    assert_eq!(statuses(crowd), BTreeMap::from([(200, 10)]));
    assert_eq!(stage.resource.count(), 10);
}

impl Stage {
    /// Sends requests on 64 connections, which reach every worker, and counts the status codes.
    fn crowd_of_one_each(&self) -> BTreeMap<u16, usize> {
        let request = call_with_secret("good").to_bytes();
        let connections = (0..64).map(|_| {
            let mut connection = self.gateway.connect();
            connection.write(&request).unwrap();
            connection
        });
        statuses(connections.collect())
    }
}
