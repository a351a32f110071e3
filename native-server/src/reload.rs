//! Puts settings in force: at the start, and whenever they change.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use portcullis_core::config::{Config, Resolution, Settings};
use portcullis_core::{Digest, HttpUrl, Seed};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::crypto::random_octets;
use crate::file_watch::FileWatch;
use crate::plan::Plan;
use crate::proxy::{CallClient, Current, Forwarder, Gate, Role, Service, SharedLedger, refresh};
use crate::settings::SettingsArgs;
use crate::state::{self, StoredKey};
use crate::summary::Summary;
use crate::telemetry::Telemetry;

/// How often the files are looked at. A change is taken up when they have been still for as long.
const INTERVAL: Duration = Duration::from_millis(200);

/// What stays while settings come and go.
pub(crate) struct Lasting {
    /// The state key for want of another: session ids must survive a change of something else.
    process_key: String,
    max_body_bytes: u64,
    ledger: SharedLedger,
    telemetry: Arc<Telemetry>,
    /// The gate in force, and the digest of its settings.
    in_force: Option<(Digest, Arc<Gate>)>,
}

impl Lasting {
    /// Draws what is random.
    ///
    /// # Errors
    ///
    /// Fails when the system has no randomness.
    pub(crate) fn new(max_body_bytes: u64, telemetry: Arc<Telemetry>) -> anyhow::Result<Self> {
        Ok(Self {
            process_key: state::fresh()?,
            max_body_bytes,
            ledger: SharedLedger::new(portcullis_core::attempts::AttemptLimits::default()),
            telemetry,
            in_force: None,
        })
    }

    /// Makes a plan of `settings`.
    ///
    /// # Errors
    ///
    /// Refuses settings that cannot be carried out.
    pub(crate) fn plan(&self, settings: Settings) -> anyhow::Result<Plan> {
        Ok(Plan::new(settings, &self.process_key)?)
    }

    /// Makes what requests meet. Settings that are the same, such as with new certificates, keep
    /// the gate in force, and all that it remembers.
    ///
    /// # Errors
    ///
    /// Fails when the system has no randomness, or the protected resource cannot be named.
    pub(crate) fn service(
        &mut self,
        plan: Plan,
        resolution: Resolution,
    ) -> anyhow::Result<Service> {
        let summary = Arc::new(Summary::new(&plan, &resolution));
        let config = resolution.config;
        let digest = plan.digest();
        let trusted_proxies = config.access.trusted_proxies.clone();
        let role = match &plan.upstream {
            Some(upstream) => Role::PassOn(Forwarder::new(
                upstream,
                plan.connector.clone(),
                trusted_proxies,
                self.max_body_bytes,
            )?),
            None => Role::Answer(trusted_proxies),
        };
        let gate = match &self.in_force {
            Some((settings, gate)) if *settings == digest => Arc::clone(gate),
            in_force => {
                let earlier = in_force.as_ref().map(|(_, gate)| Arc::clone(gate));
                let gate = self.gate(config, CallClient::new(plan.connector, plan.public))?;
                if let Some(earlier) = earlier {
                    gate.succeed(&earlier);
                }
                gate
            }
        };
        self.in_force = Some((digest, Arc::clone(&gate)));
        Ok(Service {
            gate,
            role,
            telemetry: Arc::clone(&self.telemetry),
            summary,
            tls: plan.tls,
            admission: plan.admission,
        })
    }

    fn gate(&mut self, config: Config, calls: CallClient) -> anyhow::Result<Arc<Gate>> {
        let seed = Seed::new(random_octets().context("cannot draw random numbers")?);
        self.ledger = self.ledger.under(config.attempt_limits());
        let (ledger, telemetry) = (self.ledger.clone(), Arc::clone(&self.telemetry));
        Ok(Gate::new(config, seed, ledger, calls, telemetry))
    }
}

/// Puts other settings in force when their files change, or when it is told to.
pub(crate) struct Reloader {
    /// Where the settings come from.
    pub(crate) args: SettingsArgs,
    /// What is not made anew.
    pub(crate) lasting: Lasting,
    /// The files, as they were read last.
    pub(crate) watch: FileWatch,
    /// The mode in force.
    pub(crate) mode: &'static str,
    /// The host and the port that are listened on.
    pub(crate) listens_on: (String, u16),
    /// The port in use, which the system chose where that one is 0.
    pub(crate) port: u16,
    /// What requests meet.
    pub(crate) current: Arc<Current>,
    /// Runs what the engine does by the clock.
    pub(crate) runtime: Handle,
    /// That, for the engine in force.
    pub(crate) refreshing: JoinHandle<()>,
}

impl Reloader {
    /// Watches until the other end of `told` is gone. Each message there is the wish to read the
    /// settings again. Files may be slow to read, so this is for a thread of its own.
    pub(crate) fn run(mut self, told: &Receiver<()>) {
        loop {
            let wanted = match told.recv_timeout(INTERVAL) {
                Ok(()) => true,
                Err(RecvTimeoutError::Timeout) => self.watch.has_changed(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if !wanted {
                continue;
            }
            let reloaded = self.reload();
            self.lasting.telemetry.count_reload(reloaded.is_ok());
            if let Err(error) = reloaded {
                tracing::error!(
                    "new settings refused, those in force stay: {error:#}; \
                     the next change of a file, or SIGHUP, tries again"
                );
            }
        }
    }

    fn reload(&mut self) -> anyhow::Result<()> {
        let before = std::mem::take(&mut self.watch);
        let settings = self.args.load_watched(&mut self.watch);
        let settings = settings.inspect_err(|_| self.watch.note_again(&before))?;
        let mut plan = self.lasting.plan(settings)?;
        let (host, port) = &self.listens_on;
        if (&plan.listen.host, &plan.listen.port) != (host, port) {
            bail!("another listen address takes a restart; this process listens on {host}:{port}");
        }
        plan.listen.port = self.port;
        let (resolution, stored_key) = plan.complete_again(self.mode != "none")?;
        let mode = resolution.config.mode_name();
        announce(
            &resolution,
            plan.upstream.as_ref(),
            &stored_key,
            "settings reloaded",
        );
        let service = self.lasting.service(plan, resolution)?;
        self.refreshing.abort();
        self.refreshing = self.runtime.spawn(refresh(Arc::clone(&service.gate)));
        self.current.replace(service);
        self.mode = mode;
        Ok(())
    }
}

/// Logs what the gate is going to do.
pub(crate) fn announce(
    resolution: &Resolution,
    upstream: Option<&HttpUrl>,
    stored_key: &StoredKey,
    what: &str,
) {
    let mode = resolution.config.mode_name();
    match upstream {
        Some(upstream) => tracing::info!(mode, why = resolution.why, %upstream, "{what}"),
        None => tracing::info!(
            mode,
            why = resolution.why,
            "{what} without an MCP server: other proxies ask here what to pass on"
        ),
    }
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
