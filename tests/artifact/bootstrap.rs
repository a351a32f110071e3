//! The bootstraps that `portcullis render envoy` prints.

use std::fs;
use std::process::{Command, Output};

use crate::tools;

const STATE_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
const API_KEY: &str = "0123456789abcdef0123456789abcdef";
const UPSTREAM: [&str; 2] = ["--upstream", "http://127.0.0.1:8001"];

/// Renders with these arguments and variables.
fn render(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = tools::portcullis();
    command
        .args(["render", "envoy"])
        .args(arguments)
        .arg("--filter")
        .arg(tools::wasm());
    command.envs(variables.iter().copied()).output().unwrap()
}

/// Renders what must be rendered.
fn rendered(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = render(arguments, variables);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Renders what must be refused, and returns why.
fn refusal(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = render(arguments, variables);
    assert!(
        !output.status.success() && output.stdout.is_empty(),
        "it was rendered"
    );
    String::from_utf8(output.stderr).unwrap()
}

/// Lets Envoy check a bootstrap: it also starts the filter on its configuration.
fn assert_valid(name: &str, bootstrap: &str, variables: &[(&str, &str)]) {
    let file = std::env::temp_dir().join(format!("portcullis-{}-{name}.yaml", std::process::id()));
    fs::write(&file, bootstrap).unwrap();
    let mut command = Command::new(tools::envoy());
    command
        .args(["--mode", "validate", "-l", "warning", "-c"])
        .arg(&file);
    let output = command
        .current_dir(tools::root())
        .envs(variables.iter().copied())
        .output();
    let output = output.unwrap();
    fs::remove_file(&file).unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {log}\n{bootstrap}");
}

const OIDC_PROXY: [(&str, &str); 5] = [
    ("ZSCALER_MCP_AUTH_MODE", "oidcproxy"),
    (
        "OIDCPROXY_CONFIG_URL",
        "https://idp.example.com/.well-known/openid-configuration",
    ),
    ("OIDCPROXY_BASE_URL", "https://mcp.example.com/mcp"),
    ("OIDCPROXY_CLIENT_ID", "portcullis"),
    ("PORTCULLIS_STATE_KEYS", STATE_KEY),
];

#[test]
fn bodies_are_collected_where_people_sign_in_and_nowhere_else() {
    const FLAG: &str = "allow_on_headers_stop_iteration: true";
    let here = rendered(&UPSTREAM, &OIDC_PROXY);
    assert!(here.contains(FLAG), "{here}");
    assert!(!here.contains("path: \"/token\""), "{here}");
    let elsewhere = ("PORTCULLIS_OAUTH_ENDPOINTS", "http://127.0.0.1:8000");
    let elsewhere = rendered(&UPSTREAM, &[&OIDC_PROXY[..], &[elsewhere]].concat());
    assert!(!elsewhere.contains(FLAG), "{elsewhere}");
    for route in [
        "path: \"/token\"",
        "path: \"/auth/callback\"",
        "prefix: \"/.well-known/oauth-authorization-server\"",
    ] {
        assert!(elsewhere.contains(route), "{elsewhere}");
    }
    assert!(!elsewhere.contains("idp.example.com:443"), "it asks nobody");
}

#[test]
fn every_mode_renders_what_envoy_takes() {
    let modes: [(&str, &[(&str, &str)]); 6] = [
        ("none", &[("ZSCALER_MCP_AUTH_MODE", "none")]),
        (
            "api-key",
            &[(
                "ZSCALER_MCP_AUTH_API_KEY",
                "0123456789abcdef0123456789abcdef",
            )],
        ),
        (
            "jwt",
            &[("ZSCALER_MCP_AUTH_JWKS_URI", "https://idp.example.com/jwks")],
        ),
        ("zscaler", &[("ZSCALER_VANITY_DOMAIN", "acme")]),
        ("oidcproxy", &OIDC_PROXY),
        (
            "elsewhere",
            &[
                OIDC_PROXY[0],
                OIDC_PROXY[1],
                OIDC_PROXY[2],
                OIDC_PROXY[3],
                OIDC_PROXY[4],
                ("PORTCULLIS_OAUTH_ENDPOINTS", "http://127.0.0.1:8000"),
            ],
        ),
    ];
    for (mode, variables) in modes {
        let bootstrap = rendered(&UPSTREAM, variables);
        assert_valid(mode, &bootstrap, variables);
        assert!(
            bootstrap.contains("failure_policy: \"FAIL_RELOAD\""),
            "{bootstrap}"
        );
        assert!(bootstrap.contains("PORTCULLIS_STATE_KEYS"), "{bootstrap}");
        let admin = [&UPSTREAM[..], &["--admin", "127.0.0.1:9901"]].concat();
        assert!(!bootstrap.contains("admin:"), "{bootstrap}");
        assert!(rendered(&admin, variables).contains("admin:"), "{mode}");
    }
}

#[test]
fn examples_are_what_render_prints() {
    for mode in ["api-key", "jwt", "zscaler", "oidcproxy", "none"] {
        let settings = format!("envoy/{mode}.json");
        let mut command = tools::portcullis();
        command.args([
            "render",
            "envoy",
            "--listen",
            "127.0.0.1:10000",
            "--config",
            &settings,
        ]);
        command.env("PORTCULLIS_STATE_KEYS", STATE_KEY);
        command.env("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt");
        if mode == "api-key" {
            command.env("ZSCALER_MCP_AUTH_API_KEY", API_KEY);
        }
        if mode == "oidcproxy" {
            command.env("OIDCPROXY_CLIENT_SECRET", "secret");
        }
        let printed = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let file = tools::root().join(format!("envoy/{mode}.yaml"));
        let example = fs::read_to_string(file).unwrap();
        assert_eq!(
            printed, example,
            "envoy/README.md says how to render {mode} again"
        );
    }
}

#[test]
fn call_over_tls_names_the_server_and_checks_its_certificate() {
    let variables = [
        ("ZSCALER_VANITY_DOMAIN", "acme"),
        ("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"),
    ];
    let bootstrap = rendered(&UPSTREAM, &variables);
    for expected in [
        "name: \"outbound|443||acme.zslogin.net\"",
        "type: \"STRICT_DNS\"",
        "sni: \"acme.zslogin.net\"",
        "san_type: \"DNS\"",
        "exact: \"acme.zslogin.net\"",
        "filename: \"/etc/ssl/certs/ca-certificates.crt\"",
        "name: \"outbound|8001||127.0.0.1\"",
        "type: \"STATIC\"",
    ] {
        assert!(bootstrap.contains(expected), "no {expected} in {bootstrap}");
    }
}

#[test]
fn secret_of_the_environment_is_not_written_down() {
    let secrets = [
        (
            "ZSCALER_MCP_AUTH_API_KEY",
            "0123456789abcdef0123456789abcdef",
        ),
        (
            "PORTCULLIS_STATE_KEYS",
            "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
        ),
    ];
    let bootstrap = rendered(&UPSTREAM, &secrets);
    assert_valid("secrets", &bootstrap, &secrets);
    for (name, value) in secrets {
        assert!(bootstrap.contains(&format!("- \"{name}\"")), "{bootstrap}");
        assert!(!bootstrap.contains(value), "{name} is in {bootstrap}");
    }
}

#[test]
fn made_up_state_key_is_a_fresh_one_and_is_told() {
    let variables = [("ZSCALER_MCP_AUTH_MODE", "none")];
    let [first, second] = [(); 2].map(|()| render(&UPSTREAM, &variables));
    assert_ne!(first.stdout, second.stdout);
    let warning = String::from_utf8(first.stderr).unwrap();
    assert!(warning.contains("PORTCULLIS_STATE_KEYS"), "{warning}");
}

#[test]
fn listener_takes_the_tls_settings() {
    let bootstrap = rendered(
        &[&UPSTREAM[..], &["--listen", "0.0.0.0:8443"]].concat(),
        &[
            ("ZSCALER_MCP_AUTH_MODE", "none"),
            ("ZSCALER_MCP_TLS_CERTFILE", "/tls/cert.pem"),
            ("ZSCALER_MCP_TLS_KEYFILE", "/tls/key.pem"),
            ("ZSCALER_MCP_TLS_CA_CERTS", "/tls/ca.pem"),
        ],
    );
    for expected in [
        "address: \"0.0.0.0\"",
        "port_value: 8443",
        "filename: \"/tls/cert.pem\"",
        "filename: \"/tls/key.pem\"",
        "filename: \"/tls/ca.pem\"",
        "require_client_certificate: true",
    ] {
        assert!(bootstrap.contains(expected), "no {expected} in {bootstrap}");
    }
}

#[test]
fn what_the_filter_would_refuse_is_not_rendered() {
    let none = ("ZSCALER_MCP_AUTH_MODE", "none");
    let open = [&UPSTREAM[..], &["--listen", "0.0.0.0:8000"]].concat();
    assert!(refusal(&open, &[none]).contains("ZSCALER_MCP_ALLOW_HTTP"));
    assert!(refusal(&[], &[none]).contains("PORTCULLIS_UPSTREAM"));
    assert!(refusal(&UPSTREAM, &[]).contains("ZSCALER_MCP_AUTH_MODE"));
    assert!(refusal(&UPSTREAM, &[("ZSCALER_MCP_AUTH_MODE", "typo")]).contains("zscaler"));
    let named = [&UPSTREAM[..], &["--listen", "gateway.example.com:8000"]].concat();
    let allowed = ("ZSCALER_MCP_ALLOW_HTTP", "true");
    assert!(refusal(&named, &[none, allowed]).contains("gateway.example.com"));
}
