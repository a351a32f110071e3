//! A proxy, the gateway that it asks, and the protected resource behind it.

use std::net::SocketAddr;
use std::path::PathBuf;

use portcullis_tests::{EchoResource, Gateway, Settings, free_address};

use crate::proxies::{self, Places, Proxy, Running};

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) resource: EchoResource,
    /// Ends before those that it asks.
    _proxy: Running,
    gateway: Option<Gateway>,
}

impl World {
    /// Starts all three; `settings` makes those of the gateway from the proxy's address.
    pub(crate) fn start(proxy: Proxy, settings: impl FnOnce(SocketAddr) -> Settings) -> Self {
        Self::start_trusting(proxy, settings, None)
    }

    /// Starts all three as [`Self::start`] does; the proxy asks by TLS where `certificate` is what
    /// the gateway shows.
    pub(crate) fn start_trusting(
        proxy: Proxy,
        settings: impl FnOnce(SocketAddr) -> Settings,
        certificate: Option<PathBuf>,
    ) -> Self {
        let address = free_address();
        let resource = EchoResource::start();
        let gateway = Gateway::for_questions(&settings(address));
        let places = Places {
            proxy: address,
            portcullis: gateway.address(),
            mcp: resource.address(),
            certificate,
        };
        Self {
            _proxy: proxies::start(proxy, &places),
            address,
            resource,
            gateway: Some(gateway),
        }
    }

    /// Ends the gateway.
    pub(crate) fn end_gateway(&mut self) {
        self.gateway = None;
    }
}
