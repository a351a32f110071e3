//! How often, and when, the JWKS is fetched.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use portcullis_tests::authorization_server::JWKS_PATH;
use portcullis_tests::server::Incoming;
use portcullis_tests::{Alg, Behaviour, Connection, Gate, Gateway, Kind, Request, SigningKey};
use serde_json::json;

use crate::groups::jwt::{bearer, settings};
use crate::table::{World, claims, keys};

/// The shortest time between two fetches for unknown key ids.
const COOL_DOWN: Duration = Duration::from_secs(10);

/// Runs `check` against both gateways at once, each with a world of its own: some of these tests
/// wait for seconds.
fn each(check: impl Fn(&World, &Gateway) + Sync) {
    each_after(|_| (), check);
}

/// Runs `check` as [`each`] does, on gateways that start in a world that `prepare` has been to.
fn each_after(prepare: impl Fn(&World) + Sync, check: impl Fn(&World, &Gateway) + Sync) {
    thread::scope(|scope| {
        for kind in Kind::BOTH {
            let (prepare, check) = (&prepare, &check);
            scope.spawn(move || {
                let world = World::start();
                let settings = settings(&world);
                prepare(&world);
                let gateway = Gateway::start(kind, &settings, &world.resource.url());
                check(&world, &gateway);
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

/// Sees to it that the gateway has its keys, whose one fetch all of its engines share: Envoy has
/// one for its worker and one for its main thread.
fn settle(world: &World, gateway: &Gateway) {
    assert_eq!(gateway.send(&good()).status, 200);
    assert_eq!(world.authorization_server.count(JWKS_PATH), 1);
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
        settle(world, gateway);
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
    let gate = Gate::default();
    let hold = |world: &World| {
        let document = Behaviour::json(200, &json!({"keys": keys().jwks()}));
        let held = Behaviour::Held(gate.clone(), Box::new(document));
        world.authorization_server.on_path(JWKS_PATH, held);
    };
    let both_asked = Barrier::new(2);
    each_after(hold, |world, gateway| {
        let bytes = good().to_bytes();
        let crowd: Vec<Connection> = (0..300)
            .map(|_| {
                let mut connection = gateway.connect();
                connection.write(&bytes).unwrap();
                connection
            })
            .collect();
        both_asked.wait();
        gate.open();
        for mut connection in crowd {
            assert_eq!(connection.read_response(false).unwrap().status, 200);
        }
        // Envoy's other engine makes the fetch again where a loaded machine holds it up too long.
        let most = match gateway.kind() {
            Kind::Envoy => 2,
            Kind::Native => 1,
        };
        let fetches = world.authorization_server.count(JWKS_PATH);
        assert!(
            fetches <= most,
            "{:?} made {fetches} fetches",
            gateway.kind()
        );
    });
}

#[test]
fn a_flood_of_unknown_kids_makes_one_fetch_in_ten_seconds() {
    each(|world, gateway| {
        let server = &world.authorization_server;
        settle(world, gateway);
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
    each_after(failing, |world, gateway| {
        assert_eq!(gateway.send(&good()).status, 503);
        world.authorization_server.restore(JWKS_PATH);
        wait_until(gateway, &good(), 200);
    });
}

#[test]
fn an_outage_is_not_hammered() {
    each_after(failing, |world, gateway| {
        let start = Instant::now();
        for _ in 0..200 {
            assert_eq!(gateway.send(&good()).status, 503);
        }
        let allowed = 5 + 3 * start.elapsed().as_secs();
        let fetches = u64::try_from(world.authorization_server.count(JWKS_PATH)).unwrap();
        let kind = gateway.kind();
        assert!(fetches <= allowed, "{kind:?} made {fetches} fetches");
    });
}

fn failing(world: &World) {
    let outage = Behaviour::status(500);
    world.authorization_server.on_path(JWKS_PATH, outage);
}

#[test]
fn a_refetch_names_the_entity_tag_and_304_keeps_the_keys() {
    let tag = |world: &World| world.authorization_server.jwks_etag("\"v1\"");
    each_after(tag, |world, gateway| {
        assert_eq!(gateway.send(&good()).status, 200);
        let conditional = || {
            let all = world.authorization_server.requests(JWKS_PATH);
            let tag = |seen: &Incoming| seen.value("if-none-match");
            all.iter()
                .any(|seen| tag(seen).as_deref() == Some("\"v1\""))
        };
        let deadline = Instant::now() + 2 * COOL_DOWN;
        while !conditional() {
            assert_eq!(gateway.send(&unknown("other")).status, 401);
            let late = Instant::now() > deadline;
            assert!(!late, "{:?} sent no condition", gateway.kind());
            // Only time opens this gate: a cool-down may be in the way.
            thread::sleep(Duration::from_millis(100));
        }
        let token = keys().rsa.token(Alg::Rs512, &claims());
        assert_eq!(gateway.send(&bearer(token)).status, 200);
    });
}

#[test]
fn a_silent_endpoint_is_an_outage_in_time() {
    let silent = |world: &World| {
        world
            .authorization_server
            .on_path(JWKS_PATH, Behaviour::Silent);
    };
    each_after(silent, |_, gateway| {
        let start = Instant::now();
        assert_eq!(gateway.send(&good()).status, 503);
        let waited = start.elapsed();
        assert!(waited < Duration::from_secs(15), "{waited:?}");
        assert_eq!(gateway.send(&Request::get("/health")).status, 200);
    });
}

#[test]
fn a_broken_token_makes_no_fetch() {
    each(|world, gateway| {
        settle(world, gateway);
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
