//! The filter in Istio.

mod gateway_api;
mod patches;

use std::collections::BTreeSet;

use portcullis_core::HttpUrl;
use portcullis_core::config::{Clusters, Setting};

use crate::render::Install;
use crate::render::cluster::{Place, Service, is_address};
use crate::render::files::{File, Object};
use crate::render::http_route::{GATEWAY_API, target};
use crate::render::yaml::Yaml;

const TARGET: &str = "istio";
const NETWORKING: &str = "networking.istio.io/v1";

/// Which of Istio's kinds brings the filter into the gateway.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Every version up to 1.31
    WasmPlugin,
    /// From 1.30 on, where it supersedes WasmPlugin
    TrafficExtension,
    /// What the others cannot set: bodies, a VM of its own, reload
    EnvoyFilter,
}

/// What is to be rendered.
pub(crate) struct Istio<'a> {
    pub(crate) place: &'a Place,
    pub(crate) kind: Kind,
    /// The filter's image, as `oci://registry/name:tag`.
    pub(crate) filter: &'a str,
    /// What the Secret has to hold, for all of the install.
    pub(crate) secrets: &'a [Setting],
    pub(crate) gateway: Gateway<'a>,
}

/// The gateway that the filter is for.
#[derive(Clone, Copy)]
pub(crate) enum Gateway<'a> {
    /// Istio's own.
    Istio {
        /// The label of its pods.
        selector: (&'a str, &'a str),
        /// The `Gateway` whose clients are meant, as `namespace/name`.
        name: &'a str,
    },
    /// One of the Gateway API, by its name in the namespace of the install.
    GatewayApi(&'a str),
}

