//! The token endpoint (RFC 6749 §3.2): all that is ours is checked before anything is spent at the
//! provider.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde_json::json;

use super::super::authorize::Registered;
use super::super::client::Client;
use super::super::deny_list::client_digest;
use super::super::error::OAuthError;
use super::super::form::Form;
use super::super::grant::{AccessToken, Authority, Code, RefreshToken, Sealed as _};
use super::super::id_token::{Expected, reason};
use super::super::redeem::{self, RedeemFault};
use super::super::server::{AuthorizationServer, refuse, unavailable};
use super::super::tokens::{Tokens, TokensFinding};
use super::super::visit::Visit;
use super::super::waiting::{Grant, NoClient, NoProvider, Redemption, Stop, Tried, Waiting};
use crate::ambient::UnixSeconds;
use crate::cache::{Described, KeySetState};
use crate::decision::LocalResponse;
use crate::denial::{Outage, json_response};
use crate::digest::Digest;
use crate::flights::Errand;
use crate::jose::{Algorithm, SignatureCheck, UnverifiedToken};
use crate::modes::{Chance, Desk, fetch};
use crate::reason::Reason;
use crate::rules::CorsGrant;
use crate::step::{PendingCall, Underway};

/// Why an ID token names nobody.
enum NoSubject {
    AwaitKeys,
    Outage(Outage),
    Wrong(Reason),
}

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

    /// Goes on with what the provider's token endpoint said.
    pub(in super::super) fn take_tokens(
        &mut self,
        redemption: Redemption,
        finding: &TokensFinding,
        desk: &mut Desk<'_>,
    ) -> Result<LocalResponse, Stop> {
        let error = match finding {
            TokensFinding::Granted(tokens) => {
                let tokens = Arc::new(tokens.clone());
                return self.grant(redemption, tokens, Chance::First, desk);
            }
            TokensFinding::Refused => {
                let description = "the grant is spent, revoked or too old";
                OAuthError::invalid_grant(description).because(Reason::IdpInvalidGrant)
            }
            TokensFinding::Misconfigured(reason) => {
                OAuthError::temporarily_unavailable().because(*reason)
            }
            TokensFinding::Unavailable(outage) => {
                OAuthError::temporarily_unavailable().because(outage.reason())
            }
        };
        Ok(refuse(error, redemption.cors.as_ref()))
    }

    /// Gives a client its tokens for the provider's.
    pub(in super::super) fn grant(
        &mut self,
        redemption: Redemption,
        tokens: Arc<Tokens>,
        chance: Chance,
        desk: &mut Desk<'_>,
    ) -> Result<LocalResponse, Stop> {
        let nonce = match &redemption.grant {
            Grant::Code(code) => Some(code.proof.nonce.as_str()),
            Grant::RefreshToken(_) => None,
        };
        let subject = self.subject(tokens.id_token.as_deref(), nonce, chance, desk);
        let subject = match (subject, &redemption.grant) {
            (Ok(subject), _) => Some(subject),
            (Err(NoSubject::AwaitKeys), _) => {
                let waiting = Box::new(Waiting::Keys(redemption, tokens));
                return Err(Stop::Await(Errand::Jwks, waiting));
            }
            // The subject of a refresh is known, and the provider's token is spent already.
            (Err(NoSubject::Outage(_)), Grant::RefreshToken(_)) => None,
            (Err(NoSubject::Wrong(Reason::IdTokenAbsent)), Grant::RefreshToken(_)) => None,
            (Err(NoSubject::Outage(outage)), Grant::Code(_)) => {
                return Ok(unavailable(outage, redemption.cors.as_ref()));
            }
            (Err(NoSubject::Wrong(reason)), _) => {
                let description = "the provider's answer names nobody who may sign in";
                let error = OAuthError::invalid_grant(description).because(reason);
                return Ok(refuse(error, redemption.cors.as_ref()));
            }
        };
        let cors = redemption.cors;
        let granted = self.granted(redemption.grant, subject, &tokens, desk.now);
        let minted = granted.and_then(|granted| self.mint(granted, cors.as_ref(), desk.now));
        Ok(minted.unwrap_or_else(|error| refuse(error, cors.as_ref())))
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

    /// Returns who an ID token names.
    fn subject(
        &mut self,
        id_token: Option<&str>,
        nonce: Option<&str>,
        chance: Chance,
        desk: &mut Desk<'_>,
    ) -> Result<String, NoSubject> {
        let id_token = id_token.ok_or(NoSubject::Wrong(Reason::IdTokenAbsent))?;
        let token = UnverifiedToken::parse(id_token.as_bytes(), &Algorithm::ALL)
            .map_err(|denial| NoSubject::Wrong(reason(&denial)))?;
        let settled = chance == Chance::Last || self.keys().state(desk.now) == KeySetState::Fresh;
        let keys = self.keys_mut().keys(desk.now);
        let found = keys.and_then(|keys| keys.find(token.kid.as_deref(), token.algorithm).ok());
        let keys = match found {
            Some(keys) if settled => keys,
            Some(_) | None
                if chance == Chance::First && fetch(self.keys_mut(), desk.flights, desk.now) =>
            {
                return Err(NoSubject::AwaitKeys);
            }
            Some(keys) => keys,
            None => {
                let outage = self.keys().failure();
                return Err(outage.map_or(
                    NoSubject::Wrong(Reason::IdTokenSignature),
                    NoSubject::Outage,
                ));
            }
        };
        let issuer = self.keys().issuer().map(String::from).unwrap_or_default();
        let expected = Expected {
            issuer: &issuer,
            client_id: &self.mode.client.id,
            nonce,
        };
        let check = SignatureCheck::of(token, keys);
        let checked = check.run(desk.verifier);
        let subject = expected.subject(checked, desk.now);
        subject.map_err(NoSubject::Wrong)
    }

    /// Returns what the client is granted, and the provider's refresh token for it.
    fn granted(
        &self,
        grant: Grant,
        subject: Option<String>,
        tokens: &Tokens,
        now: UnixSeconds,
    ) -> Result<RefreshToken, OAuthError> {
        let renewed = tokens.refresh_token.clone();
        let granted = match grant {
            Grant::Code(code) => RefreshToken {
                authority: Authority {
                    subject: subject.unwrap_or_default(),
                    client: code.asked.client,
                    scope: code.asked.scope,
                    since: now,
                },
                token: renewed.unwrap_or_default(),
                until: now.plus(self.mode.session_seconds),
            },
            Grant::RefreshToken(old) => {
                if subject.is_some_and(|subject| subject != old.authority.subject) {
                    // OpenID Connect Core 1.0 §12.2.
                    let description = "the provider's answer names somebody else";
                    let error = OAuthError::invalid_grant(description);
                    return Err(error.because(Reason::IdTokenSubject));
                }
                // A provider that does not rotate sends none.
                RefreshToken {
                    token: renewed.unwrap_or(old.token),
                    ..old
                }
            }
        };
        if self.mode.denied.has(&granted.authority) {
            let description = "access was withdrawn";
            return Err(OAuthError::invalid_grant(description).because(Reason::Revoked));
        }
        Ok(granted)
    }

    fn mint(
        &mut self,
        granted: RefreshToken,
        cors: Option<&CorsGrant>,
        now: UnixSeconds,
    ) -> Result<LocalResponse, OAuthError> {
        let too_large = || {
            let error = OAuthError::temporarily_unavailable();
            error.because(Reason::IdpTokensTooLarge)
        };
        let until = now.plus(self.mode.access_token_seconds).min(granted.until);
        let access_token = AccessToken {
            authority: granted.authority.clone(),
            issued: now,
            until,
        };
        let access_token = access_token
            .seal(&self.sealer, &mut self.entropy)
            .ok_or_else(too_large)?;
        let mut answer = json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": until.since(now),
        });
        let mut more = Vec::new();
        if !granted.authority.scope.is_empty() {
            more.push(("scope", granted.authority.scope.clone()));
        }
        if !granted.token.is_empty() {
            let sealed = granted.seal(&self.sealer, &mut self.entropy);
            more.push(("refresh_token", sealed.ok_or_else(too_large)?));
        }
        if let Some(members) = answer.as_object_mut() {
            let more = more.into_iter();
            members.extend(more.map(|(name, value)| (name.into(), value.into())));
        }
        let body = answer.to_string().into_bytes();
        Ok(json_response(
            200,
            Vec::new(),
            body,
            Reason::TokensIssued,
            cors,
        ))
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
