//! What a page in a browser meets at translated installs (CORS, the Fetch standard).

use portcullis_tests::{Request, Response};
use serde_json::Value;

use crate::boot_envoy_gateway;
use crate::boot_istio::{KINDS, Mesh};
use crate::envoy_gateway::Module;
use crate::render::{API_KEY, STATE_KEY, documents, rendered};
use crate::translate::World;

const ORIGIN: &str = "https://app.example.com";
const SECRETS: [(&str, &str); 2] = [
    ("ZSCALER_MCP_AUTH_API_KEY", API_KEY),
    ("PORTCULLIS_STATE_KEYS", STATE_KEY),
];

fn objects(arguments: &[&str]) -> Vec<Value> {
    let settings = [
        ("ZSCALER_MCP_AUTH_MODE", "api-key"),
        ("ZSCALER_MCP_ALLOWED_ORIGINS", ORIGIN),
    ];
    documents(&rendered(arguments, &settings))
}

#[test]
fn page_of_an_allowed_origin_can_use_every_kind_of_istio() {
    for kind in KINDS {
        let objects = objects(&["istio", "--kind", kind]);
        let mesh = Mesh::start(&objects, World::default(), &SECRETS);
        check(kind, |request| mesh.envoy.send(request));
        assert_eq!(mesh.resource.count(), 1, "{kind}");
    }
}

#[test]
fn page_of_an_allowed_origin_can_use_envoy_gateway() {
    let resource = portcullis_tests::EchoResource::start();
    let objects = objects(&["envoy-gateway"]);
    let envoy = boot_envoy_gateway::start(&objects, World::default(), &resource, Module::Local);
    check("envoy-gateway", |request| envoy.send(request));
    assert_eq!(resource.count(), 1);
}

/// Does what a browser does for a page: asks first, then calls with and without a right key; and
/// the same for a page of another origin. One request reaches the protected resource.
#[track_caller]
fn check(install: &str, send: impl Fn(&Request) -> Response) {
    let preflight = |origin: &str| {
        let request = Request::new("OPTIONS", "/mcp").field("Origin", origin);
        send(
            &request
                .field("Access-Control-Request-Method", "POST")
                .field("Access-Control-Request-Headers", "content-type,x-api-key"),
        )
    };
    let call = |origin: &str, key: &str| {
        let request = Request::post("/mcp", "{}").field("X-Api-Key", key);
        send(&request.field("Origin", origin))
    };
    let granted = preflight(ORIGIN);
    assert_eq!(granted.status, 204, "{install}: {}", granted.text());
    for (name, part) in [
        ("access-control-allow-origin", ORIGIN),
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-headers", "x-api-key"),
    ] {
        let value = granted.value(name);
        assert!(value.contains(part), "{install}: {name}: {value}");
    }
    for (key, status) in [(API_KEY, 200), ("wrong", 401)] {
        let answer = call(ORIGIN, key);
        assert_eq!(answer.status, status, "{install}");
        assert_eq!(answer.values("access-control-allow-origin"), [ORIGIN]);
        let exposed = answer.value("access-control-expose-headers");
        assert!(exposed.contains("mcp-session-id"), "{install}: {exposed}");
        assert!(exposed.contains("www-authenticate"), "{install}: {exposed}");
    }
    let other = "https://other.example.com";
    for answer in [preflight(other), call(other, API_KEY)] {
        assert_eq!(answer.status, 403, "{install}");
        let allowed = answer.values("access-control-allow-origin");
        assert!(allowed.is_empty(), "{install}: {allowed:?}");
    }
}
