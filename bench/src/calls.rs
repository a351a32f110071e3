//! What an identity provider notices: calls counted at one that answers late.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use portcullis_tests::authorization_server::{JWKS_PATH, TOKEN_PATH, WRONG_SECRET, grant};
use portcullis_tests::{AuthorizationServer, Behaviour, Gate};
use serde_json::json;

use crate::credentials::{Keys, basic, bearer, post};
use crate::envoy::{Envoy, Shape};
use crate::filters::{Filter, Settings};
use crate::load::{Outcome, Requests, Until, drive};
use crate::native::Native;
use crate::spawn::Place;
use crate::world::World;

/// Requests at once with one credential.
const CROWD: usize = 1000;

/// How many requests each question takes.
pub(crate) struct Size {
    /// Tokens with unknown keys.
    pub(crate) unknown_keys: usize,
    /// Credentials with a wrong secret.
    pub(crate) wrong_secrets: usize,
}

/// The counted calls of one host.
pub(crate) struct Calls {
    /// The host.
    pub(crate) host: &'static str,
    /// Token calls for a crowd with one credential.
    pub(crate) crowd: usize,
    /// Requests of the crowd that were answered with 200.
    pub(crate) crowd_answered: usize,
    /// Fetches of the JWKS by a crowd with one token, the ones at the start included.
    pub(crate) jwks: usize,
    /// Fetches for tokens with unknown keys, and how long those came.
    pub(crate) unknown_keys: (usize, usize, Duration),
    /// Wrong secrets sent, token calls for them, and how long those came.
    pub(crate) wrong_secrets: (usize, usize, Duration),
    /// Whether a right credential that was in use before them was let in after them.
    pub(crate) right_one_in: bool,
}

/// A host to be asked.
enum Host {
    Envoy(Envoy),
    Native(Native),
}

impl Host {
    fn start(world: &World, name: &str, settings: &Settings) -> Self {
        let folder = world.folder(&format!("calls-{name}"));
        let upstream = world.resource.address();
        if name == "native" {
            return Self::Native(Native::start(&folder, upstream, settings, Place::Anywhere));
        }
        let shape = Shape {
            workers: 4,
            place: Place::Anywhere,
            ..Shape::CONTENDER
        };
        let filter = Filter::Portcullis(settings.clone());
        Self::Envoy(Envoy::start(&folder, upstream, &filter, shape))
    }

    const fn address(&self) -> SocketAddr {
        match self {
            Self::Envoy(envoy) => envoy.address,
            Self::Native(native) => native.address,
        }
    }
}

/// Counts the calls of one host: `filter` with four workers, or `native`.
pub(crate) fn count(world: &World, host: &'static str, size: &Size) -> Calls {
    let (crowd, crowd_answered) = crowd(world, host);
    let (wrong_secrets, right_one_in) = wrong_secrets(world, host, size.wrong_secrets);
    let (jwks, unknown_keys) = keys(world, host, size.unknown_keys);
    Calls {
        host,
        crowd,
        crowd_answered,
        jwks,
        unknown_keys,
        wrong_secrets,
        right_one_in,
    }
}

fn crowd(world: &World, host: &'static str) -> (usize, usize) {
    let server = AuthorizationServer::start();
    let gate = Gate::default();
    server.on_client(
        "crowd",
        Behaviour::Held(gate.clone(), Box::new(grant(3600))),
    );
    let gateway = Host::start(world, host, &zscaler(world, &server));
    let opener = thread::spawn(move || {
        // The whole crowd is there when the answer comes.
        thread::sleep(Duration::from_secs(1));
        gate.open();
    });
    let mut requests = Requests::new(vec![post("/mcp", &basic("crowd", "secret"))]);
    let outcome = drive(gateway.address(), CROWD, &mut requests, Until::Sent(CROWD));
    opener.join().unwrap();
    (server.count(TOKEN_PATH), outcome.succeeded)
}

fn wrong_secrets(
    world: &World,
    host: &'static str,
    count: usize,
) -> ((usize, usize, Duration), bool) {
    let server = AuthorizationServer::start();
    let gateway = Host::start(world, host, &zscaler(world, &server));
    server.on_client("honest", grant(3600));
    let mut right = Requests::new(vec![post("/mcp", &basic("honest", "secret"))]);
    let mut honest = || drive(gateway.address(), 1, &mut right, Until::Sent(1));
    assert_eq!(honest().succeeded, 1, "{host}");
    let before = server.count(TOKEN_PATH);
    let wrong =
        (0..count).map(|number| post("/mcp", &basic(&format!("guess-{number}"), WRONG_SECRET)));
    let outcome = send_all(gateway.address(), wrong.collect());
    let calls = server.count(TOKEN_PATH) - before;
    ((count, calls, outcome.elapsed), honest().succeeded == 1)
}

fn keys(world: &World, host: &'static str, unknown: usize) -> (usize, (usize, usize, Duration)) {
    let server = AuthorizationServer::start();
    server.publish(world.keys.jwks()["keys"].as_array().unwrap().clone());
    let mut settings = world.settings("jwt");
    settings.insert(
        "ZSCALER_MCP_AUTH_JWKS_URI".to_owned(),
        json!(server.url(JWKS_PATH)),
    );
    let gateway = Host::start(world, host, &settings);
    let mut requests = Requests::new(vec![post("/mcp", &bearer(&world.rs256[0]))]);
    let outcome = drive(gateway.address(), CROWD, &mut requests, Until::Sent(CROWD));
    assert_eq!(
        outcome.failed, 0,
        "{host}: answered {}",
        outcome.last_failure
    );
    let first = server.count(JWKS_PATH);
    let tokens = Keys::of_unknown_keys(unknown);
    let since = Instant::now();
    let flood = tokens.iter().map(|token| post("/mcp", &bearer(token)));
    send_all(gateway.address(), flood.collect());
    let more = server.count(JWKS_PATH) - first;
    (first, (unknown, more, since.elapsed()))
}

fn send_all(address: SocketAddr, requests: Vec<Vec<u8>>) -> Outcome {
    let count = requests.len();
    drive(
        address,
        64,
        &mut Requests::new(requests),
        Until::Sent(count),
    )
}

fn zscaler(world: &World, server: &AuthorizationServer) -> Settings {
    let mut settings = world.settings("zscaler");
    settings.insert(
        "PORTCULLIS_TOKEN_URL".to_owned(),
        json!(server.url(TOKEN_PATH)),
    );
    settings
}
