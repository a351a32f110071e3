//! The budget for wrong secrets: the authorization server is spared, and honest callers get in.

use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis_core::config::{Site, resolve};
use portcullis_core::{Decision, Peer, RequestHead};
use serde_json::json;

use crate::request::Request;
use crate::server::TOKEN_URL;
use crate::support::{Begun, START, STATE_KEY, Scenario, ZSCALER_MODE, settings, verdict};

const ALLOWED: (u16, &str) = (200, "allowed");
const REFUSED: (u16, &str) = (401, "client_credentials_refused");
const TOO_MANY: (u16, &str) = (429, "too_many_wrong_secrets");

fn scenario() -> Scenario {
    let mut scenario = Scenario::new(ZSCALER_MODE);
    scenario.server.register("id", "secret");
    scenario
}

fn right() -> Request {
    Request::post().pair("id", "secret")
}

fn wrong(number: usize) -> Request {
    Request::post().pair("id", &format!("guess-{number}"))
}

/// Guesses so many secrets from `peer`.
fn guess(scenario: &mut Scenario, peer: &str, count: usize) -> Vec<(u16, &'static str)> {
    let before = scenario.server.count("/token");
    let numbers = (0..count).map(|number| before * 100_000 + number);
    numbers
        .map(|number| scenario.verdict(&wrong(number).peer(peer)))
        .collect()
}

#[track_caller]
fn retry_after(decision: &Decision) -> u64 {
    let Decision::Respond(response) = decision else {
        panic!("it passes");
    };
    let mut fields = response.headers.iter();
    let (_, value) = fields.find(|(name, _)| *name == "retry-after").unwrap();
    value.parse().unwrap()
}

#[test]
fn one_address_has_thirty_wrong_secrets_a_minute() {
    let mut scenario = scenario();
    let verdicts = guess(&mut scenario, "203.0.113.9", 1000);
    assert!(verdicts[..30].iter().all(|verdict| *verdict == REFUSED));
    assert!(verdicts[30..].iter().all(|verdict| *verdict == TOO_MANY));
    assert_eq!(scenario.server.count("/token"), 30);
    let decision = scenario.send(&wrong(77).peer("203.0.113.9"));
    let wait = retry_after(&decision);
    assert!((50..=70).contains(&wait), "{wait}");
    scenario.pass(wait - 1);
    assert_eq!(guess(&mut scenario, "203.0.113.9", 1), [TOO_MANY]);
    scenario.pass(1);
    assert_eq!(guess(&mut scenario, "203.0.113.9", 1), [REFUSED]);
}

#[test]
fn right_credentials_get_in_while_an_address_guesses() {
    let mut scenario = scenario();
    scenario.server.register("cached", "secret");
    let cached = Request::post().pair("cached", "secret").peer("203.0.113.9");
    assert_eq!(scenario.verdict(&cached), ALLOWED);
    guess(&mut scenario, "203.0.113.9", 10_000);
    assert_eq!(scenario.verdict(&cached), ALLOWED, "it is remembered");
    assert_eq!(scenario.verdict(&right()), ALLOWED, "it is new");
}

#[test]
fn ten_thousand_guesses_of_many_addresses_make_three_hundred_calls_a_minute() {
    let mut scenario = scenario();
    for round in 0..10_000_usize {
        let peer = format!("203.0.113.{}", round % 20);
        let request = wrong(round).peer(&peer);
        assert!([REFUSED, TOO_MANY].contains(&scenario.verdict(&request)));
        if round % 200 == 0 {
            scenario.pass(1);
        }
    }
    let calls = scenario.server.count("/token");
    assert!(calls <= 300, "{calls}");
    assert_eq!(scenario.now, START + 50);
    assert_eq!(scenario.verdict(&right()), ALLOWED, "a newcomer gets in");
    assert_eq!(guess(&mut scenario, "203.0.113.1", 1), [TOO_MANY]);
}

#[test]
fn calls_that_bring_no_refusal_use_up_nothing() {
    let mut scenario = Scenario::new(ZSCALER_MODE);
    for number in 0..400 {
        let id = format!("client-{number}");
        scenario.server.register(&id, "secret");
        let request = Request::post().pair(&id, "secret");
        assert_eq!(scenario.verdict(&request), ALLOWED);
    }
    scenario.server.go_down();
    let down = (503, "call_unreachable");
    for number in 0..400 {
        assert_eq!(scenario.verdict(&wrong(number)), down);
    }
    scenario.server.outage = None;
    assert_eq!(
        guess(&mut scenario, "192.0.2.1", 31)[29..],
        [REFUSED, TOO_MANY]
    );
}

