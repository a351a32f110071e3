//! The host of a test: it sends calls when it is told to, and its clock goes when it is told to.

use std::collections::{BTreeMap, VecDeque};

use portcullis_core::config::{Resolution, Settings, Site, Source, resolve};
use portcullis_core::jose::{PortableVerifier, SignatureVerifier};
use portcullis_core::{
    Ambient, Answer, CallOutcome, Decision, Engine, Forward, HeaderEdits, PendingCall,
    PendingRequest, RequestBody, Seed, Step, Ticket, UnixSeconds, UpstreamCall,
};

use crate::request::Request;
use crate::server::{JWKS_URI, RESOURCE, Server, TOKEN_URL};

/// When every scenario begins.
pub(crate) const START: u64 = 1_800_000_000;

pub(crate) const STATE_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

pub(crate) const API_KEY: &str = "correct horse battery staple";

pub(crate) const API_KEY_MODE: &[(&str, &str)] = &[
    ("ZSCALER_MCP_AUTH_API_KEY", API_KEY),
    ("PORTCULLIS_STATE_KEYS", STATE_KEY),
];

pub(crate) const JWT_MODE: &[(&str, &str)] = &[
    ("ZSCALER_MCP_AUTH_JWKS_URI", JWKS_URI),
    ("ZSCALER_MCP_AUTH_ISSUER", "https://idp.example.com"),
    ("ZSCALER_MCP_AUTH_AUDIENCE", "mcp"),
    ("PORTCULLIS_STATE_KEYS", STATE_KEY),
];

pub(crate) const OIDC_MODE: &[(&str, &str)] = &[
    (
        "OIDCPROXY_CONFIG_URL",
        "https://idp.example.com/.well-known/openid-configuration",
    ),
    ("OIDCPROXY_BASE_URL", "https://mcp.example.com/mcp"),
    ("OIDCPROXY_AUDIENCE", "mcp"),
    ("PORTCULLIS_STATE_KEYS", STATE_KEY),
];

pub(crate) const ZSCALER_MODE: &[(&str, &str)] = &[
    ("PORTCULLIS_TOKEN_URL", TOKEN_URL),
    ("PORTCULLIS_STATE_KEYS", STATE_KEY),
];

/// More wrong secrets than any other limit lets through.
pub(crate) const MANY_WRONG_SECRETS: &[(&str, &str)] = &[
    ("PORTCULLIS_WRONG_SECRETS_PER_ADDRESS", "5000"),
    ("PORTCULLIS_WRONG_SECRETS_IN_ALL", "10000"),
];

pub(crate) const NONE_MODE: &[(&str, &str)] = &[("ZSCALER_MCP_AUTH_MODE", "none")];

/// The four modes.
pub(crate) const MODES: [&[(&str, &str)]; 4] = [NONE_MODE, API_KEY_MODE, JWT_MODE, ZSCALER_MODE];

/// Resolves settings as the filter does.
pub(crate) fn resolved(settings: &[(&str, &str)], more: &[(&str, &str)]) -> Resolution {
    let mut all = Settings::default();
    all.read_environment(settings.iter().chain(more).copied());
    resolve(&all, Site::Filter).unwrap()
}

/// Settings in the words of the environment, with the protected resource named.
pub(crate) fn with_resource() -> [(&'static str, &'static str); 1] {
    [("PORTCULLIS_UPSTREAM", RESOURCE)]
}

/// One engine, its clock, and the other end of its calls.
pub(crate) struct Scenario {
    pub(crate) now: u64,
    pub(crate) engine: Engine,
    pub(crate) server: Server,
    /// The body of the request that was begun last.
    body: Vec<u8>,
    under_way: VecDeque<(UpstreamCall, PendingCall)>,
    parked: BTreeMap<Ticket, PendingRequest>,
    /// Requests that wait again, with the name that the test knows them by.
    first_names: BTreeMap<Ticket, Ticket>,
}

