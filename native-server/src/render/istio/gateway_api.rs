//! What a gateway of the Gateway API needs beside the filter: routes, and the secrets in its pods.

use portcullis_core::HttpUrl;

use super::{Istio, TARGET};
use crate::render::Install;
use crate::render::cluster::{Place, Service};
use crate::render::files::File;
use crate::render::http_route::Routes;
use crate::render::yaml::Yaml;

impl Istio<'_> {
    /// Writes the routes that hang on `gateway`, and what its pods are to have.
    pub(super) fn gateway_api(&self, install: &Install, gateway: &str) -> Vec<File> {
        let routes = Routes {
            target: TARGET,
            place: self.place,
            gateway,
            outside,
        };
        let mut files = vec![
            self.pods(install, gateway),
            routes.protected_resource(install),
        ];
        if let Some((url, paths)) = &install.sign_in {
            let remark = "What the native binary answers: people sign in there.";
            files.push(routes.sign_in(url, paths, remark));
        }
        let service = Service::parse(install.upstream.host(), &self.place.namespace);
        files.extend(service.and_then(|service| routes.grant(&service)));
        files
    }

    /// Istio makes these pods, so their variables are said in what it makes them of.
    fn pods(&self, install: &Install, gateway: &str) -> File {
        let name = format!("{}-gateway", self.place.name);
        let variables = install.from_environment.iter().map(|setting| {
            let key = Yaml::map([
                ("name", self.place.name.as_str().into()),
                ("key", setting.name().into()),
            ]);
            let from = Yaml::map([("secretKeyRef", key)]);
            Yaml::map([("name", setting.name().into()), ("valueFrom", from)])
        });
        let proxy = Yaml::map([
            ("name", "istio-proxy".into()),
            ("env", Yaml::list(variables)),
        ]);
        let pod = Yaml::map([("containers", Yaml::list([proxy]))]);
        let template = Yaml::map([("template", Yaml::map([("spec", pod)]))]);
        let deployment = Yaml::map([("spec", template)]).document();
        let data = Yaml::map([("deployment", Yaml::Block(deployment))]);
        let object = self.object("v1", "ConfigMap", &name).begin();
        let remark = format!(
            "Variables of the gateway's pods, from that Secret. The Gateway {gateway} must name this object:\n\
             spec.infrastructure.parametersRef: {{group: \"\", kind: ConfigMap, name: {name}}}"
        );
        let file = format!("configmap-{name}.yaml");
        File::of(TARGET, &file, &remark, &object.with("data", data))
    }
}

/// Refers to a host that a ServiceEntry makes known.
fn outside(_place: &Place, url: &HttpUrl) -> Yaml {
    Yaml::map([
        ("group", "networking.istio.io".into()),
        ("kind", "Hostname".into()),
        ("name", url.host().into()),
        ("port", u32::from(url.port()).into()),
    ])
}
