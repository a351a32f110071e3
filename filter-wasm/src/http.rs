//! One request: reads its head, carries the decision out.

use std::rc::Rc;

use portcullis_core::{Decision, LocalResponse, Reason};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::exchange::{Exchange, Phase};
use crate::gate::Gate;
use crate::host::{self, RequestFields};
use crate::metrics::Counter;

/// The HTTP context.
pub(crate) struct AuthHttp {
    gate: Option<Rc<Gate>>,
    exchange: Exchange,
}

impl AuthHttp {
    /// Makes the context `id`. Without a gate it refuses everything.
    pub(crate) fn new(id: u32, gate: Option<Rc<Gate>>) -> Self {
        let exchange = Exchange::new(id);
        Self { gate, exchange }
    }

    /// Has the gate do something for the request, and carries the decision out that comes of it.
    fn go_on(&self, act: impl FnOnce(&Gate, &Exchange) -> Option<Decision>) {
        let Some(gate) = &self.gate else { return };
        if let Some(decision) = act(gate, &self.exchange) {
            carry_out(decision, &self.exchange, gate);
        }
    }

    fn pass_or_pause(&self) -> Action {
        if self.exchange.passes() {
            Action::Continue
        } else {
            Action::Pause
        }
    }
}

impl Context for AuthHttp {}

impl HttpContext for AuthHttp {
    fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
        if self.gate.is_none() {
            host::respond(&unavailable());
            self.exchange.set(Phase::Answered);
            return Action::Pause;
        }
        self.go_on(|gate, exchange| match RequestFields::read() {
            Some(fields) => gate.begin(&fields.head(&fields.headers()), exchange),
            None => Some(Decision::Respond(unavailable())),
        });
        if end && self.exchange.is_collecting() {
            self.go_on(Gate::end_body);
        }
        self.pass_or_pause()
    }

    fn on_http_request_body(&mut self, octets: usize, end: bool) -> Action {
        if self.exchange.is_collecting() {
            self.go_on(|gate, exchange| gate.note_body(exchange, octets));
        }
        if end && self.exchange.is_collecting() {
            self.go_on(Gate::end_body);
        }
        self.pass_or_pause()
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        if self.exchange.is_collecting() {
            self.go_on(Gate::end_body);
        }
        self.pass_or_pause()
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        if let Some(forward) = self.exchange.take_forward() {
            let lines = host::response_lines(forward.response_fields());
            let lines: Vec<_> = lines
                .iter()
                .map(|(name, value)| (&**name, &**value))
                .collect();
            host::edit_response(&forward.response_edits(&lines));
        }
        Action::Continue
    }
}

impl Drop for AuthHttp {
    fn drop(&mut self) {
        if let Some(gate) = &self.gate {
            gate.leave(&self.exchange);
        }
    }
}

/// Carries out a decision that came while the request was parked; its context is the one at work.
pub(crate) fn carry_out_late(decision: Decision, exchange: &Exchange, gate: &Gate) {
    carry_out(decision, exchange, gate);
    if exchange.passes() {
        host::resume_request();
    }
}

fn carry_out(decision: Decision, exchange: &Exchange, gate: &Gate) {
    let reason = decision.reason();
    let counter = Counter::Decision(decision.outcome(), reason);
    gate.metrics.count(counter);
    if let Some(audit) = &gate.audit {
        audit.note(&decision, exchange);
    }
    match decision {
        Decision::Forward(forward) => {
            log::debug!("forward: {reason}");
            host::edit_request(&forward.request);
            exchange.set(Phase::Forwarded(forward));
        }
        Decision::Respond(response) => {
            log::debug!("respond {}: {reason}", response.status);
            exchange.set(Phase::Answered);
            host::respond(&response);
        }
    }
}

/// The answer where the host does not do its part: closed, and told apart from a refusal.
fn unavailable() -> LocalResponse {
    let message = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"authentication is not available"}}"#;
    LocalResponse {
        status: 503,
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("cache-control", "no-store".to_owned()),
        ],
        body: message.into(),
        reason: Reason::HostFailure,
    }
}