/// What came of a request at once.
pub(crate) enum Begun {
    Decided(Decision),
    Parked(Ticket),
}

impl Begun {
    #[track_caller]
    pub(crate) fn parked(self) -> Ticket {
        match self {
            Self::Parked(ticket) => ticket,
            Self::Decided(decision) => panic!("decided: {}", decision.reason().name()),
        }
    }

    #[track_caller]
    pub(crate) fn waits(self) {
        self.parked();
    }

    #[track_caller]
    pub(crate) fn decided(self) -> Decision {
        match self {
            Self::Decided(decision) => decision,
            Self::Parked(_) => panic!("it waits"),
        }
    }
}

impl Scenario {
    pub(crate) fn new(settings: &[(&str, &str)]) -> Self {
        Self::with(settings, &[])
    }

    pub(crate) fn with(settings: &[(&str, &str)], more: &[(&str, &str)]) -> Self {
        Self::verifying(settings, more, Box::new(PortableVerifier::new()))
    }

    pub(crate) fn verifying(
        settings: &[(&str, &str)],
        more: &[(&str, &str)],
        verifier: Box<dyn SignatureVerifier + Send>,
    ) -> Self {
        Self {
            now: START,
            engine: Engine::new(
                resolved(settings, more).config,
                verifier,
                Seed::new([0; 32]),
            ),
            server: Server::new(),
            body: Vec::new(),
            under_way: VecDeque::new(),
            parked: BTreeMap::new(),
            first_names: BTreeMap::new(),
        }
    }

    /// Begins a request; calls stay under way until they are told to end.
    pub(crate) fn begin(&mut self, request: &Request) -> Begun {
        let ambient = self.ambient();
        self.body.clone_from(&request.body);
        let step = request.lend(|head| self.engine.handle_request(head, ambient));
        self.collect_calls();
        self.settle(step)
    }

    /// Carries a request to its decision.
    #[track_caller]
    pub(crate) fn send(&mut self, request: &Request) -> Decision {
        match self.begin(request) {
            Begun::Decided(decision) => decision,
            Begun::Parked(ticket) => {
                let mut decided = self.finish_calls();
                decided.remove(&ticket).unwrap()
            }
        }
    }

    /// Carries a request to its decision, which must be to let it pass.
    #[track_caller]
    pub(crate) fn admit(&mut self, request: &Request) -> Forward {
        forwarded(self.send(request))
    }

    /// Returns status and reason; a forwarded request has status 200.
    #[track_caller]
    pub(crate) fn verdict(&mut self, request: &Request) -> (u16, &'static str) {
        verdict(&self.send(request))
    }

    /// Ends every call, those that follow from it too; returns what was decided by it.
    pub(crate) fn finish_calls(&mut self) -> BTreeMap<Ticket, Decision> {
        let mut decided = BTreeMap::new();
        while let Some((call, pending)) = self.under_way.pop_front() {
            let outcome = self.server.answer(call);
            decided.extend(self.finish(pending, outcome));
        }
        decided
    }

    /// Takes the oldest call that is under way out of the host's hands.
    pub(crate) fn take_call(&mut self) -> (UpstreamCall, PendingCall) {
        self.under_way.pop_front().unwrap()
    }

    pub(crate) fn calls_under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Ends one call; returns what was decided by it.
    pub(crate) fn finish(
        &mut self,
        pending: PendingCall,
        outcome: CallOutcome,
    ) -> BTreeMap<Ticket, Decision> {
        let wake = self
            .engine
            .handle_upstream(pending, outcome, self.ambient());
        self.collect_calls();
        let mut decided = BTreeMap::new();
        for ticket in wake.tickets {
            let Some(begun) = self.wake(ticket, &wake.answer) else {
                continue;
            };
            let first = self.first_names.remove(&ticket).unwrap_or(ticket);
            match begun {
                Begun::Decided(decision) => drop(decided.insert(first, decision)),
                Begun::Parked(again) => drop(self.first_names.insert(again, first)),
            }
        }
        decided
    }

