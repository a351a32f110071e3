//! A contender: a gateway in front of the protected resource, and the load that it gets.

use std::net::SocketAddr;
use std::time::Duration;

use crate::load::{Outcome, Requests, Until, drive};
use crate::usage::{processor_time, resident_memory};

/// Connections of the load, each with one request under way.
pub(crate) const LANES: usize = 16;

/// A running gateway with its load.
pub(crate) struct Contender {
    /// A short name, unique.
    pub(crate) id: &'static str,
    /// What it is, for people.
    pub(crate) title: String,
    /// The contender without authentication that its cost is compared with, if any.
    pub(crate) bare: Option<&'static str>,
    /// Where clients connect.
    pub(crate) address: SocketAddr,
    /// The gateway's process.
    pub(crate) process: u32,
    /// A service whose processor time counts as the gateway's, if any.
    pub(crate) service: Option<u32>,
    /// What it is sent.
    pub(crate) requests: Requests,
    /// Resident memory before the first request, in bytes.
    pub(crate) idle_memory: f64,
    /// Keeps the processes alive.
    pub(crate) _owned: Box<dyn std::any::Any>,
    /// One for each round.
    pub(crate) samples: Vec<Sample>,
}

/// How a gateway keeps up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Processor time for one request, in microseconds.
    pub(crate) processor: f64,
    /// Requests per second.
    pub(crate) rate: f64,
}

/// What one round showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Processor time for one request, in microseconds.
    pub(crate) processor: f64,
    /// The same without a service whose time counts as the gateway's.
    pub(crate) alone: f64,
    /// Requests per second.
    pub(crate) rate: f64,
    /// The same of the bare gateway for the same requests, a moment before.
    pub(crate) bare: Option<Pace>,
    /// Median latency in milliseconds.
    pub(crate) p50: f64,
    /// 99th percentile of the latency in milliseconds.
    pub(crate) p99: f64,
    /// Resident memory at the end, in bytes.
    pub(crate) memory: f64,
}

impl Contender {
    /// Drives it for `duration` with the requests of another; what that shows is not kept.
    pub(crate) fn pace(&self, mut requests: Requests, duration: Duration) -> Pace {
        let (outcome, [alone, service]) = self.drive(&mut requests, Until::Elapsed(duration));
        Pace {
            processor: alone + service,
            rate: outcome.rate(),
        }
    }

    /// Drives it for `duration` and keeps what that showed, with what `bare` just did.
    pub(crate) fn measure(&mut self, bare: Option<Pace>, duration: Duration) {
        let mut requests = self.requests.clone();
        let (outcome, [alone, service]) = self.drive(&mut requests, Until::Elapsed(duration));
        self.requests = requests;
        self.samples.push(Sample {
            processor: alone + service,
            alone,
            rate: outcome.rate(),
            bare,
            p50: outcome.quantile(0.5),
            p99: outcome.quantile(0.99),
            memory: resident_memory(self.process),
        });
    }

    /// Drives it for `duration`; what that shows counts for nothing.
    pub(crate) fn warm_up(&mut self, duration: Duration) {
        let mut requests = self.requests.clone();
        self.drive(&mut requests, Until::Elapsed(duration));
        self.requests = requests;
    }

    /// Returns the values of all rounds.
    pub(crate) fn values(&self, value: impl Fn(&Sample) -> f64) -> Vec<f64> {
        self.samples.iter().map(value).collect()
    }

    /// Drives it, and returns what gateway and service took for one request, in microseconds.
    fn drive(&self, requests: &mut Requests, until: Until) -> (Outcome, [f64; 2]) {
        let times = || {
            [
                processor_time(&[self.process]),
                processor_time(self.service.as_slice()),
            ]
        };
        let before = times();
        let outcome = drive(self.address, LANES, requests, until);
        let after = times();
        let count = outcome.succeeded.max(1) as f64;
        let taken = [0, 1].map(|index| {
            let time = after[index].saturating_sub(before[index]);
            time.as_secs_f64() * 1e6 / count
        });
        assert_eq!(
            outcome.failed, 0,
            "{}: answered {} (0 is a broken connection)",
            self.id, outcome.last_failure
        );
        (outcome, taken)
    }
}
