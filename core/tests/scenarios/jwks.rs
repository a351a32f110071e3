//! Mode `jwt`: the keys over time.

use portcullis_core::jose::PortableVerifier;
use portcullis_core::{CallFailure, Opening, Step};
use serde_json::json;

use crate::request::Request;
use crate::server::response;
use crate::signer::{Signer, claims, claims_with};
use crate::support::{JWT_MODE, START, Scenario, verdict};

const ALLOWED: (u16, &str) = (200, "allowed");
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn signer() -> Signer {
    Signer::ed_dsa("a", 1)
}

/// A gateway, an issuer with one key, and a request whose token never expires.
fn scenario() -> (Scenario, Request) {
    let mut scenario = Scenario::new(JWT_MODE);
    let signer = signer();
    scenario.server.keys = vec![signer.jwk()];
    let token = signer.sign(&claims_with(&json!({ "exp": START + 999 * DAY })));
    (scenario, Request::post().bearer(&token))
}

/// A request whose token is good but names a key that nobody knows.
fn unknown(number: usize) -> Request {
    let header = json!({ "alg": "EdDSA", "kid": format!("unknown-{number}") });
    Request::post().bearer(&signer().sign_as(&header, &claims()))
}

#[test]
fn all_requests_wait_for_the_first_fetch_and_none_after_it() {
    let (mut scenario, request) = scenario();
    let tickets: Vec<_> = (0..1000)
        .map(|_| scenario.begin(&request).parked())
        .collect();
    assert_eq!(scenario.calls_under_way(), 1);
    let decided = scenario.finish_calls();
    let admitted = tickets
        .iter()
        .filter(|ticket| verdict(&decided[ticket]) == ALLOWED);
    assert_eq!(admitted.count(), 1000);
    assert_eq!(verdict(&scenario.begin(&request).decided()), ALLOWED);
    assert_eq!(scenario.server.count("/jwks"), 1);
}

#[test]
fn the_first_fetch_needs_no_request() {
    let (mut scenario, request) = scenario();
    scenario.pass(0);
    assert_eq!(scenario.server.count("/jwks"), 1);
    assert_eq!(verdict(&scenario.begin(&request).decided()), ALLOWED);
}

