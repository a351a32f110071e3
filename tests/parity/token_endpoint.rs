//! How often, and how, the token endpoint is asked.

use portcullis_tests::authorization_server::{
    CLIENT_ID, CLIENT_SECRET, TOKEN_PATH, WRONG_SECRET, grant, grant_with_entitlements, refusal,
};
use portcullis_tests::{Answer, Behaviour, Connection, Gate, Gateway, Kind, Request};

use crate::groups::zscaler::{basic, fields, settings};
use crate::table::{World, now};

/// Requests at once with one credential.
const CROWD: usize = 1000;

fn start(world: &World, kind: Kind) -> Gateway {
    Gateway::start(kind, &settings(world), &world.resource.url())
}

/// Runs `check` against each gateway, with a world of its own.
fn each(check: impl Fn(&World, &Gateway)) {
    for kind in Kind::BOTH {
        let world = World::start();
        check(&world, &start(&world, kind));
    }
}

/// Sends `request` on this many connections at once and leaves the answers unread.
fn crowd(gateway: &Gateway, request: &Request, size: usize) -> Vec<Connection> {
    let bytes = request.to_bytes();
    (0..size)
        .map(|_| {
            let mut connection = gateway.connect();
            connection.write(&bytes).unwrap();
            connection
        })
        .collect()
}

