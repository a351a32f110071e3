//! The engine of one root context, and the requests and calls that are under way in it.

mod bodies;
mod calls;
mod waiting;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};

use portcullis_core::audit::Basis;
use portcullis_core::config::Clusters;
use portcullis_core::{Ambient, Decision, Engine, RequestHead, Step, Ticket, UnixSeconds};

use self::bodies::Collecting;
use self::calls::{Flight, Outgoing};
use self::waiting::{Parked, Woken};
use crate::audit::Audit;
use crate::exchange::{Exchange, Phase, Place};
use crate::host::{self, SharedData};
use crate::lease::Lease;
use crate::metrics::{self, Metrics, Told};
use crate::trace::{self, TraceFields};

/// Most requests to wake, and most calls to send, in one callback.
///
/// Envoy carries the consequences out when the callback is over, each inside the one before it:
/// some 300 of them overflow the native stack and kill the VM.
const MAX_PER_CALLBACK: usize = 32;

/// Of how many requests one is timed: reading the clock and telling the time costs the host more
/// than a warm decision costs the engine.
const TIMED_ONE_OF: u32 = 64;

/// What a root context shares with its HTTP contexts.
///
/// A call is always sent from a callback of the root context: the SDK delivers a response to the
/// context at work when the call was sent, and that of a request may be gone by then.
pub(crate) struct Gate {
    root: u32,
    queue: u32,
    clusters: Clusters,
    state: RefCell<State>,
    /// The calls that all workers of the process share, where they do.
    lease: Option<RefCell<Lease<SharedData>>>,
    /// The counters.
    pub(crate) metrics: Metrics,
    /// Writes records, where there are to be some.
    pub(crate) audit: Option<Audit>,
    told: Told,
    /// Requests that began.
    begun: Cell<u32>,
}

struct State {
    engine: Engine,
    outgoing: VecDeque<Outgoing>,
    /// Calls that another worker makes.
    following: Vec<Outgoing>,
    /// By token.
    flights: BTreeMap<u32, Flight>,
    parked: BTreeMap<Ticket, Parked>,
    /// By context.
    collecting: BTreeMap<u32, Collecting>,
    woken: VecDeque<Woken>,
    signalled: bool,
}

impl Gate {
    /// Makes the gate of the root context `root`, which owns `queue`.
    pub(crate) fn new(
        root: u32,
        queue: u32,
        engine: Engine,
        clusters: Clusters,
        lease: Option<Lease<SharedData>>,
        audit: Option<Audit>,
    ) -> Self {
        Self {
            root,
            queue,
            clusters,
            lease: lease.map(RefCell::new),
            metrics: Metrics::new(engine.config().mode.name().label()),
            audit,
            told: Told::default(),
            begun: Cell::new(0),
            state: RefCell::new(State {
                engine,
                outgoing: VecDeque::new(),
                following: Vec::new(),
                flights: BTreeMap::new(),
                parked: BTreeMap::new(),
                collecting: BTreeMap::new(),
                woken: VecDeque::new(),
                signalled: false,
            }),
        }
    }

    /// Begins a request; `None` when it is parked, or its body is collected.
    pub(crate) fn begin(&self, head: &RequestHead<'_>, exchange: &Exchange) -> Option<Decision> {
        let ambient = host::ambient();
        let number = self.begun.replace(self.begun.get().wrapping_add(1));
        let since = number.is_multiple_of(TIMED_ONE_OF).then(host::time);
        let step = self.handle_request(head, exchange, ambient);
        self.state
            .borrow_mut()
            .collect_calls(|| trace::fields(head));
        if let Some(since) = since {
            metrics::record_engine(host::time().saturating_sub(since));
        }
        if !matches!(step, Step::Decide(_)) {
            exchange.follow(trace::fields(head));
        }
        let decision = self.settle(step, exchange, ambient.now);
        self.signal_work();
        decision
    }

