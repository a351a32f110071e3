//! Registration (RFC 7591 §3): the answer is all that there is of it.

use alloc::vec::Vec;

use super::super::error::OAuthError;
use super::super::register;
use super::super::seal::Purpose;
use super::super::server::{AuthorizationServer, refuse};
use super::super::visit::Visit;
use crate::ambient::UnixSeconds;
use crate::decision::LocalResponse;
use crate::denial::json_response;
use crate::reason::Reason;

impl AuthorizationServer {
    /// Registers whoever asks.
    pub(in super::super) fn register(
        &mut self,
        visit: &Visit,
        body: &[u8],
        now: UnixSeconds,
    ) -> LocalResponse {
        let cors = visit.cors.as_ref();
        let client = match register::read(body, self.mode.redirect_patterns.as_ref()) {
            Ok(client) => client,
            Err(error) => return refuse(error, cors),
        };
        let octets = client.to_octets();
        let client_id = self
            .sealer
            .seal(Purpose::Client, &octets, &mut self.entropy);
        let Some(client_id) = client_id else {
            // A client that was read is short enough.
            let description = "the client is too large";
            return refuse(OAuthError::invalid_client_metadata(description), cors);
        };
        let scope = Some(self.scope.as_str()).filter(|scope| !scope.is_empty());
        let body = register::answer(&client_id, &client, scope, now);
        json_response(201, Vec::new(), body, Reason::Registered, cors)
    }
}
