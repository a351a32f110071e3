//! The filter in Envoy Gateway.

mod backends;
mod calls;

use portcullis_core::HttpUrl;

use self::calls::called;
use crate::render::Install;
use crate::render::cluster::Place;
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
}

fn target(api: &str, kind: &str, name: &str) -> Yaml {
    let group = api.split('/').next().unwrap_or(api);
    Yaml::list([Yaml::map([
        ("group", group.into()),
        ("kind", kind.into()),
        ("name", name.into()),
    ])])
}
