//! The engine as a WebAssembly component (`wit/gate.wit`), for hosts that run components.
//!
//! It imports nothing, so it cannot touch clock, files or network: it can decide, and no more.
//! Everything here is translation; the rules are the core's.

mod engine;
#[expect(
    unsafe_code,
    reason = "generated code passes memory over the component's boundary; all other files have none"
)]
mod interface;
mod pending;
mod translate;

use interface::exports::portcullis::gate::gate::Guest;

struct Component;

impl Guest for Component {
    type Answer = pending::Answer;
    type Engine = engine::Engine;
    type Passage = pending::Passage;
    type PendingBody = pending::Body;
    type PendingCall = pending::Call;
    type PendingRequest = pending::Request;
}
