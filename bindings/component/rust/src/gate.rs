//! The loop over the engine's steps, and the component that makes them.

use std::path::Path;

use wasmtime::component::{Component, Linker, ResourceAny};
use wasmtime::{Engine, Result, Store, bail};

use crate::calls::send;
use crate::now;

wasmtime::component::bindgen!({ path: "../wit", world: "portcullis" });

pub(crate) use exports::portcullis::gate::gate as wit;

/// An engine at work, for one request at a time.
pub(crate) struct Gate {
    store: Store<()>,
    component: Portcullis,
    engine: ResourceAny,
}

impl Gate {
    /// Loads the component and makes an engine; the inner error is what the engine says of the
    /// settings.
    pub(crate) fn new(
        component: &Path,
        settings: &str,
        seed: [u8; 32],
    ) -> Result<Result<Self, String>> {
        let runtime = Engine::default();
        let component = Component::from_file(&runtime, component)?;
        let mut store = Store::new(&runtime, ());
        // It imports nothing, so there is nothing to link.
        let linker = Linker::new(&runtime);
        let component = Portcullis::instantiate(&mut store, &component, &linker)?;
        let engines = component.portcullis_gate_gate().engine();
        let made = engines.call_make(&mut store, settings, &seed)?;
        Ok(made.map(|engine| Self {
            store,
            component,
            engine,
        }))
    }

    /// Returns the name of the mode and why it was chosen.
    pub(crate) fn mode(&mut self) -> Result<(String, String)> {
        let engines = self.component.portcullis_gate_gate().engine();
        engines.call_mode(&mut self.store, self.engine)
    }

    /// Returns what is allowed but unwise, for people.
    pub(crate) fn warnings(&mut self) -> Result<Vec<String>> {
        let engines = self.component.portcullis_gate_gate().engine();
        engines.call_warnings(&mut self.store, self.engine)
    }

    /// Decides a request; `read_body` is given the most octets to read.
    pub(crate) fn decide(
        &mut self,
        head: &wit::RequestHead,
        read_body: impl FnOnce(u64) -> wit::RequestBody,
    ) -> Result<wit::Decision> {
        self.do_what_is_due()?;
        let engine = self.engine;
        let engines = self.component.portcullis_gate_gate().engine();
        let mut step = engines.call_handle_request(&mut self.store, engine, head, now())?;
        let mut read_body = Some(read_body);
        loop {
            let engines = self.component.portcullis_gate_gate().engine();
            step = match step {
                wit::Step::Decide(decision) => return Ok(decision),
                wit::Step::ReadBody(wanted) => {
                    let Some(read_body) = read_body.take() else {
                        bail!("the engine wants a body twice");
                    };
                    let body = read_body(wanted.max_octets);
                    let store = &mut self.store;
                    engines.call_handle_body(store, engine, wanted.pending, &body, now())?
                }
                wit::Step::Wait(parked) => {
                    let answer = self.answer(parked.ticket)?;
                    let engines = self.component.portcullis_gate_gate().engine();
                    let store = &mut self.store;
                    engines.call_handle_wake(store, engine, parked.pending, answer, now())?
                }
            };
        }
    }

    /// Returns the edits for the response of the protected resource.
    pub(crate) fn response_edits(
        &mut self,
        passage: ResourceAny,
        headers: &[wit::Field],
    ) -> Result<wit::HeaderEdits> {
        let passages = self.component.portcullis_gate_gate().passage();
        passages.call_response_edits(&mut self.store, passage, headers)
    }

    /// Makes the calls that the engine asks for until one of them answers `ticket`.
    fn answer(&mut self, ticket: u64) -> Result<ResourceAny> {
        while let Some(wake) = self.make_a_call()? {
            if wake.tickets.contains(&ticket) {
                return Ok(wake.answer);
            }
        }
        let answers = self.component.portcullis_gate_gate().answer();
        answers.call_timed_out(&mut self.store)
    }

    fn make_a_call(&mut self) -> Result<Option<wit::Wake>> {
        let engines = self.component.portcullis_gate_gate().engine();
        let Some(call) = engines.call_poll_call(&mut self.store, self.engine)? else {
            return Ok(None);
        };
        let outcome = send(&call.request);
        let outcome = outcome.as_ref().map_err(|failure| *failure);
        let store = &mut self.store;
        let wake =
            engines.call_handle_upstream(store, self.engine, call.pending, outcome, now())?;
        Ok(Some(wake))
    }

    fn do_what_is_due(&mut self) -> Result<()> {
        let engines = self.component.portcullis_gate_gate().engine();
        let due = engines.call_poll_timeout(&mut self.store, self.engine)?;
        if due.is_some_and(|due| due <= now()) {
            engines.call_handle_timeout(&mut self.store, self.engine, now())?;
            while self.make_a_call()?.is_some() {}
        }
        Ok(())
    }
}
