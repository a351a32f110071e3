//! The token endpoint (RFC 6749 §3.2): all that is ours is checked before anything is spent at the
//! provider.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::super::authorize::Registered;
use super::super::client::Client;
use super::super::deny_list::client_digest;
use super::super::error::OAuthError;
use super::super::form::Form;
use super::super::grant::Code;
use super::super::redeem::{self, RedeemFault};
use super::super::server::{AuthorizationServer, refuse, unavailable};
use super::super::visit::Visit;
use super::super::waiting::{Grant, NoClient, NoProvider, Redemption, Stop, Tried, Waiting};
use crate::ambient::UnixSeconds;
use crate::cache::Described;
use crate::decision::LocalResponse;
use crate::digest::Digest;
use crate::flights::Errand;
use crate::modes::{Chance, Desk};
use crate::reason::Reason;
use crate::rules::CorsGrant;
use crate::step::{PendingCall, Underway};

impl AuthorizationServer {
    /// Redeems a code or a refresh token.
    pub(in super::super) fn token(
        &mut self,
        visit: &Visit,
        body: &[u8],
        tried: Tried,
        desk: &mut Desk<'_>,
    ) -> Result<LocalResponse, Stop> {
        let cors = visit.cors.as_ref();
        let malformed = OAuthError::invalid_request("the body must be a form");
        let form = Form::parse(body).map_err(|_| refuse(malformed, cors))?;
        let Ok(Some(client_id)) = form.get("client_id") else {
            let description = "client_id is missing or occurs twice";
            return Ok(refuse(OAuthError::invalid_request(description), cors));
        };
        let client = self.program(client_id, tried, cors, desk)?;
        let client = Registered {
            id: client_id,
            redirect_uris: client.redirect_uris(),
        };
        let grant = self
            .redeemed(&form, &client, desk.now)
            .map_err(|error| refuse(error, cors))?;
        let provider = match self.provider(tried, desk) {
            Ok(provider) => provider,
            Err(NoProvider::Wait) => return Err(Stop::Again(Errand::Jwks)),
            Err(NoProvider::Outage(outage)) => return Ok(unavailable(outage, cors)),
        };
        if matches!(grant, Grant::Code(_)) {
            match self.keys_first(tried, desk) {
                Ok(()) => {}
                Err(NoProvider::Wait) => return Err(Stop::Again(Errand::Jwks)),
                Err(NoProvider::Outage(outage)) => return Ok(unavailable(outage, cors)),
            }
        }
        let redemption = Redemption {
            grant,
            cors: visit.cors.clone(),
        };
        self.redeem(redemption, &provider, desk)
    }

    /// Returns the client of a request that no person looks at.
    pub(super) fn program(
        &mut self,
        client_id: &str,
        tried: Tried,
        cors: Option<&CorsGrant>,
        desk: &mut Desk<'_>,
    ) -> Result<Arc<Client>, Stop> {
        match self.client(client_id, tried, desk) {
            Ok(client) => Ok(client),
            Err(NoClient::Wait(errand)) => Err(Stop::Again(errand)),
            Err(NoClient::Outage(outage)) => Err(unavailable(outage, cors).into()),
            Err(NoClient::Unknown) => Err(refuse(OAuthError::invalid_client(), cors).into()),
        }
    }

    /// Opens what a client brings, if it is the client's.
    fn redeemed(
        &self,
        form: &Form,
        client: &Registered<'_>,
        now: UnixSeconds,
    ) -> Result<Grant, OAuthError> {
        let Ok(Some(grant_type)) = form.get("grant_type") else {
            let description = "grant_type is missing or occurs twice";
            return Err(OAuthError::invalid_request(description));
        };
        if self.mode.denied.has_client(&client_digest(client.id)) {
            let description = "access for this client was withdrawn";
            return Err(OAuthError::invalid_grant(description).because(Reason::ClientDenied));
        }
        let (resource, sealer) = (&self.resource, &self.sealer);
        let grant = match grant_type {
            "authorization_code" => {
                redeem::code(form, client, resource, sealer, now).map(Grant::Code)
            }
            "refresh_token" => {
                redeem::refresh_token(form, client, resource, sealer, now).map(Grant::RefreshToken)
            }
            _ => return Err(OAuthError::unsupported_grant_type()),
        };
        grant.map_err(fault)
    }

    /// Asks the provider.
    fn redeem(
        &mut self,
        redemption: Redemption,
        provider: &Described,
        desk: &mut Desk<'_>,
    ) -> Result<LocalResponse, Stop> {
        let client = &self.mode.client;
        let (digest, call) = match &redemption.grant {
            Grant::Code(code) => (code_digest(code), client.exchange(provider, code)),
            Grant::RefreshToken(token) => {
                let digest = refresh_digest(&token.token);
                (digest, client.refresh(provider, &token.token))
            }
        };
        let errand = match &redemption.grant {
            Grant::Code(_) => Errand::Exchange(digest),
            Grant::RefreshToken(_) => Errand::Renewal(digest),
        };
        if desk.flights.is_under_way(&errand, desk.now) {
            return match redemption.grant {
                Grant::RefreshToken(_) => Err(awaiting(errand, redemption)),
                Grant::Code(_) => {
                    let description = "the code is being redeemed already";
                    let error =
                        OAuthError::invalid_grant(description).because(Reason::CodeReplayed);
                    Ok(refuse(error, redemption.cors.as_ref()))
                }
            };
        }
        if let Grant::RefreshToken(_) = &redemption.grant
            && let Some(tokens) = self.replays.get(&digest, desk.now)
        {
            let tokens = Arc::clone(tokens);
            return self.grant(redemption, tokens, Chance::First, desk);
        }
        let cors = redemption.cors.as_ref();
        let Some(call) = call else {
            let error = OAuthError::temporarily_unavailable();
            return Ok(refuse(error.because(Reason::IdpClientAuthentication), cors));
        };
        let has_room = match &redemption.grant {
            Grant::Code(_) => desk.flights.has_room_for_exchange(desk.now),
            Grant::RefreshToken(_) => desk.flights.has_room(desk.now),
        };
        if !has_room {
            let error = OAuthError::temporarily_unavailable().because(Reason::TooManyCalls);
            return Ok(refuse(error, cors));
        }
        let underway = match &redemption.grant {
            Grant::Code(_) => Underway::Exchange(digest),
            Grant::RefreshToken(_) => Underway::Refresh(digest),
        };
        desk.flights
            .start(PendingCall::new(underway), call, desk.now);
        Err(awaiting(errand, redemption))
    }
}

/// Returns what a refresh with this token is known by.
pub(in super::super) fn refresh_digest(token: &str) -> Digest {
    Digest::of(&[b"refresh", token.as_bytes()])
}

fn awaiting(errand: Errand, redemption: Redemption) -> Stop {
    Stop::Await(errand, Box::new(Waiting::Tokens(redemption)))
}

fn code_digest(code: &Code) -> Digest {
    Digest::of(&[b"code", code.code.as_bytes()])
}

const fn fault(fault: RedeemFault) -> OAuthError {
    match fault {
        RedeemFault::Request => {
            OAuthError::invalid_request("a parameter is missing or occurs twice")
        }
        RedeemFault::Grant => OAuthError::invalid_grant(
            "the grant is not known here, has expired, or is bound to something else",
        ),
        RedeemFault::Target => OAuthError::invalid_target(),
    }
}
