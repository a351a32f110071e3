//! The engine behind its lock, and what it asks for.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use portcullis_core::config::ModeName;
use portcullis_core::rules::{AddressList, client_address};
use portcullis_core::{
    CallOutcome, Config, Engine, PendingCall, RequestHead, Seed, UnixSeconds, UpstreamCall,
};
use tokio::sync::Notify;

use super::parked::ParkedRequests;
use super::trail::CallTrace;
use super::{CallClient, SharedLedger};
use crate::crypto::NativeVerifier;
use crate::moment::ambient;
use crate::telemetry::{IssuerKeys, KeyUse, Present, Telemetry};
use crate::trace::Cause;

/// The engine, with the requests that wait and the calls that are under way.
pub(crate) struct Gate {
    /// Locked for one method call of the engine, never across an `await`.
    state: Mutex<State>,
    /// Locked inside the lock of `state`, or alone.
    pub(super) parked: Arc<ParkedRequests>,
    calls: CallClient,
    telemetry: Arc<Telemetry>,
    /// The mode of the engine.
    pub(super) mode: ModeName,
    /// Who is believed about the client's address.
    trusted_proxies: Option<AddressList>,
    /// The engine's.
    pub(super) verifier: Arc<NativeVerifier>,
    /// Told whenever the time of the next refresh changed.
    pub(super) due_changed: Notify,
}

/// The engine, and when its next refresh is due.
pub(super) struct State {
    pub(super) engine: Engine,
    due: Option<UnixSeconds>,
}

impl Gate {
    /// Puts an engine to work; its calls go out through `calls`.
    pub(crate) fn new(
        config: Config,
        seed: Seed,
        ledger: SharedLedger,
        calls: CallClient,
        telemetry: Arc<Telemetry>,
    ) -> Arc<Self> {
        let mode = config.mode.name();
        let trusted_proxies = config.access.trusted_proxies.clone();
        let verifier = Arc::new(NativeVerifier::default());
        let engine = Engine::new(config, Box::new(Arc::clone(&verifier)), seed)
            .with_attempt_ledger(Box::new(ledger));
        let due = engine.poll_timeout();
        Arc::new(Self {
            state: Mutex::new(State { engine, due }),
            parked: Arc::default(),
            calls,
            telemetry,
            mode,
            trusted_proxies,
            verifier,
            due_changed: Notify::new(),
        })
    }

    /// Takes over what the engine of `earlier` remembers, as far as it counts here too. That gate
    /// goes on with the requests that it has begun.
    pub(crate) fn succeed(&self, earlier: &Self) {
        let mut own = lock(&self.state);
        own.engine.succeed(&mut lock(&earlier.state).engine);
        own.due = own.engine.poll_timeout();
    }

    /// Returns what is to be seen of it now.
    pub(super) fn present(&self) -> Present {
        let state = lock(&self.state);
        let engine = state.engine.observe();
        let keys = state.engine.api_keys();
        drop(state);
        // There may be a hundred thousand keys, and sorting them takes tens of milliseconds.
        let keys = KeyUse::by_name(keys.statuses());
        Present {
            mode: self.mode,
            engine,
            waiting: self.parked.count(),
            keys,
        }
    }

    /// Returns the keys of the issuer, where there is one.
    pub(super) fn issuer_keys(&self) -> Option<IssuerKeys> {
        let state = lock(&self.state);
        Some(IssuerKeys {
            set: state.engine.observe().keys?,
            keys: state.engine.describe_keys(),
            jwks: state.engine.publish_keys(),
        })
    }

    /// Returns the address that a request comes from, if it can be told.
    pub(super) fn client(&self, head: &RequestHead<'_>) -> Option<IpAddr> {
        client_address(head, self.trusted_proxies.as_ref())
    }

    /// Does what is due by the engine's clock, and returns when it is due next.
    pub(super) fn tick(self: &Arc<Self>) -> Option<UnixSeconds> {
        let now = ambient();
        self.with_engine(None, |state| {
            if state
                .engine
                .poll_timeout()
                .is_some_and(|due| due <= now.now)
            {
                state.engine.handle_timeout(now);
            }
            state.engine.poll_timeout()
        })
    }

    fn finish_call(
        self: &Arc<Self>,
        pending: PendingCall,
        outcome: CallOutcome,
        cause: Option<&Cause>,
    ) {
        self.with_engine(cause, |state| {
            let wake = state.engine.handle_upstream(pending, outcome, ambient());
            self.parked.wake(wake);
        });
    }

    /// Runs `act` under the lock, then sends the calls that the engine asks for, `cause` being the
    /// request that is at work.
    pub(super) fn with_engine<T>(
        self: &Arc<Self>,
        cause: Option<&Cause>,
        act: impl FnOnce(&mut State) -> T,
    ) -> T {
        let mut state = lock(&self.state);
        let result = act(&mut state);
        let calls: Vec<_> = std::iter::from_fn(|| state.engine.poll_call()).collect();
        let due = state.engine.poll_timeout();
        let due_changed = due != state.due;
        state.due = due;
        drop(state);
        if due_changed {
            self.due_changed.notify_one();
        }
        for (call, pending) in calls {
            self.spawn_call(call, pending, cause);
        }
        result
    }

    /// Sends a call in a task of its own: no request owns it, so a client that leaves cancels
    /// nothing.
    fn spawn_call(
        self: &Arc<Self>,
        mut call: UpstreamCall,
        pending: PendingCall,
        cause: Option<&Cause>,
    ) {
        let gate = Arc::clone(self);
        let cause = cause.cloned();
        tokio::spawn(async move {
            let telemetry = &gate.telemetry;
            let trace = CallTrace::begin(telemetry, cause.as_ref(), &mut call);
            let begun = Instant::now();
            let outcome = gate.calls.send(&call).await;
            telemetry.count_call(gate.mode, &outcome, begun.elapsed());
            trace.end(telemetry, &call, &outcome);
            gate.finish_call(pending, outcome, cause.as_ref());
        });
    }
}

/// Locks, also after a panic: what the lock guards is whole between two steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
