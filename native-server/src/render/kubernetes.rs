//! The native binary in a Kubernetes cluster.

use portcullis_core::HttpUrl;
use portcullis_core::config::Setting;

use crate::render::Install;
use crate::render::cluster::{Place, Service};
use crate::render::files::{File, Object};
use crate::render::pod::pod;
use crate::render::yaml::Yaml;

/// Writes the files of `install`; `target` is what is being rendered.
pub(crate) fn kubernetes(target: &str, place: &Place, install: &Install) -> Vec<File> {
    let native = Native { target, place };
    vec![
        native.settings(install),
        native.deployment(install),
        native.service(install),
        native.disruption_budget(),
        native.autoscaler(),
        native.network_policy(install),
    ]
}

struct Native<'a> {
    target: &'a str,
    place: &'a Place,
}

impl Native<'_> {
    fn file(&self, api: &str, kind: &str, remark: &str, spec: Yaml) -> File {
        self.object(api, kind).file(self.target, remark, spec)
    }

    fn object<'a>(&'a self, api: &'a str, kind: &'a str) -> Object<'a> {
        Object {
            api,
            kind,
            name: &self.place.name,
            namespace: &self.place.namespace,
            instance: &self.place.name,
        }
    }

    fn settings(&self, install: &Install) -> File {
        let json = format!("{:#}", settings_in_pod(install));
        let data = Yaml::map([("settings.json", Yaml::Block(json))]);
        let object = self.object("v1", "ConfigMap").begin().with("data", data);
        let name = format!("configmap-{}.yaml", self.place.name);
        let remark = "The settings, without secrets.";
        File::of(self.target, &name, remark, &object)
    }

    fn deployment(&self, install: &Install) -> File {
        let namespace = &self.place.namespace;
        let secret = self
            .place
            .secret_command(&install.from_environment, namespace);
        let mut remark = format!("Its secrets are in a Secret that you make:\n{secret}");
        if install.tls.is_some() {
            let name = &self.place.name;
            remark.push_str(&format!(
                "\nThe certificate and its key too:\n\
                 kubectl -n {namespace} create secret generic {name}-tls --from-file=tls.crt --from-file=tls.key"
            ));
            if client_certificates(install) {
                remark.push_str(" --from-file=ca.crt");
            }
        }
        let strategy = Yaml::map([
            ("type", "RollingUpdate".into()),
            (
                "rollingUpdate",
                Yaml::map([("maxUnavailable", 0.into()), ("maxSurge", 1.into())]),
            ),
        ]);
        let template = Yaml::map([
            ("metadata", Yaml::map([("labels", self.labels())])),
            ("spec", pod(self.place, install)),
        ]);
        let spec = Yaml::map([
            ("selector", self.selector()),
            ("strategy", strategy),
            (
                "minReadySeconds",
                Yaml::from(10)
                    .noted("One that fails at once stops a rollout before the next is replaced."),
            ),
            ("template", template),
        ]);
        let remark = format!("{remark}\nHow many there are is the autoscaler's business.");
        self.file("apps/v1", "Deployment", &remark, spec)
    }

    fn service(&self, install: &Install) -> File {
        let protocol = if install.tls.is_some() {
            "https"
        } else {
            "http"
        };
        let port = Yaml::map([
            ("name", protocol.into()),
            ("port", u32::from(install.listen.port).into()),
            ("targetPort", "http".into()),
            ("appProtocol", protocol.into()),
        ]);
        let spec = Yaml::map([("selector", self.labels()), ("ports", Yaml::list([port]))]);
        let remark = "Where an ingress or a gateway leads clients to.";
        self.file("v1", "Service", remark, spec)
    }

    fn disruption_budget(&self) -> File {
        let spec = Yaml::map([
            ("maxUnavailable", 1.into()),
            ("selector", self.selector()),
            (
                "unhealthyPodEvictionPolicy",
                Yaml::from("AlwaysAllow")
                    .noted("A pod that is not ready serves nobody, so it holds up no drain."),
            ),
        ]);
        let remark = "Nodes are drained one replica at a time.";
        self.file("policy/v1", "PodDisruptionBudget", remark, spec)
    }

    fn autoscaler(&self) -> File {
        let target = Yaml::map([
            ("apiVersion", "apps/v1".into()),
            ("kind", "Deployment".into()),
            ("name", self.place.name.as_str().into()),
        ]);
        let utilization = Yaml::map([
            ("type", "Utilization".into()),
            ("averageUtilization", 75.into()),
        ]);
        let cpu = Yaml::map([
            ("type", "Resource".into()),
            (
                "resource",
                Yaml::map([("name", "cpu".into()), ("target", utilization)]),
            ),
        ]);
        let spec = Yaml::map([
            ("scaleTargetRef", target),
            ("minReplicas", 2.into()),
            ("maxReplicas", 10.into()),
            ("metrics", Yaml::list([cpu])),
            (
                "behavior",
                Yaml::map([("scaleDown", scale_down())])
                    .noted("Each replica that goes cuts its streams, so they go slowly."),
            ),
        ]);
        let remark = "Replicas share nothing but the settings and the state keys.";
        self.file("autoscaling/v2", "HorizontalPodAutoscaler", remark, spec)
    }

    fn network_policy(&self, install: &Install) -> File {
        let clients = Yaml::map([("ports", Yaml::list([tcp("http".into())]))]);
        let mut ways = vec![
            Yaml::map([("ports", Yaml::list([udp(53), tcp(53.into())]))])
                .noted("Names are looked up."),
            self.way_to(&install.upstream)
                .noted("The protected resource; the port is that of its pods."),
        ];
        ways.extend(install.calls.iter().map(|url| {
            let remark = format!("Calls to {}.", url.host());
            self.way_to(url).noted(remark)
        }));
        if install.calls_strangers {
            let ports = Yaml::list([tcp(443.into())]);
            let way = Yaml::map([("to", outside()), ("ports", ports)]);
            ways.push(way.noted("Documents of clients, which may be anywhere."));
        }
        let spec = Yaml::map([
            ("podSelector", self.selector()),
            (
                "policyTypes",
                Yaml::list(["Ingress".into(), "Egress".into()]),
            ),
            (
                "ingress",
                Yaml::list([clients
                    .noted("Whoever reaches the Service; name your gateway here to narrow it.")]),
            ),
            ("egress", Yaml::List(ways)),
        ]);
        let remark = "What the gate connects to, and nothing else.";
        self.file("networking.k8s.io/v1", "NetworkPolicy", remark, spec)
    }

    fn way_to(&self, url: &HttpUrl) -> Yaml {
        let peers = match Service::parse(url.host(), &self.place.namespace) {
            Some(service) => {
                let name = ("kubernetes.io/metadata.name", service.namespace.into());
                let labels = Yaml::map([("matchLabels", Yaml::map([name]))]);
                Yaml::list([Yaml::map([("namespaceSelector", labels)])])
            }
            None => outside(),
        };
        Yaml::map([
            ("to", peers),
            ("ports", Yaml::list([tcp(u32::from(url.port()).into())])),
        ])
    }

    fn labels(&self) -> Yaml {
        Yaml::map([
            ("app.kubernetes.io/name", "portcullis".into()),
            (
                "app.kubernetes.io/instance",
                self.place.name.as_str().into(),
            ),
        ])
    }

    fn selector(&self) -> Yaml {
        Yaml::map([("matchLabels", self.labels())])
    }
}