#[test]
fn calls_under_way_take_up_room_and_give_it_back() {
    let mut scenario = scenario();
    let mut waiting = 0;
    for number in 0..100 {
        match scenario.begin(&wrong(number)) {
            Begun::Parked(_) => waiting += 1,
            Begun::Decided(decision) => {
                assert_eq!(verdict(&decision), TOO_MANY);
                assert_eq!(retry_after(&decision), 1, "a call does not take long");
            }
        }
    }
    assert_eq!((waiting, scenario.calls_under_way()), (30, 30));
    scenario.begin(&wrong(0)).waits();
    scenario.begin(&right().peer("192.0.2.2")).waits();
    scenario.server.go_down();
    scenario.finish_calls();
    scenario.begin(&wrong(0)).waits();
}

#[test]
fn credentials_that_were_right_are_checked_again_without_the_budget() {
    let mut scenario = Scenario::new(ZSCALER_MODE);
    let life = json!({ "expires_in": 100 });
    scenario.server.register_for("id", "secret", life);
    assert_eq!(scenario.verdict(&right()), ALLOWED);
    scenario.pass(41);
    guess(&mut scenario, "192.0.2.1", 100);
    assert_eq!(scenario.server.count("/token"), 31);
    assert_eq!(scenario.verdict(&right()), ALLOWED);
    assert_eq!(scenario.server.count("/token"), 32, "it was checked again");
    scenario.pass(41);
    scenario.server.clients.clear();
    assert_eq!(scenario.verdict(&right()), REFUSED);
    scenario.pass(11);
    guess(&mut scenario, "192.0.2.1", 100);
    assert_eq!(scenario.verdict(&right()), TOO_MANY, "that is over");
}

#[test]
fn an_ipv6_network_is_one_address_and_forwarded_ones_count_from_trusted_proxies() {
    let mut scenario = Scenario::new(ZSCALER_MODE);
    let verdicts: Vec<_> = (0..40)
        .map(|number| scenario.verdict(&wrong(number).peer(&format!("2001:db8::{number}"))))
        .collect();
    assert_eq!(verdicts[29..31], [REFUSED, TOO_MANY]);
    let proxies = [("PORTCULLIS_TRUSTED_PROXIES", "10.0.0.0/8")];
    let mut scenario = Scenario::with(ZSCALER_MODE, &proxies);
    let through = |number: usize, client: &str| {
        let request = wrong(number).peer("10.0.0.1");
        request.with("x-forwarded-for", client)
    };
    for number in 0..31 {
        scenario.verdict(&through(number, "203.0.113.9"));
    }
    assert_eq!(scenario.verdict(&through(90, "203.0.113.9")), TOO_MANY);
    assert_eq!(scenario.verdict(&through(91, "203.0.113.8")), REFUSED);
}

#[test]
fn the_limits_are_settings_and_zero_is_none() {
    let limits = [
        ("PORTCULLIS_WRONG_SECRETS_PER_ADDRESS", "2"),
        ("PORTCULLIS_WRONG_SECRETS_IN_ALL", "3"),
    ];
    let mut scenario = Scenario::with(ZSCALER_MODE, &limits);
    assert_eq!(
        guess(&mut scenario, "192.0.2.1", 3)[1..],
        [REFUSED, TOO_MANY]
    );
    assert_eq!(guess(&mut scenario, "192.0.2.2", 2), [REFUSED, TOO_MANY]);
    for (name, _) in limits {
        for bad in ["0", "10001", "-1", "1.5", "many"] {
            let pairs = [
                ("PORTCULLIS_TOKEN_URL", TOKEN_URL),
                ("PORTCULLIS_STATE_KEYS", STATE_KEY),
                (name, bad),
            ];
            let refused = resolve(&settings(&pairs), Site::Filter).unwrap_err();
            assert!(refused.to_string().contains(name), "{refused}");
        }
    }
}

#[test]
fn the_peer_is_looked_up_for_unknown_credentials_only() {
    let lookups = AtomicUsize::new(0);
    let look_up = || {
        lookups.fetch_add(1, Ordering::Relaxed);
        Some([192, 0, 2, 1].into())
    };
    let mut scenario = scenario();
    for (request, expected) in [(right(), 1), (right(), 1), (wrong(1), 2), (wrong(1), 2)] {
        request.lend(|head| {
            let head = RequestHead {
                peer: Peer::LookUp(&look_up),
                ..*head
            };
            drop(scenario.engine.handle_request(&head, scenario.ambient()));
        });
        scenario.collect_calls();
        scenario.finish_calls();
        assert_eq!(lookups.load(Ordering::Relaxed), expected);
    }
}
