//! `/health` and `/ready`.

use portcullis_core::{CallFailure, CallOutcome, Decision};

use crate::request::Request;
use crate::server::response;
use crate::signer::Signer;
use crate::support::{
    API_KEY_MODE, JWT_MODE, MODES, NONE_MODE, Scenario, ZSCALER_MODE, verdict, with_resource,
};

#[track_caller]
fn body(decision: &Decision) -> String {
    let Decision::Respond(response) = decision else {
        panic!("forwarded");
    };
    assert!(
        response
            .headers
            .contains(&("cache-control", "no-store".into()))
    );
    String::from_utf8(response.body.clone()).unwrap()
}

#[test]
fn health_is_answered_in_every_mode_before_every_rule() {
    let rules = [
        ("ZSCALER_MCP_ALLOWED_HOSTS", "gw.example.com"),
        ("ZSCALER_MCP_ALLOWED_SOURCE_IPS", "10.0.0.0/8"),
    ];
    for settings in MODES {
        let mut scenario = Scenario::with(settings, &rules);
        for (method, path) in [
            ("GET", "/health"),
            ("HEAD", "/healthz"),
            ("GET", "/health?x=1"),
        ] {
            let decision = scenario.send(&Request::new(method, path));
            assert_eq!(verdict(&decision), (200, "health"));
            assert_eq!(body(&decision), r#"{"status":"ok"}"#);
        }
        let posted = scenario.verdict(&Request::new("POST", "/health"));
        assert_eq!(posted, (421, "host_not_allowed"));
    }
}

/// Checks what `/ready` says with the protected resource answering `resource`.
#[track_caller]
fn ready(settings: &[(&str, &str)], jwks: bool, resource: Option<CallOutcome>, expected: &str) {
    let more = with_resource();
    let more = if resource.is_some() { &more[..] } else { &[] };
    let mut scenario = Scenario::with(settings, more);
    scenario.server.keys = vec![Signer::ed_dsa("a", 1).jwk()];
    if !jwks {
        scenario.server.go_down();
    }
    if let Some(resource) = resource {
        scenario.server.resource = resource;
    }
    let decision = scenario.send(&Request::get("/ready"));
    let status = if expected.contains("unavailable") {
        503
    } else {
        200
    };
    assert_eq!(verdict(&decision).0, status);
    assert_eq!(body(&decision), expected);
}

#[test]
fn readiness_is_that_of_the_keys_and_of_the_protected_resource() {
    let say = |status, jwks, resource| {
        format!(r#"{{"status":"{status}","jwks":"{jwks}","protected_resource":"{resource}"}}"#)
    };
    let up = || Some(response(404, ""));
    let down = || Some(Err(CallFailure::Unreachable));
    for settings in [NONE_MODE, API_KEY_MODE, ZSCALER_MODE] {
        ready(settings, false, None, &say("ready", "unused", "unused"));
        ready(settings, false, up(), &say("ready", "unused", "ok"));
        ready(
            settings,
            false,
            down(),
            &say("unavailable", "unused", "unavailable"),
        );
    }
    ready(JWT_MODE, true, None, &say("ready", "ok", "unused"));
    ready(JWT_MODE, true, up(), &say("ready", "ok", "ok"));
    ready(
        JWT_MODE,
        true,
        down(),
        &say("unavailable", "ok", "unavailable"),
    );
    ready(
        JWT_MODE,
        false,
        up(),
        &say("unavailable", "unavailable", "ok"),
    );
    ready(
        JWT_MODE,
        false,
        down(),
        &say("unavailable", "unavailable", "unavailable"),
    );
}

#[test]
fn any_answer_but_a_server_error_shows_that_the_protected_resource_is_there() {
    for (outcome, reachable) in [
        (response(200, ""), true),
        (response(401, ""), true),
        (response(405, ""), true),
        (response(302, ""), true),
        (Err(CallFailure::TooLarge), true),
        (response(500, ""), false),
        (response(503, ""), false),
        (Err(CallFailure::TimedOut), false),
        (Err(CallFailure::Cut), false),
        (Err(CallFailure::NotSent), false),
    ] {
        let mut scenario = Scenario::with(NONE_MODE, &with_resource());
        scenario.server.resource = outcome.clone();
        let status = scenario.verdict(&Request::get("/ready")).0;
        assert_eq!(status, if reachable { 200 } else { 503 }, "{outcome:?}");
    }
}

#[test]
fn probes_cannot_flood_the_protected_resource() {
    let mut scenario = Scenario::with(NONE_MODE, &with_resource());
    let tickets: Vec<_> = (0..100)
        .map(|_| scenario.begin(&Request::get("/ready")).parked())
        .collect();
    let decided = scenario.finish_calls();
    assert!(
        tickets
            .iter()
            .all(|ticket| verdict(&decided[ticket]) == (200, "ready"))
    );
    for _ in 0..10 {
        scenario.verdict(&Request::get("/ready"));
    }
    assert_eq!(scenario.server.count("/health"), 1);
    scenario.pass(2);
    scenario.server.resource = response(503, "");
    assert_eq!(
        scenario.verdict(&Request::get("/ready")),
        (503, "not_ready")
    );
    assert_eq!(scenario.server.count("/health"), 2);
}

#[test]
fn a_probe_carries_nothing_of_the_request() {
    let mut scenario = Scenario::with(NONE_MODE, &with_resource());
    let request = Request::get("/ready?x=1")
        .bearer("secret")
        .with("cookie", "secret");
    scenario.verdict(&request);
    let call = scenario.server.last_call();
    assert_eq!(call.url.to_string(), "http://127.0.0.1:9000/health");
    let accept = ("accept", b"application/json".to_vec());
    assert_eq!((call.method, &call.headers[..]), ("GET", &[accept][..]));
}

/// A busy host may be seconds late with telling.
#[test]
fn a_late_wake_still_counts() {
    let mut scenario = Scenario::with(NONE_MODE, &with_resource());
    let ticket = scenario.begin(&Request::get("/ready")).parked();
    let (_, pending) = scenario.take_call();
    let ambient = scenario.ambient();
    let wake = scenario
        .engine
        .handle_upstream(pending, response(200, ""), ambient);
    assert_eq!(wake.tickets, [ticket]);
    scenario.now += 5;
    let decision = scenario.wake(ticket, &wake.answer).unwrap().decided();
    assert_eq!(verdict(&decision), (200, "ready"));
}

#[test]
fn a_probe_that_ran_out_of_time_is_told_at_once() {
    let mut scenario = Scenario::with(JWT_MODE, &with_resource());
    let ticket = scenario.begin(&Request::get("/ready")).parked();
    let decision = scenario.give_up(ticket).decided();
    assert_eq!(verdict(&decision), (503, "not_ready"));
}

#[test]
fn lapsed_keys_are_good_enough_to_be_ready() {
    let mut scenario = Scenario::new(JWT_MODE);
    scenario.server.keys = vec![Signer::ed_dsa("a", 1).jwk()];
    scenario.pass(0);
    scenario.server.go_down();
    scenario.pass(24 * 3600);
    assert_eq!(scenario.verdict(&Request::get("/ready")), (200, "ready"));
    scenario.pass(3600);
    assert_eq!(
        scenario.verdict(&Request::get("/ready")),
        (503, "not_ready")
    );
    scenario.server.outage = None;
    scenario.pass(30);
    assert_eq!(scenario.verdict(&Request::get("/ready")), (200, "ready"));
}