/// Lets one replica go in five minutes, after ten of less to do.
fn scale_down() -> Yaml {
    let policy = Yaml::map([
        ("type", "Pods".into()),
        ("value", 1.into()),
        ("periodSeconds", 300.into()),
    ]);
    Yaml::map([
        ("stabilizationWindowSeconds", 600.into()),
        ("policies", Yaml::list([policy])),
    ])
}

/// A policy knows addresses, and those of a host outside may change at any time. What cloud
/// providers keep for machines is not among them.
fn outside() -> Yaml {
    let block = |all: &str, except: &str| {
        let block = Yaml::map([
            ("cidr", all.into()),
            ("except", Yaml::list([except.into()])),
        ]);
        Yaml::map([("ipBlock", block)])
    };
    Yaml::list([
        block("0.0.0.0/0", "169.254.0.0/16"),
        block("::/0", "fe80::/10"),
    ])
}

/// Returns the settings as the native binary reads them in its pod.
fn settings_in_pod(install: &Install) -> serde_json::Value {
    let settings = install.written();
    if install.tls.is_none() {
        return settings.with(Setting::AllowHttp, "true").json();
    }
    let file = |name: &str| format!("/etc/portcullis-tls/{name}");
    let settings = settings
        .with(Setting::TlsCertfile, file("tls.crt"))
        .with(Setting::TlsKeyfile, file("tls.key"));
    if client_certificates(install) {
        settings.with(Setting::TlsCaCerts, file("ca.crt")).json()
    } else {
        settings.json()
    }
}

/// Tells whether clients must show certificates.
pub(crate) fn client_certificates(install: &Install) -> bool {
    let tls = install.tls.as_ref();
    tls.is_some_and(|files| files.client_authorities.is_some())
}

fn tcp(port: Yaml) -> Yaml {
    Yaml::map([("protocol", "TCP".into()), ("port", port)])
}

fn udp(port: u32) -> Yaml {
    Yaml::map([("protocol", "UDP".into()), ("port", port.into())])
}
