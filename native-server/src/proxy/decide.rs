//! The loop over the engine's steps.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as Clock};

use portcullis_core::audit::Basis;
use portcullis_core::config::ModeName;
use portcullis_core::jose::SignatureCheck;
use portcullis_core::rules::{AddressList, client_address};
use portcullis_core::{
    Answer, CallOutcome, Config, Decision, Engine, Opening, PendingBody, PendingCall, PendingCheck,
    PendingRequest, RequestBody, RequestHead, Seed, Step, Ticket, UnixSeconds, UpstreamCall,
};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

use super::body::BodyFault;
use super::trail::CallTrace;
use super::upload::Upload;
use super::{CallClient, SharedLedger};
use crate::crypto::NativeVerifier;
use crate::moment::ambient;
use crate::telemetry::{IssuerKeys, KeyUse, Present, Telemetry};
use crate::trace::TraceContext;

/// How long a request may wait for calls, all together.
const PATIENCE: Duration = Duration::from_secs(15);

/// The engine, with the requests that wait and the calls that are under way.
pub(crate) struct Gate {
    /// Locked for one method call of the engine, never across an `await`.
    state: Mutex<State>,
    /// Locked inside the lock of `state`, or alone.
    parked: Mutex<BTreeMap<Ticket, oneshot::Sender<Answer>>>,
    calls: CallClient,
    telemetry: Arc<Telemetry>,
    /// The mode of the engine.
    pub(super) mode: ModeName,
    /// Who is believed about the client's address.
    trusted_proxies: Option<AddressList>,
    /// The engine's.
    verifier: Arc<NativeVerifier>,
    /// Told whenever the time of the next refresh changed.
    pub(super) due_changed: Notify,
}

struct State {
    engine: Engine,
    due: Option<UnixSeconds>,
}

/// A decision, and what it took.
pub(super) struct Decided {
    pub(super) decision: Decision,
    pub(super) basis: Basis,
    /// How long the engine was at work.
    pub(super) engine: Duration,
    /// How long it took in all, with calls and the body.
    pub(super) whole: Duration,
}

/// Where a request stands.
enum Turn {
    Decided(Decision),
    /// Its body is wanted, of at most so many octets.
    Bodiless(usize, PendingBody),
    Parked(PendingRequest, Parked),
}

