//! `portcullis render kubernetes`, `compose` and `systemd`: installs of the native binary.

use portcullis_core::HttpUrl;
use portcullis_core::config::{Setting, Settings, Source};

use crate::commands::render::output::OutputArgs;
use crate::commands::render::place::{IMAGE, PlaceArgs, in_container};
use crate::listen::Listen;
use crate::render::{self, Install, Role, SERVER, check_reachable};
use crate::settings::SettingsArgs;

/// Arguments of `portcullis render kubernetes`.
#[derive(clap::Args)]
pub(crate) struct KubernetesArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Arguments of `portcullis render compose`.
#[derive(clap::Args)]
pub(crate) struct ComposeArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Image of the native binary
    #[arg(long, value_name = "IMAGE", default_value = IMAGE)]
    image: String,
    /// Image of the MCP server
    #[arg(
        long,
        value_name = "IMAGE",
        default_value = "registry.example.com/mcp-server:latest"
    )]
    server_image: String,
}

/// Arguments of `portcullis render systemd`.
#[derive(clap::Args)]
pub(crate) struct SystemdArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Where the binary is installed
    #[arg(long, value_name = "FILE", default_value = "/usr/local/bin/portcullis")]
    binary: String,
}

/// Renders the native binary for a cluster.
pub(super) fn kubernetes(args: &KubernetesArgs) -> anyhow::Result<()> {
    let settings = in_container(args.settings.load()?);
    let place = args.place.place(&settings, "mcp");
    let install = Install::by_reference(&settings, Role::Native)?;
    check_reachable(&install)?;
    let files = render::kubernetes("kubernetes", &place, &install);
    args.output.give(&files, &install.warnings)
}

/// Renders the native binary for containers of one host.
pub(super) fn compose(args: &ComposeArgs) -> anyhow::Result<()> {
    let settings = args.settings.load()?;
    let listen = Listen::from_settings(&settings)?;
    anyhow::ensure!(
        listen.tls.is_none(),
        "in containers TLS ends before the gate: leave {} out",
        Setting::TlsCertfile.name()
    );
    let published = if listen.is_loopback() {
        "127.0.0.1"
    } else {
        "0.0.0.0"
    };
    let settings = in_container(beside_server(settings));
    let install = Install::by_reference(&settings, Role::Native)?;
    check_reachable(&install)?;
    let file = render::compose(&install, &args.image, &args.server_image, published);
    args.output.give(&[file], &install.warnings)
}

/// Renders the native binary as a service of this host.
pub(super) fn systemd(args: &SystemdArgs) -> anyhow::Result<()> {
    let install = Install::by_reference(&args.settings.load()?, Role::Native)?;
    let files = render::systemd(&install, &args.binary);
    args.output.give(&files, &install.warnings)
}

/// What is on this host beside the gate is a service of its own beside its container.
fn beside_server(mut settings: Settings) -> Settings {
    let upstream = settings.non_blank(Setting::Upstream).map(HttpUrl::parse);
    if let Some(Ok(url)) = upstream
        && url.is_loopback()
    {
        let scheme = if url.is_https() { "https" } else { "http" };
        let url = format!("{scheme}://{SERVER}:{}", url.port());
        settings.set(Setting::Upstream, url, Source::Flag);
    }
    settings
}
