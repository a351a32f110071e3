//! The authorization server: which endpoint answers.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use super::client_document::{Described as DescribedClient, DocumentFault};
use super::error::OAuthError;
use super::grant::{Sealed as _, SharedAnswer};
use super::page::error::ErrorPage;
use super::seal::Sealer;
use super::tokens::{Tokens, TokensFinding};
use super::visit::{OAuthEndpoint, Visit};
use super::waiting::{Arrived, Redemption, Served, Stop, Tried, Waiting};
use crate::ambient::UnixSeconds;
use crate::cache::{ExpiringMap, KeySet};
use crate::decision::LocalResponse;
use crate::denial::{Outage, json_response};
use crate::digest::Digest;
use crate::entropy::Entropy;
use crate::finding::Found;
use crate::flights::Errand;
use crate::modes::{Chance, Desk, KeySource, OidcProxyMode};
use crate::reason::Reason;
use crate::rules::CorsGrant;
use crate::seed::Seed;
use crate::step::{Brought, Underway};

/// How long the answer to a refresh is given again to whoever brings the same token, in seconds:
/// clients that run twice refresh twice, and a provider that rotates would take the second for
/// theft.
const REPLAY_SECONDS: u64 = 10;

/// How many of those answers are kept.
const MAX_REPLAYS: usize = 1000;

/// How many clients that are described at their identifiers are remembered.
const MAX_DOCUMENTS: usize = 1000;

/// Answers OAuth's requests for one protected resource.
#[derive(Debug)]
pub(crate) struct AuthorizationServer {
    pub(super) mode: OidcProxyMode,
    /// The issuer identifier (RFC 8414 §2): the origin, without a slash.
    pub(super) issuer: String,
    /// The resource identifier.
    pub(super) resource: String,
    /// The scope that every client is given: all that the resource asks for.
    pub(super) scope: String,
    pub(super) sealer: Sealer,
    pub(super) entropy: Entropy,
    pub(super) keys: KeySet,
    pub(super) replays: ExpiringMap<Digest, Arc<Tokens>>,
    /// Clients that are described at their identifiers.
    pub(super) documents: ExpiringMap<Digest, DescribedClient>,
    pub(super) document_faults: ExpiringMap<Digest, DocumentFault>,
}

impl AuthorizationServer {
    pub(crate) fn new(mode: OidcProxyMode, seed: &Seed) -> Self {
        let resource = &mode.resource;
        let issuer = resource.origin().to_string();
        let identifier = resource.identifier().to_string();
        Self {
            sealer: Sealer::new(mode.state_keys.clone(), &issuer, &identifier)
                .for_provider(&mode.document.to_string(), &mode.client.id),
            entropy: seed.entropy(),
            keys: KeySet::new(KeySource::Discovery(mode.document.clone())),
            replays: ExpiringMap::new(MAX_REPLAYS),
            documents: ExpiringMap::new(MAX_DOCUMENTS),
            document_faults: ExpiringMap::new(MAX_DOCUMENTS),
            scope: resource.scopes().join(" "),
            resource: identifier,
            issuer,
            mode,
        }
    }

    /// Answers a request whose body was read, or that has none. Sign-ins are rare, so that the
    /// filter's module has it small rather than quick.
    #[cold]
    pub(crate) fn serve(
        &mut self,
        visit: Visit,
        body: Vec<u8>,
        tried: Tried,
        desk: &mut Desk<'_>,
    ) -> Served {
        let answered = match visit.endpoint {
            OAuthEndpoint::Metadata => Ok(self.metadata(&visit)),
            OAuthEndpoint::Register => Ok(self.register(&visit, &body, desk.now)),
            OAuthEndpoint::Authorize => self.authorize(&visit, tried, desk),
            OAuthEndpoint::Consent => self.consent(&visit, &body, tried, desk),
            OAuthEndpoint::Callback => self.callback(&visit, tried, desk),
            OAuthEndpoint::Token => self.token(&visit, &body, tried, desk),
            OAuthEndpoint::Revoke => self.revoke(&visit, &body, tried, desk),
        };
        match answered {
            Ok(response) | Err(Stop::Answer(response)) => Served::Answer(response),
            Err(Stop::Await(errand, waiting)) => Served::Await(errand, waiting),
            Err(Stop::Again(errand)) => {
                let is_client = matches!(errand, Errand::ClientDocument(..));
                let tried = Tried {
                    provider: tried.provider || !is_client,
                    client: tried.client || is_client,
                };
                let waiting = Waiting::Again(visit, body, tried);
                Served::Await(errand, Box::new(waiting))
            }
        }
    }

    /// Goes on with what waited.
    #[cold]
    pub(crate) fn resume(
        &mut self,
        waiting: Waiting,
        arrived: &Arrived<'_>,
        desk: &mut Desk<'_>,
    ) -> Served {
        let answered = match (waiting, arrived) {
            // Whoever is out of time must not spend a code on the way out.
            (Waiting::Again(visit, ..), Arrived::Nothing) if visit.endpoint.is_for_scripts() => {
                Ok(unavailable(Outage::WaitedTooLong, visit.cors.as_ref()))
            }
            (Waiting::Again(visit, body, tried), _) => {
                return self.serve(visit, body, tried, desk);
            }
            (Waiting::Tokens(redemption), Arrived::Tokens(finding)) => {
                self.take_tokens(redemption, finding, desk)
            }
            (Waiting::Keys(redemption, tokens), _) => {
                self.grant(redemption, tokens, Chance::Last, desk)
            }
            (Waiting::Revocation(cors), Arrived::Revoked(result)) => {
                Ok(revoked(*result, cors.as_ref()))
            }
            (Waiting::Tokens(Redemption { cors, .. }) | Waiting::Revocation(cors), _) => {
                Ok(unavailable(Outage::WaitedTooLong, cors.as_ref()))
            }
        };
        match answered {
            Ok(response) | Err(Stop::Answer(response)) => Served::Answer(response),
            Err(Stop::Await(errand, waiting)) => Served::Await(errand, waiting),
            // Only a request that begins looks anything up.
            Err(Stop::Again(_)) => Served::Answer(unavailable(Outage::WaitedTooLong, None)),
        }
    }

