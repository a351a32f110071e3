//! Requests whose body the filter has collected.

use std::collections::BTreeMap;

use portcullis_tests::authorization_server::AuthorizationServer;
use portcullis_tests::{Connection, EchoResource, Request};
use serde_json::{Value, json};

use crate::envoy::{self, Envoy};
use crate::settings::oidc_proxy;

const ACTIVE: &str = "http.test.downstream_rq_active";

struct Stage {
    envoy: Envoy,
    resource: EchoResource,
}

impl Stage {
    /// Starts Envoy with a filter whose requests may wait at their headers only, or not, and with
    /// the buffers that Envoy Gateway has; Envoy's own are of 1 MiB.
    fn new(wait_flag: bool) -> Self {
        let resource = EchoResource::start();
        let server = AuthorizationServer::start();
        let mut filter = envoy::filter("portcullis", &oidc_proxy(&server.url("")));
        filter["typed_config"]["config"]["allow_on_headers_stop_iteration"] = json!(wait_flag);
        let clusters = vec![
            envoy::cluster(&resource.url()),
            envoy::cluster(&server.url("")),
        ];
        let mut bootstrap = envoy::bootstrap(vec![filter], clusters);
        bootstrap["static_resources"]["listeners"][0]["per_connection_buffer_limit_bytes"] =
            json!(32_768);
        let envoy = Envoy::start_bootstrap(envoy::folder(), &bootstrap);
        Self { envoy, resource }
    }

    /// Begins a request and leaves it there.
    fn begin(&self, bytes: &[u8]) -> Connection {
        let mut connection = Connection::open(self.envoy.listeners[0]).unwrap();
        connection.write(bytes).unwrap();
        connection
    }

    fn wait_for_active(&self, count: u64) {
        envoy::until(
            || self.envoy.stat(ACTIVE) == count,
            || format!("{} are active", self.envoy.stat(ACTIVE)),
        );
    }
}

fn registration(padding: usize) -> Request {
    let body: Value = json!({"redirect_uris": ["app:/cb"], "x": "x".repeat(padding)});
    Request::post("/register", &body.to_string())
}

#[test]
fn body_over_the_buffers_is_refused_and_the_next_is_read() {
    let stage = Stage::new(true);
    for (padding, status) in [(30_000, 201), (60_000, 413), (30_000, 201)] {
        let answer = stage.envoy.send(&registration(padding));
        assert_eq!(answer.status, status, "{padding}: {}", answer.text());
    }
    assert_eq!(stage.resource.count(), 0);
}

#[test]
fn clients_that_leave_in_the_middle_leave_nothing_behind() {
    const CROWD: u64 = 200;
    let stage = Stage::new(true);
    let bytes = registration(1000).to_bytes();
    let crowd: Vec<_> = (0..CROWD)
        .map(|_| stage.begin(&bytes[..bytes.len() - 1]))
        .collect();
    stage.wait_for_active(CROWD);
    drop(crowd);
    stage.wait_for_active(0);
    assert_eq!(stage.envoy.send(&registration(0)).status, 201);
    assert_eq!(stage.resource.count(), 0);
}

/// Some 300 answers in one callback would kill the VM.
#[test]
fn crowd_whose_bodies_do_not_come_is_given_up_without_killing_the_vm() {
    const CROWD: usize = 400;
    let stage = Stage::new(false);
    let bytes = registration(0).to_bytes();
    let crowd: Vec<_> = (0..CROWD).map(|_| stage.begin(&bytes)).collect();
    let mut statuses = BTreeMap::new();
    for mut connection in crowd {
        let answer = connection.read_response(false).unwrap();
        *statuses.entry(answer.status).or_insert(0) += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(503, CROWD)]));
    assert!(stage.envoy.log().contains("body_not_delivered"));
    let empty = Request::new("POST", "/register").body("");
    assert_eq!(stage.envoy.send(&empty).status, 400, "what has no body");
    assert_eq!(stage.resource.count(), 0);
}
