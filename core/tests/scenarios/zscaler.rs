//! Mode `zscaler`.

use portcullis_core::{CallFailure, Decision};
use serde_json::{Value, json};

use crate::request::Request;
use crate::server::response;
use crate::signer::encode;
use crate::support::{MANY_WRONG_SECRETS, START, Scenario, ZSCALER_MODE, edited, field, verdict};

const ALLOWED: (u16, &str) = (200, "allowed");
const REFUSED: (u16, &str) = (401, "client_credentials_refused");
const DOWN: (u16, &str) = (503, "call_unreachable");

fn scenario() -> Scenario {
    let mut scenario = Scenario::new(ZSCALER_MODE);
    scenario.server.register("id", "secret");
    scenario
}

fn request() -> Request {
    Request::post().pair("id", "secret")
}

fn basic(text: impl AsRef<[u8]>) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    format!("Basic {}", STANDARD.encode(text))
}

#[test]
fn a_pair_is_checked_at_the_token_endpoint_with_the_documented_request() {
    let mut scenario = Scenario::new(ZSCALER_MODE);
    scenario.server.register("i d&=", "s+é%&");
    assert_eq!(
        scenario.verdict(&Request::post().pair("i d&=", "s+é%&")),
        ALLOWED
    );
    let call = scenario.server.last_call();
    assert_eq!(call.url.to_string(), "https://idp.example.com/token");
    assert_eq!(
        call.body,
        b"grant_type=client_credentials&client_id=i+d%26%3D&client_secret=s%2B%C3%A9%25%26\
          &audience=https%3A%2F%2Fapi.zscaler.com"
    );
    assert_eq!(
        call.headers,
        [
            ("accept", b"application/json".to_vec()),
            (
                "content-type",
                b"application/x-www-form-urlencoded".to_vec()
            )
        ]
    );
    assert_eq!(call.timeout_seconds, 10);
}

#[test]
fn credentials_come_as_a_pair_of_fields_or_as_basic() {
    let mut scenario = Scenario::new(ZSCALER_MODE);
    scenario.server.register("id", "se:cret");
    let good = basic("id:se:cret");
    let wrong = basic("id:wrong");
    let pair = Request::post().pair("id", "se:cret");
    let half = Request::post().with("x-zscaler-client-id", "id");
    for (request, expected) in [
        (pair.clone(), ALLOWED),
        (Request::post().with("authorization", &good), ALLOWED),
        (
            Request::post().with("authorization", good.replace("Basic", "bASIC ")),
            ALLOWED,
        ),
        (pair.clone().with("authorization", &wrong), ALLOWED),
        (pair.with("authorization", "Bearer x"), ALLOWED),
        (
            Request::post()
                .pair("id", "wrong")
                .with("authorization", &good),
            REFUSED,
        ),
        (half.clone().with("authorization", &good), ALLOWED),
        (half.clone(), (401, "missing_credentials")),
        (
            half.with("x-zscaler-client-secret", " "),
            (401, "missing_credentials"),
        ),
        (Request::post(), (401, "missing_credentials")),
        (
            Request::post().with("authorization", "Bearer x"),
            (401, "unsupported_scheme"),
        ),
        (
            Request::new("POST", "/mcp?client_id=id&client_secret=se:cret"),
            (401, "missing_credentials"),
        ),
    ] {
        assert_eq!(scenario.verdict(&request), expected);
    }
    assert_eq!(
        scenario.server.count("/token"),
        2,
        "one for each credential"
    );
}

/// Envoy shows two lines of `Authorization` as one with a comma.
#[test]
fn a_repeated_authorization_is_refused_beside_a_pair_too() {
    let mut scenario = scenario();
    let repeated = (401, "repeated_credential");
    let two = request().bearer("x").bearer("y");
    assert_eq!(scenario.verdict(&two), repeated);
    let joined = request().with("authorization", "Bearer x,Bearer y");
    assert_eq!(scenario.verdict(&joined), repeated);
    assert_eq!(scenario.server.count("/token"), 0);
}

