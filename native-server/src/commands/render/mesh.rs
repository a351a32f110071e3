//! `portcullis render istio`, `envoy-gateway` and `helm`.

use portcullis_core::config::{Setting, Settings, Source};

use crate::commands::render::output::OutputArgs;
use crate::commands::render::place::{PlaceArgs, hosts_of, in_container};
use crate::listen::Listen;
use crate::render::{
    ChartShape, EnvoyGateway, File, Install, Istio, IstioGateway, IstioKind, Place, Role,
    chart_values, check_named, check_reachable, kubernetes,
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
    /// A Gateway of the Gateway API in the namespace of the install, instead of --selector and
    /// --gateway: targetRefs and HTTPRoutes
    #[arg(long, value_name = "NAME", conflicts_with_all = ["selector", "gateway"])]
    target_gateway: Option<String>,
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

/// Arguments of `portcullis render helm`.
#[derive(clap::Args)]
pub(crate) struct HelmArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// What the chart is to install
    #[arg(long, value_enum, default_value_t = ChartShape::Native)]
    shape: ChartShape,
}

/// Renders the filter for Istio.
pub(super) fn istio(args: &IstioArgs) -> anyhow::Result<()> {
    let settings = in_container(args.settings.load()?);
    let place = args.place.place(&settings, "istio-system");
    let patches = args.kind == IstioKind::EnvoyFilter;
    let shape = if patches {
        Shape::whole(&settings)?
    } else {
        let port = Listen::from_settings(&settings)?.port;
        Shape::new(settings, &place.native_url(port))?
    };
    check_named(&shape.filter, !patches)?;
    let gateway = args.gateway.clone();
    let gateway = gateway.unwrap_or_else(|| format!("{}/{}", place.namespace, place.name));
    let istio = Istio {
        place: &place,
        kind: args.kind,
        filter: &args.filter,
        secrets: &shape.whole_or_native().from_environment,
        gateway: match &args.target_gateway {
            Some(name) => IstioGateway::GatewayApi(name),
            None => IstioGateway::Istio {
                selector: (&args.selector.0, &args.selector.1),
                name: &gateway,
            },
        },
    };
    let mut files = istio.files(&shape.filter);
    files.extend(shape.native_files("istio", &place)?);
    args.output.give(&files, &shape.filter.warnings)
}

/// Renders the filter for Envoy Gateway.
pub(super) fn envoy_gateway(args: &EnvoyGatewayArgs) -> anyhow::Result<()> {
    let settings = in_container(args.settings.load()?);
    let place = args.place.place(&settings, "mcp");
    let port = Listen::from_settings(&settings)?.port;
    let shape = Shape::new(settings, &place.native_url(port))?;
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

/// Renders the values of the chart.
pub(super) fn helm(args: &HelmArgs) -> anyhow::Result<()> {
    let settings = in_container(args.settings.load()?);
    let hosts = hosts_of(&settings, &[]);
    let (install, sign_in) = match args.shape {
        ChartShape::Native => (Install::by_reference(&settings, Role::Native)?, Vec::new()),
        ChartShape::Istio | ChartShape::EnvoyGateway => {
            let Shape { filter, native } = Shape::new(settings, "http://native.invalid:80")?;
            check_named(&filter, true)?;
            let paths = filter.sign_in.as_ref().map(|(_, paths)| paths.clone());
            match native {
                Some(native) => (native, paths.unwrap_or_default()),
                None => (filter, Vec::new()),
            }
        }
    };
    check_reachable(&install)?;
    let file = chart_values(args.shape, &install, &sign_in, &hosts);
    args.output.give(&[file], &install.warnings)
}

/// The filter, and the native binary where people sign in and the filter cannot read bodies.
struct Shape {
    filter: Install,
    native: Option<Install>,
}

impl Shape {
    /// The filter reads bodies, so it signs people in where that is the mode.
    fn whole(settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self {
            filter: Install::by_reference(settings, Role::Filter)?,
            native: None,
        })
    }

    /// The filter reads no bodies; where people sign in they do so at `native_url`.
    fn new(mut settings: Settings, native_url: &str) -> anyhow::Result<Self> {
        let whole = Self::whole(&settings)?;
        if !whole.filter.reads_bodies {
            return Ok(whole);
        }
        let native = Install::by_reference(&settings, Role::Native)?;
        settings.set(Setting::OAuthEndpoints, native_url, Source::Flag);
        let Self { filter, .. } = Self::whole(&settings)?;
        Ok(Self {
            filter,
            native: Some(native),
        })
    }

    /// Returns what has all the secrets.
    fn whole_or_native(&self) -> &Install {
        self.native.as_ref().unwrap_or(&self.filter)
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