    /// Has the engine begin a request, and takes note of what a record needs.
    fn handle_request(
        &self,
        head: &RequestHead<'_>,
        exchange: &Exchange,
        ambient: Ambient,
    ) -> Step {
        let engine = &mut self.state.borrow_mut().engine;
        if self.audit.is_none() {
            return engine.handle_request(head, ambient);
        }
        exchange.began(host::time());
        let hits = engine.cache_hits();
        let step = engine.handle_request(head, ambient);
        if engine.cache_hits() != hits {
            exchange.rest_on(Basis::Cache);
        }
        step
    }

    /// Forgets a request that is gone.
    pub(crate) fn leave(&self, exchange: &Exchange) {
        let place = exchange.place();
        let (Some(place), Ok(mut state)) = (place, self.state.try_borrow_mut()) else {
            return;
        };
        match place {
            Place::Parked(ticket) => drop(state.parked.remove(&ticket)),
            Place::Collecting => drop(state.collecting.remove(&exchange.context)),
        }
    }

    /// Does what waits: sends calls and wakes requests. For callbacks of the root context only.
    pub(crate) fn work(&self) {
        self.state.borrow_mut().signalled = false;
        self.send_calls();
        self.wake_requests();
        self.signal_work();
    }

    /// Looks at the calls of other workers again, in the next [`Self::work`].
    pub(crate) fn look_again(&self) {
        let mut state = self.state.borrow_mut();
        let following = std::mem::take(&mut state.following);
        state.outgoing.extend(following);
    }

    /// Does what is due. For the tick of the root context only.
    pub(crate) fn tick(&self) {
        let ambient = host::ambient();
        let mut state = self.state.borrow_mut();
        let due = state.engine.poll_timeout();
        if due.is_some_and(|due| due <= ambient.now) {
            state.engine.handle_timeout(ambient);
        }
        state.collect_calls(Vec::new);
        state.give_up_overdue(ambient.now);
        self.told.tell(state.engine.observe());
        drop(state);
        self.look_again();
        self.work();
    }

    /// Takes the response to a call. For the root context only.
    pub(crate) fn finish_call(&self, token: u32, num_headers: usize, body_size: usize) {
        let flight = self.state.borrow_mut().flights.remove(&token);
        if let Some(flight) = flight {
            metrics::record_call(host::time().saturating_sub(flight.sent));
            let outcome = host::call_outcome(num_headers, body_size, flight.max_bytes);
            self.take_outcome(flight, outcome);
        }
        self.wake_requests();
        self.signal_work();
    }

    fn settle(&self, step: Step, exchange: &Exchange, now: UnixSeconds) -> Option<Decision> {
        let mut state = self.state.borrow_mut();
        state.collect_calls(|| exchange.trace());
        match step {
            Step::Decide(decision) => Some(decision),
            Step::ReadBody {
                max_octets,
                pending,
            } => {
                exchange.set(Phase::Waiting(Place::Collecting));
                let collecting = Collecting {
                    since: now,
                    max_octets,
                    octets: 0,
                    pending,
                    exchange: exchange.clone(),
                };
                state.collecting.insert(exchange.context, collecting);
                None
            }
            Step::Wait { ticket, pending } => {
                exchange.set(Phase::Waiting(Place::Parked(ticket)));
                exchange.rest_on(Basis::Call);
                let exchange = exchange.clone();
                let parked = Parked {
                    since: now,
                    pending,
                    exchange,
                };
                state.parked.insert(ticket, parked);
                None
            }
        }
    }

    /// Asks for a callback of the root context when anything waits for one.
    fn signal_work(&self) {
        let mut state = self.state.borrow_mut();
        let idle = state.outgoing.is_empty() && state.woken.is_empty();
        if !idle && !state.signalled {
            state.signalled = true;
            drop(state);
            host::signal(self.queue);
        }
    }
}

impl State {
    /// Takes the calls that the engine wants, each with what `trace` says of its cause.
    fn collect_calls(&mut self, trace: impl Fn() -> TraceFields) {
        while let Some((call, pending)) = self.engine.poll_call() {
            let (waiting, trace) = (None, trace());
            self.outgoing.push_back(Outgoing {
                call,
                pending,
                trace,
                waiting,
            });
        }
    }
}
