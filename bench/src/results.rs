//! Everything that was measured.

use std::time::Duration;

use crate::calls::Calls;
use crate::contender::{Contender, Sample};
use crate::hostcalls::Hostcalls;
use crate::statistics::Spread;

/// The results of a run.
#[derive(Default)]
pub(crate) struct Results {
    /// Who took part, with the samples of all rounds.
    pub(crate) contenders: Vec<Contender>,
    /// Who did not, with the reason.
    pub(crate) absent: Vec<(String, String)>,
    /// How many rounds there were.
    pub(crate) rounds: usize,
    /// How long each contender was driven in each round.
    pub(crate) slice: Duration,
    /// What was measured once or in rounds of its own.
    pub(crate) singles: Singles,
    /// Calls that an identity provider notices.
    pub(crate) calls: Vec<Calls>,
    /// Calls between Envoy and the filter in each mode.
    pub(crate) hostcalls: Vec<(&'static str, Hostcalls)>,
}

/// Measurements beside the rounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Singles {
    /// One bare check of a signature, in microseconds: RS256, ES256.
    pub(crate) verify: [f64; 2],
    /// One warm decision of the core in each mode, in microseconds.
    pub(crate) decisions: Vec<(&'static str, f64)>,
    /// 99th percentile at a steady pace in milliseconds, by what was asked.
    pub(crate) steady: Vec<(&'static str, Vec<f64>)>,
    /// Time to the first event in milliseconds, by what was asked.
    pub(crate) first_event: Vec<(&'static str, Vec<f64>)>,
    /// Processor time for one sign-in in each of some rounds, in milliseconds, by host.
    pub(crate) sign_ins: Vec<(&'static str, Vec<f64>)>,
    /// Memory of one idle stream in bytes, by who held it.
    pub(crate) stream_memory: Vec<(&'static str, f64)>,
    /// Memory of one further worker with the filter, less that of one without, in bytes.
    pub(crate) worker_memory: f64,
    /// By how much 10,000 cached tokens enlarge a host, in bytes.
    pub(crate) cached_memory: Vec<(&'static str, f64)>,
    /// Starts of Envoy: bare, with the filter.
    pub(crate) starts: [Vec<Start>; 2],
    /// Size of the module in bytes.
    pub(crate) module: f64,
    /// Processor time for one request of the native binary, in microseconds, in each of some
    /// rounds: on one core, on two. Empty where there is only one core.
    pub(crate) cores: [Vec<f64>; 2],
}

/// What Envoy took to be ready, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// By the clock.
    pub(crate) ready_after: f64,
    /// Processor time of all threads.
    pub(crate) processor: f64,
}

impl Results {
    /// Returns a contender, unless it is absent.
    pub(crate) fn of(&self, id: &str) -> Option<&Contender> {
        self.contenders.iter().find(|contender| contender.id == id)
    }

    /// Returns what a contender adds to its bare gateway in each round, in microseconds.
    ///
    /// What is measured is a ratio, to the bare gateway with the same requests a moment before,
    /// as the pace of a shared machine changes from second to second; it is given in terms of
    /// what the bare gateway takes in the median.
    pub(crate) fn added(&self, id: &str) -> Option<Vec<f64>> {
        let samples = &self.of(id)?.samples;
        let bare: Option<Vec<f64>> = samples
            .iter()
            .map(|sample| Some(sample.bare?.processor))
            .collect();
        let bare = bare?;
        let usual = Spread::of(bare.clone())?.median;
        let pairs = samples.iter().zip(bare);
        Some(
            pairs
                .map(|(own, bare)| (own.processor / bare - 1.0) * usual)
                .collect(),
        )
    }

    /// Returns the requests per second of a contender over those of its bare gateway.
    pub(crate) fn rate_kept(&self, id: &str) -> Option<Spread> {
        let samples = self.of(id)?.samples.iter();
        let ratios: Option<Vec<f64>> = samples
            .map(|sample| Some(sample.rate / sample.bare?.rate))
            .collect();
        Spread::of(ratios?)
    }

    /// Returns the ratio of what two contenders add.
    pub(crate) fn added_ratio(&self, id: &str, other: &str) -> Option<Spread> {
        let (own, other) = (self.added(id)?, self.added(other)?);
        let ratios = own.iter().zip(other).map(|(own, other)| own / other);
        Spread::of(ratios.collect())
    }

    /// Returns the ratio of the requests for which one second of a core is enough, of two
    /// contenders; a service that one of them asks has a core of its own.
    pub(crate) fn core_ratio(&self, id: &str, other: &str) -> Option<Spread> {
        let (own, other) = (self.of(id)?, self.of(other)?);
        Spread::of(pairs(own, other, |own, other| other.alone / own.alone))
    }

    /// The same of a contender and its bare gateway with the same requests, a moment before.
    pub(crate) fn core_kept(&self, id: &str) -> Option<Spread> {
        let samples = self.of(id)?.samples.iter();
        let ratios: Option<Vec<f64>> = samples
            .map(|sample| Some(sample.bare?.processor / sample.processor))
            .collect();
        Spread::of(ratios?)
    }

    /// Returns by how much more processor time a contender adds than another, in microseconds.
    pub(crate) fn more_processor(&self, id: &str, other: &str) -> Option<Vec<f64>> {
        let (own, other) = (self.added(id)?, self.added(other)?);
        Some(
            own.iter()
                .zip(other)
                .map(|(own, other)| own - other)
                .collect(),
        )
    }
}

fn pairs(own: &Contender, other: &Contender, of: impl Fn(&Sample, &Sample) -> f64) -> Vec<f64> {
    let pairs = own.samples.iter().zip(&other.samples);
    pairs.map(|(own, other)| of(own, other)).collect()
}
