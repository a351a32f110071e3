//! The clusters through which the filter calls.

use portcullis_core::HttpUrl;

use super::{ENVOY_API, EnvoyGateway, TARGET};
use crate::render::Install;
use crate::render::files::File;
use crate::render::http_route::{GATEWAY_API, target};
use crate::render::yaml::Yaml;

impl EnvoyGateway<'_> {
    /// Names the cluster of every call, and that of the protected resource, which `/ready` asks.
    pub(super) fn clusters(&self, install: &Install) -> String {
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
    pub(super) fn calls(&self, urls: &[&HttpUrl]) -> Vec<File> {
        let rules = urls.iter().enumerate().map(|(index, url)| {
            let path = Yaml::map([
                ("type", "Exact".into()),
                ("value", format!("/{index}").into()),
            ]);
            Yaml::map([
                ("matches", Yaml::list([Yaml::map([("path", path)])])),
                ("backendRefs", Yaml::list([self.routes().backend_ref(url)])),
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
}

/// Returns a URL on each host of the authorization server that the filter calls, where the native
/// binary does not.
pub(super) fn called(install: &Install) -> impl Iterator<Item = &HttpUrl> {
    let elsewhere = install.sign_in.as_ref().map(|(url, _)| url);
    let calls = install.calls.iter();
    calls.filter(move |url| Some(*url) != elsewhere)
}
