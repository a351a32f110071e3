//! `portcullis serve`.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use portcullis_core::config::{ConfigError, Resolution, Setting, Settings, Site, resolve};
use portcullis_core::{HttpUrl, Seed};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;

use crate::crypto::random_octets;
use crate::listen::Listen;
use crate::logs::LogArgs;
use crate::open_files;
use crate::paste;
use crate::proxy::{
    CallClient, Connector, Forwarder, Gate, Service, SharedLedger, Tally, refresh, serve,
};
use crate::settings::SettingsArgs;
use crate::state::{StoredKey, preview_api_key, supply_api_key, supply_state_keys};
use crate::tls;

/// Arguments of `portcullis serve`.
#[derive(clap::Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    logs: LogArgs,
    /// Largest request body
    #[arg(long, value_name = "BYTES", default_value_t = 16 * 1024 * 1024)]
    max_body_bytes: u64,
    /// Connections of clients at a time
    #[arg(long, value_name = "COUNT", default_value_t = 4096,
          value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: u32,
}

/// Everything that is checked before the first socket is opened and the first file is written.
struct Prepared {
    /// Complete but for an API key that is made once everything else is in order, so that it is
    /// shown by the run that makes it.
    settings: Settings,
    site: Site,
    listen: Listen,
    upstream: HttpUrl,
    tls: Option<TlsAcceptor>,
    connector: Connector,
    /// Connects to hosts that strangers name.
    public: Connector,
}

/// Serves until told to stop.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    args.logs.start();
    open_files::raise(args.max_connections);
    let prepared = prepare(&args.settings)?;
    // One worker a core, this thread being the first.
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?
        .block_on(run_prepared(prepared, args))
}

fn prepare(args: &SettingsArgs) -> Result<Prepared, ConfigError> {
    let mut settings = args.load()?;
    let listen = Listen::from_settings(&settings)?;
    supply_state_keys(&mut settings)?;
    let site = Site::Native {
        loopback: listen.is_loopback(),
    };
    let mut complete = settings.clone();
    preview_api_key(&mut complete)?;
    let config = resolve(&complete, site)?.config;
    let upstream = config.upstream().cloned().ok_or_else(|| {
        ConfigError::at(
            Setting::Upstream,
            "must be set to the URL of the MCP server to protect, or given as --upstream",
        )
    })?;
    let tls = match &listen.tls {
        Some(files) => Some(TlsAcceptor::from(Arc::new(tls::server_config(files)?))),
        None => None,
    };
    let calls_https = config.calls_strangers() || config.call_urls().iter().any(HttpUrl::is_https);
    let client_tls = tls::client_config(calls_https)?;
    Ok(Prepared {
        settings,
        site,
        listen,
        upstream,
        tls,
        public: Connector::to_public_hosts(client_tls.clone()),
        connector: Connector::new(client_tls),
    })
}

async fn run_prepared(prepared: Prepared, args: &ServeArgs) -> anyhow::Result<()> {
    // Before the listener, so that a signal sent once it is there ends the program in order.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let Prepared {
        mut settings,
        site,
        listen,
        upstream,
        tls,
        connector,
        public,
    } = prepared;
    let listener = TcpListener::bind((listen.host.as_str(), listen.port))
        .await
        .with_context(|| format!("cannot listen on {}:{}", listen.host, listen.port))?;
    let address = listener.local_addr()?;
    let stored_key = supply_api_key(&mut settings)?;
    let resolution = resolve(&settings, site)?;
    announce(&resolution, &upstream, &stored_key);
    if let StoredKey::Made { path, key } = &stored_key {
        show_key(path, key, &paste::client_url(&listen, address.port()))?;
    }
    let trusted_proxies = resolution.config.access.trusted_proxies.clone();
    let ledger = SharedLedger::new(resolution.config.attempt_limits());
    let seed = Seed::new(random_octets().context("cannot draw random numbers")?);
    let calls = CallClient::new(connector.clone(), public);
    let gate = Gate::new(resolution.config, seed, ledger, calls);
    let tally = Arc::new(Tally::default());
    let background = tokio::spawn({
        let (gate, tally) = (Arc::clone(&gate), Arc::clone(&tally));
        async move { tokio::join!(refresh(gate), tally.report_regularly()) }
    });
    let service = Arc::new(Service {
        gate,
        forwarder: Forwarder::new(&upstream, args.max_body_bytes)?,
        connector,
        tally: Arc::clone(&tally),
        trusted_proxies,
        tls,
    });
    tracing::info!("listening on {address}");
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    serve(listener, service, args.max_connections, stop)
        .await
        .context("cannot start threads")?;
    background.abort();
    tally.report();
    Ok(())
}

/// Logs what the gate is going to do.
fn announce(resolution: &Resolution, upstream: &HttpUrl, stored_key: &StoredKey) {
    let mode = resolution.config.mode_name();
    tracing::info!(mode, why = resolution.why, upstream = %upstream, "starting");
    if mode == "none" {
        tracing::warn!("AUTHENTICATION IS OFF: every request reaches the MCP server");
    }
    for warning in &resolution.warnings {
        tracing::warn!("{warning}");
    }
    match stored_key {
        StoredKey::Kept {
            path,
            loose_mode: Some(bits),
        } => tracing::warn!(
            "others can read the API key in {}: its mode is {bits:o}, it should be 600",
            path.display()
        ),
        StoredKey::Kept { path, .. } | StoredKey::Made { path, .. } => {
            tracing::info!("using the API key in {}", path.display());
        }
        StoredKey::NotNeeded | StoredKey::Missing { .. } => {}
    }
}

/// Shows the key on standard output, never in the log.
fn show_key(path: &Path, key: &str, url: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "A new API key, kept in {}:\n", path.display())?;
    writeln!(out, "    {key}\n")?;
    writeln!(out, "It is shown only this once. For mcp-remote:\n")?;
    writeln!(out, "{}", paste::mcp_remote(url, key)?)?;
    out.flush()?;
    Ok(())
}
