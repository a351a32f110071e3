//! Settings, and what they resolve to.

use portcullis_core::config::{ConfigError, Resolution, Settings, Site, Source, resolve};

use portcullis_core::{Engine, Seed};

use crate::request::Request;
use crate::sign_in::OIDC_PROXY_MODE;
use crate::support::{STATE_KEY, settings};

const LOOPBACK: Site = Site::Native { loopback: true };
const PUBLIC: Site = Site::Native { loopback: false };

const ENABLED: (&str, &str) = ("ZSCALER_MCP_AUTH_ENABLED", "false");
const KEY: (&str, &str) = ("ZSCALER_MCP_AUTH_API_KEY", "s3cret-value");
const JWKS: (&str, &str) = ("ZSCALER_MCP_AUTH_JWKS_URI", "https://idp.example.com/jwks");
const VANITY: (&str, &str) = ("ZSCALER_VANITY_DOMAIN", "acme");
const TOKEN: (&str, &str) = ("PORTCULLIS_TOKEN_URL", "https://idp.example.com/token");
const STATE: (&str, &str) = ("PORTCULLIS_STATE_KEYS", STATE_KEY);
const AUDIENCE: (&str, &str) = ("ZSCALER_MCP_AUTH_AUDIENCE", "mcp");
const ISSUER: (&str, &str) = ("ZSCALER_MCP_AUTH_ISSUER", "https://idp.example.com");

fn mode(name: &'static str) -> (&'static str, &'static str) {
    ("ZSCALER_MCP_AUTH_MODE", name)
}

fn resolution(pairs: &[(&str, &str)], site: Site) -> Result<Resolution, ConfigError> {
    resolve(&settings(pairs), site)
}

/// Checks which mode is chosen, and what words each warning has, in order.
#[track_caller]
fn chosen(pairs: &[(&str, &str)], site: Site, expected: &str, warnings: &[&[&str]]) {
    let resolution = resolution(pairs, site).unwrap();
    assert_eq!(resolution.config.mode_name(), expected, "{pairs:?}");
    let found = &resolution.warnings;
    assert_eq!(found.len(), warnings.len(), "{found:?}");
    for (warning, words) in found.iter().zip(warnings) {
        assert!(words.iter().all(|word| warning.contains(word)), "{warning}");
    }
}

/// Checks that settings are refused in words that hold `words`, and hold no value.
#[track_caller]
fn refused(pairs: &[(&str, &str)], site: Site, words: &[&str]) {
    let message = resolution(pairs, site).unwrap_err().to_string();
    assert!(words.iter().all(|word| message.contains(word)), "{message}");
    assert!(
        !message.contains("s3cret-value") && !message.contains(STATE_KEY),
        "{message}"
    );
}

#[test]
fn the_mode_is_detected_in_a_fixed_order_and_the_others_are_named() {
    let all = [STATE, JWKS, ISSUER, AUDIENCE, KEY, VANITY, TOKEN];
    let passed_over = [KEY.0, VANITY.0, TOKEN.0];
    chosen(&all, Site::Filter, "jwt", &[&passed_over]);
    chosen(&[STATE, KEY, VANITY], PUBLIC, "api-key", &[&[VANITY.0]]);
    chosen(&[STATE, VANITY, TOKEN], PUBLIC, "zscaler", &[]);
    chosen(&[STATE, TOKEN], Site::Filter, "zscaler", &[]);
    chosen(&[STATE, KEY], LOOPBACK, "api-key", &[]);
    let blank = (JWKS.0, "  ");
    chosen(&[STATE, blank, KEY], PUBLIC, "api-key", &[]);
}

#[test]
fn nothing_set_is_open_on_a_loopback_address_only_and_loudly() {
    chosen(&[], LOOPBACK, "none", &[&["none", "may connect"]]);
    let what = [JWKS.0, KEY.0, VANITY.0, TOKEN.0, "ZSCALER_MCP_AUTH_MODE"];
    refused(&[], PUBLIC, &what);
    refused(&[], Site::Filter, &what);
    refused(&[STATE], Site::Filter, &what);
    chosen(&[mode("none")], Site::Filter, "none", &[&["everybody"]]);
    chosen(&[mode("none")], PUBLIC, "none", &[&["everybody"]]);
}

