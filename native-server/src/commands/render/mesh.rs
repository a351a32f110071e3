//! `portcullis render istio` and `render envoy-gateway`.

use portcullis_core::config::{Setting, Settings, Source};

use crate::commands::render::output::OutputArgs;
use crate::commands::render::place::{PlaceArgs, in_container};
use crate::render::{
    EnvoyGateway, File, Install, Istio, IstioKind, Place, Role, check_named, check_reachable,
    kubernetes,
};
use crate::settings::SettingsArgs;

/// The filter's image, where nothing else is said.
const FILTER: &str = concat!(
    "oci://registry.example.com/portcullis-filter:",
    env!("CARGO_PKG_VERSION")
);

/// Arguments of `portcullis render istio`.
#[derive(clap::Args)]
pub(crate) struct IstioArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Istio's object that brings the filter
    #[arg(long, value_enum, default_value_t = IstioKind::WasmPlugin)]
    kind: IstioKind,
    /// The filter's image
    #[arg(long, value_name = "URL", default_value = FILTER)]
    filter: String,
    /// Label of the gateway's pods
    #[arg(long, value_name = "LABEL=VALUE", default_value = "istio=ingressgateway", value_parser = selector)]
    selector: (String, String),
    /// Istio's Gateway for the host names [default: NAME of NAMESPACE]
    #[arg(long, value_name = "NAMESPACE/NAME")]
    gateway: Option<String>,
}

/// Arguments of `portcullis render envoy-gateway`.
#[derive(clap::Args)]
pub(crate) struct EnvoyGatewayArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// The filter's image, without a scheme
    #[arg(long, value_name = "IMAGE", default_value = FILTER.trim_start_matches("oci://"))]
    filter: String,
    /// The Gateway, in the namespace of the install
    #[arg(long, value_name = "NAME", default_value = "eg")]
    gateway: String,
    /// Namespace in which Envoy Gateway runs its proxies
    #[arg(long, value_name = "NAMESPACE", default_value = "envoy-gateway-system")]
    proxy_namespace: String,
}

/// Renders the filter for Istio.
pub(super) fn istio(args: &IstioArgs) -> anyhow::Result<()> {
    let settings = in_container(args.settings.load()?);
    let place = args.place.place(&settings, "istio-system");
    let patches = args.kind == IstioKind::EnvoyFilter;
    let shape = Shape::new(settings, &place, patches)?;
    check_named(&shape.filter, !patches)?;
    let gateway = args.gateway.clone();
    let gateway = gateway.unwrap_or_else(|| format!("{}/{}", place.namespace, place.name));
    let istio = Istio {
        place: &place,
        kind: args.kind,
        filter: &args.filter,
        selector: (&args.selector.0, &args.selector.1),
        gateway: &gateway,
    };
    let mut files = istio.files(&shape.filter);
    files.extend(shape.native_files("istio", &place)?);
    args.output.give(&files, &shape.filter.warnings)
}

/// Renders the filter for Envoy Gateway.
pub(super) fn envoy_gateway(args: &EnvoyGatewayArgs) -> anyhow::Result<()> {
    let settings = in_container(args.settings.load()?);
    let place = args.place.place(&settings, "mcp");
    let shape = Shape::new(settings, &place, false)?;
    check_named(&shape.filter, true)?;
    let gateway = EnvoyGateway {
        place: &place,
        filter: &args.filter,
        gateway: &args.gateway,
        proxies: &args.proxy_namespace,
    };
    let mut files = gateway.files(&shape.filter);
    files.extend(shape.native_files("envoy-gateway", &place)?);
    args.output.give(&files, &shape.filter.warnings)
}

/// The filter, and the native binary where people sign in and the filter cannot read bodies.
struct Shape {
    filter: Install,
    native: Option<Install>,
}

impl Shape {
    fn new(mut settings: Settings, place: &Place, reads_bodies: bool) -> anyhow::Result<Self> {
        let filter = Install::by_reference(&settings, Role::Filter)?;
        if reads_bodies || !filter.reads_bodies {
            return Ok(Self {
                filter,
                native: None,
            });
        }
        let native = Install::by_reference(&settings, Role::Native)?;
        let url = place.native_url(native.listen.port);
        settings.set(Setting::OAuthEndpoints, url, Source::Flag);
        Ok(Self {
            filter: Install::by_reference(&settings, Role::Filter)?,
            native: Some(native),
        })
    }

    fn native_files(&self, target: &str, place: &Place) -> anyhow::Result<Vec<File>> {
        let Some(native) = &self.native else {
            return Ok(Vec::new());
        };
        check_reachable(native)?;
        Ok(kubernetes(target, place, native))
    }
}

fn selector(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=');
    pair.map(|(label, value)| (label.to_owned(), value.to_owned()))
        .ok_or_else(|| "must be LABEL=VALUE".to_owned())
}
