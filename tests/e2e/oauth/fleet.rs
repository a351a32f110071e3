//! Several gateways with the same settings behind one name; a request meets any of them.

use std::sync::RwLock;

use aws_lc_rs::rand;
use portcullis_tests::{Gateway, Kind, Request, Response, Settings};

/// Two native binaries, and Envoy with two workers.
const KINDS: [Kind; 3] = [Kind::Native, Kind::Native, Kind::Envoy];

/// The gateways.
pub(crate) struct Fleet {
    replicas: Vec<RwLock<Gateway>>,
    upstream: String,
}

impl Fleet {
    pub(crate) fn start(settings: &Settings, upstream: &str) -> Self {
        let replicas = KINDS
            .map(|kind| RwLock::new(start(kind, settings, upstream)))
            .into();
        Self {
            replicas,
            upstream: upstream.to_owned(),
        }
    }

    /// Returns the numbers of the replicas.
    pub(crate) fn numbers(&self) -> std::ops::Range<usize> {
        0..self.replicas.len()
    }

    /// Sends a request to a replica that nobody can foresee.
    pub(crate) fn send(&self, request: &Request) -> Response {
        let mut octet = [0];
        rand::fill(&mut octet).unwrap();
        let number = usize::from(octet[0]) % self.replicas.len();
        self.replicas[number].read().unwrap().send(request)
    }

    /// Kills a replica and puts another with these settings in its place. No request meets it
    /// meanwhile.
    pub(crate) fn replace(&self, number: usize, settings: &Settings) {
        let mut gateway = self.replicas[number].write().unwrap();
        *gateway = start(gateway.kind(), settings, &self.upstream);
    }

    /// Replaces every replica.
    pub(crate) fn replace_all(&self, settings: &Settings) {
        for number in self.numbers() {
            self.replace(number, settings);
        }
    }
}

fn start(kind: Kind, settings: &Settings, upstream: &str) -> Gateway {
    match kind {
        Kind::Envoy => Gateway::envoy_with_workers(settings, upstream, 2),
        Kind::Native => Gateway::start(kind, settings, upstream),
    }
}