fn statuses(crowd: Vec<Connection>) -> Vec<u16> {
    let mut statuses: Vec<u16> = crowd
        .into_iter()
        .map(|mut connection| connection.read_response(false).unwrap().status)
        .collect();
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

/// Holds the answer back until the whole crowd has asked.
fn check_crowd(world: &World, gateway: &Gateway, behaviour: Behaviour, status: u16, calls: usize) {
    let server = &world.authorization_server;
    let gate = Gate::default();
    server.on_client("crowd", Behaviour::Held(gate.clone(), Box::new(behaviour)));
    let crowd = crowd(gateway, &fields("crowd", "secret"), CROWD);
    server.wait_for(TOKEN_PATH, 1);
    gate.open();
    assert_eq!(statuses(crowd), [status], "{:?}", gateway.kind());
    let seen = server.token_calls("crowd").len();
    assert!(
        seen <= calls,
        "{:?} made {seen} calls, not {calls}",
        gateway.kind()
    );
}

#[test]
fn a_thousand_requests_with_one_good_credential_make_one_call() {
    each(|world, gateway| check_crowd(world, gateway, grant(3600), 200, 1));
}

#[test]
fn a_thousand_requests_with_one_bad_credential_make_one_call() {
    each(|world, gateway| check_crowd(world, gateway, refusal(401, "invalid_client"), 401, 1));
}

#[test]
fn a_thousand_requests_make_one_call_per_worker() {
    let workers = 2;
    for (behaviour, status) in [(grant(3600), 200), (refusal(400, "invalid_client"), 401)] {
        let world = World::start();
        let upstream = world.resource.url();
        let gateway = Gateway::envoy_with_workers(&settings(&world), &upstream, workers);
        check_crowd(&world, &gateway, behaviour, status, workers);
    }
}

#[test]
fn a_thousand_requests_survive_an_outage() {
    each(|world, gateway| {
        let server = &world.authorization_server;
        let gate = Gate::default();
        let outage = Behaviour::Held(gate.clone(), Box::new(Behaviour::status(500)));
        server.on_client("crowd", outage);
        let crowd = crowd(gateway, &fields("crowd", "secret"), CROWD);
        server.wait_for(TOKEN_PATH, 1);
        gate.open();
        assert_eq!(statuses(crowd), [503], "{:?}", gateway.kind());
        server.on_client("crowd", grant(3600));
        assert_eq!(gateway.send(&fields("crowd", "secret")).status, 200);
    });
}

#[test]
fn a_client_that_leaves_first_takes_no_answer_with_it() {
    for (behaviour, status) in [(grant(3600), 200), (refusal(401, "invalid_client"), 401)] {
        each(|world, gateway| {
            let server = &world.authorization_server;
            let gate = Gate::default();
            let held = Behaviour::Held(gate.clone(), Box::new(behaviour.clone()));
            server.on_client("crowd", held);
            let first = crowd(gateway, &fields("crowd", "secret"), 1);
            server.wait_for(TOKEN_PATH, 1);
            let rest = crowd(gateway, &fields("crowd", "secret"), 50);
            drop(first);
            gate.open();
            assert_eq!(statuses(rest), [status], "{:?}", gateway.kind());
            assert_eq!(server.token_calls("crowd").len(), 1, "{:?}", gateway.kind());
        });
    }
}

#[test]
fn a_slow_token_endpoint_holds_nobody_else_up() {
    each(|world, gateway| {
        let server = &world.authorization_server;
        let gate = Gate::default();
        server.on_client("slow", Behaviour::Held(gate.clone(), Box::new(grant(60))));
        let slow = crowd(gateway, &fields("slow", "secret"), 1);
        server.wait_for(TOKEN_PATH, 1);
        assert_eq!(gateway.send(&Request::get("/health")).status, 200);
        assert_eq!(gateway.send(&Request::get("/mcp")).status, 401);
        assert_eq!(gateway.send(&fields(CLIENT_ID, CLIENT_SECRET)).status, 200);
        gate.open();
        assert_eq!(statuses(slow), [200]);
    });
}

#[test]
fn a_silent_token_endpoint_is_an_outage_after_ten_seconds() {
    std::thread::scope(|scope| {
        for kind in Kind::BOTH {
            scope.spawn(move || {
                let world = World::start();
                let gateway = start(&world, kind);
                world
                    .authorization_server
                    .on_client("silent", Behaviour::Silent);
                let before = now();
                let response = gateway.send(&fields("silent", "secret"));
                let waited = now() - before;
                assert_eq!(response.status, 503, "{kind:?}");
                assert!((9..=13).contains(&waited), "{kind:?} waited {waited} s");
            });
        }
    });
}

#[test]
fn success_is_cached_for_both_forms_of_a_credential() {
    each(|world, gateway| {
        for request in [
            fields(CLIENT_ID, CLIENT_SECRET),
            basic(format!("{CLIENT_ID}:{CLIENT_SECRET}")),
            fields(CLIENT_ID, CLIENT_SECRET),
        ] {
            assert_eq!(gateway.send(&request).status, 200);
        }
        assert_eq!(world.authorization_server.token_calls(CLIENT_ID).len(), 1);
    });
}

#[test]
fn entitlements_cost_no_second_call() {
    for kind in Kind::BOTH {
        let world = World::start();
        let server = &world.authorization_server;
        server.on_client("entitled", grant_with_entitlements(&["ZPA", "ZIA"]));
        let settings = settings(&world).with("PORTCULLIS_ENTITLEMENTS", "forward");
        let gateway = Gateway::start(kind, &settings, &world.resource.url());
        for _ in 0..3 {
            let response = gateway.send(&fields("entitled", "secret"));
            assert!(response.text().contains("ZIA,ZPA"), "{}", response.text());
        }
        assert_eq!(server.token_calls("entitled").len(), 1, "{kind:?}");
    }
}

#[test]
fn a_grant_that_ends_at_once_is_not_cached() {
    each(|world, gateway| {
        let server = &world.authorization_server;
        server.on_client("brief", grant(1));
        for calls in 1..=3 {
            assert_eq!(gateway.send(&fields("brief", "secret")).status, 200);
            assert_eq!(
                server.token_calls("brief").len(),
                calls,
                "{:?}",
                gateway.kind()
            );
        }
    });
}

#[test]
fn a_refusal_is_cached_briefly() {
    each(|world, gateway| {
        for _ in 0..5 {
            assert_eq!(gateway.send(&fields(CLIENT_ID, WRONG_SECRET)).status, 401);
        }
        assert_eq!(world.authorization_server.token_calls(CLIENT_ID).len(), 1);
        // The right secret is another credential.
        assert_eq!(gateway.send(&fields(CLIENT_ID, CLIENT_SECRET)).status, 200);
    });
}

#[test]
fn guesses_beyond_the_budget_are_not_asked_about() {
    each(|world, gateway| {
        let server = &world.authorization_server;
        assert_eq!(gateway.send(&fields(CLIENT_ID, CLIENT_SECRET)).status, 200);
        let guess = |number: usize| gateway.send(&fields(&format!("id-{number}"), WRONG_SECRET));
        for number in 0..30 {
            assert_eq!(guess(number).status, 401, "{:?}", gateway.kind());
        }
        let limited = guess(30);
        assert_eq!(limited.status, 429, "{:?}", gateway.kind());
        assert_eq!(limited.json()["error"]["code"], -32001);
        let seconds: u64 = limited.value("retry-after").parse().unwrap();
        assert!((1..=70).contains(&seconds), "{seconds}");
        assert_eq!(server.count(TOKEN_PATH), 31);
        assert_eq!(gateway.send(&fields(CLIENT_ID, CLIENT_SECRET)).status, 200);
    });
}

#[test]
fn an_outage_is_not_cached() {
    each(|world, gateway| {
        let server = &world.authorization_server;
        let too_many = Answer::new(429).field("retry-after", "1");
        for outage in [
            Behaviour::status(500),
            Behaviour::Close,
            Behaviour::Answer(too_many),
        ] {
            server.on_client("flaky", outage);
            assert_eq!(gateway.send(&fields("flaky", "secret")).status, 503);
        }
        server.on_client("flaky", grant(3600));
        assert_eq!(gateway.send(&fields("flaky", "secret")).status, 200);
    });
}

#[test]
fn a_cached_success_outlives_an_outage() {
    each(|world, gateway| {
        let server = &world.authorization_server;
        assert_eq!(gateway.send(&fields(CLIENT_ID, CLIENT_SECRET)).status, 200);
        server.on_path(TOKEN_PATH, Behaviour::status(503));
        assert_eq!(gateway.send(&fields(CLIENT_ID, CLIENT_SECRET)).status, 200);
        assert_eq!(gateway.send(&fields("other", "secret")).status, 503);
    });
}

#[test]
fn parts_of_a_credential_cannot_be_shifted() {
    each(|world, gateway| {
        let server = &world.authorization_server;
        server.on_client("a", grant(3600));
        assert_eq!(gateway.send(&fields("a", "b:c")).status, 200);
        assert_eq!(gateway.send(&fields("a:b", "c")).status, 401);
        assert_eq!(server.token_calls("a:b").len(), 1, "{:?}", gateway.kind());
    });
}

#[test]
fn the_call_says_what_the_specification_says() {
    each(|world, gateway| {
        let server = &world.authorization_server;
        let (id, secret) = ("id &=", "sécret+/%:x");
        server.on_client(id, grant(3600));
        assert_eq!(gateway.send(&basic(format!("{id}:{secret}"))).status, 200);
        let calls = server.token_calls(id);
        let [call] = calls.as_slice() else {
            panic!("{} calls", calls.len())
        };
        assert_eq!(call.method, "POST");
        assert_eq!(
            String::from_utf8_lossy(&call.body),
            "grant_type=client_credentials&client_id=id+%26%3D&client_secret=s%C3%A9cret%2B%2F%25%3Ax\
             &audience=https%3A%2F%2Fapi.zscaler.com"
        );
        let value = |name| call.value(name).unwrap_or_default();
        assert_eq!(value("content-type"), "application/x-www-form-urlencoded");
        assert_eq!(value("accept"), "application/json");
        assert_eq!(call.value("authorization"), None);
        assert_eq!(call.value("x-zscaler-client-secret"), None);
    });
}

#[test]
fn redirects_take_no_secret_elsewhere() {
    each(|world, gateway| {
        let server = &world.authorization_server;
        for status in [301, 302, 303, 307, 308] {
            let moved = Answer::new(status).field("location", server.url("/stolen"));
            server.on_client("moved", Behaviour::Answer(moved));
            assert_eq!(
                gateway.send(&fields("moved", &status.to_string())).status,
                503
            );
        }
        assert_eq!(server.count("/stolen"), 0, "{:?}", gateway.kind());
        assert_eq!(server.token_calls("moved").len(), 5, "{:?}", gateway.kind());
    });
}

#[test]
fn a_broken_credential_makes_no_call() {
    each(|world, gateway| {
        for request in [
            Request::get("/mcp"),
            basic("no colon"),
            basic(b"a:\xff"),
            Request::get("/mcp").field("Authorization", "Bearer x"),
            Request::get("/mcp").field("X-Zscaler-Client-ID", "half"),
        ] {
            assert_eq!(gateway.send(&request).status, 401);
        }
        assert_eq!(world.authorization_server.count(TOKEN_PATH), 0);
    });
}

#[test]
fn no_credential_reaches_a_log() {
    each(|world, gateway| {
        let server = &world.authorization_server;
        server.on_client("leaky", refusal(401, "invalid_client"));
        let request = Request::get("/mcp?access_token=in-the-query-5150")
            .field("X-Zscaler-Client-ID", "leaky")
            .field("X-Zscaler-Client-Secret", "in-the-field-5150");
        assert_eq!(gateway.send(&request).status, 401);
        assert_eq!(gateway.send(&fields(CLIENT_ID, CLIENT_SECRET)).status, 200);
        let log = gateway.log();
        for secret in ["5150", CLIENT_SECRET, "opaque-access-token"] {
            assert!(
                !log.contains(secret),
                "{:?} logged {secret}",
                gateway.kind()
            );
        }
    });
}