    /// Goes on with a parked request that the host will not let wait any longer.
    pub(crate) fn give_up(&mut self, ticket: Ticket) -> Begun {
        self.wake(ticket, &Answer::timed_out()).unwrap()
    }

    /// The client of a parked request leaves.
    pub(crate) fn leave(&mut self, ticket: Ticket) {
        self.parked.remove(&ticket).unwrap();
    }

    /// Goes on with a parked request, if it is still there.
    pub(crate) fn wake(&mut self, ticket: Ticket, answer: &Answer) -> Option<Begun> {
        let pending = self.parked.remove(&ticket)?;
        let step = self.engine.handle_wake(pending, answer, self.ambient());
        self.collect_calls();
        Some(self.settle(step))
    }

    /// Lets time pass; what is due happens when it is due, and its calls end at once.
    pub(crate) fn pass(&mut self, seconds: u64) {
        let end = self.now + seconds;
        while let Some(due) = self.engine.poll_timeout().filter(|due| due.0 <= end) {
            self.now = self.now.max(due.0);
            self.engine.handle_timeout(self.ambient());
            self.collect_calls();
            assert!(self.calls_under_way() > 0, "a timeout without effect");
            self.finish_calls();
        }
        self.now = end;
    }

    pub(crate) fn ambient(&self) -> Ambient {
        Ambient {
            now: UnixSeconds(self.now),
        }
    }

    /// Asks the engine for its calls, as hosts do after everything.
    pub(crate) fn collect_calls(&mut self) {
        while let Some(call) = self.engine.poll_call() {
            self.under_way.push_back(call);
        }
    }

    fn settle(&mut self, step: Step) -> Begun {
        match step {
            Step::Decide(decision) => Begun::Decided(decision),
            Step::Wait { ticket, pending } => {
                assert!(self.parked.insert(ticket, pending).is_none());
                Begun::Parked(ticket)
            }
            Step::ReadBody {
                max_octets,
                pending,
            } => {
                let body = if self.body.len() > max_octets {
                    RequestBody::TooLarge
                } else {
                    RequestBody::Whole(&self.body)
                };
                let step = self.engine.handle_body(pending, body, self.ambient());
                self.collect_calls();
                self.settle(step)
            }
        }
    }
}

pub(crate) fn verdict(decision: &Decision) -> (u16, &'static str) {
    match decision {
        Decision::Forward(_) => (200, decision.reason().name()),
        Decision::Respond(response) => (response.status, response.reason.name()),
    }
}

#[track_caller]
pub(crate) fn forwarded(decision: Decision) -> Forward {
    match decision {
        Decision::Forward(forward) => forward,
        Decision::Respond(response) => panic!("answered with {}", response.reason.name()),
    }
}

/// Carries edits out on the header fields of a request or a response.
pub(crate) fn edited(headers: &[(String, Vec<u8>)], edits: &HeaderEdits) -> Vec<(String, String)> {
    let mut edited: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
        .collect();
    for name in edits.removals() {
        edited.retain(|(field, _)| field != name);
    }
    for (name, value) in edits.fields() {
        edited.retain(|(field, _)| field != name);
        edited.push((name.into(), String::from_utf8(value.into()).unwrap()));
    }
    edited
}

/// Returns the only value of a field, if it is there.
#[track_caller]
pub(crate) fn field<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut values = headers.iter().filter(|(field, _)| field == name);
    let value = values.next().map(|(_, value)| value.as_str());
    assert!(values.next().is_none(), "{name} is there twice");
    value
}

/// Returns settings as configuration files have them.
pub(crate) fn settings(pairs: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in pairs {
        let setting = portcullis_core::config::Setting::from_name(name).unwrap();
        settings.set(setting, *value, Source::Configuration);
    }
    settings
}
