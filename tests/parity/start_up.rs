//! Settings that neither gateway starts with: refusing to start beats starting open.

use portcullis_tests::{EchoResource, Gateway, Kind, Settings};

/// Both must refuse, and name the setting.
#[track_caller]
fn check(settings: &Settings, named: &str) {
    let resource = EchoResource::start();
    for kind in Kind::BOTH {
        match Gateway::try_start(kind, settings, &resource.url()) {
            Ok(_) => panic!("{kind:?} started with {settings:?}"),
            Err(log) => assert!(log.contains(named), "{kind:?} did not name {named}: {log}"),
        }
    }
}

fn mode(mode: &str) -> Settings {
    Settings::new().with("ZSCALER_MCP_AUTH_MODE", mode)
}

#[test]
fn unknown_modes_are_refused() {
    for name in ["apikey", "api_key", "bearer", "off", "basic"] {
        check(&mode(name), "ZSCALER_MCP_AUTH_MODE");
    }
}

#[test]
fn a_master_switch_that_says_neither_is_refused() {
    let settings = mode("none").with("ZSCALER_MCP_AUTH_ENABLED", "maybe");
    check(&settings, "ZSCALER_MCP_AUTH_ENABLED");
}

#[test]
fn unknown_settings_are_refused_by_name() {
    check(
        &mode("none").with("ZSCALER_MCP_AUTH_JWT_ISSUER", "x"),
        "ZSCALER_MCP_AUTH_JWT_ISSUER",
    );
}

#[test]
fn modes_without_what_they_need_are_refused() {
    check(&mode("jwt"), "ZSCALER_MCP_AUTH_JWKS_URI");
    check(&mode("zscaler"), "ZSCALER_VANITY_DOMAIN");
    let mut proxy = mode("oauth-proxy");
    for (name, value) in [
        (
            "OIDCPROXY_CONFIG_URL",
            "https://idp.example/.well-known/openid-configuration",
        ),
        ("OIDCPROXY_BASE_URL", "https://gw.example/mcp"),
        ("OIDCPROXY_CLIENT_ID", "gateway"),
    ] {
        check(&proxy, name);
        proxy = proxy.with(name, value);
    }
    // Keys that a process makes up would not outlive it.
    check(
        &proxy.without("PORTCULLIS_STATE_KEYS"),
        "PORTCULLIS_STATE_KEYS",
    );
}

#[test]
fn addresses_that_are_no_urls_are_refused() {
    for url in [
        "jwks.example/keys",
        "ftp://jwks.example/keys",
        "file:///etc/passwd",
        "https://",
    ] {
        let settings = mode("jwt").with("ZSCALER_MCP_AUTH_JWKS_URI", url);
        check(&settings, "ZSCALER_MCP_AUTH_JWKS_URI");
    }
    for url in ["token", "javascript:alert(1)"] {
        check(
            &mode("zscaler").with("PORTCULLIS_TOKEN_URL", url),
            "PORTCULLIS_TOKEN_URL",
        );
    }
}

#[test]
fn vanity_domains_and_clouds_are_labels() {
    for name in ["evil.example/", "a.b", "a@b", "a b", "a:b", "ä"] {
        check(
            &mode("zscaler").with("ZSCALER_VANITY_DOMAIN", name),
            "ZSCALER_VANITY_DOMAIN",
        );
        let settings = mode("zscaler").with("ZSCALER_VANITY_DOMAIN", "acme");
        check(&settings.with("ZSCALER_CLOUD", name), "ZSCALER_CLOUD");
    }
}

#[test]
fn algorithms_are_known_and_asymmetric() {
    for list in ["HS256", "none", "RS256,HS512", "rs256", ","] {
        let settings = mode("jwt")
            .with("ZSCALER_MCP_AUTH_JWKS_URI", "http://127.0.0.1:9/jwks")
            .with("ZSCALER_MCP_AUTH_ALGORITHMS", list);
        check(&settings, "ZSCALER_MCP_AUTH_ALGORITHMS");
    }
}

#[test]
fn leeway_is_at_most_five_minutes() {
    for leeway in ["301", "-1", "soon"] {
        let settings = mode("jwt")
            .with("ZSCALER_MCP_AUTH_JWKS_URI", "http://127.0.0.1:9/jwks")
            .with("PORTCULLIS_LEEWAY_SECONDS", leeway);
        check(&settings, "PORTCULLIS_LEEWAY_SECONDS");
    }
}

#[test]
fn lists_that_hold_nothing_valid_are_refused_not_open() {
    for name in [
        "ZSCALER_MCP_ALLOWED_HOSTS",
        "ZSCALER_MCP_ALLOWED_ORIGINS",
        "ZSCALER_MCP_ALLOWED_SOURCE_IPS",
    ] {
        for value in [",", " , ,", "!!!"] {
            check(&mode("none").with(name, value), name);
        }
    }
    check(
        &mode("none").with("PORTCULLIS_TRUSTED_PROXIES", "everyone"),
        "PORTCULLIS_TRUSTED_PROXIES",
    );
}

#[test]
fn state_keys_have_32_bytes() {
    for keys in ["short", "!!!", ","] {
        check(
            &mode("none").with("PORTCULLIS_STATE_KEYS", keys),
            "PORTCULLIS_STATE_KEYS",
        );
    }
}

#[test]
fn refused_keys_are_not_shown() {
    let resource = EchoResource::start();
    for kind in Kind::BOTH {
        let settings = mode("api-key")
            .with("ZSCALER_MCP_AUTH_API_KEY", "sha256:not-a-digest-5150")
            .with("PORTCULLIS_STATE_KEYS", "a-short-secret-5150");
        match Gateway::try_start(kind, &settings, &resource.url()) {
            Ok(_) => panic!("{kind:?} started"),
            Err(log) => assert!(!log.contains("5150"), "{kind:?} shows a secret: {log}"),
        }
    }
}
