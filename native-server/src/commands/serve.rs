//! `portcullis serve`.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use portcullis_core::config::{ConfigError, Resolution, Setting, Site, resolve};
use portcullis_core::{Engine, HttpUrl};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;

use crate::crypto::NativeVerifier;
use crate::listen::Listen;
use crate::logs::LogArgs;
use crate::paste;
use crate::proxy::{CallClient, Connector, Forwarder, Gate, Service, refresh, serve};
use crate::settings::SettingsArgs;
use crate::state::{StoredKey, supply_api_key, supply_state_keys};
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

/// Everything that is checked before the first socket is opened.
struct Prepared {
    listen: Listen,
    upstream: HttpUrl,
    resolution: Resolution,
    stored_key: StoredKey,
    tls: Option<TlsAcceptor>,
    connector: Connector,
}

/// Serves until told to stop.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    args.logs.start();
    let prepared = prepare(&args.settings)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?
        .block_on(run_prepared(prepared, args))
}

fn prepare(args: &SettingsArgs) -> Result<Prepared, ConfigError> {
    let mut settings = args.load()?;
    let listen = Listen::from_settings(&settings)?;
    let stored_key = supply_api_key(&mut settings)?;
    supply_state_keys(&mut settings)?;
    let site = Site::Native {
        loopback: listen.is_loopback(),
    };
    let resolution = resolve(&settings, site)?;
    let upstream = resolution.config.upstream().cloned().ok_or_else(|| {
        ConfigError::at(
            Setting::Upstream,
            "must be set to the URL of the MCP server to protect, or given as --upstream",
        )
    })?;
    let tls = match &listen.tls {
        Some(files) => Some(TlsAcceptor::from(Arc::new(tls::server_config(files)?))),
        None => None,
    };
    let mut calls = resolution.config.call_urls();
    calls.push(upstream.clone());
    let client_tls = tls::client_config(calls.iter().any(HttpUrl::is_https))?;
    Ok(Prepared {
        listen,
        upstream,
        resolution,
        stored_key,
        tls,
        connector: Connector::new(client_tls),
    })
}

async fn run_prepared(prepared: Prepared, args: &ServeArgs) -> anyhow::Result<()> {
    // Before the listener, so that a signal sent once it is there ends the program in order.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let Prepared { listen, .. } = &prepared;
    let listener = TcpListener::bind((listen.host.as_str(), listen.port))
        .await
        .with_context(|| format!("cannot listen on {}:{}", listen.host, listen.port))?;
    let address = listener.local_addr()?;
    announce(&prepared, address.port())?;
    let Prepared {
        upstream,
        resolution,
        tls,
        connector,
        ..
    } = prepared;
    let engine = Engine::new(resolution.config, Box::new(NativeVerifier));
    let gate = Gate::new(engine, CallClient::new(connector.clone()));
    let background = tokio::spawn(refresh(Arc::clone(&gate)));
    let service = Arc::new(Service {
        gate,
        forwarder: Forwarder::new(connector, &upstream, args.max_body_bytes)?,
        tls,
    });
    tracing::info!("listening on {address}");
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    serve(listener, service, args.max_connections, stop).await;
    background.abort();
    Ok(())
}

/// Logs what the gate is going to do, and shows a key that was just made.
fn announce(prepared: &Prepared, port: u16) -> anyhow::Result<()> {
    let Prepared {
        listen,
        upstream,
        resolution,
        stored_key,
        ..
    } = prepared;
    let mode = resolution.config.mode_name();
    tracing::info!(mode, why = resolution.why, upstream = %upstream, "starting");
    if mode == "none" {
        tracing::warn!("AUTHENTICATION IS OFF: every request reaches the MCP server");
    }
    for warning in &resolution.warnings {
        tracing::warn!("{warning}");
    }
    match stored_key {
        StoredKey::Made { path, key } => show_key(path, key, listen, port, upstream)?,
        StoredKey::Kept {
            path,
            loose_mode: Some(bits),
        } => tracing::warn!(
            "others can read the API key in {}: its mode is {bits:o}, it should be 600",
            path.display()
        ),
        StoredKey::Kept { path, .. } => {
            tracing::info!("using the API key in {}", path.display());
        }
        StoredKey::NotNeeded | StoredKey::Missing { .. } => {}
    }
    Ok(())
}

/// Shows the key on standard output, never in the log.
fn show_key(
    path: &Path,
    key: &str,
    listen: &Listen,
    port: u16,
    upstream: &HttpUrl,
) -> anyhow::Result<()> {
    let url = paste::client_url(listen, port, upstream);
    let mut out = std::io::stdout().lock();
    writeln!(out, "A new API key, kept in {}:\n", path.display())?;
    writeln!(out, "    {key}\n")?;
    writeln!(out, "It is shown only this once. For mcp-remote:\n")?;
    writeln!(out, "{}", paste::mcp_remote(&url, key)?)?;
    out.flush()?;
    Ok(())
}
