//! Rules about where a request comes from, and what never needs a credential.

use portcullis_core::Decision;

use crate::request::Request;
use crate::support::{API_KEY, API_KEY_MODE, MODES, NONE_MODE, Scenario, edited, field, verdict};

const ALLOWED: (u16, &str) = (200, "allowed");
const MISSING: (u16, &str) = (401, "missing_credentials");

const HOSTS: &str = "ZSCALER_MCP_ALLOWED_HOSTS";
const ORIGINS: &str = "ZSCALER_MCP_ALLOWED_ORIGINS";
const SOURCES: &str = "ZSCALER_MCP_ALLOWED_SOURCE_IPS";
const PROXIES: &str = "PORTCULLIS_TRUSTED_PROXIES";

/// Checks a request that has a good credential.
#[track_caller]
fn check(rules: &[(&str, &str)], request: &Request, expected: (u16, &str)) {
    let request = request.clone().bearer(API_KEY);
    let found = Scenario::with(API_KEY_MODE, rules).verdict(&request);
    assert_eq!(found, expected, "{rules:?}");
}

#[test]
fn rules_come_before_credentials() {
    let mut scenario = Scenario::with(
        API_KEY_MODE,
        &[
            (HOSTS, "gw.example.com"),
            (SOURCES, "10.0.0.0/8"),
            (ORIGINS, "https://app.example.com"),
        ],
    );
    let good = Request::post().host("gw.example.com").peer("10.0.0.1");
    assert_eq!(scenario.verdict(&good), MISSING);
    let host = good.clone().host("evil.example.com");
    assert_eq!(scenario.verdict(&host), (421, "host_not_allowed"));
    let source = good.clone().peer("11.0.0.1");
    assert_eq!(scenario.verdict(&source), (403, "address_not_allowed"));
    let origin = good.with("origin", "https://evil.example.com");
    assert_eq!(scenario.verdict(&origin), (403, "origin_not_allowed"));
}

#[test]
fn hosts_are_compared_whole() {
    const LIST: &[(&str, &str)] = &[(HOSTS, "gw.example.com:8443, *.corp.example.com, [::1]:*")];
    for (authority, allowed) in [
        (&b"gw.example.com:8443"[..], true),
        (b"GW.EXAMPLE.COM:8443", true),
        (b"a.b.corp.example.com:1", true),
        (b"[::1]", true),
        (b"[::1]:9", true),
        (b"gw.example.com", false),
        (b"gw.example.com:443", false),
        (b"gw.example.com:08443x", false),
        (b"corp.example.com", false),
        (b".corp.example.com", false),
        (b"evilcorp.example.com", false),
        (b"a.corp.example.com.evil.org", false),
        (b"evil.org/.corp.example.com", false),
        (b"evil.org#.corp.example.com", false),
        (b"user@a.corp.example.com", false),
        (b"gw.example.com:8443@evil.org", false),
        (b"gw.example.com:8443:8443", false),
        (b"[::1]evil.org", false),
        (b"", false),
        (b"\xff", false),
    ] {
        let expected = if allowed {
            ALLOWED
        } else {
            (421, "host_not_allowed")
        };
        let request = Request::post().host(authority);
        let found = Scenario::with(API_KEY_MODE, LIST).verdict(&request.bearer(API_KEY));
        assert_eq!(found, expected, "{}", authority.escape_ascii());
    }
}

#[test]
fn forwarded_hosts_are_not_believed() {
    let request = Request::post()
        .host("evil.example.com")
        .with("x-forwarded-host", "gw.example.com")
        .with("forwarded", "host=gw.example.com");
    check(
        &[(HOSTS, "gw.example.com")],
        &request,
        (421, "host_not_allowed"),
    );
}

#[test]
fn mapped_addresses_are_folded_and_an_unknown_one_is_never_allowed() {
    let denied = (403, "address_not_allowed");
    check(
        &[(SOURCES, "10.0.0.0/8")],
        &Request::post().peer("::ffff:10.1.2.3"),
        ALLOWED,
    );
    check(
        &[(SOURCES, "::ffff:10.1.2.3")],
        &Request::post().peer("10.1.2.3"),
        ALLOWED,
    );
    check(
        &[(SOURCES, "0.0.0.0/0")],
        &Request::post().peer("2001:db8::1"),
        denied,
    );
    check(
        &[(SOURCES, "::/0")],
        &Request::post().peer("::ffff:10.1.2.3"),
        denied,
    );
    for list in ["0.0.0.0/0", "::/0", "*"] {
        let mut request = Request::post();
        request.peer = None;
        check(&[(SOURCES, list)], &request, denied);
    }
}