#[test]
fn a_forced_mode_wins_and_case_and_blanks_do_not_matter() {
    let all = [STATE, JWKS, KEY, TOKEN];
    for (word, expected) in [
        (" API-Key ", "api-key"),
        ("ZSCALER", "zscaler"),
        ("None", "none"),
    ] {
        let pairs = [&all[..], &[mode(word)]].concat();
        let resolution = resolution(&pairs, Site::Filter).unwrap();
        assert_eq!(resolution.config.mode_name(), expected);
        assert!(
            resolution.why.contains("ZSCALER_MCP_AUTH_MODE"),
            "{}",
            resolution.why
        );
    }
    let blank = [STATE, KEY, mode(" ")];
    chosen(&blank, Site::Filter, "api-key", &[]);
    for word in ["apikey", "api_key", "bearer", "off", "x"] {
        refused(
            &[STATE, KEY, mode(word)],
            LOOPBACK,
            &["api-key", "jwt", "zscaler", "none"],
        );
    }
    for word in ["oauth-proxy", "oidcproxy"] {
        refused(
            &[STATE, KEY, mode(word)],
            LOOPBACK,
            &["OIDCPROXY_CONFIG_URL", "oidcproxy"],
        );
        let settings = [OIDC_PROXY_MODE, &[mode(word)]].concat();
        chosen(&settings, LOOPBACK, "oidcproxy", &[]);
    }
}

#[test]
fn the_master_switch_has_true_and_false_words_and_no_others() {
    for word in ["false", " False ", "0", "NO"] {
        let pairs = [STATE, KEY, mode("api-key"), (ENABLED.0, word)];
        chosen(&pairs, PUBLIC, "none", &[&["switched off", ENABLED.0]]);
    }
    for word in ["true", "1", " YES "] {
        chosen(&[STATE, KEY, (ENABLED.0, word)], PUBLIC, "api-key", &[]);
    }
    for word in ["", "off", "on", "f", "2", "disabled"] {
        refused(&[STATE, KEY, (ENABLED.0, word)], PUBLIC, &[ENABLED.0]);
    }
}

#[test]
fn a_mode_without_what_it_needs_is_refused() {
    refused(&[STATE, mode("api-key")], PUBLIC, &[KEY.0]);
    refused(&[STATE, mode("jwt")], PUBLIC, &[JWKS.0]);
    refused(&[STATE, mode("zscaler")], PUBLIC, &[VANITY.0, TOKEN.0]);
    refused(
        &[KEY],
        Site::Filter,
        &[STATE.0, "PORTCULLIS_SESSION_BINDING"],
    );
    chosen(
        &[KEY, ("PORTCULLIS_SESSION_BINDING", "off")],
        Site::Filter,
        "api-key",
        &[&["session"]],
    );
    chosen(&[KEY], PUBLIC, "api-key", &[]);
}

