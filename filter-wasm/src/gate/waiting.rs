//! Requests that wait, and how they go on.

use std::rc::Rc;

use portcullis_core::{
    Ambient, Answer, PendingRequest, RequestBody, Step, Ticket, UnixSeconds, Wake,
};

use super::{Gate, MAX_PER_CALLBACK, State};
use crate::exchange::Exchange;
use crate::{host, http};

/// Longest time that a request stays parked, in seconds. Calls end sooner by their own limit;
/// this catches what should not happen, and bodies that do not come.
const MAX_PARKED_SECONDS: u64 = 15;

/// A request that waits for an answer.
pub(super) struct Parked {
    pub(super) since: UnixSeconds,
    pub(super) pending: PendingRequest,
    pub(super) exchange: Exchange,
}

/// A request that goes on, if it is still there.
pub(super) enum Woken {
    Answered(Ticket, Rc<Answer>),
    /// The body has not come to the context.
    GivenUp(u32),
}

impl Gate {
    pub(super) fn wake_requests(&self) {
        let mut acted = false;
        for _ in 0..MAX_PER_CALLBACK {
            let ambient = host::ambient();
            let mut state = self.state.borrow_mut();
            let Some((step, exchange)) = state.wake_next(ambient) else {
                break;
            };
            drop(state);
            let Some(decision) = self.settle(step, &exchange, ambient.now) else {
                continue;
            };
            acted = true;
            if host::act_for(exchange.context) {
                http::carry_out_late(decision, &exchange, self);
            }
        }
        if acted {
            host::act_for(self.root);
        }
    }
}

impl State {
    pub(super) fn note_woken(&mut self, wake: Wake) {
        let answer = Rc::new(wake.answer);
        for ticket in wake.tickets {
            let answer = Rc::clone(&answer);
            self.woken.push_back(Woken::Answered(ticket, answer));
        }
    }

    pub(super) fn give_up_overdue(&mut self, now: UnixSeconds) {
        let overdue = |since| now.since(since) > MAX_PARKED_SECONDS;
        let answer = Rc::new(Answer::timed_out());
        for (ticket, parked) in &self.parked {
            if overdue(parked.since) {
                let answer = Rc::clone(&answer);
                self.woken.push_back(Woken::Answered(*ticket, answer));
            }
        }
        for (context, collecting) in &self.collecting {
            if overdue(collecting.since) {
                self.woken.push_back(Woken::GivenUp(*context));
            }
        }
    }

    /// Goes on with the next woken request that is still there.
    fn wake_next(&mut self, ambient: Ambient) -> Option<(Step, Exchange)> {
        loop {
            match self.woken.pop_front()? {
                Woken::Answered(ticket, answer) => {
                    if let Some(parked) = self.parked.remove(&ticket) {
                        let step = self.engine.handle_wake(parked.pending, &answer, ambient);
                        return Some((step, parked.exchange));
                    }
                }
                Woken::GivenUp(context) => {
                    if let Some(collecting) = self.collecting.remove(&context) {
                        let (pending, body) = (collecting.pending, RequestBody::Missing);
                        let step = self.engine.handle_body(pending, body, ambient);
                        return Some((step, collecting.exchange));
                    }
                }
            }
        }
    }
}
