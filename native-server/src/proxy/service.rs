//! What requests meet, and how it is replaced while they come.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use portcullis_core::rules::AddressList;
use tokio_rustls::TlsAcceptor;

use super::{Forwarder, Gate};
use crate::summary::Summary;
use crate::telemetry::{IssuerKeys, Present, Telemetry};

/// All that follows from the settings.
pub(crate) struct Service {
    /// Decides.
    pub(crate) gate: Arc<Gate>,
    /// What it does with a request that is allowed.
    pub(crate) role: Role,
    /// Counts.
    pub(crate) telemetry: Arc<Telemetry>,
    /// Says what the settings are.
    pub(crate) summary: Arc<Summary>,
    /// Makes TLS of the connections, where it is on.
    pub(crate) tls: Option<TlsAcceptor>,
}

/// What becomes of a request that is allowed.
pub(crate) enum Role {
    /// It is passed on.
    PassOn(Forwarder),
    /// It is passed on by another proxy, which asked here; those in the list may.
    Answer(Option<AddressList>),
}

/// The service in force. A connection asks for it when it begins, and each request when it does;
/// who has begun on one stays with it, and the last to leave it drops it.
pub(crate) struct Current(ArcSwap<Service>);

impl Current {
    /// Puts the first service in force.
    pub(crate) fn new(service: Service) -> Arc<Self> {
        Arc::new(Self(ArcSwap::from_pointee(service)))
    }

    /// Puts another service in force, for all that begins from here on.
    pub(crate) fn replace(&self, service: Service) {
        self.0.store(Arc::new(service));
    }

    /// Returns what is to be seen of the service in force.
    pub(crate) fn present(&self) -> Present {
        self.0.load().gate.present()
    }

    /// Returns what the settings in force are.
    pub(crate) fn summary(&self) -> Arc<Summary> {
        Arc::clone(&self.0.load().summary)
    }

    /// Returns the keys of the issuer that the service in force has, where there is one.
    pub(crate) fn issuer_keys(&self) -> Option<IssuerKeys> {
        self.0.load().gate.issuer_keys()
    }

    /// Returns the service in force, to be held for one request: no lock, and no counter that the
    /// cores would have to pass around.
    pub(super) fn load(&self) -> Guard<Arc<Service>> {
        self.0.load()
    }
}
