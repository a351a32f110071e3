//! How often, and when, the JWKS is fetched.

use std::thread;
use std::time::{Duration, Instant};

use portcullis_tests::authorization_server::JWKS_PATH;
use portcullis_tests::{Alg, Behaviour, Connection, Gate, Gateway, Kind, Request, SigningKey};
use serde_json::json;

use crate::groups::jwt::{bearer, settings};
use crate::table::{World, claims, keys};

/// The shortest time between two fetches for unknown key ids.
const COOL_DOWN: Duration = Duration::from_secs(10);

/// Runs `check` against both gateways at once, each with a world of its own: some of these tests
/// wait for seconds.
fn each(check: impl Fn(&World, &Gateway) + Sync) {
    thread::scope(|scope| {
        for kind in Kind::BOTH {
            let check = &check;
            scope.spawn(move || {
                let world = World::start();
                let settings = settings(&world);
                check(
                    &world,
                    &Gateway::start(kind, &settings, &world.resource.url()),
                );
            });
        }
    });
}

fn good() -> Request {
    bearer(keys().p256.token(Alg::Es256, &claims()))
}

/// A token with a `kid` that is in no set.
fn unknown(kid: &str) -> Request {
    bearer(
        keys()
            .p256
            .token_with(Alg::Es256, &json!({"alg": "ES256", "kid": kid}), &claims()),
    )
}

