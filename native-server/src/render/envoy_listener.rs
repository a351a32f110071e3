//! Envoy's listener: connection manager, filter, route.

use std::path::Path;

use portcullis_core::HttpUrl;

use crate::listen::TlsFiles;
use crate::render::envoy::Filter;
use crate::render::envoy_cluster::{cluster_name, tls_parameters};
use crate::render::yaml::Yaml;
use crate::render::{Address, Install};

/// Most bytes of a request's header section, in KiB: as the native binary allows.
const MAX_REQUEST_HEADERS_KB: u32 = 60;

/// The type of the filter's configuration.
const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

// Remarks for people who read the configuration.
const OF_ADDRESSES: &str = "The address of the connection is the client's; the filter decides which \
    forwarded ones\ncount, so they are added to at the route, when it has seen them as they came.";
const OF_PATHS: &str = "What the filter decides by is what the protected resource sees.";
const OF_VM: &str = "Shared data and queues are kept apart by this name only: no other plugin may \
    have it.";
const OF_FAILURE: &str =
    "A VM that failed is made anew; whatever happens, nothing passes unchecked.";
const OF_BODIES: &str = "OAuth endpoints read bodies, which a request that waits at its headers has \
    with this only\n(Envoy 1.35 and later).";

/// Writes an address.
pub(crate) fn socket_address(address: Address) -> Yaml {
    let fields = [
        ("address", address.ip.to_string().into()),
        ("port_value", u32::from(address.port).into()),
    ];
    Yaml::map([("socket_address", Yaml::map(fields))])
}

/// Writes the listener.
pub(crate) fn http_listener(install: &Install, filter: Filter<'_>) -> Yaml {
    let manager = Yaml::map([
        (
            "name",
            "envoy.filters.network.http_connection_manager".into(),
        ),
        ("typed_config", connection_manager(install, filter)),
    ]);
    let mut chain = Yaml::map([("filters", Yaml::list([manager]))]);
    if let Some(tls) = &install.tls {
        chain = chain.with("transport_socket", downstream_tls(tls));
    }
    Yaml::map([
        ("name", "portcullis".into()),
        ("address", socket_address(install.listen)),
        ("filter_chains", Yaml::list([chain])),
    ])
}

fn connection_manager(install: &Install, filter: Filter<'_>) -> Yaml {
    let websocket = Yaml::map([("upgrade_type", "websocket".into())]);
    Yaml::map([
        (
            "@type",
            "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager".into(),
        ),
        ("stat_prefix", "portcullis".into()),
        ("codec_type", "AUTO".into()),
        ("use_remote_address", Yaml::from(true).noted(OF_ADDRESSES)),
        ("skip_xff_append", true.into()),
        ("server_header_transformation", "PASS_THROUGH".into()),
        ("generate_request_id", false.into()),
        ("normalize_path", Yaml::from(false).noted(OF_PATHS)),
        ("path_with_escaped_slashes_action", "KEEP_UNCHANGED".into()),
        ("max_request_headers_kb", MAX_REQUEST_HEADERS_KB.into()),
        ("request_headers_timeout", "10s".into()),
        ("stream_idle_timeout", Yaml::from("0s").noted("An SSE stream may be silent for hours.")),
        ("upgrade_configs", Yaml::list([websocket])),
        ("http_filters", Yaml::list([wasm_filter(install, filter), router()])),
        ("route_config", routes(install)),
    ])
}

fn wasm_filter(install: &Install, filter: Filter<'_>) -> Yaml {
    let config = match filter.watched {
        None => ("typed_config", wasm(install, module_in(filter.module))),
        Some(file) => ("config_discovery", discovery(file)),
    };
    Yaml::map([("name", "portcullis".into()), config])
}

/// Has Envoy take the filter's configuration from a file whenever that changes.
fn discovery(file: &Path) -> Yaml {
    let source = Yaml::map([("path", file.display().to_string().into())]);
    let source = Yaml::map([
        ("path_config_source", source),
        (
            "initial_fetch_timeout",
            Yaml::from("0s").noted("No connection is taken before the file was read."),
        ),
        ("resource_api_version", "V3".into()),
    ]);
    Yaml::map([
        ("config_source", source),
        ("type_urls", Yaml::list([WASM.into()])),
    ])
}

/// Says that the module is in a file.
pub(crate) fn module_in(file: &Path) -> Yaml {
    let file = Yaml::map([("filename", file.display().to_string().into())]);
    Yaml::map([("local", file)])
}