#[test]
fn forwarded_addresses_are_believed_from_trusted_proxies_only() {
    let denied = (403, "address_not_allowed");
    let rules = [(SOURCES, "203.0.113.0/24"), (PROXIES, "10.0.0.0/8")];
    let direct = |peer| Request::post().peer(peer);
    let via = |lines: &[&str]| {
        let request = direct("10.0.0.1");
        let add = |request: Request, line: &&str| request.with("x-forwarded-for", line);
        lines.iter().fold(request, add)
    };
    check(&rules[..1], &via(&["203.0.113.9"]), denied);
    check(
        &rules,
        &direct("198.51.100.1").with("x-forwarded-for", "203.0.113.9"),
        denied,
    );
    check(&rules, &via(&["203.0.113.9"]), ALLOWED);
    check(&rules, &via(&["203.0.113.9, 10.9.9.9"]), ALLOWED);
    check(&rules, &via(&["203.0.113.9", "10.9.9.9"]), ALLOWED);
    check(
        &rules,
        &via(&["203.0.113.9:1234, [::ffff:10.9.9.9]:1"]),
        ALLOWED,
    );
    check(&rules, &via(&["203.0.113.9, 198.51.100.1"]), denied);
    check(&rules, &via(&["203.0.113.9, garbage"]), denied);
    check(&rules, &via(&["203.0.113.9, unknown"]), denied);
    check(&rules, &via(&["203.0.113.9\u{a0}x"]), denied);
    check(&rules, &via(&[]), denied);
    check(
        &rules,
        &direct("10.0.0.1").with("x-real-ip", "203.0.113.9"),
        denied,
    );
    check(
        &rules,
        &direct("10.0.0.1").with("forwarded", "for=203.0.113.9"),
        denied,
    );
}

/// Envoy joins lines by commas and leaves blank ones out.
#[test]
fn blank_hops_do_not_count() {
    let rules = [(SOURCES, "203.0.113.0/24"), (PROXIES, "10.0.0.0/8")];
    let request = Request::post()
        .peer("10.0.0.1")
        .with("x-forwarded-for", "203.0.113.9");
    check(
        &rules,
        &request.clone().with("x-forwarded-for", ""),
        ALLOWED,
    );
    check(&rules, &request.with("x-forwarded-for", " , "), ALLOWED);
}

#[test]
fn origins_are_compared_whole() {
    const LIST: &[(&str, &str)] = &[(ORIGINS, "https://app.example.com, http://localhost:*")];
    let denied = (403, "origin_not_allowed");
    for (origin, expected) in [
        ("https://app.example.com", ALLOWED),
        ("http://localhost:6274", ALLOWED),
        ("http://localhost", ALLOWED),
        ("null", denied),
        ("", denied),
        ("http://app.example.com", denied),
        ("https://app.example.com:444", denied),
        ("https://app.example.com.evil.org", denied),
        ("https://app.example.com@evil.org", denied),
        ("https://evil.org/https://app.example.com", denied),
        ("http://localhost:6274.evil.org", denied),
        ("http://localhost:+80", denied),
        ("http://localhost:99999", denied),
        ("http://localhost:", denied),
        ("https://app.example.com https://evil.org", denied),
    ] {
        check(LIST, &Request::post().with("origin", origin), expected);
    }
    check(LIST, &Request::post(), ALLOWED);
}

/// Envoy shows two lines of `Origin` as one with a comma.
#[test]
fn two_origins_are_refused_however_the_host_shows_them() {
    for list in ["*", "https://a.example.com,https://b.example.com"] {
        let two = Request::post()
            .with("origin", "https://a.example.com")
            .with("origin", "https://b.example.com");
        check(&[(ORIGINS, list)], &two, (403, "origin_not_allowed"));
        let joined = Request::post().with("origin", "https://a.example.com,https://b.example.com");
        check(&[(ORIGINS, list)], &joined, (403, "origin_not_allowed"));
    }
}

