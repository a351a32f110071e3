//! Rules about where a request comes from, checked before credentials.

mod address;
mod host;
mod origin;

pub use address::{AddressList, client_address};
pub use host::HostList;
pub use origin::OriginList;

pub(crate) use address::items;
pub(crate) use origin::{CorsGrant, OWNED, VARY, is_preflight};

use core::net::IpAddr;

use crate::denial::Denial;
use crate::request::RequestHead;

/// The `Host`, `Origin` and source-address rules. An absent list allows everything.
#[derive(Clone, Debug, Default)]
pub struct AccessRules {
    /// Accepted `Host` values.
    pub hosts: Option<HostList>,
    /// Accepted `Origin` values.
    pub origins: Option<OriginList>,
    /// Accepted `Origin` values at the protected resource, where [`Self::origins`] is absent.
    pub own_origin: Option<OriginList>,
    /// Accepted source addresses.
    pub sources: Option<AddressList>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Option<AddressList>,
}

impl AccessRules {
    /// Returns the address that a request comes from, if it can be told.
    pub(crate) fn client(&self, head: &RequestHead<'_>) -> Option<IpAddr> {
        client_address(head, self.trusted_proxies.as_ref())
    }

    /// Checks a request, and returns what its browser is to be told, where it has one. What is
    /// `public` every page may ask for, unless a list says which.
    pub(crate) fn check(
        &self,
        head: &RequestHead<'_>,
        public: bool,
    ) -> Result<Option<CorsGrant>, Denial> {
        if self
            .hosts
            .as_ref()
            .is_some_and(|hosts| !hosts.allows(head.authority))
        {
            return Err(Denial::HostNotAllowed);
        }
        let allowed = |sources: &AddressList| {
            let client = self.client(head);
            client.is_some_and(|client| sources.contains(client))
        };
        if !self.sources.as_ref().is_none_or(allowed) {
            return Err(Denial::AddressNotAllowed);
        }
        let own = self.own_origin.as_ref().filter(|_| !public);
        let origins = self.origins.as_ref().or(own);
        origins.map_or(Ok(None), |origins| origins.check(head))
    }
}
