//! A real Envoy on what Istio makes of our manifests, with traffic.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use portcullis_tests::authorization_server::JWKS_PATH;
use portcullis_tests::signing::now;
use portcullis_tests::{Alg, AuthorizationServer, EchoResource, Request, Response, SigningKey};
use serde_json::{Value, json};

use crate::authority::{Authority, terminator};
use crate::envoy::{self, Envoy};
use crate::istio::{Translated, translate};
use crate::render::{API_KEY, STATE_KEY, documents, mode, rendered};
use crate::translate::{World, deny_all, publish, text};

const SERVICE: &str = "mcp.tools.svc.cluster.local";
pub(crate) const KINDS: [&str; 3] = ["wasm-plugin", "traffic-extension", "envoy-filter"];

/// The gateway of a mesh, with the protected resource behind it.
pub(crate) struct Mesh {
    pub(crate) envoy: Envoy,
    pub(crate) resource: EchoResource,
    extension: Value,
}

impl Mesh {
    /// Starts it on objects with these secrets in the proxy's environment.
    pub(crate) fn start(objects: &[Value], world: World, secrets: &[(&str, &str)]) -> Self {
        let resource = EchoResource::start();
        let address = resource
            .url()
            .trim_start_matches("http://")
            .parse()
            .unwrap();
        let folder = envoy::folder();
        let world = world.with(SERVICE, address);
        let Translated {
            bootstrap,
            extension,
        } = translate(objects, &world, &folder);
        publish(&folder, 1, &extension);
        let envoy = Envoy::run(folder, &bootstrap.to_string(), 1, secrets);
        let envoy = envoy.unwrap_or_else(|log| panic!("{log}"));
        Self {
            envoy,
            extension,
            resource,
        }
    }

    /// Has the gateway discover another configuration, and waits until it has.
    fn update(&self, version: u32, extension: &Value) {
        let name = text(&self.extension["name"]).replace(':', "_");
        let stats = format!("extension_config_discovery.http_filter.{name}.config_reload");
        let before = self.envoy.stat(&stats);
        publish(self.envoy.folder(), version, extension);
        self.envoy.wait_for_stat(&stats, before + 1);
    }

    fn send(&self, key: &str) -> Response {
        self.envoy.send(&with_key(key))
    }
}

fn with_key(key: &str) -> Request {
    Request::post("/mcp", "{}").field("X-Api-Key", key)
}

fn api_key_mesh(kind: &str) -> Mesh {
    let objects = documents(&rendered(&["istio", "--kind", kind], mode("api-key")));
    let secrets = [
        ("ZSCALER_MCP_AUTH_API_KEY", API_KEY),
        ("PORTCULLIS_STATE_KEYS", STATE_KEY),
    ];
    Mesh::start(&objects, World::default(), &secrets)
}

#[test]
fn every_kind_lets_the_right_key_pass_and_denies_all_without_its_module() {
    for kind in KINDS {
        let mesh = api_key_mesh(kind);
        let allowed = mesh.send(API_KEY);
        assert_eq!(allowed.status, 200, "{kind}: {}", allowed.text());
        let seen = mesh.resource.take();
        assert_eq!(seen.len(), 1);
        let refused = mesh.send("wrong");
        assert_eq!(refused.status, 401, "{kind}");
        assert!(!refused.value("www-authenticate").is_empty(), "{kind}");
        assert_eq!(mesh.resource.count(), 0, "{kind}");

        mesh.update(2, &deny_all(text(&mesh.extension["name"])));
        let denied = mesh.send(API_KEY);
        assert_eq!((denied.status, mesh.resource.count()), (403, 0), "{kind}");
        mesh.update(3, &mesh.extension);
        assert_eq!(mesh.send(API_KEY).status, 200, "{kind}");
    }
}

#[test]
fn routes_of_the_gateway_api_lead_where_those_of_istio_do() {
    let native = EchoResource::start();
    let address = native.url().trim_start_matches("http://").parse().unwrap();
    let world = World::default().with("portcullis.gateways.svc.cluster.local", address);
    let arguments = [
        "istio",
        "--namespace",
        "gateways",
        "--target-gateway",
        "edge",
    ];
    let objects = documents(&rendered(&arguments, mode("oidcproxy")));
    let mesh = Mesh::start(&objects, world, &[("PORTCULLIS_STATE_KEYS", STATE_KEY)]);
    let host = |request: Request| request.field("Host", "mcp.example.com");
    let token = host(Request::bare("POST", "/token").field("Content-Length", "0"));
    assert_eq!(mesh.envoy.send(&token).status, 200);
    assert_eq!((native.take().len(), mesh.resource.count()), (1, 0));
    let call = host(Request::bare("POST", "/mcp").field("Content-Length", "0"));
    assert_eq!(mesh.envoy.send(&call).status, 401);
    assert_eq!((native.count(), mesh.resource.count()), (0, 0));

    let arguments = ["istio", "--target-gateway", "edge"];
    let objects = documents(&rendered(&arguments, mode("api-key")));
    let secrets = [
        ("ZSCALER_MCP_AUTH_API_KEY", API_KEY),
        ("PORTCULLIS_STATE_KEYS", STATE_KEY),
    ];
    let mesh = Mesh::start(&objects, World::default(), &secrets);
    let answer = mesh.send(API_KEY);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(mesh.resource.take().len(), 1);
}

