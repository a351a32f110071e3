//! Envoy's clusters: the protected resource, and whatever calls the mode makes.

use std::net::IpAddr;

use portcullis_core::HttpUrl;
use portcullis_core::config::Clusters;

use crate::render::Address;
use crate::render::envoy_listener::socket_address;
use crate::render::yaml::Yaml;

/// Most connections and requests at once. Envoy's own limit of 1024 would end new requests while
/// so many SSE streams are open; what should limit them is the protected resource.
const MAX_AT_ONCE: u32 = 1_000_000;

/// Returns the name under which the filter looks for the cluster of `url`.
pub(crate) fn cluster_name(url: &HttpUrl) -> String {
    Clusters::default().of(url)
}

/// Writes the cluster of `url`; certificates must lead to one of `authorities`, a PEM file.
pub(crate) fn cluster(url: &HttpUrl, authorities: &str) -> Yaml {
    let ip = bare_host(url).parse().ok();
    let (kind, address) = match ip {
        Some(ip) => (
            "STATIC",
            socket_address(Address {
                ip,
                port: url.port(),
            }),
        ),
        None => ("STRICT_DNS", named_address(url)),
    };
    let endpoint = Yaml::map([("endpoint", Yaml::map([("address", address)]))]);
    let endpoints = Yaml::map([("lb_endpoints", Yaml::list([endpoint]))]);
    let cluster = Yaml::map([
        ("name", cluster_name(url).into()),
        ("type", kind.into()),
        ("dns_lookup_family", "V4_PREFERRED".into()),
        ("connect_timeout", "5s".into()),
        ("circuit_breakers", circuit_breakers()),
        ("typed_extension_protocol_options", protocol()),
        (
            "load_assignment",
            Yaml::map([
                ("cluster_name", cluster_name(url).into()),
                ("endpoints", Yaml::list([endpoints])),
            ]),
        ),
    ]);
    if url.is_https() {
        cluster.with("transport_socket", upstream_tls(url, ip, authorities))
    } else {
        cluster
    }
}

fn bare_host(url: &HttpUrl) -> &str {
    url.host().trim_start_matches('[').trim_end_matches(']')
}

fn named_address(url: &HttpUrl) -> Yaml {
    let port = u32::from(url.port());
    let fields = [("address", url.host().into()), ("port_value", port.into())];
    Yaml::map([("socket_address", Yaml::map(fields))])
}

/// Speaks HTTP/1.1 and gives a connection up before the other end does: usual servers of MCP
/// (uvicorn, Node) close an idle one after 5 s, and a request sent just then is lost.
fn protocol() -> Yaml {
    let name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let explicit = Yaml::map([("http_protocol_options", Yaml::map([]))]);
    let common = Yaml::map([("idle_timeout", "4s".into())]);
    let options = Yaml::map([
        ("@type", format!("type.googleapis.com/{name}").into()),
        ("common_http_protocol_options", common),
        ("explicit_http_config", explicit),
    ]);
    Yaml::map([(name, options)])
}

fn circuit_breakers() -> Yaml {
    let limits = ["max_connections", "max_pending_requests", "max_requests"];
    let thresholds = Yaml::map(limits.map(|limit| (limit, MAX_AT_ONCE.into())));
    Yaml::map([("thresholds", Yaml::list([thresholds]))])
}

fn upstream_tls(url: &HttpUrl, ip: Option<IpAddr>, authorities: &str) -> Yaml {
    let san_type = if ip.is_some() { "IP_ADDRESS" } else { "DNS" };
    let san = Yaml::map([
        ("san_type", san_type.into()),
        ("matcher", Yaml::map([("exact", bare_host(url).into())])),
    ]);
    let trusted = Yaml::map([("filename", authorities.into())]);
    let validation = Yaml::map([
        ("trusted_ca", trusted),
        ("match_typed_subject_alt_names", Yaml::list([san])),
    ]);
    let parameters = tls_parameters();
    let common = Yaml::map([
        ("tls_params", parameters),
        ("validation_context", validation),
    ]);
    let kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    let mut config = Yaml::map([("@type", kind.into())]);
    if ip.is_none() {
        // RFC 6066 §3: no address in the server name.
        config = config.with("sni", url.host().into());
    }
    let config = config.with("common_tls_context", common);
    Yaml::map([
        ("name", "envoy.transport_sockets.tls".into()),
        ("typed_config", config),
    ])
}

/// Allows the versions that are sound; Envoy's own default for its calls ends at 1.2.
pub(crate) fn tls_parameters() -> Yaml {
    Yaml::map([
        ("tls_minimum_protocol_version", "TLSv1_2".into()),
        ("tls_maximum_protocol_version", "TLSv1_3".into()),
    ])
}