/// Where a request stands after its first turn.
enum Opened<'a> {
    Turn(Turn),
    Unchecked(SignatureCheck<'a>, PendingCheck),
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
            parked: Mutex::default(),
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

    /// Decides a request, and reads its body where that is part of the decision. Dropping the
    /// future gives the request up and cancels no call.
    pub(super) async fn decide(
        self: &Arc<Self>,
        head: &RequestHead<'_>,
        upload: &mut Upload,
        cause: Option<TraceContext>,
    ) -> Decided {
        let begun = Clock::now();
        let mut deadline = None;
        let (mut turn, mut basis) = self.open(head, cause);
        let mut engine = begun.elapsed();
        let mut whole = engine;
        loop {
            let resumed;
            turn = match turn {
                Turn::Decided(decision) => {
                    return Decided {
                        decision,
                        basis,
                        engine,
                        whole,
                    };
                }
                Turn::Bodiless(max_octets, pending) => {
                    let read = upload.read(max_octets).await;
                    let body = match &read {
                        Ok(whole) => RequestBody::Whole(whole),
                        Err(BodyFault::TooLarge) => RequestBody::TooLarge,
                        Err(BodyFault::Stalled | BodyFault::Cut) => RequestBody::Missing,
                    };
                    resumed = Clock::now();
                    self.take_turn(cause, |engine| engine.handle_body(pending, body, ambient()))
                }
                Turn::Parked(pending, parked) => {
                    let deadline = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
                    let answer = parked.answer(deadline).await;
                    basis = Basis::Call;
                    resumed = Clock::now();
                    self.take_turn(cause, |engine| {
                        engine.handle_wake(pending, &answer, ambient())
                    })
                }
            };
            engine = engine.saturating_add(resumed.elapsed());
            whole = begun.elapsed();
        }
    }

    /// Begins a request. Signatures are checked outside the lock: everything else takes a
    /// microsecond or a few, a signature tens of them.
    fn open(
        self: &Arc<Self>,
        head: &RequestHead<'_>,
        cause: Option<TraceContext>,
    ) -> (Turn, Basis) {
        let (opened, basis) = self.with_engine(cause, |state| {
            let hits = state.engine.cache_hits();
            let opened = match state.engine.open_request(head, ambient()) {
                Opening::Step(step) => Opened::Turn(self.turn(step)),
                Opening::Check { check, pending } => Opened::Unchecked(check, pending),
            };
            let basis = if state.engine.cache_hits() == hits {
                Basis::Request
            } else {
                Basis::Cache
            };
            (opened, basis)
        });
        let turn = match opened {
            Opened::Turn(turn) => turn,
            Opened::Unchecked(check, pending) => {
                let checked = check.run(self.verifier.as_ref());
                self.take_turn(cause, |engine| {
                    engine.handle_check(pending, checked, ambient())
                })
            }
        };
        (turn, basis)
    }

    /// Returns what is to be seen of it now.
    pub(super) fn present(&self) -> Present {
        let state = lock(&self.state);
        let engine = state.engine.observe();
        let keys = KeyUse::by_name(state.engine.api_keys());
        drop(state);
        Present {
            mode: self.mode,
            engine,
            waiting: lock(&self.parked).len(),
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

    fn take_turn(
        self: &Arc<Self>,
        cause: Option<TraceContext>,
        act: impl FnOnce(&mut Engine) -> Step,
    ) -> Turn {
        self.with_engine(cause, |state| self.turn(act(&mut state.engine)))
    }

    /// Parks a request that has to wait; under the same lock as the step, so that no wake can come
    /// in between.
    fn turn(self: &Arc<Self>, step: Step) -> Turn {
        match step {
            Step::Decide(decision) => Turn::Decided(decision),
            Step::ReadBody {
                max_octets,
                pending,
            } => Turn::Bodiless(max_octets, pending),
            Step::Wait { ticket, pending } => {
                let (sender, answer) = oneshot::channel();
                lock(&self.parked).insert(ticket, sender);
                let gate = Arc::clone(self);
                let parked = Parked {
                    gate,
                    ticket,
                    answer,
                };
                Turn::Parked(pending, parked)
            }
        }
    }

    fn finish_call(self: &Arc<Self>, pending: PendingCall, outcome: CallOutcome) {
        self.with_engine(None, |state| {
            let wake = state.engine.handle_upstream(pending, outcome, ambient());
            let mut parked = lock(&self.parked);
            for ticket in wake.tickets {
                if let Some(sender) = parked.remove(&ticket) {
                    // A request that is just being dropped needs no answer.
                    drop(sender.send(wake.answer.clone()));
                }
            }
        });
    }

    /// Runs `act` under the lock, then sends the calls that the engine asks for, `cause` being the
    /// request that is at work.
    fn with_engine<T>(
        self: &Arc<Self>,
        cause: Option<TraceContext>,
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
        cause: Option<TraceContext>,
    ) {
        let gate = Arc::clone(self);
        tokio::spawn(async move {
            let telemetry = &gate.telemetry;
            let trace = CallTrace::begin(telemetry, cause, &mut call);
            let begun = Clock::now();
            let outcome = gate.calls.send(&call).await;
            telemetry.count_call(gate.mode, &outcome, begun.elapsed());
            trace.end(telemetry, &call, &outcome);
            gate.finish_call(pending, outcome);
        });
    }
}

/// A parked request; dropping it takes the request off the list.
struct Parked {
    gate: Arc<Gate>,
    ticket: Ticket,
    answer: oneshot::Receiver<Answer>,
}

impl Parked {
    /// Waits for the answer until `deadline`.
    async fn answer(mut self, deadline: Instant) -> Answer {
        match timeout_at(deadline, &mut self.answer).await {
            Ok(Ok(answer)) => answer,
            // The sender only goes with the gate itself.
            Ok(Err(_)) | Err(_) => Answer::timed_out(),
        }
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        lock(&self.gate.parked).remove(&self.ticket);
    }
}

/// Locks, also after a panic: what the locks guard are maps, whole at every moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
