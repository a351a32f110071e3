//! Routes of the Gateway API, and what lets them lead into other namespaces.

use portcullis_core::HttpUrl;

use crate::render::Install;
use crate::render::cluster::{Place, Service};
use crate::render::files::{File, Object};
use crate::render::yaml::Yaml;

/// The API of gateways and routes.
pub(crate) const GATEWAY_API: &str = "gateway.networking.k8s.io/v1";

/// Routes that hang on one gateway.
pub(crate) struct Routes<'a> {
    /// What is being rendered.
    pub(crate) target: &'a str,
    pub(crate) place: &'a Place,
    /// The `Gateway`, in the same namespace.
    pub(crate) gateway: &'a str,
    /// Refers to a host that is no Service, in the way of the gateway's controller.
    pub(crate) outside: fn(&Place, &HttpUrl) -> Yaml,
}

impl Routes<'_> {
    /// Leads everything to the protected resource under its own name.
    pub(crate) fn protected_resource(&self, install: &Install) -> File {
        let rewrite = Yaml::map([("hostname", install.upstream.host().into())]);
        let rewrite = Yaml::map([("type", "URLRewrite".into()), ("urlRewrite", rewrite)]);
        let all = Yaml::map([("type", "PathPrefix".into()), ("value", "/".into())]);
        let rule = Yaml::map([
            ("matches", Yaml::list([Yaml::map([("path", all)])])),
            ("filters", Yaml::list([rewrite])),
            (
                "timeouts",
                Yaml::map([("request", "0s".into())]).noted("An SSE stream may last for days."),
            ),
            (
                "backendRefs",
                Yaml::list([self.backend_ref(&install.upstream)]),
            ),
        ]);
        let remark = "Leads what the filter lets pass to the protected resource.";
        self.route(&self.place.name, remark, rule)
    }

    /// Leads the paths of the authorization server to the native binary, which decides by itself;
    /// `remark` says what becomes of the filter there.
    pub(crate) fn sign_in(&self, url: &HttpUrl, paths: &[String], remark: &str) -> File {
        let matches = paths.iter().map(|path| {
            let (kind, path) = match path.strip_suffix('*') {
                Some(start) => ("PathPrefix", start),
                None => ("Exact", path.as_str()),
            };
            let path = Yaml::map([("type", kind.into()), ("value", path.into())]);
            Yaml::map([("path", path)])
        });
        let rule = Yaml::map([
            ("matches", Yaml::list(matches)),
            ("backendRefs", Yaml::list([self.backend_ref(url)])),
        ]);
        let name = format!("{}-sign-in", self.place.name);
        self.route(&name, remark, rule)
    }

    /// Refers to the destination of `url`.
    pub(crate) fn backend_ref(&self, url: &HttpUrl) -> Yaml {
        match Service::parse(url.host(), &self.place.namespace) {
            Some(service) => Yaml::map([
                ("name", service.name.into()),
                ("namespace", service.namespace.into()),
                ("port", u32::from(url.port()).into()),
            ]),
            None => (self.outside)(self.place, url),
        }
    }

    /// Lets the routes lead to a Service of another namespace; `None` where it is in the same.
    pub(crate) fn grant(&self, service: &Service) -> Option<File> {
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
            api: GATEWAY_API,
            kind: "ReferenceGrant",
            name: &format!("{}-{}", self.place.name, service.name),
            namespace: &service.namespace,
            instance: &self.place.name,
        };
        let remark = "Lets the route lead to a Service of another namespace.";
        Some(object.file(self.target, remark, spec))
    }

    fn route(&self, name: &str, remark: &str, rule: Yaml) -> File {
        let parent = Yaml::map([("name", self.gateway.into())]);
        let mut spec = Yaml::map([("parentRefs", Yaml::list([parent]))]);
        if !self.place.hosts.is_empty() {
            let hosts = self.place.hosts.iter().map(|host| host.as_str().into());
            spec = spec.with("hostnames", Yaml::list(hosts));
        }
        let object = Object {
            api: GATEWAY_API,
            kind: "HTTPRoute",
            name,
            namespace: &self.place.namespace,
            instance: &self.place.name,
        };
        object.file(self.target, remark, spec.with("rules", Yaml::list([rule])))
    }
}

/// Refers to one object of the same namespace, as policies do.
pub(crate) fn target(api: &str, kind: &str, name: &str) -> Yaml {
    let group = api.split('/').next().unwrap_or(api);
    Yaml::list([Yaml::map([
        ("group", group.into()),
        ("kind", kind.into()),
        ("name", name.into()),
    ])])
}