fn preflight(origin: &str) -> Request {
    Request::new("OPTIONS", "/mcp")
        .with("origin", origin)
        .with("access-control-request-method", "POST")
}

const ORIGIN: &str = "https://app.example.com";

#[test]
fn a_preflight_needs_an_allowed_origin_and_no_credential() {
    for settings in MODES {
        let mut scenario = Scenario::with(settings, &[(ORIGINS, ORIGIN)]);
        for path in ["/mcp", "/health", "/.well-known/oauth-protected-resource"] {
            let mut request = preflight(ORIGIN);
            request.path = path.into();
            assert_eq!(scenario.verdict(&request), (204, "preflight"), "{path}");
        }
        let evil = scenario.verdict(&preflight("https://evil.example.com"));
        assert_eq!(evil, (403, "origin_not_allowed"));
        assert_eq!(
            scenario.server.count("/token") + scenario.server.count("/jwks"),
            0
        );
    }
    for settings in &MODES[1..] {
        let found = Scenario::new(settings).verdict(&preflight(ORIGIN));
        assert_eq!(found, (403, "origin_not_allowed"), "without a list");
    }
    assert_eq!(
        Scenario::new(NONE_MODE).verdict(&preflight(ORIGIN)),
        ALLOWED
    );
}

#[test]
fn options_that_are_no_preflight_need_a_credential() {
    let mut scenario = Scenario::with(API_KEY_MODE, &[(ORIGINS, ORIGIN)]);
    let options = Request::new("OPTIONS", "/mcp");
    assert_eq!(scenario.verdict(&options), MISSING);
    assert_eq!(scenario.verdict(&options.with("origin", ORIGIN)), MISSING);
    let asks = Request::new("OPTIONS", "/mcp").with("access-control-request-method", "POST");
    assert_eq!(scenario.verdict(&asks), MISSING);
    let mut post = preflight(ORIGIN);
    post.method = "POST".into();
    assert_eq!(scenario.verdict(&post), MISSING);
}

/// Returns the field of a gateway's answer.
#[track_caller]
fn answered<'a>(decision: &'a Decision, name: &str) -> Option<&'a str> {
    let Decision::Respond(response) = decision else {
        panic!("forwarded");
    };
    let mut values = response.headers.iter().filter(|(field, _)| *field == name);
    let value = values.next().map(|(_, value)| value.as_str());
    assert!(values.next().is_none(), "{name} twice");
    value
}

#[test]
fn a_preflight_allows_what_it_was_asked_for_if_that_is_a_list_of_names() {
    let mut scenario = Scenario::with(API_KEY_MODE, &[(ORIGINS, "*")]);
    for (asked, allowed) in [
        (&["x-a, x-b"][..], Some("x-a, x-b")),
        (&["x-a", "x-b"], Some("x-a,x-b")),
        (&["x-a", "", "x-b"], Some("x-a,x-b")),
        (&["x-a\r\nset-cookie: b"], None),
        (&["é"], None),
        (&[], None),
    ] {
        let add =
            |request: Request, line: &&str| request.with("access-control-request-headers", line);
        let request = asked.iter().fold(preflight(ORIGIN), add);
        let decision = scenario.send(&request);
        let found = answered(&decision, "access-control-allow-headers").unwrap();
        match allowed {
            Some(allowed) => assert_eq!(found, allowed),
            None => assert!(found.contains("authorization"), "{found}"),
        }
        assert_eq!(
            answered(&decision, "access-control-allow-origin"),
            Some(ORIGIN)
        );
        assert_eq!(
            answered(&decision, "access-control-allow-credentials"),
            None
        );
    }
}

#[test]
fn a_browser_of_an_allowed_origin_can_read_refusals() {
    let mut scenario = Scenario::with(API_KEY_MODE, &[(ORIGINS, ORIGIN)]);
    let refused = scenario.send(&Request::post().with("origin", ORIGIN));
    assert_eq!(verdict(&refused), MISSING);
    assert_eq!(
        answered(&refused, "access-control-allow-origin"),
        Some(ORIGIN)
    );
    let exposed = answered(&refused, "access-control-expose-headers").unwrap();
    assert!(exposed.contains("www-authenticate") && exposed.contains("mcp-session-id"));
    assert_eq!(answered(&refused, "vary"), Some("origin"));
    let unknown = scenario.send(&Request::post().with("origin", "https://evil.example.com"));
    assert_eq!(answered(&unknown, "access-control-allow-origin"), None);
}

