//! `portcullis render`.

mod mesh;
mod native;
mod output;
mod place;

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::commands::render::mesh::{EnvoyGatewayArgs, HelmArgs, IstioArgs};
use crate::commands::render::native::{ComposeArgs, KubernetesArgs, SystemdArgs};
use crate::commands::render::output::OutputArgs;
use crate::render::{Address, File, Filter, Install, bootstrap, watched_filter};
use crate::settings::{self, SettingsArgs};

/// Where the bundle of trusted authorities is on the systems that we know of.
const AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The file with the filter's configuration that Envoy watches.
const WATCHED: &str = "filter.yaml";

/// Arguments of `portcullis render`.
#[derive(clap::Args)]
pub(crate) struct RenderArgs {
    #[command(subcommand)]
    target: Target,
}

#[derive(clap::Subcommand)]
enum Target {
    /// Prints a complete bootstrap for Envoy, with the filter in front of the protected resource.
    Envoy(EnvoyArgs),
    /// Prints what brings the filter into a gateway of Istio
    Istio(IstioArgs),
    /// Prints what brings the filter into a gateway of Envoy Gateway
    EnvoyGateway(EnvoyGatewayArgs),
    /// Prints what runs the native binary in a Kubernetes cluster
    Kubernetes(KubernetesArgs),
    /// Prints the values of the chart in deploy/helm for the same settings
    Helm(HelmArgs),
    /// Prints a compose file with the native binary beside the MCP server
    Compose(ComposeArgs),
    /// Prints a unit and settings for the native binary on a host
    Systemd(SystemdArgs),
}

#[derive(clap::Args)]
struct EnvoyArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// The filter, where Envoy finds it
    #[arg(
        long,
        value_name = "FILE.wasm",
        default_value = "target/wasm32-wasip1/release/portcullis_filter.wasm"
    )]
    filter: PathBuf,
    /// Address of Envoy's administration interface; none without it
    #[arg(long, value_name = "HOST:PORT")]
    admin: Option<String>,
    /// Puts the filter's configuration into a file of its own in DIR, which Envoy watches: settings
    /// change without a restart
    #[arg(long, requires = "dir")]
    dynamic: bool,
}

/// Prints the configuration.
///
/// # Errors
///
/// Refuses settings that the gateway would refuse, and with `--check` files that differ.
pub(crate) fn run(args: &RenderArgs) -> anyhow::Result<()> {
    match &args.target {
        Target::Envoy(args) => envoy(args),
        Target::Istio(args) => mesh::istio(args),
        Target::EnvoyGateway(args) => mesh::envoy_gateway(args),
        Target::Kubernetes(args) => native::kubernetes(args),
        Target::Helm(args) => mesh::helm(args),
        Target::Compose(args) => native::compose(args),
        Target::Systemd(args) => native::systemd(args),
    }
}

fn envoy(args: &EnvoyArgs) -> anyhow::Result<()> {
    let install = Install::of_filter_here(args.settings.load()?)?;
    let admin = args.admin.as_deref().map(admin_address).transpose()?;
    let module = &args.filter;
    let watched = args.dynamic.then(|| args.output.path(WATCHED)).flatten();
    let filter = Filter {
        module,
        watched: watched.as_deref(),
    };
    let text = bootstrap(&install, filter, admin, &authorities());
    let mut files = vec![file(&install, "envoy.yaml", text)];
    if filter.watched.is_some() {
        files.push(file(&install, WATCHED, watched_filter(&install, module)));
    }
    args.output.give(&files, &install.warnings)
}

fn file(install: &Install, name: &str, text: String) -> File {
    File {
        name: name.to_owned(),
        text,
        is_secret: install.writes_secret(),
    }
}

fn admin_address(text: &str) -> anyhow::Result<Address> {
    let (host, port) = settings::split_listen(text).context("--admin must be HOST:PORT")?;
    let port = port
        .parse()
        .context("--admin must have a port up to 65535")?;
    Address::new(host, port).context("--admin")
}

/// Returns the file of trusted authorities: the one that OpenSSL's variable names, else the
/// system's.
fn authorities() -> String {
    let named = std::env::var("SSL_CERT_FILE")
        .ok()
        .filter(|file| !file.is_empty());
    let known = || {
        AUTHORITIES
            .into_iter()
            .find(|file| Path::new(file).exists())
    };
    named.unwrap_or_else(|| known().unwrap_or(AUTHORITIES[0]).to_owned())
}
