//! Revocation (RFC 7009): passed on to the provider, which alone can end a session.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::super::deny_list::client_digest;
use super::super::error::OAuthError;
use super::super::form::Form;
use super::super::grant::{AccessToken, RefreshToken, Sealed as _};
use super::super::server::{AuthorizationServer, refuse, unavailable};
use super::super::visit::Visit;
use super::super::waiting::{NoProvider, Stop, Tried, Waiting};
use super::token::refresh_digest;
use crate::decision::LocalResponse;
use crate::denial::json_response;
use crate::digest::Digest;
use crate::flights::Errand;
use crate::modes::Desk;
use crate::reason::Reason;
use crate::rules::CorsGrant;
use crate::step::{PendingCall, Underway};

impl AuthorizationServer {
    /// Revokes a refresh token.
    pub(in super::super) fn revoke(
        &mut self,
        visit: &Visit,
        body: &[u8],
        tried: Tried,
        desk: &mut Desk<'_>,
    ) -> Result<LocalResponse, Stop> {
        let cors = visit.cors.as_ref();
        let malformed = || OAuthError::invalid_request("the body must be a form with a token");
        let form = Form::parse(body).map_err(|_| refuse(malformed(), cors))?;
        let (Ok(Some(token)), Ok(Some(client_id))) = (form.get("token"), form.get("client_id"))
        else {
            return Ok(refuse(malformed(), cors));
        };
        self.program(client_id, tried, cors, desk)?;
        if AccessToken::open(&self.sealer, token, desk.now).is_some() {
            // It lapses in minutes; nothing that is asked for each request could know of it.
            return Ok(refuse(OAuthError::unsupported_token_type(), cors));
        }
        let token = RefreshToken::open(&self.sealer, token, desk.now);
        let client = client_digest(client_id);
        // What is no token of this client's has nothing to revoke (§2.2).
        let Some(token) = token.filter(|token| token.authority.client.matches(&client)) else {
            return Ok(done(cors));
        };
        let provider = match self.provider(tried, desk) {
            Ok(provider) => provider,
            Err(NoProvider::Wait) => return Err(Stop::Again(Errand::Jwks)),
            Err(NoProvider::Outage(outage)) => return Ok(unavailable(outage, cors)),
        };
        self.replays.remove(&refresh_digest(&token.token));
        let Some(call) = self.mode.client.revoke(&provider, &token.token) else {
            // The provider ends no session; ours ends when the client forgets the token.
            return Ok(done(cors));
        };
        let digest = Digest::of(&[b"revocation", token.token.as_bytes()]);
        let errand = Errand::Revocation(digest);
        if !desk.flights.is_under_way(&errand, desk.now) {
            if !desk.flights.has_room(desk.now) {
                let error = OAuthError::temporarily_unavailable().because(Reason::TooManyCalls);
                return Ok(refuse(error, cors));
            }
            let pending = PendingCall::new(Underway::Revocation(digest));
            desk.flights.start(pending, call, desk.now);
        }
        let waiting = Box::new(Waiting::Revocation(visit.cors.clone()));
        Err(Stop::Await(errand, waiting))
    }
}

fn done(cors: Option<&CorsGrant>) -> LocalResponse {
    json_response(
        200,
        Vec::new(),
        b"{}".to_vec(),
        Reason::NothingToRevoke,
        cors,
    )
}
