//! Mode `api-key` with a list of named keys.

use portcullis_core::config::{Settings, Site, resolve};
use portcullis_core::{Digest, UnixSeconds};

use crate::request::Request;
use crate::support::{API_KEY, START, STATE_KEY, Scenario, edited, field};

const ALLOWED: (u16, &str) = (200, "allowed");
const WRONG: (u16, &str) = (401, "wrong_api_key");
const EXPIRED: (u16, &str) = (401, "api_key_expired");
const ELSEWHERE: (u16, &str) = (401, "api_key_source_not_allowed");

/// An entry for `key`, with more members where `more` begins with a comma.
fn entry(name: &str, key: &str, more: &str) -> String {
    let digest = Digest::plain(key.as_bytes());
    let hex: String = digest
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(r#"{{"name":"{name}","sha256":"{hex}"{more}}}"#)
}

fn list(entries: &[String]) -> String {
    format!("[{}]", entries.join(","))
}

fn scenario(entries: &[String], more: &[(&str, &str)]) -> Scenario {
    let settings = [
        ("PORTCULLIS_API_KEYS", list(entries)),
        ("PORTCULLIS_STATE_KEYS", STATE_KEY.to_owned()),
    ];
    let settings: Vec<_> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    Scenario::with(&settings, more)
}

/// Returns how the protected resource is told of the caller with `key`.
fn principal(scenario: &mut Scenario, key: &str) -> String {
    let request = Request::post().bearer(key);
    let edits = scenario.admit(&request).request;
    let headers = edited(&request.headers, &edits);
    field(&headers, "x-mcp-auth-principal").unwrap().to_owned()
}

#[test]
fn every_key_of_the_list_counts_and_names_its_caller() {
    let entries = [
        entry("ci", "key one", ""),
        entry("ops@example.com/1", "key two", ""),
    ];
    let mut scenario = scenario(&entries, &[]);
    assert_eq!(principal(&mut scenario, "key one"), "ci");
    assert_eq!(principal(&mut scenario, "key two"), "ops@example.com/1");
    for wrong in ["key three", "key", "ci", "sha256:", ""] {
        let request = Request::post().with("x-api-key", wrong);
        assert_ne!(scenario.verdict(&request), ALLOWED, "{wrong}");
    }
}

#[test]
fn the_single_key_works_beside_the_list_and_keeps_its_name() {
    let one = ("ZSCALER_MCP_AUTH_API_KEY", API_KEY);
    let mut alone = Scenario::new(&[one, ("PORTCULLIS_STATE_KEYS", STATE_KEY)]);
    let mut both = scenario(&[entry("ci", "key one", "")], &[one]);
    let name = principal(&mut alone, API_KEY);
    assert!(name.starts_with("api-key:"), "{name}");
    assert_eq!(principal(&mut both, API_KEY), name);
    assert_eq!(principal(&mut both, "key one"), "ci");
    let request = Request::post().bearer(API_KEY);
    let tagged = seen(&mut alone, &request);
    let again = request.with("mcp-session-id", tagged);
    assert_eq!(both.verdict(&again), ALLOWED);
}

#[test]
fn a_key_counts_until_it_expires() {
    // 600 s after the start.
    let expires = r#","expires":"2027-01-15T08:10:00Z""#;
    let mut scenario = scenario(
        &[entry("ci", "key", expires), entry("ops", "other", "")],
        &[],
    );
    let request = Request::post().bearer("key");
    assert_eq!(scenario.verdict(&request), ALLOWED);
    scenario.pass(599);
    assert_eq!(scenario.verdict(&request), ALLOWED);
    scenario.pass(1);
    assert_eq!(scenario.verdict(&request), EXPIRED);
    assert_eq!(scenario.verdict(&Request::post().bearer("other")), ALLOWED);
}

#[test]
fn a_key_counts_from_its_sources_only() {
    let sources = r#","sources":["10.0.0.0/8","2001:db8::/32"]"#;
    let proxies = ("PORTCULLIS_TRUSTED_PROXIES", "192.0.2.1");
    let mut scenario = scenario(
        &[entry("ci", "key", sources), entry("ops", "other", "")],
        &[proxies],
    );
    let request = Request::post().bearer("key");
    for (peer, expected) in [
        ("10.1.2.3", ALLOWED),
        ("::ffff:10.1.2.3", ALLOWED),
        ("2001:db8::9", ALLOWED),
        ("192.0.2.9", ELSEWHERE),
    ] {
        assert_eq!(
            scenario.verdict(&request.clone().peer(peer)),
            expected,
            "{peer}"
        );
    }
    let by_proxy = request.clone().peer("192.0.2.1");
    let told = by_proxy.clone().with("x-forwarded-for", "10.1.2.3");
    assert_eq!(scenario.verdict(&told), ALLOWED);
    let told = by_proxy.with("x-forwarded-for", "203.0.113.9");
    assert_eq!(scenario.verdict(&told), ELSEWHERE);
    let mut unknown = request;
    unknown.peer = None;
    assert_eq!(scenario.verdict(&unknown), ELSEWHERE);
    assert_eq!(scenario.verdict(&Request::post().bearer("other")), ALLOWED);
}

/// What a key lacks is nothing to tell whoever found it.
#[test]
fn a_client_is_told_the_same_whatever_is_wrong_with_its_key() {
    let entries = [
        entry("old", "old key", r#","expires":"2026-01-01T00:00:00Z""#),
        entry("far", "far key", r#","sources":["203.0.113.9"]"#),
    ];
    let mut scenario = scenario(&entries, &[]);
    let mut answer = |key: &str| {
        let decision = scenario.send(&Request::post().bearer(key));
        let portcullis_core::Decision::Respond(response) = decision else {
            panic!("{key} is let in");
        };
        (response.status, response.headers, response.body)
    };
    let wrong = answer("no key");
    assert_eq!(answer("old key"), wrong);
    assert_eq!(answer("far key"), wrong);
}

fn seen(scenario: &mut Scenario, request: &Request) -> String {
    let response = [("mcp-session-id".to_owned(), b"s-1".to_vec())];
    let lent: [(&str, &[u8]); 1] = [("mcp-session-id", b"s-1")];
    let forward = scenario.admit(request);
    let headers = edited(&response, &forward.response_edits(&lent));
    field(&headers, "mcp-session-id").unwrap().to_owned()
}

#[test]
fn a_session_outlives_the_rotation_of_its_key_and_is_that_of_nobody_else() {
    let entries = [
        entry("ci", "old key", r#","expires":"2027-01-16T00:00:00Z""#),
        entry("ci", "new key", ""),
        entry("ops", "other", ""),
    ];
    let mut scenario = scenario(&entries, &[]);
    let tagged = seen(&mut scenario, &Request::post().bearer("old key"));
    let with = |key: &str| Request::post().bearer(key).with("mcp-session-id", &tagged);
    assert_eq!(scenario.verdict(&with("new key")), ALLOWED);
    assert_eq!(scenario.verdict(&with("other")), (404, "session_not_found"));
}

#[test]
fn the_last_use_of_each_key_is_known() {
    let entries = [
        entry("ci", "key one", r#","expires":"2027-01-15T08:10:00Z""#),
        entry("ops", "key two", ""),
    ];
    let mut scenario = scenario(&entries, &[]);
    let uses = |scenario: &Scenario| {
        let keys = scenario.engine.api_keys();
        keys.statuses()
            .map(|key| (key.name.to_owned(), key.expires, key.last_used))
            .collect::<Vec<_>>()
    };
    let expires = Some(UnixSeconds(START + 600));
    let [ci, ops] = ["ci".to_owned(), "ops".to_owned()];
    assert_eq!(
        uses(&scenario),
        [(ci.clone(), expires, None), (ops.clone(), None, None)]
    );
    scenario.pass(5);
    scenario.verdict(&Request::post().bearer("key one"));
    scenario.pass(700);
    scenario.verdict(&Request::post().bearer("key one"));
    let used = Some(UnixSeconds(START + 5));
    assert_eq!(uses(&scenario), [(ci, expires, used), (ops, None, None)]);
}

#[test]
fn a_list_without_keys_lets_nobody_in() {
    let mut settings = Settings::default();
    settings.read_environment([
        ("PORTCULLIS_API_KEYS", "[]"),
        ("PORTCULLIS_STATE_KEYS", STATE_KEY),
    ]);
    let resolution = resolve(&settings, Site::Filter).unwrap();
    assert_eq!(resolution.config.mode_name(), "api-key");
    assert!(
        resolution.warnings[0].contains("nobody may connect"),
        "{:?}",
        resolution.warnings
    );
    let mut scenario = scenario(&[], &[]);
    assert_eq!(scenario.verdict(&Request::post().bearer(API_KEY)), WRONG);
}

#[track_caller]
fn refused(json: &str, expected: &str) {
    let mut settings = Settings::default();
    settings.read_environment([("PORTCULLIS_STATE_KEYS", STATE_KEY)]);
    let outcome = settings
        .read_json(json.as_bytes())
        .and_then(|()| resolve(&settings, Site::Filter));
    let message = outcome.unwrap_err().to_string();
    assert!(message.contains(expected), "{json}: {message}");
}

#[test]
fn a_list_that_is_wrong_is_refused_with_its_name() {
    let good = entry("ci", "key", "");
    refused(
        r#"{"PORTCULLIS_API_KEYS": "x"}"#,
        "PORTCULLIS_API_KEYS is not a JSON list",
    );
    refused(
        r#"{"PORTCULLIS_API_KEYS": ["a"]}"#,
        "PORTCULLIS_API_KEYS is not a JSON list",
    );
    refused(
        r#"{"PORTCULLIS_API_KEYS": {}}"#,
        "PORTCULLIS_API_KEYS must be",
    );
    refused(
        &format!(r#"{{"PORTCULLIS_API_KEYS": [{good},{good}]}}"#),
        "PORTCULLIS_API_KEYS entry 2: the same key is there twice",
    );
    refused(
        &format!(r#"{{"PORTCULLIS_API_KEYS": [{good}], "ZSCALER_MCP_AUTH_API_KEY": "key"}}"#),
        "ZSCALER_MCP_AUTH_API_KEY the same key is there twice",
    );
    refused(
        r#"{"PORTCULLIS_API_KEYS_FILE": "/etc/keys.json"}"#,
        "PORTCULLIS_API_KEYS_FILE cannot be read here: give the list itself as PORTCULLIS_API_KEYS",
    );
}

#[test]
fn a_list_may_be_part_of_the_settings_or_a_string_in_them() {
    let list = list(&[entry("ci", "key", "")]);
    for value in [list.clone(), serde_json::Value::from(list).to_string()] {
        let json = format!(r#"{{"PORTCULLIS_API_KEYS": {value}}}"#);
        let mut settings = Settings::default();
        settings.read_json(json.as_bytes()).unwrap();
        let site = Site::Native { loopback: true };
        let resolution = resolve(&settings, site).unwrap();
        assert_eq!(resolution.why, "PORTCULLIS_API_KEYS is set");
    }
}
