//! Many requests at once, with calls that end in any order and in any way.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_core::jose::PortableVerifier;
use portcullis_core::modes::Mode;
use portcullis_core::{
    Answer, CallFailure, CallOutcome, Config, Decision, PendingCall, PendingRequest, Step, Ticket,
};

use super::gate::{Gate, JWKS, TOKEN, answer, jwt, post, zscaler};

/// Reads an order of events, two octets each: what happens, and to whom.
pub fn exchange(data: &[u8]) {
    for mode in [Mode::Jwt(jwt()), Mode::Zscaler(zscaler())] {
        let mut world = World {
            gate: Gate::new(Config::new(mode), Box::new(PortableVerifier::new())),
            parked: BTreeMap::new(),
            gone: BTreeSet::new(),
            calls: Vec::new(),
        };
        for event in data.chunks_exact(2).take(96) {
            world.happen(event[0], event[1]);
        }
        world.settle();
    }
}

struct World {
    gate: Gate,
    parked: BTreeMap<Ticket, PendingRequest>,
    /// Requests that left while they waited.
    gone: BTreeSet<Ticket>,
    calls: Vec<Sent>,
}

struct Sent {
    body: Vec<u8>,
    at: u64,
    pending: PendingCall,
}

/// A call that has no outcome by then is lost, and another takes its place, in seconds.
const LOST_AFTER: u64 = 30;

impl World {
    fn happen(&mut self, what: u8, whom: u8) {
        match what % 6 {
            0 | 1 => self.arrive(whom),
            2 => self.finish(usize::from(whom), outcome(what, whom)),
            3 => self.leave(usize::from(whom)),
            4 => self.gate.now += u64::from(whom) * u64::from(whom),
            _ => self.gate.engine.handle_timeout(self.gate.ambient()),
        }
        self.send();
    }

    fn arrive(&mut self, whom: u8) {
        let secret = [b's', whom % 4];
        let token = match whom % 3 {
            0 => format!("Bearer {TOKEN}"),
            // A key name that no set has.
            1 => format!("Bearer eyJhbGciOiJFZERTQSIsImtpZCI6Im4ifQ.e30.{}", whom % 7),
            _ => format!("Bearer {}", &TOKEN[..usize::from(whom)]),
        };
        let headers: [(&str, &[u8]); 3] = [
            ("authorization", token.as_bytes()),
            ("x-zscaler-client-id", b"id"),
            ("x-zscaler-client-secret", &secret),
        ];
        let step = self
            .gate
            .engine
            .handle_request(&post(&headers), self.gate.ambient());
        self.take(step);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Decide(Decision::Forward(_)) => {}
            Step::Decide(Decision::Respond(response)) => {
                assert!(matches!(response.status, 401 | 503), "{}", response.status);
            }
            Step::ReadBody { .. } => panic!("no mode here reads a body"),
            Step::Wait { ticket, pending } => {
                assert!(!self.gone.contains(&ticket), "a ticket is given twice");
                let before = self.parked.insert(ticket, pending);
                assert!(before.is_none(), "a ticket is given twice");
            }
        }
    }

    fn send(&mut self) {
        while let Some((call, pending)) = self.gate.engine.poll_call() {
            let (body, at) = (call.body, self.gate.now);
            let mut same = self.calls.iter().filter(|sent| sent.body == body);
            let lost = same.all(|sent| sent.at + LOST_AFTER <= at);
            assert!(lost, "the same call is under way twice");
            self.calls.push(Sent { body, at, pending });
        }
    }

    fn finish(&mut self, which: usize, outcome: CallOutcome) {
        if self.calls.is_empty() {
            return;
        }
        let Sent { pending, .. } = self.calls.swap_remove(which % self.calls.len());
        let wake = self
            .gate
            .engine
            .handle_upstream(pending, outcome, self.gate.ambient());
        self.send();
        for ticket in wake.tickets {
            let gone = self.gone.remove(&ticket);
            let parked = self.parked.remove(&ticket);
            assert!(gone != parked.is_some(), "{ticket:?} is woken out of turn");
            if let Some(pending) = parked {
                let ambient = self.gate.ambient();
                let step = self.gate.engine.handle_wake(pending, &wake.answer, ambient);
                self.take(step);
                self.send();
            }
        }
    }

    /// A client leaves, or its host will not let it wait any longer.
    fn leave(&mut self, which: usize) {
        let Some(ticket) = self.parked.keys().nth(which % 8).copied() else {
            return;
        };
        self.gone.insert(ticket);
        let pending = self.parked.remove(&ticket);
        if let Some(pending) = pending.filter(|_| which.is_multiple_of(2)) {
            let (late, ambient) = (Answer::timed_out(), self.gate.ambient());
            let step = self.gate.engine.handle_wake(pending, &late, ambient);
            assert!(
                matches!(step, Step::Decide(_)),
                "who may not wait waits again"
            );
        }
    }

    /// Once every call has ended, nobody waits.
    fn settle(&mut self) {
        for round in 0_u8..64 {
            if self.calls.is_empty() {
                break;
            }
            self.finish(0, outcome(round, round));
        }
        assert!(self.calls.is_empty(), "calls cause calls without end");
        assert!(self.parked.is_empty(), "a request waits for nothing");
    }
}

fn outcome(what: u8, whom: u8) -> CallOutcome {
    match ((what / 6) ^ whom) % 8 {
        0 => answer(200, JWKS.as_bytes()),
        1 => answer(200, br#"{"access_token":"t","expires_in":600}"#),
        2 => answer(401, br#"{"error":"invalid_client"}"#),
        3 => answer(200, br#"{"keys":[]}"#),
        4 => answer(304, b""),
        5 => answer(503, b""),
        6 => answer(200, b"{"),
        _ => Err(CallFailure::TimedOut),
    }
}