#[test]
fn the_protected_resource_says_nothing_about_origins_beside_the_gateway() {
    let mut scenario = Scenario::with(API_KEY_MODE, &[(ORIGINS, ORIGIN)]);
    let request = Request::post().bearer(API_KEY).with("origin", ORIGIN);
    let forward = scenario.admit(&request);
    let headers = edited(&request.headers, &forward.request);
    assert_eq!(field(&headers, "origin"), None);

    let response: [(&str, &[u8]); 5] = [
        ("access-control-allow-origin", b"*"),
        ("access-control-allow-credentials", b"true"),
        ("access-control-expose-headers", b"x"),
        ("vary", b"accept"),
        ("vary", b"cookie"),
    ];
    let owned = response.map(|(name, value)| (name.to_owned(), value.to_vec()));
    let headers = edited(&owned, &forward.response_edits(&response));
    assert_eq!(field(&headers, "access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(field(&headers, "access-control-allow-credentials"), None);
    assert_eq!(field(&headers, "vary"), Some("accept,cookie,origin"));
}

#[test]
fn well_known_paths_are_answered_without_a_credential_where_there_is_authentication() {
    const PATHS: [&str; 6] = [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration?x=1",
        "/mcp/.well-known/openid-configuration",
        "/register",
    ];
    for path in PATHS {
        for settings in &MODES[1..] {
            let found = Scenario::new(settings).verdict(&Request::get(path));
            assert_eq!(found, (404, "no_oauth"), "{path}");
        }
        assert_eq!(
            Scenario::new(NONE_MODE).verdict(&Request::get(path)),
            ALLOWED
        );
    }
    let hosts = [(HOSTS, "gw.example.com")];
    let found = Scenario::with(API_KEY_MODE, &hosts).verdict(&Request::get(PATHS[0]));
    assert_eq!(found, (421, "host_not_allowed"));
}

#[test]
fn a_path_that_only_looks_like_an_exempt_one_is_protected() {
    for path in [
        "/health/",
        "/health/../mcp",
        "//health",
        "/%68ealth",
        "/healthx",
        "/mcp?/health",
        "/health;x",
        "/mcp#/health",
        "/.well-known/oauth-protected-resourcex",
        "/registerx",
        "/.well-known/../mcp",
        "/READY",
        "",
    ] {
        let found = Scenario::new(API_KEY_MODE).verdict(&Request::get(path));
        assert_eq!(found, MISSING, "{path}");
    }
}

#[test]
fn mode_none_lets_everything_pass_and_still_names_nobody_else() {
    let mut scenario = Scenario::new(NONE_MODE);
    let request = Request::new("BREW", "/any?access_token=x")
        .with("authorization", "Bearer a")
        .with("authorization", "Bearer b")
        .with("x_mcp_auth_principal", "admin");
    let forward = scenario.admit(&request);
    let headers = edited(&request.headers, &forward.request);
    assert_eq!(field(&headers, "x-mcp-auth-mode"), Some("none"));
    assert_eq!(field(&headers, "x-mcp-auth-principal"), Some("anonymous"));
    assert_eq!(field(&headers, "x_mcp_auth_principal"), None);
    let kept = headers.iter().filter(|(name, _)| name == "authorization");
    assert_eq!(kept.count(), 2);
}

#[test]
fn identity_from_outside_goes_in_every_spelling_in_every_mode() {
    const SPELLINGS: [&str; 5] = [
        "x-mcp-auth-principal",
        "x_mcp_auth_principal",
        "x-mcp_auth-scope",
        "x-mcp-auth-anything",
        "x.mcp.auth.mode",
    ];
    for settings in [NONE_MODE, API_KEY_MODE] {
        let mut scenario = Scenario::new(settings);
        let base = Request::post()
            .with("x-api-key", API_KEY)
            .with("x-mcp-authority", "kept");
        let add = |request: Request, name: &&str| request.with(name, "mallory");
        let request = SPELLINGS.iter().fold(base, add);
        let forward = scenario.admit(&request);
        let headers = edited(&request.headers, &forward.request);
        assert!(
            headers.iter().all(|(_, value)| value != "mallory"),
            "{headers:?}"
        );
        assert_eq!(field(&headers, "x-mcp-authority"), Some("kept"));
    }
}