#[test]
fn wrong_values_are_refused_by_name() {
    for (pair, with) in [
        ((KEY.0, "s3cret-value,x"), STATE),
        ((KEY.0, "sha256:s3cret-value"), STATE),
        ((JWKS.0, "ftp://s3cret-value/"), KEY),
        ((JWKS.0, "https://u:s3cret-value@idp.example.com/"), KEY),
        ((ISSUER.0, " , "), JWKS),
        ((AUDIENCE.0, ""), JWKS),
        (("ZSCALER_MCP_AUTH_ALGORITHMS", "HS256"), JWKS),
        (("ZSCALER_MCP_AUTH_ALGORITHMS", "RS256,none"), JWKS),
        (("ZSCALER_MCP_AUTH_ALGORITHMS", ""), JWKS),
        (("PORTCULLIS_LEEWAY_SECONDS", "301"), JWKS),
        (("PORTCULLIS_LEEWAY_SECONDS", "-1"), JWKS),
        ((VANITY.0, "acme.example.com"), STATE),
        ((VANITY.0, "acme/x"), STATE),
        ((VANITY.0, "a@b"), STATE),
        (("ZSCALER_CLOUD", "beta.evil.com/"), VANITY),
        ((TOKEN.0, "idp.example.com"), STATE),
        (("PORTCULLIS_ENTITLEMENTS", "yes"), TOKEN),
        ((STATE.0, "s3cret-value"), KEY),
        ((STATE.0, ","), KEY),
        (("PORTCULLIS_SESSION_BINDING", "no"), KEY),
        (("PORTCULLIS_UPSTREAM", "http://a/path"), KEY),
        (("PORTCULLIS_TRUSTED_PROXIES", "proxy"), KEY),
        (("ZSCALER_MCP_ALLOWED_HOSTS", ""), KEY),
        (("ZSCALER_MCP_ALLOWED_HOSTS", "https://a"), KEY),
        (("ZSCALER_MCP_ALLOWED_ORIGINS", " ,, "), KEY),
        (("ZSCALER_MCP_ALLOWED_ORIGINS", "app.example.com"), KEY),
        (("ZSCALER_MCP_ALLOWED_SOURCE_IPS", ","), KEY),
        (("ZSCALER_MCP_ALLOWED_SOURCE_IPS", "10.0.0.0/8,x"), KEY),
    ] {
        let name = if pair.0 == "ZSCALER_CLOUD" {
            "ZSCALER_CLOUD"
        } else {
            pair.0
        };
        refused(&[STATE, with, pair], PUBLIC, &[name]);
    }
}

#[test]
fn the_token_endpoint_of_a_tenant_is_made_of_vanity_domain_and_cloud() {
    for (pairs, expected) in [
        (&[VANITY][..], "https://acme.zslogin.net/oauth2/v1/token"),
        (
            &[VANITY, ("ZSCALER_CLOUD", " Production ")],
            "https://acme.zslogin.net/oauth2/v1/token",
        ),
        (
            &[VANITY, ("ZSCALER_CLOUD", "")],
            "https://acme.zslogin.net/oauth2/v1/token",
        ),
        (
            &[VANITY, ("ZSCALER_CLOUD", "Beta")],
            "https://acme.zsloginbeta.net/oauth2/v1/token",
        ),
        (&[VANITY, TOKEN], TOKEN.1),
    ] {
        let resolution = resolution(&[&[STATE][..], pairs].concat(), PUBLIC).unwrap();
        let urls: Vec<String> = resolution
            .config
            .call_urls()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(urls, [expected]);
    }
}

#[test]
fn what_is_allowed_but_unwise_is_said() {
    chosen(&[STATE, JWKS], PUBLIC, "jwt", &[&[ISSUER.0], &[AUDIENCE.0]]);
    let plain = (JWKS.0, "http://idp.example.com/jwks");
    chosen(
        &[STATE, plain, ISSUER, AUDIENCE],
        PUBLIC,
        "jwt",
        &[&["http", JWKS.0]],
    );
    let local = (JWKS.0, "http://127.0.0.1:9/jwks");
    chosen(&[STATE, local, ISSUER, AUDIENCE], PUBLIC, "jwt", &[]);
    chosen(
        &[STATE, (TOKEN.0, "http://idp/token")],
        PUBLIC,
        "zscaler",
        &[&["http", TOKEN.0]],
    );
}

#[test]
fn an_open_gate_on_loopback_is_closed_to_web_pages() {
    let resolution = resolution(&[], LOOPBACK).unwrap();
    let verifier = Box::new(portcullis_core::jose::PortableVerifier::new());
    let mut engine = Engine::new(resolution.config, verifier, Seed::new([0; 32]));
    let ambient = portcullis_core::Ambient {
        now: portcullis_core::UnixSeconds(0),
    };
    let mut status =
        |request: &Request| match request.lend(|head| engine.handle_request(head, ambient)) {
            portcullis_core::Step::Decide(decision) => crate::support::verdict(&decision).0,
            portcullis_core::Step::Wait { .. } | portcullis_core::Step::ReadBody { .. } => {
                panic!("it waits")
            }
        };
    let local = Request::post().host("localhost:8000");
    assert_eq!(status(&local), 200);
    assert_eq!(
        status(&local.clone().with("origin", "http://localhost:6274")),
        200
    );
    assert_eq!(
        status(&local.with("origin", "https://evil.example.com")),
        403
    );
    assert_eq!(
        status(&Request::post().host("rebound.example.com:8000")),
        421
    );
}

