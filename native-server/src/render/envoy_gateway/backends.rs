//! Where the routes of Envoy Gateway lead to.

use portcullis_core::HttpUrl;

use super::{ENVOY_API, EnvoyGateway, TARGET};
use crate::render::cluster::{Place, Service};
use crate::render::files::File;
use crate::render::http_route::{GATEWAY_API, target};
use crate::render::yaml::Yaml;

impl EnvoyGateway<'_> {
    /// Writes what makes `url` known as a destination of routes.
    pub(super) fn reached(&self, url: &HttpUrl) -> Vec<File> {
        if let Some(service) = Service::parse(url.host(), &self.place.namespace) {
            return self.routes().grant(&service).into_iter().collect();
        }
        let (host, port) = (url.host(), url.port());
        let name = name(self.place, url);
        let place = Yaml::map([("hostname", host.into()), ("port", u32::from(port).into())]);
        let endpoint = Yaml::map([("fqdn", place)]);
        let spec = Yaml::map([("endpoints", Yaml::list([endpoint]))]);
        let remark =
            "Envoy Gateway must allow these: config.envoyGateway.extensionApis.enableBackend: true";
        let backend = self.object(ENVOY_API, "Backend", &name);
        let mut files = vec![backend.file(TARGET, remark, spec)];
        if url.is_https() {
            let validation = Yaml::map([
                ("hostname", host.into()),
                ("wellKnownCACertificates", "System".into()),
            ]);
            let spec = Yaml::map([
                ("targetRefs", target(ENVOY_API, "Backend", &name)),
                ("validation", validation),
            ]);
            let remark = "Calls go over TLS, to a server that can show it has this name.";
            let policy = self.object(GATEWAY_API, "BackendTLSPolicy", &name);
            files.push(policy.file(TARGET, remark, spec));
        }
        files
    }
}

/// Refers to the `Backend` of a host outside of the cluster.
pub(super) fn outside(place: &Place, url: &HttpUrl) -> Yaml {
    Yaml::map([
        ("group", "gateway.envoyproxy.io".into()),
        ("kind", "Backend".into()),
        ("name", name(place, url).into()),
    ])
}

fn name(place: &Place, url: &HttpUrl) -> String {
    let host = url.host().replace('.', "-");
    format!("{}-{host}-{}", place.name, url.port())
}
