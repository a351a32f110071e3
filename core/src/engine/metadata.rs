//! The metadata of the protected resource (RFC 9728).

use alloc::vec::Vec;

use super::Engine;
use crate::ambient::Ambient;
use crate::denial::{Denial, Outage, json_response};
use crate::flights::Errand;
use crate::modes::{Authenticator, Chance, fetch};
use crate::reason::Reason;
use crate::rules::CorsGrant;
use crate::step::{PendingRequest, Step, Suspended};

impl Engine {
    /// Answers with the metadata, after asking for the discovery document that names the issuer.
    pub(super) fn resource_metadata(
        &mut self,
        cors: Option<CorsGrant>,
        chance: Chance,
        ambient: Ambient,
    ) -> Step {
        // It is public, and where no list of origins says otherwise every page may read it.
        let grant = match (&cors, &self.config.access.origins) {
            (None, None) => Some(CorsGrant::anybody()),
            (grant, _) => grant.clone(),
        };
        if let (Some(resource), Authenticator::OidcProxy(proxy)) =
            (&self.config.resource, &self.authenticator)
        {
            let body = resource.metadata(&[proxy.server.issuer().into()]);
            let response = json_response(
                200,
                Vec::new(),
                body,
                Reason::ResourceMetadata,
                grant.as_ref(),
            );
            return Step::respond(response);
        }
        let (Some(resource), Authenticator::Jwt(jwt)) =
            (&self.config.resource, &mut self.authenticator)
        else {
            let body = br#"{"error":"not_found"}"#.to_vec();
            let response = json_response(404, Vec::new(), body, Reason::NoOAuth, grant.as_ref());
            return Step::respond(response);
        };
        if !jwt.issuers().is_empty() {
            let body = resource.metadata(jwt.issuers());
            let response = json_response(
                200,
                Vec::new(),
                body,
                Reason::ResourceMetadata,
                grant.as_ref(),
            );
            return Step::respond(response);
        }
        if chance == Chance::First
            && fetch(jwt.keys_mut(), &mut self.flights, ambient.now)
            && let Some(ticket) = self.flights.join(&Errand::Jwks)
        {
            let pending = PendingRequest(Suspended::Metadata(cors));
            return Step::Wait { ticket, pending };
        }
        let outage = jwt.keys().failure().unwrap_or(Outage::WaitedTooLong);
        let denial = Denial::AuthorizationServerUnavailable(outage);
        Step::respond(denial.respond(&self.config, grant.as_ref()))
    }
}