#[track_caller]
fn json(text: &str) -> Result<Settings, String> {
    let mut settings = Settings::default();
    let read = settings.read_json(text.as_bytes());
    read.map(|()| settings).map_err(|error| error.to_string())
}

#[test]
fn json_settings_have_the_same_names_and_win_over_the_environment() {
    let mut settings = json(
        r#"{"ZSCALER_MCP_AUTH_AUDIENCE":["a","b"],"PORTCULLIS_LEEWAY_SECONDS":30.0,
            "ZSCALER_MCP_AUTH_ENABLED":true,"ZSCALER_MCP_PORT":8000}"#,
    )
    .unwrap();
    settings.read_environment([(AUDIENCE.0, "environment"), (KEY.0, "k"), ("OTHER", "x")]);
    let get = |name| {
        let setting = portcullis_core::config::Setting::from_name(name).unwrap();
        (settings.get(setting), settings.source(setting))
    };
    assert_eq!(get(AUDIENCE.0), (Some("a,b"), Some(Source::Configuration)));
    assert_eq!(get("PORTCULLIS_LEEWAY_SECONDS").0, Some("30"));
    assert_eq!(get(ENABLED.0).0, Some("true"));
    assert_eq!(get("ZSCALER_MCP_PORT").0, Some("8000"));
    assert_eq!(get(KEY.0), (Some("k"), Some(Source::Environment)));
    assert!(json("").is_ok() && json(" \n").is_ok() && json("{}").is_ok());
}