#[test]
fn pairs_that_look_alike_when_joined_are_different_credentials() {
    let mut scenario = Scenario::new(ZSCALER_MODE);
    scenario.server.register("a:b", "c");
    assert_eq!(scenario.verdict(&Request::post().pair("a:b", "c")), ALLOWED);
    assert_eq!(scenario.verdict(&Request::post().pair("a", "b:c")), REFUSED);
    assert_eq!(
        scenario.verdict(&Request::post().with("authorization", basic("a:b:c"))),
        REFUSED
    );
}

#[test]
fn requests_with_one_credential_wait_for_one_call_and_share_its_answer() {
    for (secret, expected) in [("secret", ALLOWED), ("wrong", REFUSED)] {
        let mut scenario = scenario();
        let request = Request::post().pair("id", secret);
        let tickets: Vec<_> = (0..1000)
            .map(|_| scenario.begin(&request).parked())
            .collect();
        assert_eq!(scenario.calls_under_way(), 1);
        scenario.leave(tickets[0]);
        let decided = scenario.finish_calls();
        assert_eq!(decided.len(), 999);
        assert!(
            tickets[1..]
                .iter()
                .all(|ticket| verdict(&decided[ticket]) == expected)
        );
        assert_eq!(verdict(&scenario.begin(&request).decided()), expected);
        assert_eq!(scenario.server.count("/token"), 1);
    }
}

#[test]
fn an_outage_is_shared_by_those_who_waited_and_by_nobody_after_them() {
    let mut scenario = scenario();
    scenario.server.go_down();
    let tickets: Vec<_> = (0..100)
        .map(|_| scenario.begin(&request()).parked())
        .collect();
    let decided = scenario.finish_calls();
    assert!(
        tickets
            .iter()
            .all(|ticket| verdict(&decided[ticket]) == DOWN)
    );
    scenario.server.outage = None;
    assert_eq!(scenario.verdict(&request()), ALLOWED);
    assert_eq!(scenario.server.count("/token"), 2);
}

