//! A real Envoy on what Envoy Gateway makes of our manifests, with traffic.

use portcullis_tests::authorization_server::JWKS_PATH;
use portcullis_tests::signing::now;
use portcullis_tests::{Alg, AuthorizationServer, EchoResource, Request, SigningKey};
use serde_json::{Value, json};

use crate::authority::{Authority, terminator};
use crate::envoy::{self, Envoy};
use crate::envoy_gateway::{Module, translate};
use crate::render::{API_KEY, STATE_KEY, documents, mode, rendered};
use crate::translate::World;

const SERVICE: &str = "mcp.tools.svc.cluster.local";
const SECRETS: [(&str, &str); 2] = [
    ("ZSCALER_MCP_AUTH_API_KEY", API_KEY),
    ("PORTCULLIS_STATE_KEYS", STATE_KEY),
];

fn objects(mode_name: &str) -> Vec<Value> {
    documents(&rendered(&["envoy-gateway"], mode(mode_name)))
}

pub(crate) fn start(
    objects: &[Value],
    world: World,
    resource: &EchoResource,
    module: Module,
) -> Envoy {
    let address = resource
        .url()
        .trim_start_matches("http://")
        .parse()
        .unwrap();
    let bootstrap = translate(objects, &world.with(SERVICE, address), module);
    Envoy::run(envoy::folder(), &bootstrap.to_string(), 1, &SECRETS)
        .unwrap_or_else(|log| panic!("{log}\n{bootstrap:#}"))
}

fn with_key(key: &str) -> Request {
    Request::post("/mcp", "{}").field("X-Api-Key", key)
}

/// Says what only the filter may say.
fn claiming(request: Request) -> Request {
    request.field("x-mcp-auth-mode", "api-key")
}

#[test]
fn right_key_passes_and_no_other() {
    let resource = EchoResource::start();
    let envoy = start(
        &objects("api-key"),
        World::default(),
        &resource,
        Module::Local,
    );
    let allowed = envoy.send(&with_key(API_KEY));
    assert_eq!(allowed.status, 200, "{}", allowed.text());
    assert_eq!(resource.take().len(), 1);
    for request in [with_key("wrong"), claiming(with_key("wrong"))] {
        assert_eq!(envoy.send(&request).status, 401);
    }
    assert_eq!(resource.count(), 0);
    let ready = envoy.send(&Request::get("/ready"));
    assert_eq!(ready.status, 200, "{}", ready.text());
}

#[test]
fn nothing_passes_where_the_policy_is_gone_or_its_module_is() {
    let resource = EchoResource::start();
    let mut without = objects("api-key");
    without.retain(|object| object["kind"] != "EnvoyExtensionPolicy");
    let envoy = start(&without, World::default(), &resource, Module::Local);
    for request in [with_key(API_KEY), claiming(with_key(API_KEY))] {
        assert_eq!(envoy.send(&request).status, 403);
    }
    let whole = objects("api-key");
    let envoy = start(&whole, World::default(), &resource, Module::Unreachable);
    for request in [with_key(API_KEY), claiming(with_key(API_KEY))] {
        let status = envoy.send(&request).status;
        assert!(status >= 403, "{status}");
    }
    assert_eq!(resource.count(), 0);
}

#[test]
fn calls_go_through_a_route_that_is_closed_to_clients() {
    let (server, key) = (
        AuthorizationServer::start(),
        SigningKey::generate("k", Alg::Es256),
    );
    server.publish([key.jwk()]);
    let resource = EchoResource::start();
    let authority = Authority::new();
    let front = terminator(&server.url(""), authority.sign("idp.example.com"));
    let world = World::default().trusting(authority.file());
    let world = world.with("idp.example.com", front.listeners[0]);
    let envoy = start(&objects("jwt"), world, &resource, Module::Local);
    let by_name = Request::bare("GET", "/0").field("Host", "portcullis-calls.invalid");
    assert_eq!(envoy.send(&by_name).status, 403);
    let claims = json!({
        "iss": "https://idp.example.com/", "aud": "mcp", "sub": "someone", "exp": now() + 300,
    });
    let token = format!("Bearer {}", key.token(Alg::Es256, &claims));
    let answer = envoy.send(&Request::post("/mcp", "{}").field("Authorization", token));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(server.count(JWKS_PATH) > 0);
}

#[test]
fn sign_in_is_led_to_the_native_binary_and_nothing_else_is() {
    let resource = EchoResource::start();
    let native = EchoResource::start();
    let address = native.url().trim_start_matches("http://").parse().unwrap();
    let world = World::default().with("portcullis.mcp.svc.cluster.local", address);
    let envoy = start(&objects("oidcproxy"), world, &resource, Module::Local);
    let host = |request: Request| request.field("Host", "mcp.example.com");
    let token = host(Request::bare("POST", "/token").field("Content-Length", "0"));
    assert_eq!(envoy.send(&token).status, 200);
    let metadata = "/.well-known/oauth-authorization-server/mcp";
    assert_eq!(
        envoy.send(&host(Request::bare("GET", metadata))).status,
        200
    );
    assert_eq!(native.take().len(), 2);
    let call = host(Request::bare("POST", "/mcp").field("Content-Length", "0"));
    assert_eq!(envoy.send(&call).status, 401);
    assert_eq!((native.count(), resource.count()), (0, 0));
}
