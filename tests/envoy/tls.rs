//! TLS as `portcullis render envoy` sets it up, against another Envoy.

use portcullis_tests::authorization_server::{AuthorizationServer, TOKEN_PATH};
use portcullis_tests::{EchoResource, Request};
use serde_json::json;

use crate::authority::{Authority, certificate, socket, terminator};
use crate::envoy::{self, Envoy};
use crate::settings::call_with_secret;
use crate::tools;

/// Starts Envoy on what is rendered for these settings.
fn gateway(upstream: &str, settings: &[(&str, &str)]) -> Envoy {
    let mut command = tools::portcullis();
    command.args([
        "render",
        "envoy",
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
    ]);
    command
        .args(["--upstream", upstream, "--filter"])
        .arg(tools::wasm());
    let output = command.envs(settings.iter().copied()).output().unwrap();
    let bootstrap = String::from_utf8(output.stdout).unwrap();
    Envoy::try_start_text(envoy::folder(), &bootstrap)
        .unwrap_or_else(|log| panic!("{log}\n{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn call_reaches_the_named_host_or_nobody() {
    let resource = EchoResource::start();
    let (ours, other) = (Authority::new(), Authority::new());
    let cases = [
        ("localhost", ours.sign("localhost"), &ours, 200),
        ("127.0.0.1", ours.sign("127.0.0.1"), &ours, 200),
        ("localhost", ours.sign("idp.example.com"), &ours, 503),
        ("127.0.0.1", ours.sign("127.0.0.2"), &ours, 503),
        ("localhost", ours.sign("localhost"), &other, 503),
    ];
    for (host, files, trusted, status) in cases {
        let server = AuthorizationServer::start();
        let shown = files.0.clone();
        let front = terminator(&server.url(""), files);
        let url = format!("https://{host}:{}{TOKEN_PATH}", front.listeners[0].port());
        let settings = [
            ("ZSCALER_MCP_AUTH_MODE", "zscaler"),
            ("PORTCULLIS_TOKEN_URL", url.as_str()),
            ("PORTCULLIS_SESSION_BINDING", "off"),
            ("SSL_CERT_FILE", &trusted.file()),
        ];
        let envoy = gateway(&resource.url(), &settings);
        let answer = envoy.send(&call_with_secret("s"));
        assert_eq!(
            answer.status,
            status,
            "{host} shows {shown}: {}",
            answer.text()
        );
        let calls = usize::from(status == 200);
        assert_eq!(server.count(TOKEN_PATH), calls, "{host} shows {shown}");
    }
}

#[test]
fn listener_asks_clients_for_a_certificate() {
    let resource = EchoResource::start();
    let (ours, other) = (Authority::new(), Authority::new());
    let (shown, key) = ours.sign("localhost");
    let settings = [
        ("ZSCALER_MCP_AUTH_MODE", "none"),
        ("PORTCULLIS_SESSION_BINDING", "off"),
        ("ZSCALER_MCP_TLS_CERTFILE", &shown),
        ("ZSCALER_MCP_TLS_KEYFILE", &key),
        ("ZSCALER_MCP_TLS_CA_CERTS", &ours.file()),
    ];
    let gateway = gateway(&resource.url(), &settings);
    let cases = [
        (certificate(ours.sign("client")), 200),
        (certificate(other.sign("client")), 503),
        (json!([]), 503),
    ];
    for (certificates, status) in cases {
        let mut cluster = envoy::cluster(&format!("http://{}", gateway.listeners[0]));
        let validation = json!({"trusted_ca": {"filename": ours.file()}});
        let context = json!({"tls_certificates": certificates, "validation_context": validation});
        cluster["transport_socket"] =
            socket("UpstreamTlsContext", json!({"common_tls_context": context}));
        let client = Envoy::start(Vec::new(), vec![cluster]);
        let answer = client.send(&Request::post("/mcp", "{}"));
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    assert_eq!(resource.count(), 1);
}