/// Asks until the answer has this status.
fn wait_until(gateway: &Gateway, request: &Request, status: u16) {
    let deadline = Instant::now() + 2 * COOL_DOWN;
    loop {
        let response = gateway.send(request);
        if response.status == status {
            return;
        }
        let late = Instant::now() > deadline;
        assert!(
            !late,
            "{:?} still answers {}",
            gateway.kind(),
            response.status
        );
        // Only time opens this gate: the cool-down is what is under test.
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn many_tokens_make_one_fetch() {
    each(|world, gateway| {
        assert_eq!(gateway.send(&good()).status, 200);
        let server = &world.authorization_server;
        let before = server.count(JWKS_PATH);
        for alg in Alg::ALL {
            let token = keys().of(alg).token(alg, &claims());
            assert_eq!(gateway.send(&bearer(token)).status, 200);
        }
        assert_eq!(server.count(JWKS_PATH), before, "{:?}", gateway.kind());
    });
}

#[test]
fn requests_wait_for_one_fetch() {
    each(|world, gateway| {
        let server = &world.authorization_server;
        let gate = Gate::default();
        let document = Behaviour::json(200, &json!({"keys": keys().jwks()}));
        let before = server.count(JWKS_PATH);
        server.on_path(JWKS_PATH, Behaviour::Held(gate.clone(), Box::new(document)));
        let bytes = good().to_bytes();
        let crowd: Vec<Connection> = (0..300)
            .map(|_| {
                let mut connection = gateway.connect();
                connection.write(&bytes).unwrap();
                connection
            })
            .collect();
        gate.open();
        for mut connection in crowd {
            assert_eq!(connection.read_response(false).unwrap().status, 200);
        }
        // Envoy's main thread has a VM of its own, which fetches for itself.
        let fetches = server.count(JWKS_PATH) - before;
        assert!(fetches <= 3, "{:?} made {fetches} fetches", gateway.kind());
    });
}

#[test]
fn a_flood_of_unknown_kids_makes_one_fetch_in_ten_seconds() {
    each(|world, gateway| {
        let server = &world.authorization_server;
        assert_eq!(gateway.send(&good()).status, 200);
        let before = server.count(JWKS_PATH);
        let start = Instant::now();
        for number in 0..300 {
            assert_eq!(gateway.send(&unknown(&format!("kid-{number}"))).status, 401);
        }
        let windows = start.elapsed().as_secs() / COOL_DOWN.as_secs() + 1;
        let fetches = server.count(JWKS_PATH) - before;
        assert!(
            u64::try_from(fetches).unwrap() <= windows,
            "{:?} made {fetches} fetches in {windows} windows",
            gateway.kind()
        );
        assert_eq!(gateway.send(&good()).status, 200);
    });
}

#[test]
fn a_new_key_works_soon_and_a_revoked_one_stops() {
    each(|world, gateway| {
        let server = &world.authorization_server;
        assert_eq!(gateway.send(&good()).status, 200);
        let fresh = SigningKey::generate("fresh", Alg::EdDsa);
        server.publish([fresh.jwk()]);
        let token = fresh.token(Alg::EdDsa, &claims());
        wait_until(gateway, &bearer(token), 200);
        // The fetch that brought the new key took the old one away, cached result or not.
        assert_eq!(gateway.send(&good()).status, 401, "{:?}", gateway.kind());
    });
}

#[test]
fn known_keys_outlive_an_outage() {
    each(|world, gateway| {
        let server = &world.authorization_server;
        assert_eq!(gateway.send(&good()).status, 200);
        for outage in [Behaviour::status(500), Behaviour::Close] {
            server.on_path(JWKS_PATH, outage);
            let status = gateway.send(&unknown("other")).status;
            assert!(matches!(status, 401 | 503), "{status}");
            let rsa = keys().rsa.token(Alg::Ps256, &claims());
            assert_eq!(gateway.send(&bearer(rsa)).status, 200);
            assert_eq!(gateway.send(&good()).status, 200);
        }
    });
}

#[test]
fn an_outage_ends_when_the_endpoint_is_back() {
    thread::scope(|scope| {
        for kind in Kind::BOTH {
            scope.spawn(move || {
                let world = World::start();
                let settings = settings(&world);
                let server = &world.authorization_server;
                server.on_path(JWKS_PATH, Behaviour::status(500));
                let gateway = Gateway::start(kind, &settings, &world.resource.url());
                assert_eq!(gateway.send(&good()).status, 503);
                server.restore(JWKS_PATH);
                wait_until(&gateway, &good(), 200);
            });
        }
    });
}

#[test]
fn an_outage_is_not_hammered() {
    thread::scope(|scope| {
        for kind in Kind::BOTH {
            scope.spawn(move || {
                let world = World::start();
                let settings = settings(&world);
                let server = &world.authorization_server;
                server.on_path(JWKS_PATH, Behaviour::status(500));
                let gateway = Gateway::start(kind, &settings, &world.resource.url());
                let start = Instant::now();
                for _ in 0..200 {
                    assert_eq!(gateway.send(&good()).status, 503);
                }
                let allowed = 5 + 3 * start.elapsed().as_secs();
                let fetches = u64::try_from(server.count(JWKS_PATH)).unwrap();
                assert!(fetches <= allowed, "{kind:?} made {fetches} fetches");
            });
        }
    });
}

#[test]
fn a_refetch_names_the_entity_tag_and_304_keeps_the_keys() {
    thread::scope(|scope| {
        for kind in Kind::BOTH {
            scope.spawn(move || {
                let world = World::start();
                let settings = settings(&world);
                let server = &world.authorization_server;
                server.jwks_etag("\"v1\"");
                let gateway = Gateway::start(kind, &settings, &world.resource.url());
                assert_eq!(gateway.send(&good()).status, 200);
                let conditional = || {
                    let all = server.requests(JWKS_PATH);
                    all.iter()
                        .any(|seen| seen.value("if-none-match").as_deref() == Some("\"v1\""))
                };
                let deadline = Instant::now() + 2 * COOL_DOWN;
                while !conditional() {
                    assert_eq!(gateway.send(&unknown("other")).status, 401);
                    assert!(Instant::now() < deadline, "{kind:?} sent no condition");
                    // Only time opens this gate: the cool-down is in the way.
                    thread::sleep(Duration::from_millis(100));
                }
                let token = keys().rsa.token(Alg::Rs512, &claims());
                assert_eq!(gateway.send(&bearer(token)).status, 200, "{kind:?}");
            });
        }
    });
}

#[test]
fn a_silent_endpoint_is_an_outage_in_time() {
    thread::scope(|scope| {
        for kind in Kind::BOTH {
            scope.spawn(move || {
                let world = World::start();
                let settings = settings(&world);
                world
                    .authorization_server
                    .on_path(JWKS_PATH, Behaviour::Silent);
                let gateway = Gateway::start(kind, &settings, &world.resource.url());
                let start = Instant::now();
                assert_eq!(gateway.send(&good()).status, 503, "{kind:?}");
                assert!(start.elapsed() < Duration::from_secs(15), "{kind:?}");
                assert_eq!(gateway.send(&Request::get("/health")).status, 200);
            });
        }
    });
}

#[test]
fn a_broken_token_makes_no_fetch() {
    each(|world, gateway| {
        assert_eq!(gateway.send(&good()).status, 200);
        let server = &world.authorization_server;
        let before = server.count(JWKS_PATH);
        for token in ["broken", "a.b", "a.b.c", "...", "e30.e30.e30"] {
            assert_eq!(gateway.send(&bearer(token)).status, 401);
        }
        assert_eq!(server.count(JWKS_PATH), before, "{:?}", gateway.kind());
    });
}

#[test]
fn no_token_reaches_a_log() {
    each(|_, gateway| {
        let token = keys().p256.token(Alg::Es256, &claims());
        assert_eq!(gateway.send(&bearer(&token)).status, 200);
        assert_eq!(gateway.send(&bearer(format!("{token}x"))).status, 401);
        let signature = token.rsplit('.').next().unwrap();
        assert!(!gateway.log().contains(signature), "{:?}", gateway.kind());
    });
}
