//! One call for all workers of a process.
//!
//! Who is to make a call looks for its record first. The first one leaves a promise there and makes
//! the call; the others leave their queues in it and wait; the outcome takes the place of the
//! promise. A promise that is not kept in time lapses, and exactly one of those who wait takes it
//! over. Where anything is odd, everybody makes their own call: that is right too, only dearer.

use portcullis_core::{Digest, Finding, Hearsay, UnixSeconds};

use crate::record::{Outcome, Promised, Record};
use crate::store::{MAX_TRIES, Space, Stamp, Store};

/// How long a call may take before another worker makes it again, in seconds. It is shorter than
/// the limit of the call, so that those who wait for a worker that died are answered in time.
const PROMISE_SECONDS: u64 = 5;

/// Different calls that may be shared at once.
const SLOTS: u16 = 256;

/// Credentials that were let in and are remembered for all. Nobody else's records come here, so
/// that no number of guesses makes the others forget who may come in.
const ADMITTED: u16 = 4096;

/// The calls that the workers of a process share.
pub(crate) struct Lease<S> {
    space: Space<S>,
    /// Where this worker is told to look again.
    queue: u32,
    /// Tells this worker's promises from those of others.
    holder: u64,
    /// The outcome that this worker took or gave last: it is no news here.
    last: Option<(Digest, u64)>,
}

/// What to do about a call.
#[derive(Debug)]
pub(crate) enum Look {
    /// Make it for all, and [give](Lease::give) its outcome.
    Lead(Promise),
    /// Wait for the outcome of another worker, and look again with this.
    Follow(Waiting),
    /// Take this outcome of another worker.
    Take(Finding),
    /// Make it for this worker alone.
    Alone,
}

/// A call that this worker makes for all.
#[derive(Debug)]
pub(crate) struct Promise {
    slot: String,
    name: Digest,
    generation: u64,
}

/// A wait for another worker: outcomes of an earlier generation were there before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting(u64);

/// A call that is looked for.
struct Sought {
    slot: String,
    name: Digest,
    waiting: Option<Waiting>,
    now: UnixSeconds,
}

impl<S: Store> Lease<S> {
    /// Makes the lease of a worker that consumes `queue`; `holder` is no other worker's.
    pub(crate) const fn new(space: Space<S>, queue: u32, holder: u64) -> Self {
        Self {
            space,
            queue,
            holder,
            last: None,
        }
    }

    /// Looks what to do about the call `name`, for the first time or while it waits. `accepts`
    /// tells whether a finding will do, given whether this worker waited for it.
    pub(crate) fn look(
        &mut self,
        name: &Digest,
        waiting: Option<Waiting>,
        now: UnixSeconds,
        accepts: impl Fn(&Finding, bool) -> bool,
    ) -> Look {
        let name = self.space.conceal(name.as_bytes());
        let sought = Sought {
            slot: self.space.slot("call", &name, SLOTS),
            name,
            waiting,
            now,
        };
        let mut looks = (0..MAX_TRIES).map(|_| self.try_look(&sought, &accepts));
        looks.find_map(|look| look).unwrap_or(Look::Alone)
    }

    /// Gives the outcome of a call to those who wait for it. Who is too late with it gives it to
    /// nobody: another has promised it again.
    pub(crate) fn give(&mut self, promise: &Promise, finding: &Finding) {
        for _ in 0..MAX_TRIES {
            let Some((octets, stamp)) = self.space.store.read(&promise.slot) else {
                return;
            };
            let Some(Record::Promised(promised)) = Record::from_octets(&octets) else {
                return;
            };
            let same = promised.name.matches(&promise.name) && promised.holder == self.holder;
            if !same || promised.generation != promise.generation {
                return;
            }
            let outcome = Record::Outcome(Outcome {
                name: promise.name,
                generation: promise.generation,
                finding: finding.to_octets().unwrap_or_default(),
            });
            if self.write(&promise.slot, &outcome, Some(stamp)) {
                self.last = Some((promise.name, promise.generation));
                let queues = promised.queues.into_iter();
                let others = queues.filter(|queue| *queue != self.queue);
                others.for_each(|queue| self.space.store.notify(queue));
                return;
            }
        }
    }

