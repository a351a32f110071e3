//! The requests that wait for a call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_core::{Answer, Ticket, Wake};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// How each request that waits is reached.
#[derive(Default)]
pub(super) struct ParkedRequests(Mutex<BTreeMap<Ticket, oneshot::Sender<Answer>>>);

impl ParkedRequests {
    /// Parks a request until its ticket is called.
    pub(super) fn park(self: &Arc<Self>, ticket: Ticket) -> Parked {
        let (sender, answer) = oneshot::channel();
        self.lock().insert(ticket, sender);
        Parked {
            list: Arc::clone(self),
            ticket,
            answer,
        }
    }

    /// Gives the answer to all who wait for it.
    pub(super) fn wake(&self, wake: Wake) {
        let mut parked = self.lock();
        for ticket in wake.tickets {
            if let Some(sender) = parked.remove(&ticket) {
                // A request that is just being dropped needs no answer.
                drop(sender.send(wake.answer.clone()));
            }
        }
    }

    /// Counts the requests that wait.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Locks, also after a panic: the map is whole at every moment.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Ticket, oneshot::Sender<Answer>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A parked request; dropping it takes the request off the list.
pub(super) struct Parked {
    list: Arc<ParkedRequests>,
    ticket: Ticket,
    answer: oneshot::Receiver<Answer>,
}

impl Parked {
    /// Waits for the answer until `deadline`.
    pub(super) async fn answer(mut self, deadline: Instant) -> Answer {
        match timeout_at(deadline, &mut self.answer).await {
            Ok(Ok(answer)) => answer,
            // The sender only goes with the list itself.
            Ok(Err(_)) | Err(_) => Answer::timed_out(),
        }
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        self.list.lock().remove(&self.ticket);
    }
}
