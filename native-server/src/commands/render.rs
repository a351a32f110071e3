//! `portcullis render`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::render::{Address, Install, bootstrap};
use crate::settings::{self, SettingsArgs};
use crate::terminal::{note, print};

/// Where the bundle of trusted authorities is on the systems that we know of.
const AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

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
}

#[derive(clap::Args)]
struct EnvoyArgs {
    #[command(flatten)]
    settings: SettingsArgs,
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
}

/// Prints the configuration.
///
/// # Errors
///
/// Refuses settings that the filter would refuse.
pub(crate) fn run(args: &RenderArgs) -> anyhow::Result<()> {
    let Target::Envoy(args) = &args.target;
    let install = Install::new(args.settings.load()?)?;
    let admin = args.admin.as_deref().map(admin_address).transpose()?;
    let text = bootstrap(&install, &args.filter, admin, &authorities());
    for warning in &install.warnings {
        note(&format!("portcullis: warning: {warning}"));
    }
    print(&text)?;
    Ok(())
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
