//! The filter in Envoy Gateway.

mod backends;
mod calls;

use portcullis_core::HttpUrl;

use self::calls::called;
use crate::render::Install;
use crate::render::cluster::Place;
use crate::render::files::{File, Object};
use crate::render::http_route::{GATEWAY_API, Routes, target};
use crate::render::yaml::Yaml;

const TARGET: &str = "envoy-gateway";
const ENVOY_API: &str = "gateway.envoyproxy.io/v1alpha1";

const OF_SIGN_IN: &str =
    "What the native binary answers: people sign in there. It needs no filter.";

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
            self.routes().protected_resource(install),
            self.filter(install),
            self.guard(install),
        ];
        if let Some((url, paths)) = &install.sign_in {
            files.push(self.routes().sign_in(url, paths, OF_SIGN_IN));
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

    fn routes(&self) -> Routes<'_> {
        Routes {
            target: TARGET,
            place: self.place,
            gateway: self.gateway,
            outside: backends::outside,
        }
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
