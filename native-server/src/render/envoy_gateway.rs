//! The filter in Envoy Gateway.

use portcullis_core::HttpUrl;

use crate::render::Install;
use crate::render::cluster::{Place, Service};
use crate::render::files::{File, Object};
use crate::render::yaml::Yaml;

const TARGET: &str = "envoy-gateway";
const GATEWAY_API: &str = "gateway.networking.k8s.io/v1";
const ENVOY_API: &str = "gateway.envoyproxy.io/v1alpha1";

/// The field that the filter gives to whatever it lets pass, and to nothing else.
const MODE_FIELD: &str = "x-mcp-auth-mode";

/// What is to be rendered.
pub(crate) struct EnvoyGateway<'a> {
    pub(crate) place: &'a Place,
    /// The filter's image, as `registry/name:tag`.
    pub(crate) filter: &'a str,
    /// The `Gateway`, in the same namespace.
    pub(crate) gateway: &'a str,
    /// Where Envoy Gateway runs its proxies.
    pub(crate) proxies: &'a str,
}

impl EnvoyGateway<'_> {
    /// Writes the files of `install`.
    pub(crate) fn files(&self, install: &Install) -> Vec<File> {
        let mut files = vec![
            self.proxy(install),
            self.clients(),
            self.route(install),
            self.filter(install),
            self.guard(install),
        ];
        if let Some((url, paths)) = &install.sign_in {
            files.push(self.sign_in(url, paths));
        }
        let called: Vec<&HttpUrl> = called(install).collect();
        if !called.is_empty() {
            files.extend(self.calls(&called));
        }
        for url in install.calls.iter().chain([&install.upstream]) {
            for file in self.reached(url) {
                if !files.contains(&file) {
                    files.push(file);
                }
            }
        }
        files
    }

    fn object<'a>(&'a self, api: &'a str, kind: &'a str, name: &'a str) -> Object<'a> {
        Object {
            api,
            kind,
            name,
            namespace: &self.place.namespace,
            instance: &self.place.name,
        }
    }

    fn proxy(&self, install: &Install) -> File {
        let name = self.place.name.as_str();
        let (proxies, gateway) = (self.proxies, self.gateway);
        let variables = install.from_environment.iter().map(|setting| {
            let key = [("name", name.into()), ("key", setting.name().into())];
            let from = Yaml::map([("secretKeyRef", Yaml::map(key))]);
            Yaml::map([("name", setting.name().into()), ("valueFrom", from)])
        });
        let variables = Yaml::list(variables);
        let container = Yaml::map([("container", Yaml::map([("env", variables)]))]);
        let kubernetes = Yaml::map([("envoyDeployment", container)]);
        let provider = Yaml::map([("type", "Kubernetes".into()), ("kubernetes", kubernetes)]);
        let secret = self
            .place
            .secret_command(&install.from_environment, proxies);
        let remark = format!(
            "The secrets of the filter are variables of the proxies, from a Secret that you make:\n\
             {secret}\n\
             The Gateway {gateway} must name this object, unless its class does:\n\
             spec.infrastructure.parametersRef: {{group: gateway.envoyproxy.io, kind: EnvoyProxy, name: {name}}}"
        );
        let spec = Yaml::map([("provider", provider)]);
        let object = self.object(ENVOY_API, "EnvoyProxy", name);
        object.file(TARGET, &remark, spec)
    }

    fn clients(&self) -> File {
        let early = Yaml::map([("remove", Yaml::list([MODE_FIELD.into()]))]);
        let headers = Yaml::map([("earlyRequestHeaders", early)]);
        let http = Yaml::map([("streamIdleTimeout", "0s".into())]);
        let spec = Yaml::map([
            ("targetRefs", target(GATEWAY_API, "Gateway", self.gateway)),
            (
                "headers",
                headers
                    .noted("No client can say that it was let in, whatever becomes of the filter."),
            ),
            (
                "timeout",
                Yaml::map([("http", http)]).noted("An SSE stream may be silent for hours."),
            ),
        ]);
        let remark = "A Gateway takes one ClientTrafficPolicy: if it has one, add these fields there instead.";
        let object = self.object(ENVOY_API, "ClientTrafficPolicy", &self.place.name);
        object.file(TARGET, remark, spec)
    }

    fn route(&self, install: &Install) -> File {
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
        let spec = self.route_spec(rule);
        let object = self.object(GATEWAY_API, "HTTPRoute", &self.place.name);
        object.file(TARGET, remark, spec)
    }

    /// Leads the paths of the authorization server to the native binary, which decides by itself.
    fn sign_in(&self, url: &HttpUrl, paths: &[String]) -> File {
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
        let remark = "What the native binary answers: people sign in there. It needs no filter.";
        let object = self.object(GATEWAY_API, "HTTPRoute", &name);
        object.file(TARGET, remark, self.route_spec(rule))
    }

    fn route_spec(&self, rule: Yaml) -> Yaml {
        let parent = Yaml::map([("name", self.gateway.into())]);
        let mut spec = Yaml::map([("parentRefs", Yaml::list([parent]))]);
        if !self.place.hosts.is_empty() {
            let hosts = self.place.hosts.iter().map(|host| host.as_str().into());
            spec = spec.with("hostnames", Yaml::list(hosts));
        }
        spec.with("rules", Yaml::list([rule]))
    }

    fn filter(&self, install: &Install) -> File {
        let settings = install.settings.iter();
        let mut settings: Vec<(String, Yaml)> = settings
            .filter(|(setting, _)| setting.name() != "PORTCULLIS_WORKER_LEASE")
            .map(|(setting, value)| (setting.name().to_owned(), value.as_str().into()))
            .collect();
        let clusters = Yaml::from(self.clusters(install))
            .noted("Envoy Gateway names clusters after the routes that bring them.");
        settings.push(("PORTCULLIS_CLUSTERS".to_owned(), clusters));
        let lease = Yaml::from("on").noted(
            "Envoy Gateway gives each policy a VM of its own, so its workers can share calls.",
        );
        settings.push(("PORTCULLIS_WORKER_LEASE".to_owned(), lease));
        let keys = install.from_environment.iter();
        let keys = Yaml::list(keys.map(|setting| setting.name().into()));
        let image = Yaml::map([("url", self.filter.into())]);
        let wasm = Yaml::map([
            ("name", "portcullis".into()),
            ("rootID", "portcullis".into()),
            (
                "code",
                Yaml::map([("type", "Image".into()), ("image", image)]),
            ),
            (
                "failOpen",
                Yaml::from(false).noted("Nothing passes a filter that cannot run."),
            ),
            (
                "env",
                Yaml::map([("hostKeys", keys)])
                    .noted("Secrets are taken from the environment of the proxy."),
            ),
            ("config", Yaml::Map(settings)),
        ]);
        let spec = Yaml::map([
            (
                "targetRefs",
                target(GATEWAY_API, "HTTPRoute", &self.place.name),
            ),
            ("wasm", Yaml::list([wasm])),
        ]);
        let remark = "The filter, on the route to the protected resource.";
        let object = self.object(ENVOY_API, "EnvoyExtensionPolicy", &self.place.name);
        object.file(TARGET, remark, spec)
    }

    fn guard(&self, install: &Install) -> File {
        let field = Yaml::map([
            ("name", MODE_FIELD.into()),
            ("values", Yaml::list([install.mode.into()])),
        ]);
        let principal = Yaml::map([("headers", Yaml::list([field]))]);
        let rule = Yaml::map([
            ("name", "decided-by-portcullis".into()),
            ("action", "Allow".into()),
            ("principal", principal),
        ]);
        let authorization = Yaml::map([
            ("defaultAction", "Deny".into()),
            ("rules", Yaml::list([rule])),
        ]);
        let spec = Yaml::map([
            (
                "targetRefs",
                target(GATEWAY_API, "HTTPRoute", &self.place.name),
            ),
            ("authorization", authorization),
        ]);
        let remark = "Denies what the filter has not let pass: when its module cannot be fetched or run, or its\n\
            policy is gone, the route stays closed. It comes behind the filter, which alone sets the field.";
        let object = self.object(ENVOY_API, "SecurityPolicy", &self.place.name);
        object.file(TARGET, remark, spec)
    }

    /// Names the cluster of every call, and that of the protected resource, which `/ready` asks.
    fn clusters(&self, install: &Install) -> String {
        let named = |url: &HttpUrl, route: &str, rule: usize| {
            let (host, port, namespace) = (url.host(), url.port(), &self.place.namespace);
            format!("{host}:{port}=httproute/{namespace}/{route}/rule/{rule}")
        };
        let route = self.calls_name();
        let calls = called(install).enumerate();
        let calls = calls.map(|(index, url)| named(url, &route, index));
        let upstream = named(&install.upstream, &self.place.name, 0);
        calls.chain([upstream]).collect::<Vec<_>>().join(",")
    }

    fn calls_name(&self) -> String {
        format!("{}-calls", self.place.name)
    }

    /// Envoy Gateway makes clusters for routes only, so the calls have one, which nobody can use.
    fn calls(&self, urls: &[&HttpUrl]) -> Vec<File> {
        let rules = urls.iter().enumerate().map(|(index, url)| {
            let path = Yaml::map([
                ("type", "Exact".into()),
                ("value", format!("/{index}").into()),
            ]);
            Yaml::map([
                ("matches", Yaml::list([Yaml::map([("path", path)])])),
                ("backendRefs", Yaml::list([self.backend_ref(url)])),
            ])
        });
        let parent = Yaml::map([("name", self.gateway.into())]);
        let host = format!("{}.invalid", self.calls_name());
        let spec = Yaml::map([
            ("parentRefs", Yaml::list([parent])),
            (
                "hostnames",
                Yaml::list([host.into()]).noted("No client has this name (RFC 2606)."),
            ),
            ("rules", Yaml::list(rules)),
        ]);
        let name = self.calls_name();
        let remark = "Brings the clusters through which the filter calls the authorization server:\n\
            Envoy Gateway makes them for routes only.";
        let route = self.object(GATEWAY_API, "HTTPRoute", &name);
        let route = route.file(TARGET, remark, spec);
        let closed = Yaml::map([
            ("targetRefs", target(GATEWAY_API, "HTTPRoute", &name)),
            (
                "authorization",
                Yaml::map([("defaultAction", "Deny".into())]),
            ),
        ]);
        let remark = "The route for calls is closed to clients, by whatever name they come.";
        let guard = self.object(ENVOY_API, "SecurityPolicy", &name);
        vec![route, guard.file(TARGET, remark, closed)]
    }

    /// Writes what makes `url` known as a destination of routes.
    fn reached(&self, url: &HttpUrl) -> Vec<File> {
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

    fn backend_ref(&self, url: &HttpUrl) -> Yaml {
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

/// Returns a URL on each host of the authorization server that the filter calls, where the native
/// binary does not.
fn called(install: &Install) -> impl Iterator<Item = &HttpUrl> {
    let elsewhere = install.sign_in.as_ref().map(|(url, _)| url);
    let calls = install.calls.iter();
    calls.filter(move |url| Some(*url) != elsewhere)
}

fn target(api: &str, kind: &str, name: &str) -> Yaml {
    let group = api.split('/').next().unwrap_or(api);
    Yaml::list([Yaml::map([
        ("group", group.into()),
        ("kind", kind.into()),
        ("name", name.into()),
    ])])
}