#[test]
fn every_call_failure_is_an_outage_with_retry_after_and_no_challenge() {
    let error = r#"{"error":"invalid_client"}"#;
    let outages = [
        Err(CallFailure::NotSent),
        Err(CallFailure::Unreachable),
        Err(CallFailure::TimedOut),
        Err(CallFailure::Cut),
        Err(CallFailure::TooLarge),
        response(201, error),
        response(302, error),
        response(307, error),
        response(404, error),
        response(429, error),
        response(500, error),
        response(503, error),
        response(200, ""),
        response(200, "[]"),
        response(200, r#""text""#),
        response(200, r#"{"access_token":""}"#),
        response(200, r#"{"access_token":null}"#),
        response(200, "{".repeat(9999)),
        response(400, "<html>"),
        response(401, ""),
        response(403, r#"{"message":"blocked by the proxy"}"#),
    ];
    for outage in outages {
        let mut scenario = scenario();
        scenario.server.outage = Some(outage.clone());
        let Decision::Respond(answer) = scenario.send(&request()) else {
            panic!("{outage:?} let the request pass");
        };
        let names: Vec<&str> = answer.headers.iter().map(|(name, _)| *name).collect();
        assert_eq!(answer.status, 503, "{outage:?}");
        assert!(names.contains(&"retry-after") && !names.contains(&"www-authenticate"));
        scenario.server.outage = None;
        assert_eq!(scenario.verdict(&request()), ALLOWED, "{outage:?}, over");
    }
}

#[test]
fn an_oauth_error_is_a_refusal_that_is_remembered_for_ten_seconds() {
    for status in [400, 401, 403] {
        let mut scenario = scenario();
        scenario.server.outage = Some(response(status, r#"{"error":"invalid_client"}"#));
        assert_eq!(scenario.verdict(&request()), REFUSED);
        scenario.server.outage = None;
        scenario.pass(9);
        assert_eq!(scenario.verdict(&request()), REFUSED, "{status}");
        assert_eq!(scenario.server.count("/token"), 1);
        scenario.pass(1);
        assert_eq!(
            scenario.verdict(&request()),
            ALLOWED,
            "a secret that was just made"
        );
    }
}

/// Checks for how long a validation is used whose answer had `members`, in seconds.
#[track_caller]
fn reuse(members: Value, expected: u64) {
    let mut scenario = Scenario::new(ZSCALER_MODE);
    scenario
        .server
        .register_for("id", "secret", members.clone());
    assert_eq!(scenario.verdict(&request()), ALLOWED, "{members}");
    if expected > 0 {
        scenario.now = START + expected - 1;
        assert_eq!(
            verdict(&scenario.begin(&request()).decided()),
            ALLOWED,
            "{members}"
        );
    }
    scenario.now = START + expected;
    scenario.begin(&request()).waits();
}

#[test]
fn a_validation_lives_as_long_as_its_token_less_a_margin_and_an_hour_at_most() {
    reuse(json!({ "expires_in": 3600 }), 3540);
    reuse(json!({ "expires_in": 900 }), 840);
    reuse(json!({ "expires_in": "900" }), 840);
    reuse(json!({ "expires_in": 900.0 }), 840);
    reuse(json!({ "expires_in": 999_999 }), 3600);
    reuse(json!({ "expires_in": u64::MAX }), 3600);
    reuse(json!({ "expires_in": 61 }), 1);
    for none in [
        json!(60),
        json!(0),
        json!(-5),
        json!("soon"),
        json!(null),
        json!([900]),
    ] {
        reuse(json!({ "expires_in": none }), 0);
    }
    reuse(json!({}), 0);
}

#[test]
fn inside_its_life_a_validation_works_during_an_outage_and_not_beyond() {
    let mut scenario = scenario();
    scenario.admit(&request());
    scenario.server.go_down();
    scenario.now = START + 3539;
    assert_eq!(scenario.verdict(&request()), ALLOWED);
    scenario.now = START + 3540;
    assert_eq!(scenario.verdict(&request()), DOWN);
}

#[test]
fn a_rotated_secret_needs_no_restart() {
    let mut scenario = scenario();
    scenario.admit(&request());
    scenario.server.clients.clear();
    scenario.server.register("id", "new secret");
    assert_eq!(
        scenario.verdict(&Request::post().pair("id", "new secret")),
        ALLOWED
    );
    assert_eq!(
        scenario.verdict(&request()),
        ALLOWED,
        "the old one until its life ends"
    );
    scenario.now = START + 3540;
    assert_eq!(scenario.verdict(&request()), REFUSED);
}

#[test]
fn too_many_different_credentials_at_once_are_turned_away_and_not_refused() {
    let mut scenario = Scenario::with(ZSCALER_MODE, MANY_WRONG_SECRETS);
    scenario.server.register("id", "secret");
    let pair = |number: usize| Request::post().pair(&format!("id-{number}"), "secret");
    for number in 0..256 {
        scenario.begin(&pair(number)).waits();
    }
    let turned_away = scenario.begin(&pair(256)).decided();
    assert_eq!(verdict(&turned_away), (503, "too_many_calls"));
    assert_eq!(scenario.calls_under_way(), 256);
    scenario.begin(&pair(7)).waits();
    scenario.finish_calls();
    assert_eq!(scenario.verdict(&pair(256)), REFUSED);
    assert_eq!(scenario.verdict(&request()), ALLOWED);
}

#[test]
fn calls_that_never_end_do_not_shut_the_gate_for_good() {
    let mut scenario = Scenario::with(ZSCALER_MODE, MANY_WRONG_SECRETS);
    scenario.server.register("id", "secret");
    let mut lost = Vec::new();
    for number in 0..256 {
        scenario
            .begin(&Request::post().pair(&format!("id-{number}"), "x"))
            .waits();
        lost.push(scenario.take_call());
    }
    let ticket = scenario.begin(&Request::post().pair("id-0", "x")).parked();
    let given_up = scenario.give_up(ticket).decided();
    assert_eq!(verdict(&given_up), (503, "call_waited_too_long"));
    scenario.now += 60;
    assert_eq!(scenario.verdict(&request()), ALLOWED);
    assert_eq!(
        scenario.verdict(&Request::post().pair("id-0", "x")),
        REFUSED
    );
}

#[test]
fn an_answer_counts_only_for_the_credential_that_it_is_about() {
    let mut scenario = scenario();
    scenario.server.register("other", "secret");
    let first = scenario.begin(&request()).parked();
    let (_, pending) = scenario.take_call();
    scenario
        .begin(&Request::post().pair("mallory", "x"))
        .waits();
    let grant = response(200, r#"{"access_token":"t","expires_in":900}"#);
    let decided = scenario.finish(pending, grant);
    assert_eq!(decided.len(), 1);
    assert_eq!(verdict(&decided[&first]), ALLOWED);
    let decided = scenario.finish_calls();
    assert_eq!(decided.values().map(verdict).collect::<Vec<_>>(), [REFUSED]);
}

#[test]
fn a_host_that_mixes_answers_up_admits_nobody() {
    let mut scenario = scenario();
    let mallory = scenario
        .begin(&Request::post().pair("mallory", "x"))
        .parked();
    drop(scenario.take_call());
    scenario.begin(&request()).waits();
    let (_, pending) = scenario.take_call();
    let grant = response(200, r#"{"access_token":"t","expires_in":900}"#);
    let ambient = scenario.ambient();
    let wake = scenario.engine.handle_upstream(pending, grant, ambient);
    let decision = scenario.wake(mallory, &wake.answer).unwrap().decided();
    assert_eq!(verdict(&decision), (503, "call_waited_too_long"));
}

#[test]
fn a_clock_that_is_set_back_does_not_lengthen_a_validation() {
    let mut scenario = scenario();
    scenario.now = START + 1_000_000;
    scenario.admit(&request());
    scenario.now = START;
    scenario.server.clients.clear();
    assert_eq!(scenario.verdict(&request()), REFUSED);
}

#[test]
fn the_protected_resource_sees_the_client_and_no_secret() {
    let request = request()
        .with("authorization", basic("a:b"))
        .with("X_Zscaler_Client_Secret", "x");
    let forward = scenario().admit(&request);
    let headers = edited(&request.headers, &forward.request);
    assert_eq!(field(&headers, "x-mcp-auth-mode"), Some("zscaler"));
    assert_eq!(field(&headers, "x-mcp-auth-principal"), Some("id"));
    assert_eq!(headers.len(), 2, "{headers:?}");
}

/// Returns the entitlements that a token with `payload` brings.
fn entitlements(payload: &Value, mode: &str) -> Option<String> {
    let more = [("PORTCULLIS_ENTITLEMENTS", mode)];
    let mut scenario = Scenario::with(ZSCALER_MODE, &more);
    let token = format!("e30.{}.AA", encode(payload.to_string()));
    let members = json!({ "access_token": token, "expires_in": 3600 });
    scenario.server.register_for("id", "secret", members);
    for _ in 0..2 {
        scenario.admit(&request());
    }
    assert_eq!(scenario.server.count("/token"), 1, "no second call");
    let forward = scenario.admit(&request());
    let headers = edited(&request().headers, &forward.request);
    field(&headers, "x-mcp-auth-entitlements").map(str::to_owned)
}

#[test]
fn entitlements_are_read_off_the_token_of_the_validation() {
    let payload = json!({ "service-info": [{ "prd": "ZIA" }, { "prd": "ZPA" }, { "prd": "ZIA" }] });
    assert_eq!(
        entitlements(&payload, "forward").as_deref(),
        Some("ZIA,ZPA")
    );
    assert_eq!(entitlements(&payload, "off"), None);
    let odd = json!({ "service-info": [{ "prd": "a,b" }, { "prd": 7 }, 7, { "prd": "ZDX" }] });
    assert_eq!(entitlements(&odd, "forward").as_deref(), Some("ZDX"));
    assert_eq!(
        entitlements(&json!({ "service-info": [] }), "forward").as_deref(),
        Some("")
    );
}
