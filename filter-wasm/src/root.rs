//! The root context: configuration, tick, calls.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::rc::Rc;
use std::time::Duration;

use portcullis_core::config::{
    Clusters, Config, ConfigError, Setting, Settings, Site, WorkerLease, resolve,
};
use portcullis_core::{Engine, Seed};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use crate::attempts::SharedAttempts;
use crate::audit::Audit;
use crate::gate::Gate;
use crate::host::{self, SharedData};
use crate::http::AuthHttp;
use crate::lease::{Lease, Outcomes};
use crate::metrics;
use crate::store::Space;
use crate::verifier::HostVerifier;

/// The first tick comes soon, as no call can be sent while the plugin is being configured.
const FIRST_TICK: Duration = Duration::from_millis(100);

/// Times are whole seconds, so a quicker tick would see nothing new.
const TICK: Duration = Duration::from_secs(1);

/// The root context.
pub(crate) struct AuthRoot {
    id: u32,
    gate: Option<Rc<Gate>>,
    settled: bool,
    /// Whether the host's log leaves records out that are asked for.
    loses_records: bool,
}

impl AuthRoot {
    /// Makes the root context `id`, which refuses everything until it is configured.
    pub(crate) const fn new(id: u32) -> Self {
        Self {
            id,
            gate: None,
            settled: false,
            loses_records: false,
        }
    }

    /// Takes over the host's log level, which an operator may change at any time, and tells when
    /// that begins to leave records out.
    fn follow_log_level(&mut self) {
        host::follow_log_level();
        let has_records = self.gate.as_ref().is_some_and(|gate| gate.audit.is_some());
        let loses = has_records && log::max_level() < log::LevelFilter::Info;
        if loses && !self.loses_records {
            log::error!("audit records are lost: Envoy's log level of wasm is above info");
        }
        self.loses_records = loses;
    }

    fn configure(&self) -> Result<Gate, ConfigError> {
        let settings = settings()?;
        let resolution = resolve(&settings, Site::Filter)?;
        let clusters = settings.non_blank(Setting::Clusters).unwrap_or_default();
        let clusters = Clusters::parse(clusters)?;
        // Queues are known by name to every plugin of the process, so the name is a random one.
        let name = format!("portcullis.{:016x}", random());
        let queue = host::register_queue(&name)
            .ok_or_else(|| ConfigError::general("the host has no queue for this plugin"))?;
        let mode = resolution.config.mode_name();
        let audit = Audit::parse(
            settings.non_blank(Setting::Audit).unwrap_or_default(),
            mode,
            resolution.config.access.trusted_proxies.clone(),
            random(),
        )?;
        log::info!("mode {mode}: {}", resolution.why);
        for warning in &resolution.warnings {
            log::warn!("{warning}");
        }
        let verifier = HostVerifier::probe();
        log::info!("{}", verifier.describe());
        metrics::record_host_algorithms(verifier.host_algorithms());
        let seed = seed()?;
        let mut engine = Engine::new(resolution.config, Box::new(verifier), seed);
        let shared = settings.non_blank(Setting::WorkerLease).unwrap_or_default();
        let shares = WorkerLease::parse(shared)?.applies_to(&host::vm_id());
        let mut lease = None;
        if let Some([calls, attempts, outcomes]) = shares.then(|| spaces(engine.config())).flatten()
        {
            let limits = engine.config().attempt_limits();
            engine = engine
                .with_attempt_ledger(Box::new(SharedAttempts::new(attempts, limits)))
                .with_hearsay(Box::new(Outcomes(outcomes)));
            lease = Some(Lease::new(calls, queue, random()));
        }
        let whose = if lease.is_some() {
            "all workers together"
        } else {
            "each worker"
        };
        log::info!("calls and budgets are those of {whose}");
        Ok(Gate::new(self.id, queue, engine, clusters, lease, audit))
    }
}

impl Context for AuthRoot {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body_size: usize, _: usize) {
        if let Some(gate) = &self.gate {
            gate.finish_call(token, headers, body_size);
        }
    }
}

impl RootContext for AuthRoot {
    fn on_configure(&mut self, _: usize) -> bool {
        host::follow_log_level();
        match self.configure() {
            Ok(gate) => {
                self.gate = Some(Rc::new(gate));
                self.settled = false;
                host::set_tick(FIRST_TICK);
                self.follow_log_level();
                true
            }
            Err(error) => {
                log::error!("configuration refused: {error}");
                self.gate = None;
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if !self.settled {
            self.settled = true;
            host::set_tick(TICK);
        }
        self.follow_log_level();
        if let Some(gate) = &self.gate {
            gate.tick();
        }
    }

    fn on_queue_ready(&mut self, queue: u32) {
        let news = host::dequeue(queue);
        if let Some(gate) = &self.gate {
            if news {
                gate.look_again();
            }
            gate.work();
        }
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(AuthHttp::new(id, self.gate.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// Opens what filters with the same settings share, for calls, attempts and outcomes.
fn spaces(config: &Config) -> Option<[Space<SharedData>; 3]> {
    let fresh = [(); 4].map(|()| random().to_be_bytes());
    let fresh = fresh.concat().try_into().ok()?;
    let settings = config.sharing_digest();
    let open = || Space::open(SharedData, &settings, fresh);
    Some([open()?, open()?, open()?])
}

/// Draws a number that nobody can tell.
fn random() -> u64 {
    RandomState::new().hash_one(0)
}

/// Collects the settings: plugin configuration over the environment of the VM.
fn settings() -> Result<Settings, ConfigError> {
    let mut settings = Settings::default();
    let mut variables = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Some(setting) = name.to_str().and_then(Setting::from_name) else {
            continue;
        };
        let value = value.into_string();
        let value = value.map_err(|_| ConfigError::at(setting, "must be UTF-8"))?;
        variables.push((setting.name(), value));
    }
    settings.read_environment(variables);
    settings.read_json(&host::plugin_configuration())?;
    Ok(settings)
}

fn seed() -> Result<Seed, ConfigError> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets)
        .map_err(|_| ConfigError::general("the host gives no random numbers"))?;
    Ok(Seed::new(octets))
}