/// Checks how long keys are used that came with `fields`, in seconds.
#[track_caller]
fn life(fields: &[(&'static str, &str)], expected: u64) {
    let (mut scenario, request) = scenario();
    let fields = fields
        .iter()
        .map(|(name, value)| (*name, (*value).to_string()));
    scenario.server.fields = fields.collect();
    scenario.pass(0);
    scenario.now = START + expected - 1;
    assert_eq!(
        verdict(&scenario.begin(&request).decided()),
        ALLOWED,
        "before"
    );
    scenario.now = START + expected;
    scenario.begin(&request).waits();
}

#[test]
fn the_life_of_keys_is_what_the_issuer_says_within_a_minute_and_a_day() {
    life(&[], HOUR);
    life(&[("cache-control", "max-age=600")], 600);
    life(&[("cache-control", "public, max-age=\"600\"")], 600);
    life(&[("cache-control", "max-age=600"), ("age", "100")], 500);
    life(
        &[
            ("cache-control", "max-age=600"),
            ("age", "9999999999999999999999"),
        ],
        60,
    );
    life(&[("cache-control", "max-age=1")], 60);
    life(&[("cache-control", "no-store")], 60);
    life(&[("cache-control", "max-age=18446744073709551616")], DAY);
    let date = ("date", "Sun, 22 Nov 2026 00:00:00 GMT");
    life(&[date, ("expires", "Sun, 22 Nov 2026 00:20:00 GMT")], 1200);
    life(
        &[
            date,
            ("expires", "Sun, 22 Nov 2026 00:20:00 GMT"),
            ("age", "200"),
        ],
        1000,
    );
    life(&[date, ("expires", "Sun, 22 Nov 2099 00:20:00 GMT")], DAY);
    life(&[date, ("expires", "-1")], 60);
}

#[test]
fn several_lines_of_cache_control_are_one_list() {
    life(
        &[
            ("cache-control", "public"),
            ("cache-control", "max-age=600"),
        ],
        600,
    );
    life(
        &[
            ("cache-control", "max-age=600"),
            ("cache-control", "no-store"),
        ],
        60,
    );
    life(&[("cache-control", "max-age=600, max-age=300")], 300);
}

#[test]
fn expires_counts_without_a_date_too() {
    // 1 800 000 000 is Fri, 15 Jan 2027 08:00:00 GMT.
    life(&[("expires", "Fri, 15 Jan 2027 08:10:00 GMT")], 600);
    life(&[("expires", "0")], 60);
}

#[test]
fn used_keys_are_refreshed_before_they_lapse_and_no_request_waits() {
    let (mut scenario, request) = scenario();
    scenario.pass(0);
    for _ in 0..60 {
        assert_eq!(verdict(&scenario.begin(&request).decided()), ALLOWED);
        scenario.pass(600);
    }
    let fetches = scenario.server.count("/jwks");
    assert!((10..=13).contains(&fetches), "{fetches}");
}

#[test]
fn an_idle_engine_lets_its_keys_lapse_and_fetches_on_demand() {
    let (mut scenario, request) = scenario();
    scenario.pass(0);
    scenario.pass(DAY);
    assert_eq!(scenario.server.count("/jwks"), 1);
    scenario.begin(&request).waits();
    scenario.finish_calls();
    assert_eq!(scenario.server.count("/jwks"), 2);
}

#[test]
fn an_unchanged_set_is_fetched_conditionally_and_lives_on() {
    let (mut scenario, request) = scenario();
    scenario.server.etag = Some("\"v1\"");
    scenario.server.fields = vec![("cache-control", "max-age=600".into())];
    scenario.pass(0);
    for _ in 0..20 {
        assert_eq!(verdict(&scenario.begin(&request).decided()), ALLOWED);
        scenario.pass(300);
    }
    let conditional = ("if-none-match", b"\"v1\"".to_vec());
    assert!(scenario.server.last_call().headers.contains(&conditional));
    // A 304 that says nothing of its life leaves what was said before.
    scenario.server.fields.clear();
    scenario.pass(600);
    scenario.admit(&request);
    let due = scenario.engine.poll_timeout().unwrap().0;
    assert!(due <= scenario.now + 600, "{due}");
}

#[test]
fn in_an_outage_keys_count_for_a_day_past_their_life_and_then_nothing_does() {
    let (mut scenario, request) = scenario();
    scenario.admit(&request);
    scenario.server.go_down();
    for hour in 0..25 {
        let begun = scenario.begin(&request);
        assert_eq!(verdict(&begun.decided()), ALLOWED, "hour {hour}");
        scenario.pass(HOUR);
    }
    assert_eq!(scenario.verdict(&request), (503, "call_unreachable"));
    scenario.server.outage = None;
    scenario.pass(30);
    assert_eq!(verdict(&scenario.begin(&request).decided()), ALLOWED);
}

#[test]
fn every_kind_of_bad_answer_is_an_outage() {
    let outages = [
        Err(CallFailure::NotSent),
        Err(CallFailure::TimedOut),
        Err(CallFailure::Cut),
        Err(CallFailure::TooLarge),
        response(500, ""),
        response(503, "no healthy upstream"),
        response(429, ""),
        response(404, ""),
        response(302, ""),
        response(304, ""),
        response(204, ""),
        response(200, "<html>"),
        response(200, r#"{"keys":7}"#),
        response(200, r#"{"keys":[]"#),
    ];
    for outage in outages {
        let (mut scenario, request) = scenario();
        scenario.server.outage = Some(outage.clone());
        assert_eq!(
            scenario.verdict(&request).0,
            503,
            "{outage:?}, at the start"
        );
        scenario.server.outage = None;
        scenario.now += 30;
        assert_eq!(scenario.verdict(&request), ALLOWED, "{outage:?}, over");
        if outage == response(304, "") {
            continue;
        }
        scenario.server.outage = Some(outage.clone());
        scenario.now += HOUR;
        assert_eq!(scenario.verdict(&request), ALLOWED, "{outage:?}, with keys");
    }
}

#[test]
fn a_failed_fetch_is_not_repeated_for_every_request() {
    let (mut scenario, request) = scenario();
    scenario.server.go_down();
    for _ in 0..600 {
        assert_eq!(scenario.verdict(&request), (503, "call_unreachable"));
        assert_eq!(scenario.verdict(&request), (503, "call_unreachable"));
        scenario.pass(1);
    }
    let fetches = scenario.server.count("/jwks");
    assert!((100..=310).contains(&fetches), "{fetches} in 600 s");
}

#[test]
fn a_failed_refresh_is_tried_again_but_not_at_once() {
    let (mut scenario, request) = scenario();
    scenario.admit(&request);
    scenario.server.go_down();
    scenario.pass(HOUR);
    let before = scenario.server.count("/jwks");
    for _ in 0..300 {
        assert_eq!(verdict(&scenario.begin(&request).decided()), ALLOWED);
        scenario.pass(1);
    }
    let fetches = scenario.server.count("/jwks") - before;
    assert!((8..=11).contains(&fetches), "{fetches} in 300 s");
}

#[test]
fn an_unknown_key_is_fetched_at_once() {
    let (mut scenario, request) = scenario();
    scenario.admit(&request);
    scenario.pass(1);
    let new = Signer::es256("new", 2);
    scenario.server.keys.push(new.jwk());
    assert_eq!(
        scenario.verdict(&Request::post().bearer(&new.token())),
        ALLOWED
    );
    assert_eq!(scenario.server.count("/jwks"), 2);
}

#[test]
fn unknown_keys_fetch_once_in_ten_seconds_whatever_the_traffic() {
    let (mut scenario, request) = scenario();
    scenario.admit(&request);
    for second in 0..100 {
        for number in 0..20 {
            assert_eq!(
                scenario.verdict(&unknown(second * 20 + number)),
                (401, "unknown_key")
            );
        }
        assert_eq!(verdict(&scenario.begin(&request).decided()), ALLOWED);
        scenario.pass(1);
    }
    assert_eq!(scenario.server.count("/jwks"), 1 + 10);
}

#[test]
fn unknown_keys_that_come_together_wait_for_one_fetch() {
    let (mut scenario, request) = scenario();
    scenario.admit(&request);
    let tickets: Vec<_> = (0..1000)
        .map(|n| scenario.begin(&unknown(n)).parked())
        .collect();
    assert_eq!(scenario.calls_under_way(), 1);
    assert_eq!(
        verdict(&scenario.begin(&request).decided()),
        ALLOWED,
        "the known one"
    );
    let decided = scenario.finish_calls();
    assert!(
        tickets
            .iter()
            .all(|ticket| verdict(&decided[ticket]) == (401, "unknown_key"))
    );
    assert_eq!(scenario.server.count("/jwks"), 2);
}

#[test]
fn clocks_that_differ_by_a_second_do_not_loosen_the_limit() {
    let (mut scenario, request) = scenario();
    scenario.admit(&request);
    for number in 0..100 {
        scenario.now = if number % 2 == 0 { START + 1 } else { START };
        scenario.verdict(&unknown(number));
    }
    assert_eq!(scenario.server.count("/jwks"), 2);
}

#[test]
fn an_unknown_key_during_an_outage_is_no_refusal() {
    let (mut scenario, request) = scenario();
    scenario.admit(&request);
    scenario.server.go_down();
    assert_eq!(scenario.verdict(&unknown(1)), (503, "call_unreachable"));
    assert_eq!(scenario.verdict(&unknown(2)), (503, "call_unreachable"));
    assert_eq!(scenario.server.count("/jwks"), 2);
    assert_eq!(scenario.verdict(&request), ALLOWED);
}

#[test]
fn a_key_that_left_the_set_stops_working_at_the_refresh() {
    let (mut scenario, request) = scenario();
    scenario.server.keys.push(Signer::es256("b", 2).jwk());
    scenario.admit(&request);
    scenario.server.keys.remove(0);
    assert_eq!(scenario.verdict(&request), ALLOWED, "before the refresh");
    scenario.pass(HOUR);
    assert_eq!(scenario.verdict(&request), (401, "unknown_key"));
}

#[test]
fn a_key_that_left_the_set_during_a_check_admits_nobody() {
    for (leaves, expected) in [(false, ALLOWED), (true, (401, "unknown_key"))] {
        let (mut scenario, request) = scenario();
        scenario.server.keys.push(Signer::es256("b", 2).jwk());
        scenario.pass(0);
        let step = request.lend(|head| {
            let opening = scenario.engine.open_request(head, scenario.ambient());
            let Opening::Check { check, pending } = opening else {
                panic!("nothing to check")
            };
            let checked = check.run(&PortableVerifier::default());
            if leaves {
                scenario.server.keys.remove(0);
            }
            scenario.pass(HOUR);
            let ambient = scenario.ambient();
            scenario.engine.handle_check(pending, checked, ambient)
        });
        let Step::Decide(decision) = step else {
            panic!("undecided")
        };
        assert_eq!(verdict(&decision), expected);
        assert_eq!(scenario.verdict(&request), expected, "afterwards");
    }
}

#[test]
fn a_key_that_was_changed_under_its_name_stops_working_at_the_refresh() {
    let (mut scenario, request) = scenario();
    scenario.admit(&request);
    scenario.server.keys = vec![Signer::ed_dsa("a", 9).jwk()];
    scenario.pass(HOUR);
    assert_eq!(scenario.verdict(&request), (401, "bad_signature"));
}

#[test]
fn a_fetch_for_an_unknown_key_is_a_refresh_too() {
    let (mut scenario, request) = scenario();
    scenario.admit(&request);
    scenario.server.keys.clear();
    scenario.verdict(&unknown(1));
    assert_eq!(scenario.verdict(&request), (401, "unknown_key"));
}

#[test]
fn a_request_that_waited_too_long_is_no_refusal() {
    let (mut scenario, request) = scenario();
    let ticket = scenario.begin(&request).parked();
    let decision = scenario.give_up(ticket).decided();
    assert_eq!(verdict(&decision), (503, "call_waited_too_long"));
    scenario.finish_calls();
    assert_eq!(verdict(&scenario.begin(&request).decided()), ALLOWED);
}

#[test]
fn a_client_that_leaves_takes_nobody_along() {
    let (mut scenario, request) = scenario();
    let first = scenario.begin(&request).parked();
    let second = scenario.begin(&request).parked();
    scenario.leave(first);
    let decided = scenario.finish_calls();
    assert_eq!(verdict(&decided[&second]), ALLOWED);
    assert_eq!(decided.len(), 1);
}

#[test]
fn a_call_that_never_ends_does_not_stop_the_refresh_for_good() {
    let (mut scenario, request) = scenario();
    let ticket = scenario.begin(&request).parked();
    let lost = scenario.take_call();
    drop(scenario.give_up(ticket).decided());
    scenario.now += 60;
    assert_eq!(scenario.verdict(&request), ALLOWED);
    // What comes after all is none of the engine's business any more.
    let (_, pending) = lost;
    scenario.finish(pending, response(200, r#"{"keys":[]}"#));
    assert_eq!(scenario.verdict(&request), ALLOWED);
}

#[test]
fn an_outcome_that_comes_after_its_successor_began_is_not_believed() {
    let (mut scenario, request) = scenario();
    let first = scenario.begin(&request).parked();
    let (_, lost) = scenario.take_call();
    scenario.now += 60;
    let second = scenario.begin(&request).parked();
    assert!(
        scenario
            .finish(lost, response(200, r#"{"keys":[]}"#))
            .is_empty()
    );
    let decided = scenario.finish_calls();
    assert_eq!(
        decided.len(),
        2,
        "who waited for the lost one goes on as well"
    );
    assert_eq!(verdict(&decided[&first]), ALLOWED);
    assert_eq!(verdict(&decided[&second]), ALLOWED);
}

#[test]
fn a_clock_that_is_set_back_does_not_make_keys_immortal() {
    let (mut scenario, request) = scenario();
    scenario.now = START + 300 * DAY;
    scenario.admit(&request);
    scenario.now = START;
    scenario.begin(&request).waits();
    scenario.finish_calls();
    assert_eq!(verdict(&scenario.begin(&request).decided()), ALLOWED);
}
