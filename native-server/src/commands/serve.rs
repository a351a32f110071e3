//! `portcullis serve`.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{TrySendError, sync_channel};

use anyhow::{Context as _, anyhow};
use portcullis_core::HttpUrl;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use super::client_config::mcp_remote;
use crate::admin::AdminArgs;
use crate::audit::AuditArgs;
use crate::file_watch::FileWatch;
use crate::logs::LogArgs;
use crate::open_files;
use crate::paste::client_url;
use crate::plan::Plan;
use crate::proxy::{Current, refresh, serve};
use crate::reload::{Lasting, Reloader, announce};
use crate::settings::SettingsArgs;
use crate::state::StoredKey;
use crate::telemetry::Telemetry;
use crate::trace::{Export, Tracer};

/// Arguments of `portcullis serve`.
#[derive(clap::Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(super) settings: SettingsArgs,
    #[command(flatten)]
    logs: LogArgs,
    #[command(flatten)]
    pub(super) admin: AdminArgs,
    #[command(flatten)]
    audit: AuditArgs,
    /// Largest request body
    #[arg(long, help_heading = "Limits", value_name = "BYTES", default_value_t = 16 * 1024 * 1024)]
    max_body_bytes: u64,
    /// Connections of clients at a time
    #[arg(long, help_heading = "Limits", value_name = "COUNT", default_value_t = 4096,
          value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: u32,
}

/// Serves until told to stop.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    args.logs.start();
    open_files::raise(args.max_connections);
    let (tracer, export) = Tracer::from_environment()?.unzip();
    let telemetry = Telemetry::new(args.admin.is_on(), args.audit.open()?, tracer);
    let lasting = Lasting::new(args.max_body_bytes, Arc::clone(&telemetry))?;
    let mut watch = FileWatch::default();
    let plan = lasting.plan(args.settings.load_watched(&mut watch)?)?;
    // One worker a core, this thread being the first.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let carried_out = runtime.block_on(async {
        let exporting = export.map(Export::start);
        let until = carry_out(plan, lasting, watch, telemetry, args).await?;
        if let Some(exporting) = exporting {
            exporting.finish(until).await;
        }
        Ok(())
    });
    // Looking a name up cannot be broken off, and nobody waits for the result.
    runtime.shutdown_background();
    carried_out
}

/// Serves until told to stop, and returns until when everything should be over.
async fn carry_out(
    mut plan: Plan,
    mut lasting: Lasting,
    watch: FileWatch,
    telemetry: Arc<Telemetry>,
    args: &ServeArgs,
) -> anyhow::Result<Instant> {
    // Before the listener, so that a signal sent once it is there does what it should.
    let mut stop = Stop::new()?;
    let hangup = signal(SignalKind::hangup())?;
    let listens_on = (plan.listen.host.clone(), plan.listen.port);
    let opening = async { anyhow::Ok((listen(&listens_on).await?, args.admin.open().await?)) };
    let (listener, admin) = tokio::select! {
        opened = opening => opened?,
        // A name may take long to look up.
        () = stop.told() => return Ok(Instant::now()),
    };
    let address = listener.local_addr()?;
    plan.listen.port = address.port();
    let (resolution, stored_key) = plan.complete()?;
    announce(&resolution, plan.upstream.as_ref(), &stored_key, "starting");
    if let StoredKey::Made { path, key } = &stored_key {
        let url = HttpUrl::parse(&client_url(&plan.listen, address.port()));
        let url = url.map_err(|problem| anyhow!("the listen address {problem}"))?;
        show_key(path, key, &url)?;
    }
    let mode = resolution.config.mode_name();
    let service = lasting.service(plan, resolution)?;
    let refreshing = tokio::spawn(refresh(Arc::clone(&service.gate)));
    let current = Current::new(service);
    let keeping_up = tokio::spawn({
        let telemetry = Arc::clone(&telemetry);
        async move { telemetry.keep_up().await }
    });
    if let Some(admin) = admin {
        tokio::spawn(admin.serve(Arc::clone(&telemetry), Arc::clone(&current)));
    }
    let reloader = Reloader {
        args: args.settings.clone(),
        lasting,
        watch,
        mode,
        listens_on,
        port: address.port(),
        current: Arc::clone(&current),
        runtime: Handle::current(),
        refreshing,
    };
    reload_on(hangup, reloader)?;
    reopen_on(signal(SignalKind::hangup())?, &telemetry);
    tracing::info!("listening on {address}");
    let until = serve(
        listener,
        current,
        &telemetry,
        args.max_connections,
        stop.told(),
    )
    .await
    .context("cannot start threads")?;
    keeping_up.abort();
    telemetry.report();
    if let Some(audit) = &telemetry.audit {
        audit.flush();
    }
    Ok(until)
}

async fn listen((host, port): &(String, u16)) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind((host.as_str(), *port)).await;
    listener.with_context(|| format!("cannot listen on {host}:{port}"))
}

/// The signals that end the program.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for one of them.
    async fn told(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Has the audit log opened anew when `hangup` comes, as is usual after a rotation.
fn reopen_on(mut hangup: Signal, telemetry: &Arc<Telemetry>) {
    let telemetry = Arc::clone(telemetry);
    tokio::spawn(async move {
        while let (Some(audit), Some(())) = (&telemetry.audit, hangup.recv().await) {
            audit.reopen();
        }
    });
}

/// Reloads when the files change and when `hangup` comes, in a thread that ends with the runtime.
/// Signals that come during a reload make one more, however many they are.
fn reload_on(mut hangup: Signal, reloader: Reloader) -> anyhow::Result<()> {
    let (tell, told) = sync_channel(1);
    std::thread::Builder::new()
        .name("reload".into())
        .spawn(move || reloader.run(&told))
        .context("cannot start threads")?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!("told to reload");
            // In a full channel there is the wish already.
            if let Err(TrySendError::Disconnected(())) = tell.try_send(()) {
                return;
            }
        }
    });
    Ok(())
}

/// Shows the key on standard output, never in the log.
fn show_key(path: &Path, key: &str, url: &HttpUrl) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "A new API key, kept in {}:\n", path.display())?;
    writeln!(out, "    {key}\n")?;
    writeln!(out, "It is shown only this once. For mcp-remote:\n")?;
    writeln!(out, "{}", mcp_remote(url, key))?;
    out.flush()?;
    Ok(())
}