    /// Takes what a call brought, for every request that waited for it.
    pub(crate) fn take(&mut self, underway: Underway, found: Found, now: UnixSeconds) -> Brought {
        match (underway, found) {
            (Underway::Exchange(_), Found::Tokens(found)) => Brought::Tokens(Arc::new(found)),
            (Underway::Refresh(digest), Found::Renewed(found, _)) => {
                self.keep_answer(digest, &found, now);
                Brought::Tokens(Arc::new(found))
            }
            (Underway::Refresh(digest), Found::Shared(shared)) => {
                let Some(found) = self.open_shared(&digest, &shared, now) else {
                    return Brought::NothingInTime;
                };
                self.keep_answer(digest, &found, now);
                Brought::Tokens(Arc::new(found))
            }
            (Underway::ClientDocument(client_id), Found::ClientDocument(found)) => {
                self.keep_document(&client_id, found, now);
                Brought::News
            }
            (Underway::Revocation(_), Found::Revoked(result)) => Brought::Revoked(result),
            _ => Brought::NothingInTime,
        }
    }

    /// Takes over what is known of the same provider, and the answers that may be asked for again.
    pub(crate) fn succeed(&mut self, earlier: &mut Self) {
        let same_provider = self.mode.document == earlier.mode.document;
        if same_provider && self.mode.client.id == earlier.mode.client.id {
            self.keys = earlier.keys.handed_over();
            mem::swap(&mut self.replays, &mut earlier.replays);
        }
    }

    /// Seals the answer to a refresh for other workers, where it is one that can be given again.
    pub(crate) fn share(
        &mut self,
        of: Digest,
        finding: &TokensFinding,
        now: UnixSeconds,
    ) -> Option<String> {
        let TokensFinding::Granted(tokens) = finding else {
            return None;
        };
        let answer = SharedAnswer {
            of,
            tokens: tokens.clone(),
            until: now.plus(REPLAY_SECONDS),
        };
        answer.seal(&self.sealer, &mut self.entropy)
    }

    /// Opens what another worker [shared](Self::share), while it counts.
    pub(crate) fn open_shared(
        &self,
        of: &Digest,
        shared: &str,
        now: UnixSeconds,
    ) -> Option<TokensFinding> {
        let answer = SharedAnswer::open(&self.sealer, shared, now)?;
        (answer.of == *of).then_some(TokensFinding::Granted(answer.tokens))
    }

    /// Returns the provider's keys over time.
    pub(crate) const fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// Returns the provider's keys over time.
    pub(crate) const fn keys_mut(&mut self) -> &mut KeySet {
        &mut self.keys
    }

    /// Returns the issuer identifier.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns what seals and opens.
    pub(crate) const fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Returns the settings.
    pub(crate) const fn mode(&self) -> &OidcProxyMode {
        &self.mode
    }

    /// Keeps the answer to a refresh for those who bring the same token in a moment.
    fn keep_answer(&mut self, digest: Digest, finding: &TokensFinding, now: UnixSeconds) {
        if let TokensFinding::Granted(tokens) = finding {
            let tokens = Arc::new(tokens.clone());
            self.replays
                .insert(digest, tokens, now, now.plus(REPLAY_SECONDS));
        }
    }

    /// Makes a cookie's name: with the prefix that keeps other hosts of the domain from setting
    /// it, where browsers know it.
    pub(super) fn cookie_name(&self, name: &str) -> String {
        let prefix = if self.is_secure() { "__Host-" } else { "" };
        [prefix, name].concat()
    }

    pub(super) fn is_secure(&self) -> bool {
        self.issuer.starts_with("https:")
    }

    /// Shows a person why it does not go on.
    pub(super) fn error_page(
        &self,
        status: u16,
        title: &str,
        text: &str,
        reason: Reason,
    ) -> LocalResponse {
        let branding = &self.mode.branding;
        let page = ErrorPage {
            branding,
            title,
            text,
        };
        page.render().into_response(status, reason)
    }
}

/// Tells a client what is wrong (RFC 6749 §5.2).
pub(super) fn refuse(error: OAuthError, cors: Option<&CorsGrant>) -> LocalResponse {
    let headers = if error.status == 503 {
        [("retry-after", RETRY_AFTER_SECONDS.to_string())].into()
    } else {
        Vec::new()
    };
    let body = error.to_json().into_bytes();
    json_response(error.status, headers, body, error.reason, cors)
}

/// Tells a client that the provider cannot be asked: it keeps what it has.
pub(super) fn unavailable(outage: Outage, cors: Option<&CorsGrant>) -> LocalResponse {
    let error = OAuthError::temporarily_unavailable().because(outage.reason());
    refuse(error, cors)
}

/// Answers a revocation (RFC 7009 §2.2): a provider that does not know the token has revoked it.
fn revoked(result: Result<(), Outage>, cors: Option<&CorsGrant>) -> LocalResponse {
    match result {
        Ok(()) => json_response(200, Vec::new(), b"{}".to_vec(), Reason::TokenRevoked, cors),
        Err(outage) => unavailable(outage, cors),
    }
}

/// How long a client is to wait while the provider is out of order, in seconds.
const RETRY_AFTER_SECONDS: u64 = 5;