#[test]
fn an_oidc_proxy_object_chooses_the_mode_and_holds_its_settings() {
    let text = r#"{
        "PORTCULLIS_STATE_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "oidc_proxy": {
            "config_url": "https://idp.example.com/.well-known/openid-configuration",
            "base_url": "https://mcp.example.com/mcp",
            "client_id": "gateway", "client_secret": "s3cret-value",
            "required_scopes": ["a", "b"], "access_token_seconds": 300
        }
    }"#;
    let settings = json(text).unwrap();
    let resolution = resolve(&settings, Site::Filter).unwrap();
    assert_eq!(resolution.config.mode_name(), "oidcproxy");
    let forced = text.replacen('{', r#"{"ZSCALER_MCP_AUTH_MODE": "oidc","#, 1);
    let resolution = resolve(&json(&forced).unwrap(), Site::Filter).unwrap();
    assert_eq!(resolution.config.mode_name(), "oidc");
    for (object, word) in [
        (r#"{"oidc_proxy": {"client": "x"}}"#, "oidc_proxy.client"),
        (
            r#"{"oidc_proxy": {"CLIENT_ID": "x"}}"#,
            "oidc_proxy.CLIENT_ID",
        ),
        (
            r#"{"oidc_proxy": {"client_id": {}}}"#,
            "OIDCPROXY_CLIENT_ID",
        ),
        (r#"{"oidc_proxy": "s3cret-value"}"#, "oidc_proxy"),
        (
            r#"{"OIDCPROXY_CLIENT_ID": "x", "oidc_proxy": {"client_id": "y"}}"#,
            "given twice",
        ),
    ] {
        let error = json(object).unwrap_err();
        assert!(error.contains(word) && !error.contains("s3cret"), "{error}");
    }
}

#[test]
fn what_mode_oidcproxy_cannot_do_is_refused_in_words_that_help() {
    for (setting, value, word) in [
        ("PORTCULLIS_STATE_KEYS", "", "openssl"),
        ("OIDCPROXY_CLIENT_ID", "", "client id"),
        ("OIDCPROXY_BASE_URL", "http://mcp.example.com/mcp", "https"),
        (
            "OIDCPROXY_CONFIG_URL",
            "http://idp.example.com/.well-known/openid-configuration",
            "https",
        ),
        (
            "OIDCPROXY_CONFIG_URL",
            "https://idp.example.com/",
            "/.well-known/openid-configuration",
        ),
        ("OIDCPROXY_REDIRECT_PATH", "/token", "path"),
        ("OIDCPROXY_REDIRECT_PATH", "callback", "path"),
        ("OIDCPROXY_REDIRECT_PATH", "/a?b", "path"),
        ("OIDCPROXY_SCOPES", "email", "openid"),
        ("OIDCPROXY_SCOPES", "openid,a\\b", "scope"),
        (
            "OIDCPROXY_EXTRA_AUTHORIZE_PARAMS",
            "state=s3cret-value",
            "state",
        ),
        ("OIDCPROXY_EXTRA_AUTHORIZE_PARAMS", "%zz", "query"),
        ("OIDCPROXY_EXTRA_TOKEN_PARAMS", "code=1", "code"),
        (
            "OIDCPROXY_ALLOWED_REDIRECT_URIS",
            "https://*.example.com/",
            "*",
        ),
        ("OIDCPROXY_ACCESS_TOKEN_SECONDS", "299", "300"),
        ("OIDCPROXY_ACCESS_TOKEN_SECONDS", "901", "900"),
        ("OIDCPROXY_SESSION_SECONDS", "x", "seconds"),
        ("PORTCULLIS_IDP_PROFILE", "other", "entra"),
        ("PORTCULLIS_DENIED_SIGN_INS_BEFORE", "yesterday", "1970"),
        (
            "PORTCULLIS_BRAND_LOGO",
            "https://evil.example/logo.png",
            "data:image",
        ),
    ] {
        let mut settings: Vec<_> = OIDC_PROXY_MODE.to_vec();
        settings.retain(|(name, _)| *name != setting);
        if !value.is_empty() {
            settings.push((setting, value));
        }
        refused(&settings, LOOPBACK, &[setting, word]);
    }
}

#[test]
fn json_that_is_no_flat_object_of_known_settings_is_an_error_without_values() {
    for (text, word) in [
        (
            r#"{"ZSCALER_MCP_AUTH_API_KEI":"s3cret-value"}"#,
            "ZSCALER_MCP_AUTH_API_KEI",
        ),
        (
            r#"{"zscaler_mcp_auth_api_key":"s3cret-value"}"#,
            "zscaler_mcp_auth_api_key",
        ),
        (
            r#"{"ZSCALER_MCP_AUTH_API_KEY":"s3cret-value","ZSCALER_MCP_AUTH_API_KEY":"x"}"#,
            "ZSCALER_MCP_AUTH_API_KEY",
        ),
        (
            r#"{"ZSCALER_MCP_AUTH_API_KEY":{"s3cret-value":1}}"#,
            "ZSCALER_MCP_AUTH_API_KEY",
        ),
        (
            r#"{"ZSCALER_MCP_AUTH_API_KEY":null}"#,
            "ZSCALER_MCP_AUTH_API_KEY",
        ),
        (
            r#"{"ZSCALER_MCP_AUTH_API_KEY":["s3cret-value",1]}"#,
            "ZSCALER_MCP_AUTH_API_KEY",
        ),
        (r#""s3cret-value""#, "JSON"),
        (r#"["s3cret-value"]"#, "JSON"),
        (
            r#"{"ZSCALER_MCP_AUTH_API_KEY":"s3cret-value"} s3cret-value"#,
            "JSON",
        ),
        (r#"{"ZSCALER_MCP_AUTH_API_KEY":"s3cret-value"#, "JSON"),
        (r#"{"ZSCALER_MCP_AUTH_API_KEY":s3cret-value}"#, "JSON"),
    ] {
        let message = json(text).unwrap_err();
        assert!(message.contains(word), "{message}");
        assert!(!message.contains("s3cret-value"), "{message}");
    }
}

#[test]
fn no_secret_is_shown_by_debug() {
    let settings = settings(&[KEY, STATE, TOKEN]);
    let shown = format!("{settings:?}");
    let resolution = resolve(&settings, PUBLIC).unwrap();
    let shown = format!("{shown} {resolution:?} {:?}", resolution.config);
    assert!(
        shown.contains(KEY.0) && !shown.contains(KEY.1) && !shown.contains(STATE.1),
        "{shown}"
    );
}
