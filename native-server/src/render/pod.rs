//! The pod of the native binary.

use crate::render::Install;
use crate::render::cluster::Place;
use crate::render::kubernetes::client_certificates;
use crate::render::stopping::{stop_remark, stop_seconds};
use crate::render::yaml::Yaml;

/// The user and group of the image.
const USER: u32 = 65532;

/// How long a pod that is to end still serves, in seconds.
const PRE_STOP: u64 = 5;

/// Writes the specification of the pod.
pub(crate) fn pod(place: &Place, install: &Install) -> Yaml {
    let settings = Yaml::map([
        ("name", "settings".into()),
        (
            "configMap",
            Yaml::map([("name", place.name.as_str().into())]),
        ),
    ]);
    let mut volumes = vec![settings];
    if install.tls.is_some() {
        let secret = Yaml::map([("secretName", format!("{}-tls", place.name).into())]);
        volumes.push(Yaml::map([("name", "tls".into()), ("secret", secret)]));
    }
    Yaml::map([
        (
            "automountServiceAccountToken",
            Yaml::from(false).noted("The gate asks nothing of the cluster."),
        ),
        (
            "enableServiceLinks",
            Yaml::from(false).noted("No variables that begin like settings, after Services."),
        ),
        ("securityContext", pod_security()),
        (
            "terminationGracePeriodSeconds",
            Yaml::Number(PRE_STOP.saturating_add(stop_seconds())).noted(stop_remark()),
        ),
        (
            "topologySpreadConstraints",
            Yaml::list(
                ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
                    .map(|key| spread(place, key)),
            )
            .noted("Neither a zone nor a node has all replicas, if that can be."),
        ),
        ("containers", Yaml::list([container(place, install)])),
        ("volumes", Yaml::List(volumes)),
    ])
}

/// Counts the pods of one version only: those that a rollout replaces are gone when it ends.
fn spread(place: &Place, key: &str) -> Yaml {
    let labels = Yaml::map([("app.kubernetes.io/instance", place.name.as_str().into())]);
    Yaml::map([
        ("maxSkew", 1.into()),
        ("topologyKey", key.into()),
        ("whenUnsatisfiable", "ScheduleAnyway".into()),
        ("labelSelector", Yaml::map([("matchLabels", labels)])),
        ("matchLabelKeys", Yaml::list(["pod-template-hash".into()])),
    ])
}

fn pod_security() -> Yaml {
    Yaml::map([
        ("runAsNonRoot", true.into()),
        ("runAsUser", USER.into()),
        ("runAsGroup", USER.into()),
        (
            "fsGroup",
            Yaml::from(USER).noted("The files of Secrets belong to this group."),
        ),
        (
            "seccompProfile",
            Yaml::map([("type", "RuntimeDefault".into())]),
        ),
    ])
}

fn container(place: &Place, install: &Install) -> Yaml {
    let port = u32::from(install.listen.port);
    let arguments = [
        "serve",
        "--config",
        "/etc/portcullis/settings.json",
        "--listen",
        &format!("0.0.0.0:{port}"),
        "--log-format",
        "json",
    ];
    let ports = Yaml::map([("name", "http".into()), ("containerPort", port.into())]);
    let security = Yaml::map([
        ("allowPrivilegeEscalation", false.into()),
        ("readOnlyRootFilesystem", true.into()),
        (
            "capabilities",
            Yaml::map([("drop", Yaml::list(["ALL".into()]))]),
        ),
    ]);
    Yaml::map([
        ("name", "portcullis".into()),
        ("image", place.image.as_str().into()),
        ("args", Yaml::list(arguments.map(Yaml::from))),
        ("env", secrets(place, install)),
        ("ports", Yaml::list([ports])),
        ("securityContext", security),
        ("resources", resources()),
        (
            "startupProbe",
            probe(install, "/health", 1, 30)
                .noted("Asked each second, so that the slower ones begin as soon as it listens."),
        ),
        (
            "livenessProbe",
            probe(install, "/health", 10, 3).noted("Whether it runs at all."),
        ),
        (
            "readinessProbe",
            probe(install, "/ready", 10, 3).noted(
                "Whether the JWKS, where there is one, and the protected resource can be reached.",
            ),
        ),
        (
            "lifecycle",
            Yaml::map([(
                "preStop",
                Yaml::map([("sleep", Yaml::map([("seconds", Yaml::Number(PRE_STOP))]))]),
            )])
            .noted("The Service takes a moment to send nothing more here."),
        ),
        ("volumeMounts", mounts(install)),
    ])
}

fn secrets(place: &Place, install: &Install) -> Yaml {
    let variable = |name: &str| {
        let key = Yaml::map([("name", place.name.as_str().into()), ("key", name.into())]);
        Yaml::map([
            ("name", name.into()),
            ("valueFrom", Yaml::map([("secretKeyRef", key)])),
        ])
    };
    let secrets = install.from_environment.iter();
    Yaml::list(secrets.map(|setting| variable(setting.name())))
}

fn resources() -> Yaml {
    let requests = Yaml::map([("cpu", "100m".into()), ("memory", "64Mi".into())]);
    let limits = Yaml::map([("memory", "256Mi".into())]);
    Yaml::map([("requests", requests), ("limits", limits)])
}

/// A probe cannot show a certificate; that the port is open must do then.
fn probe(install: &Install, path: &str, period: u32, failures: u32) -> Yaml {
    let port = ("port", Yaml::from("http"));
    let (kind, action) = if client_certificates(install) {
        ("tcpSocket", Yaml::map([port]))
    } else {
        let scheme = if install.tls.is_some() {
            "HTTPS"
        } else {
            "HTTP"
        };
        let action = [("path", path.into()), port, ("scheme", scheme.into())];
        ("httpGet", Yaml::map(action))
    };
    Yaml::map([
        (kind, action),
        ("periodSeconds", period.into()),
        ("timeoutSeconds", 5.into()),
        ("failureThreshold", failures.into()),
    ])
}

fn mounts(install: &Install) -> Yaml {
    let mount = |name: &str, path: &str| {
        Yaml::map([
            ("name", name.into()),
            ("mountPath", path.into()),
            ("readOnly", true.into()),
        ])
    };
    let mut mounts = vec![mount("settings", "/etc/portcullis")];
    if install.tls.is_some() {
        mounts.push(mount("tls", "/etc/portcullis-tls"));
    }
    Yaml::List(mounts)
}
