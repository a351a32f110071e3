//! What a client is given for the provider's tokens (RFC 6749 §5.1).

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde_json::json;

use super::super::error::OAuthError;
use super::super::grant::{AccessToken, Authority, RefreshToken, Sealed as _};
use super::super::id_token::{Expected, reason};
use super::super::server::{AuthorizationServer, refuse, unavailable};
use super::super::tokens::{Tokens, TokensFinding};
use super::super::waiting::{Grant, Redemption, Stop, Waiting};
use crate::ambient::UnixSeconds;
use crate::cache::KeySetState;
use crate::decision::LocalResponse;
use crate::denial::{Outage, json_response};
use crate::flights::Errand;
use crate::jose::{Algorithm, SignatureCheck, UnverifiedToken};
use crate::modes::{Chance, Desk, fetch};
use crate::reason::Reason;
use crate::rules::CorsGrant;

impl AuthorizationServer {
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

/// Why an ID token names nobody.
enum NoSubject {
    AwaitKeys,
    Outage(Outage),
    Wrong(Reason),
}
