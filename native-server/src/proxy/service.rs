//! What requests meet, and how it is replaced while they come.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use portcullis_core::rules::AddressList;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::{Forwarder, Gate};
use crate::summary::Summary;
use crate::telemetry::{IssuerKeys, Present, Telemetry};
use crate::tls::Admission;

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
    /// What their clients have to show.
    pub(crate) admission: Admission,
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
pub(crate) struct Current {
    service: ArcSwap<Service>,
    admission: watch::Sender<Admission>,
}

impl Current {
    /// Puts the first service in force.
    pub(crate) fn new(service: Service) -> Arc<Self> {
        Arc::new(Self {
            admission: watch::Sender::new(service.admission),
            service: ArcSwap::from_pointee(service),
        })
    }

    /// Puts another service in force, for all that begins from here on.
    pub(crate) fn replace(&self, service: Service) {
        // First, so that no connection that meets the new service sees the old value here.
        self.admission.send_replace(service.admission);
        self.service.store(Arc::new(service));
    }

    /// Returns what tells connections that their clients would have to show something else by now.
    pub(super) fn admissions(&self) -> watch::Receiver<Admission> {
        self.admission.subscribe()
    }

    /// Returns what is to be seen of the service in force.
    pub(crate) fn present(&self) -> Present {
        self.service.load().gate.present()
    }

    /// Returns what the settings in force are.
    pub(crate) fn summary(&self) -> Arc<Summary> {
        Arc::clone(&self.service.load().summary)
    }

    /// Returns the keys of the issuer that the service in force has, where there is one.
    pub(crate) fn issuer_keys(&self) -> Option<IssuerKeys> {
        self.service.load().gate.issuer_keys()
    }

    /// Returns the service in force, to be held for one request: no lock, and no counter that the
    /// cores would have to pass around.
    pub(super) fn load(&self) -> Guard<Arc<Service>> {
        self.service.load()
    }
}