#[test]
fn protected_resource_sees_its_own_name_and_no_credential() {
    let mesh = api_key_mesh("wasm-plugin");
    assert_eq!(mesh.send(API_KEY).status, 200);
    let seen = mesh.resource.take();
    let fields = portcullis_tests::resource::visible_fields(&seen[0]);
    let value = |name: &str| {
        let found = fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    };
    assert_eq!(
        value("host"),
        Some("mcp.tools.svc.cluster.local:8000"),
        "{fields:?}"
    );
    assert_eq!(value("x-mcp-auth-mode"), Some("api-key"), "{fields:?}");
    assert_eq!(value("x-api-key"), None, "{fields:?}");
}

#[test]
fn settings_change_without_a_dropped_request() {
    const OTHER: &str = "fedcba9876543210fedcba9876543210";
    let objects = documents(&rendered(&["istio"], mode("api-key")));
    let mesh = Mesh::start(
        &objects,
        World::default(),
        &[
            ("ZSCALER_MCP_AUTH_API_KEY", API_KEY),
            ("PORTCULLIS_STATE_KEYS", STATE_KEY),
        ],
    );
    let (stop, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    let statuses = thread::scope(|scope| {
        let client = || {
            let mut statuses = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                statuses.push(mesh.send(API_KEY).status);
                sent.fetch_add(1, Ordering::Relaxed);
            }
            statuses
        };
        let clients = [scope.spawn(client), scope.spawn(client)];
        for version in 2..6 {
            let before = sent.load(Ordering::Relaxed);
            // A number, as it is once it has been through the control plane.
            let mut changed = mesh.extension.clone();
            let config = &mut changed["typed_config"]["config"]["configuration"]["value"];
            let mut settings: Value = serde_json::from_str(text(config)).unwrap();
            settings["PORTCULLIS_CACHE_ENTRIES"] = json!(1000.0 + f64::from(version));
            *config = json!(settings.to_string());
            mesh.update(version, &changed);
            envoy::until(
                || sent.load(Ordering::Relaxed) > before + 20,
                || "no requests are answered".to_owned(),
            );
        }
        stop.store(true, Ordering::Relaxed);
        clients.map(|client| client.join().unwrap()).concat()
    });
    assert!(statuses.len() > 80, "{}", statuses.len());
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(mesh.send(OTHER).status, 401);
}

#[test]
fn call_goes_over_tls_to_the_host_of_the_destination_rule() {
    let (server, key) = (
        AuthorizationServer::start(),
        SigningKey::generate("k", Alg::Es256),
    );
    server.publish([key.jwk()]);
    let authority = Authority::new();
    let front = terminator(&server.url(""), authority.sign("idp.example.com"));
    let objects = documents(&rendered(&["istio"], mode("jwt")));
    let impostor = terminator(&server.url(""), authority.sign("other.example.com"));
    let world = |idp: &Envoy| {
        World::default()
            .trusting(authority.file())
            .with("idp.example.com", idp.listeners[0])
    };
    let secrets = [("PORTCULLIS_STATE_KEYS", STATE_KEY)];
    let claims = json!({
        "iss": "https://idp.example.com/", "aud": "mcp", "sub": "someone", "exp": now() + 300,
    });
    let request = Request::post("/mcp", "{}").field(
        "Authorization",
        format!("Bearer {}", key.token(Alg::Es256, &claims)),
    );

    let mesh = Mesh::start(&objects, world(&front), &secrets);
    let answer = mesh.envoy.send(&request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(server.count(JWKS_PATH) > 0);
    assert_eq!(mesh.envoy.send(&Request::post("/mcp", "{}")).status, 401);
    drop(mesh);
    let before = server.count(JWKS_PATH);

    let mesh = Mesh::start(&objects, world(&impostor), &secrets);
    let status = mesh.envoy.send(&request).status;
    assert_eq!(status, 503, "the certificate is for another name");
    assert_eq!(server.count(JWKS_PATH), before);
    drop(mesh);

    let plain: Vec<Value> = objects
        .iter()
        .filter(|object| object["kind"] != "DestinationRule")
        .cloned()
        .collect();
    let mesh = Mesh::start(&plain, world(&front), &secrets);
    assert_eq!(
        mesh.envoy.send(&request).status,
        503,
        "it went there in plain text"
    );
    assert_eq!(server.count(JWKS_PATH), before);
}

#[test]
fn people_sign_in_at_the_patched_filter_or_at_the_native_binary() {
    let native = EchoResource::start();
    let authority = Authority::new();
    let address = native.url().trim_start_matches("http://").parse().unwrap();
    let world = || {
        World::default()
            .trusting(authority.file())
            .with("idp.example.com", address)
            .with("portcullis.istio-system.svc.cluster.local", address)
    };
    let secrets = [
        ("OIDCPROXY_CLIENT_SECRET", "secret"),
        ("PORTCULLIS_STATE_KEYS", STATE_KEY),
    ];
    let body = r#"{"redirect_uris":["http://127.0.0.1/callback"]}"#;
    let register = Request::bare("POST", "/register")
        .field("Host", "mcp.example.com")
        .field("Content-Type", "application/json")
        .body(body);
    for (kind, status, led_on) in [("envoy-filter", 201, 0), ("wasm-plugin", 200, 1)] {
        let objects = documents(&rendered(&["istio", "--kind", kind], mode("oidcproxy")));
        let mesh = Mesh::start(&objects, world(), &secrets);
        let answer = mesh.envoy.send(&register);
        assert_eq!(answer.status, status, "{kind}: {}", answer.text());
        assert_eq!(native.take().len(), led_on, "{kind}");
        assert_eq!(mesh.resource.count(), 0, "{kind}");
    }
}
