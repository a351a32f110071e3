//! Where the routes of Envoy Gateway lead to.

use portcullis_core::HttpUrl;

use super::{ENVOY_API, EnvoyGateway, GATEWAY_API, TARGET, target};
use crate::render::cluster::Service;
use crate::render::files::{File, Object};
use crate::render::yaml::Yaml;

impl EnvoyGateway<'_> {
    /// Writes what makes `url` known as a destination of routes.
    pub(super) fn reached(&self, url: &HttpUrl) -> Vec<File> {
        if let Some(service) = self.service(url) {
            return self.grant(&service).into_iter().collect();
        }
        let (host, port) = (url.host(), url.port());
        let name = self.backend_name(url);
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

    /// Lets the route lead into another namespace.
    fn grant(&self, service: &Service) -> Option<File> {
        if service.namespace == self.place.namespace {
            return None;
        }
        let from = Yaml::map([
            ("group", "gateway.networking.k8s.io".into()),
            ("kind", "HTTPRoute".into()),
            ("namespace", self.place.namespace.as_str().into()),
        ]);
        let to = Yaml::map([
            ("group", "".into()),
            ("kind", "Service".into()),
            ("name", service.name.as_str().into()),
        ]);
        let spec = Yaml::map([("from", Yaml::list([from])), ("to", Yaml::list([to]))]);
        let object = Object {
            api: "gateway.networking.k8s.io/v1",
            kind: "ReferenceGrant",
            name: &format!("{}-{}", self.place.name, service.name),
            namespace: &service.namespace,
            instance: &self.place.name,
        };
        let remark = "Lets the route lead to a Service of another namespace.";
        Some(object.file(TARGET, remark, spec))
    }

    /// Refers to the destination of `url`.
    pub(super) fn backend_ref(&self, url: &HttpUrl) -> Yaml {
        let port = ("port", Yaml::from(u32::from(url.port())));
        match self.service(url) {
            Some(service) => Yaml::map([
                ("name", service.name.into()),
                ("namespace", service.namespace.into()),
                port,
            ]),
            None => Yaml::map([
                ("group", "gateway.envoyproxy.io".into()),
                ("kind", "Backend".into()),
                ("name", self.backend_name(url).into()),
            ]),
        }
    }

    fn service(&self, url: &HttpUrl) -> Option<Service> {
        Service::parse(url.host(), &self.place.namespace)
    }

    fn backend_name(&self, url: &HttpUrl) -> String {
        let host = url.host().replace('.', "-");
        format!("{}-{host}-{}", self.place.name, url.port())
    }
}
