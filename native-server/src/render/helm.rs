//! The values of the chart in `deploy/helm/portcullis`.

use portcullis_core::HttpUrl;
use portcullis_core::config::Setting;

use crate::render::Install;
use crate::render::files::File;
use crate::render::kubernetes::client_certificates;
use crate::render::yaml::Yaml;

/// Which of the chart's shapes is meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum ChartShape {
    /// The native binary
    Native,
    /// The filter in Istio
    Istio,
    /// The filter in Envoy Gateway
    EnvoyGateway,
}

/// Writes the values of `install`, where people sign in at these paths of the native binary.
pub(crate) fn chart_values(
    shape: ChartShape,
    install: &Install,
    sign_in: &[String],
    hosts: &[String],
) -> File {
    let shape = match shape {
        ChartShape::Native => "native",
        ChartShape::Istio => "istio",
        ChartShape::EnvoyGateway => "envoy-gateway",
    };
    let settings = install.settings.iter();
    let settings = settings
        .map(|(setting, value)| (setting.name().to_owned(), value.as_str().into()))
        .collect();
    let secrets = install
        .from_environment
        .iter()
        .map(|setting| setting.name());
    let calls = install.calls.iter().map(origin);
    let texts = |texts: &[String]| Yaml::list(texts.iter().map(|text| text.as_str().into()));
    let mut values = Yaml::map([
        ("shape", shape.into()),
        ("mode", install.mode.into()),
        ("settings", Yaml::Map(settings)),
        (
            "secret",
            Yaml::map([("keys", Yaml::list(secrets.map(Yaml::from)))]),
        ),
        ("calls", Yaml::list(calls)),
        ("port", u32::from(install.listen.port).into()),
        ("hosts", texts(hosts)),
        ("signIn", Yaml::map([("paths", texts(sign_in))])),
        (
            "networkPolicy",
            Yaml::map([("anyHost", install.calls_strangers.into())]),
        ),
    ]);
    if install.tls.is_some() {
        let tls = Yaml::map([
            (
                "secretName",
                Yaml::from("portcullis-tls").noted("With tls.crt and tls.key, which you make."),
            ),
            ("clientCertificates", client_certificates(install).into()),
        ]);
        values = values.with("tls", tls);
    }
    let remark = format!(
        "Values for the chart: helm install portcullis deploy/helm/portcullis --values values.yaml\n\
         The Secret is yours to make; {} is made by `portcullis --generate-auth-token`.",
        Setting::StateKeys.name()
    );
    File::of("helm", "values.yaml", &remark, &values)
}

fn origin(url: &HttpUrl) -> Yaml {
    let scheme = if url.is_https() { "https" } else { "http" };
    format!("{scheme}://{}", url.authority()).into()
}