/// Writes the filter's own configuration; `code` is where its module is.
pub(crate) fn wasm(install: &Install, code: Yaml) -> Yaml {
    let configuration = Yaml::map([
        (
            "@type",
            "type.googleapis.com/google.protobuf.StringValue".into(),
        ),
        ("value", install.written().json().to_string().into()),
    ]);
    let mut vm = Yaml::map([
        ("vm_id", Yaml::from("portcullis").noted(OF_VM)),
        ("runtime", "envoy.wasm.runtime.v8".into()),
        ("code", code),
    ]);
    let keys = install.from_environment.iter();
    let keys: Vec<Yaml> = keys.map(|setting| setting.name().into()).collect();
    if !keys.is_empty() {
        let variables = Yaml::map([("host_env_keys", Yaml::List(keys))]);
        vm = vm.with("environment_variables", variables);
    }
    let mut plugin = Yaml::map([
        ("name", "portcullis".into()),
        ("root_id", "portcullis".into()),
        (
            "failure_policy",
            Yaml::from("FAIL_RELOAD").noted(OF_FAILURE),
        ),
        ("configuration", configuration),
        ("vm_config", vm),
    ]);
    if install.reads_bodies {
        // It is for this mode only: a request that waits for a call then has its body collected up
        // to the buffer limit, and gets 413 beyond, where it would otherwise be held back at no
        // limit.
        let allowed = Yaml::from(true).noted(OF_BODIES);
        plugin = plugin.with("allow_on_headers_stop_iteration", allowed);
    }
    Yaml::map([("@type", WASM.into()), ("config", plugin)])
}

fn router() -> Yaml {
    let kind = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    Yaml::map([
        ("name", "envoy.filters.http.router".into()),
        (
            "typed_config",
            Yaml::map([
                ("@type", kind.into()),
                ("suppress_envoy_headers", true.into()),
            ]),
        ),
    ])
}

fn routes(install: &Install) -> Yaml {
    let mut routes = Vec::new();
    if let Some((url, paths)) = &install.sign_in {
        routes.extend(paths.iter().map(|path| sign_in_route(url, path)));
    }
    routes.push(Yaml::map([
        ("match", Yaml::map([("prefix", "/".into())])),
        (
            "route",
            Yaml::map([
                ("cluster", cluster_name(&install.upstream).into()),
                ("timeout", "0s".into()),
                ("host_rewrite_literal", install.upstream.authority().into()),
            ]),
        ),
    ]));
    let host = Yaml::map([
        ("name", "protected_resource".into()),
        ("domains", Yaml::list(["*".into()])),
        ("routes", Yaml::List(routes)),
        ("request_headers_to_add", Yaml::list(forwarded())),
        (
            "request_headers_to_remove",
            Yaml::list(["x-envoy-external-address".into()]),
        ),
    ]);
    Yaml::map([
        ("name", "portcullis".into()),
        ("virtual_hosts", Yaml::list([host])),
    ])
}

/// Leads a path of the authorization server to the gateway that answers it, which knows itself by
/// the name that clients use.
fn sign_in_route(url: &HttpUrl, path: &str) -> Yaml {
    let (kind, path) = match path.strip_suffix('*') {
        Some(start) => ("prefix", start),
        None => ("path", path),
    };
    let action = Yaml::map([("cluster", cluster_name(url).into())]);
    Yaml::map([
        ("match", Yaml::map([(kind, path.into())])),
        ("route", action),
    ])
}

/// Tells the protected resource of the client as the native binary does; Envoy itself sets
/// `x-forwarded-proto`.
fn forwarded() -> [Yaml; 2] {
    let field = |name: &str, value: &str, action: &str| {
        let header = Yaml::map([("key", name.into()), ("value", value.into())]);
        Yaml::map([("header", header), ("append_action", action.into())])
    };
    let peer = "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%";
    [
        field("x-forwarded-for", peer, "APPEND_IF_EXISTS_OR_ADD"),
        field(
            "x-forwarded-host",
            "%REQ(:AUTHORITY)%",
            "OVERWRITE_IF_EXISTS_OR_ADD",
        ),
    ]
}

fn downstream_tls(tls: &TlsFiles) -> Yaml {
    let file = |path: &Path| Yaml::map([("filename", path.display().to_string().into())]);
    let certificate = Yaml::map([
        ("certificate_chain", file(&tls.certificates)),
        ("private_key", file(&tls.key)),
    ]);
    let parameters = tls_parameters();
    let mut common = Yaml::map([
        ("tls_params", parameters),
        (
            "alpn_protocols",
            Yaml::list(["h2".into(), "http/1.1".into()]),
        ),
        ("tls_certificates", Yaml::list([certificate])),
    ]);
    if let Some(authorities) = &tls.client_authorities {
        common = common.with(
            "validation_context",
            Yaml::map([("trusted_ca", file(authorities))]),
        );
    }
    let kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
    let config = Yaml::map([
        ("@type", kind.into()),
        (
            "require_client_certificate",
            tls.client_authorities.is_some().into(),
        ),
        ("common_tls_context", common),
    ]);
    Yaml::map([
        ("name", "envoy.transport_sockets.tls".into()),
        ("typed_config", config),
    ])
}