impl Istio<'_> {
    /// Writes the files of `install`.
    pub(crate) fn files(&self, install: &Install) -> Vec<File> {
        let mut files = vec![self.filter_file(install)];
        let mut seen = BTreeSet::new();
        for url in install.calls.iter().chain([&install.upstream]) {
            let place = (url.host().to_owned(), url.port());
            if self.is_external(url) && seen.insert(place) {
                files.extend(self.external(url));
            }
        }
        match self.gateway {
            Gateway::Istio { name, .. } => files.push(self.routes(install, name)),
            Gateway::GatewayApi(name) => files.extend(self.gateway_api(install, name)),
        }
        files
    }

    /// Tells whether Istio has to be told of the host of `url`.
    fn is_external(&self, url: &HttpUrl) -> bool {
        Service::parse(url.host(), &self.place.namespace).is_none() && !self.has_own_cluster(url)
    }

    /// Tells whether the filter's patch brings the cluster: an address has no ServiceEntry.
    fn has_own_cluster(&self, url: &HttpUrl) -> bool {
        self.kind == Kind::EnvoyFilter && is_address(url)
    }

    /// Returns the host by which Istio knows that of `url`.
    fn host(&self, url: &HttpUrl) -> String {
        Service::parse(url.host(), &self.place.namespace)
            .map_or_else(|| url.host().to_owned(), |service| service.host())
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

    fn filter_file(&self, install: &Install) -> File {
        let remark = self.remark();
        let name = &self.place.name;
        let api = "extensions.istio.io/v1alpha1";
        match self.kind {
            Kind::WasmPlugin => {
                let spec = self.chosen("selector", "matchLabels");
                let spec = spec.with("phase", phase());
                let spec = self.plugin(install, spec);
                let object = self.object(api, "WasmPlugin", name);
                object.file(TARGET, &remark, spec)
            }
            Kind::TrafficExtension => {
                let spec = self.chosen("selector", "matchLabels");
                let spec = spec.with("phase", phase());
                let spec = spec.with("wasm", self.plugin(install, Yaml::map([])));
                let object = self.object(api, "TrafficExtension", name);
                object.file(TARGET, &remark, spec)
            }
            Kind::EnvoyFilter => {
                let spec = self.chosen("workloadSelector", "labels");
                let spec = spec.with("configPatches", self.patches(install));
                let api = "networking.istio.io/v1alpha3";
                let object = self.object(api, "EnvoyFilter", name);
                object.file(TARGET, &remark, spec)
            }
        }
    }

    fn remark(&self) -> String {
        let Place {
            name, namespace, ..
        } = self.place;
        let secret = self.place.secret_command(self.secrets, namespace);
        match self.gateway {
            Gateway::Istio {
                selector: (label, value),
                ..
            } => format!(
                "The filter, in the pods of namespace {namespace} that have the label {label}={value}.\n\
                 Its secrets are variables of these pods, from a Secret that you make:\n\
                 {secret}\n\
                 kubectl -n {namespace} set env deployment -l {label}={value} --from=secret/{name}"
            ),
            Gateway::GatewayApi(gateway) => format!(
                "The filter, in the pods of the Gateway {gateway} in namespace {namespace}.\n\
                 Its secrets are variables of these pods, from a Secret that you make:\n\
                 {secret}"
            ),
        }
    }

    /// Says which pods have the filter; where labels do, they are the `labels` of `selector`.
    fn chosen(&self, selector: &str, labels: &str) -> Yaml {
        match self.gateway {
            Gateway::Istio {
                selector: (label, value),
                ..
            } => {
                let labels = Yaml::map([(labels, Yaml::map([(label, value.into())]))]);
                Yaml::map([(selector, labels)])
            }
            Gateway::GatewayApi(name) => {
                Yaml::map([("targetRefs", target(GATEWAY_API, "Gateway", name))])
            }
        }
    }

    /// Adds what both kinds of plugin say.
    fn plugin(&self, install: &Install, spec: Yaml) -> Yaml {
        let settings = install.settings.iter();
        let mut settings: Vec<(String, Yaml)> = settings
            .map(|(setting, value)| (setting.name().to_owned(), value.as_str().into()))
            .collect();
        if let Some(clusters) = self.clusters(install) {
            let clusters = Yaml::from(clusters).noted("Hosts that Istio knows by a longer name.");
            settings.push(("PORTCULLIS_CLUSTERS".to_owned(), clusters));
        }
        let variable =
            |name: &str| Yaml::map([("name", name.into()), ("valueFrom", "HOST".into())]);
        let secrets = install.from_environment.iter();
        let secrets = Yaml::list(secrets.map(|setting| variable(setting.name())));
        spec.with("url", self.filter.into())
            .with("pluginName", "portcullis".into())
            .with(
                "failStrategy",
                Yaml::from("FAIL_RELOAD").noted(
                    "Nothing passes a filter that cannot run; one that died is made anew.\n\
                     FAIL_OPEN would let everything pass.",
                ),
            )
            .with("pluginConfig", Yaml::Map(settings))
            .with(
                "vmConfig",
                Yaml::map([(
                    "env",
                    secrets.noted("Secrets are taken from the environment of the proxy."),
                )]),
            )
    }

    /// Names the clusters that are not called after the host in the settings.
    fn clusters(&self, install: &Install) -> Option<String> {
        let calls = install.calls.iter().chain([&install.upstream]);
        let named = calls.filter_map(|url| {
            let (host, port, known) = (url.host(), url.port(), self.host(url));
            (known != host).then(|| format!("{host}:{port}=outbound|{port}||{known}"))
        });
        let named: BTreeSet<String> = named.collect();
        (!named.is_empty()).then(|| named.into_iter().collect::<Vec<_>>().join(","))
    }

    /// Makes a host outside of the mesh known, and has it called over TLS.
    fn external(&self, url: &HttpUrl) -> Vec<File> {
        let (host, port) = (url.host(), url.port());
        let name = format!("{}-{}-{port}", self.place.name, host.replace('.', "-"));
        let protocol = if url.is_https() { "HTTPS" } else { "HTTP" };
        let listed = Yaml::map([
            ("number", u32::from(port).into()),
            ("name", protocol.to_lowercase().into()),
            ("protocol", protocol.into()),
        ]);
        let entry = Yaml::map([
            ("hosts", Yaml::list([host.into()])),
            ("exportTo", Yaml::list([".".into()])),
            ("location", "MESH_EXTERNAL".into()),
            ("resolution", "DNS".into()),
            ("ports", Yaml::list([listed])),
        ]);
        let remark = format!(
            "Makes the cluster {}, by which the gateway reaches {host}.",
            Clusters::default().of(url)
        );
        let object = self.object(NETWORKING, "ServiceEntry", &name);
        let mut files = vec![object.file(TARGET, &remark, entry)];
        if url.is_https() {
            let names = Yaml::list([host.into()]);
            let tls = Yaml::map([
                ("mode", "SIMPLE".into()),
                ("sni", host.into()),
                (
                    "subjectAltNames",
                    names.noted(
                        "With a name to ask for and none here, Istio takes a certificate for any.",
                    ),
                ),
            ]);
            let rule = Yaml::map([
                ("host", host.into()),
                ("exportTo", Yaml::list([".".into()])),
                ("trafficPolicy", Yaml::map([("tls", tls)])),
            ]);
            let remark = "Without it, what goes to port 443 goes there in plain text.\n\
                 The certificate must be for this name, from an authority that the proxy's system trusts.";
            let object = self.object(NETWORKING, "DestinationRule", &name);
            files.push(object.file(TARGET, remark, rule));
        }
        files
    }

    fn routes(&self, install: &Install, gateway: &str) -> File {
        let mut routes = Vec::new();
        if let Some((url, paths)) = &install.sign_in {
            let matches = paths.iter().map(|path| {
                let (kind, path) = match path.strip_suffix('*') {
                    Some(start) => ("prefix", start),
                    None => ("exact", path.as_str()),
                };
                Yaml::map([("uri", Yaml::map([(kind, path.into())]))])
            });
            let route = Yaml::map([
                ("name", "sign-in".into()),
                ("match", Yaml::list(matches)),
                ("route", self.destination(url)),
            ]);
            routes.push(route.noted("What the native binary answers: people sign in there."));
        }
        let host = Yaml::map([("authority", install.upstream.authority().into())]);
        routes.push(Yaml::map([
            ("name", "protected-resource".into()),
            ("rewrite", host),
            ("route", self.destination(&install.upstream)),
        ]));
        let mut hosts: Vec<Yaml> = self
            .place
            .hosts
            .iter()
            .map(|host| host.as_str().into())
            .collect();
        if hosts.is_empty() {
            hosts.push("*".into());
        }
        let spec = Yaml::map([
            ("hosts", Yaml::List(hosts)),
            ("gateways", Yaml::list([gateway.into()])),
            ("http", Yaml::List(routes)),
        ]);
        let remark = "Leads what the filter lets pass to the protected resource.";
        let object = self.object(NETWORKING, "VirtualService", &self.place.name);
        object.file(TARGET, remark, spec)
    }

    fn destination(&self, url: &HttpUrl) -> Yaml {
        let port = Yaml::map([("number", u32::from(url.port()).into())]);
        let destination = Yaml::map([("host", self.host(url).into()), ("port", port)]);
        Yaml::list([Yaml::map([("destination", destination)])])
    }
}

fn phase() -> Yaml {
    Yaml::from("AUTHN")
        .noted("Before Istio's own authentication and authorization, and before CORS.")
}
