//! The filters that Envoy is measured with.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::spawn::target;

/// Settings of ours, by name.
pub(crate) type Settings = Map<String, Value>;

/// What stands in the chain before the router.
pub(crate) enum Filter {
    /// Nothing.
    None,
    /// Ours, with these settings.
    Portcullis(Settings),
    /// Another build of ours, with these settings.
    Build(Settings, PathBuf),
    /// Ours, where the host has no function for signatures.
    Portable(Settings),
    /// Another, as Envoy's configuration has it, and a cluster that it calls.
    Other(Value, Option<SocketAddr>),
}

/// The name of the cluster of [`Filter::Other`].
pub(crate) const SERVICE: &str = "service";

/// Envoy's own check of tokens; `cache` remembers checked ones.
pub(crate) fn jwt_authn(issuer: &str, audience: &str, jwks: &Value, cache: bool) -> Filter {
    let mut provider = json!({
        "issuer": issuer,
        "audiences": [audience],
        "local_jwks": {"inline_string": jwks.to_string()},
    });
    if cache {
        provider["jwt_cache_config"] = json!({"jwt_cache_size": 1000});
    }
    Filter::Other(
        typed(
            "jwt_authn.v3.JwtAuthentication",
            json!({
                "providers": {"provider": provider},
                "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "provider"}}],
            }),
        ),
        None,
    )
}

/// Envoy's own check of keys.
pub(crate) fn api_key_auth(key: &str) -> Filter {
    let config = json!({
        "credentials": [{"key": key, "client": "client"}],
        "key_sources": [{"header": "authorization"}],
    });
    Filter::Other(typed("api_key_auth.v3.ApiKeyAuth", config), None)
}

/// A service that is asked about each request.
pub(crate) fn ext_authz(service: SocketAddr) -> Filter {
    let server = json!({"uri": format!("http://{service}"), "cluster": SERVICE, "timeout": "5s"});
    let config = json!({"http_service": {"server_uri": server}});
    Filter::Other(typed("ext_authz.v3.ExtAuthz", config), Some(service))
}

/// The filter that does nothing.
pub(crate) fn empty_filter() -> Filter {
    let file = target().join("wasm32-wasip1/release/portcullis_bench_empty.wasm");
    let code = json!({"local": {"filename": file.canonicalize().unwrap()}});
    let vm = json!({"vm_id": "empty", "runtime": "envoy.wasm.runtime.v8", "code": code});
    let config = json!({"config": {"name": "empty", "vm_config": vm}});
    Filter::Other(typed("wasm.v3.Wasm", config), None)
}

fn typed(kind: &str, mut config: Value) -> Value {
    config["@type"] = json!(format!(
        "type.googleapis.com/envoy.extensions.filters.http.{kind}"
    ));
    json!({"name": kind, "typed_config": config})
}