    /// Remembers for all that the call `name` let its caller in, whoever made it and for whom.
    pub(crate) fn remember(&self, name: &Digest, finding: &Finding) {
        let name = self.space.conceal(name.as_bytes());
        let slot = self.space.slot("in", &name, ADMITTED);
        let outcome = Record::Outcome(Outcome {
            name,
            generation: 0,
            finding: finding.to_octets().unwrap_or_default(),
        });
        for _ in 0..MAX_TRIES {
            let stamp = self.space.store.read(&slot).map(|(_, stamp)| stamp);
            if self.write(&slot, &outcome, stamp) {
                return;
            }
        }
    }

    /// Looks once; `None` when another worker wrote at the same time.
    fn try_look(
        &mut self,
        sought: &Sought,
        accepts: &impl Fn(&Finding, bool) -> bool,
    ) -> Option<Look> {
        let Some((octets, stamp)) = self.space.store.read(&sought.slot) else {
            return self.lead(sought, 1, Vec::new(), None);
        };
        match Record::from_octets(&octets) {
            None => Some(Look::Alone),
            Some(Record::Promised(promised)) => {
                let same = promised.name.matches(&sought.name);
                let limit = sought.now.plus(PROMISE_SECONDS);
                if sought.now < promised.deadline && promised.deadline <= limit {
                    if same && promised.holder != self.holder {
                        return self.follow(sought, promised, stamp);
                    }
                    return Some(Look::Alone);
                }
                let queues = if same { promised.queues } else { Vec::new() };
                let generation = promised.generation.wrapping_add(1);
                self.lead(sought, generation, queues, Some(stamp))
            }
            Some(Record::Outcome(outcome)) => {
                let waited = sought
                    .waiting
                    .is_some_and(|Waiting(since)| since <= outcome.generation);
                if let Some(finding) = self.news(sought, &outcome)
                    && accepts(&finding, waited)
                {
                    self.last = Some((sought.name, outcome.generation));
                    return Some(Look::Take(finding));
                }
                let generation = outcome.generation.wrapping_add(1);
                self.lead(sought, generation, Vec::new(), Some(stamp))
            }
        }
    }

    /// Reads the finding of what is sought, unless this worker has it already.
    fn news(&self, sought: &Sought, outcome: &Outcome) -> Option<Finding> {
        let seen = self.last.as_ref().is_some_and(|(name, generation)| {
            name.matches(&sought.name) && outcome.generation <= *generation
        });
        let same = outcome.name.matches(&sought.name);
        let octets = (same && !seen).then_some(&outcome.finding)?;
        Finding::from_octets(octets)
    }

    fn lead(
        &self,
        sought: &Sought,
        generation: u64,
        queues: Vec<u32>,
        over: Option<Stamp>,
    ) -> Option<Look> {
        let promised = Record::Promised(Promised {
            name: sought.name,
            generation,
            deadline: sought.now.plus(PROMISE_SECONDS),
            holder: self.holder,
            queues,
        });
        let promise = Promise {
            slot: sought.slot.clone(),
            name: sought.name,
            generation,
        };
        self.write(&sought.slot, &promised, over)
            .then_some(Look::Lead(promise))
    }

    fn follow(&self, sought: &Sought, mut promised: Promised, stamp: Stamp) -> Option<Look> {
        let waiting = sought.waiting.unwrap_or(Waiting(promised.generation));
        if !promised.queues.contains(&self.queue) {
            promised.queues.push(self.queue);
            let joined = Record::Promised(promised);
            if !self.write(&sought.slot, &joined, Some(stamp)) {
                return None;
            }
        }
        Some(Look::Follow(waiting))
    }

    fn write(&self, slot: &str, record: &Record, over: Option<Stamp>) -> bool {
        self.space.store.write(slot, &record.to_octets(), over)
    }
}

/// The outcomes of other workers, for the engine.
pub(crate) struct Outcomes<S>(pub(crate) Space<S>);

impl<S: Store> Hearsay for Outcomes<S> {
    fn recall(&mut self, call: &Digest) -> Option<Finding> {
        let Self(space) = self;
        let name = space.conceal(call.as_bytes());
        let read = |slot: String| {
            let (octets, _) = space.store.read(&slot)?;
            match Record::from_octets(&octets)? {
                Record::Outcome(outcome) if outcome.name.matches(&name) => {
                    Finding::from_octets(&outcome.finding)
                }
                Record::Outcome(_) | Record::Promised(_) => None,
            }
        };
        read(space.slot("call", &name, SLOTS)).or_else(|| read(space.slot("in", &name, ADMITTED)))
    }
}

#[cfg(test)]
mod tests;
